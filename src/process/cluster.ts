/** What services that span nodes (pg, global) see of this node's connections. */
import type { Atom } from '../etf/atom.js'

/** A node that is connected. */
export interface ConnectedNode {
  readonly node: Atom
  /** The connection is hidden: either side is a hidden node. */
  readonly hidden: boolean
  /** Tells this connection from earlier ones of the same node. */
  readonly connectionId: number
}

export interface ClusterListener {
  nodeUp?(node: ConnectedNode): void
  /** After the links and monitors over the connection broke. */
  nodeDown?(node: ConnectedNode): void
}

export interface Cluster {
  /** Whether this node is hidden. */
  readonly hidden: boolean
  /** The connections that are up. */
  connected(): ConnectedNode[]
  isConnected(node: Atom): boolean
  /** Sets up a connection if there is none. Resolves to whether there is one then. */
  connect(node: Atom): Promise<boolean>
  disconnect(node: Atom): void
  /** Tells of every connection that comes up or goes down from now on. Returns an unsubscribe function. */
  listen(listener: ClusterListener): () => void
}
