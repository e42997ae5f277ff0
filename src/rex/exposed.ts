/** The functions that may be called from other nodes. What is not in this table cannot be reached. */
import { wrong } from '../arguments.js'
import { ArgumentError } from '../errors.js'
import { atom } from '../etf/atom.js'
import type { Limits } from '../limits.js'
import type { CallContext } from './context.js'
import { CallerOrder, Gate } from './gate.js'

/** How many arguments a function answers: one number, several, or any. */
export type Arity = number | readonly number[] | 'any'

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any function can be exposed; the caller's terms decide
export type ExposableFunction = (...args: any[]) => unknown

/** What may be said of a function that is exposed. */
export interface CallLimits {
  /** Nodes that may call it, by name or by a test; others get the error `{not_allowed, Node}`. Default: every node. */
  nodes?: readonly string[] | ((node: string) => boolean)
  /** Milliseconds after which a call ends with the error `timeout` and its abort signal fires. */
  timeLimitMs?: number
  /** Calls of it that run at once; further ones wait their turn, at most `limits.maxQueuedCalls` of them. */
  concurrency?: number
  /** `caller`: calls that one process makes to the functions of this module run one after another, in its order. */
  order?: 'caller'
}

export interface FunctionOptions extends CallLimits {
  /** Default: the function's `length`. */
  arity?: Arity
  /** What `beampeer:help/1` tells of it. */
  doc?: string
}

export interface ExposeOptions extends CallLimits {
  /**
   * `terms` (default): arguments are terms, losslessly. `plain`: text for valid UTF-8 binaries, numbers for floats,
   * objects for maps with atom or text keys.
   */
  args?: 'terms' | 'plain'
  /** Options of single functions, by name; they replace those of the module. */
  functions?: Readonly<Record<string, FunctionOptions>>
}

/** Answers calls of functions that are not exposed. See {@link ExposedTable.setFallback}. */
export type Fallback = (
  context: CallContext,
  module: string,
  name: string,
  args: readonly unknown[],
) => unknown

const CONTEXT = Symbol('beampeer.withContext')
const OPTIONS = Symbol('beampeer.options')

interface Marked {
  [CONTEXT]?: true
  [OPTIONS]?: FunctionOptions
}

/**
 * A function that gets the {@link CallContext} of each call as its first argument, which does not count for the arity.
 */
export function withContext<A extends readonly unknown[], R>(
  fn: (context: CallContext, ...args: A) => R,
  options: FunctionOptions = {},
): (context: CallContext, ...args: A) => R {
  const wrapped = function (this: unknown, context: CallContext, ...args: A): R {
    return fn.call(this, context, ...args)
  }
  const marked = wrapped as typeof wrapped & Marked
  marked[CONTEXT] = true
  marked[OPTIONS] = {
    arity: Math.max(0, fn.length - 1),
    ...(fn as typeof fn & Marked)[OPTIONS],
    ...options,
  }
  return wrapped
}

/** A function with options of its own: who may call it, how long, how many at once. */
export function withOptions<F extends ExposableFunction>(fn: F, options: FunctionOptions): F {
  const wrapped = function (this: unknown, ...args: unknown[]): unknown {
    return fn.apply(this, args)
  } as F & Marked
  const { [OPTIONS]: before, [CONTEXT]: context } = fn as F & Marked
  wrapped[OPTIONS] = { arity: fn.length, ...before, ...options }
  if (context) wrapped[CONTEXT] = true
  return wrapped
}

/** A function that answers other arities than its `length` says: variadic, wrapped, or with default values. */
export function withArity<F extends ExposableFunction>(fn: F, arity: Arity): F {
  return withOptions(fn, { arity })
}

export interface ExposedFunction {
  readonly fn: ExposableFunction
  /** The exposed object. */
  readonly self: object
  readonly context: boolean
  readonly plain: boolean
  readonly arity: Arity
  readonly doc: string
  /** What a call has to pass; undefined when there is nothing. */
  readonly gate: Gate | undefined
  /** One of ours that stands for a function of Erlang's: its errors show the arguments, as a BIF's do. */
  readonly bif: boolean
}

/** A function as `exposed()` and `beampeer:help` list it. */
export interface ExposedEntry {
  module: string
  function: string
  arity: Arity
  doc: string
}

type Module = ReadonlyMap<string, ExposedFunction>

export class ExposedTable {
  readonly #modules = new Map<string, Module>()
  readonly #standard = new Map<string, Module>()
  readonly #limits: Pick<Limits, 'maxQueuedCalls'>
  #fallback: Fallback | undefined

  constructor(limits: Pick<Limits, 'maxQueuedCalls'>) {
    this.#limits = limits
  }

