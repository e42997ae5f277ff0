/**
 * Bytes to terms ("External Term Format"; RECORD_EXT as OTP 29 writes it). The layout of each tag is drawn beside what
 * reads it. Nothing that a length claims is allocated before the input is known to be long enough for it, every bound is
 * in limits.ts, and any input gives either a term or one EtfError with code, offset and tag.
 *
 * Nested terms recurse to MAX_RECURSION; deeper ones go on with a stack of their own (decode-deep.ts), to `maxNesting`.
 */
import { EtfError } from '../errors.js'
import { atomFromBytes } from './atom-cache.js'
import { readDeep } from './decode-deep.js'
import { hasDuplicateKeys, isBytesBefore } from './duplicates.js'
import { KeyHashes } from './key-hash.js'
import { ExportFun, Pid, Port } from './identifiers.js'
import { LeafReader } from './leaf-reader.js'
import { ErlMap } from './map.js'
import { readFloat, readInteger, readSmallBig, readTextFloat } from './reader-numbers.js'
import { openCompound, readBitString, readOldReference } from './reader-rare.js'
import { MAX_PREALLOCATED, room } from './room.js'
import { describeTag } from './tags.js'
import type { Term } from './terms.js'
import { Tuple } from './tuple.js'
import { ImproperList } from './values.js'

export { type DecodeContext, NO_CONTEXT } from './input.js'

/** Elements read at a time of those that room is not made for at once. */
const PORTION = 1 << 15

/** What the leaves that are read in place have at most before their text: tag, and eight bytes. */
const LEAF_BYTES = 9

/**
 * Hashes of maps that were keys, for the maps around them: within one term, since whoever has it may change it. A term has
 * no map of another.
 */
const mapHashes = new KeyHashes()

/** Reads terms from bytes, one after another. After an error its position is undefined; make a new one. */
export class Reader extends LeafReader {
  /** How many keys of the map just filled are binaries in the BEAM's order, from the first on: those are known to differ. */
  private keysInOrder = 0

  /**
   * The next term, without version byte.
   * @throws EtfError with `offset` and `tag`; see docs/errors.md for the `ETF_` codes of decoding
   */
  readTerm(): Term {
    try {
      return this.term(0)
    } catch (error) {
      throw this.located(error)
    }
  }

