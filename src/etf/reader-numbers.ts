/** The numbers among terms: big integers, and floats of either form. */
import type { Reader } from './reader.js'
import { platform } from './platform.js'
import { describeTag } from './tags.js'
import { ErlFloat } from './values.js'

/** Integers up to this size are put together here; in quadratic time; larger ones by the platform, in linear time. */
const WORDS_BYTES = 160

/** What follows the length of SMALL_BIG_EXT and LARGE_BIG_EXT: │ Sign │ `length` bytes, least significant first │ */
export function readInteger(reader: Reader, length: number): number | bigint {
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
  if (size > WORDS_BYTES) {
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

/** A float as a term: ErlFloat where a number would be an integer. */
export function floatTerm(reader: Reader, value: number): number | ErlFloat {
  if (Math.floor(value) !== value) {
    if (Number.isNaN(value)) throw reader.malformed('ETF_BAD_FLOAT', 'is no finite number')
    return value
  }
  if (value - value !== 0) throw reader.malformed('ETF_BAD_FLOAT', 'is no finite number')
  return new ErlFloat(value)
}

/** FLOAT_EXT: │ 99 │ 31 bytes of text, padded with zeros │ */
export function readTextFloat(reader: Reader): number | ErlFloat {
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
export function readSmallInteger(reader: Reader): number {
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
