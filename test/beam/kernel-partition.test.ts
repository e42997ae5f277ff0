/** Partitions between network namespaces: links that fall silent without a word, in both directions or in one. */
import { atom } from '../../src/etf/atom.js'
import { hostRelease, startBeam, uniqueName, until, type Beam } from '../support/beam.js'
import { makeNamespace, type Namespace } from '../support/namespace.js'
import { nodeEvents, startNode } from '../support/nodes.js'

/** Seconds. Both sides have it: the shortest with which a loaded machine's ticks are never late. */
const TICKTIME = 3

async function sides(net: Namespace) {
  const beamOptions = {
    name: uniqueName('far', net.far),
    env: net.env,
    otp: hostRelease(),
    args: ['-kernel', 'net_ticktime', String(TICKTIME)],
  }
  const [beam, node] = await Promise.all([
    startBeam(beamOptions),
    startNode({ name: uniqueName('near', net.near), netTicktime: TICKTIME, listen: { host: net.near } }),
  ])
  const events = nodeEvents(node)
  expect(await node.connect(beam.name)).toBe(true)
  expect(await events.next()).toMatchObject({ type: 'nodeup' })
  await watch(beam)
  return { beam, beamOptions, node, events }
}

/** Keeps the nodedowns that the BEAM sees. */
async function watch(beam: Beam): Promise<void> {
  await beam.evalText(`S = self(), register(watcher, spawn(fun() ->
    ok = net_kernel:monitor_nodes(true, [{node_type, all}, nodedown_reason]), S ! ready,
    (fun L(A) -> receive {get, F} -> F ! {got, A}, L(A);
      {nodedown, _, I} -> L([proplists:get_value(nodedown_reason, I) | A]); _ -> L(A) end end)([]) end)),
    receive ready -> ok end`)
}

const nodedowns = (beam: Beam) =>
  beam.evalText('(fun() -> watcher ! {get, self()}, receive {got, A} -> A end end)()')

test('a link that is cut: net_tick_timeout on both sides, ended calls, and a new connection once it is mended', async () => {
  const net = await makeNamespace()
  const { beam, node, events } = await sides(net)
  const hanging = node.erpc.call(beam.name, 'timer', 'sleep', [atom('infinity')])
  const failed = expect(hanging).rejects.toMatchObject({ code: 'RPC_NOCONNECTION' })
  const connectionId = node.nodesInfo('connected')[0]?.connectionId
  net.cut()
  expect(await events.next()).toMatchObject({ type: 'nodedown', reason: 'net_tick_timeout' })
  await failed
  expect(node.nodes('connected')).toEqual([])
  await until(async () => (await nodedowns(beam)) === '[net_tick_timeout]')
  await beam.waitForLog(/not responding/)
  net.mend()
  await until(() => node.connect(beam.name))
  expect(await events.next()).toMatchObject({ type: 'nodeup' })
  expect(node.nodesInfo('connected')[0]?.connectionId).not.toBe(connectionId)
  expect(await node.erpc.call(beam.name, 'erlang', 'node', [])).toBe(atom(beam.name))
})

test('a link that is cut in one direction: both sides give up, each by itself if need be', async () => {
  const net = await makeNamespace()
  const { beam, node, events } = await sides(net)
  net.mute()
  expect(await events.next()).toMatchObject({ type: 'nodedown', reason: 'net_tick_timeout' })
  // What we send still arrives, but TCP holds it back once nothing is acknowledged: our end of the connection, too.
  await until(async () => /^\[(net_tick_timeout|connection_closed)\]$/.test(await nodedowns(beam)))
  net.unmute()
  await until(() => node.connect(beam.name))
  expect(await events.next()).toMatchObject({ type: 'nodeup' })
})

test('a peer that restarted behind a cut link replaces the half-open connection', async () => {
  const net = await makeNamespace()
  const { beam, beamOptions, node, events } = await sides(net)
  const before = node.nodesInfo('connected')[0]
  net.cut()
  beam.kill()
  await beam.exit
  net.mend()
  const reborn = await startBeam(beamOptions)
  // Our side has not noticed anything, or just did: either way the new incarnation gets its connection.
  await reborn.until(`net_kernel:connect_node('${node.name}')`)
  expect(await events.next()).toMatchObject({ type: 'nodedown', node: beam.name })
  expect(await events.next()).toMatchObject({ type: 'nodeup', node: beam.name })
  const after = node.nodesInfo('connected')
  expect(after).toHaveLength(1)
  expect(after[0]?.creation).not.toBe(before?.creation)
  expect(await node.erpc.call(reborn.name, 'erlang', 'node', [])).toBe(atom(reborn.name))
})

test('a connection that is idle over a healthy link stays', async () => {
  const net = await makeNamespace()
  const { beam, node, events } = await sides(net)
  await beam.evalText(`{_, Link} = lists:keyfind('${node.name}', 1, erlang:system_info(dist_ctrl)),
    Count = fun() -> {ok, [{_, N}]} = inet:getstat(Link, [recv_cnt]), N end, First = Count()`)
  await beam.until('Count() >= First + 8')
  expect(await nodedowns(beam)).toBe('[]')
  expect(events.subscription.dropped).toBe(0)
  expect(node.nodes('connected')).toEqual([beam.name])
})
