/**
 * The name server: the process `global_name_server` of a node (global.erl). Every node has all names of the nodes that it
 * knows; nodes that meet exchange theirs under the lock of both sides (locker.ts), and what is registered later is put
 * into every node under the same lock.
 *
 *     nodeup ─▶ init_connect both ways, acknowledged ─▶ lockers agree ─▶ exchange both ways ─▶ conflicts resolved
 *            ─▶ resolved both ways ─▶ new_nodes to all who were known before ─▶ locks given back
 *     nodedown ─▶ its names and locks go (their processes are down); the loss is told to all, so that the cluster does
 *            not fall into parts that overlap
 */
import { Atom, atom, atomName } from '../etf/atom.js'
import { isEqual } from '../etf/equal.js'
import { Pid, type Reference } from '../etf/identifiers.js'
import { ErlMap } from '../etf/map.js'
import type { Encodable, Term } from '../etf/terms.js'
import { Tuple, tuple } from '../etf/tuple.js'
import { NodeError } from '../errors.js'
import type { Cluster, ConnectedNode } from '../process/cluster.js'
import { GEN_CAST, genReply, readGenMessage, type GenFrom } from '../process/gen-reply.js'
import type { Host } from '../process/host.js'
import type { Process } from '../process/process.js'
import { Locker, type LockerMessage } from './locker.js'
import { lockTerm, Locks, readLockId, type LockId } from './locks.js'
import { LostConnections } from './lost-connections.js'
import { externalOf, Names } from './names.js'
import { Resolver, type ResolverOptions } from './resolver.js'
import { Syncers } from './syncers.js'
import {
  entryTerm,
  externalTerm,
  GLOBAL_NAME_SERVER,
  isInteger,
  knownTerm,
  opTerm,
  PREVENT_PARTITIONS_VERSION,
  readCast,
  readInfo,
  VERIFY_CONNECT_VERSION,
  VERSION,
  type Cast,
  type ExternalName,
  type Info,
  type KnownNode,
  type NameEntry,
  type Op,
} from './wire.js'

export interface GlobalOptions {
  host: Host
  cluster: Cluster
  /** Connect to all that others know (kernel's `connect_all`). */
  connectAll: boolean
  /** kernel's `prevent_overlapping_partitions`. */
  preventOverlappingPartitions: boolean
  maxGlobalNames: number
  maxGlobalLocks: number
  maxLostConnections: number
  /** Calls a function of a node, this one included. Rejects when that fails. */
  call: ResolverOptions['call']
  /** 0 to 1. */
  random(): number
  /** Milliseconds that never go back. */
  now(): number
  /** How long to wait before acting on a lost connection. */
  lossDelayMs: number
  log: { info(message: string): void; warn(message: string): void }
  onError(error: unknown, where: string): void
}

/** What one side has brought when the other has not. */
type SavedOps =
  | { type: 'mine'; ops: readonly Op[] }
  | { type: 'his'; ops: readonly Op[]; known: readonly KnownNode[]; external: readonly ExternalName[] }

/** A meeting with a node that is under way: what global.erl keeps in its process dictionary. */
interface Meeting {
  myTag?: number
  hisTag?: Term
  version?: number
  /** The lock is set, or his names came before it was. */
  waitLock?: 'set' | readonly NameEntry[]
  savedOps?: SavedOps
  /** He spoke before we knew that he was there. */
  preConnect?: Extract<Cast, { type: 'initConnect' }>
  lockId?: LockId
}

export class NameServer {
  readonly process: Process
  readonly names: Names
  readonly locks: Locks
  readonly resolver: Resolver
  readonly syncers: Syncers
  readonly #options: GlobalOptions
  readonly #locker: Locker
  readonly #lost: LostConnections
  /** Nodes that this one shares its names with, and the protocol version of each (0: not told yet). */
  readonly #known = new Map<Atom, number>()
  readonly #pending = new Map<Atom, number>()
  /** Nodes that we are about to disconnect: their going is no loss to tell of. */
  readonly #removing = new Set<Atom>()
  readonly #synced = new Set<Atom>()
  readonly #meetings = new Map<Atom, Meeting>()
  /** Nodes whose names we are ready to take, with our tag. */
  readonly #resolvers = new Map<Atom, { tag: number; cancelled: boolean }>()
  readonly #unlisten: () => void
  readonly #creationExtension: bigint
  readonly #timers = new Set<ReturnType<typeof setTimeout>>()
  #lastTag = 0
  #lastLossId = 0
  #shuttingDown = false

