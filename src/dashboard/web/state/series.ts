/** Figures over time: a node's past from the server, continued with the samples that come. */
import { floats32, floats64, HISTORY_COLUMNS, type HistoryColumn, type HistorySlice } from '../../protocol.js'
import type { NodeSample } from '../../samples.js'

/** A sample's figures, by column. NaN for what it does not have. */
const FIGURES: Readonly<Record<HistoryColumn, (sample: NodeSample) => number | undefined>> = {
  memoryTotal: ({ memory }) => memory?.total,
  memoryProcesses: ({ memory }) => memory?.processes,
  memorySystem: ({ memory }) => memory?.system,
  memoryAtom: ({ memory }) => memory?.atom,
  memoryBinary: ({ memory }) => memory?.binary,
  memoryCode: ({ memory }) => memory?.code,
  memoryEts: ({ memory }) => memory?.ets,
  reductions: ({ rates }) => rates?.reductions,
  inputBytes: ({ rates }) => rates?.inputBytes,
  outputBytes: ({ rates }) => rates?.outputBytes,
  garbageCollections: ({ rates }) => rates?.garbageCollections,
  reclaimedBytes: ({ rates }) => rates?.reclaimedBytes,
  contextSwitches: ({ rates }) => rates?.contextSwitches,
  cpu: ({ rates }) => rates?.cpu,
  runQueue: ({ runQueue }) => runQueue,
  processes: ({ limits }) => limits.processes.used,
  ports: ({ limits }) => limits.ports.used,
  atoms: ({ limits }) => limits.atoms.used,
  ets: ({ limits }) => limits.ets.used,
  linkQueueBytes: ({ links }) => sum(links.map(({ queueBytes }) => queueBytes)),
  linkReceived: ({ links }) => sum(links.map(({ receivedRate }) => receivedRate)),
  linkSent: ({ links }) => sum(links.map(({ sentRate }) => sentRate)),
  roundTripMs: ({ roundTripMs }) => roundTripMs,
}

const sum = (values: readonly (number | undefined)[]) =>
  values.reduce<number>((all, value) => all + (value ?? 0), 0)

/** Columns of the same length over time. Oldest first; NaN is a gap. */
export class Series {
  /** Milliseconds since 1970. */
  readonly at: number[] = []
  readonly columns = new Map<HistoryColumn, number[]>()

  constructor(columns: readonly HistoryColumn[], slice?: HistorySlice) {
    if (slice !== undefined) this.at.push(...floats64(slice.at))
    for (const column of columns) {
      const bytes = slice?.columns[column]
      this.columns.set(column, bytes === undefined ? this.at.map(() => NaN) : [...floats32(bytes)])
    }
  }

  get last(): number {
    return this.at.at(-1) ?? -Infinity
  }

  column(name: HistoryColumn): readonly number[] {
    return this.columns.get(name) ?? []
  }

  /** Adds a sample, unless it is not newer than what is there. @returns whether it was added */
  push(sample: NodeSample): boolean {
    if (sample.at <= this.last) return false
    this.at.push(sample.at)
    for (const [name, values] of this.columns) values.push(FIGURES[name](sample) ?? NaN)
    return true
  }

  /** The node is down from here on: no line is drawn over that time. */
  gap(at: number): void {
    if (at <= this.last || this.at.length === 0) return
    this.at.push(at)
    for (const values of this.columns.values()) values.push(NaN)
  }

  /** Forgets what is older than `from`, and the oldest when there are more than `most` points. */
  trim(from: number, most: number): void {
    let drop = Math.max(0, this.at.length - most)
    while (drop < this.at.length && (this.at[drop] ?? 0) < from) drop++
    if (drop === 0) return
    this.at.splice(0, drop)
    for (const values of this.columns.values()) values.splice(0, drop)
  }
}

export const ALL_COLUMNS: readonly HistoryColumn[] = HISTORY_COLUMNS
