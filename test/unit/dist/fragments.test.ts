import { FragmentAssembler } from '../../../src/dist/fragments.js'
import { atom } from '../../../src/etf/atom.js'
import { fromHex, hex } from '../../support/channels.js'

const limits = { maxFragmentedMessages: 3, maxFragmentedBytes: 10_000 }
const bad = expect.objectContaining({ code: 'DIST_BAD_FRAGMENT' })
const tooMany = expect.objectContaining({ code: 'DIST_TOO_MANY_FRAGMENTS' })

it('puts messages together from fragments that interleave', () => {
  const assembler = new FragmentAssembler(limits)
  const atoms = [atom('ok')]
  assembler.start(1, 3, atoms, fromHex('01'))
  assembler.start(2n ** 60n, 2, [], fromHex('aa'))
  expect(assembler.continue(1, 2, [fromHex('02'), fromHex('')])).toBeUndefined()
  const second = assembler.continue(2n ** 60n, 1, [fromHex('bb'), fromHex('cc')])
  expect(hex(second?.bytes ?? new Uint8Array())).toBe('aabbcc')
  const first = assembler.continue(1, 1, [fromHex('0304')])
  expect(hex(first?.bytes ?? new Uint8Array())).toBe('01020304')
  expect(first?.atoms).toBe(atoms)
  expect([assembler.messages, assembler.bytes]).toEqual([0, 0])
})

it('refuses a fragment that is not the next', () => {
  const assembler = new FragmentAssembler(limits)
  expect(() => assembler.continue(1, 1, [])).toThrow(bad)
  assembler.start(1, 3, [], fromHex('01'))
  expect(() => assembler.start(1, 3, [], fromHex('01'))).toThrow(bad)
  expect(() => assembler.continue(1, 1, [])).toThrow(bad)
  expect(() => assembler.continue(1, 3, [])).toThrow(bad)
  expect(assembler.continue(1, 2, [])).toBeUndefined()
  assembler.continue(1, 1, [])
  expect(() => assembler.continue(1, 0, [])).toThrow(bad)
})

it('may use a sequence id again after its message', () => {
  const assembler = new FragmentAssembler(limits)
  for (let i = 0; i < 5; i++) {
    assembler.start(7, 2, [], fromHex('01'))
    expect(hex(assembler.continue(7, 1, [fromHex('02')])?.bytes ?? new Uint8Array())).toBe('0102')
  }
})

it('holds as many messages as the limit, and no more', () => {
  const assembler = new FragmentAssembler(limits)
  for (let i = 0; i < 3; i++) assembler.start(i, 2, [], fromHex('01'))
  expect(() => assembler.start(3, 2, [], fromHex('01'))).toThrow(tooMany)
})

it('holds as many bytes as the limit, counting each fragment with its overhead, and no more', () => {
  const full = new FragmentAssembler(limits)
  full.start(1, 3, [], new Uint8Array(10_000 - 128))
  expect(full.bytes).toBe(10_000)
  expect(() => full.continue(1, 2, [new Uint8Array(0)])).toThrow(tooMany)
  const tiny = new FragmentAssembler(limits)
  tiny.start(1, 2 ** 40, [], new Uint8Array(0))
  let fragments = 1
  expect(() => {
    for (;;) tiny.continue(1, 2 ** 40 - fragments++, [new Uint8Array(1)])
  }).toThrow(tooMany)
  expect(fragments).toBeLessThan(10_000 / 128 + 1)
})

it('does not keep a chunk alive for a small view of it', () => {
  const assembler = new FragmentAssembler(limits)
  const chunk = new Uint8Array(65_536).fill(5)
  assembler.start(1, 2, [], chunk.subarray(10, 20))
  chunk.fill(6)
  expect(hex(assembler.continue(1, 1, [])?.bytes ?? new Uint8Array())).toBe('05'.repeat(10))
})

it('forgets everything when the connection is gone', () => {
  const assembler = new FragmentAssembler(limits)
  assembler.start(1, 2, [], fromHex('01'))
  assembler.clear()
  expect([assembler.messages, assembler.bytes]).toEqual([0, 0])
})

describe('a short last fragment', () => {
  function assemble(spare: number, last: number): { bytes: Uint8Array; buffer: ArrayBufferLike } {
    const assembler = new FragmentAssembler(limits)
    const memory = new Uint8Array(100 + spare).fill(9)
    const first = memory.subarray(20, 100)
    first.fill(1)
    assembler.start(5, 2, [], first, spare)
    const message = assembler.continue(5, 1, [new Uint8Array(last).fill(2)])
    if (message === undefined) throw new Error('the message is not complete')
    return { bytes: message.bytes, buffer: memory.buffer }
  }

  it('is put after the first where there is room', () => {
    const { bytes, buffer } = assemble(10, 10)
    expect(bytes.buffer).toBe(buffer)
    expect([...bytes]).toEqual([...new Array<number>(80).fill(1), ...new Array<number>(10).fill(2)])
  })

  it('is copied with it where there is one byte less', () => {
    const { bytes, buffer } = assemble(9, 10)
    expect(bytes.buffer).not.toBe(buffer)
    expect([...bytes]).toEqual([...new Array<number>(80).fill(1), ...new Array<number>(10).fill(2)])
  })
})
