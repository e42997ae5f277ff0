/** Global names of nodes without sockets, and the parts they are made of. */
import { atom, internAtom } from '../../../src/etf/atom.js'
import { ExportFun, Pid, Reference } from '../../../src/etf/identifiers.js'
import type { Term } from '../../../src/etf/terms.js'
import { tuple } from '../../../src/etf/tuple.js'
import { GlobalNames } from '../../../src/global/global-names.js'
import { Inbox } from '../../../src/global/inbox.js'
import { theBoss } from '../../../src/global/locker.js'
import { GLOBAL, Locks } from '../../../src/global/locks.js'
import { LostConnections } from '../../../src/global/lost-connections.js'
import { knownTerm, readCast, readInfo } from '../../../src/global/wire.js'
import { Tables, type TableNode } from '../../support/tables.js'
import { until } from '../../support/children.js'
import { seeded } from '../../support/seeded.js'

const log: string[] = []

function globalOf(node: TableNode, random = seeded(node.name.name.charCodeAt(0))): GlobalNames {
  return new GlobalNames({
    host: node.table,
    cluster: node,
    connectAll: true,
    preventOverlappingPartitions: true,
    maxGlobalNames: 1000,
    maxGlobalLocks: 1000,
    maxLostConnections: 10,
    call: () => Promise.reject(new Error('nobody to call')),
    random,
    now: () => 0,
    lossDelayMs: 0,
    log: { info: () => {}, warn: (line) => log.push(line) },
    onError: (error, where) => node.errors.push(`${where}: ${String(error)}`),
  })
}

const sleeper = (node: TableNode) => node.table.spawn((self) => self.receive())

describe('three nodes', () => {
  let net: Tables
  let nodes: [TableNode, TableNode, TableNode]
  let globals: [GlobalNames, GlobalNames, GlobalNames]

  beforeEach(() => {
    log.length = 0
    net = new Tables()
    nodes = [net.add('a@h'), net.add('b@h'), net.add('c@h')]
    globals = nodes.map((node) => globalOf(node)) as typeof globals
  })

  afterEach(() => {
    for (const each of globals) each.prepareShutdown()
    for (const { table } of nodes) {
      for (const pid of table.processes()) table.process(pid)?.exit(atom('shutdown'))
    }
  })

  test('each has the names of all, once two of them have met the third', async () => {
    const [a, b, c] = nodes
    const processes = nodes.map(sleeper)
    for (const [i, global] of globals.entries()) {
      expect(await global.register(`n${i}`, processes[i] as (typeof processes)[0])).toBe(true)
    }
    net.connect(a, b)
    net.connect(a, c)
    await Promise.all(globals.map((global) => global.sync()))
    await until(() => globals.every((global) => global.registered().length === 3))
    for (const global of globals) {
      expect([0, 1, 2].map((i) => global.whereis(`n${i}`))).toEqual(processes.map(({ pid }) => pid))
    }
    expect(b.isConnected(c.name)).toBe(true)
    net.disconnect(a, b)
    expect(globals[0].whereis('n1')).toBeUndefined()
    expect(log.filter((line) => !/overlapping/.test(line))).toEqual([])
    expect(nodes.flatMap(({ errors }) => errors)).toEqual([])
  })

  test('one lock, many who want it: one at a time, and all in the end', async () => {
    for (const [i, a] of nodes.entries()) for (const b of nodes.slice(i + 1)) net.connect(a, b)
    await Promise.all(globals.map((global) => global.sync()))
    let inside = 0
    let done = 0
    await Promise.all(
      [...globals, ...globals].map((global, i) =>
        global.trans('resource', tuple(atom('r'), i), async () => {
          expect(++inside).toBe(1)
          await new Promise((resolve) => setImmediate(resolve))
          inside--
          done++
        }),
      ),
    )
    expect(done).toBe(6)
  }, 60_000)

  test.each([
    ['a name of no method', 'random_kill', /notify_all_name.*not random_kill$/],
    ['a module and function in a tuple', tuple(atom('mine'), atom('decide')), /not object$/],
    [
      'an exported function of another arity',
      new ExportFun(atom('mine'), atom('decide'), 2),
      /not one of arity 2$/,
    ],
  ])('a way to resolve that is none is refused when it is given: %s', async (_what, resolve, message) => {
    const register = () => globals[0].register('name', sleeper(nodes[0]), { resolve: resolve as never })
    await expect(register()).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      message: expect.stringMatching(message),
    })
  })
})

