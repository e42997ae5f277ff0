/**
 * The kernel of a node: joins the process table to the connections, answers as `net_kernel`, tells nodeup and nodedown,
 * and owns the node's group leader.
 */
import { checkArray } from '../arguments.js'
import type { BeampeerError } from '../errors.js'
import { NodeError } from '../errors.js'
import { internAtom, type Atom } from '../etf/atom.js'
import type { SignalIn } from '../dist/signals.js'
import type { Limits } from '../limits.js'
import { LimitedLog } from '../net/limited-log.js'
import { IoClient } from '../process/io.js'
import type { Process } from '../process/process.js'
import { connectionChannel, type ConnectionEvent } from '../process/diagnostics.js'
import { ProcessTable } from '../process/table.js'
import { adapt } from './adapt.js'
import type { AllowedNodes } from './allowed-nodes.js'
import { Backpressure } from './backpressure.js'
import type { CookieJar } from './cookies.js'
import { startGroupLeader, type GroupLeaderOptions } from './group-leader.js'
import { KeptConnection, type KeepConnectedOptions } from './keep-connected.js'
import { startLogProxy } from './log-proxy.js'
import { startNetKernel, type NetKernelState } from './net-kernel.js'
import { NodeMessages } from './node-events.js'
import { NodeSubscription, type MonitorNodesOptions, type NodeChange } from './node-monitor.js'
import { Peers, type Peer, type PeersOptions } from './peers.js'
import { isAuth } from './ping.js'
import { NetTicktime } from './ticktime.js'

/** Where the kernel tells what an operator may want to know. `console` is one. */
export interface Logger {
  debug(message: string): void
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

export interface KernelOptions extends Pick<
  PeersOptions,
  'dial' | 'open' | 'accept' | 'autoConnect' | 'random32'
> {
  /** Undefined: a dynamic name, given by the first peer. */
  name: string | undefined
  creation: number
  limits: Limits
  cookies: CookieJar
  logger: Logger
  groupLeader: GroupLeaderOptions
  allowed: AllowedNodes
  longNames: boolean
  netTicktimeMs: number
  netTickintensity: number
  /** The tick time of links that are made from now on. */
  setLinkTicktime(netTicktimeMs: number): void
}

const NONODE = 'nonode@nohost'

/** Which nodes `nodes/1` lists. */
export type NodesType = 'visible' | 'hidden' | 'connected' | 'this' | 'known'

/** A node as `nodes/2` describes it. */
export interface NodeInfo {
  readonly node: string
  readonly nodeType: 'visible' | 'hidden' | 'known' | 'this'
  /** Of nodes that are connected: grows with each connection of this node. */
  readonly connectionId?: number
  /** Of nodes that are connected, and this one: tells one incarnation of a name from another. */
  readonly creation?: number
}

export class Kernel {
  readonly table: ProcessTable
  readonly peers: Peers
  readonly io: IoClient
  /** `net_kernel:monitor_nodes/2` of processes. */
  readonly nodeMessages: NodeMessages
  readonly ticktime: NetTicktime
  /** For what peers can cause lines about. */
  readonly log: LimitedLog
  readonly #options: KernelOptions
  readonly #subscriptions = new Set<NodeSubscription>()
  readonly #setupErrors = new Map<Atom, BeampeerError>()
  readonly #known = new Set<string>()
  readonly #backpressure: Backpressure
  readonly #kept = new Set<KeptConnection>()
  #named: boolean

