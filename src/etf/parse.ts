/**
 * The term that a text stands for: what `erl_parse:parse_term/1` of OTP 27 reads, that is every constant term in
 * Erlang's notation, and beyond it the pids, ports and references that shells print, given whose they are.
 *
 * A machine with its own stack, one frame for each open bracket, so that nesting is bounded by memory alone and time
 * grows with the length of the text.
 */
import { ArgumentError } from '../errors.js'
import { DEFAULT_LIMITS, type Limits } from '../limits.js'
import { BitBuilder, segmentSpec, type Refusal, type SegmentSpec } from './bit-syntax.js'
import { atom, internAtom, type Atom } from './atom.js'
import { ExportFun, Pid, Port, Reference } from './identifiers.js'
import { keyOf, type TermKey } from './keys.js'
import { ErlMap } from './map.js'
import { EtfParseError, type Position } from './parse-error.js'
import { Scanner, type Token } from './scan.js'
import type { Term } from './terms.js'
import { textBytes } from './text-chars.js'
import { Tuple } from './tuple.js'
import { ErlFloat, ImproperList } from './values.js'

export interface ParseOptions {
  /** The node whose pids, ports and references the text may hold (`<0.85.0>`); without it they are errors. */
  node?: string | Atom
  /** Creation of that node. */
  creation?: number
  limits?: Partial<Pick<Limits, 'maxTextBinaryBytes'>>
}

interface ListFrame {
  readonly kind: 'list'
  readonly at: Position
  readonly items: Term[]
  tail: Term | undefined
  /** `items`: elements follow; `tail`: after `|`; `closing`: only closing brackets may follow. */
  state: 'items' | 'tail' | 'closing'
  /** Brackets opened behind `|`, whose elements go straight into this list: `[a|[b|([c])]]`. */
  readonly closers: (']' | ')')[]
}

type Frame =
  | ListFrame
  | { readonly kind: 'tuple'; readonly at: Position; readonly items: Term[] }
  | { readonly kind: 'map'; readonly at: Position; readonly flat: Term[] }
  | { readonly kind: 'binary'; readonly at: Position; readonly builder: BitBuilder }
  | { readonly kind: 'parenthesis'; readonly at: Position }

/**
 * Reads one term from `text`; white space, comments and one final dot may surround it.
 * @throws EtfParseError `ETF_PARSE_SYNTAX` with line and column, `ETF_PARSE_LIMIT` when a binary would be too large
 * @throws ArgumentError `BAD_ARGUMENT` for what is no string
 */
export function parse(text: string, options: ParseOptions = {}): Term {
  if (typeof text !== 'string')
    throw new ArgumentError('BAD_ARGUMENT', `parse takes a string, not a value of type ${typeof text}`)
  return new Parser(text, options).parse()
}

class Parser {
  readonly #scanner: Scanner
  readonly #node: Atom | undefined
  readonly #creation: number
  readonly #maxBinaryBytes: number
  readonly #stack: Frame[] = []
  #peeked: Token | undefined
  /** The text of the value completed last, where it was a string literal: bit syntax treats those apart. */
  #literal: string | undefined

  constructor(text: string, options: ParseOptions) {
    this.#scanner = new Scanner(text)
    this.#node = typeof options.node === 'string' ? internAtom(options.node) : options.node
    this.#creation = options.creation ?? 0
    this.#maxBinaryBytes = options.limits?.maxTextBinaryBytes ?? DEFAULT_LIMITS.maxTextBinaryBytes
  }

  parse(): Term {
    for (;;) {
      let value = this.#value()
      // What is complete goes into its frame; a frame that is complete by that is a value itself.
      while (value !== undefined) {
        const frame = this.#stack[this.#stack.length - 1]
        if (frame === undefined) {
          this.#end()
          return value
        }
        value = this.#deliver(frame, value)
      }
    }
  }

