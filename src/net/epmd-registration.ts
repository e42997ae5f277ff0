/**
 * Keeps a node registered in an EPMD: drives the state machine of epmd/registration.ts over a connection that lives as
 * long as the registration.
 */
import { connect, type Socket } from 'node:net'
import type { EpmdNode } from '../epmd/messages.js'
import { RegistrationMachine, type RegistrationAction } from '../epmd/registration.js'
import { EpmdError } from '../errors.js'
import type { Limits } from '../limits.js'
import { systemClock, type Clock, type Timer } from './clock.js'
import { broken, unreachable } from './epmd-client.js'
import type { EpmdLogger } from './epmd-options.js'

export interface RegisterOptions {
  host: string
  port: number
  limits: Limits
  logger: EpmdLogger
  /** Become EPMD when nobody listens; resolves also when another process was faster. Undefined: never. */
  serve: (() => Promise<void>) | undefined
  /** The name was given up. */
  onRelease?: ((registration: EpmdRegistration) => void) | undefined
  /** Ends a first registration that is under way. */
  signal?: AbortSignal | undefined
  clock?: Clock | undefined
}

/** A name that is registered, and registered again whenever its EPMD went away. */
export class EpmdRegistration implements AsyncDisposable {
  readonly #machine: RegistrationMachine
  readonly #clock: Clock
  readonly #where: string
  #socket: Socket | undefined
  #timer: Timer | undefined
  #creation = 0
  #settle: { resolve: () => void; reject: (error: unknown) => void } | undefined
  #released: Promise<void> | undefined

  private constructor(
    private readonly node: EpmdNode,
    private readonly options: RegisterOptions,
  ) {
    this.#clock = options.clock ?? systemClock
    this.#where = `${options.host}:${options.port}`
    this.#machine = new RegistrationMachine({
      node,
      mayServe: options.serve !== undefined,
      limits: options.limits,
      jitter: Math.random,
    })
  }

  /**
   * Registers a node.
   * @throws EpmdError `EPMD_NAME_TAKEN`, `EPMD_UNREACHABLE`, `EPMD_TIMEOUT`, `EPMD_CLOSED`, `EPMD_BAD_REPLY`,
   *   and what `serve` throws
   */
  static async register(node: EpmdNode, options: RegisterOptions): Promise<EpmdRegistration> {
    const { signal } = options
    signal?.throwIfAborted()
    const registration = new EpmdRegistration(node, options)
    await new Promise<void>((resolve, reject) => {
      const aborted = () => {
        reject(signal?.reason)
        void registration.release()
      }
      signal?.addEventListener('abort', aborted)
      const done = () => signal?.removeEventListener('abort', aborted)
      registration.#settle = {
        resolve: () => (done(), resolve()),
        reject: (error) => (done(), reject(error)),
      }
      registration.#run(registration.#machine.start(registration.#clock.now()))
    })
    return registration
  }

  /** The creation that EPMD gave with the first registration; it stays. */
  get creation(): number {
    return this.#creation
  }

  /** The name is registered at this moment. */
  get registered(): boolean {
    return this.#machine.state === 'registered'
  }

  /** Gives the name up; resolves when the connection is closed. */
  release(): Promise<void> {
    this.#released ??= this.#release()
    return this.#released
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }

  #release(): Promise<void> {
    const socket = this.#socket
    const closed = new Promise<void>((resolve) => {
      if (!socket || socket.closed) resolve()
      else socket.once('close', () => resolve())
    })
    this.#run(this.#machine.stop())
    this.#settle?.reject(
      new EpmdError('EPMD_STOPPED', `the registration of '${this.node.name}' was given up`),
    )
    this.#settle = undefined
    this.options.onRelease?.(this)
    return closed
  }

  #run(actions: RegistrationAction[]): void {
    for (const action of actions) this.#perform(action)
    this.#timer?.clear()
    const due = this.#machine.dueMs
    if (due === undefined) return
    this.#timer = this.#clock.setTimer(
      // A timer may fire a fraction of a millisecond before its time on the other clock: `#run` sets it again.
      () => this.#run(this.#machine.tick(this.#clock.now())),
      Math.max(1, due - this.#clock.now()),
    )
  }

  #perform(action: RegistrationAction): void {
    const { logger } = this.options
    const { name } = this.node
    switch (action.type) {
      case 'connect':
        return this.#connect()
      case 'send':
        this.#socket?.write(action.bytes)
        return
      case 'disconnect':
        this.#socket?.destroy()
        this.#socket = undefined
        return
      case 'serve':
        return void this.#serve()
      case 'registered':
        this.#creation = action.creation
        if (action.again) logger.info(`epmd: '${name}' is registered again at ${this.#where}`)
        this.#settle?.resolve()
        this.#settle = undefined
        return
      case 'lost':
        return logger.warn(`epmd: the registration of '${name}' is lost: ${action.error.message}`)
      case 'retrying':
        return logger.debug(
          `epmd: '${name}' is not registered, next try in ${Math.ceil(action.pauseMs)} ms: ${action.error.message}`,
        )
      case 'failed':
        this.#settle?.reject(action.error)
        this.#settle = undefined
        return
    }
  }

  #connect(): void {
    const { host, port } = this.options
    const socket = connect({ host, port, noDelay: true, keepAlive: true })
    this.#socket = socket
    let connected = false
    /** Events of a connection that was given up are nobody's business. */
    const current = (actions: () => RegistrationAction[]) => {
      if (this.#socket === socket) this.#run(actions())
    }
    const ended = (cause: NodeJS.ErrnoException | undefined) => {
      const error = connected ? broken(this.#where, cause) : unreachable(this.#where, cause)
      const refused = !connected && cause !== undefined && isRefusal(cause)
      current(() => {
        this.#socket = undefined
        return this.#machine.disconnected(error, refused, this.#clock.now())
      })
      socket.destroy()
    }
    socket.on('connect', () => {
      connected = true
      current(() => this.#machine.connected())
    })
    socket.on('data', (bytes) => current(() => this.#machine.received(bytes, this.#clock.now())))
    socket.on('end', () => ended(undefined))
    socket.on('error', ended)
  }

  async #serve(): Promise<void> {
    let failure: EpmdError | undefined
    try {
      await this.options.serve?.()
    } catch (error) {
      if (error instanceof EpmdError) failure = error
      else
        failure = new EpmdError('EPMD_LISTEN_FAILED', `EPMD cannot listen on ${this.#where}`, {
          cause: error,
        })
    }
    this.#run(this.#machine.served(failure, this.#clock.now()))
  }
}

/** Nobody listens there; with several addresses for a name, at none of them. */
function isRefusal(error: NodeJS.ErrnoException): boolean {
  if (error instanceof AggregateError)
    return error.errors.every((one) => (one as { code?: unknown }).code === 'ECONNREFUSED')
  return error.code === 'ECONNREFUSED'
}
