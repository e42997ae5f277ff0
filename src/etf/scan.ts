/**
 * The tokens of Erlang text, as `erl_scan` of OTP 27 sees them: numbers in all their forms, characters, strings with
 * escapes, triple-quoted strings, sigils, quoted atoms, comments. Beyond `erl_scan` it also takes pids, ports and
 * references as shells print them (`<0.85.0>`, `#Port<0.6>`, `#Ref<0.1.2.3>`) as single tokens.
 */
import { EtfParseError, type Position } from './parse-error.js'
import { isReservedWord } from './text-chars.js'
import { scanQuoted, scanTripleQuoted, scanVerbatim, unescape } from './scan-strings.js'

export type Token = Position &
  (
    | { readonly kind: 'atom' | 'word' | 'variable'; readonly text: string }
    | { readonly kind: 'integer'; readonly value: number | bigint }
    | { readonly kind: 'float'; readonly value: number }
    | { readonly kind: 'char'; readonly value: number }
    | { readonly kind: 'string'; readonly text: string }
    /** A sigil: a UTF-8 binary, or a string, which unlike a literal does not join with its neighbours. */
    | { readonly kind: 'sigil'; readonly text: string; readonly binary: boolean }
    | { readonly kind: 'pid' | 'port' | 'reference'; readonly numbers: readonly bigint[] }
    | { readonly kind: 'punctuation'; readonly text: string }
    | { readonly kind: 'dot' }
    | { readonly kind: 'end' }
  )

