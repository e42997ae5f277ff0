/**
 * The distribution header, read (OTP "External Term Format", "Distribution Header").
 *
 *     ┌─────┬────┬───┬───────────────────┬───────────────┐
 *     │ 131 │ 68 │ N │ Flags: N/2+1 or 0 │ AtomCacheRefs │            a whole message
 *     └─────┴────┴───┴───────────────────┴───────────────┘
 *     ┌─────┬────┬────────────────┬────────────────┬───┬───────────────────┬───────────────┐
 *     │ 131 │ 69 │ SequenceId: 64 │ FragmentId: 64 │ N │ Flags: N/2+1 or 0 │ AtomCacheRefs │   the first fragment
 *     └─────┴────┴────────────────┴────────────────┴───┴───────────────────┴───────────────┘
 *     ┌─────┬────┬────────────────┬────────────────┐
 *     │ 131 │ 70 │ SequenceId: 64 │ FragmentId: 64 │                  a later fragment
 *     └─────┴────┴────────────────┴────────────────┘
 *
 * Flags are half bytes, the low half first: bit 3 says that the entry is new, bits 2 to 0 are its segment. After those
 * of the N references comes one more half byte, whose bit 0 says that lengths of atoms take two bytes (LongAtoms).
 *
 *     new:    ┌───────────────────┬───────────────┬──────┐      cached: ┌───────────────────┐
 *             │ InternalSegIndex  │ Length 8 | 16 │ Text │              │ InternalSegIndex  │
 *             └───────────────────┴───────────────┴──────┘              └───────────────────┘
 *
 * The cache has 8 segments of 256 entries. Terms after the header have no version byte, and refer to reference i of it
 * as ATOM_CACHE_REF i.
 */
import type { Atom } from '../etf/atom.js'
import { atomFromBytes } from '../etf/atom-cache.js'
import type { AtomBudget } from '../etf/budget.js'
import { DistError } from '../errors.js'

export const VERSION = 131
export const DIST_HEADER = 68
export const DIST_FRAG_HEADER = 69
export const DIST_FRAG_CONT = 70
/** Of a frame without a distribution header. */
export const PASS_THROUGH = 112

/** 8 segments of 256. */
export const ATOM_CACHE_SIZE = 2048
/** ATOM_CACHE_REF has indices below this. */
export const MAX_ATOM_REFS = 255
/** Version, tag, sequence id, fragment id. */
export const FRAGMENT_HEADER_BYTES = 18

/**
 * The peer's side of the atom cache: filled by the headers of its frames, in their order. One per connection.
 */
export class AtomCacheReader {
  /**
   * Where the atom of each entry is in `cached`, plus one. A peer's entries are anywhere among the 2,048: V8 would make a
   * hash table of an array that has so few of them.
   */
  private places: Uint16Array | undefined
  private readonly cached: (Atom | boolean)[] = []
  private readonly enabled: boolean
  private readonly newAtoms: AtomBudget | undefined
  /**
   * What ATOM_CACHE_REF i means in the message whose header was read last. Overwritten by the next {@link read}: a
   * message that is decoded later keeps {@link snapshot}.
   */
  readonly atoms: (Atom | boolean)[] = []
  /** References in the header read last; entries of `atoms` beyond it are left over from earlier headers. */
  count = 0

  /**
   * @param enabled false: the atom cache was not negotiated, every reference is an error
   * @param newAtoms the atoms that the peer may still create
   */
  constructor(enabled: boolean, newAtoms?: AtomBudget) {
    this.enabled = enabled
    this.newAtoms = newAtoms
  }

  /** The references of the header read last, as an array that nobody overwrites. */
  snapshot(): readonly (Atom | boolean)[] {
    return this.atoms.slice(0, this.count)
  }

  /**
   * Reads N, Flags and AtomCacheRefs from `position` on.
   * @returns the position after them
   * @throws DistError `DIST_BAD_HEADER`
   */
  read(bytes: Uint8Array, position: number, end: number): number {
    if (position >= end) throw badHeader('it ends before the number of atom cache references', position)
    const count = bytes[position++]
    this.count = count
    // Setting the length costs as much as the rest of a short header.
    if (this.atoms.length > count) this.atoms.length = count
    if (count === 0) return position
    if (!this.enabled) throw badHeader('it refers to the atom cache, which was not negotiated', position - 1)
    const flags = position
    position += (count >> 1) + 1
    if (position > end) throw badHeader('it ends within the flags', end)
    const longAtoms = ((bytes[flags + (count >> 1)] >> ((count & 1) << 2)) & 1) === 1
    for (let i = 0; i < count; i++) {
      if (position >= end) throw badHeader(`it ends at atom cache reference ${i} of ${count}`, end)
      const flag = (bytes[flags + (i >> 1)] >> ((i & 1) << 2)) & 15
      const slot = ((flag & 7) << 8) | bytes[position++]
      if ((flag & 8) === 0) {
        const place = this.places === undefined ? 0 : this.places[slot]
        if (place === 0) {
          throw badHeader(`reference ${i} is to entry ${slot}, which was never filled`, position - 1)
        }
        this.atoms[i] = this.cached[place - 1]
        continue
      }
      const lengthBytes = longAtoms ? 2 : 1
      if (position + lengthBytes > end) throw badHeader(`it ends in the length of reference ${i}`, end)
      const length = longAtoms ? (bytes[position] << 8) | bytes[position + 1] : bytes[position]
      position += lengthBytes
      if (position + length > end) throw badHeader(`it ends in the text of reference ${i}`, end)
      const made = this.make(bytes, position, length)
      position += length
      this.fill(slot, made)
      this.atoms[i] = made
    }
    return position
  }

  private fill(slot: number, made: Atom | boolean): void {
    const places = (this.places ??= new Uint16Array(ATOM_CACHE_SIZE))
    if (places[slot] === 0) places[slot] = this.cached.push(made)
    else this.cached[places[slot] - 1] = made
  }

  private make(bytes: Uint8Array, start: number, length: number): Atom | boolean {
    try {
      return atomFromBytes(bytes, undefined, start, length, this.newAtoms)
    } catch (cause) {
      throw badHeader(`a new atom is refused: ${(cause as Error).message}`, start, cause)
    }
  }
}

function badHeader(what: string, offset: number, cause?: unknown): DistError {
  return new DistError('DIST_BAD_HEADER', `distribution header from the peer: ${what} (byte ${offset})`, {
    cause,
  })
}