describe('locks', () => {
  const watched: Reference[] = []
  const watch = {
    monitor: () => {
      const ref = new Reference(internAtom('a@h'), 1, [watched.length + 1])
      watched.push(ref)
      return ref
    },
    demonitor: () => undefined,
  }
  const pid = (id: number) => new Pid(internAtom('a@h'), id, 0, 1)
  const id = (resource: Term, requester: Term) => ({ resource, requester })

  test('one requester, any number of holders, until the last is gone', () => {
    const locks = new Locks(watch, 10)
    expect(locks.set(id(1, 'x' as never), pid(1))).toBe(true)
    expect(locks.set(id(1, 'x' as never), pid(2))).toBe(true)
    expect(locks.set(id(1, 'y' as never), pid(3))).toBe(false)
    locks.delete(id(1, 'y' as never), pid(1))
    locks.delete(id(1, 'x' as never), pid(1))
    expect(locks.isSet(1)).toBe(true)
    expect(locks.down(watched.at(-1) as Reference)).toBe(true)
    expect(locks.isSet(1)).toBe(false)
    expect(locks.down(watched.at(-1) as Reference)).toBe(false)
  })

  test('what guards the names: its holder, its id, and not a lock whose holder died', () => {
    const locks = new Locks(watch, 0)
    expect(locks.guards({ pid: pid(1) })).toBe(true)
    expect(locks.set(id(GLOBAL, [pid(1), pid(2)]), pid(1))).toBe(true)
    expect(locks.guards({ pid: pid(1) })).toBe(true)
    expect(locks.guards({ pid: pid(2) })).toBe(false)
    expect(locks.guards({ lockId: tuple(GLOBAL, [pid(1), pid(2)]) as Term })).toBe(true)
    expect(locks.guards({ lockId: tuple(GLOBAL, [pid(1)]) as Term })).toBe(false)
    expect(locks.guards({ lockId: undefined })).toBe(false)
    locks.down(watched.at(-1) as Reference)
    expect(locks.guards({ pid: pid(1) })).toBe(false)
    locks.set(id(GLOBAL, 1), pid(3))
    locks.delete(id(GLOBAL, 1), pid(3))
    expect(locks.guards({ pid: pid(1) })).toBe(true)
  })

  test('the limit of locks is taken, one more refused; the lock of the names never is', () => {
    const locks = new Locks(watch, 2)
    expect([1, 2, 3].map((resource) => locks.set(id(resource, 1), pid(1)))).toEqual([true, true, false])
    expect(locks.set(id(GLOBAL, 1), pid(1))).toBe(true)
    locks.delete(id(1, 1), pid(1))
    locks.delete(id(2, 1), pid(1))
    expect(locks.set(id(3, 1), pid(1))).toBe(true)
  })
})

test('a lost connection is news once; a later loss, and one of a later incarnation, are news again', () => {
  const [a, b] = [internAtom('a@h'), internAtom('b@h')]
  let now = 0
  const lost = new LostConnections(() => now, 2)
  expect(lost.note(a, 5n, 1, b)).toBe(true)
  expect(lost.note(a, 5, 1, b)).toBe(false)
  expect(lost.note(a, 5, 2, b)).toBe(true)
  expect(lost.note(a, 6, 1, b)).toBe(true)
  expect(lost.note(b, 6, 1, a)).toBe(true)
  expect(lost.size).toBe(2)
  expect(lost.note(a, 1, 1, internAtom('c@h'))).toBe(true)
  expect(lost.size).toBe(2)
  now = 60 * 60 * 1000
  expect(lost.note(b, 6, 2, a)).toBe(true)
  expect(lost.size).toBe(1)
})

test('an inbox gives the first message, the first that matches, or after the time nothing', async () => {
  const inbox = new Inbox<number>()
  inbox.push(1)
  inbox.push(2)
  expect(inbox.tryTake((n) => n === 2)).toBe(2)
  expect(await inbox.take()).toBe(1)
  expect(await inbox.take(undefined, 0)).toBeUndefined()
  const waiting = inbox.take((n) => n > 5)
  inbox.push(3)
  inbox.push(7)
  expect(await waiting).toBe(7)
  const last = inbox.take((n) => n > 5)
  inbox.close()
  expect(await last).toBeUndefined()
  expect(inbox.closed).toBe(true)
})

test('the boss is the greatest name', () => {
  expect(theBoss(['b@h', 'c@h', 'a@h'].map((name) => internAtom(name))).name).toBe('c@h')
})

test('messages of other versions: lists of nodes without versions, lock_set without a tag, and what is none', () => {
  const pid = new Pid(internAtom('b@h'), 1, 0, 1)
  const node = atom('b@h')
  const lockSet = tuple(atom('lock_set'), pid, true, []) as Term
  expect(readCast(lockSet)).toEqual({ type: 'lockSet', locker: pid, set: true, tag: undefined })
  const nodes = [node, tuple(atom('c@h'), 8)]
  expect(readCast(tuple(atom('new_nodes'), node, [], [], nodes, []) as Term)).toMatchObject({
    nodes: [
      { node, version: 0 },
      { node: atom('c@h'), version: 8 },
    ],
    lockId: undefined,
  })
  expect(knownTerm([{ node, version: 8 }], 6)).toEqual([node])
  expect(knownTerm([{ node, version: 8 }], 7)).toEqual([tuple(node, 8)])
  for (const garbage of [1, [], tuple(), tuple(atom('exchange'), node), tuple(atom('in_sync'), 1, true)]) {
    expect(readCast(garbage as Term)).toBeUndefined()
    expect(readInfo(garbage as Term)).toBeUndefined()
  }
  expect(readInfo(tuple(atom('lost_connection'), node, 2n ** 70n, -5, node) as Term)).toMatchObject({
    id: -5,
  })
})
