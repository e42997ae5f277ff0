/**
 * One process: its state as the BEAM keeps it (links, monitors, aliases, trap_exit, group leader, mailbox) and the
 * operations a process does on itself. What signals do to it is in table.ts.
 */
import { ArgumentError, NodeError } from '../errors.js'
import { atom, type Atom } from '../etf/atom.js'
import { Pid, type Reference } from '../etf/identifiers.js'
import type { Encodable, Term } from '../etf/terms.js'
import type { Name } from '../dist/signals.js'
import { checkNode, checkPid, checkReference } from './address.js'
import { describeReason, localTerm } from './copy.js'
import type { Held } from './held.js'
import type { LinkTable } from './links.js'
import { Mailbox, type ReceiveOptions } from './mailbox.js'
import { Messages } from './messages.js'
import type { Destination, ProcessHandler, SpawnOptions } from './host.js'
import type { ReferenceMap } from './reference-map.js'
import type { ProcessTable } from './table.js'
import type { Watchers } from './watchers.js'
import {
  demonitor,
  demonitorNode,
  flushDown,
  link,
  monitor,
  monitorNode,
  unlink,
  type Monitorable,
} from './watching.js'

/** A monitor that this process set. */
export interface OutgoingMonitor {
  readonly ref: Reference
  readonly target: Pid | { name: Name; node: Atom }
  /** Deactivate the alias of the same reference when the monitor fires (or on its first reply). */
  readonly alias?: AliasMode
  readonly priority?: boolean
  /** First element of the message when it fires, instead of `'DOWN'`. */
  readonly tag?: Term
}

/** A monitor that another process set on this one. */
export interface IncomingMonitor {
  readonly ref: Reference
  readonly watcher: Pid
  /** Set when the monitor was by registered name. */
  readonly name: Name | undefined
  /** Where it is counted, if another node's process set it by itself. */
  readonly held: Held | undefined
}

/** A spawn request that was sent and not answered. */
export interface PendingSpawn {
  readonly ref: Reference
  readonly node: Atom
  /** The requester gave up: the answer only undoes what the request made. */
  abandoned: boolean
}

/** When an alias ends: `explicit_unalias`, `demonitor`, `reply_demonitor` of `erlang:monitor/3`, `reply` of `alias/1`. */
export type AliasMode = 'explicit_unalias' | 'demonitor' | 'reply_demonitor' | 'reply'

const MONITOR_MODES: readonly string[] = ['explicit_unalias', 'demonitor', 'reply_demonitor']
const ALIAS_MODES: readonly string[] = ['explicit_unalias', 'reply']

/** An alias of a process that is active. */
export interface Alias {
  readonly mode: AliasMode
  /** What is sent to it with priority goes before ordinary messages. */
  readonly priority: boolean
}

export interface MonitorOptions {
  /** Also make the monitor's reference an alias of this process. */
  alias?: Exclude<AliasMode, 'reply'>
  /** The message when it fires goes before ordinary ones; those that are sent to the alias do not. */
  priority?: boolean
  /** First element of the message when it fires, instead of `'DOWN'`. */
  tag?: Encodable
}

export interface AliasOptions {
  /** `reply`: ends with the first message sent to it. Default `explicit_unalias`. */
  mode?: 'explicit_unalias' | 'reply'
  /** Senders may ask that their message goes before ordinary ones (OTP 28's `alias([priority])`). */
  priority?: boolean
}

export interface SendOptions {
  /** To an alias that takes such: before ordinary messages. Elsewhere it changes nothing. */
  priority?: boolean
}

export class Process {
  #pid: Pid
  readonly handler: ProcessHandler | undefined
  groupLeader: Pid
  /** Exit signals become `{'EXIT', From, Reason}` messages. */
  trapExit: boolean
  /** @internal */ readonly maxMailboxMessages: number
  /** @internal */ readonly mailboxPolicy: NonNullable<SpawnOptions['mailboxPolicy']>
  /** Messages dropped because the mailbox was full. */
  droppedMessages = 0

