import { internAtom } from '../../../src/etf/atom.js'
import { DEFAULT_LIMITS } from '../../../src/limits.js'
import { Discovery } from '../../../src/pg/discovery.js'

const { pgDiscoverMinMs: minMs, pgDiscoverMaxMs: maxMs } = DEFAULT_LIMITS
const [a, b] = ['a@h', 'b@h'].map((name) => internAtom(name))
if (a === undefined || b === undefined) throw new Error('two names')

beforeEach(() => jest.useFakeTimers())
afterEach(() => jest.useRealTimers())

test('asks after pgDiscoverMinMs, then after twice as long each time, at most pgDiscoverMaxMs', () => {
  const asked: number[] = []
  const start = Date.now()
  const discovery = new Discovery({ minMs, maxMs, ask: () => asked.push(Date.now() - start) })
  discovery.lookFor(a)
  jest.advanceTimersByTime(minMs - 1)
  expect(asked).toEqual([])
  jest.advanceTimersByTime(60_000)
  const pauses = asked.map((at, i) => at - (asked[i - 1] ?? 0))
  expect(pauses.slice(0, 3)).toEqual([minMs, 2 * minMs, 4 * minMs])
  expect(Math.max(...pauses)).toBe(maxMs)
  expect(pauses.slice(-5)).toEqual(Array(5).fill(maxMs))
  discovery.end()
})

test('asks each node by itself, until it is told to stop; asked anew it begins anew', () => {
  const asked: string[] = []
  const discovery = new Discovery({ minMs, maxMs, ask: (node) => asked.push(node.name) })
  discovery.lookFor(a)
  discovery.lookFor(b)
  jest.advanceTimersByTime(minMs)
  discovery.stop(a)
  jest.advanceTimersByTime(2 * minMs)
  expect(asked).toEqual(['a@h', 'b@h', 'b@h'])
  discovery.lookFor(b)
  expect(jest.getTimerCount()).toBe(1)
  jest.advanceTimersByTime(minMs)
  expect(asked).toHaveLength(4)
  discovery.end()
  expect(jest.getTimerCount()).toBe(0)
})

test('an answer while asking ends it', () => {
  let asked = 0
  const discovery = new Discovery({
    minMs,
    maxMs,
    ask: (node) => {
      asked++
      discovery.stop(node)
    },
  })
  discovery.lookFor(a)
  jest.advanceTimersByTime(60_000)
  expect(asked).toBe(1)
})
