/** The probe, `top` and the metrics on what people run: a RabbitMQ broker, and an Elixir application under load. */
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Metrics, Probe, type ApplicationSample, type TreeNode } from '../../src/dashboard/index.js'
import { atom, tuple } from '../../src/index.js'
import { closeAtEnd, cookie, privateEpmd, uniqueName, until } from '../support/beam.js'
import { cli } from '../support/cli.js'
import { start } from '../support/process.js'
import { startBroker } from '../support/rabbitmq.js'

/** A probe that has sampled the node twice. */
async function watch(name: string): Promise<Probe> {
  const probe = await Probe.start([name], {
    cookie,
    epmd: { host: '127.0.0.1', port: await privateEpmd() },
    intervalMs: 50,
  })
  closeAtEnd(() => probe.stop())
  const updates = probe.updates()
  while (probe.status(name).sample?.rates === undefined) await updates.next()
  await updates.return?.()
  return probe
}

/** All below the top supervisor of an application, as a person would open the tree. */
async function tree(
  probe: Probe,
  node: string,
  applications: ApplicationSample[],
  name: string,
): Promise<TreeNode[]> {
  const found: TreeNode[] = []
  const open = async (pid: string): Promise<void> => {
    const { children } = await probe.children(node, pid)
    found.push(...children)
    for (const child of children)
      if (child.type === 'supervisor' && child.pid !== undefined) await open(child.pid)
  }
  await open(applications.find((application) => application.name === name)?.supervisor ?? '')
  return found
}

async function topJson(name: string): Promise<unknown> {
  const env = { ERL_EPMD_PORT: String(await privateEpmd()), BEAMPEER_COOKIE: cookie }
  const { code, stdout, stderr } = await cli(['top', name, '--json', '--processes', '--interval', '0.05'], {
    env,
  })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout) as unknown
}

test('a RabbitMQ broker: samples, applications, tree, tables, ports, sockets, top and metrics', async () => {
  const { name, process: broker } = await startBroker()
  const probe = await watch(name)
  const queue = tuple(atom('resource'), '/', atom('queue'), 'orders')
  await probe.call(name, 'rabbit_amqqueue', 'declare', [queue, true, false, [], atom('none'), 'test'])

  const sample = await probe.sample(name)
  expect(sample.memory?.ets).toBeGreaterThan(100_000)
  expect(sample.limits.processes.used).toBeGreaterThan(200)
  expect(sample.rates?.reductions).toBeGreaterThan(0)

  const applications = await probe.applications(name)
  expect(applications.find((application) => application.name === 'rabbit')).toMatchObject({
    version: expect.stringMatching(/^\d+\.\d+/) as unknown,
    supervisor: expect.stringMatching(/^<0\./) as unknown,
  })
  // A library has no tree.
  expect(applications.find((application) => application.name === 'stdlib')?.supervisor).toBeUndefined()
  const below = await tree(probe, name, applications, 'rabbit')
  expect(below.length).toBeGreaterThan(50)
  expect(below.some(({ id, type }) => /rabbit_amqqueue_sup_sup/.test(id) && type === 'supervisor')).toBe(true)

  const table = await probe.processes(name, { by: 'memory', limit: 10 })
  expect(table.rows.length).toBe(10)
  expect(table.rows.map(({ memory }) => memory)).toEqual(
    table.rows.map(({ memory }) => memory).sort((a, b) => b - a),
  )
  const detail = await probe.process(name, table.rows[0]?.pid ?? '', { dictionary: true })
  expect(detail?.memory).toBeGreaterThan(0)

  const tables = await probe.ets(name)
  expect(tables.rows.map((row) => row.name)).toEqual(
    expect.arrayContaining(['rabbit_queue', 'rabbit_exchange']),
  )
  expect(tables.rows.find((row) => row.name === 'rabbit_queue')?.objects).toBe(1)
  const ports = await probe.ports(name)
  expect(ports.rows.some((row) => row.name === 'tcp_inet')).toBe(true)
  const sockets = await probe.sockets(name)
  // The probe's own connection is one of them.
  expect(sockets.rows.some((row) => row.remote?.startsWith('127.0.0.1:') === true)).toBe(true)
  expect(sockets.sampled).toBe(sockets.total)

  expect(await topJson(name)).toMatchObject({
    nodes: [{ node: name, status: 'up', sample: { otpRelease: sample.otpRelease } }],
    processes: [{ node: name, by: 'memory' }],
  })
  const metrics = new Metrics({ probe })
  closeAtEnd(() => metrics.close())
  const text = await metrics.text()
  expect(text).toContain(`erlang_vm_up{node="${name}"} 1`)
  expect(text).toMatch(new RegExp(`erlang_vm_memory_bytes\\{node="${name}",kind="binary"\\} \\d{4,}`))

  await probe.call(name, 'rabbit', 'stop_and_halt').catch(() => undefined)
  await broker.exit
}, 300_000)

