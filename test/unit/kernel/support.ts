/** Kernels connected over memory, on virtual time. */
import '../../../src/etf/node.js'
import type { Term } from '../../../src/etf/terms.js'
import { ADVERTISED, DistFlag } from '../../../src/handshake/flags.js'
import { AllowedNodes } from '../../../src/kernel/allowed-nodes.js'
import { CookieJar } from '../../../src/kernel/cookies.js'
import { Kernel, type KernelOptions } from '../../../src/kernel/kernel.js'
import { DEFAULT_LIMITS, type Limits } from '../../../src/limits.js'
import { acceptLink, openLink } from '../../../src/net/link.js'
import { memoryPair, type MemoryTransport } from '../../../src/net/memory.js'
import { NodeError } from '../../../src/errors.js'
import { md5 } from '../handshake/support.js'
import { VirtualLoop } from '../net/support.js'

export { VirtualLoop }

export interface MemberOptions extends Partial<Pick<KernelOptions, 'autoConnect' | 'netTicktimeMs'>> {
  creation?: number
  cookie?: string
  hidden?: boolean
  limits?: Partial<Limits>
}

/** Nodes that reach each other by name. */
export class Cluster {
  readonly loop = new VirtualLoop()
  readonly log: string[] = []
  /** Every transport that was made, the dialling end first. */
  readonly transports: [MemoryTransport, MemoryTransport][] = []
  readonly #members = new Map<string, Kernel>()
  #random = 1

  member(name: string | undefined, options: MemberOptions = {}): Kernel {
    const limits = { ...DEFAULT_LIMITS, ...options.limits }
    const cookies = new CookieJar(options.cookie ?? 'secret')
    const creation = options.creation ?? 100 + this.#members.size
    const allowed = new AllowedNodes()
    // Deterministic, and different at every call.
    const random32 = (): number => (this.#random = (this.#random * 1_103_515_245 + 12_345) % 2 ** 31)
    let ticktimeMs = options.netTicktimeMs ?? 60_000
    const config = () => ({
      flags: options.hidden === false ? ADVERTISED | DistFlag.PUBLISHED : ADVERTISED,
      limits,
      netTicktimeMs: ticktimeMs,
      netTickintensity: 4,
      md5,
      randomChallenge: random32,
      clock: this.loop,
    })
    const note = (message: string) => void this.log.push(message)
    const kernel: Kernel = new Kernel({
      name,
      creation: name === undefined ? 0 : creation,
      limits,
      cookies,
      logger: { debug: note, info: note, warn: note, error: note },
      groupLeader: { write: () => undefined },
      random32,
      allowed,
      autoConnect: options.autoConnect ?? 'always',
      longNames: false,
      netTicktimeMs: ticktimeMs,
      netTickintensity: 4,
      setLinkTicktime: (ms) => (ticktimeMs = ms),
      dial: (peer) => {
        const to = this.#members.get(peer)
        if (to === undefined) return Promise.reject(new NodeError('NODE_NOT_FOUND', `${peer} is not there`))
        const [near, far] = memoryPair({ schedule: this.loop.schedule })
        this.transports.push([near, far])
        to.peers.incoming(far)
        return Promise.resolve(near)
      },
      open: (transport, peerName, peerCookies, handlers) => {
        const thisNode = kernel.isAlive
          ? { name: kernel.table.name.name, creation: kernel.table.creation }
          : undefined
        const link = { ...config(), ...peerCookies, peerName, thisNode, thisHost: 'virtual' }
        return openLink(transport, link, handlers)
      },
      accept: (transport, handlers) =>
        acceptLink(transport, { ...config(), thisNode: { name: name as string, creation } }, handlers),
    })
    if (name !== undefined) this.#members.set(name, kernel)
    return kernel
  }

  /** The node is gone: nobody finds it any more. */
  remove(name: string): void {
    this.#members.delete(name)
  }
}

/** A process of `kernel` that keeps its messages. */
export function inbox(kernel: Kernel, options: { name?: string; trapExit?: boolean } = {}) {
  const messages: Term[] = []
  const process = kernel.table.spawnHandler({ message: (message) => void messages.push(message) }, options)
  return { process, messages }
}
