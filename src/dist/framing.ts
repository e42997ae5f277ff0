/**
 * Frames: what the transport's bytes are cut into after the handshake (OTP "Distribution Protocol", "Protocol between
 * Connected Nodes").
 *
 *     ┌────────────┬───────────────────────────────────────────────────────────────┐
 *     │ Length: 32 │ Length bytes: header form 131,68 · 131,69 · 131,70 or 112,131 │
 *     └────────────┴───────────────────────────────────────────────────────────────┘
 *
 * A frame of length 0 is a tick. Chunks of the transport fall anywhere, and are lent: their memory is used again. A frame
 * that lies whole in one chunk is handed on where it is; one that does not is put together elsewhere, a later fragment
 * straight in its message. A transport that asks for {@link FrameReader.room} reads long frames to where they belong: and
 * where one was, before the next has begun, into memory that can become that one's.
 */
import { DistError } from '../errors.js'
import type { Allocate } from './bytes.js'
import { type Gathering, SPARE_BYTES } from './gathering.js'
import { FRAGMENT_HEADER_BYTES } from './header.js'

const LENGTH_BYTES = 4
/** What is collected of a frame before it is decided where it is put together. */
const HEAD_BYTES = LENGTH_BYTES + FRAGMENT_HEADER_BYTES

/**
 * Frames shorter than this are not worth a read of their own. Longer ones are to their last byte: a read that takes the
 * end of one along with most of the next would leave that one's end over again, and have all of it copied.
 */
const MIN_ROOM_BYTES = 8 * 1024

/**
 * Frames that memory is got ready for before they begin. Of shorter ones a read into the common buffer has many; of
 * longer ones, what came before they were known is little.
 */
const MIN_AHEAD_BYTES = 32 * 1024
const MAX_AHEAD_BYTES = 128 * 1024

/** What a {@link FrameReader} tells and asks, synchronously and in order. */
export interface FrameHandlers {
  /**
   * A frame that is not a tick: `bytes[start, end)`.
   * @param gathering the memory that it was put together in, which is nobody else's; without it, the bytes are lent
   */
  onFrame(bytes: Uint8Array, start: number, end: number, gathering: Gathering | undefined): void
  /**
   * A frame has begun of which more is to come: where is it to be put together?
   * @param bytes from `start` on the frame's first bytes: all of a fragment header at least
   * @param length of the frame
   * @param memory where it begins already, and may go on if there is room: nobody else's
   */
  gather(bytes: Uint8Array, start: number, length: number, memory?: Uint8Array): Gathering
  /**
   * The same for a later fragment, whose bytes after its header go to the end of its message; undefined when it is
   * none. {@link onFragment} follows when it is complete.
   */
  continue?(bytes: Uint8Array, start: number, length: number): Gathering | undefined
  onFragment?(): void
  onTick(): void
  /** Memory that nobody else uses, of any content. */
  allocate?: Allocate
}

/** Cuts a stream of bytes, in chunks of any size, into frames. */
export class FrameReader {
  private readonly handlers: FrameHandlers
  private readonly maxFrameBytes: number
  /** A frame's length and first bytes, when they came in several chunks. */
  private readonly head = new Uint8Array(HEAD_BYTES)
  private headBytes = 0
  /** The frame begun: where it is put together, and how many bytes of it are to come. */
  private gathering: Gathering | undefined
  private missing = 0
  private isLong = false
  private isLaterFragment = false
  /** Memory to read into before a frame has begun, as large as the last long one would have needed; 0: none was. */
  private ahead: Uint8Array | undefined
  private aheadBytes = 0
  /** What is being received lies in `ahead`. */
  private isAhead = false
  private closed = false

  /** @param maxFrameBytes the longest frame accepted */
  constructor(handlers: FrameHandlers, maxFrameBytes: number) {
    this.handlers = handlers
    this.maxFrameBytes = maxFrameBytes
  }

  /** Bytes held for a frame that is not complete, beside those of messages whose later fragment it is. */
  get heldBytes(): number {
    const gathered = this.isLaterFragment ? 0 : (this.gathering?.length ?? 0)
    return this.headBytes + gathered
  }

  /**
   * Where the next bytes of the stream would best be put; undefined if that does not matter. To be asked for after each
   * {@link receive}, and good until the next; what was read into it is passed to that as a subarray of it.
   */
  room(): Uint8Array | undefined {
    const { gathering, missing } = this
    if (gathering === undefined) {
      if (this.aheadBytes === 0 || this.headBytes > 0) return undefined
      return (this.ahead ??= this.handlers.allocate?.(this.aheadBytes))
    }
    if (!this.isLong) return undefined
    // After a later fragment there is place for the next one's header: then its body is read to where it belongs, too.
    return gathering.room(missing + (this.isLaterFragment ? HEAD_BYTES : SPARE_BYTES))
  }

