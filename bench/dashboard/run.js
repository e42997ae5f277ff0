/**
 * What a dashboard of ten BEAM nodes costs at a poll each second: CPU and memory of its server, bytes to a page and to a
 * recording, and what 24 hours of history take. Writes the table in docs/dashboard.md.
 *
 *     npm run build && node bench/dashboard/run.js [--seconds 20] [--write]       needs `erl`
 */
import { fork, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { WebSocket } from 'ws'
import { DEFAULT_LIMITS, EpmdServer } from '../../lib/index.js'
import { NodeHistory } from '../../lib/dashboard/history.js'
import { Mirror } from '../../lib/dashboard/mirror.js'
import { DASHBOARD_PROTOCOL, decodeMessage, encodeMessage } from '../../lib/dashboard/protocol.js'
import { Replay } from '../../lib/dashboard/replay.js'

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '20' }, write: { type: 'boolean' } },
})
const seconds = Number(values.seconds)
const NODES = 10
const DAY_SECONDS = 24 * 3_600
const cookie = randomBytes(9).toString('hex')
const epmd = await EpmdServer.listen({ port: 0 })
const folder = mkdtempSync(join(tmpdir(), 'beampeer-bench-'))
const record = join(folder, 'recording')
const names = Array.from({ length: NODES }, (_, n) => `n${n}@127.0.0.1`)
/** Each node has 100 processes at work, and sends each other node a message of 200 bytes ten times a second. */
const LOAD = `
  [net_kernel:connect_node(N) || N <- [${names.map((name) => `'${name}'`).join(',')}], N =/= node()],
  [spawn(fun() -> (fun L() -> lists:seq(1, 100), timer:sleep(rand:uniform(200)), L() end)() end) || _ <- lists:seq(1, 100)],
  (fun Forever() ->
    [{nobody, N} ! binary:copy(<<1>>, 200) || N <- [${names.map((name) => `'${name}'`).join(',')}], N =/= node()],
    timer:sleep(100), Forever() end)().`
const beams = names.map((name) =>
  spawn(
    'erl',
    [
      '-noinput',
      '+S',
      '1:1',
      '+sbwt',
      'none',
      '-start_epmd',
      'false',
      '-name',
      name,
      '-setcookie',
      cookie,
      '-eval',
      LOAD,
    ],
    { env: { ...process.env, ERL_EPMD_PORT: String(epmd.port) }, stdio: ['ignore', 'ignore', 'inherit'] },
  ),
)
const server = fork(new URL('./server.js', import.meta.url), [
  JSON.stringify({ nodes: names, cookie, epmd: { host: '127.0.0.1', port: epmd.port }, record }),
])
const rows = []
try {
  await once(server, 'message')
  const first = await openPage()
  // All up, and all linked to all.
  await first.until(() =>
    names.every((name) => (first.mirror.nodes.get(name)?.sample?.links.length ?? 0) >= NODES),
  )
  await sleep(5)
  await measure('one page, the overview', [first])
  first.watch(1, { kind: 'processes', node: names[0], by: 'memory', filter: '', limit: 50 })
  first.watch(2, { kind: 'schedulers', node: names[0] })
  await measure('one page, a node with 50 processes and its schedulers', [first])
  first.send({ type: 'unwatch', id: 1 })
  first.send({ type: 'unwatch', id: 2 })
  const more = [first, await openPage(), await openPage(), await openPage(), await openPage()]
  await measure('five pages, the overview', more)
  for (const page of more) page.socket.terminate()
  await measure('no page', [])
  server.send('stop')
  await once(server, 'exit')
} finally {
  server.kill('SIGKILL')
  for (const beam of beams) beam.kill('SIGKILL')
  await epmd.close()
}
const histories = dayOfHistory()
const opened = await timeReplay()
rmSync(folder, { recursive: true, force: true })
const text = report()
console.log(text)
if (values.write) write(text)

function sleep(count) {
  return new Promise((resolve) => setTimeout(resolve, count * 1_000))
}

async function asked(what) {
  server.send(what)
  const [answer] = await once(server, 'message')
  return answer
}

