/**
 * A connection inside this process: two transports, each of which reads what the other writes. Bytes travel by the
 * scheduler that is given, so that a test decides when they arrive, and in which chunks.
 */
import type { Transport, TransportAddress, TransportHandlers, TransportOptions } from './transport.js'

export interface MemoryPairOptions {
  /** Runs a delivery later; calls must run in the order in which they were given. Default: a microtask. */
  schedule?(delivery: () => void): void
  /** Cuts what was written into the chunks in which it arrives; together they are those bytes. Default: as written. */
  chunk?(bytes: Uint8Array): Iterable<Uint8Array>
  /** Bytes that a side that does not read takes in before writes to it stay buffered (a socket's buffers). Default: no bound. */
  windowBytes?: number
  handshakeLengthBytes?: 2 | 4
}

/** Two ends of one connection. */
export function memoryPair(options: MemoryPairOptions = {}): [MemoryTransport, MemoryTransport] {
  const left = new MemoryTransport(options, 1)
  const right = new MemoryTransport(options, 2)
  left.connectTo(right)
  right.connectTo(left)
  return [left, right]
}

/** A chunk that was read is overwritten: who keeps what is only lent is found out. */
const LENT = 0xee

interface PendingWrite {
  bytes: Uint8Array
  done: (() => void) | undefined
}

export class MemoryTransport implements Transport {
  readonly protocol = 'memory'
  readonly handshakeLengthBytes: 2 | 4
  readonly localAddress: TransportAddress
  remoteAddress: TransportAddress | undefined
  bufferedBytes = 0
  closed = false

  readonly #schedule: (delivery: () => void) => void
  readonly #chunk: (bytes: Uint8Array) => Iterable<Uint8Array>
  readonly #windowBytes: number
  #peer: MemoryTransport | undefined
  #handlers: TransportHandlers | undefined
  #paused = false
  /** Written here, not yet taken by the peer. */
  #outbox: PendingWrite[] = []
  /** Arrived here, not yet read. */
  #inbox: Uint8Array[] = []
  #inboxBytes = 0
  #ending = false
  #peerEnded: { error: Error | undefined } | undefined
  #options: TransportOptions = { nodelay: true, keepalive: true }

  /** @internal use {@link memoryPair} */
  constructor(options: MemoryPairOptions, port: number) {
    this.#schedule = options.schedule ?? queueMicrotask
    this.#chunk = options.chunk ?? ((bytes) => [bytes])
    this.#windowBytes = options.windowBytes ?? Infinity
    this.handshakeLengthBytes = options.handshakeLengthBytes ?? 2
    this.localAddress = { host: 'memory', port }
  }

  /** @internal */
  connectTo(peer: MemoryTransport): void {
    this.#peer = peer
    this.remoteAddress = peer.localAddress
  }

  attach(handlers: TransportHandlers): void {
    this.#handlers = handlers
    this.#schedule(() => this.#read())
  }

  write(bytes: Uint8Array | readonly Uint8Array[], done?: () => void): void {
    if (this.closed || this.#ending) {
      if (done !== undefined) this.#schedule(done)
      return
    }
    const pieces = bytes instanceof Uint8Array ? [bytes] : bytes
    pieces.forEach((piece, at) => {
      this.#outbox.push({ bytes: piece, done: at === pieces.length - 1 ? done : undefined })
      this.bufferedBytes += piece.length
    })
    this.#schedule(() => this.#deliver())
  }

  close(): void {
    if (this.closed || this.#ending) return
    this.#ending = true
    this.#schedule(() => this.#deliver())
  }

  destroy(): void {
    this.breakWith(undefined)
  }

  /** Ends the connection as a network would: at once, with an error on both sides. */
  breakWith(error: Error | undefined): void {
    if (this.closed) return
    this.#end(error)
    const peer = this.#peer!
    this.#schedule(() => peer.#peerGone(error))
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#schedule(() => this.#read())
  }

  setOptions(options: TransportOptions): void {
    this.#options = { ...this.#options, ...options }
  }

  options(): TransportOptions {
    return { ...this.#options }
  }

  /** Moves what was written into the peer's inbox, as far as its window goes. */
  #deliver(): void {
    const peer = this.#peer!
    while (this.#outbox.length > 0 && !this.closed && !peer.closed && peer.#inboxBytes < this.#windowBytes) {
      const { bytes, done } = this.#outbox.shift()!
      this.bufferedBytes -= bytes.length
      // The writer may reuse its bytes once `done` was called.
      for (const chunk of this.#chunk(new Uint8Array(bytes))) {
        peer.#inbox.push(chunk)
        peer.#inboxBytes += chunk.length
      }
      done?.()
    }
    peer.#read()
    if (this.#ending && this.#outbox.length === 0 && !this.closed) this.destroy()
  }

  #read(): void {
    while (this.#inbox.length > 0 && this.#handlers !== undefined && !this.#paused && !this.closed) {
      const arrived = this.#inbox.shift()!
      const chunk = this.#place(arrived, this.#handlers.room?.())
      if (chunk.length < arrived.length) this.#inbox.unshift(arrived.subarray(chunk.length))
      this.#inboxBytes -= chunk.length
      if (this.#inbox.length === 0) this.#schedule(() => this.#peer!.#deliver())
      this.#handlers.onData(chunk)
      if (chunk === arrived) chunk.fill(LENT)
    }
    if (this.#peerEnded !== undefined && this.#inbox.length === 0) this.#end(this.#peerEnded.error)
  }

  /** What is read of `arrived` at once: in the place that the reader wants, or where it is. */
  #place(arrived: Uint8Array, room: Uint8Array | undefined): Uint8Array {
    if (room === undefined) return arrived
    const part = room.subarray(0, Math.min(room.length, arrived.length))
    part.set(arrived.subarray(0, part.length))
    return part
  }

  /** The peer ended: what it sent before can still be read. */
  #peerGone(error: Error | undefined): void {
    this.#peerEnded = { error }
    if (error !== undefined) this.#inbox = []
    this.#read()
  }

  #end(error: Error | undefined): void {
    if (this.closed) return
    this.closed = true
    const lost = this.#outbox
    this.#outbox = []
    this.#inbox = []
    this.bufferedBytes = 0
    this.#schedule(() => {
      for (const { done } of lost) done?.()
      this.#handlers?.onClose(error)
    })
  }
}
