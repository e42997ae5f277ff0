/**
 * Watches BEAM nodes from outside, over erpc, with nothing loaded there: `Probe.start(['app@host', …])`.
 *
 * Each node is watched by an identity of its own, hidden and named by the node it watches: such a name lives and dies
 * with its connection, and one node's trouble is not another's. Every node is polled in its own time; one that is down
 * is dialled again. docs/probe.md says what a poll costs the node.
 */
import { ArgumentError } from '../errors.js'
import { DEFAULT_LIMITS, parseNodeName, type Encodable, type NodeOptions, type Term } from '../index.js'
import { NodeWatch } from './node-watch.js'
import type { DetailOptions, ProcessTerms } from './inspect.js'
import type {
  ApplicationSample,
  Children,
  EtsRow,
  NodeSample,
  NodeStatus,
  PortRow,
  ProcessDetail,
  ProcessOrder,
  ProcessTable,
  Sampled,
  SchedulerUse,
  SocketRow,
  TimelineEvent,
} from './samples.js'
import { Subscribers } from './subscribers.js'

/** How the probe's identities are started (cookie, EPMD, limits, …), and how often it looks. */
export interface ProbeOptions extends Pick<
  NodeOptions,
  'cookie' | 'cookies' | 'epmd' | 'resolve' | 'netTicktime' | 'limits' | 'logger' | 'inet6'
> {
  /** Milliseconds between polls of a node; default 1,000. */
  intervalMs?: number
  /** Milliseconds that a poll of the process table may take before it asks for less; default 100. */
  processBudgetMs?: number
  /** Stops the probe. */
  signal?: AbortSignal
}

/** What {@link Probe.updates} gives: a node was polled, or its status changed; or an event of the timeline. */
export type ProbeUpdate =
  | { readonly type: 'status'; readonly status: NodeStatus }
  | { readonly type: 'event'; readonly event: TimelineEvent }

export class Probe implements AsyncDisposable {
  readonly #options: ProbeOptions
  readonly #watches = new Map<string, NodeWatch>()
  readonly #timeline: TimelineEvent[] = []
  readonly #subscribers: Subscribers<ProbeUpdate>
  readonly #maxEvents: number
  #stopped = false

  /**
   * Starts to watch. It does not wait for the nodes: each is `connecting` until it is up or down.
   * @throws ArgumentError `BAD_NODE_NAME`, `BAD_OPTION`; CookieError
   */
  static async start(nodes: readonly string[], options: ProbeOptions = {}): Promise<Probe> {
    const probe = new Probe(options)
    try {
      for (const node of nodes) parseNodeName(node)
      for (const node of nodes) await probe.watch(node)
    } catch (error) {
      await probe.stop()
      throw error
    }
    options.signal?.addEventListener('abort', () => void probe.stop(), { once: true })
    return probe
  }

  private constructor(options: ProbeOptions) {
    const { intervalMs = 1_000 } = options
    if (!(intervalMs >= 10 && intervalMs <= 86_400_000))
      throw new ArgumentError('BAD_OPTION', `intervalMs is 10 to 86,400,000 milliseconds, not ${intervalMs}`)
    this.#options = options
    const limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.#maxEvents = limits.maxProbeEvents
    this.#subscribers = new Subscribers(limits.maxProbeUpdates)
  }

