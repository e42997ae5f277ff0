/**
 * The locker: for each node that is to be met, it agrees with the other node's locker to lock both nodes and all that
 * they know, one meeting at a time in the whole cluster; while the lock is held the name servers exchange their names.
 * Follows `the_locker` of global.erl, its order of taking locks (the greatest node, the "boss", first) and its pauses.
 *
 *     select_node      choose one at random, lock boss, both, all known ── all free ──▶ {lock_set, …, true, …} to him
 *                                                                                      wait for his: lock_is_set
 *     his lock_set     lock the same nodes under the same id, answer with lock_set
 *     both set         exchange of names by the servers, until `cancel` says that it is over ──▶ unlock
 */
import { atom, type Atom } from '../etf/atom.js'
import { compare } from '../etf/compare.js'
import { isEqual } from '../etf/equal.js'
import type { Pid } from '../etf/identifiers.js'
import type { Term } from '../etf/terms.js'
import { tuple } from '../etf/tuple.js'
import { GEN_CAST } from '../process/gen-reply.js'
import type { Host } from '../process/host.js'
import type { Process } from '../process/process.js'
import { Inbox } from './inbox.js'
import { GLOBAL, lockTerm, type LockId, type Locks } from './locks.js'
import { multiCall, takeReply } from './multi-call.js'
import { GLOBAL_NAME_SERVER, readCast, VERIFY_CONNECT_VERSION } from './wire.js'

/** Until this version lockers sent `lock_set` to each other, not through the servers. */
const THROUGH_SERVERS_VERSION = 6
/** Taken for the version of a locker that nobody announced, as OTP does. */
const UNKNOWN_VERSION = 5

/** The other node's locker in a meeting to come. */
interface Him {
  readonly node: Atom
  readonly locker: Pid
  readonly version: number
  readonly myTag: Term
  readonly hisTag: Term
}

export type LockerMessage =
  | { type: 'hisLocker'; him: Him }
  /** The meeting of this tag is over, or will not be; `work` is to be done before locks are given back. */
  | { type: 'cancel'; node: Atom; tag: Term; work?: () => void }
  | { type: 'lockSet'; locker: Pid; set: boolean; tag: Term | undefined }
  | { type: 'addKnown'; nodes: readonly Atom[] }
  | { type: 'removeKnown'; node: Atom }

export interface LockerOptions {
  host: Host
  locks: Locks
  /** 0 to 1. */
  random(): number
  /** Both lockers have the lock: names may be exchanged. */
  lockIsSet(node: Atom, tag: Term, lockId: LockId): void
  onError(error: unknown, where: string, peer?: Atom): void
}

export class Locker {
  readonly process: Process
  readonly #options: LockerOptions
  readonly #inbox = new Inbox<LockerMessage>()
  #local: Him[] = []
  #remote: Him[] = []
  #known: Atom[] = []
  /** A meeting went well just now: no reason to wait before the next. */
  #justSynced = false

  constructor(options: LockerOptions) {
    this.#options = options
    this.process = options.host.spawnHandler({
      ignoresExits: true,
      // An answer of no comes without the servers, and so without a tag, from one who does not know of the meeting.
      message: (message) => {
        if (takeReply(options.host, message)) return
        const read = readCast(message)
        if (read?.type === 'lockSet') this.#inbox.push(read)
      },
      exited: () => this.#inbox.close(),
    })
    void this.#run()
  }

  push(message: LockerMessage): void {
    this.#inbox.push(message)
  }

