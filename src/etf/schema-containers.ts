/** Schemas of terms with parts, and of those that may be one thing or another. */
import { Atom, atomName } from './atom.js'
import { ErlMap } from './map.js'
import { propertyName } from './plain.js'
import { INVALID, isNothing, Schema, schemaOf, type Check } from './schema.js'
import type { StandardSchemaV1 } from './standard-schema.js'
import type { Term } from './terms.js'
import { Tuple } from './tuple.js'

/** Any schema: of this library or, through Standard Schema, of another. */
export type AnySchema<T = unknown> = StandardSchemaV1<unknown, T>

type Output<S> = S extends AnySchema<infer T> ? T : never
type Outputs<S extends readonly AnySchema[]> = { -readonly [I in keyof S]: Output<S[I]> }
export type Fields = Readonly<Record<string, AnySchema>>

/** Names of the fields whose value may be undefined: they are optional properties. */
type OptionalNames<F extends Fields> = { [K in keyof F]: undefined extends Output<F[K]> ? K : never }[keyof F]
type Flatten<T> = { [K in keyof T]: T[K] }

/** What an object of these fields decodes to. */
export type ObjectOf<F extends Fields> = Flatten<
  { -readonly [K in Exclude<keyof F, OptionalNames<F>>]: Output<F[K]> } & {
    -readonly [K in OptionalNames<F>]?: Output<F[K]>
  }
>

/** The outcome that `{ok, Value}` and `{error, Reason}` stand for. */
export type OkOrError<T, E> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E }

/** A proper list of items of one kind. */
export function list<T>(item: AnySchema<T>): Schema<T[]> {
  const schema = schemaOf(item)
  return new Schema<T[]>((term, check) => {
    if (!Array.isArray(term)) return check.expected('a list', term)
    return collect(term, check, () => schema)
  })
}

/** A tuple with these elements, as an array of their values. */
export function tuple<const S extends readonly AnySchema[]>(...items: S): Schema<Outputs<S>> {
  const schemas = items.map((item) => schemaOf(item))
  return new Schema<Outputs<S>>((term, check) => {
    if (!(term instanceof Tuple)) return check.expected(`a tuple of ${schemas.length}`, term)
    if (term.elements.length !== schemas.length) {
      return check.fail(`expected a tuple of ${schemas.length}, got one of ${term.elements.length}`)
    }
    return collect(term.elements, check, (index) => schemas[index] as Schema<unknown>) as
      Outputs<S> | typeof INVALID
  })
}

function collect<T>(
  parts: readonly Term[],
  check: Check,
  schemaAt: (index: number) => Schema<T>,
): T[] | typeof INVALID {
  const values: T[] = []
  let valid = true
  parts.forEach((part, index) => {
    const value = check.at(index, schemaAt(index), part)
    if (value === INVALID) valid = false
    else values.push(value)
  })
  return valid ? values : INVALID
}

/**
 * A record: a tuple of its name and its fields, in this order, as an object.
 *     s.record('user', { name: s.text(), age: s.integer() })     // {user, <<"Ann">>, 33} gives { name: 'Ann', age: 33 }
 */
export function record<const F extends Fields>(name: string, fields: F): Schema<ObjectOf<F>> {
  const names = Object.keys(fields)
  return new Schema<ObjectOf<F>>((term, check) => {
    if (!(term instanceof Tuple) || atomName(term.elements[0]) !== name) {
      return check.expected(`a record ${name}`, term)
    }
    if (term.elements.length !== names.length + 1) {
      return check.fail(
        `expected a record ${name} of ${names.length} fields, got ${term.elements.length - 1}`,
      )
    }
    const values = new Map(names.map((field, index) => [field, term.elements[index + 1] as Term]))
    return readFields(fields, (field) => values.get(field), check)
  })
}

/**
 * An Elixir struct, as an object of its fields: `s.struct('MyApp.User', { name: s.text() })`. Fields not named are
 * left out.
 */
