/** Containers of more elements than room is made for at once: that many are 33 million, so here it is less. */
import { atom, decode, encode, ErlMap, isEqual, tuple, type Encodable } from '../../../src/etf/node.js'
import { naiveDecode } from '../../support/naive-etf.js'
import { naiveKey } from '../../support/naive-key.js'

jest.mock('../../../src/etf/room.js', () => ({
  ...jest.requireActual<object>('../../../src/etf/room.js'),
  MAX_PREALLOCATED: 1000,
}))

// Portions are of 32,768.
const SIZES = [999, 1000, 1001, 32_767, 32_768, 32_769, 65_537]

const kinds: Record<string, (i: number) => Encodable> = {
  integers: (i) => i,
  fractions: (i) => i + 0.5,
  anything: (i) => [atom('a'), i, `text ${i}`, tuple(i, 'x')][i % 4] as Encodable,
}

describe.each(Object.entries(kinds))('%s', (_name, make) => {
  test.each(SIZES)('%i of them', (size) => {
    const items = Array.from({ length: size }, (_, i) => make(i))
    const entries = items.map((item, i): [Encodable, Encodable] => [i, item])
    const term = [items, tuple(...items), ErlMap.from(entries), [items, [items, 1]]]
    const bytes = encode(term)
    const read = decode(bytes)
    expect(isEqual(read, term)).toBe(true)
    if (size < 2000) expect(naiveKey(read)).toBe(naiveKey(naiveDecode(bytes)))
    expect(isEqual(decode(bytes, { binaries: 'text' }), term)).toBe(true)
    for (const end of [bytes.length - 1, bytes.length >> 1]) {
      expect(() => decode(bytes.subarray(0, end))).toThrow(expect.objectContaining({ code: 'ETF_TRUNCATED' }))
    }
  })
})
