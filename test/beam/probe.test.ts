/** The probe against real nodes: what it reads is what the node itself says, and what reading costs is bounded. */
import { Probe, type ProbeOptions, type ProbeUpdate } from '../../src/dashboard/index.js'
import {
  closeAtEnd,
  cookie,
  expectNothingLeft,
  privateEpmd,
  startBeam,
  stopEverything,
  type Beam,
} from '../support/beam.js'

afterAll(async () => {
  await stopEverything()
  await expectNothingLeft()
})

async function startProbe(nodes: readonly string[], options: ProbeOptions = {}): Promise<Probe> {
  const probe = await Probe.start(nodes, {
    cookie,
    epmd: { host: '127.0.0.1', port: await privateEpmd() },
    intervalMs: 50,
    ...options,
  })
  closeAtEnd(() => probe.stop())
  return probe
}

/** The first update that `wanted` accepts. */
async function update(updates: AsyncIterator<ProbeUpdate>, wanted: (update: ProbeUpdate) => boolean) {
  for (let next = await updates.next(); next.done !== true; next = await updates.next())
    if (wanted(next.value)) return next.value
  throw new Error('the updates ended')
}

async function watched(beam: Beam, options?: ProbeOptions): Promise<Probe> {
  const probe = await startProbe([beam.name], options)
  const updates = probe.updates()
  await update(
    updates,
    ({ type }) => type === 'status' && probe.status(beam.name).sample?.rates !== undefined,
  )
  await updates.return?.()
  return probe
}

