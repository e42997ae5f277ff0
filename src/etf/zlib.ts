/**
 * zlib (RFC 1950) and DEFLATE (RFC 1951) in plain JavaScript, for compressed terms where the platform has no
 * synchronous zlib (browsers). Inflating never writes past the size that the term claims, so a bomb costs no more than
 * the claim that has already been checked.
 *
 *     ┌─────────────┬─────────────────┬─────────────┐      block: ┌───────┬──────┬───────────────────────────┐
 *     │ 120 1…: 16  │ DEFLATE blocks  │ Adler-32    │             │ last 1│type 2│ stored / fixed / dynamic   │
 *     └─────────────┴─────────────────┴─────────────┘             └───────┴──────┴───────────────────────────┘
 */

/** Lengths 257…285 and distances 0…29: where each starts and how many extra bits it has. */
const LENGTH_BASE = new Uint16Array(29)
const LENGTH_EXTRA = new Uint8Array(29)
const DISTANCE_BASE = new Uint16Array(30)
const DISTANCE_EXTRA = new Uint8Array(30)
for (let i = 0, base = 3; i < 28; i++) {
  const extra = i < 8 ? 0 : (i >> 2) - 1
  LENGTH_BASE[i] = base
  LENGTH_EXTRA[i] = extra
  base += 1 << extra
}
LENGTH_BASE[28] = 258
for (let i = 0, base = 1; i < 30; i++) {
  const extra = i < 4 ? 0 : (i >> 1) - 1
  DISTANCE_BASE[i] = base
  DISTANCE_EXTRA[i] = extra
  base += 1 << extra
}
/** The order in which a dynamic block lists the lengths of its code-length codes. */
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
const MAX_BITS = 15

/** A canonical Huffman code: how many codes have each length, and the symbols in code order. */
interface Code {
  counts: Uint16Array
  symbols: Uint16Array
}

/** The code of these lengths; undefined if they claim more codes than there are. */
function makeCode(lengths: Uint8Array): Code | undefined {
  const counts = new Uint16Array(MAX_BITS + 1)
  for (const length of lengths) (counts[length] as number)++
  counts[0] = 0
  const offsets = new Uint16Array(MAX_BITS + 2)
  let left = 1
  for (let bits = 1; bits <= MAX_BITS; bits++) {
    left = (left << 1) - (counts[bits] as number)
    if (left < 0) return undefined
    offsets[bits + 1] = (offsets[bits] as number) + (counts[bits] as number)
  }
  const symbols = new Uint16Array(lengths.length)
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const bits = lengths[symbol] as number
    if (bits !== 0) {
      symbols[offsets[bits] as number] = symbol
      offsets[bits] = (offsets[bits] as number) + 1
    }
  }
  return { counts, symbols }
}

function fixedLengths(): Uint8Array {
  const lengths = new Uint8Array(288).fill(8)
  lengths.fill(9, 144, 256)
  lengths.fill(7, 256, 280)
  return lengths
}

/** The fixed codes, made at first use. */
interface FixedCodes {
  readonly lengths: Uint8Array
  readonly literals: Code
  readonly distances: Code
  /** Their bits reversed, since Huffman codes go on the wire from their most significant bit. */
  readonly reversed: Uint16Array
}

let fixed: FixedCodes | undefined

function fixedCodes(): FixedCodes {
  if (fixed !== undefined) return fixed
  const lengths = fixedLengths()
  const literals = makeCode(lengths) as Code
  const distances = makeCode(new Uint8Array(30).fill(5)) as Code
  return (fixed = { lengths, literals, distances, reversed: reversedCodes(lengths) })
}

/** Thrown inside {@link inflate} alone; a constant, since nothing of it is seen outside. */
const BAD_STREAM = new Error('bad zlib stream')

class BitReader {
  private hold = 0
  private held = 0
  constructor(
    private readonly bytes: Uint8Array,
    public position: number,
    private readonly end: number,
  ) {}

  bits(count: number): number {
    while (this.held < count) {
      if (this.position >= this.end) throw BAD_STREAM
      this.hold |= (this.bytes[this.position++] as number) << this.held
      this.held += 8
    }
    const value = this.hold & ((1 << count) - 1)
    this.hold >>>= count
    this.held -= count
    return value
  }

