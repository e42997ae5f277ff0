/** Writing values: what JavaScript has that Erlang has not, what is refused and where, what a peer can carry. */
import vm from 'node:vm'
import {
  atom, BitString, charlist, decode, encode, ErlMap, EtfError, ExportFun, float, ImproperList, isEqual, NativeRecord, Pid, Port, Reference, Tuple, tuple, type Encodable, type Term,
} from '../../../src/etf/node.js' // prettier-ignore
import { internAtom } from '../../../src/etf/atom.js'
import { ObjectKeyBudget } from '../../../src/etf/budget.js'
import { type EncodeContext, writeAddress, writeTerm } from '../../../src/etf/encode.js'
import { Writer } from '../../../src/etf/writer.js'
import { fromHex } from '../../support/etf-vectors.js'

const node = internAtom('a@b')

function failure(term: unknown, options = {}): EtfError {
  try {
    encode(term as Encodable, options)
  } catch (error) {
    if (error instanceof EtfError) return error
    throw error
  }
  throw new Error('was encoded')
}

function hexOf(term: Encodable, options = {}): string {
  return Buffer.from(encode(term, options)).toString('hex')
}

test.each<[string, Encodable, Term]>([
  ['null', null, atom('nil')],
  ['undefined', undefined, atom('undefined')],
  ['text', 'žluť', new Uint8Array(Buffer.from('žluť'))],
  ['long text', 'ž'.repeat(100), new Uint8Array(Buffer.from('ž'.repeat(100)))],
  ['-0', -0, 0],
  ['a whole bigint', 5n, 5],
  ['an integral number above 32 bits', 2 ** 40, 2 ** 40],
  ['a character list', charlist('aé'), [97, 233]],
  ['a character list beyond Latin-1', charlist('a日😀'), [97, 0x65e5, 0x1f600]],
  ['an empty character list', charlist(''), []],
  [
    'an object',
    { a: 1, b: { c: [] } },
    ErlMap.from<Term, Term>([
      [atom('a'), 1],
      [atom('b'), ErlMap.from<Term, Term>([[atom('c'), []]])],
    ]),
  ],
  [
    'an object without prototype',
    Object.assign(Object.create(null), { x: 1 }) as Record<string, Encodable>,
    ErlMap.from([[atom('x'), 1]]),
  ],
  [
    'a Map',
    new Map<Encodable, Encodable>([
      ['k', 1],
      [tuple(1), 2],
    ]),
    ErlMap.from<Term, Term>([
      [new Uint8Array([107]), 1],
      [tuple(1), 2],
    ]),
  ],
  ['an improper list of no items', new ImproperList([], 5), 5],
  ['an improper list with a list for tail', new ImproperList([1, 300], [2]), [1, 300, 2]],
  ['a sparse array', [1, , 2] as unknown as Encodable, [1, atom('undefined'), 2]], // eslint-disable-line no-sparse-arrays
  [
    'a bitstring with bits that do not count',
    new BitString(new Uint8Array([255]), 3),
    new BitString(new Uint8Array([0b11100000]), 3),
  ],
])('%s', (_name, value, term) => {
  expect(isEqual(decode(encode(value)), term)).toBe(true)
})

test.each([
  [0, '8361 00'],
  [255, '8361 ff'],
  [256, '8362 00000100'],
  [-1, '8362 ffffffff'],
  [-(2 ** 31), '8362 80000000'],
  [2 ** 31, '836e 04 00 00000080'],
  [-(2 ** 31) - 1, '836e 04 01 01000080'],
  [2 ** 53 - 1, '836e 07 00 ffffffffffff1f'],
  [2n ** 63n, '836e 08 00 0000000000000080'],
  [2n ** 64n, '836e 09 00 000000000000000001'],
] as const)('the integer %s', (value, hex) => {
  // prettier-ignore
  expect(hexOf(value)).toBe(hex.replace(/ /g, ''))
})

test('big integers of every size from 1 to 600 bytes and beyond', () => {
  for (const bytes of [...Array.from({ length: 600 }, (_, i) => i + 1), 5000, 100_000]) {
    for (const value of [(1n << BigInt(8 * bytes)) - 1n, -(1n << BigInt(8 * bytes - 1))]) {
      expect(decode(encode(value)) == value).toBe(true) // eslint-disable-line eqeqeq
    }
  }
})

