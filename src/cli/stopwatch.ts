/** Milliseconds since it was made. Not by `performance`: loading that takes a millisecond of a short command. */
export function stopwatch(): () => number {
  const started = process.hrtime()
  return () => {
    const [seconds, nanoseconds] = process.hrtime(started)
    return seconds * 1e3 + nanoseconds / 1e6
  }
}
