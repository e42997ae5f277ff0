/**
 * Atoms: interned, so that `===` compares them, and kept for the life of the process as the BEAM keeps its own.
 * Eviction or weak references would break `===`; instead what a peer may create is counted (limits.ts).
 */
import { ArgumentError } from '../errors.js'

/** An Erlang atom other than `true` and `false` (those are JavaScript booleans). Made by {@link atom}; never `new`. */
export class Atom<N extends string = string> {
  readonly name: N

  /** @internal use {@link atom} */
  constructor(name: N) {
    this.name = name
  }

  toString(): N {
    return this.name
  }

  toJSON(): N {
    return this.name
  }
}

/** What the atom named `N` is in JavaScript: a boolean for `true` and `false`, else an {@link Atom}. */
export type AtomNamed<N extends string> = N extends 'true' ? true : N extends 'false' ? false : Atom<N>

/** Characters (Unicode code points) that an atom's name may have. */
const MAX_ATOM_CHARACTERS = 255

const table = new Map<string, Atom>()

/**
 * The atom with this name. `atom('true') === true`.
 * @throws ArgumentError `BAD_ARGUMENT` when the name has more than 255 characters or a lone surrogate.
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
    if (name.length > MAX_ATOM_CHARACTERS && [...name].length > MAX_ATOM_CHARACTERS) {
      throw new ArgumentError('BAD_ARGUMENT', `an atom has at most 255 characters: ${name.slice(0, 40)}…`)
    }
    found = new Atom<string>(name)
    table.set(name, found)
  }
  return found as Atom<N>
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
