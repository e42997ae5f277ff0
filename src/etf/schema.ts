/**
 * Schemas: typed views of terms. A schema checks a term and makes plain JavaScript of it, and its type is inferred:
 *
 *     const reply = s.ok(s.object({ name: s.text(), tags: s.list(s.atom()) }))
 *     type Reply = Infer<typeof reply>     // { ok: true; value: { name: string; tags: string[] } } | { ok: false; … }
 *     reply.decode(term)                   // or throws EtfSchemaError, which tells the path: .value.tags[2]
 *
 * Each schema is a Standard Schema; and wherever a schema is asked for, one of another library will do: it is given the
 * term as plain JavaScript (plain.ts), behind `pipe` what the schema before it made.
 */
import { EtfError } from '../errors.js'
import { DEFAULT_LIMITS } from '../limits.js'
import { toPlain } from './plain.js'
import { print } from './print.js'
import type { StandardResult, StandardSchemaV1 } from './standard-schema.js'
import type { Term } from './terms.js'

/** One thing that is wrong with a term. */
export interface SchemaIssue {
  readonly message: string
  /** Steps from the term to its wrong part: element numbers from 0, names of fields and keys. */
  readonly path: readonly PropertyKey[]
}

/** A term that does not have the form a schema asks for. Code `ETF_SCHEMA`. */
export class EtfSchemaError extends EtfError {
  readonly issues: readonly SchemaIssue[]

  constructor(issues: readonly SchemaIssue[]) {
    const [first] = issues as [SchemaIssue]
    const path = formatPath(first.path)
    const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : ''
    super('ETF_SCHEMA', `${path === '' ? '' : `at ${path}: `}${first.message}${more}`, { path })
    this.issues = issues
  }
}

/** A path as JavaScript writes it: `.value.tags[2]`. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((step) =>
      typeof step === 'number'
        ? `[${step}]`
        : /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(String(step))
          ? `.${String(step)}`
          : `[${JSON.stringify(String(step))}]`,
    )
    .join('')
}

/** What a check returns in place of a value; the issues are in its {@link Check}. */
export const INVALID: unique symbol = Symbol('invalid')

/** The state of one run of a schema: where it is, and what was found wrong. */
export class Check {
  readonly issues: SchemaIssue[] = []
  readonly #path: PropertyKey[] = []
  readonly #maxDepth = DEFAULT_LIMITS.maxViewDepth

