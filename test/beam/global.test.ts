/** Global names and locks shared by visible beampeer nodes and BEAMs. */
import { atom } from '../../src/etf/atom.js'
import type { Pid } from '../../src/etf/identifiers.js'
import type { Term } from '../../src/etf/terms.js'
import { tuple } from '../../src/etf/tuple.js'
import type { RegisterOptions } from '../../src/global/global-names.js'
import type { ErlangNode } from '../../src/node/erlang-node.js'
import type { Process } from '../../src/process/process.js'
import { startBeam, uniqueName, until, type Beam } from '../support/beam.js'
import { logLines, startNode } from '../support/nodes.js'

/** A process that collects what it is sent. */
function collector(node: ErlangNode): { process: Process; received: Term[] } {
  const received: Term[] = []
  const process = node.spawn(async (self) => {
    for await (const message of self) received.push(message)
  })
  return { process, received }
}

const sleeper = 'spawn(fun() -> receive stop -> ok end end)'

/** What a BEAM or this package logs when something is amiss with global. */
const complaints = (beams: readonly Beam[]): string[] =>
  [...beams.flatMap((beam) => beam.log()), ...logLines].filter((line) =>
    /overlapping|unexpected|failed to connect|out of sync|error/i.test(line),
  )

describe.each([{ otp: undefined }, { otp: 23 }, { otp: 27 }, { otp: 29 }])(
  'one BEAM, OTP $otp',
  ({ otp }) => {
    let beam: Beam
    let node: ErlangNode

    beforeAll(async () => {
      ;[beam, node] = await Promise.all([
        startBeam(otp === undefined ? {} : { otp }),
        startNode({ hidden: false }),
      ])
    })

    afterEach(() => beam.forget())

    test('names that were there before they met are known on both sides once sync is through', async () => {
      const mine = node.spawn((self) => self.receive())
      expect(await node.global.register('of_js', mine)).toBe(true)
      const theirs = (await beam.eval(
        `P = ${sleeper}, yes = global:register_name({team, beam}, P), P`,
      )) as Pid
      await node.connect(beam.name)
      await node.global.sync()
      expect(await beam.evalText('global:sync()')).toBe('ok')
      expect(node.global.whereis(tuple(atom('team'), atom('beam')))).toEqual(theirs)
      expect(await beam.eval('global:whereis_name(of_js)')).toEqual(mine.pid)
      expect(await beam.evalText('lists:sort(global:registered_names())')).toBe('[of_js,{team,beam}]')
      expect(node.global.registered()).toHaveLength(2)
      mine.exit()
      await beam.until('global:whereis_name(of_js) =:= undefined')
      expect(node.global.whereis('of_js')).toBeUndefined()
      await beam.evalText('P ! stop', { P: theirs })
      await until(() => node.global.registered().length === 0)
    })

    test('register, re-register, unregister, whereis and send, from both sides', async () => {
      const { process, received } = collector(node)
      expect(await node.global.register('box', process)).toBe(true)
      expect(
        await node.global.register(
          'box',
          node.spawn((self) => self.receive()),
        ),
      ).toBe(false)
      // One process, one name.
      expect(await node.global.register('box2', process)).toBe(false)
      expect(await beam.evalText('global:register_name(box, self())')).toBe('no')
      await beam.evalText('global:send(box, {hello, 1})')
      await until(() => received.length === 1)
      expect(received).toEqual([tuple(atom('hello'), 1)])

      const there = (await beam.eval(`P = ${sleeper}, yes = global:re_register_name(box, P), P`)) as Pid
      expect(node.global.whereis('box')).toEqual(there)
      await beam.evalText(
        `S = self(), yes = global:register_name(echo, spawn(fun() -> receive M -> S ! {got, M} end end))`,
      )
      expect(node.global.send('echo', 'text')).toEqual(node.global.whereis('echo') ?? expect.anything())
      await node.global.reRegister('box', process)
      expect(await beam.eval('global:whereis_name(box)')).toEqual(process.pid)
      expect(await beam.evalText('global:unregister_name(box)')).toBe('ok')
      expect(node.global.whereis('box')).toBeUndefined()
      expect(await node.global.register('box', there)).toBe(true)
      await node.global.unregister('box')
      expect(await beam.evalText('global:whereis_name(box)')).toBe('undefined')
      expect(() => node.global.send('box', 1)).toThrow(
        expect.objectContaining({ code: 'GLOBAL_NAME_UNKNOWN' }),
      )
      process.exit()
      await until(() => node.global.registered().length === 0)
    })

    test('locks: set by one side, refused to the other, free when given back or when the holder ends', async () => {
      expect(await node.global.setLock('printer', 'me')).toBe(true)
      expect(await node.global.setLock('printer', 'me')).toBe(true)
      expect(await node.global.setLock('printer', 'you', { retries: 0 })).toBe(false)
      expect(await beam.evalText('global:set_lock({printer, self()}, [node() | nodes()], 0)')).toBe('false')
      await node.global.delLock('printer', 'me')
      const holder = (await beam.eval(`S = self(), P = spawn(fun() ->
      S ! {set, global:set_lock({printer, self()}, [node() | nodes()], 0)}, receive stop -> ok end end),
      receive {set, true} -> P end`)) as Pid
      expect(await node.global.setLock('printer', 'me', { retries: 0 })).toBe(false)
      const waiting = node.global.trans('printer', 'me', () => 'printed')
      await beam.evalText('exit(P, kill)', { P: holder })
      expect(await waiting).toBe('printed')
      const process = node.spawn((self) => self.receive())
      expect(await node.global.setLock('printer', 'me', { process })).toBe(true)
      // Also where the answer comes to the process itself (before OTP 24), it is not among its messages.
      expect(process.alive).toBe(true)
      const theirs = beam.evalText('global:trans({printer, self()}, fun() -> done end)')
      process.exit()
      expect(await theirs).toBe('done')
      const given = new AbortController()
      expect(await node.global.setLock('printer', 'me')).toBe(true)
      const wait = node.global.setLock('printer', 'you', { signal: given.signal })
      given.abort(new Error('enough'))
      await expect(wait).rejects.toThrow('enough')
      await node.global.delLock('printer', 'me')
    })

    test('a BEAM asks the questions of its own name server', async () => {
      const ask = (request: string) =>
        beam.evalText(`gen_server:call({global_name_server, '${node.name}'}, ${request})`)
      expect(await ask('get_protocol_version')).toBe('8')
      expect(await ask('get_known')).toBe(`['${beam.name}']`)
      expect(await ask('get_synced')).toBe(`['${beam.name}']`)
      expect(await ask('get_names_ext')).toBe('[]')
      expect(await ask(`{sync, ['${beam.name}']}`)).toBe('ok')
      expect(await beam.evalText(`rpc:call('${node.name}', global, whereis_name, [nobody])`)).toBe(
        'undefined',
      )
      expect(await beam.evalText(`net_adm:ping('${node.name}')`)).toBe('pong')
    })

    test('the end of the node frees its names and locks at once, and nobody complains', async () => {
      const other = await startNode({ hidden: false })
      await other.connect(beam.name)
      await Promise.all([other.global.sync(), beam.evalText('global:sync()')])
      await other.global.register(
        'short',
        other.spawn((self) => self.receive()),
      )
      await other.global.setLock('short_lock', 'x')
      expect(node.global.whereis('short')).toBeDefined()
      await other.stop()
      await beam.until('global:whereis_name(short) =:= undefined')
      await until(() => node.global.whereis('short') === undefined)
      expect(await node.global.setLock('short_lock', 'y', { retries: 0 })).toBe(true)
      await node.global.delLock('short_lock', 'y')
      expect(node.nodes()).toEqual([beam.name])
      expect(complaints([beam])).toEqual([])
    })
  },
)

