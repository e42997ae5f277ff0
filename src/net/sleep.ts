/** Stopping the thread for less than a timer can. */
const NOBODY_WAKES = new Int32Array(new SharedArrayBuffer(4))

/** Nanoseconds by which Linux may make a sleep of this thread longer. Its default of 50,000 is several times what is slept. */
const TIMER_SLACK_NS = 1_000

let sharpened = false

/**
 * Sleeps. On Linux it makes the timers of this thread more exact, once (its timer slack, see proc(5)).
 * @returns false where this thread may not, such as that of a window
 */
export function sleep(ms: number): boolean {
  if (!sharpened) sharpen()
  try {
    Atomics.wait(NOBODY_WAKES, 0, 0, ms)
    return true
  } catch {
    return false
  }
}

function sharpen(): void {
  sharpened = true
  if (process.platform !== 'linux') return
  const { readlinkSync, writeFileSync } = process.getBuiltinModule('node:fs')
  try {
    // Of a thread, not of the process: `PID/task/TID`.
    const thread = readlinkSync('/proc/thread-self').split('/').at(-1)
    writeFileSync(`/proc/${thread}/timerslack_ns`, String(TIMER_SLACK_NS))
  } catch {
    // No /proc, or not to be written: sleeps are a little longer.
  }
}
