/**
 * The processes of this node: who is alive, what they send, and what ends them. Follows the chapter "Processes" of the
 * Erlang reference manual and the BEAM's own handling of signals from the distribution.
 *
 *     signals to this node   signal-queue ─▶ receive-signal ─▶ delivery ─▶ mailbox or handler
 *     signals to others      outlet, at once
 *
 * Either way the order between two processes is that of sending.
 */
import { wrong } from '../arguments.js'
import { DistError, NodeError } from '../errors.js'
import { Atom, internAtom } from '../etf/atom.js'
import { Pid, Reference } from '../etf/identifiers.js'
import type { Encodable, Term } from '../etf/terms.js'
import { FewMap } from '../dist/few-map.js'
import type { Name, SignalIn, SignalOut } from '../dist/signals.js'
import type { Limits } from '../limits.js'
import { checkPid, namedAt, textOf } from './address.js'
import { localSignal, reasonOf } from './copy.js'
import { toExitReason } from './erlang-error.js'
import { giveBack, type Held } from './held.js'
import type { Mailbox } from './mailbox.js'
import { MailboxRoom } from './mailbox-room.js'
import type { Destination, Host, ProcessHandler, ReasonFallback, SpawnOptions, SpawnStarter } from './host.js'
import { IdAllocator, pidNumber } from './ids.js'
import { Process, type Alias, type SendOptions } from './process.js'
import { ProcessSlots } from './process-slots.js'
import { ReferenceMap } from './reference-map.js'
import { receiveSignal } from './receive-signal.js'
import { Registry } from './registry.js'
import { breakRelations, Relations } from './relations.js'
import { SignalQueue } from './signal-queue.js'
import { demonitor, sendDemonitor } from './watching.js'

/** Takes signals to other nodes. */
export interface Outlet {
  /**
   * Queues a signal to `node`, connecting if need be.
   * @param sender the process whose signals keep their order with this one, where the signal does not say
   * @returns false when the queue is over the busy limit
   * @throws EtfError for what the peer cannot carry
   */
  send(signal: SignalOut, node: Atom, sender?: Pid): boolean
  /** Connects if need be; where that cannot be, `connectionLost` is called. */
  connect(node: Atom): void
  /** Calls `connectionLost` when there is no connection, nor one being set up. */
  checkConnection(node: Atom): void
}

export interface ProcessTableOptions {
  name: Atom
  creation: number
  limits: Limits
  outlet: Outlet
  /**
   * Told of errors that have no one to go to: a handler that threw, a reason that could not be encoded.
   * @param peer the node that caused it, if it is known
   */
  onError(error: unknown, where: string, peer?: Atom): void
  /** A message of another node was put into a mailbox. */
  onArrival?(mailbox: Mailbox, node: Atom): void
  /** A node's processes made more links and monitors than its connection may: it is to be closed. */
  onExcess?(node: Atom, error: DistError): void
  /** Seed for references, so that two incarnations differ even if EPMD gave both one creation. */
  seed?: readonly [number, number]
}

const NORMAL = internAtom('normal')

/** What listeners of the node's connections are told. */
export interface NodeStatus {
  type: 'nodeup' | 'nodedown'
  node: Atom
  reason?: Term
}

export class ProcessTable implements Host {
  readonly limits: Limits
  readonly registry = new Registry()
  /** @internal */ ids: IdAllocator
  /** @internal */ spawnStarter: SpawnStarter | undefined
  /** @internal monitors by registered name, by reference: the name may since mean another process */
  readonly namedWatchers = new FewMap<number | string, Process>()

  /** @internal */ readonly options: ProcessTableOptions
  /** @internal what the signal that is being delivered takes in memory, about; 0 for those of this node */
  arrivingWeight = 0
  /** @internal what the mailboxes hold of other nodes' messages */
  readonly mailboxRoom: MailboxRoom

  readonly #processes = new ProcessSlots()
  readonly #relations = new Relations()
  readonly #aliases = new ReferenceMap<Process>()
  readonly #nodeListeners = new Set<(event: NodeStatus) => void>()
  readonly #queue = new SignalQueue<SignalIn>((signal) => this.#receive(signal))
  #groupLeader: Pid | undefined

  constructor(options: ProcessTableOptions) {
    this.options = options
    this.limits = options.limits
    this.mailboxRoom = new MailboxRoom(options.limits)
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
    this.ids = this.ids.renamed(name, creation, this.limits.maxFormerNames)
    const canonical = (pid: Pid) => this.ids.canonical(pid)
    for (const process of this.#processes.all()) process.rename(canonical)
    if (this.#groupLeader !== undefined) this.#groupLeader = canonical(this.#groupLeader)
  }

  get processCount(): number {
    return this.#processes.size
  }

  get groupLeader(): Pid {
    if (this.#groupLeader === undefined)
      throw new NodeError('NODE_NOT_STARTED', 'the node has no group leader yet')
    return this.#groupLeader
  }

  setGroupLeader(pid: Pid): void {
    this.#groupLeader = pid
  }

  makeReference(): Reference {
    return this.ids.nextReference()
  }

  process(pid: Pid): Process | undefined {
    return this.ids.owns(pid.node, pid.creation) ? this.#processes.get(pidNumber(pid)) : undefined
  }

  processes(): Pid[] {
    return this.#processes.all().map((process) => process.pid)
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
        this.terminate(process, reasonOf(error))
        return
      }
      if (!isPromiseLike(result)) {
        this.terminate(process, NORMAL)
        return
      }
      result.then(
        () => this.terminate(process, NORMAL),
        (error: unknown) => this.terminate(process, reasonOf(error)),
      )
    })
  }