/** `{ name }` registered on both sides while they are apart; then they meet. Gives what is left of it. */
async function clash(
  prefix: string,
  mine: RegisterOptions['resolve'],
  theirs: string,
): Promise<{
  node: ErlangNode
  beam: Beam
  ours: ReturnType<typeof collector>
  pid: Pid
  kept: () => Pid | undefined
}> {
  const [beam, node] = await Promise.all([
    startBeam({ name: uniqueName('middle') }),
    startNode({ hidden: false, name: uniqueName(prefix) }),
  ])
  const ours = collector(node)
  await node.global.register('clash', ours.process, mine === undefined ? {} : { resolve: mine })
  const pid = (await beam.eval(`S = self(), P = spawn(fun() ->
      yes = global:register_name(clash, self(), ${theirs}), S ! ready,
      (fun L(A) -> receive {get, F} -> F ! A, L(A); M -> L([M | A]) end end)([]) end),
    receive ready -> P end`)) as Pid
  await node.connect(beam.name)
  await Promise.all([node.global.sync(), beam.evalText('ok = global:sync()')])
  const kept = () => node.global.whereis('clash')
  const there = await beam.eval('global:whereis_name(clash)')
  expect(there).toEqual(kept() ?? atom('undefined'))
  return { node, beam, ours, pid, kept }
}

