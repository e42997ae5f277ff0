import { FAIR_BYTES, FairReading } from '../../../src/net/fair-reading.js'

const A = { name: 'a' }
const B = { name: 'b' }
const C = { name: 'c' }

describe('fair reading', () => {
  test('a connection that is alone is read as fast as it comes', () => {
    const reading = new FairReading()
    for (let now = 0; now < 100; now++) expect(reading.received(A, 32 * FAIR_BYTES, now)).toBe(false)
  })

  test('beside another one, up to a bound in a turn', () => {
    const reading = new FairReading()
    reading.received(B, 10, 1000)
    expect(reading.received(A, FAIR_BYTES - 1, 1001)).toBe(false)
    expect(reading.received(A, FAIR_BYTES, 1002)).toBe(true)
    expect(reading.received(B, 10, 1003)).toBe(false)
    expect(reading.received(C, FAIR_BYTES, 1004)).toBe(true)
  })

  test('until the other one has been silent for 20 ms', () => {
    const reading = new FairReading()
    reading.received(B, 10, 1000)
    expect(reading.received(A, FAIR_BYTES, 1019)).toBe(true)
    expect(reading.received(A, FAIR_BYTES, 1020)).toBe(false)
    // Who was read before is the other one again.
    expect(reading.received(B, FAIR_BYTES, 1021)).toBe(true)
  })
})
