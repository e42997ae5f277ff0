/**
 * `net_kernel:monitor_nodes/2` for processes: nodeup and nodedown as messages. Subscriptions are counted as OTP counts
 * them: each call with `true` adds one, one with `false` ends all that were made with the same options.
 *
 *     {nodeup, Node} | {nodedown, Node}                 without options
 *     {nodeup, Node, Info} | {nodedown, Node, Info}     Info a map, or with `form: 'list'` a list of pairs
 */
import { internAtom } from '../etf/atom.js'
import { ErlMap } from '../etf/map.js'
import type { Encodable, Term } from '../etf/terms.js'
import { tuple } from '../etf/tuple.js'
import { localTerm } from '../process/copy.js'
import { deliverMessage } from '../process/delivery.js'
import type { Process } from '../process/process.js'
import type { ProcessTable } from '../process/table.js'
import type { MonitorNodesOptions, NodeChange } from './node-monitor.js'

export interface NodeMessageOptions extends Pick<
  MonitorNodesOptions,
  'nodeType' | 'nodedownReason' | 'connectionId'
> {
  /** What `Info` is: a map (default when there are options), or a list as the older option lists give. */
  form?: 'map' | 'list'
}

interface Subscription {
  options: NodeMessageOptions
  count: number
}

export class NodeMessages {
  readonly #table: ProcessTable
  readonly #subscribers = new Map<Process, Map<string, Subscription>>()

  constructor(table: ProcessTable) {
    this.#table = table
  }

  /** Processes with a subscription. */
  get size(): number {
    this.#forgetDead()
    return this.#subscribers.size
  }

  monitor(process: Process, flag: boolean, options: NodeMessageOptions = {}): void {
    this.#forgetDead()
    const key = keyOf(options)
    const own = this.#subscribers.get(process)
    if (!flag) {
      own?.delete(key)
      if (own?.size === 0) this.#subscribers.delete(process)
      return
    }
    if (!process.alive) return
    const found = own?.get(key)
    if (found !== undefined) found.count++
    else if (own !== undefined) own.set(key, { options, count: 1 })
    else this.#subscribers.set(process, new Map([[key, { options, count: 1 }]]))
  }

  publish(change: NodeChange): void {
    this.#forgetDead()
    for (const [process, own] of [...this.#subscribers]) {
      for (const { options, count } of [...own.values()]) {
        const message = messageOf(change, options)
        if (message === undefined) continue
        for (let i = 0; i < count && process.alive; i++) {
          deliverMessage(this.#table, process, message, undefined)
        }
      }
    }
  }

  #forgetDead(): void {
    for (const process of this.#subscribers.keys()) {
      if (!process.alive) this.#subscribers.delete(process)
    }
  }
}

function keyOf({ nodeType, nodedownReason = false, connectionId = false, form }: NodeMessageOptions): string {
  return [nodeType, nodedownReason, connectionId, form].join()
}

function messageOf(change: NodeChange, options: NodeMessageOptions): Term | undefined {
  const { nodeType, nodedownReason = false, connectionId = false, form } = options
  const type = change.hidden ? 'hidden' : 'visible'
  if (nodeType !== 'all' && (nodeType ?? 'visible') !== type) return undefined
  const kind = internAtom(change.type)
  const node = internAtom(change.node)
  const bare = nodeType === undefined && !nodedownReason && !connectionId
  // An empty option list gives the short form, an empty option map the long one.
  if (bare && form !== 'map') return tuple(kind, node) as Term
  const info: [Encodable, Encodable][] = []
  if (nodedownReason && change.type === 'nodedown') {
    info.push([internAtom('nodedown_reason'), internAtom(change.reason ?? 'connection_closed')])
  }
  if (nodeType !== undefined) info.push([internAtom('node_type'), internAtom(type)])
  if (connectionId) info.push([internAtom('connection_id'), change.connectionId])
  const infoTerm = form === 'list' ? info.map(([key, value]) => tuple(key, value)) : ErlMap.from(info)
  return localTerm(tuple(kind, node, infoTerm as Encodable))
}
