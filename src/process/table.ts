/**
 * The processes of this node: who is alive, what signals do to them, and what they send. Follows the chapter
 * "Processes" of the Erlang reference manual and the BEAM's own handling of signals from the distribution.
 *
 * Signals to processes of this node go through one queue that is served in turn after the code that sent them, so a
 * cascade of exits is a loop and never a recursion; signals to other nodes go to the outlet at once. Either way the order between two processes is
 * that of sending.
 */
import { EtfError, NodeError } from '../errors.js'
import { Atom, atom, internAtom } from '../etf/atom.js'
import { decode } from '../etf/decode.js'
import { encode } from '../etf/encode.js'
import { Pid, Reference } from '../etf/identifiers.js'
import { print } from '../etf/print.js'
import type { Encodable, Term } from '../etf/terms.js'
import { Tuple, tuple } from '../etf/tuple.js'
import type { Name, SignalIn, SignalOut } from '../dist/signals.js'
import type { Limits } from '../limits.js'
import type { Destination, Host, ProcessHandler, SpawnedRequest, SpawnOptions } from './host.js'
import { IdAllocator, pidNumber } from './ids.js'
import { LinkTable } from './links.js'
import { toExitReason } from './erlang-error.js'
import { Process, type AliasMode, type MonitorOptions, type PendingSpawn } from './process.js'
import { Registry } from './registry.js'
import { receiveSignal } from './receive-signal.js'

/** Takes signals to other nodes. */
export interface Outlet {
  /**
   * Queues a signal to `node`, connecting if need be.
   * @returns false when the queue is over the busy limit
   * @throws EtfError for what the peer cannot carry
   */
  send(signal: SignalOut, node: Atom): boolean
}

export interface ProcessTableOptions {
  name: Atom
  creation: number
  limits: Limits
  outlet: Outlet
  /** Told of errors that have no one to go to: a handler that threw, a reason that could not be encoded. */
  onError(error: unknown, where: string): void
  /** Seed for references, so that two incarnations differ even if EPMD gave both one creation. */
  seed?: readonly [number, number]
}

/** Signals served before the queue is cut. */
const SERVED_SLICE = 4096

const NORMAL = internAtom('normal')
const NOCONNECTION = internAtom('noconnection')
const KILL = internAtom('kill')
const KILLED = internAtom('killed')
const DOWN = internAtom('DOWN')
const EXIT = internAtom('EXIT')
const PROCESS = internAtom('process')
const SPAWN_REPLY = internAtom('spawn_reply')

export class ProcessTable implements Host {
  readonly limits: Limits
  readonly registry = new Registry()
  /** @internal */ ids: IdAllocator
  /** @internal */ spawnStarter: ((spawned: SpawnedRequest) => void) | undefined
  /** @internal monitors by registered name, by reference: the name may since mean another process */
  readonly namedWatchers = new Map<number | string, Process>()

  readonly #options: ProcessTableOptions
  readonly #processes = new Map<number, Process>()
  readonly #related = new Map<Atom, Set<Process>>()
  readonly #aliases = new Map<number | string, Process>()
  readonly #spawnRequests = new Map<number | string, PendingSpawn>()
  readonly #nodeListeners = new Set<(event: { type: 'nodeup' | 'nodedown'; node: Atom; reason?: Term }) => void>()
  readonly #localQueue: SignalIn[] = []
  #serving = false
  #scheduled = false
  #groupLeader: Pid | undefined

  constructor(options: ProcessTableOptions) {
    this.#options = options
    this.limits = options.limits
    this.ids = new IdAllocator(options.name, options.creation, 1, options.seed)
  }

  get name(): Atom {
    return this.ids.node
  }

  get creation(): number {
    return this.ids.creation
  }

