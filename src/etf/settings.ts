/** What the encoder needs to know for one term: always all fields, so that V8 sees one shape. */
import { EtfError } from '../errors.js'
import type { Atom } from './atom.js'
import type { ObjectKeyBudget } from './budget.js'

/** The sender's side of an atom cache. */
export interface AtomIndex {
  /** The index to write as ATOM_CACHE_REF, 0 to 254; -1: write the atom in full. */
  index(atom: Atom | boolean): number
}

/** @internal */
export class Settings {
  atoms: AtomIndex | undefined = undefined
  objectKeys: ObjectKeyBudget | undefined = undefined
  /** Atoms that Latin-1 holds as ATOM_EXT. */
  latin1Atoms = false
  /** Whether an atom is written as its kept bytes: neither cache nor Latin-1. */
  plainAtoms = true
  /** Floats as FLOAT_EXT. */
  textFloats = false
  /** Ports of at most 28 bits as NEW_PORT_EXT. */
  smallPorts = false
  deterministic = false
  binaryKeys = false
  bigPids = true
  nativeRecords = true
  maxReferenceWords = 5
  /** Which child of which child is being written: what an error's `path` is made of. */
  readonly path: number[] = []
  /** The depth at which an error happened; -1: unknown. */
  failedAt = -1

  /**
   * An error of the term at `depth`.
   * @internal
   */
  error(depth: number, code: string, message: string): EtfError {
    this.failedAt = depth
    return new EtfError(code, message)
  }
}
