/**
 * Signals as a given peer can take them: what its release does not know is said in words that it does, and what is for
 * an earlier incarnation of it does not reach the present one.
 */
import { internAtom } from '../etf/atom.js'
import { Pid, Reference } from '../etf/identifiers.js'
import type { SignalIn, SignalOut } from '../dist/signals.js'
import { DistFlag, hasFlag } from '../handshake/flags.js'
import type { Link } from '../net/link.js'

const NOTSUP = internAtom('notsup')
const NOPROC = internAtom('noproc')

/**
 * @param answer delivers, later, what the peer would have answered
 * @returns undefined when there is nothing to send
 */
export function adapt(
  signal: SignalOut,
  link: Pick<Link, 'negotiatedFlags' | 'peerCreation'>,
  answer: (signal: SignalIn) => void,
): SignalOut | undefined {
  if (isForEarlierIncarnation(signal, link.peerCreation)) {
    const reply = answerOfDead(signal)
    if (reply !== undefined) answer(reply)
    return undefined
  }
  const { negotiatedFlags: flags } = link
  switch (signal.type) {
    case 'unlinkId': {
      if (hasFlag(flags, DistFlag.UNLINK_ID)) return signal
      const { id, from, to } = signal
      answer({ type: 'unlinkIdAck', id, from: to, to: from })
      return { type: 'unlink', from, to }
    }
    case 'unlinkIdAck':
      return hasFlag(flags, DistFlag.UNLINK_ID) ? signal : undefined
    case 'spawnRequest': {
      if (hasFlag(flags, DistFlag.SPAWN)) return signal
      answer({ type: 'spawnReply', ref: signal.ref, to: signal.from, flags: 0, result: NOTSUP })
      return undefined
    }
    case 'altactSend':
      // Priority is lost with peers that have none, the message is not.
      if (hasFlag(flags, DistFlag.ALTACT_SIG) || signal.exit || !(signal.to instanceof Reference))
        return signal
      return { type: 'aliasSend', from: signal.from, to: signal.to, message: signal.message }
    default:
      return signal
  }
}

/** A peer of an unknown creation (0: a release whose handshake does not tell it) is taken at its word. */
function isForEarlierIncarnation(signal: SignalOut, creation: number): boolean {
  if (creation === 0 || !('to' in signal)) return false
  const { to } = signal
  return to instanceof Pid && to.creation !== 0 && to.creation !== creation
}

/** What a process that is gone answers. Everything else to it is lost, as with any dead process. */
function answerOfDead(signal: SignalOut): SignalIn | undefined {
  switch (signal.type) {
    case 'link':
      return { type: 'exit', from: signal.to, to: signal.from, reason: NOPROC }
    case 'monitor':
      return { type: 'monitorExit', from: signal.to, to: signal.from, ref: signal.ref, reason: NOPROC }
    case 'unlinkId':
      return { type: 'unlinkIdAck', id: signal.id, from: signal.to, to: signal.from }
    default:
      return undefined
  }
}
