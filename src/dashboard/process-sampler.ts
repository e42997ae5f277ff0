/**
 * The processes of a node under a budget. Up to `maxRows` processes are read whole at each poll. Of more, a poll reads
 * the first by what is known so far, and goes on through the rest in turn; the list of pids itself, which is large, is
 * read rarely. What is known, how much of all that is, and the age of the list are told with each table.
 *
 *     lists:zipwith(fun erlang:process_info/2, Pids, Items)    one call for the figures of all rows of a poll
 *     lists:map(fun proc_lib:translate_initial_call/1, Pids)   with names, for the rows that are shown, in a second
 */
import { atom, encode, exportFun, Pid, type RemoteNode, type Term } from '../index.js'
import { count, list, mfa, name, properties } from './read-terms.js'
import type { ProcessOrder, ProcessRow, ProcessTable } from './samples.js'

export interface SamplerBudget {
  readonly maxRows: number
  readonly maxBytes: number
  /** Milliseconds that a poll's figures may take, there and back; above, fewer rows are asked for. */
  readonly maxMs: number
  readonly pidsAgeMs: number
}

export interface SamplerOptions {
  readonly remote: RemoteNode
  readonly budget: SamplerBudget
  now(): number
  clock(): number
}

interface Known {
  readonly pid: Pid
  memory: number
  reductions: number
  reductionsRate: number | undefined
  messageQueueLen: number
  /** When it was read, by the monotonic clock. */
  readAt: number
  initialCall?: string | undefined
  registeredName?: string | undefined
  currentFunction?: string | undefined
}

const FIGURES = [atom('memory'), atom('reductions'), atom('message_queue_len')]
const NAMES = [atom('registered_name'), atom('current_function'), atom('initial_call')]
const PROCESS_INFO = exportFun('erlang', 'process_info', 2)
/** Share of a poll's rows for those that are first by what is known; the rest goes round. */
const LEADERS = 0.4
const MIN_ROWS = 20
/** Of a node whose first processes end all the time, a poll shows fewer rows than were asked for. */
const MAX_NAMING_ROUNDS = 4

export class ProcessSampler {
  readonly #options: SamplerOptions
  #pids: readonly Pid[] = []
  #pidsAt = -Infinity
  #next = 0
  #rows: number
  #known = new Map<string, Known>()

  constructor(options: SamplerOptions) {
    this.#options = options
    this.#rows = options.budget.maxRows
  }

  /** Rows that a poll asks for at present. */
  get rows(): number {
    return this.#rows
  }

  /** Reads, within the budget, and gives the first `limit` by one measure. */
  async poll(by: ProcessOrder, limit: number): Promise<ProcessTable> {
    const { remote, clock, now } = this.#options
    const counted = await this.#refreshPids()
    const targets = this.#choose(by)
    const readings = await this.#read(targets)
    const rows = await this.#shown(by, Math.min(limit, this.#rows))
    return {
      node: remote.name,
      at: now(),
      by,
      rows: rows.map(rowOf),
      sampled: this.#known.size,
      fresh: readings,
      // Of a list read whole, what is gone again (such as the process that listed it) does not count.
      total: targets.length === this.#pids.length ? this.#known.size : Math.max(counted, this.#known.size),
      pidsAgeMs: clock() - this.#pidsAt,
    }
  }

  async #refreshPids(): Promise<number> {
    const { remote, budget, clock } = this.#options
    const total = count(await remote.call('erlang', 'system_info', [atom('process_count')]))
    // A list that a poll reads whole is cheap; a long one is kept.
    if (total > budget.maxRows && clock() - this.#pidsAt < budget.pidsAgeMs) return total
    const pids = list(await remote.call('erlang', 'processes'))
    // A remote pid cannot be there; it would be an error to ask for.
    this.#pids = pids.filter((pid): pid is Pid => pid instanceof Pid && pid.node.name === remote.name)
    this.#pidsAt = clock()
    const alive = new Set(this.#pids.map((pid) => pid.key))
    for (const key of this.#known.keys()) if (!alive.has(key)) this.#known.delete(key)
    return this.#pids.length
  }

  /** The pids of this poll: those that lead, then the next in turn. */
  #choose(by: ProcessOrder): Pid[] {
    if (this.#pids.length <= this.#rows) return [...this.#pids]
    const chosen = new Map<string, Pid>()
    for (const { pid } of this.#first(by, Math.floor(this.#rows * LEADERS))) chosen.set(pid.key, pid)
    for (let looked = 0; looked < this.#pids.length && chosen.size < this.#rows; looked++) {
      const pid = this.#pids[this.#next++ % this.#pids.length] as Pid
      chosen.set(pid.key, pid)
    }
    this.#next %= this.#pids.length
    return [...chosen.values()]
  }

  async #read(pids: readonly Pid[]): Promise<number> {
    const { remote, clock } = this.#options
    if (pids.length === 0) return 0
    const started = clock()
    const answers = list(await remote.call('lists', 'zipwith', [PROCESS_INFO, pids, pids.map(() => FIGURES)]))
    const at = clock()
    pids.forEach((pid, index) => this.#learn(pid, answers[index], at))
    this.#adjust(answers, at - started)
    return answers.filter((answer) => list(answer).length > 0).length
  }

  #learn(pid: Pid, answer: Term | undefined, at: number): void {
    const figures = properties(answer)
    const before = this.#known.get(pid.key)
    if (figures.size === 0) {
      this.#known.delete(pid.key)
      return
    }
    const reductions = count(figures.get('reductions'))
    this.#known.set(pid.key, {
      ...before,
      pid,
      memory: count(figures.get('memory')),
      reductions,
      reductionsRate:
        before === undefined || at <= before.readAt
          ? before?.reductionsRate
          : ((reductions - before.reductions) * 1_000) / (at - before.readAt),
      messageQueueLen: count(figures.get('message_queue_len')),
      readAt: at,
    })
  }

