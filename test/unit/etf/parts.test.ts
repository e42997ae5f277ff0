/** The parts below the codec: UTF-8, zlib, atoms, maps, order. */
import { deflateSync, inflateSync } from 'node:zlib'
import fc from 'fast-check'
import {
  atom,
  Atom,
  atomName,
  BitString,
  charlist,
  compare,
  encode,
  ErlFloat,
  ErlMap,
  float,
  ImproperList,
  isEqual,
  keyOf,
  tuple,
  type Term,
} from '../../../src/etf/node.js'
import { existingAtom } from '../../../src/etf/atom.js'
import { deflate, inflate } from '../../../src/etf/zlib.js'
import { platform, PORTABLE } from '../../../src/etf/platform.js'
import { readLatin1, readUtf8, utf8Bytes, utf8Length } from '../../../src/etf/utf8.js'

describe.each([
  ['portable', PORTABLE],
  ['node', platform],
] as const)('the %s platform', (_name, bound) => {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const expected = (bytes: Uint8Array): string | undefined => {
    try {
      return strict.decode(bytes)
    } catch {
      return undefined
    }
  }

  test('reads UTF-8 as TextDecoder does, and refuses what that refuses', () => {
    const lead = fc.constantFrom(
      0x41,
      0x7f,
      0x80,
      0xbf,
      0xc0,
      0xc1,
      0xc2,
      0xdf,
      0xe0,
      0xed,
      0xef,
      0xf0,
      0xf4,
      0xf5,
      0xff,
      0x9f,
      0xa0,
      0x8f,
      0x90,
    )
    const near = fc.array(lead, { maxLength: 6 }).map((list) => new Uint8Array(list))
    const text = fc
      .string({ unit: 'binary', maxLength: 300 })
      .map((value) => new Uint8Array(Buffer.from(value)))
    fc.assert(
      fc.property(fc.oneof(near, text, fc.uint8Array()), fc.integer({ min: 0, max: 3 }), (bytes, before) => {
        const larger = new Uint8Array([...new Array<number>(before).fill(0x80), ...bytes, 0x80, 0x80, 0x80])
        expect(bound.readUtf8(larger, before, before + bytes.length)).toBe(expected(bytes))
      }),
      { seed: 1, numRuns: 3000 },
    )
  })

  test('texts that are longer than one piece', () => {
    for (const unit of ['a', 'é', '日', '😀']) {
      for (const count of [127, 128, 1365, 4095, 4096, 4097, 10_000]) {
        const bytes = new Uint8Array(Buffer.from(unit.repeat(count)))
        expect(bound.readUtf8(bytes, 0, bytes.length)).toBe(unit.repeat(count))
        expect(bound.readUtf8(bytes, 0, bytes.length - 1)).toBe(
          unit === 'a' ? unit.repeat(count - 1) : undefined,
        )
      }
    }
    expect(bound.readUtf8(new Uint8Array(9000).fill(0x80), 0, 9000)).toBeUndefined()
    expect(bound.readLatin1(new Uint8Array(9000).fill(0xe9), 1, 9000)).toBe('é'.repeat(8999))
  })

  test('writes UTF-8 and refuses lone surrogates', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const target = new Uint8Array(3 * text.length + 2)
        const end = bound.writeUtf8(target, 1, text)
        expect(Buffer.from(target.subarray(1, end)).toString()).toBe(text)
      }),
      { seed: 2 },
    )
    for (const text of ['\ud800', 'a\udc00b', '\ud800\ud800', 'x'.repeat(99) + '\ud83d']) {
      expect(bound.writeUtf8(new Uint8Array(3 * text.length), 0, text)).toBe(-1)
    }
  })

  test('turns integers into bytes and back', () => {
    for (const bits of [0, 1, 7, 8, 63, 64, 65, 500, 4001, 100_000]) {
      const value = (1n << BigInt(bits)) - 1n
      const bytes = bound.integerBytes(value)
      expect(bound.readInteger(bytes, 0, bytes.length)).toBe(value)
      const padded = new Uint8Array([9, 9, ...bytes, 9])
      expect(bound.readInteger(padded, 2, 2 + bytes.length)).toBe(value)
    }
  })

  test('reads one integer after another, of any sizes', () => {
    // More than any buffer that one reading may share with the next.
    for (let i = 0; i < 3000; i++) {
      const bytes = new Uint8Array(1 + ((i * 37) % 300)).fill(255)
      expect(bound.readInteger(bytes, 0, bytes.length)).toBe((1n << BigInt(8 * bytes.length)) - 1n)
    }
  })

  test('knows ASCII', () => {
    for (const at of [0, 1, 63, 64, 299]) {
      const bytes = new Uint8Array(300).fill(127)
      expect(bound.isAscii(bytes, 0, 300)).toBe(true)
      bytes[at] = 128
      expect(bound.isAscii(bytes, 0, 300)).toBe(false)
      expect(bound.isAscii(bytes, at + 1, 300)).toBe(true)
      expect(bound.isAscii(bytes, 0, at)).toBe(true)
    }
  })

  test('makes binaries of its own and shared memory', () => {
    const source = new Uint8Array(300).map((_, i) => i)
    for (const length of [0, 1, 3, 4, 5, 63, 255, 256]) {
      for (const start of [0, 1, 300 - length]) {
        const small = bound.smallBinary(new DataView(source.buffer), start, length)
        const copy = bound.copyBinary(source, start, length)
        expect([...small]).toEqual([...source.subarray(start, start + length)])
        expect([...copy]).toEqual([...small])
        expect(small.buffer).not.toBe(source.buffer)
      }
    }
    // A copy is not written over by those after it.
    const first = bound.smallBinary(new DataView(source.buffer), 0, 5)
    bound.smallBinary(new DataView(source.buffer), 100, 5)
    expect([...first]).toEqual([0, 1, 2, 3, 4])
    expect(bound.viewBinary(source.buffer, 2, 3).buffer).toBe(source.buffer)
  })
})

