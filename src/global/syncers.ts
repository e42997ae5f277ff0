/** Those who wait until this node is in step with others (`global:sync/1`): synced with each, or each is gone. */
import type { Atom } from '../etf/atom.js'
import type { Cluster } from '../process/cluster.js'

export interface SyncersOptions {
  cluster: Pick<Cluster, 'connect'>
  isSynced(node: Atom): boolean
}

interface Waiting {
  readonly nodes: Set<Atom>
  resolve(): void
}

export class Syncers {
  readonly #options: SyncersOptions
  readonly #waiting = new Set<Waiting>()

  constructor(options: SyncersOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#waiting.size
  }

  /** Connects to the nodes that are not; those that cannot be reached are not waited for. */
  wait(nodes: readonly Atom[]): Promise<void> {
    const missing = new Set(nodes.filter((node) => !this.#options.isSynced(node)))
    if (missing.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiting.add({ nodes: missing, resolve })
      for (const node of [...missing]) {
        void this.#options.cluster.connect(node).then((connected) => {
          if (!connected) this.gone(node)
        })
      }
    })
  }

  synced(node: Atom): void {
    this.gone(node)
  }

  gone(node: Atom): void {
    for (const waiting of [...this.#waiting]) {
      if (!waiting.nodes.delete(node) || waiting.nodes.size > 0) continue
      this.#waiting.delete(waiting)
      waiting.resolve()
    }
  }

  /** The name server ends: nobody waits for ever. */
  end(): void {
    for (const { resolve } of this.#waiting) resolve()
    this.#waiting.clear()
  }
}
