/** What a link is given and what it tells: the seam between the net layer and the kernel. */
import type { SignalIn, SignalOut } from '../dist/signals.js'
import type { Pid } from '../etf/identifiers.js'
import type { BeampeerError } from '../errors.js'
import type {
  AcceptDecision,
  Cookies,
  HandshakeStatus,
  Md5,
  NameOffer,
  NodeIdentity,
} from '../handshake/types.js'
import type { Limits } from '../limits.js'
import type { Clock } from './clock.js'
import type { Transport } from './transport.js'

/** What all links of a node share. */
export interface LinkConfig {
  /** Flags to advertise (handshake/flags.ts); PUBLISHED among them makes this node visible to the peer. */
  flags: bigint
  limits: Limits
  /** Time after which a silent peer is down (`net_ticktime`), and how many times it is looked at meanwhile. */
  netTicktimeMs: number
  netTickintensity: number
  md5: Md5
  /** A number of 32 bits from a cryptographic source. */
  randomChallenge(): number
  /** Default: the process's. */
  clock?: Clock
}

/** An outgoing link. */
export interface OpenLinkOptions extends LinkConfig, Cookies {
  /** Undefined: ask the peer for a name (NAME_ME), with `thisHost`. */
  thisNode: NodeIdentity | undefined
  /** The host that the peer puts into the name it gives; needed when `thisNode` is undefined. */
  thisHost?: string
  /** The full name of the node that is called; any other answering is an error. */
  peerName: string
}

/** An incoming link. */
export interface AcceptLinkOptions extends LinkConfig {
  thisNode: NodeIdentity
}

/** Why a link is down: OTP's `nodedown_reason` words; `disconnect` and such are given to `close`. */
export type LinkDownReason =
  | 'connection_setup_failed'
  | 'connection_closed'
  | 'net_tick_timeout'
  | 'disconnect'
  | 'shutdown'
  | (string & Record<never, never>)

export interface LinkDown {
  reason: LinkDownReason
  /**
   * What lies behind it: a `HandshakeError` for `connection_setup_failed`, a `DistError` when the peer broke the
   * protocol, else undefined or what the operating system said.
   */
  error: BeampeerError | undefined
  /** The link had been up. */
  wasUp: boolean
}

/** Calls come one at a time, in the order of the wire. No handler may throw. */
export interface LinkHandlers {
  /**
   * Incoming: what to answer a peer that gives this name. While a promise is pending the set-up time runs on. A
   * rejection ends the link.
   */
  onName?(offer: NameOffer, link: Link): AcceptDecision | Promise<AcceptDecision>
  /** Incoming, decided `alive`: the peer proved its cookie and replaces the old link; resolve when that one is down. */
  onReplace?(peerName: string, link: Link): void | Promise<void>
  /**
   * Outgoing: the peer's status. After `nok` (the peer's own attempt to us wins) the link waits to be closed by the
   * kernel, as OTP's does, and is down with HANDSHAKE_NOK when the set-up time ends.
   */
  onStatus?(status: HandshakeStatus, link: Link): void
  /** Outgoing: the peer holds a connection of our name. True: replace it. Default: true. */
  onAlive?(link: Link): boolean | Promise<boolean>
  /** The handshake is done; signals may be sent from within. Before any `onSignal`. */
  onUp(link: Link): void
  /** @param weight what it takes in memory, about */
  onSignal(signal: SignalIn, weight: number, link: Link): void
  /** The output fell below the busy limit again. */
  onWritable?(link: Link): void
  /** Once; nothing follows. */
  onDown(down: LinkDown, link: Link): void
}

/** Bytes and frames since the link came up. */
export interface LinkStats {
  receivedBytes: number
  receivedFrames: number
  sentBytes: number
  sentFrames: number
  queuedBytes: number
}

/** A connection to another node: first a handshake, then a channel for signals. */
export interface Link {
  readonly state: 'handshake' | 'up' | 'down'
  readonly direction: 'out' | 'in'
  /** For incoming links undefined until the peer gave its name. */
  readonly peerName: string | undefined
  /** 0 until known. */
  readonly peerCreation: number
  readonly peerFlags: bigint
  readonly negotiatedFlags: bigint
  /** The peer did not set PUBLISHED, or we did not: neither side counts it among its visible nodes. */
  readonly hidden: boolean
  /** This node as this peer knows it: for a dynamic name, defined once up. */
  readonly thisNode: NodeIdentity | undefined
  /** The peer gave this node its name. */
  readonly namedByPeer: boolean
  readonly transport: Transport
  /** Bytes of signals that have not left this process. */
  readonly queuedBytes: number
  /** `queuedBytes` is over the busy limit. */
  readonly busy: boolean

  /**
   * Queues a signal; it leaves at the end of this turn of the event loop. False over the busy limit (still queued), and
   * on a link that is not up (dropped, as a BEAM drops signals to a node that is gone).
   * @param sender the process whose signals keep their order with this one, where the signal does not say: a process
   *   that is monitored by name
   * @throws EtfError, DistError what the peer cannot carry (nothing of it is sent); DIST_QUEUE_FULL past the hard cap.
   */
  send(signal: SignalOut, sender?: Pid): boolean
  /** Resolves when everything queued has left this process, or the link is down. */
  drained(): Promise<void>
  /** Ends the link: what is queued and fits in the transport still leaves. `onDown` is called before it returns. */
  close(reason: LinkDownReason, error?: BeampeerError): void
  /** Holds the peer back; it is not declared silent meanwhile. Pauses count: as many resumes are needed. */
  pauseReading(): void
  resumeReading(): void
  /** `net_kernel:set_net_ticktime/1` for this link. */
  setTicktime(netTicktimeMs: number): void
  /** Writes a tick now: the extra traffic while `net_ticktime` changes. */
  auxTick(): void
  stats(): LinkStats
}
