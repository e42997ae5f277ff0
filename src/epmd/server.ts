/**
 * EPMD's server as a state machine: connections, bytes and the time go in; what to send and to close comes out.
 * Spec: ERTS User's Guide, "Distribution Protocol", section "EPMD Protocol"; behaviour of OTP's `epmd_srv.c`.
 *
 *     accept ── whole request ──► answered ── flushed ──► closed
 *        │            └── ALIVE2_REQ ──► registered ── end of stream, or any further byte ──► closed
 *        └── bad length, bytes past the request, deadline ──► dropped
 *
 * Differs from OTP's daemon on purpose: a connection without a registration has, beside the packet time-out that begins
 * anew with every byte, a deadline from its accept (OTP's dripping one lives for days); one that was refused a name is
 * closed (OTP keeps it for ever); names with blanks or control characters are refused (they would forge lines of the names reply), and with `@`; a STOP of
 * an unknown name is answered NOEXIST only.
 */
import type { Limits } from '../limits.js'
import {
  decodeRequest,
  dumpLine,
  encodeAliveReply,
  encodeDumpReply,
  encodeNamesReply,
  encodePortReply,
  encodeText,
  type EpmdNode,
  type EpmdRequest,
} from './messages.js'
import { EpmdRegistry } from './registry.js'

/** What the driver has to do, in order. */
export type EpmdServerAction =
  | { type: 'send'; connection: number; bytes: Uint8Array }
  /** Close once everything sent has left. */
  | { type: 'close'; connection: number }
  /** Close at once. */
  | { type: 'drop'; connection: number; reason: string }
  | { type: 'registered'; connection: number; node: EpmdNode; creation: number }
  | { type: 'refused'; connection: number; name: string; reason: string }
  | { type: 'unregistered'; connection: number; node: EpmdNode }
  /** KILL_REQ was accepted: stop serving once everything sent has left. */
  | { type: 'terminate' }

export interface EpmdServerOptions {
  /** The port that the daemon listens on: part of its replies. */
  port: number
  /** Allow STOP_REQ, and KILL_REQ while names are registered. */
  relaxedCommandCheck: boolean
  limits: Limits
}

interface Connection {
  readonly id: number
  /** The peer is a process of this host. */
  readonly local: boolean
  /** The latest end of a connection without a registration. */
  readonly deadlineMs: number
  /** Its end when nothing more comes. */
  idleMs: number
  state: 'reading' | 'answered' | 'registered'
  /** The part of a request that has arrived. */
  received: Uint8Array
  /** Bytes of an answer that may still be unread. */
  queuedBytes: number
  /** The name it holds. */
  name: string | undefined
}

const EMPTY = new Uint8Array(0)

export class EpmdServerMachine {
  readonly registry: EpmdRegistry
  readonly #connections = new Map<number, Connection>()
  /** Those without a registration, in the order of their accept, which is that of their deadlines. */
  readonly #pending = new Map<number, Connection>()
  /** The same, in the order of their last bytes, which is that of their packet time-outs. */
  readonly #idle = new Set<Connection>()
  #queuedBytes = 0
  /** One names reply for all who ask between two changes: many slow readers hold one copy of it. */
  #names: Uint8Array | undefined

  constructor(private readonly options: EpmdServerOptions) {
    this.registry = new EpmdRegistry(options.limits)
  }

  /** Connections that hold no registration. */
  get pendingConnections(): number {
    return this.#pending.size
  }

  /** When `expire` has something to do, in the driver's milliseconds; undefined when nothing waits. */
  get dueMs(): number | undefined {
    const [oldest] = this.#pending.values()
    const [stillest] = this.#idle
    return oldest && stillest && Math.min(oldest.deadlineMs, stillest.idleMs)
  }

  /** A connection was accepted. `local`: the peer is a process of this host, which alone may register and command. */
  opened(id: number, local: boolean, nowMs: number): EpmdServerAction[] {
    const actions: EpmdServerAction[] = []
    for (const oldest of this.#pending.values()) {
      if (this.#pending.size < this.options.limits.maxEpmdPendingConnections) break
      this.#drop(oldest, 'too many connections: the oldest without a registration gives way', actions)
    }
    const connection: Connection = {
      id,
      local,
      deadlineMs: nowMs + this.options.limits.epmdRequestTimeoutMs,
      idleMs: nowMs + this.options.limits.epmdPacketTimeoutMs,
      state: 'reading',
      received: EMPTY,
      queuedBytes: 0,
      name: undefined,
    }
    this.#connections.set(id, connection)
    this.#pending.set(id, connection)
    this.#idle.add(connection)
    return actions
  }

  /**
   * Bytes arrived. They are not kept.
   * @param seed creation for a name never seen: seconds since the epoch
   */
  received(id: number, bytes: Uint8Array, seed: number, nowMs: number): EpmdServerAction[] {
    const connection = this.#connections.get(id)
    const actions: EpmdServerAction[] = []
    if (!connection || bytes.length === 0) return actions
    switch (connection.state) {
      case 'reading':
        connection.idleMs = nowMs + this.options.limits.epmdPacketTimeoutMs
        this.#idle.delete(connection)
        this.#idle.add(connection)
        this.#read(connection, bytes, seed, actions)
        break
      case 'answered':
        break // the answer is on its way and the end follows it; what else the peer says is not listened to
      case 'registered':
        this.#drop(connection, 'more than a registration on its connection', actions)
        break
    }
    return actions
  }

  /** The peer ended the connection, or it broke: its name is free from now on. */
  closed(id: number): EpmdServerAction[] {
    const connection = this.#connections.get(id)
    const actions: EpmdServerAction[] = []
    if (connection) this.#forget(connection, actions)
    return actions
  }

  /** Drops the connections whose time is over. */
  expire(nowMs: number): EpmdServerAction[] {
    const actions: EpmdServerAction[] = []
    const drop = (connection: Connection): void =>
      this.#drop(
        connection,
        connection.state === 'reading' ? 'no request in time' : 'answer not read in time',
        actions,
      )
    for (const connection of this.#pending.values()) {
      if (connection.deadlineMs > nowMs) break
      drop(connection)
    }
    for (const connection of this.#idle) {
      if (connection.idleMs > nowMs) break
      drop(connection)
    }
    return actions
  }