  /** Watches one more node; nothing happens if it is watched already. */
  async watch(node: string): Promise<void> {
    parseNodeName(node)
    if (this.#stopped) throw new ArgumentError('BAD_ARGUMENT', 'this probe is stopped')
    if (this.#watches.has(node)) return
    const watch = new NodeWatch(node, this.#options, {
      status: (status) => this.#subscribers.publish({ type: 'status', status }),
      event: (event) => this.#event(event),
    })
    this.#watches.set(node, watch)
    try {
      await watch.start()
    } catch (error) {
      this.#watches.delete(node)
      throw error
    }
  }

  /** Watches a node no longer. @returns whether it was watched */
  async unwatch(node: string): Promise<boolean> {
    const watch = this.#watches.get(node)
    this.#watches.delete(node)
    await watch?.stop()
    return watch !== undefined
  }

  /** Names of the watched nodes. */
  get nodes(): string[] {
    return [...this.#watches.keys()]
  }

  /** Milliseconds between two polls of a node. */
  get intervalMs(): number {
    return this.#options.intervalMs ?? 1_000
  }

  /** Where each node stands, with its last sample. */
  statuses(): NodeStatus[] {
    return [...this.#watches.values()].map((watch) => watch.status)
  }

  /** @throws ArgumentError `BAD_ARGUMENT` for a node that is not watched */
  status(node: string): NodeStatus {
    return this.#watch(node).status
  }

  /** The last events, oldest first. */
  timeline(): readonly TimelineEvent[] {
    return this.#timeline
  }

  /** Polls and changes from now on. What nobody takes in time is dropped: the last status of a node counts. */
  updates(options: { signal?: AbortSignal } = {}): AsyncIterableIterator<ProbeUpdate> {
    return this.#subscribers.subscribe(options.signal)
  }

  /** Polls a node now, besides its own time. @throws ErpcError, RemoteError */
  sample(node: string): Promise<NodeSample> {
    return this.#watch(node).poll()
  }

  /** The first processes of a node, read now. See {@link ProcessTable} for what is known of how many. */
  processes(node: string, options: { by?: ProcessOrder; limit?: number } = {}): Promise<ProcessTable> {
    return this.#watch(node).processes(options.by ?? 'memory', options.limit ?? 20)
  }

  /**
   * One process, by its pid as samples show it.
   * @returns undefined when it is gone
   * @throws ArgumentError `BAD_ARGUMENT` for text that is no pid
   */
  process(node: string, pid: string, wanted: DetailOptions = {}): Promise<ProcessDetail | undefined> {
    return this.#watch(node).process(pid, wanted)
  }

  /** What of a process {@link process} prints, as terms: dictionary, state, messages, as far as wanted. */
  processTerms(node: string, pid: string, wanted: DetailOptions): Promise<ProcessTerms> {
    return this.#watch(node).processTerms(pid, wanted)
  }

  applications(node: string): Promise<ApplicationSample[]> {
    return this.#watch(node).applications()
  }

  /**
   * The children of a supervisor, such as that of an application; of its supervisors in turn they are asked for when
   * wanted. @throws RemoteError when it does not answer in time or is no supervisor
   */
  children(node: string, supervisor: string): Promise<Children> {
    return this.#watch(node).children(supervisor)
  }

  ets(node: string): Promise<Sampled<EtsRow>> {
    return this.#watch(node).ets()
  }

  ports(node: string): Promise<Sampled<PortRow>> {
    return this.#watch(node).ports()
  }

  sockets(node: string): Promise<Sampled<SocketRow>> {
    return this.#watch(node).sockets()
  }

  /** How busy the schedulers are, measured for `intervalMs` with a system flag that is then put back. */
  schedulerUse(node: string, options: { intervalMs?: number } = {}): Promise<SchedulerUse[]> {
    return this.#watch(node).schedulerUse(options.intervalMs ?? 1_000)
  }

  /** Any function of a watched node, by erpc: for actions that a view offers. */
  call(node: string, module: string, name: string, args: readonly Encodable[] = []): Promise<Term> {
    return this.#watch(node).call(module, name, args)
  }

  /** Ends the process `exit(Pid, Reason)`; an action, for views that offer one. */
  exitProcess(node: string, pid: string, reason: Encodable): Promise<Term> {
    const watch = this.#watch(node)
    return watch.call('erlang', 'exit', [watch.pid(pid), reason])
  }

  async stop(): Promise<void> {
    this.#stopped = true
    const watches = [...this.#watches.values()]
    await Promise.all(watches.map((watch) => watch.stop()))
    this.#subscribers.end()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #watch(node: string): NodeWatch {
    const watch = this.#watches.get(node)
    if (watch === undefined) throw new ArgumentError('BAD_ARGUMENT', `${node} is not watched`)
    return watch
  }

  #event(event: TimelineEvent): void {
    this.#timeline.push(event)
    if (this.#timeline.length > this.#maxEvents) this.#timeline.shift()
    this.#subscribers.publish({ type: 'event', event })
  }
}
