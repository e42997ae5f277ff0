import { internAtom } from '../../../src/etf/atom.js'
import { Pid, Reference } from '../../../src/etf/identifiers.js'
import { referenceMapKey } from '../../../src/process/ids.js'
import { Relations } from '../../../src/process/relations.js'
import type { Process } from '../../../src/process/process.js'
import { Watchers } from '../../../src/process/watchers.js'

const node = (name: string) => internAtom(`${name}@there`)
const pid = new Pid(node('a'), 1, 0, 1)
const reference = (word: number) => new Reference(node('a'), 1, [word, 0, 0])
const monitor = (word: number) => ({ ref: reference(word), watcher: pid, name: undefined, held: undefined })

describe('watchers of a process', () => {
  const words = (watchers: Watchers) => watchers.values().map(({ ref }) => ref.words[0])
  const make = () => new Watchers({ referenceKey: referenceMapKey })

  test('are found by equal references, one or many, and keep their order', () => {
    const watchers = make()
    expect(words(watchers)).toEqual([])
    watchers.add(monitor(1))
    watchers.delete(reference(2))
    expect(words(watchers)).toEqual([1])
    watchers.add(monitor(2))
    watchers.add(monitor(3))
    expect(words(watchers)).toEqual([1, 2, 3])
    watchers.delete(reference(1))
    watchers.add(monitor(4))
    expect(words(watchers)).toEqual([2, 3, 4])
    for (const word of [2, 3, 4]) watchers.delete(reference(word))
    expect(words(watchers)).toEqual([])
    watchers.add(monitor(5))
    expect(words(watchers)).toEqual([5])
  })

  test('one with an equal reference takes the place of the other', () => {
    const watchers = make()
    const other = { ...monitor(1), name: internAtom('name') }
    watchers.add(monitor(1))
    watchers.add(other)
    expect(watchers.values()).toEqual([other])
    watchers.add(monitor(2))
    watchers.add(monitor(1))
    expect(watchers.values()).toEqual([monitor(1), monitor(2)])
    watchers.delete(reference(1))
    watchers.delete(reference(1))
    expect(words(watchers)).toEqual([2])
  })

  test('what was asked for stays when one is taken away', () => {
    const watchers = make()
    watchers.add(monitor(1))
    watchers.add(monitor(2))
    const all = watchers.values()
    for (const { ref } of all) watchers.delete(ref)
    expect(all).toHaveLength(2)
  })
})

describe('relations of processes to nodes', () => {
  test('any order of relating, ending and losing nodes leaves those that are', () => {
    const random = (() => {
      let seed = 7
      return (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below
    })()
    const relations = new Relations()
    const nodes = ['a', 'b', 'c', 'd'].map(node)
    const expected = new Map(nodes.map((one) => [one, new Set<Process>()]))
    let processes = Array.from({ length: 20 }, () => ({ relatedAt: 0 }) as Process)
    for (let step = 0; step < 20_000; step++) {
      const process = processes[random(processes.length)]
      const one = nodes[random(nodes.length)]
      const what = random(100)
      if (what < 70) {
        relations.relate(process, one)
        expected.get(one)?.add(process)
      } else if (what < 97) {
        relations.forget(process)
        for (const set of expected.values()) set.delete(process)
        processes = [...processes.filter((other) => other !== process), { relatedAt: 0 } as Process]
      } else {
        expect(new Set(relations.take(one))).toEqual(expected.get(one))
        expected.set(one, new Set())
      }
    }
    for (const one of nodes) expect(new Set(relations.take(one))).toEqual(expected.get(one))
  })
})
