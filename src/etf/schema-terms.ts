/** Schemas of terms without parts: atoms, numbers, text, binaries, identities. */
import { asText } from './as-text.js'
import { Atom, atomName } from './atom.js'
import { isEqual } from './equal.js'
import { Fun } from './fun.js'
import { ExportFun, Pid, Port, Reference } from './identifiers.js'
import { print } from './print.js'
import { isNothing, Schema } from './schema.js'
import type { Term } from './terms.js'
import { readUtf8 } from './utf8.js'
import { BitString, ErlFloat } from './values.js'

/** A schema of the terms that `test` finds to be a `T`. */
function simple<T>(what: string, test: (term: Term) => T | undefined): Schema<T> {
  return new Schema<T>((term, check) => test(term) ?? check.expected(what, term))
}

/** Any term, as it is. */
export function any(): Schema<Term> {
  return new Schema((term) => term)
}

/** An atom, as its name: any atom, or one of those named. `s.atom('up', 'down')` decodes to `'up' | 'down'`. */
export function atom(): Schema<string>
export function atom<const N extends string>(...names: readonly [N, ...N[]]): Schema<N>
export function atom(...names: readonly string[]): Schema<string> {
  if (names.length === 0) return simple('an atom', atomName)
  const what = names.length === 1 ? `the atom ${names[0] as string}` : `one of the atoms ${names.join(', ')}`
  return simple(what, (term) => {
    const name = atomName(term)
    return name !== undefined && names.includes(name) ? name : undefined
  })
}

/** `true` or `false`. */
export function boolean(): Schema<boolean> {
  return simple('true or false', (term) => (typeof term === 'boolean' ? term : undefined))
}

/** An integer that a JavaScript number holds exactly. */
export function integer(): Schema<number> {
  return simple('an integer up to 2^53', (term) =>
    Number.isSafeInteger(term) ? (term as number) : undefined,
  )
}

/** An integer of any size. */
export function bigint(): Schema<bigint> {
  return simple('an integer', (term) =>
    typeof term === 'bigint' ? term : Number.isInteger(term) ? BigInt(term as number) : undefined,
  )
}

function floatValue(term: Term): number | undefined {
  if (term instanceof ErlFloat) return term.value
  return typeof term === 'number' && !Number.isInteger(term) ? term : undefined
}

/** A float (never an integer). */
export function float(): Schema<number> {
  return simple('a float', floatValue)
}

/** A float, or an integer that a number holds exactly. */
export function number(): Schema<number> {
  return simple('a number', (term) => (Number.isSafeInteger(term) ? (term as number) : floatValue(term)))
}

/**
 * Text: a UTF-8 binary, a list of characters, or chardata of both.
 * @param form only this one of the two; a list is then flat
 */
export function text(form: 'any' | 'binary' | 'charlist' = 'any'): Schema<string> {
  if (form === 'binary') {
    return simple('a UTF-8 binary', (term) =>
      term instanceof Uint8Array ? readUtf8(term, 0, term.length) : undefined,
    )
  }
  if (form === 'charlist') {
    return simple('a list of characters', (term) =>
      Array.isArray(term) && term.every((item) => typeof item === 'number') ? asText(term) : undefined,
    )
  }
  // A character alone is chardata only inside a list.
  return simple('text', (term) => (typeof term === 'number' ? undefined : asText(term)))
}

/** A binary, as its bytes. */
export function binary(): Schema<Uint8Array> {
  return simple('a binary', (term) => (term instanceof Uint8Array ? term : undefined))
}

/** A bitstring: a binary, or one whose last byte is not full. */
export function bitstring(): Schema<Uint8Array | BitString> {
  return simple('a bitstring', (term) =>
    term instanceof Uint8Array || term instanceof BitString ? term : undefined,
  )
}

export function pid(): Schema<Pid> {
  return simple('a pid', (term) => (term instanceof Pid ? term : undefined))
}

export function port(): Schema<Port> {
  return simple('a port', (term) => (term instanceof Port ? term : undefined))
}

export function reference(): Schema<Reference> {
  return simple('a reference', (term) => (term instanceof Reference ? term : undefined))
}

/** A fun of either kind. */
export function fun(): Schema<Fun | ExportFun> {
  return simple('a fun', (term) => (term instanceof Fun || term instanceof ExportFun ? term : undefined))
}

/** This very term, compared as Erlang's `=:=` does. */
export function literal<const T extends Term>(expected: T): Schema<T> {
  return new Schema<T>((term, check) =>
    isEqual(term, expected) ? expected : check.expected(print(expected), term),
  )
}

/** The atoms `nil`, `null` and `undefined`, as null. */
export function nil(): Schema<null> {
  return new Schema<null>((term, check) =>
    isNothing(term) || (term instanceof Atom && term.name === 'null') ? null : check.expected('nil', term),
  )
}
