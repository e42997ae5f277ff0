/**
 * Messages out of bytes in chunks of any size:
 *
 *     length:2 (4 over TLS)  message:length        length:2  message:length   …
 *
 * Bounded: a peer can neither claim a long message nor send far ahead of its turn.
 */
import { HandshakeError } from '../errors.js'

const NOTHING = new Uint8Array(0)

export class MessageAssembler {
  readonly #lengthBytes: 2 | 4
  readonly #maxMessageBytes: number
  #bytes: Uint8Array = NOTHING

  constructor(lengthBytes: 2 | 4, maxMessageBytes: number) {
    this.#lengthBytes = lengthBytes
    this.#maxMessageBytes = maxMessageBytes
  }

  push(chunk: Uint8Array): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : concat(this.#bytes, chunk)
  }

  /**
   * The next whole message, or undefined while it is incomplete.
   * @throws HandshakeError `HANDSHAKE_BAD_MESSAGE` when its length is over the limit.
   */
  next(): Uint8Array | undefined {
    const bytes = this.#bytes
    const start = this.#lengthBytes
    if (bytes.length < start) return undefined
    let length = 0
    for (let i = 0; i < start; i++) length = length * 256 + bytes[i]!
    if (length > this.#maxMessageBytes) {
      throw new HandshakeError(
        'HANDSHAKE_BAD_MESSAGE',
        `a handshake message of ${length} bytes; at most ${this.#maxMessageBytes} are taken`,
      )
    }
    if (bytes.length < start + length) return undefined
    this.#bytes = bytes.subarray(start + length)
    return bytes.subarray(start, start + length)
  }

  /**
   * To be called when it is not the peer's turn: what it sent ahead must stay below one message.
   * @throws HandshakeError `HANDSHAKE_BAD_MESSAGE`
   */
  assertQuiet(): void {
    if (this.#bytes.length > this.#lengthBytes + this.#maxMessageBytes) {
      throw new HandshakeError(
        'HANDSHAKE_BAD_MESSAGE',
        `the peer sent ${this.#bytes.length} bytes before its turn in the handshake`,
      )
    }
  }

  /** Takes what is left: the bytes after the handshake. */
  takeRest(): Uint8Array {
    const rest = this.#bytes
    this.#bytes = NOTHING
    return rest
  }
}

/** A message with its length before it. */
export function withLength(lengthBytes: 2 | 4, message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(lengthBytes + message.length)
  const view = new DataView(bytes.buffer)
  if (lengthBytes === 2) view.setUint16(0, message.length)
  else view.setUint32(0, message.length)
  bytes.set(message, lengthBytes)
  return bytes
}

function concat(left: Uint8Array, right: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(left.length + right.length)
  bytes.set(left)
  bytes.set(right, left.length)
  return bytes
}
