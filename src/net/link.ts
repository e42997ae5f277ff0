/**
 * A link: one transport, on which first a handshake runs and then a channel. The state machines of both know nothing of
 * each other; here the negotiated flags become the channel's features, and the bytes that followed the handshake its
 * first input.
 *
 *     transport ── onData ──→ Initiator or Acceptor ── established ──→ Channel ── onSignal ──→ kernel
 *     transport ←── write ─── (at once)                                Channel ←── send ────── kernel
 *                  └── one flush per turn of the event loop, eight signals, or large read ┘
 *
 * Timers fire before sockets are read. So neither the set-up time nor the tick decides in its timer: both look again
 * after the input that is waiting has been read.
 */
import { Channel } from '../dist/channel.js'
import type { SignalIn, SignalOut } from '../dist/signals.js'
import { internAtom } from '../etf/atom.js'
import type { Pid } from '../etf/identifiers.js'
import { type BeampeerError, DistError, HandshakeError } from '../errors.js'
import { Acceptor } from '../handshake/acceptor.js'
import { DistFlag, hasFlag } from '../handshake/flags.js'
import { Initiator } from '../handshake/initiator.js'
import type {
  HandshakeEvent,
  HandshakeResult,
  HandshakeWorld,
  NameOffer,
  NodeIdentity,
} from '../handshake/types.js'
import { systemClock, type Clock, type Timer } from './clock.js'
import { channelFeatures, encodeContext } from './link-features.js'
import type {
  AcceptLinkOptions,
  Link,
  LinkConfig,
  LinkDownReason,
  LinkHandlers,
  LinkStats,
  OpenLinkOptions,
} from './link-options.js'
import { Pace } from './pace.js'
import type { Transport } from './transport.js'

export type * from './link-options.js'

/**
 * Connects to a node over a transport that is connected: sends our name at once.
 * @throws ArgumentError `BAD_ARGUMENT` for a name, host or cookie that no handshake can carry
 */
export function openLink(transport: Transport, options: OpenLinkOptions, handlers: LinkHandlers): Link {
  const clock = options.clock ?? systemClock
  const initiator = new Initiator({ ...options, ...world(transport, options) }, clock.now())
  const link = new TransportLink('out', transport, initiator, options, clock, handlers)
  link.start(initiator.start(), options.peerName, options.thisNode)
  return link
}

/**
 * Takes a node that connects: waits for its name.
 * @throws ArgumentError `BAD_ARGUMENT` when this node's name is none
 */
export function acceptLink(transport: Transport, options: AcceptLinkOptions, handlers: LinkHandlers): Link {
  const clock = options.clock ?? systemClock
  const acceptor = new Acceptor({ ...options, ...world(transport, options) }, clock.now())
  const link = new TransportLink('in', transport, acceptor, options, clock, handlers)
  link.start([], undefined, options.thisNode)
  return link
}

function world(transport: Transport, config: LinkConfig): HandshakeWorld {
  return {
    md5: config.md5,
    challenge: config.randomChallenge(),
    limits: config.limits,
    lengthBytes: transport.handshakeLengthBytes,
  }
}

/** What a read has to take for its answers not to wait for the end of the turn, which has more such reads. */
const PROMPT_BYTES = 16 * 1024

/** After as many signals the answers to them leave, though more was read: the peer has work while those are handled. */
const PROMPT_SIGNALS = 16

/**
 * What an element of a container takes in memory beside its bytes on the wire, about: an empty list (a byte) 40, an empty
 * tuple (two) 72, an empty binary (five) 100; a small integer (two) only 8, but nobody attacks with those.
 */
const ELEMENT_BYTES = 64

class TransportLink implements Link {
  readonly direction: 'out' | 'in'
  readonly transport: Transport
  state: 'handshake' | 'up' | 'down' = 'handshake'
  peerName: string | undefined
  peerCreation = 0
  peerFlags = 0n
  negotiatedFlags = 0n
  thisNode: NodeIdentity | undefined
  namedByPeer = false

