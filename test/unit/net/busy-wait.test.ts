import { BusyWait } from '../../../src/net/busy-wait.js'

/** An event loop of which each turn takes 1/64 ms. */
class Loop {
  timeMs = 1000
  turns = 0
  #deferred: (() => void)[] = []

  now(): number {
    return this.timeMs
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback)
  }

  /** Turns until nothing is left to do; how often. */
  run(): number {
    let turns = 0
    for (; this.#deferred.length > 0; turns++) {
      this.timeMs += 1 / 64
      this.#deferred.shift()!()
    }
    return turns
  }
}

function waitingFor(calls: {
  frames?: number
  bytes?: number
  intervalMs?: number
  busyWaitMs?: number
  processors?: number
}) {
  const { frames = 1, bytes = 100, intervalMs = 0.1, busyWaitMs = 1 / 8, processors = 2 } = calls
  const loop = new Loop()
  const wait = new BusyWait(loop, () => processors)
  const turns = []
  for (let i = 0; i < 10; i++) {
    wait.received(frames, bytes, busyWaitMs)
    const before = loop.timeMs
    turns.push(loop.run())
    loop.timeMs = before + intervalMs
  }
  return turns
}

describe('waiting busily', () => {
  test('after one call after another, the loop turns for that time', () => {
    const turns = waitingFor({})
    // The first says nothing of an interval yet; then eight must have been alike.
    expect(turns.slice(0, 8)).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
    expect(turns.slice(8)).toEqual([9, 9])
  })

  test.each([
    ['three frames at a time are one call after another', { frames: 3 }, 9],
    ['four are many calls', { frames: 4 }, 0],
    ['16 KiB are waited for', { bytes: 16 * 1024 }, 9],
    ['more is not', { bytes: 16 * 1024 + 1 }, 0],
    ['less than a frame is no call', { frames: 0 }, 0],
    ['calls 0.3 ms apart are waited for', { intervalMs: 0.25 }, 9],
    ['calls further apart are not', { intervalMs: 0.35 }, 0],
    ['not for a limit of 0', { busyWaitMs: 0 }, 0],
    ['nor with one processor', { processors: 1 }, 0],
  ])('%s', (_what, calls, turns) => {
    expect(waitingFor(calls).at(-1)).toBe(turns)
  })

  test('one that is late does not end it; two in a row do, until more have come in time', () => {
    const loop = new Loop()
    const wait = new BusyWait(loop, () => 2)
    const after = (intervalMs: number): number => {
      loop.timeMs += intervalMs
      wait.received(1, 100, 1 / 8)
      const before = loop.timeMs
      const turns = loop.run()
      loop.timeMs = before
      return turns
    }
    for (let i = 0; i < 100; i++) after(0.1)
    expect([after(5), after(0.1), after(0.1)]).toEqual([9, 9, 9])
    for (let i = 0; i < 100; i++) after(0.1)
    expect([after(5), after(5), after(0.1), after(0.1), after(0.1), after(0.1)]).toEqual([9, 0, 0, 0, 0, 9])
  })

  test('the time begins when what came has been answered', () => {
    const loop = new Loop()
    const wait = new BusyWait(loop, () => 2)
    for (let i = 0; i < 10; i++) {
      wait.received(1, 100, 1 / 8)
      if (i === 9) loop.timeMs += 5
      const before = loop.timeMs
      const turns = loop.run()
      if (i === 9) expect(turns).toBe(9)
      loop.timeMs = before + 0.1
    }
  })
})