  /**
   * This node has another name and creation from now on (a dynamic name given, or lost): the pids of its processes
   * change with it, as a BEAM's do.
   */
  rename(name: Atom, creation: number): void {
    this.ids = this.ids.renamed(name, creation)
    for (const process of this.#processes.values()) {
      const { id, serial } = process.pid
      process.rename(new Pid(name, id, serial, creation))
    }
    if (this.#groupLeader !== undefined) {
      this.#groupLeader = new Pid(name, this.#groupLeader.id, this.#groupLeader.serial, creation)
    }
  }

  get processCount(): number {
    return this.#processes.size
  }

  get groupLeader(): Pid {
    if (this.#groupLeader === undefined) throw new NodeError('NODE_NOT_STARTED', 'the node has no group leader yet')
    return this.#groupLeader
  }

  setGroupLeader(pid: Pid): void {
    this.#groupLeader = pid
  }

  makeReference(): Reference {
    return this.ids.nextReference()
  }

  process(pid: Pid): Process | undefined {
    return pid.node === this.name && pid.creation === this.creation ? this.#processes.get(pidNumber(pid)) : undefined
  }

  processes(): Pid[] {
    return [...this.#processes.values()].map((process) => process.pid)
  }

  // --- spawning and ending ---

  spawn(body: (self: Process) => unknown, options: SpawnOptions = {}): Process {
    const process = this.create(undefined, options)
    this.run(process, body)
    return process
  }

  spawnHandler(handler: ProcessHandler, options: SpawnOptions = {}): Process {
    return this.create(handler, options)
  }

  /** Runs `body` as the code of `process`, from the next turn of the microtask queue. */
  run(process: Process, body: (self: Process) => unknown): void {
    queueMicrotask(() => {
      if (!process.alive) return
      let result: unknown
      try {
        result = body(process)
      } catch (error) {
        this.terminate(process, this.reasonOf(error))
        return
      }
      if (!isPromiseLike(result)) {
        this.terminate(process, NORMAL)
        return
      }
      result.then(
        () => this.terminate(process, NORMAL),
        (error: unknown) => this.terminate(process, this.reasonOf(error)),
      )
    })
  }

  /** @internal A process that is not running yet. */
  create(handler: ProcessHandler | undefined, options: SpawnOptions): Process {
    if (this.#processes.size >= this.limits.maxProcesses) {
      throw new NodeError('PROCESS_LIMIT', `this node has ${this.limits.maxProcesses} processes (limit maxProcesses)`)
    }
    const pid = this.ids.nextPid((number) => this.#processes.has(number))
    const process = new Process(this, pid, options.groupLeader ?? this.#groupLeader ?? pid, handler, options)
    if (options.name !== undefined) this.registry.register(options.name, process)
    this.#processes.set(pidNumber(pid), process)
    return process
  }

  /**
   * Ends a process for everyone else, at once. Does nothing when it has ended already. `fallback` gives the reason for
   * a receiver whose node cannot carry `reason`, or when that is no term at all.
   */
  terminate(process: Process, reason: Encodable, fallback: (error: unknown) => Encodable = toExitReason): void {
    if (!process.alive) return
    const pid = process.pid
    process.markDead(reason)
    this.#processes.delete(pidNumber(pid))
    if (process.registeredName !== undefined) this.registry.unregister(process.registeredName)
    for (const key of process.aliases?.keys() ?? []) this.#aliases.delete(key)
    for (const node of process.relatedNodes ?? []) this.#related.get(node)?.delete(process)
    for (const link of process.links?.values() ?? []) {
      if (!link.active) continue
      this.#sendReason(reason, fallback, link.pid.node, (sent) => ({ type: 'exit', from: pid, to: link.pid, reason: sent }))
    }
    for (const [key, watcher] of process.watchers ?? []) {
      if (watcher.name !== undefined) this.namedWatchers.delete(key)
      const from = watcher.name ?? pid
      const { ref, watcher: to } = watcher
      this.#sendReason(reason, fallback, to.node, (sent) => ({ type: 'monitorExit', from, to, ref, reason: sent }))
    }
    for (const { ref, target } of process.monitors?.values() ?? []) this.#sendDemonitor(pid, ref, target)
    for (const request of process.spawnRequests?.values() ?? []) request.abandoned = true
    process.links = process.monitors = process.watchers = process.aliases = process.spawnRequests = undefined
    try {
      process.handler?.exited?.(reason)
    } catch (error) {
      this.#options.onError(error, `exit handler of ${pid.toString()}`)
    }
  }

  // --- names ---

  register(name: Atom | string, process: Process | Pid): void {
    const found = process instanceof Pid ? this.process(process) : process
    if (found === undefined) throw new NodeError('PROCESS_NOT_ALIVE', `register ${name}: no such process on this node`)
    this.registry.register(name, found)
  }

  unregister(name: Atom | string): boolean {
    return this.registry.unregister(name)
  }

  whereis(name: Atom | string): Pid | undefined {
    return this.registry.whereis(name)?.pid
  }

  registered(): Atom[] {
    return this.registry.names()
  }

  // --- signals out ---

  send(from: Pid, to: Destination, message: Encodable): boolean {
    if (to instanceof Process) to = to.pid
    if (to instanceof Pid) return this.#route({ type: 'send', from, to, message }, to.node)
    if (to instanceof Reference) return this.#route({ type: 'aliasSend', from, to, message }, to.node)
    if (typeof to === 'string' || to instanceof Atom) {
      const process = this.registry.whereis(to)
      if (process === undefined) throw new NodeError('PROCESS_NAME_UNKNOWN', `no process is registered as ${to}`)
      return this.#route({ type: 'send', from, to: process.pid, message }, this.name)
    }
    const name = nameOf(to.name)
    return this.#route({ type: 'regSend', from, to: name, message }, internAtom(textOf(to.node)))
  }

  sendExit(from: Pid, to: Pid, reason: Encodable): void {
    this.#route({ type: 'exit2', from, to, reason }, to.node)
  }

  /** Sends a signal that some service composed itself. */
  signal(signal: SignalOut, node: Atom): boolean {
    return this.#route(signal, node)
  }

  link(process: Process, to: Pid): void {
    if (to.equals(process.pid)) return
    process.links ??= new LinkTable()
    if (!process.links.linking(to)) return
    this.relate(process, to.node)
    this.#route({ type: 'link', from: process.pid, to }, to.node)
  }

  unlink(process: Process, from: Pid): void {
    const id = process.links?.unlinking(from)
    if (id !== undefined) this.#route({ type: 'unlinkId', id, from: process.pid, to: from }, from.node)
  }

  monitor(
    process: Process,
    to: Pid | Process | Atom | string | { name: Atom | string; node: Atom | string },
    options: MonitorOptions,
  ): Reference {
    const ref = this.makeReference()
    const key = this.ids.referenceKey(ref)
    if (to instanceof Process) to = to.pid
    const target =
      to instanceof Pid
        ? to
        : typeof to === 'string' || to instanceof Atom
          ? { name: nameOf(to), node: this.name }
          : { name: nameOf(to.name), node: internAtom(textOf(to.node)) }
    process.monitors ??= new Map()
    process.monitors.set(key, options.alias === undefined ? { ref, target } : { ref, target, alias: options.alias })
    if (options.alias !== undefined) this.#addAlias(process, ref, options.alias)
    this.relate(process, target.node)
    const signalTo = target instanceof Pid ? target : target.name
    this.#route({ type: 'monitor', from: process.pid, to: signalTo, ref }, target.node)
    return ref
  }

  demonitor(process: Process, ref: Reference): boolean {
    const key = this.ids.referenceKey(ref)
    const found = process.monitors?.get(key)
    if (found === undefined) return false
    process.monitors?.delete(key)
    if (found.alias !== undefined && found.alias !== 'explicit_unalias') this.unalias(process, ref)
    this.#sendDemonitor(process.pid, ref, found.target)
    return true
  }

  /** Removes a `'DOWN'` message of this monitor from the mailbox. */
  flushDown(process: Process, ref: Reference): void {
    if (process.handler !== undefined) return
    process.mailbox.flush(
      (message) =>
        message instanceof Tuple && message.elements[0] === DOWN && ref.equals(message.elements[1]) && message.size === 5,
    )
  }

  alias(process: Process, mode: AliasMode): Reference {
    const ref = this.makeReference()
    this.#addAlias(process, ref, mode)
    return ref
  }

  unalias(process: Process, ref: Reference): boolean {
    const key = this.ids.referenceKey(ref)
    if (process.aliases?.delete(key) !== true) return false
    this.#aliases.delete(key)
    return true
  }

  /** @internal The process and mode of an active alias. */
  aliased(ref: Reference): { process: Process; mode: AliasMode } | undefined {
    const key = this.ids.referenceKey(ref)
    const process = this.#aliases.get(key)
    const mode = process?.aliases?.get(key)
    return process === undefined || mode === undefined ? undefined : { process, mode }
  }

  // --- spawn requests ---

  setSpawnStarter(starter: (spawned: SpawnedRequest) => void): void {
    this.spawnStarter = starter
  }

  spawnRequest(
    from: Process,
    node: Atom | string,
    mfa: { module: Name; function: Name; args: readonly Encodable[] },
    options: readonly Encodable[],
    groupLeader: Pid = from.groupLeader,
  ): Reference {
    const ref = this.makeReference()
    const target = internAtom(textOf(node))
    const key = this.ids.referenceKey(ref)
    const pending: PendingSpawn = { ref, process: from, node: target, abandoned: false }
    this.#spawnRequests.set(key, pending)
    from.spawnRequests ??= new Map()
    from.spawnRequests.set(key, pending)
    this.relate(from, target)
    try {
      this.#route(
        {
          type: 'spawnRequest',
          ref,
          from: from.pid,
          groupLeader,
          module: mfa.module,
          function: mfa.function,
          arity: mfa.args.length,
          options,
          args: mfa.args,
        },
        target,
      )
    } catch (error) {
      this.takeSpawnRequest(ref)
      throw error
    }
    return ref
  }

  /**
   * Gives up a spawn request (`erlang:spawn_request_abandon/1`) and the monitor that came of it: nothing of it
   * reaches the requester any more.
   */
  abandonSpawn(process: Process, ref: Reference): void {
    const pending = this.#spawnRequests.get(this.ids.referenceKey(ref))
    if (pending !== undefined) pending.abandoned = true
    else this.demonitor(process, ref)
  }

  /** @internal A spawn reply came: the request it answers, forgotten from now on. */
  takeSpawnRequest(ref: Reference): PendingSpawn | undefined {
    const key = this.ids.referenceKey(ref)
    const found = this.#spawnRequests.get(key)
    this.#spawnRequests.delete(key)
    found?.process.spawnRequests?.delete(key)
    return found
  }

  get pendingSpawnRequests(): number {
    return this.#spawnRequests.size
  }

  // --- signals in ---

  /** A signal of another node for a process of this one. */
  deliver(signal: SignalIn): void {
    // While the queue is being served (a handler made a link read on, say) the signal waits its turn.
    if (this.#serving) this.#localQueue.push(signal)
    else this.#receive(signal)
  }

  /** Signals between processes of this node are served after the code that sent them, as from another scheduler. */
  #deliverLater(signal: SignalIn): void {
    this.#localQueue.push(signal)
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => this.#serve())
  }

  #serve(): void {
    this.#scheduled = false
    this.#serving = true
    const queue = this.#localQueue
    for (let i = 0; i < queue.length; i++) {
      this.#receive(queue[i] as SignalIn)
      if (i === SERVED_SLICE - 1) {
        // Served entries are dropped in slices, so that a long cascade does not keep what it has done.
        queue.splice(0, SERVED_SLICE)
        i = -1
      }
    }
    queue.length = 0
    this.#serving = false
  }

  #receive(signal: SignalIn): void {
    try {
      receiveSignal(this, signal)
    } catch (error) {
      this.#options.onError(error, `signal ${signal.type}`)
    }
  }

  /** Puts a message into a process, or gives it to its handler. */
  deliverMessage(process: Process, message: Term, from: Pid | undefined): void {
    if (process.handler !== undefined) {
      try {
        process.handler.message(message, from)
      } catch (error) {
        this.#options.onError(error, `handler process ${process.registeredName ?? process.pid.toString()}`)
        this.terminate(process, this.reasonOf(error))
      }
      return
    }
    const { mailbox } = process
    if (mailbox.length >= process.maxMailboxMessages) {
      process.droppedMessages++
      if (process.mailboxPolicy === 'dropNew') return
      if (process.mailboxPolicy === 'exit') {
        this.terminate(process, KILLED)
        return
      }
      mailbox.shift()
    }
    mailbox.push(message)
  }

  /** What an exit signal does to a process ("Receiving Exit Signals" of the reference manual). */
  deliverExit(process: Process, from: Pid, reason: Term, byLink: boolean): void {
    if (reason === KILL && !byLink) this.terminate(process, KILLED)
    else if (process.trapExit) this.deliverMessage(process, tuple(EXIT, from, reason), from)
    else if (reason !== NORMAL || from.equals(process.pid)) this.terminate(process, reason)
  }

  deliverDown(process: Process, ref: Reference, reason: Term): void {
    const key = this.ids.referenceKey(ref)
    const monitor = process.monitors?.get(key)
    if (monitor === undefined) return
    process.monitors?.delete(key)
    if (monitor.alias !== undefined && monitor.alias !== 'explicit_unalias') this.unalias(process, ref)
    const { target } = monitor
    if (process.handler?.down !== undefined) process.handler.down(ref, target, reason)
    else {
      const object = target instanceof Pid ? target : tuple(target.name, target.node)
      this.deliverMessage(process, tuple(DOWN, ref, PROCESS, object, reason), undefined)
    }
  }

  deliverSpawnReply(process: Process, ref: Reference, flags: number, result: Pid | Name): void {
    if (process.handler?.spawnReply !== undefined) process.handler.spawnReply(ref, flags, result)
    else {
      const status = internAtom(result instanceof Pid ? 'ok' : 'error')
      this.deliverMessage(process, tuple(SPAWN_REPLY, ref, status, result), undefined)
    }
  }

  // --- connections ---

  onNodeStatus(listener: (event: { type: 'nodeup' | 'nodedown'; node: Atom; reason?: Term }) => void): () => void {
    this.#nodeListeners.add(listener)
    return () => this.#nodeListeners.delete(listener)
  }

  /** Calls the node status listeners. */
  announce(event: { type: 'nodeup' | 'nodedown'; node: Atom; reason?: Term }): void {
    for (const listener of [...this.#nodeListeners]) {
      try {
        listener(event)
      } catch (error) {
        this.#options.onError(error, `${event.type} listener`)
      }
    }
  }

  /** The connection to `node` is gone, or could not be set up: every link, monitor and request over it breaks. */
  connectionLost(node: Atom): void {
    const processes = this.#related.get(node)
    this.#related.delete(node)
    for (const process of processes ?? []) {
      process.relatedNodes?.delete(node)
      for (const link of [...(process.links?.values() ?? [])]) {
        if (link.pid.node !== node) continue
        if (process.links?.broken(link.pid)) this.deliverExit(process, link.pid, NOCONNECTION, true)
      }
      for (const { ref, target } of [...(process.monitors?.values() ?? [])]) {
        if (target.node === node) this.deliverDown(process, ref, NOCONNECTION)
      }
      for (const [key, watcher] of process.watchers ?? []) {
        if (watcher.watcher.node !== node) continue
        process.watchers?.delete(key)
        if (watcher.name !== undefined) this.namedWatchers.delete(key)
      }
      for (const request of [...(process.spawnRequests?.values() ?? [])]) {
        if (request.node !== node) continue
        this.takeSpawnRequest(request.ref)
        if (!request.abandoned) this.deliverSpawnReply(process, request.ref, 0, NOCONNECTION)
      }
    }
  }

  /** @internal Notes that `process` holds something that breaks when the connection to `node` does. */
  relate(process: Process, node: Atom): void {
    if (node === this.name) return
    process.relatedNodes ??= new Set()
    if (process.relatedNodes.has(node)) return
    process.relatedNodes.add(node)
    const processes = this.#related.get(node)
    if (processes === undefined) this.#related.set(node, new Set([process]))
    else processes.add(process)
  }

  // --- helpers ---

  /** What a local receiver gets for `value`: a copy, as every message on the BEAM is. */
  localTerm(value: Encodable): Term {
    switch (typeof value) {
      case 'boolean':
        return value
      case 'number':
        if (Number.isSafeInteger(value) && !Object.is(value, -0)) return value
        break
      case 'object':
        if (value instanceof Atom || value instanceof Pid || value instanceof Reference) return value
    }
    return decode(encode(value))
  }

  /** The exit reason of JavaScript code that threw. */
  reasonOf(error: unknown): Term {
    const reason = toExitReason(error)
    try {
      return this.localTerm(reason)
    } catch (encodeError) {
      return this.localTerm(toExitReason(encodeError))
    }
  }

  /** A reason as text, for error messages. */
  describe(reason: Encodable): string {
    try {
      return print(reason)
    } catch {
      return 'a reason that is no term'
    }
  }

  #addAlias(process: Process, ref: Reference, mode: AliasMode): void {
    const key = this.ids.referenceKey(ref)
    process.aliases ??= new Map()
    process.aliases.set(key, mode)
    this.#aliases.set(key, process)
  }

  #sendReason(
    reason: Encodable,
    fallback: (error: unknown) => Encodable,
    node: Atom,
    signal: (reason: Encodable) => SignalOut,
  ): void {
    try {
      this.#route(signal(reason), node)
    } catch (error) {
      if (!(error instanceof EtfError)) throw error
      this.#route(signal(fallback(error)), node)
    }
  }

