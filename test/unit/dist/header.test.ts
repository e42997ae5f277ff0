import { AtomCacheWriter, type MessageAtoms } from '../../../src/dist/atom-cache.js'
import { AtomCacheReader } from '../../../src/dist/header.js'
import { atom, type Atom } from '../../../src/etf/atom.js'
import { AtomBudget } from '../../../src/etf/budget.js'
import { fromHex, hex } from '../../support/channels.js'

const name = (index: number): Atom => atom(`header_test_${index}`) as Atom

/** Writes the header of a message that has these atoms. */
function header(
  cache: AtomCacheWriter,
  atoms: readonly (Atom | boolean)[],
  sequenceId = 0,
  fragments = 0,
): Uint8Array {
  cache.begin()
  for (const one of atoms) cache.index(one)
  const taken = cache.current
  const bytes = new Uint8Array(cache.resolve(taken, fragments > 0))
  expect(cache.writeHeader(bytes, 0, taken, sequenceId, fragments)).toBe(bytes.length)
  return bytes
}

/** Reads N, flags and references. */
function references(cache: AtomCacheReader, bytes: Uint8Array, start = 2): readonly (Atom | boolean)[] {
  expect(cache.read(bytes, start, bytes.length)).toBe(bytes.length)
  return cache.snapshot()
}

describe('the header of a message', () => {
  it('is three bytes without references', () => {
    expect(hex(header(new AtomCacheWriter(), []))).toBe('834400')
  })

  it('has new entries once, then their numbers', () => {
    const cache = new AtomCacheWriter()
    // 131 68, two references, flags: both new in segment 0; no long atoms; entries 0 and 1.
    expect(hex(header(cache, [atom('ok'), atom('reg')]))).toBe('834402880000026f6b0103726567')
    expect(hex(header(cache, [atom('reg'), atom('ok')]))).toBe('83440200000100')
    // An odd number: the half byte of LongAtoms is the high one of the last flag byte.
    expect(hex(header(cache, [atom('ok'), atom('a'), true]))).toBe('834403800800' + '02016103' + '0474727565')
  })

  it('has two-byte lengths when one atom needs them', () => {
    const cache = new AtomCacheWriter()
    const long = atom('é'.repeat(200)) as Atom
    const bytes = header(cache, [atom('ok'), long])
    expect(hex(bytes.subarray(0, 11))).toBe('8344028801' + '0000026f6b01')
    expect(hex(bytes.subarray(11, 13))).toBe('0190')
    expect(references(new AtomCacheReader(true), bytes)).toEqual([atom('ok'), long])
  })

  it('has sequence and fragment id in a starting fragment', () => {
    const bytes = header(new AtomCacheWriter(), [atom('ok')], 0x1_0000_0002, 3)
    expect(hex(bytes)).toBe('8345' + '0000000100000002' + '0000000000000003' + '01' + '08' + '00026f6b')
    expect(references(new AtomCacheReader(true), bytes, 18)).toEqual([atom('ok')])
  })

  it('is the one of the document', () => {
    // OTP "External Term Format", the example of a starting fragment: two cached atoms, three new ones.
    const reader = new AtomCacheReader(true)
    // The example leaves out what filled entries 10 of segment 4 and 5 of segment 0.
    reader.read(fromHex('02 8c 00 0a 0161 05 0162'), 0, 9)
    const example = fromHex(
      '05 048909' + '0a05' + 'ec03726567' + '090463616c6c' + 'ee0d7365745f6765745f7374617465',
    )
    expect(reader.read(example, 0, example.length)).toBe(example.length)
    expect(reader.snapshot()).toEqual([
      atom('a'),
      atom('b'),
      atom('reg'),
      atom('call'),
      atom('set_get_state'),
    ])
  })
})