  fail(message: string): typeof INVALID {
    this.issues.push({ message, path: [...this.#path] })
    return INVALID
  }

  /** Fails with what was expected and a short form of what was there. */
  expected(what: string, got: unknown): typeof INVALID {
    return this.fail(`expected ${what}, got ${brief(got)}`)
  }

  /** Runs a schema on a part of the term. */
  at<T>(step: PropertyKey, schema: Schema<T>, part: Term): T | typeof INVALID {
    if (this.#path.length >= this.#maxDepth) return this.fail('nested too deeply')
    this.#path.push(step)
    const value = schema.check(part, this)
    this.#path.pop()
    return value
  }

  /** Adds the issues of another library, found here. */
  adopt(
    issues: readonly {
      message: string
      path?: readonly (PropertyKey | { key: PropertyKey })[] | undefined
    }[],
  ): typeof INVALID {
    for (const { message, path = [] } of issues) {
      const steps = path.map((step) => (typeof step === 'object' ? step.key : step))
      this.issues.push({ message, path: [...this.#path, ...steps] })
    }
    return INVALID
  }

  /** A check of its own for an alternative that may fail, from the same place. */
  fork(): Check {
    const check = new Check()
    check.#path.push(...this.#path)
    return check
  }
}

/** Longest text of a value in a message. */
const BRIEF_CHARACTERS = 60

function brief(value: unknown): string {
  let text: string
  try {
    text = print(value as Term, { printable: 'unicode' })
  } catch {
    text = typeof value
  }
  return text.length > BRIEF_CHARACTERS ? `${text.slice(0, BRIEF_CHARACTERS)}…` : text
}

/** Checks terms and decodes them to `T`. Made by the functions of `s`. */
export class Schema<T> implements StandardSchemaV1<unknown, T> {
  /** @internal the value, or INVALID with issues in `check` */
  readonly check: (term: Term, check: Check) => T | typeof INVALID
  /** The value when a key or field is absent; undefined for schemas that need one. */
  readonly absent: (() => T) | undefined

  /** @internal */
  constructor(check: (term: Term, check: Check) => T | typeof INVALID, absent?: (() => T) | undefined) {
    this.check = check
    this.absent = absent
  }

  /** The term as a `T`. @throws EtfSchemaError `ETF_SCHEMA` with all that is wrong and where */
  decode(term: Term): T {
    const result = this.safeDecode(term)
    if (result.issues !== undefined) throw new EtfSchemaError(result.issues)
    return result.value
  }

  /** The term as a `T`, or what is wrong with it; never throws. */
  safeDecode(
    term: Term,
  ): { readonly value: T; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] } {
    const check = new Check()
    const value = this.check(term, check)
    return value === INVALID ? { issues: check.issues } : { value }
  }

  get '~standard'(): StandardSchemaV1<unknown, T>['~standard'] {
    return {
      version: 1,
      vendor: 'beampeer',
      validate: (value: unknown): StandardResult<T> => this.safeDecode(value as Term),
    }
  }

  /** The same with what it decodes to turned into something else; what `change` throws becomes an issue. */
  transform<U>(change: (value: T) => U): Schema<U> {
    const { absent } = this
    return new Schema<U>(
      (term, check) => {
        const value = this.check(term, check)
        if (value === INVALID) return INVALID
        try {
          return change(value)
        } catch (error) {
          return check.fail(error instanceof Error ? error.message : String(error))
        }
      },
      absent === undefined ? undefined : () => change(absent()),
    )
  }

  /** Only values that pass the test. */
  refine(test: (value: T) => boolean, message = 'the value is not allowed'): Schema<T> {
    return new Schema<T>((term, check) => {
      const value = this.check(term, check)
      return value === INVALID || test(value) ? value : check.fail(message)
    }, this.absent)
  }

  /** What this decodes to, checked further by a schema of any library. */
  pipe<U>(next: StandardSchemaV1<unknown, U>): Schema<U> {
    return new Schema<U>((term, check) => {
      const value = this.check(term, check)
      return value === INVALID ? INVALID : validate(next, value, check)
    })
  }

  /** A value for an absent key or field, and for the atoms `undefined` and `nil`. */
  default(value: T): Schema<T> {
    const orElse = (): T => value
    return new Schema<T>((term, check) => (isNothing(term) ? value : this.check(term, check)), orElse)
  }
}

/** Whether a term is one of the atoms that say that there is no value. */
export function isNothing(term: unknown): boolean {
  const name = term instanceof Object && 'name' in term ? term.name : undefined
  return name === 'undefined' || name === 'nil'
}

function validate<U>(schema: StandardSchemaV1<unknown, U>, value: unknown, check: Check): U | typeof INVALID {
  const result = schema['~standard'].validate(value)
  if (result instanceof Promise) {
    // Its outcome is not waited for: it must not go unhandled either.
    result.catch(() => undefined)
    return check.fail(
      `a schema of ${schema['~standard'].vendor} answers asynchronously, which decoding cannot wait for`,
    )
  }
  return result.issues === undefined ? result.value : check.adopt(result.issues)
}

/** A schema of this library as it is; one of another library made to take terms, as plain JavaScript. */
export function schemaOf<T>(schema: StandardSchemaV1<unknown, T>): Schema<T> {
  if (schema instanceof Schema) return schema as Schema<T>
  return new Schema<T>((term, check) => {
    let value: unknown
    try {
      value = toPlain(term, { atoms: 'text' })
    } catch (error) {
      if (error instanceof EtfError) return check.fail(error.message)
      throw error
    }
    return validate(schema, value, check)
  })
}
