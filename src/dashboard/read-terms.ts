/** Reads the answers of a watched node: what is not of the expected shape is left out rather than believed. */
import { Atom, ErlFloat, ErlMap, Pid, print, Tuple, type Term } from '../index.js'

/** A number, whichever way it came; undefined for anything else. Counters beyond 2^53 lose their last digits. */
export function number(term: Term | undefined): number | undefined {
  if (typeof term === 'number') return term
  if (typeof term === 'bigint') return Number(term)
  return term instanceof ErlFloat ? term.valueOf() : undefined
}

export function count(term: Term | undefined): number {
  return number(term) ?? 0
}

export function name(term: Term | undefined): string | undefined {
  if (term instanceof Atom) return term.name
  return typeof term === 'boolean' ? String(term) : undefined
}

/** A list of characters as text. STRING_EXT comes as numbers. */
export function characters(term: Term | undefined): string {
  if (!Array.isArray(term)) return term === undefined ? '' : print(term, { maxCharacters: 1_000 })
  const codes = (term as readonly Term[]).filter(
    (code): code is number => typeof code === 'number' && code >= 0 && code <= 0x10ffff,
  )
  return String.fromCodePoint(...codes.slice(0, 1_000))
}

export function list(term: Term | undefined): readonly Term[] {
  return Array.isArray(term) ? (term as readonly Term[]) : []
}

export function elements(term: Term | undefined): readonly Term[] {
  return term instanceof Tuple ? term.elements : []
}

/** A list of `{Key, Value}` by name of the key; other elements are passed over. */
export function properties(term: Term | undefined): Map<string, Term> {
  const found = new Map<string, Term>()
  for (const item of list(term)) {
    const [key, value] = elements(item)
    const keyName = name(key)
    if (keyName !== undefined && value !== undefined) found.set(keyName, value)
  }
  return found
}

/** `{Module, Function, Arity}` as `module:function/arity`; undefined for `undefined` and whatever else. */
export function mfa(term: Term | undefined): string | undefined {
  const [module, fun, arity] = elements(term)
  if (module === undefined || fun === undefined || arity === undefined) return undefined
  return `${print(module)}:${print(fun)}/${print(arity)}`
}

export function pidText(term: Term | undefined): string | undefined {
  return term instanceof Pid ? term.toString() : undefined
}

/** An Erlang term for people, shortened to `maxCharacters`. */
export function printed(term: Term, maxCharacters: number): string {
  return print(term, { printable: 'unicode', maxCharacters })
}

export function mapValue(term: Term | undefined, key: string): Term | undefined {
  return term instanceof ErlMap ? (term as ErlMap).get(key) : undefined
}
