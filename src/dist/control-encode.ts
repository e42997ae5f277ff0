/**
 * Control messages, written (OTP "Distribution Protocol", "Protocol between Connected Nodes"). A control message is a
 * tuple whose first element is its number; a payload, where there is one, is a second term after it.
 *
 *     ┌─────┬───────┬────┬────────┬──────────┬─────┐ ┌─────────┐
 *     │ 104 │ Arity │ 97 │ Number │ element 2 … n  │ │ payload │
 *     └─────┴───────┴────┴────────┴──────────┴─────┘ └─────────┘
 *
 * The tuples are written element by element: no term is built for them. Which of the forms is used for a signal
 * depends on what was negotiated, as in the `erts_dsig_send_*` functions of erts.
 */
import { atom } from '../etf/atom.js'
import { writeAddress, writeTerm, type EncodeContext } from '../etf/encode.js'
import { Pid, Reference } from '../etf/identifiers.js'
import { tuple } from '../etf/tuple.js'
import type { Writer } from '../etf/writer.js'
import { DistError } from '../errors.js'
import * as op from './control-codes.js'
import type { SignalOut } from './signals.js'

/** What the two nodes negotiated, as far as control messages are concerned. */
export interface ControlFeatures {
  /** SEND_SENDER instead of SEND. */
  sendSender: boolean
  /** UNLINK_ID and UNLINK_ID_ACK instead of UNLINK. */
  unlinkId: boolean
  /** PAYLOAD_EXIT and its like instead of EXIT. */
  exitPayload: boolean
  spawn: boolean
  alias: boolean
  /** ALTACT_SIG_SEND, also instead of ALIAS_SEND. */
  altactSig: boolean
  /** DIST_MONITOR and DIST_MONITOR_NAME; without both a BEAM sends no MONITOR_P either. Default: true. */
  monitor?: boolean
}

const EMPTY = atom('')

/**
 * Whether a signal is sent at all: a peer that knows no UNLINK_ID_ACK or no MONITOR_P gets none, as from a BEAM.
 */
export function isSent(signal: SignalOut, features: ControlFeatures): boolean {
  switch (signal.type) {
    case 'unlinkIdAck':
      return features.unlinkId
    case 'monitor':
    case 'demonitor':
      return features.monitor !== false
    default:
      return true
  }
}

/**
 * Writes the control message of a signal.
 * @returns true when `payloadOf(signal)` is to follow
 * @throws EtfError for terms that the peer cannot carry, DistError `DIST_NOT_NEGOTIATED`
 */
