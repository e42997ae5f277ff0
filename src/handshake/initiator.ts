/**
 * The side that connects ("The Handshake in Detail", node A; dist_util `handshake_we_started/1`).
 *
 *     out: name → in: status ─ ok, ok_simultaneous, named: ──────────────→ in: challenge → out: reply → in: ack → up
 *                            ├ alive → out: true (go on) or false (end) ─↗
 *                            ├ nok → wait: the peer's own attempt to us will replace this one
 *                            └ not_allowed → end
 *
 * Protocol version 6 only: a peer older than OTP 23 is an error.
 */
import { ArgumentError, HandshakeError } from '../errors.js'
import { challengeDigest, cookieBytes, digestsEqual } from './digest.js'
import { DistFlag, expandFlags, missingFlagNames, REQUIRED } from './flags.js'
import { HandshakeMachine } from './machine.js'
import {
  decodeAck,
  decodeChallenge,
  decodeStatus,
  encodeName,
  encodeReply,
  encodeStatus,
} from './messages.js'
import { encodeLatin1, hostOf, isHostName, isNodeName, nodeNameBytes, quoteAtom } from './names.js'
import type { Cookies, HandshakeEvent, HandshakeWorld, NodeIdentity } from './types.js'

export interface InitiatorOptions extends HandshakeWorld, Cookies {
  /** Undefined: ask the peer for a name. */
  thisNode: NodeIdentity | undefined
  /** The host that a name given by the peer must have; needed without `thisNode`. */
  thisHost?: string
  /** The full name of the node that must answer. */
  peerName: string
  /** What this node keeps. PUBLISHED is left out when a name is asked for: such a node is hidden. */
  flags: bigint
}

type State = 'idle' | 'status' | 'alive' | 'nok' | 'challenge' | 'ack' | 'done'

const WAITING: Record<State, string> = {
  idle: 'start',
  status: 'status',
  alive: 'decision of this node',
  nok: 'connection from the peer',
  challenge: 'challenge',
  ack: 'answer to our challenge',
  done: 'more',
}

/** See the head of the file. Call `start`, then `receive`, `expire` and `transportClosed` as things happen. */
export class Initiator extends HandshakeMachine {
  readonly #options: InitiatorOptions
  readonly #flags: bigint
  readonly #nameBytes: Uint8Array
  #state: State = 'idle'
  #thisNode: NodeIdentity | undefined
  #peer = { flags: 0n, creation: 0 }

  /**
   * @param now milliseconds on the clock that `receive` and `expire` will be given
   * @throws ArgumentError `BAD_ARGUMENT` for a name, host or cookie that no handshake can carry
   */
  constructor(options: InitiatorOptions, now: number) {
    super(options, now)
    if (!isNodeName(options.peerName)) {
      throw new ArgumentError('BAD_ARGUMENT', `not the name of a node: ${quoteAtom(options.peerName)}`)
    }
    this.#options = options
    this.#thisNode = options.thisNode
    if (options.thisNode !== undefined) {
      this.#nameBytes = nodeNameBytes(options.thisNode.name)
      this.#flags = options.flags & ~DistFlag.NAME_ME
    } else {
      const host = options.thisHost ?? ''
      const bytes = isHostName(host) ? encodeLatin1(host) : undefined
      if (bytes === undefined) {
        throw new ArgumentError(
          'BAD_ARGUMENT',
          `a name can be asked for a host only, not for ${quoteAtom(host)}`,
        )
      }
      this.#nameBytes = bytes
      this.#flags = (options.flags & ~DistFlag.PUBLISHED) | DistFlag.NAME_ME
    }
    cookieBytes(options.inCookie)
    cookieBytes(options.outCookie)
  }

