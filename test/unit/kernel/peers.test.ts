/** The connection table: set-up, simultaneous connects, replacement, queues and ends, over memory on virtual time. */
import { type Atom, atom, internAtom } from '../../../src/etf/atom.js'
import { print } from '../../../src/etf/print.js'
import { tuple } from '../../../src/etf/tuple.js'
import type { Kernel } from '../../../src/kernel/kernel.js'
import { NamePool, type PooledName } from '../../../src/kernel/name-pool.js'
import { Cluster, inbox } from './support.js'

const A = internAtom('a@virtual')
const B = internAtom('b@virtual')
const C = internAtom('c@virtual')

function two(): { cluster: Cluster; a: Kernel; b: Kernel } {
  const cluster = new Cluster()
  return { cluster, a: cluster.member(A.name), b: cluster.member(B.name) }
}

/** What a connect came to. */
function outcome(connecting: Promise<void>): { value: string } {
  const result = { value: 'pending' }
  connecting.then(
    () => (result.value = 'up'),
    (error: unknown) => (result.value = (error as { code: string }).code),
  )
  return result
}

test('the first signal connects; what is sent meanwhile arrives in order', async () => {
  const { cluster, a, b } = two()
  const { messages } = inbox(b, { name: 'sink' })
  const sender = inbox(a).process
  for (let i = 0; i < 5; i++) sender.send({ name: 'sink', node: B }, i)
  expect(a.peers.pendingSignals).toBe(5)
  await cluster.loop.settle()
  expect(messages).toEqual([0, 1, 2, 3, 4])
  expect([a.nodes('connected'), b.nodes('connected')]).toEqual([[B.name], [A.name]])
  expect(cluster.transports).toHaveLength(1)
})

test('what waits for a connection is as it was when it was sent', async () => {
  const { cluster, a, b } = two()
  const { messages } = inbox(b, { name: 'sink' })
  const list = [1, 2]
  inbox(a).process.send({ name: 'sink', node: B }, list)
  list.push(3)
  await cluster.loop.settle()
  expect(messages).toEqual([[1, 2]])
})

test('signals for a node that cannot be reached are dropped, and monitors and links break', async () => {
  const { cluster, a } = two()
  cluster.remove(B.name)
  const { process, messages } = inbox(a, { trapExit: true })
  process.send({ name: 'sink', node: B }, 1)
  process.monitor({ name: 'sink', node: B })
  process.monitorNode(B)
  await cluster.loop.settle()
  expect(messages.map((message) => print(message)).join()).toMatch(
    /'DOWN',.*,noconnection\}.*\{nodedown,b@virtual\}/,
  )
  expect(a.peers.pendingSignals).toBe(0)
  expect(a.connectionError(B)).toMatchObject({ code: 'NODE_NOT_FOUND' })
})

test('the queue for a node being connected is bounded', async () => {
  const cluster = new Cluster()
  const a = cluster.member(A.name, { limits: { maxPendingSignals: 2 } })
  cluster.member(B.name)
  const { process } = inbox(a)
  process.send({ name: 'x', node: B }, 1)
  process.send({ name: 'x', node: B }, 2)
  expect(() => process.send({ name: 'x', node: B }, 3)).toThrow(
    expect.objectContaining({ code: 'NODE_QUEUE_FULL' }),
  )
  await cluster.loop.settle()
  expect(process.send({ name: 'x', node: B }, 3)).toBe(true)
})

test('what waits for connections is bounded in bytes too, for all nodes together', async () => {
  const cluster = new Cluster()
  const size = 1_000
  // The version, the binary's tag and length, and what a signal takes itself.
  const each = 1 + 5 + size + 512
  const a = cluster.member(A.name, { limits: { maxPendingBytes: 2 * each } })
  for (const { name } of [B, C]) inbox(cluster.member(name), { name: 'sink' })
  const { process } = inbox(a)
  const send = (node: Atom) => process.send({ name: 'sink', node }, new Uint8Array(size))
  send(B)
  send(C)
  expect(() => send(B)).toThrow(expect.objectContaining({ code: 'NODE_QUEUE_FULL' }))
  cluster.remove(C.name)
  await cluster.loop.settle()
  // One went, the other was given up: neither waits any more.
  send(C)
  send(C)
  expect(() => send(C)).toThrow(/limit maxPendingBytes/)
  const larger = cluster.member('larger@virtual', { limits: { maxPendingBytes: 2 * each + 1 } })
  const other = inbox(larger).process
  for (let i = 0; i < 3; i++) other.send({ name: 'sink', node: B }, new Uint8Array(size))
  expect(larger.peers.pendingSignals).toBe(3)
})

