/** What the printers share: JavaScript values seen as the terms they encode to, and a guard against cycles. */
import { EtfError } from '../errors.js'
import { internAtom } from './atom.js'
import { compareKeys } from './compare.js'
import { ErlMap } from './map.js'
import { textBytes } from './text-chars.js'
import { Charlist } from './values.js'

/** `null`, `undefined`, strings, Maps, plain objects and charlists as the terms they encode to; all else as it is. */
export function plainTerm(value: unknown): unknown {
  if (typeof value === 'string') return textBytes(value)
  if (value === null) return internAtom('nil')
  if (value === undefined) return internAtom('undefined')
  if (typeof value !== 'object') return value
  if (value instanceof Charlist) return Array.from(value.text, (char) => char.codePointAt(0))
  if (value instanceof Map || isPlainObject(value)) return new ErlMap<unknown, unknown>(mapEntries(value))
  return value
}

/** Keys and values in turn of an {@link ErlMap}, a Map or a plain object (whose keys stand for atoms). */
export function mapEntries(value: unknown): readonly unknown[] {
  if (value instanceof ErlMap) return value.flat
  const flat: unknown[] = []
  if (value instanceof Map) for (const [key, item] of value) flat.push(key, item)
  else {
    for (const [key, item] of Object.entries(value as object)) {
      flat.push(key === 'true' ? true : key === 'false' ? false : internAtom(key), item)
    }
  }
  return flat
}

/** Entries up to which a BEAM keeps a map as two arrays; a larger one is a hash array mapped trie. */
const MAX_FLAT_MAP = 32

/**
 * Keys and values in turn, in the order in which `io_lib` prints them: by key if asked (`maps:iterator/2` of OTP 27),
 * else as `maps:next/1` visits them. That is wire order, but for large maps it is wire order backwards:
 * `term_to_binary` walks their tree from the other end.
 */
export function inOrder(
  flat: readonly unknown[],
  order: 'ordered' | 'reversed' | undefined,
): readonly unknown[] {
  if (order === undefined && flat.length <= 2 * MAX_FLAT_MAP) return flat
  const places = Array.from({ length: flat.length / 2 }, (_, index) => index * 2)
  if (order !== undefined) places.sort((a, b) => compareKeys(flat[a], flat[b]))
  if (order !== 'ordered') places.reverse()
  return places.flatMap((place) => [flat[place], flat[place + 1]])
}

/** Whether a value is an object literal (or one without prototype), and so stands for a map. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

/** Depth from which containers on the way are remembered: a cycle comes to it soon, and few terms do. */
const WATCHED_DEPTH = 1000

/** Finds a value that contains itself, at no cost for terms of ordinary depth. */
export class Ancestors {
  readonly #path: unknown[] = []
  readonly #seen = new Set<unknown>()

  /** @throws EtfError `ETF_NOT_A_TERM` when the value is among the containers it is in */
  enter(value: unknown, depth: number): void {
    if (depth < WATCHED_DEPTH) return
    if (this.#seen.has(value))
      throw new EtfError('ETF_NOT_A_TERM', 'a value that contains itself is no Erlang term')
    this.#seen.add(value)
    this.#path[depth - WATCHED_DEPTH] = value
  }

  leave(depth: number): void {
    if (depth >= WATCHED_DEPTH) this.#seen.delete(this.#path[depth - WATCHED_DEPTH])
  }
}
