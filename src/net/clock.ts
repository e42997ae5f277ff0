/** Time for the net layer, as an argument: tests drive links on virtual time. */

import { turnEnd } from './turn-end.js'

/** A timer that was set; `clear` is safe to call at any time, more than once. */
export interface Timer {
  clear(): void
}

export interface Clock {
  /** Milliseconds on a clock that never goes back; its zero has no meaning. */
  now(): number
  setTimer(callback: () => void, delayMs: number): Timer
  /** Runs `callback` once, after the input that is waiting now has been read (the end of this turn of the loop). */
  defer(callback: () => void): void
}

/** The process's monotonic clock and event loop. */
export const systemClock: Clock = {
  // Not `performance`: loading that takes a millisecond of a program's start.
  now() {
    const [seconds, nanoseconds] = process.hrtime()
    return seconds * 1e3 + nanoseconds / 1e6
  },
  setTimer(callback, delayMs) {
    const timer = setTimeout(callback, delayMs)
    return { clear: () => clearTimeout(timer) }
  },
  defer: turnEnd.defer,
}
