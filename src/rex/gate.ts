/**
 * What a call passes on its way to a function that has limits: the nodes that may call, how many at once, in which
 * order, and for how long.
 */
import { ArgumentError } from '../errors.js'
import { internAtom } from '../etf/atom.js'
import type { Pid } from '../etf/identifiers.js'
import type { Encodable } from '../etf/terms.js'
import { tuple } from '../etf/tuple.js'
import type { Process } from '../process/process.js'
import type { CallLimits } from './exposed.js'

const NOT_ALLOWED = internAtom('not_allowed')
const TIMEOUT = internAtom('timeout')
const SYSTEM_LIMIT = internAtom('system_limit')

/** Longest time that a timer of Node can wait. */
const MAX_TIMER_MS = 0x7fff_ffff

/** Why a call did not get its function's answer: raised as an error of this reason. */
export interface Refusal {
  readonly refused: Encodable
}

/** The calls of each process that wait for an earlier one of the same process to end. */
export class CallerOrder {
  readonly #last = new Map<string, Promise<void>>()

  /** The end of the caller's previous call; undefined when none runs. */
  previous(caller: string): Promise<void> | undefined {
    return this.#last.get(caller)
  }

  /** Notes the end of the caller's newest call. */
  note(caller: string, ended: Promise<void>): void {
    this.#last.set(caller, ended)
    void ended.then(() => {
      if (this.#last.get(caller) === ended) this.#last.delete(caller)
    })
  }
}

export class Gate {
  readonly #allowed: ((node: string) => boolean) | undefined
  readonly #timeLimitMs: number | undefined
  readonly #concurrency: number
  readonly #order: CallerOrder | undefined
  readonly #maxQueued: number
  #running = 0
  #queued = 0
  /** Calls that wait for a place, the longest waiting first; any of them can leave. */
  readonly #places = new Set<() => void>()

  /**
   * The gate that some limits need; undefined when they let everything through.
   * @throws ArgumentError `BAD_OPTION`
   */
  static of(where: string, limits: CallLimits, order: CallerOrder, maxQueued: number): Gate | undefined {
    const { nodes, timeLimitMs, concurrency } = limits
    checkPositive(where, 'timeLimitMs', timeLimitMs, MAX_TIMER_MS)
    checkPositive(where, 'concurrency', concurrency, Number.MAX_SAFE_INTEGER)
    if (limits.order !== undefined && limits.order !== 'caller') {
      throw new ArgumentError('BAD_OPTION', `${where}: order is 'caller', not ${String(limits.order)}`)
    }
    if (
      nodes === undefined &&
      timeLimitMs === undefined &&
      concurrency === undefined &&
      limits.order === undefined
    )
      return undefined
    return new Gate(limits, limits.order === undefined ? undefined : order, maxQueued)
  }

  private constructor(limits: CallLimits, order: CallerOrder | undefined, maxQueued: number) {
    const { nodes, timeLimitMs, concurrency } = limits
    this.#allowed = typeof nodes === 'function' ? nodes : nodes === undefined ? undefined : namesTest(nodes)
    this.#timeLimitMs = timeLimitMs
    this.#concurrency = concurrency ?? Infinity
    this.#order = order
    this.#maxQueued = maxQueued
  }

  /** Whether a node may call. */
  allows(node: string): boolean {
    return this.#allowed === undefined || this.#allowed(node)
  }

  /** Calls that wait for their turn. */
  get queued(): number {
    return this.#queued
  }

  /**
   * Runs `call`, which never throws nor rejects, when it is its turn. A call whose process has ended meanwhile is not
   * run, and one whose process ends while it runs gives up its place.
   */
  pass<R>(process: Process, caller: Pid, call: () => R | Promise<R>): R | Refusal | Promise<R | Refusal> {
    if (!this.allows(caller.node.name)) return { refused: tuple(NOT_ALLOWED, caller.node) }
    const key = this.#order === undefined ? '' : caller.key
    const previous = this.#order?.previous(key)
    const mustWait = previous !== undefined || this.#running >= this.#concurrency
    if (mustWait && this.#queued >= this.#maxQueued) return { refused: SYSTEM_LIMIT }
    if (!mustWait && this.#order === undefined && this.#timeLimitMs === undefined) {
      this.#running++
      const result = call()
      if (result instanceof Promise) void Promise.race([result, ended(process)]).then(() => this.#leave())
      else this.#leave()
      return result
    }
    const result = this.#run(process, previous, call)
    this.#order?.note(
      key,
      // A call that ends while it waits does not let the next one overtake those before it.
      result.then(() => previous),
    )
    return result
  }

  async #run<R>(
    process: Process,
    previous: Promise<void> | undefined,
    call: () => R | Promise<R>,
  ): Promise<R | Refusal> {
    const over = ended(process)
    this.#queued++
    if (previous !== undefined) await Promise.race([previous, over])
    const placed = await this.#enter(process, over)
    this.#queued--
    if (!placed) return { refused: TIMEOUT }
    const result = process.alive ? Promise.resolve(call()) : undefined
    const end = result && (await Promise.race([result, over, ...this.#timeLimit(result)]))
    this.#leave()
    return end ?? { refused: TIMEOUT }
  }

  /** Takes a place, when there is one. @returns false when the process ended first */
  async #enter(process: Process, over: Promise<undefined>): Promise<boolean> {
    if (!process.alive) return false
    if (this.#running < this.#concurrency) {
      this.#running++
      return true
    }
    return new Promise((resolve) => {
      const place = () => resolve(true)
      this.#places.add(place)
      void over.then(() => {
        // A place that was handed over already is used, or given on, by the one who waits for it.
        if (this.#places.delete(place)) resolve(false)
      })
    })
  }

  /** Gives up a place, or hands it to the one who waits longest. */
  #leave(): void {
    const [next] = this.#places
    if (next === undefined) this.#running--
    else {
      this.#places.delete(next)
      next()
    }
  }

  #timeLimit(result: Promise<unknown>): Promise<undefined>[] {
    const timeLimitMs = this.#timeLimitMs
    if (timeLimitMs === undefined) return []
    return [
      new Promise((expire) => {
        const timer = setTimeout(() => expire(undefined), timeLimitMs)
        void result.then(() => clearTimeout(timer))
      }),
    ]
  }
}

/** Resolves when the process has ended. */
function ended(process: Process): Promise<undefined> {
  const { signal } = process
  if (signal.aborted) return Promise.resolve(undefined)
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }))
}

function namesTest(names: readonly string[]): (node: string) => boolean {
  const allowed = new Set(names)
  return (node) => allowed.has(node)
}

function checkPositive(where: string, option: string, value: number | undefined, most: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= most)) return
  throw new ArgumentError(
    'BAD_OPTION',
    `${where}: ${option} is an integer from 1 to ${most}, not ${String(value)}`,
  )
}
