/** Which OTP release a peer runs, where a protocol above the distribution depends on it and says so nowhere. */
import { atom, type Atom } from '../etf/atom.js'
import { asText } from '../etf/as-text.js'
import type { Kernel } from '../kernel/kernel.js'
import type { Limits } from '../limits.js'
import type { Erpc } from '../rex/erpc.js'

export class PeerReleases {
  readonly #kernel: Kernel
  readonly #erpc: Erpc
  readonly #limits: Pick<Limits, 'peerReleaseTimeoutMs'>
  /** By peer, for one incarnation of it. */
  readonly #known = new Map<Atom, { creation: number; release: Promise<number> }>()

  constructor(kernel: Kernel, erpc: Erpc, limits: Pick<Limits, 'peerReleaseTimeoutMs'>) {
    this.#limits = limits
    this.#kernel = kernel
    this.#erpc = erpc
    kernel.table.onNodeStatus(({ type, node }) => {
      if (type === 'nodedown') this.#known.delete(node)
    })
  }

  /** The release's number; Infinity for this node, and for peers that do not say. */
  of(node: Atom): Promise<number> {
    const peer = this.#kernel.peers.get(node)
    if (peer === undefined) return Promise.resolve(Infinity)
    const creation = peer.link.peerCreation
    const found = this.#known.get(node)
    if (found?.creation === creation) return found.release
    const release = this.#ask(node)
    this.#known.set(node, { creation, release })
    return release
  }

  async #ask(node: Atom): Promise<number> {
    try {
      const answer = await this.#erpc.call(node, 'erlang', 'system_info', [atom('otp_release')], {
        timeoutMs: this.#limits.peerReleaseTimeoutMs,
      })
      return Number.parseInt(asText(answer) ?? '', 10) || Infinity
    } catch {
      // It has no such function (a node of this package, say), or is going: either way nothing depends on it.
      return Infinity
    }
  }
}