  readonly #machine: Initiator | Acceptor
  readonly #config: LinkConfig
  readonly #clock: Clock
  readonly #handlers: LinkHandlers
  #channel: Channel | undefined
  /** The set-up time while in handshake, the tick afterwards. */
  #timer: Timer | undefined
  #netTicktimeMs: number
  #flushing = false
  /** Signals handled since output waits for a flush. */
  #handled = 0
  readonly #pace = new Pace()
  #paceTimer: Timer | undefined
  #pauses = 0
  /** Reading was held back since the last tick: what the peer sent lies in the transport. */
  #heldBack = false
  #drainWaiters: (() => void)[] = []

  constructor(
    direction: 'out' | 'in',
    transport: Transport,
    machine: Initiator | Acceptor,
    config: LinkConfig,
    clock: Clock,
    handlers: LinkHandlers,
  ) {
    this.direction = direction
    this.transport = transport
    this.#machine = machine
    this.#config = config
    this.#clock = clock
    this.#handlers = handlers
    this.#netTicktimeMs = config.netTicktimeMs
  }

  start(first: HandshakeEvent[], peerName: string | undefined, thisNode: NodeIdentity | undefined): void {
    this.peerName = peerName
    this.thisNode = thisNode
    this.transport.attach({
      onData: (chunk) => this.#received(chunk),
      room: () => this.#channel?.room(),
      trim: () => this.#channel?.trim(),
      frames: () => this.#channel?.receivedFrames ?? 0,
      onClose: (error) => this.#transportClosed(error),
    })
    this.#advance(first)
  }

  get hidden(): boolean {
    return !hasFlag(this.negotiatedFlags, DistFlag.PUBLISHED)
  }

  get queuedBytes(): number {
    return this.#channel?.queuedBytes ?? 0
  }

  get busy(): boolean {
    return this.#channel?.busy ?? false
  }

  send(signal: SignalOut, sender?: Pid): boolean {
    if (this.state !== 'up') return false
    const room = this.#channel!.send(signal, sender)
    this.#scheduleFlush()
    return room
  }

  drained(): Promise<void> {
    if (this.state === 'down' || this.queuedBytes === 0) return Promise.resolve()
    return new Promise((resolve) => this.#drainWaiters.push(resolve))
  }

  close(reason: LinkDownReason, error?: BeampeerError): void {
    if (this.state !== 'up') return this.#down(reason, error, 'end')
    while (this.#flush(true));
    this.#down(reason, error, 'close')
  }

  pauseReading(): void {
    this.#heldBack = true
    if (this.#pauses++ === 0) this.transport.pause()
  }

  resumeReading(): void {
    if (this.#pauses > 0 && --this.#pauses === 0) this.transport.resume()
  }

  setTicktime(netTicktimeMs: number): void {
    this.#netTicktimeMs = netTicktimeMs
    if (this.state !== 'up') return
    this.#channel!.setTicktime(netTicktimeMs)
    this.#armTick()
  }

  auxTick(): void {
    if (this.state !== 'up') return
    this.#channel!.auxTick()
    this.#flush()
  }

  stats(): LinkStats {
    return (
      this.#channel?.stats() ?? {
        receivedBytes: 0,
        receivedFrames: 0,
        sentBytes: 0,
        sentFrames: 0,
        queuedBytes: 0,
      }
    )
  }

  // --- handshake ---

  #received(chunk: Uint8Array): void {
    if (this.state === 'up') this.#receive(chunk)
    else if (this.state === 'handshake') {
      // The handshake keeps what it has not read yet.
      this.#advance(this.#machine.receive(new Uint8Array(chunk), this.#clock.now()))
    }
  }

  #transportClosed(error: Error | undefined): void {
    if (this.state === 'handshake') return this.#advance(this.#machine.transportClosed(error))
    const lost =
      error && new DistError('DIST_CONNECTION_LOST', `connection lost: ${error.message}`, { cause: error })
    this.#down('connection_closed', lost, 'destroy')
  }

  /** Does what the state machine asks, in order, and sets the timer to its deadline. */
  #advance(events: HandshakeEvent[]): void {
    for (const event of events) {
      if (this.state !== 'handshake') return
      this.#handle(event)
    }
    if (this.state === 'handshake') this.#armSetup()
  }

