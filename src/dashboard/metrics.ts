/**
 * Prometheus metrics of watched BEAM nodes and of the beampeer node itself, with prom-client. Names have OTP's words and
 * Prometheus' units; those of a watched node carry the label `node`. Figures come from the probe's last samples: a scrape
 * costs the watched nodes nothing.
 *
 * Series: about 40 for a watched node, and 3 for each of its links up to `maxMetricsLinks`.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import {
  DEFAULT_LIMITS,
  type CallEvent,
  type ConnectionEvent,
  type DropEvent,
  type ErlangNode,
  type ServedEvent,
} from '../index.js'
import type { Probe } from './probe.js'
import type { NodeSample } from './samples.js'

export interface MetricsOptions {
  /** Metrics of the nodes that it watches. */
  probe?: Probe
  /** Metrics of this node: its connections, calls and drops, and Node.js' own. */
  node?: ErlangNode
  /** Links of a watched node with series of their own; default the limit maxMetricsLinks. */
  maxLinks?: number
}

type Labels = Readonly<Record<string, string>>
type Put = (value: number | undefined, labels?: Labels) => void

/** Seconds. */
const DURATION_BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10]

/** In the words of `system_info`. */
const ONE = { processes: 'process', ports: 'port', atoms: 'atom', ets: 'ets' } as const

/** What of a sample is put where: one metric each, made anew at each scrape; a counter if its name ends so. */
const OF_SAMPLE: readonly (readonly [
  name: string,
  help: string,
  labels: readonly string[],
  read: (sample: NodeSample, put: Put) => void,
])[] = [
  [
    'erlang_vm_info',
    'Releases of the node; always 1.',
    ['otp_release', 'erts_version'],
    (s, put) => put(1, { otp_release: s.otpRelease, erts_version: s.ertsVersion }),
  ],
  ['erlang_vm_uptime_seconds', 'Time since the node started.', [], (s, put) => put(s.uptimeMs / 1_000)],
  [
    'erlang_vm_memory_bytes',
    'erlang:memory/0 by kind. total is the sum of processes and system.',
    ['kind'],
    ({ memory }, put) => {
      for (const [kind, bytes] of Object.entries(memory ?? {})) put(bytes as number, { kind: snake(kind) })
    },
  ],
  ...(['processes', 'ports', 'atoms', 'ets'] as const).flatMap(
    (what) =>
      [
        [
          `erlang_vm_${ONE[what]}_count`,
          `erlang:system_info(${ONE[what]}_count).`,
          [],
          (s: NodeSample, put: Put) => put(s.limits[what].used),
        ],
        [
          `erlang_vm_${ONE[what]}_limit`,
          `erlang:system_info(${ONE[what]}_limit).`,
          [],
          (s: NodeSample, put: Put) => put(s.limits[what].limit),
        ],
      ] as const,
  ),
  [
    'erlang_vm_schedulers',
    'Schedulers by kind.',
    ['kind'],
    ({ schedulers }, put) => {
      put(schedulers.online, { kind: 'online' })
      put(schedulers.dirtyCpu, { kind: 'dirty_cpu' })
      put(schedulers.dirtyIo, { kind: 'dirty_io' })
    },
  ],
  [
    'erlang_vm_run_queue_length',
    'Processes and ports ready to run, all queues.',
    [],
    (s, put) => put(s.runQueue),
  ],
  ['erlang_vm_reductions_total', 'Reductions.', [], (s, put) => put(s.counters.reductions)],
  [
    'erlang_vm_input_bytes_total',
    'Bytes received through ports.',
    [],
    (s, put) => put(s.counters.inputBytes),
  ],
  ['erlang_vm_output_bytes_total', 'Bytes sent through ports.', [], (s, put) => put(s.counters.outputBytes)],
  [
    'erlang_vm_garbage_collections_total',
    'Garbage collections.',
    [],
    (s, put) => put(s.counters.garbageCollections),
  ],
  [
    'erlang_vm_garbage_collection_reclaimed_bytes_total',
    'Memory reclaimed by garbage collections.',
    [],
    (s, put) => put(s.counters.reclaimedBytes),
  ],
  ['erlang_vm_context_switches_total', 'Context switches.', [], (s, put) => put(s.counters.contextSwitches)],
  [
    'erlang_vm_runtime_seconds_total',
    'CPU time of all threads.',
    [],
    (s, put) => put(s.counters.runtimeMs / 1_000),
  ],
  [
    'erlang_vm_dist_queue_bytes',
    'Bytes that wait in a distribution connection.',
    ['peer'],
    (s, put) => s.links.forEach((link) => put(link.queueBytes, { peer: link.peer })),
  ],
  [
    'erlang_vm_dist_received_bytes_total',
    'Bytes received over a distribution connection.',
    ['peer'],
    (s, put) => s.links.forEach((link) => put(link.receivedBytes, { peer: link.peer })),
  ],
  [
    'erlang_vm_dist_sent_bytes_total',
    'Bytes sent over a distribution connection.',
    ['peer'],
    (s, put) => s.links.forEach((link) => put(link.sentBytes, { peer: link.peer })),
  ],
  [
    'beampeer_probe_poll_seconds',
    'What the last poll of the node took, there and back.',
    [],
    (s, put) => put(s.roundTripMs / 1_000),
  ],
]

