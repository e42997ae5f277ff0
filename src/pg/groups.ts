/** The groups of one scope, as pg's ETS table has them: who is in each, of this node and of others. */
import type { Pid } from '../etf/identifiers.js'
import { keyOf, type TermKey } from '../etf/keys.js'
import type { Term } from '../etf/terms.js'
import type { Process } from '../process/process.js'

interface Group {
  readonly group: Term
  /** As often as each joined. Processes and not pids: those change when a node gets its name. */
  local: Process[]
  remote: Pid[]
}

export class Groups {
  readonly #groups = new Map<TermKey, Group>()
  #remoteCount = 0

  /** Members on other nodes, in all groups. */
  get remoteCount(): number {
    return this.#remoteCount
  }

  members(group: Term): Pid[] {
    const found = this.#groups.get(keyOf(group))
    return found === undefined ? [] : [...found.local.map(({ pid }) => pid), ...found.remote]
  }

  localMembers(group: Term): Pid[] {
    return this.#groups.get(keyOf(group))?.local.map(({ pid }) => pid) ?? []
  }

  all(): Term[] {
    return [...this.#groups.values()].map(({ group }) => group)
  }

  /** Groups that have members on this node. */
  allLocal(): Term[] {
    return [...this.#groups.values()].filter(({ local }) => local.length > 0).map(({ group }) => group)
  }

  joinLocal(group: Term, processes: readonly Process[]): void {
    if (processes.length > 0) this.#open(group).local.unshift(...processes)
  }

  /** Takes each process out once. @returns those that were in */
  leaveLocal(group: Term, processes: readonly Process[]): Process[] {
    const found = this.#groups.get(keyOf(group))
    if (found === undefined) return []
    const left = processes.filter((process) => {
      const index = found.local.indexOf(process)
      if (index >= 0) found.local.splice(index, 1)
      return index >= 0
    })
    this.#dropIfEmpty(found)
    return left
  }

  joinRemote(group: Term, pids: readonly Pid[]): void {
    if (pids.length === 0) return
    this.#remoteCount += pids.length
    const found = this.#open(group)
    found.remote = [...pids, ...found.remote]
  }

  leaveRemote(group: Term, pids: readonly Pid[]): void {
    const found = this.#groups.get(keyOf(group))
    if (found === undefined) return
    const before = found.remote.length
    found.remote = without(found.remote, pids)
    this.#remoteCount -= before - found.remote.length
    this.#dropIfEmpty(found)
  }

  #open(group: Term): Group {
    const key = keyOf(group)
    let found = this.#groups.get(key)
    if (found === undefined) this.#groups.set(key, (found = { group, local: [], remote: [] }))
    return found
  }

  #dropIfEmpty({ group, local, remote }: Group): void {
    if (local.length === 0 && remote.length === 0) this.#groups.delete(keyOf(group))
  }
}

/** `From -- Remove`: each of `remove` takes its first occurrence away, in a time that grows with both together. */
export function without(from: readonly Pid[], remove: readonly Pid[]): Pid[] {
  const counts = new Map<string, number>()
  for (const pid of remove) counts.set(pid.key, (counts.get(pid.key) ?? 0) + 1)
  return from.filter((pid) => {
    const count = counts.get(pid.key) ?? 0
    if (count > 0) counts.set(pid.key, count - 1)
    return count === 0
  })
}
