/**
 * Names that come again and again, found by their bytes without making a string of them: atoms, and the text of binary
 * map keys. A hash of some bytes gives a slot of a direct-mapped table; the slot's bytes are then compared, four at a
 * time. The table only remembers: a name that is not in it is looked up, or made, the ordinary way.
 */
import type { Atom } from './atom.js'

/** A power of two: what names of a busy node take, with room. */
const SLOT_BITS = 12
const SLOTS = 1 << SLOT_BITS
/** Longer names are not remembered: hot ones are short. */
export const MAX_NAME_BYTES = 32
const WORDS = MAX_NAME_BYTES / 4

/** For each slot the bytes of its name, four to a word, the last word overlapping the one before where need be. */
const slotWords = new Int32Array(SLOTS * WORDS)
/** For each slot how many bytes its name has; 0: none. */
const slotLengths = new Uint8Array(SLOTS)
/** The atom of that name in UTF-8, where it was met as an atom. */
export const slotAtoms = new Array<Atom | boolean | undefined>(SLOTS).fill(undefined)
/** The name as text, where it was met as the text of a map key. */
export const slotTexts = new Array<string | undefined>(SLOTS).fill(undefined)

function wordAt(bytes: Uint8Array, p: number): number {
  return (
    (bytes[p] as number) |
    ((bytes[p + 1] as number) << 8) |
    ((bytes[p + 2] as number) << 16) |
    ((bytes[p + 3] as number) << 24)
  )
}

/** The one word of a name of 1 to 3 bytes. */
function shortWord(bytes: Uint8Array, start: number, length: number): number {
  return (
    (bytes[start] as number) |
    (length > 1 ? (bytes[start + 1] as number) << 8 : 0) |
    (length > 2 ? (bytes[start + 2] as number) << 16 : 0)
  )
}

function slotOf(first: number, middle: number, last: number, length: number): number {
  return (
    (Math.imul(first ^ (length << 25), 0x9e3779b1) ^
      Math.imul(middle, 0xc2b2ae35) ^
      Math.imul(last, 0x85ebca6b)) >>>
    (32 - SLOT_BITS)
  )
}

/**
 * The slot of the name `bytes[start, start + length)`, 1 to MAX_NAME_BYTES long, if it is in the table; else `~slot`,
 * where {@link rememberName} may put it.
 * @param view of all of `bytes`, if there is one: four bytes are then one read
 */
export function findName(
  bytes: Uint8Array,
  view: DataView | undefined,
  start: number,
  length: number,
): number {
  if (length < 4) {
    const word = shortWord(bytes, start, length)
    const slot = slotOf(word, 0, 0, length)
    return slotLengths[slot] === length && slotWords[slot * WORDS] === word ? slot : ~slot
  }
  const last = start + length - 4
  const middle = start + ((length - 4) >> 1)
  if (view === undefined) {
    const between = length <= 8 ? 0 : wordAt(bytes, middle)
    const slot = slotOf(wordAt(bytes, start), between, wordAt(bytes, last), length)
    if (slotLengths[slot] !== length) return ~slot
    let at = slot * WORDS
    for (let p = start; p < last; p += 4) if (slotWords[at++] !== wordAt(bytes, p)) return ~slot
    return slotWords[at] === wordAt(bytes, last) ? slot : ~slot
  }
  const end = view.getInt32(last, true)
  const first = view.getInt32(start, true)
  if (length <= 8) {
    // Two words are all of it.
    const slot = slotOf(first, 0, end, length)
    const at = slot * WORDS
    return slotWords[at] === first && slotWords[at + 1] === end && slotLengths[slot] === length ? slot : ~slot
  }
  const slot = slotOf(first, view.getInt32(middle, true), end, length)
  if (slotLengths[slot] !== length) return ~slot
  let at = slot * WORDS
  for (let p = start; p < last; p += 4) if (slotWords[at++] !== view.getInt32(p, true)) return ~slot
  return slotWords[at] === end ? slot : ~slot
}

/** Puts a name into a slot that {@link findName} gave, in place of what is there. The caller says what it means. */
export function rememberName(slot: number, bytes: Uint8Array, start: number, length: number): void {
  slotAtoms[slot] = undefined
  slotTexts[slot] = undefined
  slotLengths[slot] = length
  let at = slot * WORDS
  if (length < 4) {
    slotWords[at] = shortWord(bytes, start, length)
    return
  }
  const last = start + length - 4
  for (let p = start; p < last; p += 4) slotWords[at++] = wordAt(bytes, p)
  slotWords[at] = wordAt(bytes, last)
  // A name of four bytes is compared like those of up to eight: by its first word and its last.
  if (length === 4) slotWords[at + 1] = wordAt(bytes, last)
}
