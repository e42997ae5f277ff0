/** Process groups between beampeer and BEAMs of every age, hidden and visible. */
import { atom } from '../../src/etf/atom.js'
import type { Pid } from '../../src/etf/identifiers.js'
import type { Term } from '../../src/etf/terms.js'
import type { Tuple } from '../../src/etf/tuple.js'
import { tuple } from '../../src/etf/tuple.js'
import type { ErlangNode } from '../../src/node/erlang-node.js'
import { startBeam, uniqueName, until, type Beam } from '../support/beam.js'
import { nodeEvents, startNode } from '../support/nodes.js'

const SCOPE = 'work'

/**
 * Connections are made where a test makes them. By default either side, when it sends, makes anew what was disconnected:
 * so does a locker of `global` that gives locks back.
 */
const NO_AUTO_CONNECT = ['-kernel', 'dist_auto_connect', 'never']

/** A BEAM with the scope running, kept by a process of its own. */
async function startScopeBeam(otp?: number): Promise<Beam> {
  const beam = await startBeam({ args: NO_AUTO_CONNECT, ...(otp && { otp }) })
  await beam.compile(`-module(member).
    -export([start/2]).
    start(Scope, Group) ->
      Pid = spawn(fun() -> receive stop -> ok end end),
      ok = pg:join(Scope, Group, Pid),
      Pid.`)
  await beam.evalText(`{ok, _} = pg:start(${SCOPE})`)
  return beam
}

/** Spawns a process on the BEAM that joins a group; gives its pid. */
async function joinOnBeam(beam: Beam, group: string): Promise<Pid> {
  return (await beam.eval(`member:start(${SCOPE}, ${group})`)) as Pid
}

const members = (node: ErlangNode, group: string) => node.pg.getMembers(SCOPE, group).map(({ key }) => key)

