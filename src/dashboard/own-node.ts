/** The figures of a beampeer node itself, in the form of a sample: what this process tells of itself. */
import { performance, type EventLoopUtilization } from 'node:perf_hooks'
import { atom, DEFAULT_LIMITS, type ErlangNode, type Term } from '../index.js'
import { count } from './read-terms.js'
import type { CounterSample, LimitSample, NodeSample } from './samples.js'
import { VERSION } from '../cli/version.js'

export class OwnNode {
  readonly #node: ErlangNode
  readonly #started = Date.now() - process.uptime() * 1_000
  #last: { clock: number; counters: CounterSample; loop: EventLoopUtilization } | undefined

  constructor(node: ErlangNode) {
    this.#node = node
  }

  get startedAt(): number {
    return this.#started
  }

  async sample(): Promise<NodeSample> {
    const clock = performance.now()
    const { rss, heapTotal, heapUsed, external } = process.memoryUsage()
    const cpu = process.cpuUsage()
    const counters: CounterSample = {
      reductions: 0,
      inputBytes: 0,
      outputBytes: 0,
      garbageCollections: 0,
      reclaimedBytes: 0,
      contextSwitches: 0,
      runtimeMs: (cpu.user + cpu.system) / 1_000,
      wallClockMs: Math.round(process.uptime() * 1_000),
    }
    const before = this.#last
    this.#last = { clock, counters, loop: performance.eventLoopUtilization() }
    const seconds = before === undefined ? 0 : (clock - before.clock) / 1_000
    const hidden = new Set(this.#node.nodes('hidden'))
    return {
      node: this.#node.name,
      at: Date.now(),
      roundTripMs: 0,
      otpRelease: '',
      ertsVersion: `beampeer ${VERSION}, Node.js ${process.version}`,
      architecture: `${process.arch}-${process.platform}`,
      uptimeMs: counters.wallClockMs,
      schedulers: { total: 1, online: 1, dirtyCpu: 0, dirtyIo: 0 },
      runQueue: 0,
      runQueues: [],
      memory: {
        total: rss,
        processes: heapTotal,
        processesUsed: heapUsed,
        system: Math.max(0, rss - heapTotal),
        atom: 0,
        atomUsed: 0,
        binary: external,
        code: 0,
        ets: 0,
      },
      counters,
      rates:
        before === undefined || seconds <= 0
          ? undefined
          : {
              reductions: 0,
              inputBytes: 0,
              outputBytes: 0,
              garbageCollections: 0,
              reclaimedBytes: 0,
              contextSwitches: 0,
              cpu: (counters.runtimeMs - before.counters.runtimeMs) / 1_000 / seconds,
            },
      limits: {
        processes: await this.#share('process'),
        ports: share(0, 0),
        atoms: await this.#share('atom'),
        ets: share(0, 0),
      },
      links: this.#node.nodes('connected').map((peer) => ({
        peer,
        type: hidden.has(peer) ? 'hidden' : 'visible',
        queueBytes: undefined,
        receivedBytes: undefined,
        sentBytes: undefined,
        receivedRate: undefined,
        sentRate: undefined,
        own: false,
      })),
    }
  }

  /** By the functions that any node is asked by; without them (`standardFunctions: false`) nothing is known. */
  async #share(what: 'process' | 'atom'): Promise<LimitSample> {
    try {
      const [used, limit] = await Promise.all([this.#info(`${what}_count`), this.#info(`${what}_limit`)])
      return share(count(used), count(limit))
    } catch {
      return share(0, what === 'process' ? DEFAULT_LIMITS.maxProcesses : DEFAULT_LIMITS.maxAtoms)
    }
  }

  #info(item: string): Promise<Term> {
    return this.#node.erpc.call(this.#node.name, 'erlang', 'system_info', [atom(item)])
  }
}

function share(used: number, limit: number): LimitSample {
  return { used, limit, percent: limit > 0 ? Math.round((used / limit) * 10_000) / 100 : 0 }
}
