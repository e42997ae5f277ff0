/**
 * The kernel of a node: joins the process table to the connections, answers as `net_kernel`, tells nodeup and nodedown,
 * and owns the node's group leader.
 */
import type { BeampeerError } from '../errors.js'
import { NodeError } from '../errors.js'
import { internAtom, type Atom } from '../etf/atom.js'
import type { SignalOut } from '../dist/signals.js'
import { DistFlag } from '../handshake/flags.js'
import type { Limits } from '../limits.js'
import type { Link } from '../net/link.js'
import { GEN_CALL } from '../process/gen-reply.js'
import { IoClient } from '../process/io.js'
import type { Process } from '../process/process.js'
import { ProcessTable } from '../process/table.js'
import { Reference } from '../etf/identifiers.js'
import { Tuple, tuple } from '../etf/tuple.js'
import type { CookieJar } from './cookies.js'
import { startGroupLeader, type GroupLeaderOptions } from './group-leader.js'
import { pingRequest, startNetKernel, type NetKernelState } from './net-kernel.js'
import { NodeSubscription, type MonitorNodesOptions, type NodeChange } from './node-monitor.js'
import { Peers, type Peer, type PeersOptions } from './peers.js'

/** Where the kernel tells what an operator may want to know. `console` is one. */
export interface Logger {
  debug(message: string): void
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

export interface KernelOptions extends Pick<PeersOptions, 'dial' | 'open' | 'accept' | 'allowed' | 'random32'> {
  /** Undefined: a dynamic name, given by the first peer. */
  name: string | undefined
  creation: number
  limits: Limits
  cookies: CookieJar
  logger: Logger
  groupLeader: GroupLeaderOptions
  netKernel: NetKernelState
}

const NONODE = 'nonode@nohost'
const NOTSUP = internAtom('notsup')

/** Which nodes `nodes/1` lists. */
export type NodesType = 'visible' | 'hidden' | 'connected' | 'this' | 'known'

export class Kernel {
  readonly table: ProcessTable
  readonly peers: Peers
  readonly io: IoClient
  readonly #options: KernelOptions
  readonly #subscriptions = new Set<NodeSubscription>()
  readonly #setupErrors = new Map<Atom, BeampeerError>()
  readonly #known = new Set<string>()
  #named: boolean

