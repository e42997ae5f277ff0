/**
 * How OTP writes the leaves of a term: atoms, strings, floats, and which characters count as printable.
 *
 * Follows stdlib's `io_lib` (`write_atom/1`, `write_string/2`, `printable_list/1`), `io_lib_pretty` (`printable_bin`)
 * and `erlang:float_to_list(F, [short])` of OTP 27. Every function here is about characters only; the structure of
 * terms is in print.ts and pretty.ts.
 */
import { EtfError } from '../errors.js'
import { utf8Bytes } from './utf8.js'

/** Numbers that are joined at a time. */
const JOINED = 64 * 1024

/** Which characters a BEAM shows as text in `~p`: `erl`'s `+pc latin1` (its default) or `+pc unicode`. */
export type PrintableRange = 'latin1' | 'unicode'

/** Erlang's reserved words as of OTP 27 (`maybe` and `else` came with `maybe_expr`): atoms that need quotes. */
const RESERVED = new Set(
  (
    'after and andalso band begin bnot bor bsl bsr bxor case catch cond div else end fun if let maybe not of or ' +
    'orelse receive rem try when xor'
  ).split(' '),
)

// A letter of Latin-1 counts as a letter, one beyond it does not: `io_lib:quote_atom/2` predates Unicode atoms.
const UNQUOTED_ATOM = /^[a-zß-öø-ÿ][a-zA-Z0-9_@À-ÖØ-öø-ÿ]*$/

/** Whether an atom of this name is a reserved word of Erlang. */
export function isReservedWord(name: string): boolean {
  return RESERVED.has(name)
}

/** `io_lib:write_atom/1`, or with `latin1` `io_lib:write_atom_as_latin1/1`, which escapes what is beyond 255. */
export function writeAtom(name: string, latin1 = false): string {
  return UNQUOTED_ATOM.test(name) && !RESERVED.has(name) ? name : writeQuoted(name, "'", latin1)
}