describe.each([
  { hidden: true, otp: undefined },
  { hidden: false, otp: undefined },
  { hidden: true, otp: 27 },
  { hidden: false, otp: 27 },
  { hidden: true, otp: 29 },
  { hidden: false, otp: 29 },
])('hidden: $hidden, OTP $otp', ({ hidden, otp }) => {
  let beam: Beam
  let node: ErlangNode

  afterEach(() => beam.forget())

  beforeAll(async () => {
    ;[beam, node] = await Promise.all([startScopeBeam(otp), startNode({ hidden, distAutoConnect: 'never' })])
    node.pg.start(SCOPE)
    await node.connect(beam.name)
  })

  test('each side sees what was joined before and after they met, and what has left', async () => {
    const early = await joinOnBeam(beam, 'group')
    await until(() => members(node, 'group').includes(early.key))
    const mine = node.spawn((self) => self.receive())
    node.pg.join(SCOPE, 'group', mine)
    await beam.until(`lists:sort(pg:get_members(${SCOPE}, group)) =:= lists:sort([A, B])`, {
      A: early,
      B: mine.pid,
    })
    expect(members(node, 'group').sort()).toEqual([early.key, mine.pid.key].sort())
    expect(node.pg.getLocalMembers(SCOPE, 'group')).toEqual([mine.pid])
    expect(await beam.eval(`pg:get_local_members(${SCOPE}, group)`)).toEqual([early])
    expect(node.pg.whichGroups(SCOPE)).toEqual([atom('group')])
    expect(node.pg.leave(SCOPE, 'group', mine)).toBe(true)
    expect(node.pg.leave(SCOPE, 'group', mine)).toBe(false)
    await beam.until(`pg:get_members(${SCOPE}, group) =:= [A]`, { A: early })
    await beam.evalText(`ok = pg:leave(${SCOPE}, group, A)`, { A: early })
    await until(() => members(node, 'group').length === 0)
    expect(node.pg.whichGroups(SCOPE)).toEqual([])
    mine.exit()
  })

  test('a process that joined twice is in twice and leaves once at a time', async () => {
    const twice = node.spawn((self) => self.receive())
    node.pg.join(SCOPE, tuple(atom('shard'), 1), [twice, twice])
    await beam.until(`pg:get_members(${SCOPE}, {shard, 1}) =:= [P, P]`, { P: twice.pid })
    node.pg.leave(SCOPE, tuple(atom('shard'), 1), twice)
    await beam.until(`pg:get_members(${SCOPE}, {shard, 1}) =:= [P]`, { P: twice.pid })
    const there = await joinOnBeam(beam, '{shard, 2}')
    await beam.evalText(`ok = pg:join(${SCOPE}, {shard, 2}, [P, P])`, { P: there })
    await until(() => node.pg.getMembers(SCOPE, tuple(atom('shard'), 2)).length === 3)
    await beam.evalText(`ok = pg:leave(${SCOPE}, {shard, 2}, [P, P])`, { P: there })
    await until(() => node.pg.getMembers(SCOPE, tuple(atom('shard'), 2)).length === 1)
    twice.exit()
    await beam.evalText('P ! stop', { P: there })
    await beam.until(`pg:which_groups(${SCOPE}) =:= []`)
    await until(() => node.pg.whichGroups(SCOPE).length === 0)
  })

  test('a BEAM sends to a member, and a member that ends is gone everywhere', async () => {
    const received: Term[] = []
    const worker = node.spawn(async (self) => {
      const message = (await self.receive()) as Tuple<[Pid, Term]>
      received.push(message.elements[1])
      self.send(message.elements[0], atom('done'))
    })
    node.pg.join(SCOPE, 'workers', worker)
    await beam.until(`length(pg:get_members(${SCOPE}, workers)) =:= 1`)
    expect(
      await beam.evalText(
        `hd(pg:get_members(${SCOPE}, workers)) ! {self(), <<"job">>}, receive done -> ok end`,
      ),
    ).toBe('ok')
    expect(received).toEqual([Buffer.from('job')])
    await beam.until(`pg:get_members(${SCOPE}, workers) =:= []`)
    expect(node.pg.getMembers(SCOPE, 'workers')).toEqual([])
    const dying = await joinOnBeam(beam, 'workers')
    await until(() => members(node, 'workers').includes(dying.key))
    await beam.evalText('exit(P, kill)', { P: dying })
    await until(() => members(node, 'workers').length === 0)
  })

  test('monitors tell of both sides, and no more after demonitor', async () => {
    const told: Term[] = []
    const watcher = node.spawn(async (self) => {
      for await (const message of self) told.push(message)
    })
    const changes: string[] = []
    const stop = node.pg.onChange(SCOPE, 'watched', ({ joined, left }) =>
      changes.push(`+${joined.length}-${left.length}`),
    )
    const { ref, members: now } = node.pg.monitor(SCOPE, 'watched', watcher)
    expect(now).toEqual([])
    const pid = await joinOnBeam(beam, 'watched')
    await joinOnBeam(beam, 'other')
    await until(() => members(node, 'other').length === 1)
    await until(() => told.length === 1)
    expect(told[0]).toEqual(tuple(ref, atom('join'), atom('watched'), [pid]))
    await beam.evalText('P ! stop', { P: pid })
    await until(() => told.length === 2)
    expect(told[1]).toEqual(tuple(ref, atom('leave'), atom('watched'), [pid]))
    expect(changes).toEqual(['+1-0', '+0-1'])
    expect(node.pg.demonitor(SCOPE, ref)).toBe(true)
    expect(node.pg.demonitor(SCOPE, ref)).toBe(false)
    stop()
    const again = await joinOnBeam(beam, 'watched')
    await until(() => members(node, 'watched').includes(again.key))
    expect(told).toHaveLength(2)
    expect(changes).toHaveLength(2)
    watcher.exit()
    await beam.evalText(
      `[P ! stop || G <- pg:which_local_groups(${SCOPE}), P <- pg:get_local_members(${SCOPE}, G)]`,
    )
    await until(() => node.pg.whichGroups(SCOPE).length === 0)
  })

  test('members vanish with the connection and are there again when it is back', async () => {
    const mine = node.spawn((self) => self.receive())
    node.pg.join(SCOPE, 'lasting', mine)
    const theirs = await joinOnBeam(beam, 'lasting')
    await until(() => members(node, 'lasting').length === 2)
    await beam.until(`length(pg:get_members(${SCOPE}, lasting)) =:= 2`)
    const scope = await beam.evalText(`whereis(${SCOPE})`)
    const events = nodeEvents(node)
    node.disconnect(beam.name)
    await events.next()
    expect(members(node, 'lasting')).toEqual([mine.pid.key])
    await beam.until(`pg:get_members(${SCOPE}, lasting) =:= [P]`, { P: theirs })
    // Joined while apart: known as soon as they meet again.
    const apart = await joinOnBeam(beam, 'apart')
    await until(() => node.connect(beam.name))
    await until(() => members(node, 'lasting').length === 2)
    await until(() => members(node, 'apart').includes(apart.key))
    await beam.until(`length(pg:get_members(${SCOPE}, lasting)) =:= 2`)
    expect(await beam.evalText(`whereis(${SCOPE})`)).toBe(scope)
    mine.exit()
  })

  test('what is no message of pg does not end our scope, nor anything we send theirs', async () => {
    const scope = await beam.evalText(`whereis(${SCOPE})`)
    const own = node.whereis(SCOPE)
    await beam.evalText(`[{${SCOPE}, '${node.name}'} ! M || M <- [garbage, {discover, 1}, {discover, self(), x},
      {join, self(), g, notapid}, {leave, self(), [self()], notalist}, {update, self(), [{g, [], x}]},
      {'$gen_cast', {sync, self(), [g]}}, {'$gen_cast', {local_data, self(), 1, []}}, {'$gen_call', x, y}]]`)
    const pid = await joinOnBeam(beam, 'later')
    await until(() => members(node, 'later').includes(pid.key))
    expect(node.whereis(SCOPE)).toEqual(own)
    expect(await beam.evalText(`whereis(${SCOPE})`)).toBe(scope)
  })

  test("the BEAM's own functions for monitors work on our scope", async () => {
    const mine = node.spawn((self) => self.receive())
    node.pg.join(SCOPE, 'asked', mine)
    const [kind, stop] = beam.release >= 29 ? ['subscribe', 'unsubscribe'] : ['monitor', 'demonitor']
    const what = beam.release >= 29 ? '{group, asked}' : 'asked'
    const joiner = node.spawn(async (self) => {
      await self.receive()
      node.pg.join(SCOPE, 'asked', mine)
    })
    node.register('joiner', joiner)
    expect(
      await beam.evalText(`{R, [_]} = gen_server:call({${SCOPE}, '${node.name}'}, {${kind}, ${what}}),
        {joiner, '${node.name}'} ! join,
        receive {R, join, asked, [_]} -> gen_server:call({${SCOPE}, '${node.name}'}, {${stop}, R}) end`),
    ).toBe('ok')
    mine.exit()
  })
})