/** Prometheus metrics in a registry of their own; `close` ends their subscriptions. */
export class Metrics implements Disposable {
  readonly registry = new Registry()
  readonly #ends: (() => void)[] = []

  constructor(options: MetricsOptions) {
    if (options.probe !== undefined)
      this.#addProbe(options.probe, options.maxLinks ?? DEFAULT_LIMITS.maxMetricsLinks)
    if (options.node !== undefined) this.#addNode(options.node)
  }

  /** The text that Prometheus scrapes. */
  text(): Promise<string> {
    return this.registry.metrics()
  }

  get contentType(): string {
    return this.registry.contentType
  }

  close(): void {
    for (const end of this.#ends.splice(0)) end()
    this.registry.clear()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #addProbe(probe: Probe, maxLinks: number): void {
    const registers = [this.registry]
    new Gauge({
      name: 'erlang_vm_up',
      help: 'Whether the probe is connected to the node.',
      labelNames: ['node'],
      registers,
      collect() {
        this.reset()
        for (const { node, status } of probe.statuses()) this.set({ node }, status === 'up' ? 1 : 0)
      },
    })
    for (const [name, help, labels, read] of OF_SAMPLE) {
      const each = (put: (labels: Labels, value: number) => void) => {
        for (const { node, status, sample } of probe.statuses()) {
          // The figures of a node that is down are not its figures any more.
          if (status !== 'up' || sample === undefined) continue
          // Links under passing names, as the probe's own, would leave a trail of series.
          const links = sample.links.filter(({ own }) => !own).slice(0, maxLinks)
          read({ ...sample, links }, (value, more) => {
            if (value !== undefined) put({ node, ...more }, value)
          })
        }
      }
      const options = { name, help, labelNames: ['node', ...labels], registers }
      // Prometheus tells the two apart by what they are said to be, and tools by their names.
      if (name.endsWith('_total'))
        new Counter({
          ...options,
          collect() {
            this.reset()
            each((labels, value) => this.inc(labels, value))
          },
        })
      else
        new Gauge({
          ...options,
          collect() {
            this.reset()
            each((labels, value) => this.set(labels, value))
          },
        })
    }
  }

  #addNode(node: ErlangNode): void {
    const registers = [this.registry]
    collectDefaultMetrics({ register: this.registry })
    new Gauge({
      name: 'beampeer_connections',
      help: 'Nodes that this node is connected to.',
      registers,
      collect() {
        this.set(node.nodes('connected').length)
      },
    })
    const ups = new Counter({ name: 'beampeer_nodeups_total', help: 'Connections made.', registers })
    const downs = new Counter({
      name: 'beampeer_nodedowns_total',
      help: 'Connections lost, by nodedown_reason.',
      labelNames: ['reason'],
      registers,
    })
    const calls = new Histogram({
      name: 'beampeer_call_duration_seconds',
      help: 'Calls to other nodes, by outcome.',
      labelNames: ['outcome'],
      buckets: DURATION_BUCKETS,
      registers,
    })
    const served = new Histogram({
      name: 'beampeer_served_call_duration_seconds',
      help: 'Calls of other nodes that were answered here, by outcome.',
      labelNames: ['outcome'],
      buckets: DURATION_BUCKETS,
      registers,
    })
    const drops = new Counter({
      name: 'beampeer_dropped_messages_total',
      help: 'Messages dropped because a mailbox was full.',
      registers,
    })
    this.#listen<ConnectionEvent>('beampeer:connection', node, (event) => {
      if (event.type === 'nodeup') ups.inc()
      else downs.inc({ reason: event.reason ?? 'unknown' })
    })
    this.#listen<CallEvent>('beampeer:call', node, ({ durationMs, error }) =>
      calls.observe({ outcome: error === undefined ? 'ok' : 'error' }, durationMs / 1_000),
    )
    this.#listen<ServedEvent>('beampeer:served', node, ({ durationMs, error }) =>
      served.observe({ outcome: error === undefined ? 'ok' : 'error' }, durationMs / 1_000),
    )
    this.#listen<DropEvent>('beampeer:drop', node, () => drops.inc())
  }

  /** Channels are the whole process's: events of other nodes in it are passed over. */
  #listen<Event extends { readonly local: string }>(
    channel: string,
    node: ErlangNode,
    take: (event: Event) => void,
  ): void {
    const listener = (event: unknown) => {
      if ((event as Event).local === node.name) take(event as Event)
    }
    subscribe(channel, listener)
    this.#ends.push(() => void unsubscribe(channel, listener))
  }
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
