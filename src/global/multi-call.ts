/** `gen_server:multi_call/3` of the name servers of several nodes, on behalf of one of this node's processes. */
import { internAtom, type Atom } from '../etf/atom.js'
import { type Pid, Reference } from '../etf/identifiers.js'
import type { Encodable, Term } from '../etf/terms.js'
import { Tuple, tuple } from '../etf/tuple.js'
import { ImproperList } from '../etf/values.js'
import { GEN_CALL } from '../process/gen-reply.js'
import type { Host } from '../process/host.js'
import { GLOBAL_NAME_SERVER } from './wire.js'

const ALIAS = internAtom('alias')

/** Calls that wait, by the reference of each: for answers that come to the caller itself. */
const waitingCalls = new WeakMap<Host, Map<string, (reply: Term) => void>>()

/**
 * Releases before OTP 24 know no aliases and answer the caller's pid.
 * @returns whether the message was such an answer
 */
export function takeReply(host: Host, message: Term): boolean {
  const found = readReply(message)
  const settle = found && waitingCalls.get(host)?.get(found.ref.key)
  if (found === undefined || settle === undefined) return false
  settle(found.reply)
  return true
}

/** `{[alias | Ref], Reply}`. */
function readReply(message: Term): { ref: Reference; reply: Term } | undefined {
  if (!(message instanceof Tuple) || message.size !== 2) return undefined
  const [tag, reply] = message.elements as readonly [Term, Term]
  return tag instanceof ImproperList && tag.tail instanceof Reference ? { ref: tag.tail, reply } : undefined
}

/** An answer of each node that gave one; nodes without a name server, and those that are gone, are not in it. */
export type Replies = { node: Atom; reply: Term }[]

/**
 * Asks the name server of each node and waits until each has answered or is gone. `caller` is whom they take for the one
 * that asks: a lock that is set belongs to it and ends with it. Answers go to an alias, so that they do not land in the
 * caller's mailbox.
 */
export function multiCall(
  host: Host,
  caller: Pid,
  nodes: readonly Atom[],
  request: Encodable,
): Promise<Replies> {
  return new Promise((resolve) => {
    const replies: Replies = []
    const waiting = new Map<string, Atom>()
    const calls = waitingCalls.get(host) ?? new Map<string, (reply: Term) => void>()
    waitingCalls.set(host, calls)
    const settle = (ref: Reference, reply?: Term): void => {
      const node = waiting.get(ref.key)
      if (node === undefined) return
      waiting.delete(ref.key)
      calls.delete(ref.key)
      if (reply !== undefined) replies.push({ node, reply })
      if (waiting.size > 0) return
      collector.exit()
    }
    const refs: Reference[] = []
    const collector = host.spawnHandler({
      ignoresExits: true,
      message: (message) => void takeReply(host, message),
      down: (ref) => settle(ref),
      // Also when the node is stopped meanwhile.
      exited: () => {
        for (const key of waiting.keys()) calls.delete(key)
        resolve(replies)
      },
    })
    if (nodes.length === 0) {
      collector.exit()
      return
    }
    // Handler processes take what comes to them themselves; one of the user's is not to find such answers in its mailbox.
    const asking = host.process(caller)
    if (asking !== undefined && asking.handler === undefined)
      asking.intercept ??= (message) => takeReply(host, message)
    for (const node of nodes) {
      const ref = collector.monitor({ name: GLOBAL_NAME_SERVER, node }, { alias: 'reply_demonitor' })
      refs.push(ref)
      waiting.set(ref.key, node)
      calls.set(ref.key, (reply) => {
        collector.demonitor(ref)
        settle(ref, reply)
      })
    }
    for (const [index, node] of nodes.entries()) {
      const ref = refs[index] as Reference
      const from = tuple(caller, new ImproperList([ALIAS], ref))
      try {
        host.send(caller, { name: GLOBAL_NAME_SERVER, node }, tuple(GEN_CALL, from, request))
      } catch {
        // A node that cannot be asked, such as one whose queue is full, counts as one that is gone.
        settle(ref)
      }
    }
  })
}
