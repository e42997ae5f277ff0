/** `{Self, Message}` to processes of the same name on many nodes, which answer `{Wrapper, Node, Reply}` (rpc.erl). */
import { atomName, type Atom } from '../etf/atom.js'
import { isEqual } from '../etf/equal.js'
import type { Reference } from '../etf/identifiers.js'
import type { Encodable, Term } from '../etf/terms.js'
import { Tuple, tuple } from '../etf/tuple.js'
import type { Host } from '../process/host.js'
import { checkTimeout } from './calls.js'

export interface ServerReplies {
  /** In the order of the nodes. */
  replies: { node: string; reply: Term }[]
  /** Nodes that are gone, do not have the process, or did not answer in time. */
  badNodes: string[]
  timedOut: boolean
}

/** Asks, and waits for every answer or the end of those that will not give one. */
export async function askServers(
  host: Host,
  nodes: readonly Atom[],
  name: Atom,
  wrapper: Encodable,
  message: Encodable,
  timeoutMs: number | undefined,
): Promise<ServerReplies> {
  checkTimeout(timeoutMs)
  return new Promise((resolve, reject) => {
    const replies = new Map<Atom, Term>()
    const waiting = new Map<Atom, Reference>()
    let timer: ReturnType<typeof setTimeout> | undefined
    const end = (timedOut: boolean) => {
      clearTimeout(timer)
      asker.exit()
      resolve({
        replies: nodes.flatMap((node) => {
          const reply = replies.get(node)
          return reply === undefined ? [] : [{ node: node.name, reply }]
        }),
        badNodes: nodes.filter((node) => !replies.has(node)).map(({ name }) => name),
        timedOut,
      })
    }
    const asker = host.spawnHandler({
      ignoresExits: true,
      message: (answer) => {
        if (!(answer instanceof Tuple) || answer.size !== 3) return
        const [wrapped, node, reply] = answer.elements as readonly [Term, Term, Term]
        const from = nodes.find((asked) => asked.name === atomName(node))
        if (from === undefined || !waiting.has(from) || !isEqual(wrapped, wrapper)) return
        waiting.delete(from)
        replies.set(from, reply)
        if (waiting.size === 0) end(false)
      },
      down: (ref) => {
        for (const [node, monitor] of waiting) if (monitor.equals(ref)) waiting.delete(node)
        if (waiting.size === 0) end(false)
      },
    })
    try {
      for (const node of nodes) {
        waiting.set(node, asker.monitor({ name, node }))
        asker.send({ name, node }, tuple(asker.pid, message))
      }
    } catch (error) {
      asker.exit()
      reject(error as Error)
      return
    }
    if (timeoutMs !== undefined && timeoutMs !== Infinity) timer = setTimeout(() => end(true), timeoutMs)
    if (nodes.length === 0) end(false)
  })
}
