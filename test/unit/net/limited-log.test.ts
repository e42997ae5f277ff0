/** Log lines that others can cause: so many of each subject in a period, and how many were left out. */
import { LimitedLog } from '../../../src/net/limited-log.js'

const LIMITS = { maxLogLines: 2, logPeriodMs: 1_000, maxLogSubjects: 2 }

function setUp() {
  const lines: string[] = []
  const logger = {
    warn: (text: string) => void lines.push(`warn ${text}`),
    error: (text: string) => void lines.push(`error ${text}`),
  }
  return { lines, log: new LimitedLog(logger, LIMITS) }
}

beforeEach(() => jest.useFakeTimers())
afterEach(() => jest.useRealTimers())

test('so many lines of a subject are written, of either kind; one more is counted', () => {
  const { lines, log } = setUp()
  log.warn('a', '1')
  log.error('a', '2')
  log.error('a', '3')
  log.warn('a', '4')
  expect(lines).toEqual(['warn 1', 'error 2'])
  jest.advanceTimersByTime(999)
  expect(lines).toHaveLength(2)
  jest.advanceTimersByTime(1)
  expect(lines.slice(2)).toEqual(['warn a: 2 more lines were left out (limit maxLogLines 2 in 1 s)'])
  log.warn('a', '5')
  expect(lines.at(-1)).toBe('warn 5')
})

test('nothing is said of subjects that kept to the limit, and nothing waits any more', () => {
  const { lines, log } = setUp()
  log.warn('a', '1')
  log.warn('a', '2')
  jest.advanceTimersByTime(10_000)
  expect([lines, jest.getTimerCount()]).toEqual([['warn 1', 'warn 2'], 0])
})

test('subjects are counted apart, those past maxLogSubjects together', () => {
  const { lines, log } = setUp()
  for (const about of ['a', 'b', 'c', 'd']) for (let i = 1; i <= 2; i++) log.warn(about, `${about}${i}`)
  expect(lines.map((line) => line.slice(5))).toEqual(['a1', 'a2', 'b1', 'b2', 'c1', 'c2'])
  expect(jest.getTimerCount()).toBe(3)
  log.stop()
  expect(lines.slice(6)).toEqual(['warn others: 2 more lines were left out (limit maxLogLines 2 in 1 s)'])
  expect(jest.getTimerCount()).toBe(0)
  log.warn('d', 'd3')
  expect(lines.at(-1)).toBe('warn d3')
})