  /** Sends our name. To be called once, when the transport is connected. */
  start(): HandshakeEvent[] {
    if (this.#state !== 'idle') throw new ArgumentError('BAD_ARGUMENT', 'a handshake starts once')
    return this.collect(() => {
      this.#state = 'status'
      this.write(encodeName(this.#flags, this.#thisNode?.creation ?? 0, this.#nameBytes))
    })
  }

  /** Answers an `alive` event: true if this attempt is still wanted and replaces the connection that the peer holds. */
  answerAlive(wanted: boolean, now: number): HandshakeEvent[] {
    if (this.#state !== 'alive' || this.ended) return []
    const events = this.collect(() => {
      this.write(encodeStatus(wanted ? 'true' : 'false'))
      if (!wanted) {
        this.fail(
          this.error(
            'HANDSHAKE_ALREADY_CONNECTED',
            'it is connected already, and this attempt was not wanted',
          ),
        )
        return
      }
      this.#state = 'challenge'
    })
    return events.concat(this.run(now))
  }

  protected get waitingFor(): string {
    return WAITING[this.#state]
  }

  protected get peerLabel(): string {
    return this.#options.peerName
  }

  protected get peersTurn(): boolean {
    return this.#state !== 'alive' && this.#state !== 'nok'
  }

  protected closedError(cause: Error | undefined): HandshakeError | undefined {
    // A peer closes after `nok`, and that attempt must stand until the one that replaces it is seen.
    if (this.#state === 'nok') return undefined
    if (this.#state === 'ack') {
      // A BEAM says nothing to a wrong digest; it closes.
      return this.error(
        'HANDSHAKE_BAD_COOKIE',
        'it closed the connection on our answer to its challenge: wrong cookie',
        {
          cause,
        },
      )
    }
    return this.error('HANDSHAKE_CLOSED', `it closed the connection before its ${this.waitingFor}`, { cause })
  }

  protected override timeoutError(): HandshakeError {
    if (this.#state !== 'nok') return super.timeoutError()
    return this.error(
      'HANDSHAKE_NOK',
      'it was connecting to this node at the same time, and did not get there',
    )
  }

  override receive(chunk: Uint8Array, now: number): HandshakeEvent[] {
    // After `nok` OTP reads no more; what a peer still sends is not kept.
    return this.#state === 'nok' ? [] : super.receive(chunk, now)
  }

  protected handle(message: Uint8Array, now: number): void {
    switch (this.#state) {
      case 'status':
        return this.#status(message, now)
      case 'challenge':
        return this.#challenge(message, now)
      case 'ack':
        return this.#ack(message)
      case 'idle':
      case 'alive':
      case 'nok':
      case 'done':
        throw this.error(
          'HANDSHAKE_BAD_MESSAGE',
          `a message while this side waited for the ${this.waitingFor}`,
        )
    }
  }

  #status(message: Uint8Array, now: number): void {
    const { status, name, creation } = decodeStatus(message)
    this.restartStep(now)
    if (name !== undefined) return this.#named(name, creation)
    switch (status) {
      case 'not_allowed':
        this.emit({ type: 'status', status })
        return this.fail(
          this.error(
            'HANDSHAKE_NOT_ALLOWED',
            'it does not allow this node, or misses a flag of ours (its log says which)',
          ),
        )
      case 'nok':
        this.emit({ type: 'status', status })
        // A node without a name has no attempt from the peer to wait for.
        if (this.#thisNode === undefined)
          return this.fail(this.error('HANDSHAKE_NOK', 'it refused to name this node'))
        this.#state = 'nok'
        this.assembler.takeRest()
        return
      case 'ok':
      case 'ok_simultaneous':
      case 'alive':
        if (this.#thisNode === undefined) break
        this.emit({ type: 'status', status })
        if (status === 'alive') {
          this.#state = 'alive'
          this.emit({ type: 'alive' })
        } else {
          this.#state = 'challenge'
        }
        return
      default:
        break
    }
    throw this.error('HANDSHAKE_BAD_MESSAGE', `unexpected status ${quoteAtom(status.slice(0, 40))}`)
  }

  #named(name: string, creation: number): void {
    if (this.#options.thisNode !== undefined) {
      throw this.error('HANDSHAKE_BAD_MESSAGE', 'it gave this node a name that was not asked for')
    }
    if (!isNodeName(name) || hostOf(name) !== this.#options.thisHost) {
      throw this.error(
        'HANDSHAKE_BAD_MESSAGE',
        `it named this node ${quoteAtom(name)}, which is on another host`,
      )
    }
    this.#thisNode = { name, creation }
    this.emit({ type: 'status', status: 'named:' })
    this.#state = 'challenge'
  }

  #challenge(message: Uint8Array, now: number): void {
    const { flags, challenge, creation, name } = decodeChallenge(message)
    if (name !== this.#options.peerName) {
      throw this.error('HANDSHAKE_WRONG_NODE', `the node that answers there is ${quoteAtom(name)}`)
    }
    const missing = missingFlagNames(REQUIRED, flags)
    if (missing.length > 0) {
      const what = `it cannot handle ${missing.join(', ')}`
      throw new HandshakeError('HANDSHAKE_MISSING_FLAGS', `${name}: ${what}`, {
        peerName: name,
        missingFlags: missing,
      })
    }
    this.#peer = { flags: expandFlags(flags), creation }
    const { md5, challenge: ours } = this.world
    this.write(encodeReply(ours, challengeDigest(md5, challenge, this.#options.outCookie)))
    this.restartStep(now)
    this.#state = 'ack'
  }

  #ack(message: Uint8Array): void {
    const expected = challengeDigest(this.world.md5, this.world.challenge, this.#options.inCookie)
    if (!digestsEqual(decodeAck(message), expected)) {
      throw this.error(
        'HANDSHAKE_BAD_COOKIE',
        'its answer to our challenge is wrong: it has another cookie for us',
      )
    }
    this.#state = 'done'
    this.emit({
      type: 'established',
      result: {
        peerName: this.#options.peerName,
        peerCreation: this.#peer.creation,
        peerFlags: this.#peer.flags,
        negotiatedFlags: this.#flags & this.#peer.flags,
        thisNode: this.#thisNode!,
        namedByPeer: this.#options.thisNode === undefined,
        namedPeer: false,
        rest: this.assembler.takeRest(),
      },
    })
  }
}