class Custom {
  x = 1
}

test.each<[string, string, string, unknown]>([
  ['ETF_NOT_FINITE', '', 'NaN', NaN],
  ['ETF_NOT_FINITE', '[1]', 'Infinity in a list', [1.5, -Infinity]],
  ['ETF_UNSAFE_INTEGER', '', 'an integral number beyond 2^53', 2 ** 53],
  ['ETF_UNSAFE_INTEGER', '[0].n', 'the same, inside', tuple({ n: -(2 ** 60) })],
  ['ETF_UNSUPPORTED', '', 'a function', () => 1],
  ['ETF_UNSUPPORTED', '[2].name', 'a symbol', [0, 1, { name: Symbol('x') }]],
  ['ETF_UNSUPPORTED', '', 'an instance of a class', new Custom()],
  ['ETF_UNSUPPORTED', '.a[0]', 'a Date', { a: [new Date(0)] }],
  ['ETF_UNSUPPORTED', '', 'a Set', new Set([1])],
  ['ETF_UNSUPPORTED', '', 'a tuple without elements', new Tuple(undefined as never)],
  ['ETF_UNSUPPORTED', '', 'a map of keys without values', new ErlMap([1])],
  ['ETF_UNSUPPORTED', '', 'a reference of no words', new Reference(node, 1, [])],
  ['ETF_UNSUPPORTED', '', 'a reference of 6 words', new Reference(node, 1, [1, 2, 3, 4, 5, 6])],
  ['ETF_BAD_TEXT', '[1]', 'a lone surrogate', ['ok', 'a\ud800']],
  ['ETF_BAD_TEXT', '[7]', 'halves of a pair in two texts', [...'1234567', 'é\ud83d', '\ude00', 'é']],
  ['ETF_BAD_TEXT', '[8]', 'the second half in another text', [...'1234567', 'é', '\ude00', 'é']],
  ['ETF_UNSUPPORTED', '[1][1]', 'a function in a tuple in a list', [1, tuple(atom('a'), (() => 1) as never)]],
  [
    'ETF_UNSUPPORTED',
    '[1][2][1]',
    'a function in a tuple in a tuple',
    [1, tuple(1, 2, tuple(1, (() => 1) as never))],
  ],
  ['ETF_BAD_TEXT', '', 'a lone surrogate in long text', 'x'.repeat(50) + '\udc00'],
  ['ETF_BAD_TEXT', '', 'a lone surrogate in a character list', charlist('日\ud800')],
  ['ETF_BAD_ATOM', '.key(0)', 'a key of 256 characters', { ['x'.repeat(256)]: 1 }],
  ['ETF_BAD_ATOM', '.key(0)', 'a key with a lone surrogate', { '\ud800': 1 }],
  [
    'ETF_DUPLICATE_KEY',
    '',
    'a Map with 1 and 1n',
    new Map<unknown, unknown>([
      [1, 1],
      [1n, 2],
    ]),
  ],
  [
    'ETF_DUPLICATE_KEY',
    '',
    'a Map with equal tuples',
    new Map([
      [tuple(1), 1],
      [tuple(1), 2],
    ]),
  ],
  [
    'ETF_DUPLICATE_KEY',
    '',
    'a Map with equal maps',
    new Map([
      [{ a: 1, b: 2 }, 1],
      [{ b: 2, a: 1 }, 2],
    ]),
  ],
  [
    'ETF_DUPLICATE_KEY',
    '',
    'a Map with text and the same bytes',
    new Map<unknown, unknown>([
      ['a', 1],
      [new Uint8Array([97]), 2],
    ]),
  ],
  ['ETF_DUPLICATE_KEY', '[0]', 'an ErlMap made unchecked', [new ErlMap([1, 2, 1, 3])]],
  [
    'ETF_UNSUPPORTED',
    '.value(1).tail',
    'inside a map value',
    new Map<unknown, unknown>([
      [1, 1],
      [2, new ImproperList([1], (() => 1) as never)],
    ]),
  ],
  [
    'ETF_UNSUPPORTED',
    '.values[0]',
    'inside a record',
    new NativeRecord(atom('m'), atom('r'), true, [atom('f')], [(() => 1) as never]),
  ],
  ['ETF_UNSUPPORTED', '["not a name"].ok', 'inside an object', { 'not a name': { ok: () => 1 } }],
])('%s at "%s": %s', (code, path, _name, value) => {
  // prettier-ignore
  const error = failure(value)
  expect(error).toMatchObject({ name: 'EtfError', code, path })
  if (path !== '') expect(error.message).toContain(path)
})

