/**
 * Meetings of this node's name server with others: from the first `init_connect` to the names in place (global.erl). For
 * each node under way there is what global.erl keeps in its process dictionary.
 */
import { atom, type Atom } from '../etf/atom.js'
import { isEqual } from '../etf/equal.js'
import { ErlMap } from '../etf/map.js'
import type { Encodable, Term } from '../etf/terms.js'
import { tuple } from '../etf/tuple.js'
import type { KnownNodes } from './known-nodes.js'
import type { Locker, LockerMessage } from './locker.js'
import { lockTerm, type LockId, type Locks } from './locks.js'
import type { Messenger } from './messenger.js'
import type { Names } from './names.js'
import type { GlobalOptions } from './options.js'
import type { Resolver } from './resolver.js'
import type { Syncers } from './syncers.js'
import {
  entryTerm,
  externalTerm,
  isInteger,
  knownTerm,
  opTerm,
  VERIFY_CONNECT_VERSION,
  VERSION,
  type Cast,
  type ExternalName,
  type KnownNode,
  type NameEntry,
  type Op,
} from './wire.js'

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

/** The other parts of the name server. */
export interface MeetingParts {
  readonly nodes: KnownNodes
  readonly messenger: Messenger
  readonly names: Names
  readonly locks: Locks
  readonly resolver: Resolver
  readonly syncers: Syncers
  locker(): Locker
  /** Puts names in and takes names out, under the lock of this id. */
  doOps(ops: readonly Op[], external: readonly ExternalName[], lockId: Term | undefined): void
  /** A node that should be there cannot be reached. */
  nodeDown(node: Atom): void
  isAlive(): boolean
  isShuttingDown(): boolean
}

export class Meetings {
  readonly #options: GlobalOptions
  readonly #parts: MeetingParts
  readonly #nodes: KnownNodes
  readonly #messenger: Messenger
  readonly #meetings = new Map<Atom, Meeting>()
  /** Nodes whose names we are ready to take, with our tag. */
  readonly #resolvers = new Map<Atom, { tag: number; cancelled: boolean }>()
  #lastTag = 0

  constructor(options: GlobalOptions, parts: MeetingParts) {
    this.#options = options
    this.#parts = parts
    this.#nodes = parts.nodes
    this.#messenger = parts.messenger
  }

  /** The meeting with a node under our tag, if that is the one under way. */
  isMeeting(node: Atom, tag: Term | undefined): Meeting | undefined {
    const meeting = this.#meetings.get(node)
    return isSame(meeting?.myTag, tag) ? meeting : undefined
  }

  /** A node is down: whatever was under way with it is over. */
  forget(node: Atom): void {
    this.#cancelLocker(node, this.#meetings.get(node)?.myTag)
    this.#tell({ type: 'removeKnown', node })
    this.#meetings.delete(node)
  }

  initConnectAck(node: Atom, hisMyTag: Term, hisHisTag: Term): void {
    const { myTag, hisTag } = this.#meetings.get(node) ?? {}
    if (isSame(myTag, hisMyTag) && isSame(hisTag, hisHisTag)) return
    this.#messenger.cancelConnect(node, hisHisTag)
    this.#restartConnect(node, myTag)
  }

  cancelConnect(node: Atom, tag: Term): void {
    const meeting = this.isMeeting(node, tag)
    if (meeting !== undefined) this.#restartConnect(node, meeting.myTag)
  }

  hisNames(node: Atom, names: readonly NameEntry[], tag: Term): void {
    if (this.isMeeting(node, tag)) this.#exchange(node, names)
    else this.#cancelLocker(node, tag)
  }

  hisResolved({ node, ops, known, external, tag }: Extract<Cast, { type: 'resolved' }>): void {
    const meeting = this.isMeeting(node, tag)
    if (meeting === undefined) this.#cancelLocker(node, tag)
    else if (meeting.savedOps?.type === 'mine')
      this.#resolved(node, meeting.savedOps.ops, ops, known, external)
    else meeting.savedOps = { type: 'his', ops, known, external }
  }

  /** We are in step with a node through others. */
  inSync(node: Atom): void {
    this.#parts.syncers.synced(node)
    this.#nodes.synced.add(node)
    this.#endMeeting(node)
  }