describe('zlib in plain JavaScript', () => {
  const data = fc.oneof(
    fc.uint8Array({ maxLength: 2000 }),
    fc
      .array(fc.constantFrom('alpha', 'beta', 'x'), { maxLength: 2000 })
      .map((words) => new Uint8Array(Buffer.from(words.join(' ')))),
  )

  test('inflates what zlib deflates at every level, and zlib what this deflates', () => {
    fc.assert(
      fc.property(data, fc.integer({ min: 0, max: 9 }), (bytes, level) => {
        const packed = new Uint8Array(deflateSync(bytes, { level }))
        const larger = new Uint8Array([1, ...packed, 2, 3])
        expect(inflate(larger, 1, larger.length, bytes.length)).toEqual({ bytes, used: packed.length })
        expect(new Uint8Array(inflateSync(deflate(bytes, level)))).toEqual(bytes)
      }),
      { seed: 3, numRuns: 300 },
    )
  })

  test('large and repetitive', () => {
    const bytes = new Uint8Array(300_000).map((_, i) => (i % 40_000 < 20_000 ? i % 251 : 7))
    const packed = new Uint8Array(deflateSync(bytes))
    expect(inflate(packed, 0, packed.length, bytes.length)?.bytes).toEqual(bytes)
    expect(new Uint8Array(inflateSync(deflate(bytes, 6)))).toEqual(bytes)
    expect(deflate(bytes, 6).length).toBeLessThan(bytes.length / 20)
  })

  test('refuses every prefix, every other size and every changed byte that zlib refuses', () => {
    const bytes = new Uint8Array(Buffer.from('to be or not to be, that is the question, to be'))
    const packed = new Uint8Array(deflateSync(bytes))
    for (let end = 0; end < packed.length; end++)
      expect(inflate(packed, 0, end, bytes.length)).toBeUndefined()
    for (const size of [0, 1, bytes.length - 1, bytes.length + 1])
      expect(inflate(packed, 0, packed.length, size)).toBeUndefined()
    for (let at = 0; at < packed.length; at++) {
      for (const bit of [1, 16, 128]) {
        const changed = packed.slice()
        changed[at] = (changed[at] as number) ^ bit
        let theirs: Uint8Array | undefined
        try {
          theirs = new Uint8Array(inflateSync(changed))
        } catch {
          theirs = undefined
        }
        const ours = inflate(changed, 0, changed.length, bytes.length)?.bytes
        expect(ours).toEqual(theirs?.length === bytes.length ? theirs : undefined)
      }
    }
  })
})

test('UTF-8 lengths', () => {
  for (const text of ['', 'a', 'é', '日', '😀', 'a😀é']) {
    expect(utf8Length(text)).toBe(Buffer.byteLength(text))
    expect([...(utf8Bytes(text) ?? [])]).toEqual([...Buffer.from(text)])
    expect(readUtf8(new Uint8Array(Buffer.from(text)), 0, Buffer.byteLength(text))).toBe(text)
  }
  expect(utf8Bytes('\ud800')).toBeUndefined()
  expect(readLatin1(new Uint8Array([233]), 0, 1)).toBe('é')
})