  constructor(options: KernelOptions) {
    this.#options = options
    this.#named = options.name !== undefined
    const { limits, logger } = options
    this.table = new ProcessTable({
      name: internAtom(options.name ?? NONODE),
      creation: options.creation,
      limits,
      seed: [options.random32(), options.random32() >>> 1],
      outlet: { send: (signal, node) => this.peers.send(signal, node) },
      onError: (error, where) => logger.error(`${where}: ${describe(error)}`),
    })
    this.peers = new Peers({
      limits,
      cookies: options.cookies,
      thisName: () => (this.#named ? this.table.name.name : undefined),
      dial: options.dial,
      open: options.open,
      accept: options.accept,
      allowed: options.allowed,
      random32: options.random32,
      freeze: (signal) => this.table.localSignal(signal),
      adapt: (signal, link) => this.#adapt(signal, link),
      events: {
        up: (peer) => this.#up(peer),
        signal: (signal) => this.table.deliver(signal),
        down: (peer, reason, error) => this.#down(peer, reason, error),
        setupFailed: (node, error) => this.#setupFailed(node, error),
        named: (name, creation) => this.#rename(name, creation),
        badMessage: (node, error) => logger.warn(`bad message from ${node.name}: ${describe(error)}`),
      },
    })
    const user = startGroupLeader(this.table, options.groupLeader, { name: 'user' })
    this.table.setGroupLeader(user.pid)
    this.io = new IoClient(this.table)
    startNetKernel(this.table, options.netKernel)
  }

  /** A group leader that gives what is printed to `write`; its owner ends it with `exit`. */
  makeGroupLeader(write: (text: string) => void): Process {
    return startGroupLeader(this.table, { write })
  }

  /** Why the last connection to `node` could not be set up; undefined when one could since. */
  connectionError(node: Atom): BeampeerError | undefined {
    return this.#setupErrors.get(node)
  }

  /** `nodes/1`. */
  nodes(type: NodesType = 'visible'): string[] {
    const up = this.peers.up()
    switch (type) {
      case 'visible':
        return up.filter((peer) => !peer.hidden).map((peer) => peer.node.name)
      case 'hidden':
        return up.filter((peer) => peer.hidden).map((peer) => peer.node.name)
      case 'connected':
        return up.map((peer) => peer.node.name)
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
    const { table } = this
    const answered = await new Promise<boolean>((resolve, reject) => {
      const aborted = () => {
        caller.exit()
        reject(options.signal?.reason as Error)
      }
      const settle = (yes: boolean) => {
        options.signal?.removeEventListener('abort', aborted)
        caller.exit()
        resolve(yes)
      }
      const caller = table.spawnHandler({
        message: (message) => {
          if (message instanceof Tuple && message.elements[0] instanceof Reference && message.elements[0].equals(ref)) {
            settle(String(message.elements[1]) === 'yes')
          }
        },
        down: () => settle(false),
      })
      const to = { name: 'net_kernel', node }
      const ref = caller.monitor(to)
      if (options.signal?.aborted) aborted()
      else options.signal?.addEventListener('abort', aborted, { once: true })
      caller.send(to, tuple(GEN_CALL, tuple(caller.pid, ref), pingRequest(table.name.name)))
    })
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
    this.peers.stop()
    for (const pid of this.table.processes()) {
      const process = this.table.process(pid)
      if (process !== undefined) this.table.terminate(process, internAtom('shutdown'))
    }
    for (const subscription of [...this.#subscriptions]) subscription.end()
  }

  #up(peer: Peer): void {
    this.#setupErrors.delete(peer.node)
    this.#known.add(peer.node.name)
    this.#options.logger.debug(`${peer.node.name} is up (${peer.hidden ? 'hidden' : 'visible'})`)
    this.table.announce({ type: 'nodeup', node: peer.node })
    this.#publish({ type: 'nodeup', node: peer.node.name, hidden: peer.hidden, connectionId: peer.connectionId })
  }

  #down(peer: Peer, reason: string, error: BeampeerError | undefined): void {
    const { logger } = this.#options
    if (error === undefined) logger.debug(`${peer.node.name} is down: ${reason}`)
    else logger.warn(`${peer.node.name} is down: ${reason} (${describe(error)})`)
    // Links and monitors break before the nodedown: it is the last that anyone hears of this connection.
    this.table.connectionLost(peer.node)
    this.table.announce({ type: 'nodedown', node: peer.node, reason: internAtom(reason) })
    this.#publish({
      type: 'nodedown',
      node: peer.node.name,
      hidden: peer.hidden,
      connectionId: peer.connectionId,
      reason,
    })
    if (peer.link.namedByPeer) this.#nameLost()
  }

  #setupFailed(node: Atom, error: BeampeerError): void {
    this.#setupErrors.delete(node)
    if (this.#setupErrors.size >= this.#options.limits.maxRememberedErrors) {
      const [oldest] = this.#setupErrors.keys()
      this.#setupErrors.delete(oldest as Atom)
    }
    this.#setupErrors.set(node, error)
    this.#options.logger.debug(`no connection to ${node.name}: ${describe(error)}`)
    this.table.connectionLost(node)
  }

  #publish(change: NodeChange): void {
    for (const subscription of [...this.#subscriptions]) subscription.push(change)
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

  /** What peers of older releases do not know is said in words that they do. */
  #adapt(signal: SignalOut, link: Link): SignalOut | undefined {
    const flags = link.negotiatedFlags
    if (signal.type === 'unlinkId' && (flags & DistFlag.UNLINK_ID) === 0n) {
      const { id, from, to } = signal
      this.table.deliver({ type: 'unlinkIdAck', id, from: to, to: from })
      return { type: 'unlink', from, to }
    }
    if (signal.type === 'unlinkIdAck' && (flags & DistFlag.UNLINK_ID) === 0n) return undefined
    if (signal.type === 'spawnRequest' && (flags & DistFlag.SPAWN) === 0n) {
      const { ref, from } = signal
      queueMicrotask(() => this.table.deliver({ type: 'spawnReply', ref, to: from, flags: 0, result: NOTSUP }))
      return undefined
    }
    return signal
  }
}

function describe(error: unknown): string {
  if (error instanceof NodeError || !(error instanceof Error)) return String((error as Error)?.message ?? error)
  return (error.stack ?? error.message).split('\n').slice(0, 4).join(' | ')
}
