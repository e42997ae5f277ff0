import { NodeHistory } from '../../../src/dashboard/history.js'
import { floats32, floats64, HISTORY_COLUMNS, type HistoryColumn } from '../../../src/dashboard/protocol.js'
import { DEFAULT_LIMITS } from '../../../src/limits.js'
import { sampleOf } from '../../support/dashboard.js'

const START = 1_700_000_000_000
const SECOND = 1_000
const HOUR = 3_600 * SECOND

function read(
  history: NodeHistory,
  column: HistoryColumn,
  options: Partial<Record<'from' | 'to' | 'points', number>> = {},
) {
  const slice = history.slice('a@b', {
    columns: [column],
    from: 0,
    to: Infinity,
    points: 100_000,
    ...options,
  })
  return {
    at: [...floats64(slice.at)],
    values: [...floats32(slice.columns[column] as Uint8Array)],
  }
}

function fill(history: NodeHistory, seconds: number, runQueue: (second: number) => number = () => 1): void {
  for (let second = 0; second < seconds; second++) {
    const at = START + second * SECOND
    history.push(sampleOf('a@b', at, { runQueue: runQueue(second) }))
  }
}

test('a day of polls is there, the later the finer, in memory that does not grow', () => {
  const history = new NodeHistory(DEFAULT_LIMITS)
  const before = history.bytes
  fill(history, 25 * 3_600)
  expect(history.bytes).toBe(before)
  expect(before).toBeLessThan(400_000)
  const { at } = read(history, 'runQueue')
  const end = START + 25 * HOUR
  expect(at[0]).toBeLessThanOrEqual(end - 24 * HOUR + 60 * SECOND)
  expect(at.at(-1)).toBe(end - SECOND)
  const steps = new Set(at.slice(1).map((time, index) => time - (at[index] as number)))
  expect([...steps].every((step) => step > 0 && step <= 70 * SECOND)).toBe(true)
  expect(at.filter((time) => time >= end - 900 * SECOND).length).toBe(900)
})

test('at the limit nothing is lost, one past it the oldest poll is a coarse point', () => {
  const limits = { maxHistoryPolls: 30, maxHistoryTens: 5, maxHistoryMinutes: 5 }
  const history = new NodeHistory(limits)
  fill(history, 30)
  expect(read(history, 'runQueue').at[0]).toBe(START)
  expect(read(history, 'runQueue').at.length).toBe(30)
  history.push(sampleOf('a@b', START + 30 * SECOND))
  expect(read(history, 'runQueue').at[0]).toBe(START + SECOND)
})

test('a coarse point has the maximum of a run queue and the mean of a rate', () => {
  const history = new NodeHistory({ maxHistoryPolls: 1, maxHistoryTens: 100, maxHistoryMinutes: 100 })
  for (let second = 0; second < 21; second++) {
    const sample = sampleOf('a@b', START + second * SECOND, { runQueue: second === 3 ? 77 : 1 })
    const { rates } = sample
    history.push({ ...sample, rates: rates && { ...rates, cpu: second % 2 } })
  }
  expect(read(history, 'runQueue').values.slice(0, 2)).toEqual([77, 1])
  expect(read(history, 'cpu').values[0]).toBe(0.5)
})

test('a node that went down leaves a gap; a figure that is missing leaves one in its column only', () => {
  const history = new NodeHistory(DEFAULT_LIMITS)
  history.push(sampleOf('a@b', START, { memory: undefined }))
  history.gap(START + SECOND)
  history.push(sampleOf('a@b', START + 2 * SECOND))
  expect(read(history, 'runQueue').values).toEqual([1, NaN, 1])
  expect(read(history, 'memoryTotal').values).toEqual([NaN, NaN, 50_000_000])
})

test('a part of it, made of fewer points', () => {
  const history = new NodeHistory(DEFAULT_LIMITS)
  fill(history, 100, (second) => second)
  const part = read(history, 'runQueue', { from: START + 10 * SECOND, to: START + 29 * SECOND, points: 4 })
  expect(part.at).toEqual([10, 15, 20, 25].map((second) => START + second * SECOND))
  expect(part.values).toEqual([14, 19, 24, 29])
  expect(read(history, 'runQueue', { points: 1 }).values).toEqual([99])
  expect(read(history, 'runQueue', { from: START + HOUR }).at).toEqual([])
})

test('a clock that was set back does not put the past after the present', () => {
  const history = new NodeHistory(DEFAULT_LIMITS)
  history.push(sampleOf('a@b', START + HOUR))
  history.push(sampleOf('a@b', START))
  expect(read(history, 'runQueue').at).toEqual([START + HOUR, START + HOUR])
})

test('the links’ columns leave the probe’s own link out', () => {
  const history = new NodeHistory(DEFAULT_LIMITS)
  const { links } = sampleOf('a@b', START)
  history.push(
    sampleOf('a@b', START, {
      links: [
        ...links,
        ...links.map((link) => ({ ...link, queueBytes: 5 })),
        { ...links[0], own: true, peer: 'probe@x', queueBytes: 100 } as never,
      ],
    }),
  )
  expect(read(history, 'linkQueueBytes').values).toEqual([5])
  expect(read(history, 'linkReceived').values).toEqual([10])
  expect(HISTORY_COLUMNS).toContain('linkSent')
})
