import { Coalescing, type CoalescingSystem } from '../../../src/net/coalescing.js'

interface Load {
  /** Messages in a millisecond. */
  rate?: number
  /** Under way at most: the others wait for answers. */
  inFlight?: number
  bytesEach?: number
  coalescingMs?: number
  /** What a turn takes, whatever is in it. */
  workMs?: number
  /** More is there than was read. */
  more?: boolean
  /** What is written in each turn. */
  writtenBytes?: number
}

interface Sleep {
  at: number
  ms: number
}

/** A thread that gets messages at a rate: what came while it slept, or worked, is there in the next turn. */
class Thread implements CoalescingSystem {
  timeMs = 1000
  sleeps: Sleep[] = []
  handled = 0
  #usedMs = 0
  #ends: (() => void)[] = []
  readonly #coalescing = new Coalescing(this)

  constructor(readonly maySleep = true) {}

  now = (): number => this.timeMs

  cpuMs = (): number => this.#usedMs

  deferLast = (callback: () => void): void => void this.#ends.push(callback)

  sleep = (ms: number): boolean => {
    this.sleeps.push({ at: this.timeMs, ms })
    if (this.maySleep) this.timeMs += ms
    return this.maySleep
  }

  /** @returns the sleeps under this load */
  under(load: Load, forMs = 500): Sleep[] {
    const {
      rate = 100,
      inFlight = Infinity,
      bytesEach = 100,
      coalescingMs = 0.25,
      workMs = 0.02,
      more = false,
      writtenBytes,
    } = load
    const from = this.sleeps.length
    const until = this.timeMs + forMs
    let readAt = this.timeMs
    while (this.timeMs < until) {
      const came = Math.floor((this.timeMs - readAt) * rate)
      const frames = Math.min(inFlight, came)
      readAt += came / rate
      if (writtenBytes !== undefined) this.written(writtenBytes)
      this.#turn(frames, frames * bytesEach, coalescingMs, workMs, more)
    }
    return this.sleeps.slice(from)
  }

  written(bytes: number): void {
    this.#coalescing.written(bytes)
  }

  more(): void {
    this.#coalescing.more()
  }

  idle(ms: number): void {
    this.timeMs += ms
  }

  /** What came, and the end of the turn. */
  #turn(frames: number, bytes: number, coalescingMs: number, workMs: number, more: boolean): void {
    this.handled += frames
    this.#coalescing.received(frames, bytes, coalescingMs)
    if (more) this.#coalescing.more()
    this.timeMs += workMs
    this.#usedMs += workMs
    const ends = this.#ends
    this.#ends = []
    for (const end of ends) end()
  }
}

function lengths(sleeps: Sleep[]): number[] {
  return [...new Set(sleeps.map(({ ms }) => ms))].sort((a, b) => a - b)
}

