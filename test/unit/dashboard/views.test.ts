import type { ViewRequest } from '../../../src/dashboard/protocol.js'
import type { ViewValue } from '../../../src/dashboard/source.js'
import { keyOf, Views } from '../../../src/dashboard/views.js'

const PORTS: ViewRequest = { kind: 'ports', node: 'a@host' }
const value = (at: number): ViewValue => ({ node: 'a@host', at, rows: [], sampled: 0, total: 0 })

beforeEach(() => void jest.useFakeTimers())
afterEach(() => void jest.useRealTimers())

function counted() {
  let readings = 0
  const views = new Views({ read: () => Promise.resolve(value(++readings)), minIntervalMs: 1_000 })
  return { views, readings: () => readings }
}

test('all who watch the same share one reading, and nobody’s view is not read', async () => {
  const { views, readings } = counted()
  await jest.advanceTimersByTimeAsync(60_000)
  expect(readings()).toBe(0)
  const told: string[] = []
  const first = views.watch(PORTS, { changed: () => void told.push('first') })
  const second = views.watch({ node: 'a@host', kind: 'ports' }, { changed: () => void told.push('second') })
  await jest.advanceTimersByTimeAsync(0)
  expect(readings()).toBe(1)
  expect(told).toEqual(['first', 'second'])
  await jest.advanceTimersByTimeAsync(5_000)
  expect(readings()).toBe(2)
  first.stop()
  await jest.advanceTimersByTimeAsync(5_000)
  expect(readings()).toBe(3)
  expect(second.value).toMatchObject({ at: 3 })
  second.stop()
  await jest.advanceTimersByTimeAsync(60_000)
  expect(readings()).toBe(3)
  expect(views.size).toBe(0)
  expect(jest.getTimerCount()).toBe(0)
})

test('who comes later has the last value at once', async () => {
  const { views } = counted()
  views.watch(PORTS, { changed: () => undefined })
  await jest.advanceTimersByTimeAsync(0)
  let told = 0
  const late = views.watch(PORTS, { changed: () => told++ })
  expect(told).toBe(1)
  expect(late.value).toMatchObject({ at: 1 })
  views.close()
})

test('what all have paused is not read, and goes on where one goes on', async () => {
  const { views, readings } = counted()
  let told = 0
  const first = views.watch(PORTS, { changed: () => told++ })
  const second = views.watch(PORTS, { changed: () => undefined })
  await jest.advanceTimersByTimeAsync(0)
  first.pause(true)
  await jest.advanceTimersByTimeAsync(5_000)
  expect([readings(), told]).toEqual([2, 1])
  second.pause(true)
  await jest.advanceTimersByTimeAsync(60_000)
  expect(readings()).toBe(2)
  first.pause(false)
  await jest.advanceTimersByTimeAsync(0)
  expect([readings(), told]).toEqual([3, 2])
  views.close()
})

test('one reading at a time, however slow it is', async () => {
  const waiting: ((value: ViewValue) => void)[] = []
  const views = new Views({ read: () => new Promise((resolve) => waiting.push(resolve)), minIntervalMs: 1 })
  const watched = views.watch(PORTS, { changed: () => undefined })
  await jest.advanceTimersByTimeAsync(60_000)
  expect(waiting.length).toBe(1)
  // Asked for anew while it is read: once more, right after.
  views.refresh()
  views.refresh('a@host')
  waiting[0]?.(value(1))
  await jest.advanceTimersByTimeAsync(0)
  expect(waiting.length).toBe(2)
  watched.stop()
  waiting[1]?.(value(2))
  await jest.advanceTimersByTimeAsync(60_000)
  expect(waiting.length).toBe(2)
})

test('requests of the same meaning have the same key', () => {
  expect(keyOf({ node: 'a', kind: 'ets' })).toBe(keyOf({ kind: 'ets', node: 'a' }))
  expect(keyOf({ node: 'a', kind: 'ets' })).not.toBe(keyOf({ node: 'b', kind: 'ets' }))
})
