/** The node's connections as the services that span nodes see them. */
import type { Atom } from '../etf/atom.js'
import type { Kernel } from '../kernel/kernel.js'
import type { Cluster, ClusterListener, ConnectedNode } from '../process/cluster.js'

export class ClusterView implements Cluster {
  readonly hidden: boolean
  readonly #kernel: Kernel
  readonly #listeners = new Set<ClusterListener>()
  /** What each connection was when it came up: when it is down, the kernel has it no more. */
  readonly #connected = new Map<Atom, ConnectedNode>()

  constructor(kernel: Kernel, hidden: boolean) {
    this.#kernel = kernel
    this.hidden = hidden
    kernel.table.onNodeStatus(({ type, node }) => {
      if (type === 'nodeup') this.#up(node)
      else this.#down(node)
    })
  }

  connected(): ConnectedNode[] {
    return [...this.#connected.values()]
  }

  isConnected(node: Atom): boolean {
    return this.#connected.has(node)
  }

  async connect(node: Atom): Promise<boolean> {
    if (node === this.#kernel.table.name) return true
    try {
      await this.#kernel.peers.connect(node)
      return true
    } catch {
      return false
    }
  }

  disconnect(node: Atom): void {
    this.#kernel.peers.disconnect(node)
  }

  listen(listener: ClusterListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #up(node: Atom): void {
    const peer = this.#kernel.peers.get(node)
    if (peer === undefined) return
    const { hidden, connectionId } = peer
    const connected = { node, hidden, connectionId }
    this.#connected.set(node, connected)
    for (const listener of [...this.#listeners]) listener.nodeUp?.(connected)
  }

  #down(node: Atom): void {
    const connected = this.#connected.get(node)
    if (connected === undefined) return
    this.#connected.delete(node)
    for (const listener of [...this.#listeners]) listener.nodeDown?.(connected)
  }
}
