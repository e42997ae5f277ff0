/**
 * A map of mostly few entries that come and go. Of a `Map` that lives long, V8 makes a new table every few of them, in
 * the old generation, where that is garbage until all of it is collected: with binaries coming, soon, and at the cost of
 * their rate. Here the first entries are in two arrays that stay; only what does not fit there is in a `Map`.
 */

/** So many are found sooner by looking at each. */
const FEW = 8

export class FewMap<K extends string | number | bigint, V> {
  private readonly keys: (K | undefined)[] = Array.from({ length: FEW }, () => undefined)
  private readonly entries: (V | undefined)[] = Array.from({ length: FEW }, () => undefined)
  private count = 0
  private readonly others = new Map<K, V>()

  get size(): number {
    return this.count + this.others.size
  }

  get(key: K): V | undefined {
    const at = this.find(key)
    return at < 0 ? this.other(key) : this.entries[at]
  }

  has(key: K): boolean {
    return this.find(key) >= 0 || (this.others.size > 0 && this.others.has(key))
  }

  set(key: K, value: V): void {
    const at = this.find(key)
    if (at >= 0) this.entries[at] = value
    else if (this.count === FEW || (this.others.size > 0 && this.others.has(key))) this.others.set(key, value)
    else {
      this.keys[this.count] = key
      this.entries[this.count++] = value
    }
  }

  delete(key: K): boolean {
    const at = this.find(key)
    if (at < 0) return this.others.size > 0 && this.others.delete(key)
    const last = --this.count
    this.keys[at] = this.keys[last]
    this.entries[at] = this.entries[last]
    this.keys[last] = this.entries[last] = undefined
    return true
  }

  /** In no order. */
  *values(): IterableIterator<V> {
    yield* this.entries.slice(0, this.count) as V[]
    yield* this.others.values()
  }

  clear(): void {
    this.keys.fill(undefined)
    this.entries.fill(undefined)
    this.count = 0
    this.others.clear()
  }

  private find(key: K): number {
    const { keys, count } = this
    for (let i = 0; i < count; i++) if (keys[i] === key) return i
    return -1
  }

  private other(key: K): V | undefined {
    return this.others.size === 0 ? undefined : this.others.get(key)
  }
}
