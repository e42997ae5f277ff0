/** The dashboard's server with real nodes: what a page without a browser is told, and what it may do. */
import { once } from 'node:events'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import {
  Probe,
  Replay,
  serveDashboard,
  type Dashboard,
  type DashboardOptions,
} from '../../src/dashboard/index.js'
import {
  DASHBOARD_PROTOCOL,
  decodeMessage,
  encodeMessage,
  floats32,
  type ViewValues,
} from '../../src/dashboard/protocol.js'
import { PidValue, showTerm } from '../../src/dashboard/term-values.js'
import { ErlangNode } from '../../src/index.js'
import {
  closeAtEnd,
  cookie,
  expectNothingLeft,
  privateEpmd,
  startBeam,
  stopEverything,
  type Beam,
} from '../support/beam.js'
import { cli, startCli } from '../support/cli.js'
import {
  headAt,
  Page,
  pageFolder,
  recordingOf,
  removeFolders,
  signIn,
  stateOf,
  temporaryFolder,
} from '../support/dashboard.js'

afterAll(async () => {
  await stopEverything()
  await removeFolders()
  await expectNothingLeft()
})

async function probeOf(...nodes: string[]): Promise<Probe> {
  const probe = await Probe.start(nodes, {
    cookie,
    epmd: { host: '127.0.0.1', port: await privateEpmd() },
    intervalMs: 50,
  })
  closeAtEnd(() => probe.stop())
  return probe
}

async function served(of: Probe | ErlangNode | Replay, options: DashboardOptions = {}): Promise<Dashboard> {
  const dashboard = await serveDashboard(of, { pageDirectory: await pageFolder(), ...options })
  closeAtEnd(() => dashboard.close())
  return dashboard
}

async function pageOf(beam: Beam, options?: DashboardOptions): Promise<Page> {
  const page = await Page.open(await served(await probeOf(beam.name), options))
  await page.until(() => page.mirror.nodes.get(beam.name)?.sample?.rates !== undefined)
  return page
}

test('a node’s figures, views, and what changes in them', async () => {
  const beam = await startBeam()
  const page = await pageOf(beam)
  const node = beam.name
  expect(page.mirror.nodes.get(node)).toMatchObject({
    status: 'up',
    kind: 'beam',
    sample: { otpRelease: String(beam.release), links: [{ own: true }] },
  })
  const view = (id: number) => page.mirror.view(id) as { value?: ViewValues['processes'] } | undefined
  page.watch(1, { kind: 'processes', node, by: 'memory', filter: 'HOG', limit: 5 })
  await page.until(() => view(1)?.value !== undefined)
  expect(view(1)?.value).toMatchObject({ rows: [], matched: 0 })
  await beam.eval(
    'register(hog, spawn(fun() -> put(key, {self(), "text"}), L = lists:seq(1, 300000), receive stop -> L end end)), ok',
  )
  await page.until(() => view(1)?.value?.rows[0]?.registeredName === 'hog')
  const pid = view(1)?.value?.rows[0]?.pid ?? ''
  expect(view(1)?.value?.matched).toBe(1)

  page.watch(2, { kind: 'process', node, pid, dictionary: true, state: false, messages: true })
  await page.until(() => page.mirror.view(2)?.value !== undefined)
  expect(page.mirror.view(2)?.value).toMatchObject({
    alive: true,
    registeredName: 'hog',
    groupLeader: expect.any(PidValue),
    messages: [],
  })
  const { dictionary } = page.mirror.view(2)?.value as unknown as {
    dictionary: { key: never; value: never }[]
  }
  expect(dictionary.map(({ key, value }) => `${showTerm(key)}: ${showTerm(value)}`)).toEqual([
    `key: {${pid},"text"}`,
  ])
  await beam.eval('whereis(hog) ! stop')
  await page.until(() => (page.mirror.view(2)?.value as { alive?: boolean }).alive === false)

  for (const [id, kind] of [
    [3, 'applications'],
    [4, 'ets'],
    [5, 'ports'],
    [6, 'sockets'],
    [7, 'schedulers'],
  ] as const)
    page.watch(id, { kind, node })
  for (const id of [3, 4, 5, 6, 7]) await page.until(() => page.mirror.view(id)?.value !== undefined)
  const { rows } = page.mirror.view(3)?.value as unknown as { rows: { name: string; supervisor: string }[] }
  const kernel = rows.find(({ name }) => name === 'kernel')
  page.watch(8, { kind: 'children', node, supervisor: kernel?.supervisor ?? '' })
  await page.until(() => page.mirror.view(8)?.value !== undefined)
  expect(page.mirror.view(8)?.value).toMatchObject({
    children: expect.arrayContaining([expect.objectContaining({ id: 'code_server', type: 'worker' })]),
  })
  page.watch(9, { kind: 'process', node, pid: 'no pid', dictionary: false, state: false, messages: false })
  await page.until(() => page.mirror.view(9)?.error !== undefined)
  expect(page.mirror.view(9)?.error?.code).toBe('BAD_ARGUMENT')
  page.watch(10, { kind: 'ets', node: 'nobody@nowhere' })
  await page.until(() => page.mirror.view(10)?.error !== undefined)

  const reply = await page.ask({ kind: 'history', node, columns: ['memoryTotal'], from: 0, points: 50 })
  const { history } = (reply as unknown as { result: { history: { columns: Record<string, Uint8Array> } } })
    .result
  expect([...floats32(history.columns.memoryTotal as Uint8Array)].every((bytes) => bytes > 1e6)).toBe(true)
  await page.close()
})

