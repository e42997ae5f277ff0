/**
 * The call protocol of `gen` (OTP's gen.erl): requests are `{'$gen_call', {Pid, Tag}, Request}`, answers `{Tag, Reply}`,
 * sent to the alias in the tag when there is one. Tags are echoed untouched whatever they hold.
 */
import { DistError, EtfError, NodeError } from '../errors.js'
import { internAtom } from '../etf/atom.js'
import { Pid, Reference } from '../etf/identifiers.js'
import type { Encodable, Term } from '../etf/terms.js'
import { Tuple, tuple } from '../etf/tuple.js'
import { ImproperList } from '../etf/values.js'
import type { Destination, Host } from './host.js'

export const GEN_CALL = internAtom('$gen_call')
export const GEN_CAST = internAtom('$gen_cast')
const ALIAS = internAtom('alias')

/** What makes a term one that cannot be sent to this caller, or back to it: not that the server made no term. */
const OF_CALLER = ['ETF_PEER_CANNOT_CARRY', 'ETF_TOO_MANY_KEYS', 'ETF_TOO_LARGE']

/** Who called: the `From` of a `'$gen_call'`. */
export interface GenFrom {
  readonly pid: Pid
  readonly tag: Term
}

export type GenMessage =
  | { type: 'call'; from: GenFrom; request: Term }
  | { type: 'cast'; request: Term }
  | { type: 'info'; message: Term }

/** What a message to a generic server is. */
export function readGenMessage(message: Term): GenMessage {
  if (message instanceof Tuple) {
    const [kind, second, third] = message.elements as readonly Term[]
    if (kind === GEN_CALL && message.elements.length === 3) {
      const from = readFrom(second as Term)
      if (from !== undefined) return { type: 'call', from, request: third as Term }
    }
    if (kind === GEN_CAST && message.elements.length === 2) return { type: 'cast', request: second as Term }
  }
  return { type: 'info', message }
}

function readFrom(from: Term): GenFrom | undefined {
  if (!(from instanceof Tuple) || from.elements.length !== 2) return undefined
  const [pid, tag] = from.elements as readonly [Term, Term]
  return pid instanceof Pid ? { pid, tag } : undefined
}

/** `gen:reply/2`. */
export function genReply(host: Pick<Host, 'send'>, server: Pid, from: GenFrom, reply: Encodable): void {
  host.send(server, replyTo(from), tuple(from.tag, reply))
}

/**
 * As {@link genReply}, for who must not end because of its caller: that the caller cannot be told (its reference is too
 * wide for its node, or its node does not read) goes to the log. A reply that is no term is the server's own error.
 */
export function genAnswer(
  host: Pick<Host, 'send' | 'reportError'>,
  server: Pid,
  from: GenFrom,
  reply: Encodable,
): void {
  try {
    genReply(host, server, from, reply)
  } catch (error) {
    const ofCaller = error instanceof DistError || error instanceof NodeError
    if (!ofCaller && !(error instanceof EtfError && OF_CALLER.includes(error.code))) throw error
    host.reportError(error, `answer of ${server.toString()} to ${from.pid.toString()}`, from.pid.node)
  }
}

function replyTo({ pid, tag }: GenFrom): Destination {
  const head = tag instanceof ImproperList ? tag : undefined
  if (head === undefined || head.items.length !== 1) return pid
  const first = head.items[0]
  if (first === ALIAS && head.tail instanceof Reference) return head.tail
  if (first instanceof ImproperList && first.items[0] === ALIAS && first.tail instanceof Reference)
    return first.tail
  return pid
}
