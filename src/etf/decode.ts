/** `binary_to_term/1`: a term that stands alone, with its version byte, compressed or not. */
import { EtfError } from '../errors.js'
import { DEFAULT_LIMITS, type Limits } from '../limits.js'
import { NOTHING } from './input.js'
import { platform } from './platform.js'
import { type DecodeContext, NO_CONTEXT, Reader } from './reader.js'
import { COMPRESSED, VERSION } from './tags.js'
import type { Encodable, Term } from './terms.js'
import { LocalTerm } from './values.js'

export { Reader } from './reader.js'

export interface DecodeOptions {
  /** `'existing'`: an atom that this process does not know yet is an error (`ETF_NEW_ATOM`). */
  atoms?: 'existing'
  binaries?: 'bytes' | 'text'
  copy?: boolean
  limits?: Partial<Limits>
}

const NO_OPTIONS: DecodeOptions = Object.freeze({})

/**
 * The term of `binary_to_term/1`'s input: version byte, one term, nothing after it.
 *
 * Binaries of more than 64 bytes are views: they share memory with `bytes`. Give `copy: true` if `bytes` will be
 * overwritten, or if a small part of a large message is to be kept.
 * @throws EtfError with `code`, `offset` and `tag`
 */
export function decode(bytes: Uint8Array, options: DecodeOptions & { binaries: 'text' }): Encodable
export function decode(bytes: Uint8Array, options?: DecodeOptions): Term
export function decode(bytes: Uint8Array, options: DecodeOptions = NO_OPTIONS): Encodable {
  if (!(bytes instanceof Uint8Array)) {
    throw new EtfError('ETF_UNSUPPORTED', `decode takes a Uint8Array, not ${typeof bytes}`)
  }
  if (options !== NO_OPTIONS) {
    return decodeWith(new Reader(bytes, 0, bytes.length, readerContext(options)), options)
  }
  const reader = spare ?? new Reader(NOTHING)
  // Not given back after an error.
  spare = undefined
  reader.reopen(bytes)
  const term = decodeWith(reader, options)
  reader.release()
  spare = reader
  return term
}

/** What decodes when there are no options, if it is not in use. */
let spare: Reader | undefined

function decodeWith(reader: Reader, options: DecodeOptions): Encodable {
  const bytes = reader.bytes
  if (bytes[0] !== VERSION) {
    throw new EtfError(
      'ETF_BAD_VERSION',
      bytes.length === 0
        ? 'the input is empty'
        : `the input begins with byte ${bytes[0]}, not with version byte ${VERSION}`,
      { offset: 0 },
    )
  }
  reader.position = 1
  if (bytes[1] === COMPRESSED) return decodeCompressed(reader, options)
  return readWhole(reader)
}

function readerContext(options: DecodeOptions): DecodeContext {
  if (options === NO_OPTIONS) return NO_CONTEXT
  const context: DecodeContext = { binaries: options.binaries ?? 'bytes', copy: options.copy === true }
  if (options.limits !== undefined) context.limits = options.limits
  if (options.atoms === 'existing') context.newAtoms = 'existing'
  return context
}

function readWhole(reader: Reader): Term {
  // LOCAL_EXT: │ 121 │ what only its own node can read, to the end │
  if (reader.bytes[reader.position] === 121 && reader.position < reader.end) {
    const start = reader.position + 1
    reader.position = reader.end
    return new LocalTerm(platform.copyBinary(reader.bytes, start, reader.end - start))
  }
  const term = reader.readTerm()
  const left = reader.end - reader.position
  if (left > 0) {
    throw new EtfError('ETF_TRAILING_BYTES', `${left} bytes follow the term, from byte ${reader.position}`, {
      offset: reader.position,
    })
  }
  return term
}

/** Nothing that DEFLATE makes is more than 1,032 times smaller than what it was (RFC 1951: 258 bytes from 2 bits). */
const MOST_INFLATION = 1032

/** │ 131 │ 80 │ size when inflated: 32 │ zlib stream of the term │ */
function decodeCompressed(reader: Reader, options: DecodeOptions): Term {
  const at = { offset: 1, tag: COMPRESSED }
  reader.position = 2
  if (reader.end < 6)
    throw new EtfError('ETF_TRUNCATED', 'the input ends inside the head of a compressed term', at)
  const size = reader.uint32()
  const most = options.limits?.maxInflatedBytes ?? DEFAULT_LIMITS.maxInflatedBytes
  if (size > most) {
    throw new EtfError(
      'ETF_INFLATED_TOO_LARGE',
      `the term would inflate to ${size} bytes, more than maxInflatedBytes ${most}`,
      at,
    )
  }
  const left = reader.end - reader.position
  const inflated =
    size > left * MOST_INFLATION
      ? undefined
      : platform.inflate(reader.bytes, reader.position, reader.end, size)
  if (inflated === undefined) {
    throw new EtfError('ETF_BAD_COMPRESSED', `what follows is no zlib stream of ${size} bytes`, at)
  }
  if (inflated.used < left) {
    throw new EtfError('ETF_TRAILING_BYTES', `${left - inflated.used} bytes follow the compressed term`, {
      offset: reader.position + inflated.used,
    })
  }
  return readWhole(new Reader(inflated.bytes, 0, inflated.bytes.length, readerContext(options)))
}
