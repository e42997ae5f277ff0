/**
 * The side that is connected to ("The Handshake in Detail", node B; dist_util `handshake_other_started/1`).
 *
 *     in: name → decision ─ ok, ok_simultaneous, named: → out: status → out: challenge → in: reply → out: ack → up
 *                         ├ alive → out: status → in: true → challenge, reply → the old connection ends → ack → up
 *                         │                       in: false → end
 *                         └ nok, not_allowed → out: status → end
 *
 * OTP 23 and 24 open with the old name message when they do not know our version (no EPMD); then a complement comes
 * between challenge and reply. To a wrong digest the peer gets no word, as from a BEAM: the connection closes.
 */
import { ArgumentError, HandshakeError } from '../errors.js'
import { challengeDigest, cookieBytes, digestsEqual } from './digest.js'
import { DistFlag, expandFlags, hasFlag, missingFlagNames, REQUIRED } from './flags.js'
import { HandshakeMachine } from './machine.js'
import {
  decodeComplement,
  decodeName,
  decodeReply,
  decodeStatus,
  encodeAck,
  encodeChallenge,
  encodeNamedStatus,
  encodeStatus,
} from './messages.js'
import { hostOf, isHostName, isNodeName, nodeNameBytes, quoteAtom } from './names.js'
import type {
  AcceptDecision,
  Cookies,
  HandshakeEvent,
  HandshakeWorld,
  NameOffer,
  NodeIdentity,
} from './types.js'

export interface AcceptorOptions extends HandshakeWorld {
  thisNode: NodeIdentity
  /** What this node keeps; a decision can give others for one peer. */
  flags: bigint
}

type State = 'name' | 'deciding' | 'alive' | 'complement' | 'reply' | 'replacing' | 'done'

const WAITING: Record<State, string> = {
  name: 'name',
  deciding: 'decision of this node',
  alive: 'answer to alive',
  complement: 'complement',
  reply: 'answer to our challenge',
  replacing: 'end of the old connection',
  done: 'more',
}

interface Peer {
  name: string
  creation: number
  flags: bigint
  old: boolean
  dynamic: boolean
}

/** See the head of the file. */
export class Acceptor extends HandshakeMachine {
  readonly #options: AcceptorOptions
  readonly #nameBytes: Uint8Array
  #state: State = 'name'
  #flags: bigint
  #peer: Peer | undefined
  #cookies: Cookies | undefined
  /** The decision was `alive`: the old connection must end before ours is up. */
  #replaces = false
  #peerChallenge = 0

  /**
   * @param now milliseconds on the clock that `receive` and `expire` will be given
   * @throws ArgumentError `BAD_ARGUMENT` when this node's name is none
   */
  constructor(options: AcceptorOptions, now: number) {
    super(options, now)
    this.#options = options
    this.#flags = options.flags & ~DistFlag.NAME_ME
    this.#nameBytes = nodeNameBytes(options.thisNode.name)
  }

