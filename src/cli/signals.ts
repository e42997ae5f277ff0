/** How a command that runs on ends: the first SIGINT or SIGTERM asks it to, the second ends it at once. */

const NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const

/** Settles at the first signal. From then on another one ends the process, with the status shells give it. */
export function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    let interrupted = false
    for (const [signal, number] of Object.entries(NUMBERS)) {
      process.on(signal, () => {
        if (interrupted) process.exit(128 + number)
        interrupted = true
        resolve()
      })
    }
  })
}