  #handle(event: HandshakeEvent): void {
    switch (event.type) {
      case 'write':
        return this.transport.write(event.bytes)
      case 'status':
        return this.#handlers.onStatus?.(event.status, this)
      case 'name':
        return this.#askName(event.offer)
      case 'alive':
        return this.#ask(
          () => this.#handlers.onAlive?.(this) ?? true,
          (wanted) => (this.#machine as Initiator).answerAlive(wanted, this.#clock.now()),
        )
      case 'replace':
        return this.#ask(
          () => this.#handlers.onReplace?.(event.peerName, this),
          () => (this.#machine as Acceptor).replaced(),
        )
      case 'established':
        return this.#up(event.result)
      case 'failed':
        return this.#down('connection_setup_failed', event.error, 'end')
    }
  }

  #askName(offer: NameOffer): void {
    this.peerName = offer.name
    this.peerFlags = offer.flags
    this.#ask(
      () => {
        if (this.#handlers.onName === undefined)
          throw new TypeError('an incoming link needs the handler onName')
        return this.#handlers.onName(offer, this)
      },
      (decision) => (this.#machine as Acceptor).decide(decision, this.#clock.now()),
    )
  }

  /** Asks a handler, which may take its time, and goes on with its answer; if it fails, so does the handshake. */
  #ask<T>(question: () => T | Promise<T>, answer: (value: T) => HandshakeEvent[]): void {
    const go = (value: T): void => {
      try {
        this.#advance(this.state === 'handshake' ? answer(value) : [])
      } catch (error) {
        failed(error)
      }
    }
    const failed = (cause: unknown): void => {
      const what = cause instanceof Error ? cause.message : String(cause)
      this.#advance(
        this.#machine.abort(
          new HandshakeError(
            'HANDSHAKE_FAILED',
            `no decision: ${what}`,
            { peerName: this.peerName },
            { cause },
          ),
        ),
      )
    }
    try {
      const value = question()
      if (value instanceof Promise) value.then(go, failed)
      else go(value)
    } catch (error) {
      failed(error)
    }
  }

  #armSetup(): void {
    this.#timer?.clear()
    const waitMs = Math.max(0, Math.ceil(this.#machine.deadline - this.#clock.now()))
    this.#timer = this.#clock.setTimer(() => {
      this.#clock.defer(() => {
        if (this.state === 'handshake') this.#advance(this.#machine.expire(this.#clock.now()))
      })
    }, waitMs)
  }

  // --- channel ---

  #up(result: HandshakeResult): void {
    const { limits, netTickintensity } = this.#config
    this.peerName = result.peerName
    this.peerCreation = result.peerCreation
    this.peerFlags = result.peerFlags
    this.negotiatedFlags = result.negotiatedFlags
    this.thisNode = result.thisNode
    this.namedByPeer = result.namedByPeer
    this.#channel = new Channel({
      features: channelFeatures(result.negotiatedFlags),
      encode: encodeContext(result.negotiatedFlags, limits),
      limits,
      now: this.#clock.now(),
      netTicktimeMs: this.#netTicktimeMs,
      netTickintensity,
      hiddenPeer: this.hidden,
      peer: internAtom(result.peerName),
      self: internAtom(result.thisNode.name),
      allocate: (bytes) => Buffer.allocUnsafeSlow(bytes),
      onSignal: (signal, bytes, elements) => this.#signal(signal, bytes + elements * ELEMENT_BYTES),
      onWritable: () => {
        if (this.state === 'up') this.#handlers.onWritable?.(this)
      },
    })
    this.state = 'up'
    this.#armTick()
    this.#handlers.onUp(this)
    if (result.rest.length > 0) this.#received(result.rest)
  }

  #receive(chunk: Uint8Array): void {
    try {
      this.#channel!.receive(chunk, this.#clock.now())
    } catch (error) {
      // A peer that breaks the protocol ends its link, never the process; so does a fault of ours that it provokes.
      const reason =
        error instanceof DistError
          ? error
          : new DistError('DIST_FAILED', `input could not be handled: ${String(error)}`, { cause: error })
      this.#down('connection_closed', reason, 'destroy')
    }
    if (this.#flushing && chunk.length >= PROMPT_BYTES) this.#flushIfUp()
  }

  #signal(signal: SignalIn, weight: number): void {
    // The link may have been closed by the signal before, in the same chunk.
    if (this.state !== 'up') return
    this.#handlers.onSignal(signal, weight, this)
    if (!this.#flushing || ++this.#handled < PROMPT_SIGNALS) return
    this.#handled = 0
    this.#flushIfUp()
  }

  #flushIfUp(): void {
    if (this.state === 'up') this.#flush()
  }

  #scheduleFlush(): void {
    if (this.#flushing) return
    this.#flushing = true
    this.#handled = 0
    this.#clock.defer(this.#flushScheduled)
  }

  readonly #flushScheduled = (): void => {
    this.#flushing = false
    this.#flushIfUp()
  }

  /**
   * Hands output to the transport, if that keeps up, and no more than it should hold ahead: the rest waits where senders
   * take turns, and for the next turn of the event loop, in which input is read and others write.
   * @param hurry whether long messages keep no pace
   * @returns whether there was anything
   */
  #flush(hurry = false): boolean {
    const channel = this.#channel!
    const { maxWriteAheadBytes } = this.#config.limits
    if (this.transport.bufferedBytes >= maxWriteAheadBytes) return false
    const fragments = hurry || this.#pace.allows(channel.overtaking, this.#clock.now())
    const first = channel.takeOutput(maxWriteAheadBytes, fragments)
    if (first === undefined) {
      if (!fragments && channel.queuedBytes > 0) this.#flushInPace()
      return false
    }
    const pieces = [first]
    let bytes = first.length
    while (bytes < maxWriteAheadBytes) {
      const piece = channel.takeOutput(maxWriteAheadBytes, fragments)
      if (piece === undefined) break
      pieces.push(piece)
      bytes += piece.length
    }
    this.transport.write(pieces.length === 1 ? first : pieces, () => this.#written(channel, bytes))
    return true
  }

  #flushInPace(): void {
    this.#paceTimer ??= this.#clock.setTimer(() => {
      this.#paceTimer = undefined
      this.#flushIfUp()
    }, this.#pace.waitMs(this.#clock.now()))
  }

  #written(channel: Channel, bytes: number): void {
    if (this.state !== 'up') return
    channel.written(bytes)
    if (channel.queuedBytes > 0) this.#scheduleFlush()
    else this.#settleDrained()
  }

  #armTick(): void {
    this.#timer?.clear()
    const { netTickintensity } = this.#config
    this.#timer = this.#clock.setTimer(
      () => this.#clock.defer(() => this.#tick()),
      Math.max(1, this.#netTicktimeMs / netTickintensity),
    )
  }

  #tick(): void {
    if (this.state !== 'up') return
    const heldBack = this.#heldBack
    this.#heldBack = this.#pauses > 0
    const answer = this.#channel!.tick(this.#clock.now(), heldBack)
    if (answer === 'silent') {
      const what = `${this.peerName}: not responding, nothing received for ${this.#netTicktimeMs} ms`
      return this.#down('net_tick_timeout', new DistError('DIST_NET_TICK_TIMEOUT', what), 'destroy')
    }
    if (answer === 'tick') this.#flush()
    this.#armTick()
  }

  // --- end ---

  #down(reason: LinkDownReason, error: BeampeerError | undefined, how: 'close' | 'end' | 'destroy'): void {
    if (this.state === 'down') return
    const wasUp = this.state === 'up'
    this.state = 'down'
    this.#timer?.clear()
    this.#paceTimer?.clear()
    this.#channel?.close()
    if (how === 'destroy') this.transport.destroy()
    else this.transport.close(how === 'close')
    this.#settleDrained()
    this.#handlers.onDown({ reason, error, wasUp }, this)
  }

  #settleDrained(): void {
    const waiters = this.#drainWaiters
    this.#drainWaiters = []
    for (const resolve of waiters) resolve()
  }
}
