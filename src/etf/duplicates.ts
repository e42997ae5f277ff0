/**
 * Whether a map has a key twice. A BEAM refuses such a map (`badarg`, and on a link the connection), so it is refused
 * here as well, both ways. Every decoded map is checked, so the check costs as little as it can: atoms are marked, keys
 * that come in ascending order need one comparison each, and only what is left is hashed.
 */
import { Atom } from './atom.js'
import { keyOf } from './keys.js'

/** The number of the current check; atoms remember the last one that saw them. */
let check = 0

/** Whether two of the keys in `flat` (alternating keys and values) are `=:=`. */
export function hasDuplicateKeys(flat: readonly unknown[]): boolean {
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
  return others > 1 && !ascending && hasDuplicatesHashed(flat)
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

function hasDuplicatesHashed(flat: readonly unknown[]): boolean {
  const seen = new Set<unknown>()
  for (let i = 0; i < flat.length; i += 2) {
    const key = flat[i]
    if (key instanceof Atom || typeof key === 'boolean') continue
    const hashed = keyOf(key)
    if (seen.has(hashed)) return true
    seen.add(hashed)
  }
  return false
}
