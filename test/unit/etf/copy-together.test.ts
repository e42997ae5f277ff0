import { decode, encode, isEqual } from '../../../src/etf/node.js'
import { Reader } from '../../../src/etf/reader.js'
import type { Term } from '../../../src/etf/terms.js'
import { tuple } from '../../../src/etf/tuple.js'

const bytes = (length: number): Uint8Array => new Uint8Array(length).map((_, at) => at % 251)

describe('binaries that are copied together', () => {
  const term = tuple(
    'a',
    bytes(64),
    bytes(65),
    [bytes(100), 7, bytes(5_000)],
    new Map([[bytes(70), bytes(80)]]),
  )
  const encoded = encode(term)

  it('have nothing of the input, and one memory', () => {
    const input = new Uint8Array(encoded.length + 20)
    input.set(encoded, 13)
    const reader = new Reader(input, 14, 13 + encoded.length, { copy: 'together' })
    const read = reader.readTerm() as ReturnType<typeof tuple>
    input.fill(0xee)
    expect(isEqual(read, decode(encoded))).toBe(true)
    const [, , first, list] = read.elements as [Term, Term, Uint8Array, [Uint8Array, Term, Uint8Array]]
    expect(first.buffer).not.toBe(input.buffer)
    expect([list[0].buffer, list[2].buffer]).toEqual([first.buffer, first.buffer])
    expect(first.buffer.byteLength).toBeLessThan(encoded.length)
  })

  it('are so in each term that follows in the same input', () => {
    const two = new Uint8Array([...encoded.subarray(1), ...encoded.subarray(1)])
    const reader = new Reader(two, 0, two.length, { copy: 'together' })
    const [one, other] = [reader.readTerm(), reader.readTerm()]
    two.fill(0)
    for (const read of [one, other]) expect(isEqual(read, decode(encoded))).toBe(true)
  })
})
