/** `node.pg`: OTP's `pg` for this node's processes. Groups and scopes that are named by text have the atom of that name. */
import { checkArray, wrong } from '../arguments.js'
import { NodeError } from '../errors.js'
import { atom, internAtom, type Atom } from '../etf/atom.js'
import { Pid, type Reference } from '../etf/identifiers.js'
import { keyOf } from '../etf/keys.js'
import type { Encodable, Term } from '../etf/terms.js'
import { localTerm } from '../process/copy.js'
import { Process } from '../process/process.js'
import { Scope, scopeName, type ScopeOptions } from './scope.js'
import type { Change, Membership } from './wire.js'

export type Members = Process | Pid | readonly (Process | Pid)[]

/** A change of one group. */
export interface GroupChange {
  readonly group: Term
  readonly joined: readonly Pid[]
  readonly left: readonly Pid[]
}

export class ProcessGroups {
  readonly #options: ScopeOptions
  readonly #scopes = new Map<Atom, Scope>()

  /** @internal made by the node */
  constructor(options: ScopeOptions) {
    this.#options = options
  }

  /**
   * `pg:start/1`: from now on this node takes part in the scope. `join` and the monitors do it by themselves.
   * @returns the scope's process; ending it takes this node out of the scope
   * @throws NodeError `PROCESS_NAME_TAKEN` when another process is registered under the scope's name
   */
  start(scope: Atom | string = 'pg'): Process {
    return this.#open(scope).process
  }

  /** Takes this node out of a scope: its members leave. @returns whether it was in */
  stop(scope: Atom | string): boolean {
    const found = this.#find(scope)
    found?.process.exit(internAtom('shutdown'))
    return found !== undefined
  }

  /** Scopes that this node takes part in. */
  scopes(): string[] {
    return [...this.#scopes.values()].filter(({ process }) => process.alive).map(({ name }) => name.name)
  }

  /**
   * `pg:join/3`: a process of this node, or several; each as often as it joins.
   * @throws NodeError `PG_NOT_LOCAL` for a process of another node, or one that has ended
   */
  join(scope: Atom | string, group: Encodable, members: Members): void {
    const processes = this.#local(members)
    this.#open(scope).join(groupTerm(group), processes)
  }

  /**
   * `pg:leave/3`.
   * @returns whether any of them was in the group
   * @throws NodeError `PG_NOT_LOCAL`
   */
  leave(scope: Atom | string, group: Encodable, members: Members): boolean {
    const processes = this.#local(members)
    return this.#find(scope)?.leave(groupTerm(group), processes) ?? false
  }

  /** `pg:get_members/2`: on all nodes. Nobody, in a scope that this node does not take part in. */
  getMembers(scope: Atom | string, group: Encodable): Pid[] {
    return this.#find(scope)?.groups.members(groupTerm(group)) ?? []
  }

  /** `pg:get_local_members/2`: on this node. */
  getLocalMembers(scope: Atom | string, group: Encodable): Pid[] {
    return this.#find(scope)?.groups.localMembers(groupTerm(group)) ?? []
  }

  /** `pg:which_groups/1`: the groups that have members. */
  whichGroups(scope: Atom | string): Term[] {
    return this.#find(scope)?.groups.all() ?? []
  }

  /** Groups that have members on this node. */
  whichLocalGroups(scope: Atom | string): Term[] {
    return this.#find(scope)?.groups.allLocal() ?? []
  }

  /**
   * `pg:monitor/2`: `{Ref, join | leave, Group, Pids}` comes to `process` for each change.
   * @throws NodeError `PG_NOT_LOCAL`
   */
  monitor(
    scope: Atom | string,
    group: Encodable,
    process: Process | Pid,
  ): { ref: Reference; members: Pid[] } {
    const term = groupTerm(group)
    const [watcher] = this.#local(process) as [Process]
    const found = this.#open(scope)
    return { ref: found.monitor(watcher.pid, { group: term }), members: found.groups.members(term) }
  }

  /** `pg:monitor_scope/1`: as {@link monitor}, for all groups. */
  monitorScope(scope: Atom | string, process: Process | Pid): { ref: Reference; groups: Membership[] } {
    const [watcher] = this.#local(process) as [Process]
    const found = this.#open(scope)
    return { ref: found.monitor(watcher.pid), groups: found.all() }
  }

  /** `pg:demonitor/2`; messages that were sent already may still come. @returns whether there was such a monitor */
  demonitor(scope: Atom | string, ref: Reference): boolean {
    return this.#find(scope)?.demonitor(ref) ?? false
  }

  /**
   * Calls `listener` after each change of a group, or with `group` undefined of any group of the scope. Returns a
   * function that ends it.
   */
  onChange(scope: Atom | string, group: Encodable, listener: (change: GroupChange) => void): () => void {
    if (typeof listener !== 'function') wrong('the listener is a function', listener)
    const found = this.#open(scope)
    if (group === undefined) return found.listen(listener)
    const key = keyOf(groupTerm(group))
    return found.listen((change: Change) => {
      if (keyOf(change.group) === key) listener(change)
    })
  }

  #find(scope: Atom | string): Scope | undefined {
    const found = this.#scopes.get(scopeName(scope))
    return found?.process.alive === true ? found : undefined
  }

  #open(scope: Atom | string): Scope {
    const found = this.#find(scope)
    if (found !== undefined) return found
    const name = scopeName(scope)
    const made = new Scope(name, this.#options)
    this.#scopes.set(name, made)
    return made
  }

  #local(members: Members): Process[] {
    const list = members instanceof Process || members instanceof Pid ? [members] : members
    checkArray('members are one process, or', list)
    return list.map((member) => {
      if (!(member instanceof Process || member instanceof Pid))
        wrong('a member is a process or its pid', member)
      const process = member instanceof Process ? member : this.#options.host.process(member)
      if (process?.alive === true && this.#options.host.process(process.pid) === process) return process
      const pid = member instanceof Process ? member.pid : member
      throw new NodeError(
        'PG_NOT_LOCAL',
        `${pid.key} is no live process of this node: a node's groups hold its own`,
      )
    })
  }
}

/** Text is the atom of that name. */
function groupTerm(group: Encodable): Term {
  return typeof group === 'string' ? (atom(group) as Term) : localTerm(group)
}
