/** The functions that may be called from other nodes. What is not in this table cannot be reached. */
import { ArgumentError } from '../errors.js'
import type { CallContext } from './context.js'

/** How many arguments a function answers: one number, several, or any. */
export type Arity = number | readonly number[] | 'any'

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any function can be exposed; the caller's terms decide
export type ExposableFunction = (...args: any[]) => unknown

export interface ExposeOptions {
  /**
   * `terms` (default): arguments are terms, losslessly. `plain`: text for valid UTF-8 binaries, numbers for floats,
   * objects for maps with atom or text keys.
   */
  args?: 'terms' | 'plain'
}

const CONTEXT = Symbol('beampeer.withContext')
const ARITY = Symbol('beampeer.arity')

interface Marked {
  [CONTEXT]?: true
  [ARITY]?: Arity
}

/** A function that gets the {@link CallContext} of each call as its first argument; it does not count for the arity. */
export function withContext<A extends readonly unknown[], R>(
  fn: (context: CallContext, ...args: A) => R,
  options: { arity?: Arity } = {},
): (context: CallContext, ...args: A) => R {
  const wrapped = function (this: unknown, context: CallContext, ...args: A): R {
    return fn.call(this, context, ...args)
  }
  const marked = wrapped as typeof wrapped & Marked
  marked[CONTEXT] = true
  marked[ARITY] = options.arity ?? Math.max(0, fn.length - 1)
  return wrapped
}

/** A function that answers other arities than its `length` says: variadic, wrapped, or with default values. */
export function withArity<F extends ExposableFunction>(fn: F, arity: Arity): F {
  const wrapped = function (this: unknown, ...args: unknown[]): unknown {
    return fn.apply(this, args)
  } as F & Marked
  wrapped[ARITY] = arity
  if ((fn as F & Marked)[CONTEXT]) wrapped[CONTEXT] = true
  return wrapped
}

export interface ExposedFunction {
  readonly fn: ExposableFunction
  /** The exposed object. */
  readonly self: object
  readonly context: boolean
  readonly plain: boolean
  readonly arity: Arity
}

export class ExposedTable {
  readonly #modules = new Map<string, Map<string, ExposedFunction>>()

  /**
   * Exposes the functions of `functions` as module `name`; a module of that name is replaced whole.
   * @throws ArgumentError `BAD_ARGUMENT` when the object has no function
   */
  expose(name: string, functions: object, options: ExposeOptions = {}): void {
    const entries = new Map<string, ExposedFunction>()
    for (const [key, fn] of functionsOf(functions)) {
      const marked = fn as ExposableFunction & Marked
      entries.set(key, {
        fn,
        self: functions,
        context: marked[CONTEXT] === true,
        plain: options.args === 'plain',
        arity: checkArity(name, key, marked[ARITY] ?? fn.length),
      })
    }
    if (entries.size === 0) throw new ArgumentError('BAD_ARGUMENT', `expose ${name}: the object has no functions`)
    this.#modules.set(name, entries)
  }

  /** @returns whether there was such a module */
  unexpose(name: string): boolean {
    return this.#modules.delete(name)
  }

  find(module: string, name: string, arity: number): ExposedFunction | undefined {
    const found = this.#modules.get(module)?.get(name)
    if (found === undefined) return undefined
    const { arity: answers } = found
    const matches = answers === 'any' || (typeof answers === 'number' ? answers === arity : answers.includes(arity))
    return matches ? found : undefined
  }

  /** What is exposed: module, function, arity. */
  list(): { module: string; function: string; arity: Arity }[] {
    const all: { module: string; function: string; arity: Arity }[] = []
    for (const [module, functions] of this.#modules) {
      for (const [name, { arity }] of functions) all.push({ module, function: name, arity })
    }
    return all
  }
}

/** Functions that the object has itself, and those of its class; never what every object inherits. */
function functionsOf(object: object): Map<string, ExposableFunction> {
  const found = new Map<string, ExposableFunction>()
  const prototypes = new Set<object>([Object.prototype, Function.prototype, Array.prototype])
  for (let level: object | null = object; level !== null && !prototypes.has(level); level = Object.getPrototypeOf(level) as object | null) {
    for (const key of Object.getOwnPropertyNames(level)) {
      if (key === 'constructor' || found.has(key)) continue
      const descriptor = Object.getOwnPropertyDescriptor(level, key) as PropertyDescriptor
      // Module namespaces have getters-like live bindings that read as plain values; real getters are not run.
      if (typeof descriptor.value === 'function') found.set(key, descriptor.value as ExposableFunction)
    }
  }
  return found
}

function checkArity(module: string, name: string, arity: Arity): Arity {
  const valid = (value: number) => Number.isInteger(value) && value >= 0 && value <= 255
  if (arity === 'any' || (typeof arity === 'number' ? valid(arity) : arity.length > 0 && arity.every(valid))) return arity
  throw new ArgumentError('BAD_ARGUMENT', `expose ${module}:${name}: an arity is 0 to 255, a list of them, or 'any'`)
}

