/** Reading terms: superseded tags, what is refused and how, limits, depth, contexts of a link. */
import { inspect } from 'node:util'
import {
  atom,
  decode,
  encode,
  type ErlMap,
  type EtfError,
  float,
  Fun,
  isEqual,
  Pid,
  Port,
  Reference,
  tuple,
  type Term,
} from '../../../src/etf/node.js'
import { atomCount, internAtom } from '../../../src/etf/atom.js'
import { AtomBudget } from '../../../src/etf/budget.js'
import { Reader } from '../../../src/etf/decode.js'
import { fromHex } from '../../support/etf-vectors.js'

const node = internAtom('a@b')
/** SMALL_ATOM_UTF8_EXT 'a@b'. */
const AT = '7703614062'

/** A fun without the version byte. */
const FUN = Buffer.from(
  encode(new Fun(atom('m'), 1, new Uint8Array(16), 1, 1, 2, new Pid(node, 1, 2, 3), [])),
)
  .toString('hex')
  .slice(2)

function failure(bytes: Uint8Array | string, options = {}): EtfError {
  try {
    decode(typeof bytes === 'string' ? fromHex(bytes) : bytes, options)
  } catch (error) {
    return error as EtfError
  }
  throw new Error('was decoded')
}

test.each<[string, string, Term]>([
  ['FLOAT_EXT', '8363' + Buffer.from('1.50000000000000000000e+00').toString('hex').padEnd(62, '0'), 1.5],
  ['FLOAT_EXT, integral', '8363' + Buffer.from('2.0').toString('hex').padEnd(62, '0'), float(2)],
  ['ATOM_EXT', '836400 02 e961', atom('éa')],
  ['SMALL_ATOM_EXT', '8373 02 e961', atom('éa')],
  ['SMALL_ATOM_EXT true', '8373 04 74727565', true],
  ['PID_EXT', `8367 ${AT} 00000005 00000006 03`, new Pid(node, 5, 6, 3)],
  ['PORT_EXT', `8366 ${AT} 00000005 03`, new Port(node, 5, 3)],
  ['V4_PORT_EXT', `8378 ${AT} 0020000000000000 00000003`, new Port(node, 2n ** 53n, 3)],
  ['REFERENCE_EXT', `8365 ${AT} 00000005 03`, new Reference(node, 3, [5])],
  ['NEW_REFERENCE_EXT', `8372 0002 ${AT} 03 00000001 00000002`, new Reference(node, 3, [1, 2])],
  [
    'NEWER_REFERENCE_EXT of 5 words',
    `835a 0005 ${AT} 00000003 ${'00000001'.repeat(5)}`,
    new Reference(node, 3, [1, 1, 1, 1, 1]),
  ],
  [
    'FUN_EXT',
    `8375 00000001 67 ${AT} 00000005 00000006 03 77016d 6107 6108 6109`,
    new Fun(atom('m'), 0, new Uint8Array(16), 7, 7, 8, new Pid(node, 5, 6, 3), [9]),
  ],
  ['SMALL_BIG_EXT of 0 bytes', '836e0000', 0],
  ['LARGE_BIG_EXT of a small number', '836f00000001 01 05', -5],
  ['BIT_BINARY_EXT of whole bytes', '834d 00000001 08 ff', new Uint8Array([255])],
  ['LARGE_TUPLE_EXT of few', '8369 00000001 6101', tuple(1)],
  ['STRING_EXT of none', '836b0000', []],
])('%s', (_name, hex, term) => {
  expect(isEqual(decode(fromHex(hex)), term)).toBe(true)
  // What is superseded comes back as its successor.
  expect(isEqual(decode(encode(term)), term)).toBe(true)
})

