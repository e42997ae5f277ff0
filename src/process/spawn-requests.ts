/** Spawn requests that were sent and not answered (`erlang:spawn_request/5`). */
import type { Reference } from '../etf/identifiers.js'
import type { PendingSpawn } from './process.js'
import type { ProcessTable } from './table.js'

export class SpawnRequests {
  readonly #table: ProcessTable
  readonly #byRef = new Map<number | string, PendingSpawn>()

  constructor(table: ProcessTable) {
    this.#table = table
  }

  get size(): number {
    return this.#byRef.size
  }

  add(pending: PendingSpawn): void {
    const key = this.#table.ids.referenceKey(pending.ref)
    this.#byRef.set(key, pending)
    pending.process.spawnRequests ??= new Map()
    pending.process.spawnRequests.set(key, pending)
  }

  get(ref: Reference): PendingSpawn | undefined {
    return this.#byRef.get(this.#table.ids.referenceKey(ref))
  }

  /** The request of this reference, which is settled: forgotten from now on. */
  take(ref: Reference): PendingSpawn | undefined {
    const key = this.#table.ids.referenceKey(ref)
    const found = this.#byRef.get(key)
    this.#byRef.delete(key)
    found?.process.spawnRequests?.delete(key)
    return found
  }
}
