/**
 * The pace of long messages. What was written lies in the buffers of two systems, megabytes of it, before the peer reads
 * it; a small message written after it waits for all that, however soon its turn came here. So while others send beside
 * a long message, it goes on no faster than the peer surely reads, which leaves those buffers all but empty. Alone, it
 * goes as fast as the transport takes it.
 */

/** So long after another's message, more of them are expected. */
const EXPECTED_MS = 10

/** Between the parts of a long message then: 256 KiB (`maxWriteAheadBytes`) each, a quarter of a gigabyte a second. */
const INTERVAL_MS = 1

export class Pace {
  #overtaking = 0
  #expectedUntil = -Infinity
  #dueAt = -Infinity

  /**
   * Whether long messages may go on; the next part of them, if so, only after the interval.
   * @param overtaking how many messages ever were sent beside a long one
   */
  allows(overtaking: number, now: number): boolean {
    if (overtaking !== this.#overtaking) {
      this.#overtaking = overtaking
      this.#expectedUntil = now + EXPECTED_MS
    }
    if (now >= this.#expectedUntil) return true
    if (now < this.#dueAt) return false
    this.#dueAt = now + INTERVAL_MS
    return true
  }

  /** Milliseconds until they may. */
  waitMs(now: number): number {
    return Math.max(0, this.#dueAt - now)
  }
}
