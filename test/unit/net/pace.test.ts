import { Pace } from '../../../src/net/pace.js'

describe('the pace of long messages', () => {
  test('alone, they go on at once', () => {
    const pace = new Pace()
    for (let now = 0; now < 1; now += 0.1) expect(pace.allows(0, now)).toBe(true)
  })

  test('beside others they go on each millisecond, until no other came for ten', () => {
    const pace = new Pace()
    expect(pace.allows(1, 100)).toBe(true)
    expect(pace.allows(1, 100.5)).toBe(false)
    expect(pace.waitMs(100.5)).toBe(0.5)
    expect(pace.allows(1, 101)).toBe(true)
    expect(pace.allows(2, 101.1)).toBe(false)
    expect(pace.allows(2, 111)).toBe(true)
    expect(pace.allows(2, 111.05)).toBe(false)
    expect(pace.waitMs(113)).toBe(0)
    expect(pace.allows(2, 111.1)).toBe(true)
    expect(pace.allows(2, 111.2)).toBe(true)
  })
})
