/**
 * Erlang's total order of terms:
 * number < atom < reference < fun < port < pid < tuple < native record < map < [] < list < bitstring.
 *
 * {@link compare} is the order of `<` and `lists:sort/1`, in which `1` and `1.0` are equal; {@link compareKeys} that of
 * map keys, in which each integer is before every float.
 */
import { Atom } from './atom.js'
import { ExportFun, FunParts, Pid, Port, Reference } from './identifiers.js'
import { Tuple } from './tuple.js'
import { utf8Bytes } from './utf8.js'
import { BitString, ErlFloat, ImproperList, LocalTerm, NativeRecord } from './values.js'
import { ArgumentError } from '../errors.js'

const NUMBER = 0
const ATOM = 1
const REFERENCE = 2
const FUN = 3
const PORT = 4
const PID = 5
const TUPLE = 6
const RECORD = 7
const MAP = 8
const NIL = 9
const LIST = 10
const BITS = 11

/** Below zero, zero or above: `a` before, equal to, or after `b` in Erlang's `<` and `==`. Any depth, no recursion. */
export function compare(a: unknown, b: unknown): number {
  return order(a, b, false)
}

/** The order of map keys: as {@link compare}, but integers are before floats and 0 only for terms that are `=:=`. */
export function compareKeys(a: unknown, b: unknown): number {
  return order(a, b, true)
}

function rank(term: unknown): number {
  switch (typeof term) {
    case 'number':
    case 'bigint':
      return NUMBER
    case 'boolean':
      return ATOM
    case 'string':
      return BITS
    default:
  }
  if (term instanceof Atom) return ATOM
  if (term instanceof Tuple) return TUPLE
  if (Array.isArray(term)) return term.length === 0 ? NIL : LIST
  if (term instanceof Uint8Array || term instanceof BitString) return BITS
  if (term instanceof ErlFloat) return NUMBER
  if (term instanceof Pid) return PID
  if (term instanceof Reference) return REFERENCE
  if (term instanceof Port) return PORT
  if (term instanceof FunParts || term instanceof ExportFun) return FUN
  if (term instanceof ImproperList) return LIST
  if (term instanceof NativeRecord) return RECORD
  // What only its own node can read has no order elsewhere; after all else keeps it apart.
  if (term instanceof LocalTerm) return BITS + 1
  if (Array.isArray((term as { flat?: unknown } | null | undefined)?.flat)) return MAP
  throw new ArgumentError('BAD_ARGUMENT', `a value that is no Erlang term cannot be compared: ${typeof term}`)
}

/** Children of two containers, still to be compared pair by pair. */
interface Frame {
  a: readonly unknown[]
  b: readonly unknown[]
  next: number
  /** Up to which child keys of maps are compared, in the order of keys. */
  exactTo: number
  exact: boolean
}

function order(first: unknown, second: unknown, exactly: boolean): number {
  const outer: Frame[] = []
  let frame: Frame = { a: [first], b: [second], next: 0, exactTo: 0, exact: exactly }
  for (;;) {
    if (frame.next === frame.a.length) {
      const parent = outer.pop()
      if (parent === undefined) return 0
      frame = parent
      continue
    }
    const index = frame.next++
    const a = frame.a[index]
    const b = frame.b[index]
    if (a === b) continue
    const exact = frame.exact || index < frame.exactTo
    const inner = compareHeads(a, b, exact)
    if (typeof inner === 'number') {
      if (inner !== 0) return inner
      continue
    }
    outer.push(frame)
    frame = inner
  }
}

/** What the terms themselves decide; a frame if it is up to their children. */
function compareHeads(a: unknown, b: unknown, exact: boolean): number | Frame {
  const ranked = rank(a)
  const difference = ranked - rank(b)
  if (difference !== 0) return difference
  switch (ranked) {
    case NUMBER:
      return compareNumbers(a, b, exact)
    case ATOM:
      return compareAtoms(a as Atom | boolean, b as Atom | boolean)
    case REFERENCE:
      return compareReferences(a as Reference, b as Reference)
    case FUN:
      return compareFuns(a as FunParts | ExportFun, b as FunParts | ExportFun, exact)
    case PORT:
      return comparePorts(a as Port, b as Port)
    case PID:
      return comparePids(a as Pid, b as Pid)
    case TUPLE:
      return children((a as Tuple).elements, (b as Tuple).elements, exact)
    case RECORD:
      return compareRecords(a as NativeRecord, b as NativeRecord, exact)
    case MAP:
      return compareMaps(a as { flat: unknown[] }, b as { flat: unknown[] }, exact)
    case LIST:
      return compareLists(a, b, exact)
    case NIL:
      return 0
    case BITS:
      return compareBits(a, b)
    default:
      return compareBytes((a as LocalTerm).bytes, (b as LocalTerm).bytes)
  }
}

/** As tuples compare: by size, then element by element. */
function children(a: readonly unknown[], b: readonly unknown[], exact: boolean): number | Frame {
  if (a.length !== b.length) return a.length - b.length
  return { a, b, next: 0, exactTo: 0, exact }
}

function isFloat(term: unknown): boolean {
  return term instanceof ErlFloat || (typeof term === 'number' && !Number.isInteger(term))
}

