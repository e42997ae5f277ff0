/**
 * One process: its state as the BEAM keeps it (links, monitors, aliases, trap_exit, group leader, mailbox) and the
 * operations a process does on itself. What signals do to it is in table.ts.
 */
import { NodeError } from '../errors.js'
import { atom, type Atom } from '../etf/atom.js'
import type { Pid, Reference } from '../etf/identifiers.js'
import type { Encodable, Term } from '../etf/terms.js'
import type { Name } from '../dist/signals.js'
import { LinkTable } from './links.js'
import { Mailbox, type ReceiveOptions } from './mailbox.js'
import type { Destination, ProcessHandler, SpawnOptions } from './host.js'
import type { ProcessTable } from './table.js'

/** A monitor that this process set. */
export interface OutgoingMonitor {
  readonly ref: Reference
  readonly target: Pid | { name: Name; node: Atom }
  /** Deactivate the alias of the same reference when the monitor fires (or on its first reply). */
  readonly alias?: AliasMode
}

/** A monitor that another process set on this one. */
export interface IncomingMonitor {
  readonly ref: Reference
  readonly watcher: Pid
  /** Set when the monitor was by registered name. */
  readonly name: Name | undefined
}

/** A spawn request that was sent and not answered. */
export interface PendingSpawn {
  readonly ref: Reference
  readonly process: Process
  readonly node: Atom
  /** The requester gave up, or ended: the answer only undoes what the request made. */
  abandoned: boolean
}

/** When an alias ends: `explicit_unalias`, `demonitor`, `reply_demonitor` of `erlang:monitor/3`, `reply` of `alias/1`. */
export type AliasMode = 'explicit_unalias' | 'demonitor' | 'reply_demonitor' | 'reply'

export interface MonitorOptions {
  /** Also make the monitor's reference an alias of this process. */
  alias?: Exclude<AliasMode, 'reply'>
}

type Key = number | string

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
  /** @internal */ monitors: Map<Key, OutgoingMonitor> | undefined
  /** @internal */ watchers: Map<Key, IncomingMonitor> | undefined
  /** @internal */ aliases: Map<Key, AliasMode> | undefined
  /** @internal */ spawnRequests: Map<Key, PendingSpawn> | undefined
  /** @internal nodes that hold a link or monitor of this process */
  relatedNodes: Set<Atom> | undefined
  /** @internal */ registeredName: Atom | undefined

  readonly #table: ProcessTable
  #alive = true
  #exitReason: Encodable
  #abort: AbortController | undefined
  #mailbox: Mailbox | undefined

  /** @internal made by {@link ProcessTable} */
  constructor(table: ProcessTable, pid: Pid, groupLeader: Pid, handler: ProcessHandler | undefined, options: SpawnOptions) {
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
  send(to: Destination, message: Encodable): boolean {
    return this.alive ? this.#table.send(this.pid, to, message) : true
  }

  /**
   * Takes the next message, or the first that `match` accepts.
   * @returns undefined when `timeoutMs` passed
   * @throws NodeError `PROCESS_EXITED` when the process ends meanwhile; the abort reason of `signal`
   */
  receive(options: ReceiveOptions & { timeoutMs: number }): Promise<Term | undefined>
  receive(options?: ReceiveOptions): Promise<Term>
  receive(options?: ReceiveOptions): Promise<Term | undefined> {
    if (this.handler !== undefined) throw new NodeError('PROCESS_NO_MAILBOX', 'a handler process has no mailbox')
    return this.mailbox.receive(options)
  }

  /** The messages one after another, until the process ends. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Term, void, undefined> {
    while (this.alive) {
      let message: Term
      try {
        message = await this.receive()
      } catch (error) {
        if (!this.alive) return
        throw error
      }
      yield message
    }
  }

  /** `link/1`. Linking to a process that is not there brings an exit signal `noproc`. */
  link(to: Pid | Process): void {
    this.#assertAlive('link')
    this.#table.link(this, pidOf(to))
  }

  unlink(from: Pid | Process): void {
    if (this.alive) this.#table.unlink(this, pidOf(from))
  }

  /** `monitor(process, To)`: one `{'DOWN', Ref, process, Object, Reason}` message comes when it is down. */
  monitor(to: Pid | Process | Atom | string | { name: Atom | string; node: Atom | string }, options: MonitorOptions = {}): Reference {
    this.#assertAlive('monitor')
    return this.#table.monitor(this, to, options)
  }

  /**
   * `demonitor/2`.
   * @returns whether the monitor was still there, as option `info` gives
   */
  demonitor(ref: Reference, options: { flush?: boolean } = {}): boolean {
    const found = this.#table.demonitor(this, ref)
    if (options.flush) this.#table.flushDown(this, ref)
    return found
  }

  /** `alias/1`: a reference at which this process gets messages until it is deactivated. */
  alias(mode: 'explicit_unalias' | 'reply' = 'explicit_unalias'): Reference {
    this.#assertAlive('alias')
    return this.#table.alias(this, mode)
  }

  unalias(ref: Reference): boolean {
    return this.#table.unalias(this, ref)
  }

  /**
   * `exit(Reason)`: ends this process. JavaScript that is still running in it goes on until it returns, but it is
   * no process any more: its pid and name are free and what it sends is dropped.
   */
  exit(reason: Encodable = atom('normal')): void {
    this.#table.terminate(this, this.#table.localTerm(reason))
  }

  /** `exit(Pid, Reason)`: sends another process an exit signal. */
  sendExit(to: Pid | Process, reason: Encodable): void {
    if (this.alive) this.#table.sendExit(this.pid, pidOf(to), reason)
  }

  /** @internal made when it is first needed: most processes run one call and receive nothing */
  get mailbox(): Mailbox {
    if (this.#mailbox === undefined) {
      this.#mailbox = new Mailbox()
      if (!this.#alive) this.#mailbox.close(this.#exitedError())
    }
    return this.#mailbox
  }

  /** Messages that wait to be received. */
  get queueLength(): number {
    return this.#mailbox?.length ?? 0
  }

  /** @internal */
  rename(pid: Pid): void {
    if (this.groupLeader.equals(this.#pid)) this.groupLeader = pid
    this.#pid = pid
  }

  /** @internal */
  markDead(reason: Encodable): void {
    this.#alive = false
    this.#exitReason = reason
    this.#abort?.abort(this.#exitedError())
    this.#mailbox?.close(this.#exitedError())
  }

  #exitedError(): NodeError {
    return new NodeError('PROCESS_EXITED', `the process exited: ${this.#table.describe(this.#exitReason)}`)
  }

  #assertAlive(what: string): void {
    if (!this.alive) throw this.#exitedErrorFor(what)
  }

  #exitedErrorFor(what: string): NodeError {
    return new NodeError('PROCESS_EXITED', `${what}: the process exited: ${this.#table.describe(this.#exitReason)}`)
  }
}

export function pidOf(target: Pid | Process): Pid {
  return target instanceof Process ? target.pid : target
}
