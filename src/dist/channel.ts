/**
 * The distribution channel: everything between two nodes after their handshake (OTP "Distribution Protocol", "Protocol
 * between Connected Nodes"). Bytes in, signals out; signals in, bytes out; time is an argument. Not supported: the
 * message forms from before OTP 23 that no node sends any more (the obsolete atom cache of DFLAG_ATOM_CACHE).
 *
 *     receive(chunk) ─▶ framing ─▶ header, atom cache ─▶ fragments ─▶ control message, payload ─▶ onSignal
 *     send(signal)  ─▶ control message, payload ─▶ header, atom cache ─▶ fragments ─▶ takeOutput, written
 *
 * If DIST_HDR_ATOM_CACHE or FRAGMENTS was negotiated, every frame in both directions has a distribution header;
 * otherwise each is `112, 131 control message, 131 payload`.
 */
import type { Atom } from '../etf/atom.js'
import { AtomBudget } from '../etf/budget.js'
import { Reader, type DecodeContext } from '../etf/decode.js'
import type { EncodeContext } from '../etf/encode.js'
import type { Pid } from '../etf/identifiers.js'
import { DistError, EtfError } from '../errors.js'
import type { Limits } from '../limits.js'
import { AtomCacheWriter } from './atom-cache.js'
import { readUint64 } from './bytes.js'
import { attachPayload, decodeControl } from './control-decode.js'
import { type ControlFeatures, isSent, senderOf, writeControl, writePayload } from './control-encode.js'
import { FragmentAssembler } from './fragments.js'
import { FrameReader } from './framing.js'
import {
  AtomCacheReader,
  DIST_FRAG_CONT,
  DIST_FRAG_HEADER,
  DIST_HEADER,
  FRAGMENT_HEADER_BYTES,
  PASS_THROUGH,
  VERSION,
} from './header.js'
import { FRAGMENT_BYTES, OutputQueue } from './output.js'
import type { SignalIn, SignalOut } from './signals.js'
import { Ticker } from './ticker.js'

/** What the handshake negotiated, as far as the channel is concerned. */
export interface ChannelFeatures extends ControlFeatures {
  /** DIST_HDR_ATOM_CACHE or FRAGMENTS: frames have a distribution header. */
  header: boolean
  /** DIST_HDR_ATOM_CACHE. */
  atomCache: boolean
  /** FRAGMENTS. */
  fragments: boolean
}

export interface ChannelOptions {
  features: ChannelFeatures
  limits: Limits
  /** Milliseconds, on the monotonic clock of which `tick` and `receive` are told the time. */
  now: number
  netTicktimeMs: number
  netTickintensity: number
  /** The peer is hidden: it gets a tick whenever it is silent. */
  hiddenPeer: boolean
  /** The peer: where OTP demands that a signal is from a process of the peer, others are refused. */
  peer?: Atom
  /** How terms are written for this peer. */
  encode: EncodeContext
  /**
   * A signal from the peer, synchronously and in the order of the wire.
   * @param bytes what it took on the wire, without headers
   */
  onSignal(signal: SignalIn, bytes: number): void
  /**
   * A message whose payload is no term: it is lost, and the channel goes on. Without this handler, and for signals other
   * than messages (a lost exit or spawn request would leave someone waiting), the channel ends, as in a BEAM.
   */
  onBadMessage?(error: EtfError | DistError): void
  /** The output fell below half the busy limit again. */
  onWritable?(): void
}

/** Bytes and frames since the channel began; ticks count as frames. */
export interface ChannelStats {
  receivedBytes: number
  receivedFrames: number
  sentBytes: number
  sentFrames: number
  queuedBytes: number
  /** Fragmented messages of the peer that are not complete, and what they hold. */
  incompleteMessages: number
  incompleteBytes: number
  /** When bytes last came from the peer. */
  receivedAt: number
}

export class Channel {
  private readonly features: ChannelFeatures
  private readonly limits: Limits
  private readonly options: ChannelOptions
  private readonly frameReader: FrameReader
  private readonly atomsIn: AtomCacheReader
  private readonly atomsOut = new AtomCacheWriter()
  private readonly assembler: FragmentAssembler
  private readonly output: OutputQueue
  private readonly ticker: Ticker
  private readonly encodeContext: EncodeContext
  private readonly decodeContext: DecodeContext
  private receivedBytes = 0
  private receivedFrames = 0
  private receivedAt: number
  private overLimit = false
  private encoding = false
  private ended = false

