/**
 * Frames: what the transport's bytes are cut into after the handshake (OTP "Distribution Protocol", "Protocol between
 * Connected Nodes").
 *
 *     ┌────────────┬───────────────────────────────────────────────────────────────┐
 *     │ Length: 32 │ Length bytes: header form 131,68 · 131,69 · 131,70 or 112,131 │
 *     └────────────┴───────────────────────────────────────────────────────────────┘
 *
 * A frame of length 0 is a tick. Chunks of the transport fall anywhere: a frame that lies whole in one chunk is handed
 * on where it is; one that does not is kept as the pieces it came in, so that a fragment of a large message is copied
 * once, when its message is complete. Never more is held than the peer has sent: a length is a claim, not an allocation.
 */
import { DistError } from '../errors.js'
import { type Allocate, concatenate, zeroed } from './bytes.js'
import { DIST_FRAG_HEADER, VERSION } from './header.js'

/**
 * Room after the first fragment of a message that came in pieces. A BEAM sends a binary of 64 KiB as two fragments, of
 * which the second is a few bytes: it is put there, and the first is not copied again.
 */
const SPARE_BYTES = 1024

/** What a {@link FrameReader} tells, synchronously and in order. */
export interface FrameHandlers {
  /**
   * A frame that is not a tick: `bytes[start, end)`. The bytes may be kept: nobody reuses them.
   * @param spare how many bytes after `end` are free to be written
   */
  onFrame(bytes: Uint8Array, start: number, end: number, spare: number): void
  /**
   * A frame that came in several pieces. True when it was consumed (the pieces may be kept); otherwise `onFrame` follows
   * with the pieces concatenated.
   */
  onPieces?(pieces: readonly Uint8Array[], length: number): boolean
  onTick(): void
}

/** Cuts a stream of bytes, in chunks of any size, into frames. */
export class FrameReader {
  private readonly handlers: FrameHandlers
  private readonly maxFrameBytes: number
  private readonly allocate: Allocate
  /** Bytes of the frame's length read so far (0 to 4), and their value. */
  private lengthBytes = 0
  private length = 0
  /** The frame begun: what has come of it. */
  private pieces: Uint8Array[] = []
  private pieceBytes = 0

  /** @param maxFrameBytes the longest frame accepted */
  constructor(handlers: FrameHandlers, maxFrameBytes: number, allocate: Allocate = zeroed) {
    this.handlers = handlers
    this.allocate = allocate
    this.maxFrameBytes = maxFrameBytes
  }

  /** Bytes held for a frame that is not complete. */
  get heldBytes(): number {
    return this.lengthBytes + this.pieceBytes
  }

  /**
   * Takes the next bytes of the stream; they must not change afterwards.
   * @throws DistError `DIST_FRAME_TOO_LARGE`, and whatever the handlers throw; the reader is of no use after that.
   */
  receive(chunk: Uint8Array): void {
    let position = 0
    const end = chunk.length
    while (position < end) {
      if (this.lengthBytes < 4) {
        if (this.lengthBytes === 0 && position + 4 <= end) {
          this.length =
            ((chunk[position] << 24) |
              (chunk[position + 1] << 16) |
              (chunk[position + 2] << 8) |
              chunk[position + 3]) >>>
            0
          position += 4
        } else {
          this.length = ((this.length << 8) | chunk[position++]) >>> 0
          if (++this.lengthBytes < 4) continue
        }
        this.lengthBytes = 4
        if (this.length > this.maxFrameBytes) {
          throw new DistError(
            'DIST_FRAME_TOO_LARGE',
            `the peer announces a frame of ${this.length} bytes; maxFrameBytes is ${this.maxFrameBytes}`,
          )
        }
        if (this.length === 0) {
          this.lengthBytes = 0
          this.handlers.onTick()
          continue
        }
      }
      const missing = this.length - this.pieceBytes
      if (end - position < missing) {
        if (position < end) {
          this.pieces.push(position === 0 ? chunk : chunk.subarray(position))
          this.pieceBytes += end - position
        }
        return
      }
      const start = position
      position += missing
      this.lengthBytes = 0
      if (this.pieceBytes === 0) this.handlers.onFrame(chunk, start, position, 0)
      else this.complete(chunk.subarray(start, position))
    }
  }

  /** Forgets the frame begun. */
  reset(): void {
    this.lengthBytes = 0
    this.length = 0
    this.pieces = []
    this.pieceBytes = 0
  }

  private complete(last: Uint8Array): void {
    const pieces = this.pieces
    const length = this.length
    pieces.push(last)
    this.pieces = []
    this.pieceBytes = 0
    this.length = 0
    if (this.handlers.onPieces?.(pieces, length) === true) return
    const [first] = pieces
    const spare = first[0] === VERSION && first[1] === DIST_FRAG_HEADER ? SPARE_BYTES : 0
    this.handlers.onFrame(concatenate(pieces, length, this.allocate, spare), 0, length, spare)
  }
}
