/** Tuples: a class with an `elements` array, never an Array itself (those are lists). */
import { Atom } from './atom.js'
import type { Encodable, Term } from './terms.js'

/** An Erlang tuple. Iterates over its elements; `const [ok, value] = reply` works. */
export class Tuple<E extends readonly unknown[] = readonly Term[]> {
  readonly elements: E

  constructor(elements: E) {
    this.elements = elements
  }

  get size(): E['length'] {
    return this.elements.length
  }

  /** The name of the leading atom, such as `'ok'`; undefined if the first element is no atom. */
  get tag(): TagOf<E> {
    const first = this.elements[0]
    return (
      first instanceof Atom ? first.name : typeof first === 'boolean' ? String(first) : undefined
    ) as TagOf<E>
  }

  [Symbol.iterator](): IterableIterator<E[number]> {
    return this.elements[Symbol.iterator]() as IterableIterator<E[number]>
  }
}

export type TagOf<E extends readonly unknown[]> = E extends readonly [infer First, ...unknown[]]
  ? First extends Atom<infer N>
    ? N
    : First extends true
      ? 'true'
      : First extends false
        ? 'false'
        : string | undefined
  : string | undefined

/** `tuple(atom('ok'), 1)` is `{ok, 1}`. */
export function tuple<const E extends readonly Encodable[]>(...elements: E): Tuple<E> {
  return new Tuple(elements)
}

type TagTerm<N extends string> = N extends 'true' ? true : N extends 'false' ? false : Atom<N>

type Sized<S extends number, R extends readonly unknown[]> = number extends S
  ? readonly [...R, ...Term[]]
  : R['length'] extends S
    ? R
    : Sized<S, readonly [...R, Term]>

/**
 * Whether a term is a tuple; with `tag`, one whose first element is that atom; with `size`, one of that many elements.
 * `isTuple(term, 'ok', 2)` narrows `unknown` to `{ok, Term}`.
 * @param size at least 1
 */
export function isTuple(term: unknown): term is Tuple
export function isTuple<const N extends string>(
  term: unknown,
  tag: N,
): term is Tuple<readonly [TagTerm<N>, ...Term[]]>
export function isTuple<const N extends string, const S extends number>(
  term: unknown,
  tag: N,
  size: S,
): term is Tuple<Sized<S, readonly [TagTerm<N>]>>
export function isTuple(term: unknown, tag?: string, size?: number): boolean {
  return (
    term instanceof Tuple &&
    (tag === undefined || term.tag === tag) &&
    (size === undefined || term.size === size)
  )
}
