/**
 * Opening a container of any kind to write it: its head goes out, its children come back. What is quick and frequent is
 * written elsewhere (encode-term.ts); here is the general form, also for whatever is too deep for recursion.
 */
import { Atom } from './atom.js'
import { compareKeys, compareText } from './compare.js'
import { Reader } from './reader.js'
import { hasDuplicateKeys } from './duplicates.js'
import { writeAtom, writeBytes, writeHead, writeInt32, writePid, writeTag } from './encode-leaf.js'
import { Fun } from './fun.js'
import { Pid, Reference } from './identifiers.js'
import { ErlMap } from './map.js'
import { platform } from './platform.js'
import { Settings } from './settings.js'
import type { Term } from './terms.js'
import { Tuple } from './tuple.js'
import { ErlFloat, ImproperList, LocalTerm, NativeRecord } from './values.js'
import { Writer } from './writer.js'

/** An opened container. */
export interface Container {
  term: object
  children: readonly unknown[]
  /** How many children the head says: getters of those before may change how many there are. */
  count: number
  /** Whether each second child, from the first, is the name of an object's property. */
  objectKeys: boolean
  /** What comes after the children: the tail of a proper list, or the size of a fun, to be put at `start`. */
  closing: 'nil' | 'size' | undefined
  start: number
  /** What the writer had borrowed at `start`. */
  borrowedBefore: number
  /** The child to be written next, where a stack of containers is kept. */
  next: number
}

/** Writes one key with settings of its own; given, since writing terms imports this file. */
type KeyBytes = (key: unknown, settings: Settings, writer: Writer) => Uint8Array

function opened(
  term: object,
  children: readonly unknown[],
  count: number,
  closing?: 'nil' | 'size',
  start = 0,
  borrowedBefore = 0,
): Container {
  return { term, children, count, objectKeys: false, closing, start, borrowedBefore, next: 0 }
}

/**
 * Writes the head of a container.
 * @throws EtfError `ETF_UNSUPPORTED` for what is no term, `ETF_DUPLICATE_KEY`, `ETF_PEER_CANNOT_CARRY`
 */
export function openContainer(
  writer: Writer,
  term: object,
  settings: Settings,
  depth: number,
  keyBytes: KeyBytes,
): Container {
  if (Array.isArray(term)) {
    const { length } = term
    writeHead(writer, 108, length)
    return opened(term, term as unknown[], length, 'nil')
  }
  if (term instanceof Tuple) {
    const elements = term.elements as readonly unknown[]
    if (!Array.isArray(elements)) throw settings.error(depth, 'ETF_UNSUPPORTED', 'a tuple without elements')
    const { length } = elements
    if (length > 255) writeHead(writer, 105, length)
    else {
      writeTag(writer, 104)
      writeTag(writer, length)
    }
    return opened(term, elements, length)
  }
  if (term instanceof ErlMap) return openMap(writer, term, term.flat, term.unique, settings, depth, keyBytes)
  if (term instanceof Map) {
    const flat: unknown[] = []
    for (const [key, value] of term as Map<unknown, unknown>) flat.push(key, value)
    return openMap(writer, term, flat, false, settings, depth, keyBytes)
  }
  if (term instanceof ImproperList) {
    // Without items before it, the tail is the whole term: LIST_EXT of length 0 says so.
    const children = [...term.items, term.tail]
    writeHead(writer, 108, children.length - 1)
    return opened(term, children, children.length)
  }
  if (term instanceof Fun) return openFun(writer, term, settings, depth)
  if (term instanceof NativeRecord) return openRecord(writer, term, settings, depth)
  if (isPlainObject(term)) return openObject(writer, term, settings)
  throw settings.error(depth, 'ETF_UNSUPPORTED', whyUnsupported(term))
}

function whyUnsupported(term: object): string {
  if (term instanceof LocalTerm)
    return 'a term of term_to_binary(…, [local]) stands alone, not inside another'
  const name = (term.constructor as { name?: unknown } | undefined)?.name
  return `an instance of ${typeof name === 'string' && name !== '' ? name : 'a class'} is no Erlang term`
}

/** Object literals, objects without prototype, and what JSON.parse makes, of this realm or another. */
function isPlainObject(term: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(term)
  if (prototype === null || prototype === Object.prototype) return true
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf')
}

