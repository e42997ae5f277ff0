/**
 * Terms in Elixir's notation: `inspect(t, limit: :infinity, width: :infinity, printable_limit: :infinity)`.
 *
 * Follows the `Inspect` implementations of Elixir 1.14 for atoms, bitstrings, lists, tuples, maps, numbers and
 * identities. A map with an atom under `__struct__` and only atoms for keys appears as `%Name{…}`, as on a node that
 * knows the struct; protocols of a struct's own (dates, ranges, sets) are code of that node and not followed. Map
 * entries appear in wire order.
 */
import { EtfError } from '../errors.js'
import { Atom, atomName } from './atom.js'
import { Fun } from './fun.js'
import { ExportFun, Pid, Port, Reference } from './identifiers.js'
import { ErlMap } from './map.js'
import { isElixirAlias, isElixirCall, isElixirIdentifier } from './elixir-names.js'
import { fromCodePoints, joinNumbers, printableUtf8, writeFloat } from './text-chars.js'
import { Ancestors, mapEntries, plainTerm } from './text-terms.js'
import { Tuple } from './tuple.js'
import { readUtf8 } from './utf8.js'
import { ALL_OF_BYTES, write } from './write.js'
import { BitString, ErlFloat, ImproperList, LocalTerm, NativeRecord } from './values.js'

const ERLANG = { strings: true, unicode: true, printable: 'latin1', depth: -1 } as const

export type CharlistStyle = 'quotes' | 'sigil'

interface Frame {
  items: readonly unknown[]
  next: number
  /** `key: value` pairs, `key => value` pairs, or single elements. */
  kind: 'keyword' | 'pairs' | 'items'
  tail: unknown
  hasTail: boolean
  close: string
}

/**
 * The term as Elixir's `inspect/2` gives it without limits.
 * @param maxCharacters nothing more is made once the text is longer than that: it may end anywhere
 * @throws EtfError `ETF_NOT_A_TERM`
 */
export function printElixir(term: unknown, charlists: CharlistStyle, maxCharacters = Infinity): string {
  const stack: Frame[] = []
  const ancestors = new Ancestors()
  let out = ''

  const open = (given: unknown): void => {
    const value = plainTerm(given)
    const leaf = leafText(value, charlists, Math.max(0, maxCharacters - out.length))
    if (leaf !== undefined) {
      out += leaf
      return
    }
    ancestors.enter(given, stack.length)
    const [text, frame] = openFrame(value)
    out += text
    stack.push(frame)
  }

  open(term)
  while (stack.length > 0 && out.length <= maxCharacters) {
    const frame = stack[stack.length - 1] as Frame
    const { items, next } = frame
    if (next >= items.length) {
      if (frame.hasTail) {
        frame.hasTail = false
        out += ' | '
        open(frame.tail)
      } else {
        out += frame.close
        ancestors.leave(stack.length - 1)
        stack.pop()
      }
      continue
    }
    frame.next++
    if (frame.kind === 'items') {
      if (next > 0) out += ', '
      open(items[next])
    } else if ((next & 1) === 1) {
      open(items[next])
    } else {
      if (next > 0) out += ', '
      if (frame.kind === 'keyword') out += `${inspectKey(atomName(items[next]) as string)}: `
      else {
        // The arrow follows the key, which may be a container of its own: it goes on the stack with a closing arrow.
        stack.push({
          items: [items[next]],
          next: 0,
          kind: 'items',
          tail: undefined,
          hasTail: false,
          close: ' => ',
        })
      }
    }
  }
  return out
}

function openFrame(value: unknown): [text: string, frame: Frame] {
  const frame = (items: readonly unknown[], kind: Frame['kind'], close: string): Frame => ({
    items,
    next: 0,
    kind,
    tail: undefined,
    hasTail: false,
    close,
  })
  if (Array.isArray(value)) {
    const pairs = keywordPairs(value)
    return ['[', pairs === undefined ? frame(value, 'items', ']') : frame(pairs, 'keyword', ']')]
  }
  if (value instanceof Tuple) return ['{', frame(value.elements, 'items', '}')]
  if (value instanceof ImproperList) {
    return ['[', { ...frame(value.items, 'items', ']'), tail: value.tail, hasTail: true }]
  }
  const flat = mapEntries(value)
  const struct = structName(flat)
  if (struct !== undefined) {
    const fields: unknown[] = []
    for (let i = 0; i < flat.length; i += 2) {
      const name = atomName(flat[i])
      if (name !== '__struct__' && name !== '__exception__') fields.push(flat[i], flat[i + 1])
    }
    return [`%${inspectAtom(struct)}{`, frame(fields, 'keyword', '}')]
  }
  return ['%{', frame(flat, hasKeywordKeys(flat) ? 'keyword' : 'pairs', '}')]
}