  /**
   * Takes the next bytes of the stream.
   * @throws DistError `DIST_FRAME_TOO_LARGE`, and whatever the handlers throw; the reader is of no use after that.
   */
  receive(chunk: Uint8Array): void {
    let position = 0
    const end = chunk.length
    this.isAhead = chunk.buffer === this.ahead?.buffer
    // Until a long frame is seen again.
    if (this.isAhead) this.aheadBytes = 0
    while (position < end && !this.closed) {
      if (this.gathering !== undefined) position = this.fill(this.gathering, chunk, position, end)
      else if (this.headBytes > 0 || end - position < LENGTH_BYTES)
        position = this.fillHead(chunk, position, end)
      else {
        const start = position + LENGTH_BYTES
        const length = this.lengthOf(chunk, position)
        if (length === 0) {
          position = start
          this.handlers.onTick()
        } else if (end - start >= length) {
          position = start + length
          this.whole(chunk, start, position)
        } else if (end - start >= FRAGMENT_HEADER_BYTES) {
          position = this.begin(chunk, start, length)
        } else position = this.fillHead(chunk, position, end)
      }
    }
    if (this.aheadBytes === 0) this.ahead = undefined
  }

  /** Gives up memory that no frame lies in, until a long one is seen again. Not while a chunk is received. */
  trim(): void {
    this.aheadBytes = 0
    this.dropAhead()
  }

  /** Gives up all memory. Nothing is read any more, not the rest of a chunk either. */
  close(): void {
    this.closed = true
    this.endFrame()
    this.dropAhead()
    this.aheadBytes = 0
  }

  private dropAhead(): void {
    this.ahead = undefined
    this.isAhead = false
  }

  private endFrame(): void {
    this.headBytes = 0
    this.gathering = undefined
    this.missing = 0
    this.isLong = false
    this.isLaterFragment = false
  }

  /** @returns the position of the next byte that was not used */
  private fill(gathering: Gathering, chunk: Uint8Array, position: number, end: number): number {
    const next = Math.min(position + this.missing, end)
    gathering.add(position === 0 && next === end ? chunk : chunk.subarray(position, next))
    this.missing -= next - position
    if (this.missing > 0) return next
    const { isLaterFragment } = this
    this.endFrame()
    if (isLaterFragment) this.handlers.onFragment?.()
    else this.handlers.onFrame(gathering.bytes, 0, gathering.length, gathering)
    return next
  }

  /** A frame that lies in the chunk. */
  private whole(chunk: Uint8Array, start: number, end: number): void {
    const memory = this.memoryAt(start, end - start)
    if (memory === undefined) return this.handlers.onFrame(chunk, start, end, undefined)
    const gathering = this.handlers.gather(chunk, start, end - start, memory)
    this.give(gathering)
    gathering.add(chunk.subarray(start, end))
    this.handlers.onFrame(gathering.bytes, 0, gathering.length, gathering)
  }

  /** What of the memory ahead may become a long frame's that begins there. */
  private memoryAt(start: number, length: number): Uint8Array | undefined {
    if (length < MIN_AHEAD_BYTES || length > MAX_AHEAD_BYTES) return undefined
    this.aheadBytes = LENGTH_BYTES + length + 3 * SPARE_BYTES
    if (!this.isAhead) return undefined
    const ahead = this.ahead!
    if (ahead.length <= 2 * this.aheadBytes) return ahead.subarray(start)
    // Whoever keeps the frame would keep that much.
    this.dropAhead()
    return undefined
  }

  /** The memory ahead is used no more, if it became that. */
  private give(gathering: Gathering): void {
    if (gathering.bytes.buffer === this.ahead?.buffer) this.dropAhead()
  }

  private fillHead(chunk: Uint8Array, position: number, end: number): number {
    const { head } = this
    let wanted = LENGTH_BYTES
    for (; position < end; position++) {
      head[this.headBytes++] = chunk[position]
      if (this.headBytes < wanted) continue
      const length = this.lengthOf(head, 0)
      if (length === 0) {
        this.headBytes = 0
        this.handlers.onTick()
        return position + 1
      }
      wanted = Math.min(HEAD_BYTES, LENGTH_BYTES + length)
      if (this.headBytes < wanted) continue
      this.headBytes = 0
      if (wanted < HEAD_BYTES || length === FRAGMENT_HEADER_BYTES)
        this.handlers.onFrame(head, LENGTH_BYTES, wanted, undefined)
      else this.begin(head, LENGTH_BYTES, length, HEAD_BYTES)
      return position + 1
    }
    return position
  }

  /** A frame whose end is not in `bytes`. */
  private begin(bytes: Uint8Array, start: number, length: number, end = bytes.length): number {
    const continued = this.handlers.continue?.(bytes, start, length)
    this.isLaterFragment = continued !== undefined
    if (continued === undefined) {
      const memory = bytes === this.head ? undefined : this.memoryAt(start, length)
      this.gathering = this.handlers.gather(bytes, start, length, memory)
      this.give(this.gathering)
    } else this.gathering = continued
    const from = this.isLaterFragment ? start + FRAGMENT_HEADER_BYTES : start
    this.missing = start + length - from
    this.isLong = length >= MIN_ROOM_BYTES
    return this.fill(this.gathering, bytes, from, end)
  }

  private lengthOf(bytes: Uint8Array, position: number): number {
    const length =
      ((bytes[position] << 24) |
        (bytes[position + 1] << 16) |
        (bytes[position + 2] << 8) |
        bytes[position + 3]) >>>
      0
    if (length <= this.maxFrameBytes) return length
    throw new DistError(
      'DIST_FRAME_TOO_LARGE',
      `the peer announces a frame of ${length} bytes; maxFrameBytes is ${this.maxFrameBytes}`,
    )
  }
}
