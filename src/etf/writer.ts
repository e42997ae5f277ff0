/** Bytes being written: a buffer that grows, and where the next byte goes. */
import { EtfError } from '../errors.js'

const INITIAL_BYTES = 256

/** A binary that belongs at `position` of what was written, and was not copied there. */
export interface Borrowed {
  position: number
  bytes: Uint8Array
}

/** What terms are written into. A link keeps one and writes message after message. */
export class Writer {
  /** Where the next byte goes. */
  position = 0
  /** Growing ends soon after the position is beyond this. */
  limit = Infinity
  /** The buffer as a DataView. */
  view: DataView
  /** Binaries of this size and more are not copied: {@link borrowed} says what belongs where. */
  borrowFrom = Infinity
  borrowed: Borrowed[] = []
  borrowedBytes = 0
  private buffer: Uint8Array

  constructor(initialBytes = INITIAL_BYTES) {
    this.buffer = new Uint8Array(initialBytes)
    this.view = new DataView(this.buffer.buffer)
  }

  get bytes(): Uint8Array {
    return this.buffer
  }

  /** Another buffer to write into; `position` is the caller's to set. */
  set bytes(bytes: Uint8Array) {
    this.buffer = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /**
   * Makes room for `extra` bytes, moving what is written to a larger buffer if need be.
   * @throws EtfError `ETF_TOO_LARGE` when there is no memory for it
   */
  ensure(extra: number): void {
    if (this.position + extra > this.bytes.length) this.grow(extra)
  }

  private grow(extra: number): void {
    if (this.position > this.limit) throw tooLarge(this.limit)
    const needed = this.position + extra
    let grown: Uint8Array
    try {
      grown = this.allocate(Math.max(needed, this.bytes.length * 2))
    } catch (cause) {
      throw new EtfError('ETF_TOO_LARGE', `no memory for a term of ${needed} bytes`, {}, { cause })
    }
    grown.set(this.bytes.subarray(0, this.position))
    this.bytes = grown
  }

  /** @internal The next bytes are these, which stay where they are. */
  borrow(bytes: Uint8Array): void {
    this.borrowed.push({ position: this.position, bytes })
    this.borrowedBytes += bytes.length
    if (this.position + this.borrowedBytes > this.limit) throw tooLarge(this.limit)
  }

  /** Forgets what was borrowed. */
  giveBack(): void {
    if (this.borrowedBytes === 0) return
    this.borrowed = []
    this.borrowedBytes = 0
  }

  /** Memory to grow into, of that size or more; what is in it does not matter. */
  protected allocate(bytes: number): Uint8Array {
    return new Uint8Array(bytes)
  }

  /** A copy of what is written. */
  copy(start = 0): Uint8Array {
    return this.bytes.slice(start, this.position)
  }
}

/** @internal */
export function tooLarge(most: number): EtfError {
  return new EtfError('ETF_TOO_LARGE', `the term takes more than ${most} bytes`)
}
