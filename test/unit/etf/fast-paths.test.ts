/**
 * What the codec reads and writes in place, apart from the ordinary way: lists, tuples and maps of leaves, short and long,
 * at every place in the input. The naive decoder is the judge.
 */
import { atom, decode, encode, EtfError, ErlMap, float, isEqual, Pid, Reference, tuple, type Atom, type Encodable, type Term } from '../../../src/etf/node.js' // prettier-ignore
import { writeTerm } from '../../../src/etf/encode.js'
import { Reader } from '../../../src/etf/reader.js'
import { Writer } from '../../../src/etf/writer.js'
import { naiveDecode } from '../../support/naive-etf.js'
import { naiveKey } from '../../support/naive-key.js'

const INTEGERS = [0, 255, 256, -1, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 32 - 1, 2 ** 32, 2 ** 40 - 1, 2 ** 40, 2 ** 48, -(2 ** 48) + 1, 2 ** 53 - 1, -(2 ** 53) + 1] // prettier-ignore
const BIG = [53n, 56n, 63n, 64n, 65n, 128n, 2039n, 2040n, 2041n, 2048n].flatMap((bits) =>
  [(1n << bits) - 1n, 1n << bits, (1n << bits) + 1n].flatMap((value) => [value, -value]),
)

const NODE = atom('node@host')

const kinds: Record<string, (i: number) => Encodable> = {
  integers: (i) => INTEGERS[i % INTEGERS.length] as number,
  'big integers': (i) => BIG[i % BIG.length] as bigint,
  fractions: (i) => i + 0.5,
  'fractions and then a whole one': (i) => (i === 20 ? float(1) : i / 7 + 0.001),
  'fractions and then an atom': (i) => (i === 20 ? atom('end') : i / 7 + 0.001),
  'fractions and then an integer': (i) => (i === 20 ? 5 : i / 7 + 0.001),
  'whole floats': (i) => float(i),
  atoms: (i) => atom('a'.repeat(i % 36)),
  'other atoms': (i) => atom(`é${i % 5}日`),
  'short text': (i) => 'abcdefghijklmnopqrstuvwxyz'.repeat(3).slice(0, i % 70),
  'other text': (i) => (i % 3 === 0 ? 'plain' : `é${i}😀`.repeat(i % 9)),
  'text with zeros': (i) => (i % 4 === 0 ? `é\0${i}` : `日${i}`.repeat(i % 6)),
  'ASCII with zeros': (i) => (i % 4 === 0 ? `a\0${i}` : `b${i}`.repeat(i % 6)),
  'other text of all sizes': (i) => [...'😀é日a'.repeat(99)].slice(0, (7 * i) % 300).join(''),
  'long text': (i) => 'x'.repeat(1000 + 13 * i),
  bytes: (i) => new Uint8Array(i).fill(0x80 + i),
  pairs: (i) => tuple(atom('key'), i),
  'tuples in tuples': (i) => tuple(atom('key'), 70_000 * i, tuple(i, atom('x'.repeat(i))), atom('end')),
  triples: (i) => tuple(i, 'text', [i]),
  nothing: (i) => (i % 2 === 0 ? [] : tuple()),
  lists: (i) => [i, [i + 0.5, atom('x')], []],
  booleans: (i) => i % 2 === 0,
  pids: (i) => new Pid(atom(`node@host${'x'.repeat(i)}`), i, 2 ** 32 - 1 - i, i % 4),
  references: (i) => new Reference(NODE, i, [2 ** 32 - 1, i, 3, 4, 5].slice(0, 1 + (i % 5))),
  maps: (i) => ErlMap.from<Encodable, Encodable>([['id', i], [atom('id'), 'é'], [i, 1.5]]), // prettier-ignore
}

