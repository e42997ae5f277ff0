/**
 * What the codec asks of the place it runs in: quick text, big integers as bytes, zlib, and the class of binaries.
 * The default here is plain JavaScript and right everywhere; `node.ts` and `web.ts` bind quicker parts when imported.
 */
import { deflate, inflate } from './zlib.js'
import { isAscii, readLatin1, readUtf8, writeUtf8 } from './utf8.js'

export interface Platform {
  /** Which binding this is: `portable`, `node`, `web`. */
  name: string
  /** The text of `bytes[start, end)`; undefined if that is not UTF-8. */
  readUtf8(bytes: Uint8Array, start: number, end: number): string | undefined
  /** Whether all of `bytes[start, end)` is below 128. */
  isAscii(bytes: Uint8Array, start: number, end: number): boolean
  /** The text of `bytes[start, end)` as Latin-1. */
  readLatin1(bytes: Uint8Array, start: number, end: number): string
  /** Writes text as UTF-8 where there is room for 3 bytes a code unit; the position after it, -1 for a lone surrogate. */
  writeUtf8(target: Uint8Array, position: number, text: string): number
  /** Bytes of an integer above which {@link Platform.readInteger} is quicker than a loop over words, in quadratic time. */
  readLoopBytes: number
  /** The unsigned integer of little-endian `bytes[start, end)`. */
  readInteger(bytes: Uint8Array, start: number, end: number): bigint
  /** The little-endian bytes of an integer ≥ 0; trailing zero bytes are allowed. */
  integerBytes(magnitude: bigint): Uint8Array
  /**
   * Inflates the zlib stream at `bytes[start, end)`, which must give exactly `size` bytes.
   * @returns what it gives and how many bytes of input it took; undefined if it is no such stream.
   */
  inflate(
    bytes: Uint8Array,
    start: number,
    end: number,
    size: number,
  ): { bytes: Uint8Array; used: number } | undefined
  /** A zlib stream of `bytes`. */
  deflate(bytes: Uint8Array, level: number): Uint8Array
  /** A binary that shares memory. */
  viewBinary(buffer: ArrayBufferLike, offset: number, length: number): Uint8Array
  /** A binary with memory of its own. */
  copyBinary(source: Uint8Array, start: number, length: number): Uint8Array
  /**
   * Memory that several binaries may share, because it cannot be transferred to a worker: that would take all of them
   * along. Absent where no memory is like that.
   */
  newSlab?: (bytes: number) => ArrayBuffer
  /** A copy of at most 256 bytes, which may share a slab of a few KiB with other such copies. */
  smallBinary(source: DataView, start: number, length: number): Uint8Array
}

/** Reads through hexadecimal text, which V8 turns into a BigInt in linear time. */
function readIntegerHex(bytes: Uint8Array, start: number, end: number): bigint {
  if (start === end) return 0n
  const digits: string[] = []
  for (let p = end - 1; p >= start; p--) digits.push(HEX[bytes[p] as number] as string)
  return BigInt('0x' + digits.join(''))
}

function integerBytesHex(magnitude: bigint): Uint8Array {
  const hex = magnitude.toString(16)
  const bytes = new Uint8Array((hex.length + 1) >> 1)
  for (let i = 0, end = hex.length; i < bytes.length; i++, end -= 2) {
    bytes[i] = Number.parseInt(hex.slice(Math.max(0, end - 2), end), 16)
  }
  return bytes
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Plain JavaScript, for every platform. */
export const PORTABLE: Readonly<Platform> = Object.freeze({
  name: 'portable',
  readUtf8,
  isAscii,
  readLatin1,
  writeUtf8,
  readLoopBytes: 160,
  readInteger: readIntegerHex,
  integerBytes: integerBytesHex,
  inflate,
  deflate,
  viewBinary: (buffer: ArrayBufferLike, offset: number, length: number) =>
    new Uint8Array(buffer, offset, length),
  copyBinary: (source: Uint8Array, start: number, length: number) =>
    new Uint8Array(source.buffer.slice(source.byteOffset + start, source.byteOffset + start + length)),
  smallBinary: (source: DataView, start: number, length: number) =>
    new Uint8Array(source.buffer.slice(source.byteOffset + start, source.byteOffset + start + length)),
})

/** The platform in use. */
export const platform: Platform = { ...PORTABLE }

/** Replaces parts of the platform; what is not named stays. Called by `node.ts` and `web.ts` when imported. */
export function bindPlatform(parts: Partial<Platform>): void {
  Object.assign(platform, parts)
}
