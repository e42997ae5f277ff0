/** Scopes of nodes without sockets: who tells whom what, in both versions of the messages. */
import { DistError } from '../../../src/errors.js'
import { atom } from '../../../src/etf/atom.js'
import { Pid } from '../../../src/etf/identifiers.js'
import { print } from '../../../src/etf/print.js'
import { ErlMap } from '../../../src/etf/map.js'
import type { Encodable, Term } from '../../../src/etf/terms.js'
import { tuple } from '../../../src/etf/tuple.js'
import { DEFAULT_LIMITS } from '../../../src/limits.js'
import { without } from '../../../src/pg/groups.js'
import { ProcessGroups } from '../../../src/pg/process-groups.js'
import { GEN_CAST } from '../../../src/process/gen-reply.js'
import { Tables, type TableNode } from '../../support/tables.js'
import { until } from '../../support/children.js'

const groupsOf = (node: TableNode, maxGroupMembers = 100) =>
  new ProcessGroups({
    host: node.table,
    cluster: node,
    maxGroupMembers,
    discoverMinMs: DEFAULT_LIMITS.pgDiscoverMinMs,
    discoverMaxMs: DEFAULT_LIMITS.pgDiscoverMaxMs,
    onError: (error) => node.errors.push(String(error)),
  })

const sleeper = (node: TableNode) => node.table.spawn((self) => self.receive())
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** A scope of another node as a test plays it: what it gets, and a way to send. */
function playedPeer(node: TableNode, name = 'pg') {
  const received: Term[] = []
  const process = node.table.spawnHandler({ message: (message) => void received.push(message) }, { name })
  return { process, received, pid: process.pid }
}

test.each([
  [false, false],
  [true, false],
  [true, true],
])('two nodes, hidden: %s and %s, see each other whoever started first', async (hiddenA, hiddenB) => {
  const net = new Tables()
  const [a, b] = [net.add('a@h', hiddenA), net.add('b@h', hiddenB)]
  const pgA = groupsOf(a)
  const mine = sleeper(a)
  pgA.join('pg', 'g', mine)
  net.connect(a, b)
  const pgB = groupsOf(b)
  const theirs = sleeper(b)
  pgB.join('pg', 'g', theirs)
  // A hidden node looks for a scope that starts later; who is visible is found by it.
  await until(() => pgA.getMembers('pg', 'g').length === 2 && pgB.getMembers('pg', 'g').length === 2)
  expect(pgA.getMembers('pg', 'g')).toEqual([mine.pid, theirs.pid])
  expect(pgB.getMembers('pg', 'g')).toEqual([theirs.pid, mine.pid])
  net.disconnect(a, b)
  await turn()
  expect(pgA.getMembers('pg', 'g')).toEqual([mine.pid])
  net.connect(a, b)
  await turn()
  expect(pgA.getMembers('pg', 'g')).toEqual([mine.pid, theirs.pid])
  expect(pgB.getMembers('pg', 'g')).toEqual([theirs.pid, mine.pid])
  theirs.exit()
  await until(() => pgA.getMembers('pg', 'g').length === 1)
  expect(a.errors.concat(b.errors)).toEqual([])
})

test('a peer is spoken to in the version in which it spoke, and first in that which all understand', async () => {
  const net = new Tables()
  const [a, old, young] = [net.add('a@h'), net.add('old@h'), net.add('young@h')]
  const [oldPeer, youngPeer] = [playedPeer(old), playedPeer(young)]
  const pg = groupsOf(a)
  const scope = pg.start()
  for (const node of [old, young]) net.connect(a, node)
  await turn()
  expect([...oldPeer.received, ...youngPeer.received].map((message) => print(message))).toEqual([
    `{discover,${print(scope.pid)}}`,
    `{discover,${print(scope.pid)}}`,
  ])
  oldPeer.process.send(scope.pid, tuple(atom('discover'), oldPeer.pid))
  youngPeer.process.send(scope.pid, tuple(atom('discover'), youngPeer.pid, 7))
  await turn()
  const process = sleeper(a)
  pg.join('pg', 'g', [process, process])
  pg.leave('pg', 'g', process)
  await turn()
  const me = scope.pid
  expect(oldPeer.received.slice(1)).toEqual([
    tuple(GEN_CAST, tuple(atom('sync'), me, [])),
    tuple(atom('discover'), me),
    tuple(atom('join'), me, atom('g'), [process.pid, process.pid]),
    tuple(atom('leave'), me, process.pid, [atom('g')]),
  ])
  expect(youngPeer.received.slice(1)).toEqual([
    tuple(GEN_CAST, tuple(atom('local_data'), me, 1, ErlMap.from([]))),
    tuple(atom('discover'), me, 1),
    tuple(atom('update'), me, [tuple(atom('g'), [process.pid, process.pid], [])]),
    tuple(atom('update'), me, [tuple(atom('g'), [], [process.pid])]),
  ])
})

test('a process that ends leaves each group as often as it is in it still', async () => {
  const net = new Tables()
  const [a, other] = [net.add('a@h'), net.add('b@h')]
  const peer = playedPeer(other)
  const pg = groupsOf(a)
  const scope = pg.start()
  net.connect(a, other)
  peer.process.send(scope.pid, tuple(atom('discover'), peer.pid))
  const process = sleeper(a)
  for (const group of ['one', 'two', 'one', 'three', 'two', 'one']) pg.join('pg', group, process)
  expect(pg.leave('pg', 'three', [process, process])).toBe(true)
  expect(pg.leave('pg', 'three', process)).toBe(false)
  expect(pg.leave('pg', 'one', process)).toBe(true)
  await turn()
  peer.received.length = 0
  process.exit()
  await turn()
  const left = (group: string) => tuple(atom('leave'), scope.pid, process.pid, [atom(group)])
  expect(peer.received).toEqual([left('one'), left('one'), left('two'), left('two')])
  expect(pg.whichGroups('pg')).toEqual([])
  const again = sleeper(a)
  pg.join('pg', 'one', again)
  pg.leave('pg', 'one', again)
  await turn()
  // Nobody watches who is in no group.
  expect(again.watchers?.values() ?? []).toEqual([])
})