test.each([25, 27, 29])(
  'a hidden node finds a scope of OTP %i that starts, or starts anew, while they are connected',
  async (otp) => {
    const [beam, node] = await Promise.all([startBeam({ otp }), startNode({ hidden: true })])
    const mine = node.spawn((self) => self.receive())
    node.pg.join(SCOPE, 'late', mine)
    await node.connect(beam.name)
    await node.rpc.call(beam.name, 'erlang', 'node')
    for (let start = 1; start <= 2; start++) {
      await beam.evalText(`{ok, Scope${start}} = pg:start(${SCOPE}),
      Member${start} = spawn(fun() -> receive stop -> ok end end),
      ok = pg:join(${SCOPE}, late, Member${start})`)
      await until(() => node.pg.getMembers(SCOPE, 'late').length === 2)
      await beam.until(`lists:member(Mine, pg:get_members(${SCOPE}, late))`, { Mine: mine.pid })
      await beam.evalText(`exit(Scope${start}, kill)`)
      await until(() => node.pg.getMembers(SCOPE, 'late').length === 1)
      await beam.until(`whereis(${SCOPE}) =:= undefined`)
    }
  },
)

test('only processes of this node join', async () => {
  const [beam, node] = await Promise.all([startScopeBeam(), startNode()])
  const foreign = (await beam.eval('self()')) as Pid
  expect(() => node.pg.join(SCOPE, 'g', foreign)).toThrow(expect.objectContaining({ code: 'PG_NOT_LOCAL' }))
  const dead = node.spawn(() => {})
  await until(() => !dead.alive)
  expect(() => node.pg.join(SCOPE, 'g', dead)).toThrow(expect.objectContaining({ code: 'PG_NOT_LOCAL' }))
  expect(node.pg.getMembers('never_started', 'g')).toEqual([])
})

test('members of other nodes are bounded: the limit is taken, one more is left out and told', async () => {
  const lines: string[] = []
  const log = { warn: (line: string) => lines.push(line), error: (line: string) => lines.push(line) }
  const [beam, node] = await Promise.all([
    startScopeBeam(),
    startNode({ limits: { maxGroupMembers: 5 }, logger: log }),
  ])
  node.pg.start(SCOPE)
  await node.connect(beam.name)
  await beam.evalText(`Ps = [spawn(fun() -> receive stop -> ok end end) || _ <- lists:seq(1, 6)],
    ok = pg:join(${SCOPE}, full, lists:sublist(Ps, 5))`)
  await until(() => node.pg.getMembers(SCOPE, 'full').length === 5)
  expect(lines).toEqual([])
  await beam.evalText(`ok = pg:join(${SCOPE}, full, lists:last(Ps)), ok = pg:leave(${SCOPE}, full, hd(Ps))`)
  await until(() => node.pg.getMembers(SCOPE, 'full').length === 4)
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/maxGroupMembers/)
})

test('a hidden beampeer and a visible one share groups through no BEAM at all', async () => {
  const [a, b] = await Promise.all([startNode({ name: uniqueName('a') }), startNode({ hidden: false })])
  const process = b.spawn((self) => self.receive())
  b.pg.join(SCOPE, 'g', process)
  a.pg.start(SCOPE)
  await a.connect(b.name)
  await until(() => members(a, 'g').includes(process.pid.key))
  b.pg.stop(SCOPE)
  await until(() => members(a, 'g').length === 0)
  expect(b.pg.scopes()).toEqual([])
})
