/**
 * The memory that messages are encoded into: slabs that are written from front to back, given to the transport in
 * pieces, and used again once all their pieces have left. An idle connection holds one small slab.
 */
import { Writer } from '../etf/writer.js'

const SMALL_SLAB_BYTES = 1024
const SLAB_BYTES = 64 * 1024
/** A slab with less room than this is closed rather than grown. */
const MIN_ROOM_BYTES = 4 * 1024
const MAX_SPARE_SLABS = 2

/** A buffer; `pieces` of it were given out and have not come back. */
export class Slab {
  pieces = 0
  /** Someone keeps its memory: it is not used again. */
  kept = false
  constructor(readonly bytes: Uint8Array) {}
}

/** A part of a slab that is not written to until it was {@link SlabWriter.release}d. */
export interface SlabPiece {
  bytes: Uint8Array
  slab: Slab
}

export class SlabWriter {
  readonly writer = new Writer(SMALL_SLAB_BYTES)
  private slab = new Slab(this.writer.bytes)
  private spare: Slab[] = []
  /** Where the part begins that no piece covers yet. */
  private open = 0

  /**
   * Gets ready for a message: starts the slab over if none of it is in use, and says false when it is full, to be
   * replaced with {@link next}.
   */
  makeRoom(): boolean {
    const { writer, slab } = this
    if (this.open === writer.position && slab.pieces === 0) this.open = writer.position = 0
    if (writer.position === 0 || slab.bytes.length - writer.position >= MIN_ROOM_BYTES) return true
    if (slab.bytes.length >= SLAB_BYTES) return false
    writer.ensure(MIN_ROOM_BYTES)
    this.grown()
    return true
  }

  /** After a write that may have grown the buffer: pieces that were given out belong to the old one. */
  grown(): void {
    if (this.writer.bytes !== this.slab.bytes) this.slab = new Slab(this.writer.bytes)
  }

  /** What was written since the last piece. */
  piece(): SlabPiece | undefined {
    const { writer, slab } = this
    if (this.open === writer.position) return undefined
    const bytes = writer.bytes.subarray(this.open, writer.position)
    this.open = writer.position
    slab.pieces++
    return { bytes, slab }
  }

  /** Goes on in another slab; what no piece covers is given up. `kept`: someone keeps memory of this one. */
  next(kept = false): void {
    if (kept) this.slab.kept = true
    this.use(this.spare.pop() ?? new Slab(new Uint8Array(SLAB_BYTES)))
  }

  /** A piece of this slab has left. */
  release(slab: Slab): void {
    if (--slab.pieces > 0 || slab === this.slab || slab.kept) return
    if (slab.bytes.length === SLAB_BYTES && this.spare.length < MAX_SPARE_SLABS) this.spare.push(slab)
  }

  /** Gives back what an idle connection does not need. Only when nothing is in use. */
  trim(): void {
    if (this.slab.bytes.length <= SMALL_SLAB_BYTES) return
    this.spare = []
    this.use(new Slab(new Uint8Array(SMALL_SLAB_BYTES)))
  }

  /** Gives back everything. */
  clear(): void {
    this.spare = []
    this.use(new Slab(new Uint8Array(0)))
  }

  private use(slab: Slab): void {
    this.slab = slab
    this.writer.bytes = slab.bytes
    this.writer.position = 0
    this.open = 0
  }
}
