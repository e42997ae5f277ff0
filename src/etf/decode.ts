/**
 * Bytes to terms ("External Term Format"; RECORD_EXT as OTP 29 writes it). The layout of each tag is drawn beside the
 * method that reads it. Nothing that a length claims is allocated before the input is known to be long enough for it,
 * every bound is in limits.ts, and any input gives either a term or one EtfError with code, offset and tag.
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
import { ExportFun, Fun, Pid, Port, Reference } from './identifiers.js'
import { ErlMap } from './map.js'
import { platform } from './platform.js'
import { MAX_RECURSION } from './recursion.js'
import { COMPRESSED, VERSION, describeTag } from './tags.js'
import type { Term } from './terms.js'
import { Tuple } from './tuple.js'
import { BitString, ErlFloat, ImproperList, LocalTerm, NativeRecord } from './values.js'

/** Elements above which an array grows by `push`: V8 makes a hash table of an array that is allocated larger. */
const MAX_PREALLOCATED = 1 << 20

/** Binaries up to this size are copied: a view would keep the whole message in memory, and costs as much to make. */
const COPY_BYTES = 64

/** Big integers up to this size are put together from 64-bit words here; larger ones by the platform, in linear time. */
const WORDS_BYTES = 256

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

export interface DecodeOptions {
  /** `'existing'`: an atom that this process does not know yet is an error (`ETF_NEW_ATOM`). */
  atoms?: 'existing'
  binaries?: 'bytes' | 'text'
  copy?: boolean
  limits?: Partial<Limits>
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
  private readonly maxIntegerBytes: number
  private readonly text: boolean
  private readonly copyBytes: number
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
    this.text = context.binaries === 'text'
    this.copyBytes = context.copy === true ? Infinity : COPY_BYTES
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
    if (p >= this.end) throw this.truncated(1)
    this.start = p
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
        return this.oldReference()
      case 120: // V4_PORT_EXT: │ 120 │ Node │ ID: 64 │ Creation: 32 │
        return new Port(this.node(), this.uint64(), this.uint32())
      case 89: // NEW_PORT_EXT: │ 89 │ Node │ ID: 32 │ Creation: 32 │
        return new Port(this.node(), this.uint32(), this.uint32())
      case 102: // PORT_EXT: │ 102 │ Node │ ID: 32 │ Creation: 8 │
        return new Port(this.node(), this.uint32(), this.uint8())
      case 110: // SMALL_BIG_EXT: │ 110 │ n │ Sign │ n bytes, least significant first │
        return this.integer(this.uint8())
      case 111: // LARGE_BIG_EXT: │ 111 │ n: 32 │ Sign │ n bytes, least significant first │
        return this.integer(this.uint32())
      case 77: // BIT_BINARY_EXT: │ 77 │ Len: 32 │ Bits │ Data │
        return this.bitString()
      case 99: // FLOAT_EXT: │ 99 │ 31 bytes of text, padded with zeros │
        return this.textFloat()
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

