/**
 * From the bytes of an atom's name to the interned atom. A repeated name is found by a hash of a few of its bytes in a
 * direct-mapped table, without making a string; the table only remembers, the intern table decides.
 */
import { EtfError } from '../errors.js'
import { type Atom, existingAtom, internAtom, isAtomLength } from './atom.js'
import type { AtomBudget } from './budget.js'
import { platform } from './platform.js'

const SLOTS = 4096
/** Names longer than this are looked up as text: a node's hot atoms are short. */
const MAX_CACHED_BYTES = 32

/** For each slot: the bytes of the name, how many they are, whether they mean the same in Latin-1, and the atom. */
const slotBytes = new Uint8Array(SLOTS * MAX_CACHED_BYTES)
const slotLengths = new Uint8Array(SLOTS)
const slotAscii = new Uint8Array(SLOTS)
const slotTerms = new Array<Atom | boolean>(SLOTS).fill(false)

/** Who may create atoms: undefined counts against nobody, `'existing'` may create none. */
export type AtomSource = AtomBudget | 'existing' | undefined

/**
 * The atom whose name is `bytes[start, start + length)`, in UTF-8 or Latin-1.
 * @throws EtfError `ETF_BAD_ATOM` (not UTF-8, or more than 255 characters), `ETF_TOO_MANY_ATOMS`, `ETF_NEW_ATOM`.
 */
export function atomFromBytes(
  bytes: Uint8Array,
  start: number,
  length: number,
  latin1: boolean,
  source: AtomSource,
): Atom | boolean {
  if (length === 0 || length > MAX_CACHED_BYTES) return slowAtom(bytes, start, length, latin1, source)
  const hash =
    Math.imul(
      (bytes[start] as number) |
        ((bytes[start + (length >> 1)] as number) << 8) |
        ((bytes[start + length - 1] as number) << 16) |
        (length << 24),
      0x9e3779b1,
    ) ^
    Math.imul(
      (bytes[start + (length >> 2)] as number) | ((bytes[start + length - 1 - (length >> 2)] as number) << 8),
      0x85ebca6b,
    )
  const slot = (hash >>> 13) & (SLOTS - 1)
  if (slotLengths[slot] === length && !(latin1 && slotAscii[slot] === 0)) {
    const from = slot * MAX_CACHED_BYTES
    let i = 0
    while (i < length && slotBytes[from + i] === bytes[start + i]) i++
    if (i === length) return slotTerms[slot] as Atom | boolean
  }
  const term = slowAtom(bytes, start, length, latin1, source)
  let bits = 0
  for (let i = 0; i < length; i++) bits |= bytes[start + i] as number
  if (bits > 127 && latin1) return term
  for (let i = 0; i < length; i++) slotBytes[slot * MAX_CACHED_BYTES + i] = bytes[start + i] as number
  slotLengths[slot] = length
  slotAscii[slot] = bits > 127 ? 0 : 1
  slotTerms[slot] = term
  return term
}

function slowAtom(
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
