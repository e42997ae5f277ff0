/** One watched node: an identity named by it, kept connected, polled in its own time. */
import { ArgumentError, BeampeerError } from '../errors.js'
import {
  DEFAULT_LIMITS,
  ErlangNode,
  type Encodable,
  type KeptConnection,
  type Limits,
  type Pid,
  type RemoteNode,
  type Term,
} from '../index.js'
import {
  applications,
  children,
  etsTables,
  parsePid,
  ports,
  processDetail,
  processTerms,
  schedulerUse,
  sockets,
  type DetailOptions,
  type InspectOptions,
} from './inspect.js'
import { NodeReader } from './node-reader.js'
import { ProcessSampler } from './process-sampler.js'
import type { ProbeOptions } from './probe.js'
import type { NodeSample, NodeStatus, ProcessOrder, TimelineEvent } from './samples.js'

export interface WatchEvents {
  status(status: NodeStatus): void
  event(event: TimelineEvent): void
}

/** Readers of one incarnation of the node: they keep what must not outlive it. */
interface Incarnation {
  readonly reader: NodeReader
  readonly sampler: ProcessSampler
  readonly creation: number
}

const now = () => Date.now()
const clock = () => performance.now()

export class NodeWatch {
  readonly #name: string
  readonly #options: ProbeOptions
  readonly #limits: Limits
  readonly #events: WatchEvents
  #status: NodeStatus
  #node: ErlangNode | undefined
  #remote: RemoteNode | undefined
  #kept: KeptConnection | undefined
  #incarnation: Incarnation | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #polling: Promise<NodeSample> | undefined
  #sampling: Promise<unknown> = Promise.resolve()
  #links: ReadonlySet<string> | undefined
  #ended: Promise<void> | undefined

