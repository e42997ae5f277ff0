import { Fleet } from '../../../src/dashboard/fleet.js'
import { floats64 } from '../../../src/dashboard/protocol.js'
import { DEFAULT_LIMITS } from '../../../src/limits.js'
import { stateOf } from '../../support/dashboard.js'

const points = (fleet: Fleet, node: string): number =>
  floats64(
    fleet.history(node)?.slice(node, { columns: [], from: 0, to: Infinity, points: 1_000 }).at ??
      new Uint8Array(),
  ).length

function told(fleet: Fleet): string[] {
  const all: string[] = []
  fleet.listen({
    changed: (node) => void all.push(node),
    event: ({ type }) => void all.push(type),
    reset: () => void all.push('reset'),
  })
  return all
}

test('nodes up to the limit; one past it is not shown and costs nothing', () => {
  const fleet = new Fleet({ ...DEFAULT_LIMITS, maxDashboardNodes: 2 })
  const all = told(fleet)
  for (const node of ['a@h', 'b@h', 'c@h', 'a@h']) fleet.put(stateOf(node, 1_000))
  expect([...fleet.states.keys()]).toEqual(['a@h', 'b@h'])
  expect(fleet.history('c@h')).toBeUndefined()
  expect(all).toEqual(['a@h', 'b@h', 'a@h'])
  fleet.remove('a@h')
  fleet.put(stateOf('c@h', 2_000))
  expect([...fleet.states.keys()]).toEqual(['b@h', 'c@h'])
})

test('each sample is in the history once, and a fall is a gap', () => {
  const fleet = new Fleet(DEFAULT_LIMITS)
  const state = stateOf('a@h', 1_000)
  fleet.put(state)
  // Its error changed, not its figures.
  fleet.put({ ...state, error: 'slow' })
  expect(points(fleet, 'a@h')).toBe(1)
  fleet.put({ ...state, status: 'down', since: 2_000 })
  fleet.put({ ...state, status: 'down', since: 2_000, error: 'still' })
  expect(points(fleet, 'a@h')).toBe(2)
  fleet.remove('a@h')
  expect(fleet.history('a@h')).toBeUndefined()
})

test('events are numbered, and only so many are kept', () => {
  const fleet = new Fleet({ ...DEFAULT_LIMITS, maxProbeEvents: 3 })
  for (let at = 0; at < 4; at++) fleet.event({ at, type: 'linkup', node: 'a@h' })
  expect(fleet.nextEvent).toBe(4)
  expect(fleet.events(0, 10)).toMatchObject({ firstEvent: 1, events: [{ at: 1 }, { at: 2 }, { at: 3 }] })
  expect(fleet.events(2, 3)).toMatchObject({ firstEvent: 2, events: [{ at: 2 }] })
  expect(fleet.events(-5, 0).events).toEqual([])
})

test('a replay that goes elsewhere has other states and events, and the same histories', () => {
  const fleet = new Fleet(DEFAULT_LIMITS, false)
  const all = told(fleet)
  fleet.put(stateOf('a@h', 1_000))
  expect(fleet.history('a@h')).toBeUndefined()
  fleet.reset([stateOf('b@h', 5_000)], [{ at: 1, type: 'nodeup', node: 'b@h' }])
  expect([...fleet.states.keys()]).toEqual(['b@h'])
  expect(fleet.nextEvent).toBe(1)
  expect(all).toEqual(['a@h', 'reset'])
})