  /** @internal */
  term(depth: number): Term {
    const bytes = this.bytes
    const p = this.position
    this.start = p
    if (p >= this.end) throw this.truncated(1)
    const tag = bytes[p] as number
    this.position = p + 1
    switch (tag) {
      case 97: // SMALL_INTEGER_EXT: │ 97 │ Int │
        if (p + 2 > this.end) throw this.truncated(1)
        this.position = p + 2
        return bytes[p + 1] as number
      case 98: // INTEGER_EXT: │ 98 │ Int: 32, signed │
        return this.uint32() | 0
      case 119: // SMALL_ATOM_UTF8_EXT: │ 119 │ Length │ AtomName │
        return this.atomText(this.uint8())
      case 118: // ATOM_UTF8_EXT: │ 118 │ Length: 16 │ AtomName │
        return this.atomText(this.uint16())
      case 100: // ATOM_EXT: │ 100 │ Length: 16 │ AtomName in Latin-1 │
        return this.latin1AtomText(this.uint16())
      case 115: // SMALL_ATOM_EXT: │ 115 │ Length │ AtomName in Latin-1 │
        return this.latin1AtomText(this.uint8())
      case 82: // ATOM_CACHE_REF: │ 82 │ Index │
        return this.cachedAtom()
      case 104: // SMALL_TUPLE_EXT: │ 104 │ Arity │ Elements │
        return depth < this.recursion ? new Tuple(this.elements(this.uint8(), depth)) : this.deep()
      case 105: // LARGE_TUPLE_EXT: │ 105 │ Arity: 32 │ Elements │
        return depth < this.recursion ? new Tuple(this.elements(this.uint32(), depth)) : this.deep()
      case 106: // NIL_EXT
        return room(0)
      case 107: // STRING_EXT: │ 107 │ Length: 16 │ Characters │
        return this.bytesList()
      case 108: // LIST_EXT: │ 108 │ Length: 32 │ Elements │ Tail │
        return depth < this.recursion ? this.list(depth) : this.deep()
      case 109: // BINARY_EXT: │ 109 │ Len: 32 │ Data │
        return this.binary(this.uint32())
      case 116: // MAP_EXT: │ 116 │ Arity: 32 │ Pairs │
        return depth < this.recursion ? this.map(depth) : this.deep()
      case 70: // NEW_FLOAT_EXT: │ 70 │ IEEE float: 64 │
        return readFloat(this)
      case 88: // NEW_PID_EXT: │ 88 │ Node │ ID: 32 │ Serial: 32 │ Creation: 32 │
        return this.pid()
      case 103: // PID_EXT: │ 103 │ Node │ ID: 32 │ Serial: 32 │ Creation: 8 │
        return new Pid(this.node(), this.uint32(), this.uint32(), this.uint8())
      case 90: // NEWER_REFERENCE_EXT: │ 90 │ Len: 16 │ Node │ Creation: 32 │ ID … │
        return this.reference(true)
      case 114: // NEW_REFERENCE_EXT: │ 114 │ Len: 16 │ Node │ Creation: 8 │ ID … │
        return this.reference(false)
      case 101: // REFERENCE_EXT: │ 101 │ Node │ ID: 32 │ Creation: 8 │
        return readOldReference(this)
      case 120: // V4_PORT_EXT: │ 120 │ Node │ ID: 64 │ Creation: 32 │
        return new Port(this.node(), this.uint64(), this.uint32())
      case 89: // NEW_PORT_EXT: │ 89 │ Node │ ID: 32 │ Creation: 32 │
        return new Port(this.node(), this.uint32(), this.uint32())
      case 102: // PORT_EXT: │ 102 │ Node │ ID: 32 │ Creation: 8 │
        return new Port(this.node(), this.uint32(), this.uint8())
      case 110: // SMALL_BIG_EXT: │ 110 │ n │ Sign │ n bytes, least significant first │
        return readInteger(this, this.uint8())
      case 111: // LARGE_BIG_EXT: │ 111 │ n: 32 │ Sign │ n bytes, least significant first │
        return readInteger(this, this.uint32())
      case 77: // BIT_BINARY_EXT: │ 77 │ Len: 32 │ Bits │ Data │
        return readBitString(this)
      case 99: // FLOAT_EXT: │ 99 │ 31 bytes of text, padded with zeros │
        return readTextFloat(this)
      case 113: // EXPORT_EXT: │ 113 │ Module │ Function │ Arity │
        return new ExportFun(this.atom(), this.atom(), this.arity())
      case 112: // NEW_FUN_EXT
      case 117: // FUN_EXT
      case 67: // RECORD_EXT
        return depth < this.recursion ? this.compound(tag, depth) : this.deep()
      default:
        throw new EtfError('ETF_UNKNOWN_TAG', `${describeTag(tag)} begins no term here, at byte ${p}`, {
          offset: p,
          tag,
        })
    }
  }

  // --- what holds other terms -----------------------------------------------------------------------------------------

  /** `count` terms. */
  private elements(count: number, depth: number): Term[] {
    this.claim(count, 1)
    if (count > MAX_PREALLOCATED) return this.manyElements(count, depth)
    return this.fill(room(count), 0, depth)
  }

  /** More than room is made for at once: in portions. */
  private manyElements(count: number, depth: number): Term[] {
    const items: Term[] = []
    for (let left = count; left > 0; left -= PORTION) {
      const part = this.fill(room(Math.min(left, PORTION)), 0, depth)
      for (let i = 0; i < part.length; i++) items.push(part[i] as Term)
    }
    return items
  }