  /**
   * Answers a `name` event. Ignored when the handshake ended meanwhile.
   * @throws ArgumentError `BAD_ARGUMENT` when the decision does not fit the offer: a peer that asks for a name needs one
   *   (of its host), any other must not get one; or when a cookie is not Latin-1.
   */
  decide(decision: AcceptDecision, now: number): HandshakeEvent[] {
    const peer = this.#peer
    if (this.#state !== 'deciding' || this.ended || peer === undefined) return []
    if (decision.status === 'named') {
      if (!peer.dynamic || !isNodeName(decision.name) || hostOf(decision.name) !== peer.name) {
        throw new ArgumentError(
          'BAD_ARGUMENT',
          `${quoteAtom(decision.name)} cannot be the name of ${peer.name}`,
        )
      }
    } else if (peer.dynamic && decision.status !== 'nok' && decision.status !== 'not_allowed') {
      throw new ArgumentError(
        'BAD_ARGUMENT',
        `a node on ${peer.name} asked for a name, not for ${decision.status}`,
      )
    }
    if (decision.status !== 'nok' && decision.status !== 'not_allowed') {
      cookieBytes(decision.inCookie)
      cookieBytes(decision.outCookie)
    }
    return this.collect(() => this.#decided(decision, peer, now)).concat(this.run(now))
  }

  /** Answers a `replace` event: the old connection to this peer is down. */
  replaced(): HandshakeEvent[] {
    if (this.#state !== 'replacing' || this.ended) return []
    return this.collect(() => this.#finish())
  }

  protected get waitingFor(): string {
    return WAITING[this.#state]
  }

  protected get peerLabel(): string | undefined {
    return this.#peer?.name
  }

  protected get peersTurn(): boolean {
    return this.#state !== 'deciding' && this.#state !== 'replacing'
  }

  protected closedError(cause: Error | undefined): HandshakeError {
    const clue =
      this.#state === 'complement' || this.#state === 'reply' ? ' (it may not like our flags or name)' : ''
    return this.error('HANDSHAKE_CLOSED', `it closed the connection before its ${this.waitingFor}${clue}`, {
      cause,
    })
  }

  protected handle(message: Uint8Array, now: number): void {
    switch (this.#state) {
      case 'name':
        return this.#name(message)
      case 'alive':
        return this.#aliveAnswer(message, now)
      case 'complement':
        return this.#complement(message)
      case 'reply':
        return this.#reply(message)
      case 'deciding':
      case 'replacing':
      case 'done':
        throw this.error(
          'HANDSHAKE_BAD_MESSAGE',
          `a message while this side waited for the ${this.waitingFor}`,
        )
    }
  }

  #name(message: Uint8Array): void {
    const { old, flags, creation, name } = decodeName(message)
    const expanded = expandFlags(flags)
    const dynamic = hasFlag(flags, DistFlag.NAME_ME)
    if (!(dynamic ? isHostName(name) : isNodeName(name))) {
      throw this.error(
        'HANDSHAKE_BAD_MESSAGE',
        `not the name of a ${dynamic ? 'host' : 'node'}: ${quoteAtom(name)}`,
      )
    }
    this.#peer = { name, creation, flags: expanded, old, dynamic }
    this.#checkFlags(this.#peer)
    if (name === this.#options.thisNode.name) {
      this.write(encodeStatus('not_allowed'))
      throw this.error('HANDSHAKE_WRONG_NODE', 'a node with our own name connects to us')
    }
    this.#state = 'deciding'
    const hidden = !hasFlag(flags, DistFlag.PUBLISHED)
    const offer: NameOffer = { name, dynamic, creation, flags: expanded, hidden }
    this.emit({ type: 'name', offer })
  }

  #checkFlags(peer: Peer): void {
    const missing = missingFlagNames(REQUIRED, peer.flags)
    if (missing.length === 0) return
    // dist_util says so to the peer, also when the challenge has been sent.
    this.write(encodeStatus('not_allowed'))
    throw new HandshakeError(
      'HANDSHAKE_MISSING_FLAGS',
      `${peer.name}: it cannot handle ${missing.join(', ')}`,
      {
        peerName: peer.name,
        missingFlags: missing,
      },
    )
  }

  #decided(decision: AcceptDecision, peer: Peer, now: number): void {
    if (decision.status === 'nok') {
      this.write(encodeStatus('nok'))
      return this.fail(this.error('HANDSHAKE_NOK', 'this node is connecting to it at the same time'))
    }
    if (decision.status === 'not_allowed') {
      this.write(encodeStatus('not_allowed'))
      return this.fail(this.error('HANDSHAKE_NOT_ALLOWED', 'this node does not allow it to connect'))
    }
    this.#cookies = { outCookie: decision.outCookie, inCookie: decision.inCookie }
    if (decision.flags !== undefined) this.#flags = decision.flags & ~DistFlag.NAME_ME
    if (decision.status === 'named') {
      peer.name = decision.name
      peer.creation = decision.creation
      // dist_util `publish_flag/3`: a BEAM takes the name only from a node that sets the flag too, and is hidden by it.
      this.#flags = (this.#flags & ~DistFlag.PUBLISHED) | DistFlag.NAME_ME
      this.write(encodeNamedStatus(decision.name, decision.creation))
    } else {
      this.write(encodeStatus(decision.status))
    }
    this.restartStep(now)
    if (decision.status === 'alive') {
      this.#replaces = true
      this.#state = 'alive'
    } else {
      this.#sendChallenge(peer, now)
    }
  }

  #aliveAnswer(message: Uint8Array, now: number): void {
    const { status } = decodeStatus(message)
    if (status === 'false') {
      throw this.error(
        'HANDSHAKE_ALREADY_CONNECTED',
        'it is connected already, and does not want another connection',
      )
    }
    if (status !== 'true') {
      throw this.error('HANDSHAKE_BAD_MESSAGE', `unexpected status ${quoteAtom(status.slice(0, 40))}`)
    }
    this.#sendChallenge(this.#peer!, now)
  }

  #sendChallenge(peer: Peer, now: number): void {
    const { creation } = this.#options.thisNode
    this.write(encodeChallenge(this.#flags, this.world.challenge, creation, this.#nameBytes))
    this.restartStep(now)
    this.#state = peer.old ? 'complement' : 'reply'
  }

  #complement(message: Uint8Array): void {
    const { flagsHigh, creation } = decodeComplement(message)
    const peer = this.#peer!
    peer.flags = expandFlags(peer.flags | flagsHigh)
    peer.creation = creation
    this.#checkFlags(peer)
    this.#state = 'reply'
  }

  #reply(message: Uint8Array): void {
    const { challenge, digest } = decodeReply(message)
    const { md5, challenge: ours } = this.world
    if (!digestsEqual(digest, challengeDigest(md5, ours, this.#cookies!.inCookie))) {
      throw this.error('HANDSHAKE_BAD_COOKIE', 'its answer to our challenge is wrong: it has another cookie')
    }
    this.#peerChallenge = challenge
    if (!this.#replaces) return this.#finish()
    this.#state = 'replacing'
    this.emit({ type: 'replace', peerName: this.#peer!.name })
  }

  #finish(): void {
    const peer = this.#peer!
    this.write(encodeAck(challengeDigest(this.world.md5, this.#peerChallenge, this.#cookies!.outCookie)))
    this.#state = 'done'
    this.emit({
      type: 'established',
      result: {
        peerName: peer.name,
        peerCreation: peer.creation,
        peerFlags: peer.flags,
        negotiatedFlags: this.#flags & peer.flags,
        thisNode: this.#options.thisNode,
        namedByPeer: false,
        namedPeer: peer.dynamic,
        rest: this.assembler.takeRest(),
      },
    })
  }
}
