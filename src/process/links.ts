/**
 * Link state of one process, after the "New Link Protocol" of OTP's distribution protocol document: each entry has
 * an active flag and, while an unlink is not yet acknowledged, its id.
 */
import type { Pid } from '../etf/identifiers.js'
import { giveBack, type Held } from './held.js'

export interface Link {
  readonly pid: Pid
  /** Whether the processes count as linked. */
  active: boolean
  /** Id of the outstanding UNLINK_ID; only while not active. */
  unlinkId: number
  /** Where it is counted, if another node's process made it. */
  readonly held: Held | undefined
}

export class LinkTable {
  #links = new Map<string, Link>()
  /** Unlink ids only have to be unique among one process's outstanding unlinks to one peer. */
  #lastUnlinkId = 0

  get size(): number {
    return this.#links.size
  }

  values(): IterableIterator<Link> {
    return this.#links.values()
  }

  /** Pids have changed with the name of the node they are on. */
  rename(canonical: (pid: Pid) => Pid): void {
    const links = new Map<string, Link>()
    for (const link of this.#links.values()) {
      const pid = canonical(link.pid)
      links.set(pid.key, { ...link, pid })
    }
    this.#links = links
  }

  active(): Pid[] {
    return [...this.#links.values()].filter((link) => link.active).map((link) => link.pid)
  }

  isActive(pid: Pid): boolean {
    return this.#links.get(pid.key)?.active === true
  }

  /** We link. True when a LINK signal has to be sent. */
  linking(pid: Pid): boolean {
    const found = this.#links.get(pid.key)
    if (found === undefined) {
      this.#links.set(pid.key, { pid, active: true, unlinkId: 0, held: undefined })
      return true
    }
    if (found.active) return false
    found.active = true
    found.unlinkId = 0
    return true
  }

  /** A LINK signal came: an entry, active or not, is left as it is. */
  linked(pid: Pid, held?: Held): void {
    const key = pid.key
    if (this.#links.has(key)) return
    if (held !== undefined) held.count++
    this.#links.set(key, { pid, active: true, unlinkId: 0, held })
  }

  /** We unlink. The id to send in UNLINK_ID, or undefined when there is no active link. */
  unlinking(pid: Pid): number | undefined {
    const found = this.#links.get(pid.key)
    if (found === undefined || !found.active) return undefined
    this.#lastUnlinkId = (this.#lastUnlinkId % Number.MAX_SAFE_INTEGER) + 1
    found.active = false
    found.unlinkId = this.#lastUnlinkId
    return found.unlinkId
  }

  /** An UNLINK_ID signal came. */
  unlinked(pid: Pid): void {
    if (this.#links.get(pid.key)?.active === true) this.broken(pid)
  }

  /** An UNLINK_ID_ACK signal came. */
  acknowledged(pid: Pid, id: number | bigint): void {
    const found = this.#links.get(pid.key)
    if (found !== undefined && !found.active && BigInt(found.unlinkId) === BigInt(id)) this.broken(pid)
  }

  /** An exit signal due to the link came, or the connection is gone. True when the link was active. */
  broken(pid: Pid): boolean {
    const found = this.#links.get(pid.key)
    giveBack(found)
    this.#links.delete(pid.key)
    return found?.active === true
  }
}