  /** @internal */ links: LinkTable | undefined
  /** @internal */ monitors: ReferenceMap<OutgoingMonitor> | undefined
  /** @internal */ watchers: Watchers | undefined
  /** @internal */ aliases: ReferenceMap<Alias> | undefined
  /** @internal */ spawnRequests: ReferenceMap<PendingSpawn> | undefined
  /** @internal how many times each node is monitored (`monitor_node/2`) */
  nodeMonitors: Map<Atom, number> | undefined
  /** @internal a node that holds a link or monitor of this process, and the process's place there (see Relations) */
  relatedNode: Atom | undefined
  /** @internal */ relatedAt = 0
  /** @internal */ otherRelations: Map<Atom, number> | undefined
  /** @internal */ registeredName: Atom | undefined
  /** @internal takes, before the mailbox does, answers to what a service asked in this process's name; true: taken */
  intercept: ((message: Term) => boolean) | undefined

  readonly #table: ProcessTable
  #alive = true
  #exitReason: Encodable
  #abort: AbortController | undefined
  #mailbox: Mailbox | undefined

  /** @internal made by {@link ProcessTable} */
  constructor(
    table: ProcessTable,
    pid: Pid,
    groupLeader: Pid,
    handler: ProcessHandler | undefined,
    options: SpawnOptions,
  ) {
    this.#table = table
    this.#pid = pid
    this.groupLeader = groupLeader
    this.handler = handler
    this.trapExit = options.trapExit ?? false
    this.maxMailboxMessages = options.maxMailboxMessages ?? table.limits.maxMailboxMessages
    this.mailboxPolicy = options.mailboxPolicy ?? 'dropNew'
  }

  get pid(): Pid {
    return this.#pid
  }

  get alive(): boolean {
    return this.#alive
  }

  /** Why the process ended; undefined while it lives. */
  get exitReason(): Encodable {
    return this.#exitReason
  }

  /** Aborted, with an error that tells the reason, when the process ends. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController()
    if (!this.alive && !this.#abort.signal.aborted) this.#abort.abort(this.#exitedError())
    return this.#abort.signal
  }

  get node(): Atom {
    return this.pid.node
  }

  /** Sends `message`; see `Host.send`. A dead process's messages are dropped. */
  send(to: Destination, message: Encodable, options?: SendOptions): boolean {
    return this.alive ? this.#table.send(this.pid, to, message, options) : true
  }

  /**
   * Takes the next message, or the first that `match` accepts.
   * @returns undefined when `timeoutMs` passed
   * @throws NodeError `PROCESS_EXITED` when the process ends meanwhile; the abort reason of `signal`
   */
  receive(options: ReceiveOptions & { timeoutMs: number }): Promise<Term | undefined>
  receive(options?: ReceiveOptions): Promise<Term>
  receive(options?: ReceiveOptions): Promise<Term | undefined> {
    if (this.handler !== undefined)
      throw new NodeError('PROCESS_NO_MAILBOX', 'a handler process has no mailbox')
    return this.mailbox.receive(options)
  }

