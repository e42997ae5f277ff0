/**
 * Many messages, taken together. When they come in numbers, but so fast that each turn of the event loop has only a few of
 * them, the turn (a read, a write, and waking whoever waits for the answers) costs more than the messages do. Then the
 * thread sleeps for a moment when it has answered, as network cards moderate their interrupts: meanwhile the next ones
 * gather, and a peer on the same machine has the processor for itself. Large messages gather as well: of what comes as fast
 * as it is read, each read has a part of one. Where too few come for that, since they wait for our answers, it is soon
 * given up, and tried again later.
 */
import type { TurnEnd } from './turn-end.js'
import type { Clock } from './clock.js'

/** Where most of what came is large messages: they take longer to come, and to be read, than to be waited for. */
const LONG_WAIT = 4

/** On average in a turn. Fewer come of a peer that has little more under way: waiting for them would only make them late. */
const MIN_FRAMES = 20

/** Of how many turns the average is, more or less. */
const AVERAGE_OF = 32

/** What it is taken for before the first. */
const FIRST_AVERAGE = 24

/** So many bytes count as a frame more: what a turn costs beside them weighs as little as beside a frame. */
const FRAME_BYTES = 6 * 1024

/** After as many, it has not been in vain: when it is given up, the next trial comes soon. */
const MIN_WAITS = 64

/** A turn as long as that has other work to do, and gathers enough without a wait. */
const MAX_TURN_MS = 0.5

/** No limit makes it longer: the thread does nothing else meanwhile. */
const MAX_WAIT_MS = 10

/** It is tried when as many come in a millisecond. */
const MIN_RATE = 24

/** Before the next trial, when the last was the first in vain and when many were. */
const MIN_RETRY_MS = 8
const MAX_RETRY_MS = 128

/** When the next may begin, and how long after the last in vain. */
interface Trials {
  retryAt: number
  retryMs: number
}

export class Coalescing {
  readonly #clock: Pick<Clock, 'now'> & Pick<TurnEnd, 'deferLast'>
  readonly #sleep: (ms: number) => boolean
  #scheduled = false
  #waitMs = 0
  /** What came in this turn: frames, and bytes. */
  #frames = 0
  #bytes = 0
  /** Whether each turn waits; otherwise messages are counted. */
  #waiting = false
  #wokenAt = 0
  #waits = 0
  #average = FIRST_AVERAGE
  #countedFrames = 0
  #countedBytes = 0
  #countedFrom = -Infinity
  /** That it was in vain for small messages says nothing of large ones, and the other way round. */
  readonly #small: Trials = { retryAt: -Infinity, retryMs: MIN_RETRY_MS / 2 }
  readonly #large: Trials = { retryAt: -Infinity, retryMs: MIN_RETRY_MS / 2 }
  #trials = this.#small

  /** @param sleep stops the thread; false where that is not allowed */
  constructor(clock: Pick<Clock, 'now'> & Pick<TurnEnd, 'deferLast'>, sleep: (ms: number) => boolean) {
    this.#clock = clock
    this.#sleep = sleep
  }

  /**
   * To be told of all that is received.
   * @param frames that it completed
   * @param bytes of these and of parts of others
   * @param waitMs how long to sleep, at most 10, four times as long for large messages; 0: not at all
   */
  received(frames: number, bytes: number, waitMs: number): void {
    if (waitMs === 0 || (!this.#waiting && !this.#begins(frames, bytes))) return
    this.#frames += frames
    this.#bytes += bytes
    this.#waitMs = waitMs
    if (this.#scheduled) return
    this.#scheduled = true
    this.#clock.deferLast(this.#turn)
  }

  readonly #turn = (): void => {
    const frames = this.#frames
    const others = this.#bytes / FRAME_BYTES
    this.#scheduled = false
    this.#frames = this.#bytes = 0
    if (!this.#waiting || !this.#continues(frames + others)) return
    const waitMs = others > frames ? LONG_WAIT * this.#waitMs : this.#waitMs
    if (this.#sleep(Math.min(waitMs, MAX_WAIT_MS))) this.#wokenAt = this.#clock.now()
    else {
      this.#small.retryAt = this.#large.retryAt = Infinity
      this.#pause()
    }
  }

  /** Counts; only where many come, the end of a turn is asked for. */
  #begins(frames: number, bytes: number): boolean {
    this.#countedFrames += frames
    this.#countedBytes += bytes
    const now = this.#clock.now()
    const ms = now - this.#countedFrom
    if (ms < 1) return false
    const counted = this.#countedFrames
    const others = this.#countedBytes / FRAME_BYTES
    this.#trials = others > counted ? this.#large : this.#small
    this.#waiting = counted + others >= MIN_RATE * ms && now >= this.#trials.retryAt
    this.#countedFrames = this.#countedBytes = 0
    this.#countedFrom = this.#wokenAt = now
    this.#average = FIRST_AVERAGE
    this.#waits = 0
    return this.#waiting
  }

  #continues(load: number): boolean {
    const now = this.#clock.now()
    const turnMs = now - this.#wokenAt
    this.#wokenAt = now
    if (turnMs > MAX_TURN_MS) return false
    this.#average += (load - this.#average) / AVERAGE_OF
    if (this.#average < MIN_FRAMES) {
      this.#giveUp(now)
      return false
    }
    this.#waits++
    return true
  }

  #giveUp(now: number): void {
    const trials = this.#trials
    trials.retryMs = this.#waits >= MIN_WAITS ? MIN_RETRY_MS : Math.min(2 * trials.retryMs, MAX_RETRY_MS)
    trials.retryAt = now + trials.retryMs
    this.#pause()
  }

  #pause(): void {
    this.#waiting = false
    this.#countedFrames = this.#countedBytes = 0
    this.#countedFrom = -Infinity
  }
}