  constructor(options: ChannelOptions) {
    const { features, limits } = options
    this.options = options
    this.features = features
    this.limits = limits
    this.receivedAt = options.now
    const newAtoms = new AtomBudget(limits)
    this.atomsIn = new AtomCacheReader(features.header && features.atomCache, newAtoms)
    this.decodeContext = { limits, newAtoms, atoms: this.atomsIn.atoms }
    this.encodeContext =
      features.header && features.atomCache ? { ...options.encode, atoms: this.atomsOut } : options.encode
    this.assembler = new FragmentAssembler(limits)
    this.frameReader = new FrameReader(
      {
        onFrame: (bytes, start, end) => this.receiveFrame(bytes, start, end),
        onPieces: (pieces) => this.receivePieces(pieces),
        onTick: () => void this.receivedFrames++,
      },
      limits.maxFrameBytes,
    )
    this.output = new OutputQueue(this.atomsOut, {
      header: features.header,
      fragmentBytes: features.fragments ? FRAGMENT_BYTES : Infinity,
    })
    this.ticker = new Ticker(options.netTicktimeMs, options.netTickintensity, options.hiddenPeer, options.now)
  }

  /** Bytes of signals that have not left: encoded, and not covered by {@link written}. */
  get queuedBytes(): number {
    return this.output.queuedBytes
  }

  /** `queuedBytes` reached the busy limit, and has not fallen below half of it since. */
  get busy(): boolean {
    return this.overLimit
  }

  get closed(): boolean {
    return this.ended
  }

  /**
   * Bytes from the peer, in chunks of any size, which must not change afterwards (signals may refer to them).
   * @throws DistError when the peer broke the protocol or a limit: close the channel and the connection.
   */
  receive(chunk: Uint8Array, now: number): void {
    if (this.ended) return
    this.receivedBytes += chunk.length
    this.receivedAt = now
    this.frameReader.receive(chunk)
  }

  /**
   * Queues a signal for the peer. Nothing of it remains when it throws.
   * @param sender the process whose signals keep their order with this one, where the signal does not say: a process
   *   that is monitored by name
   * @returns false when the output is over the busy limit (the signal is queued), or the channel is closed (it is not)
   * @throws EtfError what the peer cannot carry, or is no term
   * @throws DistError `DIST_NOT_NEGOTIATED`, `DIST_QUEUE_FULL`, `DIST_SEND_WITHIN_SEND`
   */
  send(signal: SignalOut, sender: Pid | undefined = senderOf(signal)): boolean {
    if (this.ended) return false
    if (this.encoding) {
      throw new DistError('DIST_SEND_WITHIN_SEND', 'a getter of a term that is being sent sends itself')
    }
    if (!isSent(signal, this.features)) return !this.overLimit
    const { output, atomsOut, encodeContext } = this
    const { writer } = output
    output.begin()
    atomsOut.begin()
    this.encoding = true
    let controlEnd: number
    try {
      if (!this.features.header) this.writeVersion()
      const payload = writeControl(writer, signal, this.features, encodeContext)
      controlEnd = writer.position
      if (payload) {
        if (!this.features.header) this.writeVersion()
        writePayload(writer, signal, encodeContext)
      }
      this.checkRoom(output.messageBytes)
    } catch (error) {
      output.abort()
      atomsOut.abort()
      throw error
    } finally {
      this.encoding = false
    }
    // A getter of the signal may have closed the channel.
    if (this.closed) return false
    output.commit(controlEnd, sender, atomsOut.take())
    if (output.queuedBytes >= this.limits.busyLimitBytes) this.overLimit = true
    return !this.overLimit
  }

  /**
   * The next bytes to write, in order; undefined when there are none. They stay as they are until {@link written} has
   * covered them. Take no more than the transport can use soon: what is not taken yet, other senders' signals overtake.
   */
  takeOutput(maxBytes = Infinity): Uint8Array | undefined {
    return this.ended || this.encoding ? undefined : this.output.take(maxBytes)
  }