  symbol(code: Code): number {
    let value = 0
    let first = 0
    let index = 0
    for (let bits = 1; bits <= MAX_BITS; bits++) {
      value |= this.bits(1)
      const count = code.counts[bits] as number
      if (value - count < first) return code.symbols[index + (value - first)] as number
      index += count
      first = (first + count) << 1
      value <<= 1
    }
    throw BAD_STREAM
  }

  /** Drops the rest of the current byte. */
  align(): void {
    this.position -= this.held >> 3
    this.hold = 0
    this.held = 0
  }
}

function adler32(bytes: Uint8Array): number {
  let a = 1
  let b = 0
  for (let p = 0; p < bytes.length;) {
    // 3,800 sums stay within 32 bits before they must be reduced.
    for (const stop = Math.min(bytes.length, p + 3800); p < stop; p++) {
      a += bytes[p] as number
      b += a
    }
    a %= 65521
    b %= 65521
  }
  return ((b << 16) | a) >>> 0
}

function dynamicCodes(input: BitReader): { literals: Code; distances: Code } {
  const literalCount = input.bits(5) + 257
  const distanceCount = input.bits(5) + 1
  const lengthCount = input.bits(4) + 4
  if (literalCount > 286 || distanceCount > 30) throw BAD_STREAM
  const codeLengths = new Uint8Array(19)
  for (let i = 0; i < lengthCount; i++) codeLengths[CODE_LENGTH_ORDER[i] as number] = input.bits(3)
  const code = makeCode(codeLengths)
  if (code === undefined) throw BAD_STREAM
  const lengths = new Uint8Array(literalCount + distanceCount)
  for (let i = 0; i < lengths.length;) {
    const symbol = input.symbol(code)
    if (symbol < 16) {
      lengths[i++] = symbol
      continue
    }
    if (symbol === 16 && i === 0) throw BAD_STREAM
    const value = symbol === 16 ? (lengths[i - 1] as number) : 0
    const repeat = symbol === 16 ? 3 + input.bits(2) : symbol === 17 ? 3 + input.bits(3) : 11 + input.bits(7)
    if (i + repeat > lengths.length) throw BAD_STREAM
    lengths.fill(value, i, i + repeat)
    i += repeat
  }
  if (lengths[256] === 0) throw BAD_STREAM
  const literals = makeCode(lengths.subarray(0, literalCount))
  const distances = makeCode(lengths.subarray(literalCount))
  if (literals === undefined || distances === undefined) throw BAD_STREAM
  return { literals, distances }
}

function inflateBlocks(input: BitReader, bytes: Uint8Array, end: number, out: Uint8Array): void {
  let at = 0
  for (let last = false; !last;) {
    last = input.bits(1) === 1
    const type = input.bits(2)
    if (type === 0) {
      input.align()
      const p = input.position
      if (p + 4 > end) throw BAD_STREAM
      const length = (bytes[p] as number) | ((bytes[p + 1] as number) << 8)
      const check = (bytes[p + 2] as number) | ((bytes[p + 3] as number) << 8)
      if (length !== (check ^ 0xffff) || p + 4 + length > end || at + length > out.length) throw BAD_STREAM
      out.set(bytes.subarray(p + 4, p + 4 + length), at)
      at += length
      input.position = p + 4 + length
      continue
    }
    if (type === 3) throw BAD_STREAM
    const { literals, distances } = type === 1 ? fixedCodes() : dynamicCodes(input)
    for (;;) {
      const symbol = input.symbol(literals)
      if (symbol < 256) {
        if (at >= out.length) throw BAD_STREAM
        out[at++] = symbol
        continue
      }
      if (symbol === 256) break
      if (symbol > 285) throw BAD_STREAM
      const length = (LENGTH_BASE[symbol - 257] as number) + input.bits(LENGTH_EXTRA[symbol - 257] as number)
      const code = input.symbol(distances)
      const distance = (DISTANCE_BASE[code] as number) + input.bits(DISTANCE_EXTRA[code] as number)
      if (distance > at || at + length > out.length) throw BAD_STREAM
      for (const stop = at + length; at < stop; at++) out[at] = out[at - distance] as number
    }
  }
  if (at !== out.length) throw BAD_STREAM
}

/**
 * Inflates the zlib stream at `bytes[start, end)` to exactly `size` bytes.
 * @returns the bytes and how many bytes of input the stream took; undefined if it is no such stream.
 */