/** The name of the struct that a map's entries are, if they are one. */
function structName(flat: readonly unknown[]): string | undefined {
  let struct: string | undefined
  for (let i = 0; i < flat.length; i += 2) {
    const key = flat[i]
    if (!(key instanceof Atom)) return undefined
    if (key.name === '__struct__') {
      const name = flat[i + 1]
      if (!(name instanceof Atom) || !isElixirAlias(name.name)) return undefined
      struct = name.name
    }
  }
  return struct
}

function isKeywordKey(key: unknown): boolean {
  const name = atomName(key)
  return name !== undefined && !name.startsWith('Elixir.')
}

function hasKeywordKeys(flat: readonly unknown[]): boolean {
  for (let i = 0; i < flat.length; i += 2) if (!isKeywordKey(flat[i])) return false
  return true
}

/** Keys and values in turn of a list that is a keyword list, else undefined. */
function keywordPairs(items: readonly unknown[]): unknown[] | undefined {
  const pairs: unknown[] = []
  for (const item of items) {
    if (!(item instanceof Tuple) || item.elements.length !== 2 || !isKeywordKey(item.elements[0]))
      return undefined
    pairs.push(item.elements[0], item.elements[1])
  }
  return pairs
}

function leafText(value: unknown, charlists: CharlistStyle, room: number): string | undefined {
  const name = atomName(value)
  if (name !== undefined) return inspectAtom(name)
  if (typeof value === 'number') return inspectNumber(value)
  if (typeof value === 'bigint') return write(value, { ...ERLANG, maxCharacters: room })
  if (value instanceof ErlFloat) return inspectFloat(value.value)
  if (value instanceof Uint8Array)
    return inspectBinary(upToCharacter(value, Math.max(4 * (room + 1), ALL_OF_BYTES)))
  if (value instanceof BitString) return inspectBits(value, room)
  if (Array.isArray(value)) {
    const items = value.length > room ? value.slice(0, room + 1) : value
    return value.length === 0 ? '[]' : inspectCharlist(items, charlists)
  }
  if (value instanceof Tuple) return value.elements.length === 0 ? '{}' : undefined
  if (value instanceof ImproperList)
    return value.items.length === 0 ? leafText(value.tail, charlists, room) : undefined
  if (value instanceof ErlMap) return value.size === 0 ? '%{}' : undefined
  if (value instanceof Pid) return `#PID${value.toString()}`
  if (value instanceof Port) return value.toString()
  if (value instanceof Reference) return value.toString().replace('#Ref', '#Reference')
  if (value instanceof ExportFun) {
    const fun = nilled(value.function)
    return `&${inspectAtom(nilled(value.module))}.${isElixirCall(fun) ? fun : inspectString(fun)}/${value.arity}`
  }
  if (value instanceof Fun) {
    return `#Function<${value.index}.${value.oldUniq}/${value.arity} in ${inspectAtom(nilled(value.module))}>`
  }
  // What Elixir has no notation for appears in Erlang's.
  if (value instanceof NativeRecord || value instanceof LocalTerm) return write(value, ERLANG)
  throw new EtfError('ETF_NOT_A_TERM', `no Erlang term stands for a value of type ${typeof value}`)
}

/** `Function.info/1` turns the atom `undefined` into `nil`, so that `inspect` shows it so in a fun's names. */
function nilled(atom: Atom | boolean): string {
  const name = String(atom)
  return name === 'undefined' ? 'nil' : name
}

/** An atom as Elixir writes it: `nil`, `Foo.Bar`, `:ok`, `:"with space"`. */
function inspectAtom(name: string): string {
  if (name === 'nil' || name === 'true' || name === 'false') return name
  if (isElixirAlias(name)) return name === 'Elixir' ? name : name.slice('Elixir.'.length)
  return `:${isElixirIdentifier(name) ? name : inspectString(name)}`
}

