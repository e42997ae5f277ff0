import { FewMap } from '../../../src/dist/few-map.js'

describe('a map of few', () => {
  test.each([4, 8, 9, 30])('is as a Map is, with up to %d entries', (most) => {
    let seed = 11
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
    const few = new FewMap<number | bigint, string>()
    const map = new Map<number | bigint, string>()
    const keys = Array.from({ length: most }, (_, i) => (i % 3 === 0 ? BigInt(i) << 60n : i))
    for (let step = 0; step < 20_000; step++) {
      const key = keys[random(most)]
      // Runs of more of either, so that it is full at times, and empty at others.
      if (random(100) < (step % 400 < 200 ? 80 : 20)) {
        few.set(key, `${step}`)
        map.set(key, `${step}`)
      } else expect(few.delete(key)).toBe(map.delete(key))
      const asked = keys[random(most)]
      expect(few.get(asked)).toBe(map.get(asked))
      expect(few.has(asked)).toBe(map.has(asked))
      expect(few.size).toBe(map.size)
      if (step % 100 === 0) expect([...few.values()].sort()).toEqual([...map.values()].sort())
    }
    few.set(1, 'one')
    few.clear()
    expect(few.size).toBe(0)
    expect([...few.values()]).toEqual([])
    expect(few.has(1)).toBe(false)
  })

  test('may be changed while its values are read', () => {
    const few = new FewMap<number, number>()
    for (let i = 0; i < 8; i++) few.set(i, i)
    const read = []
    for (const value of few.values()) {
      read.push(value)
      few.delete(value)
    }
    expect(read).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(few.size).toBe(0)
  })
})
