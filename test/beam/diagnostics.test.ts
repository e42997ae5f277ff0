/** What `node:diagnostics_channel` tells of a node: connections, calls in both directions, drops. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { CallEvent, ConnectionEvent, DropEvent, ServedEvent } from '../../src/index.js'
import { startBeam, until } from '../support/beam.js'
import { startNode } from '../support/nodes.js'

/** Events of a channel, from now until the end of the test. */
function follow<Event>(channel: string): Event[] {
  const events: Event[] = []
  const listener = (event: unknown) => void events.push(event as Event)
  subscribe(channel, listener)
  ends.push(() => unsubscribe(channel, listener))
  return events
}
const ends: (() => unknown)[] = []
afterEach(() => ends.splice(0).forEach((end) => end()))

test('connections, with the reason of their end', async () => {
  const beam = await startBeam()
  const node = await startNode()
  const events = follow<ConnectionEvent>('beampeer:connection')
  await node.dial(beam.name)
  node.disconnect(beam.name)
  await until(() => events.length === 2)
  const of = { local: node.name, node: beam.name }
  expect(events).toEqual([
    { ...of, type: 'nodeup' },
    { ...of, type: 'nodedown', reason: 'disconnect' },
  ])
})

test('calls to another node: what, how long, and how it ended', async () => {
  const beam = await startBeam()
  const node = await startNode()
  const events = follow<CallEvent>('beampeer:call')
  await node.erpc.call(beam.name, 'lists', 'reverse', [['secret', 2]])
  await expect(node.rpc.call(beam.name, 'erlang', 'error', ['oops'])).rejects.toThrow()
  const of = { local: node.name, node: beam.name, durationMs: expect.any(Number) as number }
  expect(events).toEqual([
    { ...of, module: 'lists', function: 'reverse' },
    { ...of, module: 'erlang', function: 'error', error: expect.any(Error) as Error },
  ])
  expect(events.every(({ durationMs }) => durationMs > 0)).toBe(true)
  expect(JSON.stringify(events)).not.toContain('secret')
})

test('calls that come from another node, in every form, of what is exposed and what is not', async () => {
  const beam = await startBeam()
  const node = await startNode()
  node.expose('math', {
    add: (a: number, b: number) => a + b,
    later: async () => Promise.resolve('done'),
    fails: async () => Promise.reject(new Error('not today')),
  })
  const events = follow<ServedEvent>('beampeer:served')
  await beam.evalText(`rpc:call('${node.name}', math, add, [1, 2])`)
  await beam.evalText(`erpc:call('${node.name}', math, later, [])`)
  await beam.evalText(`rpc:call('${node.name}', math, fails, [])`)
  await beam.evalText(`rpc:call('${node.name}', os, cmd, ["ls"])`)
  await beam.evalText(`gen_server:call({rex, '${node.name}'}, {call, math, add, [3, 4], group_leader()})`)
  await until(() => events.length === 5)
  expect(events.map(({ module, function: name, error }) => [module, name, error === undefined])).toEqual([
    ['math', 'add', true],
    ['math', 'later', true],
    ['math', 'fails', false],
    ['os', 'cmd', false],
    ['math', 'add', true],
  ])
  expect(String(events[3]?.error)).toBe('undef')
  for (const { local, node: caller } of events) expect([local, caller]).toEqual([node.name, beam.name])
})

test('messages that came to a full mailbox', async () => {
  const node = await startNode()
  const events = follow<DropEvent>('beampeer:drop')
  const full = node.spawn(() => new Promise(() => undefined), { maxMailboxMessages: 2 })
  node.register('box', full)
  for (let message = 0; message < 3; message++) node.send(full.pid, message)
  await until(() => events.length > 0)
  expect(events).toEqual([{ local: node.name, pid: full.pid.toString(), registeredName: 'box' }])
})