test('signals of every kind wait, and come as they were sent', async () => {
  const { cluster, a, b } = two()
  const seen: string[] = []
  b.table.setSpawnStarter((process, request) => {
    seen.push(print(tuple(request.module, request.function, [...request.args])))
    process.exit(tuple(atom('result'), [1, 'x']))
  })
  const target = inbox(b, { name: 'sink', trapExit: true })
  const { process, messages } = inbox(a)
  const args = [1, [2, 'text'], tuple()]
  const ref = a.table.spawnRequest(process, B, { module: atom('m'), function: atom('f'), args }, [
    atom('monitor'),
  ])
  args.length = 0
  process.sendExit(target.process.pid, tuple(atom('because'), 1))
  process.monitor({ name: 'sink', node: B })
  process.link(target.process.pid)
  await cluster.loop.settle()
  expect(seen).toEqual(['{m,f,[1,[2,<<"text">>],{}]}'])
  expect(target.messages.map((message) => print(message)).join()).toMatch(/^\{'EXIT',.*,\{because,1\}\}$/)
  expect(messages.map((message) => print(message)).join()).toMatch(
    /spawn_reply.*'DOWN'.*\{result,\[1,<<"x">>\]\}/,
  )
  expect(process.monitors?.get(ref)).toBeUndefined()
  expect([target.process.links?.size, target.process.watchers?.values().length]).toEqual([1, 1])
})

describe('connections that signals ask for, two at once', () => {
  const D = internAtom('d@virtual')

  function setUp() {
    const cluster = new Cluster()
    const a = cluster.member(A.name, { limits: { maxAutoConnects: 2 } })
    for (const { name } of [B, C, D]) inbox(cluster.member(name), { name: 'sink' })
    const { process, messages } = inbox(a)
    const monitor = (node: Atom) => void process.monitor({ name: 'sink', node })
    const broken = () =>
      messages.map((message) => /sink,(.)@virtual\},noconnection/.exec(print(message))?.[1]).join('')
    const connected = () =>
      a
        .nodes('connected')
        .map((name) => name[0])
        .join('')
    return { cluster, a, monitor, broken, connected }
  }

  test('are set up', async () => {
    const { cluster, monitor, broken, connected } = setUp()
    for (const node of [B, C]) monitor(node)
    await cluster.loop.settle()
    expect([connected(), broken()]).toEqual(['bc', ''])
    // Those that are up, and those that failed, are not counted any more.
    cluster.remove(D.name)
    monitor(D)
    await cluster.loop.settle()
    expect([connected(), broken()]).toEqual(['bc', 'd'])
  })

  test('one more: the oldest is given up, as a node that cannot be reached', async () => {
    const { cluster, a, monitor, broken, connected } = setUp()
    for (const node of [B, C, D]) monitor(node)
    expect(broken()).toBe('')
    await cluster.loop.settle()
    expect([connected(), broken()]).toEqual(['cd', 'b'])
    expect(a.connectionError(B)).toMatchObject({
      code: 'NODE_TOO_MANY_CONNECTS',
      message: expect.stringContaining('maxAutoConnects') as string,
    })
    monitor(B)
    await cluster.loop.settle()
    expect(connected()).toBe('cdb')
  })

  test('what connect waits for is not counted, nor given up', async () => {
    const { cluster, a, monitor, broken, connected } = setUp()
    const first = outcome(a.peers.connect(B))
    monitor(C)
    const second = outcome(a.peers.connect(C))
    monitor(D)
    a.peers.autoConnect(internAtom('none@virtual'))
    await cluster.loop.settle()
    expect([first.value, second.value, connected(), broken()]).toEqual(['up', 'up', 'bcd', ''])
  })
})

test('a name that a signal tries to reach is given again afterwards', () => {
  let seed = 0
  const pool = new NamePool(() => ++seed, 10)
  const { name, creation } = pool.take('host', () => false)
  pool.release(name)
  const other = pool.take('host', (taken) => taken === name)
  expect(other.name).not.toBe(name)
  expect(pool.freeCount).toBe(1)
  expect(pool.take('host', () => false)).toEqual({ name, creation: creation + 1 })
  expect(pool.freeCount).toBe(0)
})

test('a peer that causes line after line of the log gets so many of them, and the others theirs', async () => {
  const cluster = new Cluster()
  const limits = { maxLogLines: 2, maxQueuedBytes: 0 }
  const a = cluster.member(A.name)
  const c = cluster.member(C.name)
  const b = cluster.member(B.name, { limits })
  await Promise.all([a.peers.connect(B), c.peers.connect(B), cluster.loop.settle()])
  cluster.log.length = 0
  // The answer to each, that there is no such process, finds no room.
  for (let i = 0; i < 5; i++) inbox(a).process.monitor({ name: 'nobody', node: B })
  inbox(c).process.monitor({ name: 'nobody', node: B })
  await cluster.loop.settle()
  expect(cluster.log.filter((line) => line.startsWith('signal monitor:'))).toHaveLength(3)
  b.stop()
  expect(cluster.log.filter((line) => line.includes('left out'))).toEqual([
    expect.stringMatching(/^a@virtual: 3 more lines/),
  ])
})

