import { expectedBytes, FragmentAssembler } from '../../../src/dist/fragments.js'
import { GatheringMemory, SPARE_BYTES } from '../../../src/dist/gathering.js'
import { atom } from '../../../src/etf/atom.js'
import { fromHex, hex } from '../../support/channels.js'

const allocated: number[] = []
const allocate = (bytes: number) => {
  allocated.push(bytes)
  return new Uint8Array(bytes)
}
const limits = { maxFragmentedMessages: 3, maxFragmentedBytes: 10_000 }
const bad = expect.objectContaining({ code: 'DIST_BAD_FRAGMENT' })
const tooMany = expect.objectContaining({ code: 'DIST_TOO_MANY_FRAGMENTS' })

function assemblerOf(maxClaimedBytes = 1_000_000) {
  const assembler = new FragmentAssembler(limits, new GatheringMemory(maxClaimedBytes, allocate))
  /** A whole later fragment; the message in hex when it was the last. */
  const later = (sequenceId: number | bigint, fragmentId: number, ...pieces: Uint8Array[]) => {
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
    const gathering = assembler.continue(sequenceId, fragmentId, bytes)
    for (const piece of pieces) gathering.add(piece)
    const message = assembler.arrived(sequenceId)
    return message && { text: hex(message.bytes.subarray(message.start, message.end)), atoms: message.atoms }
  }
  return { assembler, later }
}

beforeEach(() => (allocated.length = 0))

it('puts messages together from fragments that interleave', () => {
  const { assembler, later } = assemblerOf()
  const atoms = [atom('ok')]
  assembler.start(1, 3, atoms, fromHex('01'))
  assembler.start(2n ** 60n, 2, [], fromHex('aa'))
  expect(later(1, 2, fromHex('02'), fromHex(''))).toBeUndefined()
  expect(later(2n ** 60n, 1, fromHex('bb'), fromHex('cc'))?.text).toBe('aabbcc')
  const first = later(1, 1, fromHex('0304'))
  expect(first?.text).toBe('01020304')
  expect(first?.atoms).toBe(atoms)
  expect([assembler.messages, assembler.bytes]).toEqual([0, 0])
})

it('refuses a fragment that is not the next', () => {
  const { assembler, later } = assemblerOf()
  expect(() => later(1, 1)).toThrow(bad)
  assembler.start(1, 3, [], fromHex('01'))
  expect(() => assembler.start(1, 3, [], fromHex('01'))).toThrow(bad)
  expect(() => later(1, 1)).toThrow(bad)
  expect(() => later(1, 3)).toThrow(bad)
  expect(later(1, 2)).toBeUndefined()
  later(1, 1)
  expect(() => later(1, 0)).toThrow(bad)
})

it('may use a sequence id again after its message', () => {
  const { assembler, later } = assemblerOf()
  for (let i = 0; i < 5; i++) {
    assembler.start(7, 2, [], fromHex('01'))
    expect(later(7, 1, fromHex('02'))?.text).toBe('0102')
  }
})

it('holds as many messages as the limit, and no more', () => {
  const { assembler } = assemblerOf()
  for (let i = 0; i < 3; i++) assembler.start(i, 2, [], fromHex('01'))
  expect(() => assembler.start(3, 2, [], fromHex('01'))).toThrow(tooMany)
})

it('holds as many bytes as the limit, counting each fragment with its overhead, and no more', () => {
  const { assembler: full, later } = assemblerOf()
  full.start(1, 3, [], new Uint8Array(10_000 - 128))
  expect(full.bytes).toBe(10_000)
  expect(() => later(1, 2, new Uint8Array(0))).toThrow(tooMany)
  const { assembler: tiny, later: laterTiny } = assemblerOf()
  tiny.start(1, 2 ** 40, [], new Uint8Array(0))
  let fragments = 1
  expect(() => {
    for (;;) laterTiny(1, 2 ** 40 - fragments++, new Uint8Array(1))
  }).toThrow(tooMany)
  expect(fragments).toBeLessThan(10_000 / 128 + 1)
})

it('keeps nothing of what is lent', () => {
  const { assembler, later } = assemblerOf()
  const chunk = new Uint8Array(65_536).fill(5)
  assembler.start(1, 2, [], chunk.subarray(10, 20))
  chunk.fill(6)
  expect(later(1, 1)?.text).toBe('05'.repeat(10))
})

it('forgets everything when the connection is gone', () => {
  const { assembler } = assemblerOf()
  assembler.start(1, 2, [], fromHex('01'))
  assembler.clear()
  expect([assembler.messages, assembler.bytes]).toEqual([0, 0])
})

describe('memory', () => {
  const first = new Uint8Array(4_000).fill(1)

  it('is asked for once, as much as the number of fragments says', () => {
    const { assembler, later } = assemblerOf()
    assembler.start(1, 2, [], first)
    expect(later(1, 1, new Uint8Array(1_024).fill(2))?.text).toBe('01'.repeat(4_000) + '02'.repeat(1_024))
    expect(allocated).toEqual([expectedBytes(4_000, 2)])
    expect(expectedBytes(4_000, 2)).toBe(4_000 + SPARE_BYTES)
    expect(expectedBytes(4_000, 10)).toBe(40_000)
    expect(expectedBytes(70_000, 10)).toBe(70_000 + 9 * 65_536)
    expect(expectedBytes(70_000, 1)).toBe(70_000)
  })

  it('grows when more comes than that', () => {
    const { assembler, later } = assemblerOf()
    assembler.start(1, 2, [], first)
    expect(later(1, 1, new Uint8Array(1_025).fill(2))?.text).toBe('01'.repeat(4_000) + '02'.repeat(1_025))
    expect(allocated).toHaveLength(2)
  })

  it('is not asked for on a claim above maxClaimedBytes, and is again when claims are settled', () => {
    const { assembler, later } = assemblerOf(10_000)
    assembler.start(1, 2, [], first)
    expect(allocated).toEqual([5_024])
    assembler.start(2, 2, [], first)
    expect(allocated).toEqual([5_024, 0, 4_000])
    expect(later(2, 1, fromHex('02'))?.text).toBe('01'.repeat(4_000) + '02')
    expect(later(1, 1, fromHex('02'))?.text).toBe('01'.repeat(4_000) + '02')
    allocated.length = 0
    assembler.start(1, 2, [], first)
    assembler.clear()
    assembler.start(1, 2, [], first)
    expect(allocated).toEqual([5_024, 5_024])
  })

  it('of exactly maxClaimedBytes is believed, of one more is not', () => {
    assemblerOf(5_024).assembler.start(1, 2, [], first)
    assemblerOf(5_023).assembler.start(1, 2, [], first)
    expect(allocated).toEqual([5_024, 0, 4_000])
  })
})
