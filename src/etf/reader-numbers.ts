/** The numbers among terms: big integers, and floats of either form. */
import type { Input } from './input.js'
import { platform } from './platform.js'
import { describeTag } from './tags.js'
import { ErlFloat } from './values.js'

/** What follows the length of SMALL_BIG_EXT and LARGE_BIG_EXT: │ Sign │ `length` bytes, least significant first │ */
export function readInteger(reader: Input, length: number): number | bigint {
  const negative = reader.uint8() !== 0
  const bytes = reader.bytes
  const p = reader.position
  let end = p + length
  if (end > reader.end) throw reader.truncated(length)
  reader.position = end
  while (end > p && bytes[end - 1] === 0) end--
  const size = end - p
  if (size > reader.maxIntegerBytes) {
    throw reader.malformed(
      'ETF_INTEGER_TOO_LARGE',
      `has ${size} bytes, more than maxIntegerBytes ${reader.maxIntegerBytes}`,
    )
  }
  if (size > platform.readLoopBytes) {
    const value = platform.readInteger(bytes, p, end)
    return negative ? -value : value
  }
  if (size <= 7) {
    let low = 0
    for (let i = Math.min(end, p + 4) - 1; i >= p; i--) low = low * 256 + (bytes[i] as number)
    let high = 0
    for (let i = end - 1; i >= p + 4; i--) high = (high << 8) | (bytes[i] as number)
    if (high < 0x200000) {
      const value = high * 4294967296 + low
      return negative && value !== 0 ? -value : value
    }
  }
  const view = reader.dataView()
  let value = 0n
  for (let at = p + ((size - 1) & ~7); at >= p; at -= 8) {
    const word = at + 8 <= end ? view.getBigUint64(at, true) : partWord(bytes, at, end)
    value = at + 8 >= end ? word : (value << 64n) | word
  }
  return negative ? -value : value
}

/** The integer of at most 8 bytes before `end`. */
function partWord(bytes: Uint8Array, start: number, end: number): bigint {
  let low = 0
  for (let i = Math.min(end, start + 4) - 1; i >= start; i--) low = low * 256 + (bytes[i] as number)
  let high = 0
  for (let i = end - 1; i >= start + 4; i--) high = high * 256 + (bytes[i] as number)
  return (BigInt(high) << 32n) | BigInt(low)
}

/**
 * An integer of at most 8 bytes that is known to be whole; `p` is where its sign is.
 */
export function readSmallBig(bytes: Uint8Array, view: DataView, p: number, length: number): number | bigint {
  const negative = bytes[p] !== 0
  let low = 0
  let high = 0
  if (length === 8) {
    low = view.getUint32(p + 1, true)
    high = view.getUint32(p + 5, true)
    if (high >= 0x200000) {
      const value = view.getBigUint64(p + 1, true)
      return negative ? -value : value
    }
  } else {
    for (let i = p + Math.min(length, 4); i > p; i--) low = low * 256 + (bytes[i] as number)
    for (let i = p + length; i > p + 4; i--) high = (high << 8) | (bytes[i] as number)
    if (high >= 0x200000) {
      const value = (BigInt(high) << 32n) | BigInt(low)
      return negative ? -value : value
    }
  }
  const value = high * 4294967296 + low
  return negative && value !== 0 ? -value : value
}

/** Single floats of inputs without a view go through here. */
const floatBytes = new Uint8Array(8)
const floatView = new DataView(floatBytes.buffer)

/** What follows the tag of NEW_FLOAT_EXT: │ IEEE float: 64 │ */
export function readFloat(reader: Input): number | ErlFloat {
  const p = reader.position
  if (p + 8 > reader.end) throw reader.truncated(8)
  reader.position = p + 8
  if (reader.view !== undefined) return floatTerm(reader, reader.view.getFloat64(p))
  for (let i = 0; i < 8; i++) floatBytes[i] = reader.bytes[p + i] as number
  return floatTerm(reader, floatView.getFloat64(0))
}

/** A float as a term: ErlFloat where a number would be an integer. */
function floatTerm(reader: Input, value: number): number | ErlFloat {
  if (Math.floor(value) !== value) {
    if (Number.isNaN(value)) throw reader.malformed('ETF_BAD_FLOAT', 'is no finite number')
    return value
  }
  if (value - value !== 0) throw reader.malformed('ETF_BAD_FLOAT', 'is no finite number')
  return new ErlFloat(value)
}

/** FLOAT_EXT: │ 99 │ 31 bytes of text, padded with zeros │ */
export function readTextFloat(reader: Input): number | ErlFloat {
  const p = reader.position
  if (p + 31 > reader.end) throw reader.truncated(31)
  reader.position = p + 31
  const text = platform.readLatin1(reader.bytes, p, p + 31).replace(/\0.*$/s, '')
  if (!/^[-+]?[0-9]+\.[0-9]+([eE][-+]?[0-9]+)?$/.test(text)) {
    throw reader.malformed('ETF_BAD_FLOAT', `has ${JSON.stringify(text)} for a float`)
  }
  return floatTerm(reader, Number(text))
}

/** An integer of at most 32 bits where the format has one inside a fun. */
export function readSmallInteger(reader: Input): number {
  const p = reader.position
  const tag = reader.uint8()
  if (tag === 97) return reader.uint8()
  if (tag === 98) return reader.uint32() | 0
  if (tag === 110) {
    const value = readInteger(reader, reader.uint8())
    if (typeof value === 'number') return value
  }
  throw reader.malformed('ETF_BAD_TERM', `has ${describeTag(tag)} at byte ${p} where a small integer belongs`)
}
