/**
 * Signals that wait for connections being set up: in order for each node, bounded in number for each and in bytes for all
 * together.
 */
import { NodeError } from '../errors.js'
import type { Pid } from '../etf/identifiers.js'
import type { SignalOut } from '../dist/signals.js'
import type { Limits } from '../limits.js'
import { packSignal, type PackedSignal } from '../process/copy.js'

type WaitingLimits = Pick<Limits, 'maxPendingSignals' | 'maxPendingBytes'>

export interface WaitingSignal {
  readonly packed: PackedSignal
  readonly sender: Pid | undefined
}

export class WaitingSignals {
  readonly #limits: WaitingLimits
  readonly #byNode = new Map<string, WaitingSignal[]>()
  #bytes = 0

  constructor(limits: WaitingLimits) {
    this.#limits = limits
  }

  /** What they hold, about. */
  get bytes(): number {
    return this.#bytes
  }

  /** All of them. */
  get count(): number {
    let count = 0
    for (const queue of this.#byNode.values()) count += queue.length
    return count
  }

  /** Whether some wait for this node. */
  has(node: string): boolean {
    return this.#byNode.has(node)
  }

  /**
   * @throws NodeError `NODE_QUEUE_FULL`
   * @throws EtfError when a value in the signal is no term
   */
  add(node: string, signal: SignalOut, sender: Pid | undefined): void {
    const { maxPendingSignals, maxPendingBytes } = this.#limits
    const queue = this.#byNode.get(node)
    const count = queue?.length ?? 0
    if (count >= maxPendingSignals) {
      const what = `${count} signals wait for it (limit maxPendingSignals)`
      throw new NodeError('NODE_QUEUE_FULL', `${node} is being connected and ${what}`)
    }
    if (this.#bytes >= maxPendingBytes) {
      const what = `signals for it and others hold ${this.#bytes} bytes (limit maxPendingBytes)`
      throw new NodeError('NODE_QUEUE_FULL', `${node} is being connected and ${what}`)
    }
    const packed = packSignal(signal)
    this.#bytes += packed.bytes
    if (queue === undefined) this.#byNode.set(node, [{ packed, sender }])
    else queue.push({ packed, sender })
  }

  /** Those for this node, the first first: they wait no more. */
  take(node: string): readonly WaitingSignal[] {
    const queue = this.#byNode.get(node) ?? []
    this.#byNode.delete(node)
    for (const { packed } of queue) this.#bytes -= packed.bytes
    return queue
  }
}
