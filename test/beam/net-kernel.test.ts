/** net_kernel, row by row: options, names, monitor_nodes and its guarantees, tick time, allow, socket options, cookies. */
import { hostname } from 'node:os'
import { atom, type Atom } from '../../src/etf/atom.js'
import type { ErlMap } from '../../src/etf/map.js'
import { isEqual } from '../../src/etf/equal.js'
import { print } from '../../src/etf/print.js'
import type { Encodable, Term } from '../../src/etf/terms.js'
import type { Tuple } from '../../src/etf/tuple.js'
import {
  defaultRelease,
  freePort,
  hostRelease,
  privateEpmd,
  startBeam,
  uniqueName,
  until,
} from '../support/beam.js'
import { logLines, nodeEvents, startNode } from '../support/nodes.js'
import type { ErlangNode } from '../../src/node/erlang-node.js'

function inbox(node: ErlangNode) {
  const messages: Term[] = []
  const process = node.spawn(async (self) => {
    for await (const message of self) messages.push(message)
  })
  return { process, messages }
}

describe('start', () => {
  test.each([
    [{ netTickintensity: 3 }, /netTickintensity/],
    [{ netTickintensity: 1001 }, /netTickintensity/],
    [{ netTicktime: 0 }, /netTicktime/],
    [{ hidden: false, listen: false as const }, /hidden/],
    [{ name: null, hidden: false }, /hidden/],
    [{ name: null, listen: { port: 5000 } }, /listen/],
    [{ listen: { port: 1, minPort: 2 } }, /port/],
    [{ listen: { minPort: 3, maxPort: 2 } }, /port/],
    [{ distAutoConnect: 'sometimes' as never }, /distAutoConnect/],
    [{ name: 'x@short', nameDomain: 'longnames' as const }, /nameDomain/],
    [{ name: 'no spaces@host' }, /node name/],
  ])('refuses %j', async (options, message) => {
    await expect(startNode({ epmd: 'none', ...options })).rejects.toThrow(message)
  })

  test("a name without host gets this machine's, short or long", async () => {
    const short = await startNode({ name: 'nohost', epmd: 'none' })
    expect(short.name).toBe(`nohost@${hostname().split('.')[0]}`)
    expect(short.netKernel.getState()).toEqual({
      started: 'dynamic',
      nameType: 'static',
      name: short.name,
      nameDomain: 'shortnames',
    })
  })

  test('listens on the first free port of a range, and says when there is none', async () => {
    const port = await freePort()
    const first = await startNode({ listen: { minPort: port, maxPort: port + 3 } })
    const second = await startNode({ listen: { minPort: port, maxPort: port + 3 } })
    expect(first.port).toBe(port)
    expect(second.port).toBeGreaterThan(port)
    expect(second.port).toBeLessThanOrEqual(port + 3)
    await expect(startNode({ listen: { minPort: port } })).rejects.toMatchObject({
      code: 'NODE_LISTEN_FAILED',
    })
  })

  test('listen: false connects to others, is hidden, and is in no EPMD', async () => {
    const [beam, node] = await Promise.all([startBeam(), startNode({ listen: false })])
    expect(node.port).toBeUndefined()
    expect(await node.connect(beam.name)).toBe(true)
    await beam.until(`nodes(hidden) =:= ['${node.name}']`)
    const other = await startNode()
    expect((await other.names()).map(({ name }) => name)).not.toContain(node.name.split('@')[0])
  })

  test('short and long names do not mix; only nodes without a name dial both', async () => {
    const [long, short] = await Promise.all([startBeam(), startBeam({ longNames: false })])
    const node = await startNode()
    await expect(node.dial(short.name)).rejects.toMatchObject({ code: 'NODE_NAME_DOMAIN' })
    for (const beam of [long, short]) {
      const tool = await startNode({ name: null })
      expect(await tool.connect(beam.name)).toBe(true)
      await tool.stop()
    }
  })

  test('over IPv6, both ways', async () => {
    const beam = await startBeam({ name: uniqueName('six', '::1'), args: ['-proto_dist', 'inet6_tcp'] })
    const node = await startNode({ name: uniqueName('js6', '::1'), inet6: true })
    expect(await node.ping(beam.name)).toBe('pong')
    node.disconnect(beam.name)
    // Until it has noticed, a ping would go to the old connection.
    await beam.until('nodes(connected) =:= []')
    expect(await beam.evalText(`net_adm:ping('${node.name}')`)).toBe('pong')
  })
})

