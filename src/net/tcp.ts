/** TCP as a {@link Transport}, and the listener. TCP_NODELAY is always set: without it a round trip takes 40 ms. */
import { connect, createServer, type LookupFunction, type Server, type Socket } from 'node:net'
import { NodeError } from '../errors.js'
import { DEFAULT_LIMITS } from '../limits.js'
import { BulkMemory, type BulkMover } from './bulk-memory.js'
import { BusyWait } from './busy-wait.js'
import { systemClock } from './clock.js'
import { Coalescing } from './coalescing.js'
import { FairReading } from './fair-reading.js'
import { sleep } from './sleep.js'
import { SocketReader } from './socket-reader.js'
import { turnEnd } from './turn-end.js'
import type { Transport, TransportAddress, TransportHandlers, TransportOptions } from './transport.js'

// Of the whole process, as its heap and its event loop are.
const bulkMemory = new BulkMemory()
const busyWait = new BusyWait(systemClock, () => process.getBuiltinModule('node:os').availableParallelism())
const coalescing = new Coalescing({
  now: systemClock.now,
  deferLast: turnEnd.deferLast,
  sleep,
  cpuMs() {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  },
})
const fairReading = new FairReading()

/** What of the limits holds for one connection. */
export interface TcpOptions {
  /** How long a peer may take to read what was written before `close`. */
  lingerMs?: number
  /** How long to wait busily for what may come next. */
  busyWaitMs?: number
  /** How long to let many small messages gather. */
  coalescingMs?: number
  /** How much memory of large binaries may be kept for the next ones. */
  bulkMemoryBytes?: number
  /** What may come in a turn of the event loop while other connections send too. */
  maxReadTurnBytes?: number
}

/** A connected socket. Takes it over: nothing else may listen to it. */
export class TcpTransport implements Transport {
  readonly protocol = 'tcp'
  readonly handshakeLengthBytes = 2
  readonly localAddress: TransportAddress | undefined
  readonly remoteAddress: TransportAddress | undefined
  readonly #socket: Socket
  readonly #lingerMs: number
  readonly #busyWaitMs: number
  readonly #coalescingMs: number
  readonly #bulkMemoryBytes: number
  readonly #maxReadTurnBytes: number
  readonly #reader: SocketReader | undefined
  readonly #options: Required<TransportOptions> = { nodelay: true, keepalive: true }
  #handlers: TransportHandlers | undefined
  #closing = false
  /** Reading is wanted; it is put off to the next turn of the event loop. */
  #reading = true
  #yielding = false
  readonly #fair = fairReading.connection()
  readonly #mover: BulkMover = { trim: () => this.#handlers?.trim?.() }
  #error: Error | undefined
  /** `onClose` is owed to handlers that come after the end. */
  #ended = false

