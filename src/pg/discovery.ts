/**
 * How a hidden node finds the scopes of others. OTP's scopes look for those of visible nodes, when they start and when a
 * node comes up; a hidden node has to look itself, and nothing tells it when a scope starts on a node that it is connected
 * to already (an application that boots has its connections before its scopes). So it asks again, ever less often, until
 * the scope answers or the node is gone. To a node without the scope that is a message for a name that nobody has.
 */
import type { Atom } from '../etf/atom.js'

export interface DiscoveryOptions {
  /** Sends a discover to the scope of a node. */
  ask(node: Atom): void
  /** The first pause, doubled each time. */
  minMs: number
  /** The longest. */
  maxMs: number
}

export class Discovery {
  readonly #options: DiscoveryOptions
  readonly #timers = new Map<Atom, ReturnType<typeof setTimeout>>()

  constructor(options: DiscoveryOptions) {
    this.#options = options
  }

  /** Asks a node again and again, the first time after the first pause. */
  lookFor(node: Atom): void {
    this.stop(node)
    this.#wait(node, this.#options.minMs)
  }

  /** The scope has answered, or its node is gone. */
  stop(node: Atom): void {
    clearTimeout(this.#timers.get(node))
    this.#timers.delete(node)
  }

  end(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
  }

  #wait(node: Atom, pauseMs: number): void {
    const { ask, maxMs } = this.#options
    const timer = setTimeout(() => {
      this.#wait(node, Math.min(pauseMs * 2, maxMs))
      ask(node)
    }, pauseMs)
    this.#timers.set(node, timer)
  }
}
