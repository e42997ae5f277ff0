/** What a process holds on others: links, monitors of processes and of nodes. */
import { Atom } from '../etf/atom.js'
import { Pid, type Reference } from '../etf/identifiers.js'
import { Tuple } from '../etf/tuple.js'
import { namedAt, nameOf, type NameOnNode } from './address.js'
import { localTerm } from './copy.js'
import { LinkTable } from './links.js'
import type { MonitorOptions, OutgoingMonitor, Process } from './process.js'
import { ReferenceMap } from './reference-map.js'
import type { ProcessTable } from './table.js'

/** What can be monitored: a process by pid or name, here or on another node. */
export type Monitorable = Pid | Atom | string | NameOnNode

/** `link/1`. */
export function link(table: ProcessTable, process: Process, other: Pid): void {
  const to = table.ids.canonical(other)
  if (to.equals(process.pid)) return
  process.links ??= new LinkTable()
  if (!process.links.linking(to)) return
  table.relate(process, to.node)
  try {
    table.signal({ type: 'link', from: process.pid, to }, to.node)
  } catch (error) {
    // Nobody would ever tell of its end.
    process.links.broken(to)
    throw error
  }
}

/** `unlink/1`. */
export function unlink(table: ProcessTable, process: Process, other: Pid): void {
  const to = table.ids.canonical(other)
  const id = process.links?.unlinking(to)
  if (id !== undefined) table.signal({ type: 'unlinkId', id, from: process.pid, to }, to.node)
}

/** `monitor/3` of a process. Of the process itself it is, as on a BEAM, a reference that nothing comes of, nor an alias. */
export function monitor(
  table: ProcessTable,
  process: Process,
  to: Monitorable,
  options: MonitorOptions,
): Reference {
  const ref = table.makeReference()
  const target = targetOf(table, to)
  if (isSelf(table, process, target)) return ref
  const { alias, priority = false, tag } = options
  const entry: OutgoingMonitor = {
    ref,
    target,
    ...(alias !== undefined && { alias }),
    ...(priority && { priority }),
    ...(tag !== undefined && { tag: localTerm(tag) }),
  }
  process.monitors ??= new ReferenceMap()
  process.monitors.set(ref, entry)
  // The alias is an ordinary one: what others send to it is not what the monitor says.
  if (alias !== undefined) table.addAlias(process, ref, { mode: alias, priority: false })
  table.relate(process, target.node)
  const signalTo = target instanceof Pid ? target : target.name
  try {
    table.signal({ type: 'monitor', from: process.pid, to: signalTo, ref }, target.node)
  } catch (error) {
    // A monitor that was not set must not be kept: its caller does not know its reference, and it would never fire.
    process.monitors.delete(ref)
    table.unalias(process, ref)
    throw error
  }
  return ref
}

function isSelf(table: ProcessTable, process: Process, target: OutgoingMonitor['target']): boolean {
  if (target instanceof Pid) return target.equals(process.pid)
  return table.ids.isThisNode(target.node) && table.registry.whereis(target.name) === process
}

function targetOf(table: ProcessTable, to: Monitorable): OutgoingMonitor['target'] {
  if (to instanceof Pid) return table.ids.canonical(to)
  if (typeof to === 'string' || to instanceof Atom) return { name: nameOf(to), node: table.name }
  return namedAt(to, 'monitor')
}

/** `demonitor/1`. Returns whether the monitor was still there. */
export function demonitor(table: ProcessTable, process: Process, ref: Reference): boolean {
  const found = process.monitors?.take(ref)
  if (found === undefined) return false
  if (found.alias !== undefined && found.alias !== 'explicit_unalias') table.unalias(process, ref)
  sendDemonitor(table, process.pid, ref, found.target)
  return true
}

export function sendDemonitor(
  table: ProcessTable,
  from: Pid,
  ref: Reference,
  target: OutgoingMonitor['target'],
): void {
  const to = target instanceof Pid ? target : target.name
  table.signal({ type: 'demonitor', from, to, ref }, target.node)
}

/** Removes the message of this monitor from the mailbox: `{Tag, Ref, process, Object, Reason}`. */
export function flushDown(process: Process, ref: Reference): void {
  if (process.handler !== undefined) return
  process.mailbox.flush(
    (message) => message instanceof Tuple && message.size === 5 && ref.equals(message.elements[1]),
  )
}

/** `monitor_node/3`. */
export function monitorNode(table: ProcessTable, process: Process, node: Atom, connect: boolean): void {
  if (table.ids.isThisNode(node)) return
  process.nodeMonitors ??= new Map()
  process.nodeMonitors.set(node, (process.nodeMonitors.get(node) ?? 0) + 1)
  table.relate(process, node)
  if (connect) table.outlet.connect(node)
  else table.outlet.checkConnection(node)
}

/** Undoes one {@link monitorNode}. */
export function demonitorNode(process: Process, node: Atom): void {
  const count = process.nodeMonitors?.get(node)
  if (count === undefined) return
  if (count > 1) process.nodeMonitors?.set(node, count - 1)
  else process.nodeMonitors?.delete(node)
}
