/** `set_net_ticktime/2`, on virtual time. */
import { NetTicktime } from '../../../src/kernel/ticktime.js'
import { VirtualLoop } from './support.js'

function make(ticktimeMs: number) {
  const loop = new VirtualLoop()
  const log: string[] = []
  const ticktime = new NetTicktime(
    ticktimeMs,
    4,
    { setTicktime: (ms) => log.push(`set ${ms}`), auxTick: () => log.push('tick') },
    loop,
  )
  return { loop, log, ticktime }
}

test('a longer time applies at once; traffic keeps the old interval for the transition period', async () => {
  const { loop, log, ticktime } = make(8_000)
  expect(ticktime.set(16, 6)).toBe('change_initiated')
  expect(log).toEqual(['set 16000', 'tick'])
  expect(ticktime.get()).toEqual({ ongoing_change_to: 16 })
  await loop.advance(5_999)
  expect(log).toEqual(['set 16000', 'tick', 'tick', 'tick'])
  await loop.advance(1)
  expect(ticktime.get()).toBe(16)
  expect(loop.timers).toBe(0)
})

test('a shorter time applies at the end; traffic has the new interval meanwhile', async () => {
  const { loop, log, ticktime } = make(16_000)
  expect(ticktime.set(8, 4)).toBe('change_initiated')
  await loop.advance(3_999)
  expect(log).toEqual(['tick', 'tick'])
  expect(ticktime.targetMs).toBe(8_000)
  await loop.advance(1)
  expect(log).toEqual(['tick', 'tick', 'set 8000'])
  expect(ticktime.get()).toBe(8)
})

test('the period is a whole number of intervals that covers what was asked for', async () => {
  const { loop, ticktime } = make(8_000)
  ticktime.set(4, 3.5)
  await loop.advance(3_999)
  expect(ticktime.get()).toEqual({ ongoing_change_to: 4 })
  await loop.advance(1)
  expect(ticktime.get()).toBe(4)
})

test('unchanged, ongoing, and what is refused', async () => {
  const { loop, log, ticktime } = make(8_000)
  expect(ticktime.set(8)).toBe('unchanged')
  ticktime.set(9)
  expect(ticktime.set(10)).toEqual({ ongoing_change_to: 9 })
  for (const [seconds, period] of [
    [0, 1],
    [-1, 1],
    [NaN, 1],
    [2_000_001, 1],
    [1, -1],
    [1, NaN],
  ] as const) {
    expect(() => ticktime.set(seconds, period)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
  }
  ticktime.stop()
  log.length = 0
  await loop.advance(120_000)
  expect(log).toEqual([])
})
