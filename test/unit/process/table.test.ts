/** Processes of one node among themselves: names, exits, links, monitors, limits, mailbox policies. */
import '../../../src/etf/node.js'
import { type Atom, atom, internAtom } from '../../../src/etf/atom.js'
import { Pid, Reference } from '../../../src/etf/identifiers.js'
import type { Term } from '../../../src/etf/terms.js'
import type { Tuple } from '../../../src/etf/tuple.js'
import { tuple } from '../../../src/etf/tuple.js'
import type { SignalOut } from '../../../src/dist/signals.js'
import { DistError, EtfError } from '../../../src/errors.js'
import { DEFAULT_LIMITS, type Limits } from '../../../src/limits.js'
import type { SpawnOptions } from '../../../src/process/host.js'
import type { Process } from '../../../src/process/process.js'
import { ProcessTable } from '../../../src/process/table.js'

const HERE = internAtom('here@h')
const THERE = internAtom('there@h')
const remote = (id = 5) => new Pid(THERE, id, 0, 9)

/** `refuse` throws for signals that cannot be sent. */
function make(limits: Partial<Limits> = {}, refuse: (signal: SignalOut) => void = () => undefined) {
  const sent: SignalOut[] = []
  const errors: string[] = []
  const connects: string[] = []
  const causes: (string | undefined)[] = []
  const table = new ProcessTable({
    name: HERE,
    creation: 1,
    limits: { ...DEFAULT_LIMITS, ...limits },
    outlet: {
      send: (signal) => (refuse(signal), sent.push(signal), true),
      connect: (node) => connects.push(node.name),
      checkConnection: () => undefined,
    },
    onError: (error, where, peer) => {
      errors.push(`${where}: ${String(error)}`)
      causes.push(peer?.name)
    },
    onExcess: (node, error) => errors.push(`${node.name}: ${error.code}`),
  })
  const collect = (options: SpawnOptions = {}): { process: Process; messages: Term[] } => {
    const messages: Term[] = []
    return {
      messages,
      process: table.spawnHandler({ message: (message) => void messages.push(message) }, options),
    }
  }
  return { table, sent, errors, causes, connects, collect }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const idle = (): Promise<never> => new Promise(() => undefined)

test('a name is one process, a process one name; both are free when it ends', async () => {
  const { table } = make()
  const one = table.spawn(idle, { name: 'one' })
  expect(() => table.spawn(idle, { name: 'one' })).toThrow(
    expect.objectContaining({ code: 'PROCESS_NAME_TAKEN' }),
  )
  expect(() => table.register('two', one)).toThrow(expect.objectContaining({ code: 'PROCESS_NAME_TAKEN' }))
  expect(() => table.register('undefined', table.spawn(idle))).toThrow(
    expect.objectContaining({ code: 'BAD_ARGUMENT' }),
  )
  expect(table.registered()).toEqual([atom('one')])
  expect(table.unregister('one')).toBe(true)
  expect(table.unregister('one')).toBe(false)
  table.register('two', one.pid)
  one.exit()
  expect(table.whereis('two')).toBeUndefined()
  expect(() => table.register('three', one)).toThrow(expect.objectContaining({ code: 'PROCESS_NOT_ALIVE' }))
  expect(() => table.send(one.pid, 'two', 1)).toThrow(
    expect.objectContaining({ code: 'PROCESS_NAME_UNKNOWN' }),
  )
  await turn()
  expect(table.processCount).toBe(1)
})

test('how a body ends is how its process ends', async () => {
  const { table } = make()
  const bodies = {
    normal: () => 1,
    later: () => Promise.resolve(1),
    thrown: () => Promise.reject(new RangeError('r')),
    exits: (self: Process) => self.exit(atom('bye')),
  }
  const processes = Object.values(bodies).map((body) => table.spawn(body))
  await turn()
  expect(processes.map(({ alive }) => alive)).toEqual([false, false, false, false])
  const [normal, later, thrown, exits] = processes.map(({ exitReason }) => exitReason)
  expect([normal, later, exits]).toEqual([atom('normal'), atom('normal'), atom('bye')])
  expect((thrown as Tuple).elements[0]).toMatchObject({
    elements: [atom('js_error'), expect.anything(), expect.anything()],
  })
})

test('a process that is ended before its turn does not run', async () => {
  const { table } = make()
  let ran = false
  table.spawn(() => (ran = true)).exit(atom('early'))
  await turn()
  expect(ran).toBe(false)
})

test('values are copied on their way, as every message is', async () => {
  const { table, collect } = make()
  const { process, messages } = collect()
  const list = [1, { a: 1 }]
  table.send(process.pid, process, list as never)
  list.push(2)
  await turn()
  expect(messages).toHaveLength(1)
  expect(messages[0]).toHaveLength(2)
})

test('a chain of a hundred thousand links falls in one loop', async () => {
  const { table } = make()
  const count = 100_000
  let last = table.spawn(idle)
  const first = last
  for (let i = 1; i < count; i++) {
    const next = table.spawnHandler({ message: () => undefined })
    next.link(last)
    last = next
  }
  await turn()
  first.exit(atom('fall'))
  await turn()
  expect(last.exitReason).toBe(atom('fall'))
  expect(table.processCount).toBe(0)
})

test('monitors and links of what is not there; self-links mean nothing', async () => {
  const { table, collect } = make()
  const gone = table.spawn(idle)
  gone.exit()
  const { process, messages } = collect({ trapExit: true })
  process.link(process)
  process.link(gone)
  const ref = process.monitor(gone)
  const byName = process.monitor('nobody')
  await turn()
  expect(messages).toEqual([
    tuple(atom('EXIT'), gone.pid, atom('noproc')),
    tuple(atom('DOWN'), ref, atom('process'), gone.pid, atom('noproc')),
    tuple(atom('DOWN'), byName, atom('process'), tuple(atom('nobody'), HERE), atom('noproc')),
  ])
})

test('what a lost connection breaks: links, monitors, requests, watchers, monitored nodes; once', async () => {
  const { table, sent, connects, collect } = make()
  const { process, messages } = collect({ trapExit: true })
  process.link(remote())
  const ref = process.monitor(remote())
  const named = process.monitor({ name: 'x', node: THERE })
  const request = table.spawnRequest(process, THERE, { module: atom('m'), function: atom('f'), args: [] }, [])
  process.monitorNode(THERE)
  expect(connects).toEqual([THERE.name])
  table.deliver({ type: 'monitor', from: remote(), to: process.pid, ref: table.makeReference() })
  table.connectionLost(THERE)
  const noconnection = atom('noconnection')
  expect(messages).toEqual([
    tuple(atom('EXIT'), remote(), noconnection),
    tuple(atom('DOWN'), ref, atom('process'), remote(), noconnection),
    tuple(atom('DOWN'), named, atom('process'), tuple(atom('x'), THERE), noconnection),
    tuple(atom('spawn_reply'), request, atom('error'), noconnection),
    tuple(atom('nodedown'), THERE),
  ])
  table.connectionLost(THERE)
  expect(messages).toHaveLength(5)
  expect(table.pendingSpawnRequests).toBe(0)
  const before = sent.length
  process.exit(atom('end'))
  expect(sent.slice(before)).toEqual([])
})

test('an answer to a spawn request that was given up undoes what the request made', () => {
  const { table, sent, collect } = make()
  const { process, messages } = collect()
  const mfa = { module: atom('m'), function: atom('f'), args: [] }
  const ref = table.spawnRequest(process, THERE, mfa, [atom('link'), atom('monitor')])
  table.abandonSpawn(process, ref)
  table.deliver({ type: 'spawnReply', ref, to: process.pid, flags: 3, result: remote() })
  expect(sent.slice(1)).toEqual([
    { type: 'exit', from: process.pid, to: remote(), reason: atom('noproc') },
    { type: 'demonitor', from: process.pid, to: remote(), ref },
  ])
  expect(messages).toEqual([])
  // A second answer to the same request finds none.
  table.deliver({ type: 'spawnReply', ref, to: process.pid, flags: 0, result: atom('badopt') })
  expect(messages).toEqual([])
})

// OTP 23 does that when the reply meets a busy connection.
test('the end of a process whose spawn reply was lost tells both', () => {
  const { table, collect } = make()
  const { process, messages } = collect()
  const mfa = { module: atom('m'), function: atom('f'), args: [] }
  const ref = table.spawnRequest(process, THERE, mfa, [atom('monitor')])
  table.deliver({ type: 'monitorExit', from: remote(), to: process.pid, ref, reason: atom('done') })
  expect(messages).toEqual([
    tuple(atom('spawn_reply'), ref, atom('ok'), remote()),
    tuple(atom('DOWN'), ref, atom('process'), remote(), atom('done')),
  ])
  expect(table.pendingSpawnRequests).toBe(0)
  // The reply, should it come all the same, finds nobody.
  table.deliver({ type: 'spawnReply', ref, to: process.pid, flags: 2, result: remote() })
  expect(messages).toHaveLength(2)
})

test('UNLINK_ID is acknowledged first, for dead processes too', () => {
  const { table, sent } = make()
  const gone = table.spawn(idle)
  gone.exit()
  table.deliver({ type: 'unlinkId', id: 77n, from: remote(), to: gone.pid })
  expect(sent).toEqual([{ type: 'unlinkIdAck', id: 77n, from: gone.pid, to: remote() }])
})

test('a full mailbox does what its policy says; processes are bounded', async () => {
  const { table } = make({ maxMailboxMessages: 2, maxProcesses: 3 })
  const policies = ['dropNew', 'dropOldest', 'exit'] as const
  const processes = policies.map((mailboxPolicy) => table.spawn(idle, { mailboxPolicy }))
  expect(() => table.spawn(idle)).toThrow(expect.objectContaining({ code: 'PROCESS_LIMIT' }))
  for (const process of processes) for (let i = 0; i < 2; i++) table.send(process.pid, process, i)
  await turn()
  expect(processes.map(({ queueLength }) => queueLength)).toEqual([2, 2, 2])
  for (const process of processes) table.send(process.pid, process, 2)
  await turn()
  const [dropNew, dropOldest, exit] = processes as [Process, Process, Process]
  expect(await dropNew.receive()).toBe(0)
  expect(await dropOldest.receive()).toBe(1)
  expect([dropNew.droppedMessages, dropOldest.droppedMessages]).toEqual([1, 1])
  expect(exit.exitReason).toBe(atom('killed'))
})

/** A message of another node that takes `weight`. */
function arrive(table: ProcessTable, to: Process, message: Term, weight: number): void {
  table.deliver({ type: 'send', from: remote(), to: to.pid, message }, weight)
}

test('a mailbox holds maxMailboxBytes of other nodes; past it its policy decides', async () => {
  const { table } = make({ maxMailboxBytes: 100 })
  const policies = ['dropNew', 'dropOldest', 'exit'] as const
  const processes = policies.map((mailboxPolicy) => table.spawn(idle, { mailboxPolicy }))
  const [dropNew, dropOldest, exit] = processes as [Process, Process, Process]
  for (const process of processes) {
    arrive(table, process, 0, 30)
    arrive(table, process, 1, 30)
    arrive(table, process, 2, 40)
  }
  expect(processes.map(({ queueLength, alive }) => [queueLength, alive])).toEqual(Array(3).fill([3, true]))
  for (const process of processes) arrive(table, process, 3, 31)
  expect([dropNew.mailbox.messages(), dropNew.droppedMessages]).toEqual([[0, 1, 2], 1])
  expect([dropOldest.mailbox.messages(), dropOldest.droppedMessages]).toEqual([[2, 3], 2])
  expect(exit.exitReason).toBe(atom('killed'))
  expect(table.mailboxRoom.held).toBe(100 + 71)
  // What is sent here is not weighed, nor refused.
  table.send(dropNew.pid, dropNew, atom('local'))
  await turn()
  expect(dropNew.queueLength).toBe(4)
  await dropNew.receive()
  arrive(table, dropNew, 4, 30)
  expect(dropNew.mailbox.messages()).toEqual([1, 2, atom('local'), 4])
})

describe('links and monitors of another node are counted, and given back, one by one', () => {
  const refThere = (word: number) => new Reference(THERE, 9, [word, 0, 0])
  const link = (to: Process, id: number) => ({ type: 'link', from: remote(id), to: to.pid }) as const
  const monitor = (to: Pid | Atom, word: number) =>
    ({ type: 'monitor', from: remote(), to, ref: refThere(word) }) as const

  test('up to maxRelationsPerConnection', () => {
    const { table, errors } = make({ maxRelationsPerConnection: 3 })
    const process = table.spawn(idle, { name: 'named' })
    table.deliver(link(process, 1))
    table.deliver(monitor(process.pid, 1))
    table.deliver(monitor(atom('named'), 2))
    // Again, which is the same ones.
    table.deliver(link(process, 1))
    table.deliver(monitor(process.pid, 1))
    expect([table.held(THERE)?.count, errors]).toEqual([3, []])
    table.deliver(monitor(process.pid, 3))
    expect(errors).toEqual(['there@h: DIST_TOO_MANY_RELATIONS'])
  })

  test.each<[string, (table: ProcessTable, process: Process) => void, number]>([
    ['demonitor', (t, p) => t.deliver({ type: 'demonitor', from: remote(), to: p.pid, ref: refThere(1) }), 4],
    [
      'demonitor by name',
      (t) => t.deliver({ type: 'demonitor', from: remote(), to: atom('named'), ref: refThere(3) }),
      4,
    ],
    [
      'demonitor of what is not there',
      (t, p) => t.deliver({ type: 'demonitor', from: remote(), to: p.pid, ref: refThere(9) }),
      5,
    ],
    ['unlink', (t, p) => t.deliver({ type: 'unlinkId', id: 1, from: remote(1), to: p.pid }), 4],
    ['unlink of old nodes', (t, p) => t.deliver({ type: 'unlink', from: remote(1), to: p.pid }), 4],
    [
      'unlink here, acknowledged',
      (t, p) => {
        p.unlink(remote(1))
        expect(t.held(THERE)?.count).toBe(5)
        t.deliver({ type: 'unlinkIdAck', id: 1, from: remote(1), to: p.pid })
      },
      4,
    ],
    ['exit', (t, p) => t.deliver({ type: 'exit', from: remote(2), to: p.pid, reason: atom('normal') }), 4],
    ['the end of the process', (_, p) => p.exit(), 0],
    ['a change of name', (t) => t.rename(internAtom('other@h'), 2), 5],
  ])('%s', (_what, change, left) => {
    const { table } = make()
    const process = table.spawn(idle, { name: 'named' })
    for (const id of [1, 2]) table.deliver(link(process, id))
    for (const word of [1, 2]) table.deliver(monitor(process.pid, word))
    table.deliver(monitor(atom('named'), 3))
    // Those that it makes itself are not the other node's.
    process.link(remote(3))
    process.monitor(remote(3))
    const held = table.held(THERE)
    expect(held?.count).toBe(5)
    change(table, process)
    expect(held?.count).toBe(left)
  })

  test('the end of the connection, and the next one begins with none', () => {
    const { table } = make()
    const process = table.spawn(idle, { trapExit: true })
    table.deliver(link(process, 1))
    table.deliver(monitor(process.pid, 1))
    const held = table.held(THERE)
    table.connectionLost(THERE)
    expect([held?.count, table.held(THERE)]).toEqual([0, undefined])
    table.deliver(link(process, 1))
    expect(table.held(THERE)?.count).toBe(1)
  })

  test('those of a spawn request are not counted: the processes are', () => {
    const { table } = make()
    table.setSpawnStarter(() => undefined)
    const options = [atom('monitor'), atom('link')]
    const mfa = { module: atom('m'), function: atom('f'), arity: 0, args: [] }
    const from = { from: remote(), groupLeader: remote() }
    table.deliver({ type: 'spawnRequest', ref: refThere(1), ...from, ...mfa, options })
    expect([table.processCount, table.held(THERE)?.count]).toEqual([1, 0])
  })
})

test('an empty mailbox takes a message of any weight, and an over-full one what a receive waits for', async () => {
  const { table } = make({ maxMailboxBytes: 100 })
  const process = table.spawn(idle)
  arrive(table, process, 1, 5_000)
  arrive(table, process, 2, 1)
  expect([process.queueLength, process.droppedMessages]).toEqual([1, 1])
  const waiting = process.receive({ match: (message) => message === 4 })
  arrive(table, process, 3, 1)
  arrive(table, process, 4, 1)
  expect(await waiting).toBe(4)
  expect([process.queueLength, process.droppedMessages]).toEqual([1, 2])
  const oldest = table.spawn(idle, { mailboxPolicy: 'dropOldest' })
  for (const [message, weight] of [5, 50, 5_000].entries()) arrive(table, oldest, message, weight)
  expect(oldest.mailbox.messages()).toEqual([2])
})

test('all mailboxes together hold maxAllMailboxBytes, half of it for those that hold little', async () => {
  const { table } = make({ maxMailboxBytes: 1_000, maxAllMailboxBytes: 200, mailboxBusyBytes: 10 })
  const [greedy, other, small, oldest] = Array.from({ length: 4 }, (_, i) =>
    table.spawn(idle, { mailboxPolicy: i === 3 ? 'dropOldest' : 'dropNew' }),
  ) as [Process, Process, Process, Process]
  arrive(table, greedy, 0, 99)
  arrive(table, other, 0, 11)
  expect(table.mailboxRoom.held).toBe(110)
  for (const process of [greedy, other, oldest]) arrive(table, process, 1, 11)
  expect([greedy, other, oldest].map(({ droppedMessages }) => droppedMessages)).toEqual([1, 1, 1])
  arrive(table, small, 0, 10)
  arrive(table, small, 1, 1)
  expect([small.queueLength, small.droppedMessages]).toEqual([1, 1])
  for (let i = 0; i < 8; i++) arrive(table, table.spawn(idle), i, 10)
  expect(table.mailboxRoom.held).toBe(200)
  const late = table.spawn(idle)
  arrive(table, late, 0, 1)
  expect(late.droppedMessages).toBe(1)
  // A process that ends gives back what it held.
  greedy.exit()
  expect(table.mailboxRoom.held).toBe(101)
  arrive(table, late, 0, 1)
  expect(late.queueLength).toBe(1)
})

test('a match function that ends its process leaves nothing of it behind', async () => {
  const { table } = make()
  const process = table.spawn(idle)
  const waiting = process.receive({
    match: () => {
      process.exit()
      return false
    },
  })
  arrive(table, process, 1, 100)
  await expect(waiting).rejects.toMatchObject({ code: 'PROCESS_EXITED' })
  expect(table.mailboxRoom.held).toBe(0)
})

test('what cannot be answered is reported with the node that asked', () => {
  const refuse = () => {
    throw new DistError('DIST_QUEUE_FULL', 'full')
  }
  const { table, errors, causes } = make({}, refuse)
  const gone = table.spawn(idle)
  gone.exit()
  const to = gone.pid
  table.deliver({ type: 'unlinkId', id: 7, from: remote(), to })
  table.deliver({ type: 'link', from: remote(), to })
  table.deliver({ type: 'monitor', from: remote(), to, ref: table.makeReference() })
  const alive = table.spawn(idle)
  table.deliver({ type: 'link', from: remote(), to: alive.pid })
  alive.exit()
  const handler = table.spawnHandler({ message: () => refuse() })
  table.deliver({ type: 'send', from: remote(), to: handler.pid, message: 1 })
  expect(errors).toHaveLength(5)
  expect(causes).toEqual(Array(5).fill(THERE.name))
})

test('a handler that throws ends its process with the error, and is reported', () => {
  const { table, errors } = make()
  const process = table.spawnHandler({
    message: () => {
      throw new Error('handler')
    },
  })
  table.deliver({ type: 'send', from: undefined, to: process.pid, message: 1 })
  expect(process.alive).toBe(false)
  expect(errors).toHaveLength(1)
})

test('priority: an alias grants it; others take the message as an ordinary one', async () => {
  const { table } = make()
  const process = table.spawn(idle)
  const urgent = process.alias({ priority: true })
  const plain = process.alias()
  table.send(process.pid, process, 'ordinary')
  table.send(process.pid, urgent, 'first', { priority: true })
  table.send(process.pid, plain, 'last', { priority: true })
  table.send(process.pid, urgent, 'very last')
  await turn()
  const order = []
  for (let i = 0; i < 4; i++) order.push(String(await process.receive()))
  expect(order).toEqual(['first', 'ordinary', 'last', 'very last'])
})

test('work that is put in order waits for the signals before it', async () => {
  const { table, collect } = make()
  const order: string[] = []
  const second = table.spawnHandler({ message: () => void order.push('signal') })
  const first = table.spawnHandler({
    message: () => {
      // While the queue is served, what a link delivers and what its end brings keep their order.
      table.deliver({ type: 'send', from: undefined, to: second.pid, message: 1 })
      table.inOrder(() => order.push('end'))
      order.push('handler')
    },
  })
  collect().process.send(first, 1)
  await turn()
  expect(order).toEqual(['handler', 'signal', 'end'])
  table.inOrder(() => order.push('now'))
  expect(order.at(-1)).toBe('now')
})

test('whom an end cannot be told to keeps it from nobody else', async () => {
  const unsendable = remote(66)
  const wide = 'the reference is too wide'
  const refuse = (signal: SignalOut) => {
    const { to } = signal as { to?: unknown }
    if (to instanceof Pid && to.equals(unsendable)) throw new EtfError('ETF_PEER_CANNOT_CARRY', wide)
    if (signal.type === 'demonitor') throw new DistError('DIST_QUEUE_FULL', 'full')
  }
  const { table, sent, errors, collect } = make({}, refuse)
  const exited: unknown[] = []
  const process = table.spawnHandler({
    message: () => undefined,
    exited: (reason) => exited.push(reason),
  })
  const watcher = collect()
  process.monitor(remote(7))
  for (const from of [unsendable, remote(8)]) {
    table.deliver({ type: 'link', from, to: process.pid })
    table.deliver({ type: 'monitor', from, to: process.pid, ref: table.makeReference() })
  }
  const ref = watcher.process.monitor(process)
  await turn()
  sent.length = 0
  process.exit(atom('bye'))
  await turn()
  expect(sent.map(({ type }) => type)).toEqual(['exit', 'monitorExit'])
  expect(watcher.messages).toEqual([tuple(atom('DOWN'), ref, atom('process'), process.pid, atom('bye'))])
  expect(exited).toEqual([atom('bye')])
  const where = `end of ${process.pid.toString()}: `
  expect(errors).toEqual([
    expect.stringContaining(where + 'EtfError'),
    expect.stringContaining(where + 'EtfError'),
    expect.stringContaining(where + 'DistError'),
  ])
})

test('a spawn request whose requester cannot be told leaves no process', async () => {
  const wide = () => {
    throw new EtfError('ETF_PEER_CANNOT_CARRY', 'too wide')
  }
  const { table, sent, errors } = make({}, wide)
  const started: Process[] = []
  table.setSpawnStarter((process) => void started.push(process))
  const [module, name] = [atom('m'), atom('f')]
  const request = {
    type: 'spawnRequest',
    ref: table.makeReference(),
    from: remote(),
    groupLeader: remote(),
  } as const
  const options = [atom('link'), atom('monitor')]
  table.deliver({ ...request, module, function: name, arity: 0, options, args: [] })
  await turn()
  expect([table.processCount, started, sent]).toEqual([0, [], []])
  expect(errors).toEqual(['signal spawnRequest: EtfError: too wide'])
})

test('a spawn reply has the trace token of its request', async () => {
  const { table, sent } = make()
  const spawn = { type: 'spawnRequest', from: remote(), groupLeader: remote(), arity: 0, args: [] } as const
  const mfa = { module: atom('m'), function: atom('f') }
  const traceToken = tuple(0, 17, 0, remote(), 0)
  const request = (options: Term[]) =>
    table.deliver({ ...spawn, ...mfa, ref: table.makeReference(), options, traceToken })
  request([])
  request([atom('no_such_option')])
  table.setSpawnStarter(() => undefined)
  request([atom('monitor')])
  await turn()
  expect(sent).toMatchObject([
    { type: 'spawnReply', result: atom('notsup'), traceToken },
    { type: 'spawnReply', result: atom('badopt'), traceToken },
    { type: 'spawnReply', result: expect.any(Pid), traceToken },
  ])
})

test('a monitor of oneself, by pid or name, is a reference that nothing comes of', async () => {
  const { table } = make()
  const process = table.spawn(idle, { name: 'me' })
  const refs = [
    process.monitor(process),
    process.monitor('me'),
    process.monitor({ name: 'me', node: HERE }),
    process.monitor(process, { alias: 'explicit_unalias' }),
  ]
  for (const ref of refs) table.send(process.pid, ref, 'to no alias')
  await turn()
  expect([process.monitors, process.watchers, process.queueLength]).toEqual([undefined, undefined, 0])
  expect(refs.map((ref) => process.demonitor(ref))).toEqual([false, false, false, false])
})

test('a monitor with priority and an alias: only its own message is urgent', async () => {
  const { table } = make()
  const process = table.spawn(idle)
  const other = table.spawn(idle)
  const ref = process.monitor(other, { alias: 'explicit_unalias', priority: true })
  table.send(process.pid, process, 'ordinary')
  table.send(process.pid, ref, 'to the alias', { priority: true })
  await turn()
  other.exit()
  await turn()
  const [first, ...others] = [await process.receive(), await process.receive(), await process.receive()]
  expect(first).toEqual(tuple(atom('DOWN'), ref, atom('process'), other.pid, atom('normal')))
  expect(others.map(String)).toEqual(['ordinary', 'to the alias'])
})

test('a link or monitor that cannot be sent leaves nothing behind', () => {
  const { table } = make({}, () => {
    throw new DistError('DIST_QUEUE_FULL', 'full')
  })
  const process = table.spawn(idle)
  expect(() => process.monitor(remote(), { alias: 'demonitor' })).toThrow('full')
  expect(() => process.link(remote())).toThrow('full')
  expect([...process.monitors!.values()]).toEqual([])
  expect([process.links!.size, process.aliases!.size]).toEqual([0, 0])
  process.exit()
  expect(process.alive).toBe(false)
})
