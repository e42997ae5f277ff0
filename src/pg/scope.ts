/**
 * A scope of process groups: the process that OTP's pg.erl runs under the scope's name. It tells the scopes of other
 * nodes who is in its groups and hears the same of them; no node decides, and all agree once messages are through.
 *
 *     connection up ──▶ {discover, Self} to {Scope, Node}     the other answers with all its members, and a discover
 *     join, leave   ──▶ to every known scope                  a member that ends leaves
 *     scope down    ──▶ its members leave
 *
 * OTP's scopes discover visible nodes only. A hidden node takes part by discovering every node it is connected to, until
 * it is answered (discovery.ts).
 */
import { wrong } from '../arguments.js'
import { ArgumentError, NodeError } from '../errors.js'
import { Atom, atomName, internAtom } from '../etf/atom.js'
import { Pid, Reference } from '../etf/identifiers.js'
import { keyOf, type TermKey } from '../etf/keys.js'
import { ErlMap } from '../etf/map.js'
import type { Encodable, Term } from '../etf/terms.js'
import { Tuple, tuple } from '../etf/tuple.js'
import type { Cluster } from '../process/cluster.js'
import { genReply, readGenMessage, type GenFrom } from '../process/gen-reply.js'
import type { Destination, Host } from '../process/host.js'
import type { Process } from '../process/process.js'
import { answerSystemMessage } from '../process/system-messages.js'
import { Discovery } from './discovery.js'
import { Groups, without } from './groups.js'
import {
  changeMessages,
  discoverMessage,
  localDataMessage,
  NEWEST_VERSION,
  readPgMessage,
  type Change,
  type Membership,
} from './wire.js'

const OK = internAtom('ok')
const NOT_JOINED = internAtom('not_joined')
const NOLOCAL = internAtom('nolocal')
const JOIN = internAtom('join')
const LEAVE = internAtom('leave')

/** Told of what joins and leaves, after the group has changed. */
export type ChangeListener = (change: Change) => void

export interface ScopeOptions {
  host: Host
  cluster: Cluster
  /** Members on other nodes that one scope remembers. */
  maxGroupMembers: number
  /** Pauses between two discovers of a hidden node that are not answered. */
  discoverMinMs: number
  discoverMaxMs: number
  /** Told of what could not be sent, and of members left out. */
  onError(error: unknown, where: string, peer?: Atom): void
}

/** The scope of another node. */
interface Peer {
  readonly pid: Pid
  readonly ref: Reference
  version: number
  readonly groups: Map<TermKey, { group: Term; pids: Pid[] }>
}

/** A process of this node that is in groups: the monitor on it, and how often it joined each. */
interface LocalMember {
  readonly ref: Reference
  readonly groups: Map<TermKey, { readonly group: Term; times: number }>
}

/** A process that gets `{Ref, join | leave, Group, Pids}`. */
interface Watcher {
  readonly ref: Reference
  readonly pid: Pid
  /** Undefined: of all groups. */
  readonly key: TermKey | undefined
}

export class Scope {
  readonly name: Atom
  readonly process: Process
  readonly groups = new Groups()
  readonly #options: ScopeOptions
  readonly #peers = new Map<string, Peer>()
  readonly #members = new Map<Process, LocalMember>()
  readonly #memberOf = new Map<string, Process>()
  readonly #watchers = new Map<string, Watcher>()
  readonly #listeners = new Set<ChangeListener>()
  readonly #discovery: Discovery
  readonly #unlisten: () => void

