/** Which processes hold something (a link, a monitor, a request) that breaks when the connection to a node does. */
import { internAtom, type Atom } from '../etf/atom.js'
import { tuple } from '../etf/tuple.js'
import { deliverDown, deliverExit, deliverMessage, deliverSpawnReply } from './delivery.js'
import type { Process } from './process.js'
import type { ProcessTable } from './table.js'

const NODEDOWN = internAtom('nodedown')
const NOCONNECTION = internAtom('noconnection')

export class Relations {
  readonly #byNode = new Map<Atom, Set<Process>>()

  relate(process: Process, node: Atom): void {
    process.relatedNodes ??= new Set()
    if (process.relatedNodes.has(node)) return
    process.relatedNodes.add(node)
    const processes = this.#byNode.get(node)
    if (processes === undefined) this.#byNode.set(node, new Set([process]))
    else processes.add(process)
  }

  /** The process has ended. */
  forget(process: Process): void {
    for (const node of process.relatedNodes ?? []) {
      const processes = this.#byNode.get(node)
      processes?.delete(process)
      if (processes?.size === 0) this.#byNode.delete(node)
    }
  }

  /** The processes that were related to `node`; they are no more. */
  take(node: Atom): Iterable<Process> {
    const processes = this.#byNode.get(node)
    this.#byNode.delete(node)
    for (const process of processes ?? []) process.relatedNodes?.delete(node)
    return processes ?? []
  }

  /** Nodes that some process is related to. */
  get size(): number {
    return this.#byNode.size
  }
}

/** Breaks every link, monitor and request of `process` over the connection to `node`, as the BEAM does. */
export function breakRelations(table: ProcessTable, process: Process, node: Atom): void {
  for (const link of [...(process.links?.values() ?? [])]) {
    if (link.pid.node !== node) continue
    if (process.links?.broken(link.pid)) deliverExit(table, process, link.pid, NOCONNECTION, true)
  }
  for (const { ref, target } of [...(process.monitors?.values() ?? [])]) {
    if (target.node === node) deliverDown(table, process, ref, NOCONNECTION)
  }
  for (const [key, watcher] of process.watchers ?? []) {
    if (watcher.watcher.node !== node) continue
    process.watchers?.delete(key)
    if (watcher.name !== undefined) table.namedWatchers.delete(key)
  }
  for (const request of [...(process.spawnRequests?.values() ?? [])]) {
    if (request.node !== node) continue
    table.spawnRequests.take(request.ref)
    if (!request.abandoned) deliverSpawnReply(table, process, request.ref, 0, NOCONNECTION)
  }
  // `monitor_node/2` promises its message after everything else of that node.
  const nodedowns = process.nodeMonitors?.get(node) ?? 0
  process.nodeMonitors?.delete(node)
  for (let i = 0; i < nodedowns; i++) deliverMessage(table, process, tuple(NODEDOWN, node), undefined)
}