describe.each(Object.entries(kinds))('%s', (_name, make) => {
  const terms = [0, 1, 2, 3, 5, 21, 22, 60].flatMap((length) => {
    const items = Array.from({ length }, (_, i) => make(i))
    const entries = items.map((item, i): [Encodable, Encodable] => [
      `key ${String(i).padStart(3, '0')}`,
      item,
    ])
    return [
      items,
      tuple(...items),
      ErlMap.from(entries),
      ErlMap.from([...entries].reverse()),
      tuple(items, 1),
    ]
  })

  test('are what the naive decoder reads, and come back', () => {
    for (const term of terms) {
      const bytes = encode(term)
      const read = decode(bytes)
      expect(naiveKey(read)).toBe(naiveKey(naiveDecode(bytes) as Term))
      expect(isEqual(read, term)).toBe(true)
      expect(Buffer.compare(encode(read), bytes)).toBe(0)
      const text = decode(bytes, { binaries: 'text' })
      expect(isEqual(text, term)).toBe(true)
      expect(Buffer.compare(encode(text), bytes)).toBe(0)
    }
  })

  test('are read from anywhere in a larger buffer, and one more time', () => {
    for (const term of terms) {
      const bytes = encode(term)
      for (const before of [1, 2, 3, 300]) {
        const larger = new Uint8Array(before + bytes.length + 5).fill(255)
        larger.set(bytes, before)
        const part = larger.subarray(before, before + bytes.length)
        for (let time = 0; time < 3; time++) {
          expect(isEqual(decode(part), term)).toBe(true)
          expect(isEqual(decode(part, { binaries: 'text' }), term)).toBe(true)
        }
      }
    }
  })

  test('cut short anywhere are one error', () => {
    const bytes = encode(terms[31] as Encodable)
    for (let length = 1; length < bytes.length; length += bytes.length > 5000 ? 37 : 1) {
      for (const binaries of ['bytes', 'text'] as const) {
        let caught: unknown
        try {
          decode(bytes.subarray(0, length), { binaries } as { binaries: 'text' })
        } catch (error) {
          caught = error
        }
        expect(caught).toBeInstanceOf(EtfError)
        expect(caught).toMatchObject({ code: 'ETF_TRUNCATED' })
      }
    }
  })
})

describe('with the atoms of a header', () => {
  const leaves = (i: number): Encodable[] => [
    atom('first'),
    new Pid(NODE, i, 2, 3),
    i % 2 === 0,
    new Reference(NODE, 9, [1, i, 2 ** 32 - 1]),
    tuple(
      atom('second'),
      i,
      atom('third'),
      70_000,
      atom('first'),
      new Pid(atom('other@host'), 1, i, 0),
      NODE,
    ),
    [atom('third'), [], new Reference(atom('other@host'), 1, [i])],
    i,
  ]
  /** With a header that has no more than `most` atoms; the others are written in full. */
  const written = (term: Encodable, most: number): { bytes: Uint8Array; atoms: (Atom | boolean)[] } => {
    const atoms: (Atom | boolean)[] = []
    const index = (name: Atom | boolean): number => {
      if (!atoms.includes(name) && atoms.length < most) atoms.push(name)
      return atoms.indexOf(name)
    }
    const writer = new Writer()
    writeTerm(writer, term, { atoms: { index } })
    return { bytes: writer.copy(), atoms }
  }
  const terms = [0, 1, 6, 7, 30].map((count) => Array.from({ length: count }, (_, i) => leaves(i)).flat())

  test.each([0, 1, 3, 255])('%i of them', (most) => {
    for (const term of terms) {
      const { bytes, atoms } = written(term, most)
      for (let time = 0; time < 3; time++) {
        const reader = new Reader(bytes, 0, bytes.length, { atoms })
        expect(isEqual(reader.readTerm(), term)).toBe(true)
        expect(reader.position).toBe(bytes.length)
      }
    }
  })

  test('that has not all of them', () => {
    const { bytes, atoms } = written(terms[3], 255)
    for (let count = 0; count < atoms.length; count++) {
      const reader = new Reader(bytes, 0, bytes.length, { atoms: atoms.slice(0, count) })
      expect(() => reader.readTerm()).toThrow(expect.objectContaining({ code: 'ETF_ATOM_CACHE' }))
    }
    expect(() => new Reader(bytes).readTerm()).toThrow(expect.objectContaining({ code: 'ETF_ATOM_CACHE' }))
  })

  test('of which one is no name for a node', () => {
    const { bytes, atoms } = written(terms[3], 255)
    const wrong = atoms.map((name) => (name === NODE ? true : name))
    expect(() => new Reader(bytes, 0, bytes.length, { atoms: wrong }).readTerm()).toThrow(
      expect.objectContaining({ code: 'ETF_BAD_TERM', tag: 88 }),
    )
  })

  test('cut short anywhere', () => {
    const { bytes, atoms } = written(terms[3], 255)
    for (let length = 0; length < bytes.length; length++) {
      expect(() => new Reader(bytes, 0, length, { atoms }).readTerm()).toThrow(
        expect.objectContaining({ code: 'ETF_TRUNCATED' }),
      )
    }
  })
})

