/** Properties of the codec over generated terms, and its standing shapes: offset subarray, every prefix, naive twin. */
import fc from 'fast-check'
import {
  compare,
  compareKeys,
  decode,
  encode,
  ErlMap,
  isEqual,
  keyOf,
  tuple,
  type Term,
} from '../../src/etf/node.js'
import { hasDuplicateKeys } from '../../src/etf/duplicates.js'
import { Reader } from '../../src/etf/decode.js'
import { writeTerm } from '../../src/etf/encode.js'
import { bindPlatform, platform, PORTABLE } from '../../src/etf/platform.js'
import { Writer } from '../../src/etf/writer.js'
import { naiveDecode } from '../support/naive-etf.js'
import { naiveKey } from '../support/naive-key.js'
import { deepTerms, terms } from '../support/term-arbitrary.js'

const everything = deepTerms({ funs: true, records: true })
const anything = terms({ funs: true, records: true })

function check<T>(arbitrary: fc.Arbitrary<T>, property: (value: T) => void, numRuns = 1000): void {
  fc.assert(fc.property(arbitrary, property), { seed: 42, numRuns })
}

test('what is encoded decodes to the same term, here and in the naive decoder', () => {
  check(everything, (term) => {
    const bytes = encode(term)
    const back = decode(bytes)
    expect(isEqual(back, term)).toBe(true)
    expect(naiveKey(back)).toBe(naiveKey(term))
    expect(naiveKey(naiveDecode(bytes))).toBe(naiveKey(term))
    expect(Buffer.compare(encode(back), bytes)).toBe(0)
  })
})

test('a term in the middle of a larger buffer is read as on its own', () => {
  check(fc.tuple(everything, fc.integer({ min: 1, max: 9 })), ([term, before]) => {
    const bytes = encode(term)
    const larger = new Uint8Array(before + bytes.length + 5).fill(97)
    larger.set(bytes, before)
    expect(isEqual(decode(larger.subarray(before, before + bytes.length)), term)).toBe(true)
    const reader = new Reader(larger, before + 1, before + bytes.length)
    expect(isEqual(reader.readTerm(), term)).toBe(true)
    expect(reader.position).toBe(before + bytes.length)
    const offset = new Reader(larger.subarray(before), 1, bytes.length)
    expect(isEqual(offset.readTerm(), term)).toBe(true)
  })
})

test('every prefix of a term is an EtfError', () => {
  check(
    everything,
    (term) => {
      const bytes = encode(term)
      for (let length = 0; length < bytes.length; length++) {
        expect(() => decode(bytes.slice(0, length))).toThrow(
          expect.objectContaining({ code: expect.stringMatching(/^ETF_(TRUNCATED|BAD_VERSION)$/) }),
        )
        // And with more bytes behind the end, which are not to be read.
        expect(() => decode(bytes.subarray(0, length))).toThrow(/^the input/)
      }
    },
    60,
  )
})

test('terms written one after another are read one after another', () => {
  check(fc.array(anything, { maxLength: 5 }), (several) => {
    const writer = new Writer(1)
    for (const term of several) writeTerm(writer, term)
    const reader = new Reader(writer.bytes, 0, writer.position)
    for (const term of several) expect(isEqual(reader.readTerm(), term)).toBe(true)
    expect(reader.position).toBe(writer.position)
  })
})

test('with binaries as text, only valid UTF-8 becomes text, and encodes as it was', () => {
  check(everything, (term) => {
    const bytes = encode(term, { deterministic: true })
    const text = decode(bytes, { binaries: 'text' })
    expect(isEqual(text, term)).toBe(true)
    expect(Buffer.compare(encode(text, { deterministic: true }), bytes)).toBe(0)
  })
})