test('a peer with more links and monitors than it may have loses its connection, and them', async () => {
  const cluster = new Cluster()
  const a = cluster.member(A.name)
  const b = cluster.member(B.name, { limits: { maxRelationsPerConnection: 3 } })
  const target = inbox(b, { name: 'target' }).process
  const { process, messages } = inbox(a)
  for (let i = 0; i < 3; i++) process.monitor({ name: 'target', node: B })
  await cluster.loop.settle()
  expect([b.nodes('connected'), messages.length, target.watchers?.values().length]).toEqual([[A.name], 0, 3])
  process.monitor({ name: 'target', node: B })
  await cluster.loop.settle()
  expect([b.nodes('connected'), target.watchers?.values().length]).toEqual([[], 0])
  expect(messages.map((message) => print(message)).join()).toMatch(/(,noconnection\}.*){4}/)
  expect(cluster.log.filter((line) => line.includes('maxRelationsPerConnection 3'))).toHaveLength(1)
  process.monitor({ name: 'target', node: B })
  await cluster.loop.settle()
  expect(target.watchers?.values().length).toBe(1)
})

test('simultaneous connects, at every interleaving of their deliveries, end in one connection', async () => {
  // `late` is how many turns of the loop the second side starts after the first.
  for (let late = 0; late < 12; late++) {
    for (const [first, second] of [
      [A, B],
      [B, A],
    ] as const) {
      const { cluster, a, b } = two()
      const kernels = { [A.name]: a, [B.name]: b }
      const one = outcome((kernels[first.name] as Kernel).peers.connect(second))
      for (let turn = 0; turn < late; turn++) await Promise.resolve()
      const other = outcome((kernels[second.name] as Kernel).peers.connect(first))
      await cluster.loop.settle()
      expect([late, one.value, other.value]).toEqual([late, 'up', 'up'])
      expect([a.nodes('connected'), b.nodes('connected')]).toEqual([[B.name], [A.name]])
      const open = cluster.transports.filter(([near, far]) => !near.closed && !far.closed)
      expect(open).toHaveLength(1)
      const { messages } = inbox(a, { name: 'in' })
      inbox(b).process.send({ name: 'in', node: A }, late)
      await cluster.loop.settle()
      expect(messages).toEqual([late])
    }
  }
})

test('a peer that connects anew replaces its old connection: nodedown before nodeup, links broken', async () => {
  const { cluster, a, b } = two()
  const { process, messages } = inbox(a)
  a.nodeMessages.monitor(process, true, { nodeType: 'all' })
  await Promise.all([b.peers.connect(A), cluster.loop.settle()])
  // The other node lost its connection without a word, and its new incarnation connects.
  const reborn = cluster.member(B.name, { creation: 999 })
  const connecting = outcome(reborn.peers.connect(A))
  await cluster.loop.settle()
  expect(connecting.value).toBe('up')
  expect(messages.map((message) => print(message))).toEqual([
    '{nodeup,b@virtual,#{node_type => hidden}}',
    '{nodedown,b@virtual,#{node_type => hidden}}',
    '{nodeup,b@virtual,#{node_type => hidden}}',
  ])
  expect(a.nodesInfo('connected')).toMatchObject([{ node: B.name, creation: 999 }])
})

test('a wrong cookie is an error that says so; a name that the peer refuses another', async () => {
  const cluster = new Cluster()
  const a = cluster.member(A.name, { cookie: 'one' })
  cluster.member(B.name, { cookie: 'two' })
  const connecting = outcome(a.peers.connect(B))
  await cluster.loop.settle()
  expect(connecting.value).toMatch(/^HANDSHAKE_/)
  expect(a.nodes('connected')).toEqual([])
})

test('connections in handshake are bounded, the oldest makes room, and they end with the set-up time', async () => {
  const cluster = new Cluster()
  const b = cluster.member(B.name, { limits: { maxPendingHandshakes: 2, setupTimeMs: 7_000 } })
  const { memoryPair } = await import('../../../src/net/memory.js')
  const ends = Array.from({ length: 3 }, () => memoryPair({ schedule: cluster.loop.schedule }))
  for (const [, far] of ends) b.peers.incoming(far)
  expect(b.peers.pendingIncoming).toBe(2)
  expect(ends.map(([, far]) => far.closed)).toEqual([true, false, false])
  const a = cluster.member(A.name)
  const connecting = outcome(a.peers.connect(B))
  await cluster.loop.settle()
  expect(connecting.value).toBe('up')
  await cluster.loop.advance(7_001)
  expect(b.peers.pendingIncoming).toBe(0)
})