  #sendDemonitor(from: Pid, ref: Reference, target: Pid | { name: Name; node: Atom }): void {
    const to = target instanceof Pid ? target : target.name
    this.#route({ type: 'demonitor', from, to, ref }, target.node)
  }

  #route(signal: SignalOut, node: Atom): boolean {
    if (node !== this.name) return this.#options.outlet.send(signal, node)
    this.#deliverLater(this.localSignal(signal))
    return true
  }

  /** A signal as its receiver gets it: values copied, as every message on the BEAM is. */
  localSignal(signal: SignalOut): SignalIn {
    switch (signal.type) {
      case 'send':
      case 'regSend':
      case 'aliasSend':
      case 'altactSend':
        return { ...signal, message: this.localTerm(signal.message) } as SignalIn
      case 'exit':
      case 'exit2':
      case 'monitorExit':
        return { ...signal, reason: this.localTerm(signal.reason) } as SignalIn
      case 'spawnRequest':
        return {
          ...signal,
          args: signal.args.map((arg) => this.localTerm(arg)),
          options: signal.options.map((option) => this.localTerm(option)),
        } as SignalIn
      default:
        return signal as SignalIn
    }
  }
}

function nameOf(name: Atom | string): Name {
  return typeof name === 'string' ? atom(name) : name
}

function textOf(name: Atom | string): string {
  return typeof name === 'string' ? name : name.name
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function'
}
