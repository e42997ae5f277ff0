/**
 * Atoms: interned, so that `===` compares them, and kept for the life of the process as the BEAM keeps its own.
 * Eviction or weak references would break `===`; instead what a peer may create is counted (atom-cache.ts, limits.ts).
 */
import { ArgumentError } from '../errors.js'
import { utf8Length, writeUtf8 } from './utf8.js'

/** An Erlang atom other than `true` and `false` (those are JavaScript booleans). Made by {@link atom}; never `new`. */
export class Atom<N extends string = string> {
  readonly name: N
  /**
   * How it is written, SMALL_ATOM_UTF8_EXT or ATOM_UTF8_EXT with length and text: its size in bytes, and the bytes as
   * big-endian words of 32 bits, the last filled up with zeros. A repeated atom is the most frequent term on a link, and
   * words are copied in a quarter of the steps.
   * @internal
   */
  readonly wireBytes: number
  /** @internal */
  readonly wireWords: readonly number[]
  /**
   * The last check for duplicate map keys that saw this atom: spares those checks a hash table.
   * @internal
   */
  seen: number

  /** @internal use {@link atom} */
  constructor(name: N, wire: Uint8Array) {
    this.name = name
    this.wireBytes = wire.length
    this.wireWords = wordsOf(wire)
    this.seen = 0
  }

  /**
   * Its bytes as SMALL_ATOM_UTF8_EXT or ATOM_UTF8_EXT, made anew.
   * @internal
   */
  get wire(): Uint8Array {
    return atomWire(this.name) as Uint8Array
  }

  toString(): N {
    return this.name
  }

  toJSON(): N {
    return this.name
  }
}

function wordsOf(wire: Uint8Array): readonly number[] {
  const words: number[] = []
  for (let i = 0; i < wire.length; i += 4) {
    words.push(
      ((wire[i] ?? 0) << 24) | ((wire[i + 1] ?? 0) << 16) | ((wire[i + 2] ?? 0) << 8) | (wire[i + 3] ?? 0),
    )
  }
  return words
}

/** What the atom named `N` is in JavaScript: a boolean for `true` and `false`, else an {@link Atom}. */
export type AtomNamed<N extends string> = N extends 'true' ? true : N extends 'false' ? false : Atom<N>

/** Characters (Unicode code points) that an atom's name may have. */
const MAX_ATOM_CHARACTERS = 255

const table = new Map<string, Atom>()

/**
 * The atom with this name. `atom('true') === true`.
 * @throws ArgumentError `BAD_ARGUMENT` when the name is no string, has more than 255 characters or a lone surrogate.
 */
export function atom<const N extends string>(name: N): AtomNamed<N> {
  if (name === 'true') return true as AtomNamed<N>
  if (name === 'false') return false as AtomNamed<N>
  return internAtom(name) as unknown as AtomNamed<N>
}

/** The interned {@link Atom} of a name that is known not to be a boolean's (a node's, for one). */
export function internAtom<N extends string>(name: N): Atom<N> {
  let found = table.get(name)
  if (found === undefined) {
    if (typeof name !== 'string')
      throw new ArgumentError('BAD_ARGUMENT', `the name of an atom is a string, not of type ${typeof name}`)
    const wire = atomWire(name)
    if (wire === undefined) {
      throw new ArgumentError(
        'BAD_ARGUMENT',
        `${JSON.stringify(name.slice(0, 40))} is no atom: ${whyNoAtom(name)}`,
      )
    }
    found = new Atom<string>(name, wire)
    table.set(name, found)
  }
  return found as Atom<N>
}

/** The atom or boolean of this name if this process has interned it, else undefined. */
export function existingAtom(name: string): Atom | boolean | undefined {
  return name === 'true' ? true : name === 'false' ? false : table.get(name)
}

/**
 * The name as SMALL_ATOM_UTF8_EXT or ATOM_UTF8_EXT; undefined if no atom can have it.
 * @internal
 */
export function atomWire(name: string): Uint8Array | undefined {
  const length = utf8Length(name)
  if (length < 0 || !isAtomLength(name)) return undefined
  const head = length < 256 ? 2 : 3
  const wire = new Uint8Array(head + length)
  if (head === 2) {
    wire[0] = 119
    wire[1] = length
  } else {
    wire[0] = 118
    wire[1] = length >> 8
    wire[2] = length & 255
  }
  writeUtf8(wire, head, name)
  return wire
}

/** Why {@link atomWire} refused a name. */
export function whyNoAtom(name: string): string {
  return isAtomLength(name) ? 'it has a lone surrogate' : `it has more than ${MAX_ATOM_CHARACTERS} characters`
}

/** Whether a name is short enough for an atom: 255 code points. */
export function isAtomLength(name: string): boolean {
  if (name.length <= MAX_ATOM_CHARACTERS) return true
  if (name.length > 2 * MAX_ATOM_CHARACTERS) return false
  let count = 0
  for (const _ of name) count++
  return count <= MAX_ATOM_CHARACTERS
}

/** How many atoms this process has interned. */
export function atomCount(): number {
  return table.size
}

/** The name of a term that is an atom (`true` and `false` included), else undefined. */
export function atomName(term: unknown): string | undefined {
  if (term instanceof Atom) return term.name
  if (term === true) return 'true'
  if (term === false) return 'false'
  return undefined
}