test.each([
  ['ETF_BAD_VERSION', 0, '', undefined],
  ['ETF_BAD_VERSION', 0, '846101', undefined],
  ['ETF_TRUNCATED', 1, '83', undefined],
  ['ETF_TRUNCATED', 1, '8361', 97],
  ['ETF_TRUNCATED', 1, '836d00000005 0102', 109],
  ['ETF_TRUNCATED', 1, '836cffffffff 6101', 108],
  ['ETF_TRUNCATED', 1, '836fffffffff 00', 111],
  ['ETF_TRUNCATED', 1, `8370 00000040 02 ${'ff'.repeat(24)}`, 112],
  ['ETF_UNKNOWN_TAG', 1, '8300', 0],
  ['ETF_UNKNOWN_TAG', 3, '8368014401', 68],
  ['ETF_UNKNOWN_TAG', 3, '836801796101', 121],
  ['ETF_TRAILING_BYTES', 3, '83610100', undefined],
  ['ETF_BAD_ATOM', 3, '837702c080', 119],
  ['ETF_BAD_ATOM', 3, '837703eda080', 119],
  ['ETF_BAD_ATOM', 4, `83760100${'61'.repeat(256)}`, 118],
  ['ETF_BAD_FLOAT', 1, '83467ff0000000000000', 70],
  ['ETF_BAD_FLOAT', 1, '83467ff8000000000000', 70],
  ['ETF_BAD_FLOAT', 1, `8363${Buffer.from('1e5').toString('hex').padEnd(62, '0')}`, 99],
  ['ETF_BAD_TERM', 1, '834d000000010900', 77],
  ['ETF_BAD_TERM', 1, '834d000000010000', 77],
  ['ETF_BAD_TERM', 1, '834d0000000003', 77],
  ['ETF_BAD_TERM', 1, `835a0000${AT}00000001`, 90],
  ['ETF_BAD_TERM', 1, `835a0006${AT}00000001${'00000001'.repeat(6)}`, 90],
  ['ETF_BAD_TERM', 1, '8358 7704 74727565 00000001 00000001 00000001', 88],
  ['ETF_BAD_TERM', 1, '8358 6101 00000001 00000001 00000001', 88],
  ['ETF_BAD_TERM', 1, '8371 770161 770161 62 00000100', 113],
  ['ETF_BAD_TERM', 1, '8343 00000000 02 770161 770161', 67],
  ['ETF_ATOM_CACHE', 1, '835200', 82],
  ['ETF_DUPLICATE_KEY', 1, '837400000002 6101 6101 6101 6102', 116],
  ['ETF_BAD_COMPRESSED', 1, '8350 00000002 00000000000000', 80],
  ['ETF_BAD_COMPRESSED', 1, '8350 00ffffff 789c4b640400', 80],
] as const)('%s at byte %i: %s', (code, offset, hex, tag) => {
  const error = failure(hex)
  expect(error).toMatchObject({ name: 'EtfError', code, offset, tag })
  expect(error.message.length).toBeGreaterThan(10)
})

test('is as good after a failure as before', () => {
  for (let i = 0; i < 100; i++) failure('8368026101')
  expect(isEqual(decode(fromHex('83680261016102')), tuple(1, 2))).toBe(true)
})

test('refuses what is no Uint8Array', () => {
  expect(failure('x' as never)).toMatchObject({ code: 'ETF_BAD_VERSION' })
  expect(() => decode('abc' as never)).toThrow(expect.objectContaining({ code: 'ETF_UNSUPPORTED' }))
})

