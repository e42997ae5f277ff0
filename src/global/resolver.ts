/**
 * Conflicts: two processes of one name, found when nodes that were apart meet. Of the two nodes the lesser asks the node
 * of its own process to decide (`global:resolve_it/4` there), with the function that the name was registered with.
 */
import type { Atom } from '../etf/atom.js'
import { atom, atomName } from '../etf/atom.js'
import { compare } from '../etf/compare.js'
import { ExportFun, Pid } from '../etf/identifiers.js'
import { print } from '../etf/print.js'
import type { Encodable, Term } from '../etf/terms.js'
import { isTuple, tuple } from '../etf/tuple.js'
import { ArgumentError } from '../errors.js'
import type { Names } from './names.js'
import type { NameEntry, Op } from './wire.js'

/** Decides which process keeps the name, or that none does. */
export type ResolveFunction = (name: Term, first: Pid, second: Pid) => Pid | 'none' | Promise<Pid | 'none'>

export type ResolveMethod = 'random_exit_name' | 'random_notify_name' | 'notify_all_name'

export interface ResolverOptions {
  node: Atom
  names: Names
  /** Calls a function of another node, or an exposed one of this. Rejects when it cannot. */
  call(node: Atom, module: string, name: string, args: readonly Encodable[]): Promise<Term>
  send(to: Pid, message: Encodable): void
  kill(pid: Pid): void
  info(message: string): void
}

const METHODS: readonly string[] = [
  'random_exit_name',
  'random_notify_name',
  'notify_all_name',
] satisfies ResolveMethod[]

/** Module under which functions that are given as such are registered; only this node knows them. */
const FUNCTIONS = 'beampeer_global'

function badMethod(method: unknown): ArgumentError {
  const what = method instanceof ExportFun ? `one of arity ${method.arity}` : typeof method
  return new ArgumentError(
    'BAD_ARGUMENT',
    `resolve is ${METHODS.join(', ')}, a function, or an exported function of arity 3, not ${typeof method === 'string' ? method : what}`,
  )
}

export class Resolver {
  readonly #options: () => ResolverOptions
  readonly #functions = new Map<string, ResolveFunction>()

  constructor(options: () => ResolverOptions) {
    this.#options = options
  }

  /**
   * The term that stands for a way of deciding.
   * @throws ArgumentError `BAD_ARGUMENT` for what is none, which would fail unseen, and only when there is a conflict
   */
  methodTerm(method: ResolveMethod | ResolveFunction | ExportFun): Term {
    if (method instanceof ExportFun && method.arity === 3) return method
    if (typeof method === 'string' && METHODS.includes(method))
      return new ExportFun(atom('global'), atom(method), 3)
    if (typeof method !== 'function') throw badMethod(method)
    for (const [id, known] of this.#functions) {
      if (known === method) return new ExportFun(atom(FUNCTIONS), atom(id), 3)
    }
    const id = `resolve_${this.#functions.size + 1}`
    this.#functions.set(id, method)
    return new ExportFun(atom(FUNCTIONS), atom(id), 3)
  }

  /**
   * What another node's names change: `ops` here, `resolved` there (`exchange_names/4`).
   */
  async exchangeNames(node: Atom, theirs: readonly NameEntry[]): Promise<{ ops: Op[]; resolved: Op[] }> {
    const { names, node: me } = this.#options()
    const ops: Op[] = []
    const resolved: Op[] = []
    for (const entry of theirs) {
      const ours = names.get(entry.name)
      if (ours === undefined) ops.push({ type: 'insert', entry })
      // Of two nodes one decides: the lesser.
      else if (!ours.pid.equals(entry.pid) && compare(me, node) < 0) {
        const kept = await this.#decide(ours, entry)
        if (kept === entry) ops.push({ type: 'insert', entry })
        else if (kept === ours) resolved.push({ type: 'insert', entry: ours })
        else {
          ops.push({ type: 'delete', name: entry.name })
          resolved.push({ type: 'delete', name: entry.name })
        }
      }
    }
    return { ops, resolved }
  }

  async #decide(ours: NameEntry, theirs: NameEntry): Promise<NameEntry | undefined> {
    const { node, call, info } = this.#options()
    const { method, name } = ours
    let result: Term
    try {
      result =
        ours.pid.node === node
          ? await this.resolveIt(method, name, theirs.pid, ours.pid)
          : await call(ours.pid.node, 'global', 'resolve_it', [method, name, theirs.pid, ours.pid])
    } catch (error) {
      info(`global: the node of a conflicting name could not be asked: ${String(error)}`)
      return theirs
    }
    if (theirs.pid.equals(result)) return theirs
    if (ours.pid.equals(result)) return ours
    // What rpc:call answers for a method that failed, or that says so itself: the other node's process is kept.
    if (isTuple(result, 'badrpc', 2) || isTuple(result, 'EXIT', 2)) {
      info(
        `global: the resolve method of a conflicting name failed: ${print(result, { maxCharacters: 500 })}`,
      )
      return theirs
    }
    if (atomName(result) !== 'none') info('global: a resolve method decided for neither process')
    return undefined
  }

  /** `global:resolve_it/4`: decides between processes, of which one is of this node. `{'EXIT', …}` when it throws. */
  async resolveIt(method: Term, name: Term, first: Pid, second: Pid): Promise<Term> {
    const failed = tuple(atom('EXIT'), atom('undef')) as Term
    if (!(method instanceof ExportFun) || method.arity !== 3) return failed
    const module = atomName(method.module) as string
    const id = atomName(method.function) as string
    try {
      if (module === 'global') return this.#builtIn(id, name, first, second) ?? failed
      const own = module === FUNCTIONS ? this.#functions.get(id) : undefined
      if (own === undefined) {
        const { call, node } = this.#options()
        return await call(node, module, id, [name, first, second])
      }
      const kept = await own(name, first, second)
      return kept instanceof Pid ? kept : atom('none')
    } catch (error) {
      this.#options().info(`global: the resolve method ${module}:${id}/3 failed: ${String(error)}`)
      return failed
    }
  }

  #builtIn(method: string, name: Term, first: Pid, second: Pid): Term | undefined {
    const { send, kill, info } = this.#options()
    const [least, greatest] = compare(first.node, second.node) < 0 ? [first, second] : [second, first]
    const conflict = atom('global_name_conflict')
    switch (method) {
      case 'random_exit_name':
        info(`global: name conflict, terminating ${greatest.key}`)
        kill(greatest)
        return least
      case 'random_notify_name':
        send(greatest, tuple(conflict, name))
        return least
      case 'notify_all_name':
        send(first, tuple(conflict, name, second))
        send(second, tuple(conflict, name, first))
        return atom('none')
      default:
        return undefined
    }
  }
}
