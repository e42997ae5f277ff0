/** A handle of another node: `node.at('rabbit@host').module('rabbit_vhost').list()`. */
import { checkArray } from '../arguments.js'
import { ArgumentError } from '../errors.js'
import type { Atom } from '../etf/atom.js'
import { atom } from '../etf/atom.js'
import { ExportFun } from '../etf/identifiers.js'
import type { Encodable, Term } from '../etf/terms.js'
import { toAtom, type CallOptions, type Calls } from './calls.js'
import { emitted, type EmitOptions, type EmitTarget } from './emit.js'
import type { Erpc } from './erpc.js'
import type { Rpc } from './rpc.js'

type Args = readonly Encodable[]

/**
 * The functions of a module on another node, as methods that give promises. `T` says their types:
 * `interface Vhosts { list(): Uint8Array[] }`.
 */
export type RemoteModule<T> = {
  readonly [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: T[K] extends (
    ...args: infer A
  ) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never
}

/** Functions of a module whose types nobody gave. */
export type AnyFunctions = Record<string, (...args: Encodable[]) => Term>

/** A call of a batch. */
export type BatchCall = readonly [module: string, name: string, args?: Args]

/** What a handle is made of; a service of the node. */
export interface RemoteNodeParts {
  readonly calls: Calls
  readonly rpc: Rpc
  readonly erpc: Erpc
}

export class RemoteNode {
  readonly name: string
  readonly #node: Atom
  readonly #parts: RemoteNodeParts
  readonly #defaults: CallOptions

  /** @internal made by `ErlangNode.at` */
  constructor(name: string | Atom, parts: RemoteNodeParts, defaults: CallOptions = {}) {
    this.#node = toAtom(name)
    this.name = this.#node.name
    this.#parts = parts
    this.#defaults = defaults
  }

  /** The same node with other defaults for its calls. */
  with(options: CallOptions): RemoteNode {
    return new RemoteNode(this.#node, this.#parts, { ...this.#defaults, ...options })
  }

  /** `erpc:call` at this node. Throws as `erpc.call`. */
  call(module: string, name: string, args: Args = [], options: CallOptions = {}): Promise<Term> {
    return this.#parts.erpc.call(this.#node, module, name, args, { ...this.#defaults, ...options })
  }

  /** `rpc:call` at this node: a thrown term is the value. Throws as `rpc.call`. */
  rpcCall(module: string, name: string, args: Args = [], options: CallOptions = {}): Promise<Term> {
    return this.#parts.rpc.call(this.#node, module, name, args, { ...this.#defaults, ...options })
  }

  cast(module: string, name: string, args: Args = []): void {
    this.#parts.erpc.cast(this.#node, module, name, args)
  }

  /**
   * The functions of a module as methods: each is a call with this handle's options. Elixir's modules have their full
   * name, as in `'Elixir.Enum'`.
   */
  module<T = AnyFunctions>(module: string, options: CallOptions = {}): RemoteModule<T> {
    const methods = new Map<string, (...args: Encodable[]) => Promise<Term>>()
    return new Proxy(Object.create(null) as RemoteModule<T>, {
      get: (_target, name) => {
        // `then` would make the handle itself a promise to whoever awaits it.
        if (typeof name !== 'string' || name === 'then') return undefined
        let method = methods.get(name)
        if (method === undefined)
          methods.set(name, (method = (...args) => this.call(module, name, args, options)))
        return method
      },
    })
  }

  /**
   * One call that maps a function of one argument over a list, with nothing but stdlib on the other side:
   * `lists:map(fun Module:Name/1, Items)`. The first error ends it.
   */
  async map(module: string, name: string, items: Args, options?: CallOptions): Promise<Term[]> {
    return (await this.call(
      'lists',
      'map',
      [exportFun(module, name, 1), items],
      options,
    )) as unknown as Term[]
  }

  /**
   * Several calls in one, one after another, their results in order:
   * `lists:zipwith3(fun erlang:apply/3, Modules, Functions, Args)`. The first error ends it.
   */
  async batch(calls: readonly BatchCall[], options?: CallOptions): Promise<Term[]> {
    checkArray('the calls are', calls)
    for (const call of calls) checkArray('a call is', call)
    const apply = exportFun('erlang', 'apply', 3)
    const modules = calls.map(([module]) => atom(module))
    const names = calls.map(([, name]) => atom(name))
    const args = calls.map(([, , given]) => given ?? [])
    return (await this.call('lists', 'zipwith3', [apply, modules, names, args], options)) as unknown as Term[]
  }

  /**
   * Calls a function that sends its results as messages, `{Ref, Item, continue}` each and `{Ref, finished}` at the end,
   * as RabbitMQ's `emit_info` functions do, and iterates over the items. `args` gets the reference and the pid to tell
   * the function. Leaving the loop ends the process, whose messages are then dropped.
   * @throws what `erpc.call` throws; the signal's reason
   */
  emit(
    module: string,
    name: string,
    args: (target: EmitTarget) => Args,
    options: EmitOptions = {},
  ): AsyncGenerator<Term, void, undefined> {
    const { calls } = this.#parts
    return emitted(calls, this.#node, { module, function: name }, args, { ...this.#defaults, ...options })
  }
}

/** The value `fun Module:Name/Arity`: what it names is called where it is used. */
export function exportFun(module: string, name: string, arity: number): ExportFun {
  if (!Number.isInteger(arity) || arity < 0 || arity > 255) {
    throw new ArgumentError('BAD_ARGUMENT', `an arity is an integer from 0 to 255, not ${arity}`)
  }
  return new ExportFun(atom(module), atom(name), arity)
}
