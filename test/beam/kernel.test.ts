/** Connections between a beampeer node and BEAMs: up, down, and what each side is told. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { atom } from '../../src/etf/atom.js'
import type { Pid } from '../../src/etf/identifiers.js'
import { tuple } from '../../src/etf/tuple.js'
import { closeAtEnd, cookie, privateEpmd, startBeam, uniqueName, until } from '../support/beam.js'
import { startCli } from '../support/cli.js'
import { nodeEvents, startNode } from '../support/nodes.js'

describe('start and stop', () => {
  test('a started node is registered in EPMD with its port, and no longer once it is stopped', async () => {
    const node = await startNode()
    const alive = node.name.split('@')[0] as string
    expect(await node.names()).toContainEqual({ name: alive, port: node.port })
    expect(node.creation).toBeGreaterThan(0)
    const other = await startNode()
    await node.stop()
    await until(async () => !(await other.names()).some(({ name }) => name === alive))
  })

  test('a name that is taken is an error, and the name is free after stop', async () => {
    const node = await startNode()
    await expect(startNode({ name: node.name })).rejects.toMatchObject({ code: 'EPMD_NAME_TAKEN' })
    await node.stop()
    const again = await startNode({ name: node.name })
    expect(again.creation).not.toBe(node.creation)
  })

  test('to others, stop is a node that goes down', async () => {
    const [beam, node] = await Promise.all([startBeam(), startNode()])
    await beam.evalText(`net_kernel:monitor_nodes(true, [{node_type, all}, nodedown_reason]), S = self(),
      register(watcher, spawn(fun W() -> ok = net_kernel:monitor_nodes(true, [{node_type, all}, nodedown_reason]),
        S ! ready, (fun L(A) -> receive {get, F} -> F ! A, L(A); M -> L(A ++ [M]) end end)([]) end)),
      receive ready -> ok end`)
    expect(await node.connect(beam.name)).toBe(true)
    await node.stop()
    await beam.until(`watcher ! {get, self()}, receive L -> length(L) =:= 2 end`)
    expect(await beam.evalText('watcher ! {get, self()}, receive Got -> Got end')).toBe(
      `[{nodeup,'${node.name}',[{node_type,hidden}]},` +
        `{nodedown,'${node.name}',[{nodedown_reason,connection_closed},{node_type,hidden}]}]`,
    )
    expect(() => node.send({ name: 'x', node: beam.name }, 1)).toThrow(
      expect.objectContaining({ code: 'NODE_STOPPED' }),
    )
  })
})

describe('connections', () => {
  test('the first send connects; the message arrives, and what follows it, in order', async () => {
    const [beam, node] = await Promise.all([startBeam(), startNode()])
    await beam.evalText(`S = self(), register(sink, spawn(fun() -> S ! ok,
      (fun L(A) -> receive {get, F} -> F ! lists:reverse(A), L(A); M -> L([M | A]) end end)([]) end)),
      receive ok -> ok end`)
    for (let i = 0; i < 100; i++) node.send({ name: 'sink', node: beam.name }, i)
    await beam.until('sink ! {get, self()}, receive L -> length(L) =:= 100 end')
    expect(await beam.eval('sink ! {get, self()}, receive All -> All end')).toEqual([...Array(100).keys()])
    expect(node.nodes('connected')).toEqual([beam.name])
  })

  test('a BEAM auto-connects with its first send', async () => {
    const [beam, node] = await Promise.all([startBeam(), startNode()])
    const received = new Promise((resolve) => {
      const process = node.spawn(async (self) => resolve(await self.receive()))
      node.register('inbox', process)
    })
    await beam.evalText(`{inbox, '${node.name}'} ! {hello, node()}`)
    expect(await received).toEqual(tuple(atom('hello'), atom(beam.name)))
    await beam.until(`nodes(hidden) =:= ['${node.name}']`)
    expect(await beam.evalText('nodes()')).toBe('[]')
  })

  test('connect and disconnect, from both sides, with nodeup and nodedown and their reasons', async () => {
    const [beam, node] = await Promise.all([startBeam(), startNode()])
    const events = nodeEvents(node)
    expect(await node.connect(beam.name)).toBe(true)
    expect(await node.connect(beam.name)).toBe(true)
    expect(await events.next()).toEqual({ type: 'nodeup', node: beam.name, nodeType: 'hidden' })
    expect(node.disconnect(beam.name)).toBe(true)
    expect(node.nodes('connected')).toEqual([])
    expect(await events.next()).toEqual({
      type: 'nodedown',
      node: beam.name,
      nodeType: 'hidden',
      reason: 'disconnect',
    })
    expect(node.disconnect(beam.name)).toBe(false)
    await beam.until('nodes(hidden) =:= []')
    expect(await beam.evalText(`net_kernel:connect_node('${node.name}')`)).toBe('true')
    expect(await events.next()).toMatchObject({ type: 'nodeup' })
    expect(await beam.evalText(`erlang:disconnect_node('${node.name}')`)).toBe('true')
    expect(await events.next()).toMatchObject({ type: 'nodedown', reason: 'connection_closed' })
  })

  test('connecting to a node that is not there is false, and says why', async () => {
    const node = await startNode()
    const nobody = uniqueName('nobody')
    expect(await node.connect(nobody)).toBe(false)
    expect(node.connectionError(nobody)).toMatchObject({ code: 'NODE_NOT_FOUND' })
    await expect(node.dial(nobody)).rejects.toMatchObject({ code: 'NODE_NOT_FOUND' })
    expect(node.nodes('connected')).toEqual([])
  })

  test('a visible node is in nodes() of both sides', async () => {
    const [beam, node] = await Promise.all([startBeam(), startNode({ hidden: false })])
    await node.connect(beam.name)
    expect(node.nodes()).toEqual([beam.name])
    await beam.until(`nodes() =:= ['${node.name}']`)
  })

  test('ping both ways, and pang for a node that is not there and for a wrong cookie', async () => {
    const [beam, node] = await Promise.all([startBeam(), startNode()])
    expect(await beam.evalText(`net_adm:ping('${node.name}')`)).toBe('pong')
    expect(await node.ping(beam.name)).toBe('pong')
    expect(await node.ping(node.name)).toBe('pong')
    expect(await node.ping(uniqueName('nobody'))).toBe('pang')
    const stranger = await startNode({ cookie: 'wrong' })
    expect(await stranger.ping(beam.name)).toBe('pang')
    expect(stranger.connectionError(beam.name)).toMatchObject({
      code: expect.stringMatching(/^HANDSHAKE_/) as string,
    })
    expect(await beam.evalText(`net_adm:ping('${stranger.name}')`)).toBe('pang')
  })
})

describe('the other side dies', () => {
  test('kill -9 of the BEAM: nodedown, links and monitors broken, calls ended, nothing kept', async () => {
    const [beam, node] = await Promise.all([startBeam(), startNode()])
    const events = nodeEvents(node)
    const pid = (await node.erpc.call(beam.name, 'erlang', 'spawn', [
      atom('timer'),
      atom('sleep'),
      [atom('infinity')],
    ])) as Pid
    await events.next()
    const told: unknown[] = []
    const watcher = node.spawn(
      async (self) => {
        self.link(pid)
        const ref = self.monitor(pid)
        const named = self.monitor({ name: 'init', node: beam.name })
        self.send(pid, atom('ready'))
        for await (const message of self) {
          told.push(message)
          if (told.length === 3) break
        }
        return [ref, named]
      },
      { trapExit: true },
    )
    const hanging = node.rpc.call(beam.name, 'timer', 'sleep', [atom('infinity')])
    const cancelled = hanging.catch((error: unknown) => error)
    await beam.until(
      `lists:any(fun(P) -> process_info(P, monitored_by) =/= {monitored_by, []} end, [whereis(init)])`,
    )
    beam.kill('SIGKILL')
    expect(await events.next()).toEqual({
      type: 'nodedown',
      node: beam.name,
      nodeType: 'hidden',
      reason: 'connection_closed',
    })
    await until(() => !watcher.alive)
    expect(told).toHaveLength(3)
    expect(told.map((message) => String((message as { elements: unknown[] }).elements.at(-1)))).toEqual([
      'noconnection',
      'noconnection',
      'noconnection',
    ])
    expect(await cancelled).toMatchObject({ code: 'RPC_BADRPC' })
    await expect(hanging).rejects.toThrow(/nodedown/)
    expect(node.nodes('connected')).toEqual([])
    // A later call finds no connection, and the process table is back to what the node itself needs.
    await expect(node.erpc.call(beam.name, 'erlang', 'node', [])).rejects.toMatchObject({
      code: 'RPC_NOCONNECTION',
    })
  })

  test('kill -9 of beampeer: the BEAM sees nodedown and noconnection at once', async () => {
    const beam = await startBeam()
    const name = uniqueName('victim')
    const directory = await mkdtemp(join(tmpdir(), 'beampeer-kernel-'))
    closeAtEnd(() => rm(directory, { recursive: true }))
    const file = join(directory, 'jobs.mjs')
    await writeFile(
      file,
      `export const hang = () => new Promise(() => {})
      let jobs
      export const pid = () => jobs.pid
      export default (node) => node.register('jobs', jobs = node.spawn(() => new Promise(() => {})))`,
    )
    const victim = await startCli(
      ['start', '--name', name, '--epmd', 'external', '--module', `jobs=${file}`],
      { env: { ERL_EPMD_PORT: String(await privateEpmd()), BEAMPEER_COOKIE: cookie } },
    )
    await victim.waitForLine(/^ready/m)
    await beam.evalText(`S = self(), spawn(fun() ->
      ok = net_kernel:monitor_nodes(true, [{node_type, all}, nodedown_reason]),
      process_flag(trap_exit, true),
      P = rpc:call('${name}', jobs, pid, []),
      link(P), R = monitor(process, P), Q = monitor(process, {jobs, '${name}'}),
      K = erpc:send_request('${name}', jobs, hang, []),
      S ! ready,
      receive {'EXIT', P, A} -> ok end, receive {'DOWN', R, _, _, B} -> ok end, receive {'DOWN', Q, _, O, C} -> ok end,
      D = try erpc:receive_response(K) catch error:{erpc, E} -> E end,
      receive {nodedown, '${name}', I} -> ok end,
      register(result, spawn(fun() -> receive {get, F} -> F ! {A, B, C, O, D, proplists:get_value(nodedown_reason, I), nodes(hidden)} end end))
    end), receive ready -> ok end`)
    victim.kill('SIGKILL')
    await beam.until('is_pid(whereis(result))')
    expect(await beam.evalText('result ! {get, self()}, receive Said when is_tuple(Said) -> Said end')).toBe(
      `{noconnection,noconnection,noconnection,{jobs,'${name}'},noconnection,connection_closed,[]}`,
    )
  })
})
