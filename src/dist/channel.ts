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
import type { EncodeContext } from '../etf/encode.js'
import type { Pid } from '../etf/identifiers.js'
import { DistError } from '../errors.js'
import type { Limits } from '../limits.js'
import { AtomCacheWriter } from './atom-cache.js'
import { type ControlFeatures, isSent, senderOf, writeControl, writePayload } from './control-encode.js'
import { VERSION } from './header.js'
import { FRAGMENT_BYTES, OutputQueue } from './output.js'
import { ChannelReceiver, type FrameFeatures, type ReceiverHandlers } from './receiver.js'
import type { SignalOut } from './signals.js'
import { Ticker } from './ticker.js'

/** What the handshake negotiated, as far as the channel is concerned. */
export interface ChannelFeatures extends ControlFeatures, FrameFeatures {}

export interface ChannelOptions extends ReceiverHandlers {
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
  /** This node: where OTP demands that a signal is for a process of this node, others are refused. */
  self?: Atom
  /** How terms are written for this peer. */
  encode: EncodeContext
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
  private readonly receiver: ChannelReceiver
  private readonly atomsOut = new AtomCacheWriter()
  private readonly output: OutputQueue
  private readonly ticker: Ticker
  private readonly encodeContext: EncodeContext
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
    this.receiver = new ChannelReceiver(features, limits, options, options.peer, options.self)
    this.encodeContext =
      features.header && features.atomCache ? { ...options.encode, atoms: this.atomsOut } : options.encode
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

  /** Frames from the peer since the channel began; ticks count. */
  get receivedFrames(): number {
    return this.receiver.frames
  }

  get closed(): boolean {
    return this.ended
  }

  /**
   * Bytes from the peer, in chunks of any size. They are lent: no signal refers to them.
   * @throws DistError when the peer broke the protocol or a limit: close the channel and the connection.
   */
  receive(chunk: Uint8Array, now: number): void {
    if (this.ended) return
    this.receivedAt = now
    this.receiver.receive(chunk)
  }

  /**
   * Where the next bytes from the peer would best be put, if that matters: the part that was filled is passed to
   * {@link receive} as a subarray of this. Good until then.
   */
  room(): Uint8Array | undefined {
    return this.receiver.room()
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
    let controlBytes: number
    try {
      if (!this.features.header) this.writeVersion()
      const payload = writeControl(writer, signal, this.features, encodeContext)
      controlBytes = output.messageBytes
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
    output.commit(controlBytes, sender, atomsOut.current)
    if (output.queuedBytes >= this.limits.busyLimitBytes) this.overLimit = true
    return !this.overLimit
  }

  /**
   * The next bytes to write, in order; undefined when there are none. They stay as they are until {@link written} has
   * covered them. Take no more than the transport can use soon: what is not taken yet, other senders' signals overtake.
   * @param fragments false: a long message under way does not go on, only others' signals are given
   */
  takeOutput(maxBytes = Infinity, fragments = true): Uint8Array | undefined {
    return this.ended || this.encoding ? undefined : this.output.take(maxBytes, fragments)
  }

  /** How many signals ever were sent while another sender's long message was under way. */
  get overtaking(): number {
    return this.output.overtaking
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

  /** Gives up memory that is only ready for what may come or be sent. */
  trim(): void {
    if (this.ended) return
    this.receiver.trim()
    this.output.trim()
  }

  /**
   * To be called every {@link tickIntervalMs}. `tick`: a tick was queued. `silent`: nothing came for the tick time; the
   * peer is down (`net_tick_timeout`).
   * @param heldBack reading from the peer was paused since the last call, so its silence does not count
   */
  tick(now: number, heldBack = false): 'idle' | 'tick' | 'silent' {
    if (this.ended) return 'idle'
    const { output, ticker } = this
    this.trim()
    const traffic = { received: this.receiver.bytes, sent: output.totalBytes, pending: output.queuedBytes }
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
      receivedBytes: this.receiver.bytes,
      receivedFrames: this.receiver.frames,
      sentBytes: this.output.totalBytes - this.output.queuedBytes,
      sentFrames: this.output.frames,
      queuedBytes: this.output.queuedBytes,
      incompleteMessages: this.receiver.incompleteMessages,
      incompleteBytes: this.receiver.incompleteBytes,
      receivedAt: this.receivedAt,
    }
  }

  /** Ends the channel and frees what it holds. Nothing is received, sent or reported any more. */
  close(): void {
    if (this.ended) return
    this.ended = true
    this.receiver.close()
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
}
