/**
 * Where `encode` writes. Small terms are written into a slab one after another, each result a view of its part: copying
 * it out would take as long as writing it. Larger ones are copied out of a buffer that is used again, or given with the
 * buffer, if that is too large to be kept.
 */
import { platform } from './platform.js'
import { Writer } from './writer.js'

/** Node's own pool of small Buffers is of this size too. */
const SLAB_BYTES = 8192
/** Results above this size get memory of their own: one kept keeps its slab. */
const MAX_SHARED = 1024
/** Less than this is left of a slab: the next term begins another. */
const LEAST_LEFT = 128
/** A buffer that one large term has made larger than this is not kept. */
const MAX_KEPT_BYTES = 1 << 20

export class Output extends Writer {
  /** Where the term being written begins. */
  start = 0
  private slab: Uint8Array
  /** How much of the slab is given away. */
  private used = 0
  private shared: boolean
  private large: Uint8Array | undefined

  constructor() {
    super(SLAB_BYTES)
    this.slab = this.bytes
    this.shared = false
  }

  /** Makes ready for a term. */
  begin(): void {
    if (!this.shared || SLAB_BYTES - this.used < LEAST_LEFT) this.newSlab()
    else if (this.bytes !== this.slab) this.bytes = this.slab
    this.start = this.position = this.used
  }

  private newSlab(): void {
    const buffer = platform.newSlab?.(SLAB_BYTES)
    this.used = 0
    this.shared = buffer !== undefined
    if (buffer !== undefined) this.slab = new Uint8Array(buffer)
    if (this.bytes !== this.slab) this.bytes = this.slab
  }

  protected override allocate(bytes: number): Uint8Array {
    return this.large !== undefined && this.large.length >= bytes ? this.large : super.allocate(bytes)
  }

  /** What was written since {@link begin}. */
  take(): Uint8Array {
    const { bytes, start, position } = this
    const length = position - start
    if (bytes === this.slab) {
      if (!this.shared || length > MAX_SHARED) return platform.copyBinary(bytes, start, length)
      this.used = position
      return platform.viewBinary(bytes.buffer, start, length)
    }
    if (bytes.length > MAX_KEPT_BYTES) {
      this.large = undefined
      return platform.viewBinary(bytes.buffer, start, length)
    }
    this.large = bytes
    return platform.copyBinary(bytes, start, length)
  }
}
