/** What reaches a process: messages into its mailbox or handler, exit signals, downs of what it monitors. */
import { internAtom } from '../etf/atom.js'
import { Pid, type Reference } from '../etf/identifiers.js'
import type { Term } from '../etf/terms.js'
import { tuple } from '../etf/tuple.js'
import type { Name } from '../dist/signals.js'
import { reasonOf } from './copy.js'
import { dropChannel, type DropEvent } from './diagnostics.js'
import type { Process } from './process.js'
import type { ProcessTable } from './table.js'

const NORMAL = internAtom('normal')
const KILL = internAtom('kill')
const KILLED = internAtom('killed')
const DOWN = internAtom('DOWN')
const EXIT = internAtom('EXIT')
const PROCESS = internAtom('process')
const SPAWN_REPLY = internAtom('spawn_reply')

/** Puts a message into a process, or gives it to its handler. A priority message goes before all ordinary ones. */
export function deliverMessage(
  table: ProcessTable,
  process: Process,
  message: Term,
  from: Pid | undefined,
  priority = false,
): void {
  if (process.handler !== undefined) {
    try {
      process.handler.message(message, from)
    } catch (error) {
      const where = `handler process ${process.registeredName ?? process.pid.toString()}`
      table.reportError(error, where, from?.node)
      table.terminate(process, reasonOf(error))
    }
    return
  }
  if (process.intercept?.(message) === true) return
  const { mailbox } = process
  const weight = table.arrivingWeight
  if (isFull(table, process, weight)) {
    // A receive that waits for the message takes it out of the mailbox's way.
    if (mailbox.hand(message) || !makeRoom(table, process, weight)) return
    mailbox.keep(message, priority, weight)
  } else mailbox.push(message, priority, weight)
  if (from !== undefined && weight > 0) table.options.onArrival?.(mailbox, from.node)
}

function isFull(table: ProcessTable, process: Process, weight: number): boolean {
  const { mailbox } = process
  return (
    mailbox.length >= process.maxMailboxMessages ||
    (weight > 0 && table.mailboxRoom.refuses(mailbox.weight, weight))
  )
}

/** Does with a full mailbox what the process's policy says. @returns whether the message can be put into it now */
function makeRoom(table: ProcessTable, process: Process, weight: number): boolean {
  const { mailbox, mailboxPolicy } = process
  if (mailboxPolicy === 'dropOldest') {
    while (mailbox.length > 0) {
      mailbox.shift()
      noteDropped(table, process)
      if (!isFull(table, process, weight)) return true
    }
  }
  noteDropped(table, process)
  if (mailboxPolicy === 'exit') table.terminate(process, KILLED)
  return false
}

/** What an exit signal does to a process ("Receiving Exit Signals" of the reference manual). */
export function deliverExit(
  table: ProcessTable,
  process: Process,
  from: Pid,
  reason: Term,
  byLink: boolean,
  priority = false,
): void {
  if (process.handler?.ignoresExits === true) return
  if (reason === KILL && !byLink) table.terminate(process, KILLED)
  else if (process.trapExit) deliverMessage(table, process, tuple(EXIT, from, reason), from, priority)
  else if (reason !== NORMAL || from.equals(process.pid)) table.terminate(process, reason)
}

/** A monitor of `process` fires. */
export function deliverDown(table: ProcessTable, process: Process, ref: Reference, reason: Term): void {
  const monitor = process.monitors?.take(ref)
  if (monitor === undefined) return
  if (monitor.alias !== undefined && monitor.alias !== 'explicit_unalias') table.unalias(process, ref)
  const { target } = monitor
  if (process.handler?.down === undefined) {
    const object = target instanceof Pid ? target : tuple(target.name, target.node)
    const message = tuple(monitor.tag ?? DOWN, ref, PROCESS, object, reason)
    deliverMessage(table, process, message, undefined, monitor.priority)
    return
  }
  try {
    process.handler.down(ref, target, reason)
  } catch (error) {
    table.reportError(error, `handler process ${process.registeredName ?? process.pid.toString()}`)
    table.terminate(process, reasonOf(error))
  }
}

export function deliverSpawnReply(
  table: ProcessTable,
  process: Process,
  ref: Reference,
  flags: number,
  result: Pid | Name,
): void {
  if (process.handler?.spawnReply !== undefined) process.handler.spawnReply(ref, flags, result)
  else {
    const status = internAtom(result instanceof Pid ? 'ok' : 'error')
    deliverMessage(table, process, tuple(SPAWN_REPLY, ref, status, result), undefined)
  }
}

function noteDropped(table: ProcessTable, process: Process): void {
  process.droppedMessages++
  if (dropChannel.hasSubscribers) dropChannel.publish(dropped(table, process))
}

function dropped(table: ProcessTable, process: Process): DropEvent {
  const { pid, registeredName } = process
  const local = table.name.name
  if (registeredName === undefined) return { local, pid: pid.toString() }
  return { local, pid: pid.toString(), registeredName: String(registeredName) }
}
