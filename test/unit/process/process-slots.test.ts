import { internAtom } from '../../../src/etf/atom.js'
import { IdAllocator, pidNumber } from '../../../src/process/ids.js'
import type { Process } from '../../../src/process/process.js'
import { ProcessSlots } from '../../../src/process/process-slots.js'

const NODE = internAtom('slots@host')

/** Makes processes as a table does. */
function spawner(start: number) {
  const ids = new IdAllocator(NODE, 1, start)
  const slots = new ProcessSlots()
  const spawn = (): Process => {
    slots.makeRoom()
    const process = { pid: ids.nextPid(slots.isTaken) } as Process
    slots.add(process)
    return process
  }
  return { slots, spawn }
}

describe('places of processes', () => {
  test.each([
    ['from the first on', 1],
    ['where numbers begin again', 2 ** 28 - 20_000],
  ])('each is found by its number alone, however many come and go, %s', (_what, start) => {
    const { slots, spawn } = spawner(start)
    let seed = 5
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
    const alive = new Map<number, Process>()
    const gone: number[] = []
    for (let step = 0; step < 60_000; step++) {
      const grows = step % 10_000 < 5000
      if (alive.size === 0 || random(100) < (grows ? 60 : 45)) {
        const process = spawn()
        expect(alive.has(pidNumber(process.pid))).toBe(false)
        alive.set(pidNumber(process.pid), process)
      } else {
        const at = random(Math.min(alive.size, 50))
        const number = [...alive.keys()].slice(0, 50)[at]
        slots.delete(alive.get(number)!)
        alive.delete(number)
        gone.push(number)
      }
      const one = gone[random(gone.length + 1)]
      if (one !== undefined) expect(slots.get(one)).toBe(alive.get(one))
    }
    expect(slots.size).toBe(alive.size)
    for (const [number, process] of alive) expect(slots.get(number)).toBe(process)
    expect(slots.all()).toEqual([...alive.values()].sort((a, b) => pidNumber(a.pid) - pidNumber(b.pid)))
  })

  test('numbers follow each other while their places are free', () => {
    const { slots, spawn } = spawner(60)
    const first = spawn()
    const numbers = []
    for (let i = 0; i < 70; i++) {
      const process = spawn()
      numbers.push(pidNumber(process.pid))
      slots.delete(process)
    }
    // 124 has the place of 60, which lives.
    expect(numbers).toEqual(
      [...Array(63).keys()].map((i) => 61 + i).concat([125, 126, 127, 128, 129, 130, 131]),
    )
    expect(slots.all()).toEqual([first])
  })

  test('numbers that are no pid’s of this node are nobody’s', () => {
    const { slots, spawn } = spawner(1)
    const { pid } = spawn()
    expect(slots.get(pidNumber(pid) + 64)).toBeUndefined()
    expect(slots.get(pidNumber(pid) + 2 ** 32)).toBeUndefined()
    expect(slots.get(2 ** 46)).toBeUndefined()
  })
})
