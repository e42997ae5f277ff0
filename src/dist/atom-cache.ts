/**
 * Our side of the atom cache: which atoms the peer holds at which of its 2,048 entries, and the header that says so
 * (the form is drawn in header.ts).
 *
 * A message is encoded before its header is made, since the header lists the atoms that encoding met; and messages that
 * wait behind a fragmented one leave after others that were encoded later. So encoding only numbers the atoms of its
 * message, and an entry is chosen when the header is written: headers are written in the order of the wire, and a
 * message that fails to encode leaves no trace.
 */
import type { Atom } from '../etf/atom.js'
import { ATOM_CACHE_SIZE, DIST_FRAG_HEADER, DIST_HEADER, MAX_ATOM_REFS, VERSION } from './header.js'
import { writeUint64 } from './bytes.js'

/** An atom that was met on this connection. */
export class CachedAtom {
  readonly atom: Atom | boolean
  /** The peer's entry, or -1. */
  slot = -1
  /** The message being encoded that has it, and its ATOM_CACHE_REF there. */
  message = -1
  index = 0
  /** The header that refers to it; entries of one header do not evict each other. */
  header = -1
  /** Used since the hand of the clock last passed. */
  used = false

  constructor(atom: Atom | boolean) {
    this.atom = atom
  }

  /** Its text, in UTF-8: what `Atom.wire` has after the tag and length. */
  get text(): Uint8Array {
    const { atom } = this
    return typeof atom === 'boolean'
      ? atom
        ? TRUE
        : FALSE
      : atom.wire.subarray(atom.wire[0] === 119 ? 2 : 3)
  }
}

const TRUE = Uint8Array.of(116, 114, 117, 101)
const FALSE = Uint8Array.of(102, 97, 108, 115, 101)

/** Atoms that are found without the table: two nodes, and what answers have beside them. */
const RECENT = 4

/** The atoms of a message, in the order of their ATOM_CACHE_REFs: the first `count` of the list. */
export interface MessageAtoms {
  readonly list: readonly CachedAtom[]
  readonly count: number
}

export class AtomCacheWriter implements MessageAtoms {
  private readonly known = new Map<Atom | boolean, CachedAtom>()
  private readonly slots: (CachedAtom | undefined)[] = []
  private hand = 0
  private message = 0
  private header = 0
  /** Of the message being encoded. */
  readonly list: CachedAtom[] = []
  count = 0
  /** Indices of the atoms that the last {@link resolve} gave a new entry, and whether a length takes two bytes. */
  private readonly fresh: number[] = []
  private freshCount = 0
  private longAtoms = false
  /** Found last: the two nodes are in every message, and of calls few others. Comparing takes less time than the table. */
  private readonly recent: CachedAtom[] = []
  private nextRecent = 0

  /** Starts a message. */
  begin(): void {
    this.message++
    this.count = 0
  }

  /**
   * For the encoder: the ATOM_CACHE_REF of an atom in this message, or -1 when it is to be written in full.
   */
  index(atom: Atom | boolean): number {
    let cached: CachedAtom | undefined = this.recently(atom) ?? this.found(atom)
    if (cached === undefined) {
      if (this.count === MAX_ATOM_REFS) return -1
      cached = new CachedAtom(atom)
      this.known.set(atom, cached)
    } else if (cached.message === this.message) {
      return cached.index
    } else if (this.count === MAX_ATOM_REFS) {
      return -1
    }
    cached.message = this.message
    cached.index = this.count
    this.list[this.count++] = cached
    return cached.index
  }

  /** Among the last that the table gave. Of one that was evicted, or given up, since then, the table knows better. */
  private recently(atom: Atom | boolean): CachedAtom | undefined {
    const { recent } = this
    for (let i = 0; i < recent.length; i++) {
      const cached = recent[i] as CachedAtom
      if (cached.atom === atom)
        return cached.slot >= 0 || cached.message === this.message ? cached : undefined
    }
    return undefined
  }

