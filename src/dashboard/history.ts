/**
 * What was, of each node, in bounded memory: every poll of late, points of ten seconds for some hours, points of a minute
 * for a day. Columns of float32 in rings that are made once: 342 KB a node with the default limits.
 *
 * A coarse point has the mean of rates and the maximum of all else, so that a short peak of memory or of a run queue is
 * still there a day later.
 */
import type { Limits } from '../limits.js'
import { HISTORY_COLUMNS, type HistoryColumn, type HistorySlice } from './protocol.js'
import type { NodeSample } from './samples.js'

const WIDTH = HISTORY_COLUMNS.length
const INDEX = new Map(HISTORY_COLUMNS.map((column, at) => [column, at]))
const TENS_MS = 10_000
const MINUTE_MS = 60_000

/** Rates, of which a coarse point has the mean. */
const RATES: readonly HistoryColumn[] = [
  'reductions',
  'inputBytes',
  'outputBytes',
  'garbageCollections',
  'reclaimedBytes',
  'contextSwitches',
  'cpu',
  'linkReceived',
  'linkSent',
]
const IS_RATE = HISTORY_COLUMNS.map((column) => RATES.includes(column))

/** Points one after the other; the oldest drop out. */
class Ring {
  readonly #capacity: number
  readonly #at: Float64Array
  readonly #values: Float32Array
  #first = 0
  #length = 0

  constructor(capacity: number) {
    this.#capacity = capacity
    this.#at = new Float64Array(capacity)
    this.#values = new Float32Array(capacity * WIDTH)
  }

  get length(): number {
    return this.#length
  }

  get bytes(): number {
    return this.#at.byteLength + this.#values.byteLength
  }

