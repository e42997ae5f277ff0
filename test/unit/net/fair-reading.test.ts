import { DEFAULT_LIMITS } from '../../../src/limits.js'
import { FairReading } from '../../../src/net/fair-reading.js'

const MAX = DEFAULT_LIMITS.maxReadTurnBytes
const LITTLE = 100
const READ = 64 * 1024

/** Three connections of one process. */
function three() {
  const reading = new FairReading()
  return { a: reading.connection(), b: reading.connection(), c: reading.connection() }
}

describe('fair reading', () => {
  test('a connection that is alone is read as fast as it comes', () => {
    const { a } = three()
    for (let now = 0; now < 100; now++) {
      expect(a.received(32 * MAX, MAX, now)).toBe(false)
      expect(a.received(LITTLE, MAX, now)).toBe(false)
    }
  })

  test('beside one that sends little, up to a quarter of the bound in a turn', () => {
    const { a, b, c } = three()
    b.received(LITTLE, MAX, 1000)
    expect(a.received(MAX / 4 - 4096, MAX, 1001)).toBe(false)
    expect(a.received(4095, MAX, 1001)).toBe(false)
    expect(a.received(4096, MAX, 1001)).toBe(true)
    expect(b.received(LITTLE, MAX, 1002)).toBe(false)
    // Of another connection nothing counts, and of another turn.
    expect(c.received(MAX / 4 - 1, MAX, 1003)).toBe(false)
    a.turnEnded()
    expect(a.received(MAX / 4 - 1, MAX, 1004)).toBe(false)
    expect(a.received(4096, MAX, 1004)).toBe(true)
  })

  test('beside one that sends much, up to the bound; the last bytes of a message do not count as little', () => {
    const { a, b } = three()
    b.received(READ, MAX, 1000)
    b.received(LITTLE, MAX, 1000)
    expect(a.received(MAX - 4096, MAX, 1001)).toBe(false)
    expect(a.received(4096, MAX, 1001)).toBe(true)
    // After a while they do.
    b.received(LITTLE, MAX, 1020)
    a.turnEnded()
    expect(a.received(MAX / 4, MAX, 1021)).toBe(true)
  })

  test('until the other one has been silent for 20 ms', () => {
    const { a, b } = three()
    b.received(LITTLE, MAX, 1000)
    expect(a.received(MAX, MAX, 1019)).toBe(true)
    expect(a.received(MAX, MAX, 1020)).toBe(false)
    // Who was read before is the other one again.
    expect(b.received(MAX, MAX, 1021)).toBe(true)
  })

  test('only what counts is in a turn', () => {
    const { a } = three()
    a.received(4095, MAX, 1000)
    expect(a.inTurn).toBe(false)
    a.received(4096, MAX, 1000)
    expect(a.inTurn).toBe(true)
    a.turnEnded()
    expect(a.inTurn).toBe(false)
  })

  test('with a bound of 0 each read is a turn; without one, none', () => {
    const { a, b } = three()
    b.received(LITTLE, 0, 1000)
    expect(a.received(4095, 0, 1000)).toBe(false)
    expect(a.received(4096, 0, 1000)).toBe(true)
    expect(a.received(32 * MAX, Infinity, 1000)).toBe(false)
  })
})