test('a node that is killed stays with its reason and last figures, and comes back', async () => {
  const beam = await startBeam()
  const page = await pageOf(beam)
  page.watch(1, { kind: 'ets', node: beam.name })
  await page.until(() => page.mirror.view(1)?.value !== undefined)
  beam.kill()
  await page.until(() => page.mirror.nodes.get(beam.name)?.status === 'down')
  const down = page.mirror.nodes.get(beam.name)
  expect(down?.reason).toBe('connection_closed')
  expect(down?.sample?.memory?.total).toBeGreaterThan(1_000_000)
  await page.until(() => page.mirror.events.at(-1)?.type === 'nodedown')
  expect(page.mirror.events.at(-1)).toMatchObject({ node: beam.name, reason: 'connection_closed' })
  await beam.exit
  await startBeam({ name: beam.name })
  await page.until(() => page.mirror.nodes.get(beam.name)?.status === 'up')
  await page.until(() => page.mirror.events.at(-1)?.type === 'nodeup')
  // Views are read again, too.
  await page.until(() => page.mirror.view(1)?.value !== undefined && page.mirror.view(1)?.error === undefined)
  await page.close()
})

describe('actions', () => {
  test('are refused unless they are allowed, and logged', async () => {
    const beam = await startBeam()
    const log: string[] = []
    const page = await pageOf(beam, { logger: { info: (line) => void log.push(line) } })
    expect(page.mirror.welcome?.allowActions).toBe(false)
    const victim = await beam.evalText(
      'V = spawn(fun() -> receive after infinity -> ok end end), pid_to_list(V)',
    )
    expect(
      await page.act({ kind: 'exit', node: beam.name, pid: JSON.parse(victim) as string, reason: 'kill' }),
    ).toMatchObject({ ok: false, error: { code: 'DASHBOARD_ACTIONS_OFF' } })
    expect(await beam.eval('is_process_alive(V)')).toBe(true)
    expect(log).toEqual([expect.stringMatching(/exit\(<0\.\d+\.0>, kill\).*failed/)])
    await page.close()
  })

  test('end a process and disconnect a node; what is not shown is left alone', async () => {
    const [beam, other] = await Promise.all([startBeam(), startBeam()])
    const log: string[] = []
    const page = await pageOf(beam, { allowActions: true, logger: { info: (line) => void log.push(line) } })
    const node = beam.name
    const victim = JSON.parse(
      await beam.evalText('V = spawn(fun() -> receive after infinity -> ok end end), pid_to_list(V)'),
    ) as string
    const exit = (on: string, pid: string) => page.act({ kind: 'exit', node: on, pid, reason: 'kill' })
    expect(await exit(node, victim)).toMatchObject({ ok: true, result: { returned: true } })
    await beam.until('not is_process_alive(V)')
    expect(await exit(node, 'evil')).toMatchObject({ ok: false, error: { code: 'BAD_ARGUMENT' } })
    expect(await exit(other.name, '<0.1.0>')).toMatchObject({
      ok: false,
      error: { code: 'DASHBOARD_UNKNOWN_NODE' },
    })
    const disconnect = (peer: string) => page.act({ kind: 'disconnect', node, peer })
    expect(await disconnect('unknown@host')).toMatchObject({
      ok: false,
      error: { code: 'DASHBOARD_BAD_MESSAGE' },
    })
    expect(await beam.evalText(`net_adm:ping('${other.name}')`)).toBe('pong')
    const linked = () => page.mirror.nodes.get(node)?.sample?.links.some(({ peer }) => peer === other.name)
    await page.until(() => linked() === true)
    expect(await disconnect(other.name)).toMatchObject({ ok: true, result: { returned: true } })
    await page.until(() => linked() === false)
    await page.until(() =>
      page.mirror.events.some(({ type, peer }) => type === 'linkdown' && peer === other.name),
    )
    expect(log.length).toBe(5)
    expect(log[0]).toContain('asked for by 127.0.0.1: done')
    await page.close()
  })
})

