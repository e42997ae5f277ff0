/**
 * Pid and reference numbers of this node.
 *
 * OTP 23 and older accept pids of at most 15 bits of id and 13 of serial, and references of at most three words of
 * which the first has 18 bits; every later release accepts these too, so ours never exceed them.
 */
import type { Atom } from '../etf/atom.js'
import { Pid, Reference } from '../etf/identifiers.js'

const ID_BITS = 15
const ID_COUNT = 1 << ID_BITS
const PID_COUNT = 1 << 28
const FIRST_WORD_COUNT = 1 << 18
const WORD_COUNT = 2 ** 32

/** A number that names a pid of this node among all its pids of one creation. */
export function pidNumber(pid: Pid): number {
  return pid.serial * ID_COUNT + pid.id
}

export class IdAllocator {
  readonly node: Atom
  readonly creation: number
  #nextPid: number
  #word0: number
  #word1: number
  #word2: number

  /** `start` (0 to 2^28-1) is the first pid number; `seed` fills the upper words of references. */
  constructor(node: Atom, creation: number, start = 1, seed: readonly [number, number] = [0, 0], word0 = 0) {
    this.node = node
    this.creation = creation
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

  /** The same counters under another name. */
  renamed(node: Atom, creation: number): IdAllocator {
    return new IdAllocator(node, creation, this.#nextPid, [this.#word1, this.#word2], this.#word0)
  }

  /** What to index a JavaScript Map with: cheap for our own references, the full key for foreign ones. */
  referenceKey(ref: Reference): number | string {
    const words = ref.words
    if (ref.node === this.node && ref.creation === this.creation && words.length === 3 && words[2] === this.#word2) {
      const high = words[1] as number
      if (high < 0x7fff_ffff) return high * FIRST_WORD_COUNT + (words[0] as number)
    }
    return ref.key
  }
}
