/** Pid and reference numbers: bounds of every release, wrapping, names that change. */
import { internAtom } from '../../../src/etf/atom.js'
import { Reference } from '../../../src/etf/identifiers.js'
import { referenceMapKey, IdAllocator, pidNumber } from '../../../src/process/ids.js'

const NODE = internAtom('n@h')

test('pids stay within 15 bits of id and 13 of serial, and wrap without meeting a live one', () => {
  const last = 2 ** 28 - 1
  const ids = new IdAllocator(NODE, 7, last - 1)
  const live = new Set<number>([last, 0, 1])
  const first = ids.nextPid((number) => live.has(number))
  expect([first.id, first.serial]).toEqual([32_766, 8_191])
  const next = ids.nextPid((number) => live.has(number))
  expect([next.id, next.serial, pidNumber(next)]).toEqual([2, 0, 2])
})

test('references have three words, the first of 18 bits, and carry into the next', () => {
  const ids = new IdAllocator(NODE, 7, 1, [2 ** 32 - 1, 5], 2 ** 18 - 2)
  expect(ids.nextReference().words).toEqual([2 ** 18 - 1, 2 ** 32 - 1, 5])
  expect(ids.nextReference().words).toEqual([0, 0, 6])
})

test('keys of references differ as the references do, before and after a change of name', () => {
  const ids = new IdAllocator(NODE, 7, 1, [3, 4])
  const [one, two] = [ids.nextReference(), ids.nextReference()]
  const foreign = new Reference(internAtom('m@h'), 7, one.words)
  const earlier = new Reference(NODE, 6, one.words)
  const keys = [one, two, foreign, earlier].map((ref) => ids.referenceKey(ref))
  expect(new Set(keys).size).toBe(4)
  const renamed = ids.renamed(internAtom('k@h'), 9, 4)
  expect(renamed.referenceKey(one)).toBe(ids.referenceKey(one))
  expect(new Set([one, foreign, renamed.nextReference()].map((ref) => renamed.referenceKey(ref))).size).toBe(
    3,
  )
})

test('the map key of a reference is that of equal ones only, of any number of words', () => {
  const edge = [0, 1, 0xffff, 0x1_0000, 2 ** 32 - 1]
  const references = ['a@h', '\u0003a@h', 'm@h'].flatMap((name) =>
    edge.flatMap((creation) => [
      ...edge.map((word) => new Reference(internAtom(name), creation, [word])),
      ...edge.flatMap((word) =>
        edge.map((other) => new Reference(internAtom(name), creation, [word, other, 5])),
      ),
      ...edge.map((word) => new Reference(internAtom(name), creation, [5, word, word, 1, word])),
    ]),
  )
  const keys = new Set(references.map(referenceMapKey))
  expect(keys.size).toBe(references.length)
  expect(new Set(references.map(({ key }) => key)).size).toBe(references.length)
  for (const { node, creation, words } of references)
    expect(keys.has(referenceMapKey(new Reference(node, creation, [...words])))).toBe(true)
})

test('zeros at the end of a reference change none of its keys', () => {
  const of = (...words: number[]) => new Reference(internAtom('a@h'), 7, words)
  for (const key of [referenceMapKey, (ref: Reference) => ref.key]) {
    for (const same of [of(5, 0), of(5, 0, 0), of(5, 0, 0, 0), of(5, 0, 0, 0, 0)]) {
      expect(key(same)).toBe(key(of(5)))
      expect(same.equals(of(5)) && of(5).equals(same)).toBe(true)
    }
    expect(key(of(0, 0, 0))).toBe(key(of(0)))
    expect(key(of(0, 5))).not.toBe(key(of(5)))
  }
})

test('a node knows its own under its earlier names, as many as it is told to', () => {
  let ids = new IdAllocator(NODE, 0)
  const pid = ids.nextPid(() => false)
  ids = ids.renamed(internAtom('one@h'), 1, 2)
  expect(ids.canonical(pid)).toMatchObject({ node: internAtom('one@h'), creation: 1, id: pid.id })
  expect(ids.owns(NODE, 0)).toBe(true)
  expect(ids.owns(NODE, 1)).toBe(false)
  ids = ids.renamed(internAtom('two@h'), 1, 2).renamed(internAtom('three@h'), 1, 2)
  expect(ids.isThisNode(NODE)).toBe(false)
  expect(ids.isThisNode(internAtom('one@h'))).toBe(true)
  expect(ids.canonical(pid)).toBe(pid)
})
