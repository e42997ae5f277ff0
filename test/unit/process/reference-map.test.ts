import fc from 'fast-check'
import { internAtom } from '../../../src/etf/atom.js'
import { Reference } from '../../../src/etf/identifiers.js'
import { IdAllocator } from '../../../src/process/ids.js'
import { ReferenceMap } from '../../../src/process/reference-map.js'

const NODE = internAtom('one@host')

const equalTo = ({ node, creation, words }: Reference) => new Reference(node, creation, [...words])

function made(count: number, ids = new IdAllocator(NODE, 7)): Reference[] {
  return Array.from({ length: count }, () => ids.nextReference())
}

test('is like a Map by the key of a reference, whatever is put in and taken out', () => {
  const words = fc.oneof(fc.nat(40), fc.nat(2 ** 18 - 1))
  const operation = fc.tuple(
    fc.constantFrom('set', 'set', 'take', 'delete', 'get', 'clear'),
    words,
    fc.nat(2),
  )
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 300 }), (operations) => {
      const map = new ReferenceMap<{ n: number }>()
      const model = new Map<string, { n: number }>()
      operations.forEach(([what, first, second], n) => {
        if (what === 'clear' && first % 10 > 0) return
        const ref = new Reference(NODE, 7, [first, second, 0])
        if (what === 'set') {
          map.set(ref, { n })
          model.set(ref.key, { n })
        } else if (what === 'take') {
          expect(map.take(ref)).toEqual(model.get(ref.key))
          model.delete(ref.key)
        } else if (what === 'delete') expect(map.delete(ref)).toBe(model.delete(ref.key))
        else if (what === 'get') expect(map.get(ref)).toEqual(model.get(ref.key))
        else {
          map.clear()
          model.clear()
        }
        expect(map.size).toBe(model.size)
      })
      const byNumber = (a: { n: number }, b: { n: number }) => a.n - b.n
      expect(map.values().sort(byNumber)).toEqual([...model.values()].sort(byNumber))
      for (const ref of map.references()) expect(map.get(equalTo(ref))).toEqual(model.get(ref.key))
    }),
  )
})

test('a reference is found by its value; one of another node, creation, length or words is not', () => {
  const map = new ReferenceMap<object>()
  const ref = new Reference(NODE, 7, [1, 2, 3])
  map.set(ref, { mine: true })
  expect(map.get(equalTo(ref))).toEqual({ mine: true })
  for (const other of [
    new Reference(internAtom('two@host'), 7, [1, 2, 3]),
    new Reference(NODE, 8, [1, 2, 3]),
    new Reference(NODE, 7, [1, 2]),
    new Reference(NODE, 7, [1, 2, 4]),
    new Reference(NODE, 7, [1, 4, 3]),
    new Reference(NODE, 7, []),
  ]) {
    expect(map.get(other)).toBeUndefined()
    expect(map.take(other)).toBeUndefined()
  }
  expect(map.size).toBe(1)
})

test('values and references are in the order in which the references were made, over an overflow of the first word', () => {
  const refs = made(300, new IdAllocator(NODE, 7, 1, [5, 6], 2 ** 18 - 100))
  const map = new ReferenceMap<{ at: number }>()
  const order = refs.map((_ref, at) => (at * 101) % refs.length)
  for (const at of order) map.set(refs[at] as Reference, { at })
  expect(map.references()).toEqual(refs)
  expect(map.values()).toEqual(refs.map((_ref, at) => ({ at })))
})

test('what is taken while values are gone through changes nothing of them', () => {
  const map = new ReferenceMap<Reference>()
  const refs = made(100)
  for (const ref of refs) map.set(ref, ref)
  for (const ref of map.values()) expect(map.take(ref)).toBe(ref)
  expect(map.size).toBe(0)
})

test('some under way at a time, very many in all: none is lost, and it is empty in the end', () => {
  const map = new ReferenceMap<Reference>()
  const ids = new IdAllocator(NODE, 7, 1, [5, 6])
  const waiting: Reference[] = []
  for (let i = 0; i < 300_000; i++) {
    const ref = ids.nextReference()
    map.set(ref, ref)
    waiting.push(ref)
    if (waiting.length < 1_500) continue
    // The answers come in another order than the questions went out.
    for (const one of waiting.splice(700, 800)) if (map.take(equalTo(one)) !== one) throw new Error(one.key)
  }
  for (const one of waiting) if (map.take(equalTo(one)) !== one) throw new Error(one.key)
  expect(map.size).toBe(0)
  expect(map.values()).toEqual([])
})