  /**
   * Reads `items[from]` and all after it. The most frequent terms are read here: a call for each costs as much as the
   * reading.
   */
  private fill(items: Term[], from: number, depth: number, isMap = false): Term[] {
    const { bytes, view, end, atoms } = this
    const count = items.length
    // Up to here, what has no text can be read without asking whether it is whole.
    const safe = end - LEAF_BYTES
    const inner = depth + 1 < this.recursion
    let p = this.position
    let inOrder = 0
    let before = 0
    let beforeEnd = 0
    for (let i = from; i < count; i++) {
      if (p <= safe) {
        switch (bytes[p] as number) {
          case 97:
            items[i] = bytes[p + 1] as number
            p += 2
            continue
          case 98:
            items[i] =
              ((bytes[p + 1] as number) << 24) |
              ((bytes[p + 2] as number) << 16) |
              ((bytes[p + 3] as number) << 8) |
              (bytes[p + 4] as number)
            p += 5
            continue
          case 119: {
            const length = bytes[p + 1] as number
            const start = p + 2
            if (start + length > end) break
            this.start = p
            items[i] = atomFromBytes(bytes, view, start, length, this.source)
            p = start + length
            continue
          }
          case 82: {
            const found = atoms?.[bytes[p + 1] as number]
            if (found === undefined) break
            items[i] = found
            p += 2
            continue
          }
          case 104: {
            const length = bytes[p + 1] as number
            if (!inner || p + 2 + length > end) break
            this.start = p
            p += 2
            this.position = p
            this.claim(length, 1)
            const elements = room(length)
            // What most tuples begin with, or are: atoms and small integers.
            let k = 0
            for (; k < length && p <= safe; k++) {
              const tag = bytes[p] as number
              if (tag === 119) {
                const size = bytes[p + 1] as number
                if (p + 2 + size > end) break
                this.start = p
                elements[k] = atomFromBytes(bytes, view, p + 2, size, this.source)
                p += 2 + size
              } else if (tag === 97) {
                elements[k] = bytes[p + 1] as number
                p += 2
              } else if (tag === 98) {
                elements[k] =
                  ((bytes[p + 1] as number) << 24) |
                  ((bytes[p + 2] as number) << 16) |
                  ((bytes[p + 3] as number) << 8) |
                  (bytes[p + 4] as number)
                p += 5
              } else if (tag === 82) {
                const found = atoms?.[bytes[p + 1] as number]
                if (found === undefined) break
                elements[k] = found
                p += 2
              } else break
            }
            if (k < length) {
              this.position = p
              this.fill(elements, k, depth + 1)
              p = this.position
            }
            items[i] = new Tuple(elements)
            continue
          }
          case 108: {
            const length =
              (((bytes[p + 1] as number) << 24) |
                ((bytes[p + 2] as number) << 16) |
                ((bytes[p + 3] as number) << 8) |
                (bytes[p + 4] as number)) >>>
              0
            p += 5
            if (!inner || length > MAX_PREALLOCATED || length > end - p || bytes[p] === 70) {
              p -= 5
              break
            }
            this.start = p - 5
            this.position = p
            this.claim(length, 1)
            const list = this.fill(room(length), 0, depth + 1)
            p = this.position
            if (p < end && bytes[p] === 106) {
              items[i] = list
              p++
            } else {
              items[i] = this.finishList(list, depth + 1)
              p = this.position
            }
            continue
          }
          case 88: {
            // Of a node whose name is short, as they come.
            const length = bytes[p + 2] as number
            const at = p + 3 + length
            if (view === undefined || bytes[p + 1] !== 119 || at + 12 > end) break
            this.start = p
            const node = atomFromBytes(bytes, view, p + 3, length, this.source)
            if (typeof node === 'boolean') break
            items[i] = new Pid(node, view.getUint32(at), view.getUint32(at + 4), view.getUint32(at + 8))
            p = at + 12
            continue
          }
          case 116:
            if (!inner) break
            this.start = p
            this.position = p + 1
            items[i] = this.map(depth + 1)
            p = this.position
            continue
          case 70: {
            if (view === undefined) break
            const value = view.getFloat64(p + 1)
            // Integral ones, infinities and NaN (which is not equal to its floor) are not read here.
            if (Math.floor(value) === value || value !== value) break
            items[i] = value
            p += 9
            continue
          }
          case 109: {
            const length =
              (((bytes[p + 1] as number) << 24) |
                ((bytes[p + 2] as number) << 16) |
                ((bytes[p + 3] as number) << 8) |
                (bytes[p + 4] as number)) >>>
              0
            const start = p + 5
            if (start + length > end) break
            p = start + length
            if (isMap && (i & 1) === 0) {
              items[i] = this.binaryKey(start, p)
              if (2 * inOrder === i && (i === 0 || isBytesBefore(bytes, before, beforeEnd, start, p)))
                inOrder++
              before = start
              beforeEnd = p
            } else items[i] = this.binaryAt(start, length)
            continue
          }
          case 110: {
            const length = bytes[p + 1] as number
            if (view === undefined || length > 8 || p + 3 + length > end || this.maxIntegerBytes < 8) break
            items[i] =
              length === 8 && bytes[p + 2] === 0 && view.getUint32(p + 7, true) >= 0x200000
                ? view.getBigUint64(p + 3, true)
                : readSmallBig(bytes, view, p + 2, length)
            p += 3 + length
            continue
          }
        }
      }
      this.position = p
      items[i] = this.term(depth + 1)
      p = this.position
    }
    this.position = p
    this.keysInOrder = inOrder
    return items
  }

