/**
 * Whether a map has a key twice. A BEAM refuses such a map (`badarg`, and on a link the connection), so it is refused
 * here as well, both ways. Every decoded map is checked, so the check costs as little as it can: atoms are marked, keys
 * that come in ascending order need one comparison each, and only what is left is hashed, in time that grows with its size
 * alone whatever a peer chose.
 */
import { Atom } from './atom.js'
import { KeyHashes } from './key-hash.js'
import { keyOf } from './keys.js'
import { ErlFloat } from './values.js'

/** The number of the current check; atoms remember the last one that saw them. */
let check = 0

/**
 * Whether two of the keys in `flat` (alternating keys and values) are `=:=`.
 * @param hashes kept from one call to the next by who asks about maps and then about those that they are keys of
 */
export function hasDuplicateKeys(flat: readonly unknown[], hashes?: KeyHashes): boolean {
  const now = ++check
  let previous: unknown
  let others = 0
  let ascending = true
  let booleans = 0
  for (let i = 0; i < flat.length; i += 2) {
    const key = flat[i]
    if (key instanceof Atom) {
      if (key.seen === now) return true
      key.seen = now
    } else if (typeof key === 'boolean') {
      const bit = key ? 2 : 1
      if ((booleans & bit) !== 0) return true
      booleans |= bit
    } else {
      if (others++ > 0 && ascending) ascending = isBefore(previous, key)
      previous = key
    }
  }
  return others > 1 && !ascending && hasDuplicatesHashed(flat, hashes)
}

/**
 * Whether `a` is certainly before `b` in an order of all numbers, all binaries, all texts; false also where that is not known.
 */
function isBefore(a: unknown, b: unknown): boolean {
  if (typeof a === 'number') return typeof b === 'number' ? a < b : b instanceof Uint8Array
  if (typeof a === 'string') return typeof b === 'string' && a < b
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    const shorter = Math.min(a.length, b.length)
    for (let i = 0; i < shorter; i++) if (a[i] !== b[i]) return (a[i] as number) < (b[i] as number)
    return a.length < b.length
  }
  return false
}

/**
 * Whether the binary `bytes[a, aEnd)` is before `bytes[b, bEnd)` in the BEAM's order: byte by byte, a prefix first.
 */
export function isBytesBefore(bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): boolean {
  for (let i = a, k = b; i < aEnd && k < bEnd; i++, k++) {
    if (bytes[i] !== bytes[k]) return (bytes[i] as number) < (bytes[k] as number)
  }
  return aEnd - a < bEnd - b
}

function hasDuplicatesHashed(flat: readonly unknown[], hashes?: KeyHashes): boolean {
  const seen = new Set<unknown>()
  // Numbers but small integers: sorted, since V8 hashes them without a seed.
  let numbers: number[] | undefined
  let compound: unknown[] | undefined
  for (let i = 0; i < flat.length; i += 2) {
    const key = flat[i]
    if (key instanceof Atom || typeof key === 'boolean') continue
    if (typeof key === 'number' && (key | 0) !== key) (numbers ??= []).push(key)
    else if (isCompound(key)) (compound ??= []).push(key)
    else {
      const hashed = keyOf(key)
      if (seen.has(hashed)) return true
      seen.add(hashed)
    }
  }
  return (
    (numbers !== undefined && repeatsNumber(numbers)) ||
    (compound !== undefined && compound.length > 1 && repeatsCompound(compound, hashes ?? new KeyHashes()))
  )
}

/** Whether a key has parts, or is as rare as those that do: it is looked for by its hash. */
export function isCompound(key: unknown): boolean {
  return (
    typeof key === 'object' && !(key instanceof Atom || key instanceof Uint8Array || key instanceof ErlFloat)
  )
}

function repeatsNumber(numbers: readonly number[]): boolean {
  const sorted = Float64Array.from(numbers).sort()
  for (let i = 1; i < sorted.length; i++) if (sorted[i] === sorted[i - 1]) return true
  return false
}

/** By their hashes; those that have the same are compared. */
function repeatsCompound(keys: readonly unknown[], hashes: KeyHashes): boolean {
  const seen = new Map<number, unknown[]>()
  for (const key of keys) {
    const hash = hashes.of(key)
    const same = seen.get(hash)
    if (same === undefined) seen.set(hash, [key])
    else {
      const text = keyOf(key)
      if (same.some((other) => keyOf(other) === text)) return true
      same.push(key)
    }
  }
  return false
}
