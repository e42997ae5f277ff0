/** What the parts of `global` are given. */
import type { Atom } from '../etf/atom.js'
import type { Cluster } from '../process/cluster.js'
import type { Host } from '../process/host.js'
import type { ResolverOptions } from './resolver.js'

export interface GlobalOptions {
  host: Host
  cluster: Cluster
  /** Connect to all that others know (kernel's `connect_all`). */
  connectAll: boolean
  /** kernel's `prevent_overlapping_partitions`. */
  preventOverlappingPartitions: boolean
  maxGlobalNames: number
  maxGlobalLocks: number
  maxLostConnections: number
  /** Calls a function of a node, this one included. Rejects when that fails. */
  call: ResolverOptions['call']
  /** 0 to 1. */
  random(): number
  /** Milliseconds that never go back. */
  now(): number
  /** How long to wait before acting on a lost connection. */
  lossDelayMs: number
  log: { info(message: string): void; warn(message: string): void }
  onError(error: unknown, where: string, peer?: Atom): void
}