const BRACKETS = '[]{}(),;'
const NAME = /[a-zA-Z0-9_@À-ÖØ-öø-ÿ]+/y
const NAME_CHARACTER = /[a-zA-Z0-9_@À-ÖØ-öø-ÿ]/
const PUNCTUATION =
  /<<|>>|=>|:=|\+\+|--|->|<-|=:=|=\/=|==|\/=|=<|>=|<=|\|\||\.\.\.|\.\.|::|\?=|[[\]{}(),|#:/+\-*<>=!;?\\^`&.@]/y
// Base and fraction are looked at apart: `1.` ends a term, `1.5` is a float, `1#` is an error.
const DECIMAL = /[0-9]+(?:_[0-9]+)*/y
const FRACTION = /\.[0-9]+(?:_[0-9]+)*/y
const EXPONENT = /[eE][+-]?(?:[0-9]+(?:_[0-9]+)*)?/y
const BASED = /[0-9a-zA-Z]+(?:_[0-9a-zA-Z]+)*/y
const PID = /<([0-9]+)\.([0-9]+)\.([0-9]+)>/y
const PORT = /#Port<([0-9]+)\.([0-9]+)>/y
const REFERENCE = /#Ref<([0-9]+(?:\.[0-9]+)+)>/y

const CLOSING = new Map([
  ['(', ')'],
  ['[', ']'],
  ['{', '}'],
  ['<', '>'],
  ...['/', '|', '#', '`', "'", '"'].map((quote) => [quote, quote] as const),
])

/** Reads one token after another; all positions are of the whole text. */
export class Scanner {
  readonly text: string
  #offset = 0
  #line = 1
  /** Offset at which the current line begins, moved on by one for each pair of surrogates seen in it. */
  #lineStart = 0

  constructor(text: string) {
    this.text = text
  }

  get position(): Position {
    return { line: this.#line, column: this.#offset - this.#lineStart + 1, offset: this.#offset }
  }

  /** The next token; kind `end` at the end of the text. @throws EtfParseError */
  next(): Token {
    this.#skip()
    const at = this.position
    const { text } = this
    const char = text[this.#offset]
    if (char === undefined) return { ...at, kind: 'end' }
    // What opens, closes and separates is most of a text, and never the start of a longer sign.
    if (BRACKETS.includes(char)) {
      this.#offset++
      return { line: at.line, column: at.column, offset: at.offset, kind: 'punctuation', text: char }
    }
    if (char >= '0' && char <= '9') return this.#number(at)
    if ((char >= 'a' && char <= 'z') || (char >= 'ß' && char <= 'ÿ' && char !== '÷')) {
      const name = this.#name()
      const { line, column, offset } = at
      return { line, column, offset, kind: isReservedWord(name) ? 'word' : 'atom', text: name }
    }
    if (/[A-ZÀ-ÖØ-Þ_]/.test(char)) return { ...at, kind: 'variable', text: this.#name() }
    if (char === '"') return { ...at, kind: 'string', text: this.#string(at) }
    if (char === "'") {
      const name = this.#take(scanQuoted(text, this.#offset + 1, "'", at, 'atom'))
      return { ...at, kind: 'atom', text: name }
    }
    if (char === '$') return { ...at, kind: 'char', value: this.#character(at) }
    if (char === '~') return this.#sigil(at)
    if (char === '<' || char === '#') {
      const identity = this.#identity(at)
      if (identity !== undefined) return identity
    }
    if (char === '.' && /^(?:[\0- %\u0080-\u00a0]|$)/.test(text.slice(this.#offset + 1, this.#offset + 2))) {
      this.#offset++
      return { ...at, kind: 'dot' }
    }
    const punctuation = this.#match(PUNCTUATION)
    if (punctuation === undefined) {
      throw new EtfParseError(
        `illegal character ${JSON.stringify(String.fromCodePoint(text.codePointAt(at.offset) as number))}`,
        at,
      )
    }
    return { ...at, kind: 'punctuation', text: punctuation }
  }

  /** Moves over white space (as Erlang counts it: control characters included) and comments. */
  #skip(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.#offset)
      if (code === 0x0a) this.#advance(this.#offset + 1)
      else if (code <= 0x20 || (code >= 0x80 && code <= 0xa0)) this.#offset++
      else if (code === 0x25) {
        const newline = this.text.indexOf('\n', this.#offset)
        this.#advance(newline < 0 ? this.text.length : newline)
      } else return
    }
  }

  /** Moves to `offset`, counting lines and columns on the way. */
  #advance(offset: number): void {
    for (let i = this.#offset; i < offset; i++) {
      const code = this.text.charCodeAt(i)
      if (code === 0x0a) {
        this.#line++
        this.#lineStart = i + 1
      } else if (code >= 0xdc00 && code <= 0xdfff) this.#lineStart++
    }
    this.#offset = offset
  }

  #take<T>(scanned: { value: T; end: number }): T {
    this.#advance(scanned.end)
    return scanned.value
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#offset
    const found = pattern.exec(this.text)
    if (found === null) return undefined
    this.#offset = pattern.lastIndex
    return found[0]
  }

  #name(): string {
    return this.#match(NAME) as string
  }

  #number(at: Position): Token {
    const whole = this.#match(DECIMAL) as string
    if (this.text[this.#offset] === '#') {
      const base = toInteger(whole)
      if (base < 2 || base > 36) throw new EtfParseError(`illegal base ${base}: it is 2 to 36`, at)
      this.#offset++
      return { ...at, kind: 'integer', value: this.#basedInteger(Number(base), at) }
    }
    const fraction = this.#match(FRACTION)
    if (fraction === undefined) {
      const { line, column, offset } = at
      return { line, column, offset, kind: 'integer', value: toInteger(whole) }
    }
    const literal = whole + fraction + (this.#match(EXPONENT) ?? '')
    const value = /[0-9]$/.test(literal) ? Number(literal.replaceAll('_', '')) : NaN
    if (!Number.isFinite(value)) throw new EtfParseError(`illegal float ${literal}`, at)
    return { ...at, kind: 'float', value }
  }

  #basedInteger(base: number, at: Position): number | bigint {
    // The digits end where one is none of the base: 2#12 is 2#1 and then 2, an error that the parser reports.
    BASED.lastIndex = this.#offset
    const run = BASED.exec(this.text)?.[0] ?? ''
    let length = 0
    while (length < run.length) {
      const digit = run[length] === '_' ? digitOf(run[length + 1] as string) : digitOf(run[length] as string)
      if (digit >= base) break
      length += 1
    }
    const digits = run.slice(0, length).replaceAll('_', '')
    if (digits === '') throw new EtfParseError(`illegal integer: no digits of base ${base}`, at)
    this.#offset += length
    return toInteger(digits, base)
  }

  #character(at: Position): number {
    const { text } = this
    const start = this.#offset + 1
    if (start >= text.length) throw new EtfParseError('unterminated character', at)
    if (text[start] === '\\') return this.#take(unescape(text, start, at))
    const code = text.codePointAt(start) as number
    this.#advance(start + (code > 0xffff ? 2 : 1))
    return code
  }

  #string(at: Position): string {
    const { text } = this
    if (text.startsWith('"""', this.#offset)) {
      const value = this.#take(scanTripleQuoted(text, this.#offset, at, true))
      this.#refuseAdjoining()
      return value
    }
    const value = this.#take(scanQuoted(text, this.#offset + 1, '"', at, 'string'))
    this.#refuseAdjoining()
    return value
  }

  /** OTP 27 wants white space between adjacent strings, so that `"""` cannot mean two things. */
  #refuseAdjoining(): void {
    if (this.text[this.#offset] === '"') {
      throw new EtfParseError('adjacent string literals without intervening white space', this.position)
    }
  }

  #sigil(at: Position): Token {
    const { text } = this
    let end = this.#offset + 1
    while (NAME_CHARACTER.test(text.charAt(end))) end++
    const type = text.slice(this.#offset + 1, end)
    if (!['', 'b', 'B', 's', 'S'].includes(type)) throw new EtfParseError(`unknown sigil ~${type}`, at)
    this.#offset = end
    const verbatim = type === 'B' || type === 'S'
    const quote = text.charAt(end)
    let value: string
    if (text.startsWith('"""', end))
      value = this.#take(scanTripleQuoted(text, end, at, type !== 'b' && type !== 's'))
    else {
      const closing = CLOSING.get(quote)
      if (closing === undefined)
        throw new EtfParseError('illegal string: a sigil needs a delimiter', this.position)
      value = this.#take(
        verbatim ? scanVerbatim(text, end + 1, closing, at) : scanQuoted(text, end + 1, closing, at, 'sigil'),
      )
    }
    if (NAME_CHARACTER.test(text.charAt(this.#offset)))
      throw new EtfParseError('a sigil takes no suffix', this.position)
    this.#refuseAdjoining()
    return { ...at, kind: 'sigil', text: value, binary: type !== 's' && type !== 'S' }
  }

  #identity(at: Position): Token | undefined {
    for (const [kind, pattern] of [
      ['pid', PID],
      ['port', PORT],
      ['reference', REFERENCE],
    ] as const) {
      const found = this.#match(pattern)
      if (found !== undefined) return { ...at, kind, numbers: (found.match(/[0-9]+/g) ?? []).map(BigInt) }
    }
    return undefined
  }
}

function digitOf(char: string): number {
  return parseInt(char, 36)
}

/** The integer that these digits are, as a number where it is safe. */
function toInteger(digits: string, base = 10): number | bigint {
  const plain = digits.includes('_') ? digits.replaceAll('_', '') : digits
  const small = parseInt(plain, base)
  if (Number.isSafeInteger(small)) return small
  if (base === 10) return BigInt(plain)
  if (base === 16) return BigInt(`0x${plain}`)
  return fromBase(plain, BigInt(base))
}

/** In halves, so that time stays near that of the multiplications. */
function fromBase(digits: string, base: bigint): bigint {
  if (digits.length <= 10) return BigInt(parseInt(digits, Number(base)))
  const low = digits.length >> 1
  const high = digits.length - low
  return fromBase(digits.slice(0, high), base) * base ** BigInt(low) + fromBase(digits.slice(high), base)
}
