/**
 * What the state machines of both sides share: messages in, events out, one way to fail, and the set-up time.
 *
 * Set-up time as OTP counts it (dist_util `reset_timer/1`): every step has `setupTimeMs`; the count restarts after the
 * status and after the challenge. That alone would let a peer that sends statuses keep a connection for long, so the
 * whole handshake has `setupTotalMs` too.
 */
import { BeampeerError, HandshakeError } from '../errors.js'
import { MessageAssembler, withLength } from './assembler.js'
import type { HandshakeEvent, HandshakeWorld } from './types.js'

export abstract class HandshakeMachine {
  protected readonly world: HandshakeWorld
  protected readonly assembler: MessageAssembler
  readonly #lengthBytes: 2 | 4
  readonly #totalDeadline: number
  #stepDeadline: number
  #events: HandshakeEvent[] = []
  #ended = false

  protected constructor(world: HandshakeWorld, now: number) {
    this.world = world
    this.#lengthBytes = world.lengthBytes ?? 2
    this.assembler = new MessageAssembler(this.#lengthBytes, world.limits.maxHandshakeMessageBytes)
    this.#totalDeadline = now + world.limits.setupTotalMs
    this.#stepDeadline = now + world.limits.setupTimeMs
  }

  /** The time at which `expire` is to be called, on the clock of `now`; it moves as the handshake advances. */
  get deadline(): number {
    return Math.min(this.#stepDeadline, this.#totalDeadline)
  }

  /** True after `established` or `failed`. */
  get ended(): boolean {
    return this.#ended
  }

  /** Bytes from the peer, in chunks of any size. Never throws: what is wrong with them is a `failed` event. */
  receive(chunk: Uint8Array, now: number): HandshakeEvent[] {
    if (this.#ended) return []
    this.assembler.push(chunk)
    return this.run(now)
  }

  /** The deadline passed. No event if it did not. */
  expire(now: number): HandshakeEvent[] {
    if (this.#ended || now < this.deadline) return []
    return this.collect(() => this.fail(this.timeoutError()))
  }

  /** The transport ended before the handshake did. */
  transportClosed(cause?: Error): HandshakeEvent[] {
    if (this.#ended) return []
    const error = this.closedError(cause)
    return error === undefined ? [] : this.collect(() => this.fail(error))
  }

  /** Something on this side went wrong (a handler that rejected): the handshake ends with it. */
  abort(error: HandshakeError): HandshakeEvent[] {
    return this.#ended ? [] : this.collect(() => this.fail(error))
  }

  /** What the machine waits for, in words for a message. */
  protected abstract get waitingFor(): string
  protected abstract get peerLabel(): string | undefined
  /** False while it is not the peer's turn: what arrives is held, within bounds. */
  protected abstract get peersTurn(): boolean
  protected abstract handle(message: Uint8Array, now: number): void
  /** Undefined: the end of the transport does not end this handshake. */
  protected abstract closedError(cause: Error | undefined): HandshakeError | undefined

  protected timeoutError(): HandshakeError {
    return this.error('HANDSHAKE_TIMEOUT', `no ${this.waitingFor} within the set-up time`)
  }

  /** Handles all whole messages that are there, while it is the peer's turn. */
  protected run(now: number): HandshakeEvent[] {
    return this.collect(() => {
      while (!this.#ended && this.peersTurn) {
        const message = this.assembler.next()
        if (message === undefined) return
        this.handle(message, now)
      }
      if (!this.#ended) this.assembler.assertQuiet()
    })
  }

  /** Runs a step and gives what it emitted; what it throws of ours becomes `failed`. */
  protected collect(step: () => void): HandshakeEvent[] {
    try {
      step()
    } catch (error) {
      if (!(error instanceof BeampeerError)) throw error
      this.fail(
        error instanceof HandshakeError && error.peerName !== undefined
          ? error
          : this.error(error instanceof HandshakeError ? error.code : 'HANDSHAKE_FAILED', error.message, {
              cause: error,
            }),
      )
    }
    const events = this.#events
    this.#events = []
    return events
  }

  protected emit(event: HandshakeEvent): void {
    this.#events.push(event)
    if (event.type === 'established') this.#ended = true
  }

  protected write(message: Uint8Array): void {
    this.emit({ type: 'write', bytes: withLength(this.#lengthBytes, message) })
  }

  protected fail(error: HandshakeError): void {
    this.#ended = true
    this.assembler.takeRest()
    this.emit({ type: 'failed', error })
  }

  protected restartStep(now: number): void {
    this.#stepDeadline = now + this.world.limits.setupTimeMs
  }

  protected error(code: string, what: string, options: { cause?: unknown } = {}): HandshakeError {
    const peerName = this.peerLabel
    const where = peerName === undefined ? '' : `${peerName}: `
    return new HandshakeError(code, `${where}${what}`, { peerName }, options)
  }
}