  constructor(name: string, options: ProbeOptions, events: WatchEvents) {
    this.#name = name
    this.#options = options
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.#events = events
    this.#status = {
      node: name,
      status: 'connecting',
      since: now(),
      reason: undefined,
      error: undefined,
      sample: undefined,
    }
  }

  get status(): NodeStatus {
    return this.#status
  }

  async start(): Promise<void> {
    const { intervalMs: _interval, processBudgetMs: _budget, signal: _signal, ...options } = this.#options
    const node = await ErlangNode.start(undefined, {
      createCookie: false,
      standardFunctions: false,
      output: () => {},
      ...options,
    })
    this.#node = node
    this.#remote = node.at(this.#name, { timeoutMs: this.#limits.probeTimeoutMs })
    void this.#followReasons(node)
    this.#kept = node.keepConnected(this.#name, {
      onUp: ({ creation }) => this.#up(creation),
      onDown: ({ error }) => {
        if (error !== undefined) this.#down(codeOf(error), error.message)
      },
    })
  }

  stop(): Promise<void> {
    this.#ended ??= this.#end()
    return this.#ended
  }

  /** Polls; two that ask at once share a poll. */
  poll(): Promise<NodeSample> {
    this.#polling ??= this.#poll().finally(() => (this.#polling = undefined))
    return this.#polling
  }

  /** One table at a time: each reads on where the one before ended. */
  processes(by: ProcessOrder, limit: number) {
    const table = this.#sampling.then(() => this.#current().sampler.poll(by, limit))
    this.#sampling = table.catch(() => undefined)
    return table
  }

  async process(pid: string, wanted: DetailOptions) {
    return processDetail(await this.#inspect(), this.pid(pid), wanted)
  }

  async processTerms(pid: string, wanted: DetailOptions) {
    return processTerms(await this.#inspect(), this.pid(pid), wanted)
  }

  async applications() {
    return applications(await this.#inspect())
  }

  async children(supervisor: string) {
    return children(await this.#inspect(), this.pid(supervisor))
  }

  async ets() {
    return etsTables(await this.#inspect())
  }

  async ports() {
    return ports(await this.#inspect())
  }

  async sockets() {
    return sockets(await this.#inspect())
  }

  schedulerUse(intervalMs: number) {
    return schedulerUse(this.#handle(), intervalMs, this.#limits.probeTimeoutMs)
  }

  async call(module: string, name: string, args: readonly Encodable[]): Promise<Term> {
    return this.#handle().call(module, name, args)
  }

  /** @throws ArgumentError `BAD_ARGUMENT` */
  pid(text: string): Pid {
    const pid = parsePid(this.#name, this.#current().creation, text)
    if (pid === undefined)
      throw new ArgumentError(
        'BAD_ARGUMENT',
        `${JSON.stringify(text.slice(0, 40))} is no pid such as <0.42.0>`,
      )
    return pid
  }

  // --- up and down ---

  /** A nodedown of ours has a reason, which the connection's keeper does not know. */
  async #followReasons(node: ErlangNode): Promise<void> {
    for await (const event of node.monitorNodes({ nodeType: 'all', nodedownReason: true })) {
      if (event.type === 'nodedown' && event.node === this.#name) this.#down(event.reason, undefined)
    }
  }

  #up(creation: number): void {
    if (this.#ended !== undefined) return
    const { maxProbeRows, maxProbeBytes, probePidsAgeMs } = this.#limits
    const remote = this.#handle()
    this.#links = undefined
    this.#incarnation = {
      creation,
      reader: new NodeReader({
        remote,
        ownName: () => this.#node?.name ?? '',
        maxLinks: maxProbeRows,
        now,
        clock,
      }),
      sampler: new ProcessSampler({
        remote,
        budget: {
          maxRows: maxProbeRows,
          maxBytes: maxProbeBytes,
          maxMs: this.#options.processBudgetMs ?? 100,
          pidsAgeMs: probePidsAgeMs,
        },
        now,
        clock,
      }),
    }
    this.#change({ status: 'up', since: now(), reason: undefined, error: undefined })
    this.#events.event({ at: now(), type: 'nodeup', node: this.#name })
    this.#schedule(0)
  }

  #down(reason: string | undefined, error: string | undefined): void {
    clearTimeout(this.#timer)
    if (this.#ended !== undefined) return
    this.#incarnation = undefined
    if (this.#status.status !== 'down') {
      this.#change({ status: 'down', since: now(), reason, error })
      this.#events.event({
        at: now(),
        type: 'nodedown',
        node: this.#name,
        ...(reason === undefined ? {} : { reason }),
      })
    } else if (error !== undefined && error !== this.#status.error) {
      // The reason stays that of the fall; why it does not come back is the error.
      this.#change({ error })
    }
  }

  // --- polls ---

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      const incarnation = this.#incarnation
      void this.poll()
        .catch(() => undefined)
        .then(() => {
          if (this.#incarnation === incarnation && incarnation !== undefined)
            this.#schedule(this.#options.intervalMs ?? 1_000)
        })
    }, delayMs)
  }

  async #poll(): Promise<NodeSample> {
    const incarnation = this.#current()
    try {
      const sample = await incarnation.reader.sample()
      if (this.#incarnation === incarnation) this.#took(sample)
      return sample
    } catch (error) {
      // A lost connection is told by nodedown.
      if (this.#incarnation === incarnation)
        this.#change({ error: error instanceof Error ? error.message : String(error) })
      throw error
    }
  }

  #took(sample: NodeSample): void {
    const peers = new Set(sample.links.flatMap(({ peer, own }) => (own ? [] : [peer])))
    const at = sample.at
    if (this.#links !== undefined) {
      for (const peer of peers)
        if (!this.#links.has(peer)) this.#events.event({ at, type: 'linkup', node: this.#name, peer })
      for (const peer of this.#links)
        if (!peers.has(peer)) this.#events.event({ at, type: 'linkdown', node: this.#name, peer })
    }
    this.#links = peers
    this.#change({ sample, error: undefined })
  }

  #change(change: Partial<NodeStatus>): void {
    this.#status = { ...this.#status, ...change }
    this.#events.status(this.#status)
  }

  async #inspect(): Promise<InspectOptions> {
    const { wordBytes } = await this.#current().reader.facts()
    const { maxProbeRows, maxProbeCharacters, probeTimeoutMs } = this.#limits
    return {
      remote: this.#handle(),
      wordBytes,
      maxRows: maxProbeRows,
      maxCharacters: maxProbeCharacters,
      timeoutMs: probeTimeoutMs,
      now,
    }
  }

  #handle(): RemoteNode {
    if (this.#remote === undefined) throw new ArgumentError('BAD_ARGUMENT', `${this.#name} is not watched`)
    return this.#remote
  }

  #current(): Incarnation {
    if (this.#incarnation !== undefined) return this.#incarnation
    const { reason, error } = this.#status
    const why = error ?? reason
    throw new BeampeerError(
      'PROBE_NODE_DOWN',
      `${this.#name} is not connected${why === undefined ? '' : `: ${why}`}`,
    )
  }

  async #end(): Promise<void> {
    clearTimeout(this.#timer)
    this.#incarnation = undefined
    this.#kept?.stop()
    await this.#node?.stop()
  }
}

function codeOf(error: Error): string {
  return error instanceof BeampeerError ? error.code : error.name
}