/** An atom in front of the colon of a keyword. */
function inspectKey(name: string): string {
  return isElixirIdentifier(name) && !isElixirAlias(name) ? name : inspectString(name)
}

function inspectNumber(value: number): string {
  if (Number.isInteger(value))
    return Number.isSafeInteger(value) ? String(value === 0 ? 0 : value) : BigInt(value).toString()
  if (!Number.isFinite(value)) throw new EtfError('ETF_NOT_A_TERM', `no Erlang term stands for ${value}`)
  return inspectFloat(value)
}

/** Integral floats from 1.0 up to 1.0e16 in full, all others as Erlang writes them. */
function inspectFloat(value: number): string {
  const magnitude = Math.abs(value)
  return Number.isInteger(value) && magnitude >= 1 && magnitude < 1e16 ? `${value}.0` : writeFloat(value)
}

const STRING_ESCAPES = new Map([
  [0x00, '\\0'],
  [0x07, '\\a'],
  [0x08, '\\b'],
  [0x09, '\\t'],
  [0x0a, '\\n'],
  [0x0b, '\\v'],
  [0x0c, '\\f'],
  [0x0d, '\\r'],
  [0x1b, '\\e'],
  [0x7f, '\\d'],
  [0xfeff, '\\uFEFF'],
])

/** `String.printable?/1` of one code point. */
function isPrintable(code: number): boolean {
  if (code < 0x80) return code >= 0x20 || (code >= 0x07 && code <= 0x0d) || code === 0x1b
  return (
    (code >= 0xa0 && code < 0xd800) || (code > 0xdfff && code < 0xfffe) || (code > 0xffff && code <= 0x10ffff)
  )
}

/** What Elixir shows as it is, whatever the quotes. */
const PLAIN = /^[ !$-&(-[\]-~\u00a0-\ud7ff]*$/

function inspectString(text: string, quote = '"'): string {
  if (PLAIN.test(text)) return quote + text + quote
  let out = ''
  for (const char of text) {
    const code = char.codePointAt(0) as number
    if (char === quote || char === '\\') out += `\\${char}`
    else {
      const escape = STRING_ESCAPES.get(code)
      if (escape !== undefined) out += escape
      else if (isPrintable(code)) out += char
      else if (code < 0x100) out += `\\x${code.toString(16).toUpperCase().padStart(2, '0')}`
      else out += `\\x{${code.toString(16).toUpperCase()}}`
    }
  }
  return quote + out.replaceAll('#{', '\\#{') + quote
}

function inspectBinary(bytes: Uint8Array): string {
  const found = printableUtf8(bytes, bytes.length, isPrintable)
  if (found?.bytes === bytes.length) return inspectString(readUtf8(bytes, 0, bytes.length) as string)
  return `<<${joinNumbers(bytes, ', ')}>>`
}

/** The first bytes, at least so many where there are, up to the end of a character. */
function upToCharacter(bytes: Uint8Array, count: number): Uint8Array {
  if (count >= bytes.length) return bytes
  let end = count
  while (end < bytes.length && end < count + 3 && ((bytes[end] as number) & 0xc0) === 0x80) end++
  return bytes.subarray(0, end)
}

function inspectBits(value: BitString, room: number): string {
  const { bytes, bits } = value
  const last = bytes.length - 1
  if (last > room) return `<<${joinNumbers(bytes.subarray(0, room + 1), ', ')}`
  const whole = joinNumbers(bytes.subarray(0, last), ', ')
  return `<<${whole}${last > 0 ? ', ' : ''}${(bytes[last] as number) >> (8 - bits)}::size(${bits})>>`
}

/** `List.ascii_printable?/1`: only ASCII makes a charlist. */
function inspectCharlist(items: readonly unknown[], style: CharlistStyle): string | undefined {
  for (const item of items) {
    if (typeof item !== 'number' || !Number.isInteger(item)) return undefined
    if (!((item >= 0x20 && item <= 0x7e) || (item >= 0x07 && item <= 0x0d) || item === 0x1b)) return undefined
  }
  const text = fromCodePoints(items as readonly number[])
  return style === 'sigil' ? `~c${inspectString(text)}` : inspectString(text, "'")
}