describe('nesting', () => {
  const nested = {
    list: { open: '6c00000001', close: '6a' },
    tuple: { open: '6801', close: '' },
    'map value': { open: '74000000016161', close: '' },
    'map key': { open: '7400000001', close: '6102' },
    'improper list': { open: '6c00000001', close: '6103' },
    'fun-free record': { open: '43000000010077016d77016e770166', close: '' },
  }
  test.each(Object.keys(nested))('%s, 100,000 deep, both ways', (kind) => {
    const { open, close } = nested[kind as keyof typeof nested]
    const bytes = fromHex(`83${open.repeat(100_000)}6201000000${close.repeat(100_000)}`)
    const term = decode(bytes)
    expect(Buffer.compare(encode(term), bytes)).toBe(0)
    expect(isEqual(term, decode(bytes))).toBe(true)
  })

  test.each([511, 512, 513, 514])('depth %i, where recursion ends', (depth) => {
    const bytes = fromHex(`83${'6c00000002 6105'.repeat(depth)}6b0003010203${'6a'.repeat(depth)}`)
    expect(Buffer.compare(encode(decode(bytes)), bytes)).toBe(0)
  })

  test('10 million deep is refused, whole or not, before memory is spent on it', () => {
    const open = new Uint8Array(20_000_001).fill(104)
    open[0] = 131
    for (let i = 2; i < open.length; i += 2) open[i] = 1
    expect(failure(open)).toMatchObject({ code: 'ETF_TOO_DEEP', tag: 104 })
    const whole = new Uint8Array(open.length + 2).fill(97)
    whole.set(open)
    expect(failure(whole)).toMatchObject({ code: 'ETF_TOO_DEEP', offset: 1 + 2 * 1_000_000, tag: 104 })
  })

  test.each([0, 1, 2, 511, 512, 513, 700])('maxNesting %i, at the limit and one past it', (maxNesting) => {
    const limits = { maxNesting }
    for (const { open, close } of Object.values(nested)) {
      const whole = (depth: number): Uint8Array =>
        fromHex(`83${open.repeat(depth)}6201000000${close.repeat(depth)}`)
      expect(Buffer.compare(encode(decode(whole(maxNesting), { limits })), whole(maxNesting))).toBe(0)
      expect(failure(whole(maxNesting + 1), { limits })).toMatchObject({ code: 'ETF_TOO_DEEP' })
    }
  })

  test.each([
    ['a list', '6c00000005' + '6a'.repeat(6), 5],
    ['a list in chains of tails', '6c00000002' + '6a'.repeat(2) + '6c00000003' + '6a'.repeat(4), 5],
    ['a list of floats', '6c00000002' + '463ff8000000000000'.repeat(2) + '6a', 2],
    ['a list of floats and others', '6c00000003' + '463ff8000000000000'.repeat(2) + '61016a', 3],
    ['lists in a list', '6c00000002' + '6c00000002616a6a6a'.replace('616a', '6a').repeat(2) + '6a', 6],
    ['a tuple', '6803' + '6a'.repeat(3), 3],
    ['tuples in a list', '6c00000002' + '68026a6a'.repeat(2) + '6a', 6],
    ['tuples of integers in a list', '6c00000004' + ('6803' + '6101'.repeat(3)).repeat(4) + '6a', 16],
    ['tuples in tuples', '6801'.repeat(4) + '6a', 4],
    ['a large tuple', '6900000003' + '6a'.repeat(3), 3],
    ['maps in a list', '6c00000002' + '740000000161016a'.repeat(2) + '6a', 6],
    ['deep lists', '6c00000001'.repeat(600) + '6a'.repeat(601), 600],
    [
      'strings, by their memory',
      '6c00000002' + '6b0010' + '61'.repeat(16) + '6b0007' + '61'.repeat(7) + '6a',
      4,
    ],
    ['a string for a tail', '6c000000016a' + '6b0008' + '61'.repeat(8), 2],
    ['bitstrings, which take more', '6c00000002' + '4d0000000103e0'.repeat(2) + '6a', 8],
    ['funs, which take more', FUN, 6],
  ])('maxTermElements: %s, at the limit and one past it', (_what, hex, count) => {
    const bytes = fromHex(`83${hex}`)
    expect(
      Buffer.compare(encode(decode(bytes, { limits: { maxTermElements: count } })), encode(decode(bytes))),
    ).toBe(0)
    expect(failure(bytes, { limits: { maxTermElements: count - 1 } })).toMatchObject({
      code: 'ETF_TOO_MANY_ELEMENTS',
    })
  })

  test('elements are counted for each term anew', () => {
    const limits = { maxTermElements: 2 }
    for (let i = 0; i < 3; i++) expect(decode(fromHex('8368026a6a'), { limits })).toEqual(tuple([], []))
  })

  test('a million deep, which is the limit, comes and goes', () => {
    const bytes = new Uint8Array(2_000_003).fill(104)
    bytes[0] = 131
    for (let i = 2; i < bytes.length; i += 2) bytes[i] = 1
    bytes[2_000_001] = 97
    expect(Buffer.compare(encode(decode(bytes)), bytes)).toBe(0)
  })

  test('a chain of a million tails is one list', () => {
    const bytes = fromHex(`83${'6c000000016101'.repeat(200_000)}6a`)
    expect((decode(bytes) as Term[]).length).toBe(200_000)
  })

  test('a fun is read at any depth', () => {
    const fun = new Fun(atom('m'), 1, new Uint8Array(16).fill(7), 1, 1, 2, new Pid(node, 1, 2, 3), [
      [1, 2],
      atom('x'),
    ])
    let term: Term = fun
    for (let i = 0; i < 600; i++) term = [term, i]
    expect(isEqual(decode(encode(term)), term)).toBe(true)
  })
})