const told = (beam: Beam) => beam.evalText('P ! {get, self()}, receive Told when is_list(Told) -> Told end')
const exitName = 'fun global:random_exit_name/3'

describe('one name, two processes', () => {
  test('the node with the lesser name decides, by default: the process of the greater is killed', async () => {
    const { ours, pid, kept, beam } = await clash('aaa', undefined, exitName)
    expect(kept()).toEqual(ours.process.pid)
    expect(ours.process.alive).toBe(true)
    await beam.until('not is_process_alive(P)', { P: pid })
  })

  test('the other way round, our process is killed', async () => {
    const { ours, pid, kept } = await clash('zzz', undefined, exitName)
    expect(kept()).toEqual(pid)
    await until(() => !ours.process.alive)
    expect(ours.process.exitReason).toEqual(atom('killed'))
  })

  test('random_notify_name tells the process that lost', async () => {
    const first = await clash('aaa', 'random_notify_name', exitName)
    expect(first.kept()).toEqual(first.ours.process.pid)
    expect(await told(first.beam)).toBe('[{global_name_conflict,clash}]')
    const second = await clash('zzz', 'random_exit_name', 'fun global:random_notify_name/3')
    expect(second.kept()).toEqual(second.pid)
    await until(() => second.ours.received.length === 1)
    expect(second.ours.received).toEqual([tuple(atom('global_name_conflict'), atom('clash'))])
  })

  test('notify_all_name tells both, and the name is free', async () => {
    const { ours, pid, kept, beam } = await clash('aaa', 'notify_all_name', exitName)
    expect(kept()).toBeUndefined()
    await until(() => ours.received.length === 1)
    expect(ours.received).toEqual([tuple(atom('global_name_conflict'), atom('clash'), pid)])
    const [line] = [await told(beam)]
    expect(line).toMatch(/^\[\{global_name_conflict,clash,<.*>\}\]$/)
  })

  test('a function of this program decides: for one, for the other, for none', async () => {
    const calls: unknown[][] = []
    const forTheirs = await clash('aaa', (...args) => (calls.push(args), args[1]), exitName)
    expect(forTheirs.kept()).toEqual(forTheirs.pid)
    expect(calls).toEqual([[atom('clash'), forTheirs.pid, forTheirs.ours.process.pid]])
    const forOurs = await clash('aaa', async (_name, _theirs, ours) => Promise.resolve(ours), exitName)
    expect(forOurs.kept()).toEqual(forOurs.ours.process.pid)
    const forNone = await clash('aaa', () => 'none', exitName)
    expect(forNone.kept()).toBeUndefined()
    const failing = await clash(
      'aaa',
      () => {
        throw new Error('undecided')
      },
      exitName,
    )
    // As with a BEAM, whose rpc:call has {badrpc, …} for it: the other node's process is kept.
    expect(failing.kept()).toEqual(failing.pid)
    for (const { ours, beam, pid } of [forTheirs, forOurs, forNone, failing]) {
      expect(ours.process.alive).toBe(true)
      expect(await beam.eval('is_process_alive(P)', { P: pid })).toBe(true)
    }
  })

  test('a function that a BEAM asks for: between its view of our process and that of a third node', async () => {
    const [first, second, node] = await Promise.all([
      startBeam({ name: uniqueName('b1') }),
      startBeam({ name: uniqueName('b2') }),
      startNode({ hidden: false, name: uniqueName('aaa') }),
    ])
    const ours = collector(node)
    const decided: unknown[] = []
    await node.global.register('clash', ours.process, {
      resolve: (_name, theirs, mine) => {
        decided.push(theirs)
        return mine
      },
    })
    await node.connect(first.name)
    await Promise.all([node.global.sync(), first.evalText('ok = global:sync()')])
    const other = (await second.eval(`P = ${sleeper}, yes = global:register_name(clash, P), P`)) as Pid
    await second.evalText(`pong = net_adm:ping('${first.name}')`)
    await second.until(`lists:member('${node.name}', nodes())`)
    await Promise.all([node.global.sync(), first.evalText('global:sync()'), second.evalText('global:sync()')])
    expect(decided).toEqual([other])
    for (const beam of [first, second])
      expect(await beam.eval('global:whereis_name(clash)')).toEqual(ours.process.pid)
  })
})

