/**
 * `net_kernel:allow/1`: which nodes may connect and be connected. As in `dist_util:is_allowed/2`, an entry is a node's
 * full name, its host, or the part before the `@`.
 */
export class AllowedNodes {
  /** Undefined: every node. */
  #entries: Set<string> | undefined

  constructor(entries?: readonly string[]) {
    if (entries !== undefined) this.#entries = new Set(entries)
  }

  /** From now on only what was ever given here; connections that are up stay. */
  allow(entries: readonly string[]): void {
    if (entries.length === 0) return
    this.#entries ??= new Set()
    for (const entry of entries) this.#entries.add(entry)
  }

  /** @returns undefined when every node is allowed */
  list(): string[] | undefined {
    return this.#entries === undefined ? undefined : [...this.#entries]
  }

  has(node: string): boolean {
    const entries = this.#entries
    if (entries === undefined || entries.has(node)) return true
    const at = node.indexOf('@')
    return at >= 0 && (entries.has(node.slice(0, at)) || entries.has(node.slice(at + 1)))
  }
}