  /** The messages one after another, until the process ends. Throws as {@link receive} does. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Term, undefined> {
    return new Messages(this)
  }

  /** `link/1`. Linking to a process that is not there brings an exit signal `noproc`. */
  link(to: Pid | Process): void {
    this.#assertAlive('link')
    link(this.#table, this, checkPid(pidOf(to), 'link'))
  }

  unlink(from: Pid | Process): void {
    if (this.alive) unlink(this.#table, this, checkPid(pidOf(from), 'unlink'))
  }

  /** `monitor(process, To)`: one `{'DOWN', Ref, process, Object, Reason}` message comes when it is down. */
  monitor(to: Process | Monitorable, options: MonitorOptions = {}): Reference {
    this.#assertAlive('monitor')
    if (options.alias !== undefined) checkMode(options.alias, MONITOR_MODES)
    return monitor(this.#table, this, to instanceof Process ? to.pid : to, options)
  }

  /**
   * `demonitor/2`.
   * @returns whether the monitor was still there, as option `info` gives
   */
  demonitor(ref: Reference, options: { flush?: boolean } = {}): boolean {
    const found = demonitor(this.#table, this, checkReference(ref, 'demonitor'))
    if (options.flush) flushDown(this, ref)
    return found
  }

  /**
   * `monitor_node/3`: a message `{nodedown, Node}` comes when the connection to `node` ends, or, when there is none and
   * none can be set up, soon. Counted: as many messages as times it was switched on and not off.
   * @param options `allowPassiveConnect: false` does not try to connect
   */
  monitorNode(node: Atom | string, flag = true, options: { allowPassiveConnect?: boolean } = {}): void {
    this.#assertAlive('monitorNode')
    const name = checkNode(node, 'monitorNode')
    if (flag) monitorNode(this.#table, this, name, options.allowPassiveConnect ?? true)
    else demonitorNode(this, name)
  }

  /** `alias/1`: a reference at which this process gets messages until it is deactivated. */
  alias(options: AliasOptions | NonNullable<AliasOptions['mode']> = {}): Reference {
    this.#assertAlive('alias')
    const { mode = 'explicit_unalias', priority = false } =
      typeof options === 'string' ? { mode: options } : options
    checkMode(mode, ALIAS_MODES)
    return this.#table.alias(this, { mode, priority })
  }

  unalias(ref: Reference): boolean {
    return this.#table.unalias(this, checkReference(ref, 'unalias'))
  }

  /**
   * `exit(Reason)`: ends this process. JavaScript that is still running in it goes on until it returns, but it is
   * no process any more: its pid and name are free and what it sends is dropped.
   */
  exit(reason: Encodable = atom('normal')): void {
    this.#table.terminate(this, localTerm(reason))
  }

  /** `exit/3`: sends another process, or the one that an alias stands for, an exit signal. */
  sendExit(to: Pid | Process | Reference, reason: Encodable, options?: SendOptions): void {
    if (this.alive)
      this.#table.sendExit(this.pid, to instanceof Process ? to.pid : to, reason, options?.priority)
  }

  /** @internal made when it is first needed: most processes run one call and receive nothing */
  get mailbox(): Mailbox {
    if (this.#mailbox === undefined) {
      this.#mailbox = new Mailbox(this.#table.mailboxRoom)
      if (!this.#alive) this.#mailbox.close(this.#exitedError())
    }
    return this.#mailbox
  }

  /** Messages that wait to be received. */
  get queueLength(): number {
    return this.#mailbox?.length ?? 0
  }

  /** @internal The node has another name, and with it its processes have other pids. */
  rename(canonical: (pid: Pid) => Pid): void {
    this.#pid = canonical(this.#pid)
    this.groupLeader = canonical(this.groupLeader)
    this.links?.rename(canonical)
    for (const monitor of this.monitors?.values() ?? []) {
      const { ref, target } = monitor
      if (target instanceof Pid) this.monitors?.set(ref, { ...monitor, target: canonical(target) })
    }
    for (const monitor of this.watchers?.values() ?? [])
      this.watchers?.add({ ...monitor, watcher: canonical(monitor.watcher) })
  }

  /** @internal */
  markDead(reason: Encodable): void {
    this.#alive = false
    this.#exitReason = reason
    this.#abort?.abort(this.#exitedError())
    this.#mailbox?.close(this.#exitedError())
  }

  #exitedError(): NodeError {
    return new NodeError('PROCESS_EXITED', `the process exited: ${describeReason(this.#exitReason)}`)
  }

  #assertAlive(what: string): void {
    if (!this.alive) throw this.#exitedErrorFor(what)
  }

  #exitedErrorFor(what: string): NodeError {
    return new NodeError('PROCESS_EXITED', `${what}: the process exited: ${describeReason(this.#exitReason)}`)
  }
}

function checkMode(mode: unknown, modes: readonly string[]): void {
  if (modes.includes(mode as string)) return
  throw new ArgumentError(
    'BAD_ARGUMENT',
    `the mode of an alias is one of ${modes.join(', ')}: ${String(mode)}`,
  )
}

export function pidOf(target: Pid | Process): Pid {
  return target instanceof Process ? target.pid : target
}