test('a node of one’s own shows itself, and the nodes that it is connected to', async () => {
  const beam = await startBeam()
  const epmd = { host: '127.0.0.1', port: await privateEpmd() }
  const node = await ErlangNode.start(`dash${process.pid}@127.0.0.1`, { cookie, epmd })
  closeAtEnd(() => node.stop())
  const dashboard = await served(node, { probe: { epmd, intervalMs: 50 } })
  const page = await Page.open(dashboard)
  await page.until(() => page.mirror.nodes.get(node.name)?.sample?.rates !== undefined)
  expect(page.mirror.nodes.get(node.name)).toMatchObject({ kind: 'beampeer', status: 'up' })
  expect(page.mirror.nodes.get(node.name)?.sample?.memory?.total).toBeGreaterThan(1_000_000)
  expect(page.mirror.nodes.has(beam.name)).toBe(false)
  await node.connect(beam.name)
  await page.until(() => page.mirror.nodes.get(beam.name)?.sample !== undefined)
  await page.until(
    () => page.mirror.nodes.get(node.name)?.sample?.links.some(({ peer }) => peer === beam.name) === true,
  )
  expect(page.mirror.nodes.get(node.name)?.sample?.limits.processes.used).toBeGreaterThanOrEqual(0)
  page.watch(1, { kind: 'ets', node: node.name })
  await page.until(() => page.mirror.view(1)?.error !== undefined)
  expect(page.mirror.view(1)?.error?.code).toBe('DASHBOARD_NO_VIEW')
  // A node that was up stays when it goes.
  await beam.stop()
  await page.until(() => page.mirror.nodes.get(beam.name)?.status === 'down')
  await page.close()
  await dashboard.close()
})

test('what was recorded is shown again, with the views that were open', async () => {
  const beam = await startBeam()
  const record = join(await temporaryFolder(), 'session')
  const probe = await probeOf(beam.name)
  const dashboard = await served(probe, { record })
  const page = await Page.open(dashboard)
  expect(page.mirror.welcome?.recording).toMatchObject({ file: record })
  await page.until(() => page.mirror.nodes.get(beam.name)?.sample?.rates !== undefined)
  const ports = { kind: 'ports', node: beam.name } as const
  page.watch(1, ports)
  await page.until(() => page.mirror.view(1)?.value !== undefined)
  beam.kill()
  await page.until(() => page.mirror.nodes.get(beam.name)?.status === 'down')
  await page.close()
  const last = page.mirror.nodes.get(beam.name)
  await dashboard.close()
  await probe.stop()

  const replay = await Replay.open(record, { paused: true })
  closeAtEnd(() => replay.close())
  const again = await Page.open(await served(replay))
  expect(again.mirror.replay).toMatchObject({ paused: true })
  expect(await again.control({ position: again.mirror.replay?.to as number })).toMatchObject({ ok: true })
  await again.until(() => again.mirror.nodes.get(beam.name)?.status === 'down')
  expect(again.mirror.nodes.get(beam.name)).toEqual(last)
  again.watch(1, ports)
  await again.until(() => again.mirror.view(1)?.value !== undefined)
  expect(again.mirror.view(1)?.value).toEqual(page.mirror.view(1)?.value)
  expect(again.mirror.events).toEqual(page.mirror.events)
  await again.close()
})