describe('dist_auto_connect', () => {
  test('never: only connect connects; what is sent otherwise ends as without a connection', async () => {
    const [beam, node] = await Promise.all([startBeam(), startNode({ distAutoConnect: 'never' })])
    const { process, messages } = inbox(node)
    process.send({ name: 'x', node: beam.name }, 1)
    process.monitor({ name: 'init', node: beam.name })
    await until(() => messages.length === 1)
    expect((messages[0] as Tuple).elements[4]).toBe(atom('noconnection'))
    await expect(node.erpc.call(beam.name, 'erlang', 'node', [])).rejects.toMatchObject({
      code: 'RPC_NOCONNECTION',
    })
    expect(await node.connect(beam.name)).toBe(true)
    expect(await node.erpc.call(beam.name, 'erlang', 'node', [])).toBe(atom(beam.name))
  })

  test('once: the first connection by itself, later ones by connect', async () => {
    const [beam, node] = await Promise.all([startBeam(), startNode({ distAutoConnect: 'once' })])
    expect(await node.erpc.call(beam.name, 'erlang', 'node', [])).toBe(atom(beam.name))
    node.disconnect(beam.name)
    await expect(node.erpc.call(beam.name, 'erlang', 'node', [])).rejects.toMatchObject({
      code: 'RPC_NOCONNECTION',
    })
    expect(node.connectionError(beam.name)).toMatchObject({ code: 'NODE_NOT_CONNECTED' })
    expect(await node.connect(beam.name)).toBe(true)
    expect(await node.erpc.call(beam.name, 'erlang', 'node', [])).toBe(atom(beam.name))
  })
})

describe('allow', () => {
  test('only appends, and refuses both directions as not_allowed', async () => {
    const [friend, stranger] = await Promise.all([startBeam(), startBeam()])
    const node = await startNode()
    expect(node.netKernel.allowed()).toBeUndefined()
    node.netKernel.allow([friend.name])
    expect(await node.connect(friend.name)).toBe(true)
    await expect(node.dial(stranger.name)).rejects.toMatchObject({ code: 'NODE_NOT_ALLOWED' })
    expect(await stranger.evalText(`net_adm:ping('${node.name}')`)).toBe('pang')
    expect(logLines.some((line) => line.includes('disallowed node') && line.includes(stranger.name))).toBe(
      true,
    )
    node.netKernel.allow([stranger.name.split('@')[0] as string])
    expect(node.netKernel.allowed()).toHaveLength(2)
    expect(await stranger.evalText(`net_adm:ping('${node.name}')`)).toBe('pong')
    expect(await node.connect(friend.name)).toBe(true)
  })
})

describe('nodes', () => {
  test('by type, and with connection ids and creations', async () => {
    const [visible, hidden] = await Promise.all([startBeam(), startBeam({ hidden: true })])
    const node = await startNode({ hidden: false })
    await node.connect(visible.name)
    await node.connect(hidden.name)
    expect(node.nodes()).toEqual([visible.name])
    expect(node.nodes('hidden')).toEqual([hidden.name])
    expect(node.nodes('connected').sort()).toEqual([hidden.name, visible.name].sort())
    expect(node.nodes('this')).toEqual([node.name])
    expect(node.nodes(['this', 'visible'])).toEqual([node.name, visible.name])
    const info = node.nodesInfo('connected')
    const creation = Number(await visible.evalText('erlang:system_info(creation)'))
    expect(info.find(({ node: name }) => name === visible.name)).toMatchObject({
      nodeType: 'visible',
      creation,
    })
    expect(new Set(info.map(({ connectionId }) => connectionId)).size).toBe(2)
    node.disconnect(hidden.name)
    expect(node.nodes('hidden')).toEqual([])
    expect(node.nodes('known')).toEqual(expect.arrayContaining([node.name, visible.name, hidden.name]))
    expect(node.isAlive()).toBe(true)
    await node.stop()
    expect(node.isAlive()).toBe(false)
  })
})

