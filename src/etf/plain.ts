/** Terms as plain JavaScript, for code that knows nothing of Erlang: text, numbers, arrays, objects. */
import { EtfError } from '../errors.js'
import { DEFAULT_LIMITS } from '../limits.js'
import { Atom } from './atom.js'
import { ErlMap } from './map.js'
import type { Term } from './terms.js'
import { Tuple } from './tuple.js'
import { readUtf8 } from './utf8.js'
import { ErlFloat, ImproperList, NativeRecord } from './values.js'

export interface PlainOptions {
  /** What an atom becomes: itself (the default), or its name, with `nil` and `null` as null and `undefined` as undefined. */
  atoms?: 'atom' | 'text'
  /** Deepest nesting; default `maxViewDepth` of limits.ts. */
  maxDepth?: number
}

/**
 * The term as plain JavaScript: text for a binary that is valid UTF-8, a number for a float, an array for a list or
 * tuple, an object (without prototype) for a map whose keys are atoms or text without two of the same name, else a Map.
 * What JavaScript has nothing for (pids, references, bitstrings, …) stays a term. Information is lost: `1.0` and `1`,
 * tuples and lists, atoms and text may become the same.
 * @throws EtfError `ETF_SCHEMA_DEPTH` when the term is nested too deeply
 */
export function toPlain(term: Term, options: PlainOptions = {}): unknown {
  return plain(term, options.atoms === 'text', options.maxDepth ?? DEFAULT_LIMITS.maxViewDepth)
}

function plain(term: Term, atomsAsText: boolean, depth: number): unknown {
  if (typeof term !== 'object') return term
  if (term instanceof Atom) return atomsAsText ? atomText(term) : term
  if (term instanceof Uint8Array) return readUtf8(term, 0, term.length) ?? term
  if (term instanceof ErlFloat) return term.value
  if (depth === 0) throw new EtfError('ETF_SCHEMA_DEPTH', 'a term nested too deeply for plain JavaScript')
  const inner = (item: Term): unknown => plain(item, atomsAsText, depth - 1)
  if (Array.isArray(term)) return (term as readonly Term[]).map(inner)
  if (term instanceof Tuple) return term.elements.map(inner)
  if (term instanceof ErlMap) return plainMap(term, inner)
  if (term instanceof ImproperList) return [...term.items.map(inner), inner(term.tail)]
  if (term instanceof NativeRecord) {
    const object = Object.create(null) as Record<string, unknown>
    term.fields.forEach((field, index) => (object[String(field)] = inner(term.values[index] as Term)))
    return object
  }
  return term
}

function plainMap(map: ErlMap, inner: (item: Term) => unknown): unknown {
  const object = Object.create(null) as Record<string, unknown>
  for (const [key, value] of map) {
    const name = propertyName(key)
    if (name === undefined || name in object) return new Map([...map].map(([k, v]) => [inner(k), inner(v)]))
    object[name] = inner(value)
  }
  return object
}

/** The property that a map's key is in JavaScript: the name of an atom or UTF-8 text; undefined for other keys. */
export function propertyName(key: Term): string | undefined {
  if (key instanceof Atom) return key.name
  if (typeof key === 'boolean') return String(key)
  return key instanceof Uint8Array ? readUtf8(key, 0, key.length) : undefined
}

function atomText(term: Atom): string | null | undefined {
  return term.name === 'nil' || term.name === 'null'
    ? null
    : term.name === 'undefined'
      ? undefined
      : term.name
}
