/**
 * The bytes that terms are read from, and what every term is made of: unsigned numbers, atoms, node names. Nothing that a
 * length claims is allocated before the input is known to be long enough for it.
 */
import { EtfError } from '../errors.js'
import { DEFAULT_LIMITS, type Limits } from '../limits.js'
import type { Atom } from './atom.js'
import { type AtomSource, atomFromBytes, latin1Atom } from './atom-cache.js'
import { AtomBudget } from './budget.js'
import { MAX_RECURSION } from './recursion.js'
import { describeTag } from './tags.js'
import { TextWindow } from './text-window.js'

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
  /**
   * `true`: binaries never share memory with the input; `'together'`: they share some with each other instead, which
   * takes less time where there are many. Default: those above 64 bytes share that of the input.
   */
  copy?: boolean | 'together'
}

export const NO_CONTEXT: DecodeContext = Object.freeze({})

/** Input that no connection brought counts against the limit of the whole process alone. */
function unmetered(limits: Partial<Limits>): Partial<Limits> {
  return { maxAtomsPerConnection: Infinity, ...limits }
}

const processBudget = new AtomBudget(unmetered({}))

/** Inputs of at least this size get a DataView at once: it reads faster, but making one takes as long as a small term. */
const VIEW_BYTES = 256
/** What is remembered of the input before keeps no more memory than this alive. */
const MAX_KEPT_BYTES = 1 << 16

/** @internal */
export const NOTHING = new Uint8Array(0)

/** The input before, and its view: the messages in one chunk of a socket follow one another. */
let lastBytes: Uint8Array | undefined
let lastView: DataView | undefined

/** A view of `bytes` if they are long, or read once more. */
function worthwhileView(bytes: Uint8Array, length: number): DataView | undefined {
  if (bytes === lastBytes) return (lastView ??= viewOf(bytes))
  if (bytes.length <= MAX_KEPT_BYTES && bytes.buffer.byteLength <= MAX_KEPT_BYTES) {
    lastBytes = bytes
    lastView = undefined
  }
  return length >= VIEW_BYTES ? viewOf(bytes) : undefined
}

function viewOf(bytes: Uint8Array): DataView {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes === lastBytes) lastView = view
  return view
}

/** Where the next byte is read, and how. */
export class Input {
  bytes: Uint8Array
  /** Where the next byte is read. */
  position: number
  end: number
  /**
   * Of all of `bytes`, if it was worth while to make one.
   * @internal
   */
  view: DataView | undefined
  /** @internal */
  readonly atoms: readonly (Atom | boolean)[] | undefined
  /** @internal */
  readonly source: AtomSource
  /** @internal */
  readonly maxIntegerBytes: number
  /** @internal */
  readonly maxNesting: number
  /**
   * Elements of containers that were read, and what takes as much memory: says how much the terms take, whatever their bytes.
   * @internal
   */
  claimed = 0
  private readonly maxElements: number
  /**
   * Depth to which containers are read by recursion.
   * @internal
   */
  readonly recursion: number
  /** @internal */
  readonly text: TextWindow | undefined
  /** @internal */
  readonly copy: boolean | 'together'
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
    this.view = worthwhileView(bytes, end - start)
    this.atoms = context.atoms
    this.source =
      context.newAtoms ??
      (context.limits === undefined ? processBudget : new AtomBudget(unmetered(context.limits)))
    this.maxIntegerBytes = context.limits?.maxIntegerBytes ?? DEFAULT_LIMITS.maxIntegerBytes
    this.maxNesting = context.limits?.maxNesting ?? DEFAULT_LIMITS.maxNesting
    this.maxElements = context.limits?.maxTermElements ?? DEFAULT_LIMITS.maxTermElements
    this.recursion = this.maxNesting < MAX_RECURSION ? this.maxNesting : MAX_RECURSION
    this.text = context.binaries === 'text' ? new TextWindow(bytes) : undefined
    this.copy = context.copy ?? false
  }

  /**
   * Begins anew, on another input, with the context it was made with: a small term takes less time than a new object with
   * all these fields. Not after an error, and not as text.
   * @internal
   */
  reopen(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.bytes = bytes
    this.position = start
    this.end = end
    this.view = worthwhileView(bytes, end - start)
    this.claimed = 0
  }

  /**
   * Has read what it was to read: keeps nothing of the input alive until {@link reopen}.
   * @internal
   */
  release(): void {
    this.bytes = NOTHING
    this.view = undefined
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

  /** @internal */
  uint64(): number | bigint {
    const high = this.uint32()
    const low = this.uint32()
    return high < 0x200000 ? high * 4294967296 + low : (BigInt(high) << 32n) | BigInt(low)
  }

  /** @internal */
  dataView(): DataView {
    return (this.view ??= viewOf(this.bytes))
  }

  /**
   * Refuses a count of elements that the rest of the input cannot hold, and one past `maxTermElements`.
   * @param bytesEach the least that each can have: so many terms it stands for
   * @internal
   */
  claim(count: number, bytesEach: number): number {
    const terms = count * bytesEach
    if (terms > this.end - this.position) throw this.truncated(terms)
    this.count(terms)
    return count
  }

  /**
   * Counts what takes as much memory as so many elements do, with them.
   * @internal
   */
  count(elements: number): void {
    this.claimed += elements
    if (this.claimed > this.maxElements)
      throw this.malformed('ETF_TOO_MANY_ELEMENTS', 'brings the elements of the term past maxTermElements')
  }

  // --- atoms --------------------------------------------------------------------------------------------------------

  /** @internal */
  atomText(length: number): Atom | boolean {
    const p = this.position
    if (p + length > this.end) throw this.truncated(length)
    this.position = p + length
    return atomFromBytes(this.bytes, this.view, p, length, this.source)
  }

  /** @internal */
  latin1AtomText(length: number): Atom | boolean {
    const p = this.position
    if (p + length > this.end) throw this.truncated(length)
    this.position = p + length
    return latin1Atom(this.bytes, p, length, this.source)
  }

  /** @internal */
  cachedAtom(): Atom | boolean {
    const index = this.uint8()
    const found = this.atoms?.[index]
    if (found === undefined) {
      const known = this.atoms?.length ?? 0
      throw this.malformed('ETF_ATOM_CACHE', `refers to atom ${index} of a header that has ${known}`)
    }
    return found
  }

  /**
   * An atom where the format has one inside another term.
   * @internal
   */
  atom(): Atom | boolean {
    const p = this.position
    const tag = this.uint8()
    switch (tag) {
      case 119:
        return this.atomText(this.uint8())
      case 82:
        return this.cachedAtom()
      case 118:
        return this.atomText(this.uint16())
      case 100:
        return this.latin1AtomText(this.uint16())
      case 115:
        return this.latin1AtomText(this.uint8())
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

  // --- errors ---------------------------------------------------------------------------------------------------------

  /**
   * An error of an inner helper, with where it happened.
   * @internal
   */
  located(error: unknown): unknown {
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