  /** The transport took the next `bytes` of what {@link takeOutput} gave: their memory is used again. */
  written(bytes: number): void {
    if (this.ended) return
    this.output.written(bytes)
    if (this.overLimit && this.output.queuedBytes < this.limits.busyLimitBytes / 2) {
      this.overLimit = false
      this.options.onWritable?.()
    }
  }

  /**
   * To be called every {@link tickIntervalMs}. `tick`: a tick was queued. `silent`: nothing came for the tick time; the
   * peer is down (`net_tick_timeout`).
   * @param heldBack reading from the peer was paused since the last call, so its silence does not count
   */
  tick(now: number, heldBack = false): 'idle' | 'tick' | 'silent' {
    if (this.ended) return 'idle'
    const { output, ticker } = this
    if (output.queuedBytes === 0) output.trim()
    const traffic = { received: this.receivedBytes, sent: output.totalBytes, pending: output.queuedBytes }
    const result = ticker.ask(traffic, now, heldBack)
    if (result === 'tick') {
      output.tick()
      ticker.ticked(output.totalBytes)
    }
    return result
  }

  /** The extra ticks of a transition to another `net_ticktime` (`net_kernel`'s aux_ticker). */
  auxTick(): void {
    if (!this.ended && (this.options.hiddenPeer || this.output.queuedBytes === 0)) this.output.tick()
  }

  get tickIntervalMs(): number {
    return this.ticker.intervalMs
  }

  setTicktime(netTicktimeMs: number): void {
    this.ticker.setTicktime(netTicktimeMs)
  }

  stats(): ChannelStats {
    return {
      receivedBytes: this.receivedBytes,
      receivedFrames: this.receivedFrames,
      sentBytes: this.output.totalBytes - this.output.queuedBytes,
      sentFrames: this.output.frames,
      queuedBytes: this.output.queuedBytes,
      incompleteMessages: this.assembler.messages,
      incompleteBytes: this.assembler.bytes + this.frameReader.heldBytes,
      receivedAt: this.receivedAt,
    }
  }

  /** Ends the channel and frees what it holds. Nothing is received, sent or reported any more. */
  close(): void {
    if (this.ended) return
    this.ended = true
    this.frameReader.reset()
    this.assembler.clear()
    this.output.clear()
  }

  private writeVersion(): void {
    const { writer } = this.output
    writer.ensure(1)
    writer.bytes[writer.position++] = VERSION
  }

  private checkRoom(bytes: number): void {
    const { maxQueuedBytes } = this.limits
    if (this.output.queuedBytes + bytes <= maxQueuedBytes) return
    throw new DistError(
      'DIST_QUEUE_FULL',
      `a signal of ${bytes} bytes is refused: ${this.output.queuedBytes} bytes wait for this peer already, and maxQueuedBytes is ${maxQueuedBytes}`,
    )
  }

  private receiveFrame(bytes: Uint8Array, start: number, end: number): void {
    if (this.ended) return
    this.receivedFrames++
    if (!this.features.header) {
      if (bytes[start] !== PASS_THROUGH) throw this.badFrame(bytes, start, end)
      return this.receiveMessage(bytes, start + 1, end, this.decodeContext)
    }
    if (end - start < 2 || bytes[start] !== VERSION) throw this.badFrame(bytes, start, end)
    switch (bytes[start + 1]) {
      case DIST_HEADER: {
        const body = this.atomsIn.read(bytes, start + 2, end)
        return this.receiveMessage(bytes, body, end, this.decodeContext)
      }
      case DIST_FRAG_HEADER: {
        const fragmentId = this.fragmentId(bytes, start, end)
        const body = this.atomsIn.read(bytes, start + FRAGMENT_HEADER_BYTES, end)
        if (fragmentId === 1) return this.receiveMessage(bytes, body, end, this.decodeContext)
        const atoms = this.atomsIn.snapshot()
        return this.assembler.start(
          readUint64(bytes, start + 2),
          fragmentId,
          atoms,
          bytes.subarray(body, end),
        )
      }
      case DIST_FRAG_CONT: {
        const fragmentId = this.fragmentId(bytes, start, end)
        const piece = bytes.subarray(start + FRAGMENT_HEADER_BYTES, end)
        return this.receiveFragment(readUint64(bytes, start + 2), fragmentId, [piece])
      }
      default:
        throw this.badFrame(bytes, start, end)
    }
  }

