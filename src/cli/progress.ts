/** What a command waits for, on a terminal's standard error, once it takes longer than a person likes to wait. */
import { isatty } from 'node:tty'
import { writeError } from './output.js'

const PATIENCE_MS = 1_000

/** Shows it until it is disposed of. Nothing is written where standard error is no terminal. */
export function waitingFor(what: string): Disposable {
  if (!isatty(2)) return { [Symbol.dispose]: () => undefined }
  let shown = false
  const timer = setTimeout(() => {
    shown = true
    writeError(`${what}…`)
  }, PATIENCE_MS)
  return {
    [Symbol.dispose]() {
      clearTimeout(timer)
      // Erases the line.
      if (shown) writeError('\r\u001b[K')
    },
  }
}
