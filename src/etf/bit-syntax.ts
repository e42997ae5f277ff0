/**
 * Segments of a bit syntax expression: `<<Value:Size/Type-Specifiers, …>>`.
 *
 * Follows the reference manual's "Bit Syntax Expressions" and stdlib's `erl_bits` and `eval_bits`: types integer,
 * float, binary, bitstring, utf8, utf16, utf32; signedness has no effect when building; `native` is little-endian, as
 * it is on the machines that BEAMs run on.
 */
import { textBytes } from './text-chars.js'
import { BitString } from './values.js'

export type SegmentType = 'integer' | 'float' | 'binary' | 'utf8' | 'utf16' | 'utf32'

/** What stands behind a segment's value. */
export interface SegmentSpec {
  type: SegmentType
  /** Number of units; undefined for the default, which for binaries is all of it. */
  size: number | undefined
  unit: number
  little: boolean
}

const TYPES = new Map<string, { type: SegmentType; unit?: number }>([
  ['integer', { type: 'integer' }],
  ['float', { type: 'float' }],
  ['binary', { type: 'binary' }],
  ['bytes', { type: 'binary', unit: 8 }],
  ['bitstring', { type: 'binary', unit: 1 }],
  ['bits', { type: 'binary', unit: 1 }],
  ['utf8', { type: 'utf8' }],
  ['utf16', { type: 'utf16' }],
  ['utf32', { type: 'utf32' }],
])

/** A reason why a segment is not legal, to be thrown with the segment's place. */
export interface Refusal {
  refused: string
  /** It is a limit that refuses, not the notation. */
  limit?: true
}

/**
 * The segment that a size and a list of specifiers make, with the defaults that the reference manual gives.
 * @param specifiers atoms with, for `unit`, a number
 */
export function segmentSpec(
  size: number | undefined,
  specifiers: readonly (readonly [string, number?])[],
): SegmentSpec | Refusal {
  const given: { type?: SegmentType; unit?: number; endian?: string; sign?: string } = {}
  const set = <K extends keyof typeof given>(key: K, value: (typeof given)[K]): boolean => {
    if (given[key] !== undefined && given[key] !== value) return false
    given[key] = value
    return true
  }
  for (const [name, value] of specifiers) {
    const type = TYPES.get(name)
    let agrees: boolean
    if (name === 'unit' && value !== undefined) {
      if (value < 1 || value > 256) return { refused: `a unit is 1 to 256, not ${value}` }
      agrees = set('unit', value)
    } else if (value !== undefined) return { refused: `the bit type ${name} takes no number` }
    else if (type !== undefined)
      agrees = set('type', type.type) && (type.unit === undefined || set('unit', type.unit))
    else if (name === 'big' || name === 'little' || name === 'native') agrees = set('endian', name)
    else if (name === 'signed' || name === 'unsigned') agrees = set('sign', name)
    else return { refused: `unknown bit type ${name}` }
    if (!agrees) return { refused: `the bit type ${name} contradicts an earlier one` }
  }
  const type = given.type ?? 'integer'
  const utf = type.startsWith('utf')
  if (utf && (size !== undefined || given.unit !== undefined))
    return { refused: `${type} takes neither size nor unit` }
  if ((type === 'integer' || type === 'float') && size === undefined && given.unit !== undefined) {
    return { refused: 'a unit needs a size' }
  }
  const little = given.endian === 'little' || given.endian === 'native'
  return {
    type,
    size: size ?? (type === 'integer' ? 8 : type === 'float' ? 64 : undefined),
    unit: given.unit ?? (type === 'binary' ? 8 : 1),
    little,
  }
}

/** Collects bits; the result is a binary, or a bitstring where the bits do not fill the last byte. */
export class BitBuilder {
  #bytes = new Uint8Array(32)
  #bits = 0
  readonly #maxBytes: number