  /** @param reader what the socket reads with, if it is not a stream of chunks */
  constructor(socket: Socket, options: TcpOptions = {}, reader?: SocketReader) {
    this.#socket = socket
    this.#lingerMs = options.lingerMs ?? DEFAULT_LIMITS.closeLingerMs
    this.#busyWaitMs = options.busyWaitMs ?? DEFAULT_LIMITS.busyWaitMs
    this.#coalescingMs = options.coalescingMs ?? DEFAULT_LIMITS.coalescingMs
    this.#bulkMemoryBytes = options.bulkMemoryBytes ?? DEFAULT_LIMITS.bulkMemoryBytes
    this.#maxReadTurnBytes = options.maxReadTurnBytes ?? DEFAULT_LIMITS.maxReadTurnBytes
    this.#reader = reader
    this.localAddress = address(socket.localAddress, socket.localPort)
    this.remoteAddress = address(socket.remoteAddress, socket.remotePort)
    socket.setNoDelay(true)
    socket.setKeepAlive(true)
    socket.on('error', (error) => (this.#error = error))
    // The distribution has no half-open connections: a BEAM that sends FIN is gone. Told at once, not when the socket has
    // been closed: what other sockets bring in the same turn of the event loop may be for the peer's next connection.
    socket.on('end', () => {
      socket.destroy()
      this.#end()
    })
    socket.on('close', () => this.#end())
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    bulkMemory.gone(this.#mover)
    this.#handlers?.onClose(this.#error)
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength
  }

  get closed(): boolean {
    return this.#socket.destroyed
  }

  attach(handlers: TransportHandlers): void {
    this.#handlers = handlers
    if (this.#ended) {
      queueMicrotask(() => handlers.onClose(this.#error))
      return
    }
    let frames = 0
    const received = (chunk: Uint8Array): void => {
      if (this.#closing) return
      handlers.onData(chunk)
      const before = frames
      frames = handlers.frames?.() ?? 0
      // Who has sent no frame has not said yet who it is.
      if (frames === 0) return
      bulkMemory.moved(chunk.length, this.#bulkMemoryBytes, this.#mover)
      busyWait.received(frames - before, chunk.length, this.#busyWaitMs)
      coalescing.received(frames - before, chunk.length, this.#coalescingMs)
      this.#takeTurns(chunk.length)
    }
    if (this.#reader === undefined) this.#socket.on('data', received)
    else this.#reader.start(received, handlers.room)
    this.#socket.resume()
  }

  /** Where others send too, one that brings much lets them be read. */
  #takeTurns(bytes: number): void {
    // Closed by what was in it: the rest is read and dropped until the peer ends too.
    if (this.#closing) return
    const { inTurn } = this.#fair
    const yields = this.#fair.received(bytes, this.#maxReadTurnBytes, systemClock.now())
    if (this.#fair.inTurn && !inTurn) turnEnd.defer(this.#nextTurn)
    if (!yields || this.#yielding) return
    this.#yielding = true
    coalescing.more()
    this.#socket.pause()
  }

  readonly #nextTurn = (): void => {
    this.#fair.turnEnded()
    if (!this.#yielding) return
    this.#yielding = false
    if (this.#reading && !this.#closing && !this.#socket.destroyed) this.#socket.resume()
  }

  write(bytes: Uint8Array | readonly Uint8Array[], done?: () => void): void {
    const socket = this.#socket
    if (this.#closing || socket.destroyed) {
      if (done !== undefined) queueMicrotask(done)
      return
    }
    if (bytes instanceof Uint8Array) {
      bulkMemory.moved(bytes.length, this.#bulkMemoryBytes, this.#mover)
      coalescing.written(bytes.length)
      socket.write(bytes, done)
      return
    }
    // Corked writes are one call of the system.
    const last = bytes.length - 1
    let length = 0
    if (last > 0) socket.cork()
    for (let i = 0; i <= last; i++) {
      length += bytes[i].length
      bulkMemory.moved(bytes[i].length, this.#bulkMemoryBytes, this.#mover)
      socket.write(bytes[i], i === last ? done : undefined)
    }
    if (last > 0) socket.uncork()
    coalescing.written(length)
  }

  close(waitForPeer = true): void {
    if (this.#closing || this.#socket.destroyed) return
    this.#closing = true
    const socket = this.#socket
    if (!waitForPeer) socket.once('finish', () => socket.destroy())
    // What the peer still sends is read and dropped until it ends too: closing with unread input would send RST, and
    // that can take from the peer what we wrote last.
    const timer = setTimeout(() => socket.destroy(), this.#lingerMs)
    socket.once('close', () => clearTimeout(timer))
    if (this.#handlers === undefined) socket.on('data', () => undefined)
    socket.resume()
    socket.end()
  }

  destroy(): void {
    this.#closing = true
    this.#socket.destroy()
  }

  pause(): void {
    this.#reading = false
    if (!this.#closing) this.#socket.pause()
  }

  resume(): void {
    this.#reading = true
    if (!this.#closing && !this.#yielding) this.#socket.resume()
  }

  setOptions(options: TransportOptions): void {
    if (options.nodelay !== undefined) this.#socket.setNoDelay((this.#options.nodelay = options.nodelay))
    if (options.keepalive !== undefined)
      this.#socket.setKeepAlive((this.#options.keepalive = options.keepalive))
  }

  options(): TransportOptions {
    return { ...this.#options }
  }
}

export interface ConnectTcpOptions extends TcpOptions {
  host: string
  port: number
  /** For name resolution and connecting together. */
  timeoutMs?: number
  signal?: AbortSignal | undefined
  /** Resolves `host` instead of the system. */
  lookup?: LookupFunction
}

/**
 * Connects.
 * @throws NodeError `NODE_CONNECT_FAILED` (with the system's error as cause), `NODE_CONNECT_TIMEOUT`; the reason of
 *   `signal` when it is aborted
 */
export function connectTcp(options: ConnectTcpOptions): Promise<TcpTransport> {
  const { host, port, signal, timeoutMs = DEFAULT_LIMITS.setupTimeMs } = options
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason)
      return
    }
    const lookup = options.lookup === undefined ? {} : { lookup: options.lookup }
    const reader = new SocketReader()
    const { onread } = reader
    const socket = connect({ host, port, noDelay: true, keepAlive: true, onread, ...lookup })
    // Nothing is read before someone is there to take it.
    socket.pause()
    const settle = (settled: () => void): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', aborted)
      socket.off('error', failed).off('connect', connected)
      settled()
    }
    const fail = (error: unknown): void => {
      settle(() => {
        socket.on('error', () => undefined)
        socket.destroy()
        reject(error)
      })
    }
    const aborted = (): void => fail(signal?.reason)
    const timer = setTimeout(() => {
      fail(
        new NodeError('NODE_CONNECT_TIMEOUT', `no TCP connection to ${host}:${port} within ${timeoutMs} ms`),
      )
    }, timeoutMs)
    const failed = (cause: Error): void => {
      fail(
        new NodeError('NODE_CONNECT_FAILED', `no TCP connection to ${host}:${port}: ${cause.message}`, {
          cause,
        }),
      )
    }
    const connected = (): void => settle(() => resolve(new TcpTransport(socket, options, reader)))
    signal?.addEventListener('abort', aborted, { once: true })
    socket.once('error', failed)
    socket.once('connect', connected)
  })
}

export interface ListenTcpOptions extends TcpOptions {
  host: string
  /** 0: any free one. */
  port: number
  signal?: AbortSignal
}

/** A listening port. */
export class TcpListener {
  readonly address: TransportAddress
  readonly #server: Server

  constructor(server: Server, listening: TransportAddress) {
    this.#server = server
    this.address = listening
  }

  /** Stops listening: the port is free when this returns. Connections that were accepted live on. */
  close(): void {
    this.#server.close()
  }
}

/**
 * Listens. Each connection is handed over before anything is read from it.
 * @throws NodeError `NODE_LISTEN_FAILED` with the system's error as cause; the reason of `signal` when it is aborted
 */
export function listenTcp(
  options: ListenTcpOptions,
  onTransport: (transport: TcpTransport) => void,
): Promise<TcpListener> {
  const { host, port, signal } = options
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason)
      return
    }
    const server = createServer({ noDelay: true, keepAlive: true, pauseOnConnect: true })
    server.on('connection', (accepted) => {
      const { socket, reader } = SocketReader.adopt(accepted)
      onTransport(new TcpTransport(socket, options, reader))
    })
    const aborted = (): void => {
      server.close()
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', aborted, { once: true })
    server.once('error', (error) => {
      signal?.removeEventListener('abort', aborted)
      reject(
        new NodeError('NODE_LISTEN_FAILED', `cannot listen on ${host}:${port}: ${error.message}`, {
          cause: error,
        }),
      )
    })
    server.listen({ host, port }, () => {
      signal?.removeEventListener('abort', aborted)
      // An accept that fails (no descriptors left, for one) must not end the process.
      server.on('error', () => undefined)
      const bound = server.address()
      resolve(
        new TcpListener(server, {
          host,
          port: typeof bound === 'object' && bound !== null ? bound.port : port,
        }),
      )
    })
  })
}

function address(host: string | undefined, port: number | undefined): TransportAddress | undefined {
  return host === undefined || port === undefined ? undefined : { host, port }
}