export function struct<const F extends Fields>(name: string, fields: F): Schema<ObjectOf<F>> {
  const module = name.startsWith('Elixir.') ? name : `Elixir.${name}`
  return new Schema<ObjectOf<F>>((term, check) => {
    if (!(term instanceof ErlMap) || atomName(term.get('__struct__')) !== module) {
      return check.expected(`a struct ${module.slice('Elixir.'.length)}`, term)
    }
    return readFields(fields, (field) => getByName(term, field, 'atom'), check)
  })
}

export interface ObjectOptions {
  /** Which keys stand for the fields: atoms, UTF-8 binaries, or either (the default), of which an atom goes first. */
  keys?: 'atom' | 'binary' | 'any'
  /** Entries that no field names: left out (the default) or an error. */
  unknown?: 'strip' | 'error'
}

/** A map with these keys, as an object. */
export function object<const F extends Fields>(fields: F, options: ObjectOptions = {}): Schema<ObjectOf<F>> {
  const { keys = 'any', unknown = 'strip' } = options
  return new Schema<ObjectOf<F>>((term, check) => {
    if (!(term instanceof ErlMap)) return check.expected('a map', term)
    const strange: string[] = []
    if (unknown === 'error') {
      for (const key of term.keys()) {
        const name = propertyName(key)
        if (name === undefined || !Object.hasOwn(fields, name)) strange.push(name ?? 'one that is no name')
      }
    }
    const value = readFields(fields, (field) => getByName(term, field, keys), check)
    return strange.length > 0 ? check.fail(`unknown keys: ${strange.slice(0, 5).join(', ')}`) : value
  })
}

function getByName(map: ErlMap, name: string, keys: 'atom' | 'binary' | 'any'): Term | undefined {
  if (keys === 'any') return map.get(name)
  for (const [key, value] of map) {
    if (propertyName(key) === name && key instanceof Uint8Array === (keys === 'binary')) return value
  }
  return undefined
}

function readFields<F extends Fields>(
  fields: F,
  get: (name: string) => Term | undefined,
  check: Check,
): ObjectOf<F> | typeof INVALID {
  const object: Record<string, unknown> = {}
  let valid = true
  for (const [name, field] of Object.entries(fields)) {
    const schema = schemaOf(field)
    const part = get(name)
    if (part === undefined) {
      if (schema.absent === undefined) {
        valid = false
        check.fail(`missing ${name}`)
      } else setProperty(object, name, schema.absent())
      continue
    }
    const value = check.at(name, schema, part)
    if (value === INVALID) valid = false
    else setProperty(object, name, value)
  }
  return valid ? (object as ObjectOf<F>) : INVALID
}

/** As data, whatever the name; `__proto__` would call a setter. An absent optional value is no property. */
function setProperty(object: Record<string, unknown>, name: string, value: unknown): void {
  if (value === undefined) return
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })
}

/** A map with keys and values of one kind each, as a Map. Equal keys after decoding: the later entry stays. */
export function map<K, V>(key: AnySchema<K>, value: AnySchema<V>): Schema<Map<K, V>> {
  const keySchema = schemaOf(key)
  const valueSchema = schemaOf(value)
  return new Schema<Map<K, V>>((term, check) => {
    if (!(term instanceof ErlMap)) return check.expected('a map', term)
    const result = new Map<K, V>()
    let valid = true
    for (const [itsKey, itsValue] of term) {
      const name = propertyName(itsKey) ?? 'key'
      const k = check.at(name, keySchema, itsKey)
      const v = check.at(name, valueSchema, itsValue)
      if (k === INVALID || v === INVALID) valid = false
      else result.set(k, v)
    }
    return valid ? result : INVALID
  })
}

/**
 * A keyword list (or property list: a bare atom stands for `{Atom, true}`), as an object. Of several values of a key
 * the first counts, as for `Keyword.get` and `proplists`; keys not named are left out.
 */
