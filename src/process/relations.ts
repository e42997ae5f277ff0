/** Which processes hold something (a link, a monitor, a request) that breaks when the connection to a node does. */
import { internAtom, type Atom } from '../etf/atom.js'
import { tuple } from '../etf/tuple.js'
import { deliverDown, deliverExit, deliverMessage, deliverSpawnReply } from './delivery.js'
import type { Held } from './held.js'
import type { Process } from './process.js'
import type { ProcessTable } from './table.js'

const NODEDOWN = internAtom('nodedown')
const NOCONNECTION = internAtom('noconnection')

interface NodeRelations {
  readonly processes: Process[]
  readonly held: Held
}

export class Relations {
  /**
   * Each process knows its places in these, so that most calls, which are related to one node, need no other table. A node
   * without any stays until the connection to it is lost.
   */
  readonly #byNode = new Map<Atom, NodeRelations>()

  relate(process: Process, node: Atom): void {
    if (process.relatedNode === node || process.otherRelations?.has(node)) return
    const relations = this.#byNode.get(node)
    const at = relations?.processes.length ?? 0
    if (relations === undefined) this.#byNode.set(node, { processes: [process], held: { count: 0 } })
    else relations.processes.push(process)
    if (process.relatedNode === undefined) {
      process.relatedNode = node
      process.relatedAt = at
    } else (process.otherRelations ??= new Map()).set(node, at)
  }

  /** Where the links and monitors of a node's processes are counted; undefined while no process is related to it. */
  held(node: Atom): Held | undefined {
    return this.#byNode.get(node)?.held
  }

  /** The process has ended. */
  forget(process: Process): void {
    const { relatedNode, otherRelations } = process
    if (relatedNode !== undefined) this.#remove(relatedNode, process.relatedAt)
    for (const [node, at] of otherRelations ?? []) this.#remove(node, at)
    process.relatedNode = process.otherRelations = undefined
  }

  #remove(node: Atom, at: number): void {
    const { processes } = this.#byNode.get(node)!
    const last = processes.pop()!
    if (at < processes.length) {
      processes[at] = last
      if (last.relatedNode === node) last.relatedAt = at
      else last.otherRelations!.set(node, at)
    }
  }

  /** The processes that were related to `node`; they are no more. */
  take(node: Atom): readonly Process[] {
    const processes = this.#byNode.get(node)?.processes ?? []
    this.#byNode.delete(node)
    for (const process of processes) {
      if (process.relatedNode === node) process.relatedNode = undefined
      else process.otherRelations!.delete(node)
    }
    return processes
  }
}

/** Breaks every link, monitor and request of `process` over the connection to `node`, as the BEAM does. */
export function breakRelations(table: ProcessTable, process: Process, node: Atom): void {
  for (const link of [...(process.links?.values() ?? [])]) {
    if (link.pid.node !== node) continue
    if (process.links?.broken(link.pid)) deliverExit(table, process, link.pid, NOCONNECTION, true)
  }
  for (const { ref, target } of process.monitors?.values() ?? []) {
    if (target.node === node) deliverDown(table, process, ref, NOCONNECTION)
  }
  for (const { ref, watcher, name } of process.watchers?.values() ?? []) {
    if (watcher.node !== node) continue
    process.watchers?.delete(ref)
    if (name !== undefined) table.namedWatchers.delete(table.ids.referenceKey(ref))
  }
  for (const request of process.spawnRequests?.values() ?? []) {
    if (request.node !== node) continue
    process.spawnRequests?.delete(request.ref)
    if (!request.abandoned) deliverSpawnReply(table, process, request.ref, 0, NOCONNECTION)
  }
  // `monitor_node/2` promises its message after everything else of that node.
  const nodedowns = process.nodeMonitors?.get(node) ?? 0
  process.nodeMonitors?.delete(node)
  for (let i = 0; i < nodedowns; i++) deliverMessage(table, process, tuple(NODEDOWN, node), undefined)
}