test('is as good after a failure as before, and writes no less', () => {
  failure([1, [2, () => 1]])
  expect(hexOf([1, [2, 300]])).toBe('836c0000000261016c0000000261026200' + '00012c6a6a')
})

describe('values that contain themselves', () => {
  const list: unknown[] = [1]
  list.push([list])
  const object: Record<string, unknown> = {}
  object['me'] = { again: object }
  const map = new Map<unknown, unknown>()
  map.set('self', tuple(map as never))
  test.each<[string, unknown]>([
    ['a list', list],
    ['an object', object],
    ['a Map', map],
  ])('%s', (_name, value) => {
    expect(failure(value)).toMatchObject({ code: 'ETF_CYCLE' })
  })

  test('the same value twice is no cycle', () => {
    const shared = [1.5]
    expect(
      isEqual(
        decode(encode([shared, { shared }, shared])),
        decode(encode([[1.5], { shared: [1.5] }, [1.5]])),
      ),
    ).toBe(true)
    let deep: Encodable = shared
    for (let i = 0; i < 600; i++) deep = [deep, shared]
    expect(encode(deep).length).toBeGreaterThan(600)
  })
})

test('a getter may encode', () => {
  const value = { a: 'x', get b() { return encode(tuple(1, 'inner')) }, c: 2 } // prettier-ignore
  const map = decode(encode(value)) as ErlMap
  expect(isEqual(decode(map.get('b') as Uint8Array), decode(encode(tuple(1, 'inner'))))).toBe(true)
  expect(map.get('c')).toBe(2)
})

test('keys of objects can be binaries, and do not become atoms here', () => {
  expect(hexOf({ ab: 1 })).toBe(hexOf(ErlMap.from([[atom('ab'), 1]])))
  expect(hexOf({ ab: 1 }, { keys: 'binary' })).toBe(hexOf(ErlMap.from([['ab', 1]])))
  expect(hexOf({ ['é'.repeat(130)]: 1 })).toBe(hexOf(ErlMap.from([[atom('é'.repeat(130)), 1]])))
})

test('what equals itself in another realm or has no prototype is an object too', () => {
  expect(hexOf(vm.runInNewContext('({ a: 1 })') as Encodable)).toBe(hexOf({ a: 1 }))
})

describe('limits', () => {
  test('maxTermBytes', () => {
    const size = encode([1, 2, 300]).length
    expect(encode([1, 2, 300], { limits: { maxTermBytes: size - 1 } })).toHaveLength(size)
    expect(failure([1, 2, 300], { limits: { maxTermBytes: size - 2 } })).toMatchObject({
      code: 'ETF_TOO_LARGE',
    })
  })

  test('a structure that makes more of itself ends', () => {
    const endless = (): unknown => ({ get more() { return endless() } }) // prettier-ignore
    expect(failure(endless(), { limits: { maxTermBytes: 100_000 } })).toMatchObject({ code: 'ETF_TOO_LARGE' })
  })
})

