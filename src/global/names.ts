/** The registered names that this node knows: all of the cluster's, each with its process watched. */
import { isEqual } from '../etf/equal.js'
import type { Pid, Reference } from '../etf/identifiers.js'
import { keyOf, type TermKey } from '../etf/keys.js'
import type { Term } from '../etf/terms.js'
import type { Watch } from './locks.js'
import type { ExternalName, NameEntry } from './wire.js'

interface Registered extends NameEntry {
  readonly ref: Reference
}

export class Names {
  readonly #watch: Watch
  readonly #maxNames: number
  readonly #names = new Map<TermKey, Registered>()
  readonly #byRef = new Map<string, TermKey>()
  readonly #byPid = new Map<string, Set<TermKey>>()
  readonly #external = new Map<TermKey, ExternalName>()

  constructor(watch: Watch, maxNames: number) {
    this.#watch = watch
    this.#maxNames = maxNames
  }

  get size(): number {
    return this.#names.size
  }

  get(name: Term): NameEntry | undefined {
    return this.#names.get(keyOf(name))
  }

  entries(): NameEntry[] {
    return [...this.#names.values()].map(({ name, pid, method }) => ({ name, pid, method }))
  }

  external(): ExternalName[] {
    return [...this.#external.values()]
  }

  /** Names of a process. */
  namesOf(pid: Pid): Term[] {
    return [...(this.#byPid.get(pid.key) ?? [])].map((key) => (this.#names.get(key) as Registered).name)
  }

  /** Puts a name in, in place of what had it. @returns false when there are too many */
  insert(entry: NameEntry, external?: ExternalName): boolean {
    const key = keyOf(entry.name)
    this.#delete(key)
    if (this.#names.size >= this.#maxNames) return false
    const ref = this.#watch.monitor(entry.pid)
    this.#names.set(key, { ...entry, ref })
    this.#byRef.set(ref.key, key)
    const own = this.#byPid.get(entry.pid.key)
    if (own === undefined) this.#byPid.set(entry.pid.key, new Set([key]))
    else own.add(key)
    if (external !== undefined) this.#external.set(key, external)
    return true
  }

  delete(name: Term): void {
    this.#delete(keyOf(name))
  }

  /** A named process is down. @returns whether the monitor was of one */
  down(ref: Reference): boolean {
    const key = this.#byRef.get(ref.key)
    if (key === undefined) return false
    this.#delete(key)
    return true
  }

  /** The monitors on named processes of `node`. */
  *refsOf(node: Pid['node']): IterableIterator<Reference> {
    for (const { pid, ref } of [...this.#names.values()]) if (pid.node === node) yield ref
  }

  #delete(key: TermKey): void {
    const found = this.#names.get(key)
    if (found === undefined) return
    this.#names.delete(key)
    this.#byRef.delete(found.ref.key)
    this.#external.delete(key)
    const own = this.#byPid.get(found.pid.key)
    own?.delete(key)
    if (own?.size === 0) this.#byPid.delete(found.pid.key)
    this.#watch.demonitor(found.ref)
  }
}

/** External names among what is inserted: by name and process, as `do_ops/5` of global.erl matches them. */
export function externalOf(entry: NameEntry, external: readonly ExternalName[]): ExternalName | undefined {
  return external.find(({ name, pid }) => pid.equals(entry.pid) && isEqual(name, entry.name))
}
