/** Stopping the thread for less than a timer can. */
const NOBODY_WAKES = new Int32Array(new SharedArrayBuffer(4))

/**
 * Sleeps.
 * @returns false where this thread may not, such as that of a window
 */
export function sleep(ms: number): boolean {
  try {
    Atomics.wait(NOBODY_WAKES, 0, 0, ms)
    return true
  } catch {
    return false
  }
}
