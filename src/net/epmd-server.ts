/**
 * An EPMD: listens, and drives the state machine of epmd/server.ts.
 * Behaves as OTP's `epmd`, with its switches as options; unlike it, listens on loopback only unless told otherwise.
 */
import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { hostname } from 'node:os'
import { EpmdServerMachine, type EpmdServerAction } from '../epmd/server.js'
import type { EpmdName } from '../epmd/messages.js'
import { EpmdError } from '../errors.js'
import { DEFAULT_LIMITS, type Limits } from '../limits.js'
import { systemClock, type Clock, type Timer } from './clock.js'
import {
  epmdPort,
  listenAddresses,
  silent,
  type EpmdLogger,
  type Environment,
  type ListenAddress,
} from './epmd-options.js'
import { resolver } from './resolver.js'

export interface EpmdListenOptions {
  /** `-port`; default ERL_EPMD_PORT, else 4369. 0: any free one. */
  port?: number
  /** `-address`: IP addresses; loopback is always added. Default: ERL_EPMD_ADDRESS, else loopback only. */
  addresses?: readonly string[]
  /**
   * Names of this host: the loopback addresses that they mean are listened on as well.
   * Default: the system's host name.
   */
  hosts?: readonly string[]
  /** `-packet_timeout`, in milliseconds: from accept to the end of a connection that registers nothing. */
  packetTimeoutMs?: number
  /** `-relaxed_command_check`; default: whether ERL_EPMD_RELAXED_COMMAND_CHECK is set. */
  relaxedCommandCheck?: boolean
  /** `-delay_write`, in milliseconds: pause before each answer, to test clients with. */
  delayWriteMs?: number
  env?: Environment
  limits?: Limits
  logger?: EpmdLogger
  clock?: Clock
}

interface Peer {
  socket: Socket
  /** Held back by `delayWriteMs`: an answer and the close behind it. */
  held: ((socket: Socket) => void)[]
  release: Timer | undefined
}

export class EpmdServer implements AsyncDisposable {
  /** The port it listens on. */
  readonly port: number
  /** Resolves when it serves no more: after `close`, or when a KILL_REQ was accepted. */
  readonly closed: Promise<void>
  readonly #listeners: Server[] = []
  readonly #machine: EpmdServerMachine
  readonly #peers = new Map<number, Peer>()
  readonly #clock: Clock
  readonly #logger: EpmdLogger
  #timer: Timer | undefined
  #nextId = 1
  #closing: Promise<void> | undefined
  #settleClosed: () => void = () => undefined

