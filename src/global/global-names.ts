/** `node.global`: OTP's `global`: names and locks of the whole cluster. Names that are text are the atom of that name. */
import { checkArray, wrong } from '../arguments.js'
import { ArgumentError, NodeError } from '../errors.js'
import { atom, atomName, internAtom, type Atom } from '../etf/atom.js'
import { Pid, type ExportFun } from '../etf/identifiers.js'
import type { Encodable, Term } from '../etf/terms.js'
import { tuple } from '../etf/tuple.js'
import { checkPid } from '../process/address.js'
import { localTerm } from '../process/copy.js'
import { pidOf, type Process } from '../process/process.js'
import { multiCall } from './multi-call.js'
import { NameServer } from './name-server.js'
import type { GlobalOptions } from './options.js'
import type { ResolveFunction, ResolveMethod } from './resolver.js'
import { Transactions } from './transactions.js'

export interface RegisterOptions {
  /**
   * What becomes of two processes of one name when parts of the cluster meet: one is killed (`random_exit_name`, the
   * default), one is told (`random_notify_name`), both are told and the name is free (`notify_all_name`), or a function
   * decides: one of this program, or `exportFun(Module, Function, 3)` on the process's node.
   */
  resolve?: ResolveMethod | ResolveFunction | ExportFun
}

export interface LockOptions {
  /** Where to set it; default this node and all visible ones. */
  nodes?: readonly (string | Atom)[]
  /** Attempts after the first; default: until it is set. */
  retries?: number
  /** The process that holds the lock, which ends with it; default one of the node's own. */
  process?: Process
  /** Ends the wait. */
  signal?: AbortSignal
}

export class GlobalNames {
  readonly #options: GlobalOptions
  readonly #server: NameServer
  readonly #transactions: Transactions

  /** @internal made by the node */
  constructor(options: GlobalOptions) {
    this.#options = options
    this.#server = new NameServer(options)
    const { host, random } = options
    this.#transactions = new Transactions({ host, server: this.#server, random })
  }

  /** `whereis_name/1`. */
  whereis(name: Encodable): Pid | undefined {
    return this.#where(nameTerm(name))
  }

  /** `registered_names/0`. */
  registered(): Term[] {
    return this.#server.names.entries().map(({ name }) => name)
  }

