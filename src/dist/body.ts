/**
 * What a message is made of, control message and payload: pieces of which most are encoded terms, and large binaries are
 * the sender's own memory, which is not copied on its way to the transport.
 */

/** A piece of output. Its length is what the peer was told, whatever becomes of the memory. */
export interface BodyPiece {
  readonly bytes: Uint8Array
  readonly length: number
  /** In the slab that the message was encoded in. */
  readonly inSlab: boolean
}

export class Body {
  readonly length: number
  private readonly pieces: readonly BodyPiece[]
  /** What was cut off: whole pieces, and bytes of the next. */
  private next = 0
  private offset = 0

  constructor(pieces: readonly BodyPiece[]) {
    this.pieces = pieces
    let length = 0
    for (const piece of pieces) length += piece.length
    this.length = length
  }

  /** Its bytes when they are in one piece. */
  get single(): Uint8Array | undefined {
    return this.pieces.length === 1 ? this.pieces[0].bytes : undefined
  }

  /** The next so many bytes. */
  cut(bytes: number): BodyPiece[] {
    const parts: BodyPiece[] = []
    for (let left = bytes; left > 0;) {
      const piece = this.pieces[this.next]
      const length = Math.min(left, piece.length - this.offset)
      parts.push(part(piece, this.offset, length))
      left -= length
      this.offset += length
      if (this.offset === piece.length) {
        this.next++
        this.offset = 0
      }
    }
    return parts
  }
}

/**
 * A part of a piece. A binary whose memory was taken away after it was sent (given to a worker, made smaller) is zeros:
 * frames that are not as long as they say would end the connection for everyone.
 */
export function part(piece: BodyPiece, start: number, length: number): BodyPiece {
  const { bytes, inSlab } = piece
  if (start === 0 && length === piece.length && bytes.length === length) return piece
  const there = bytes.length === piece.length
  return { bytes: there ? bytes.subarray(start, start + length) : new Uint8Array(length), length, inSlab }
}
