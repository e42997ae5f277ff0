/**
 * `net_ticktime` and its change while nodes are connected (`net_kernel:set_net_ticktime/2`): for a transition period
 * every connection has traffic at the shorter of the two intervals while silence is judged by the longer of the two
 * times, so that nodes may change one after another.
 */
import { ArgumentError } from '../errors.js'
import { systemClock, type Clock, type Timer } from '../net/clock.js'

/** What changes with the tick time: the connections. */
export interface TickedLinks {
  /** Applies a new tick time to all connections, those to come too. */
  setTicktime(netTicktimeMs: number): void
  /** Writes a tick on every connection. */
  auxTick(): void
}

export type SetTicktimeResult = 'unchanged' | 'change_initiated' | { ongoing_change_to: number }

/** `net_ticktime` is at most what a 32-bit timer holds. */
const MAX_SECONDS = 2_000_000

export class NetTicktime {
  readonly #links: TickedLinks
  readonly #intensity: number
  readonly #clock: Clock
  #ticktimeMs: number
  #change: { targetMs: number; aux: Timer | undefined } | undefined

  constructor(ticktimeMs: number, intensity: number, links: TickedLinks, clock: Clock = systemClock) {
    this.#ticktimeMs = ticktimeMs
    this.#intensity = intensity
    this.#links = links
    this.#clock = clock
  }

  /** Milliseconds; while it changes, what it changes to. */
  get targetMs(): number {
    return this.#change?.targetMs ?? this.#ticktimeMs
  }

  /** `get_net_ticktime/0`, in seconds. */
  get(): number | { ongoing_change_to: number } {
    return this.#change === undefined
      ? this.#ticktimeMs / 1_000
      : { ongoing_change_to: this.targetMs / 1_000 }
  }

  /**
   * `set_net_ticktime/2`.
   * @param seconds the new tick time
   * @param transitionSeconds how long other nodes have to change too
   * @throws ArgumentError `BAD_ARGUMENT`
   */
  set(seconds: number, transitionSeconds = 60): SetTicktimeResult {
    if (!(seconds > 0) || seconds > MAX_SECONDS) {
      throw new ArgumentError(
        'BAD_ARGUMENT',
        `net ticktime is seconds above 0, at most ${MAX_SECONDS}: ${seconds}`,
      )
    }
    if (!(transitionSeconds >= 0) || transitionSeconds > MAX_SECONDS) {
      throw new ArgumentError(
        'BAD_ARGUMENT',
        `a transition period is seconds from 0 on: ${transitionSeconds}`,
      )
    }
    if (this.#change !== undefined) return { ongoing_change_to: this.#change.targetMs / 1_000 }
    const targetMs = Math.max(seconds * 1_000, this.#intensity)
    if (targetMs === this.#ticktimeMs) return 'unchanged'
    const intervalMs = Math.min(targetMs, this.#ticktimeMs) / this.#intensity
    const ticks = Math.max(1, Math.ceil((transitionSeconds * 1_000) / intervalMs))
    this.#change = { targetMs, aux: undefined }
    if (targetMs > this.#ticktimeMs) this.#links.setTicktime(targetMs)
    this.#transition(intervalMs, ticks)
    return 'change_initiated'
  }

  /** Ends what is under way, without changing anything more. */
  stop(): void {
    this.#change?.aux?.clear()
    this.#change = undefined
  }

  /** Traffic on all connections, `ticks` times, then the end of the change. */
  #transition(intervalMs: number, ticks: number): void {
    const change = this.#change
    if (change === undefined) return
    this.#links.auxTick()
    change.aux = this.#clock.setTimer(() => {
      if (this.#change !== change) return
      if (ticks > 1) {
        this.#transition(intervalMs, ticks - 1)
        return
      }
      const shorter = change.targetMs < this.#ticktimeMs
      this.#ticktimeMs = change.targetMs
      this.#change = undefined
      if (shorter) this.#links.setTicktime(change.targetMs)
    }, intervalMs)
  }
}
