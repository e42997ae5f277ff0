/**
 * The connection table: at most one connection to each node, set up on the first signal, with signals queued in order
 * meanwhile. Follows `net_kernel` (auto-connect, `accept_pending` and its decisions on simultaneous connects).
 */
import { NodeError, type BeampeerError, type DistError, type EtfError } from '../errors.js'
import { internAtom, type Atom } from '../etf/atom.js'
import type { Pid } from '../etf/identifiers.js'
import type { SignalIn, SignalOut } from '../dist/signals.js'
import type { AcceptDecision, NameOffer } from '../handshake/types.js'
import type { Limits } from '../limits.js'
import type { Link, LinkDown, LinkHandlers } from '../net/link.js'
import type { Transport, TransportOptions } from '../net/transport.js'
import { AutoConnects } from './auto-connects.js'
import type { CookieJar } from './cookies.js'
import { NamePool } from './name-pool.js'
import { WaitingSignals } from './waiting-signals.js'

/** A connection that is up. */
export interface Peer {
  readonly node: Atom
  readonly link: Link
  /** Grows with each connection of this node; OTP's connection id. */
  readonly connectionId: number
  readonly hidden: boolean
}

export interface PeerEvents {
  /** The connection is up; `nodes()` shows it; no signal of it has been delivered. */
  up(peer: Peer): void
  /** @param weight what it takes in memory, about */
  signal(signal: SignalIn, weight: number, peer: Peer): void
  /** A connection that was up is gone; `nodes()` no longer shows it. */
  down(peer: Peer, reason: string, error: BeampeerError | undefined): void
  /** A connection could not be set up. */
  setupFailed(node: Atom, error: BeampeerError): void
  /** The first peer of a dynamically named node gave it its name. */
  named(name: string, creation: number): void
  /** A signal that waited for the connection could not be put into bytes for this peer. */
  unsent(peer: Atom, error: EtfError | DistError): void
}

export interface PeersOptions {
  limits: Limits
  cookies: CookieJar
  /** This node's full name; undefined while it has none (a dynamic name, asked from the first peer). */
  thisName(): string | undefined
  /** Finds the node and connects to its distribution port. */
  dial(node: string, signal: AbortSignal): Promise<Transport>
  /** Starts an outgoing link's handshake. */
  open(
    transport: Transport,
    peerName: string,
    cookies: { outCookie: string; inCookie: string },
    handlers: LinkHandlers,
  ): Link
  /** Starts an incoming link's handshake. */
  accept(transport: Transport, handlers: LinkHandlers): Link
  /** Whether `net_kernel:allow/1` lets this node connect. */
  allowed(node: string): boolean
  /** `dist_auto_connect`: whether signals set up connections; `once`: only the first to each node. */
  autoConnect: 'always' | 'once' | 'never'
  /** The signal in the form that this peer knows; undefined when there is nothing to send it. */
  adapt(signal: SignalOut, peer: Peer): SignalOut | undefined
  random32(): number
  events: PeerEvents
}

type Waiter = (error: BeampeerError | undefined) => void

/** A connection being set up, by us (`abort` ends it) or by the peer. */
interface Pending {
  state: 'pending'
  /** A text, not an atom: of a peer that has not proved its cookie nothing may stay, and atoms do. */
  name: string
  link: Link | undefined
  abort: AbortController | undefined
  waiting: Waiter[]
}

interface Up extends Peer {
  state: 'up'
  /** An incoming connection of the same node that replaces this one once this one is down (`up_pending`). */
  successor: { link: Link; resolve(): void } | undefined
  /** An incoming connection of the same node that was told `alive` and has not answered. */
  pendingOwner: Link | undefined
}

export class Peers {
  readonly #options: PeersOptions
  /** By node name. */
  readonly #table = new Map<string, Pending | Up>()
  readonly #byLink = new Map<Link, string>()
  /** Where each signal looks first. */
  readonly #upByLink = new Map<Link, Up>()
  readonly #incoming = new Set<Link>()
  readonly #pool: NamePool
  readonly #waiting: WaitingSignals
  readonly #automatic: AutoConnects<Pending>
  /** Nodes that were connected: kept only for `autoConnect: 'once'`. */
  readonly #wasUp = new Set<Atom>()
  readonly #writableWaiters = new Map<string, (() => void)[]>()
  #newOptions: TransportOptions = {}
  #lastConnectionId = 0
  /** While this node has no name, the one connection that will give it one. */
  #naming: Promise<unknown> | undefined
  #stopped = false

  constructor(options: PeersOptions) {
    this.#options = options
    this.#waiting = new WaitingSignals(options.limits)
    const giveUp = (entry: Pending, error: NodeError) => this.#failPending(entry, error)
    this.#automatic = new AutoConnects(options.limits.maxAutoConnects, giveUp)
    this.#pool = new NamePool(() => options.random32(), options.limits.maxPooledNames)
  }