  /**
   * `register_name/3`: a process of any node, on all nodes that this one knows.
   * @returns false when the name is taken, or the process has another name
   * @throws NodeError `NODE_STOPPED`
   */
  async register(name: Encodable, process: Process | Pid, options: RegisterOptions = {}): Promise<boolean> {
    const term = nameTerm(name)
    const pid = checkPid(pidOf(process), 'register')
    return this.#registerIf(term, this.#registerRequest(term, pid, options), () => {
      const [other] = this.#server.names.namesOf(pid)
      if (other === undefined) return true
      this.#options.log.warn(`global: ${pid.key} is to be registered under several names`)
      return false
    })
  }

  /**
   * @internal `register_name_external/3`: for a process of a C node, which has no `global` of its own. The name is this
   * node's to look after: it goes with the process's node, and with this one.
   */
  registerExternal(name: Term, pid: Pid, method: Term | undefined): Promise<boolean> {
    const term = nameTerm(name)
    const resolve = method ?? this.#server.resolver.methodTerm('random_exit_name')
    const request = tuple(atom('register_ext'), term, pid, resolve, this.#options.host.name)
    return this.#registerIf(term, request, () => true)
  }

  #registerIf(name: Term, request: Encodable, allowed: () => boolean): Promise<boolean> {
    return this.#transactions.transAllKnown(async (nodes) => {
      if (this.#where(name) !== undefined || !allowed()) return false
      await multiCall(this.#options.host, this.#transactions.registrar, nodes, request)
      return true
    })
  }

  /** `re_register_name/3`: in place of the process that has the name, if one has. */
  async reRegister(name: Encodable, process: Process | Pid, options: RegisterOptions = {}): Promise<void> {
    const request = this.#registerRequest(nameTerm(name), checkPid(pidOf(process), 'reRegister'), options)
    await this.#transactions.transAllKnown((nodes) =>
      multiCall(this.#options.host, this.#transactions.registrar, nodes, request),
    )
  }

  /** `unregister_name/1`. */
  async unregister(name: Encodable): Promise<void> {
    const term = nameTerm(name)
    if (this.#where(term) === undefined) return
    await this.#transactions.transAllKnown((nodes) =>
      multiCall(this.#options.host, this.#transactions.registrar, nodes, tuple(atom('unregister'), term)),
    )
  }

  /**
   * `send/2`. @returns the process that it was sent to
   * @throws NodeError `GLOBAL_NAME_UNKNOWN`
   */
  send(name: Encodable, message: Encodable): Pid {
    const pid = this.whereis(name)
    if (pid === undefined)
      throw new NodeError('GLOBAL_NAME_UNKNOWN', 'no process is globally registered under this name')
    this.#options.host.send(this.#server.process.pid, pid, message)
    return pid
  }

  /**
   * `set_lock/3`: the lock on `resource` for `requester`, who may set it again; others wait.
   * @returns false when it could not be had in so many attempts
   * @throws the signal's reason; NodeError `NODE_STOPPED`; ArgumentError `BAD_ARGUMENT`
   */
  setLock(resource: Encodable, requester: Encodable, options: LockOptions = {}): Promise<boolean> {
    const { retries = Infinity, signal } = options
    if (!(retries >= 0))
      throw new ArgumentError('BAD_ARGUMENT', `retries is 0 or more, not ${String(retries)}`)
    const id = { resource: nameTerm(resource), requester: nameTerm(requester) }
    return this.#transactions.setLock(this.#holder(options), id, this.#nodes(options), retries, signal)
  }

  /** `del_lock/2`. */
  delLock(resource: Encodable, requester: Encodable, options: LockOptions = {}): Promise<void> {
    const id = { resource: nameTerm(resource), requester: nameTerm(requester) }
    return this.#transactions.delLock(this.#holder(options), id, this.#nodes(options))
  }

  /**
   * `trans/4`: does `work` under a lock.
   * @returns what it returns, or undefined when the lock could not be had (`aborted`)
   */
  async trans<T>(
    resource: Encodable,
    requester: Encodable,
    work: () => T | Promise<T>,
    options: LockOptions = {},
  ): Promise<T | undefined> {
    if (typeof work !== 'function') wrong('what is done under a lock is a function', work)
    const same = { ...options, nodes: this.#nodes(options) }
    if (!(await this.setLock(resource, requester, same))) return undefined
    try {
      return await work()
    } finally {
      await this.delLock(resource, requester, same)
    }
  }

  /** `sync/1`: resolves when names are exchanged with these nodes, by default all visible ones. */
  async sync(nodes?: readonly (string | Atom)[]): Promise<void> {
    const { host } = this.#options
    if (nodes !== undefined) checkArray('the nodes are', nodes)
    const asked = nodes?.map(toAtom) ?? this.#visible()
    return this.#server.syncers.wait(asked.filter((node) => node !== host.name))
  }

  /** @internal `resolve_it/4`, which other nodes call. */
  resolveIt(method: Term, name: Term, first: Term, second: Term): Promise<Term> {
    if (!(first instanceof Pid) || !(second instanceof Pid))
      throw new ArgumentError('BAD_ARGUMENT', 'resolve_it is about two processes')
    return this.#server.resolver.resolveIt(method, name, first, second)
  }

  /** @internal The node is about to stop: its connections go because it goes. */
  prepareShutdown(): void {
    this.#server.prepareShutdown()
    this.#transactions.stop()
  }

  #registerRequest(name: Term, pid: Pid, { resolve = 'random_exit_name' }: RegisterOptions): Encodable {
    return tuple(atom('register'), name, pid, this.#server.resolver.methodTerm(resolve))
  }

  #where(name: Term): Pid | undefined {
    const { host } = this.#options
    const pid = this.#server.names.get(name)?.pid
    // Of our own processes we know before the name server does.
    return pid !== undefined && pid.node === host.name && host.process(pid) === undefined ? undefined : pid
  }

  #holder({ process }: LockOptions): Pid {
    return process?.pid ?? this.#transactions.registrar
  }

  #nodes({ nodes }: LockOptions): Atom[] {
    return nodes?.map(toAtom) ?? [this.#options.host.name, ...this.#visible()]
  }

  #visible(): Atom[] {
    return this.#options.cluster
      .connected()
      .filter(({ hidden }) => !hidden)
      .map(({ node }) => node)
  }
}

function toAtom(node: string | Atom): Atom {
  return typeof node === 'string' ? internAtom(node) : node
}

/** Text is the atom of that name. */
function nameTerm(name: Encodable): Term {
  const term = typeof name === 'string' ? (atom(name) as Term) : localTerm(name)
  if (atomName(term) === 'undefined') throw new ArgumentError('BAD_ARGUMENT', 'undefined is no name')
  return term
}
