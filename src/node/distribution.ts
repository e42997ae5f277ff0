/** Finding and reaching other nodes, and being reached: EPMD, sockets, and the links over them. */
import { HandshakeError, NodeError } from '../errors.js'
import { ADVERTISED, DistFlag } from '../handshake/flags.js'
import { otpLogLine } from '../handshake/log.js'
import type { Md5 } from '../handshake/types.js'
import { parseNodeName } from '../kernel/node-name.js'
import { EpmdService } from '../net/epmd-service.js'
import { LimitedLog } from '../net/limited-log.js'
import { acceptLink, openLink, type Link, type LinkHandlers } from '../net/link.js'
import { loadMd5, randomChallenge } from '../net/md5.js'
import { resolver } from '../net/resolver.js'
import { connectTcp, listenTcp, type TcpListener, type TcpOptions } from '../net/tcp.js'
import type { Transport } from '../net/transport.js'
import type { Address, CheckedOptions, ListenOptions } from './options.js'

export class Distribution {
  readonly #options: CheckedOptions
  readonly #md5: Md5
  #epmd: EpmdService | undefined
  #listeners: TcpListener[] = []
  #creation = 0
  #netTicktimeMs: number
  readonly #log: LimitedLog

  private constructor(options: CheckedOptions, md5: Md5) {
    this.#options = options
    this.#md5 = md5
    this.#netTicktimeMs = options.netTicktimeMs
    this.#log = new LimitedLog(options.logger, options.limits)
  }

  /**
   * Listens and registers, if the node has a name.
   * @param onTransport incoming connections; may be called before this resolves
   */
  static async start(
    options: CheckedOptions,
    onTransport: (transport: Transport) => void,
  ): Promise<Distribution> {
    const distribution = new Distribution(options, await loadMd5())
    try {
      await distribution.#start(onTransport)
    } catch (error) {
      await distribution.stop()
      throw error
    }
    return distribution
  }

  /** The tick time of links that are made from now on. */
  setTicktime(netTicktimeMs: number): void {
    this.#netTicktimeMs = netTicktimeMs
  }

  get creation(): number {
    return this.#creation
  }

  /** The port that other nodes connect to; undefined for a node that does not listen. */
  get port(): number | undefined {
    return this.#listeners[0]?.address.port
  }

  get epmd(): EpmdService | undefined {
    return this.#epmd
  }

