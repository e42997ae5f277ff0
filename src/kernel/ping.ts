/** `net_adm:ping/1`: a call of the other node's net_kernel, which only a peer with the right cookie reaches. */
import { throwIfAborted } from '../arguments.js'
import { atomName, internAtom, type Atom } from '../etf/atom.js'
import { Tuple, tuple } from '../etf/tuple.js'
import { GEN_CALL } from '../process/gen-reply.js'
import type { Host } from '../process/host.js'

const IS_AUTH = internAtom('is_auth')

/**
 * Asks `node`, connecting if need be.
 * @returns whether it said yes; false when it is down, or has no net_kernel
 */
export function isAuth(host: Host, node: Atom, signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    throwIfAborted(signal)
    const to = { name: 'net_kernel', node }
    const aborted = (): void => {
      caller.exit()
      reject(signal?.reason as Error)
    }
    const settle = (yes: boolean): void => {
      signal?.removeEventListener('abort', aborted)
      caller.exit()
      resolve(yes)
    }
    const caller = host.spawnHandler({
      ignoresExits: true,
      message(message) {
        if (message instanceof Tuple && message.size === 2 && ref.equals(message.elements[0])) {
          settle(atomName(message.elements[1]) === 'yes')
        }
      },
      down: () => settle(false),
    })
    const ref = caller.monitor(to)
    signal?.addEventListener('abort', aborted, { once: true })
    caller.send(to, tuple(GEN_CALL, tuple(caller.pid, ref), tuple(IS_AUTH, host.name)))
  })
}