  meet(node: Atom): void {
    if (this.#nodes.known.has(node) || this.#resolvers.has(node)) return
    const meeting = this.#meetings.get(node) ?? {}
    this.#meetings.set(node, meeting)
    const { preConnect } = meeting
    delete meeting.preConnect
    meeting.myTag = ++this.#lastTag
    this.#resolvers.set(node, { tag: meeting.myTag, cancelled: false })
    const known = ErlMap.from<Encodable, Encodable>([...this.#nodes.known])
    const locker = tuple(
      atom('locker'),
      atom('no_longer_a_pid'),
      known as Encodable,
      this.#parts.locker().process.pid,
    )
    this.#messenger.cast(node, tuple(atom('init_connect'), tuple(VERSION, meeting.myTag), this.#me, locker))
    if (preConnect !== undefined) this.initConnect(preConnect)
  }

  initConnect(connect: Extract<Cast, { type: 'initConnect' }>): void {
    const { node, tag, version } = connect
    if (this.#nodes.pending.has(node)) {
      // He began anew, and we have not.
      if (version < VERIFY_CONNECT_VERSION) {
        this.#options.cluster.disconnect(node)
        this.#options.log.warn(
          `global at node ${this.#me.name} got an out of sync connection attempt from old version ${version} ` +
            `node ${node.name}. Disconnecting from it.`,
        )
        return
      }
      this.#messenger.cancelConnect(node, tag)
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
      this.#messenger.tell(node, tuple(atom('init_connect_ack'), this.#me, tag, resolver.tag))
    }
    this.#nodes.pending.set(node, version)
  }

  #restartConnect(node: Atom, myTag: number | undefined): void {
    this.#cancelLocker(node, myTag)
    this.#meetings.delete(node)
    this.#nodes.pending.delete(node)
    if (myTag === undefined || this.#nodes.known.has(node) || !this.#options.cluster.isConnected(node)) return
    // What it had is watched over a connection that it may have lost without us: it comes anew with the new meeting.
    for (const ref of [...this.#parts.locks.refsOf(node)]) this.#parts.locks.down(ref)
    for (const ref of [...this.#parts.names.refsOf(node)]) this.#parts.names.down(ref)
    this.meet(node)
  }

  /** Both lockers hold the lock. */
  lockIsSet(node: Atom, tag: Term, lockId: LockId): void {
    const meeting = this.isMeeting(node, tag)
    if (meeting === undefined) {
      this.#cancelLocker(node, tag)
      return
    }
    const names = this.#parts.names.entries().map(entryTerm)
    this.#messenger.cast(node, tuple(atom('exchange'), this.#me, names, [], meeting.hisTag))
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
    this.#parts.resolver.exchangeNames(node, names).then(
      ({ ops, resolved }) => {
        if (!resolver.cancelled && this.#parts.isAlive()) this.#exchanged(node, resolver.tag, ops, resolved)
      },
      (error: unknown) => this.#options.onError(error, 'resolver of global'),
    )
  }

  /** Conflicts are resolved on our side. */
  #exchanged(node: Atom, tag: number, ops: readonly Op[], resolved: readonly Op[]): void {
    const meeting = this.isMeeting(node, tag)
    if (meeting === undefined) {
      this.#cancelLocker(node, tag)
      return
    }
    const known = knownTerm(this.#nodes.list(), this.#nodes.versionOf(node))
    const external = this.#parts.names.external().map(externalTerm)
    const unused = atom('unused')
    this.#messenger.cast(
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
      version: each.version === 0 ? this.#nodes.versionOf(each.node) : each.version,
    }))
    const hisNodes = hisKnown.map((each) => each.node).filter((each) => each !== this.#me)
    this.#syncOthers(hisNodes)
    this.#parts.doOps(ops, external, lockId && (lockTerm(lockId) as Term))
    this.#parts.syncers.synced(node)
    for (const other of hisNodes) this.#endMeeting(other)
    const told = this.#nodes.list()
    const version = meeting.version ?? VERSION
    this.#endMeeting(node, () => {
      const extra = [tuple(atom('vsn'), version), tuple(atom('lock'), lockId && lockTerm(lockId))]
      for (const peer of told) {
        const nodes = knownTerm(newNodes, peer.version)
        // By the locker, from whom the locks are given back afterwards: the names are there first.
        this.#messenger.cast(
          peer.node,
          tuple(atom('new_nodes'), this.#me, ops.map(opTerm), external.map(externalTerm), nodes, extra),
          this.#parts.locker().process.pid,
        )
      }
    })
    this.#addToKnown(newNodes)
    this.#nodes.synced.add(node)
  }

  newNodes({ ops, external, nodes, lockId }: Extract<Cast, { type: 'newNodes' }>): void {
    this.#syncOthers(this.#addToKnown(nodes))
    this.#parts.doOps(ops, external, lockId)
  }

  /** `cancel_resolved_locker/3`: the meeting has come to its end. */
  #endMeeting(node: Atom, work?: () => void): void {
    const tag = this.#meetings.get(node)?.myTag
    this.#nodes.pending.delete(node)
    this.#cancelLocker(node, tag, work)
    this.#meetings.delete(node)
  }

  #cancelLocker(node: Atom, tag: Term | undefined, work?: () => void): void {
    if (tag === undefined) return
    this.#tell({ type: 'cancel', node, tag, ...(work && { work }) })
    const meeting = this.#meetings.get(node)
    const version = this.#nodes.pending.get(node)
    if (version !== undefined && version >= VERIFY_CONNECT_VERSION && isSame(meeting?.myTag, tag)) {
      this.#messenger.cancelConnect(node, meeting?.hisTag)
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
        if (!this.#parts.isAlive() || this.#parts.isShuttingDown()) return
        if (connected) {
          this.#messenger.cast(node, tuple(atom('in_sync'), this.#me, true))
          return
        }
        this.#options.log.warn(`'global' at ${this.#me.name} failed to connect to ${node.name}`)
        this.#parts.syncers.gone(node)
        this.#parts.nodeDown(node)
      })
    }
  }

  #addToKnown(nodes: readonly KnownNode[]): Atom[] {
    const added = this.#nodes.add(nodes)
    if (added.length > 0) this.#tell({ type: 'addKnown', nodes: added })
    return added
  }

  #tell(message: LockerMessage): void {
    this.#parts.locker().push(message)
  }

  get #me(): Atom {
    return this.#options.host.name
  }
}

function isSame(mine: Term | undefined, tag: Term | undefined): boolean {
  return isInteger(mine) && isInteger(tag) && isEqual(mine, tag)
}
