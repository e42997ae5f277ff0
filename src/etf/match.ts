/**
 * Choosing by the form of a term, as `case … of` and `receive` do, with types inferred from schemas:
 *
 *     const text = match(reply)
 *       .with(s.tuple(s.atom('ok'), s.text()), ([, text]) => text)
 *       .with(s.tuple(s.atom('error'), s.any()), ([, reason]) => print(reason))
 *       .otherwise(() => 'neither')
 *
 * {@link matcher} makes a function of the same choices, to be used again and again in a receive loop.
 */
import { EtfError } from '../errors.js'
import { print } from './print.js'
import { Check, INVALID, schemaOf, type Schema } from './schema.js'
import type { AnySchema } from './schema-containers.js'
import type { Term } from './terms.js'

/** The choices for one term. `R` is what the handlers so far return. */
export interface Match<R> {
  /** Runs `handler` if the term fits the schema and no earlier choice did. */
  with<T, U>(schema: AnySchema<T>, handler: (value: T, term: Term) => U): Match<R | U>
  /** What the choice made, or else what `handler` makes of the term. */
  otherwise<U>(handler: (term: Term) => U): R | U
  /** What the choice made. @throws EtfError `ETF_NO_MATCH` if there was none */
  orThrow(): R
}

/** Choices for terms to come. */
export interface Matcher<R> {
  with<T, U>(schema: AnySchema<T>, handler: (value: T, term: Term) => U): Matcher<R | U>
  otherwise<U>(handler: (term: Term) => U): (term: Term) => R | U
  /** A function that throws EtfError `ETF_NO_MATCH` for a term that no choice fits. */
  orThrow(): (term: Term) => R
}

interface Choice {
  readonly schema: Schema<unknown>
  readonly handler: (value: never, term: Term) => unknown
}

/** Starts the choices for `term`: see {@link Match}. */
export function match(term: Term): Match<never> {
  return new Choices([], term)
}

/** Starts choices for terms to come: see {@link Matcher}. */
export function matcher(): Matcher<never> {
  return new Pending([])
}

function choose(choices: readonly Choice[], term: Term, otherwise: (term: Term) => unknown): unknown {
  for (const { schema, handler } of choices) {
    const value = schema.check(term, new Check())
    if (value !== INVALID) return handler(value as never, term)
  }
  return otherwise(term)
}

function noMatch(term: Term): never {
  const text = print(term)
  throw new EtfError('ETF_NO_MATCH', `no choice fits ${text.length > 200 ? `${text.slice(0, 200)}…` : text}`)
}

class Choices<R> implements Match<R> {
  readonly #choices: readonly Choice[]
  readonly #term: Term

  constructor(choices: readonly Choice[], term: Term) {
    this.#choices = choices
    this.#term = term
  }

  with<T, U>(schema: AnySchema<T>, handler: (value: T, term: Term) => U): Match<R | U> {
    return new Choices<R | U>([...this.#choices, { schema: schemaOf(schema), handler }], this.#term)
  }

  otherwise<U>(handler: (term: Term) => U): R | U {
    return choose(this.#choices, this.#term, handler) as R | U
  }

  orThrow(): R {
    return choose(this.#choices, this.#term, noMatch) as R
  }
}

class Pending<R> implements Matcher<R> {
  readonly #choices: readonly Choice[]

  constructor(choices: readonly Choice[]) {
    this.#choices = choices
  }

  with<T, U>(schema: AnySchema<T>, handler: (value: T, term: Term) => U): Matcher<R | U> {
    return new Pending<R | U>([...this.#choices, { schema: schemaOf(schema), handler }])
  }

  otherwise<U>(handler: (term: Term) => U): (term: Term) => R | U {
    return (term) => choose(this.#choices, term, handler) as R | U
  }

  orThrow(): (term: Term) => R {
    return (term) => choose(this.#choices, term, noMatch) as R
  }
}
