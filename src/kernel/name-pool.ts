/**
 * Names for peers that ask for one (`erl -sname undefined`, short-lived tools). As net_kernel does, a name whose
 * connection ended is given again, with the next creation, so that such peers leave no trail of atoms on anyone.
 */
export interface PooledName {
  name: string
  creation: number
}

/** Creations are 32 bits; 0 to 3 are those of the oldest protocol and never given. */
const FIRST_CREATION = 4
const CREATION_COUNT = 2 ** 32

export class NamePool {
  /** By host, the one that a name was given back at longest ago first; no list is empty. */
  readonly #free = new Map<string, PooledName[]>()
  #freeCount = 0
  readonly #inUse = new Map<string, { host: string; creation: number }>()
  readonly #random32: () => number
  readonly #maxFree: number

  /** @param maxFree names kept to be given again; past it the oldest of the host that is idle longest is forgotten */
  constructor(random32: () => number, maxFree: number) {
    this.#random32 = random32
    this.#maxFree = maxFree
  }

  /** Names that wait to be given again. */
  get freeCount(): number {
    return this.#freeCount
  }

  /** A name at `host` that `taken` does not know. */
  take(host: string, taken: (name: string) => boolean): PooledName {
    const pooled = this.#pop(host, taken)
    if (pooled !== undefined) {
      this.#inUse.set(pooled.name, { host, creation: pooled.creation })
      return pooled
    }
    for (;;) {
      const bits = (BigInt(this.#random32()) << 32n) | BigInt(this.#random32())
      const name = `${bits.toString(36).toUpperCase()}@${host}`
      if (taken(name) || this.#inUse.has(name)) continue
      const creation = FIRST_CREATION + (this.#random32() % (CREATION_COUNT - FIRST_CREATION))
      this.#inUse.set(name, { host, creation })
      return { name, creation }
    }
  }

  /** The peer of this name is gone. Names that the pool did not give are ignored. */
  release(name: string): void {
    const used = this.#inUse.get(name)
    if (used === undefined) return
    this.#inUse.delete(name)
    const creation = used.creation + 1 === CREATION_COUNT ? FIRST_CREATION : used.creation + 1
    const free = this.#free.get(used.host) ?? []
    free.push({ name, creation })
    this.#free.delete(used.host)
    this.#free.set(used.host, free)
    this.#freeCount++
    if (this.#freeCount > this.#maxFree) this.#forgetOldest()
  }

  /** The peer never showed the cookie: nobody knows its name, so that it need not be given again. */
  forget(name: string): void {
    this.#inUse.delete(name)
  }

  /** One that is taken, since a connection to it is tried, stays: it is given again when that has failed. */
  #pop(host: string, taken: (name: string) => boolean): PooledName | undefined {
    const free = this.#free.get(host) ?? []
    let at = free.length - 1
    while (at >= 0 && taken(free[at]!.name)) at--
    const [pooled] = at < 0 ? [] : free.splice(at, 1)
    if (pooled === undefined) return undefined
    this.#freeCount--
    if (free.length === 0) this.#free.delete(host)
    return pooled
  }

  #forgetOldest(): void {
    for (const [host, free] of this.#free) {
      free.shift()
      this.#freeCount--
      if (free.length === 0) this.#free.delete(host)
      return
    }
  }
}
