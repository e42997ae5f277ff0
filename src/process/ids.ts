/**
 * Pid and reference numbers of this node.
 *
 * OTP 23 and older accept pids of at most 15 bits of id and 13 of serial, and references of at most three words of
 * which the first has 18 bits; every later release accepts these too, so ours never exceed them.
 */
import type { Atom } from '../etf/atom.js'
import { Pid, Reference, significantWords } from '../etf/identifiers.js'

const ID_BITS = 15
const ID_COUNT = 1 << ID_BITS
const PID_COUNT = 1 << 28
const FIRST_WORD_COUNT = 1 << 18
const WORD_COUNT = 2 ** 32

/** A number that names a pid of this node among all its pids of one creation. */
export function pidNumber(pid: Pid): number {
  return pid.serial * ID_COUNT + pid.id
}

/**
 * What to index a JavaScript Map with: the numbers of a reference as characters. As good as its `key`, which is made to be
 * read, and made several times quicker.
 */
export function referenceMapKey(reference: Reference): string {
  const { words, creation, node } = reference
  const count = words.length
  if (count === 3 && words[2] !== 0) {
    const [first, second, third] = words as readonly [number, number, number]
    return (
      String.fromCharCode(
        count,
        creation >>> 16,
        creation & 0xffff,
        first >>> 16,
        first & 0xffff,
        second >>> 16,
        second & 0xffff,
        third >>> 16,
        third & 0xffff,
      ) + node.name
    )
  }
  const significant = significantWords(reference)
  let text = String.fromCharCode(significant.length, creation >>> 16, creation & 0xffff)
  for (const word of significant) text += String.fromCharCode(word >>> 16, word & 0xffff)
  return text + node.name
}

export class IdAllocator {
  readonly node: Atom
  readonly creation: number
  #nextPid: number
  #word0: number
  #word1: number
  #word2: number

  /** Earlier names of this node and their creations: identities made under them are still its own. */
  readonly #former: ReadonlyMap<Atom, number>

  /** `start` (0 to 2^28-1) is the first pid number; `seed` fills the upper words of references. */
  constructor(
    node: Atom,
    creation: number,
    start = 1,
    seed: readonly [number, number] = [0, 0],
    word0 = 0,
    former: ReadonlyMap<Atom, number> = new Map(),
  ) {
    this.node = node
    this.creation = creation
    this.#former = former
    this.#nextPid = start % PID_COUNT
    this.#word0 = word0
    this.#word1 = seed[0]
    this.#word2 = seed[1]
  }

  /** The next pid whose number is not in use; numbers wrap after 2^28 and skip those that still are. */
  nextPid(inUse: (number: number) => boolean): Pid {
    let number = this.#nextPid
    while (inUse(number)) number = (number + 1) % PID_COUNT
    this.#nextPid = (number + 1) % PID_COUNT
    return new Pid(this.node, number % ID_COUNT, Math.floor(number / ID_COUNT), this.creation)
  }

  /** A reference that this incarnation of the node has not used: 2^82 follow one another. */
  nextReference(): Reference {
    this.#word0++
    if (this.#word0 === FIRST_WORD_COUNT) {
      this.#word0 = 0
      this.#word1 = (this.#word1 + 1) % WORD_COUNT
      if (this.#word1 === 0) this.#word2 = (this.#word2 + 1) % WORD_COUNT
    }
    return new Reference(this.node, this.creation, [this.#word0, this.#word1, this.#word2])
  }

  /** The same counters under another name; `maxFormer` names before it are remembered. */
  renamed(node: Atom, creation: number, maxFormer: number): IdAllocator {
    const former = new Map(this.#former)
    former.delete(this.node)
    former.set(this.node, this.creation)
    former.delete(node)
    for (const name of former.keys()) {
      if (former.size <= maxFormer) break
      former.delete(name)
    }
    return new IdAllocator(node, creation, this.#nextPid, [this.#word1, this.#word2], this.#word0, former)
  }

  /** Whether an identity of `node` and `creation` was made by this node, under this name or an earlier one. */
  owns(node: Atom, creation: number): boolean {
    return node === this.node ? creation === this.creation : this.#former.get(node) === creation
  }

  /** Whether `node` is this node, under this name or an earlier one. */
  isThisNode(node: Atom): boolean {
    return node === this.node || this.#former.has(node)
  }

  /** A pid of this node under the node's present name; any other as it is. */
  canonical(pid: Pid): Pid {
    if (pid.node === this.node || !this.owns(pid.node, pid.creation)) return pid
    return new Pid(this.node, pid.id, pid.serial, this.creation)
  }

  /** What to index a JavaScript Map with: cheap for our own references, text for foreign ones. */
  referenceKey(ref: Reference): number | string {
    const words = ref.words
    if (words.length === 3 && words[2] === this.#word2 && this.owns(ref.node, ref.creation)) {
      const high = words[1] as number
      if (high < 0x7fff_ffff) return high * FIRST_WORD_COUNT + (words[0] as number)
    }
    return referenceMapKey(ref)
  }
}
