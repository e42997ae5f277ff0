/**
 * Connections of others that were reported lost, so that a report that went round the cluster is heeded once
 * (`global_lost_connections` of global.erl). Reports of a pair are kept for an hour, as OTP keeps them.
 */
import type { Atom } from '../etf/atom.js'

const KEPT_MS = 60 * 60 * 1000

interface Report {
  readonly creation: number | bigint
  readonly id: number | bigint
  readonly atMs: number
}

export class LostConnections {
  readonly #now: () => number
  readonly #maxPairs: number
  /** By pair, the oldest report first. */
  readonly #reports = new Map<string, Report>()

  /** `now`: milliseconds that never go back. */
  constructor(now: () => number, maxPairs: number) {
    this.#now = now
    this.#maxPairs = maxPairs
  }

  get size(): number {
    return this.#reports.size
  }

  /** Notes a report by `a` that it lost `b`. @returns whether it is news */
  note(a: Atom, creation: number | bigint, id: number | bigint, b: Atom): boolean {
    const key = `${a.name} ${b.name}`
    const last = this.#reports.get(key)
    if (last !== undefined && BigInt(last.creation) === BigInt(creation) && id <= last.id) return false
    const now = this.#now()
    this.#reports.delete(key)
    this.#reports.set(key, { creation, id, atMs: now })
    for (const [oldest, { atMs }] of this.#reports) {
      if (this.#reports.size <= this.#maxPairs && now - atMs < KEPT_MS) break
      this.#reports.delete(oldest)
    }
    return true
  }
}
