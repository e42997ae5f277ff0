/**
 * Reading from sockets into memory that is ours: `onread` of `net.connect`. A stream makes a new buffer of 64 KiB for
 * each read, which V8 frees late, and the system has to find and clear: with large binaries that takes more time than all
 * the rest. Here all sockets read into one buffer, or straight to where the reader wants the next bytes.
 */
import { Socket, type OnReadOpts, type SocketConstructorOpts } from 'node:net'

const READ_BYTES = 64 * 1024

/** Elsewhere a read takes place between asking for memory and its callback, and no two at once. */
const READS_OVERLAP = process.platform === 'win32'

let shared: Uint8Array | undefined

function readBuffer(): Uint8Array {
  return READS_OVERLAP ? Buffer.allocUnsafeSlow(READ_BYTES) : (shared ??= Buffer.allocUnsafeSlow(READ_BYTES))
}

/** The part of a socket that Node keeps to itself: the connection under it. */
interface SocketWithHandle {
  _handle?: { useUserBuffer?: unknown } | null
}

export class SocketReader {
  /** For the socket that is to be read with this. */
  readonly onread: OnReadOpts = {
    buffer: () => this.#room?.() ?? this.#buffer,
    callback: (length, buffer) => {
      this.#onData?.(buffer.length === length ? buffer : buffer.subarray(0, length))
      return true
    },
  }
  readonly #buffer = readBuffer()
  #onData: ((chunk: Uint8Array) => void) | undefined
  #room: (() => Uint8Array | undefined) | undefined

  /**
   * Where what is read goes; until then the socket must be paused.
   * @param onData lends what was read
   * @param room where the next bytes are wanted
   */
  start(onData: (chunk: Uint8Array) => void, room: (() => Uint8Array | undefined) | undefined): void {
    this.#onData = onData
    this.#room = room
  }

  /**
   * Reads an accepted connection so. A server makes its sockets itself and takes no `onread` for them: the connection is
   * given to a socket that has it. Where Node has become another inside, the socket stays a stream.
   * @param accepted paused (`pauseOnConnect`)
   */
  static adopt(accepted: Socket): { socket: Socket; reader: SocketReader | undefined } {
    const outer = accepted as unknown as SocketWithHandle
    const handle = outer._handle
    if (typeof handle?.useUserBuffer !== 'function') return { socket: accepted, reader: undefined }
    const reader = new SocketReader()
    const options = { handle, onread: reader.onread, pauseOnCreate: true, allowHalfOpen: false }
    outer._handle = null
    const socket = new Socket(options as SocketConstructorOpts)
    return { socket, reader }
  }
}
