import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { DEFAULT_LIMITS } from '../../../src/limits.js'
import { BULK_IDLE_MS, BulkMemory, type BulkMover, CALM_MS, SETTLE_MS } from '../../../src/net/bulk-memory.js'

const MiB = 1024 * 1024
const KEPT = DEFAULT_LIMITS.bulkMemoryBytes

/** A piece of half of it, and some of which three are more than is kept. */
const LEARN = '24.0'
const TRIM = '22.0 + 22.0 + 22.0 + 22.0 + 22.0'

describe('bulk memory', () => {
  let now = 0
  let asked: (number | string)[]
  let heap: { old: number; external: number }
  let memory: BulkMemory
  let full: boolean

  const make = (keeps = true) =>
    new BulkMemory({
      now: () => now,
      heap: () => heap,
      keeps,
      allocate: (bytes) => {
        asked.push(bytes / MiB)
        if (full) throw new RangeError('Array buffer allocation failed')
      },
      pass: (sizes) => {
        asked.push(sizes.map((bytes) => (bytes / MiB).toFixed(1)).join(' + '))
        if (full) throw new RangeError('Array buffer allocation failed')
      },
    })

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['performance'] })
    now = 0
    asked = []
    full = false
    heap = { old: 6 * MiB, external: 40 * MiB }
    memory = make()
  })
  afterEach(() => jest.useRealTimers())

  const move = (
    bytes: number,
    tookMs: number,
    { piece = 16 * 1024, kept = KEPT, mover }: { piece?: number; kept?: number; mover?: BulkMover } = {},
  ): void => {
    for (let at = 0; at < bytes; at += piece) {
      now += (tookMs * piece) / bytes
      memory.moved(piece, kept, mover)
    }
  }

  test('is kept while much is moved: half of it, in one piece, is asked for', () => {
    move(16 * MiB, 100)
    expect(asked).toEqual([])
    move(160 * MiB, 100)
    expect(asked).toEqual([LEARN])
  })

  test('is given back a while after the last: what V8 feels, then what makes the C library give it back', () => {
    move(32 * MiB, 100)
    jest.advanceTimersByTime(BULK_IDLE_MS - 1)
    move(16 * MiB, 100)
    jest.advanceTimersByTime(BULK_IDLE_MS - 1)
    expect(asked).toEqual([LEARN])
    jest.advanceTimersByTime(1)
    expect(asked).toEqual([LEARN, 128])
    jest.advanceTimersByTime(CALM_MS)
    expect(asked).toEqual([LEARN, 128, TRIM, TRIM])
    jest.advanceTimersByTime(2 * CALM_MS)
    expect(asked).toEqual([LEARN, 128, TRIM, TRIM])
    expect(3 * 22.0).toBeGreaterThan(KEPT / MiB)
  })

  test('what they came through is told once, before; not what is gone, nor what moved small pieces', () => {
    const movers = ['a', 'b', 'gone', 'small'].map((name) => ({ trim: () => void asked.push(name) }))
    const [a, b, gone, small] = movers
    move(32 * MiB, 100, { mover: a })
    for (const mover of [b, gone]) move(16 * 1024, 1, { mover })
    move(16 * 1024 - 1, 1, { piece: 16 * 1024 - 1, mover: small })
    memory.gone(gone)
    jest.advanceTimersByTime(BULK_IDLE_MS)
    expect(asked).toEqual([LEARN, 'a', 'b', 128])
    move(32 * MiB, 100, { mover: b })
    jest.advanceTimersByTime(BULK_IDLE_MS)
    expect(asked).toEqual([LEARN, 'a', 'b', 128, 'b', 128])
  })

  test('is kept again when more comes: the C library has learned it already', () => {
    move(32 * MiB, 100)
    jest.advanceTimersByTime(BULK_IDLE_MS)
    jest.advanceTimersByTime(SETTLE_MS)
    move(32 * MiB, 100)
    jest.advanceTimersByTime(BULK_IDLE_MS - 1)
    expect(asked).toEqual([LEARN, 128, TRIM])
    jest.advanceTimersByTime(BULK_IDLE_MS + CALM_MS)
    expect(asked).toEqual([LEARN, 128, TRIM, 128, TRIM, TRIM])
  })

  test('no more than the C library can be told', () => {
    move(32 * MiB, 100, { kept: 64 * MiB })
    move(32 * MiB, 100, { kept: 65 * MiB })
    expect(asked).toEqual(['32.0'])
  })

  /** Looked at from the second time on, when something is kept: then it is so large, in MiB, at one look after the other. */
  const begin = (): void => move(2 * 16 * MiB, 200)
  const look = (...sizes: number[]): void => {
    for (const size of sizes) {
      heap.old = size * MiB
      move(16 * MiB, 100)
    }
  }
  const steady = (size: number, looks: number): void => look(...new Array<number>(looks).fill(size))

  test('a heap that is collected soon, or often, is made larger meanwhile', () => {
    begin()
    look(12, 12.5, 13)
    expect(memory.enlarged).toBe(0)
    look(12)
    expect(memory.enlarged).toBe(1)
    jest.advanceTimersByTime(BULK_IDLE_MS)
    expect(memory.enlarged).toBe(0)
    begin()
    steady(13, 8)
    look(12, 13)
    expect(memory.enlarged).toBe(0)
    look(12)
    expect(memory.enlarged).toBe(1)
  })

  test.each([
    [7, 1],
    [8, 0],
  ])('collected for the first time at look %d: %d', (looks, enlarged) => {
    begin()
    steady(13, looks - 1)
    look(12)
    expect(memory.enlarged).toBe(enlarged)
  })

  test.each([
    [7, 1],
    [8, 0],
  ])('collections %d looks apart: %d', (looks, enlarged) => {
    begin()
    steady(13, 8)
    look(12)
    steady(13, looks - 1)
    look(12)
    expect(memory.enlarged).toBe(enlarged)
  })

  test.each([
    [8 * 1024, 0],
    [8 * 1024 + 1, 1],
  ])('smaller by %d bytes: %d', (bytes, enlarged) => {
    begin()
    look(12, 12 - bytes / MiB)
    expect(memory.enlarged).toBe(enlarged)
  })

  test.each([
    [64 - 1 / MiB, 1],
    [64, 0],
  ])('one that is of %d MiB then: %d', (size, enlarged) => {
    begin()
    look(65, size)
    expect(memory.enlarged).toBe(enlarged)
  })

  test('where it does not help it is done again, after twice as long each time', () => {
    begin()
    look(13, 12)
    const at: number[] = []
    for (let looks = 1, enlarged = 1; looks <= 60; looks++) {
      look(looks % 2 === 0 ? 12 : 13)
      if (memory.enlarged > enlarged) at.push(looks)
      enlarged = memory.enlarged
    }
    expect(at).toEqual([8, 24, 56])
  })

  test.each([
    ['a small heap', 8.75 * MiB - 1, 0, true],
    ['a larger one', 8.75 * MiB, 2 * KEPT - 1, false],
    ['a larger one that holds much', 8.75 * MiB, 2 * KEPT, true],
  ])('is given back in %s: %d bytes, %d beside it: %s', (_, old, external, is) => {
    heap = { old, external }
    move(16 * 16 * MiB, 1_000)
    expect(memory.enlarged).toBe(0)
    jest.advanceTimersByTime(BULK_IDLE_MS + CALM_MS)
    expect(asked).toEqual(is ? [LEARN, 128, TRIM, TRIM] : [LEARN])
  })

  test('a heap that was small once is so, whatever garbage is in it at the end', () => {
    begin()
    look(7)
    steady(12, 15)
    jest.advanceTimersByTime(BULK_IDLE_MS)
    expect(asked).toEqual([LEARN, 128])
    // What was once is not remembered for the next that come.
    move((2 + 3) * 16 * MiB, 500)
    jest.advanceTimersByTime(BULK_IDLE_MS)
    expect(asked).toEqual([LEARN, 128])
  })

  test('is given back in a heap that was made larger, whatever its size', () => {
    begin()
    look(60, 50, 60)
    expect(memory.enlarged).toBe(1)
    jest.advanceTimersByTime(BULK_IDLE_MS)
    expect(asked).toEqual([LEARN, 128])
    begin()
    look(60)
    jest.advanceTimersByTime(BULK_IDLE_MS)
    expect(asked).toEqual([LEARN, 128])
  })

  test('without glibc V8 alone is asked', () => {
    memory = make(false)
    move(32 * MiB, 100)
    jest.advanceTimersByTime(BULK_IDLE_MS + CALM_MS)
    expect(asked).toEqual([128])
  })

  test('where there is no memory, nothing happens', () => {
    full = true
    move(32 * MiB, 100)
    jest.advanceTimersByTime(BULK_IDLE_MS + CALM_MS)
    expect(asked).toEqual([LEARN, 128, TRIM, TRIM])
  })

  test.each([
    ['small pieces', 160 * MiB, 100, { piece: 16 * 1024 - 1 }],
    ['as much in a longer time', 160 * MiB, 10_100, {}],
    ['a limit of 0', 160 * MiB, 100, { kept: 0 }],
  ])('not for %s', (_, bytes, tookMs, options) => {
    move(bytes, tookMs, options)
    jest.advanceTimersByTime(BULK_IDLE_MS + CALM_MS)
    expect(asked).toEqual([])
  })

  test('what is asked for is never written to: the system gives nothing for it', () => {
    memory = new BulkMemory()
    const before = process.memoryUsage().rss
    move(32 * MiB, 100)
    jest.advanceTimersByTime(BULK_IDLE_MS + CALM_MS)
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * MiB)
  })

  test('the real one: glibc keeps what was used, and gives it back', () => {
    const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
    if (header.glibcVersionRuntime === undefined)
      return console.warn('not tested: the C library is not glibc')
    const esbuild = path.join(path.dirname(require.resolve('esbuild/package.json')), 'bin/esbuild')
    const child = path.join(__dirname, '../../support/bulk-memory-child.ts')
    const code = execFileSync(esbuild, [
      child,
      '--bundle',
      '--format=esm',
      '--platform=node',
      '--log-level=error',
    ])
    const run = (keptBytes: number) =>
      JSON.parse(
        execFileSync(process.execPath, ['--input-type=module', '-', String(keptBytes)], {
          input: code,
          encoding: 'utf8',
        }),
      ) as [number, number, number]
    // glibc gives back what is at the end of its heap. In one process of some sixty a small piece in use is last there.
    const runs = [run(KEPT), run(KEPT), run(KEPT), run(KEPT)]
    for (const [before, after] of runs) expect(after - before).toBeGreaterThan(30)
    expect(Math.min(...runs.map(([before, , idle]) => idle - before))).toBeLessThan(10)
    const off = [run(0), run(0), run(0)].map(([alone, nothing]) => nothing - alone)
    expect(Math.min(...off)).toBeLessThan(10)
  })
})
