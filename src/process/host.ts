/**
 * What services (rex, gen, global, pg, and parts of the kernel) see of the node they run on: names, processes,
 * signals. `table.ts` implements it; the kernel routes what leaves the node.
 */
import type { Atom } from '../etf/atom.js'
import type { Pid, Reference } from '../etf/identifiers.js'
import type { Encodable, Term } from '../etf/terms.js'
import type { Name, SignalIn } from '../dist/signals.js'
import type { NameOnNode } from './address.js'
import type { Process, SendOptions } from './process.js'

/** Where a message or monitor goes: a pid, a local registered name, a name on a node, or an alias. */
export type Destination = Pid | Reference | Process | Atom | string | NameOnNode

/**
 * A process that reacts to what reaches it at once, without a mailbox: how services are written. A handler that
 * throws ends its process with that error as the reason.
 */
export interface ProcessHandler {
  /**
   * Exit signals do nothing to it, `kill` included, as to the BEAM's own system processes. For those that work for the
   * whole program: other nodes come to know their pids, and a server that links to its caller would end them with itself.
   */
  readonly ignoresExits?: true
  /** `from` is the sender where the signal carries it (SEND does not when the peer has no SEND_SENDER). */
  message(message: Term, from: Pid | undefined): void
  /** A monitored process or name is down; without this hook it arrives as a `'DOWN'` message. */
  down?(ref: Reference, object: Pid | { name: Name; node: Atom }, reason: Term): void
  /** The answer to a spawn request; without this hook it arrives as a `spawn_reply` message. */
  spawnReply?(ref: Reference, flags: number, result: Pid | Name): void
  /** The process is gone, its signals are sent. */
  exited?(reason: Encodable): void
}

export interface SpawnOptions {
  /** Register the process under this name before it runs. */
  name?: Atom | string
  /** Defaults to the node's own group leader. */
  groupLeader?: Pid
  /** Exit signals arrive as `{'EXIT', From, Reason}` messages. */
  trapExit?: boolean
  /** Messages that the mailbox holds at most; defaults to the node's limit. */
  maxMailboxMessages?: number
  /** What a full mailbox does: drop the new message (default), drop the oldest, or end the process with `killed`. */
  mailboxPolicy?: 'dropNew' | 'dropOldest' | 'exit'
}

export type SpawnRequest = Extract<SignalIn, { type: 'spawnRequest' }>

/** Runs what a spawn request asks for, its options apart, in the process that was made for it. */
export type SpawnStarter = (process: Process, request: SpawnRequest) => void

/** Gives the reason of an exit for receivers to whom the one intended cannot be sent. */
export interface ReasonFallback {
  /** @param error why it could not */
  reasonInstead(error: unknown): Encodable
}

export interface Host {
  readonly name: Atom
  readonly creation: number
  /** The group leader of processes that name none. */
  readonly groupLeader: Pid

  makeReference(): Reference
  /** A process that runs `body`; it exits `normal` when the promise is fulfilled. */
  spawn(body: (self: Process) => unknown, options?: SpawnOptions): Process
  /** A process without a mailbox whose handler is called for each message. */
  spawnHandler(handler: ProcessHandler, options?: SpawnOptions): Process

  /** @throws NodeError `PROCESS_NAME_TAKEN`, `PROCESS_NOT_ALIVE` */
  register(name: Atom | string, process: Process | Pid): void
  unregister(name: Atom | string): boolean
  whereis(name: Atom | string): Pid | undefined
  registered(): Atom[]
  /** The live process of one of our pids. */
  process(pid: Pid): Process | undefined

  /**
   * Sends a message from `from`.
   * @returns false when the connection's queue is over the busy limit (the message is queued all the same).
   * @throws NodeError `PROCESS_NAME_UNKNOWN` for a local name that is not registered; EtfError for what cannot be encoded
   */
  send(from: Pid, to: Destination, message: Encodable, options?: SendOptions): boolean

  /**
   * Asks another node (or this one) for a process, as `erlang:spawn_request/5` does; the answer goes to the `from`
   * process's handler. `options` is the option list on the wire, such as `[atom('monitor')]`.
   */
  spawnRequest(
    from: Process,
    node: Atom | string,
    mfa: { module: Name; function: Name; args: readonly Encodable[] },
    options: readonly Encodable[],
    groupLeader?: Pid,
  ): Reference

  /** Gives up a spawn request and the monitor that came of it: nothing of it reaches the requester any more. */
  abandonSpawn(from: Process, ref: Reference): void

  /**
   * Ends a process (`exit/1` in it). `fallback` gives the reason for receivers to whom `reason` cannot be sent.
   */
  terminate(process: Process, reason: Encodable, fallback?: ReasonFallback): void

  /** Calls when a connection to a node came up or went away, after `nodes()` changed. Returns an unsubscribe function. */
  onNodeStatus(
    listener: (event: { type: 'nodeup' | 'nodedown'; node: Atom; reason?: Term }) => void,
  ): () => void

  /**
   * Tells the node's log of an error that has no one to go to.
   * @param peer the node that caused it, if it is known: so many lines about one are logged in a period
   */
  reportError(error: unknown, where: string, peer?: Atom): void

  /**
   * Sets what answers spawn requests. `starter` gets the process, made and with its links and monitors in place,
   * and runs the function in it; what it leaves unanswered it must end with `process.exit`.
   */
  setSpawnStarter(starter: SpawnStarter): void
}
