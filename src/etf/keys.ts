/**
 * Keys: a JavaScript value for each term such that two terms are `=:=` exactly when their values are `===`. Atoms and
 * most numbers are their own key, binaries and all that is compound become strings, which V8 hashes with a seed of its
 * own, so that a peer cannot choose keys that collide.
 */
import { ArgumentError } from '../errors.js'
import { Atom } from './atom.js'
import { ExportFun, FunParts, Pid, Port, Reference } from './identifiers.js'
import { platform } from './platform.js'
import { Tuple } from './tuple.js'
import { utf8Bytes } from './utf8.js'
import { BitString, ErlFloat, ImproperList, LocalTerm, NativeRecord } from './values.js'

export type TermKey = Atom | string | number | bigint | boolean

/** A compound term whose parts are being turned into text. */
interface Frame {
  head: string
  children: readonly unknown[]
  next: number
  parts: string[]
  isMap: boolean
}

/**
 * The key of a term; text counts as its UTF-8 binary.
 * @throws ArgumentError `BAD_ARGUMENT` for a value that is no term
 */
export function keyOf(term: unknown): TermKey {
  switch (typeof term) {
    case 'number':
      return term === 0 ? 0 : term
    case 'boolean':
      return term
    case 'bigint':
      return term >= -9007199254740991n && term <= 9007199254740991n ? Number(term) : term
    case 'string':
      return binaryKey(textBytes(term))
    default:
  }
  if (term instanceof Atom) return term
  if (term instanceof Uint8Array) return binaryKey(term)
  if (term instanceof ErlFloat && !Number.isInteger(term.value)) return term.value
  return 'c' + serialise(term)
}

function textBytes(text: string): Uint8Array {
  const bytes = utf8Bytes(text)
  if (bytes === undefined) throw new ArgumentError('BAD_ARGUMENT', 'text with a lone surrogate is no binary')
  return bytes
}

function binaryKey(bytes: Uint8Array): string {
  return 'b' + platform.readLatin1(bytes, 0, bytes.length)
}

function sized(kind: string, text: string): string {
  return `${kind}${text.length}:${text}`
}

/** The text of a term that has no parts; undefined if it has some. */
function leaf(term: unknown): string | undefined {
  switch (typeof term) {
    case 'number':
      return Number.isInteger(term) ? `i${term === 0 ? 0 : BigInt(term)};` : `f${term};`
    case 'bigint':
      return `i${term};`
    case 'boolean':
      return sized('a', String(term))
    case 'string':
      return leaf(textBytes(term))
    default:
  }
  if (term instanceof Atom) return sized('a', term.name)
  if (term instanceof Uint8Array) return sized('b', platform.readLatin1(term, 0, term.length))
  if (term instanceof ErlFloat) return `f${Object.is(term.value, -0) ? '-0' : term.value};`
  if (term instanceof Pid) return sized('p', term.key)
  if (term instanceof Reference) return sized('r', term.key)
  if (term instanceof Port) return sized('o', term.key)
  if (term instanceof BitString)
    return sized(`s${term.bits}.`, platform.readLatin1(term.bytes, 0, term.bytes.length))
  if (term instanceof LocalTerm) return sized('x', platform.readLatin1(term.bytes, 0, term.bytes.length))
  return undefined
}

function open(term: unknown): Frame {
  const frame = (head: string, children: readonly unknown[], isMap = false): Frame => ({
    head,
    children,
    next: 0,
    parts: [],
    isMap,
  })
  if (Array.isArray(term)) return frame('l', term)
  if (term instanceof Tuple) return frame('t', term.elements)
  if (term instanceof ImproperList) return frame('m', [...term.items, term.tail])
  if (term instanceof ExportFun) return frame('e', [term.module, term.function, term.arity])
  if (term instanceof FunParts) {
    return frame('F', [
      term.module,
      term.arity,
      term.uniq,
      term.index,
      term.oldIndex,
      term.oldUniq,
      term.pid,
      ...term.freeVars,
    ])
  }
  if (term instanceof NativeRecord) {
    return frame('R', [term.module, term.name, term.exported, term.fields, ...term.values])
  }
  const flat = (term as { flat?: unknown } | null | undefined)?.flat
  if (Array.isArray(flat)) return frame('d', flat, true)
  throw new ArgumentError('BAD_ARGUMENT', `a value that is no Erlang term: ${typeof term}`)
}

/**
 * The text of a compound of whose parts all is known. The order in which a map's entries were made does not count: they
 * are put in an order of their own. Texts are added, not joined: V8 copies what it joins, at every level again.
 */
function close(frame: Frame): string {
  const { parts } = frame
  if (frame.isMap) {
    const entries: [string, string][] = []
    for (let i = 0; i < parts.length; i += 2) entries.push([parts[i] as string, parts[i + 1] as string])
    entries.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0))
    parts.length = 0
    for (const [key, value] of entries) parts.push(key, value)
  }
  let text = `${frame.head}${parts.length}(`
  for (const part of parts) text += part
  return text + ')'
}

function serialise(term: unknown): string {
  const only = leaf(term)
  if (only !== undefined) return only
  const outer: Frame[] = []
  let frame = open(term)
  for (;;) {
    if (frame.next === frame.children.length) {
      const text = close(frame)
      const parent = outer.pop()
      if (parent === undefined) return text
      frame = parent
      frame.parts.push(text)
      continue
    }
    const child = frame.children[frame.next++]
    const text = leaf(child)
    if (text !== undefined) frame.parts.push(text)
    else {
      outer.push(frame)
      frame = open(child)
    }
  }
}