describe('atoms', () => {
  test('no new ones where only existing ones are allowed', () => {
    const before = atomCount()
    const name = `never_seen_${before}`
    const bytes = new Uint8Array([131, 119, name.length, ...Buffer.from(name)])
    expect(failure(bytes, { atoms: 'existing' })).toMatchObject({ code: 'ETF_NEW_ATOM', offset: 3 })
    expect(atomCount()).toBe(before)
    expect(decode(bytes)).toBe(atom(name))
    expect(decode(bytes, { atoms: 'existing' })).toBe(atom(name))
  })

  test('a peer creates as many as its budget has, and not one more', () => {
    const budget = new AtomBudget({ maxAtomsPerConnection: 3 })
    const read = (name: string): Term => {
      const bytes = new Uint8Array([119, name.length, ...Buffer.from(name)])
      return new Reader(bytes, 0, bytes.length, { newAtoms: budget }).readTerm()
    }
    for (const name of ['budget_1', 'budget_2', 'budget_3', 'budget_1', 'nil'])
      expect(read(name)).toBe(atom(name))
    expect(() => read('budget_4')).toThrow(expect.objectContaining({ code: 'ETF_TOO_MANY_ATOMS' }))
    expect(read('budget_2')).toBe(atom('budget_2'))
    expect(budget.created).toBe(3)
  })

  test('all peers together, too', () => {
    const name = `in_all_${atomCount()}`
    const bytes = new Uint8Array([131, 119, name.length, ...Buffer.from(name)])
    expect(failure(bytes, { limits: { maxAtoms: atomCount() } })).toMatchObject({
      code: 'ETF_TOO_MANY_ATOMS',
    })
    expect(decode(bytes, { limits: { maxAtoms: atomCount() + 1 } })).toBe(atom(name))
  })

  test('the same name in Latin-1 and UTF-8 is one atom, also when remembered', () => {
    for (let i = 0; i < 3; i++) {
      expect(decode(fromHex('837702c3a9'))).toBe(atom('é'))
      expect(decode(fromHex('837301e9'))).toBe(atom('é'))
      expect(decode(fromHex('837302c3a9'))).toBe(atom('Ã©'))
    }
  })

  test('a header of a link says what ATOM_CACHE_REF means', () => {
    const atoms = [atom('first'), true]
    const bytes = fromHex('680252005201')
    const term = new Reader(bytes, 0, bytes.length, { atoms }).readTerm()
    expect(isEqual(term, tuple(atom('first'), true))).toBe(true)
    const pid = fromHex('58520000000001 00000002 00000003')
    expect(new Reader(pid, 0, pid.length, { atoms: [node] }).readTerm()).toEqual(new Pid(node, 1, 2, 3))
    const beyond = fromHex('5202')
    expect(() => new Reader(beyond, 0, 2, { atoms }).readTerm()).toThrow(
      expect.objectContaining({ code: 'ETF_ATOM_CACHE' }),
    )
  })
})