  /**
   * Exposes the functions of `functions` as module `name`; a module of that name is replaced whole, and calls that run
   * in it end where they began.
   * @throws ArgumentError `BAD_ARGUMENT` when the object has no function, or a name is no atom; `BAD_OPTION`
   */
  expose(name: string, functions: object, options: ExposeOptions = {}): void {
    this.#modules.set(name, this.#makeModule(name, functions, options, false))
  }

  /** Functions that are answered unless the user exposes some of the same name. */
  exposeStandard(name: string, functions: object): void {
    this.#standard.set(name, this.#makeModule(name, functions, {}, true))
  }

  /** @returns whether there was such a module */
  unexpose(name: string): boolean {
    return this.#modules.delete(name)
  }

  /** What is asked when no function is found; undefined: nothing, the caller gets `undef`. */
  setFallback(fallback: Fallback | undefined): void {
    this.#fallback = fallback
  }

  get fallback(): Fallback | undefined {
    return this.#fallback
  }

  find(module: string, name: string, arity: number): ExposedFunction | undefined {
    const found = this.#modules.get(module)?.get(name)
    if (found !== undefined && answers(found.arity, arity)) return found
    const standard = this.#standard.get(module)?.get(name)
    return standard !== undefined && answers(standard.arity, arity) ? standard : undefined
  }

  has(module: string): boolean {
    return this.#modules.has(module)
  }

  /** What the user exposed; with `node`, what that node may call of it. */
  list(node?: string): ExposedEntry[] {
    const all: ExposedEntry[] = []
    for (const [module, functions] of this.#modules) {
      for (const [name, { arity, doc, gate }] of functions) {
        if (node === undefined || gate === undefined || gate.allows(node)) {
          all.push({ module, function: name, arity, doc })
        }
      }
    }
    return all
  }

  #makeModule(name: string, functions: object, options: ExposeOptions, bif: boolean): Module {
    if (functions === null || !['object', 'function'].includes(typeof functions))
      wrong(`expose ${name}: the functions are an object`, functions)
    const { args, functions: own = {}, ...moduleLimits } = options
    const order = new CallerOrder()
    const module = new Map<string, ExposedFunction>()
    // Names that are no atoms could never be called.
    atom(name)
    for (const [key, fn] of functionsOf(functions)) {
      const marked = fn as ExposableFunction & Marked
      const given = Object.hasOwn(own, key) ? own[key] : undefined
      const all: FunctionOptions = { arity: fn.length, ...moduleLimits, ...marked[OPTIONS], ...given }
      const where = `expose ${name}:${key}`
      atom(key)
      module.set(key, {
        fn,
        self: functions,
        context: marked[CONTEXT] === true,
        plain: args === 'plain',
        arity: checkArity(where, all.arity),
        doc: all.doc ?? '',
        gate: Gate.of(where, all, order, this.#limits.maxQueuedCalls),
        bif,
      })
    }
    if (module.size === 0)
      throw new ArgumentError('BAD_ARGUMENT', `expose ${name}: the object has no functions`)
    for (const key of Object.keys(own)) {
      if (!module.has(key))
        throw new ArgumentError(
          'BAD_OPTION',
          `expose ${name}: options for ${key}, which is no function of it`,
        )
    }
    return module
  }
}

function answers(arity: Arity, count: number): boolean {
  return arity === count || (typeof arity !== 'number' && (arity === 'any' || arity.includes(count)))
}

/** Functions that the object has itself, and those of its class; never what every object inherits. */
function functionsOf(object: object): Map<string, ExposableFunction> {
  const found = new Map<string, ExposableFunction>()
  const ends = new Set<object | null>([null, Object.prototype, Function.prototype, Array.prototype])
  let level: object | null = object
  while (!ends.has(level)) {
    for (const key of Object.getOwnPropertyNames(level)) {
      if (key === 'constructor' || found.has(key)) continue
      const descriptor = Object.getOwnPropertyDescriptor(level, key) as PropertyDescriptor
      // Exports of a module read as plain values here; real getters are not run.
      if (typeof descriptor.value === 'function') found.set(key, descriptor.value as ExposableFunction)
    }
    level = Object.getPrototypeOf(level) as object | null
  }
  return found
}

function checkArity(where: string, arity: Arity | undefined): Arity {
  const valid = (value: number) => Number.isInteger(value) && value >= 0 && value <= 255
  if (arity === 'any' || (typeof arity === 'number' && valid(arity))) return arity
  if (Array.isArray(arity) && arity.length > 0 && (arity as readonly number[]).every(valid))
    return arity as readonly number[]
  throw new ArgumentError('BAD_ARGUMENT', `${where}: an arity is 0 to 255, a list of them, or 'any'`)
}