  private found(atom: Atom | boolean): CachedAtom | undefined {
    const cached = this.known.get(atom)
    if (cached !== undefined) {
      this.recent[this.nextRecent] = cached
      this.nextRecent = (this.nextRecent + 1) % RECENT
    }
    return cached
  }

  /** The message failed to encode: nothing of it was sent. */
  abort(): void {
    for (let i = 0; i < this.count; i++) this.forget(this.list[i])
    this.count = 0
  }

  /** The atoms of the message that was encoded, until the next {@link begin}. */
  get current(): MessageAtoms {
    return this
  }

  /**
   * Gives each atom an entry, evicting as needed: to be called once for a message, right before {@link writeHeader}.
   * @returns the length of the header in bytes
   */
  resolve({ list, count }: MessageAtoms, fragmented: boolean): number {
    const fixed = fragmented ? 19 : 3
    if (count === 0) return fixed
    this.header++
    for (let i = 0; i < count; i++) {
      list[i].header = this.header
      list[i].used = true
    }
    let length = fixed + (count >> 1) + 1 + count
    let longAtoms = false
    let freshCount = 0
    for (let i = 0; i < count; i++) {
      const cached = list[i]
      if (cached.slot >= 0) continue
      this.place(cached)
      this.fresh[freshCount++] = i
      const bytes = cached.text.length
      if (bytes > 255) longAtoms = true
      length += bytes
    }
    this.freshCount = freshCount
    this.longAtoms = longAtoms
    return length + freshCount * (longAtoms ? 2 : 1)
  }

  /**
   * Writes the header of the atoms given to the last {@link resolve}.
   * @param sequenceId, fragments of a fragmented message; `fragments` 0 for a whole one
   * @returns the position after it
   */
  writeHeader(
    target: Uint8Array,
    position: number,
    { list, count }: MessageAtoms,
    sequenceId: number,
    fragments: number,
  ): number {
    let p = position
    target[p++] = VERSION
    if (fragments === 0) target[p++] = DIST_HEADER
    else {
      target[p++] = DIST_FRAG_HEADER
      writeUint64(target, p, sequenceId)
      writeUint64(target, p + 8, fragments)
      p += 16
    }
    target[p++] = count
    if (count === 0) return p
    const flags = p
    const { fresh, freshCount, longAtoms } = this
    p += (count >> 1) + 1
    target[p - 1] = 0
    let nextFresh = 0
    let low = 0
    for (let i = 0; i < count; i++) {
      const cached = list[i]
      const { slot } = cached
      let flag = slot >> 8
      target[p++] = slot
      if (nextFresh < freshCount && fresh[nextFresh] === i) {
        nextFresh++
        flag |= 8
        const text = cached.text
        if (longAtoms) target[p++] = text.length >> 8
        target[p++] = text.length
        target.set(text, p)
        p += text.length
      }
      // Two half bytes make one: the low one waits for the high one, if there is one.
      if ((i & 1) === 0) target[flags + (i >> 1)] = low = flag
      else target[flags + (i >> 1)] = low | (flag << 4)
    }
    if (longAtoms) target[flags + (count >> 1)] |= 1 << ((count & 1) << 2)
    return p
  }

  /** Finds an entry: a free one, else the first that was not used since the hand of the clock passed it. */
  private place(cached: CachedAtom): void {
    const { slots } = this
    if (slots.length < ATOM_CACHE_SIZE) {
      cached.slot = slots.length
      slots.push(cached)
      return
    }
    for (;;) {
      const slot = this.hand
      this.hand = (slot + 1) & (ATOM_CACHE_SIZE - 1)
      const holder = slots[slot] as CachedAtom
      if (holder.header === this.header) continue
      if (holder.used) {
        holder.used = false
        continue
      }
      holder.slot = -1
      this.forget(holder)
      slots[slot] = cached
      cached.slot = slot
      return
    }
  }

  /** An atom that the peer does not hold: the next message that has it starts over. */
  private forget(cached: CachedAtom): void {
    if (cached.slot < 0 && this.known.get(cached.atom) === cached) this.known.delete(cached.atom)
  }
}
