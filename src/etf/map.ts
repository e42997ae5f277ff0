/** Maps: keys compared as Erlang compares them, entries in wire order. */
import { ArgumentError } from '../errors.js'
import { Atom, existingAtom } from './atom.js'
import { hasDuplicateKeys, isCompound } from './duplicates.js'
import { isEqual } from './equal.js'
import { KeyHashes } from './key-hash.js'
import { type TermKey, keyOf } from './keys.js'
import { platform } from './platform.js'
import type { Encodable, Term } from './terms.js'

/** Entries up to which a key is looked for one by one; beyond, an index is made at the first look-up. */
const MAX_SCANNED = 16

/**
 * An Erlang map. Keys compare with Erlang's `=:=`: `1` is not `1.0`; tuples, pids and binaries compare by value.
 * Iterates over `[key, value]` in wire order. It cannot be changed; {@link ErlMap.from} makes one.
 */
export class ErlMap<K = Term, V = Term> {
  /** Alternating keys and values, in wire order. */
  readonly flat: readonly (K | V)[]
  /**
   * Whether the keys are known to differ: the encoder checks a map that does not say so.
   * @internal
   */
  unique: boolean
  private index: Map<TermKey, number> | undefined
  /** The same of compound keys, by their hashes. */
  private compounds: Map<number, number[]> | undefined

  /**
   * @param flat alternating keys and values; kept, not copied. Keys must differ: prefer {@link ErlMap.from}, which
   *   checks. `encode` refuses a map that has a key twice.
   */
  constructor(flat: readonly (K | V)[], unique = false) {
    this.flat = flat
    this.unique = unique
    this.index = undefined
    this.compounds = undefined
  }

  /**
   * A map of these entries, in their order. Text keys are binaries.
   * @throws ArgumentError `BAD_ARGUMENT` if a key comes twice
   */
  static from<K extends Encodable = Term, V extends Encodable = Term>(
    entries: Iterable<readonly [K, V]>,
  ): ErlMap<K, V> {
    const flat: (K | V)[] = []
    for (const [key, value] of entries) flat.push(key, value)
    if (hasDuplicateKeys(flat))
      throw new ArgumentError('BAD_ARGUMENT', 'a map has each key once, and one of these comes twice')
    return new ErlMap<K, V>(flat, true)
  }

  get size(): number {
    return this.flat.length >> 1
  }

  /**
   * The value of a key; undefined if there is none. Text finds the atom of that name, or else the binary.
   */
  get(key: K | string): V | undefined {
    const at = this.at(key)
    return at < 0 ? undefined : (this.flat[at + 1] as V)
  }

  has(key: K | string): boolean {
    return this.at(key) >= 0
  }

  private at(key: unknown): number {
    if (typeof key !== 'string') return this.find(key)
    const named = existingAtom(key)
    const at = named === undefined ? -1 : this.find(named)
    return at >= 0 ? at : this.find(key)
  }

  /**
   * Where in `flat` this very key is; -1 if nowhere.
   * @internal
   */
  find(key: unknown): number {
    if (isCompound(key)) return this.findCompound(key, this.placesOf(key, new KeyHashes()))
    const flat = this.flat
    if (flat.length > 2 * MAX_SCANNED) return (this.index ??= this.makeIndex()).get(keyOf(key)) ?? -1
    if (key instanceof Atom || typeof key === 'boolean') {
      for (let i = 0; i < flat.length; i += 2) if (flat[i] === key) return i
      return -1
    }
    for (let i = 0; i < flat.length; i += 2) if (!isCompound(flat[i]) && isEqual(flat[i], key)) return i
    return -1
  }

  /**
   * Where in `flat` this key is if it is anywhere, which is up to the caller to see; -1 if it is nowhere for certain. Maps
   * that are keys in maps that are keys and so on can be compared in linear time by it, and without recursion.
   * @param hashes kept for all of one comparison
   * @internal
   */
  candidate(key: unknown, hashes: KeyHashes): number {
    if (!isCompound(key)) return this.find(key)
    const places = this.placesOf(key, hashes)
    return places.length === 1 ? (places[0] as number) : this.findCompound(key, places)
  }

  /** Which of these places has the key. */
  private findCompound(key: unknown, places: readonly number[]): number {
    if (places.length === 0) return -1
    // Not isEqual, which comes back here for keys that are maps: maps within keys within maps would recurse.
    const wanted = keyOf(key)
    for (const at of places) if (keyOf(this.flat[at]) === wanted) return at
    return -1
  }

  /** The places of compound keys that have this one's hash: hardly ever more than one. */
  private placesOf(key: unknown, hashes: KeyHashes): readonly number[] {
    const hash = hashes.of(key)
    if (this.flat.length > 2 * MAX_SCANNED)
      return (this.compounds ??= this.hashCompounds(hashes)).get(hash) ?? []
    const places: number[] = []
    for (let i = 0; i < this.flat.length; i += 2) {
      if (isCompound(this.flat[i]) && hashes.of(this.flat[i]) === hash) places.push(i)
    }
    return places
  }

  private makeIndex(): Map<TermKey, number> {
    const index = new Map<TermKey, number>()
    for (let i = 0; i < this.flat.length; i += 2) {
      if (!isCompound(this.flat[i])) index.set(keyOf(this.flat[i]), i)
    }
    return index
  }

  private hashCompounds(hashes: KeyHashes): Map<number, number[]> {
    const places = new Map<number, number[]>()
    for (let i = 0; i < this.flat.length; i += 2) {
      if (!isCompound(this.flat[i])) continue
      const hash = hashes.of(this.flat[i])
      const same = places.get(hash)
      if (same === undefined) places.set(hash, [i])
      else same.push(i)
    }
    return places
  }

  *keys(): IterableIterator<K> {
    for (let i = 0; i < this.flat.length; i += 2) yield this.flat[i] as K
  }

  *values(): IterableIterator<V> {
    for (let i = 1; i < this.flat.length; i += 2) yield this.flat[i] as V
  }

  *entries(): IterableIterator<[K, V]> {
    for (let i = 0; i < this.flat.length; i += 2) yield [this.flat[i] as K, this.flat[i + 1] as V]
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries()
  }

  forEach(callback: (value: V, key: K, map: this) => void): void {
    for (let i = 0; i < this.flat.length; i += 2) callback(this.flat[i + 1] as V, this.flat[i] as K, this)
  }

  /** Whether `other` is a map with `=:=` entries, in any order. */
  equals(other: unknown): boolean {
    return isEqual(this, other)
  }

  /**
   * An object with a property for each entry, whose keys must be atoms or UTF-8 binaries. It has no prototype, so that a
   * key such as `__proto__` is a property like any other. Values stay as they are.
   * @throws ArgumentError `BAD_ARGUMENT` for another kind of key, and where an atom and a binary collide
   */
  toObject(): Record<string, V> {
    const object = Object.create(null) as Record<string, V>
    for (let i = 0; i < this.flat.length; i += 2) {
      const name = propertyName(this.flat[i])
      if (name === undefined)
        throw new ArgumentError('BAD_ARGUMENT', 'a map key that is neither an atom nor UTF-8 text')
      if (name in object) {
        throw new ArgumentError(
          'BAD_ARGUMENT',
          `two keys of the map are both the property ${JSON.stringify(name)}`,
        )
      }
      object[name] = this.flat[i + 1] as V
    }
    return object
  }
}

function propertyName(key: unknown): string | undefined {
  if (key instanceof Atom) return key.name
  if (typeof key === 'string' || typeof key === 'boolean') return String(key)
  return key instanceof Uint8Array ? platform.readUtf8(key, 0, key.length) : undefined
}