  /** A later fragment need not be in one piece to be kept until its message is complete. */
  private receivePieces(pieces: readonly Uint8Array[]): boolean {
    if (this.ended) return true
    const [first, ...others] = pieces
    if (first.length < FRAGMENT_HEADER_BYTES || first[0] !== VERSION || first[1] !== DIST_FRAG_CONT)
      return false
    if (!this.features.header) return false
    this.receivedFrames++
    const fragmentId = this.fragmentId(first, 0, first.length)
    this.receiveFragment(readUint64(first, 2), fragmentId, [first.subarray(FRAGMENT_HEADER_BYTES), ...others])
    return true
  }

  private receiveFragment(
    sequenceId: number | bigint,
    fragmentId: number,
    pieces: readonly Uint8Array[],
  ): void {
    const message = this.assembler.continue(sequenceId, fragmentId, pieces)
    if (message === undefined) return
    const { bytes, atoms } = message
    this.receiveMessage(bytes, 0, bytes.length, { ...this.decodeContext, atoms })
  }

  private fragmentId(bytes: Uint8Array, start: number, end: number): number {
    if (!this.features.fragments) {
      throw new DistError('DIST_BAD_FRAGMENT', 'the peer sends a fragment; FRAGMENTS was not negotiated')
    }
    if (end - start < FRAGMENT_HEADER_BYTES) throw this.badFrame(bytes, start, end)
    const id = readUint64(bytes, start + 10)
    if (typeof id === 'bigint' || id === 0) {
      throw new DistError('DIST_BAD_FRAGMENT', `the peer sends a fragment with the impossible id ${id}`)
    }
    return id
  }

  private receiveMessage(bytes: Uint8Array, start: number, end: number, context: DecodeContext): void {
    const reader = new Reader(bytes, start, end, context)
    let control
    try {
      if (!this.features.header) this.readVersion(reader)
      control = reader.readTerm()
    } catch (cause) {
      throw new DistError('DIST_BAD_CONTROL', `the peer's control message is no term: ${messageOf(cause)}`, {
        cause,
      })
    }
    const { signal, payload } = decodeControl(control, this.options.peer)
    if (payload && !this.readPayload(reader, signal)) return
    this.options.onSignal(signal, end - start)
  }

  /** False when the payload is none and the channel goes on without the message. */
  private readPayload(reader: Reader, signal: SignalIn): boolean {
    try {
      if (!this.features.header) this.readVersion(reader)
      attachPayload(signal, reader.readTerm())
      return true
    } catch (error) {
      if (!(error instanceof EtfError || error instanceof DistError)) throw error
      const { onBadMessage } = this.options
      if (onBadMessage === undefined || !isMessage(signal) || error.code === 'ETF_TOO_MANY_ATOMS') {
        throw new DistError(
          'DIST_BAD_PAYLOAD',
          `the payload of ${signal.type} is no term: ${error.message}`,
          {
            cause: error,
          },
        )
      }
      onBadMessage.call(this.options, error)
      return false
    }
  }

  private readVersion(reader: Reader): void {
    const { position } = reader
    if (position >= reader.end || reader.bytes[position] !== VERSION) {
      throw new DistError('DIST_BAD_FRAME', `a term in a pass-through frame starts with ${VERSION}`)
    }
    reader.position++
  }

  private badFrame(bytes: Uint8Array, start: number, end: number): DistError {
    const begins = Array.from(bytes.subarray(start, Math.min(start + 4, end))).join(',')
    const expected = this.features.header ? 'a distribution header (131,68..70)' : 'pass-through (112)'
    return new DistError(
      'DIST_BAD_FRAME',
      `the peer sends a frame of ${end - start} bytes that begins with <<${begins}>> where ${expected} was negotiated`,
    )
  }
}

function isMessage(signal: SignalIn): boolean {
  switch (signal.type) {
    case 'send':
    case 'regSend':
    case 'aliasSend':
      return true
    case 'altactSend':
      return !signal.exit
    default:
      return false
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