describe.each([undefined, 23, 27, 29])('a node of OTP %s (undefined: the default)', (otp) => {
  test('is sampled with what it says of itself', async () => {
    const beam = await startBeam(otp === undefined ? {} : { otp })
    const probe = await watched(beam)
    const sample = await probe.sample(beam.name)
    expect(sample.otpRelease).toBe(String(beam.release))
    expect(sample.ertsVersion).toBe(JSON.parse(await beam.evalText('erlang:system_info(version)')))
    expect(sample.schedulers.total).toBe(await beam.eval('erlang:system_info(schedulers)'))
    expect(sample.runQueues.length).toBe(await beam.eval('length(erlang:statistics(run_queue_lengths_all))'))
    expect(sample.limits.processes.limit).toBe(await beam.eval('erlang:system_info(process_limit)'))
    expect(sample.limits.atoms.used).toBeGreaterThan(1_000)
    expect(sample.limits.ets.limit).toBe(await beam.eval('erlang:system_info(ets_limit)'))
    expect(sample.memory?.total).toBeGreaterThan(1_000_000)
    const uptime = await beam.eval('element(1, erlang:statistics(wall_clock))')
    expect(Math.abs(Number(uptime) - sample.uptimeMs)).toBeLessThan(2_000)
    expect(sample.counters.reductions).toBeGreaterThan(0)
    expect(sample.rates?.reductions).toBeGreaterThan(0)
    const own = sample.links.find((link) => link.own)
    expect(own).toMatchObject({
      type: 'hidden',
      queueBytes: expect.any(Number),
      sentBytes: expect.any(Number),
    })
    expect(sample.links.length).toBe(1)

    await beam.eval(
      'register(hog, spawn(fun() -> put(key, value), L = lists:seq(1, 300000), receive stop -> L end end)), hog',
    )
    await beam.until(
      'process_info(whereis(hog), current_function) =/= undefined andalso process_info(whereis(hog), status) =:= {status, waiting}',
    )
    const table = await probe.processes(beam.name, { by: 'memory', limit: 3 })
    expect(table.rows[0]).toMatchObject({ registeredName: 'hog' })
    expect(table.sampled).toBe(table.total)
    const pid = table.rows[0]?.pid ?? ''
    const hog = await probe.process(beam.name, pid, { dictionary: true })
    expect(hog).toMatchObject({
      registeredName: 'hog',
      status: 'waiting',
      dictionary: [{ key: 'key', value: 'value' }],
    })
    expect(hog?.messages).toBeUndefined()
    expect(hog?.stackTrace.length).toBeGreaterThan(0)

    const applications = await probe.applications(beam.name)
    const kernel = applications.find(({ name }) => name === 'kernel')
    const { children, total } = await probe.children(beam.name, kernel?.supervisor ?? '')
    expect(children.length).toBe(total)
    expect(children.find(({ id }) => id === 'code_server')).toMatchObject({ type: 'worker', local: true })
    const netKernel = await probe.children(beam.name, children.find(({ id }) => id === 'net_sup')?.pid ?? '')
    const child = netKernel.children.find(({ id }) => id === 'net_kernel')
    const state = await probe.process(beam.name, child?.pid ?? '', { state: true })
    expect(state).toMatchObject({ registeredName: 'net_kernel', trapExit: true })
    expect(state?.state).toMatch(/^\{state,/)

    await beam
      .eval('ets:new(shop, [named_table, public]), ets:insert(shop, [{N, N} || N <- lists:seq(1, 50000)])')
      .catch(() => undefined)
    const tables = await probe.ets(beam.name)
    expect(tables.sampled).toBe(tables.total)
    expect(tables.rows.find(({ name }) => name === 'code' || name === 'ac_tab')).toMatchObject({
      type: 'set',
    })
    const ports = await probe.ports(beam.name)
    expect(ports.rows.some(({ name }) => name === 'tcp_inet')).toBe(true)
    const sockets = await probe.sockets(beam.name)
    expect(sockets.rows.some(({ remote }) => remote?.startsWith('127.0.0.1:'))).toBe(true)

    const use = await probe.schedulerUse(beam.name, { intervalMs: 100 })
    expect(use.filter(({ type }) => type === 'normal').length).toBe(sample.schedulers.total)
    expect(use.every(({ active }) => active >= 0 && active <= 1)).toBe(true)
    expect(await beam.evalText('erlang:statistics(scheduler_wall_time)')).toBe('undefined')
  })
})

test('polls of processes keep to maxProbeRows and maxProbeBytes', async () => {
  const beam = await startBeam()
  await beam.eval('[spawn(fun() -> receive stop -> ok end end) || _ <- lists:seq(1, 200)], ok')
  const second = async (limits: ProbeOptions['limits']) => {
    const probe = await watched(beam, { processBudgetMs: 60_000, ...(limits && { limits }) })
    await probe.processes(beam.name)
    return probe.processes(beam.name)
  }
  const whole = await second({})
  expect([whole.sampled, whole.fresh]).toEqual([whole.total, whole.total])
  expect(await second({ maxProbeRows: 100 })).toMatchObject({ fresh: 100 })
  // A row of figures has some 70 bytes.
  const { fresh } = await second({ maxProbeBytes: 5_000 })
  expect(fresh).toBeGreaterThan(30)
  expect(fresh).toBeLessThan(150)
})

test('messages of a process are read only when asked for', async () => {
  const beam = await startBeam()
  const probe = await watched(beam)
  await beam.eval('P = spawn(fun() -> receive stop -> ok end end), register(box, P), P ! {secret, 1}, ok')
  const table = await probe.processes(beam.name, { by: 'messageQueueLen', limit: 1 })
  expect(table.rows[0]).toMatchObject({ registeredName: 'box', messageQueueLen: 1 })
  const pid = table.rows[0]?.pid ?? ''
  expect(JSON.stringify(await probe.process(beam.name, pid, { dictionary: true }))).not.toContain('secret')
  expect((await probe.process(beam.name, pid, { messages: true }))?.messages).toEqual(['{secret,1}'])
  await probe.exitProcess(beam.name, pid, 'kill').catch(() => undefined)
})

test('a busy supervisor and a process that is gone are said, not waited for', async () => {
  const beam = await startBeam()
  const probe = await watched(beam, { limits: { probeTimeoutMs: 200 } })
  await beam.eval('register(deaf, spawn(fun() -> receive stop -> ok end end)), ok')
  const { rows } = await probe.processes(beam.name, { limit: 1_000 })
  const deaf = rows.find(({ registeredName }) => registeredName === 'deaf')?.pid ?? ''
  await expect(probe.children(beam.name, deaf)).rejects.toMatchObject({ code: 'RPC_REMOTE_ERROR' })
  expect((await probe.process(beam.name, deaf, { state: true }))?.state).toContain('timeout')
  await beam.eval('exit(whereis(deaf), kill), ok')
  await beam.until('whereis(deaf) =:= undefined')
  expect(await probe.process(beam.name, deaf)).toBeUndefined()
  await expect(probe.process(beam.name, 'nonsense')).rejects.toMatchObject({ code: 'BAD_ARGUMENT' })
})

test('links and nodes that come and go are in the timeline, and a node that comes back is watched again', async () => {
  const [one, two] = await Promise.all([startBeam(), startBeam()])
  const probe = await watched(one)
  const updates = probe.updates()
  const event = (wanted: string) =>
    update(updates, (next) => next.type === 'event' && next.event.type === wanted)
  await one.eval('net_kernel:connect_node(Two)', { Two: await two.eval('node()') })
  expect(await event('linkup')).toMatchObject({ event: { node: one.name, peer: two.name } })
  const link = probe.status(one.name).sample?.links.find(({ peer }) => peer === two.name)
  expect(link).toMatchObject({ type: 'visible', queueBytes: 0 })
  two.kill()
  expect(await event('linkdown')).toMatchObject({ event: { node: one.name, peer: two.name } })
  one.kill()
  expect(await event('nodedown')).toMatchObject({ event: { node: one.name, reason: 'connection_closed' } })
  expect(probe.status(one.name)).toMatchObject({ status: 'down', reason: 'connection_closed' })
  expect(probe.status(one.name).sample?.otpRelease).toBe(String(one.release))
  await expect(probe.sample(one.name)).rejects.toMatchObject({ code: 'PROBE_NODE_DOWN' })
  await startBeam({ name: one.name })
  await event('nodeup')
  await update(updates, ({ type }) => type === 'status' && probe.status(one.name).error === undefined)
  expect(probe.status(one.name).status).toBe('up')
  expect(probe.timeline().map(({ type }) => type)).toEqual([
    'nodeup',
    'linkup',
    'linkdown',
    'nodedown',
    'nodeup',
  ])
})

test('a node that is not there is down, with the reason', async () => {
  const probe = await startProbe(['nobody@127.0.0.1'])
  const updates = probe.updates()
  await update(updates, (next) => next.type === 'status' && next.status.status === 'down')
  expect(probe.status('nobody@127.0.0.1')).toMatchObject({ reason: 'NODE_NOT_FOUND', sample: undefined })
  await expect(Probe.start(['no name'])).rejects.toMatchObject({ code: 'BAD_NODE_NAME' })
})

test('of 100,000 processes a poll reads some: under 100 KB, the list of pids rarely, and it says so', async () => {
  const beam = await startBeam({ args: ['+P', '300000'] })
  const probe = await watched(beam)
  await beam.eval(
    'Pids = [spawn(fun() -> receive stop -> ok end end) || _ <- lists:seq(1, 100000)], length(Pids)',
  )
  const first = await probe.processes(beam.name, { by: 'memory', limit: 20 })
  expect(first.total).toBeGreaterThan(100_000)
  expect(first.sampled).toBeLessThanOrEqual(500)
  const before = await sentBytes(beam)
  const second = await probe.processes(beam.name, { by: 'memory', limit: 20 })
  const cost = (await sentBytes(beam)) - before
  expect(cost).toBeGreaterThan(0)
  expect(cost).toBeLessThan(100_000)
  expect(second.fresh).toBeLessThanOrEqual(500)
  expect(second.sampled).toBeGreaterThan(first.sampled)
  expect(second.pidsAgeMs).toBeGreaterThan(first.pidsAgeMs)
})

/** Bytes that the node has sent to the probe. */
async function sentBytes(beam: Beam): Promise<number> {
  return Number(
    await beam.eval(
      'lists:sum([begin {ok, [{_, N}]} = inet:getstat(P, [send_oct]), N end || {_, P} <- erlang:system_info(dist_ctrl)])',
    ),
  )
}
