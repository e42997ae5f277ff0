/**
 * Waiting busily for a peer's next request, as a BEAM's schedulers do (`+sbwt`). A thread that sleeps takes longer to wake
 * than a short call takes in all, on a virtual machine by far. So when small messages follow each other closely, the event
 * loop goes on turning for a moment after each: it still does all its work, and only does not sleep. Of one call after
 * another that is no more processor time than sleeping and waking is; messages that come seldom, or many at a time, are
 * not waited for.
 */
import type { Clock } from './clock.js'

/** A request, a monitor before it, the end of one before that. With more at a time, there is enough to do without waiting. */
const MAX_FRAMES = 3

/** Moving more than that takes longer than waking does. */
const MAX_BYTES = 16 * 1024

/** So often in a row: some requests of many under way come alone, too. */
const MIN_STREAK = 8

/** More in a row count no more. One that comes late, for once, halves it: a pause of either side is no other behaviour. */
const MAX_STREAK = 16

/** Messages that come at longer intervals are not expected so soon again. As long as a call and waking twice take. */
const MAX_INTERVAL_MS = 0.3

export class BusyWait {
  readonly #clock: Pick<Clock, 'now' | 'defer'>
  readonly #processors: () => number
  #receivedAt = -Infinity
  /** How often in a row what came looked like one call after another. */
  #streak = 0
  #waitMs = 0
  #untilMs = 0
  #turning = false
  #single: boolean | undefined

  /** @param processors with one, whoever waits busily keeps the peer from answering */
  constructor(clock: Pick<Clock, 'now' | 'defer'>, processors: () => number) {
    this.#clock = clock
    this.#processors = processors
  }

  /**
   * To be told of all that is received, when it has been handled.
   * @param frames that it completed
   * @param bytes of these and of parts of others
   * @param busyWaitMs how long to wait for the next; 0: not at all
   */
  received(frames: number, bytes: number, busyWaitMs: number): void {
    if (busyWaitMs === 0 || frames === 0) return
    const now = this.#clock.now()
    const intervalMs = now - this.#receivedAt
    this.#receivedAt = now
    if (frames > MAX_FRAMES || bytes > MAX_BYTES) this.#streak = 0
    else if (intervalMs > MAX_INTERVAL_MS) this.#streak >>= 1
    else if (this.#streak < MAX_STREAK) this.#streak++
    if (this.#streak < MIN_STREAK) return
    if ((this.#single ??= this.#processors() === 1)) return
    this.#waitMs = busyWaitMs
    if (this.#turning) return
    this.#turning = true
    this.#clock.defer(this.#turn)
  }

  readonly #turn = (): void => {
    const now = this.#clock.now()
    // The time begins when what came has been answered.
    if (this.#waitMs > 0) {
      this.#untilMs = now + this.#waitMs
      this.#waitMs = 0
    }
    if (now < this.#untilMs) this.#clock.defer(this.#turn)
    else this.#turning = false
  }
}
