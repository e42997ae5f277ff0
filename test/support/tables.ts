/**
 * Nodes without sockets: process tables that hand their signals to each other, in order, each pair connected or not.
 *
 *     const net = new Tables()
 *     const a = net.add('a@h'), b = net.add('b@h')
 *     net.connect(a, b)
 */
import '../../src/etf/node.js'
import { internAtom, type Atom } from '../../src/etf/atom.js'
import type { SignalOut } from '../../src/dist/signals.js'
import { DEFAULT_LIMITS } from '../../src/limits.js'
import type { Cluster, ClusterListener, ConnectedNode } from '../../src/process/cluster.js'
import { localSignal } from '../../src/process/copy.js'
import { ProcessTable } from '../../src/process/table.js'

export class TableNode implements Cluster {
  readonly table: ProcessTable
  readonly hidden: boolean
  readonly errors: string[] = []
  /** Signals that left, with the node they went to. */
  readonly sent: { to: string; signal: SignalOut }[] = []
  readonly #net: Tables
  readonly #listeners = new Set<ClusterListener>()
  readonly #up = new Map<Atom, ConnectedNode>()

  constructor(net: Tables, name: string, hidden: boolean) {
    this.#net = net
    this.hidden = hidden
    this.table = new ProcessTable({
      name: internAtom(name),
      creation: 1,
      limits: DEFAULT_LIMITS,
      outlet: {
        send: (signal, node) => {
          this.sent.push({ to: node.name, signal })
          const peer = this.#up.has(node) ? this.#net.find(node) : undefined
          if (peer !== undefined) peer.table.deliverLater(localSignal(signal))
          else queueMicrotask(() => this.table.connectionLost(node))
          return true
        },
        connect: () => undefined,
        checkConnection: () => undefined,
      },
      onError: (error, where) => this.errors.push(`${where}: ${String(error)}`),
    })
    const leader = this.table.spawnHandler({ message: () => {} })
    this.table.setGroupLeader(leader.pid)
  }

  get name(): Atom {
    return this.table.name
  }

  connected(): ConnectedNode[] {
    return [...this.#up.values()]
  }

  isConnected(node: Atom): boolean {
    return this.#up.has(node)
  }

  connect(node: Atom): Promise<boolean> {
    const peer = this.#net.find(node)
    if (peer !== undefined && !this.#up.has(node)) this.#net.connect(this, peer)
    return Promise.resolve(node === this.name || this.#up.has(node))
  }

  disconnect(node: Atom): void {
    const peer = this.#net.find(node)
    if (peer !== undefined) this.#net.disconnect(this, peer)
  }

  listen(listener: ClusterListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** @internal */
  up(node: ConnectedNode): void {
    this.#up.set(node.node, node)
    for (const listener of [...this.#listeners]) listener.nodeUp?.(node)
  }

  /** @internal */
  down(node: Atom): void {
    const found = this.#up.get(node)
    if (found === undefined) return
    this.#up.delete(node)
    this.table.inOrder(() => {
      this.table.connectionLost(node)
      for (const listener of [...this.#listeners]) listener.nodeDown?.(found)
    })
  }
}

export class Tables {
  readonly #nodes = new Map<Atom, TableNode>()
  #lastConnectionId = 0

  add(name: string, hidden = false): TableNode {
    const node = new TableNode(this, name, hidden)
    this.#nodes.set(node.name, node)
    return node
  }

  find(node: Atom): TableNode | undefined {
    return this.#nodes.get(node)
  }

  connect(a: TableNode, b: TableNode): void {
    if (a.isConnected(b.name)) return
    const connectionId = ++this.#lastConnectionId
    const hidden = a.hidden || b.hidden
    a.up({ node: b.name, hidden, connectionId })
    b.up({ node: a.name, hidden, connectionId })
  }

  disconnect(a: TableNode, b: TableNode): void {
    a.down(b.name)
    b.down(a.name)
  }
}