test('floats that are none are refused at the end of a list of fractions too', () => {
  for (const bad of [NaN, Infinity, -Infinity]) {
    const bytes = Uint8Array.from(encode(Array.from({ length: 50 }, (_, i) => i + 0.5)))
    // The last nine bytes before the tail are a float.
    new DataView(bytes.buffer, bytes.byteOffset).setFloat64(bytes.length - 9, bad)
    expect(() => decode(bytes)).toThrow(expect.objectContaining({ code: 'ETF_BAD_FLOAT', offset: bytes.length - 10 })) // prettier-ignore
    expect(() => encode([0.5, bad])).toThrow(expect.objectContaining({ code: 'ETF_NOT_FINITE', path: '[1]' }))
  }
})

test('a binary key twice is refused, whatever its neighbours', () => {
  const entry = (key: string): number[] => [109, 0, 0, 0, key.length, ...Buffer.from(key), 97, 1]
  const map = (...keys: string[]): Uint8Array =>
    Uint8Array.from([131, 116, 0, 0, 0, keys.length, ...keys.flatMap(entry)])
  for (const filler of [0, 30]) {
    const more = Array.from({ length: filler }, (_, i) => `z${String(i).padStart(2, '0')}`)
    for (const binaries of ['bytes', 'text'] as const) {
      const options = { binaries } as { binaries: 'text' }
      expect((decode(map('a', 'ab', 'b', ...more), options) as ErlMap).size).toBe(3 + filler)
      expect((decode(map('b', 'ab', 'a', ...more), options) as ErlMap).size).toBe(3 + filler)
      for (const keys of [
        ['a', 'a'],
        ['a', 'b', 'a'],
        ['b', 'a', 'b'],
        ['a', 'b', 'b'],
        ['', ''],
      ]) {
        expect(() => decode(map(...keys, ...more), options)).toThrow(
          expect.objectContaining({ code: 'ETF_DUPLICATE_KEY', offset: 1, tag: 116 }),
        )
      }
    }
  }
})

test('text that is kept as the key of a map is the same for the atom and the binary of that name', () => {
  for (const name of ['a', 'name', 'naïve', 'x'.repeat(32), 'x'.repeat(33)]) {
    const term = ErlMap.from<Encodable, Encodable>([[atom(name), 1], [name, 2]]) // prettier-ignore
    for (let time = 0; time < 3; time++) {
      const read = decode(encode(term), { binaries: 'text' }) as ErlMap<Encodable, Encodable>
      expect(read.flat).toEqual([atom(name), 1, name, 2])
    }
  }
})

test('a name that is no UTF-8 is no atom, and is bytes as a key', () => {
  const map = Uint8Array.from([131, 116, 0, 0, 0, 1, 109, 0, 0, 0, 2, 0xc3, 0x28, 97, 1, 0, 0, 0, 0, 0, 0]).subarray(0, 15) // prettier-ignore
  for (let time = 0; time < 3; time++) {
    expect((decode(map, { binaries: 'text' }) as ErlMap).flat[0]).toEqual(new Uint8Array([0xc3, 0x28]))
    expect(() => decode(Uint8Array.from([131, 119, 2, 0xc3, 0x28]))).toThrow(expect.objectContaining({ code: 'ETF_BAD_ATOM' })) // prettier-ignore
  }
})
