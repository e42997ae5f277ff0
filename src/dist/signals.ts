/**
 * Signals: what one process sends another, as the kernel sees it. `dist/control.ts` turns each into its control
 * message and payload and back (OTP "Distribution Protocol", "Protocol between Connected Nodes").
 *
 * Ids of UNLINK are 64-bit: a number while safe, else a bigint. `traceToken` is present on the trace-token forms.
 */
import type { Atom } from '../etf/atom.js'
import type { Pid, Reference } from '../etf/identifiers.js'
import type { Encodable, Term } from '../etf/terms.js'

/** A name as a destination; `true` and `false` are atoms too. */
export type Name = Atom | boolean

/** `T` is {@link Encodable} on the way out and {@link Term} on the way in. */
export type Signal<T = Encodable> =
  /** SEND, SEND_SENDER: `from` is known when the peer negotiated SEND_SENDER. */
  | { type: 'send'; from: Pid | undefined; to: Pid; message: T; traceToken?: T }
  /** REG_SEND: to a registered name. */
  | { type: 'regSend'; from: Pid; to: Name; message: T; traceToken?: T }
  /** ALIAS_SEND: to a process alias. */
  | { type: 'aliasSend'; from: Pid | undefined; to: Reference; message: T; traceToken?: T }
  /**
   * ALTACT_SIG_SEND (OTP 28): a message or exit with priority, to a pid, name or alias. One that is neither urgent nor an
   * exit arrives as the signal that it stands for (`aliasSend`, mostly); to an older peer it goes out as that.
   */
  | {
      type: 'altactSend'
      from: Pid
      to: Pid | Name | Reference
      message: T
      priority: boolean
      exit: boolean
      traceToken?: T
    }
  | { type: 'link'; from: Pid; to: Pid }
  /** UNLINK: from peers without UNLINK_ID. */
  | { type: 'unlink'; from: Pid; to: Pid }
  | { type: 'unlinkId'; id: number | bigint; from: Pid; to: Pid }
  | { type: 'unlinkIdAck'; id: number | bigint; from: Pid; to: Pid }
  /** EXIT: `from` ended or unlinked-by-error and was linked to `to`. */
  | { type: 'exit'; from: Pid; to: Pid; reason: T; traceToken?: T }
  /** EXIT2: `exit(To, Reason)`. */
  | { type: 'exit2'; from: Pid; to: Pid; reason: T; traceToken?: T }
  | { type: 'monitor'; from: Pid; to: Pid | Name; ref: Reference }
  | { type: 'demonitor'; from: Pid; to: Pid | Name; ref: Reference }
  /** MONITOR_P_EXIT: the monitored process (or name) `from` is down. */
  | { type: 'monitorExit'; from: Pid | Name; to: Pid; ref: Reference; reason: T }
  | { type: 'groupLeader'; from: Pid; to: Pid }
  | {
      type: 'spawnRequest'
      ref: Reference
      from: Pid
      groupLeader: Pid
      module: Name
      function: Name
      arity: number
      /** The option list as it is on the wire, such as `[link, monitor]`; `ImproperList` and others are malformed. */
      options: readonly T[]
      args: readonly T[]
      traceToken?: T
    }
  | {
      type: 'spawnReply'
      ref: Reference
      to: Pid
      /** Bit 0: a link is in place. Bit 1: a monitor is in place. */
      flags: number
      /** The pid, or an atom that names the error. */
      result: Pid | Name
      traceToken?: T
    }

export type SignalIn = Signal<Term>
export type SignalOut = Signal<Encodable>