describe('atoms', () => {
  test.each([5, null, undefined, {}, ['a'], atom('a'), Buffer.from('a')])(
    'have strings as names, not %p',
    (name) => {
      expect(() => atom(name as never)).toThrow(
        expect.objectContaining({
          code: 'BAD_ARGUMENT',
          message: expect.stringMatching(/is a string, not of type/) as string,
        }),
      )
    },
  )

  test('are interned; true and false are booleans', () => {
    expect(atom('x')).toBe(atom('x'))
    expect(atom('true')).toBe(true)
    expect(atom('false')).toBe(false)
    expect([atomName(atom('x')), atomName(true), atomName(1)]).toEqual(['x', 'true', undefined])
    expect(`${atom('x').toString()}${JSON.stringify(atom('x'))}`).toBe('x"x"')
    expect(existingAtom('never made')).toBeUndefined()
  })
  test('have at most 255 characters and no lone surrogate', () => {
    expect(atom('😀'.repeat(255))).toBeInstanceOf(Atom)
    for (const name of ['x'.repeat(256), '😀'.repeat(256), '\ud800', 'x'.repeat(10_000)]) {
      expect(() => atom(name)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
    }
  })
})

describe('maps', () => {
  const map = ErlMap.from<Term, Term>([
    [atom('name'), 1],
    [1, 2],
    [float(1), 3],
    [tuple(atom('a'), 'x' as never), 4],
    [new Uint8Array([110]), 5],
    [true, 6],
  ])

  test('find keys by value, text as atom or else as binary', () => {
    expect([
      map.get('name'),
      map.get(1),
      map.get(float(1)),
      map.get(tuple(atom('a'), new Uint8Array([120]))),
    ]).toEqual([1, 2, 3, 4])
    expect([map.get('n'), map.get('true'), map.get('none'), map.has('n'), map.has(2)]).toEqual([
      5,
      6,
      undefined,
      true,
      false,
    ])
    expect(map.size).toBe(6)
  })

  test('iterate in the order of their entries', () => {
    expect([...map.values()]).toEqual([1, 2, 3, 4, 5, 6])
    expect([...map].map(([, value]) => value)).toEqual([...map.values()])
    expect([...map.keys()][1]).toBe(1)
    const seen: unknown[] = []
    map.forEach((value) => seen.push(value))
    expect(seen).toEqual([1, 2, 3, 4, 5, 6])
  })

  test('are equal in any order', () => {
    const entries = [...map]
    expect(map.equals(ErlMap.from(entries.reverse()))).toBe(true)
    expect(map.equals(ErlMap.from(entries.slice(1)))).toBe(false)
    expect(map.equals(1)).toBe(false)
  })

  test('become objects, unless keys collide or have no name', () => {
    const plain = ErlMap.from<Term, Term>([[atom('a'), 1], [new Uint8Array([98]), 2], [false, 3]]).toObject() // prettier-ignore
    expect({ ...plain }).toEqual({ a: 1, b: 2, false: 3 })
    const bad: [Term, Term][][] = [[[1, 1]], [[new Uint8Array([255]), 1]], [[atom('a'), 1], [new Uint8Array([97]), 2]]] // prettier-ignore
    for (const entries of bad) {
      expect(() => ErlMap.from(entries).toObject()).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
    }
  })

  test.each([16, 17, 1000])('of %i entries', (size) => {
    const many = ErlMap.from(Array.from({ length: size }, (_, i) => [tuple(i, float(i)), i] as const))
    for (let i = 0; i < size; i++) expect(many.get(tuple(i, float(i)))).toBe(i)
    expect(many.has(tuple(1, 1) as never)).toBe(false)
  })
})

test.each([5, null, ['a'], new Uint8Array([97])])('%p makes no charlist', (text) => {
  expect(() => charlist(text as never)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
})

test('bits of a bitstring that do not count make no difference, and what it is made of stays as it is', () => {
  const given = new Uint8Array([1, 0b1011_1111])
  const one = new BitString(given, 3)
  const same = new BitString(new Uint8Array([1, 0b1010_0000]), 3)
  expect(isEqual(one, same)).toBe(true)
  expect(compare(one, same)).toBe(0)
  expect(keyOf(one)).toEqual(keyOf(same))
  expect(encode(one)).toEqual(encode(same))
  expect(same.bytes[1]).toBe(0b1010_0000)
  expect(given[1]).toBe(0b1011_1111)
  expect(isEqual(one, new BitString(given, 4))).toBe(false)
})

test('one of each kind is in Erlang order', () => {
  const sorted: Term[] = [
    -1, 0.5, 1, 1n << 70n, atom('a'), atom('b'), true, tuple(), tuple(1), ErlMap.from([]), [], new ImproperList([1], atom('a')), [1], [1, 2],
    new Uint8Array(0), new BitString(new Uint8Array([0]), 1), new Uint8Array([0]), new Uint8Array([1]),
  ] // prettier-ignore
  const order = [...sorted].reverse().sort(compare)
  expect(order.map((term) => sorted.indexOf(term))).toEqual(sorted.map((_, i) => i))
  expect(compare(1, new ErlFloat(1))).toBe(0)
  expect(() => compare(Symbol('x'), 1)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
})