/** Work that does not end: carts are opened and filled. */
const LOAD = `
  Enum.each(1..8, fn n ->
    spawn(fn ->
      Process.register(self(), :"load_#{n}")
      Stream.repeatedly(fn -> Enum.sum(1..20_000) end) |> Enum.each(fn _ -> Process.sleep(1) end)
    end)
  end)
  :ets.new(:orders, [:named_table, :public])
  :ets.insert(:orders, for(n <- 1..5_000, do: {n, "order"}))
  IO.puts("loaded")
  Process.sleep(:infinity)`

test('an Elixir application with a supervision tree, under load', async () => {
  const project = await mkdtemp(join(tmpdir(), 'beampeer-shop-'))
  closeAtEnd(() => rm(project, { recursive: true }))
  await cp('examples/elixir', project, { recursive: true })
  const name = uniqueName('shop')
  const shop = await start(
    'elixir',
    ['--name', name, '--cookie', cookie, '-S', 'mix', 'run', '--no-halt', '-e', LOAD],
    {
      cwd: project,
      env: {
        ERL_EPMD_PORT: String(await privateEpmd()),
        ERL_ZFLAGS: '-start_epmd false',
        PRICES: 'nobody@127.0.0.1',
        MIX_ENV: 'prod',
        HOME: project,
        LANG: 'C.UTF-8',
      },
    },
  )
  await shop.waitForLine(/^loaded$/m)
  const probe = await watch(name)

  const applications = await probe.applications(name)
  const names = applications.map((application) => application.name)
  expect(names).toEqual(expect.arrayContaining(['elixir', 'logger', 'shop']))
  const children = await tree(probe, name, applications, 'shop')
  expect(children.length).toBeGreaterThan(0)
  // Modules of Elixir as it writes them, in the notation of Erlang.
  expect(children.some(({ id }) => id.includes("'Elixir."))).toBe(true)

  const busy = await until(async () => {
    const { rows } = await probe.processes(name, { by: 'reductions', limit: 8 })
    const found = rows.filter((row) => row.registeredName?.startsWith('load_') === true)
    return found.length === 8 && found.every(({ reductionsRate }) => (reductionsRate ?? 0) > 0) && found
  })
  expect(new Set(busy.map(({ registeredName }) => registeredName)).size).toBe(8)
  const trace = await probe.process(name, busy[0]?.pid ?? '')
  expect(trace?.stackTrace.join('\n')).toContain("'Elixir.")

  const tables = await probe.ets(name)
  expect(tables.rows.find((row) => row.name === 'orders')).toMatchObject({
    objects: 5_000,
    protection: 'public',
  })
  const sample = await probe.sample(name)
  expect(sample.rates?.reductions).toBeGreaterThan(10_000)
  expect(await topJson(name)).toMatchObject({ nodes: [{ node: name, status: 'up' }] })
  const metrics = new Metrics({ probe })
  closeAtEnd(() => metrics.close())
  expect(await metrics.text()).toContain(`erlang_vm_process_count{node="${name}"} `)
}, 300_000)