export function writeControl(
  writer: Writer,
  signal: SignalOut,
  features: ControlFeatures,
  context: EncodeContext,
): boolean {
  const token = 'traceToken' in signal && signal.traceToken !== undefined
  switch (signal.type) {
    case 'send':
      if (features.sendSender && signal.from !== undefined) {
        head(writer, token ? 4 : 3, token ? op.SEND_SENDER_TT : op.SEND_SENDER)
        writeAddress(writer, signal.from, context)
      } else {
        head(writer, token ? 4 : 3, token ? op.SEND_TT : op.SEND)
        writeAddress(writer, EMPTY, context)
      }
      writeAddress(writer, signal.to, context)
      if (token) writeTerm(writer, signal.traceToken, context)
      return true
    case 'regSend':
      head(writer, token ? 5 : 4, token ? op.REG_SEND_TT : op.REG_SEND)
      writeAddress(writer, signal.from, context)
      writeAddress(writer, EMPTY, context)
      writeAddress(writer, signal.to, context)
      if (token) writeTerm(writer, signal.traceToken, context)
      return true
    case 'aliasSend':
      if (features.altactSig) {
        writeAltact(writer, op.ALTACT_SIG_FLG_ALIAS, signal, context)
        return true
      }
      if (!features.alias) throw notNegotiated('a message to an alias', 'ALIAS')
      head(writer, token ? 4 : 3, token ? op.ALIAS_SEND_TT : op.ALIAS_SEND)
      writeAddress(writer, signal.from ?? EMPTY, context)
      writeAddress(writer, signal.to, context)
      if (token) writeTerm(writer, signal.traceToken, context)
      return true
    case 'altactSend':
      return writeAltactSend(writer, signal, features, context)
    case 'link':
      return pids(writer, op.LINK, signal.from, signal.to, context)
    case 'unlink':
      if (features.unlinkId) {
        throw new DistError('DIST_NOT_NEGOTIATED', 'UNLINK is not for a peer that negotiated UNLINK_ID')
      }
      return pids(writer, op.UNLINK, signal.from, signal.to, context)
    case 'unlinkId':
      if (!features.unlinkId) return pids(writer, op.UNLINK, signal.from, signal.to, context)
      return unlink(writer, op.UNLINK_ID, signal, context)
    case 'unlinkIdAck':
      if (!features.unlinkId) throw notNegotiated('UNLINK_ID_ACK', 'UNLINK_ID')
      return unlink(writer, op.UNLINK_ID_ACK, signal, context)
    case 'exit':
      return features.exitPayload
        ? exit(writer, token ? op.PAYLOAD_EXIT_TT : op.PAYLOAD_EXIT, true, signal, context)
        : exit(writer, token ? op.EXIT_TT : op.EXIT, false, signal, context)
    case 'exit2':
      return features.exitPayload
        ? exit(writer, token ? op.PAYLOAD_EXIT2_TT : op.PAYLOAD_EXIT2, true, signal, context)
        : exit(writer, token ? op.EXIT2_TT : op.EXIT2, false, signal, context)
    case 'monitor':
    case 'demonitor':
      head(writer, 4, signal.type === 'monitor' ? op.MONITOR_P : op.DEMONITOR_P)
      writeAddress(writer, signal.from, context)
      writeAddress(writer, signal.to, context)
      writeAddress(writer, signal.ref, context)
      return false
    case 'monitorExit':
      head(
        writer,
        features.exitPayload ? 4 : 5,
        features.exitPayload ? op.PAYLOAD_MONITOR_P_EXIT : op.MONITOR_P_EXIT,
      )
      writeAddress(writer, signal.from, context)
      writeAddress(writer, signal.to, context)
      writeAddress(writer, signal.ref, context)
      if (!features.exitPayload) writeTerm(writer, signal.reason, context)
      return features.exitPayload
    case 'groupLeader':
      return pids(writer, op.GROUP_LEADER, signal.from, signal.to, context)
    case 'spawnRequest':
      if (!features.spawn) throw notNegotiated('SPAWN_REQUEST', 'SPAWN')
      head(writer, token ? 7 : 6, token ? op.SPAWN_REQUEST_TT : op.SPAWN_REQUEST)
      writeAddress(writer, signal.ref, context)
      writeAddress(writer, signal.from, context)
      writeAddress(writer, signal.groupLeader, context)
      writeTerm(writer, tuple(signal.module, signal.function, signal.arity), context)
      writeTerm(writer, signal.options, context)
      if (token) writeTerm(writer, signal.traceToken, context)
      return true
    case 'spawnReply':
      if (!features.spawn) throw notNegotiated('SPAWN_REPLY', 'SPAWN')
      head(writer, token ? 6 : 5, token ? op.SPAWN_REPLY_TT : op.SPAWN_REPLY)
      writeAddress(writer, signal.ref, context)
      writeAddress(writer, signal.to, context)
      writeTerm(writer, signal.flags, context)
      writeAddress(writer, signal.result, context)
      if (token) writeTerm(writer, signal.traceToken, context)
      return false
  }
}

/** Writes the payload of a signal whose {@link writeControl} said that there is one. */
export function writePayload(writer: Writer, signal: SignalOut, context: EncodeContext): void {
  switch (signal.type) {
    case 'exit':
    case 'exit2':
    case 'monitorExit':
      return writeTerm(writer, signal.reason, context)
    case 'spawnRequest':
      return writeTerm(writer, signal.args, context)
    case 'send':
    case 'regSend':
    case 'aliasSend':
    case 'altactSend':
      return writeTerm(writer, signal.message, context)
    default:
  }
}

/**
 * The process whose signals to the peer must keep their order with this one; undefined where the wire does not say.
 * A process monitored by name exits as that name: give the channel its pid.
 */
