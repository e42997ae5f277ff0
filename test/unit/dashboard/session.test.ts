/** A page that reads slowly: it misses states in between, never the newest, and nothing piles up. */
import { EventEmitter } from 'node:events'
import type { WebSocket } from 'ws'
import { Fleet } from '../../../src/dashboard/fleet.js'
import { Mirror } from '../../../src/dashboard/mirror.js'
import {
  DASHBOARD_PROTOCOL,
  decodeMessage,
  encodeMessage,
  type ClientMessage,
  type ServerMessage,
  type ViewRequest,
} from '../../../src/dashboard/protocol.js'
import { Session } from '../../../src/dashboard/session.js'
import type { DashboardSource, ViewValue } from '../../../src/dashboard/source.js'
import { Views } from '../../../src/dashboard/views.js'
import { DEFAULT_LIMITS, type Limits } from '../../../src/limits.js'
import { stateOf } from '../../support/dashboard.js'

/** A connection whose output goes when the test says so. */
class Pipe extends EventEmitter {
  bufferedAmount = 0
  stuck = false
  closedWith: number | undefined
  readonly mirror = new Mirror()
  readonly received: ServerMessage[] = []
  readonly #waiting: { data: Uint8Array; sent: () => void }[] = []

  send(data: Uint8Array, _options: object, sent: () => void): void {
    this.bufferedAmount += data.length
    this.#waiting.push({ data, sent })
    if (!this.stuck) this.flow()
  }

  /** Lets everything that waits go. */
  flow(): void {
    for (const { data, sent } of this.#waiting.splice(0)) {
      this.bufferedAmount -= data.length
      const message = decodeMessage(data) as ServerMessage
      this.received.push(message)
      this.mirror.take(message)
      sent()
    }
  }

  close(code: number): void {
    this.closedWith = code
  }

  say(message: ClientMessage): void {
    if (message.type === 'watch') this.mirror.watch(message.id, message.view)
    this.emit('message', encodeMessage(message), true)
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

function connected(limits: Partial<Limits> = {}, read?: (request: ViewRequest) => Promise<ViewValue>) {
  const all = { ...DEFAULT_LIMITS, ...limits }
  const fleet = new Fleet(all)
  const source: DashboardSource = {
    fleet,
    intervalMs: 1_000,
    now: () => 42,
    view: read ?? (() => Promise.reject(new Error('no view'))),
    close: () => Promise.resolve(),
  }
  const views = new Views({ read: (request) => source.view(request), minIntervalMs: 1 })
  const pipe = new Pipe()
  const session = new Session(pipe as unknown as WebSocket, {
    source,
    views,
    limits: all,
    welcome: () => ({
      type: 'welcome',
      version: DASHBOARD_PROTOCOL,
      session: 's',
      beampeerVersion: '0',
      intervalMs: 1_000,
      allowActions: false,
    }),
    act: () => Promise.reject(new Error('no actions')),
    history: () => true,
    sparks: () => [],
  })
  pipe.say({ type: 'hello', version: DASHBOARD_PROTOCOL })
  const end = () => {
    session.close(1000, '')
    views.close()
  }
  return { fleet, pipe, session, views, end }
}

test('a page that reads is told each change once, however many come in one turn', async () => {
  const { fleet, pipe, end } = connected()
  for (let at = 1; at <= 5; at++) fleet.put(stateOf('a@host', at))
  await turn()
  fleet.put(stateOf('a@host', 5))
  await turn()
  expect(pipe.received.map(({ type }) => type)).toEqual(['welcome', 'status'])
  expect(pipe.mirror.nodes.get('a@host')?.sample?.at).toBe(5)
  end()
})

test('while its output waits above the limit nothing is added; then the newest state comes, and all events', async () => {
  const { fleet, pipe, end } = connected({ maxDashboardQueuedBytes: 1_000 })
  pipe.stuck = true
  for (let at = 1; at <= 1_000; at++) {
    fleet.put(stateOf('a@host', at))
    fleet.event({ at, type: 'linkup', node: 'a@host' })
    if (at === 500) fleet.put(stateOf('gone@host', at))
    await turn()
  }
  fleet.remove('gone@host')
  // One message may go past the limit, the next is not sent.
  expect(pipe.bufferedAmount).toBeLessThan(3_000)
  pipe.stuck = false
  pipe.flow()
  while (pipe.mirror.events.length < 1_000) await turn()
  expect(pipe.mirror.nodes.get('a@host')).toEqual(JSON.parse(JSON.stringify(stateOf('a@host', 1_000))))
  expect(pipe.mirror.nodes.has('gone@host')).toBe(false)
  expect(pipe.mirror.events.map(({ at }) => at)).toEqual(Array.from({ length: 1_000 }, (_, at) => at + 1))
  expect(pipe.received.filter(({ type }) => type === 'status').length).toBeLessThan(20)
  end()
})

test('events come in parts of the limit, and those that are forgotten meanwhile begin anew', async () => {
  const { fleet, pipe, end } = connected({ maxDashboardEvents: 10, maxProbeEvents: 30 })
  for (let at = 0; at < 25; at++) fleet.event({ at, type: 'linkup', node: 'a@host' })
  while (pipe.mirror.events.length < 25) await turn()
  expect(
    pipe.received.flatMap((message) => (message.type === 'events' ? [message.events.length] : [])),
  ).toEqual([10, 10, 5])
  for (let at = 25; at < 100; at++) fleet.event({ at, type: 'linkup', node: 'a@host' })
  while (pipe.mirror.firstEvent !== 90) await turn()
  expect(pipe.mirror.events.map(({ at }) => at)).toEqual([90, 91, 92, 93, 94, 95, 96, 97, 98, 99])
  end()
})

test('a view is told as a delta, an error with it, and its end', async () => {
  const rows = (memory: number) => ({
    node: 'a@host',
    at: memory,
    rows: [
      { port: '#Port<0.1>', name: 'efile', memory },
      { port: '#Port<0.2>', name: 'tcp', memory: 1 },
    ],
    sampled: 2,
    total: 2,
  })
  const answers: (() => ViewValue)[] = [
    () => rows(1) as never,
    () => rows(2) as never,
    () => {
      throw new Error('it is down')
    },
    () => rows(3) as never,
  ]
  const { pipe, views, end } = connected({}, () => Promise.resolve((answers.shift() as () => ViewValue)()))
  const told = () => pipe.received.filter(({ type }) => type === 'view')
  pipe.say({ type: 'watch', id: 7, view: { kind: 'ports', node: 'a@host' } })
  for (let count = 1; count <= 4; count++) {
    while (told().length < count) await turn()
    views.refresh('a@host')
  }
  pipe.say({ type: 'unwatch', id: 7 })
  expect(told()).toEqual([
    { type: 'view', id: 7, patch: { node: 'a@host', at: 1, sampled: 2, total: 2 }, rows: expect.anything() },
    { type: 'view', id: 7, patch: { at: 2 }, rows: { rows: [['#Port<0.1>', { memory: 2 }]] } },
    { type: 'view', id: 7, error: { code: 'DASHBOARD_FAILED', message: 'it is down' } },
    { type: 'view', id: 7, patch: { at: 3 }, rows: { rows: [['#Port<0.1>', { memory: 3 }]] } },
  ])
  expect(pipe.mirror.view(7)).toEqual({ request: { kind: 'ports', node: 'a@host' }, value: rows(3) })
  expect(views.size).toBe(0)
  end()
})