  async #run(): Promise<void> {
    while (!this.#inbox.closed) {
      try {
        await this.#step()
      } catch (error) {
        // What a meeting brings about ends the meeting: the next one begins anew.
        this.#options.onError(error, 'locker of global')
      }
    }
  }

  async #step(): Promise<void> {
    const ready = this.#inbox.tryTake()
    if (ready !== undefined) {
      await this.#message(ready)
      return
    }
    const pauseMs = this.#pauseMs()
    this.#justSynced = false
    const message = await this.#inbox.take(undefined, pauseMs)
    if (message !== undefined) await this.#message(message)
    else if (!this.#inbox.closed && !this.#options.locks.isSet(GLOBAL)) await this.#selectNode()
  }

  #pauseMs(): number {
    if (this.#local.length === 0 && this.#remote.length === 0) return Infinity
    if (this.#justSynced) return 0
    const pauseMs = this.#known.length === 0 ? 200 : Math.min(1000 + 100 * this.#known.length, 3000)
    // Between half of OTP's pause and the whole: lockers that began at once must not meet in step for ever.
    return pauseMs * (0.5 + this.#options.random() / 2)
  }

  async #message(message: LockerMessage): Promise<void> {
    switch (message.type) {
      case 'hisLocker':
        if (this.#isLocal(message.him.node)) this.#local.unshift(message.him)
        else this.#remote.unshift(message.him)
        return
      case 'cancel':
        this.#removeNode(message.node, message.tag)
        return
      case 'lockSet':
        if (message.set) await this.#hisLockSet(message.locker, message.tag)
        return
      case 'addKnown':
      case 'removeKnown':
        this.#updateKnown(message)
        return
      default:
        message satisfies never
    }
  }

  /** He has set the lock and asks for ours. */
  async #hisLockSet(locker: Pid, tag: Term | undefined): Promise<void> {
    const him = [...this.#local, ...this.#remote].find(({ node }) => node === locker.node)
    if (him === undefined || (tag !== undefined && !isEqual(him.myTag, tag))) {
      this.#sendLockSet(false, locker, UNKNOWN_VERSION, 0)
      return
    }
    const lockId = this.#lockId(locker)
    const isSet = await this.#lockNodesSafely(lockId, [])
    this.#sendLockSet(isSet, locker, him.version, him.hisTag)
    this.#justSynced = false
    if (!isSet) return
    const locked = [this.#me, ...this.#known]
    this.#options.lockIsSet(him.node, him.myTag, lockId)
    await this.#waitCancelLock(him, lockId, locked)
    this.#justSynced = true
    this.#removeNode(him.node, him.myTag)
  }

  async #selectNode(): Promise<void> {
    const useRemote = this.#local.length === 0
    const others = (useRemote ? this.#remote : this.#local).filter(({ node }) => !this.#known.includes(node))
    if (useRemote) this.#remote = others
    else this.#local = others
    const him = others[Math.floor(this.#options.random() * others.length)]
    if (him === undefined) return
    const lockId = this.#lockId(him.locker)
    if (!(await this.#lockNodesSafely(lockId, [him.node]))) return
    const locked = [this.#me, him.node, ...this.#known]
    this.#sendLockSet(true, him.locker, him.version, him.hisTag)
    await this.#waitForHisLock(him, lockId, locked)
  }

  /** Our lock is set: his answer decides. */
  async #waitForHisLock(him: Him, lockId: LockId, locked: readonly Atom[]): Promise<void> {
    for (;;) {
      const message = await this.#inbox.take((each) => concerns(each, him))
      if (message === undefined) return
      if (message.type === 'lockSet' && (message.tag === undefined || isEqual(message.tag, him.myTag))) {
        if (message.set) {
          this.#options.lockIsSet(him.node, him.myTag, lockId)
          await this.#waitCancelLock(him, lockId, locked)
          this.#justSynced = true
          this.#local = this.#local.filter((each) => each !== him)
          this.#remote = this.#remote.filter((each) => each !== him)
        } else await this.#deleteGlobalLock(lockId, locked)
        return
      }
      if (message.type === 'cancel' && isEqual(message.tag, him.myTag)) {
        message.work?.()
        await this.#deleteGlobalLock(lockId, locked)
        this.#removeNode(him.node, him.myTag)
        return
      }
      if (message.type === 'cancel') this.#removeNode(message.node, message.tag)
    }
  }

  async #waitCancelLock(him: Him, lockId: LockId, locked: readonly Atom[]): Promise<void> {
    const cancel = await this.#inbox.take(
      (each) => each.type === 'cancel' && each.node === him.node && isEqual(each.tag, him.myTag),
    )
    if (cancel?.type === 'cancel') cancel.work?.()
    await this.#deleteGlobalLock(lockId, locked)
  }

  /** The boss first: who has it has all but won. Then those who meet, then all that are known. */
  async #lockNodesSafely(lockId: LockId, extra: readonly Atom[]): Promise<boolean> {
    const first = [theBoss([this.#me, ...this.#known])]
    if (first[0] !== this.#me && !this.#options.locks.canSet(lockId)) return false
    if (!(await this.#setLock(lockId, first))) return false
    for (;;) {
      const message = this.#inbox.tryTake(({ type }) => type === 'addKnown' || type === 'removeKnown')
      if (message?.type !== 'addKnown' && message?.type !== 'removeKnown') break
      this.#updateKnown(message)
    }
    const second = [this.#me, ...extra].filter((node) => !first.includes(node))
    if (!(await this.#setLock(lockId, second))) {
      await this.#delLock(lockId, first)
      return false
    }
    const others = this.#known.filter((node) => !first.includes(node))
    if (await this.#setLock(lockId, others)) return true
    await this.#delLock(lockId, [...first, ...second])
    return false
  }

  #setLock(lockId: LockId, nodes: readonly Atom[]): Promise<boolean> {
    return setLockOnNodes(this.#options.host, this.#options.locks, this.process.pid, lockId, nodes)
  }

  async #delLock(lockId: LockId, nodes: readonly Atom[]): Promise<void> {
    await delLockOnNodes(this.#options.host, this.process.pid, lockId, nodes)
  }

  #deleteGlobalLock(lockId: LockId, nodes: readonly Atom[]): Promise<void> {
    return deleteGlobalLock(this.#options.host, this.process.pid, lockId, nodes)
  }

  #sendLockSet(set: boolean, locker: Pid, version: number, hisTag: Term): void {
    const { host, onError } = this.#options
    const known = [...this.#known]
    const message =
      version < VERIFY_CONNECT_VERSION
        ? tuple(atom('lock_set'), this.process.pid, set, known)
        : tuple(atom('lock_set'), this.process.pid, set, known, hisTag)
    try {
      if (version < THROUGH_SERVERS_VERSION) host.send(this.process.pid, locker, message)
      else {
        const to = { name: GLOBAL_NAME_SERVER, node: locker.node }
        host.send(this.process.pid, to, tuple(GEN_CAST, message))
      }
    } catch (error) {
      onError(error, `lock_set to ${locker.node.name}`, locker.node)
    }
  }

  #updateKnown(update: Extract<LockerMessage, { type: 'addKnown' | 'removeKnown' }>): void {
    if (update.type === 'removeKnown') this.#known = this.#known.filter((node) => node !== update.node)
    else this.#known = [...new Set([...update.nodes, ...this.#known])]
  }

  #removeNode(node: Atom, tag: Term): void {
    const others = (each: Him) => each.node !== node || !isEqual(each.myTag, tag)
    this.#local = this.#local.filter(others)
    this.#remote = this.#remote.filter(others)
  }

  #lockId(locker: Pid): LockId {
    const requester = [this.process.pid, locker].sort(compare)
    return { resource: GLOBAL, requester }
  }

  get #me(): Atom {
    return this.#options.host.name
  }

  /** Nodes of this host are met first. */
  #isLocal(node: Atom): boolean {
    return node.name.split('@')[1] === this.#me.name.split('@')[1]
  }
}

function concerns(message: LockerMessage, him: Him): boolean {
  if (message.type === 'lockSet') return message.locker.node === him.node
  return message.type === 'cancel' && message.node === him.node
}

/** The greatest of the nodes: all take its lock first. */
export function theBoss(nodes: readonly Atom[]): Atom {
  return nodes.reduce((greatest, node) => (compare(node, greatest) > 0 ? node : greatest))
}

/**
 * `set_lock_on_nodes/2`: on all of them or, when one has it given to another, on none. Nodes that are gone do not count.
 */
export async function setLockOnNodes(
  host: Host,
  locks: Locks,
  holder: Pid,
  lockId: LockId,
  nodes: readonly Atom[],
): Promise<boolean> {
  if (nodes.length === 0) return true
  // Asking nobody when we know that we would refuse ourselves.
  if (nodes.length > 1 && nodes.includes(host.name) && !locks.canSet(lockId)) return false
  const replies = await multiCall(host, holder, nodes, tuple(atom('set_lock'), lockTerm(lockId)))
  if (replies.every(({ reply }) => reply === true)) return true
  const granted = replies.filter(({ reply }) => reply === true).map(({ node }) => node)
  await delLockOnNodes(host, holder, lockId, granted)
  return false
}

export async function delLockOnNodes(
  host: Host,
  holder: Pid,
  lockId: LockId,
  nodes: readonly Atom[],
): Promise<void> {
  await multiCall(host, holder, nodes, tuple(atom('del_lock'), lockTerm(lockId)))
}

/** The boss last, so that nobody begins before all are free. */
export async function deleteGlobalLock(
  host: Host,
  holder: Pid,
  lockId: LockId,
  nodes: readonly Atom[],
): Promise<void> {
  const boss = theBoss(nodes)
  await delLockOnNodes(
    host,
    holder,
    lockId,
    nodes.filter((node) => node !== boss),
  )
  await delLockOnNodes(host, holder, lockId, [boss])
}
