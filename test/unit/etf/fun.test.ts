/** Funs compare, index and print as the other identities do. */
import { atom, ExportFun, Fun, Pid, Port, print, Reference, type Term } from '../../../src/etf/node.js'
import { internAtom } from '../../../src/etf/atom.js'

const node = internAtom('a@b')
const pid = new Pid(node, 1, 2, 3)

function fun(changes: { index?: number; free?: Term[]; uniq?: number } = {}): Fun {
  const uniq = new Uint8Array(16).fill(changes.uniq ?? 0)
  return new Fun(atom('m'), 2, uniq, changes.index ?? 3, 4, 77, pid, changes.free ?? [[1, 2], 'x' as never])
}

const identities = [
  () => fun(),
  () => fun({ free: [[1, 3]] }),
  () => fun({ index: 4 }),
  () => fun({ uniq: 1 }),
  () => new ExportFun(atom('m'), atom('f'), 1),
  () => new ExportFun(atom('m'), atom('f'), 2),
  () => new ExportFun(atom('m'), atom('g h'), 1),
  () => pid,
  () => new Port(node, 1, 3),
  () => new Reference(node, 3, [1, 2, 3]),
]

test('equals and key tell each from all others', () => {
  identities.forEach((one, i) => {
    identities.forEach((other, k) => {
      expect(one().equals(other())).toBe(i === k)
      expect(one().key === other().key).toBe(i === k)
    })
    expect(one().equals('x')).toBe(false)
  })
})

test('toString is what the shell prints', () => {
  expect(fun().toString()).toBe('#Fun<m.4.77>')
  expect(`${new ExportFun(atom('m'), atom('f'), 1)}`).toBe('fun m:f/1')
  expect(`${new ExportFun(atom('true'), atom('g h'), 0)}`).toBe("fun true:'g h'/0")
  for (const identity of identities) expect(identity().toString()).toBe(print(identity()))
})
