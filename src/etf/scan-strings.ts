/**
 * Strings in Erlang text, as `erl_scan` of OTP 27 reads them: between quotes with escapes, verbatim between the
 * delimiters of a sigil, and triple-quoted:
 *
 *     """           the line of the opening quotes holds nothing else
 *       text        each line loses the indentation of the closing quotes
 *       """         the newline before them is not part of the string
 */
import { EtfParseError, type Position } from './parse-error.js'

interface Scanned<T> {
  value: T
  /** Offset after what was read. */
  end: number
}

const ESCAPES = new Map([
  ['n', 0x0a],
  ['r', 0x0d],
  ['t', 0x09],
  ['v', 0x0b],
  ['b', 0x08],
  ['f', 0x0c],
  ['e', 0x1b],
  ['s', 0x20],
  ['d', 0x7f],
])

/** Code points that Erlang text may hold or name: no surrogates, not 16#FFFE and 16#FFFF. */
function isUnicode(code: number): boolean {
  return (
    (code >= 0 && code < 0xd800) || (code > 0xdfff && code < 0xfffe) || (code > 0xffff && code <= 0x10ffff)
  )
}

/** Position of `offset`, given that of an earlier place. Only errors need it. */
export function positionAt(text: string, offset: number, from: Position): Position {
  let { line, column } = from
  for (let i = from.offset; i < offset; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x0a) {
      line++
      column = 1
    } else if (code < 0xdc00 || code > 0xdfff) column++
  }
  return { line, column, offset }
}

/**
 * The character that the escape at `offset` (a backslash) stands for.
 * @param at a position at or before the escape, for errors
 */
export function unescape(text: string, offset: number, at: Position): Scanned<number> {
  const fail = (what: string): never => {
    throw new EtfParseError(what, positionAt(text, offset, at))
  }
  const next = offset + 1
  const octal = /[0-7]{1,3}/y
  octal.lastIndex = next
  const digits = octal.exec(text)?.[0]
  if (digits !== undefined) return { value: parseInt(digits, 8), end: next + digits.length }
  const char = text.charAt(next)
  if (char === '') return fail('unterminated escape')
  if (char === 'x') {
    const hex = /x(?:\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{2}))/y
    hex.lastIndex = next
    const found = hex.exec(text)
    const value = found === null ? NaN : parseInt(found[1] ?? (found[2] as string), 16)
    return found !== null && isUnicode(value) ? { value, end: hex.lastIndex } : fail('illegal escape \\x')
  }
  if (char === '^') {
    const control = text.charCodeAt(next + 1)
    if (control === 0x3f) return { value: 0x7f, end: next + 2 }
    const legal = (control >= 0x40 && control <= 0x5f) || (control >= 0x61 && control <= 0x7a)
    return legal ? { value: control & 31, end: next + 2 } : fail('illegal escape \\^')
  }
  const code = text.codePointAt(next) as number
  if (!isUnicode(code)) return fail('illegal character')
  return { value: ESCAPES.get(char) ?? code, end: next + (code > 0xffff ? 2 : 1) }
}

/**
 * The text up to `quote`, escapes replaced.
 * @param offset of the first character after the opening quote
 * @param at where the string begins
 */
export function scanQuoted(
  text: string,
  offset: number,
  quote: string,
  at: Position,
  what: string,
): Scanned<string> {
  let value = ''
  let from = offset
  for (let i = offset; i < text.length; i++) {
    const char = text[i] as string
    if (char === quote) return { value: value + text.slice(from, i), end: i + 1 }
    if (char === '\\') {
      value += text.slice(from, i)
      const escaped = unescape(text, i, at)
      value += String.fromCodePoint(escaped.value)
      from = escaped.end
      i = escaped.end - 1
    } else if (char >= '\ud800') i += checkCharacter(text, i, at)
  }
  throw new EtfParseError(`unterminated ${what}`, at)
}

/** The text up to `quote` as it is. */
export function scanVerbatim(text: string, offset: number, quote: string, at: Position): Scanned<string> {
  const end = text.indexOf(quote, offset)
  if (end < 0) throw new EtfParseError('unterminated sigil', at)
  for (let i = offset; i < end; i++) if ((text[i] as string) >= '\ud800') i += checkCharacter(text, i, at)
  return { value: text.slice(offset, end), end: end + 1 }
}

/** Refuses what is no character; the number of further code units that it takes. */
function checkCharacter(text: string, offset: number, at: Position): number {
  const code = text.codePointAt(offset) as number
  if (!isUnicode(code)) throw new EtfParseError('illegal character', positionAt(text, offset, at))
  return code > 0xffff ? 1 : 0
}

/**
 * A string between three or more quotes.
 * @param offset of the first quote
 * @param verbatim backslashes stand for themselves
 */
export function scanTripleQuoted(
  text: string,
  offset: number,
  at: Position,
  verbatim: boolean,
): Scanned<string> {
  let quotes = 3
  while (text[offset + quotes] === '"') quotes++
  const closing = '"'.repeat(quotes)
  const lines: { value: string; offset: number }[] = []
  let line = ''
  let lineOffset = offset + quotes
  let blank = false
  let i = lineOffset
  for (;;) {
    const char = text.charAt(i)
    if (char === '') throw new EtfParseError('unterminated triple-quoted string', at)
    if (char === '\n') {
      lines.push({ value: line, offset: lineOffset })
      line = ''
      lineOffset = ++i
      blank = true
    } else if (blank && text.startsWith(closing, i)) break
    else if (char === '\\' && !verbatim) {
      const escaped = unescape(text, i, at)
      // An escaped newline ends the line as a bare one does; every other escape is content.
      if (text[i + 1] === '\n') {
        lines.push({ value: line, offset: lineOffset })
        line = ''
        lineOffset = escaped.end
        blank = true
      } else {
        line += String.fromCodePoint(escaped.value)
        blank = false
      }
      i = escaped.end
    } else {
      const more = char >= '\ud800' ? checkCharacter(text, i, at) : 0
      if (!isWhite(char)) blank = false
      line += text.slice(i, i + 1 + more)
      i += 1 + more
    }
  }
  return { value: unindent(text, lines, line, at), end: i + quotes }
}

function isWhite(char: string): boolean {
  return char <= ' ' || (char >= '\u0080' && char <= '\u00a0')
}

function unindent(
  text: string,
  lines: readonly { value: string; offset: number }[],
  indent: string,
  at: Position,
): string {
  const [first, ...content] = lines as [{ value: string; offset: number }, ...typeof lines]
  for (let i = 0; i < first.value.length; i++) {
    if (!isWhite(first.value[i] as string)) {
      const place = positionAt(text, first.offset + i, at)
      throw new EtfParseError(
        'only white space may follow the opening quotes of a triple-quoted string',
        place,
      )
    }
  }
  const stripped = content.map(({ value, offset }) => {
    if (value === '' || value === '\r') return value
    let same = 0
    while (same < indent.length && value[same] === indent[same]) same++
    if (same < indent.length) {
      throw new EtfParseError(
        'a line of a triple-quoted string lacks its indentation',
        positionAt(text, offset + same, at),
      )
    }
    return value.slice(indent.length)
  })
  const last = stripped.length - 1
  // The newline before the closing quotes goes, and with it a carriage return that is part of it.
  if (last >= 0 && content[last]?.value.endsWith('\r'))
    stripped[last] = (stripped[last] as string).slice(0, -1)
  return stripped.join('\n')
}