export function keyword<const F extends Fields>(fields: F): Schema<ObjectOf<F>> {
  return new Schema<ObjectOf<F>>((term, check) => {
    if (!Array.isArray(term)) return check.expected('a keyword list', term)
    const values = new Map<string, Term>()
    for (const item of term as readonly Term[]) {
      const bare = item instanceof Atom || typeof item === 'boolean'
      const pair: readonly Term[] = bare ? [item, true] : item instanceof Tuple ? item.elements : []
      const name = pair.length === 2 ? atomName(pair[0]) : undefined
      if (name === undefined) return check.expected('a keyword list of {atom, value}', item)
      if (!values.has(name)) values.set(name, pair[1] as Term)
    }
    return readFields(fields, (field) => values.get(field), check)
  })
}

/**
 * `{ok, Value}` or `{error, Reason}`, as `{ ok: true, value }` or `{ ok: false, error }`; without a schema for the value
 * also the bare atom `ok`. The reason is any term unless a schema says more.
 */
export function ok(): Schema<OkOrError<undefined, Term>>
export function ok<T>(value: AnySchema<T>): Schema<OkOrError<T, Term>>
export function ok<T, E>(value: AnySchema<T>, error: AnySchema<E>): Schema<OkOrError<T, E>>
export function ok(value?: AnySchema, error?: AnySchema): Schema<OkOrError<unknown, unknown>> {
  const valueSchema = value === undefined ? undefined : schemaOf(value)
  const errorSchema = error === undefined ? undefined : schemaOf(error)
  return new Schema<OkOrError<unknown, unknown>>((term, check) => {
    if (valueSchema === undefined && atomName(term) === 'ok') return { ok: true, value: undefined }
    if (term instanceof Tuple && term.elements.length === 2) {
      const part = term.elements[1] as Term
      if (term.tag === 'ok' && valueSchema !== undefined) {
        const found = check.at('value', valueSchema, part)
        return found === INVALID ? INVALID : { ok: true, value: found }
      }
      if (term.tag === 'error') {
        const reason = errorSchema === undefined ? part : check.at('error', errorSchema, part)
        return reason === INVALID ? INVALID : { ok: false, error: reason }
      }
    }
    return check.expected(`${valueSchema === undefined ? 'ok' : '{ok, Value}'} or {error, Reason}`, term)
  })
}

/** A value that may be absent: the key or field is missing, or the term is `undefined` or `nil`. */
export function optional<T>(schema: AnySchema<T>): Schema<T | undefined> {
  const inner = schemaOf(schema)
  const absent = (): undefined => undefined
  return new Schema<T | undefined>(
    (term, check) => (isNothing(term) ? undefined : inner.check(term, check)),
    absent,
  )
}

/** A value, or null for the atoms `nil`, `null` and `undefined`. */
export function nullable<T>(schema: AnySchema<T>): Schema<T | null> {
  const inner = schemaOf(schema)
  return new Schema<T | null>((term, check) =>
    isNothing(term) || atomName(term) === 'null' ? null : inner.check(term, check),
  )
}

/** The first of these that the term fits. */
export function union<const S extends readonly [AnySchema, ...AnySchema[]]>(
  ...options: S
): Schema<Output<S[number]>> {
  const schemas = options.map((option) => schemaOf(option))
  return new Schema<Output<S[number]>>((term, check) => {
    const reasons: string[] = []
    for (const schema of schemas) {
      const attempt = check.fork()
      const value = schema.check(term, attempt)
      if (value !== INVALID) return value as Output<S[number]>
      reasons.push(attempt.issues[0]?.message ?? 'no match')
    }
    return check.fail(`none of ${schemas.length} alternatives fits: ${reasons.join('; ')}`)
  })
}

/** A schema that is made when first needed: for those that contain themselves. */
export function lazy<T>(make: () => AnySchema<T>): Schema<T> {
  let schema: Schema<T> | undefined
  return new Schema<T>((term, check) => (schema ??= schemaOf(make())).check(term, check))
}
