/**
 * Terms in Erlang's notation on one line: what `~0tp`, `~tw` and `~W` show.
 *
 * Follows `io_lib:write/2` and the one-line form of `io_lib_pretty` of OTP 27. Map entries of a
 * decoded map appear as the BEAM that sent it would show them. Works on an explicit stack, so the
 * depth of a term is bounded by memory alone.
 */
import { EtfError } from '../errors.js'
import { Atom } from './atom.js'
import { Fun } from './fun.js'
import { ExportFun, Pid, Port, Reference } from './identifiers.js'
import { ErlMap } from './map.js'
import {
  fromLatin1,
  isPrintable,
  joinNumbers,
  printableList,
  printableUtf8,
  textBytes,
  writeAtom,
  writeBigint,
  writeFloat,
  writeQuoted,
  type PrintableRange,
} from './text-chars.js'
import { Ancestors, inOrder, mapEntries, plainTerm } from './text-terms.js'
import { Tuple } from './tuple.js'
import { readLatin1, readUtf8 } from './utf8.js'
import { BitString, ErlFloat, ImproperList, LocalTerm, NativeRecord } from './values.js'

/** How {@link write} writes: the fields are the modifiers of `io_lib:format`'s `~p`, `~w` and `~W`. */
export interface WriteOptions {
  /** Show lists and binaries of printable characters as strings (`~p`), else as numbers (`~w`). */
  strings: boolean
  /** `~tp`, `~tw`: characters beyond 255 appear as they are. */
  unicode: boolean
  printable: PrintableRange
  /** Entries of maps by the order of their keys (`~k`) rather than as they came. */
  order?: 'ordered' | 'reversed' | undefined
  /** Nesting (and length) at which `...` stands for the rest; -1 for none. */
  depth: number
  /** Nothing more is made once the text is longer than that: it may end anywhere. */
  maxCharacters?: number
}

interface Frame {
  /** Elements, or keys and values in turn. */
  items: readonly unknown[]
  next: number
  /** Depth left for the container itself. */
  depth: number
  map: boolean
  /** An improper list's last tail. */
  tail: unknown
  hasTail: boolean
  open: string
  close: string
  /** A native record's fields. */
  names: readonly string[] | undefined
  /** What stands before `...` where the depth ends: `|` in lists, `,` elsewhere. */
  cut: string
}

/** The term on one line. @throws EtfError `ETF_NOT_A_TERM` */
export function write(term: unknown, options: WriteOptions): string {
  const { maxCharacters = Infinity } = options
  const stack: Frame[] = []
  const ancestors = new Ancestors()
  let out = ''

  const open = (given: unknown, depth: number): void => {
    if (depth === 0) {
      out += '...'
      return
    }
    const value = plainTerm(given)
    const leaf = writeLeaf(value, options, depth, Math.max(0, maxCharacters - out.length))
    if (leaf !== undefined) {
      out += leaf
      return
    }
    const frame = frameOf(value, depth, options)
    if (depth === 1) {
      // `~W` has no dots for a map: io_lib:write_map/3 says so.
      out += frame.open + (frame.map ? '' : '...') + frame.close
      return
    }
    ancestors.enter(given, stack.length)
    out += frame.open
    stack.push(frame)
  }

  open(term, options.depth)
  while (stack.length > 0 && out.length <= maxCharacters) {
    const frame = stack[stack.length - 1] as Frame
    const { items, next } = frame
    if (frame.map) {
      const pair = next >> 1
      if ((next & 1) === 1) {
        out += ' => '
        frame.next++
        open(items[next], frame.depth - 1)
      } else if (pair > 0 && frame.depth - pair === 1) {
        out += ',...}'
        ancestors.leave(stack.length - 1)
        stack.pop()
      } else if (next >= items.length) {
        out += '}'
        ancestors.leave(stack.length - 1)
        stack.pop()
      } else {
        if (next > 0) out += ','
        frame.next++
        open(items[next], frame.depth - 1)
      }
      continue
    }
    const last = next >= items.length
    if (last && !frame.hasTail) {
      out += frame.close
      ancestors.leave(stack.length - 1)
      stack.pop()
    } else if (next > 0 && frame.depth - next === 1) {
      out += `${frame.cut}...${frame.close}`
      ancestors.leave(stack.length - 1)
      stack.pop()
    } else if (last) {
      frame.hasTail = false
      out += '|'
      open(frame.tail, frame.depth - 1 - next)
    } else {
      if (next > 0) out += ','
      if (frame.names !== undefined) out += `${frame.names[next] as string} = `
      frame.next++
      open(items[next], frame.depth - 1 - next)
    }
  }
  return out
}

