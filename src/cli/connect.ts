/** Connecting, for commands that do it once: with a time, and seen on a terminal when it takes long. */
import { NodeError, type ErlangNode } from '../index.js'
import { waitingFor } from './progress.js'
import { stopwatch } from './stopwatch.js'

/**
 * Connects, which gives a tool's node its name, and tells why when it cannot.
 * @param timeoutMs undefined: as long as the limits of the node allow
 * @returns what is left of the time
 * @throws NodeError `NODE_CONNECT_TIMEOUT` when the time is over; what `dial` throws
 */
export async function connectWithin<T extends number | undefined>(
  node: ErlangNode,
  name: string,
  timeoutMs: T,
): Promise<T> {
  using _ = waitingFor(`connecting to ${name}`)
  const dialled = node.dial(name)
  if (timeoutMs === undefined) {
    await dialled
    return timeoutMs
  }
  const elapsed = stopwatch()
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    await Promise.race([
      dialled,
      new Promise((_resolve, reject) => {
        timer = setTimeout(
          () =>
            reject(
              new NodeError(
                'NODE_CONNECT_TIMEOUT',
                `no connection to ${name} within ${timeoutMs} ms: timeout`,
              ),
            ),
          timeoutMs,
        )
      }),
    ])
  } finally {
    clearTimeout(timer)
  }
  return Math.max(1, Math.ceil(timeoutMs - elapsed())) as T
}