  private dataView(): DataView {
    return (this.view ??= new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength))
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
  private atom(): Atom | boolean {
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

  private node(): Atom {
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

  private elements(count: number, depth: number): Term[] {
    this.claim(count, 1)
    const large = count > MAX_PREALLOCATED
    const items = new Array<Term>(large ? 0 : count)
    if (large) for (let i = 0; i < count; i++) items.push(this.term(depth + 1))
    else for (let i = 0; i < count; i++) items[i] = this.term(depth + 1)
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
    const count = this.claim(this.uint32(), 2) * 2
    const large = count > MAX_PREALLOCATED
    const flat = new Array<Term>(large ? 0 : count)
    if (large) for (let i = 0; i < count; i++) flat.push(this.term(depth + 1))
    else for (let i = 0; i < count; i++) flat[i] = this.term(depth + 1)
    return this.finishMap(flat, offset)
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
    const { count, finish } = this.openCompound(tag)
    return finish(this.elements(count, depth))
  }

  /**
   * Reads the head of a fun or record: how many terms follow, and what to make of them.
   * @internal
   */
  openCompound(tag: number): { count: number; finish: (terms: Term[]) => Term } {
    return tag === 112 ? this.openFun() : tag === 117 ? this.openOldFun() : this.openRecord()
  }

  /** │ 112 │ Size: 32 │ Arity │ Uniq: 16 bytes │ Index: 32 │ NumFree: 32 │ Module │ OldIndex │ OldUniq │ Pid │ Free vars │ */
  private openFun(): { count: number; finish: (terms: Term[]) => Term } {
    const start = this.position
    const end = start + this.uint32()
    const arity = this.uint8()
    if (this.position + 16 > this.end) throw this.truncated(16)
    const uniq = platform.copyBinary(this.bytes, this.position, 16)
    this.position += 16
    const index = this.uint32()
    const count = this.uint32()
    const module = this.atom()
    const oldIndex = this.smallInteger()
    const oldUniq = this.smallInteger()
    const pid = this.pid()
    this.claim(count, 1)
    return {
      count,
      finish: (terms) => {
        if (this.position !== end) {
          throw new EtfError('ETF_BAD_TERM', `the fun at byte ${start - 1} is not as long as it says`, {
            offset: start - 1,
            tag: 112,
          })
        }
        return new Fun(module, arity, uniq, index, oldIndex, oldUniq, pid, terms)
      },
    }
  }

  /** │ 117 │ NumFree: 32 │ Pid │ Module │ Index │ Uniq │ Free vars │: from before R8, without arity and MD5. */
  private openOldFun(): { count: number; finish: (terms: Term[]) => Term } {
    const count = this.uint32()
    const pid = this.pid()
    const module = this.atom()
    const index = this.smallInteger()
    const uniq = this.smallInteger()
    this.claim(count, 1)
    return {
      count,
      finish: (terms) => new Fun(module, 0, new Uint8Array(16), index, index, uniq, pid, terms),
    }
  }

  /** │ 67 │ Fields: 32 │ Exported │ Module │ Name │ names of the fields │ their values │ */
  private openRecord(): { count: number; finish: (terms: Term[]) => Term } {
    const count = this.uint32()
    const flags = this.uint8()
    if (flags > 1) throw this.malformed('ETF_BAD_TERM', `has unknown flags ${flags}`)
    const module = this.atom()
    const name = this.atom()
    this.claim(count, 3)
    const fields: (Atom | boolean)[] = []
    for (let i = 0; i < count; i++) fields.push(this.atom())
    return { count, finish: (terms) => new NativeRecord(module, name, flags === 1, fields, terms) }
  }

  /** This term's tag is a container's, and it is too deep for recursion. */
  private deep(): Term {
    this.position--
    return readDeep(this)
  }

  // --- identifiers ------------------------------------------------------------------------------------------------------

  private pid(): Pid {
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

  private oldReference(): Reference {
    const node = this.node()
    const id = this.uint32()
    return new Reference(node, this.uint8(), [id])
  }

  // --- integers and floats ------------------------------------------------------------------------------------------------

  /** An integer of at most 32 bits where the format has one inside a fun. */
  private smallInteger(): number {
    const p = this.position
    const tag = this.uint8()
    if (tag === 97) return this.uint8()
    if (tag === 98) return this.uint32() | 0
    if (tag === 110) {
      const value = this.integer(this.uint8())
      if (typeof value === 'number') return value
    }
    throw this.malformed('ETF_BAD_TERM', `has ${describeTag(tag)} at byte ${p} where a small integer belongs`)
  }

  private arity(): number {
    const arity = this.smallInteger()
    if (arity < 0 || arity > 255) throw this.malformed('ETF_BAD_TERM', `has arity ${arity}`)
    return arity
  }

  private integer(length: number): number | bigint {
    const negative = this.uint8() !== 0
    const bytes = this.bytes
    const p = this.position
    let end = p + length
    if (end > this.end) throw this.truncated(length)
    this.position = end
    while (end > p && bytes[end - 1] === 0) end--
    const size = end - p
    if (size <= 7) {
      let low = 0
      for (let i = Math.min(end, p + 4) - 1; i >= p; i--) low = low * 256 + (bytes[i] as number)
      let high = 0
      for (let i = end - 1; i >= p + 4; i--) high = high * 256 + (bytes[i] as number)
      if (high < 0x200000) {
        const value = high * 4294967296 + low
        return negative && value !== 0 ? -value : value
      }
      const value = (BigInt(high) << 32n) | BigInt(low)
      return negative ? -value : value
    }
    if (size > this.maxIntegerBytes) {
      throw this.malformed(
        'ETF_INTEGER_TOO_LARGE',
        `has ${size} bytes, more than maxIntegerBytes ${this.maxIntegerBytes}`,
      )
    }
    let value: bigint
    if (size <= WORDS_BYTES) {
      const view = this.dataView()
      let i = end
      value = 0n
      for (const head = (end - p) & 7; i > end - head;) value = (value << 8n) | BigInt(bytes[--i] as number)
      for (; i > p; i -= 8) value = (value << 64n) | view.getBigUint64(i - 8, true)
    } else value = platform.readInteger(bytes, p, end)
    return negative ? -value : value
  }

  private float(): number | ErlFloat {
    const p = this.position
    if (p + 8 > this.end) throw this.truncated(8)
    this.position = p + 8
    return this.floatTerm(this.dataView().getFloat64(p))
  }

  private floatTerm(value: number): number | ErlFloat {
    if (value % 1 !== 0) {
      if (value - value !== 0) throw this.malformed('ETF_BAD_FLOAT', 'is no finite number')
      return value
    }
    return new ErlFloat(value)
  }

  private textFloat(): number | ErlFloat {
    const p = this.position
    if (p + 31 > this.end) throw this.truncated(31)
    this.position = p + 31
    const text = platform.readLatin1(this.bytes, p, p + 31).replace(/\0.*$/s, '')
    if (!/^[-+]?[0-9]+\.[0-9]+([eE][-+]?[0-9]+)?$/.test(text)) {
      throw this.malformed('ETF_BAD_FLOAT', `has ${JSON.stringify(text)} for a float`)
    }
    return this.floatTerm(Number(text))
  }

  // --- binaries -------------------------------------------------------------------------------------------------------------

  private binary(): Term {
    const length = this.uint32()
    const p = this.position
    if (p + length > this.end) throw this.truncated(length)
    this.position = p + length
    if (this.text) {
      const text = platform.readUtf8(this.bytes, p, p + length)
      // A string is not in Term: whoever asks for text has it in the result's type (see `decode`).
      if (text !== undefined) return text as unknown as Term
    }
    return length <= this.copyBytes
      ? platform.copyBinary(this.bytes, p, length)
      : platform.viewBinary(this.bytes, p, length)
  }

  private bitString(): Term {
    const length = this.uint32()
    const bits = this.uint8()
    const p = this.position
    if (p + length > this.end) throw this.truncated(length)
    if (bits > 8 || (length === 0) !== (bits === 0)) {
      throw this.malformed('ETF_BAD_TERM', `has ${bits} bits in the last of its ${length} bytes`)
    }
    this.position = p + length
    const bytes = platform.copyBinary(this.bytes, p, length)
    if (bits === 0 || bits === 8) return bytes
    // Bits that do not count are zero in the term, whatever the wire says: equal bitstrings have equal bytes.
    bytes[length - 1] = (bytes[length - 1] as number) & (0xff << (8 - bits))
    return new BitString(bytes, bits)
  }

  // --- errors ------------------------------------------------------------------------------------------------------------------

  private truncated(needed: number): EtfError {
    const offset = this.start
    const tag = this.bytes[offset] as number | undefined
    const left = this.end - this.position
    return new EtfError(
      'ETF_TRUNCATED',
      `the input ends inside ${offset < this.end && tag !== undefined ? describeTag(tag) : 'a term'} at byte ${offset}: ` +
        `${needed} more needed at byte ${this.position}, ${left} left`,
      { offset, tag },
    )
  }

  private malformed(code: string, what: string): EtfError {
    const tag = this.bytes[this.start] as number
    return new EtfError(code, `${describeTag(tag)} at byte ${this.start} ${what}`, {
      offset: this.start,
      tag,
    })
  }
}

const NO_CONTEXT: DecodeContext = Object.freeze({})
const NO_OPTIONS: DecodeOptions = Object.freeze({})

/** Input that no connection brought counts against the limit of the whole process alone. */
function unmetered(limits: Partial<Limits>): Partial<Limits> {
  return { maxAtomsPerConnection: Infinity, ...limits }
}

const processBudget = new AtomBudget(unmetered({}))

/** Terms whose binaries may have become text. */
export type TextTerm = Term | string

/**
 * The term of `binary_to_term/1`'s input: version byte, one term, nothing after it.
 *
 * Binaries of more than 64 bytes are views: they share memory with `bytes`. Give `copy: true` if `bytes` will be
 * overwritten, or if a small part of a large message is to be kept.
 * @throws EtfError with `code`, `offset` and `tag`
 */
export function decode(bytes: Uint8Array, options: DecodeOptions = NO_OPTIONS): Term {
  if (!(bytes instanceof Uint8Array)) {
    throw new EtfError('ETF_UNSUPPORTED', `decode takes a Uint8Array, not ${typeof bytes}`)
  }
  const reader = new Reader(bytes, 0, bytes.length, readerContext(options))
  if (bytes[0] !== VERSION) {
    throw new EtfError(
      'ETF_BAD_VERSION',
      bytes.length === 0
        ? 'the input is empty'
        : `the input begins with byte ${bytes[0]}, not with version byte ${VERSION}`,
      { offset: 0 },
    )
  }
  reader.position = 1
  if (bytes[1] === COMPRESSED) return decodeCompressed(reader, options)
  return readWhole(reader)
}

function readerContext(options: DecodeOptions): DecodeContext {
  if (options === NO_OPTIONS) return NO_CONTEXT
  const context: DecodeContext = { binaries: options.binaries ?? 'bytes', copy: options.copy === true }
  if (options.limits !== undefined) context.limits = options.limits
  if (options.atoms === 'existing') context.newAtoms = 'existing'
  return context
}

function readWhole(reader: Reader): Term {
  // LOCAL_EXT: │ 121 │ what only its own node can read, to the end │
  if (reader.bytes[reader.position] === 121 && reader.position < reader.end) {
    const start = reader.position + 1
    reader.position = reader.end
    return new LocalTerm(platform.copyBinary(reader.bytes, start, reader.end - start))
  }
  const term = reader.readTerm()
  const left = reader.end - reader.position
  if (left > 0) {
    throw new EtfError('ETF_TRAILING_BYTES', `${left} bytes follow the term, from byte ${reader.position}`, {
      offset: reader.position,
    })
  }
  return term
}

/** Nothing that DEFLATE makes is more than 1,032 times smaller than what it was (RFC 1951: 258 bytes from 2 bits). */
const MOST_INFLATION = 1032

/** │ 131 │ 80 │ size when inflated: 32 │ zlib stream of the term │ */
function decodeCompressed(reader: Reader, options: DecodeOptions): Term {
  const at = { offset: 1, tag: COMPRESSED }
  reader.position = 2
  if (reader.end < 6)
    throw new EtfError('ETF_TRUNCATED', 'the input ends inside the head of a compressed term', at)
  const size = reader.uint32()
  const most = options.limits?.maxInflatedBytes ?? DEFAULT_LIMITS.maxInflatedBytes
  if (size > most) {
    throw new EtfError(
      'ETF_INFLATED_TOO_LARGE',
      `the term would inflate to ${size} bytes, more than maxInflatedBytes ${most}`,
      at,
    )
  }
  const left = reader.end - reader.position
  const inflated =
    size > left * MOST_INFLATION
      ? undefined
      : platform.inflate(reader.bytes, reader.position, reader.end, size)
  if (inflated === undefined) {
    throw new EtfError('ETF_BAD_COMPRESSED', `what follows is no zlib stream of ${size} bytes`, at)
  }
  if (inflated.used < left) {
    throw new EtfError('ETF_TRAILING_BYTES', `${left - inflated.used} bytes follow the compressed term`, {
      offset: reader.position + inflated.used,
    })
  }
  return readWhole(new Reader(inflated.bytes, 0, inflated.bytes.length, readerContext(options)))
}
