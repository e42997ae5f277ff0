/**
 * The codec against its rivals: every contestant in one run, bursts in turn, medians of CPU time. Needs Linux. Prints the
 * times, the ratios and the goals; `--write` puts them into docs/performance.md and the essence into README.md.
 *
 *     npm run build && npm install --prefix bench && node bench/etf/run.js [--rounds N] [--only NAME] [--etf FILE] [--json] [--write]
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { setImmediate as turn } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { isUtf8 } from 'node:buffer'
import { contestants } from './contestants.js'
import { goals } from './goals.js'
import { setting, writeBetween } from './marks.js'

const here = path.dirname(fileURLToPath(import.meta.url))
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '13' },
    only: { type: 'string' },
    etf: { type: 'string', default: path.join(here, '../../lib/etf/node.js') },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    burst: { type: 'string', default: '20' },
  },
})
// V8 makes its young generation as large as this when much of it survives, and as small as 1 MiB when little was allocated
// for a while: which of them it is would depend on what was measured before, and is a factor of two to five.
const FLAGS = ['--min-semi-space-size=16', '--max-semi-space-size=16']
if (!FLAGS.every((flag) => process.execArgv.includes(flag))) {
  const { status } = spawnSync(process.execPath, [...FLAGS, ...process.argv.slice(1)], { stdio: 'inherit' })
  process.exit(status ?? 1)
}

const etf = {
  ...(await import(pathToFileURL(options.etf).href)),
  isText: (bytes) => bytes.length < 65536 && isUtf8(bytes),
}
const corpus = path.join(here, 'corpus')

if (!existsSync(path.join(corpus, 'ints.etf'))) {
  mkdirSync(corpus, { recursive: true })
  execFileSync('escript', [path.join(here, 'corpus.escript'), corpus], { stdio: 'inherit' })
}

/** The BEAM, which does a burst when asked. */
function startBeam() {
  const child = spawn('escript', [path.join(here, 'beam.escript')], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async burst(what, file, count) {
      const before = threadsNs(child.pid)
      child.stdin.write(`${what} ${file} ${count}\n`)
      await lines.next()
      return threadsNs(child.pid) - before
    },
    stop: () => child.stdin.end(),
  }
}

/** In another order each round: V8 collects garbage of one while who comes next is measured. */
function shuffled(items) {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)
}

function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1]
}

/** What the threads of another process have had of the CPU. */
function threadsNs(pid) {
  return readdirSync(`/proc/${pid}/task`)
    .map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]))
    .reduce((sum, ns) => sum + ns, 0)
}

/**
 * CPU time of all threads of this process, those that collect garbage among them. Not time on the clock: on a machine
 * that does other things too, that tells of those.
 */
function timed(run, count) {
  const start = process.cpuUsage()
  for (let i = 0; i < count; i++) run()
  const { user, system } = process.cpuUsage(start)
  return (user + system) * 1000
}

const beam = startBeam()
const burstNs = Number(options.burst) * 1e6
const names = readdirSync(corpus)
  .filter((file) => file.endsWith('.etf') && !file.endsWith('.old.etf'))
  .map((file) => file.slice(0, -4))
  .filter((name) => options.only === undefined || name.includes(options.only))
const entries = names.map((name) => ({
  name,
  file: path.join(corpus, `${name}.etf`),
  bytes: readFileSync(path.join(corpus, `${name}.etf`)),
  oldBytes: readFileSync(path.join(corpus, `${name}.old.etf`)),
}))
// All are made and warmed up before any is measured: what one learns of the shapes of another counts, as it does in use.
for (const entry of entries) entry.contestants = contestants(etf, entry)
for (const { contestants: all } of entries) {
  for (const { decode, encode } of Object.values(all)) for (const run of [decode, encode]) warm(run)
}

function warm(run) {
  for (const end = performance.now() + 20; performance.now() < end;) run()
}

