/**
 * Memory in which what comes in pieces is put together, once, as it comes: a frame that is longer than a read, a message
 * of many fragments. Its final size is known from what the peer announces. That is a claim: up to `maxClaimedBytes` it is
 * believed, and the memory asked for at once (the system gives it as it is written to); beyond, memory grows with what
 * has come.
 *
 * A transport that is offered {@link Gathering.room} reads straight into its final place.
 */
import type { Allocate } from './bytes.js'

/** What memory grows by at least for a read into it, when the claim is not believed. */
const STEP_BYTES = 64 * 1024

/**
 * Room after what is announced, so that one read takes the next frames along. A BEAM sends a binary of 64 KiB as two
 * fragments, of which the second is a few bytes: it is put there.
 */
export const SPARE_BYTES = 1024

/** What is announced to be shorter than this gets no such room. */
const MIN_SPARED_BYTES = 16 * 1024

export class Gathering {
  /** Filled up to `length`. */
  bytes: Uint8Array
  length = 0

  /** @internal use {@link GatheringMemory.open} */
  constructor(
    private readonly allocate: Allocate,
    private readonly expectedBytes: number,
    readonly believedBytes: number,
    memory: Uint8Array | undefined,
  ) {
    this.bytes = memory ?? allocate(believedBytes)
  }

  /** Adds a piece, which may lie where it belongs already, or later in the same memory. */
  add(piece: Uint8Array): void {
    const end = this.length + piece.length
    if (end > this.bytes.length) this.grow(end)
    const { bytes } = this
    if (piece.buffer !== bytes.buffer || piece.byteOffset !== bytes.byteOffset + this.length)
      bytes.set(piece, this.length)
    this.length = end
  }

  /** The memory after what has come, up to `most` bytes of it: what is read into it and then added is not copied. */
  room(most: number): Uint8Array {
    if (this.bytes.length === this.length) this.grow(this.length + Math.min(most, STEP_BYTES))
    return this.bytes.subarray(this.length, Math.min(this.bytes.length, this.length + most))
  }

  private grow(needed: number): void {
    const grown = this.allocate(Math.max(needed, Math.min(this.bytes.length * 2, this.expectedBytes)))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
  }
}

/** Gatherings of one connection, which share what is believed of claims. */
export class GatheringMemory {
  private left: number

  constructor(
    maxClaimedBytes: number,
    private readonly allocate: Allocate,
  ) {
    this.left = maxClaimedBytes
  }

  /**
   * @param announcedBytes how much will come, as the peer says
   * @param memory to be used if it is enough
   */
  open(announcedBytes: number, memory?: Uint8Array): Gathering {
    const expected = announcedBytes + (announcedBytes >= MIN_SPARED_BYTES ? SPARE_BYTES : 0)
    const believed = expected <= this.left ? expected : 0
    this.left -= believed
    const enough = memory !== undefined && memory.length >= expected
    return new Gathering(this.allocate, expected, believed, enough ? memory : undefined)
  }

  /** The gathering is complete, or given up: its claim counts no longer. */
  close(gathering: Gathering): void {
    this.left += gathering.believedBytes
  }
}
