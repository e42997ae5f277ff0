/**
 * Locks that this node grants: each resource to one requester at a time, held by one or more processes, gone with the
 * last of them. The lock on `global` guards the names themselves.
 */
import { internAtom } from '../etf/atom.js'
import { isEqual } from '../etf/equal.js'
import { type Pid, type Reference } from '../etf/identifiers.js'
import { keyOf, type TermKey } from '../etf/keys.js'
import type { Encodable, Term } from '../etf/terms.js'
import { Tuple, tuple } from '../etf/tuple.js'

/** The resource whose lock guards the names. */
export const GLOBAL = internAtom('global')

export interface LockId {
  readonly resource: Term
  readonly requester: Term
}

interface Lock extends LockId {
  /** By the key of their pid. */
  readonly holders: Map<string, { pid: Pid; ref: Reference }>
}

/** How the name server watches processes. */
export interface Watch {
  monitor(pid: Pid): Reference
  demonitor(ref: Reference): void
}

export class Locks {
  readonly #watch: Watch
  readonly #maxLocks: number
  readonly #locks = new Map<TermKey, Lock>()
  readonly #byRef = new Map<string, { lock: Lock; pid: Pid }>()
  /** The last lock on `global` ended because its holder did: what it was to guard may be half done. */
  globalLockDown = false

  constructor(watch: Watch, maxLocks: number) {
    this.#watch = watch
    this.#maxLocks = maxLocks
  }

  get size(): number {
    return this.#locks.size
  }

  /** Whether nobody else has the lock. */
  canSet({ resource, requester }: LockId): boolean {
    const found = this.#locks.get(keyOf(resource))
    return found === undefined || isEqual(found.requester, requester)
  }

  isSet(resource: Term): boolean {
    return this.#locks.has(keyOf(resource))
  }

  /** Whether it is free, or the requester's; then `pid` holds it too. False too when there are too many locks. */
  set(id: LockId, pid: Pid): boolean {
    if (!this.canSet(id)) return false
    const key = keyOf(id.resource)
    let lock = this.#locks.get(key)
    if (lock === undefined) {
      // The guard of the names is always to be had: without it no node could join.
      if (this.#locks.size >= this.#maxLocks && id.resource !== GLOBAL) return false
      this.#locks.set(key, (lock = { ...id, holders: new Map() }))
    }
    if (lock.holders.has(pid.key)) return true
    const ref = this.#watch.monitor(pid)
    lock.holders.set(pid.key, { pid, ref })
    this.#byRef.set(ref.key, { lock, pid })
    return true
  }

  /** `pid` holds it no longer. */
  delete(id: LockId, pid: Pid): void {
    const lock = this.#locks.get(keyOf(id.resource))
    if (lock === undefined || !isEqual(lock.requester, id.requester)) return
    this.#remove(lock, pid, false)
  }

  /** A holder is down. @returns whether the monitor was of one */
  down(ref: Reference): boolean {
    const found = this.#byRef.get(ref.key)
    if (found === undefined) return false
    this.#remove(found.lock, found.pid, true)
    return true
  }

  /** Whether what `pid`, or a node that acts under lock `lockId`, does to names is still guarded. */
  guards(by: { pid: Pid } | { lockId: Term | undefined }): boolean {
    const lock = this.#locks.get(GLOBAL)
    if (lock === undefined) return !this.globalLockDown
    if ('pid' in by) return lock.holders.has(by.pid.key)
    const id = readLockId(by.lockId)
    return id !== undefined && id.resource === GLOBAL && isEqual(id.requester, lock.requester)
  }

  /** The monitors on holders of `node`. */
  *refsOf(node: Pid['node']): IterableIterator<Reference> {
    for (const lock of [...this.#locks.values()]) {
      for (const { pid, ref } of [...lock.holders.values()]) if (pid.node === node) yield ref
    }
  }

  #remove(lock: Lock, pid: Pid, down: boolean): void {
    const holder = lock.holders.get(pid.key)
    if (holder === undefined) return
    lock.holders.delete(pid.key)
    this.#byRef.delete(holder.ref.key)
    this.#watch.demonitor(holder.ref)
    if (lock.holders.size > 0) return
    this.#locks.delete(keyOf(lock.resource))
    if (lock.resource === GLOBAL) this.globalLockDown = down
  }
}

export function lockTerm({ resource, requester }: LockId): Encodable {
  return tuple(resource, requester)
}

/** `{ResourceId, LockRequesterId}`. */
export function readLockId(term: Term | undefined): LockId | undefined {
  if (!(term instanceof Tuple) || term.size !== 2) return undefined
  const [resource, requester] = term.elements as readonly [Term, Term]
  return { resource, requester }
}
