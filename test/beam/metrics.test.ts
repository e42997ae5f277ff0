/** Metrics of a watched node and of a node of ours, as Prometheus reads them. */
import { Metrics, MetricsServer, Probe } from '../../src/dashboard/index.js'
import { closeAtEnd, cookie, privateEpmd, startBeam } from '../support/beam.js'
import { startNode } from '../support/nodes.js'

/** Value of the series that begins so; undefined when there is none. */
function value(text: string, series: string): number | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

async function scrape(metrics: Metrics): Promise<string> {
  const server = await MetricsServer.listen(metrics, { host: '127.0.0.1', port: 0 })
  try {
    const answer = await fetch(server.url)
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/)
    expect((await fetch(server.url.replace('/metrics', '/'))).status).toBe(404)
    expect((await fetch(server.url, { method: 'POST' })).status).toBe(405)
    return await answer.text()
  } finally {
    await server.close()
  }
}

test('a watched node has its figures while it is up, and is told as down', async () => {
  const [beam, other] = await Promise.all([startBeam(), startBeam()])
  await beam.eval('true = net_kernel:connect_node(Other)', { Other: await other.eval('node()') })
  const epmd = { host: '127.0.0.1', port: await privateEpmd() }
  const probe = await Probe.start([beam.name], { cookie, epmd, intervalMs: 50 })
  closeAtEnd(() => probe.stop())
  const metrics = new Metrics({ probe })
  const updates = probe.updates()
  while (probe.status(beam.name).sample === undefined) await updates.next()
  const text = await scrape(metrics)
  const of = (name: string, more = '') => value(text, `${name}{node="${beam.name}"${more}}`)
  expect(of('erlang_vm_up')).toBe(1)
  expect(of('erlang_vm_process_limit')).toBe(await beam.eval('erlang:system_info(process_limit)'))
  expect(of('erlang_vm_memory_bytes', ',kind="processes_used"')).toBeGreaterThan(100_000)
  expect(of('erlang_vm_reductions_total')).toBeGreaterThan(0)
  expect(of('erlang_vm_dist_sent_bytes_total', `,peer="${other.name}"`)).toBeGreaterThan(0)
  // The probe's own link, whose name passes, has no series.
  expect(text.split('\n').filter((line) => line.startsWith('erlang_vm_dist_queue_bytes{')).length).toBe(1)
  expect(text.split('\n').filter((line) => line.includes(beam.name)).length).toBeLessThan(50)
  beam.kill()
  while (probe.status(beam.name).status !== 'down') await updates.next()
  const after = await metrics.text()
  expect(value(after, `erlang_vm_up{node="${beam.name}"}`)).toBe(0)
  expect(value(after, `erlang_vm_process_limit{node="${beam.name}"}`)).toBeUndefined()
  metrics.close()
})

test('a node of ours counts connections, calls and drops', async () => {
  const beam = await startBeam()
  const node = await startNode()
  const metrics = new Metrics({ node })
  closeAtEnd(() => metrics.close())
  await node.erpc.call(beam.name, 'erlang', 'node', [])
  await expect(node.erpc.call(beam.name, 'erlang', 'exit', ['oops'])).rejects.toThrow()
  node.expose('math', { add: (a: number, b: number) => a + b })
  await beam.evalText(`[rpc:call('${node.name}', math, F, [1, 2]) || F <- [add, add, subtract]]`)
  const full = node.spawn(() => new Promise(() => undefined), { maxMailboxMessages: 1 })
  node.send(full.pid, 1)
  node.send(full.pid, 2)
  expect(node.disconnect(beam.name)).toBe(true)
  const text = await metrics.text()
  expect(value(text, 'beampeer_connections')).toBe(0)
  expect(value(text, 'beampeer_nodeups_total')).toBe(1)
  expect(value(text, 'beampeer_nodedowns_total{reason="disconnect"}')).toBe(1)
  expect(value(text, 'beampeer_call_duration_seconds_count{outcome="ok"}')).toBe(1)
  expect(value(text, 'beampeer_call_duration_seconds_count{outcome="error"}')).toBe(1)
  expect(value(text, 'beampeer_served_call_duration_seconds_count{outcome="ok"}')).toBe(2)
  expect(value(text, 'beampeer_served_call_duration_seconds_count{outcome="error"}')).toBe(1)
  expect(value(text, 'beampeer_dropped_messages_total')).toBe(1)
  expect(text).toContain('nodejs_eventloop_lag_seconds')
})