export function senderOf(signal: SignalOut): Pid | undefined {
  switch (signal.type) {
    case 'monitorExit':
      return signal.from instanceof Pid ? signal.from : undefined
    case 'spawnReply':
      return signal.result instanceof Pid ? signal.result : undefined
    default:
      return signal.from
  }
}

/** A priority signal is an ordinary one to a peer older than OTP 28, as from a BEAM. */
function writeAltactSend(
  writer: Writer,
  signal: SignalOut & { type: 'altactSend' },
  features: ControlFeatures,
  context: EncodeContext,
): boolean {
  const { to, from, exit: isExit, traceToken } = signal
  if (features.altactSig) {
    const target =
      to instanceof Reference ? op.ALTACT_SIG_FLG_ALIAS : to instanceof Pid ? 0 : op.ALTACT_SIG_FLG_NAME
    const flags =
      target | (signal.priority ? op.ALTACT_SIG_FLG_PRIO : 0) | (isExit ? op.ALTACT_SIG_FLG_EXIT : 0)
    writeAltact(writer, flags, signal, context)
    return true
  }
  if (isExit) {
    // Before ALTACT_SIG an exit signal could only go to a pid.
    if (!(to instanceof Pid)) throw notNegotiated('an exit signal to a name or alias', 'ALTACT_SIG')
    const exit2: SignalOut = { type: 'exit2', from, to, reason: signal.message, ...withToken(traceToken) }
    return writeControl(writer, exit2, features, context)
  }
  const message = signal.message
  const plain: SignalOut =
    to instanceof Pid
      ? { type: 'send', from, to, message, ...withToken(traceToken) }
      : to instanceof Reference
        ? { type: 'aliasSend', from, to, message, ...withToken(traceToken) }
        : { type: 'regSend', from, to, message, ...withToken(traceToken) }
  return writeControl(writer, plain, features, context)
}

function withToken<T>(traceToken: T | undefined): { traceToken: T } | object {
  return traceToken === undefined ? {} : { traceToken }
}

function writeAltact(
  writer: Writer,
  flags: number,
  signal: SignalOut & { type: 'altactSend' | 'aliasSend' },
  context: EncodeContext,
): void {
  const token = signal.traceToken !== undefined
  head(writer, token ? 5 : 4, op.ALTACT_SIG_SEND)
  writeTerm(writer, token ? flags | op.ALTACT_SIG_FLG_TOKEN : flags, context)
  writeAddress(writer, signal.from ?? EMPTY, context)
  writeAddress(writer, signal.to, context)
  if (token) writeTerm(writer, signal.traceToken, context)
}

function head(writer: Writer, arity: number, code: number): void {
  writer.ensure(4)
  const { bytes, position } = writer
  bytes[position] = 104
  bytes[position + 1] = arity
  bytes[position + 2] = 97
  bytes[position + 3] = code
  writer.position = position + 4
}

function pids(writer: Writer, code: number, from: Pid, to: Pid, context: EncodeContext): false {
  head(writer, 3, code)
  writeAddress(writer, from, context)
  writeAddress(writer, to, context)
  return false
}

function unlink(
  writer: Writer,
  code: number,
  signal: { id: number | bigint; from: Pid; to: Pid },
  context: EncodeContext,
): false {
  head(writer, 4, code)
  writeTerm(writer, signal.id, context)
  writeAddress(writer, signal.from, context)
  writeAddress(writer, signal.to, context)
  return false
}

function exit(
  writer: Writer,
  code: number,
  payload: boolean,
  signal: SignalOut & { type: 'exit' | 'exit2' },
  context: EncodeContext,
): boolean {
  const token = signal.traceToken !== undefined
  head(writer, (token ? 4 : 3) + (payload ? 0 : 1), code)
  writeAddress(writer, signal.from, context)
  writeAddress(writer, signal.to, context)
  if (token) writeTerm(writer, signal.traceToken, context)
  if (!payload) writeTerm(writer, signal.reason, context)
  return payload
}

function notNegotiated(what: string, flag: string): DistError {
  return new DistError('DIST_NOT_NEGOTIATED', `${what} needs the flag ${flag}, which was not negotiated`)
}
