/**
 * Bytes to terms ("External Term Format"; RECORD_EXT as OTP 29 writes it). The layout of each tag is drawn beside what
 * reads it. Nothing that a length claims is allocated before the input is known to be long enough for it, every bound is
 * in limits.ts, and any input gives either a term or one EtfError with code, offset and tag.
 *
 * Nested terms recurse to MAX_RECURSION; deeper ones go on with a stack of their own (decode-deep.ts), so nesting is
 * bounded by memory only, as on the BEAM.
 */
import { EtfError } from '../errors.js'
import { DEFAULT_LIMITS, type Limits } from '../limits.js'
import type { Atom } from './atom.js'
import { type AtomSource, atomFromBytes } from './atom-cache.js'
import { AtomBudget } from './budget.js'
import { readDeep } from './decode-deep.js'
import { hasDuplicateKeys } from './duplicates.js'
import { ExportFun, Pid, Port, Reference } from './identifiers.js'
import { ErlMap } from './map.js'
import { platform } from './platform.js'
import { floatTerm, readInteger, readSmallInteger, readTextFloat } from './reader-numbers.js'
import { openCompound, readBitString, readOldReference } from './reader-rare.js'
import { MAX_RECURSION } from './recursion.js'
import { describeTag } from './tags.js'
import type { Term } from './terms.js'
import { TextWindow } from './text-window.js'
import { Tuple } from './tuple.js'
import { type ErlFloat, ImproperList } from './values.js'

/** Elements above which an array grows by `push`: V8 makes a hash table of an array that is allocated larger. */
const MAX_PREALLOCATED = 1 << 20

/** Binaries up to this size are copied: a view would keep the whole message in memory. */
const COPY_BYTES = 64

/** What a term on a link needs beside its bytes. */
export interface DecodeContext {
  /** What ATOM_CACHE_REF `i` means; none of them when left out. */
  atoms?: readonly (Atom | boolean)[]
  /** Counts the atoms that this input creates; `'existing'` refuses to create any. Default: the limit of all together. */
  newAtoms?: AtomBudget | 'existing'
  limits?: Partial<Limits>
  /**
   * `'text'`: binaries that are valid UTF-8 come as strings, others as bytes. Convenient, and lossy where both kinds
   * matter: `<<>>` is text too. Default `'bytes'`.
   */
  binaries?: 'bytes' | 'text'
  /** `true`: binaries never share memory with the input. Default: those above 64 bytes do. */
  copy?: boolean
}

/** Reads terms from bytes, one after another. After an error its position is undefined; make a new one. */
export class Reader {
  readonly bytes: Uint8Array
  /** Where the next byte is read. */
  position: number
  readonly end: number
  private view: DataView | undefined
  private readonly atoms: readonly (Atom | boolean)[] | undefined
  private readonly source: AtomSource
  /** @internal */
  readonly maxIntegerBytes: number
  private readonly text: TextWindow | undefined
  private readonly copy: boolean
  /** The memory behind `bytes`, and where in it they begin: asked for once, since asking costs as much as a view. */
  private buffer: ArrayBufferLike | undefined
  private offset = 0
  /**
   * Where the tag being read is: for errors.
   * @internal
   */
  start = 0

  /**
   * @param bytes read from `start` up to `end`; a subarray is as good as a whole buffer
   */
  constructor(bytes: Uint8Array, start = 0, end = bytes.length, context: DecodeContext = NO_CONTEXT) {
    this.bytes = bytes
    this.position = start
    this.end = end
    this.view = undefined
    this.atoms = context.atoms
    this.source =
      context.newAtoms ??
      (context.limits === undefined ? processBudget : new AtomBudget(unmetered(context.limits)))
    this.maxIntegerBytes = context.limits?.maxIntegerBytes ?? DEFAULT_LIMITS.maxIntegerBytes
    this.text = context.binaries === 'text' ? new TextWindow(bytes) : undefined
    this.copy = context.copy === true
    this.buffer = undefined
  }

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

