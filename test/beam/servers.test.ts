/**
 * Servers that people run, RabbitMQ and ejabberd of Debian's packages, with a visible and a hidden beampeer node among
 * their connections: they and their tools go on as if those were not there, and get proper errors from them at once.
 */
import { atom, type ErlangNode } from '../../src/index.js'
import { until } from '../support/beam.js'
import { startEjabberd } from '../support/ejabberd.js'
import { startNode } from '../support/nodes.js'
import type { RunningProcess } from '../support/process.js'
import { startBroker } from '../support/rabbitmq.js'

const COMPLAINT = /error|crash|warning|partition|unexpected|overlapping/i

/** A visible node and a hidden one, both connected to the server and through with meeting it. */
async function startBoth(server: string) {
  const both = await Promise.all([startNode({ hidden: false }), startNode({ hidden: true })])
  for (const node of both) expect(await node.connect(server)).toBe(true)
  const [visible, hidden] = both
  await visible.global.sync()
  await until(async () => {
    const seen = await hidden.rpc.call(server, 'erlang', 'nodes', [atom('connected')])
    return both.every((node) => String(seen).includes(node.name))
  })
  return { visible, hidden }
}

/** Ends the Erlang node, and with it the scripts and helpers around it. */
async function halt(from: ErlangNode, server: { name: string; process: RunningProcess }): Promise<void> {
  from.erpc.cast(server.name, 'erlang', 'halt', [])
  await server.process.exit
}

test('RabbitMQ', async () => {
  const broker = await startBroker()
  const mark = broker.process.stdout.count
  const { visible, hidden } = await startBoth(broker.name)

  const status = await broker.tool(
    'rabbitmqctl',
    '--node',
    broker.name,
    'cluster_status',
    '--formatter',
    'json',
  )
  expect(status).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(status.stdout)).toMatchObject({
    disk_nodes: [broker.name],
    running_nodes: [broker.name],
    partitions: {},
    alarms: [],
  })
  const check = await broker.tool('rabbitmq-diagnostics', '--node', broker.name, 'check_running')
  expect(check).toMatchObject({ code: 0, stderr: '' })

  const wrong = await broker.tool('rabbitmqctl', '--node', visible.name, 'status')
  expect(wrong.code).not.toBe(0)
  expect(wrong.stderr).toMatch(/undef|not running|rabbit/)

  expect(await visible.ping(broker.name)).toBe('pong')
  expect(await hidden.rpc.call(broker.name, 'rabbit', 'is_running')).toBe(true)
  expect(
    broker.process.stdout
      .all()
      .slice(mark)
      .filter((line) => COMPLAINT.test(line)),
  ).toEqual([])
  await halt(hidden, broker)
})

test('ejabberd', async () => {
  const server = await startEjabberd()
  const mark = server.process.stdout.count
  const { visible, hidden } = await startBoth(server.name)

  const status = await server.ctl(['status'])
  expect(status.stdout).toMatch(/is started with status: started/)
  expect(status.code).toBe(0)
  expect((await server.ctl(['list_cluster'])).stdout.trim()).toBe(`'${server.name}'`)

  const wrong = await server.ctl(['status'], visible.name)
  expect(wrong.code).not.toBe(0)
  expect(wrong.stdout + wrong.stderr).toMatch(/undef|nodedown|RPC/)

  expect(await visible.ping(server.name)).toBe('pong')
  expect(await hidden.rpc.call(server.name, 'ejabberd_config', 'get_option', [atom('hosts')])).toEqual([
    Buffer.from('localhost'),
  ])
  expect(
    server.process.stdout
      .all()
      .slice(mark)
      .filter((line) => COMPLAINT.test(line)),
  ).toEqual([])
  await halt(hidden, server)
})
