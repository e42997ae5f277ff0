/**
 * EPMD's client for single questions, as state machines: bytes of the reply go in, the answer comes out.
 * Spec: ERTS User's Guide, "Distribution Protocol", section "EPMD Protocol"; follows `erl_epmd.erl`.
 *
 *     request ──► reply, byte by byte ──► answer
 *                                    └── end of stream ──► answer (NAMES_REQ, DUMP_REQ) or error
 */
import { EpmdError } from '../errors.js'
import type { Limits } from '../limits.js'
import { decodeNamesReply, decodePortReply, encodeRequest, type EpmdName, type EpmdNode } from './messages.js'

/** One question to EPMD over one connection. */
export interface Exchange<Answer> {
  /** What to send once connected. */
  readonly request: Uint8Array
  /**
   * Bytes of the reply arrived; they are copied.
   * @returns the answer once it is known, in a box since it may be undefined
   * @throws EpmdError `EPMD_BAD_REPLY`, `EPMD_REPLY_TOO_LARGE`
   */
  received(bytes: Uint8Array): { answer: Answer } | undefined
  /**
   * The daemon closed the connection.
   * @throws EpmdError `EPMD_CLOSED`, `EPMD_BAD_REPLY`
   */
  ended(): Answer
}

/** The bytes of a reply so far, bounded. */
export class ReplyBuffer {
  #bytes = new Uint8Array(64)
  #length = 0

  constructor(private readonly maxBytes: number) {}

  /** @throws EpmdError `EPMD_REPLY_TOO_LARGE` */
  push(bytes: Uint8Array): void {
    const length = this.#length + bytes.length
    if (length > this.maxBytes)
      throw new EpmdError('EPMD_REPLY_TOO_LARGE', `EPMD's reply has more than ${this.maxBytes} bytes`)
    if (length > this.#bytes.length) {
      // Doubling keeps a reply that arrives in many pieces linear.
      const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2))
      grown.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = grown
    }
    this.#bytes.set(bytes, this.#length)
    this.#length = length
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }
}

/** PORT_PLEASE2_REQ: where a node listens; undefined when no such node is registered. */
export class PortExchange implements Exchange<EpmdNode | undefined> {
  readonly request: Uint8Array
  readonly #reply: ReplyBuffer

  constructor(
    private readonly alive: string,
    limits: Limits,
  ) {
    this.request = encodeRequest({ type: 'port', name: alive })
    this.#reply = new ReplyBuffer(limits.maxEpmdReplyBytes)
  }

  received(bytes: Uint8Array): { answer: EpmdNode | undefined } | undefined {
    this.#reply.push(bytes)
    const node = decodePortReply(this.#reply.bytes)
    return node === undefined ? undefined : { answer: node ?? undefined }
  }

  ended(): never {
    throw new EpmdError(
      'EPMD_CLOSED',
      `EPMD closed the connection after ${this.#reply.bytes.length} bytes of its answer about '${this.alive}'`,
    )
  }
}

/** NAMES_REQ: all registered names; the daemon's close ends the reply. */
export class NamesExchange implements Exchange<EpmdName[]> {
  readonly request: Uint8Array = encodeRequest({ type: 'names' })
  readonly #reply: ReplyBuffer

  constructor(limits: Limits) {
    this.#reply = new ReplyBuffer(limits.maxEpmdReplyBytes)
  }

  received(bytes: Uint8Array): undefined {
    this.#reply.push(bytes)
  }

  ended(): EpmdName[] {
    // An EPMD that cannot take one more connection does so; it is no sign of something else that listens there.
    if (this.#reply.bytes.length === 0)
      throw new EpmdError('EPMD_CLOSED', 'EPMD closed the connection without an answer')
    return decodeNamesReply(this.#reply.bytes).names
  }
}
