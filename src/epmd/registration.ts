/**
 * A node's registration in EPMD as a state machine that lives as long as the node: what happens and the time go in,
 * what to do comes out. Follows `erl_epmd.erl` (the connection is the registration; once lost it is made again and
 * again, the creation of the first one is kept) and adds what a process can do that may become EPMD itself.
 *
 *              ┌────────── lost, refused, late: pause, doubled each time ───────────┐
 *              ▼                                                                    │
 *     start ► connecting ──► registering ──► registered ── connection closed ──► (at once; again soon: late)
 *              │     ▲
 *   nobody     ▼     │ served, or another process was faster
 *   listens:  serving┘                                        stop, or a first registration that fails ► ended
 */
import { EpmdError } from '../errors.js'
import type { Limits } from '../limits.js'
import { ReplyBuffer } from './client.js'
import { decodeAliveReply, encodeRequest, type EpmdNode } from './messages.js'

/** What the driver has to do, in order. */
export type RegistrationAction =
  | { type: 'connect' }
  | { type: 'send'; bytes: Uint8Array }
  | { type: 'disconnect' }
  /** Become EPMD; report with `served`. */
  | { type: 'serve' }
  /** `again`: a registration that had been lost; the creation is the first one's. */
  | { type: 'registered'; creation: number; again: boolean }
  | { type: 'lost'; error: EpmdError }
  /** A lost registration could not be made again yet; it will be tried again. */
  | { type: 'retrying'; error: EpmdError; pauseMs: number }
  /** The first registration failed; the machine has ended. */
  | { type: 'failed'; error: EpmdError }

export interface RegistrationOptions {
  node: EpmdNode
  /** This process may become EPMD where nobody listens. */
  mayServe: boolean
  limits: Limits
  /** A number in [0, 1): spreads the retries of many nodes that lost the same daemon. */
  jitter: () => number
}

type State = 'idle' | 'connecting' | 'serving' | 'registering' | 'registered' | 'pausing' | 'ended'

export class RegistrationMachine {
  #state: State = 'idle'
  #dueMs: number | undefined
  #creation: number | undefined
  #reply: ReplyBuffer
  /** There is a connection, or one is being made. */
  #connected = false
  #failures = 0
  #registeredAtMs = 0
  /** Registrations in a row that were lost before they had lasted. */
  #shortLived = 0
  /** Until when a first registration is tried again. */
  #settleUntilMs = 0

  constructor(private readonly options: RegistrationOptions) {
    this.#reply = new ReplyBuffer(options.limits.maxEpmdReplyBytes)
  }

  get state(): State {
    return this.#state
  }

  /** When `tick` has something to do, in the driver's milliseconds; undefined when nothing waits. */
  get dueMs(): number | undefined {
    return this.#dueMs
  }