  private constructor(
    first: Server,
    private readonly options: EpmdListenOptions,
  ) {
    const { packetTimeoutMs, limits = DEFAULT_LIMITS, env = process.env } = options
    this.port = (first.address() as AddressInfo).port
    this.#clock = options.clock ?? systemClock
    this.#logger = options.logger ?? silent
    this.#machine = new EpmdServerMachine({
      port: this.port,
      relaxedCommandCheck: options.relaxedCommandCheck ?? env['ERL_EPMD_RELAXED_COMMAND_CHECK'] !== undefined,
      limits: {
        ...limits,
        maxEpmdPendingConnections: Math.min(
          limits.maxEpmdPendingConnections,
          Math.max(1, Math.floor(limits.maxEpmdFileShare * maxOpenFiles())),
        ),
        epmdPacketTimeoutMs: packetTimeoutMs ?? limits.epmdPacketTimeoutMs,
      },
    })
    this.closed = new Promise((resolve) => (this.#settleClosed = resolve))
    this.#adopt(first)
  }

  /**
   * Starts an EPMD; resolves once it listens on all its addresses.
   * @throws EpmdError `EPMD_PORT_TAKEN` (something listens there already), `EPMD_LISTEN_FAILED`
   * @throws ArgumentError `BAD_OPTION`
   */
  static async listen(options: EpmdListenOptions = {}): Promise<EpmdServer> {
    const { env = process.env, limits = DEFAULT_LIMITS } = options
    const port = epmdPort(options.port, env)
    const [first, ...others] = listenAddresses(options.addresses, env) as [ListenAddress, ...ListenAddress[]]
    // Whoever has the first address is this host's EPMD: the rest follows while it serves already.
    const server = new EpmdServer(await listenOn(first.host, port, limits.epmdBacklog), options)
    try {
      for (const address of others) await server.#listenAlso(address)
      await server.#listenWhereNamed(first.host)
    } catch (error) {
      await server.close()
      throw error
    }
    return server
  }

  /** The addresses it listens on. */
  get addresses(): string[] {
    return this.#listeners.flatMap((listener) => (listener.address() as AddressInfo | null)?.address ?? [])
  }

  /** The names registered now. */
  get names(): EpmdName[] {
    return Array.from(this.#machine.registry.active, ({ node }) => ({ name: node.name, port: node.port }))
  }

  /** Connections that hold no registration. */
  get pendingConnections(): number {
    return this.#machine.pendingConnections
  }

  /** Lets the port go, then closes every connection: whoever loses a registration finds the port free. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    const closed = this.#listeners.map((listener) => new Promise((resolve) => listener.close(resolve)))
    this.#timer?.clear()
    for (const [id, { socket, release }] of this.#peers) {
      release?.clear()
      socket.destroy()
      this.#run(this.#machine.closed(id))
    }
    await Promise.all(closed)
    this.#settleClosed()
  }

  /** Must follow the listening at once: a connection that nobody takes is lost. */
  #adopt(listener: Server): void {
    this.#listeners.push(listener)
    listener.on('connection', (socket) => this.#accept(socket))
    // Nothing that ends the server: who waits is served with the next connection.
    listener.on('error', (error) => this.#logger.warn(`epmd: accept failed: ${error.message}`))
  }

  async #listenAlso({ host, required }: ListenAddress): Promise<void> {
    const { limits = DEFAULT_LIMITS } = this.options
    try {
      const listener = await listenOn(host, this.port, limits.epmdBacklog)
      if (this.#closing) listener.close()
      else this.#adopt(listener)
    } catch (error) {
      if (required) throw error
      this.#logger.debug(`epmd: not on [${host}]:${this.port} either: ${(error as Error).message}`)
    }
  }

  /**
   * Where this host's name means a loopback address of its own (Debian's 127.0.1.1), nodes of this host look for their
   * EPMD there. A resolver that takes its time does not hold up the start.
   */
  async #listenWhereNamed(first: string): Promise<void> {
    if (first === '0.0.0.0') return
    const { hosts = [hostname()], limits = DEFAULT_LIMITS } = this.options
    const all = Promise.all(hosts.map((host) => this.#listenWhere(host)))
    let timer: Timer | undefined
    const enough = new Promise<void>(
      (resolve) => (timer = this.#clock.setTimer(resolve, limits.epmdSettleTimeMs)),
    )
    await Promise.race([all, enough])
    timer?.clear()
  }

  async #listenWhere(host: string): Promise<void> {
    const found = await resolver()
      .lookup(host, { family: 4, all: true })
      .catch(() => [])
    for (const { address } of found) {
      const known = this.addresses.includes(address) || this.#closing !== undefined
      if (address.startsWith('127.') && !known) await this.#listenAlso({ host: address, required: false })
    }
  }

  #accept(socket: Socket): void {
    const id = this.#nextId++
    this.#peers.set(id, { socket, held: [], release: undefined })
    const seconds = () => Math.floor(Date.now() / 1000)
    const gone = () => this.#run(this.#machine.closed(id))
    socket.on('data', (bytes) => this.#run(this.#machine.received(id, bytes, seconds(), this.#clock.now())))
    // The end of the stream frees the name, as in OTP's daemon, and gives up a request that is not whole.
    socket.on('end', () => {
      if (socket.writableEnded || this.#peers.get(id)?.release) return
      gone()
      socket.destroy()
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#peers.get(id)?.release?.clear()
      this.#peers.delete(id)
      gone()
    })
    this.#run(this.#machine.opened(id, isLocalPeer(socket), this.#clock.now()))
  }

  #run(actions: EpmdServerAction[]): void {
    for (const action of actions) this.#perform(action)
    this.#schedule()
  }

  #perform(action: EpmdServerAction): void {
    switch (action.type) {
      case 'send':
        return this.#later(action.connection, (socket) => socket.write(action.bytes))
      case 'close':
        return this.#later(action.connection, (socket) => socket.end())
      case 'drop':
        this.#logger.debug(`epmd: connection ${action.connection} dropped: ${action.reason}`)
        this.#peers.get(action.connection)?.socket.destroy()
        return
      case 'registered':
        return this.#logger.debug(`epmd: '${action.node.name}' registered at port ${action.node.port}`)
      case 'refused':
        return this.#logger.debug(`epmd: '${action.name}' refused: ${action.reason}`)
      case 'unregistered':
        return this.#logger.debug(`epmd: '${action.node.name}' is gone`)
      case 'terminate':
        this.#logger.warn('epmd: killed by request')
        return void this.#terminate()
    }
  }

  /** Acts on a connection, after the pause that `-delay_write` asks for. */
  #later(id: number, act: (socket: Socket) => void): void {
    const peer = this.#peers.get(id)
    if (!peer || peer.socket.destroyed) return
    const { delayWriteMs = 0 } = this.options
    if (delayWriteMs === 0) return act(peer.socket)
    peer.held.push(act)
    peer.release ??= this.#clock.setTimer(() => {
      peer.release = undefined
      for (const one of peer.held.splice(0)) if (!peer.socket.destroyed) one(peer.socket)
    }, delayWriteMs)
  }

  /** The accepted KILL_REQ's answer leaves first. */
  async #terminate(): Promise<void> {
    const last = [...this.#peers.values()]
      .map(({ socket }) => socket)
      .filter((socket) => socket.writableEnded)
    for (const listener of this.#listeners) listener.close()
    await Promise.all(
      last.map((socket) => new Promise((resolve) => socket.once('finish', resolve).once('close', resolve))),
    )
    await this.close()
  }

  /** One timer, never set back: it fires for the oldest deadline that there was and looks for the next. */
  #schedule(): void {
    const due = this.#machine.dueMs
    if (due === undefined || this.#timer || this.#closing) return
    this.#timer = this.#clock.setTimer(
      () => {
        this.#timer = undefined
        this.#run(this.#machine.expire(this.#clock.now()))
      },
      Math.max(1, due - this.#clock.now()),
    )
  }
}

