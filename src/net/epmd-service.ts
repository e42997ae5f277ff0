/**
 * A node's EPMD, whoever serves it: a daemon that runs already, another beampeer, or this process.
 *
 * With mode `auto` every process that has a node registered stands by: when the one that serves ends, its registration's
 * connection closes, and the first to get the port serves from then on. The operating system decides the race; who
 * loses it registers with the winner. BEAMs of OTP 25 and later come back by themselves within about two seconds.
 */
import { hostname } from 'node:os'
import { NO_EXTRA, NODE_TYPE_HIDDEN, NODE_TYPE_NORMAL, isAliveName, type EpmdName } from '../epmd/messages.js'
import { ArgumentError, EpmdError } from '../errors.js'
import type { Limits } from '../limits.js'
import { epmdLookup, epmdNames } from './epmd-client.js'
import { embeddedAddresses, epmdPort, silent, type EpmdLogger, type Environment } from './epmd-options.js'
import { EpmdRegistration } from './epmd-registration.js'
import { EpmdServer } from './epmd-server.js'

/**
 * `auto`: use the daemon that runs, else become one. `embedded`: be the daemon. `external`: only ever use one, on this
 * host or where `host` and `port` say.
 */
export type EpmdMode = 'auto' | 'external' | 'embedded' | { host?: string; port?: number }

export interface EpmdServiceOptions {
  mode: EpmdMode
  /** Where the node listens: an EPMD in this process listens as widely. */
  listenHost?: string | undefined
  /** The part of the node's name behind the `@`: an EPMD in this process listens where that means loopback. */
  nodeHost?: string | undefined
  /** Default: process.env. */
  env?: Environment | undefined
  limits: Limits
  logger?: EpmdLogger | undefined
}

/** A node as `register` takes it. */
export interface RegisterNode {
  /** The part of the name before the `@`. */
  name: string
  port: number
  hidden: boolean
  /** Default: 6. */
  highestVersion?: number
  /** Default: 5. */
  lowestVersion?: number
  extra?: Uint8Array
  /** Ends the wait for the registration, not the registration. */
  signal?: AbortSignal | undefined
}

/** Where a node listens, and which versions of the distribution protocol it speaks. */
export interface EpmdAddress {
  port: number
  highestVersion: number
  lowestVersion: number
}

export class EpmdService implements AsyncDisposable {
  /** The host and the port of the EPMD that nodes of this process are registered in. */
  readonly host: string
  readonly port: number
  readonly #registrations = new Set<EpmdRegistration>()
  readonly #starting = new AbortController()
  readonly #logger: EpmdLogger
  #server: EpmdServer | undefined
  #becoming: Promise<void> | undefined
  #stopped: Promise<void> | undefined

  private constructor(private readonly options: EpmdServiceOptions) {
    const { mode, env = process.env } = options
    this.host = (typeof mode === 'object' ? mode.host : undefined) ?? '127.0.0.1'
    this.port = epmdPort(typeof mode === 'object' ? mode.port : undefined, env)
    this.#logger = options.logger ?? silent
  }

  /**
   * Starts the service; with mode `auto` or `embedded`, an EPMD answers once it resolves.
   * @throws EpmdError `EPMD_PORT_TAKEN` (embedded: something listens there; auto: something that is no EPMD),
   *   `EPMD_LISTEN_FAILED`, `EPMD_TIMEOUT`
   * @throws ArgumentError `BAD_OPTION`
   */
  static async start(options: EpmdServiceOptions): Promise<EpmdService> {
    const service = new EpmdService(options)
    if (options.mode === 'embedded') await service.#listen()
    if (options.mode === 'auto') await service.#findOrServe()
    return service
  }

  /** This process is the EPMD. */
  get serving(): boolean {
    return this.#server !== undefined
  }

  /** The addresses that the EPMD in this process listens on; empty when another process serves. */
  get addresses(): string[] {
    return this.#server?.addresses ?? []
  }

