// Pictures of the dashboard for the documents: eight Erlang nodes with something to do, one of which dies and comes back
// and one of which stays down, in headless Chromium. `npm run build && node scripts/dashboard-screenshots.mjs [NAME…]`.
// Needs erl and chromium. Takes two minutes: charts of nothing say nothing.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { Probe, serveDashboard } from '../lib/dashboard/index.js'
import { EpmdServer } from '../lib/index.js'

const SECONDS = Number(process.env.SECONDS ?? 110)
const images = fileURLToPath(new URL('../docs/images', import.meta.url))
const cookie = randomBytes(9).toString('hex')
const epmd = await EpmdServer.listen({ port: 0 })

/** Work that comes in waves: `Busy` of each beat is computing, for as many processes as `Workers`. */
const waves = (workers, busy, seconds) => `
  [register(list_to_atom("worker_" ++ integer_to_list(W)), spawn(fun() -> (fun Loop(T) ->
     Wave = (1 + math:sin(T * 6.28 / (${seconds} * 20) + W)) / 2,
     lists:sum([X * X || X <- lists:seq(1, round(${busy} * Wave))]),
     timer:sleep(50), Loop(T + 1) end)(0) end)) || W <- lists:seq(1, ${workers})]`
/** Binaries and a table that grow and are thrown away. */
const memory = (megabytes) => `
  spawn(fun() -> T = ets:new(sessions, [named_table, public]), (fun Loop(N) ->
     ets:insert(T, {N rem 400, crypto:strong_rand_bytes(${megabytes} * 2000)}),
     N rem 977 =:= 0 andalso ets:delete_all_objects(T), timer:sleep(30), Loop(N + 1) end)(1) end)`
const idle = (count) => `[spawn(fun() -> receive stop -> ok end end) || _ <- lists:seq(1, ${count})]`
const links = (other) => `net_kernel:connect_node('${other}')`
/** Messages to a name that nobody has: they travel, and that is all. */
const traffic = (to, bytes, everyMs) => `
  spawn(fun() -> (fun Loop() -> {nobody, '${to}'} ! binary:copy(<<1>>, ${bytes}), timer:sleep(${everyMs}), Loop() end)() end)`

const HOST = '127.0.0.1'
const name = (alive) => `${alive}@${HOST}`
const NODES = {
  shop1: [
    waves(6, 9_000, 25),
    memory(12),
    idle(4_200),
    links(name('shop2')),
    traffic(name('orders1'), 6_000, 40),
  ],
  shop2: [
    waves(4, 7_000, 40),
    memory(9),
    idle(3_900),
    links(name('shop1')),
    traffic(name('orders1'), 3_000, 60),
  ],
  orders1: [waves(3, 4_000, 18), memory(18), idle(900), traffic(name('orders2'), 30_000, 50)],
  orders2: [waves(2, 4_000, 30), memory(16), idle(700)],
  payments: [waves(1, 3_000, 22), memory(4), idle(350), traffic(name('orders1'), 1_000, 200)],
  mail: [
    idle(150),
    `register(outbox, spawn(fun() -> receive stop -> ok end end)), [outbox ! {mail, N} || N <- lists:seq(1, 4711)]`,
    traffic(name('shop1'), 500, 300),
  ],
  search: [waves(5, 9_000, 33), memory(24), idle(2_500), traffic(name('shop2'), 12_000, 80)],
  // Nearly all the processes that it may have.
  reports: [waves(1, 1_000, 12), idle(3_420), traffic(name('orders2'), 400, 500)],
}
const running = new Map()
for (const alive of Object.keys(NODES)) start(alive)
const probe = await Probe.start([...Object.keys(NODES), 'archive'].map(name), {
  cookie,
  epmd: { host: HOST, port: epmd.port },
})
const dashboard = await serveDashboard(probe, { allowActions: true })
const browser = await chromium.launch({
  executablePath: process.env.BEAMPEER_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'], // prettier-ignore
})

/** File, view, width, height, theme, and what is pressed before. */
const SHOTS = [
  ['fleet-light', '#/', 1_440, 900, 'light'],
  ['fleet-dark', '#/', 1_440, 900, 'dark'],
  ['fleet-phone-light', '#/', 390, 844, 'light'],
  ['fleet-phone-dark', '#/', 390, 844, 'dark'],
  ['node-light', `#/nodes/${name('search')}`, 1_440, 900, 'light'],
  ['node-dark', `#/nodes/${name('search')}`, 1_440, 880, 'dark'],
  ['node-phone-light', `#/nodes/${name('search')}`, 390, 844, 'light'],
  ['node-phone-dark', `#/nodes/${name('search')}`, 390, 844, 'dark'],
  ['processes-light', `#/nodes/${name('shop1')}/processes?by=reductions`, 1_440, 760, 'light'],
  ['processes-phone-dark', `#/nodes/${name('shop1')}/processes?by=reductions`, 390, 844, 'dark'],
  [
    'process-dark',
    `#/nodes/${name('shop1')}/processes?by=reductions&filter=worker_1`,
    1_440,
    900,
    'dark',
    'tbody a',
  ],
  [
    'supervision-light',
    `#/nodes/${name('shop1')}/supervision?open=kernel`,
    1_440,
    900,
    'light',
    'ul .tree-toggle',
  ],
  ['ets-dark', `#/nodes/${name('orders1')}/ets`, 1_440, 760, 'dark'],
  ['cluster-light', '#/cluster', 1_440, 900, 'light'],
  ['cluster-dark', '#/cluster', 1_440, 900, 'dark'],
  ['cluster-phone-light', '#/cluster', 390, 844, 'light'],
  ['timeline-light', '#/timeline', 1_440, 900, 'light'],
  ['timeline-phone-dark', '#/timeline', 390, 844, 'dark'],
]

try {
  mkdirSync(images, { recursive: true })
  const wanted = process.argv.slice(2)
  await pause(SECONDS * 500)
  running.get('payments').kill()
  await pause(6_000)
  start('payments')
  await pause(SECONDS * 500)
  running.get('mail').kill()
  await pause(2_500)
  for (const shot of SHOTS) if (wanted.length === 0 || wanted.includes(shot[0])) await take(...shot)
} finally {
  await browser.close()
  await dashboard.close()
  await probe.stop()
  for (const beam of running.values()) beam.kill('SIGKILL')
  await epmd.close()
}

async function take(file, view, width, height, colorScheme, press) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme,
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  page.on('pageerror', (error) => console.error(`${file}: ${error.message}`))
  await page.goto(`${dashboard.newLink()}${view}`)
  await page.locator('main[data-state=live]').waitFor()
  if (press !== undefined) await page.locator(press).first().click()
  // Rates need two readings.
  await pause(4_500)
  await page.screenshot({ path: `${images}/dashboard-${file}.png` })
  await context.close()
  console.log(`docs/images/dashboard-${file}.png`)
}

function start(alive) {
  const work = [...NODES[alive], 'receive after infinity -> ok end'].join(', ')
  const processes = alive === 'reports' ? ['+P', '4096'] : []
  const beam = spawn(
    'erl',
    ['-noinput', '+S', '2:2', '+sbwt', 'none', ...processes, '-start_epmd', 'false', '-name', name(alive), '-setcookie', cookie, '-eval', `${work}.`], // prettier-ignore
    { env: { ...process.env, ERL_EPMD_PORT: String(epmd.port) }, stdio: ['ignore', 'ignore', 'inherit'] },
  )
  running.set(alive, beam)
}