describe('monitor_nodes', () => {
  test("messages are as a BEAM's own, in every form", async () => {
    const [watcher, peer, node] = await Promise.all([
      // Option maps came with OTP 25.
      startBeam({ otp: defaultRelease() >= 25 ? defaultRelease() : hostRelease() }),
      startBeam({ hidden: true }),
      startNode(),
    ])
    const forms: [string, Parameters<ErlangNode['netKernel']['monitorNodes']>[2]][] = [
      ['[{node_type, all}]', { nodeType: 'all', form: 'list' }],
      ['[{node_type, hidden}, nodedown_reason]', { nodeType: 'hidden', nodedownReason: true, form: 'list' }],
      ['#{node_type => all, nodedown_reason => true}', { nodeType: 'all', nodedownReason: true }],
      ['[{node_type, visible}]', { nodeType: 'visible', form: 'list' }],
      ['[]', {}],
    ]
    for (const [erlang, options] of forms) {
      await watcher.evalText(`S = self(), W = spawn(fun() -> ok = net_kernel:monitor_nodes(true, ${erlang}), S ! ready,
        (fun L(A) -> receive {get, F} -> F ! {got, lists:reverse(A)}; M -> L([M | A]) end end)([]) end), receive ready -> ok end,
        net_kernel:connect_node('${peer.name}'), erlang:disconnect_node('${peer.name}'), nodes(hidden)`)
      await watcher.until('nodes(hidden) =:= []')
      const expected = await watcher.eval('W ! {get, self()}, receive {got, L} -> L end')
      await watcher.forget()
      const { process, messages } = inbox(node)
      node.netKernel.monitorNodes(process, true, options)
      await node.connect(peer.name)
      node.disconnect(peer.name)
      await until(() => messages.length >= (expected as Term[]).length)
      // Compared as a BEAM compares: the order of a map's keys says nothing.
      expect([print(messages), isEqual(messages, expected)]).toEqual([expect.anything(), true])
      node.netKernel.monitorNodes(process, false, options)
      process.exit()
    }
  })

  test('subscriptions are counted as OTP counts them; connection ids tell connections apart', async () => {
    const [peer, node] = await Promise.all([startBeam(), startNode()])
    const { process, messages } = inbox(node)
    const options = { nodeType: 'all', connectionId: true } as const
    node.netKernel.monitorNodes(process, true, options)
    node.netKernel.monitorNodes(process, true, options)
    node.netKernel.monitorNodes(process.pid, true, { nodeType: 'all' })
    await node.connect(peer.name)
    await until(() => messages.length === 3)
    node.netKernel.monitorNodes(process, false, options)
    node.disconnect(peer.name)
    await until(() => messages.length === 4)
    node.netKernel.monitorNodes(process, true, options)
    await node.connect(peer.name)
    await until(() => messages.length === 6)
    const ids = messages.flatMap((message) => {
      const info = (message as Tuple).elements[2] as ErlMap<Encodable, Encodable>
      return info.get('connection_id') ?? []
    })
    expect(ids).toHaveLength(3)
    expect(ids[0]).toBe(ids[1])
    expect(ids[2]).not.toBe(ids[0])
    process.exit()
    expect(() => node.netKernel.monitorNodes(process.pid, true)).toThrow(
      expect.objectContaining({ code: 'PROCESS_NOT_ALIVE' }),
    )
  })

  test('nodeup before any signal of the connection, nodedown after the last, nodes() changed before each', async () => {
    const [peer, node] = await Promise.all([startBeam(), startNode()])
    const seen: string[] = []
    const process = node.spawn(
      async (self) => {
        for await (const message of self) {
          const [kind, what] = (message as Tuple).elements as [Atom, Term]
          const note = kind.name === 'n' ? String(what) : `${kind.name} ${node.nodes('connected').length}`
          seen.push(note)
        }
      },
      { name: 'order' },
    )
    node.netKernel.monitorNodes(process, true, { nodeType: 'all' })
    for (let round = 0; round < 25; round++) {
      await peer.evalText(`[{order, '${node.name}'} ! {n, I} || I <- lists:seq(1, 20)],
        rpc:call('${node.name}', erlang, node, []), erlang:disconnect_node('${node.name}')`)
      await until(() => seen.at(-1) === 'nodedown 0')
    }
    const round = ['nodeup 1', ...Array.from({ length: 20 }, (_, i) => String(i + 1)), 'nodedown 0']
    expect(seen).toEqual(Array.from({ length: 25 }, () => round).flat())
  })

  test('as an iterable it holds a bounded number of events and counts the rest', async () => {
    const [peer, node] = await Promise.all([startBeam(), startNode({ limits: { maxNodeEvents: 2 } })])
    const subscription = node.monitorNodes({ nodeType: 'all' })
    for (let i = 0; i < 2; i++) {
      await node.connect(peer.name)
      node.disconnect(peer.name)
    }
    expect(subscription.dropped).toBe(2)
    expect((await subscription.next()).value).toMatchObject({ type: 'nodeup' })
    expect((await subscription.next()).value).toMatchObject({ type: 'nodedown' })
    const ended = subscription.next()
    await subscription.return()
    expect(await ended).toEqual({ done: true, value: undefined })
  })
})