test('connect_all as in OTP: a node that one BEAM knows is met through it; without, it is not', async () => {
  const [first, second, node, shy] = await Promise.all([
    startBeam(),
    startBeam(),
    startNode({ hidden: false }),
    startNode({ hidden: false, connectAll: false }),
  ])
  await first.evalText(`pong = net_adm:ping('${second.name}')`)
  await node.connect(first.name)
  await until(() => node.nodes().length === 2)
  expect(await second.evalText(`global:sync(), lists:member('${node.name}', nodes())`)).toBe('true')
  await shy.connect(first.name)
  await node.global.sync()
  expect(shy.nodes()).toEqual([first.name])
})

test('a hidden node keeps its names to itself and meets nobody', async () => {
  const [beam, node] = await Promise.all([startBeam(), startNode()])
  await node.connect(beam.name)
  const process = node.spawn((self) => self.receive())
  expect(await node.global.register('own', process)).toBe(true)
  expect(node.global.whereis('own')).toEqual(process.pid)
  await node.global.sync()
  expect(await beam.evalText('global:whereis_name(own)')).toBe('undefined')
  expect(await beam.evalText('gen_server:call(global_name_server, get_known)')).toBe('[]')
  expect(await node.global.setLock('mine', 'me', { nodes: [beam.name], retries: 0 })).toBe(true)
  expect(await beam.evalText('global:set_lock({mine, you}, [node()], 0)')).toBe('false')
})

test('names of other nodes are bounded: the limit is taken, one more is left out and told', async () => {
  const lines: string[] = []
  const [beam, node] = await Promise.all([
    startBeam(),
    startNode({
      hidden: false,
      limits: { maxGlobalNames: 3 },
      logger: { error: (line) => lines.push(line) },
    }),
  ])
  await node.connect(beam.name)
  await node.global.sync()
  await beam.evalText(`[yes = global:register_name(N, ${sleeper}) || N <- [1, 2, 3]]`)
  expect(node.global.registered()).toHaveLength(3)
  expect(lines).toEqual([])
  await beam.evalText(`yes = global:register_name(4, ${sleeper})`)
  expect(node.global.registered()).toHaveLength(3)
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/maxGlobalNames/)
})

test('what is no message of global changes nothing, and calls that are not known are not answered wrongly', async () => {
  const [beam, node] = await Promise.all([startBeam(), startNode({ hidden: false })])
  await node.connect(beam.name)
  await node.global.sync()
  await beam.evalText(`[{global_name_server, '${node.name}'} ! M || M <- [garbage, {init_connect_ack, 1, 2, 3},
    {cancel_connect, node(), 99}, {lost_connection, a, b, c, d}, {remove_connection, nobody@nowhere},
    {'$gen_cast', {init_connect, {8, x}, node(), nothing}}, {'$gen_cast', {exchange, node(), x, [], 1}},
    {'$gen_cast', {resolved, node(), [], [], unused, [], 12345}}, {'$gen_cast', {lock_set, self(), true, [], 99}},
    {'$gen_call', {self(), tag}, {set_lock, x}}, {'$gen_call', {self(), tag}, stop}]]`)
  expect(
    await beam.evalText(`gen_server:call({global_name_server, '${node.name}'}, get_protocol_version)`),
  ).toBe('8')
  const process = node.spawn((self) => self.receive())
  expect(await node.global.register('still', process)).toBe(true)
  expect(await beam.eval('global:whereis_name(still)')).toEqual(process.pid)
  expect(await beam.evalText('receive {tag, X} -> X after 0 -> nothing end')).toBe('nothing')
})