test('isEqual, keyOf and the naive key agree', () => {
  check(fc.tuple(anything, anything, fc.boolean()), ([a, other, same]) => {
    const b = same ? decode(encode(a)) : other
    const equal = naiveKey(a) === naiveKey(b)
    expect(isEqual(a, b)).toBe(equal)
    expect(keyOf(a) === keyOf(b)).toBe(equal)
    expect(compareKeys(a, b) === 0).toBe(equal)
  })
})

test('the order is total', () => {
  check(fc.tuple(anything, anything, anything), ([a, b, c]) => {
    for (const by of [compare, compareKeys]) {
      expect(by(a, a)).toBe(0)
      expect(Math.sign(by(a, b)) + Math.sign(by(b, a))).toBe(0)
      const [x, y, z] = [a, b, c].sort(by) as [Term, Term, Term]
      expect(by(x, y)).toBeLessThanOrEqual(0)
      expect(by(y, z)).toBeLessThanOrEqual(0)
      expect(by(x, z)).toBeLessThanOrEqual(0)
    }
    if (compareKeys(a, b) === 0) expect(compare(a, b)).toBe(0)
  })
})

const keyLists = fc.array(anything, { maxLength: 40 })

test('duplicate keys are found, whatever their kind and order', () => {
  check(fc.tuple(keyLists, fc.integer({ min: 0, max: 39 }), fc.boolean()), ([keys, again, repeat]) => {
    const all =
      repeat && keys.length > 0 ? [...keys, decode(encode(keys[again % keys.length] as Term))] : keys
    const distinct = new Set(all.map(naiveKey)).size === all.length
    expect(hasDuplicateKeys(all.flatMap((key) => [key, 1]))).toBe(!distinct)
    const entries = all.map((key) => [key, 1] as const)
    if (distinct) expect(ErlMap.from(entries).size).toBe(all.length)
    else expect(() => ErlMap.from(entries)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
  })
})

test('a map gives the value of each of its keys and of no other', () => {
  check(fc.tuple(keyLists, anything), ([keys, other]) => {
    const distinct = [...new Map(keys.map((key) => [naiveKey(key), key])).values()]
    const map = decode(encode(ErlMap.from(distinct.map((key, i) => [key, i] as const)))) as ErlMap
    for (const [i, key] of distinct.entries()) expect(map.get(key)).toBe(i)
    expect(map.has(tuple(other))).toBe(distinct.some((key) => naiveKey(key) === naiveKey(tuple(other))))
    expect([...map.keys()].map(naiveKey)).toEqual(distinct.map(naiveKey))
  })
})

test('deterministic encoding does not depend on the order of entries', () => {
  check(fc.tuple(fc.array(fc.tuple(anything, anything), { maxLength: 8 }), fc.nat()), ([entries, turn]) => {
    const distinct = [...new Map(entries.map((entry) => [naiveKey(entry[0]), entry])).values()]
    const at = distinct.length === 0 ? 0 : turn % distinct.length
    const turned = [...distinct.slice(at), ...distinct.slice(0, at)]
    const bytes = [distinct, turned].map((list) => encode([ErlMap.from(list)], { deterministic: true }))
    expect(Buffer.compare(bytes[0] as Uint8Array, bytes[1] as Uint8Array)).toBe(0)
  })
})

test('the portable platform gives the same terms and bytes', () => {
  const node = { ...platform }
  check(everything, (term) => {
    const bytes = encode(term)
    const packed = encode(term, { compressed: true })
    const text = decode(bytes, { binaries: 'text' })
    try {
      bindPlatform(PORTABLE)
      expect(Buffer.compare(encode(term), bytes)).toBe(0)
      expect(isEqual(decode(bytes), term)).toBe(true)
      expect(isEqual(decode(packed), term)).toBe(true)
      expect(isEqual(decode(bytes, { binaries: 'text' }), text)).toBe(true)
      const own = encode(term, { compressed: true })
      bindPlatform(node)
      expect(isEqual(decode(own), term)).toBe(true)
    } finally {
      bindPlatform(node)
    }
  })
})
