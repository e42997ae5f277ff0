/** What a command waits for, on a terminal's standard error, once it takes longer than a person likes to wait. */

const PATIENCE_MS = 1_000

/** Shows it until it is disposed of. Nothing is written where standard error is no terminal. */
export function waitingFor(what: string): Disposable {
  if (!process.stderr.isTTY) return { [Symbol.dispose]: () => undefined }
  let shown = false
  const timer = setTimeout(() => {
    shown = true
    process.stderr.write(`${what}…`)
  }, PATIENCE_MS)
  return {
    [Symbol.dispose]() {
      clearTimeout(timer)
      // Erases the line.
      if (shown) process.stderr.write('\r\u001b[K')
    },
  }
}
