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
  readonly #free = new Map<string, PooledName[]>()
  readonly #inUse = new Map<string, { host: string; creation: number }>()
  readonly #random32: () => number

  constructor(random32: () => number) {
    this.#random32 = random32
  }

  /** A name at `host` that `taken` does not know. */
  take(host: string, taken: (name: string) => boolean): PooledName {
    const free = this.#free.get(host)
    for (let pooled = free?.pop(); pooled !== undefined; pooled = free?.pop()) {
      if (taken(pooled.name)) continue
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
    const free = this.#free.get(used.host)
    if (free === undefined) this.#free.set(used.host, [{ name, creation }])
    else free.push({ name, creation })
  }
}
