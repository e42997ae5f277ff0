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
const MAX_CACHED_BYTES = 64

/** A remembered name and its atom. */
class Slot {
  constructor(
    readonly bytes: Uint8Array,
    readonly term: Atom | boolean,
    /** Whether the bytes mean the same in Latin-1. */
    readonly ascii: boolean,
  ) {}
}

const slots: (Slot | undefined)[] = new Array<Slot | undefined>(SLOTS).fill(undefined)

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
  const last = start + length - 1
  let hash = Math.imul(
    (bytes[start] as number) |
      ((bytes[last] as number) << 8) |
      ((bytes[start + (length >> 1)] as number) << 16),
    0x9e3779b1,
  )
  hash = Math.imul(
    hash ^
      ((bytes[start + (length >> 2)] as number) |
        ((bytes[last - (length >> 2)] as number) << 8) |
        (length << 16)),
    0x85ebca6b,
  )
  const index = (hash >>> 15) & (SLOTS - 1)
  const slot = slots[index]
  if (slot !== undefined && slot.bytes.length === length && (!latin1 || slot.ascii)) {
    const known = slot.bytes
    let i = 0
    while (i < length && known[i] === bytes[start + i]) i++
    if (i === length) return slot.term
  }
  const term = slowAtom(bytes, start, length, latin1, source)
  const copy = bytes.slice(start, start + length)
  const ascii = copy.every((byte) => byte < 0x80)
  if (ascii || !latin1) slots[index] = new Slot(copy, term, ascii)
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
