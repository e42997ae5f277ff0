/**
 * Keys of maps that a peer chose so that looking for one that comes twice takes long. What these decode took hours, or
 * minutes, when it was looked for in quadratic time: the test's own timeout tells.
 */
import {
  atom,
  decode,
  encode,
  ErlFloat,
  ErlMap,
  isEqual,
  keyOf,
  Tuple,
  type Term,
} from '../../../src/etf/node.js'
import { KeyHashes } from '../../../src/etf/key-hash.js'

const mapOf = (size: number): number[] => [116, 0, 0, size >> 8, size & 255]

/** `depth` times what opens and what closes, around a leaf. */
function nested(open: number[], close: number[], depth: number, leaf = [106]): Buffer {
  return Buffer.concat([
    ...Array<Buffer>(depth).fill(Buffer.from(open)),
    Buffer.from(leaf),
    ...Array<Buffer>(depth).fill(Buffer.from(close)),
  ])
}

function standalone(...parts: (Buffer | number[])[]): Buffer {
  return Buffer.concat([Buffer.from([131]), ...parts.map((part) => Buffer.from(part))])
}

const DEPTH = 5_000
const oneToNil = [97, 1, 106]
const chains: [string, number[], number[]][] = [
  ['a map and an integer', mapOf(2), [106, ...oneToNil]],
  ['a map and an empty one', mapOf(2), [106, ...mapOf(0), 106]],
  ['an empty map and one', [...mapOf(2), ...mapOf(0), 106], [106]],
  ['a map and another of its size', mapOf(2), [106, ...mapOf(2), 97, 9, 106, ...oneToNil, 106]],
  ['a map in a tuple, and a tuple', [...mapOf(2), 104, 1], [106, 104, 1, ...oneToNil]],
  ['a map in a list, and a list', [...mapOf(2), 108, 0, 0, 0, 1], [106, 106, 107, 0, 1, 9, 106]],
  [
    'a map and 17 integers',
    mapOf(18),
    [106, ...Array.from({ length: 17 }, (_, i) => [97, 40 - i, 106]).flat()],
  ],
]

describe('maps that are keys of maps', () => {
  test.each(chains)('%s', (_, open, close) => {
    const bytes = standalone(nested(open, close, DEPTH))
    const one = decode(bytes) as ErlMap
    const other = decode(bytes) as ErlMap
    expect(isEqual(one, other)).toBe(true)
    expect(keyOf(one) === keyOf(other)).toBe(true)
    expect(other.get([...one.keys()][0] as Term)).toEqual([])
  })

  test('two that differ at the bottom alone, and two that do not', () => {
    const [, open, close] = chains[0] as (typeof chains)[0]
    const chain = (leaf: number): Buffer => nested(open, close, DEPTH, [97, leaf])
    const pair = (a: number, b: number): Buffer => standalone(mapOf(2), chain(a), [106], chain(b), [106])
    const map = decode(pair(9, 8)) as ErlMap
    expect(map.size).toBe(2)
    expect(isEqual(map, decode(pair(8, 9)))).toBe(true)
    expect(isEqual(map, decode(pair(9, 7)))).toBe(false)
    expect(() => decode(pair(9, 9))).toThrow(expect.objectContaining({ code: 'ETF_DUPLICATE_KEY' }))
  })
})

describe('numbers that V8 gives the same hash', () => {
  const COUNT = 150_000
  const SMALL = 20_000

  function mapWith(keys: Iterable<Buffer>): Buffer {
    const parts: Buffer[] = []
    for (const key of keys) parts.push(key, Buffer.from([106]))
    const head = Buffer.from([116, 0, 0, 0, 0])
    head.writeUInt32BE(parts.length / 2, 1)
    return Buffer.concat([Buffer.from([131]), head, ...parts])
  }

  test('integers beyond 2^53, by their lowest 64 bits', () => {
    const keys = Array.from({ length: COUNT }, (_, i) => {
      const key = Buffer.from([110, 12, 0, 7, 7, 7, 7, 7, 7, 7, 7, 0, 0, 0, 0])
      key.writeUInt32LE(COUNT - i, 11)
      return key
    })
    const map = decode(mapWith(keys)) as ErlMap
    expect(map.size).toBe(COUNT)
    expect(map.get((5n << 64n) + 0x0707070707070707n)).toEqual([])
    expect(map.get((5n << 64n) + 1n)).toBeUndefined()
    expect(() => decode(mapWith([...keys, keys[9] as Buffer]))).toThrow('has a key twice')
  })

  test('fractions, by their bits', () => {
    const keys = fractionsOfOneHash(COUNT).map((value) => {
      const key = Buffer.alloc(9, 70)
      key.writeDoubleBE(value, 1)
      return key
    })
    const map = decode(mapWith(keys)) as ErlMap
    expect(map.size).toBe(COUNT)
    expect(map.get((keys[5] as Buffer).readDoubleBE(1))).toEqual([])
    expect(map.get(0.5)).toBeUndefined()
    expect(() => decode(mapWith([...keys, keys[9] as Buffer]))).toThrow('has a key twice')
  })

  test('small integers', () => {
    const chosen: number[] = []
    for (let i = 0x7fffffff; chosen.length < SMALL; i--) if ((hashOfSmall(i) & 0x3ff) === 77) chosen.push(i)
    const keys = chosen.map((value) => {
      const key = Buffer.alloc(5, 98)
      key.writeInt32BE(value, 1)
      return key
    })
    const map = decode(mapWith(keys)) as ErlMap
    expect(map.size).toBe(SMALL)
    expect(map.get(chosen[5] as number)).toEqual([])
    expect(map.get(1)).toBeUndefined()
    expect(() => decode(mapWith([...keys, keys[9] as Buffer]))).toThrow('has a key twice')
  })
})