function compareNumbers(a: unknown, b: unknown, exact: boolean): number {
  if (exact) {
    const kinds = (isFloat(a) ? 1 : 0) - (isFloat(b) ? 1 : 0)
    if (kinds !== 0) return kinds
  }
  const x = (a instanceof ErlFloat ? a.value : a) as number
  const y = (b instanceof ErlFloat ? b.value : b) as number
  // JavaScript compares a number and a bigint by their exact values, as the BEAM does.
  if (x < y) return -1
  if (x > y) return 1
  if (exact && x === 0 && isFloat(a)) return (Object.is(y, -0) ? 1 : 0) - (Object.is(x, -0) ? 1 : 0)
  return 0
}

function compareAtoms(a: Atom | boolean, b: Atom | boolean): number {
  return compareText(nameOf(a), nameOf(b))
}

function nameOf(term: Atom | boolean): string {
  return typeof term === 'boolean' ? String(term) : term.name
}

/** By code points, as UTF-8 is ordered; JavaScript's own order has U+10000 and above before U+E000. */
export function compareText(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length)
  for (let i = 0; i < shorter; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return x >= 0xd800 && y >= 0xd800 ? rotated(x) - rotated(y) : x - y
  }
  return a.length - b.length
}

/** Surrogates after all other code units. */
function rotated(unit: number): number {
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length)
  for (let i = 0; i < shorter; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

function compareBits(a: unknown, b: unknown): number {
  const x = bitsOf(a)
  const y = bitsOf(b)
  // The last byte's unused bits are zero: a shorter bitstring that is a prefix of the other has less or equal bytes.
  const difference = compareBytes(
    x.bytes.subarray(0, Math.min(x.bytes.length, y.bytes.length)),
    y.bytes.subarray(0, Math.min(x.bytes.length, y.bytes.length)),
  )
  return difference !== 0 ? difference : (x.bytes.length - y.bytes.length) * 8 + x.bits - y.bits
}

function bitsOf(term: unknown): { bytes: Uint8Array; bits: number } {
  if (term instanceof BitString) return term
  return {
    bytes: typeof term === 'string' ? (utf8Bytes(term) ?? new Uint8Array(0)) : (term as Uint8Array),
    bits: 8,
  }
}

function compareNodes(a: { node: Atom; creation: number }, b: { node: Atom; creation: number }): number {
  return a.node === b.node ? a.creation - b.creation : compareAtoms(a.node, b.node)
}

/** By serial, then id, then the node. */
function comparePids(a: Pid, b: Pid): number {
  return a.serial - b.serial || a.id - b.id || compareNodes(a, b)
}

function comparePorts(a: Port, b: Port): number {
  return compareNodes(a, b) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}

/** By node, then the numbers from the last word on; missing words are zero. */
function compareReferences(a: Reference, b: Reference): number {
  const nodes = compareNodes(a, b)
  if (nodes !== 0) return nodes
  for (let i = Math.max(a.words.length, b.words.length) - 1; i >= 0; i--) {
    const difference = (a.words[i] ?? 0) - (b.words[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** Closures are before exported functions. */
function compareFuns(a: FunParts | ExportFun, b: FunParts | ExportFun, exact: boolean): number | Frame {
  if (a instanceof ExportFun) {
    if (!(b instanceof ExportFun)) return 1
    return compareAtoms(a.module, b.module) || compareAtoms(a.function, b.function) || a.arity - b.arity
  }
  if (b instanceof ExportFun) return -1
  const difference =
    compareAtoms(a.module, b.module) ||
    a.index - b.index ||
    a.oldUniq - b.oldUniq ||
    a.freeVars.length - b.freeVars.length
  return difference !== 0 ? difference : children(a.freeVars, b.freeVars, exact)
}

function compareRecords(a: NativeRecord, b: NativeRecord, exact: boolean): number | Frame {
  const difference = compareAtoms(a.module, b.module) || compareAtoms(a.name, b.name)
  if (difference !== 0) return difference
  return children([...a.fields, ...a.values], [...b.fields, ...b.values], exact)
}

/** By size, then the keys in their order, then the values in the order of their keys. */
function compareMaps(a: { flat: unknown[] }, b: { flat: unknown[] }, exact: boolean): number | Frame {
  if (a.flat.length !== b.flat.length) return a.flat.length - b.flat.length
  const x = sortedParts(a.flat)
  return { a: x, b: sortedParts(b.flat), next: 0, exactTo: x.length >> 1, exact }
}

function sortedParts(flat: readonly unknown[]): unknown[] {
  const entries: [unknown, unknown][] = []
  for (let i = 0; i < flat.length; i += 2) entries.push([flat[i], flat[i + 1]])
  entries.sort((a, b) => compareKeys(a[0], b[0]))
  return [...entries.map(([key]) => key), ...entries.map(([, value]) => value)]
}

/** Element by element; where one list ends, its tail meets what is left of the other, which is a list. */
function compareLists(a: unknown, b: unknown, exact: boolean): Frame {
  const x = a instanceof ImproperList ? a : { items: a as unknown[], tail: [] }
  const y = b instanceof ImproperList ? b : { items: b as unknown[], tail: [] }
  const shorter = Math.min(x.items.length, y.items.length)
  return {
    a: [...x.items.slice(0, shorter), x.items.length > shorter ? REST : x.tail],
    b: [...y.items.slice(0, shorter), y.items.length > shorter ? REST : y.tail],
    next: 0,
    exactTo: 0,
    exact,
  }
}

/** Stands for what is left of a list: as a list that is not empty compares with what is none. */
const REST: readonly unknown[] = [0]