  #read(connection: Connection, bytes: Uint8Array, seed: number, actions: EpmdServerAction[]): void {
    const { maxEpmdRequestBytes } = this.options.limits
    const got = connection.received.length + bytes.length
    // Never joins more than one request: a longer chunk is refused by its length alone, below.
    const joined = join(
      connection.received,
      bytes.subarray(0, 2 + maxEpmdRequestBytes - connection.received.length),
    )
    if (got < 2) {
      connection.received = joined
      return
    }
    const length = (joined[0]! << 8) | joined[1]!
    if (length === 0 || length > maxEpmdRequestBytes)
      return this.#drop(
        connection,
        `request of ${length} bytes; 1 to ${maxEpmdRequestBytes} are allowed`,
        actions,
      )
    if (got > 2 + length) return this.#drop(connection, 'bytes after the request', actions)
    if (got < 2 + length) {
      connection.received = joined
      return
    }
    connection.received = EMPTY
    const request = decodeRequest(joined.subarray(2))
    if (request.type === 'bad') return this.#drop(connection, request.reason, actions)
    this.#answer(connection, request, seed, actions)
  }

  #answer(connection: Connection, request: EpmdRequest, seed: number, actions: EpmdServerAction[]): void {
    const { port, relaxedCommandCheck } = this.options
    if (!connection.local && request.type !== 'port' && request.type !== 'names')
      return this.#drop(connection, `${request.type} request from another host`, actions)
    switch (request.type) {
      case 'alive':
        return this.#register(connection, request.node, seed, actions)
      case 'port':
        return this.#reply(connection, encodePortReply(this.registry.find(request.name)?.node), actions)
      case 'names':
        this.#names ??= encodeNamesReply(
          port,
          [...this.registry.active].reverse().map(({ node }) => node),
        )
        return this.#reply(connection, this.#names, actions)
      case 'dump':
        return this.#reply(connection, encodeDumpReply(port, this.#dump()), actions)
      case 'kill': {
        const allowed = relaxedCommandCheck || this.registry.size === 0
        this.#reply(connection, encodeText(allowed ? 'OK' : 'NO'), actions)
        if (allowed) actions.push({ type: 'terminate' })
        return
      }
      case 'stop': {
        if (!relaxedCommandCheck)
          return this.#drop(connection, 'stop request without relaxed command check', actions)
        const stopped = this.registry.find(request.name)
        const holder = stopped && this.#connections.get(stopped.connection)
        if (holder) this.#drop(holder, 'stopped by request', actions)
        return this.#reply(connection, encodeText(holder ? 'STOPPED' : 'NOEXIST'), actions)
      }
    }
  }

  #register(connection: Connection, node: EpmdNode, seed: number, actions: EpmdServerAction[]): void {
    const result = this.registry.register(node, connection.id, seed)
    if ('refused' in result) {
      actions.push({ type: 'refused', connection: connection.id, name: node.name, reason: result.refused })
      return this.#reply(connection, encodeAliveReply(node.highestVersion, undefined), actions)
    }
    connection.state = 'registered'
    connection.name = node.name
    this.#pending.delete(connection.id)
    this.#idle.delete(connection)
    this.#names = undefined
    const bytes = encodeAliveReply(node.highestVersion, result.creation)
    actions.push({ type: 'send', connection: connection.id, bytes })
    actions.push({ type: 'registered', connection: connection.id, node, creation: result.creation })
  }

  *#dump(): Iterable<string> {
    for (const { node, connection } of [...this.registry.active].reverse())
      yield dumpLine(node, connection, true)
    for (const { node, connection } of this.registry.old) yield dumpLine(node, connection, false)
  }

  #reply(connection: Connection, bytes: Uint8Array, actions: EpmdServerAction[]): void {
    connection.state = 'answered'
    connection.queuedBytes = bytes.length
    this.#queuedBytes += bytes.length
    actions.push(
      { type: 'send', connection: connection.id, bytes },
      { type: 'close', connection: connection.id },
    )
    for (const oldest of this.#pending.values()) {
      if (this.#queuedBytes <= this.options.limits.maxEpmdQueuedBytes) break
      if (oldest.queuedBytes > 0 && oldest !== connection)
        this.#drop(oldest, 'too many unread answers', actions)
    }
  }

  #drop(connection: Connection, reason: string, actions: EpmdServerAction[]): void {
    actions.push({ type: 'drop', connection: connection.id, reason })
    this.#forget(connection, actions)
  }

  #forget(connection: Connection, actions: EpmdServerAction[]): void {
    this.#connections.delete(connection.id)
    this.#pending.delete(connection.id)
    this.#idle.delete(connection)
    this.#queuedBytes -= connection.queuedBytes
    if (connection.name === undefined) return
    const registration = this.registry.unregister(connection.name)
    this.#names = undefined
    if (registration)
      actions.push({ type: 'unregistered', connection: connection.id, node: registration.node })
  }
}

function join(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const joined = new Uint8Array(head.length + tail.length)
  joined.set(head)
  joined.set(tail, head.length)
  return joined
}
