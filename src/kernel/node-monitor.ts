/** `net_kernel:monitor_nodes/2`: nodeup and nodedown for those who want them, as an async iterable. */
import { checkSignal } from '../arguments.js'
export interface MonitorNodesOptions {
  /** Which nodes to report; default `visible`, as OTP. */
  nodeType?: 'visible' | 'hidden' | 'all'
  /** Give the reason of each nodedown. */
  nodedownReason?: boolean
  /** Give the id of each connection. */
  connectionId?: boolean
  /** Ends the iteration. */
  signal?: AbortSignal
}

export interface NodeEvent {
  readonly type: 'nodeup' | 'nodedown'
  readonly node: string
  readonly nodeType: 'visible' | 'hidden'
  /** OTP's `nodedown_reason`, when asked for. */
  readonly reason?: string
  readonly connectionId?: number
}

/** What the kernel tells: everything; subscriptions leave out what was not asked for. */
export interface NodeChange {
  type: 'nodeup' | 'nodedown'
  node: string
  hidden: boolean
  connectionId: number
  reason?: string
}

/** A subscription. Events wait, bounded, until they are taken; what overflows is counted in `dropped`. */
export class NodeSubscription implements AsyncIterableIterator<NodeEvent> {
  /** Events lost because nobody took them in time. */
  dropped = 0
  readonly #options: MonitorNodesOptions
  readonly #limit: number
  readonly #onEnd: (subscription: NodeSubscription) => void
  readonly #events: NodeEvent[] = []
  #waiting: ((result: IteratorResult<NodeEvent, undefined>) => void)[] = []
  #ended = false
  readonly #abort = () => this.end()

  constructor(options: MonitorNodesOptions, limit: number, onEnd: (subscription: NodeSubscription) => void) {
    this.#options = options
    this.#limit = limit
    this.#onEnd = onEnd
    checkSignal(options.signal)
    if (options.signal?.aborted) this.end()
    else options.signal?.addEventListener('abort', this.#abort, { once: true })
  }

  /** @internal */
  push(change: NodeChange): void {
    const { nodeType = 'visible', nodedownReason, connectionId } = this.#options
    const type = change.hidden ? 'hidden' : 'visible'
    if (this.#ended || (nodeType !== 'all' && nodeType !== type)) return
    const event: NodeEvent = {
      type: change.type,
      node: change.node,
      nodeType: type,
      ...(nodedownReason && change.reason !== undefined ? { reason: change.reason } : {}),
      ...(connectionId ? { connectionId: change.connectionId } : {}),
    }
    const waiting = this.#waiting.shift()
    if (waiting !== undefined) waiting({ done: false, value: event })
    else if (this.#events.length >= this.#limit) this.dropped++
    else this.#events.push(event)
  }

  /** Ends the subscription: events that wait can still be taken, then the iteration is done. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#options.signal?.removeEventListener('abort', this.#abort)
    for (const waiting of this.#waiting.splice(0)) waiting({ done: true, value: undefined })
    this.#onEnd(this)
  }

  next(): Promise<IteratorResult<NodeEvent, undefined>> {
    const event = this.#events.shift()
    if (event !== undefined) return Promise.resolve({ done: false, value: event })
    if (this.#ended) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  return(): Promise<IteratorResult<NodeEvent, undefined>> {
    this.end()
    this.#events.length = 0
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
