/**
 * Two channels on virtual time: whatever is sent, however the bytes are cut, and whenever the connection is lost, signals
 * of one sender arrive in order, none is lost or made up while the connection lasts, queues are bounded, and nothing is
 * left over.
 */
import fc from 'fast-check'
import { FRAME_FORMS } from '../support/channels.js'
import { World } from './world.js'

type Step =
  | { do: 'send'; which: number; sender: number; kind: number; size: number }
  | { do: 'broken'; which: number; sender: number }
  | { do: 'take'; which: number; bytes: number }
  | { do: 'write' | 'deliverAll'; which: number }
  | { do: 'deliver'; which: number; bytes: number; inPlace: boolean }
  | { do: 'pass' }

const which = fc.integer({ min: 0, max: 1 })
const sender = fc.integer({ min: 1, max: 5 })
const chunk = fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 200_000 }))
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      which,
      sender,
      kind: fc.nat(6),
      size: fc.nat(8),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('broken' as const), which, sender }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('take' as const), which, bytes: chunk }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('write' as const), which }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('deliver' as const), which, bytes: chunk, inPlace: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('deliverAll' as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pass' as const) }) },
)

function run(world: World, one: Step): void {
  switch (one.do) {
    case 'send':
      return world.side(one.which).send(one.sender, one.kind, one.size)
    case 'broken':
      return world.side(one.which).sendBroken(one.sender)
    case 'take':
      return void world.side(one.which).take(one.bytes)
    case 'write':
      return void world.write(one.which)
    case 'deliver':
      return void world.deliver(one.which, one.bytes, one.inPlace)
    case 'deliverAll':
      while (world.deliver(one.which, 1e9));
      return
    case 'pass':
      return world.pass()
  }
}

const parameters = { seed: 20_250_101 }

describe.each(FRAME_FORMS)('two channels whose frames are %s', (_name, features) => {
  it('lose nothing and reorder nothing of one sender', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: 'max' }), (steps) => {
        const world = new World(features)
        for (const one of steps) run(world, one)
        world.settle()
        expect(world.problems(false)).toEqual([])
      }),
      { ...parameters, numRuns: 150 },
    )
  })

  it('hold nothing when the connection is lost, at any step', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }), (steps) => {
        for (let lost = 0; lost <= steps.length; lost += 3) {
          const world = new World(features)
          steps.forEach((one, at) => {
            if (at === lost) world.lose()
            else if (at < lost) run(world, one)
          })
          world.lose()
          expect(world.problems(true)).toEqual([])
          // What a closed channel is told has no effect.
          const { a, b } = world
          a.channel.written(1_000)
          b.channel.receive(new Uint8Array(10), 0)
          expect([a.channel.queuedBytes, b.channel.takeOutput(), a.channel.tick(1e9)]).toEqual([
            0,
            undefined,
            'idle',
          ])
        }
      }),
      { ...parameters, numRuns: 100 },
    )
  })
})

it('a thousand signals of mixed sizes go both ways while both peers write and read in small steps', () => {
  const world = new World({})
  for (let i = 0; i < 1_000; i++) {
    for (const side of [0, 1]) {
      world.side(side).send(1 + (i % 4), i % 7, i % 97 === 0 ? 9 : i % 31 === 0 ? 6 : i % 5)
      world.side(side).take(20_000)
      world.write(side)
      world.deliver(side, 9_999)
    }
    if (i % 50 === 0) world.pass()
  }
  world.settle()
  expect(world.problems(false)).toEqual([])
  expect(world.silent.size).toBe(0)
  expect([...world.a.received.values()].reduce((sum, list) => sum + list.length, 0)).toBeGreaterThan(900)
})

it('a peer that neither reads nor writes is silent after the tick time, and its output stays bounded', () => {
  const world = new World({})
  for (let i = 0; i < 500; i++) world.a.send(1, 0, 8)
  for (let i = 0; i < 6; i++) world.pass()
  expect(world.silent.has(world.a)).toBe(true)
  expect(world.a.channel.queuedBytes).toBeLessThan(1_000_000)
  expect(world.a.problems).toEqual([])
})
