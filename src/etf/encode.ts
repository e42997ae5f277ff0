/**
 * Terms to bytes ("External Term Format"): what `term_to_binary/2` of OTP 27 writes, or of OTP 25 with `like: 25`, and
 * for a link what its peer can read. The layout of each tag is drawn in decode.ts.
 *
 * Nested terms recurse to MAX_RECURSION; deeper ones go on with a stack on the heap (encode-term.ts), which also finds values
 * that contain themselves.
 */
import { EtfError } from '../errors.js'
import { DEFAULT_LIMITS, type Limits } from '../limits.js'
import type { Atom } from './atom.js'
import type { ObjectKeyBudget } from './budget.js'
import { writeAtom, writeBytes, writePid, writeReference, writeTag } from './encode-leaf.js'
import { writeInner } from './encode-term.js'
import { describePath } from './path.js'
import { Pid, Reference } from './identifiers.js'
import { Output } from './output.js'
import { platform } from './platform.js'
import { type AtomIndex, Settings } from './settings.js'
import { COMPRESSED, VERSION } from './tags.js'
import type { Encodable } from './terms.js'
import { LocalTerm } from './values.js'
import { type Writer, tooLarge } from './writer.js'

/** How to encode for one link. */
export interface EncodeContext {
  /** The atom cache: an index writes ATOM_CACHE_REF, -1 the atom in full. */
  atoms?: AtomIndex
  like?: 25 | 27
  /** A reference of more words is an error (`ETF_PEER_CANNOT_CARRY`): 3 before OTP 24, else 5. */
  maxReferenceWords?: number
  /** false: the peer lacks V4_NC; pids beyond 15 and 13 bits and ports beyond 28 bits are the same error. */
  bigPids?: boolean
  /** false: the peer lacks NATIVE_RECORDS; a native record is the same error. */
  nativeRecords?: boolean
  /** Counts the different keys of plain objects that go out as atoms. */
  objectKeys?: ObjectKeyBudget
  limits?: Partial<Limits>
}

export interface EncodeOptions {
  /** Whose `term_to_binary/1` to equal: 27 (default) or 25, which writes Latin-1 atoms and small ports the older way. */
  like?: 25 | 27
  /** As of `term_to_binary/2`: 0 writes floats as text, 0 and 1 Latin-1 atoms as ATOM_EXT; default 2, 1 with `like: 25`. */
  minorVersion?: 0 | 1 | 2
  /** zlib, at level 1 to 9 (`true`: 6), if that makes it smaller. */
  compressed?: boolean | number
  /** Map entries in Erlang's term order of their keys: equal terms give equal bytes. */
  deterministic?: boolean
  /** What keys of plain objects become: atoms (default) or binaries. */
  keys?: 'atom' | 'binary'
  limits?: Partial<Limits>
}

/** For writing without context; nested calls (from getters) share it harmlessly. */
const NO_SETTINGS = new Settings()

/**
 * Writes a term without version byte, as it stands in a distribution message or inside another term.
 * On an error what has been written is not taken back: restore `writer.position`.
 * @param context must not change once it was used
 * @throws EtfError with `code` and `path`
 */
export function writeTerm(writer: Writer, term: Encodable, context?: EncodeContext): void {
  if (context === undefined) return write(writer, term, NO_SETTINGS, DEFAULT_LIMITS.maxTermBytes)
  write(writer, term, keptSettings(context), context.limits?.maxTermBytes ?? DEFAULT_LIMITS.maxTermBytes)
}

/** As {@link writeTerm}, in less time: whom signals are from and to, and their references. */
export function writeAddress(
  writer: Writer,
  term: Pid | Reference | Atom | boolean,
  context: EncodeContext,
): void {
  const settings = keptSettings(context)
  settings.failedAt = -1
  try {
    if (term instanceof Pid) writePid(writer, term, settings, 0)
    else if (term instanceof Reference) writeReference(writer, term, settings, 0)
    else writeAtom(writer, term, settings)
  } catch (error) {
    throw locate(error, term, settings)
  }
}

function keptSettings(context: EncodeContext): Settings {
  if (context !== lastContext) {
    lastSettings = settingsFor(context)
    lastContext = context
  }
  return lastSettings
}