  /**
   * Registers a node and keeps it registered until `stop` or `release`, through every restart of the daemon.
   * @returns the creation, which stays the same however often the name is registered again
   * @throws EpmdError `EPMD_NAME_TAKEN` (after trying again for `epmdSettleTimeMs`), `EPMD_UNREACHABLE`,
   *   `EPMD_TIMEOUT`, `EPMD_CLOSED`, `EPMD_BAD_REPLY`, `EPMD_STOPPED`
   * @throws ArgumentError `BAD_ARGUMENT`
   */
  async register(node: RegisterNode): Promise<EpmdRegistration> {
    const { name, port, hidden, highestVersion = 6, lowestVersion = 5, extra = NO_EXTRA, signal } = node
    const { limits } = this.options
    if (!isAliveName(name))
      throw new ArgumentError('BAD_ARGUMENT', `"${name}" cannot be the first part of a node's name`)
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      throw new ArgumentError('BAD_ARGUMENT', `port ${port} of '${name}' is not a port number`)
    if (extra.length > limits.maxEpmdExtraBytes)
      throw new ArgumentError(
        'BAD_ARGUMENT',
        `extra of '${name}' has more than ${limits.maxEpmdExtraBytes} bytes`,
      )
    if (this.#stopped)
      throw new EpmdError('EPMD_STOPPED', `'${name}' cannot be registered: the service is stopped`)
    const mayServe = this.options.mode === 'auto' || this.options.mode === 'embedded'
    const nodeType = hidden ? NODE_TYPE_HIDDEN : NODE_TYPE_NORMAL
    const registration = await EpmdRegistration.register(
      { name, port, nodeType, protocol: 0, highestVersion, lowestVersion, extra },
      {
        host: this.host,
        port: this.port,
        limits,
        logger: this.#logger,
        serve: mayServe ? () => this.#becomeServer() : undefined,
        onRelease: (given) => this.#registrations.delete(given),
        signal: signal ? AbortSignal.any([signal, this.#starting.signal]) : this.#starting.signal,
      },
    )
    this.#registrations.add(registration)
    if (!this.#stopped) return registration
    await registration.release()
    throw new EpmdError('EPMD_STOPPED', `'${name}' cannot be registered: the service is stopped`)
  }

  /**
   * Asks a host's EPMD where a node listens.
   * @param alive the part of the node's name before the `@`
   * @returns undefined when no such node is registered there
   * @throws EpmdError `EPMD_UNREACHABLE`, `EPMD_TIMEOUT`, `EPMD_CLOSED`, `EPMD_BAD_REPLY`, `EPMD_REPLY_TOO_LARGE`
   */
  async lookup(
    alive: string,
    host: string,
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<EpmdAddress | undefined> {
    const { limits } = this.options
    const { signal } = options
    const node = await epmdLookup(alive, host, { port: this.port, limits, ...(signal && { signal }) })
    return node && { port: node.port, highestVersion: node.highestVersion, lowestVersion: node.lowestVersion }
  }

  /**
   * The names that a host's EPMD knows; default: the one that this process's nodes are registered in.
   * @throws EpmdError as `lookup`
   */
  names(host = this.host, options: { signal?: AbortSignal | undefined } = {}): Promise<EpmdName[]> {
    const { signal } = options
    return epmdNames(host, { port: this.port, limits: this.options.limits, ...(signal && { signal }) })
  }

  /** Gives up all names and, when this process is the EPMD, the port: a survivor takes it. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop(): Promise<void> {
    this.#starting.abort(new EpmdError('EPMD_STOPPED', 'the EPMD service was stopped'))
    await Promise.all(Array.from(this.#registrations, (registration) => registration.release()))
    await this.#becoming?.catch(() => undefined)
    await this.#server?.close()
  }

  /** Uses the daemon that answers, else takes the port; in turns, for as long as one that goes away may need. */
  async #findOrServe(): Promise<void> {
    const { limits } = this.options
    const until = performance.now() + limits.epmdSettleTimeMs
    for (;;) {
      const error = await this.#probe()
      if (!error) return
      if (error.code === 'EPMD_UNREACHABLE') {
        await this.#becomeServer()
        if (this.#server) return
      }
      if (performance.now() >= until) throw error
      await new Promise((resolve) => setTimeout(resolve, limits.epmdRetryMinMs))
    }
  }

  /** Undefined when an EPMD answers; what it says does not matter. */
  async #probe(): Promise<EpmdError | undefined> {
    try {
      await this.names()
      return undefined
    } catch (error) {
      if (!(error instanceof EpmdError)) throw error
      if (error.code !== 'EPMD_BAD_REPLY') return error
      const text = `port ${this.port} of ${this.host} is in use by something that is no EPMD`
      return new EpmdError('EPMD_PORT_TAKEN', text, { cause: error })
    }
  }

  /** Takes the port; resolves also when another process was faster. One attempt at a time. */
  #becomeServer(): Promise<void> {
    this.#becoming ??= this.#listen()
      .catch((error: unknown) => {
        if (!(error instanceof EpmdError) || error.code !== 'EPMD_PORT_TAKEN') throw error
      })
      .finally(() => (this.#becoming = undefined))
    return this.#becoming
  }

  async #listen(): Promise<void> {
    if (this.#server || this.#stopped) return
    const { env = process.env, limits, listenHost, nodeHost } = this.options
    const addresses = await embeddedAddresses(listenHost, env)
    const { port } = this
    const server = await EpmdServer.listen({
      port,
      env,
      limits,
      logger: this.#logger,
      hosts: nodeHost === undefined ? [hostname()] : [hostname(), nodeHost],
      ...(addresses && { addresses }),
    })
    if (this.#stopped) return server.close()
    this.#server = server
    this.#logger.info(`epmd: this process serves port ${server.port} of ${server.addresses.join(', ')}`)
    // Killed from outside, as `epmd -kill` may: the next loss of a registration finds the port free.
    void server.closed.then(() => {
      if (this.#server === server) this.#server = undefined
    })
  }
}