  /** @internal A process that is not running yet. */
  create(handler: ProcessHandler | undefined, options: SpawnOptions): Process {
    if (this.#processes.size >= this.limits.maxProcesses) {
      throw new NodeError(
        'PROCESS_LIMIT',
        `this node has ${this.limits.maxProcesses} processes (limit maxProcesses)`,
      )
    }
    this.#processes.makeRoom()
    const pid = this.ids.nextPid(this.#processes.isTaken)
    const process = new Process(this, pid, options.groupLeader ?? this.#groupLeader ?? pid, handler, options)
    if (options.name !== undefined) this.registry.register(options.name, process)
    this.#processes.add(process)
    return process
  }

  /**
   * Ends a process for everyone else, at once. Does nothing when it has ended already. `fallback` gives the reason for
   * a receiver whose node cannot carry `reason`, or when that is no term at all.
   */
  terminate(process: Process, reason: Encodable, fallback: ReasonFallback = AS_EXIT): void {
    if (!process.alive) return
    const { pid, links, monitors, watchers, aliases } = process
    process.markDead(reason)
    this.#processes.delete(process)
    if (process.registeredName !== undefined) this.registry.unregister(process.registeredName)
    this.#relations.forget(process)
    process.links = process.monitors = process.watchers = process.aliases = process.spawnRequests = undefined
    process.nodeMonitors = undefined
    if (aliases !== undefined) for (const ref of aliases.references()) this.#aliases.delete(ref)
    if (links !== undefined) {
      for (const link of links.values()) {
        const { pid: to, active } = link
        giveBack(link)
        if (active) this.#sendEnd(pid, { type: 'exit', from: pid, to, reason }, to.node, fallback)
      }
    }
    if (watchers !== undefined) {
      for (const monitor of watchers.values()) {
        const { ref, watcher: to, name } = monitor
        giveBack(monitor)
        if (name !== undefined) this.namedWatchers.delete(this.ids.referenceKey(ref))
        // By name too, it comes after what the process sent.
        const signal = { type: 'monitorExit', from: name ?? pid, to, ref, reason } as const
        this.#sendEnd(pid, signal, to.node, fallback, pid)
      }
    }
    if (monitors !== undefined) {
      for (const { ref, target } of monitors.values()) {
        try {
          sendDemonitor(this, pid, ref, target)
        } catch (error) {
          this.reportError(error, `end of ${pid.toString()}`, target.node)
        }
      }
    }
    try {
      process.handler?.exited?.(reason)
    } catch (error) {
      this.reportError(error, `exit handler of ${pid.toString()}`)
    }
  }

  // --- names ---

  register(name: Atom | string, process: Process | Pid): void {
    if (!(process instanceof Process || process instanceof Pid))
      wrong('a name is given to a process or its pid', process)
    const found = process instanceof Pid ? this.process(process) : process
    if (found === undefined)
      throw new NodeError('PROCESS_NOT_ALIVE', `register ${name}: no such process on this node`)
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

  send(from: Pid, to: Destination, message: Encodable, options: SendOptions = {}): boolean {
    if (to instanceof Process) to = to.pid
    if (to instanceof Pid)
      return this.signal({ type: 'send', from, to: this.ids.canonical(to), message }, to.node)
    if (to instanceof Reference) {
      if (options.priority !== true) return this.signal({ type: 'aliasSend', from, to, message }, to.node)
      return this.signal({ type: 'altactSend', from, to, message, priority: true, exit: false }, to.node)
    }
    if (typeof to === 'string' || to instanceof Atom) {
      const process = this.registry.whereis(to)
      if (process === undefined)
        throw new NodeError('PROCESS_NAME_UNKNOWN', `no process is registered as ${to}`)
      return this.signal({ type: 'send', from, to: process.pid, message }, this.name)
    }
    const { name, node } = namedAt(to, 'send')
    return this.signal({ type: 'regSend', from, to: name, message }, node)
  }

  /** To an alias, or with priority, it is one that only peers since OTP 28 take. */
  sendExit(from: Pid, to: Pid | Reference, reason: Encodable, priority = false): void {
    if (!(to instanceof Reference)) checkPid(to, 'sendExit')
    if (to instanceof Pid && !priority) this.signal({ type: 'exit2', from, to, reason }, to.node)
    else this.signal({ type: 'altactSend', from, to, message: reason, priority, exit: true }, to.node)
  }

  /** Sends a signal to `node`. Returns and throws as {@link send}. `sender`: see {@link Outlet.send}. */
  signal(signal: SignalOut, node: Atom, sender?: Pid): boolean {
    if (!this.ids.isThisNode(node)) return this.options.outlet.send(signal, node, sender)
    this.#queue.later(localSignal(signal))
    return true
  }

  alias(process: Process, alias: Alias): Reference {
    const ref = this.makeReference()
    this.addAlias(process, ref, alias)
    return ref
  }

  unalias(process: Process, ref: Reference): boolean {
    if (process.aliases?.delete(ref) !== true) return false
    this.#aliases.delete(ref)
    return true
  }

  /** @internal The process and mode of an active alias. */
  aliased(ref: Reference): (Alias & { process: Process }) | undefined {
    const process = this.#aliases.get(ref)
    const alias = process?.aliases?.get(ref)
    return process === undefined || alias === undefined ? undefined : { process, ...alias }
  }

  // --- spawn requests ---

  setSpawnStarter(starter: SpawnStarter): void {
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
    from.spawnRequests ??= new ReferenceMap()
    from.spawnRequests.set(ref, { ref, node: target, abandoned: false })
    this.relate(from, target)
    try {
      this.signal(
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
      from.spawnRequests.delete(ref)
      throw error
    }
    return ref
  }

  /**
   * Gives up a spawn request (`erlang:spawn_request_abandon/1`) and the monitor that came of it: nothing of it
   * reaches the requester any more.
   */
  abandonSpawn(process: Process, ref: Reference): void {
    const pending = process.spawnRequests?.get(ref)
    if (pending !== undefined) pending.abandoned = true
    else demonitor(this, process, ref)
  }

  get pendingSpawnRequests(): number {
    return this.#processes.all().reduce((sum, { spawnRequests }) => sum + (spawnRequests?.size ?? 0), 0)
  }

  // --- signals in ---

  /**
   * A signal of another node for a process of this one.
   * @param weight what it takes in memory, about
   */
  deliver(signal: SignalIn, weight = 0): void {
    this.arrivingWeight = weight
    this.#queue.now(signal)
    this.arrivingWeight = 0
  }

  /** As {@link deliver}, after the code that runs now. */
  deliverLater(signal: SignalIn): void {
    this.#queue.later(signal)
  }

  /** Runs `work` after the signals that were delivered before: what a connection's end and beginning must keep to. */
  inOrder(work: () => void): void {
    this.#queue.inOrder(() => {
      try {
        work()
      } catch (error) {
        this.reportError(error, 'the end or beginning of a connection')
      }
    })
  }

  #receive(signal: SignalIn): void {
    try {
      receiveSignal(this, signal)
    } catch (error) {
      const peer = 'from' in signal && signal.from instanceof Pid ? signal.from.node : undefined
      this.reportError(error, `signal ${signal.type}`, peer)
    }
  }

  reportError(error: unknown, where: string, peer?: Atom): void {
    this.options.onError(error, where, peer)
  }

  // --- connections ---

  onNodeStatus(listener: (event: NodeStatus) => void): () => void {
    this.#nodeListeners.add(listener)
    return () => this.#nodeListeners.delete(listener)
  }

  /** Calls the node status listeners. */
  announce(event: NodeStatus): void {
    for (const listener of [...this.#nodeListeners]) {
      try {
        listener(event)
      } catch (error) {
        this.reportError(error, `${event.type} listener`)
      }
    }
  }

  /** The connection to `node` is gone, or could not be set up: every link, monitor and request over it breaks. */
  connectionLost(node: Atom): void {
    for (const process of this.#relations.take(node)) breakRelations(this, process, node)
  }

  /** @internal Notes that `process` holds something that breaks when the connection to `node` does. */
  relate(process: Process, node: Atom): void {
    if (!this.ids.isThisNode(node)) this.#relations.relate(process, node)
  }

  /** @internal Where the links and monitors are counted that processes of `node` made; not those of this node. */
  held(node: Atom): Held | undefined {
    return this.#relations.held(node)
  }

  // --- helpers ---

  /** @internal */
  addAlias(process: Process, ref: Reference, alias: Alias): void {
    process.aliases ??= new ReferenceMap()
    process.aliases.set(ref, alias)
    this.#aliases.set(ref, process)
  }

  /** @internal */
  get outlet(): Outlet {
    return this.options.outlet
  }

  /** Never throws: a receiver that cannot be told (its reference is too wide for its node, say) keeps it from no other. */
  #sendEnd(
    pid: Pid,
    signal: Extract<SignalOut, { type: 'exit' | 'monitorExit' }>,
    node: Atom,
    fallback: ReasonFallback,
    sender?: Pid,
  ): void {
    try {
      try {
        this.signal(signal, node, sender)
      } catch (error) {
        // Anything but a full queue is the value's: it is no term, the peer cannot carry it, or a getter of it threw.
        if (error instanceof DistError || error instanceof NodeError) throw error
        this.signal({ ...signal, reason: fallback.reasonInstead(error) }, node, sender)
      }
    } catch (error) {
      this.reportError(error, `end of ${pid.toString()}`, node)
    }
  }
}

const AS_EXIT: ReasonFallback = { reasonInstead: toExitReason }

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function'
  )
}