  #next(): Token {
    const token = this.#peeked ?? this.#scanner.next()
    this.#peeked = undefined
    return token
  }

  #peek(): Token {
    return (this.#peeked ??= this.#scanner.next())
  }

  /** Whether the next token is this bracket or sign; it is then taken. */
  #accept(text: string): boolean {
    const token = this.#peek()
    if (token.kind !== 'punctuation' || token.text !== text) return false
    this.#peeked = undefined
    return true
  }

  #expect(text: string, context?: string): void {
    if (!this.#accept(text))
      throw unexpected(this.#peek(), `${context ?? `in ${this.#where()}`}, expected ${text}`)
  }

  #end(): void {
    const token = this.#next()
    const last = token.kind === 'dot' ? this.#next() : token
    if (last.kind !== 'end') throw unexpected(last, 'after the term')
  }

  /** Reads up to the end of a value without parts; undefined when a bracket was opened instead. */
  #value(): Term | undefined {
    this.#literal = undefined
    const token = this.#next()
    switch (token.kind) {
      case 'atom':
        return this.#atom(token.text, token)
      case 'integer':
      case 'char':
        return token.value
      case 'float':
        return floatTerm(token.value)
      case 'string':
        return this.#string(token.text)
      case 'sigil':
        return token.binary ? textBytes(token.text) : this.#characters(token.text)
      case 'pid':
      case 'port':
      case 'reference':
        return this.#identity(token)
      case 'word':
        if (token.text === 'fun') return this.#fun(token)
        throw unexpected(token, 'a reserved word is no term; as an atom it needs quotes')
      case 'variable':
        throw new EtfParseError(
          `variable ${token.text} in a term; an atom that begins so needs quotes: '${token.text}'`,
          token,
        )
      case 'punctuation':
        return this.#bracket(token, token.text)
      case 'dot':
      case 'end':
        throw unexpected(token, this.#stack.length === 0 ? 'expected a term' : `in ${this.#where()}`)
    }
  }

  #where(): string {
    const frame = this.#stack[this.#stack.length - 1]
    return frame === undefined
      ? 'the term'
      : `the ${frame.kind} that begins at ${frame.at.line}:${frame.at.column}`
  }

  #bracket(at: Position, text: string): Term | undefined {
    const frame = this.#stack[this.#stack.length - 1]
    switch (text) {
      case '[':
        if (frame?.kind === 'list' && frame.state === 'tail') {
          frame.closers.push(']')
          frame.state = 'items'
          return this.#accept(']') ? this.#closeSplice(frame) : undefined
        }
        if (this.#accept(']')) return []
        this.#stack.push({ kind: 'list', at, items: [], tail: undefined, state: 'items', closers: [] })
        return undefined
      case '(':
        if (frame?.kind === 'list' && frame.state === 'tail') frame.closers.push(')')
        else this.#stack.push({ kind: 'parenthesis', at })
        return undefined
      case '{':
        if (this.#accept('}')) return new Tuple([])
        this.#stack.push({ kind: 'tuple', at, items: [] })
        return undefined
      case '#':
        if (!this.#accept('{'))
          throw unexpected(this.#peek(), 'after # (a record needs its definition; write its tuple)')
        if (this.#accept('}')) return new ErlMap([])
        this.#stack.push({ kind: 'map', at, flat: [] })
        return undefined
      case '<<':
        if (this.#accept('>>')) return new Uint8Array(0)
        this.#stack.push({ kind: 'binary', at, builder: new BitBuilder(this.#maxBinaryBytes) })
        return undefined
      case '-':
      case '+':
        return this.#signed(text === '-')
      default:
        throw new EtfParseError(
          `syntax error before ${text}${this.#stack.length > 0 ? ` in ${this.#where()}` : ''}`,
          at,
        )
    }
  }

  /** Puts a complete value where it belongs. Returns the container's value if that is complete now. */
  #deliver(frame: Frame, value: Term): Term | undefined {
    switch (frame.kind) {
      case 'list':
        return this.#deliverToList(frame, value)
      case 'tuple':
        frame.items.push(value)
        if (this.#accept(',')) return undefined
        this.#expect('}')
        this.#stack.pop()
        return this.#done(new Tuple(frame.items))
      case 'map':
        frame.flat.push(value)
        if (frame.flat.length % 2 === 1) {
          this.#expect('=>')
          return undefined
        }
        if (this.#accept(',')) return undefined
        this.#expect('}')
        this.#stack.pop()
        return this.#done(new ErlMap(withoutDuplicates(frame.flat), true))
      case 'binary':
        this.#segment(frame.builder, value)
        if (this.#accept(',')) return undefined
        this.#expect('>>')
        this.#stack.pop()
        return this.#done(frame.builder.finish())
      case 'parenthesis':
        this.#expect(')')
        this.#stack.pop()
        return value
    }
  }

  #done(value: Term): Term {
    this.#literal = undefined
    return value
  }

  #deliverToList(frame: ListFrame, value: Term): Term | undefined {
    if (frame.state === 'tail') {
      if (Array.isArray(value)) for (const item of value as readonly Term[]) frame.items.push(item)
      else if (value instanceof ImproperList) {
        for (const item of value.items) frame.items.push(item)
        frame.tail = value.tail
      } else frame.tail = value
      return this.#closeList(frame)
    }
    frame.items.push(value)
    if (this.#accept(',')) return undefined
    if (this.#accept('|')) {
      frame.state = 'tail'
      return undefined
    }
    if (frame.closers.length > 0 && this.#accept(']')) return this.#closeSplice(frame)
    return this.#closeList(frame)
  }

  /** After the `]` of a list that stood behind `|`. */
  #closeSplice(frame: ListFrame): Term {
    frame.closers.pop()
    return this.#closeList(frame)
  }

  /** Takes the closing brackets that are left, and the list's own. */
  #closeList(frame: ListFrame): Term {
    frame.state = 'closing'
    for (let closer = frame.closers.pop(); closer !== undefined; closer = frame.closers.pop()) {
      this.#expect(closer)
    }
    this.#expect(']')
    this.#stack.pop()
    return this.#done(frame.tail === undefined ? frame.items : new ImproperList(frame.items, frame.tail))
  }

  #atom(name: string, at: Position): Atom | boolean {
    if (name.length > 255 && [...name].length > 255)
      throw new EtfParseError('an atom has at most 255 characters', at)
    return atom(name)
  }

  /** String literals in a row are one. */
  #string(first: string): Term {
    let text = first
    for (let token = this.#peek(); token.kind === 'string'; token = this.#peek()) {
      text += token.text
      this.#peeked = undefined
    }
    return this.#characters(text)
  }

  #characters(text: string): Term {
    this.#literal = text
    return Array.from(text, (char) => char.codePointAt(0) as number)
  }

  /** A sign stands before a number only, which may be in parentheses. */
  #signed(negative: boolean): Term {
    let parentheses = 0
    while (this.#accept('(')) parentheses++
    const token = this.#next()
    if (token.kind !== 'integer' && token.kind !== 'float' && token.kind !== 'char') {
      throw unexpected(token, 'a sign stands before a number')
    }
    for (; parentheses > 0; parentheses--) this.#expect(')', 'after the number')
    if (token.kind === 'float') return floatTerm(negative ? -token.value : token.value)
    return negative && token.value !== 0 ? normalInteger(-BigInt(token.value)) : token.value
  }

  #fun(at: Position): ExportFun {
    const name = (what: string): Atom | boolean => {
      const token = this.#next()
      // A fun is printed with reserved words unquoted, so they are read back so.
      if (token.kind === 'atom' || token.kind === 'word') return this.#atom(token.text, token)
      throw unexpected(token, `expected the ${what} of fun module:function/arity`)
    }
    const module = name('module')
    this.#expect(':', 'in a fun')
    const fun = name('function')
    this.#expect('/', 'in a fun')
    const arity = this.#next()
    if (arity.kind !== 'integer') throw unexpected(arity, 'expected the arity of fun module:function/arity')
    if (arity.value > 255) throw new EtfParseError(`an arity is at most 255, not ${arity.value}`, at)
    return new ExportFun(module, fun, Number(arity.value))
  }

  #identity(token: Position & { kind: 'pid' | 'port' | 'reference'; numbers: readonly bigint[] }): Term {
    const [owner, ...numbers] = token.numbers
    if (this.#node === undefined) {
      throw new EtfParseError(`a ${token.kind} in text needs to be told its node (option node)`, token)
    }
    if (owner !== 0n)
      throw new EtfParseError(`this ${token.kind} is of another node: only <0.…> names its own`, token)
    if (token.kind === 'port') {
      const [id] = numbers as [bigint]
      if (id >= 1n << 64n) throw new EtfParseError('the number of a port has 64 bits', token)
      return new Port(this.#node, normalInteger(id), this.#creation)
    }
    if (numbers.length > 5 || numbers.some((number) => number >= 1n << 32n)) {
      throw new EtfParseError(
        `the numbers of a ${token.kind} have 32 bits, and a reference has at most five`,
        token,
      )
    }
    const words = numbers.map(Number)
    if (token.kind === 'pid')
      return new Pid(this.#node, words[0] as number, words[1] as number, this.#creation)
    return new Reference(this.#node, this.#creation, words.reverse())
  }

  /** `:Size/Type-List` behind a value in `<<…>>`. */
  #segment(builder: BitBuilder, value: Term): void {
    const literal = this.#literal
    const at = this.#peek()
    const size = this.#accept(':') ? this.#size() : undefined
    const specifiers: [string, number?][] = []
    if (this.#accept('/')) {
      do specifiers.push(this.#specifier())
      while (this.#accept('-'))
    }
    const spec = segmentSpec(size, specifiers)
    this.#check('refused' in spec ? spec : undefined, at)
    if (literal === undefined) {
      this.#check(builder.segment(value, spec as SegmentSpec), at)
      return
    }
    // Without size and type the characters are bytes; so a character beyond 255 loses its high bits, as in Erlang.
    const codes = value as readonly number[]
    // Of an empty string the specifiers are checked all the same.
    if (codes.length === 0)
      this.#check(new BitBuilder(this.#maxBinaryBytes).segment(0, spec as SegmentSpec), at)
    for (const code of codes) this.#check(builder.segment(code, spec as SegmentSpec), at)
  }

  #check(refusal: Refusal | undefined, at: Position): void {
    if (refusal === undefined) return
    throw new EtfParseError(
      refusal.refused,
      at,
      refusal.limit === true ? 'ETF_PARSE_LIMIT' : 'ETF_PARSE_SYNTAX',
    )
  }

  #size(): number {
    let parentheses = 0
    while (this.#accept('(')) parentheses++
    const token = this.#next()
    if (token.kind !== 'integer' && token.kind !== 'char')
      throw unexpected(token, 'expected the size of a segment')
    for (; parentheses > 0; parentheses--) this.#expect(')', 'after the size')
    return Number(token.value)
  }

  #specifier(): [string, number?] {
    const token = this.#next()
    if (token.kind !== 'atom') throw unexpected(token, 'expected the type of a segment')
    if (!this.#accept(':')) return [token.text]
    const unit = this.#next()
    if (unit.kind !== 'integer') throw unexpected(unit, 'expected the unit of a segment')
    return [token.text, Number(unit.value)]
  }
}

function floatTerm(value: number): Term {
  return Number.isInteger(value) ? new ErlFloat(value) : value
}

function normalInteger(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/** Entries with the last value of each key, as `maps:from_list/1` keeps them. */
function withoutDuplicates(flat: Term[]): Term[] {
  if (flat.length === 2) return flat
  const places = new Map<TermKey, number>()
  const unique: Term[] = []
  for (let i = 0; i < flat.length; i += 2) {
    const key = flat[i] as Term
    const identity = keyOf(key)
    const place = places.get(identity)
    if (place !== undefined) unique[place + 1] = flat[i + 1] as Term
    else {
      places.set(identity, unique.length)
      unique.push(key, flat[i + 1] as Term)
    }
  }
  return unique
}

function unexpected(token: Token, context: string): EtfParseError {
  return new EtfParseError(`syntax error before ${describe(token)}: ${context}`, token)
}

function describe(token: Token): string {
  switch (token.kind) {
    case 'end':
      return 'the end of the text'
    case 'dot':
      return "'.'"
    case 'integer':
    case 'float':
    case 'char':
      return String(token.value)
    case 'string':
    case 'sigil':
      return 'a string'
    case 'pid':
    case 'port':
    case 'reference':
      return `a ${token.kind}`
    case 'atom':
    case 'word':
    case 'variable':
    case 'punctuation':
      return `'${token.text}'`
  }
}