function frameOf(value: unknown, depth: number, options: WriteOptions): Frame {
  const frame = (items: readonly unknown[], open: string, cut = ','): Frame => ({
    items,
    next: 0,
    depth,
    open,
    close: open === '[' ? ']' : '}',
    cut,
    map: false,
    tail: undefined,
    hasTail: false,
    names: undefined,
  })
  if (Array.isArray(value)) return frame(value, '[', '|')
  if (value instanceof Tuple) return frame(value.elements, '{')
  if (value instanceof ImproperList)
    return { ...frame(value.items, '[', '|'), tail: value.tail, hasTail: true }
  if (value instanceof NativeRecord) {
    const name = (atom: Atom | boolean): string => writeAtom(String(atom), !options.unicode)
    const opened = frame(value.values, `#${name(value.module)}:${name(value.name)}{`)
    return { ...opened, names: value.fields.map(name) }
  }
  return { ...frame(inOrder(mapEntries(value), options.order), '#{'), map: true }
}

/**
 * The text of a value without parts that need the stack; undefined for a container to be opened.
 * @param room characters after which it may end anywhere
 */
function writeLeaf(value: unknown, options: WriteOptions, depth: number, room: number): string | undefined {
  if (typeof value === 'number') return writeNumber(value)
  if (value instanceof Atom) return writeAtom(value.name, !options.unicode)
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]'
    if (!options.strings || depth === 1) return undefined
    const range = options.unicode ? options.printable : 'latin1'
    const text = printableList(value.length > room ? value.slice(0, room + 1) : value, range)
    return text === undefined ? undefined : writeQuoted(text, '"')
  }
  if (value instanceof Tuple) return value.elements.length === 0 ? '{}' : undefined
  if (value instanceof Uint8Array) {
    const text = options.strings ? printableBinary(value, options, room) : undefined
    return text ?? writeBinary(value, 0, shown(depth, room))
  }
  if (value instanceof ErlMap) return value.size === 0 ? '#{}' : undefined
  if (value instanceof ImproperList) {
    if (value.items.length === 0) return writeLeaf(value.tail, options, depth, room)
    return undefined
  }
  if (typeof value === 'bigint') return writeBigint(value, room)
  return value instanceof NativeRecord ? undefined : writeIdentity(value, shown(depth, room))
}

/** The depth of a binary of which no more than there is room for is shown, or its own. */
function shown(depth: number, room: number): number {
  if (room === Infinity) return depth
  return depth < 0 ? room + 2 : Math.min(depth, room + 2)
}

/** Leaves that every notation of Erlang writes alike: numbers, bitstrings, pids and the other identities. */
export function writeIdentity(value: unknown, depth = -1): string {
  if (typeof value === 'bigint') return writeBigint(value)
  if (typeof value === 'number') return writeNumber(value)
  if (value instanceof ErlFloat) return writeFloat(value.value)
  if (value instanceof BitString) return writeBinary(value.bytes, value.bits, depth)
  if (value instanceof Pid || value instanceof Port || value instanceof Reference) return value.toString()
  if (value instanceof ExportFun) return value.toString()
  if (value instanceof LocalTerm) return `#Local<${value.bytes.length}>`
  if (value instanceof Fun) {
    // The module here is its bare bytes, without quotes or escapes.
    return `#Fun<${fromLatin1(textBytes(String(value.module)))}.${value.oldIndex}.${value.oldUniq}>`
  }
  throw new EtfError('ETF_NOT_A_TERM', `no Erlang term stands for this value: ${describe(value)}`)
}