test('the hashes of terms that are equal are, and of others are not', () => {
  const hash = (term: unknown): number => new KeyHashes().of(term)
  const bytes = new TextEncoder().encode('née')
  const same: [unknown, unknown][] = [
    [5, 5n],
    [-0, 0],
    [1.5, new ErlFloat(1.5)],
    ['née', bytes],
    [new ErlMap([1, 2, 'née', [4]]), new ErlMap([bytes, [4], 1n, 2])],
    [[new ErlMap([1, 2, 3, 4])], [new ErlMap([3, 4, 1, 2])]],
  ]
  for (const [a, b] of same) {
    expect([a, hash(a)]).toEqual([a, hash(b)])
    expect([a, keyOf(a as Term)]).toEqual([a, keyOf(b as Term)])
  }
  const different = [
    ...[0, 1, -1, 255, 2147483647, 2147483648, -2147483648, 2 ** 40, 2n ** 64n, -(2n ** 64n), 2n ** 64n + 1n],
    ...[1.5, -1.5, new ErlFloat(1), new ErlFloat(0), new ErlFloat(-0), true, false, atom('a'), atom('b')],
    ...['', 'a', 'ab', '\0', '\0\0', '\0\0\0', '\0\0\0\0', [], [0], [0, 0], [[]], [[], []], [[0], 0], [0, [0]]],
    ...[new Tuple([]), new Tuple([0]), new Tuple([[], 0]), new ErlMap([]), new ErlMap([0, 1]), new ErlMap([1, 0])],
    ...[new ErlMap([0, 1, 2, 3]), new ErlMap([0, 3, 2, 1]), new ErlMap([new ErlMap([]), 1]), [2147483647], [2 ** 30]],
    ...[[[1, 2], [3, 4]], [[1, 3], [2, 4]], [[1, 2, 3], 4], [1, 2, 3, 4]],
  ] // prettier-ignore
  expect(new Set(different.map(hash)).size).toBe(different.length)
  expect(new Set(different.map((term) => keyOf(term as Term))).size).toBe(different.length)
})

test('small integers have keys of their own', () => {
  const integers = Array.from({ length: 100_000 }, (_, i) => i - 50_000)
  expect(new Set(integers.map((integer) => keyOf(integer))).size).toBe(integers.length)
})

test('more compound keys than are looked at one by one', () => {
  const keys = Array.from({ length: 50 }, (_, i) => new Tuple([i % 7, new ErlMap<Term>([i, [i]])]))
  const map = ErlMap.from(keys.map((key, i) => [key, i]))
  const again = decode(encode(map)) as ErlMap
  expect(keys.map((key) => again.get(key))).toEqual(keys.map((_, i) => i))
  expect(again.get(new Tuple([7, new ErlMap<Term>([50, [50]])]))).toBeUndefined()
  expect(isEqual(map, again)).toBe(true)
})

/** V8's ComputeUnseededHash. */
function hashOfSmall(integer: number): number {
  let k = (~integer + (integer << 15)) | 0
  k ^= k >>> 12
  k = (k + (k << 2)) | 0
  k ^= k >>> 4
  k = Math.imul(k, 2057)
  return (k ^ (k >>> 16)) & 0x3fffffff
}

/** V8's ComputeLongHash of a double's bits, backwards. */
function fractionsOfOneHash(count: number): number[] {
  const mask = (1n << 64n) - 1n
  const inverse = (a: bigint): bigint => {
    let x = a
    for (let i = 0; i < 6; i++) x = (x * (2n - a * x)) & mask
    return x & mask
  }
  const unshift = (hash: bigint, by: bigint): bigint => {
    let x = hash
    for (let i = 0n; i < 64n / by + 1n; i++) x = hash ^ (x >> by)
    return x & mask
  }
  const [by21, by65, by18] = [inverse(21n), inverse(65n), inverse((1n << 18n) - 1n)] as const
  const view = new DataView(new ArrayBuffer(8))
  const found: number[] = []
  for (let i = 0n; found.length < count; i++) {
    let hash = unshift((i << 30n) | 12345n, 22n)
    hash = unshift((hash * by65) & mask, 11n)
    hash = unshift((hash * by21) & mask, 31n)
    view.setBigUint64(0, ((hash + 1n) * by18) & mask)
    const value = view.getFloat64(0)
    if (Number.isFinite(value) && !Number.isInteger(value)) found.push(value)
  }
  return found.sort((a, b) => b - a)
}