describe('what BEAMs ask over the wire', () => {
  test('is_auth, nodename, longnames, ticktime, get_state; nothing that changes this node', async () => {
    const [beam, node] = await Promise.all([startBeam(), startNode({ netTicktime: 40 })])
    const ask = (request: string) =>
      beam.evalText(`gen_server:call({net_kernel, '${node.name}'}, ${request})`)
    expect(await ask(`{is_auth, node()}`)).toBe('yes')
    expect(await ask('nodename')).toBe(`'${node.name}'`)
    expect(await ask('longnames')).toBe('true')
    expect(await ask('ticktime')).toBe('40000')
    expect(await beam.eval(`gen_server:call({net_kernel, '${node.name}'}, get_state)`)).toEqual(
      await beam.eval(
        `maps:put(name, '${node.name}', #{started => dynamic, name_type => static, name_domain => longnames})`,
      ),
    )
    expect(
      await beam.evalText(
        `try gen_server:call({net_kernel, '${node.name}'}, {allow, [nobody]}, 50) catch exit:{W, _} -> W end`,
      ),
    ).toBe('timeout')
    expect(node.netKernel.allowed()).toBeUndefined()
  })
})

describe('cookies and socket options', () => {
  test('set_cookie and get_cookie, for all and for one', async () => {
    const [beam, node] = await Promise.all([startBeam({ cookie: 'theirs' }), startNode({ cookie: 'ours' })])
    expect(node.getCookie()).toBe('ours')
    expect(await node.connect(beam.name)).toBe(false)
    node.setCookie('theirs', beam.name)
    expect(node.getCookie(beam.name)).toBe('theirs')
    expect(node.getCookie('other@host')).toBe('ours')
    expect(await node.connect(beam.name)).toBe(true)
    node.disconnect(beam.name)
    await beam.until('nodes(hidden) =:= []')
    expect(await beam.evalText(`net_adm:ping('${node.name}')`)).toBe('pong')
  })

  test('getopts and setopts, of one connection and of new ones', async () => {
    const [beam, node] = await Promise.all([startBeam(), startNode()])
    expect(() => node.netKernel.getopts(beam.name, ['nodelay'])).toThrow(
      expect.objectContaining({ code: 'NODE_NOT_CONNECTED' }),
    )
    await node.connect(beam.name)
    expect(node.netKernel.getopts(beam.name, ['nodelay', 'keepalive'])).toEqual({
      nodelay: true,
      keepalive: true,
    })
    node.netKernel.setopts(beam.name, { nodelay: false })
    expect(node.netKernel.getopts(beam.name, ['nodelay'])).toEqual({ nodelay: false })
    node.netKernel.setopts('new', { keepalive: false })
    expect(node.netKernel.getopts(beam.name, ['keepalive'])).toEqual({ keepalive: true })
    node.disconnect(beam.name)
    await node.connect(beam.name)
    expect(node.netKernel.getopts(beam.name, ['nodelay', 'keepalive'])).toEqual({
      nodelay: true,
      keepalive: false,
    })
    expect(() => node.netKernel.getopts(beam.name, ['sndbuf'])).toThrow(/sndbuf is no socket option/)
  })
})