  constructor(options: KernelOptions) {
    this.#options = options
    this.#named = options.name !== undefined
    const { limits } = options
    this.log = new LimitedLog(options.logger, limits)
    this.table = new ProcessTable({
      name: internAtom(options.name ?? NONODE),
      creation: options.creation,
      limits,
      seed: [options.random32(), options.random32() >>> 1],
      outlet: {
        send: (signal, node, sender) => this.peers.send(signal, node, sender),
        connect: (node) => this.peers.autoConnect(node),
        checkConnection: (node) => {
          if (!this.peers.has(node)) queueMicrotask(() => this.table.connectionLost(node))
        },
      },
      onError: (error, where, peer) => this.log.error(peer?.name ?? where, `${where}: ${describe(error)}`),
      onExcess: (node, error) => this.peers.get(node)?.link.close('connection_closed', error),
      onArrival: (mailbox, node) => this.#backpressure.arrived(mailbox, node),
    })
    this.#backpressure = new Backpressure(limits, (node) => this.peers.get(node)?.link)
    const answer = (signal: SignalIn): void => this.table.deliverLater(signal)
    this.peers = new Peers({
      limits,
      cookies: options.cookies,
      thisName: () => (this.#named ? this.table.name.name : undefined),
      dial: options.dial,
      open: options.open,
      accept: options.accept,
      allowed: (node) => options.allowed.has(node),
      autoConnect: options.autoConnect,
      random32: options.random32,
      adapt: (signal, { link }) => adapt(signal, link, answer),
      events: {
        up: (peer) => this.#up(peer),
        signal: (signal, weight) => this.table.deliver(signal, weight),
        down: (peer, reason, error) => this.#down(peer, reason, error),
        setupFailed: (node, error) => this.#setupFailed(node, error),
        named: (name, creation) => this.#rename(name, creation),
        unsent: (node, error) => this.log.warn(node.name, `not sent to ${node.name}: ${describe(error)}`),
      },
    })
    const user = startGroupLeader(this.table, options.groupLeader, { name: 'user' })
    this.table.setGroupLeader(user.pid)
    startLogProxy(this.table, options.logger)
    this.io = new IoClient(this.table)
    this.nodeMessages = new NodeMessages(this.table)
    this.ticktime = new NetTicktime(options.netTicktimeMs, options.netTickintensity, {
      setTicktime: (netTicktimeMs) => {
        options.setLinkTicktime(netTicktimeMs)
        for (const peer of this.peers.up()) peer.link.setTicktime(netTicktimeMs)
      },
      auxTick: () => {
        for (const peer of this.peers.up()) peer.link.auxTick()
      },
    })
    startNetKernel(this.table, {
      state: () => this.state(),
      ticktime: () => ({ ms: this.ticktime.targetMs, changing: typeof this.ticktime.get() !== 'number' }),
    })
  }

  /** `net_kernel:get_state/0`. */
  state(): NetKernelState {
    return {
      started: 'dynamic',
      nameType: this.#options.name === undefined ? 'dynamic' : 'static',
      name: this.#named ? this.table.name.name : undefined,
      nameDomain: this.#options.longNames ? 'longnames' : 'shortnames',
    }
  }

  /** `is_alive/0`: whether the node has a name. */
  get isAlive(): boolean {
    return this.#named
  }

  /** Keeps a peer connected until it is told to stop. */
  keepConnected(node: Atom, options?: KeepConnectedOptions): KeptConnection {
    const kept = new KeptConnection(
      {
        connect: (to) => this.peers.connect(to),
        peer: (to) => this.peers.get(to),
        onNodeStatus: (listener) => this.table.onNodeStatus(listener),
        random: () => this.#options.random32() / 2 ** 32,
        limits: this.#options.limits,
      },
      node,
      options,
    )
    this.#kept.add(kept)
    return kept
  }

  /** A group leader that gives what is printed to `write`; its owner ends it with `exit`. */
  makeGroupLeader(write: (text: string) => void): Process {
    return startGroupLeader(this.table, { write })
  }

  /** Why the last connection to `node` could not be set up; undefined when one could since. */
  connectionError(node: Atom): BeampeerError | undefined {
    return this.#setupErrors.get(node)
  }

  /** `nodes/1`: the nodes of any of these types. */
  nodes(types: NodesType | readonly NodesType[] = 'visible'): string[] {
    const wanted = typeof types === 'string' ? [types] : types
    checkArray('the types of nodes are one, or', wanted)
    return [...new Set(wanted.flatMap((type) => this.#nodesOf(type)))]
  }

  /** `nodes/2`: with what is known of their connections. */
  nodesInfo(types: NodesType | readonly NodesType[] = 'visible'): NodeInfo[] {
    return this.nodes(types).map((name) => {
      const peer = this.peers.get(internAtom(name))
      if (peer !== undefined) {
        const { connectionId, hidden, link } = peer
        return {
          node: name,
          nodeType: hidden ? 'hidden' : 'visible',
          connectionId,
          creation: link.peerCreation,
        }
      }
      if (name !== this.table.name.name) return { node: name, nodeType: 'known' }
      return { node: name, nodeType: 'this', creation: this.table.creation }
    })
  }

  #nodesOf(type: NodesType): string[] {
    const up = this.peers.up()
    const names = (peers: readonly Peer[]) => peers.map((peer) => peer.node.name)
    switch (type) {
      case 'visible':
        return names(up.filter((peer) => !peer.hidden))
      case 'hidden':
        return names(up.filter((peer) => peer.hidden))
      case 'connected':
        return names(up)
      case 'this':
        return [this.table.name.name]
      case 'known':
        return [...new Set([this.table.name.name, ...this.#known])]
    }
  }

  /**
   * `net_adm:ping/1`: a call of the other node's net_kernel, which only a peer with the right cookie reaches.
   * @returns whether the answer was yes; OTP disconnects on anything else, and so does this
   */
  async ping(node: Atom, options: { signal?: AbortSignal } = {}): Promise<boolean> {
    if (node === this.table.name) return true
    const answered = await isAuth(this.table, node, options.signal)
    if (!answered) this.peers.disconnect(node)
    return answered
  }

  /** `net_kernel:monitor_nodes/2` as an async iterable. */
  monitorNodes(options: MonitorNodesOptions = {}): NodeSubscription {
    const limit = this.#options.limits.maxNodeEvents
    const subscription = new NodeSubscription(options, limit, (ended) => this.#subscriptions.delete(ended))
    if (options.signal?.aborted !== true) this.#subscriptions.add(subscription)
    return subscription
  }

  /** Ends every connection, then every process. */
  stop(): void {
    for (const kept of this.#kept) kept.stop()
    this.ticktime.stop()
    this.#backpressure.stop()
    this.peers.stop()
    for (const pid of this.table.processes()) {
      const process = this.table.process(pid)
      if (process !== undefined) this.table.terminate(process, internAtom('shutdown'))
    }
    for (const subscription of [...this.#subscriptions]) subscription.end()
    this.log.stop()
  }

  #up(peer: Peer): void {
    this.#setupErrors.delete(peer.node)
    this.#known.add(peer.node.name)
    this.#options.logger.debug(`${peer.node.name} is up (${peer.hidden ? 'hidden' : 'visible'})`)
    this.table.inOrder(() => this.table.announce({ type: 'nodeup', node: peer.node }))
    this.#diagnose({ type: 'nodeup', local: this.table.name.name, node: peer.node.name })
    this.#publish({
      type: 'nodeup',
      node: peer.node.name,
      hidden: peer.hidden,
      connectionId: peer.connectionId,
    })
  }

  #down(peer: Peer, reason: string, error: BeampeerError | undefined): void {
    const { logger } = this.#options
    if (error === undefined) logger.debug(`${peer.node.name} is down: ${reason}`)
    else this.log.warn(peer.node.name, `${peer.node.name} is down: ${reason} (${describe(error)})`)
    // Links and monitors break before the nodedown: it is the last that anyone hears of this connection.
    this.table.inOrder(() => {
      this.table.connectionLost(peer.node)
      this.table.announce({ type: 'nodedown', node: peer.node, reason: internAtom(reason) })
    })
    this.#diagnose({ type: 'nodedown', local: this.table.name.name, node: peer.node.name, reason })
    this.#publish({
      type: 'nodedown',
      node: peer.node.name,
      hidden: peer.hidden,
      connectionId: peer.connectionId,
      reason,
    })
    if (peer.link.namedByPeer) this.#nameLost()
  }

  #diagnose(event: ConnectionEvent): void {
    if (connectionChannel.hasSubscribers) connectionChannel.publish(event)
  }

  #setupFailed(node: Atom, error: BeampeerError): void {
    this.#setupErrors.delete(node)
    if (this.#setupErrors.size >= this.#options.limits.maxRememberedErrors) {
      const [oldest] = this.#setupErrors.keys()
      this.#setupErrors.delete(oldest as Atom)
    }
    this.#setupErrors.set(node, error)
    this.#options.logger.debug(`no connection to ${node.name}: ${describe(error)}`)
    this.table.inOrder(() => this.table.connectionLost(node))
  }

  /** After the signals of the connection, where there are some under way: the order that monitor_nodes promises. */
  #publish(change: NodeChange): void {
    this.table.inOrder(() => {
      for (const subscription of [...this.#subscriptions]) subscription.push(change)
      this.nodeMessages.publish(change)
    })
  }

  #rename(name: string, creation: number): void {
    this.#named = true
    this.table.rename(internAtom(name), creation)
  }

  /** The peer that gave this node its name is gone, and the name with it, and so all other connections. */
  #nameLost(): void {
    for (const peer of this.peers.up()) this.peers.disconnect(peer.node, 'net_kernel_terminated')
    this.#named = false
    this.table.rename(internAtom(NONODE), 0)
  }
}

function describe(error: unknown): string {
  if (error instanceof NodeError || !(error instanceof Error))
    return String((error as Error)?.message ?? error)
  return (error.stack ?? error.message).split('\n').slice(0, 4).join(' | ')
}
