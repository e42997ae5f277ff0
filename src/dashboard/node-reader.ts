/**
 * Samples of one node: a first batch of what does not change, then one batch for each poll and one for its links.
 *
 *     lists:zipwith3(fun erlang:apply/3, Modules, Functions, Args)      all in one process there, no code is loaded
 *
 * `erlang:statistics/1` of reductions and runtime counts from its last call, too; the totals are read, as all tools do.
 * `wall_clock` is not called: the time since the start comes from the clock.
 */
import { Port, RemoteError, type BatchCall, type RemoteNode, type Term } from '../index.js'
import { atom } from '../index.js'
import { characters, count, elements, list, name, number, properties } from './read-terms.js'
import type {
  CounterSample,
  LimitSample,
  LinkSample,
  MemorySample,
  NodeSample,
  RateSample,
} from './samples.js'

const info = (item: string): BatchCall => ['erlang', 'system_info', [atom(item)]]
const statistics = (item: string): BatchCall => ['erlang', 'statistics', [atom(item)]]

const FACTS: readonly BatchCall[] = [
  info('otp_release'),
  info('version'),
  info('system_architecture'),
  info('wordsize'),
  info('schedulers'),
  info('dirty_cpu_schedulers'),
  info('dirty_io_schedulers'),
  info('process_limit'),
  info('port_limit'),
  info('atom_limit'),
  info('ets_limit'),
  info('start_time'),
  ['erlang', 'convert_time_unit', [1, atom('second'), atom('native')]],
]

const POLL: readonly BatchCall[] = [
  ['erlang', 'monotonic_time', []],
  info('schedulers_online'),
  info('process_count'),
  info('port_count'),
  info('atom_count'),
  info('ets_count'),
  info('dist_ctrl'),
  statistics('run_queue_lengths_all'),
  statistics('reductions'),
  statistics('io'),
  statistics('garbage_collection'),
  statistics('context_switches'),
  statistics('runtime'),
  ['erlang', 'nodes', [atom('visible')]],
  ['erlang', 'nodes', [atom('hidden')]],
]
const MEMORY: BatchCall = ['erlang', 'memory', []]

/** What does not change while a node runs. */
export interface NodeFacts {
  readonly otpRelease: string
  readonly ertsVersion: string
  readonly architecture: string
  readonly wordBytes: number
  readonly schedulers: number
  readonly dirtyCpu: number
  readonly dirtyIo: number
  readonly limits: { processes: number; ports: number; atoms: number; ets: number }
  /** In native units of time. */
  readonly startTime: number
  readonly unitsPerMs: number
}

export interface NodeReaderOptions {
  readonly remote: RemoteNode
  /** This identity's own name, for telling its link from others. */
  ownName(): string
  readonly maxLinks: number
  /** Milliseconds since 1970. */
  now(): number
  /** Milliseconds, monotonic. */
  clock(): number
}

/** Reads one incarnation of a node. */
export class NodeReader {
  readonly #options: NodeReaderOptions
  #facts: NodeFacts | undefined
  #hasMemory = true
  #last: { clock: number; counters: CounterSample; links: Map<string, LinkSample> } | undefined

  constructor(options: NodeReaderOptions) {
    this.#options = options
  }