const results = []
for (const { name, file, contestants: all } of entries) {
  for (const what of ['decode', 'encode']) {
    const runs = Object.entries(all).map(([who, functions]) => ({
      who,
      burst: (n) => timed(functions[what], n),
      times: [],
    }))
    runs.push({ who: 'BEAM', burst: (n) => beam.burst(what, file, n), times: [] })
    for (const run of runs) {
      // Long enough to be compiled and to be measured.
      run.count = 1
      let took = await run.burst(1)
      while (took < burstNs && run.count < 1e7) {
        run.count = Math.max(run.count + 1, Math.min(run.count * 4, Math.ceil((run.count * burstNs) / took)))
        took = await run.burst(run.count)
      }
    }
    for (let round = 0; round < Number(options.rounds); round++) {
      for (const run of shuffled(runs)) {
        run.times.push((await run.burst(run.count)) / run.count)
        // What waits for a turn of the event loop, and keeps memory until then, goes.
        await turn()
      }
    }
    results.push({ name, what, ns: Object.fromEntries(runs.map(({ who, times }) => [who, median(times)])) })
  }
}
beam.stop()

if (options.json) console.log(JSON.stringify(results))
else console.log([table('decode'), table('encode'), reached()].join('\n\n'))
if (options.write) {
  const root = path.join(here, '../..')
  const both = `${setting()}\n\n${table('decode')}\n\n${table('encode')}\n\n${reached()}`
  writeBetween(path.join(root, 'docs/performance.md'), 'codec', both)
  writeBetween(path.join(root, 'README.md'), 'codec', summary())
}

/**
 * Ratios above 1: beampeer is faster. Rivals that give text are met with text, where there is any; the BEAM, whose binaries
 * are views, with views.
 */
function ratio(ns, who) {
  if (ns[who] === undefined) return '–'
  const own = who === 'BEAM' ? ns.beampeer : (ns['beampeer (text)'] ?? ns.beampeer)
  return (ns[who] / own).toFixed(2)
}

function shown(ns) {
  if (ns === undefined) return ''
  return ns < 1e3
    ? `${ns.toFixed(0)} ns`
    : ns < 1e6
      ? `${(ns / 1e3).toFixed(1)} µs`
      : `${(ns / 1e6).toFixed(2)} ms`
}

function mean(rows, who) {
  const ratios = rows.map(({ ns }) => Number(ratio(ns, who))).filter((value) => value > 0)
  return Math.exp(ratios.reduce((sum, value) => sum + Math.log(value), 0) / ratios.length).toFixed(2)
}

function table(what) {
  const rivals = ['erlpack', 'msgpackr', 'JSON', '@msgpack/msgpack', 'v8.serialize', 'erlang_js', 'BEAM']
  const rows = results.filter((result) => result.what === what)
  return [
    `| ${what} | beampeer | as text | ${rivals.join(' | ')} |`,
    `|${' --- |'.repeat(rivals.length + 3)}`,
    ...rows.map(({ name, ns }) => {
      const cells = rivals.map((who) => ratio(ns, who))
      return `| ${name} | ${shown(ns.beampeer)} | ${shown(ns['beampeer (text)'])} | ${cells.join(' | ')} |`
    }),
    `| geometric mean | | | ${rivals.map((who) => mean(rows, who)).join(' | ')} |`,
  ].join('\n')
}

function reached() {
  return goals(
    (what, name, who) => {
      const result = results.find((one) => one.what === what && one.name === name)
      return result === undefined ? '–' : ratio(result.ns, who)
    },
    (what, who) =>
      mean(
        results.filter((result) => result.what === what),
        who,
      ),
  )
}

/** What README shows: how many times as fast as each rival, reading and writing. */
function summary() {
  const rivals = ['erlpack', 'msgpackr', 'JSON', 'BEAM']
  const shapes = {
    'rpc-tuple': 'a small rpc tuple',
    'document-atom-keys': 'a document of 100 KB, keys atoms',
    'document-binary-keys': 'the same, keys and all text as strings',
    'process-info': '900 processes as `process_info` tells of them',
    floats: '1,000 floats',
    'ascii-strings': '2,000 short strings',
  }
  const cell = (name, who) =>
    ['decode', 'encode']
      .map((what) => results.find((result) => result.name === name && result.what === what))
      .map(({ ns }) => ratio(ns, who))
      .join(' / ')
  return [
    '| times as fast as … (decode / encode) | erlpack (C++) | msgpackr | JSON | BEAM |',
    '| --- | --- | --- | --- | --- |',
    ...Object.entries(shapes).map(
      ([name, title]) => `| ${title} | ${rivals.map((who) => cell(name, who)).join(' | ')} |`,
    ),
  ].join('\n')
}