  push(at: number, row: Float32Array): void {
    const slot = (this.#first + this.#length) % this.#capacity
    this.#at[slot] = at
    this.#values.set(row, slot * WIDTH)
    if (this.#length < this.#capacity) this.#length++
    else this.#first = (this.#first + 1) % this.#capacity
  }

  at(index: number): number {
    return this.#at[(this.#first + index) % this.#capacity] as number
  }

  row(index: number): Float32Array {
    const slot = (this.#first + index) % this.#capacity
    return this.#values.subarray(slot * WIDTH, (slot + 1) * WIDTH)
  }
}

/** Several points made one. */
class Sum {
  readonly #sums = new Float64Array(WIDTH)
  readonly #counts = new Uint32Array(WIDTH)
  readonly #max = new Float64Array(WIDTH)
  points = 0

  add(row: Float32Array): void {
    this.points++
    for (let column = 0; column < WIDTH; column++) {
      const value = row[column] as number
      if (Number.isNaN(value)) continue
      this.#max[column] = this.#counts[column] === 0 ? value : Math.max(this.#max[column] as number, value)
      this.#sums[column] = (this.#sums[column] as number) + value
      this.#counts[column] = (this.#counts[column] as number) + 1
    }
  }

  /** The point; begins anew. What had no value is NaN. */
  take(): Float32Array {
    const row = new Float32Array(WIDTH)
    for (let column = 0; column < WIDTH; column++) {
      const count = this.#counts[column] as number
      if (count === 0) row[column] = NaN
      else
        row[column] = IS_RATE[column] ? (this.#sums[column] as number) / count : (this.#max[column] as number)
    }
    this.#sums.fill(0)
    this.#counts.fill(0)
    this.points = 0
    return row
  }
}

/** A ring of points that cover a fixed time each. */
class Coarse {
  readonly ring: Ring
  readonly #everyMs: number
  readonly #sum = new Sum()
  #bucket = NaN

  constructor(everyMs: number, capacity: number) {
    this.#everyMs = everyMs
    this.ring = new Ring(capacity)
  }

  push(at: number, row: Float32Array): void {
    const bucket = Math.floor(at / this.#everyMs)
    if (bucket !== this.#bucket && this.#sum.points > 0)
      this.ring.push(this.#bucket * this.#everyMs, this.#sum.take())
    this.#bucket = bucket
    this.#sum.add(row)
  }
}

export interface SliceOptions {
  readonly columns: readonly HistoryColumn[]
  /** Milliseconds since 1970, both included. */
  readonly from: number
  readonly to: number
  /** At most so many; more are made fewer as coarse points are. */
  readonly points: number
}

/** One node's past. */
export class NodeHistory {
  readonly #polls: Ring
  readonly #tens: Coarse
  readonly #minutes: Coarse
  #last = -Infinity

  constructor(limits: Pick<Limits, 'maxHistoryPolls' | 'maxHistoryTens' | 'maxHistoryMinutes'>) {
    this.#polls = new Ring(limits.maxHistoryPolls)
    this.#tens = new Coarse(TENS_MS, limits.maxHistoryTens)
    this.#minutes = new Coarse(MINUTE_MS, limits.maxHistoryMinutes)
  }

  /** Memory that it holds, always. */
  get bytes(): number {
    return this.#polls.bytes + this.#tens.ring.bytes + this.#minutes.ring.bytes
  }

  push(sample: NodeSample): void {
    this.#push(sample.at, rowOf(sample))
  }

  /** The node went down: charts do not go on from here to where it comes back. */
  gap(at: number): void {
    this.#push(at, new Float32Array(WIDTH).fill(NaN))
  }

  /** A part of it, the finest there is of each time. */
  slice(node: string, { columns, from, to, points }: SliceOptions): HistorySlice {
    const found = this.#between(from, to)
    const size = Math.min(found.length, points)
    const at = new Float64Array(size)
    const values = columns.map(() => new Float32Array(size))
    const sum = new Sum()
    let next = 0
    for (let point = 0; point < size; point++) {
      const end = Math.floor(((point + 1) * found.length) / size)
      at[point] = (found[next] as Point).at
      const single = end === next + 1 ? (found[next] as Point).row : undefined
      for (; next < end; next++) if (single === undefined) sum.add((found[next] as Point).row)
      const row = single ?? sum.take()
      columns.forEach((column, index) => {
        ;(values[index] as Float32Array)[point] = row[INDEX.get(column) as number] as number
      })
    }
    return {
      node,
      at: bytesOf(at),
      columns: Object.fromEntries(
        columns.map((column, index) => [column, bytesOf(values[index] as Float32Array)]),
      ),
    }
  }

  #push(at: number, row: Float32Array): void {
    // A clock that was set back must not make the past come after the present.
    const time = Math.max(at, this.#last)
    this.#last = time
    this.#polls.push(time, row)
    this.#tens.push(time, row)
    this.#minutes.push(time, row)
  }

  #between(from: number, to: number): Point[] {
    const found: Point[] = []
    let end = to
    const levels = [
      { ring: this.#polls, everyMs: 0 },
      { ring: this.#tens.ring, everyMs: TENS_MS },
      { ring: this.#minutes.ring, everyMs: MINUTE_MS },
    ]
    // From the finest to the coarsest: each is asked only for what is older than what the finer one has.
    for (const { ring, everyMs } of levels) {
      for (let index = ring.length - 1; index >= 0; index--) {
        const at = ring.at(index)
        if (at < from) break
        if (at + everyMs <= end) found.push({ at, row: ring.row(index) })
      }
      if (ring.length > 0) end = Math.min(end, ring.at(0))
    }
    return found.reverse()
  }
}

interface Point {
  readonly at: number
  readonly row: Float32Array
}

function rowOf({ memory, rates, limits, links, runQueue, roundTripMs }: NodeSample): Float32Array {
  let linkQueueBytes = 0
  let linkReceived = 0
  let linkSent = 0
  for (const link of links) {
    if (link.own) continue
    linkQueueBytes += link.queueBytes ?? 0
    linkReceived += link.receivedRate ?? 0
    linkSent += link.sentRate ?? 0
  }
  const row: Record<HistoryColumn, number | undefined> = {
    memoryTotal: memory?.total,
    memoryProcesses: memory?.processes,
    memorySystem: memory?.system,
    memoryAtom: memory?.atom,
    memoryBinary: memory?.binary,
    memoryCode: memory?.code,
    memoryEts: memory?.ets,
    reductions: rates?.reductions,
    inputBytes: rates?.inputBytes,
    outputBytes: rates?.outputBytes,
    garbageCollections: rates?.garbageCollections,
    reclaimedBytes: rates?.reclaimedBytes,
    contextSwitches: rates?.contextSwitches,
    cpu: rates?.cpu,
    runQueue,
    processes: limits.processes.used,
    ports: limits.ports.used,
    atoms: limits.atoms.used,
    ets: limits.ets.used,
    linkQueueBytes,
    linkReceived,
    linkSent,
    roundTripMs,
  }
  const values = new Float32Array(WIDTH)
  HISTORY_COLUMNS.forEach((column, at) => (values[at] = row[column] ?? NaN))
  return values
}

function bytesOf(numbers: Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)
}
