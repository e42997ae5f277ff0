/**
 * Overlapping partitions prevented (OTP 25's `prevent_overlapping_partitions`): when two nodes have lost each other, no
 * third stays with both. Who loses a connection tells all that it knows; who hears of it passes it on once, asks one of
 * the two to let go, and forgets it.
 */
import { atom, type Atom } from '../etf/atom.js'
import type { Encodable } from '../etf/terms.js'
import { tuple } from '../etf/tuple.js'
import type { KnownNodes } from './known-nodes.js'
import { LostConnections } from './lost-connections.js'
import type { Messenger } from './messenger.js'
import type { GlobalOptions } from './options.js'
import { PREVENT_PARTITIONS_VERSION, type Info } from './wire.js'

type LostConnection = Extract<Info, { type: 'lostConnection' }>

export class Partitions {
  /** From now on losing connections is our own doing, and nobody else's concern. */
  shuttingDown = false
  readonly #options: GlobalOptions
  readonly #nodes: KnownNodes
  readonly #messenger: Messenger
  /** Takes all that concerns a node away, as if it were down. */
  readonly #forget: (node: Atom) => void
  readonly #lost: LostConnections
  /** Nodes that we are about to disconnect: their going is no loss to tell of. */
  readonly #removing = new Set<Atom>()
  readonly #creationExtension: bigint
  readonly #timers = new Set<ReturnType<typeof setTimeout>>()
  #lastLossId = 0

  constructor(options: GlobalOptions, nodes: KnownNodes, messenger: Messenger, forget: (node: Atom) => void) {
    this.#options = options
    this.#nodes = nodes
    this.#messenger = messenger
    this.#forget = forget
    // Above the 32 bits of the creation, and chosen anew by each incarnation.
    this.#creationExtension = BigInt(Math.floor(options.random() * 2 ** 27)) << 32n
    this.#lost = new LostConnections(options.now, options.maxLostConnections)
  }

  /** A node is down. */
  down(node: Atom): void {
    if (!this.#removing.delete(node)) this.#later(() => this.#tell(node))
  }

  /** Another node tells of two that have lost each other. */
  lostConnection(info: LostConnection): void {
    if (!this.#preventsPartitions || !this.#lost.note(info.a, info.creation, info.id, info.b)) return
    this.#later(() => this.#act(info))
  }

  /** Another node asks us to let it go. */
  removeConnection(node: Atom): void {
    if (!this.#nodes.isPotentiallyKnown(node)) return
    this.#options.log.warn(this.#partitionWarning('disconnected', node))
    this.#remove(node)
    this.#options.cluster.disconnect(node)
  }

  end(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }

  #remove(node: Atom): void {
    this.#removing.add(node)
    this.#forget(node)
  }

  get #me(): Atom {
    return this.#options.host.name
  }

  /** Acts on a loss after a while, when who else is concerned has had time to notice by itself. */
  #later(work: () => void): void {
    if (!this.#preventsPartitions) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      if (this.#preventsPartitions) work()
    }, this.#options.lossDelayMs)
    this.#timers.add(timer)
  }

  get #preventsPartitions(): boolean {
    const { connectAll, preventOverlappingPartitions } = this.#options
    return connectAll && preventOverlappingPartitions && !this.shuttingDown
  }

  #tell(node: Atom): void {
    // A connection that is there again is no loss: the names are exchanged anew.
    if (this.#options.cluster.isConnected(node)) return
    const creation = this.#creationExtension + BigInt(this.#options.host.creation)
    this.#multicast(tuple(atom('lost_connection'), this.#me, creation, ++this.#lastLossId, node), node)
  }

  /** To the known and those being met who take part in preventing partitions. */
  #multicast(message: Encodable, except: Atom): void {
    for (const [node, version] of new Map([...this.#nodes.known, ...this.#nodes.pending])) {
      if (node !== except && version >= PREVENT_PARTITIONS_VERSION) this.#messenger.tell(node, message)
    }
  }

  /** `a` and `b` have lost each other: who knows both lets one go, or the cluster would have overlapping parts. */
  #act({ a, b, message }: LostConnection): void {
    this.#multicast(message, a)
    const node = b === this.#me ? a : b
    if (!this.#nodes.isPotentiallyKnown(node)) return
    if (this.#nodes.versionOf(node) < PREVENT_PARTITIONS_VERSION) {
      this.#options.log.warn(this.#partitionWarning('disconnected old', node))
      this.#remove(node)
      this.#options.cluster.disconnect(node)
      return
    }
    this.#options.log.warn(this.#partitionWarning('requested disconnect from', node))
    this.#messenger.tell(node, tuple(atom('remove_connection'), this.#me))
    this.#remove(node)
  }

  #partitionWarning(what: string, node: Atom): string {
    return `'global' at node ${this.#me.name} ${what} node ${node.name} in order to prevent overlapping partitions`
  }
}