  /** Connections that are up. */
  up(): Peer[] {
    return [...this.#table.values()].filter((entry): entry is Up => entry.state === 'up')
  }

  get(node: Atom): Peer | undefined {
    const entry = this.#table.get(node.name)
    return entry?.state === 'up' ? entry : undefined
  }

  /** Incoming connections in handshake. */
  get pendingIncoming(): number {
    return this.#incoming.size
  }

  /** Signals queued for connections that are being set up. */
  get pendingSignals(): number {
    return this.#waiting.count
  }

  /** Sends a signal, setting up a connection if there is none. See `Outlet.send`. */
  send(signal: SignalOut, node: Atom, sender?: Pid): boolean {
    let entry = this.#table.get(node.name)
    if (entry?.state === 'up') return this.#transmit(signal, entry, sender)
    if (entry === undefined) {
      if (this.#stopped) return true
      if (this.#refuseAutoConnect(node)) return true
      entry = this.#connect(node)
      this.#automatic.add(entry)
    }
    this.#waiting.add(node.name, signal, sender)
    return true
  }

  /** Connects as a signal to `node` would, without one. */
  autoConnect(node: Atom): void {
    if (this.#table.has(node.name) || this.#stopped || this.#refuseAutoConnect(node)) return
    this.#automatic.add(this.#connect(node))
  }

  /** Whether there is a connection to `node`, or one being set up. */
  has(node: Atom): boolean {
    return this.#table.has(node.name)
  }

  /**
   * `dist_auto_connect`, and nodes without a name, which connect only when they are told to, as in OTP: their pids mean
   * nothing to anyone yet. What the signal was part of ends as with a connection that failed.
   */
  #refuseAutoConnect(node: Atom): boolean {
    const { thisName, autoConnect, events } = this.#options
    const refused = (code: string, why: string): true => {
      queueMicrotask(() => events.setupFailed(node, new NodeError(code, why)))
      return true
    }
    if (thisName() === undefined) {
      return refused('NODE_NOT_ALIVE', `this node has no name yet: connect to ${node.name} first`)
    }
    if (autoConnect === 'never' || (autoConnect === 'once' && this.#wasUp.has(node))) {
      const why = `distAutoConnect is '${autoConnect}', and ${node.name} is not connected: connect to it`
      return refused('NODE_NOT_CONNECTED', why)
    }
    return false
  }

  /**
   * Connects, or waits for the connection that is being set up.
   * @throws EpmdError, HandshakeError, NodeError why there is no connection
   */
  connect(node: Atom): Promise<void> {
    const found = this.#table.get(node.name)
    if (found?.state === 'up') return Promise.resolve()
    if (this.#stopped) return Promise.reject(new NodeError('NODE_STOPPED', 'this node is stopped'))
    const entry = found ?? this.#connect(node)
    this.#automatic.delete(entry)
    return new Promise((resolve, reject) => {
      entry.waiting.push((error) => (error === undefined ? resolve() : reject(error)))
    })
  }

  /** @returns whether there was a connection, up or pending */
  disconnect(node: Atom, reason = 'disconnect'): boolean {
    const entry = this.#table.get(node.name)
    if (entry === undefined) return false
    this.#disconnect(entry, reason)
    return true
  }

  #disconnect(entry: Pending | Up, reason: string): void {
    if (entry.state === 'up') entry.link.close(reason)
    else {
      const why = `the connection to ${entry.name} was given up`
      this.#failPending(entry, new NodeError('NODE_DISCONNECTED', why))
    }
  }

  /** Resolves when the connection's queue is below the busy limit, or there is no connection. */
  writable(node: Atom): Promise<void> {
    const entry = this.#table.get(node.name)
    if (entry === undefined) return Promise.resolve()
    if (entry.state === 'up' && !entry.link.busy) return Promise.resolve()
    if (entry.state === 'pending' && !this.#waiting.has(node.name)) return Promise.resolve()
    return new Promise((resolve) => {
      const waiters = this.#writableWaiters.get(node.name)
      if (waiters === undefined) this.#writableWaiters.set(node.name, [resolve])
      else waiters.push(resolve)
    })
  }

  /** `net_kernel:setopts(new, …)`: socket options of connections made from now on. */
  setNewOptions(options: TransportOptions): void {
    this.#newOptions = { ...this.#newOptions, ...options }
    for (const entry of this.#table.values()) {
      if (entry.state === 'pending') entry.link?.transport.setOptions(options)
    }
  }

  /** A connection came in on the listening socket. */
  incoming(transport: Transport): void {
    transport.setOptions(this.#newOptions)
    if (this.#stopped) {
      transport.destroy()
      return
    }
    // The oldest makes room: a node is done in a few round trips, and who only holds connections open must not keep it out.
    const [oldest] = this.#incoming
    if (oldest !== undefined && this.#incoming.size >= this.#options.limits.maxPendingHandshakes) {
      this.#incoming.delete(oldest)
      oldest.close('setup_timer_timeout')
      oldest.transport.destroy()
    }
    const link = this.#options.accept(transport, {
      onName: (offer, from) => this.#decide(offer, from),
      onReplace: (name, from) => this.#replace(name, from),
      ...this.#handlers(),
    })
    if (link.state === 'handshake') this.#incoming.add(link)
  }

  /** Closes every connection with `reason` and takes no more. */
  stop(reason = 'net_kernel_terminated'): void {
    this.#stopped = true
    for (const entry of [...this.#table.values()]) this.#disconnect(entry, reason)
    for (const link of [...this.#incoming]) link.close(reason)
  }

  /** Resolves when everything queued has left on every connection that is up. */
  async drained(): Promise<void> {
    await Promise.all(this.up().map((peer) => peer.link.drained()))
  }

  // --- outgoing ---

  #connect(node: Atom): Pending {
    const entry: Pending = {
      state: 'pending',
      name: node.name,
      link: undefined,
      abort: new AbortController(),
      waiting: [],
    }
    this.#table.set(node.name, entry)
    // Later: who asks for the connection wants to wait for it before it can fail.
    queueMicrotask(() => void this.#dial(entry))
    return entry
  }

  async #dial(entry: Pending): Promise<void> {
    const { name } = entry
    const signal = entry.abort?.signal
    if (signal === undefined) return
    try {
      if (!this.#options.allowed(name)) {
        throw new NodeError('NODE_NOT_ALLOWED', `${name} is not among the allowed nodes`)
      }
      if (this.#options.thisName() === undefined) await this.#waitForName(entry)
      const transport = await this.#options.dial(name, signal)
      if (this.#table.get(name) !== entry || entry.abort?.signal !== signal) {
        transport.destroy()
        return
      }
      transport.setOptions(this.#newOptions)
      const cookies = this.#options.cookies.for(name)
      const link = this.#options.open(transport, name, cookies, this.#handlers())
      if (link.state === 'down') return
      entry.link = link
      this.#byLink.set(link, name)
    } catch (error) {
      if (this.#table.get(name) === entry && entry.abort?.signal === signal)
        this.#failPending(entry, error as BeampeerError)
    }
  }

  /** A node without a name asks its first peer for one; connections to others wait until it has it. */
  async #waitForName(entry: Pending): Promise<void> {
    while (this.#options.thisName() === undefined && this.#naming !== undefined) await this.#naming
    if (this.#options.thisName() !== undefined) return
    this.#naming = new Promise<void>((resolve) => {
      entry.waiting.unshift(() => {
        this.#naming = undefined
        resolve()
      })
    })
  }

  #failPending(entry: Pending, error: BeampeerError): void {
    const { name, link } = entry
    if (this.#table.get(name) !== entry) return
    this.#table.delete(name)
    this.#automatic.delete(entry)
    const signals = this.#waiting.take(name)
    const ours = entry.abort !== undefined || entry.waiting.length > 0 || signals.length > 0
    entry.abort?.abort()
    entry.abort = undefined
    if (link !== undefined) {
      this.#byLink.delete(link)
      link.close('connection_setup_failed')
    }
    this.#pool.forget(name)
    for (const waiter of entry.waiting) waiter(error)
    this.#wakeWriters(name)
    // Nobody here waited for a peer that only tried: its name is not worth an atom.
    if (ours) this.#options.events.setupFailed(internAtom(name), error)
  }

  // --- incoming ---

  #decide(offer: NameOffer, link: Link): AcceptDecision {
    if (offer.dynamic) {
      const host = offer.name
      if (host === '' || host.includes('@')) return { status: 'not_allowed' }
      const { name, creation } = this.#pool.take(host, (taken) => this.#table.has(taken))
      this.#adopt(name, link)
      return { status: 'named', name, creation, ...this.#options.cookies.for(name) }
    }
    const thisName = this.#options.thisName() as string
    if (offer.name === thisName || !this.#options.allowed(offer.name)) return { status: 'not_allowed' }
    const cookies = this.#options.cookies.for(offer.name)
    const entry = this.#table.get(offer.name)
    if (entry === undefined) {
      this.#adopt(offer.name, link)
      return { status: 'ok', ...cookies }
    }
    if (entry.state === 'up') {
      if (entry.pendingOwner !== undefined || entry.successor !== undefined) return { status: 'nok' }
      entry.pendingOwner = link
      return { status: 'alive', ...cookies }
    }
    // Both sides connect at once: the attempt of the node with the greater name stands.
    if (thisName > offer.name) return { status: 'nok' }
    const old = entry.link
    this.#automatic.delete(entry)
    entry.abort?.abort()
    entry.abort = undefined
    entry.link = link
    this.#byLink.set(link, offer.name)
    if (old !== undefined) {
      this.#byLink.delete(old)
      old.close('connection_setup_failed')
    }
    return { status: 'ok_simultaneous', ...cookies }
  }

  /** Makes an incoming link the pending connection of a node that has none. */
  #adopt(name: string, link: Link): void {
    this.#table.set(name, {
      state: 'pending',
      name,
      link,
      abort: undefined,
      waiting: [],
    })
    this.#byLink.set(link, name)
  }

  /** The peer proved its cookie and wants its new connection: the old one goes first. */
  #replace(name: string, link: Link): Promise<void> {
    const entry = this.#table.get(name)
    if (entry?.state !== 'up') {
      if (entry === undefined) this.#adopt(name, link)
      return Promise.resolve()
    }
    return new Promise((resolve) => {
      entry.pendingOwner = undefined
      entry.successor = { link, resolve }
      entry.link.close('connection_closed')
    })
  }

  // --- both ---

  #handlers(): Pick<LinkHandlers, 'onUp' | 'onSignal' | 'onWritable' | 'onDown'> {
    return {
      onUp: (link) => this.#linkUp(link),
      onSignal: (signal, weight, link) => {
        const up = this.#upByLink.get(link)
        if (up !== undefined) this.#options.events.signal(signal, weight, up)
      },
      onWritable: (link) => {
        const up = this.#upByLink.get(link)
        if (up !== undefined) this.#wakeWriters(up.node.name)
      },
      onDown: (down, link) => this.#linkDown(down, link),
    }
  }

  #linkUp(link: Link): void {
    this.#incoming.delete(link)
    const name = link.peerName as string
    const entry = this.#table.get(name)
    if (entry?.state === 'pending' && entry.link === undefined && link.direction === 'out') entry.link = link
    if (entry?.link !== link || entry.state !== 'pending') {
      // Another connection of this node won meanwhile.
      link.close('connection_setup_failed')
      return
    }
    this.#byLink.set(link, name)
    const node = internAtom(name)
    if (link.namedByPeer && link.thisNode !== undefined) {
      this.#options.events.named(link.thisNode.name, link.thisNode.creation)
    }
    this.#automatic.delete(entry)
    const { waiting } = entry
    const up: Up = {
      state: 'up',
      node,
      link,
      connectionId: ++this.#lastConnectionId,
      hidden: link.hidden,
      successor: undefined,
      pendingOwner: undefined,
    }
    this.#table.set(name, up)
    this.#upByLink.set(link, up)
    if (this.#options.autoConnect === 'once') this.#wasUp.add(node)
    this.#options.events.up(up)
    for (const { packed, sender } of this.#waiting.take(name)) {
      try {
        this.#transmit(packed.unpack(), up, sender)
      } catch (error) {
        this.#options.events.unsent(node, error as EtfError | DistError)
      }
    }
    for (const waiter of waiting) waiter(undefined)
    if (!link.busy) this.#wakeWriters(name)
  }

  #linkDown(down: LinkDown, link: Link): void {
    this.#incoming.delete(link)
    const name = this.#byLink.get(link) ?? link.peerName
    this.#byLink.delete(link)
    this.#upByLink.delete(link)
    const entry = name === undefined ? undefined : this.#table.get(name)
    if (name === undefined || entry === undefined) return
    if (entry.state === 'up' && entry.pendingOwner === link) {
      entry.pendingOwner = undefined
      return
    }
    const startedAndFailed = entry.state === 'pending' && entry.link === undefined && link.direction === 'out'
    if (entry.link !== link && !startedAndFailed) return
    if (entry.state === 'pending') {
      entry.link = undefined
      const why = `the connection to ${name} ended during set-up: ${down.reason}`
      this.#failPending(entry, down.error ?? new NodeError('NODE_SETUP_FAILED', why))
      return
    }
    this.#table.delete(name)
    if (entry.successor === undefined) this.#pool.release(name)
    else this.#adopt(name, entry.successor.link)
    this.#options.events.down(entry, down.reason, down.error)
    this.#wakeWriters(name)
    entry.successor?.resolve()
  }

  #transmit(signal: SignalOut, peer: Peer, sender: Pid | undefined): boolean {
    const adapted = this.#options.adapt(signal, peer)
    return adapted === undefined ? true : peer.link.send(adapted, sender)
  }

  #wakeWriters(name: string): void {
    const waiters = this.#writableWaiters.get(name)
    this.#writableWaiters.delete(name)
    for (const wake of waiters ?? []) wake()
  }
}
