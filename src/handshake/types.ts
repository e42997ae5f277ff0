/**
 * What the two sides of a handshake have in common: options, outcome, events.
 * Both are state machines without a clock, a random source or a socket: bytes and times in, events out.
 */
import type { HandshakeError } from '../errors.js'
import type { Limits } from '../limits.js'

/** MD5 of some bytes: 16 bytes. */
export type Md5 = (bytes: Uint8Array) => Uint8Array

/** A node's name and incarnation. `creation` is the 32-bit number in its pids, ports and references. */
export interface NodeIdentity {
  name: string
  creation: number
}

/**
 * The cookies for one peer. A BEAM has one per peer (`erlang:set_cookie/2`) and uses it both ways; the protocol allows
 * two: what we show the peer (`outCookie`), and what we expect of it (`inCookie`).
 */
export interface Cookies {
  outCookie: string
  inCookie: string
}

/** What both roles need of the world. */
export interface HandshakeWorld {
  md5: Md5
  /** A number of 32 bits that no one can guess; sent to the peer once. */
  challenge: number
  limits: Pick<Limits, 'setupTimeMs' | 'setupTotalMs' | 'maxHandshakeMessageBytes'>
  /** Size of the length before each message: 2, but 4 over TLS. Default 2. */
  lengthBytes?: 2 | 4
}

/** A handshake that ended well: both sides proved that they know the cookie. */
export interface HandshakeResult {
  peerName: string
  peerCreation: number
  /** The peer's flags, those that `MANDATORY_25_DIGEST` stands for spelled out. */
  peerFlags: bigint
  /** What both sides can do: the flags of this connection. */
  negotiatedFlags: bigint
  /** This node as the peer knows it; given by the peer when it was asked for a name. */
  thisNode: NodeIdentity
  /** True when the peer named this node (`named:`). */
  namedByPeer: boolean
  /** True when this node named the peer. */
  namedPeer: boolean
  /** Bytes that followed the last message of the handshake: the first of the distribution channel. */
  rest: Uint8Array
}

/** Statuses that let the handshake go on or end it, in the protocol's words. */
export type HandshakeStatus = 'ok' | 'ok_simultaneous' | 'nok' | 'not_allowed' | 'alive' | 'named:'

/** What a peer says of itself when it connects. */
export interface NameOffer {
  /** The full name; for a peer that asks for a name (`dynamic`), only its host. */
  name: string
  /** True when the peer asks to be named (NAME_ME). */
  dynamic: boolean
  /** 0 for a peer that asks to be named. For the old name message it is only known later; 0 until then. */
  creation: number
  /** With those that `MANDATORY_25_DIGEST` stands for spelled out. */
  flags: bigint
  /** The peer did not set PUBLISHED. */
  hidden: boolean
}

/** The kernel's answer to a {@link NameOffer}. */
export type AcceptDecision =
  /**
   * `ok`: go on. `ok_simultaneous`: go on, and our own attempt to this peer is given up. `alive`: there is a connection
   * to this peer; ask whether it wants to replace it. `flags` replaces the acceptor's flags towards this peer.
   */
  | ({ status: 'ok' | 'ok_simultaneous' | 'alive'; flags?: bigint } & Cookies)
  /** The name and creation of a peer that asked for one. */
  | ({ status: 'named'; name: string; creation: number; flags?: bigint } & Cookies)
  /** `nok`: our own attempt to this peer stands. `not_allowed`: the peer may not connect. */
  | { status: 'nok' }
  | { status: 'not_allowed' }

/** What a state machine asks of its driver, to be done in order. */
export type HandshakeEvent =
  | { type: 'write'; bytes: Uint8Array }
  /** Acceptor: decide, then call `decide`. */
  | { type: 'name'; offer: NameOffer }
  /** Initiator: the peer's status. After `nok` only the kernel (or the deadline) ends this attempt. */
  | { type: 'status'; status: HandshakeStatus }
  /** Initiator: the peer holds a connection of this name; is this attempt still wanted? Then call `answerAlive`. */
  | { type: 'alive' }
  /** Acceptor: the peer replaces its connection and proved its cookie; call `replaced` when the old one is gone. */
  | { type: 'replace'; peerName: string }
  | { type: 'established'; result: HandshakeResult }
  /** The connection must be closed, after what was written. Nothing follows. */
  | { type: 'failed'; error: HandshakeError }