  /** @param maxBytes past this many bytes {@link segment} refuses */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Appends one value. Strings are given as their code points, each a value of its own. */
  segment(value: unknown, spec: SegmentSpec): Refusal | undefined {
    const bits = spec.size === undefined ? 0 : spec.size * spec.unit
    if (spec.size !== undefined && spec.size < 0) return { refused: 'a size is not negative' }
    if ((this.#bits + bits) / 8 > this.#maxBytes) return this.#tooLarge()
    switch (spec.type) {
      case 'integer':
        if (!isInteger(value)) return { refused: 'the value of an integer segment is an integer' }
        this.#integer(value, bits, spec.little)
        return undefined
      case 'float':
        return this.#float(value, bits, spec.little)
      case 'binary':
        return this.#binary(value, spec)
      case 'utf8':
      case 'utf16':
      case 'utf32':
        if (typeof value !== 'number' || !isScalar(value))
          return { refused: `the value of a ${spec.type} segment is a character` }
        this.#character(value, spec)
        return undefined
    }
  }

  /** Appends bytes as they are. */
  bytes(bytes: Uint8Array): void {
    for (const byte of bytes) this.#put(byte, 8)
  }

  finish(): Uint8Array | BitString {
    const bytes = this.#bytes.slice(0, Math.ceil(this.#bits / 8))
    return this.#bits % 8 === 0 ? bytes : new BitString(bytes, this.#bits % 8)
  }

  /** Appends the low `count` (0 to 8) bits of `byte`. */
  #put(byte: number, count: number): void {
    const at = this.#bits >> 3
    const used = this.#bits & 7
    if (at + 2 > this.#bytes.length) {
      const grown = new Uint8Array(this.#bytes.length * 2)
      grown.set(this.#bytes)
      this.#bytes = grown
    }
    const aligned = ((byte & ((1 << count) - 1)) << (16 - count)) >> used
    this.#bytes[at] = (this.#bytes[at] as number) | (aligned >> 8)
    this.#bytes[at + 1] = aligned & 0xff
    this.#bits += count
  }

  #tooLarge(): Refusal {
    return { refused: `a binary in text has at most ${this.#maxBytes} bytes`, limit: true }
  }

  #integer(value: number | bigint, bits: number, little: boolean): void {
    // Two's complement, in bytes of which the most significant one may be partial.
    const whole = bits >> 3
    const rest = bits & 7
    const bytes = new Uint8Array(whole + (rest > 0 ? 1 : 0))
    if (typeof value === 'number' && bits <= 32) {
      for (let i = 0; i < bytes.length; i++) bytes[i] = i < 4 ? Math.floor(value / 2 ** (8 * i)) & 0xff : 0
    } else writeBigint(bytes, BigInt(value))
    if (little) {
      for (let i = 0; i < whole; i++) this.#put(bytes[i] as number, 8)
      if (rest > 0) this.#put(bytes[whole] as number, rest)
    } else {
      if (rest > 0) this.#put(bytes[whole] as number, rest)
      for (let i = whole - 1; i >= 0; i--) this.#put(bytes[i] as number, 8)
    }
  }

  #float(value: unknown, bits: number, little: boolean): Refusal | undefined {
    const number = typeof value === 'number' || typeof value === 'bigint' ? Number(value) : floatValue(value)
    if (number === undefined || !Number.isFinite(number))
      return { refused: 'the value of a float segment is a number' }
    const view = new DataView(new ArrayBuffer(8))
    if (bits === 64) view.setFloat64(0, number, little)
    else if (bits === 32) view.setFloat32(0, number, little)
    else if (bits === 16) view.setUint16(0, toHalf(number), little)
    else return { refused: `a float segment has 16, 32 or 64 bits, not ${bits}` }
    this.bytes(new Uint8Array(view.buffer, 0, bits / 8))
    return undefined
  }

  #binary(value: unknown, spec: SegmentSpec): Refusal | undefined {
    const bytes = value instanceof Uint8Array ? value : value instanceof BitString ? value.bytes : undefined
    if (bytes === undefined) return { refused: 'the value of a binary segment is a binary' }
    const available = value instanceof BitString ? (bytes.length - 1) * 8 + value.bits : bytes.length * 8
    const wanted = spec.size === undefined ? available : spec.size * spec.unit
    if (wanted > available || wanted % spec.unit !== 0)
      return { refused: 'the binary is too short for its segment' }
    if ((this.#bits + wanted) / 8 > this.#maxBytes) return this.#tooLarge()
    for (let left = wanted, i = 0; left > 0; left -= 8, i++) {
      const byte = bytes[i] as number
      this.#put(left >= 8 ? byte : byte >> (8 - left), Math.min(left, 8))
    }
    return undefined
  }

  #character(code: number, spec: SegmentSpec): void {
    if (spec.type === 'utf8') this.bytes(textBytes(String.fromCodePoint(code)))
    else if (spec.type === 'utf32') this.#integer(code, 32, spec.little)
    else {
      const text = String.fromCodePoint(code)
      for (let i = 0; i < text.length; i++) this.#integer(text.charCodeAt(i), 16, spec.little)
    }
  }
}

function isInteger(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))
}

function isScalar(code: number): boolean {
  return Number.isInteger(code) && code >= 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
}

function floatValue(value: unknown): number | undefined {
  const inner: unknown = value instanceof Object && 'value' in value ? value.value : undefined
  return typeof inner === 'number' ? inner : undefined
}

/** The low bytes of a bigint in two's complement, least significant first. */
function writeBigint(bytes: Uint8Array, value: bigint): void {
  const digits = BigInt.asUintN(bytes.length * 8, value)
    .toString(16)
    .padStart(bytes.length * 2, '0')
  for (let i = 0; i < bytes.length; i++) {
    const at = digits.length - 2 * (i + 1)
    bytes[i] = parseInt(digits.slice(at, at + 2), 16)
  }
}

/** IEEE 754 half precision, rounded to even; infinity past its range, as OTP 27 has it for 16 and 32 bits alike. */
function toHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const magnitude = Math.abs(value)
  if (magnitude === 0) return sign
  let exponent = Math.min(Math.max(Math.floor(Math.log2(magnitude)), -14), 16)
  // The logarithm is rounded: just below a power of two it may name that power.
  if (exponent > -14 && 2 ** exponent > magnitude) exponent--
  const scaled = magnitude / 2 ** (exponent - 10)
  let mantissa = Math.floor(scaled)
  const rest = scaled - mantissa
  if (rest > 0.5 || (rest === 0.5 && (mantissa & 1) === 1)) mantissa++
  // Subnormal numbers have no leading one; a carry out of the mantissa moves the exponent by itself.
  const bits = mantissa < 0x400 ? mantissa : mantissa + ((exponent + 14) << 10)
  return sign | Math.min(bits, 0x7c00)
}