  /** What the first poll learned. */
  async facts(): Promise<NodeFacts> {
    return (this.#facts ??= readFacts(await this.#options.remote.batch(FACTS)))
  }

  async sample(): Promise<NodeSample> {
    const { remote, now, clock } = this.#options
    const facts = await this.facts()
    const started = clock()
    const terms = await this.#poll()
    const read = clock()
    const counters = readCounters(terms, facts)
    const seconds = this.#last === undefined ? 0 : (read - this.#last.clock) / 1_000
    const links = await this.#links(terms, seconds)
    const sample: NodeSample = {
      node: remote.name,
      at: now(),
      roundTripMs: clock() - started,
      otpRelease: facts.otpRelease,
      ertsVersion: facts.ertsVersion,
      architecture: facts.architecture,
      uptimeMs: counters.wallClockMs,
      schedulers: {
        total: facts.schedulers,
        online: count(terms[1]),
        dirtyCpu: facts.dirtyCpu,
        dirtyIo: facts.dirtyIo,
      },
      runQueue: list(terms[7]).reduce<number>((sum, length) => sum + count(length), 0),
      runQueues: list(terms[7]).map(count),
      memory: readMemory(terms[POLL.length]),
      counters,
      rates:
        this.#last === undefined || seconds <= 0 ? undefined : rates(this.#last.counters, counters, seconds),
      limits: {
        processes: share(count(terms[2]), facts.limits.processes),
        ports: share(count(terms[3]), facts.limits.ports),
        atoms: share(count(terms[4]), facts.limits.atoms),
        ets: share(count(terms[5]), facts.limits.ets),
      },
      links,
    }
    this.#last = { clock: read, counters, links: new Map(links.map((link) => [link.peer, link])) }
    return sample
  }

  async #poll(): Promise<readonly Term[]> {
    const { remote } = this.#options
    if (!this.#hasMemory) return remote.batch(POLL)
    try {
      return await remote.batch([...POLL, MEMORY])
    } catch (error) {
      // erlang:memory/0 is `notsup` where an allocator is switched off (+M<S>e false).
      if (!(error instanceof RemoteError) || name(error.reason) !== 'notsup') throw error
      this.#hasMemory = false
      return remote.batch(POLL)
    }
  }

  async #links(terms: readonly Term[], seconds: number): Promise<LinkSample[]> {
    const { remote, maxLinks, ownName } = this.#options
    const visible = new Set(list(terms[13]).map(name))
    const hidden = new Set(list(terms[14]).map(name))
    const controllers = list(terms[6]).slice(0, maxLinks).map(elements)
    const ports = controllers.flatMap(([, controller]) => (controller instanceof Port ? [controller] : []))
    const wanted = [atom('recv_oct'), atom('send_oct')]
    const answers =
      ports.length === 0
        ? []
        : await remote.batch(
            ports.flatMap((port): BatchCall[] => [
              ['erlang', 'port_info', [port, atom('queue_size')]],
              ['inet', 'getstat', [port, wanted]],
            ]),
          )
    const byPort = new Map(ports.map((port, at) => [port.key, answers.slice(2 * at, 2 * at + 2)]))
    return controllers.map(([peerTerm, controller]): LinkSample => {
      const peer = name(peerTerm) ?? ''
      const [queue, stat] = controller instanceof Port ? (byPort.get(controller.key) ?? []) : []
      const [outcome, values] = elements(stat)
      const traffic = name(outcome) === 'ok' ? properties(values) : new Map<string, Term>()
      const receivedBytes = number(traffic.get('recv_oct'))
      const sentBytes = number(traffic.get('send_oct'))
      const before = this.#last?.links.get(peer)
      return {
        peer,
        type: visible.has(peer) ? 'visible' : hidden.has(peer) ? 'hidden' : undefined,
        queueBytes: number(elements(queue)[1]),
        receivedBytes,
        sentBytes,
        receivedRate: rate(before?.receivedBytes, receivedBytes, seconds),
        sentRate: rate(before?.sentBytes, sentBytes, seconds),
        own: peer === ownName(),
      }
    })
  }
}

function readFacts(terms: readonly Term[]): NodeFacts {
  const at = (index: number) => count(terms[index])
  return {
    otpRelease: characters(terms[0]),
    ertsVersion: characters(terms[1]),
    architecture: characters(terms[2]),
    wordBytes: at(3),
    schedulers: at(4),
    dirtyCpu: at(5),
    dirtyIo: at(6),
    limits: { processes: at(7), ports: at(8), atoms: at(9), ets: at(10) },
    startTime: at(11),
    unitsPerMs: at(12) / 1_000,
  }
}

function readCounters(terms: readonly Term[], facts: NodeFacts): CounterSample {
  const [input, output] = elements(terms[9]).map((pair) => count(elements(pair)[1]))
  const [collections, words] = elements(terms[10]).map(count)
  return {
    reductions: count(elements(terms[8])[0]),
    inputBytes: input ?? 0,
    outputBytes: output ?? 0,
    garbageCollections: collections ?? 0,
    reclaimedBytes: (words ?? 0) * facts.wordBytes,
    contextSwitches: count(elements(terms[11])[0]),
    runtimeMs: count(elements(terms[12])[0]),
    wallClockMs: Math.round((count(terms[0]) - facts.startTime) / facts.unitsPerMs),
  }
}

function readMemory(term: Term | undefined): MemorySample | undefined {
  if (term === undefined) return undefined
  const kinds = properties(term)
  const of = (kind: string) => count(kinds.get(kind))
  return {
    total: of('total'),
    processes: of('processes'),
    processesUsed: of('processes_used'),
    system: of('system'),
    atom: of('atom'),
    atomUsed: of('atom_used'),
    binary: of('binary'),
    code: of('code'),
    ets: of('ets'),
  }
}

function rates(before: CounterSample, now: CounterSample, seconds: number): RateSample {
  const of = (key: keyof CounterSample) => Math.max(0, now[key] - before[key]) / seconds
  return {
    reductions: of('reductions'),
    inputBytes: of('inputBytes'),
    outputBytes: of('outputBytes'),
    garbageCollections: of('garbageCollections'),
    reclaimedBytes: of('reclaimedBytes'),
    contextSwitches: of('contextSwitches'),
    cpu: of('runtimeMs') / 1_000,
  }
}

/** Undefined at the first reading, and when the counter began anew: another connection to the same peer. */
function rate(before: number | undefined, now: number | undefined, seconds: number): number | undefined {
  if (before === undefined || now === undefined || seconds <= 0 || now < before) return undefined
  return (now - before) / seconds
}

function share(used: number, limit: number): LimitSample {
  return { used, limit, percent: limit > 0 ? Math.round((used / limit) * 10_000) / 100 : 0 }
}
