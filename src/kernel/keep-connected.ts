/** Keeping a named peer connected: dials again when it is down, with back-off and jitter. */
import { checkSignal } from '../arguments.js'
import type { BeampeerError } from '../errors.js'
import type { Atom } from '../etf/atom.js'
import type { Limits } from '../limits.js'
import { systemClock, type Clock, type Timer } from '../net/clock.js'
import type { Peer } from './peers.js'

export interface KeepConnectedOptions {
  /** The peer is up. `restarted`: it is another incarnation than the last time; its old pids are gone. */
  onUp?(event: { node: string; creation: number; restarted: boolean }): void
  /** The peer is down, or could not be reached; `retryInMs` until the next attempt. */
  onDown?(event: { node: string; error: Error | undefined; retryInMs: number }): void
  /** First pause before dialling again; doubled each time, up to `maxDelayMs`. Default: the limit reconnectMinMs. */
  minDelayMs?: number
  /** Default: the limit reconnectMaxMs. */
  maxDelayMs?: number
  /** Ends it. */
  signal?: AbortSignal
}

/** What keeping connected needs of the kernel. */
export interface Reconnecting {
  connect(node: Atom): Promise<void>
  peer(node: Atom): Peer | undefined
  onNodeStatus(listener: (event: { type: 'nodeup' | 'nodedown'; node: Atom }) => void): () => void
  /** 0 to 1. */
  random(): number
  limits: Pick<Limits, 'reconnectMinMs' | 'reconnectMaxMs'>
}

/** A peer that is kept connected until {@link stop}. */
export class KeptConnection implements Disposable {
  readonly node: Atom
  readonly #kernel: Reconnecting
  readonly #options: KeepConnectedOptions
  readonly #clock: Clock
  readonly #unsubscribe: () => void
  readonly #abort = () => this.stop()
  #timer: Timer | undefined
  #failures = 0
  #creation: number | undefined
  #stopped = false

  constructor(
    kernel: Reconnecting,
    node: Atom,
    options: KeepConnectedOptions = {},
    clock: Clock = systemClock,
  ) {
    checkSignal(options.signal)
    this.node = node
    this.#kernel = kernel
    this.#options = options
    this.#clock = clock
    this.#unsubscribe = kernel.onNodeStatus((event) => {
      if (event.node !== node || this.#stopped) return
      if (event.type === 'nodeup') this.#up()
      else this.#retry(undefined)
    })
    if (options.signal?.aborted === true) {
      this.stop()
      return
    }
    options.signal?.addEventListener('abort', this.#abort, { once: true })
    if (kernel.peer(node) === undefined) this.#dial()
    else this.#up()
  }

  /** Whether the peer is connected now. */
  get connected(): boolean {
    return this.#kernel.peer(this.node) !== undefined
  }

  /** Lets go: a connection that is up stays. */
  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#timer?.clear()
    this.#unsubscribe()
    this.#options.signal?.removeEventListener('abort', this.#abort)
  }

  [Symbol.dispose](): void {
    this.stop()
  }

  #dial(): void {
    this.#kernel.connect(this.node).catch((error: unknown) => {
      if (!this.#stopped && !this.connected) this.#retry(error as BeampeerError)
    })
  }

  #up(): void {
    this.#timer?.clear()
    this.#timer = undefined
    this.#failures = 0
    const creation = this.#kernel.peer(this.node)?.link.peerCreation ?? 0
    const restarted = this.#creation !== undefined && this.#creation !== creation
    this.#creation = creation
    this.#options.onUp?.({ node: this.node.name, creation, restarted })
  }

  /** Equal jitter: between half of the pause and the whole, so that a cluster that restarts does not dial in step. */
  #retry(error: Error | undefined): void {
    if (this.#timer !== undefined) return
    const { limits } = this.#kernel
    const { minDelayMs = limits.reconnectMinMs, maxDelayMs = limits.reconnectMaxMs } = this.#options
    const pauseMs = Math.min(maxDelayMs, minDelayMs * 2 ** Math.min(this.#failures, 30))
    this.#failures++
    const retryInMs = pauseMs / 2 + (pauseMs / 2) * this.#kernel.random()
    this.#timer = this.#clock.setTimer(() => {
      this.#timer = undefined
      if (!this.#stopped && !this.connected) this.#dial()
    }, retryInMs)
    this.#options.onDown?.({ node: this.node.name, error, retryInMs })
  }
}