describe('limits', () => {
  test('maxIntegerBytes', () => {
    const bytes = encode(1n << 800n)
    expect(decode(bytes, { limits: { maxIntegerBytes: 101 } })).toBe(1n << 800n)
    expect(failure(bytes, { limits: { maxIntegerBytes: 100 } })).toMatchObject({
      code: 'ETF_INTEGER_TOO_LARGE',
      tag: 110,
    })
  })

  test('maxInflatedBytes, before anything is inflated', () => {
    const bytes = encode(new Array<number>(1000).fill(300), { compressed: true })
    const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(2)
    expect(decode(bytes, { limits: { maxInflatedBytes: size } })).toHaveLength(1000)
    expect(failure(bytes, { limits: { maxInflatedBytes: size - 1 } })).toMatchObject({
      code: 'ETF_INFLATED_TOO_LARGE',
    })
  })

  test('a compressed term is what its size says, to the byte', () => {
    const bytes = Buffer.from(encode(new Array<number>(1000).fill(300), { compressed: true }))
    const size = bytes.readUInt32BE(2)
    for (const wrong of [size - 1, size + 1, 0]) {
      bytes.writeUInt32BE(wrong, 2)
      expect(failure(bytes)).toMatchObject({ code: 'ETF_BAD_COMPRESSED' })
    }
    bytes.writeUInt32BE(size, 2)
    expect(failure(Buffer.concat([bytes, Buffer.from([0])]))).toMatchObject({
      code: 'ETF_TRAILING_BYTES',
      offset: bytes.length,
    })
  })
})

describe('binaries', () => {
  const large = encode(new Uint8Array(1000).fill(65))
  test('large ones are views of the input, small ones and copies are not', () => {
    const view = decode(large) as Uint8Array
    expect(view.buffer).toBe(large.buffer)
    const copy = decode(large, { copy: true }) as Uint8Array
    expect(copy.buffer).not.toBe(large.buffer)
    const source = new Uint8Array(encode(new Uint8Array(10).fill(65)))
    const small = decode(source) as Uint8Array
    source.fill(0)
    expect([...small]).toEqual(new Array(10).fill(65))
  })

  test('on Node they are Buffers that print as text', () => {
    const binary = decode(encode('žluť')) as Buffer
    expect(Buffer.isBuffer(binary)).toBe(true)
    expect(binary.toString()).toBe('žluť')
    expect(inspect(binary)).toBe('<<"žluť">>')
    expect(inspect(decode(encode(new Uint8Array([255, 1]))))).toBe('<<255,1>>')
  })

  test('as text where they are UTF-8', () => {
    const term = decode(
      encode(['', 'a', 'é', 'x'.repeat(13), 'y'.repeat(5000), new Uint8Array([255]), '€'.repeat(100)]),
      { binaries: 'text' },
    )
    expect(term).toEqual([
      '',
      'a',
      'é',
      'x'.repeat(13),
      'y'.repeat(5000),
      expect.any(Uint8Array),
      '€'.repeat(100),
    ])
  })
})

test('keys such as __proto__ are keys like others', () => {
  const map = decode(
    encode(JSON.parse('{"__proto__": 1, "constructor": 2, "toString": 3}') as Record<string, number>),
  ) as ErlMap
  expect(map.get('__proto__')).toBe(1)
  expect(map.get('constructor')).toBe(2)
  const object = map.toObject()
  expect(Object.keys(object)).toEqual(['__proto__', 'constructor', 'toString'])
  expect(Object.getPrototypeOf(object)).toBeNull()
  expect(({} as Record<string, unknown>)['toString']).toBe(Object.prototype.toString)
})
