/* global window, requestAnimationFrame */
/**
 * Whether the dashboard's page keeps 60 frames a second with ten BEAM nodes at a poll each second: Chromium draws it for
 * some seconds in each view, and counts. Writes the table in docs/dashboard.md.
 *
 *     npm run build && node bench/dashboard/frames.js [--seconds 15] [--write]       needs `erl` and `chromium`
 */
import { fork, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'
import { EpmdServer } from '../../lib/index.js'

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '15' }, write: { type: 'boolean' } },
})
const seconds = Number(values.seconds)
const cookie = randomBytes(9).toString('hex')
const epmd = await EpmdServer.listen({ port: 0 })
const names = Array.from({ length: 10 }, (_, n) => `n${n}@127.0.0.1`)
const LOAD = `
  [net_kernel:connect_node(N) || N <- [${names.map((name) => `'${name}'`).join(',')}], N =/= node()],
  [spawn(fun() -> (fun L() -> lists:seq(1, 100), timer:sleep(rand:uniform(200)), L() end)() end) || _ <- lists:seq(1, 100)],
  timer:sleep(infinity).`
const beams = names.map((name) =>
  spawn(
    'erl',
    ['-noinput', '+S', '1:1', '+sbwt', 'none', '-start_epmd', 'false', '-name', name, '-setcookie', cookie, '-eval', LOAD], // prettier-ignore
    { env: { ...process.env, ERL_EPMD_PORT: String(epmd.port) }, stdio: ['ignore', 'ignore', 'inherit'] },
  ),
)
const server = fork(new URL('./server.js', import.meta.url), [
  JSON.stringify({ nodes: names, cookie, epmd: { host: '127.0.0.1', port: epmd.port } }),
])
const browser = await chromium.launch({
  executablePath: process.env.BEAMPEER_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'], // prettier-ignore
})
const rows = []
try {
  await once(server, 'message')
  server.send('link')
  const [link] = await once(server, 'message')
  const page = await (await browser.newContext({ viewport: { width: 1_440, height: 900 } })).newPage()
  await page.goto(link)
  await page.locator('.card[data-status=up]').nth(9).waitFor()
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable')
  for (const [what, view] of [
    ['fleet', '#/'],
    ['a node', `#/nodes/${names[0]}`],
    ['500 processes', `#/nodes/${names[0]}/processes?limit=500`],
    ['cluster', '#/cluster'],
  ])
    rows.push(await measure(page, session, what, view))
} finally {
  await browser.close()
  server.send('stop')
  await once(server, 'exit')
  for (const beam of beams) beam.kill('SIGKILL')
  await epmd.close()
}
const text = report()
console.log(text)
if (values.write) write(text)

async function measure(page, session, what, view) {
  await page.evaluate((hash) => (window.location.hash = hash), view)
  await page.waitForTimeout(3_000)
  const before = await busySeconds(session)
  const frames = await page.evaluate(
    (ms) =>
      new Promise((resolve) => {
        const times = []
        const begin = performance.now()
        const frame = (now) => {
          times.push(now)
          if (now - begin < ms) requestAnimationFrame(frame)
          else resolve(times)
        }
        requestAnimationFrame(frame)
      }),
    seconds * 1_000,
  )
  const busy = (await busySeconds(session)) - before
  const gaps = frames.slice(1).map((at, index) => at - frames[index])
  const span = (frames.at(-1) - frames[0]) / 1_000
  return {
    what,
    rate: gaps.length / span,
    // Longer than a frame and a half: one was not drawn in its time.
    late: gaps.filter((gap) => gap > 25).length / gaps.length,
    longest: Math.max(...gaps),
    busy: busy / span,
  }
}

async function busySeconds(session) {
  const { metrics } = await session.send('Performance.getMetrics')
  return metrics.find(({ name }) => name === 'TaskDuration').value
}

function report() {
  const percent = (value) => `${(value * 100).toFixed(1)} %`
  return [
    `Measured on ${new Date().toISOString().slice(0, 10)}: Chromium ${browser.version()} without a graphics card,`,
    `${cpus()[0].model.trim()}, 10 BEAM nodes, ${seconds} seconds in each view.`,
    '',
    '| view | frames a second | late (more than 25 ms) | longest, ms | main thread |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map(
      ({ what, rate, late, longest, busy }) =>
        `| ${what} | ${rate.toFixed(1)} | ${percent(late)} | ${Math.round(longest)} | ${percent(busy)} |`,
    ),
  ].join('\n')
}

function write(table) {
  const file = new URL('../../docs/dashboard.md', import.meta.url)
  const before = readFileSync(file, 'utf8')
  const marks = /(<!-- frames: written by [^>]*-->\n)[^]*?(\n<!-- \/frames -->)/
  if (!marks.test(before)) throw new Error('docs/dashboard.md has no place for the frames')
  writeFileSync(
    file,
    before.replace(marks, (_, begin, end) => `${begin}\n${table}\n${end}`),
  )
}