  /** Begins the first registration. */
  start(nowMs: number): RegistrationAction[] {
    if (this.#state !== 'idle') return []
    this.#settleUntilMs = nowMs + this.options.limits.epmdSettleTimeMs
    return this.#connect(nowMs)
  }

  /** The connection to EPMD is up. */
  connected(): RegistrationAction[] {
    if (this.#state !== 'connecting') return []
    this.#state = 'registering'
    this.#reply = new ReplyBuffer(this.options.limits.maxEpmdReplyBytes)
    return [{ type: 'send', bytes: encodeRequest({ type: 'alive', node: this.options.node }) }]
  }

  /** EPMD sent bytes; they are copied. A daemon says nothing more once it registered a node; it is not listened to. */
  received(bytes: Uint8Array, nowMs: number): RegistrationAction[] {
    if (this.#state !== 'registering') return []
    try {
      this.#reply.push(bytes)
      const reply = decodeAliveReply(this.#reply.bytes)
      if (reply === undefined) return []
      if (reply.type === 'registered') return this.#registered(reply.creation, nowMs)
      return this.#retry(this.#nameTaken(reply.result), nowMs, true)
    } catch (error) {
      if (!(error instanceof EpmdError)) throw error
      return this.#retry(error, nowMs, false)
    }
  }

  /**
   * The connection could not be made, or it ended.
   * @param refused nobody listens there, so this process may take the port
   */
  disconnected(error: EpmdError, refused: boolean, nowMs: number): RegistrationAction[] {
    const state = this.#state
    this.#connected = false
    switch (state) {
      case 'connecting':
        if (!refused || !this.options.mayServe) return this.#retry(error, nowMs, false)
        this.#state = 'serving'
        this.#dueMs = undefined // taking a port is the operating system's word: it comes
        return [{ type: 'serve' }]
      case 'registering':
        return this.#retry(error, nowMs, true)
      case 'registered':
        return [{ type: 'lost', error }, ...this.#lost(error, nowMs)]
      case 'idle':
      case 'serving':
      case 'pausing':
      case 'ended':
        return []
    }
  }

  /** The end of `serve`: undefined when this or another process serves now, else why nobody can. */
  served(error: EpmdError | undefined, nowMs: number): RegistrationAction[] {
    if (this.#state !== 'serving') return []
    if (error) return this.#retry(error, nowMs, false)
    // The winner of the race listens already. A second refusal in a row means that the port was let go again.
    this.#failures++
    if (this.#failures <= 2) return this.#connect(nowMs)
    const gone = new EpmdError('EPMD_UNREACHABLE', 'EPMD was there and is gone again')
    return this.#retry(gone, nowMs, true)
  }

  /** The time that `dueMs` named has come. */
  tick(nowMs: number): RegistrationAction[] {
    if (this.#dueMs === undefined || nowMs < this.#dueMs) return []
    switch (this.#state) {
      case 'pausing':
        return this.#connect(nowMs)
      case 'connecting':
      case 'registering': {
        const { epmdReplyTimeoutMs } = this.options.limits
        const what =
          this.#state === 'connecting' ? 'could not be connected to' : 'did not answer a registration'
        return this.#retry(
          new EpmdError('EPMD_TIMEOUT', `EPMD ${what} within ${epmdReplyTimeoutMs} ms`),
          nowMs,
          false,
        )
      }
      case 'idle':
      case 'serving':
      case 'registered':
      case 'ended':
        return []
    }
  }

  /** Ends the registration: its name is free once the connection is closed. */
  stop(): RegistrationAction[] {
    this.#state = 'ended'
    this.#dueMs = undefined
    return this.#disconnect()
  }

  #connect(nowMs: number): RegistrationAction[] {
    this.#state = 'connecting'
    this.#connected = true
    this.#dueMs = nowMs + this.options.limits.epmdReplyTimeoutMs
    return [{ type: 'connect' }]
  }

  #registered(creation: number, nowMs: number): RegistrationAction[] {
    const again = this.#creation !== undefined
    this.#creation ??= creation
    this.#state = 'registered'
    this.#dueMs = undefined
    this.#failures = 0
    this.#registeredAtMs = nowMs
    return [{ type: 'registered', creation: this.#creation, again }]
  }

  #lost(error: EpmdError, nowMs: number): RegistrationAction[] {
    const lasted = nowMs - this.#registeredAtMs >= this.options.limits.epmdRetryMaxMs
    this.#shortLived = lasted ? 0 : this.#shortLived + 1
    // The first attempt is made at once: a survivor that may serve takes the port before anyone misses it.
    if (this.#shortLived <= 1) return this.#connect(nowMs)
    // A daemon that registers and closes would be run after without an end: that it answered is no success.
    this.#failures = this.#shortLived - 2
    return this.#retry(error, nowMs, true)
  }

  /** @param transient a first registration is worth another try: the daemon or an older registration is going away */
  #retry(error: EpmdError, nowMs: number, transient: boolean): RegistrationAction[] {
    const actions = this.#disconnect()
    if (this.#creation === undefined && (!transient || nowMs >= this.#settleUntilMs)) {
      this.#state = 'ended'
      this.#dueMs = undefined
      return [...actions, { type: 'failed', error }]
    }
    const { epmdRetryMinMs, epmdRetryMaxMs } = this.options.limits
    const pauseMs =
      Math.min(epmdRetryMaxMs, epmdRetryMinMs * 2 ** this.#failures) * (0.5 + this.options.jitter() / 2)
    this.#failures++
    this.#state = 'pausing'
    this.#dueMs = nowMs + pauseMs
    return [...actions, { type: 'retrying', error, pauseMs }]
  }

  #disconnect(): RegistrationAction[] {
    if (!this.#connected) return []
    this.#connected = false
    return [{ type: 'disconnect' }]
  }

  #nameTaken(result: number): EpmdError {
    const { name } = this.options.node
    return new EpmdError(
      'EPMD_NAME_TAKEN',
      `EPMD refused to register the name '${name}' (result ${result}): a node of that name is registered on this host, ` +
        'or the name is not valid',
    )
  }
}
