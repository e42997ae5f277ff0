/**
 * Starts beampeer nodes inside the test's process: a fresh name, the test file's EPMD and cookie, stopped at its end.
 *
 *     const node = await startNode()
 *     const events = nodeEvents(node)
 *     expect(await events.next()).toEqual({ type: 'nodeup', node: beam.name, nodeType: 'visible' })
 */
import { ErlangNode } from '../../src/node/erlang-node.js'
import type { NodeOptions } from '../../src/node/options.js'
import type { MonitorNodesOptions, NodeEvent, NodeSubscription } from '../../src/kernel/node-monitor.js'
import { closeAtEnd, cookie, privateEpmd, uniqueName } from './beam.js'

export interface StartNodeOptions extends NodeOptions {
  /** A fresh one at 127.0.0.1 without it; null for a dynamic name. */
  name?: string | null
}

/** What nodes of this file wrote to their logs. */
export const logLines: string[] = []

/** A node that uses the test file's EPMD. */
export async function startNode(options: StartNodeOptions = {}): Promise<ErlangNode> {
  const { name = uniqueName('js'), ...rest } = options
  const epmd = rest.epmd ?? { host: '127.0.0.1', port: await privateEpmd() }
  const log = (message: string) => void logLines.push(message)
  const node = await ErlangNode.start(name ?? undefined, {
    cookie,
    epmd,
    logger: { debug: log, info: log, warn: log, error: log },
    output: () => {},
    ...rest,
  })
  closeAtEnd(() => node.stop())
  return node
}

/** Nodeup and nodedown of a node, of all types and with reasons, one at a time. */
export function nodeEvents(
  node: ErlangNode,
  options: MonitorNodesOptions = { nodeType: 'all', nodedownReason: true },
): { next(): Promise<NodeEvent>; subscription: NodeSubscription } {
  const subscription = node.monitorNodes(options)
  closeAtEnd(() => subscription.return())
  return {
    subscription,
    next: async () => {
      const { value, done } = await subscription.next()
      if (done === true) throw new Error('the subscription ended')
      return value
    },
  }
}