function openObject(writer: Writer, term: object, settings: Settings): Container {
  let names = Object.keys(term)
  if (settings.deterministic) names = names.sort(compareText)
  writeHead(writer, 116, names.length)
  const children: unknown[] = []
  for (const name of names) children.push(name, (term as Record<string, unknown>)[name])
  return { ...opened(term, children, children.length), objectKeys: true }
}

function openMap(
  writer: Writer,
  term: object,
  flat: readonly unknown[],
  unique: boolean,
  settings: Settings,
  depth: number,
  keyBytes: KeyBytes,
): Container {
  if (flat.length % 2 !== 0) throw settings.error(depth, 'ETF_UNSUPPORTED', 'a map has a value for each key')
  if (!unique && repeatsKey(flat, keyBytes)) {
    throw settings.error(depth, 'ETF_DUPLICATE_KEY', 'the map has two keys that are one in Erlang')
  }
  const entries = settings.deterministic ? sortEntries(flat, keyBytes) : flat
  const { length } = entries
  writeHead(writer, 116, length >> 1)
  return opened(term, entries, length)
}

function isSimpleKey(key: unknown): boolean {
  const type = typeof key
  if (type === 'boolean' || type === 'number' || type === 'bigint' || type === 'string') return true
  return (
    key instanceof Atom ||
    key instanceof Uint8Array ||
    key instanceof Pid ||
    key instanceof Reference ||
    key instanceof ErlFloat
  )
}

/** Settings under which equal keys have equal bytes. */
function keySettings(): Settings {
  const settings = new Settings()
  settings.deterministic = true
  return settings
}

function repeatsKey(flat: readonly unknown[], keyBytes: KeyBytes): boolean {
  let simple = true
  for (let i = 0; simple && i < flat.length; i += 2) simple = isSimpleKey(flat[i])
  if (simple) return hasDuplicateKeys(flat)
  const settings = keySettings()
  const writer = new Writer()
  const seen = new Set<string>()
  for (let i = 0; i < flat.length; i += 2) {
    const bytes = keyBytes(flat[i], settings, writer)
    const text = platform.readLatin1(bytes, 0, bytes.length)
    if (seen.has(text)) return true
    seen.add(text)
  }
  return false
}

function sortEntries(flat: readonly unknown[], keyBytes: KeyBytes): unknown[] {
  const settings = keySettings()
  const writer = new Writer()
  const entries: { order: Term; key: unknown; value: unknown }[] = []
  for (let i = 0; i < flat.length; i += 2) {
    const key = flat[i]
    const order = key instanceof Atom ? key : new Reader(keyBytes(key, settings, writer)).readTerm()
    entries.push({ order, key, value: flat[i + 1] })
  }
  entries.sort((a, b) => compareKeys(a.order, b.order))
  return entries.flatMap(({ key, value }) => [key, value])
}

/** NEW_FUN_EXT: its size, which comes first, is known when all is written. */
function openFun(writer: Writer, fun: Fun, settings: Settings, depth: number): Container {
  writeTag(writer, 112)
  const start = writer.position
  writer.ensure(4)
  writer.position += 4
  writeTag(writer, fun.arity)
  writeBytes(writer, fun.uniq)
  writer.ensure(8)
  writer.view.setUint32(writer.position, fun.index)
  const { length } = fun.freeVars
  writer.view.setUint32(writer.position + 4, length)
  writer.position += 8
  writeAtom(writer, fun.module, settings)
  writeInt32(writer, fun.oldIndex)
  writeInt32(writer, fun.oldUniq)
  writePid(writer, fun.pid, settings, depth)
  return opened(fun, fun.freeVars, length, 'size', start, writer.borrowedBytes)
}

function openRecord(writer: Writer, record: NativeRecord, settings: Settings, depth: number): Container {
  if (!settings.nativeRecords) {
    throw settings.error(
      depth,
      'ETF_PEER_CANNOT_CARRY',
      'the peer cannot carry a native record: it came with OTP 29',
    )
  }
  const { length } = record.fields
  writeHead(writer, 67, length)
  writeTag(writer, record.exported ? 1 : 0)
  writeAtom(writer, record.module, settings)
  writeAtom(writer, record.name, settings)
  for (const field of record.fields) writeAtom(writer, field, settings)
  return opened(record, record.values, length)
}