/** A JavaScript number: an integer if integral (`-0` is the integer 0), else a float. */
export function writeNumber(value: number): string {
  if (Number.isInteger(value))
    return Number.isSafeInteger(value) ? String(value === 0 ? 0 : value) : BigInt(value).toString()
  if (!Number.isFinite(value)) throw new EtfError('ETF_NOT_A_TERM', `no Erlang term stands for ${value}`)
  return writeFloat(value)
}

function describe(value: unknown): string {
  if (typeof value === 'symbol' || typeof value === 'function') return `a ${typeof value}`
  if (typeof value !== 'object' || value === null) return String(value)
  return `an object of class ${value.constructor?.name ?? 'null'}`
}

/** Of a larger binary that is cut, what is seen of it decides whether it is text. */
export const ALL_OF_BYTES = 4096

/** `<<"text">>` or `<<"text"/utf8>>` for a binary that `~tp` (`~p` without unicode) shows as text, else undefined. */
function printableBinary(bytes: Uint8Array, options: WriteOptions, room: number): string | undefined {
  const large = bytes.length > Math.max(room, ALL_OF_BYTES)
  const depth = large ? Math.ceil((room + 1) / CHARACTERS_PER_DEPTH) : -1
  const found = printableBinaryPrefix(bytes, options, depth)
  return found === undefined ? undefined : `<<${writeQuoted(found.text, '"')}${found.utf8 ? '/utf8' : ''}>>`
}

/** Characters of a binary that stand for one level of depth. */
const CHARACTERS_PER_DEPTH = 4

/**
 * The text that a binary is, or begins with where a depth (positive) leaves no room for all of it.
 * @returns `utf8`: it needs that type; `cut`: more follows; undefined for a binary to be shown as numbers
 */
export function printableBinaryPrefix(
  bytes: Uint8Array,
  options: WriteOptions,
  depth: number,
): { text: string; utf8: boolean; cut: boolean } | undefined {
  const room = depth >= 0 ? Math.min(CHARACTERS_PER_DEPTH * depth, bytes.length) : bytes.length
  if (room === 0) return undefined
  const asUtf8 = options.unicode
    ? printableUtf8(bytes, room, (code) => isPrintable(code, options.printable))
    : undefined
  let taken = asUtf8?.bytes ?? 0
  if (asUtf8 === undefined) while (taken < room && isPrintable(bytes[taken] as number, 'latin1')) taken++
  const count = asUtf8?.characters ?? taken
  const cut = taken < bytes.length
  if (cut && !(depth > 0 && count >= depth)) return undefined
  const text = asUtf8 === undefined ? readLatin1(bytes, 0, taken) : (readUtf8(bytes, 0, taken) as string)
  return { text, utf8: taken !== count, cut }
}

/**
 * `<<1,2,3:4>>`.
 * @param bits number of bits in the last byte, 0 for all 8
 * @param depth one more than the number of bytes shown before `...`; -1 for all
 */
export function writeBinary(bytes: Uint8Array, bits: number, depth: number): string {
  const room = depth < 0 ? bytes.length : Math.max(0, depth - 1)
  if (room < bytes.length) return `<<${joinNumbers(bytes.subarray(0, room), ',')}${room > 0 ? ',' : ''}...>>`
  if (bits === 0) return `<<${joinNumbers(bytes, ',')}>>`
  const last = bytes.length - 1
  return `<<${joinNumbers(bytes.subarray(0, last), ',')}${last > 0 ? ',' : ''}${(bytes[last] as number) >> (8 - bits)}:${bits}>>`
}
