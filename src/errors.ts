/**
 * The errors of beampeer. One base class with a stable `code`; match on `code`, not on the message.
 * docs/errors.md has a heading for each code.
 */

/** Options of every beampeer error: what caused it and, where there is one, the data that tells where. */
export interface BeampeerErrorOptions {
  cause?: unknown
}

/** Base of every error that beampeer throws or reports. `code` is stable across releases. */
export class BeampeerError extends Error {
  readonly code: string

  constructor(code: string, message: string, options: BeampeerErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
  }
}

/** A term that cannot be encoded, or bytes that are no term. `ETF_*` codes. */
export class EtfError extends BeampeerError {
  /** Byte offset in the input at which decoding failed; undefined when encoding. */
  readonly offset: number | undefined
  /** The tag byte being decoded, if one had been read. */
  readonly tag: number | undefined
  /** Path to the offending part of a term that could not be encoded, such as `[2].name`. */
  readonly path: string | undefined

  constructor(
    code: string,
    message: string,
    where: { offset?: number | undefined; tag?: number | undefined; path?: string | undefined } = {},
    options: BeampeerErrorOptions = {},
  ) {
    super(code, message, options)
    this.offset = where.offset
    this.tag = where.tag
    this.path = where.path
  }
}

/** EPMD could not be reached, answered wrongly, or refused. `EPMD_*` codes. */
export class EpmdError extends BeampeerError {}

/** A distribution handshake that did not end in a connection. `HANDSHAKE_*` codes. */
export class HandshakeError extends BeampeerError {
  /** The node that was to be connected; undefined when it did not say. */
  readonly peerName: string | undefined
  /** Names of the flags that a peer lacks, for `HANDSHAKE_MISSING_FLAGS`. */
  readonly missingFlags: readonly string[]

  constructor(
    code: string,
    message: string,
    where: { peerName?: string | undefined; missingFlags?: readonly string[] } = {},
    options: BeampeerErrorOptions = {},
  ) {
    super(code, message, options)
    this.peerName = where.peerName
    this.missingFlags = where.missingFlags ?? []
  }
}

/** A peer broke the distribution protocol after the handshake, or a limit of the channel was hit. `DIST_*` codes. */
export class DistError extends BeampeerError {}

/** A call or signal that failed because of a node, a process or a name. `NODE_*`, `PROCESS_*`, `RPC_*` codes. */
export class NodeError extends BeampeerError {}

/** An argument or option that is not valid. `BAD_ARGUMENT`, `BAD_OPTION`. */
export class ArgumentError extends BeampeerError {}
