import { Coalescing } from '../../../src/net/coalescing.js'

/** A thread that gets messages at a rate: what came while it slept, or worked, is there in the next turn. */
class Thread {
  timeMs = 1000
  sleeps: number[] = []
  #ends: (() => void)[] = []

  constructor(readonly maySleep = true) {}

  now = (): number => this.timeMs

  deferLast = (callback: () => void): void => void this.#ends.push(callback)

  sleep = (ms: number): boolean => {
    if (!this.maySleep) return false
    this.sleeps.push(this.timeMs)
    this.timeMs += ms
    return true
  }

  /** What came, and the end of the turn. */
  turn(coalescing: Coalescing, frames: number, bytes: number, coalescingMs: number, workMs: number): void {
    coalescing.received(frames, bytes, coalescingMs)
    this.timeMs += workMs
    const ends = this.#ends
    this.#ends = []
    for (const end of ends) end()
  }
}

interface Load {
  /** Messages in a millisecond. */
  rate?: number
  /** Under way at most: the others wait for answers. */
  inFlight?: number
  bytesEach?: number
  coalescingMs?: number
  workMs?: number
  maySleep?: boolean
  forMs?: number
}

/** When the thread slept. */
function under(load: Load): number[] {
  const {
    rate = 100,
    inFlight = 1000,
    bytesEach = 100,
    coalescingMs = 0.25,
    workMs = 0.02,
    forMs = 100,
  } = load
  const thread = new Thread(load.maySleep)
  const coalescing = new Coalescing(thread, thread.sleep)
  let readAt = thread.timeMs
  while (thread.timeMs < 1000 + forMs) {
    const came = Math.floor((thread.timeMs - readAt) * rate)
    const frames = Math.min(inFlight, came)
    readAt += came / rate
    thread.turn(coalescing, frames, frames * bytesEach, coalescingMs, workMs)
  }
  return thread.sleeps
}

describe('coalescing', () => {
  test('a thread that is sent many messages, a few in each turn, sleeps after each turn', () => {
    const sleeps = under({})
    // After a millisecond of counting, in turns of 0.02 and 0.25 ms.
    expect(sleeps[0]).toBeLessThan(1003)
    expect(sleeps.length).toBeGreaterThan((100 - 3) / 0.28)
  })

  test.each<[string, Load]>([
    ['too few for a trial', { rate: 23 }],
    ['a limit of 0', { coalescingMs: 0 }],
    ['a thread that may not', { maySleep: false }],
  ])('%s: it never sleeps', (_what, load) => {
    expect(under(load)).toEqual([])
  })

  test.each([
    [10, 10],
    [10.5, 10],
    [Infinity, 10],
  ])('with a limit of %d ms it sleeps for %d', (coalescingMs, sleptMs) => {
    const thread = new Thread()
    const slept: number[] = []
    const coalescing = new Coalescing(thread, (ms) => slept.push(ms) > 0)
    for (let i = 0; i < 200; i++) thread.turn(coalescing, 30, 3000, coalescingMs, 0.02)
    expect(new Set(slept)).toEqual(new Set([sleptMs]))
  })

  test('for a peer that sends 16 and waits for the answers it is given up, and tried again ever more seldom', () => {
    const sleeps = under({ inFlight: 16, forMs: 2000 })
    const trials = sleeps.filter((at, i) => i === 0 || at - sleeps[i - 1] > 5)
    const pauses = trials.slice(1).map((at, i) => at - trials[i])
    // 8 ms after the first, then twice as long each time up to 128.
    const wanted = [8, 16, 32, 64, 128, 128]
    expect(pauses.length).toBeGreaterThanOrEqual(wanted.length)
    wanted.forEach((ms, i) => {
      expect(pauses[i]).toBeGreaterThanOrEqual(ms)
      expect(pauses[i]).toBeLessThan(ms + 12)
    })
    expect(sleeps.length * 0.25).toBeLessThan(2000 / 20)
  })

  test('large messages gather too, four times as long, at most 10 ms', () => {
    const thread = new Thread()
    const slept: number[] = []
    const coalescing = new Coalescing(thread, (ms) => slept.push(ms) > 0)
    const turns = (count: number, coalescingMs: number): number[] => {
      for (let i = 0; i < count; i++) thread.turn(coalescing, 2, 128 * 1024, coalescingMs, 0.02)
      return slept.splice(0)
    }
    expect(turns(50, 0.25)).toEqual([])
    expect(new Set(turns(100, 0.25))).toEqual(new Set([1]))
    expect(new Set(turns(100, 2.5))).toEqual(new Set([10]))
    expect(new Set(turns(100, 3))).toEqual(new Set([10]))
    // As many bytes as frames weigh.
    const even = (bytes: number): number[] => {
      for (let i = 0; i < 10; i++) thread.turn(coalescing, 20, bytes, 0.25, 0.02)
      return [...new Set(slept.splice(0))]
    }
    expect(even(20 * 6 * 1024)).toEqual([0.25])
    expect(even(20 * 6 * 1024 + 1)).toEqual([1])
  })

  test('of large messages, too few bytes for a trial, or for it to go on', () => {
    const KiB64 = 64 * 1024
    // Each counts as 11.7 messages: one in a millisecond is too little for a trial, one in a turn for its going on.
    expect(under({ rate: 1, bytesEach: KiB64 })).toEqual([])
    expect(under({ rate: 20, bytesEach: KiB64 }).length).toBeGreaterThan(50)
    expect(under({ rate: 20, bytesEach: KiB64, inFlight: 1 }).length).toBeLessThan(50)
  })

  test('a thread that has other work in its turns does not sleep in them', () => {
    expect(under({ workMs: 0.6 })).toEqual([])
    expect(under({ workMs: 0.45 }).length).toBeGreaterThan(100)
  })

  test('after it had been worth while, it is tried again soon', () => {
    const thread = new Thread()
    const coalescing = new Coalescing(thread, thread.sleep)
    const load = (frames: number, ms: number): void => {
      const until = thread.timeMs + ms
      while (thread.timeMs < until) thread.turn(coalescing, frames, frames * 100, 0.25, 0.02)
    }
    // In vain, until trials are seldom.
    load(16, 1000)
    load(32, 1000)
    expect(thread.sleeps.at(-1)).toBeGreaterThan(thread.timeMs - 1)
    load(16, 6)
    const endedAt = thread.sleeps.at(-1)!
    expect(endedAt).toBeLessThan(thread.timeMs)
    load(32, 100)
    expect(thread.sleeps.find((at) => at > endedAt)! - endedAt).toBeLessThan(11)
  })

  test('small messages for which it is in vain do not put off large ones, nor the other way round', () => {
    const thread = new Thread()
    const coalescing = new Coalescing(thread, thread.sleep)
    const load = (frames: number, bytes: number, ms: number): number => {
      const from = thread.timeMs
      while (thread.timeMs < from + ms) thread.turn(coalescing, frames, bytes, 0.25, 0.02)
      return thread.sleeps.find((at) => at > from)! - from
    }
    // In vain, until trials are seldom.
    load(16, 1600, 1000)
    expect(load(2, 128 * 1024, 50)).toBeLessThan(3)
    const again = new Coalescing(thread, thread.sleep)
    const inVain = thread.timeMs + 1000
    while (thread.timeMs < inVain) thread.turn(again, 1, 64 * 1024, 0.25, 0.02)
    const from = thread.timeMs
    while (thread.timeMs < from + 50) thread.turn(again, 32, 3200, 0.25, 0.02)
    expect(thread.sleeps.find((at) => at > from)! - from).toBeLessThan(3)
  })
})