describe('two sides of an atom cache', () => {
  it('agree on one that was used often, then evicted', () => {
    const writer = new AtomCacheWriter()
    const reader = new AtomCacheReader(true, new AtomBudget())
    const often = name(0)
    const write = (...atoms: Atom[]) =>
      expect(references(reader, header(writer, atoms))).toEqual([...new Set(atoms)])
    for (let i = 0; i < 3; i++) write(often, often)
    for (let i = 1; i <= 2 * 2048; i++) write(name(i))
    // In full again: the peer has other atoms at all entries.
    const again = header(writer, [often])
    expect(again.length).toBe(3 + 1 + 1 + 1 + often.name.length)
    expect(references(reader, again)).toEqual([often])
    for (let i = 0; i < 3; i++) write(often, name(4096), often)
    // Found among others, it is still the same one.
    write(name(4095), name(4094), name(4093), name(4092), name(4091))
    expect(header(writer, [often])).toHaveLength(3 + 1 + 1)
  })

  it('agree on one whose message was given up', () => {
    const writer = new AtomCacheWriter()
    const reader = new AtomCacheReader(true, new AtomBudget())
    for (let i = 0; i < 3; i++) {
      writer.begin()
      for (let j = 0; j < 3; j++) writer.index(name(1))
      writer.abort()
    }
    expect(references(reader, header(writer, [name(1)]))).toEqual([name(1)])
  })

  it('agree while 5,000 atoms fight for 2,048 entries', () => {
    const writer = new AtomCacheWriter()
    const reader = new AtomCacheReader(true, new AtomBudget())
    let seed = 1
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff
      return seed % below
    }
    let cached = 0
    for (let round = 0; round < 2_000; round++) {
      const atoms = new Set<Atom | boolean>([true])
      const size = random(40)
      for (let i = 0; i < size; i++) atoms.add(name(random(random(2) === 0 ? 5_000 : 100)))
      const bytes = header(writer, [...atoms])
      expect(references(reader, bytes)).toEqual([...atoms])
      if (bytes.length < 3 + 2 * atoms.size + 20) cached++
    }
    // Those of the small set stay although the large one passes through.
    expect(cached).toBeGreaterThan(100)
  })

  it('hold 255 atoms in one message; the next is written in full', () => {
    const cache = new AtomCacheWriter()
    cache.begin()
    for (let i = 0; i < 255; i++) expect(cache.index(name(i))).toBe(i)
    expect(cache.index(name(255))).toBe(-1)
    expect(cache.index(name(7))).toBe(7)
    const atoms = cache.current
    const bytes = new Uint8Array(cache.resolve(atoms, false))
    cache.writeHeader(bytes, 0, atoms, 0, 0)
    expect(references(new AtomCacheReader(true), bytes)).toHaveLength(255)
  })

  it('forget a message that failed to encode', () => {
    const cache = new AtomCacheWriter()
    cache.begin()
    cache.index(name(1))
    cache.abort()
    expect(hex(header(cache, [atom('ok')]))).toBe('8344010800026f6b')
    const twin = new AtomCacheReader(true)
    references(twin, fromHex('8344010800026f6b'))
    expect(references(twin, header(cache, [name(1), atom('ok')]))).toEqual([name(1), atom('ok')])
  })

  it('agree when messages leave in another order than they were encoded in', () => {
    const writer = new AtomCacheWriter()
    const reader = new AtomCacheReader(true)
    const waiting: (readonly [readonly (Atom | boolean)[], MessageAtoms])[] = []
    const leave = (atoms: MessageAtoms): readonly (Atom | boolean)[] => {
      const bytes = new Uint8Array(writer.resolve(atoms, false))
      writer.writeHeader(bytes, 0, atoms, 0, 0)
      return references(reader, bytes)
    }
    for (let i = 0; i < 3_000; i++) {
      writer.begin()
      const atoms = [name(i), name(i >> 1), name(i % 7)].filter((one, at, all) => all.indexOf(one) === at)
      for (const one of atoms) writer.index(one)
      if (i % 5 === 0) waiting.push([atoms, { list: [...writer.current.list], count: writer.current.count }])
      else expect(leave(writer.current)).toEqual(atoms)
      if (i % 400 === 0)
        for (const [expected, taken] of waiting.splice(0)) expect(leave(taken)).toEqual(expected)
    }
  })
})

describe('a header from a peer', () => {
  const read = (text: string, enabled = true, budget?: AtomBudget): void => {
    const bytes = fromHex(text)
    new AtomCacheReader(enabled, budget).read(bytes, 0, bytes.length)
  }
  const bad = expect.objectContaining({ code: 'DIST_BAD_HEADER' })

  it.each([
    ['is empty', ''],
    ['ends in its flags', '0288'],
    ['ends before a reference', '0108'],
    ['ends before a length', '010800'],
    ['ends before a two-byte length', '01180001'],
    ['ends in a text', '010800036f6b'],
    ['refers to an entry never filled', '010000'],
    ['has a text that is not UTF-8', '01080002c328'],
    ['has an atom of 256 characters', '011800' + '0100' + '61'.repeat(256)],
  ])('that %s is an error', (_what, text) => {
    expect(() => read(text)).toThrow(bad)
  })

  it('that has references is an error without an atom cache', () => {
    expect(() => read('010800026f6b', false)).toThrow(bad)
    expect(() => read('00', false)).not.toThrow()
  })

  it('may make as many atoms as the limit, and no more', () => {
    const budget = (): AtomBudget => new AtomBudget({ maxAtomsPerConnection: 2 })
    expect(() =>
      read('0288000006' + hex(Buffer.from('cx_one')) + '0106' + hex(Buffer.from('cx_two')), true, budget()),
    ).not.toThrow()
    const three =
      '038808' +
      ['000861', '010862', '020863']
        .map((at) => at.slice(0, 4) + hex(Buffer.from(`dx_new_${at.slice(-1)}`)))
        .join('')
    expect(() => read(three, true, budget())).toThrow(bad)
  })

  it('is read from an offset', () => {
    const bytes = fromHex('ffff 01 08 00 02 6f6b ffff')
    const reader = new AtomCacheReader(true)
    expect(reader.read(bytes, 2, 8)).toBe(8)
    expect(reader.snapshot()).toEqual([atom('ok')])
  })

  it('fills entries anywhere among the 2,048, again and again; the others stay empty', () => {
    const reader = new AtomCacheReader(true)
    const entry = (slot: number, text?: string): Uint8Array => {
      const flag = (slot >> 8) | (text === undefined ? 0 : 8)
      const bytes = text === undefined ? [] : [text.length, ...Buffer.from(text)]
      return Uint8Array.of(1, flag, slot & 255, ...bytes)
    }
    const held = new Map<number, string>()
    // In steps that meet each entry of those with an even number twice.
    for (let i = 0; i < 2_048; i++) {
      const slot = (i * 2 * 389) % 2_048
      held.set(slot, `entry_${i}`)
      expect(references(reader, entry(slot, `entry_${i}`), 0)).toEqual([atom(`entry_${i}`)])
    }
    expect(held.size).toBe(1_024)
    for (let slot = 0; slot < 2_048; slot++) {
      const text = held.get(slot)
      if (text === undefined) expect(() => references(reader, entry(slot), 0)).toThrow(bad)
      else expect(references(reader, entry(slot), 0)).toEqual([atom(text)])
    }
  })
})