describe('for a link', () => {
  function written(term: Encodable, context?: EncodeContext): string {
    const writer = new Writer(1)
    writeTerm(writer, term, context)
    return Buffer.from(writer.copy()).toString('hex')
  }
  const cannot = (term: Encodable, context: EncodeContext): void =>
    expect(() => written(term, context)).toThrow(expect.objectContaining({ code: 'ETF_PEER_CANNOT_CARRY' }))

  test('atoms by their index in the cache, or in full', () => {
    const asked: unknown[] = []
    const atoms = {
      index: (term: unknown) => (asked.push(term), term === true ? 7 : term === atom('b') ? -1 : 0),
    }
    expect(written(tuple(atom('a'), true, [atom('b')], { b: false }), { atoms })).toBe(
      '6804 5200 5207 6c00000001 770162 6a 7400000001 770162 5200'.replace(/ /g, ''),
    )
    expect(asked).toEqual([atom('a'), true, atom('b'), atom('b'), false])
  })

  test.each([
    [{ bigPids: false }, new Pid(node, 0x7fff, 0x1fff, 1), new Pid(node, 0x8000, 0, 1)],
    [{ bigPids: false }, new Pid(node, 0, 0, 0xffffffff), new Pid(node, 0, 0x2000, 1)],
    [{ bigPids: false }, new Port(node, 2 ** 28 - 1, 1), new Port(node, 2 ** 28, 1)],
    [{ maxReferenceWords: 3 }, new Reference(node, 1, [1, 2, 3]), new Reference(node, 1, [1, 2, 3, 4])],
    [{ maxReferenceWords: 5 }, new Reference(node, 1, [1, 2, 3, 4, 5]), undefined],
    [{ nativeRecords: false }, 1, new NativeRecord(atom('m'), atom('r'), true, [], [])],
  ])('%j', (context, good, bad) => {
    expect(written([good], context)).not.toBe('')
    if (bad !== undefined) cannot([bad], context)
  })

  test('addresses as any term', () => {
    const index = (name: unknown): number => (name === node ? 3 : -1)
    const all = [new Pid(node, 1, 2, 3), new Reference(node, 1, [1, 2]), node, atom('other'), true, false]
    for (const context of [{}, { atoms: { index } }, { bigPids: false, maxReferenceWords: 3 }]) {
      for (const address of all) {
        const writer = new Writer(1)
        writeAddress(writer, address, context)
        expect(Buffer.from(writer.copy()).toString('hex')).toBe(written(address, context))
      }
    }
    const small = { bigPids: false, maxReferenceWords: 3 }
    for (const address of [new Pid(node, 0x8000, 0, 1), new Reference(node, 1, [1, 2, 3, 4])]) {
      expect(() => writeAddress(new Writer(), address, small)).toThrow(
        expect.objectContaining({ code: 'ETF_PEER_CANNOT_CARRY', path: '' }),
      )
    }
  })

  test('ports as the peer knows them', () => {
    expect(written(new Port(node, 5, 1)).slice(0, 2)).toBe('78')
    expect(written(new Port(node, 5, 1), { bigPids: false }).slice(0, 2)).toBe('59')
    expect(written(new Port(node, 5, 1), { like: 25 }).slice(0, 2)).toBe('59')
    expect(written(new Port(node, 2n ** 60n, 1), { like: 25 }).slice(0, 2)).toBe('78')
  })

  test('new keys of objects count, each once', () => {
    const objectKeys = new ObjectKeyBudget({ maxObjectKeysPerConnection: 2 })
    written([{ a: 1, b: 2 }, { b: 3 }, { a: 1 }], { objectKeys })
    expect(() => written([1, { a: 1, c: 2 }], { objectKeys })).toThrow(
      expect.objectContaining({ code: 'ETF_TOO_MANY_KEYS', path: '[1].key(1)' }),
    )
    written(ErlMap.from([[atom('anything'), 1]]), { objectKeys })
  })

  test('after an error the writer goes on from where it is put back', () => {
    const writer = new Writer(1)
    writeTerm(writer, [1.5])
    const before = writer.position
    expect(() => writeTerm(writer, [1, NaN, 2])).toThrow(EtfError)
    writer.position = before
    writeTerm(writer, atom('x'))
    expect(Buffer.from(writer.copy(before)).toString('hex')).toBe('770178')
  })
})

test('exported funs and identifiers are written as OTP writes them', () => {
  expect(hexOf(new ExportFun(atom('m'), true, 2))).toBe('837177016d7704747275656102')
  expect(hexOf(new Pid(node, 1, 2, 3))).toBe('83587703614062000000010000000200000003')
  expect(hexOf(float(-0))).toBe('83468000000000000000')
  expect(Buffer.compare(encode(decode(fromHex('83610a'))), fromHex('83610a'))).toBe(0)
})

test('compressed only if that is smaller', () => {
  expect(hexOf([1], { compressed: true })).toBe(hexOf([1]))
  expect(encode(new Array(500).fill('abc'), { compressed: 1 })[1]).toBe(80)
  expect(encode(new Array(500).fill('abc'), { compressed: false })[1]).toBe(108)
})