// eslint-disable-next-line no-control-regex -- the control characters are what is looked for
const NEEDS_ESCAPE = /["'\\\u0000-\u001f\u007f-\u009f]/g
// eslint-disable-next-line no-control-regex -- as above
const NEEDS_ESCAPE_LATIN1 = /["'\\\u0000-\u001f\u007f-\u009f\u{100}-\u{10ffff}]/gu

const NAMED_ESCAPES = new Map([
  [0x08, '\\b'],
  [0x09, '\\t'],
  [0x0a, '\\n'],
  [0x0b, '\\v'],
  [0x0c, '\\f'],
  [0x0d, '\\r'],
  [0x1b, '\\e'],
  [0x7f, '\\d'],
])

/** `io_lib:write_string/2`: the text between quotes, with Erlang's escapes; `latin1` escapes what is beyond 255. */
export function writeQuoted(text: string, quote: '"' | "'", latin1 = false): string {
  // Not character by character: a string that grows so takes many times the memory of its text.
  const escaped = text.replace(latin1 ? NEEDS_ESCAPE_LATIN1 : NEEDS_ESCAPE, (char) => {
    if (char === '"' || char === "'") return char === quote ? `\\${char}` : char
    if (char === '\\') return '\\\\'
    const code = char.codePointAt(0) as number
    if (code > 0xff) return `\\x{${code.toString(16).toUpperCase()}}`
    return NAMED_ESCAPES.get(code) ?? `\\${code.toString(8).padStart(3, '0')}`
  })
  return quote + escaped + quote
}

/** Whether `io_lib:printable_latin1_list/1` or `printable_unicode_list/1` takes this code point. */
export function isPrintable(code: number, range: PrintableRange): boolean {
  if (code < 0x7f) return code >= 0x20 || (code >= 0x08 && code <= 0x0d) || code === 0x1b
  if (code < 0xa0) return false
  if (range === 'latin1') return code <= 0xff
  return code < 0xd800 || (code > 0xdfff && code < 0xfffe) || (code > 0xffff && code <= 0x10ffff)
}

/**
 * The text of a list that `~p` shows as a string, else undefined. The empty list is no string.
 * @param items elements of a proper list
 */
export function printableList(items: readonly unknown[], range: PrintableRange): string | undefined {
  if (items.length === 0) return undefined
  for (const item of items) {
    // A fractional number is a float; a bigint is beyond every character.
    if (typeof item !== 'number' || !Number.isInteger(item) || !isPrintable(item, range)) return undefined
  }
  return fromCodePoints(items as readonly number[])
}

/** The string with these code points, whatever their number. */
export function fromCodePoints(codes: ArrayLike<number>): string {
  let out = ''
  // In slices: `apply` puts its arguments on the stack.
  for (let i = 0; i < codes.length; i += 4096) {
    const slice = Array.prototype.slice.call(codes, i, i + 4096) as number[]
    out += String.fromCodePoint(...slice)
  }
  return out
}

/** Each byte as the character of that number, as `binary_to_list/1` reads it. */
export function fromLatin1(bytes: Uint8Array): string {
  return fromCodePoints(bytes)
}

/**
 * How far a binary is text, as a BEAM's `<<_/utf8>>` sees it (no surrogates, no overlong forms, at most 16#10FFFF). Reads
 * at most `maxCharacters`; what follows them is not looked at. Nothing is made: a binary may be as large as memory.
 * @returns how many characters it begins with that are printable, and in how many bytes; undefined when what was read is
 *   not UTF-8
 */
export function printableUtf8(
  bytes: Uint8Array,
  maxCharacters: number,
  printable: (code: number) => boolean,
): { characters: number; bytes: number } | undefined {
  let at = 0
  let printableBytes = -1
  let characters = 0
  for (let read = 0; at < bytes.length && read < maxCharacters; read++) {
    const first = bytes[at] as number
    let code = first
    let more = 0
    if (first >= 0x80) {
      more =
        first >= 0xc2 && first <= 0xdf
          ? 1
          : first >= 0xe0 && first <= 0xef
            ? 2
            : first >= 0xf0 && first <= 0xf4
              ? 3
              : 0
      if (more === 0 || at + more >= bytes.length) return undefined
      code = first & (0x3f >> more)
      for (let i = 1; i <= more; i++) {
        const next = bytes[at + i] as number
        if ((next & 0xc0) !== 0x80) return undefined
        code = (code << 6) | (next & 0x3f)
      }
      if (
        (more === 2 && (code < 0x800 || (code >= 0xd800 && code <= 0xdfff))) ||
        (more === 3 && (code < 0x10000 || code > 0x10ffff))
      ) {
        return undefined
      }
    }
    if (printableBytes < 0) {
      if (printable(code)) characters++
      else printableBytes = at
    }
    at += more + 1
  }
  return { characters, bytes: printableBytes < 0 ? at : printableBytes }
}

/** Numbers between separators, as text. Made in pieces: V8 ends the process where an array gets too long. */
export function joinNumbers(bytes: Uint8Array, separator: string): string {
  let out = ''
  for (let i = 0; i < bytes.length; i += JOINED) {
    if (i > 0) out += separator
    out += bytes.subarray(i, i + JOINED).join(separator)
  }
  return out
}

/** The UTF-8 bytes of a text; a lone surrogate becomes U+FFFD, as TextEncoder does. */
export function textBytes(text: string): Uint8Array {
  return utf8Bytes(text) ?? (utf8Bytes(text.replace(/\p{Surrogate}/gu, '\ufffd')) as Uint8Array)
}

/** The significant decimal digits of a float and where its point stands: `0.d1d2d3… × 10^place`. */
export function shortestDigits(value: number): { digits: string; place: number } {
  // toExponential() without an argument gives as many digits as are needed to read the same float back.
  const [mantissa, exponent] = Math.abs(value).toExponential().split('e') as [string, string]
  return { digits: mantissa.replace('.', ''), place: Number(exponent) + 1 }
}

/**
 * `float_to_list(F, [short])`: the shortest digits that read back as the same float, in decimal or scientific
 * notation, whichever is shorter (decimal if equal); from 2^53 on always scientific, since zeros there would feign
 * precision.
 */
export function writeFloat(value: number): string {
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  if (value === 0) return `${sign}0.0`
  const { digits, place } = shortestDigits(value)
  const scientific = `${digits[0]}.${digits.slice(1) || '0'}e${place - 1}`
  if (Math.abs(value) >= 2 ** 53) return sign + scientific
  let decimal: string
  if (place <= 0) decimal = `0.${'0'.repeat(Math.min(-place, 32))}${digits}`
  else if (place >= digits.length) decimal = `${digits.padEnd(place, '0')}.0`
  else return `${sign}${digits.slice(0, place)}.${digits.slice(place)}`
  return sign + (decimal.length <= scientific.length ? decimal : scientific)
}

/** An integer beyond this is looked at before it is made decimal, which takes longer than linear time. */
const SHORT_INTEGER = 1n << 4096n

/** Hexadecimal digits of the largest integer that a BEAM has since OTP 26. In decimal it takes a third of a second. */
const MAX_DECIMAL_DIGITS16 = (4 * 1024 * 1024) / 4

/**
 * An integer in digits of `base`.
 * @param room characters after which it may end anywhere; then it is in hexadecimal digits
 * @throws EtfError `ETF_FORMAT_LIMIT` for one that no BEAM since OTP 26 has
 */
export function writeBigint(value: bigint, room = Infinity, base = 10): string {
  if ((value < SHORT_INTEGER && value > -SHORT_INTEGER) || Number.isInteger(Math.log2(base)))
    return value.toString(base)
  const digits = value.toString(16).replace('-', '')
  if (digits.length > room) return `${value < 0n ? '-' : ''}16#${digits.slice(0, room + 1).toUpperCase()}`
  if (digits.length <= MAX_DECIMAL_DIGITS16) return value.toString(base)
  throw new EtfError(
    'ETF_FORMAT_LIMIT',
    `an integer of ${digits.length} hexadecimal digits is too long to be written in others`,
  )
}

/**
 * An atom as the emulator itself prints it inside a fun (`fun_to_list/1`). Its rules are older than `io_lib`'s: no
 * reserved words, `@` needs quotes, and UTF-8 bytes appear as so many Latin-1 characters (all releases up to 29).
 */
export function writeEmulatorAtom(name: string): string {
  const bytes = fromLatin1(textBytes(name))
  if (/^[a-zß-öø-ÿ][a-zA-Z0-9_ß-öø-ÿÀ-ÖØ-Þ]*$/.test(name)) return bytes
  let out = "'"
  for (const char of name) {
    const code = char.codePointAt(0) as number
    if (char === "'" || char === '\\') out += `\\${char}`
    else if (code >= 0x08 && code <= 0x0d) out += NAMED_ESCAPES.get(code) as string
    else if (code < 0x20 || (code >= 0x80 && code < 0xa0)) out += `\\${code.toString(8).padStart(3, '0')}`
    else out += fromLatin1(textBytes(char))
  }
  return `${out}'`
}