  /** @throws NodeError `PROCESS_NAME_TAKEN` */
  constructor(options: GlobalOptions) {
    this.#options = options
    const { host, cluster } = options
    // Above the 32 bits of the creation, and chosen anew by each incarnation.
    this.#creationExtension = BigInt(Math.floor(options.random() * 2 ** 27)) << 32n
    this.#lost = new LostConnections(options.now, options.maxLostConnections)
    this.process = host.spawnHandler(
      {
        message: (message) => this.#message(message),
        down: (ref) => this.#down(ref),
        exited: () => this.#exited(),
      },
      { name: GLOBAL_NAME_SERVER, trapExit: true },
    )
    const watch = {
      monitor: (pid: Pid): Reference => this.process.monitor(pid),
      demonitor: (ref: Reference): void => void this.process.demonitor(ref),
    }
    this.names = new Names(watch, options.maxGlobalNames)
    this.locks = new Locks(watch, options.maxGlobalLocks)
    this.syncers = new Syncers({ cluster, isSynced: (node) => this.#synced.has(node) })
    this.resolver = new Resolver(() => ({
      node: host.name,
      names: this.names,
      call: options.call,
      send: (to, message) => this.#send(to, to.node, message),
      kill: (pid) => this.process.sendExit(pid, atom('kill')),
      info: options.log.info,
    }))
    this.#locker = new Locker({
      host,
      locks: this.locks,
      random: options.random,
      onError: options.onError,
      lockIsSet: (node, tag, lockId) => this.#lockIsSet(node, tag, lockId),
    })
    this.#unlisten = cluster.listen({
      nodeUp: (node) => this.#nodeUp(node),
      nodeDown: (node) => this.#nodeDown(node),
    })
    for (const node of cluster.connected()) this.#nodeUp(node)
  }

  /** Nodes that share their names with this one. */
  known(): Atom[] {
    return [...this.#known.keys()]
  }

  /** From now on losing connections is our own doing, and nobody else's concern. */
  prepareShutdown(): void {
    this.#shuttingDown = true
  }

  #exited(): void {
    this.#unlisten()
    for (const timer of this.#timers) clearTimeout(timer)
    this.#locker.process.exit(atom('shutdown'))
    this.syncers.end()
  }

  // --- what comes in ---

  #message(message: Term): void {
    try {
      const read = readGenMessage(message)
      if (read.type === 'call') this.#call(read.from, read.request)
      else if (read.type === 'cast') {
        const cast = readCast(read.request)
        if (cast !== undefined) this.#cast(cast)
      } else {
        const info = readInfo(message)
        if (info !== undefined) this.#info(info)
      }
    } catch (error) {
      // It serves the whole cluster: what one message brings about must not end it.
      this.#options.onError(error, 'global_name_server')
    }
  }

  #call(from: GenFrom, request: Term): void {
    const answer = this.#answer(from, request)
    if (answer !== undefined) genReply(this.#options.host, this.process.pid, from, answer)
  }

  /** Undefined for what is answered later, or not at all, as OTP's does with what it does not know. */
  #answer(from: GenFrom, request: Term): Encodable {
    const [, second, third, fourth, fifth] =
      request instanceof Tuple ? (request.elements as readonly Term[]) : []
    const kind = request instanceof Tuple ? `${request.tag ?? ''}/${request.size}` : atomName(request)
    switch (kind) {
      case 'set_lock/2':
      case 'del_lock/2': {
        const id = readLockId(second)
        if (id === undefined) return undefined
        if (kind === 'set_lock/2') return this.locks.set(id, from.pid)
        this.locks.delete(id, from.pid)
        return true
      }
      case 'register/4':
      case 'register_ext/5': {
        if (!(third instanceof Pid)) return undefined
        const entry = { name: second as Term, pid: third, method: fourth as Term }
        const external = fifth === undefined ? undefined : { name: entry.name, pid: third, node: fifth }
        this.#insert(entry, { pid: from.pid }, external)
        return atom('yes')
      }
      case 'unregister/2':
        this.names.delete(second as Term)
        return atom('ok')
      case 'sync/2':
        if (!Array.isArray(second)) return undefined
        void this.syncers
          .wait(
            (second as readonly Term[]).filter((node) => node instanceof Atom && node !== this.#me) as Atom[],
          )
          .then(() => this.#reply(from, atom('ok')))
        return undefined
      case 'get_known':
        return knownTerm(this.#knownList(), 0)
      case 'get_synced':
        return [...this.#synced]
      case 'get_protocol_version':
        return VERSION
      case 'get_names_ext':
        return this.names.external().map(externalTerm)
      default:
        return undefined
    }
  }

  #reply(from: GenFrom, answer: Encodable): void {
    try {
      if (this.process.alive) genReply(this.#options.host, this.process.pid, from, answer)
    } catch (error) {
      this.#options.onError(error, 'answer of global_name_server')
    }
  }

  #cast(cast: Cast): void {
    switch (cast.type) {
      case 'initConnect':
        this.#initConnect(cast)
        return
      case 'lockSet': {
        const { locker } = cast
        const myTag = this.#meetings.get(locker.node)?.myTag
        if (cast.tag === undefined || (myTag !== undefined && isEqual(cast.tag, myTag))) this.#tell(cast)
        return
      }
      case 'exchange':
        if (this.#isMeeting(cast.node, cast.tag)) this.#exchange(cast.node, cast.names)
        else this.#cancelLocker(cast.node, cast.tag)
        return
      case 'resolved': {
        const { node, ops, known, external } = cast
        const meeting = this.#isMeeting(node, cast.tag)
        if (meeting === undefined) this.#cancelLocker(node, cast.tag)
        else if (meeting.savedOps?.type === 'mine')
          this.#resolved(node, meeting.savedOps.ops, ops, known, external)
        else meeting.savedOps = { type: 'his', ops, known, external }
        return
      }
      case 'newNodes':
        this.#newNodes(cast)
        return
      case 'inSync':
        this.syncers.synced(cast.node)
        this.#pending.delete(cast.node)
        this.#synced.add(cast.node)
        this.#cancelLocker(cast.node, this.#meetings.get(cast.node)?.myTag)
        this.#meetings.delete(cast.node)
        return
      default:
        cast satisfies never
    }
  }

  #info(info: Info): void {
    switch (info.type) {
      case 'initConnectAck': {
        const { myTag, hisTag } = this.#meetings.get(info.node) ?? {}
        if (isSame(myTag, info.myTag) && isSame(hisTag, info.hisTag)) return
        this.#sendCancelConnect(info.node, info.hisTag)
        this.#restartConnect(info.node, myTag)
        return
      }
      case 'cancelConnect':
        if (this.#isMeeting(info.node, info.tag))
          this.#restartConnect(info.node, this.#meetings.get(info.node)?.myTag)
        return
      case 'lostConnection':
        if (this.#preventsPartitions && this.#lost.note(info.a, info.creation, info.id, info.b)) {
          this.#later(() => this.#lostConnection(info))
        }
        return
      case 'removeConnection':
        if (!this.#isPotentiallyKnown(info.node)) return
        this.#options.log.warn(this.#partitionWarning('disconnected', info.node))
        this.#handleNodeDown(info.node, 'removing')
        this.#options.cluster.disconnect(info.node)
        return
      case 'whereis':
        if (info.from instanceof Tuple) {
          const [pid, tag] = info.from.elements as readonly Term[]
          const found = this.names.get(info.name)?.pid ?? atom('undefined')
          if (pid instanceof Pid && tag !== undefined) this.#reply({ pid, tag }, found)
        }
        return
      default:
        info satisfies never
    }
  }

  #down(ref: Reference): void {
    if (!this.locks.down(ref)) this.names.down(ref)
  }

  // --- meeting another node ---

  #nodeUp({ node, hidden }: ConnectedNode): void {
    if (!hidden && this.#options.connectAll && !this.#shuttingDown) this.#meet(node)
  }

  /** `handle_nodeup/2`. */
  #meet(node: Atom): void {
    if (this.#known.has(node) || this.#resolvers.has(node)) return
    const meeting = this.#meetings.get(node) ?? {}
    this.#meetings.set(node, meeting)
    const { preConnect } = meeting
    delete meeting.preConnect
    meeting.myTag = ++this.#lastTag
    this.#resolvers.set(node, { tag: meeting.myTag, cancelled: false })
    const known = ErlMap.from<Encodable, Encodable>([...this.#known])
    const locker = tuple(
      atom('locker'),
      atom('no_longer_a_pid'),
      known as Encodable,
      this.#locker.process.pid,
    )
    this.#castTo(node, tuple(atom('init_connect'), tuple(VERSION, meeting.myTag), this.#me, locker))
    if (preConnect !== undefined) this.#initConnect(preConnect)
  }

  #initConnect(connect: Extract<Cast, { type: 'initConnect' }>): void {
    const { node, tag, version } = connect
    if (this.#pending.has(node)) {
      // He began anew, and we have not.
      if (version < VERIFY_CONNECT_VERSION) {
        this.#options.cluster.disconnect(node)
        this.#options.log.warn(
          `global at node ${this.#me.name} got an out of sync connection attempt from old version ${version} ` +
            `node ${node.name}. Disconnecting from it.`,
        )
        return
      }
      this.#sendCancelConnect(node, tag)
      this.#restartConnect(node, this.#meetings.get(node)?.myTag)
      return
    }
    const meeting = this.#meetings.get(node) ?? {}
    this.#meetings.set(node, meeting)
    const resolver = this.#resolvers.get(node)
    meeting.version = Math.min(version, VERSION)
    meeting.hisTag = tag
    if (resolver === undefined) {
      meeting.preConnect = connect
      return
    }
    const him = { node, locker: connect.locker, version: meeting.version, myTag: resolver.tag, hisTag: tag }
    this.#tell({ type: 'hisLocker', him })
    if (version >= VERIFY_CONNECT_VERSION) {
      this.#sendTo(node, tuple(atom('init_connect_ack'), this.#me, tag, resolver.tag))
    }
    this.#pending.set(node, version)
  }

  #restartConnect(node: Atom, myTag: number | undefined): void {
    this.#cancelLocker(node, myTag)
    this.#meetings.delete(node)
    this.#pending.delete(node)
    for (const ref of [...this.locks.refsOf(node)]) this.locks.down(ref)
    for (const ref of [...this.names.refsOf(node)]) this.names.down(ref)
    if (myTag !== undefined && this.#options.cluster.isConnected(node)) this.#meet(node)
  }

  /** Both lockers hold the lock. */
  #lockIsSet(node: Atom, tag: Term, lockId: LockId): void {
    const meeting = this.#isMeeting(node, tag)
    if (meeting === undefined) {
      this.#cancelLocker(node, tag)
      return
    }
    const names = this.names.entries().map(entryTerm)
    this.#castTo(node, tuple(atom('exchange'), this.#me, names, [], meeting.hisTag))
    meeting.lockId = lockId
    const { waitLock } = meeting
    meeting.waitLock = 'set'
    if (waitLock !== undefined && waitLock !== 'set') this.#exchange(node, waitLock)
  }

  #exchange(node: Atom, names: readonly NameEntry[]): void {
    const meeting = this.#meetings.get(node)
    if (meeting === undefined) return
    if (meeting.waitLock !== 'set') {
      meeting.waitLock = names
      return
    }
    delete meeting.waitLock
    const resolver = this.#resolvers.get(node)
    if (resolver === undefined) return
    this.resolver.exchangeNames(node, names).then(
      ({ ops, resolved }) => {
        if (!resolver.cancelled && this.process.alive) this.#exchanged(node, resolver.tag, ops, resolved)
      },
      (error: unknown) => this.#options.onError(error, 'resolver of global'),
    )
  }

  /** Conflicts are resolved on our side. */
  #exchanged(node: Atom, tag: number, ops: readonly Op[], resolved: readonly Op[]): void {
    const meeting = this.#isMeeting(node, tag)
    if (meeting === undefined) {
      this.#cancelLocker(node, tag)
      return
    }
    const known = knownTerm(this.#knownList(), this.#versionOf(node))
    const external = this.names.external().map(externalTerm)
    const unused = atom('unused')
    this.#castTo(
      node,
      tuple(atom('resolved'), this.#me, resolved.map(opTerm), known, unused, external, meeting.hisTag),
    )
    const saved = meeting.savedOps
    if (saved?.type === 'his') this.#resolved(node, ops, saved.ops, saved.known, saved.external)
    else meeting.savedOps = { type: 'mine', ops }
  }

  /** Both sides have resolved: the names are put in, and all whom we know are told. */
  #resolved(
    node: Atom,
    mine: readonly Op[],
    his: readonly Op[],
    hisKnown: readonly KnownNode[],
    external: readonly ExternalName[],
  ): void {
    const meeting = this.#meetings.get(node) as Meeting
    const { lockId } = meeting
    const ops = [...mine, ...his]
    const newNodes = [{ node, version: 0 }, ...hisKnown].map((each) => ({
      node: each.node,
      version: each.version === 0 ? this.#versionOf(each.node) : each.version,
    }))
    const hisNodes = hisKnown.map((each) => each.node).filter((each) => each !== this.#me)
    this.#syncOthers(hisNodes)
    this.#doOps(ops, external, lockId && (lockTerm(lockId) as Term))
    this.syncers.synced(node)
    for (const other of hisNodes) this.#endMeeting(other)
    const told = this.#knownList()
    const version = meeting.version ?? VERSION
    this.#endMeeting(node, () => {
      const extra = [tuple(atom('vsn'), version), tuple(atom('lock'), lockId && lockTerm(lockId))]
      for (const peer of told) {
        const nodes = knownTerm(newNodes, peer.version)
        // By the locker, from whom the locks are given back afterwards: the names are there first.
        this.#castTo(
          peer.node,
          tuple(atom('new_nodes'), this.#me, ops.map(opTerm), external.map(externalTerm), nodes, extra),
          this.#locker.process.pid,
        )
      }
    })
    this.#addToKnown(newNodes)
    this.#synced.add(node)
  }

  #newNodes({ ops, external, nodes, lockId }: Extract<Cast, { type: 'newNodes' }>): void {
    this.#syncOthers(this.#addToKnown(nodes))
    this.#doOps(ops, external, lockId)
  }

  /** `cancel_resolved_locker/3`: the meeting has come to its end. */
  #endMeeting(node: Atom, work?: () => void): void {
    const tag = this.#meetings.get(node)?.myTag
    this.#pending.delete(node)
    this.#cancelLocker(node, tag, work)
    this.#meetings.delete(node)
  }

  #cancelLocker(node: Atom, tag: Term | undefined, work?: () => void): void {
    if (tag === undefined) return
    this.#tell({ type: 'cancel', node, tag, ...(work && { work }) })
    const meeting = this.#meetings.get(node)
    const version = this.#pending.get(node)
    if (version !== undefined && version >= VERIFY_CONNECT_VERSION && isSame(meeting?.myTag, tag)) {
      this.#sendCancelConnect(node, meeting?.hisTag)
    }
    const resolver = this.#resolvers.get(node)
    if (resolver !== undefined && isEqual(resolver.tag, tag)) {
      resolver.cancelled = true
      this.#resolvers.delete(node)
    }
  }

  /** Connects to those whom others know, and tells them that we are in step with them through those. */
  #syncOthers(nodes: readonly Atom[]): void {
    for (const node of nodes) {
      void this.#options.cluster.connect(node).then((connected) => {
        if (!this.process.alive || this.#shuttingDown) return
        if (connected) {
          this.#castTo(node, tuple(atom('in_sync'), this.#me, true))
          return
        }
        this.#options.log.warn(`'global' at ${this.#me.name} failed to connect to ${node.name}`)
        this.syncers.gone(node)
        this.#handleNodeDown(node, 'disconnected')
      })
    }
  }

  #addToKnown(nodes: readonly KnownNode[]): Atom[] {
    const added: Atom[] = []
    for (const { node, version } of nodes) {
      if (node === this.#me) continue
      if (!this.#known.has(node)) {
        added.push(node)
        this.#known.set(node, version)
      }
    }
    if (added.length > 0) this.#tell({ type: 'addKnown', nodes: added })
    return added
  }

  // --- names ---

  #doOps(ops: readonly Op[], external: readonly ExternalName[], lockId: Term | undefined): void {
    for (const op of ops) {
      if (op.type === 'insert') this.#insert(op.entry, { lockId }, externalOf(op.entry, external))
    }
    for (const op of ops) if (op.type === 'delete') this.names.delete(op.name)
  }

  /** A name that is put in while the lock it was put in under is gone already goes again: its process may have died. */
  #insert(
    entry: NameEntry,
    by: { pid: Pid } | { lockId: Term | undefined },
    external: ExternalName | undefined,
  ): void {
    if (!this.names.insert(entry, external)) {
      const { maxGlobalNames, onError } = this.#options
      const text = `a name is left out: there are ${maxGlobalNames} (limit maxGlobalNames)`
      onError(new NodeError('GLOBAL_LIMIT', text), 'global_name_server')
      return
    }
    if (!this.locks.guards(by)) this.names.delete(entry.name)
  }

  // --- losing a node ---

  #nodeDown({ node, hidden }: ConnectedNode): void {
    if (hidden) return
    this.syncers.gone(node)
    this.#handleNodeDown(node, 'disconnected')
  }

  #handleNodeDown(node: Atom, how: 'disconnected' | 'removing'): void {
    this.#cancelLocker(node, this.#meetings.get(node)?.myTag)
    this.#tell({ type: 'removeKnown', node })
    this.#meetings.delete(node)
    if (how === 'removing') this.#removing.add(node)
    else if (!this.#removing.delete(node)) this.#later(() => this.#informConnectionLoss(node))
    this.#pending.delete(node)
    this.#known.delete(node)
    this.#synced.delete(node)
  }

  /** Acts on a loss after a while, when who else is concerned has had time to notice by itself. */
  #later(work: () => void): void {
    if (!this.#preventsPartitions) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      if (this.#preventsPartitions) work()
    }, this.#options.lossDelayMs)
    this.#timers.add(timer)
  }

  get #preventsPartitions(): boolean {
    const { connectAll, preventOverlappingPartitions } = this.#options
    return connectAll && preventOverlappingPartitions && !this.#shuttingDown
  }

  #informConnectionLoss(node: Atom): void {
    // A connection that is there again is no loss: the names are exchanged anew.
    if (this.#options.cluster.isConnected(node)) return
    const creation = this.#creationExtension + BigInt(this.#options.host.creation)
    this.#multicast(tuple(atom('lost_connection'), this.#me, creation, ++this.#lastLossId, node), node)
  }

  /** To the known and those being met who take part in preventing partitions. */
  #multicast(message: Encodable, except: Atom): void {
    for (const [node, version] of new Map([...this.#known, ...this.#pending])) {
      if (node !== except && version >= PREVENT_PARTITIONS_VERSION) this.#sendTo(node, message)
    }
  }

  /** `a` and `b` have lost each other: who knows both lets one go, or the cluster would have overlapping parts. */
  #lostConnection({ a, b, message }: Extract<Info, { type: 'lostConnection' }>): void {
    this.#multicast(message, a)
    const node = b === this.#me ? a : b
    if (!this.#isPotentiallyKnown(node)) return
    if (this.#versionOf(node) < PREVENT_PARTITIONS_VERSION) {
      this.#options.log.warn(this.#partitionWarning('disconnected old', node))
      this.#handleNodeDown(node, 'removing')
      this.#options.cluster.disconnect(node)
      return
    }
    this.#options.log.warn(this.#partitionWarning('requested disconnect from', node))
    this.#sendTo(node, tuple(atom('remove_connection'), this.#me))
    this.#handleNodeDown(node, 'removing')
  }

  #partitionWarning(what: string, node: Atom): string {
    return `'global' at node ${this.#me.name} ${what} node ${node.name} in order to prevent overlapping partitions`
  }

  // --- small things ---

  get #me(): Atom {
    return this.#options.host.name
  }

  #isMeeting(node: Atom, tag: Term): Meeting | undefined {
    const meeting = this.#meetings.get(node)
    return isSame(meeting?.myTag, tag) ? meeting : undefined
  }

  #isPotentiallyKnown(node: Atom): boolean {
    return this.#known.has(node) || this.#pending.has(node)
  }

  #versionOf(node: Atom): number {
    if (node === this.#me) return VERSION
    return this.#known.get(node) ?? this.#pending.get(node) ?? 0
  }

  #knownList(): KnownNode[] {
    return [...this.#known].map(([node, version]) => ({ node, version }))
  }

  #tell(message: LockerMessage): void {
    this.#locker.push(message)
  }

  #sendCancelConnect(node: Atom, hisTag: Term | undefined): void {
    if (hisTag !== undefined) this.#sendTo(node, tuple(atom('cancel_connect'), this.#me, hisTag))
  }

  #castTo(node: Atom, request: Encodable, from?: Pid): void {
    this.#sendTo(node, tuple(GEN_CAST, request), from)
  }

  #sendTo(node: Atom, message: Encodable, from?: Pid): void {
    this.#send({ name: GLOBAL_NAME_SERVER, node }, node, message, from)
  }

  /** Never connects: a name server speaks to those that are there. */
  #send(to: Pid | { name: Atom; node: Atom }, node: Atom, message: Encodable, from = this.process.pid): void {
    const { host, cluster, onError } = this.#options
    if (node !== this.#me && !cluster.isConnected(node)) return
    try {
      host.send(from, to, message)
    } catch (error) {
      onError(error, `message of global to ${node.name}`)
    }
  }
}

function isSame(mine: Term | undefined, tag: Term | undefined): boolean {
  return isInteger(mine) && isInteger(tag) && isEqual(mine, tag)
}