  async #start(onTransport: (transport: Transport) => void): Promise<void> {
    const { name, epmd, listen, hidden, limits, logger } = this.#options
    if (name !== undefined && listen !== undefined) {
      const listener = await this.#listen(listen, onTransport)
      this.#listeners.push(listener)
      await this.#listenWhereNamed(name.host, listener.address.port, onTransport)
    }
    const registers = name !== undefined && this.port !== undefined
    if (epmd !== 'none') {
      // A node that registers no name uses an EPMD, and has no reason to be one.
      const mode = !registers && typeof epmd === 'string' ? 'external' : epmd
      this.#epmd = await EpmdService.start({ mode, listenHost: listen?.host, limits, logger })
      if (registers) {
        const registration = await this.#epmd.register({ name: name.alive, port: this.port, hidden })
        this.#creation = registration.creation
        return
      }
    }
    // Without EPMD a node picks its creation itself, as OTP's erl_distribution does (0 to 3 are reserved).
    if (name !== undefined) this.#creation = 4 + (randomChallenge() % (2 ** 32 - 4))
  }

  /** The first free port of the range. */
  async #listen(
    { host, minPort, maxPort }: ListenOptions,
    onTransport: (transport: Transport) => void,
  ): Promise<TcpListener> {
    for (let port = minPort; ; port++) {
      try {
        return await listenTcp({ host, port, ...this.#tcpOptions() }, onTransport)
      } catch (error) {
        const cause = (error as NodeError).cause as NodeJS.ErrnoException | undefined
        if (port >= maxPort || cause?.code !== 'EADDRINUSE') throw error
      }
    }
  }

  /**
   * On a host whose own name means another loopback address (Debian's 127.0.1.1), peers look for us there: listening
   * on loopback includes it. A name that means a public address needs `listen.host`, and says so.
   */
  async #listenWhereNamed(
    host: string,
    port: number,
    onTransport: (transport: Transport) => void,
  ): Promise<void> {
    const { listen, logger, name, inet6 } = this.#options
    if (listen === undefined || (listen.host !== '127.0.0.1' && listen.host !== '::1')) return
    let address: string
    try {
      address = (await resolver().lookup(host, { family: inet6 ? 6 : 4 })).address
    } catch {
      logger.warn(`the host of ${name?.full} has no address here: other nodes may not find it`)
      return
    }
    if (address === listen.host) return
    if (!address.startsWith('127.') && address !== '::1') {
      logger.warn(
        `${name?.full} listens on loopback only, and its host is ${address}: give listen.host to be reached there`,
      )
      return
    }
    try {
      this.#listeners.push(await listenTcp({ host: address, port, ...this.#tcpOptions() }, onTransport))
    } catch (error) {
      logger.warn(`cannot listen on ${address}, the address of ${host}: ${(error as Error).message}`)
    }
  }

  /**
   * Connects to a node's distribution port.
   * @throws NodeError `NODE_NOT_FOUND`, `NODE_CONNECT_FAILED`, `NODE_CONNECT_TIMEOUT`; EpmdError; ArgumentError
   */
  async dial(node: string, signal: AbortSignal): Promise<Transport> {
    const address = await this.#find(node, signal)
    // As with `inet6_tcp`, only the host's IPv6 addresses are tried.
    const host = this.#options.inet6
      ? (await resolver().lookup(address.host, { family: 6 })).address
      : address.host
    const { setupTimeMs: timeoutMs } = this.#options.limits
    return connectTcp({ host, port: address.port, timeoutMs, signal, ...this.#tcpOptions() })
  }

  #tcpOptions(): TcpOptions {
    const { closeLingerMs, busyWaitMs, coalescingMs, bulkMemoryBytes, maxReadTurnBytes } =
      this.#options.limits
    return { lingerMs: closeLingerMs, busyWaitMs, coalescingMs, bulkMemoryBytes, maxReadTurnBytes }
  }

  async #find(node: string, signal: AbortSignal): Promise<Address> {
    const { resolve, name } = this.#options
    const { alive, host, domain } = parseNodeName(node)
    if (name !== undefined && name.domain !== domain) {
      throw new NodeError(
        'NODE_NAME_DOMAIN',
        `${name.full} has a ${name.domain === 'longnames' ? 'long' : 'short'} name and ${node} has not: one cluster uses one kind`,
      )
    }
    if (resolve !== undefined) {
      const address = await resolve(node)
      if (address !== undefined) return address
    }
    if (this.#epmd === undefined) {
      throw new NodeError(
        'NODE_NOT_FOUND',
        `${node} was not resolved, and this node uses no EPMD (epmd: 'none')`,
      )
    }
    const found = await this.#epmd.lookup(alive, host, { signal })
    if (found === undefined)
      throw new NodeError('NODE_NOT_FOUND', `no node named ${alive} is registered in the EPMD of ${host}`)
    return { host, port: found.port }
  }

  open(
    transport: Transport,
    peerName: string,
    cookies: { outCookie: string; inCookie: string },
    thisName: string | undefined,
    thisCreation: number,
    handlers: LinkHandlers,
  ): Link {
    const thisNode = thisName === undefined ? undefined : { name: thisName, creation: thisCreation }
    const options = { ...this.#linkConfig(), ...cookies, peerName, thisNode, thisHost: this.#options.host }
    return openLink(transport, options, this.#logged(handlers, 'out'))
  }

  accept(transport: Transport, thisName: string, handlers: LinkHandlers): Link {
    const thisNode = { name: thisName, creation: this.#creation }
    return acceptLink(transport, { ...this.#linkConfig(), thisNode }, this.#logged(handlers, 'in'))
  }

  async stop(): Promise<void> {
    for (const listener of this.#listeners.splice(0)) listener.close()
    this.#log.stop()
    await this.#epmd?.stop()
  }

  #linkConfig() {
    const { hidden, atomCache, fragments, limits, netTickintensity } = this.#options
    let flags = ADVERTISED
    if (!hidden) flags |= DistFlag.PUBLISHED
    if (atomCache) flags |= DistFlag.DIST_HDR_ATOM_CACHE
    if (fragments) flags |= DistFlag.FRAGMENTS
    return {
      flags,
      limits,
      netTicktimeMs: this.#netTicktimeMs,
      netTickintensity,
      md5: this.#md5,
      randomChallenge,
    }
  }

  /** Failed handshakes are logged in the words that OTP's users look for. */
  #logged(handlers: LinkHandlers, direction: 'in' | 'out'): LinkHandlers {
    const { logger, name, host } = this.#options
    return {
      ...handlers,
      onDown: (down, link) => {
        if (!down.wasUp && down.error instanceof HandshakeError) {
          const line = otpLogLine(down.error, direction, name?.full ?? `undefined@${host}`)
          // Who comes in may say that it is anyone.
          const about = direction === 'in' ? 'incoming connections' : (link.peerName ?? 'connections')
          if (line !== undefined) this.#log.warn(about, line)
          else if (direction === 'in') logger.debug(`incoming connection: ${down.error.message}`)
        }
        handlers.onDown(down, link)
      },
    }
  }
}
