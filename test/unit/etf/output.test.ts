/** Results of `encode` share slabs, and nothing else. */
import { MessageChannel } from 'node:worker_threads'
import { decode, encode, tuple, type Encodable, type ErlMap } from '../../../src/etf/node.js'

const terms: Encodable[] = [1, 'short', 'x'.repeat(200), 'y'.repeat(1012), 'z'.repeat(1030), tuple('w'.repeat(9000), 1), Array.from({ length: 3000 }, (_, i) => i + 300)] // prettier-ignore

test('no result changes when others are made, whatever their sizes', () => {
  const results: { bytes: Uint8Array; copy: Uint8Array }[] = []
  for (let i = 0; i < 400; i++) {
    const bytes = encode(terms[(i * 5 + (i >> 3)) % terms.length] as Encodable)
    results.push({ bytes, copy: Uint8Array.from(bytes) })
    if (i % 7 === 0) expect(() => encode([1, 'begun', Symbol('x') as never])).toThrow()
  }
  for (const { bytes, copy } of results) expect(Buffer.compare(bytes, copy)).toBe(0)
})

test('a result that is written over leaves the others as they are', () => {
  const [first, second, third] = [encode('first'), encode('second'), encode('third')]
  second.fill(255)
  expect(decode(first, { binaries: 'text' })).toBe('first')
  expect(decode(third, { binaries: 'text' })).toBe('third')
  expect(decode(encode('fourth'), { binaries: 'text' })).toBe('fourth')
})

test('a getter may encode while its object is being encoded', () => {
  const inner: Uint8Array[] = []
  const object = {
    a: 1,
    get b() {
      inner.push(encode('inside'), encode('x'.repeat(20_000)))
      return 'outside'
    },
  }
  const bytes = encode(object)
  const map = decode(bytes, { binaries: 'text' }) as ErlMap<Encodable, Encodable>
  expect([map.get('a'), map.get('b')]).toEqual([1, 'outside'])
  expect(inner.slice(0, 2).map((one) => (decode(one, { binaries: 'text' }) as string).length)).toEqual([6, 20_000]) // prettier-ignore
})

test('memory that results share stays when one is transferred to a worker', () => {
  const small = encode('small')
  const { port1, port2 } = new MessageChannel()
  try {
    // Node 20 leaves out of a transfer what must not be transferred; later releases refuse.
    port1.postMessage(small, [small.buffer as ArrayBuffer])
  } catch (error) {
    expect(error).toMatchObject({ name: 'DataCloneError' })
  }
  port1.close()
  port2.close()
  expect(decode(small, { binaries: 'text' })).toBe('small')
})

test('compressed results stand alone too', () => {
  const before = encode('before')
  const packed = encode('a'.repeat(500), { compressed: true })
  expect(packed[1]).toBe(80)
  expect(encode('b', { compressed: true })[1]).toBe(109)
  expect(decode(packed, { binaries: 'text' })).toBe('a'.repeat(500))
  expect(decode(before, { binaries: 'text' })).toBe('before')
})
