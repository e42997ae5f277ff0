/**
 * A map by references of this node, which follow one another: of what waits for answers, so that entries come and go. Of
 * a `Map` V8 makes a new table every few of them, which the ones before it, being garbage, keep alive until the whole heap
 * is collected: most of what collecting young objects cost a node that makes many calls at a time. Here the two arrays
 * stay, and an entry that goes leaves nothing.
 *
 * Not for references that others made: whoever chooses them could have all of them begin at one place.
 */
import type { Reference } from '../etf/identifiers.js'

const MIN_PLACES = 4

/** Larger arrays are given up when the last of their entries has gone. */
const MAX_KEPT_PLACES = 1024

/** 2^32 divided by the golden ratio: spreads numbers that follow one another. */
const SPREAD = 0x9e37_79b1

export class ReferenceMap<V extends object> {
  /** A power of two of places, at least half of them free. An entry is at its place, or right after others that are. */
  #refs: (Reference | undefined)[] = empty(MIN_PLACES)
  #values: (V | undefined)[] = empty(MIN_PLACES)
  #mask = MIN_PLACES - 1
  #shift = Math.clz32(MIN_PLACES - 1)
  #size = 0

  get size(): number {
    return this.#size
  }

  get(ref: Reference): V | undefined {
    const at = this.#find(ref)
    return at < 0 ? undefined : this.#values[at]
  }

  /** Takes the place of what an equal reference has. */
  set(ref: Reference, value: V): void {
    const at = this.#find(ref)
    if (at >= 0) {
      this.#values[at] = value
      return
    }
    if (2 * (this.#size + 1) > this.#refs.length) this.#grow()
    this.#size++
    this.#put(ref, value)
  }

  delete(ref: Reference): boolean {
    return this.take(ref) !== undefined
  }

  /** What this reference had; it has nothing any more. */
  take(ref: Reference): V | undefined {
    const at = this.#find(ref)
    if (at < 0) return undefined
    const value = this.#values[at]
    if (--this.#size === 0 && this.#refs.length > MAX_KEPT_PLACES) this.#resize(MIN_PLACES)
    else this.#close(at)
    return value
  }

  /** In the order of the references, which is that in which they were made. Later changes do not change it. */
  values(): V[] {
    return this.#entries().map(([, value]) => value)
  }

  /** As {@link values}. */
  references(): Reference[] {
    return this.#entries().map(([ref]) => ref)
  }

  clear(): void {
    this.#size = 0
    this.#resize(MIN_PLACES)
  }

  #entries(): [Reference, V][] {
    const entries: [Reference, V][] = []
    this.#refs.forEach((ref, at) => {
      if (ref !== undefined) entries.push([ref, this.#values[at] as V])
    })
    return entries.sort(([a], [b]) => inOrder(a, b))
  }

  #place({ words }: Reference): number {
    return Math.imul(words[0] as number, SPREAD) >>> this.#shift
  }

  #find(ref: Reference): number {
    const refs = this.#refs
    for (let at = this.#place(ref); ; at = (at + 1) & this.#mask) {
      const found = refs[at]
      if (found === undefined) return -1
      if (found.equals(ref)) return at
    }
  }

  #put(ref: Reference, value: V): void {
    let at = this.#place(ref)
    while (this.#refs[at] !== undefined) at = (at + 1) & this.#mask
    this.#refs[at] = ref
    this.#values[at] = value
  }

  /** Makes a place free: what follows it and is not at its own place comes nearer to that. */
  #close(free: number): void {
    const refs = this.#refs
    const values = this.#values
    const mask = this.#mask
    for (let at = (free + 1) & mask; ; at = (at + 1) & mask) {
      const ref = refs[at]
      if (ref === undefined) break
      if (((at - this.#place(ref)) & mask) < ((at - free) & mask)) continue
      refs[free] = ref
      values[free] = values[at]
      free = at
    }
    refs[free] = values[free] = undefined
  }

  #grow(): void {
    const refs = this.#refs
    const values = this.#values
    this.#resize(2 * refs.length)
    refs.forEach((ref, at) => {
      if (ref !== undefined) this.#put(ref, values[at] as V)
    })
  }

  #resize(places: number): void {
    this.#refs = empty(places)
    this.#values = empty(places)
    this.#mask = places - 1
    this.#shift = Math.clz32(places - 1)
  }
}

function empty<T>(places: number): (T | undefined)[] {
  return Array.from({ length: places }, () => undefined)
}

/** The first word of a reference counts fastest. */
function inOrder(a: Reference, b: Reference): number {
  for (let i = a.words.length - 1; i >= 0; i--) {
    const difference = (a.words[i] as number) - (b.words[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