describe('tick time', () => {
  test('set_net_ticktime: unchanged, initiated, ongoing, and done', async () => {
    const node = await startNode({ netTicktime: 8 })
    expect(node.netKernel.getNetTicktime()).toBe(8)
    expect(node.netKernel.setNetTicktime(8)).toBe('unchanged')
    expect(node.netKernel.setNetTicktime(0.2, 0)).toBe('change_initiated')
    expect(node.netKernel.getNetTicktime()).toEqual({ ongoing_change_to: 0.2 })
    expect(node.netKernel.setNetTicktime(9)).toEqual({ ongoing_change_to: 0.2 })
    await until(() => node.netKernel.getNetTicktime() === 0.2)
    expect(() => node.netKernel.setNetTicktime(0)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
  })

  test('a silent peer is down with net_tick_timeout', async () => {
    const [beam, node] = await Promise.all([
      startBeam({ args: ['-kernel', 'net_ticktime', '2'] }),
      startNode({ netTicktime: 2 }),
    ])
    const events = nodeEvents(node)
    await node.connect(beam.name)
    await events.next()
    beam.suspend()
    expect(await events.next()).toEqual({
      type: 'nodedown',
      node: beam.name,
      nodeType: 'hidden',
      reason: 'net_tick_timeout',
    })
  })

  test('both sides tick an idle connection, and a BEAM goes on when both change the time', async () => {
    const [beam, node] = await Promise.all([
      startBeam({ args: ['-kernel', 'net_ticktime', '2'] }),
      startNode({ netTicktime: 2 }),
    ])
    const events = nodeEvents(node)
    await node.connect(beam.name)
    await events.next()
    expect(node.netKernel.setNetTicktime(1, 1)).toBe('change_initiated')
    expect(await beam.evalText('net_kernel:set_net_ticktime(1, 1)')).toBe('change_initiated')
    await until(() => node.netKernel.getNetTicktime() === 1)
    await beam.until('net_kernel:get_net_ticktime() =:= 1')
    // A dozen ticks of ours, three tick times: a side that missed the other's ticks would have given up by then.
    await beam.evalText(`{_, Link} = lists:keyfind('${node.name}', 1, erlang:system_info(dist_ctrl)),
      Count = fun() -> {ok, [{_, N}]} = inet:getstat(Link, [recv_cnt]), N end, First = Count()`)
    await beam.until('Count() >= First + 12')
    expect(node.nodes('connected')).toEqual([beam.name])
    await beam.until(`nodes(hidden) =:= ['${node.name}']`)
  })
})

describe('dynamic names', () => {
  test('a BEAM names us: hidden, not listening, no auto-connect, and the name ends with the connection', async () => {
    const [beam, other] = await Promise.all([startBeam(), startBeam()])
    const node = await startNode({ name: null })
    const events = nodeEvents(node)
    expect(node.name).toBe('nonode@nohost')
    expect(node.isAlive()).toBe(false)
    expect(node.netKernel.getState()).toMatchObject({ nameType: 'dynamic', name: undefined })
    const { process, messages } = inbox(node)
    const early = process.pid
    process.monitor({ name: 'init', node: beam.name })
    await until(() => messages.length === 1)
    expect((messages[0] as Tuple).elements[4]).toBe(atom('noconnection'))

    const ref = process.monitor(node.spawn((self) => self.receive(), { name: 'before' }))
    await node.dial(beam.name)
    expect(await events.next()).toMatchObject({ type: 'nodeup', node: beam.name })
    expect(node.name).toMatch(/^[0-9A-Z]+@/)
    expect(node.isAlive()).toBe(true)
    await beam.until(`nodes(hidden) =:= ['${node.name}']`)
    expect(await node.erpc.call(beam.name, 'erlang', 'node', [])).toBe(atom(beam.name))
    // Monitors and pids from before the name are still good.
    node.send('before', 1)
    await until(() => messages.length === 2)
    expect((messages[1] as Tuple).elements[1]).toEqual(ref)
    node.send(early, atom('hello'))
    await until(() => messages.length === 3)

    expect(await node.connect(other.name)).toBe(true)
    await events.next()
    beam.kill()
    const downs = [await events.next(), await events.next()]
    expect(downs.map((event) => event.type)).toEqual(['nodedown', 'nodedown'])
    expect(downs.map((event) => event.node).sort()).toEqual([beam.name, other.name].sort())
    await until(() => node.name === 'nonode@nohost')
    await node.dial(other.name)
    expect(node.name).not.toBe('nonode@nohost')
  })

  test('a BEAM gets its name from us, from a pool that gives names again', async () => {
    const node = await startNode()
    const events = nodeEvents(node)
    const seen = new Map<string, number>()
    for (let i = 0; i < 3; i++) {
      const beam = await startBeam({ name: 'undefined', epmdPort: await privateEpmd() })
      expect(await beam.evalText(`net_kernel:connect_node('${node.name}')`)).toBe('true')
      const name = (await events.next()).node
      expect(await beam.evalText('node()')).toBe(`'${name}'`)
      expect(await beam.evalText(`net_adm:ping('${node.name}')`)).toBe('pong')
      const [{ creation } = {}] = node.nodesInfo('hidden')
      expect(seen.get(name)).not.toBe(creation)
      seen.set(name, creation as number)
      expect(await node.erpc.call(name, 'erlang', 'node', [])).toBe(atom(name))
      beam.kill()
      expect(await events.next()).toMatchObject({ type: 'nodedown', node: name })
    }
    expect(seen.size).toBe(1)
  })
})

describe('simultaneous connects', () => {
  test('from both sides, hundreds of times, end in exactly one connection', async () => {
    const [beam, node] = await Promise.all([startBeam(), startNode()])
    const events = nodeEvents(node, { nodeType: 'all', connectionId: true })
    for (let i = 0; i < 200; i++) {
      const theirs = beam.evalText(`net_kernel:connect_node('${node.name}')`)
      const ours = node.connect(beam.name)
      expect([await theirs, await ours]).toEqual(['true', true])
      expect(await events.next()).toMatchObject({ type: 'nodeup' })
      expect(node.nodes('connected')).toEqual([beam.name])
      expect(await node.erpc.call(beam.name, 'erlang', 'nodes', [atom('hidden')])).toEqual([atom(node.name)])
      node.disconnect(beam.name)
      expect(await events.next()).toMatchObject({ type: 'nodedown' })
      await beam.until('nodes(hidden) =:= []')
    }
    expect(beam.log().filter((line) => line.includes('error'))).toEqual([])
  })
})

describe('keeping connected', () => {
  test('a peer that restarts is connected again, as another incarnation', async () => {
    const [first, node] = await Promise.all([startBeam(), startNode()])
    const ups: { creation: number; restarted: boolean }[] = []
    const downs: unknown[] = []
    using kept = node.keepConnected(first.name, {
      minDelayMs: 10,
      maxDelayMs: 50,
      onUp: (event) => ups.push(event),
      onDown: (event) => downs.push(event.error),
    })
    await until(() => ups.length === 1)
    node.disconnect(first.name)
    await until(() => ups.length === 2)
    expect(ups[1]).toMatchObject({ creation: ups[0]?.creation, restarted: false })
    first.kill()
    await until(() => downs.some((error) => error !== undefined))
    const second = await startBeam({ name: first.name })
    await until(() => ups.length === 3)
    expect(ups[2]?.restarted).toBe(true)
    kept.stop()
    second.kill()
    await until(() => !kept.connected)
    expect(ups).toHaveLength(3)
  })
})