test('disconnecting a connection that is being set up fails who waits for it', async () => {
  const { cluster, a, b } = two()
  const connecting = outcome(a.peers.connect(B))
  expect(a.peers.disconnect(B)).toBe(true)
  await cluster.loop.settle()
  expect(connecting.value).toBe('NODE_DISCONNECTED')
  expect([a.nodes('connected'), b.nodes('connected')]).toEqual([[], []])
})

test('stop closes all connections and takes no more', async () => {
  const { cluster, a, b } = two()
  await Promise.all([a.peers.connect(B), cluster.loop.settle()])
  a.stop()
  await cluster.loop.settle()
  expect(b.nodes('connected')).toEqual([])
  const connecting = outcome(b.peers.connect(A))
  await cluster.loop.settle()
  expect(connecting.value).not.toBe('up')
  await expect(a.peers.connect(B)).rejects.toMatchObject({ code: 'NODE_STOPPED' })
  expect(a.table.processCount).toBe(0)
})

test('a node without a name gets one from its first peer, keeps it for others, and loses it with the first', async () => {
  const { cluster, a, b } = two()
  const tool = cluster.member(undefined)
  const { process, messages } = inbox(tool, { name: 'early' })
  const before = process.pid
  const ref = process.monitor('early_bird')
  const connecting = [outcome(tool.peers.connect(A)), outcome(tool.peers.connect(B))]
  await cluster.loop.settle()
  expect(connecting.map(({ value }) => value)).toEqual(['up', 'up'])
  const name = tool.table.name.name
  expect(name).toMatch(/^[0-9A-Z]+@virtual$/)
  expect([a.nodes('connected'), b.nodes('connected')]).toEqual([[name], [name]])
  expect(process.pid.node.name).toBe(name)
  tool.table.send(process.pid, before, atom('still here'))
  await cluster.loop.settle()
  expect(messages.map((message) => print(message)).at(-1)).toBe("'still here'")
  expect(print(messages[0] as never)).toContain('noproc')
  expect(ref.node.name).toBe('nonode@nohost')
  a.peers.disconnect(internAtom(name))
  await cluster.loop.settle()
  expect(tool.isAlive).toBe(false)
  expect(b.nodes('connected')).toEqual([])
  const again = outcome(tool.peers.connect(A))
  await cluster.loop.settle()
  expect(again.value).toBe('up')
  // The name comes from the pool again, as another incarnation.
  expect(tool.table.name.name).toBe(name)
})

test('a name that was given to a peer without the cookie is not kept', async () => {
  const { cluster } = two()
  const take = jest.spyOn(NamePool.prototype, 'take')
  for (const cookie of ['wrong', 'secret']) {
    const connecting = outcome(cluster.member(undefined, { cookie }).peers.connect(A))
    await cluster.loop.settle()
    expect(connecting.value === 'up').toBe(cookie === 'secret')
  }
  const [first, second] = take.mock.results.map(({ value }) => (value as PooledName).name)
  take.mockRestore()
  expect(second).toEqual(expect.any(String))
  expect(second).not.toBe(first)
})

test('links between processes of a node outlive its change of name', async () => {
  const { cluster } = two()
  const tool = cluster.member(undefined)
  const one = inbox(tool, { trapExit: true })
  const other = inbox(tool)
  one.process.link(other.process)
  await cluster.loop.settle()
  const connecting = outcome(tool.peers.connect(A))
  await cluster.loop.settle()
  expect(connecting.value).toBe('up')
  other.process.exit(atom('gone'))
  await cluster.loop.settle()
  expect(one.messages.map((message) => print(message))).toEqual([
    expect.stringMatching(/^\{'EXIT',.*,gone\}$/),
  ])
})

test('a change of the tick time keeps connections with traffic, and silence is judged by the longer time', async () => {
  const cluster = new Cluster()
  const a = cluster.member(A.name, { netTicktimeMs: 60_000 })
  const b = cluster.member(B.name, { netTicktimeMs: 60_000 })
  await Promise.all([a.peers.connect(B), cluster.loop.settle()])
  expect(a.ticktime.get()).toBe(60)
  for (let minute = 0; minute < 10; minute++) await cluster.loop.advance(60_000)
  expect(b.nodes('connected')).toEqual([A.name])
})