/**
 * How many files this process may have open; Infinity where the system does not say. Connections past it are closed
 * without an event, so there is no reacting to it.
 */
export function maxOpenFiles(): number {
  try {
    const match = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))
    return match ? Number(match[1]) : Infinity
  } catch {
    return Infinity
  }
}

/** A process of this host: on loopback, or calling from the very address it called. OTP's rule. */
function isLocalPeer(socket: Socket): boolean {
  const plain = (address: string | undefined) => address?.replace(/^::ffff:(?=\d+\.)/, '')
  const remote = plain(socket.remoteAddress)
  if (remote === undefined) return false
  return remote.startsWith('127.') || remote === '::1' || remote === plain(socket.localAddress)
}

function listenOn(host: string, port: number, backlog: number): Promise<Server> {
  // Half-open: a client may end its side behind the request and still read the answer.
  const listener = createServer({ noDelay: true, allowHalfOpen: true })
  return new Promise((resolve, reject) => {
    const failed = (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === 'EADDRINUSE'
      const text = `EPMD cannot listen on ${host}:${port}: ${taken ? 'the port is in use' : cause.message}`
      reject(new EpmdError(taken ? 'EPMD_PORT_TAKEN' : 'EPMD_LISTEN_FAILED', text, { cause }))
    }
    listener.once('error', failed)
    listener.listen({ host, port, backlog, ipv6Only: true, exclusive: true }, () => {
      listener.off('error', failed)
      resolve(listener)
    })
  })
}