export function inflate(
  bytes: Uint8Array,
  start: number,
  end: number,
  size: number,
): { bytes: Uint8Array; used: number } | undefined {
  if (end - start < 6) return undefined
  const method = bytes[start] as number
  const flags = bytes[start + 1] as number
  // DEFLATE, window of at most 32 KiB, no preset dictionary, checked header.
  if ((method & 15) !== 8 || method >> 4 > 7 || (flags & 32) !== 0 || ((method << 8) | flags) % 31 !== 0)
    return undefined
  const out = new Uint8Array(size)
  const input = new BitReader(bytes, start + 2, end)
  try {
    inflateBlocks(input, bytes, end, out)
  } catch (error) {
    if (error === BAD_STREAM) return undefined
    throw error
  }
  input.align()
  const p = input.position
  if (p + 4 > end) return undefined
  const sum = new DataView(bytes.buffer, bytes.byteOffset).getUint32(p)
  return sum === adler32(out) ? { bytes: out, used: p + 4 - start } : undefined
}

class BitWriter {
  bytes = new Uint8Array(1024)
  position = 0
  private hold = 0
  private held = 0

  bits(value: number, count: number): void {
    this.hold |= value << this.held
    this.held += count
    while (this.held >= 8) this.byte()
  }

  private byte(): void {
    if (this.position === this.bytes.length) {
      const grown = new Uint8Array(this.bytes.length * 2)
      grown.set(this.bytes)
      this.bytes = grown
    }
    this.bytes[this.position++] = this.hold & 255
    this.hold >>>= 8
    this.held -= 8
  }

  flush(): void {
    if (this.held > 0) {
      this.held = 8
      this.byte()
    }
  }
}

function reversedCodes(lengths: Uint8Array): Uint16Array {
  const codes = new Uint16Array(288)
  for (let symbol = 0; symbol < 288; symbol++) {
    const code =
      symbol < 144
        ? 48 + symbol
        : symbol < 256
          ? 400 + symbol - 144
          : symbol < 280
            ? symbol - 256
            : 192 + symbol - 280
    codes[symbol] = reverse(code, lengths[symbol] as number)
  }
  return codes
}

function reverse(value: number, bits: number): number {
  let reversed = 0
  for (let i = 0; i < bits; i++) reversed |= ((value >> i) & 1) << (bits - 1 - i)
  return reversed
}

function lastAtMost(bases: Uint16Array, value: number): number {
  let i = bases.length - 1
  while ((bases[i] as number) > value) i--
  return i
}

/**
 * A zlib stream of `bytes`: one block of the fixed code with matches found through a hash of three bytes.
 * `level` 0 looks for no matches.
 */
export function deflate(bytes: Uint8Array, level: number): Uint8Array {
  const { lengths, reversed } = fixedCodes()
  const out = new BitWriter()
  out.bits(0x78, 8)
  out.bits(0x01, 8)
  out.bits(1, 1)
  out.bits(1, 2)
  const heads = new Int32Array(1 << 15).fill(-1)
  const n = bytes.length
  for (let p = 0; p < n;) {
    let length = 0
    let distance = 0
    if (level > 0 && p + 3 <= n) {
      const three = ((bytes[p] as number) << 16) | ((bytes[p + 1] as number) << 8) | (bytes[p + 2] as number)
      const hash = (Math.imul(three, 0x9e3779b1) >>> 17) & 0x7fff
      const candidate = heads[hash] as number
      heads[hash] = p
      if (candidate >= 0 && p - candidate <= 32768) {
        const most = Math.min(258, n - p)
        while (length < most && bytes[candidate + length] === bytes[p + length]) length++
        distance = p - candidate
      }
    }
    if (length < 3) {
      const symbol = bytes[p++] as number
      out.bits(reversed[symbol] as number, lengths[symbol] as number)
      continue
    }
    const lengthCode = lastAtMost(LENGTH_BASE, length)
    out.bits(reversed[257 + lengthCode] as number, lengths[257 + lengthCode] as number)
    out.bits(length - (LENGTH_BASE[lengthCode] as number), LENGTH_EXTRA[lengthCode] as number)
    const distanceCode = lastAtMost(DISTANCE_BASE, distance)
    out.bits(reverse(distanceCode, 5), 5)
    out.bits(distance - (DISTANCE_BASE[distanceCode] as number), DISTANCE_EXTRA[distanceCode] as number)
    p += length
  }
  out.bits(reversed[256] as number, 7)
  out.flush()
  const sum = adler32(bytes)
  for (const shift of [24, 16, 8, 0]) out.bits((sum >>> shift) & 255, 8)
  return out.bytes.slice(0, out.position)
}