async function openPage() {
  const link = await asked('link')
  const response = await fetch(link, { redirect: 'manual' })
  const cookie = response.headers.get('set-cookie').split(';')[0]
  const { host, origin } = new URL(link)
  const socket = new WebSocket(`ws://${host}/live`, { headers: { cookie }, origin })
  const page = {
    socket,
    mirror: new Mirror(),
    bytes: 0,
    polls: new Map(),
    send: (message) => socket.send(encodeMessage(message)),
  }
  page.watch = (id, view) => {
    page.mirror.watch(id, view)
    page.send({ type: 'watch', id, view })
  }
  page.until = async (wanted) => {
    while (!wanted()) await once(socket, 'message')
  }
  socket.on('message', (data) => {
    page.bytes += data.length
    const message = decodeMessage(data)
    page.mirror.take(message)
    for (const { node, patch } of message.type === 'status' ? message.nodes : [])
      if (patch?.sample?.at !== undefined) page.polls.set(node, (page.polls.get(node) ?? 0) + 1)
  })
  await once(socket, 'open')
  page.send({ type: 'hello', version: DASHBOARD_PROTOCOL })
  await page.until(() => page.mirror.welcome !== undefined)
  return page
}

async function measure(what, pages) {
  await sleep(2)
  const polls = () => names.reduce((sum, name) => sum + (pages[0]?.polls.get(name) ?? 0), 0)
  const polled = polls()
  const before = {
    ...(await asked('cost')),
    bytes: pages.map((page) => page.bytes),
    file: statSync(record).size,
  }
  const start = performance.now()
  await sleep(seconds)
  const passed = (performance.now() - start) / 1_000
  const after = await asked('cost')
  rows.push({
    what,
    cpu: (after.cpuMs - before.cpuMs) / 1_000 / passed,
    polls: (polls() - polled) / NODES / passed,
    rss: after.rss,
    page: Math.max(0, ...pages.map((page, at) => (page.bytes - before.bytes[at]) / passed)),
    file: (statSync(record).size - before.file) / passed,
  })
}

/** Histories of all nodes, filled with a day of polls; gives what the process grew by. */
function dayOfHistory() {
  const sample = {
    links: [],
    runQueue: 1,
    roundTripMs: 1,
    limits: Object.fromEntries(['processes', 'ports', 'atoms', 'ets'].map((what) => [what, { used: 1 }])),
  }
  const all = names.map(() => new NodeHistory(DEFAULT_LIMITS))
  for (const history of all)
    for (let second = 0; second < DAY_SECONDS; second++) history.push({ ...sample, at: second * 1_000 })
  return all.reduce((sum, history) => sum + history.bytes, 0)
}

async function timeReplay() {
  const bytes = statSync(record).size
  const start = performance.now()
  const replay = await Replay.open(record, { paused: true })
  const ms = performance.now() - start
  const { from, to } = replay.replay.state()
  await replay.close()
  return { ms, bytes, minutes: (to - from) / 60_000 }
}

function report() {
  const kb = (bytes) => (bytes / 1_000).toFixed(1)
  const mb = (bytes) => (bytes / 1_000_000).toFixed(1)
  const overview = rows[0]
  return [
    `Measured on ${new Date().toISOString().slice(0, 10)}: Node ${process.versions.node}, ${cpus()[0].model}, ${NODES} BEAM nodes all linked to`,
    `each other and sending to each other, recording on. CPU is of one core.`,
    '',
    '| | polls of a node each second | CPU of the server | its resident memory | to a page, kB/s | to the recording, kB/s |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows.map(
      ({ what, polls, cpu, rss, page, file }) =>
        `| ${what} | ${page === 0 ? '–' : polls.toFixed(2)} | ${(cpu * 100).toFixed(1)} % | ${mb(rss)} MB | ${page === 0 ? '–' : kb(page)} | ${kb(file)} |`,
    ),
    '',
    `24 hours of history of ${NODES} nodes take ${mb(histories)} MB, from the first minute on. A recorded hour of the overview takes`,
    `${mb(overview.file * 3_600)} MB; the ${opened.minutes.toFixed(1)} minutes of this run (${mb(opened.bytes)} MB) were opened for replay in ${opened.ms.toFixed(0)} ms.`,
  ].join('\n')
}

/** Between the marks in docs/dashboard.md. */
function write(text) {
  const file = new URL('../../docs/dashboard.md', import.meta.url)
  const old = readFileSync(file, 'utf8')
  const marked = /(<!-- figures: written by bench\/dashboard\/run.js -->\n)[\s\S]*(\n<!-- \/figures -->)/
  if (!marked.test(old)) throw new Error('docs/dashboard.md has no marks')
  writeFileSync(
    file,
    old.replace(marked, (_all, open, close) => `${open}\n${text}\n${close}`),
  )
}
