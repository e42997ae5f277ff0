/** What each signal from another process does on this node, as the BEAM's receivers of distributed signals do it. */
import { internAtom, type Atom } from '../etf/atom.js'
import { Pid, Reference } from '../etf/identifiers.js'
import type { Term } from '../etf/terms.js'
import type { Name, SignalIn } from '../dist/signals.js'
import { DistError, NodeError } from '../errors.js'
import { deliverDown, deliverExit, deliverMessage, deliverSpawnReply } from './delivery.js'
import type { Held } from './held.js'
import type { SpawnRequest } from './host.js'
import { LinkTable } from './links.js'
import { Process } from './process.js'
import { ReferenceMap } from './reference-map.js'
import { readSpawnOptions } from './spawn-options.js'
import type { ProcessTable } from './table.js'
import { Watchers } from './watchers.js'
import { demonitor } from './watching.js'

const NOPROC = internAtom('noproc')
const NORMAL = internAtom('normal')
const NOTSUP = internAtom('notsup')
const BADOPT = internAtom('badopt')
const SYSTEM_LIMIT = internAtom('system_limit')

/** Bits of SPAWN_REPLY's flags. */
export const SPAWNED_LINKED = 1
export const SPAWNED_MONITORED = 2

export function receiveSignal(table: ProcessTable, signal: SignalIn): void {
  switch (signal.type) {
    case 'send': {
      const process = table.process(signal.to)
      if (process !== undefined) deliverMessage(table, process, signal.message, signal.from)
      return
    }
    case 'regSend': {
      const process = table.registry.whereis(signal.to)
      if (process !== undefined) deliverMessage(table, process, signal.message, signal.from)
      return
    }
    case 'aliasSend':
      deliverToAlias(table, signal.to, signal.message, signal.from)
      return
    case 'altactSend':
      receiveAltact(table, signal)
      return
    case 'link':
      receiveLink(table, signal.from, signal.to)
      return
    case 'unlink':
      table.process(signal.to)?.links?.broken(signal.from)
      return
    case 'unlinkId':
      // Acknowledged before anything else goes back, and for dead processes too: the peer waits for it.
      table.signal({ type: 'unlinkIdAck', id: signal.id, from: signal.to, to: signal.from }, signal.from.node)
      table.process(signal.to)?.links?.unlinked(signal.from)
      return
    case 'unlinkIdAck':
      table.process(signal.to)?.links?.acknowledged(signal.from, signal.id)
      return
    case 'exit': {
      const process = table.process(signal.to)
      if (process?.links?.broken(signal.from)) deliverExit(table, process, signal.from, signal.reason, true)
      return
    }
    case 'exit2': {
      const process = table.process(signal.to)
      if (process !== undefined) deliverExit(table, process, signal.from, signal.reason, false)
      return
    }
    case 'monitor':
      receiveMonitor(table, signal.from, signal.to, signal.ref)
      return
    case 'demonitor': {
      const key = table.ids.referenceKey(signal.ref)
      const process = signal.to instanceof Pid ? table.process(signal.to) : table.namedWatchers.get(key)
      process?.watchers?.delete(signal.ref)
      table.namedWatchers.delete(key)
      return
    }
    case 'monitorExit': {
      // OTP 23 loses a spawn reply that meets a busy connection. That the process has ended says that it was spawned.
      const process = table.process(signal.to)
      if (process?.spawnRequests?.get(signal.ref) !== undefined && signal.from instanceof Pid)
        receiveSpawnReply(table, signal.ref, signal.to, SPAWNED_MONITORED, signal.from)
      if (process !== undefined) deliverDown(table, process, signal.ref, signal.reason)
      return
    }
    case 'groupLeader': {
      const process = table.process(signal.to)
      if (process !== undefined) process.groupLeader = signal.from
      return
    }
    case 'spawnRequest':
      receiveSpawnRequest(table, signal)
      return
    case 'spawnReply':
      receiveSpawnReply(table, signal.ref, signal.to, signal.flags, signal.result)
      return
    default:
      signal satisfies never
  }
}

function receiveLink(table: ProcessTable, from: Pid, to: Pid): void {
  const process = table.process(to)
  if (process === undefined) {
    table.signal({ type: 'exit', from: to, to: from, reason: NOPROC }, from.node)
    return
  }
  table.relate(process, from.node)
  const held = table.held(from.node)
  process.links ??= new LinkTable()
  process.links.linked(from, held)
  checkHeld(table, from.node, held)
}

function receiveMonitor(table: ProcessTable, from: Pid, to: Pid | Name, ref: Reference): void {
  const process = to instanceof Pid ? table.process(to) : table.registry.whereis(to)
  if (process === undefined) {
    table.signal({ type: 'monitorExit', from: to, to: from, ref, reason: NOPROC }, from.node)
    return
  }
  table.relate(process, from.node)
  const held = table.held(from.node)
  process.watchers ??= new Watchers(table.ids)
  process.watchers.add({ ref, watcher: from, name: to instanceof Pid ? undefined : to, held })
  if (!(to instanceof Pid)) table.namedWatchers.set(table.ids.referenceKey(ref), process)
  checkHeld(table, from.node, held)
}

