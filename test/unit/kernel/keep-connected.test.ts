/** Keeping a peer connected, on virtual time: back-off, jitter, restarts, the end. */
import { internAtom } from '../../../src/etf/atom.js'
import {
  KeptConnection,
  type KeepConnectedOptions,
  type Reconnecting,
} from '../../../src/kernel/keep-connected.js'
import type { Peer } from '../../../src/kernel/peers.js'
import { VirtualLoop } from './support.js'

const NODE = internAtom('peer@h')

function make(options: KeepConnectedOptions = {}, random = 1) {
  const loop = new VirtualLoop()
  const listeners = new Set<Parameters<Reconnecting['onNodeStatus']>[0]>()
  const world = { dials: 0, creation: undefined as number | undefined, reachable: false, nextCreation: 10 }
  const announce = (type: 'nodeup' | 'nodedown') => {
    world.creation = type === 'nodeup' ? world.nextCreation : undefined
    for (const listener of listeners) listener({ type, node: NODE })
  }
  const kernel: Reconnecting = {
    connect: () => {
      world.dials++
      if (!world.reachable) return Promise.reject(new Error('unreachable'))
      announce('nodeup')
      return Promise.resolve()
    },
    peer: () =>
      world.creation === undefined ? undefined : ({ link: { peerCreation: world.creation } } as Peer),
    onNodeStatus: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    random: () => random,
    limits: { reconnectMinMs: 100, reconnectMaxMs: 1_000 },
  }
  const log: string[] = []
  const kept = new KeptConnection(
    kernel,
    NODE,
    {
      onUp: ({ creation, restarted }) => log.push(`up ${creation}${restarted ? ' restarted' : ''}`),
      onDown: ({ error, retryInMs }) => log.push(`${error?.message ?? 'down'} ${retryInMs}`),
      ...options,
    },
    loop,
  )
  return { loop, world, log, kept, announce, listeners }
}

test('pauses double up to the longest, between half and whole by chance', async () => {
  const { loop, log, world, kept } = make()
  await loop.advance(10_000)
  expect(log.slice(0, 6)).toEqual([100, 200, 400, 800, 1_000, 1_000].map((pause) => `unreachable ${pause}`))
  const dials = world.dials
  kept.stop()
  await loop.advance(10_000)
  expect(world.dials).toBe(dials)
  expect(loop.timers).toBe(0)
  const low = make({}, 0)
  await low.loop.advance(100)
  expect(low.log.slice(0, 2)).toEqual(['unreachable 50', 'unreachable 100'])
})

test('once up the pauses begin anew; another incarnation is told', async () => {
  const { loop, log, world, announce } = make()
  await loop.advance(150)
  world.reachable = true
  await loop.advance(1_000)
  announce('nodedown')
  world.nextCreation = 11
  await loop.advance(100)
  announce('nodedown')
  await loop.advance(100)
  expect(log).toEqual([
    'unreachable 100',
    'unreachable 200',
    'up 10',
    'down 100',
    'up 11 restarted',
    'down 100',
    'up 11',
  ])
})

test('a connection that is there already is taken as it is; an abort lets go', async () => {
  const abort = new AbortController()
  const { loop, log, world, announce, kept, listeners } = make({ signal: abort.signal })
  await loop.settle()
  announce('nodeup')
  expect(kept.connected).toBe(true)
  abort.abort()
  announce('nodedown')
  const dials = world.dials
  await loop.advance(10_000)
  expect([world.dials, listeners.size]).toEqual([dials, 0])
  expect(log).toEqual(['unreachable 100', 'up 10'])
})