  /** An error of an inner helper, with where it happened. */
  private located(error: unknown): unknown {
    if (error instanceof EtfError && error.tag === undefined) {
      const tag = this.bytes[this.start]
      return new EtfError(
        error.code,
        error.message,
        { offset: error.offset ?? this.start, tag },
        { cause: error.cause },
      )
    }
    return error
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
        return this.atomText(this.uint8(), false)
      case 118: // ATOM_UTF8_EXT: │ 118 │ Length: 16 │ AtomName │
        return this.atomText(this.uint16(), false)
      case 100: // ATOM_EXT: │ 100 │ Length: 16 │ AtomName in Latin-1 │
        return this.atomText(this.uint16(), true)
      case 115: // SMALL_ATOM_EXT: │ 115 │ Length │ AtomName in Latin-1 │
        return this.atomText(this.uint8(), true)
      case 82: // ATOM_CACHE_REF: │ 82 │ Index │
        return this.cachedAtom()
      case 104: // SMALL_TUPLE_EXT: │ 104 │ Arity │ Elements │
        return depth < MAX_RECURSION ? new Tuple(this.elements(this.uint8(), depth)) : this.deep()
      case 105: // LARGE_TUPLE_EXT: │ 105 │ Arity: 32 │ Elements │
        return depth < MAX_RECURSION ? new Tuple(this.elements(this.uint32(), depth)) : this.deep()
      case 106: // NIL_EXT
        return []
      case 107: // STRING_EXT: │ 107 │ Length: 16 │ Characters │
        return this.bytesList()
      case 108: // LIST_EXT: │ 108 │ Length: 32 │ Elements │ Tail │
        return depth < MAX_RECURSION ? this.list(depth) : this.deep()
      case 109: // BINARY_EXT: │ 109 │ Len: 32 │ Data │
        return this.binary()
      case 116: // MAP_EXT: │ 116 │ Arity: 32 │ Pairs │
        return depth < MAX_RECURSION ? this.map(depth) : this.deep()
      case 70: // NEW_FLOAT_EXT: │ 70 │ IEEE float: 64 │
        return this.float()
      case 88: // NEW_PID_EXT: │ 88 │ Node │ ID: 32 │ Serial: 32 │ Creation: 32 │
        return new Pid(this.node(), this.uint32(), this.uint32(), this.uint32())
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
        return depth < MAX_RECURSION ? this.compound(tag, depth) : this.deep()
      default:
        throw new EtfError('ETF_UNKNOWN_TAG', `${describeTag(tag)} begins no term here, at byte ${p}`, {
          offset: p,
          tag,
        })
    }
  }

  // --- numbers of the format itself -------------------------------------------------------------------------------

  /** @internal */
  uint8(): number {
    const p = this.position
    if (p >= this.end) throw this.truncated(1)
    this.position = p + 1
    return this.bytes[p] as number
  }

  /** @internal */
  uint16(): number {
    const p = this.position
    if (p + 2 > this.end) throw this.truncated(2)
    this.position = p + 2
    const bytes = this.bytes
    return ((bytes[p] as number) << 8) | (bytes[p + 1] as number)
  }

  /** @internal */
  uint32(): number {
    const p = this.position
    if (p + 4 > this.end) throw this.truncated(4)
    this.position = p + 4
    const bytes = this.bytes
    return (
      (((bytes[p] as number) << 24) |
        ((bytes[p + 1] as number) << 16) |
        ((bytes[p + 2] as number) << 8) |
        (bytes[p + 3] as number)) >>>
      0
    )
  }

  private uint64(): number | bigint {
    const high = this.uint32()
    const low = this.uint32()
    return high < 0x200000 ? high * 4294967296 + low : (BigInt(high) << 32n) | BigInt(low)
  }

  /** @internal */
  dataView(): DataView {
    if (this.view !== undefined) return this.view
    const { buffer, byteOffset, byteLength } = this.bytes
    this.buffer = buffer
    this.offset = byteOffset
    return (this.view = new DataView(buffer, byteOffset, byteLength))
  }

  // --- atoms --------------------------------------------------------------------------------------------------------

  private atomText(length: number, latin1: boolean): Atom | boolean {
    const p = this.position
    if (p + length > this.end) throw this.truncated(length)
    this.position = p + length
    return atomFromBytes(this.bytes, p, length, latin1, this.source)
  }

  private cachedAtom(): Atom | boolean {
    const index = this.uint8()
    const found = this.atoms?.[index]
    if (found === undefined) {
      const known = this.atoms?.length ?? 0
      throw this.malformed('ETF_ATOM_CACHE', `refers to atom ${index} of a header that has ${known}`)
    }
    return found
  }

  /** An atom where the format has one inside another term. */
  /** @internal */
  atom(): Atom | boolean {
    const p = this.position
    const tag = this.uint8()
    switch (tag) {
      case 119:
        return this.atomText(this.uint8(), false)
      case 82:
        return this.cachedAtom()
      case 118:
        return this.atomText(this.uint16(), false)
      case 100:
        return this.atomText(this.uint16(), true)
      case 115:
        return this.atomText(this.uint8(), true)
      default:
        throw this.malformed('ETF_BAD_TERM', `has ${describeTag(tag)} at byte ${p} where an atom belongs`)
    }
  }

  /** @internal */
  node(): Atom {
    const node = this.atom()
    if (typeof node === 'boolean') throw this.malformed('ETF_BAD_TERM', `has ${String(node)} for a node name`)
    return node
  }

  // --- what holds other terms -----------------------------------------------------------------------------------------

  /**
   * Refuses a count of elements that the rest of the input cannot hold.
   * @internal
   */
  claim(count: number, bytesEach: number): number {
    if (count * bytesEach > this.end - this.position) throw this.truncated(count * bytesEach)
    return count
  }

  /** `count` terms. The most frequent leaves are read here: a call for each costs as much as the reading. */
  private elements(count: number, depth: number): Term[] {
    this.claim(count, 1)
    const large = count > MAX_PREALLOCATED
    const items = new Array<Term>(large ? 0 : count)
    const bytes = this.bytes
    const end = this.end
    let p = this.position
    for (let i = 0; i < count; i++) {
      const tag = bytes[p]
      let item: Term
      if (tag === 97 && p + 2 <= end) {
        item = bytes[p + 1] as number
        p += 2
      } else if (tag === 98 && p + 5 <= end) {
        item =
          ((bytes[p + 1] as number) << 24) |
          ((bytes[p + 2] as number) << 16) |
          ((bytes[p + 3] as number) << 8) |
          (bytes[p + 4] as number)
        p += 5
      } else if (tag === 119 && p + 2 + (bytes[p + 1] as number) <= end) {
        const length = bytes[p + 1] as number
        this.start = p
        item = atomFromBytes(bytes, p + 2, length, false, this.source)
        p += 2 + length
      } else {
        this.position = p
        item = this.term(depth + 1)
        p = this.position
      }
      if (large) items.push(item)
      else items[i] = item
    }
    this.position = p
    return items
  }

  private bytesList(): number[] {
    const length = this.uint16()
    const p = this.position
    if (p + length > this.end) throw this.truncated(length)
    this.position = p + length
    const bytes = this.bytes
    const items = new Array<number>(length)
    for (let i = 0; i < length; i++) items[i] = bytes[p + i] as number
    return items
  }

  /** A tail that is a list again belongs to the same list: read on, so that a chain of tails costs no depth. */
  private list(depth: number): Term {
    const items = this.elements(this.uint32(), depth)
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
    return this.finishMap(this.elements(this.claim(this.uint32(), 2) * 2, depth), offset)
  }

  /** @internal */
  finishMap(flat: Term[], offset: number): ErlMap {
    if (hasDuplicateKeys(flat)) {
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

  // --- identifiers ------------------------------------------------------------------------------------------------------

  /** @internal */
  pid(): Pid {
    const p = this.position
    const tag = this.uint8()
    if (tag === 88) return new Pid(this.node(), this.uint32(), this.uint32(), this.uint32())
    if (tag === 103) return new Pid(this.node(), this.uint32(), this.uint32(), this.uint8())
    throw this.malformed('ETF_BAD_TERM', `has ${describeTag(tag)} at byte ${p} where a pid belongs`)
  }

  private reference(wideCreation: boolean): Reference {
    const length = this.uint16()
    if (length < 1 || length > 5) throw this.malformed('ETF_BAD_TERM', `has ${length} words, not 1 to 5`)
    const node = this.node()
    const creation = wideCreation ? this.uint32() : this.uint8()
    const words = new Array<number>(length)
    for (let i = 0; i < length; i++) words[i] = this.uint32()
    return new Reference(node, creation, words)
  }

  // --- numbers as terms ---------------------------------------------------------------------------------------------------

  private arity(): number {
    const arity = readSmallInteger(this)
    if (arity < 0 || arity > 255) throw this.malformed('ETF_BAD_TERM', `has arity ${arity}`)
    return arity
  }

  private float(): number | ErlFloat {
    const p = this.position
    if (p + 8 > this.end) throw this.truncated(8)
    this.position = p + 8
    return floatTerm(this, this.dataView().getFloat64(p))
  }

  // --- binaries -------------------------------------------------------------------------------------------------------------

  private binary(): Term {
    const length = this.uint32()
    const p = this.position
    if (p + length > this.end) throw this.truncated(length)
    this.position = p + length
    if (this.text !== undefined) {
      const text = this.text.read(p, p + length)
      // A string is no Term: whoever asks for text has it in the type of the result (see `decode`).
      if (text !== undefined) return text as unknown as Term
    }
    const view = this.dataView()
    if (length > COPY_BYTES) {
      return this.copy
        ? platform.copyBinary(this.bytes, p, length)
        : platform.viewBinary(this.buffer as ArrayBufferLike, this.offset + p, length)
    }
    return platform.smallBinary(view, p, length)
  }

  // --- errors ------------------------------------------------------------------------------------------------------------------

  /** @internal */
  truncated(needed: number): EtfError {
    const offset = this.start
    const tag = offset < this.end ? this.bytes[offset] : undefined
    return new EtfError(
      'ETF_TRUNCATED',
      `the input ends inside ${tag === undefined ? 'a term' : describeTag(tag)} at byte ${offset}: ` +
        `${needed} more needed at byte ${this.position}, ${this.end - this.position} left`,
      { offset, tag },
    )
  }

  /** @internal */
  malformed(code: string, what: string): EtfError {
    return this.errorAt(this.start, code, what)
  }

  /** @internal */
  errorAt(offset: number, code: string, what: string): EtfError {
    const tag = this.bytes[offset] as number
    return new EtfError(code, `${describeTag(tag)} at byte ${offset} ${what}`, { offset, tag })
  }
}

export const NO_CONTEXT: DecodeContext = Object.freeze({})

/** Input that no connection brought counts against the limit of the whole process alone. */
function unmetered(limits: Partial<Limits>): Partial<Limits> {
  return { maxAtomsPerConnection: Infinity, ...limits }
}

const processBudget = new AtomBudget(unmetered({}))
