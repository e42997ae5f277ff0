/** Global names and locks shared by visible beampeer nodes and BEAMs. */
import { atom } from '../../src/etf/atom.js'
import type { Pid } from '../../src/etf/identifiers.js'
import type { Term } from '../../src/etf/terms.js'
import { tuple } from '../../src/etf/tuple.js'
import type { ErlangNode } from '../../src/node/erlang-node.js'
import type { Process } from '../../src/process/process.js'
import { startBeam, until, type Beam } from '../support/beam.js'
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

describe.each([{ otp: undefined }, { otp: 27 }, { otp: 29 }])('one BEAM, OTP $otp', ({ otp }) => {
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
    const theirs = (await beam.eval(`P = ${sleeper}, yes = global:register_name({team, beam}, P), P`)) as Pid
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
    expect(() => node.global.send('box', 1)).toThrow(expect.objectContaining({ code: 'GLOBAL_NAME_UNKNOWN' }))
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
    expect(await beam.evalText(`rpc:call('${node.name}', global, whereis_name, [nobody])`)).toBe('undefined')
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
})