function checkHeld(table: ProcessTable, node: Atom, held: Held | undefined): void {
  const { maxRelationsPerConnection } = table.limits
  if (held === undefined || held.count <= maxRelationsPerConnection) return
  const what = `the processes of ${node.name} have made ${held.count} links and monitors here`
  const error = new DistError(
    'DIST_TOO_MANY_RELATIONS',
    `${what} (limit maxRelationsPerConnection ${maxRelationsPerConnection})`,
  )
  table.options.onExcess?.(node, error)
}

function deliverToAlias(
  table: ProcessTable,
  ref: Reference,
  message: Term,
  from: Pid | undefined,
  priority = false,
): void {
  const found = table.aliased(ref)
  if (found === undefined) return
  const { process, mode } = found
  if (mode === 'reply' || mode === 'reply_demonitor') {
    table.unalias(process, ref)
    if (mode === 'reply_demonitor') demonitor(table, process, ref)
  }
  deliverMessage(table, process, message, from, priority && found.priority)
}

/** ALTACT_SIG_SEND: a message or an exit signal, to a pid, a name or an alias; priority is an alias's to grant. */
function receiveAltact(table: ProcessTable, signal: Extract<SignalIn, { type: 'altactSend' }>): void {
  const { from, to, message, priority } = signal
  if (signal.exit) {
    const alias = to instanceof Reference ? table.aliased(to) : undefined
    const process = to instanceof Reference ? alias?.process : find(table, to)
    if (process === undefined) return
    deliverExit(table, process, from, message, false, priority && alias?.priority === true)
  } else if (to instanceof Reference) deliverToAlias(table, to, message, from, priority)
  else {
    const process = find(table, to)
    if (process !== undefined) deliverMessage(table, process, message, from)
  }
}

function find(table: ProcessTable, to: Pid | Name): Process | undefined {
  return to instanceof Pid ? table.process(to) : table.registry.whereis(to)
}

/** The process for a request, for {@link runSpawned} to run; or why there is none. */
export function spawnForRequest(table: ProcessTable, request: SpawnRequest): Process | Name {
  if (table.spawnStarter === undefined) return NOTSUP
  try {
    return table.create(undefined, { groupLeader: request.groupLeader })
  } catch (error) {
    if (!(error instanceof NodeError)) throw error
    return SYSTEM_LIMIT
  }
}

export function runSpawned(table: ProcessTable, process: Process, request: SpawnRequest): void {
  table.spawnStarter?.(process, request)
}

function refuseSpawn(table: ProcessTable, request: SpawnRequest, result: Name): void {
  replySpawn(table, request, 0, result)
}

function replySpawn(table: ProcessTable, request: SpawnRequest, flags: number, result: Pid | Name): void {
  const { ref, from, traceToken } = request
  const signal = { type: 'spawnReply', ref, to: from, flags, result } as const
  // A BEAM whose request had a token takes that of the reply for its own: without one it would have none any more.
  table.signal(traceToken === undefined ? signal : { ...signal, traceToken }, from.node)
}

function receiveSpawnRequest(table: ProcessTable, request: SpawnRequest): void {
  const { ref, from } = request
  const options = readSpawnOptions(request.options)
  if (options === undefined) return refuseSpawn(table, request, BADOPT)
  const process = spawnForRequest(table, request)
  if (!(process instanceof Process)) return refuseSpawn(table, request, process)
  let flags = 0
  if (options.link) {
    flags |= SPAWNED_LINKED
    process.links = new LinkTable()
    process.links.linked(from)
  }
  if (options.monitor) {
    flags |= SPAWNED_MONITORED
    process.watchers = new Watchers(table.ids)
    process.watchers.add({ ref, watcher: from, name: undefined, held: undefined })
  }
  if (flags !== 0) table.relate(process, from.node)
  try {
    replySpawn(table, request, flags, process.pid)
  } catch (error) {
    // A requester that cannot be told gets no process: nobody would know of it, and it would never run nor end.
    process.links = process.watchers = undefined
    table.terminate(process, NORMAL)
    throw error
  }
  runSpawned(table, process, request)
}

/**
 * The links and monitors that a request asked for exist from the reply on. A requester that is gone, or has given up,
 * undoes them: the link with an exit signal, the monitor with a demonitor.
 */
function receiveSpawnReply(
  table: ProcessTable,
  ref: Reference,
  to: Pid,
  flags: number,
  result: Pid | Name,
): void {
  const process = table.process(to)
  const pending = process?.spawnRequests?.take(ref)
  if (process === undefined || pending === undefined || pending.abandoned) {
    if (!(result instanceof Pid)) return
    if (flags & SPAWNED_LINKED)
      table.signal({ type: 'exit', from: to, to: result, reason: NOPROC }, result.node)
    if (flags & SPAWNED_MONITORED) table.signal({ type: 'demonitor', from: to, to: result, ref }, result.node)
    return
  }
  if (result instanceof Pid) {
    if (flags & SPAWNED_LINKED) {
      process.links ??= new LinkTable()
      process.links.linked(result)
    }
    if (flags & SPAWNED_MONITORED) {
      process.monitors ??= new ReferenceMap()
      process.monitors.set(ref, { ref, target: result })
    }
    if (flags !== 0) table.relate(process, result.node)
  }
  deliverSpawnReply(table, process, ref, flags, result)
}
