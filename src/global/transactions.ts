/** Work that is done under locks: changes of names under that of all known nodes, and users' own (`global:trans/4`). */
import { throwIfAborted } from '../arguments.js'
import { NodeError } from '../errors.js'
import { atom, type Atom } from '../etf/atom.js'
import type { Pid } from '../etf/identifiers.js'
import type { Host } from '../process/host.js'
import type { Process } from '../process/process.js'
import { deleteGlobalLock, delLockOnNodes, setLockOnNodes, theBoss } from './locker.js'
import { GLOBAL, type LockId } from './locks.js'
import { takeReply } from './multi-call.js'
import type { NameServer } from './name-server.js'

const MAX_PAUSE_MS = 8000

export interface TransactionsOptions {
  host: Host
  server: NameServer
  /** 0 to 1. */
  random(): number
}

export class Transactions {
  readonly #options: TransactionsOptions
  /** Holds the lock under which names are changed: `the_registrar` of global.erl. */
  readonly #registrar: Process
  readonly #stopped = new AbortController()
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: TransactionsOptions) {
    this.#options = options
    this.#registrar = options.host.spawnHandler({
      ignoresExits: true,
      message: (message) => void takeReply(options.host, message),
      exited: () => this.#stopped.abort(stoppedError()),
    })
  }

  /** The process on whose behalf names are changed. */
  get registrar(): Pid {
    return this.#registrar.pid
  }

  stop(): void {
    this.#registrar.exit(atom('shutdown'))
  }

  /**
   * Does `work` while all known nodes, which it is given, have their names locked for us; one work at a time.
   * @throws NodeError `NODE_STOPPED`
   */
  transAllKnown<T>(work: (nodes: readonly Atom[]) => Promise<T>): Promise<T> {
    const result = this.#last.then(() => this.#transAllKnown(work))
    this.#last = result.catch(() => {})
    return result
  }

  async #transAllKnown<T>(work: (nodes: readonly Atom[]) => Promise<T>): Promise<T> {
    const { host } = this.#options
    const id = { resource: GLOBAL, requester: this.registrar }
    const nodes = await this.#lockKnown(id)
    try {
      return await work(nodes)
    } finally {
      await deleteGlobalLock(host, this.registrar, id, nodes)
    }
  }

  /** `set_lock_known/2`: the boss first; again and again, after pauses, until no node became known meanwhile. */
  async #lockKnown(id: LockId): Promise<Atom[]> {
    const { host, server } = this.#options
    for (let times = 0; ; times++) {
      this.#stopped.signal.throwIfAborted()
      const known = server.known()
      const nodes = [host.name, ...known]
      const boss = theBoss(nodes)
      if (await setLockOnNodes(host, server.locks, this.registrar, id, [boss])) {
        const all = await setLockOnNodes(host, server.locks, this.registrar, id, nodes)
        if (all && server.known().every((node) => known.includes(node))) return nodes
        await delLockOnNodes(host, this.registrar, id, [boss])
      }
      await this.#pause(times, this.#stopped.signal)
    }
  }

  /**
   * `set_lock/3`. @returns false when it was not to be had in `1 + retries` attempts
   * @throws the signal's reason; NodeError `NODE_STOPPED`
   */
  async setLock(
    holder: Pid,
    id: LockId,
    nodes: readonly Atom[],
    retries: number,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const { host, server } = this.#options
    const stop = this.#stopped.signal
    for (let times = 1; ; times++) {
      stop.throwIfAborted()
      throwIfAborted(signal)
      if (await setLockOnNodes(host, server.locks, holder, id, nodes)) return true
      if (times > retries) return false
      await this.#pause(times, signal === undefined ? stop : AbortSignal.any([stop, signal]))
    }
  }

  async delLock(holder: Pid, id: LockId, nodes: readonly Atom[]): Promise<void> {
    await delLockOnNodes(this.#options.host, holder, id, nodes)
  }

  /** `random_sleep/1`: longer, up to 8 seconds, the more often it was in vain. */
  #pause(times: number, signal: AbortSignal): Promise<void> {
    const longestMs = times > 5 ? MAX_PAUSE_MS : (2 ** times * 1000) / 8
    return new Promise((resolve, reject) => {
      const aborted = (): void => {
        clearTimeout(timer)
        reject(signal.reason as Error)
      }
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', aborted)
        resolve()
      }, this.#options.random() * longestMs)
      signal.addEventListener('abort', aborted, { once: true })
    })
  }
}

function stoppedError(): NodeError {
  return new NodeError('NODE_STOPPED', 'the node is stopped')
}