test('what a peer says it has takes the place of what it said, and only the difference is told', async () => {
  const net = new Tables()
  const [a, b] = [net.add('a@h'), net.add('b@h')]
  const peer = playedPeer(b)
  const pg = groupsOf(a)
  const scope = pg.start()
  const told: string[] = []
  pg.onChange('pg', undefined, ({ group, joined, left }) =>
    told.push(`${print(group)} +${joined.length} -${left.length}`),
  )
  net.connect(a, b)
  const [p, q, r] = [1, 2, 3].map((id) => new Pid(b.name, id, 0, 1)) as [Pid, Pid, Pid]
  const sync = (...groups: [string, Pid[]][]) => {
    const list: Encodable = groups.map(([group, pids]) => tuple(atom(group), pids))
    peer.process.send(scope.pid, tuple(GEN_CAST, tuple(atom('sync'), peer.pid, list)))
    return turn()
  }
  await sync(['g', [p, q]], ['h', [p]])
  expect(told.splice(0)).toEqual(['g +2 -0', 'h +1 -0'])
  await sync(['g', [q, r]], ['i', [p]])
  expect(told.splice(0)).toEqual(['h +0 -1', 'g +1 -1', 'i +1 -0'])
  await sync(['g', [q, r]], ['i', [p]])
  expect(told).toEqual([])
  expect(pg.whichGroups('pg')).toEqual([atom('g'), atom('i')])
  peer.process.exit()
  await turn()
  expect(pg.whichGroups('pg')).toEqual([])
})

test('an update of a scope that was not discovered is not believed', async () => {
  const net = new Tables()
  const [a, b] = [net.add('a@h'), net.add('b@h')]
  const peer = playedPeer(b)
  const pg = groupsOf(a)
  const scope = pg.start()
  net.connect(a, b)
  peer.process.send(scope.pid, tuple(atom('join'), peer.pid, atom('g'), peer.pid))
  await turn()
  expect(pg.getMembers('pg', 'g')).toEqual([])
})

test('the limit of remote members is taken, one more is left out, and a place that is left is free again', async () => {
  const net = new Tables()
  const [a, b] = [net.add('a@h'), net.add('b@h')]
  const [pgA, pgB] = [groupsOf(a, 3), groupsOf(b)]
  pgA.start()
  net.connect(a, b)
  const all = [1, 2, 3, 4].map(() => sleeper(b))
  pgB.join('pg', 'g', all.slice(0, 3))
  await turn()
  expect(pgA.getMembers('pg', 'g')).toHaveLength(3)
  expect(a.errors).toEqual([])
  pgB.join('pg', 'g', all[3] as (typeof all)[0])
  await turn()
  expect(pgA.getMembers('pg', 'g')).toHaveLength(3)
  expect(a.errors).toHaveLength(1)
  pgB.leave('pg', 'g', all[0] as (typeof all)[0])
  pgB.join('pg', 'h', all[3] as (typeof all)[0])
  await turn()
  expect(pgA.getMembers('pg', 'h')).toHaveLength(1)
})

test('without: each takes one occurrence away', () => {
  const [p, q] = [1, 2].map((id) => new Pid(atom('n@h'), id, 0, 1)) as [Pid, Pid]
  expect(without([p, q, p], [p])).toEqual([q, p])
  expect(without([p, q], [q, q, p])).toEqual([])
  expect(without([], [p])).toEqual([])
})

test('a name that is taken, and the end of a scope', () => {
  const net = new Tables()
  const a = net.add('a@h')
  const pg = groupsOf(a)
  a.table.spawnHandler({ message: () => {} }, { name: 'taken' })
  expect(() => pg.start('taken')).toThrow(expect.objectContaining({ code: 'PROCESS_NAME_TAKEN' }))
  expect(() => pg.start('')).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
  pg.join('s', 'g', sleeper(a))
  expect(pg.scopes()).toEqual(['s'])
  expect(pg.stop('s')).toBe(true)
  expect(pg.stop('s')).toBe(false)
  expect(pg.getMembers('s', 'g')).toEqual([])
  pg.start('s')
  expect(pg.getMembers('s', 'g')).toEqual([])
})

test('a caller that cannot be monitored ends no scope', async () => {
  const net = new Tables()
  const a = net.add('a@h')
  const pg = groupsOf(a)
  pg.start()
  const scope = a.table.whereis('pg')
  const caller = sleeper(a)
  const signal = a.table.signal.bind(a.table)
  jest.spyOn(a.table, 'signal').mockImplementation((sent, node, sender) => {
    if (sent.type === 'monitor' && sent.from.equals(scope!)) throw new DistError('DIST_QUEUE_FULL', 'full')
    return signal(sent, node, sender)
  })
  a.table.send(caller.pid, 'pg', tuple(atom('$gen_call'), tuple(caller.pid, 1), atom('monitor')))
  await turn()
  expect(a.errors).toEqual(['DistError: full'])
  expect(a.table.whereis('pg')).toEqual(scope)
})