  private bytesList(): Term[] {
    const length = this.uint16()
    const p = this.position
    if (p + length > this.end) throw this.truncated(length)
    this.position = p + length
    // Eight bytes of memory each: eight of them weigh as much as one element that is a term of its own.
    this.count(length >>> 3)
    const bytes = this.bytes
    const items = room(length)
    for (let i = 0; i < length; i++) items[i] = bytes[p + i] as number
    return items
  }

  /** A tail that is a list again belongs to the same list: read on, so that a chain of tails costs no depth. */
  private list(depth: number): Term {
    const count = this.uint32()
    return this.finishList(
      this.bytes[this.position] === 70 ? this.floats(count, depth) : this.elements(count, depth),
      depth,
    )
  }

  private finishList(items: Term[], depth: number): Term {
    for (;;) {
      const tail = this.tail(items)
      if (tail === 0) return items
      if (tail > 0) for (let i = 0; i < tail; i++) items.push(this.term(depth + 1))
      else {
        const last = this.term(depth + 1)
        return items.length === 0 ? last : new ImproperList(items, last)
      }
    }
  }

  /** The elements of a list that begins with a float: an array of nothing but fractions holds them without boxes. */
  private floats(count: number, depth: number): Term[] {
    const view = this.view
    if (view === undefined || count > MAX_PREALLOCATED) return this.elements(count, depth)
    this.claim(count, 1)
    const { bytes, position } = this
    const items = new Array<number>(count)
    const safe = this.end - LEAF_BYTES
    let p = position
    let i = 0
    for (; i < count && p <= safe && bytes[p] === 70; i++, p += 9) {
      const value = view.getFloat64(p + 1)
      if (Math.floor(value) === value || value !== value) break
      items[i] = value
    }
    this.position = p
    if (i === count) return items
    // Not in the same array: V8 would make every later one fit for anything.
    const mixed = room(count)
    for (let k = 0; k < i; k++) mixed[k] = items[k] as number
    return this.fill(mixed, i, depth)
  }

  /**
   * Reads on after the elements of a list. 0: the list is whole. n > 0: n more elements follow, and then a tail again.
   * -1: a term that is no list follows, the tail of an improper list.
   * @internal
   */
  tail(items: Term[]): number {
    for (;;) {
      const p = this.position
      if (p >= this.end) throw this.truncated(1)
      const tag = this.bytes[p] as number
      if (tag === 106) {
        this.position = p + 1
        return 0
      }
      if (tag === 107) {
        this.position = p + 1
        for (const byte of this.bytesList()) items.push(byte)
        return 0
      }
      if (tag !== 108) return -1
      this.position = p + 1
      const more = this.claim(this.uint32(), 1)
      if (more > 0) return more
    }
  }

  private map(depth: number): ErlMap {
    const offset = this.position - 1
    const count = this.claim(this.uint32(), 2)
    if (2 * count > MAX_PREALLOCATED) return this.finishMap(this.manyElements(2 * count, depth), offset)
    const flat = this.fill(room(2 * count), 0, depth, true)
    return this.keysInOrder === count || count === 1 ? new ErlMap(flat, true) : this.finishMap(flat, offset)
  }

  /** @internal */
  finishMap(flat: Term[], offset: number): ErlMap {
    if (hasDuplicateKeys(flat, mapHashes)) {
      throw new EtfError('ETF_DUPLICATE_KEY', `the map at byte ${offset} has a key twice`, {
        offset,
        tag: 116,
      })
    }
    return new ErlMap(flat, true)
  }

  private compound(tag: number, depth: number): Term {
    const { count, finish } = openCompound(this, tag)
    return finish(this.elements(count, depth))
  }

  /** This term's tag is a container's, and it is too deep for recursion. */
  private deep(): Term {
    this.position--
    return readDeep(this)
  }
}