/** A link writes several terms for each message, with one context that does not change: its settings are kept. */
let lastContext: EncodeContext | undefined
let lastSettings = NO_SETTINGS

function settingsFor(context: EncodeContext): Settings {
  const settings = new Settings()
  settings.atoms = context.atoms
  settings.plainAtoms = context.atoms === undefined
  settings.maxReferenceWords = context.maxReferenceWords ?? 5
  settings.bigPids = context.bigPids !== false
  settings.smallPorts = context.like === 25 || !settings.bigPids
  settings.nativeRecords = context.nativeRecords !== false
  settings.objectKeys = context.objectKeys
  return settings
}

function write(writer: Writer, term: unknown, settings: Settings, most: number): void {
  const limit = writer.position + most
  settings.failedAt = -1
  writer.limit = limit
  try {
    writeInner(writer, term, settings, 0)
    if (writer.position > limit) throw tooLarge(most)
  } catch (error) {
    throw locate(error, term, settings)
  } finally {
    writer.limit = Infinity
  }
}

function locate(error: unknown, term: unknown, settings: Settings): unknown {
  if (!(error instanceof EtfError) || error.path !== undefined) return error
  const path = describePath(term, settings.path, settings.failedAt)
  return new EtfError(
    error.code,
    path === '' ? error.message : `${error.message} (at ${path})`,
    { path },
    { cause: error.cause },
  )
}

/** What `encode` writes with. */
const shared = new Output()
/** Whether it is in use: a getter of the term being written may call `encode` again. */
let busy = false

/**
 * The bytes of a term, as `term_to_binary/2` gives them.
 * @throws EtfError with `code` and `path`: what cannot be a term (`ETF_UNSUPPORTED`), an integral number beyond 2^53
 *   (`ETF_UNSAFE_INTEGER`), NaN and infinities (`ETF_NOT_FINITE`), a value that contains itself (`ETF_CYCLE`) and others
 */
export function encode(term: Encodable, options?: EncodeOptions): Uint8Array {
  if (busy) return encodeWith(new Output(), term, options)
  busy = true
  try {
    return encodeWith(shared, term, options)
  } finally {
    busy = false
  }
}

function encodeWith(output: Output, term: Encodable, options: EncodeOptions | undefined): Uint8Array {
  output.begin()
  output.bytes[output.position++] = VERSION
  if (term instanceof LocalTerm) {
    // LOCAL_EXT: │ 121 │ what only its own node can read │
    writeTag(output, 121)
    writeBytes(output, term.bytes)
    return output.take()
  }
  if (options === undefined) {
    write(output, term, NO_SETTINGS, DEFAULT_LIMITS.maxTermBytes)
    return output.take()
  }
  write(output, term, settingsOf(options), options.limits?.maxTermBytes ?? DEFAULT_LIMITS.maxTermBytes)
  const level = options.compressed === true ? 6 : options.compressed === false ? 0 : (options.compressed ?? 0)
  return level > 0 ? compress(output, level) : output.take()
}

function settingsOf(options: EncodeOptions): Settings {
  const settings = new Settings()
  const old = options.like === 25
  const minorVersion = options.minorVersion ?? (old ? 1 : 2)
  settings.latin1Atoms = minorVersion < 2
  settings.plainAtoms = !settings.latin1Atoms
  settings.textFloats = minorVersion === 0
  settings.smallPorts = old
  settings.deterministic = options.deterministic === true
  settings.binaryKeys = options.keys === 'binary'
  return settings
}

/** │ 131 │ 80 │ size: 32 │ zlib stream │, or the plain term if that is not larger. */
function compress(output: Output, level: number): Uint8Array {
  const plain = output.bytes.subarray(output.start + 1, output.position)
  const packed = platform.deflate(plain, level)
  if (packed.length + 5 >= plain.length) return output.take()
  const out = new Uint8Array(6 + packed.length)
  out[0] = VERSION
  out[1] = COMPRESSED
  new DataView(out.buffer).setUint32(2, plain.length)
  out.set(packed, 6)
  return out
}

export type { AtomIndex }
