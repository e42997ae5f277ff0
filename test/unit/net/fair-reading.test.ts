import { DEFAULT_LIMITS } from '../../../src/limits.js'
import { FairReading } from '../../../src/net/fair-reading.js'

const MAX = DEFAULT_LIMITS.maxReadTurnBytes
const ids = new FairReading()
const [A, B, C] = [ids.nextId(), ids.nextId(), ids.nextId()]

describe('fair reading', () => {
  test('a connection that is alone is read as fast as it comes', () => {
    const reading = new FairReading()
    for (let now = 0; now < 100; now++) expect(reading.received(A, 32 * MAX, MAX, now)).toBe(false)
  })

  test('beside another one, up to a bound in a turn', () => {
    const reading = new FairReading()
    reading.received(B, 10, MAX, 1000)
    expect(reading.received(A, MAX - 1, MAX, 1001)).toBe(false)
    expect(reading.received(A, MAX, MAX, 1002)).toBe(true)
    expect(reading.received(B, 10, MAX, 1003)).toBe(false)
    expect(reading.received(C, MAX, MAX, 1004)).toBe(true)
  })

  test('until the other one has been silent for 20 ms', () => {
    const reading = new FairReading()
    reading.received(B, 10, MAX, 1000)
    expect(reading.received(A, MAX, MAX, 1019)).toBe(true)
    expect(reading.received(A, MAX, MAX, 1020)).toBe(false)
    // Who was read before is the other one again.
    expect(reading.received(B, MAX, MAX, 1021)).toBe(true)
  })

  test('without a bound, whatever others send', () => {
    const reading = new FairReading()
    reading.received(B, 10, Infinity, 1000)
    expect(reading.received(A, 32 * MAX, Infinity, 1001)).toBe(false)
  })
})