  /** @throws NodeError `PROCESS_NAME_TAKEN` */
  constructor(name: Atom, options: ScopeOptions) {
    this.name = name
    this.#options = options
    const { host, cluster, discoverMinMs: minMs, discoverMaxMs: maxMs } = options
    this.#discovery = new Discovery({ ask: (node) => this.#discover(node), minMs, maxMs })
    this.process = host.spawnHandler(
      {
        ignoresExits: true,
        message: (message) => {
          try {
            this.#message(message)
          } catch (error) {
            // It serves everyone: what one message brings about (a pid that cannot be monitored) must not end it.
            this.#options.onError(error, `pg scope ${name.name}`)
          }
        },
        down: (ref, object) => this.#down(ref, object),
        exited: () => this.#exited(),
      },
      { name },
    )
    this.#unlisten = cluster.listen({
      nodeUp: ({ node, hidden }) => this.#nodeUp(node, hidden),
      nodeDown: ({ node }) => this.#discovery.stop(node),
    })
    for (const { node, hidden } of cluster.connected()) this.#nodeUp(node, hidden)
  }

  // --- what this node's processes do ---

  join(group: Term, processes: readonly Process[]): void {
    if (processes.length === 0) return
    const key = keyOf(group)
    for (const process of processes) {
      let member = this.#members.get(process)
      if (member === undefined) {
        member = { ref: this.process.monitor(process), groups: new Map() }
        this.#members.set(process, member)
        this.#memberOf.set(member.ref.key, process)
      }
      const joined = member.groups.get(key)
      if (joined === undefined) member.groups.set(key, { group, times: 1 })
      else joined.times++
    }
    this.groups.joinLocal(group, processes)
    this.#changed([{ group, joined: processes.map(({ pid }) => pid), left: [] }])
  }

  /** @returns whether any of them was in the group */
  leave(group: Term, processes: readonly Process[]): boolean {
    const left = this.groups.leaveLocal(group, processes)
    const key = keyOf(group)
    for (const process of left) {
      const member = this.#members.get(process)
      const joined = member?.groups.get(key)
      if (member === undefined || joined === undefined) continue
      if (--joined.times === 0) member.groups.delete(key)
      if (member.groups.size === 0) {
        this.process.demonitor(member.ref)
        this.#forget(process, member.ref)
      }
    }
    if (left.length > 0) this.#changed([{ group, joined: [], left: left.map(({ pid }) => pid) }])
    return left.length > 0
  }

  listen(listener: ChangeListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** `pg:monitor/2`, or of all groups `pg:monitor_scope/1`. */
  monitor(pid: Pid, group?: { group: Term }): Reference {
    const ref = this.process.monitor(pid)
    this.#watchers.set(ref.key, { ref, pid, key: group && keyOf(group.group) })
    return ref
  }

  /** @returns whether there was such a monitor */
  demonitor(ref: Reference): boolean {
    if (!this.#watchers.delete(ref.key)) return false
    this.process.demonitor(ref)
    return true
  }

  /** Members of each group. */
  all(): Membership[] {
    return this.groups.all().map((group) => ({ group, pids: this.groups.members(group) }))
  }

  // --- what other scopes say ---

  #nodeUp(node: Atom, hidden: boolean): void {
    // Hidden nodes discover us; a hidden node discovers everyone.
    const isHidden = this.#options.cluster.hidden
    if (hidden && !isHidden) return
    this.#discover(node)
    if (isHidden) this.#discovery.lookFor(node)
  }

  #discover(node: Atom): void {
    this.#send({ name: this.name, node }, node, discoverMessage(this.process.pid, 0))
  }

  #exited(): void {
    this.#unlisten()
    this.#discovery.end()
  }

  #message(message: Term): void {
    const read = readPgMessage(message)
    if (read === undefined) {
      this.#generic(message)
      return
    }
    switch (read.type) {
      case 'discover':
        this.#discovered(read.peer, Math.min(read.version, NEWEST_VERSION))
        return
      case 'localData':
        this.#replace(this.#peer(read.peer, Math.min(read.version, NEWEST_VERSION)), read.groups)
        return
      case 'update': {
        // From a scope whose node was down meanwhile: what it has now comes when it is discovered anew.
        const peer = this.#peers.get(read.peer.key)
        if (peer !== undefined) this.#update(peer, read.changes)
        return
      }
      default:
        read satisfies never
    }
  }

  #discovered(pid: Pid, version: number): void {
    this.#send(pid, pid.node, localDataMessage(this.process.pid, version, this.#localData()))
    if (this.#peers.has(pid.key)) return
    this.#peer(pid, version)
    this.#send(pid, pid.node, discoverMessage(this.process.pid, version))
  }

  #peer(pid: Pid, version: number): Peer {
    let peer = this.#peers.get(pid.key)
    if (peer === undefined) {
      peer = { pid, ref: this.process.monitor(pid), version, groups: new Map() }
      this.#peers.set(pid.key, peer)
      this.#discovery.stop(pid.node)
    }
    peer.version = version
    return peer
  }

  #localData(): Membership[] {
    return this.groups.allLocal().map((group) => ({ group, pids: this.groups.localMembers(group) }))
  }

  /** What a scope says it has takes the place of all that it said before. */
  #replace(peer: Peer, groups: readonly Membership[]): void {
    const changes: Change[] = []
    const now = new Map(groups.map((membership) => [keyOf(membership.group), membership]))
    for (const [key, { group, pids }] of peer.groups) {
      if (!now.has(key)) changes.push({ group, joined: [], left: pids })
    }
    for (const [key, { group, pids }] of now) {
      const before = peer.groups.get(key)?.pids ?? []
      const joined = without(pids, before)
      const left = without(before, pids)
      if (joined.length > 0 || left.length > 0) changes.push({ group, joined, left })
    }
    this.#update(peer, changes)
  }

  #update(peer: Peer, changes: readonly Change[]): void {
    const made: Change[] = []
    for (const { group, joined, left } of changes) {
      const key = keyOf(group)
      const before = peer.groups.get(key)?.pids ?? []
      const gone = left.length === 0 ? [] : without(before, without(before, left))
      const room = this.#options.maxGroupMembers - this.groups.remoteCount + gone.length
      const come = joined.length <= room ? joined : joined.slice(0, Math.max(room, 0))
      if (come.length < joined.length) this.#full(peer.pid.node)
      const pids = [...come, ...without(before, gone)]
      if (pids.length === 0) peer.groups.delete(key)
      else peer.groups.set(key, { group, pids })
      this.groups.leaveRemote(group, gone)
      this.groups.joinRemote(group, come)
      if (come.length > 0 || gone.length > 0) made.push({ group, joined: come, left: gone })
    }
    this.#notify(made)
  }

  #full(node: Atom): void {
    const { maxGroupMembers, onError } = this.#options
    const text = `members of ${node.name} are left out: the scope has ${maxGroupMembers} of other nodes (limit maxGroupMembers)`
    onError(new NodeError('PG_LIMIT', text), `pg scope ${this.name.name}`, node)
  }

  #down(ref: Reference, object: unknown): void {
    const process = this.#memberOf.get(ref.key)
    if (process !== undefined) {
      this.#ended(process, ref)
      return
    }
    if (this.#watchers.delete(ref.key) || !(object instanceof Pid)) return
    const peer = this.#peers.get(object.key)
    if (peer === undefined || !peer.ref.equals(ref)) return
    const changes = [...peer.groups.values()].map(({ group, pids }) => ({ group, joined: [], left: pids }))
    this.#update(peer, changes)
    this.#peers.delete(object.key)
    // A scope that its supervisor starts anew looks for visible nodes. (If it is the node that is down, that is next.)
    if (this.#options.cluster.hidden) this.#discovery.lookFor(object.node)
  }

  #ended(process: Process, ref: Reference): void {
    const member = this.#members.get(process)
    this.#forget(process, ref)
    const changes: Change[] = []
    for (const { group, times } of member?.groups.values() ?? []) {
      for (let i = 0; i < times; i++) {
        this.groups.leaveLocal(group, [process])
        changes.push({ group, joined: [], left: [process.pid] })
      }
    }
    this.#changed(changes)
  }

  #forget(process: Process, ref: Reference): void {
    this.#members.delete(process)
    this.#memberOf.delete(ref.key)
  }

  // --- calls, which on a BEAM the functions of pg make ---

  #generic(message: Term): void {
    if (answerSystemMessage(this.#options.host, this.process, 'pg', message)) return
    const read = readGenMessage(message)
    // What is unknown ends OTP's scope; this one, which serves others too, ignores it.
    if (read.type !== 'call') return
    const reply = this.#answer(read.from, read.request)
    if (reply === undefined) return
    try {
      genReply(this.#options.host, this.process.pid, read.from, reply)
    } catch (error) {
      this.#options.onError(error, `pg scope ${this.name.name}`, read.from.pid.node)
    }
  }

  #answer(from: GenFrom, request: Term): Encodable {
    if (atomName(request) === 'monitor') return this.#monitorAll(from.pid)
    if (!(request instanceof Tuple)) return undefined
    const [kind, second, third] = request.elements as readonly [Term, Term, Term]
    switch (`${atomName(kind) ?? ''}/${request.size}`) {
      case 'monitor/2':
        return tuple(this.monitor(from.pid, { group: second }), this.groups.members(second))
      case 'subscribe/2':
        if (atomName(second) === 'scope') return this.#monitorAll(from.pid)
        if (!(second instanceof Tuple) || second.size !== 2) return undefined
        return this.#answer(from, tuple(internAtom('monitor'), second.elements[1] as Term) as Term)
      case 'demonitor/2':
        return second instanceof Reference && this.demonitor(second) ? OK : false
      case 'unsubscribe/2':
        if (second instanceof Reference) this.demonitor(second)
        return OK
      case 'join_local/3':
      case 'leave_local/3': {
        const processes = this.#local(third)
        if (processes instanceof Tuple) return processes
        if (atomName(kind) === 'join_local') this.join(second, processes)
        else if (!this.leave(second, processes)) return NOT_JOINED
        return OK
      }
      default:
        return undefined
    }
  }

  #monitorAll(pid: Pid): Encodable {
    const ref = this.monitor(pid)
    const groups = this.all().map(({ group, pids }) => [group, pids] as const)
    return tuple(ref, ErlMap.from<Encodable, Encodable>(groups) as Encodable)
  }

  #local(pids: Term): Process[] | Tuple {
    const processes: Process[] = []
    for (const pid of Array.isArray(pids) ? (pids as readonly Term[]) : [pids]) {
      const process = pid instanceof Pid ? this.#options.host.process(pid) : undefined
      if (process === undefined) return tuple(internAtom('error'), tuple(NOLOCAL, pid)) as Tuple
      processes.push(process)
    }
    return processes
  }

  // --- telling ---

  #changed(changes: readonly Change[]): void {
    if (changes.length === 0) return
    for (const { pid, version } of this.#peers.values()) {
      for (const message of changeMessages(this.process.pid, version, changes))
        this.#send(pid, pid.node, message)
    }
    this.#notify(changes)
  }

  #notify(changes: readonly Change[]): void {
    for (const change of changes) {
      const { group, joined, left } = change
      const key = keyOf(group)
      for (const { ref, pid, key: wanted } of this.#watchers.values()) {
        if (wanted !== undefined && wanted !== key) continue
        if (joined.length > 0) this.#send(pid, undefined, tuple(ref, JOIN, group, joined))
        if (left.length > 0) this.#send(pid, undefined, tuple(ref, LEAVE, group, left))
      }
      for (const listener of [...this.#listeners]) {
        try {
          listener(change)
        } catch (error) {
          this.#options.onError(error, `listener of pg scope ${this.name.name}`)
        }
      }
    }
  }

  /** Never connects to `node`, as pg sends with `noconnect`; what its peer cannot carry is told and lost. */
  #send(to: Destination, node: Atom | undefined, message: Encodable): void {
    const { host, cluster, onError } = this.#options
    if (node !== undefined && !cluster.isConnected(node)) return
    try {
      host.send(this.process.pid, to, message)
    } catch (error) {
      onError(error, `pg scope ${this.name.name}`, node)
    }
  }
}

/** @throws ArgumentError `BAD_ARGUMENT` for a name that no scope can have */
export function scopeName(scope: Atom | string): Atom {
  if (typeof scope !== 'string' && !(scope instanceof Atom))
    wrong('a scope is named by text or an atom', scope)
  const name = String(scope)
  if (name === '' || name === 'undefined')
    throw new ArgumentError(
      'BAD_ARGUMENT',
      `a scope of process groups cannot be named ${JSON.stringify(name)}`,
    )
  return internAtom(name)
}