  /** Keeps a poll's rows within bytes and time: halved above, slowly more below. */
  #adjust(answers: readonly Term[], tookMs: number): void {
    const { maxRows, maxBytes, maxMs } = this.#options.budget
    const sample = answers.slice(0, 20)
    // Atoms are larger here than on a connection that caches them: the estimate is on the safe side.
    const bytesPerRow = sample.length === 0 ? 1 : encode(sample as Term).length / sample.length
    let rows = tookMs > maxMs ? this.#rows / 2 : this.#rows + Math.ceil(maxRows / 20)
    rows = Math.min(rows, maxRows, maxBytes / bytesPerRow)
    this.#rows = Math.max(MIN_ROWS, Math.floor(rows))
  }

  #first(by: ProcessOrder, limit: number): Known[] {
    const value = (row: Known) => (by === 'reductions' ? (row.reductionsRate ?? -1) : row[by])
    return [...this.#known.values()].sort((a, b) => value(b) - value(a)).slice(0, limit)
  }

  /** The first rows, with names. Where one is gone by then, the next takes its place. */
  async #shown(by: ProcessOrder, limit: number): Promise<Known[]> {
    const named = new Set<Known>()
    for (let round = 0; round < MAX_NAMING_ROUNDS; round++) {
      const rows = this.#first(by, limit).filter((row) => !named.has(row))
      if (rows.length === 0) break
      await this.#nameRows(rows)
      for (const row of rows) named.add(row)
    }
    return this.#first(by, limit).filter((row) => named.has(row))
  }

  /** Names of the rows that are shown. What a process was started with does not change and is asked once. */
  async #nameRows(rows: readonly Known[]): Promise<void> {
    const { remote } = this.#options
    const pids = rows.map((row) => row.pid)
    const unnamed = rows.filter((row) => row.initialCall === undefined)
    // In this order: proc_lib does not know what a process was that has ended, and it may end between the two.
    const [calls, named] = await remote.batch([
      ['lists', 'map', [exportFun('proc_lib', 'translate_initial_call', 1), unnamed.map((row) => row.pid)]],
      ['lists', 'zipwith', [PROCESS_INFO, pids, pids.map(() => NAMES)]],
    ])
    list(calls).forEach((call, index) => {
      const row = unnamed[index]
      if (row !== undefined) row.initialCall = mfa(call)
    })
    list(named).forEach((answer, index) => {
      const row = rows[index] as Known
      const names = properties(answer)
      if (names.size === 0) this.#known.delete(row.pid.key)
      row.registeredName = name(names.get('registered_name'))
      row.currentFunction = mfa(names.get('current_function'))
      row.initialCall = initialCall(names.get('initial_call'), row.initialCall)
    })
  }
}

/** proc_lib knows its own processes; of others it says `proc_lib:init_p/5`, and the emulator knows. */
export function initialCall(raw: Term | undefined, translated: string | undefined): string | undefined {
  const own = mfa(raw)
  return own === undefined || own.startsWith('proc_lib:init_p/') ? translated : own
}

function rowOf(row: Known): ProcessRow {
  const { pid, registeredName, initialCall, currentFunction } = row
  const { memory, reductions, reductionsRate, messageQueueLen } = row
  return {
    pid: pid.toString(),
    registeredName,
    initialCall,
    currentFunction,
    memory,
    reductions,
    reductionsRate,
    messageQueueLen,
  }
}
