/**
 * The memory that messages are encoded into: slabs that are written from front to back, given to the transport in
 * pieces, and used again once all their pieces have left. An idle connection holds one small slab.
 *
 * Slabs that are free are shared by all connections: memory that was used a moment ago is several times faster to write
 * than memory that the system has to find first.
 */
import { Writer } from '../etf/writer.js'

const SMALL_SLAB_BYTES = 1024
const SLAB_BYTES = 256 * 1024
/** A small slab with less room than this grows; a full-grown one is closed when a fragment would not fit any more. */
const MIN_SMALL_ROOM_BYTES = 4 * 1024
const MIN_ROOM_BYTES = 72 * 1024
/** What free slabs hold together at most, of ordinary size and of larger messages. */
const MAX_FREE_SLABS = 16
const MAX_FREE_LARGE_BYTES = 32 * 1024 * 1024

/** A buffer; `pieces` of it were given out, or are kept by a message, and have not come back. */
export class Slab {
  pieces = 0
  constructor(readonly bytes: Uint8Array) {}
}

/** A part of a slab that is not written to until it was {@link SlabWriter.release}d. */
export interface SlabPiece {
  bytes: Uint8Array
  slab: Slab
}

/** Free slabs of this process. */
class FreeSlabs {
  private ordinary: Uint8Array[] = []
  private large: Uint8Array[] = []
  private largeBytes = 0

  take(): Uint8Array {
    return this.ordinary.pop() ?? new Uint8Array(SLAB_BYTES)
  }

  /** One of at least that size, and not of very much more. */
  takeLarge(bytes: number): Uint8Array {
    if (bytes <= SLAB_BYTES) return this.take()
    const at = this.large.findIndex(({ length }) => length >= bytes && length <= bytes * 4)
    if (at < 0) return new Uint8Array(bytes)
    const [found] = this.large.splice(at, 1)
    this.largeBytes -= found.length
    return found
  }

  give(bytes: Uint8Array): void {
    const { length } = bytes
    if (length === SLAB_BYTES) {
      if (this.ordinary.length < MAX_FREE_SLABS) this.ordinary.push(bytes)
    } else if (length > SLAB_BYTES && this.largeBytes + length <= MAX_FREE_LARGE_BYTES) {
      this.large.push(bytes)
      this.largeBytes += length
    }
  }

  clear(): void {
    this.ordinary = []
    this.large = []
    this.largeBytes = 0
  }
}

const free = new FreeSlabs()

class SlabGrower extends Writer {
  protected override allocate(bytes: number): Uint8Array {
    return bytes < MIN_ROOM_BYTES ? new Uint8Array(bytes) : free.takeLarge(bytes)
  }
}

export class SlabWriter {
  readonly writer: Writer = new SlabGrower(SMALL_SLAB_BYTES)
  private slab = new Slab(this.writer.bytes)
  /** Where the part begins that no piece covers yet. */
  private open = 0

  /** What is being written to. */
  get current(): Slab {
    return this.slab
  }

  /**
   * Gets ready for a message: starts the slab over if none of it is in use, and says false when it is full, to be
   * replaced with {@link next}.
   */
  makeRoom(): boolean {
    const { writer, slab } = this
    if (this.open === writer.position && slab.pieces === 0) this.open = writer.position = 0
    if (writer.position === 0) return true
    const { length } = slab.bytes
    if (length >= SLAB_BYTES) return length - writer.position >= MIN_ROOM_BYTES
    if (length - writer.position >= MIN_SMALL_ROOM_BYTES) return true
    writer.ensure(MIN_SMALL_ROOM_BYTES)
    this.grown()
    return true
  }

  /** After a write that may have grown the buffer: pieces that were given out belong to the old one. */
  grown(): void {
    if (this.writer.bytes === this.slab.bytes) return
    if (this.slab.pieces === 0) free.give(this.slab.bytes)
    this.slab = new Slab(this.writer.bytes)
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

  /** Goes on in another slab; what no piece covers is given up. */
  next(): void {
    this.use(new Slab(free.take()))
  }

  /** A piece of this slab has left. */
  release(slab: Slab): void {
    if (--slab.pieces === 0 && slab !== this.slab) free.give(slab.bytes)
  }

  /** Gives back what an idle connection does not need. Only when nothing is in use. */
  trim(): void {
    if (this.slab.bytes.length <= SMALL_SLAB_BYTES) return
    this.use(new Slab(new Uint8Array(SMALL_SLAB_BYTES)))
    free.clear()
  }

  /** Gives back everything; the transport may still hold pieces, so they are not used again. */
  clear(): void {
    this.use(new Slab(new Uint8Array(0)))
  }

  private use(slab: Slab): void {
    this.slab = slab
    this.writer.bytes = slab.bytes
    this.writer.position = 0
    this.open = 0
  }
}