describe('coalescing', () => {
  test('of many messages that wait for nobody, more and more gather: the longest sleep costs least', () => {
    const thread = new Thread()
    const sleeps = thread.under({})
    // After a millisecond of counting, none and two lengths are tried for 3 ms each, twice.
    expect(sleeps[0].at).toBeGreaterThan(1004)
    expect(sleeps[0].at).toBeLessThan(1006)
    expect(lengths(sleeps)).toEqual([0.05, 0.25])
    expect(sleeps.filter(({ ms }) => ms === 0.25).length).toBeGreaterThan((0.7 * 500) / 0.27)
    expect(thread.handled).toBeGreaterThan(0.99 * 100 * 500)
  })

  test.each<[string, Load]>([
    ['too few', { rate: 23 }],
    ['a limit of 0', { coalescingMs: 0 }],
    ['turns with other work', { workMs: 0.51 }],
    ['turns after which more is there', { more: true }],
  ])('%s: it never sleeps', (_what, load) => {
    expect(new Thread().under(load)).toEqual([])
  })

  test.each<[string, Load]>([
    ['just enough', { rate: 26 }],
    ['turns with a little less other work', { workMs: 0.45 }],
  ])('%s: it does', (_what, load) => {
    expect(new Thread().under(load).length).toBeGreaterThan(100)
  })

  test('a thread that may not sleep is not asked again', () => {
    expect(new Thread(false).under({})).toHaveLength(1)
  })

  test.each([
    [10, 10],
    [10.5, 10],
    [Infinity, 10],
  ])('with a limit of %d ms it sleeps for %d at most', (coalescingMs, longestMs) => {
    const sleeps = new Thread().under({ coalescingMs, rate: 30 }, 5000)
    expect(lengths(sleeps).at(-1)).toBe(longestMs)
  })

  test('a peer that sends 16 and waits for the answers gets them after the shorter sleep', () => {
    const thread = new Thread()
    const sleeps = thread.under({ inFlight: 16 })
    // The longer would make it half as many.
    const long = sleeps.filter(({ ms }) => ms === 0.25)
    expect(long.reduce((sum, { ms }) => sum + ms, 0)).toBeLessThan(0.1 * 500)
    expect(sleeps.filter(({ ms }) => ms === 0.05).length).toBeGreaterThan((0.7 * 500) / 0.07)
    expect(thread.handled).toBeGreaterThan(0.93 * 100 * 500)
  })

  test('one that sends 4 is answered at once, but for trials, which go on', () => {
    const thread = new Thread()
    const sleeps = thread.under({ inFlight: 4 }, 2000)
    expect(sleeps.reduce((sum, { ms }) => sum + ms, 0)).toBeLessThan(0.1 * 2000)
    expect(thread.handled).toBeGreaterThan(0.9 * 100 * 2000)
    expect(sleeps.at(-1)!.at).toBeGreaterThan(thread.timeMs - 450)
  })

  test.each([1, 2])('where %d come in a turn, a trial ends after 16 sleeps of each length', (inFlight) => {
    const thread = new Thread()
    const sleeps = thread.under({ inFlight }, 2000)
    const trials: number[] = []
    let last = -Infinity
    for (const { at } of sleeps) {
      if (at - last > 20) trials.push(0)
      trials[trials.length - 1]++
      last = at
    }
    // One trial after another, 48 to 400 ms after the last.
    expect(trials.length).toBeGreaterThan(5)
    expect(Math.max(...trials)).toBeLessThanOrEqual(2 * 16)
  })

  test('large messages gather too, five times as long, at most 10 ms', () => {
    const KiB64 = { rate: 30, bytesEach: 64 * 1024 }
    expect(lengths(new Thread().under(KiB64))).toEqual([1.25])
    expect(lengths(new Thread().under({ ...KiB64, coalescingMs: 2 }))).toEqual([10])
    expect(lengths(new Thread().under({ ...KiB64, coalescingMs: 2.5 }))).toEqual([10])
    // Each counts as 11.7 messages: one or two in a millisecond are too few.
    expect(new Thread().under({ ...KiB64, rate: 1 })).toEqual([])
    // As many bytes as messages weigh, and one more.
    expect(lengths(new Thread().under({ bytesEach: 6 * 1024 }))).toEqual([0.05, 0.25])
    expect(lengths(new Thread().under({ bytesEach: 6 * 1024 + 1 }))).toEqual([1.25])
  })

  test.each<[string, Load, number[]]>([
    ['nothing gathers beside large messages', { rate: 30, bytesEach: 64 * 1024, writtenBytes: 4096 }, []],
    ['beside small ones it does', { writtenBytes: 4096 }, [0.05]],
    ['large ones are no such answers', { rate: 30, bytesEach: 64 * 1024, writtenBytes: 4097 }, [1.25]],
  ])('while small answers leave: %s', (_what, load, expected) => {
    expect(lengths(new Thread().under(load))).toEqual(expected)
  })

  test.each([1, 1 << 20])(
    'while %d bytes leave in each turn, every fourth turn has no sleep',
    (writtenBytes) => {
      const sleeps = new Thread().under({ writtenBytes })
      expect(sleeps.length).toBeGreaterThan((0.7 * 500) / 0.08)
      const apart = sleeps.slice(1).map(({ at }, i) => (at - sleeps[i].at).toFixed(2))
      // A turn takes 0.02 ms, a sleep 0.05; a trial goes without for longer.
      const between = apart.map((ms) => ({ '0.07': 'sleep, ', '0.09': 'none, sleep, ' })[ms] ?? '\n').join('')
      for (const turns of between.split('\n'))
        expect(turns).toMatch(/^(sleep, ){0,2}(none, (sleep, ){3})*(none, (sleep, ){0,2})?$/)
      expect(between.match(/none/g)!.length).toBeGreaterThan(sleeps.length / 4)
    },
  )

  test('20 ms after something was written longer sleeps are tried, too', () => {
    const thread = new Thread()
    thread.under({ writtenBytes: 100 })
    const writtenAt = thread.timeMs
    const long = thread.under({}).find(({ ms }) => ms === 0.25)!
    expect(long.at - writtenAt).toBeGreaterThanOrEqual(20)
    expect(long.at - writtenAt).toBeLessThan(50)
  })

  test('that there was more in a turn without a sleep says nothing of later ones', () => {
    const told = new Thread()
    told.more()
    const untold = new Thread()
    expect(told.under({}, 20)).toEqual(untold.under({}, 20))
    expect(told.sleeps.length).toBeGreaterThan(0)
  })

  test('20 ms after the last answer large messages gather again', () => {
    const thread = new Thread()
    const large = { rate: 30, bytesEach: 64 * 1024 }
    thread.under(large, 100)
    const answeredAt = thread.timeMs
    thread.written(100)
    const [{ at }] = thread.under(large, 100)
    expect(at - answeredAt).toBeGreaterThanOrEqual(20)
    expect(at - answeredAt).toBeLessThan(21)
  })

  test('another load is noticed within some trials, and one of the other kind at once', () => {
    const thread = new Thread()
    thread.under({ inFlight: 4 }, 1000)
    // What was counted before is forgotten by halves.
    thread.under({}, 1000)
    const long = thread.under({}, 400).filter(({ ms }) => ms === 0.25)
    expect(long.length).toBeGreaterThan((0.7 * 400) / 0.27)
    const largeFrom = thread.timeMs
    expect(
      thread.under({ rate: 30, bytesEach: 64 * 1024 }).find(({ ms }) => ms === 1.25)!.at - largeFrom,
    ).toBeLessThan(10)
    const smallFrom = thread.timeMs
    // What was chosen for small ones still holds, or is tried anew.
    expect(thread.under({})[0].at - smallFrom).toBeLessThan(15)
  })

  test('what comes after a pause is counted before the thread sleeps', () => {
    const thread = new Thread()
    thread.under({})
    thread.idle(20)
    const from = thread.timeMs
    expect(thread.under({})[0].at - from).toBeGreaterThan(1)
  })
})