describe('the command', () => {
  test('prints a link, another one when it was used, and ends at a signal', async () => {
    const beam = await startBeam()
    const env = { ERL_EPMD_PORT: String(beam.epmdPort), BEAMPEER_COOKIE: cookie }
    const command = await startCli(['dashboard', beam.name, '--interval', '0.05'], { env })
    const [, link = ''] = await command.waitForLine(/^ready (http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43})$/m)
    const answer = await fetch(link, { redirect: 'manual' })
    expect(answer.status).toBe(303)
    const [, another = ''] = await command.waitForLine(/^link (.*)$/m)
    expect(another).not.toBe(link)
    const value = (answer.headers.get('set-cookie') ?? '').split(';')[0] as string
    const page = await (await fetch(new URL('/', link), { headers: { cookie: value } })).text()
    expect(page).toContain('<!doctype html>')
    command.kill('SIGINT')
    expect(await command.exit).toEqual({ code: 0, signal: null })
    expect(command.stderr.text()).not.toContain('rror')
  })

  test('says what is wrong with its arguments, files and addresses', async () => {
    const bad = async (...args: string[]) => {
      const { code, stderr } = await cli(['dashboard', ...args], { env: { BEAMPEER_COOKIE: 'c' } })
      return `${code} ${/\[([A-Z_]+)\]/.exec(stderr)?.[1] ?? stderr}`
    }
    expect(await bad()).toMatch(/^2 error: give the nodes to watch/)
    expect(await bad('a@host', '--replay', 'x')).toMatch(/^2 error: give the nodes to watch/)
    expect(await bad('--replay', '/nonexistent')).toBe('1 DASHBOARD_BAD_RECORDING')
    expect(await bad('a@127.0.0.1', '--record', '/nonexistent/x')).toBe('1 DASHBOARD_RECORDING_FAILED')
    expect(await bad('a@127.0.0.1', '--host', '192.0.2.1')).toBe('1 DASHBOARD_LISTEN_FAILED')
    expect(await bad('--replay', 'x', '--record', 'y')).toMatch(/^2 /)
  })

  test('a full disk stops the recording and nothing else', async () => {
    const beam = await startBeam()
    const env = { ERL_EPMD_PORT: String(beam.epmdPort), BEAMPEER_COOKIE: cookie }
    const command = await startCli(['dashboard', beam.name, '--record', '/dev/full'], { env })
    await command.waitForLine(/^ready /m)
    await command.waitForError(/recording to \/dev\/full has stopped: ENOSPC/)
    command.kill('SIGTERM')
    expect(await command.exit).toEqual({ code: 0, signal: null })
  })

  test('--replay shows a recording, without a node or a cookie', async () => {
    const at = Date.UTC(2026, 0, 1)
    const file = await recordingOf([headAt(at), { type: 'states', at, nodes: [stateOf('a@host', at)] }])
    const command = await startCli(['dashboard', '--replay', file])
    const [, link = ''] = await command.waitForLine(/^ready (.*)$/m)
    const answer = await fetch(link, { redirect: 'manual' })
    const headers = { cookie: (answer.headers.get('set-cookie') ?? '').split(';')[0] as string }
    const { host, origin } = new URL(link)
    const socket = new WebSocket(`ws://${host}/live`, { headers, origin })
    socket.on('open', () => socket.send(encodeMessage({ type: 'hello', version: DASHBOARD_PROTOCOL })))
    const [welcome] = (await once(socket, 'message')) as [Buffer]
    expect(decodeMessage(welcome)).toMatchObject({
      type: 'welcome',
      at,
      nodes: [{ node: 'a@host' }],
      replay: { ended: true },
    })
    socket.terminate()
    command.kill('SIGINT')
    expect(await command.exit).toEqual({ code: 0, signal: null })
  })

  test('start --dashboard serves one of the node', async () => {
    const beam = await startBeam()
    const name = `own${process.pid}@127.0.0.1`
    const env = { ERL_EPMD_PORT: String(beam.epmdPort), BEAMPEER_COOKIE: cookie }
    const command = await startCli(['start', '--name', name, '--dashboard', '127.0.0.1:0'], { env })
    const [, link = ''] = await command.waitForLine(/^dashboard (http:.*)$/m)
    expect(command.stdout.all()[0]).toMatch(/^ready own/)
    expect((await fetch(link, { redirect: 'manual' })).status).toBe(303)
    command.kill('SIGTERM')
    expect(await command.exit).toEqual({ code: 0, signal: null })
  })
})

test('nothing of a dashboard is left after its end', async () => {
  const beam = await startBeam()
  const servers = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length
  const before = servers()
  const probe = await probeOf(beam.name)
  const dashboard = await served(probe)
  expect(servers()).toBe(before + 1)
  const page = await Page.open(dashboard, await signIn(dashboard))
  page.watch(1, { kind: 'schedulers', node: beam.name })
  await page.until(() => page.mirror.nodes.get(beam.name)?.sample !== undefined)
  await dashboard.close()
  await page.closed
  await dashboard.close()
  await probe.stop()
  expect(servers()).toBe(before)
})
