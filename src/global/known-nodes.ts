/** The nodes that a name server shares its names with, and those that it is about to. */
import type { Atom } from '../etf/atom.js'
import { VERSION, type KnownNode } from './wire.js'

export class KnownNodes {
  /** The protocol version of each (0: not told yet). */
  readonly known = new Map<Atom, number>()
  /** Nodes that are being met, and their versions. */
  readonly pending = new Map<Atom, number>()
  /** Nodes whose names are exchanged with ours. */
  readonly synced = new Set<Atom>()
  readonly #me: () => Atom

  constructor(me: () => Atom) {
    this.#me = me
  }

  isPotentiallyKnown(node: Atom): boolean {
    return this.known.has(node) || this.pending.has(node)
  }

  versionOf(node: Atom): number {
    if (node === this.#me()) return VERSION
    return this.known.get(node) ?? this.pending.get(node) ?? 0
  }

  list(): KnownNode[] {
    return [...this.known].map(([node, version]) => ({ node, version }))
  }

  /** Makes them known. @returns those that were not */
  add(nodes: readonly KnownNode[]): Atom[] {
    const added = nodes.filter(({ node }) => node !== this.#me() && !this.known.has(node))
    for (const { node, version } of added) this.known.set(node, version)
    return added.map(({ node }) => node)
  }

  remove(node: Atom): void {
    this.pending.delete(node)
    this.known.delete(node)
    this.synced.delete(node)
  }
}
