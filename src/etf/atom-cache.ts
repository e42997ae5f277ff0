/**
 * From the bytes of an atom's name to the interned atom. A repeated name is found by its bytes (names.ts), without making
 * a string; the intern table decides.
 */
import { EtfError } from '../errors.js'
import { type Atom, existingAtom, internAtom, isAtomLength } from './atom.js'
import type { AtomBudget } from './budget.js'
import { MAX_NAME_BYTES, findName, rememberName, slotAtoms } from './names.js'
import { platform } from './platform.js'

/** Who may create atoms: undefined counts against nobody, `'existing'` may create none. */
export type AtomSource = AtomBudget | 'existing' | undefined

/**
 * The atom whose name is `bytes[start, start + length)`, in UTF-8.
 * @param view of all of `bytes`, if there is one
 * @throws EtfError `ETF_BAD_ATOM` (not UTF-8, or more than 255 characters), `ETF_TOO_MANY_ATOMS`, `ETF_NEW_ATOM`.
 */
export function atomFromBytes(
  bytes: Uint8Array,
  view: DataView | undefined,
  start: number,
  length: number,
  source: AtomSource,
): Atom | boolean {
  if (length === 0 || length > MAX_NAME_BYTES) return unknownAtom(bytes, start, length, false, source)
  const slot = findName(bytes, view, start, length)
  const found = slot < 0 ? undefined : slotAtoms[slot]
  return found === undefined ? rememberAtom(slot, bytes, start, length, source) : found
}

function rememberAtom(
  slot: number,
  bytes: Uint8Array,
  start: number,
  length: number,
  source: AtomSource,
): Atom | boolean {
  const term = unknownAtom(bytes, start, length, false, source)
  if (slot < 0) rememberName(~slot, bytes, start, length)
  slotAtoms[slot < 0 ? ~slot : slot] = term
  return term
}

/**
 * The atom whose name is `bytes[start, start + length)`, in Latin-1.
 * @throws EtfError as {@link atomFromBytes}
 */
export function latin1Atom(
  bytes: Uint8Array,
  start: number,
  length: number,
  source: AtomSource,
): Atom | boolean {
  let bits = 0
  for (let i = start; i < start + length; i++) bits |= bytes[i] as number
  return bits < 128
    ? atomFromBytes(bytes, undefined, start, length, source)
    : unknownAtom(bytes, start, length, true, source)
}

function unknownAtom(
  bytes: Uint8Array,
  start: number,
  length: number,
  latin1: boolean,
  source: AtomSource,
): Atom | boolean {
  const name = latin1
    ? platform.readLatin1(bytes, start, start + length)
    : platform.readUtf8(bytes, start, start + length)
  if (name === undefined)
    throw new EtfError('ETF_BAD_ATOM', `the name of an atom is not UTF-8`, { offset: start })
  const known = existingAtom(name)
  if (known !== undefined) return known
  if (!isAtomLength(name))
    throw new EtfError('ETF_BAD_ATOM', `an atom has at most 255 characters`, { offset: start })
  if (source === 'existing') {
    throw new EtfError(
      'ETF_NEW_ATOM',
      `the atom ${JSON.stringify(name)} does not exist here, and none may be created`,
      {
        offset: start,
      },
    )
  }
  source?.spend()
  return internAtom(name)
}
