/**
 * Connections between nodes, measured: a BEAM drives beampeer and its rivals, each a process of its own on loopback, all
 * in one run and by turns, so that what else the machine does falls on all alike. Medians over the rounds.
 *
 *     npm run build && node bench/channel/run.js [--otp 25,29] [--rounds 5] [--ms 700] [--json FILE] [--write]
 *     [--only PART] [--crowd 1,10,100,1000] [--congestion cubic] [--from FILE,FILE] [--compare FILE,FILE]
 *
 * `--write` puts the tables into docs/performance.md; `--from` takes the results of earlier runs (their `--json`), made
 * one release at a time, instead of measuring; `--compare` prints the goals of runs with several releases of Node side by
 * side. `--congestion` measures in a network namespace of its own (as root) with that TCP congestion control, whichever the
 * machine has: bbr, for one, paces what is sent by timers, on loopback too. Needs erlang-dev and a C compiler for the C node, erlang-jinterface and a JDK for the Java node, erlang-inets for
 * httpc; `--without libei,jinterface,http,pressure` leaves parts out.
 */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, release as kernel, tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import {
  median,
  residentMiB,
  startBeam,
  startEpmd,
  startJinterface,
  startLibei,
  startNode,
  stopAll,
} from './children.js'
import { comparison, tables } from './tables.js'

const here = path.dirname(fileURLToPath(import.meta.url))
const { values: options } = parseArgs({
  options: {
    otp: { type: 'string', default: '25,29' },
    rounds: { type: 'string', default: '5' },
    ms: { type: 'string', default: '700' },
    lib: { type: 'string', default: path.join(here, '../../lib') },
    only: { type: 'string', default: '' },
    without: { type: 'string', default: '' },
    crowd: { type: 'string', default: '1,10,100,1000' },
    congestion: { type: 'string' },
    json: { type: 'string' },
    from: { type: 'string' },
    compare: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
})
const CONGESTION = '/proc/sys/net/ipv4/tcp_congestion_control'
if (options.congestion !== undefined && options.congestion !== congestion()) process.exit(inNamespace())
const without = options.without.split(',')
const ms = Number(options.ms)
const cookie = randomBytes(8).toString('hex')
const run = randomBytes(3).toString('hex')
const directory = mkdtempSync(path.join(tmpdir(), 'beampeer-bench-'))
const KiB64 = 64 * 1024
const MiB8 = 8 * 1024 * 1024
const LARGE = 100 * 1024 * 1024
/** Longer than what was kept of the last large messages is kept. */
const PAUSE_MS = 7_000
/** After what came last has been given back, and the runtime has seen that nothing comes. */
const CALM_MS = 12_000
/** A BEAM that keeps less of what it sends before the socket (64 KiB instead of 1 MiB) and in it. */
const SHORT_QUEUE = ['+zdbbl', '64', '-kernel', 'inet_dist_connect_options', '[{sndbuf,131072}]']
const env = {}
process.on('exit', () => {
  stopAll()
  rmSync(directory, { recursive: true, force: true })
})

if (options.compare !== undefined) console.log(comparison(read(options.compare)))
else {
  const results = options.from === undefined ? await measureAll() : earlier(read(options.from))
  if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(results, null, 1))
  const text = tables(results)
  console.log(text)
  if (options.write) writeTables(text)
}

async function measureAll() {
  const measured = {
    node: process.version,
    cpu: `${cpus().length} × ${cpus()[0].model}`,
    system: `Linux ${kernel().split('.', 2).join('.')}, TCP with ${congestion()}`,
    date: new Date().toISOString().slice(0, 10),
    releases: {},
  }
  const epmd = await startEpmd(options.lib)
  env.ERL_EPMD_PORT = epmd.facts[0]
  for (const [index, release] of options.otp.split(',').entries())
    measured.releases[release] = await measure(release, index === 0)
  await epmd.stop()
  return measured
}

function congestion() {
  return readFileSync(CONGESTION, 'utf8').trim()
}

/** Runs this again, where the network is not the machine's. */
function inNamespace() {
  const prepare = `ip link set lo up && echo "$0" > ${CONGESTION} && exec "$@"`
  const args = ['--net', 'sh', '-c', prepare, options.congestion, process.execPath, ...process.argv.slice(1)]
  const { error, status } = spawnSync('unshare', args, { stdio: 'inherit' })
  if (error !== undefined) throw error
  return status ?? 1
}

function read(files) {
  return files.split(',').map((file) => JSON.parse(readFileSync(file, 'utf8')))
}

function earlier(all) {
  return { ...all[0], releases: Object.assign({}, ...all.map(({ releases }) => releases)) }
}

/** All of it with a driver of one release. What needs the host's packages is measured `full`. */
async function measure(release, full) {
  const name = (who) => `${who}${release}_${run}@127.0.0.1`
  const driver = await startBeam(release, 'main', name('driver'), cookie, env)
  const brief = await startBeam(release, 'main', name('brief'), cookie, env, SHORT_QUEUE)
  const targets = await startTargets(release, full, name)
  const caller = await startNode('caller', 'beampeer-client.js', [options.lib, cookie], env)
  for (const { child } of Object.values(targets)) {
    const connected = child.facts[1].includes('@')
      ? await driver.ask(`{connect, '${child.facts[1]}'}.`)
      : { connected: 1 }
    if (connected.connected !== 1) throw new Error(`the driver cannot connect to ${child.name}`)
  }
  const jobs = list(targets, driver, brief, caller).filter(({ what }) => what.includes(options.only))
  const samples = {}
  const times = new Map()
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const { what, who, go } of inTurn(jobs, times)) {
      const facts = await go()
      if (facts.failed) throw new Error(`${what} with ${who} failed`)
      ;((samples[what] ??= {})[who] ??= []).push(facts)
    }
    process.stderr.write(`OTP ${release}: round ${round + 1} of ${options.rounds}\n`)
  }
  const memory = {}
  for (const [who, { child }] of Object.entries(targets)) memory[who] = { loaded: residentMiB(child.pid) }
  // What a runtime keeps for a while after large messages is one thing, what it keeps for good another.
  await new Promise((resolve) => setTimeout(resolve, CALM_MS))
  for (const [who, { child }] of Object.entries(targets)) memory[who].later = residentMiB(child.pid)
  const crowds = options.crowd === '' ? [] : await crowd(targets, driver, caller)
  const pressure = without.includes('pressure') ? undefined : await underPressure(release, driver, name)
  await caller.stop()
  for (const { child } of Object.values(targets)) await child.stop()
  await brief.stop()
  await driver.stop()
  const medians = {}
  for (const [what, byWho] of Object.entries(samples)) {
    medians[what] = {}
    for (const [who, runs] of Object.entries(byWho)) medians[what][who] = summary(runs)
  }
  return { medians, memory, crowds, pressure }
}

async function startTargets(release, full, name) {
  const targets = {}
  const add = (who, child, ...can) => (targets[who] = { child, can })
  const flags = ['--expose-gc']
  const js = [options.lib, name('js'), cookie]
  add(
    'beampeer',
    await startNode('beampeer', 'beampeer-target.js', js, env, flags),
    'rpc',
    'rex',
    'echo',
    'bulk',
    'burst',
    'large',
  )
  add(
    'BEAM',
    await startBeam(release, 'target', name('beam'), cookie, env),
    'rpc',
    'rex',
    'echo',
    'bulk',
    'burst',
    'large',
  )
  const calm = ['+sbwt', 'none', '+sbwtdcpu', 'none', '+sbwtdio', 'none']
  add('BEAM, no busy wait', await startBeam(release, 'target', name('calm'), cookie, env, calm), 'rpc')
  if (!without.includes('libei'))
    add('libei', await startLibei(directory, name('ei').split('@')[0], cookie, env), 'rex', 'echo', 'bulk')
  if (!without.includes('jinterface'))
    add(
      'JInterface',
      await startJinterface(directory, name('java').split('@')[0], cookie, env),
      'rex',
      'echo',
      'bulk',
    )
  if (full && !without.includes('http'))
    add('HTTP and JSON', await startNode('http', 'http-target.js', [], env), 'http')
  return targets
}

/**
 * The jobs of a round, with the targets of each measurement in another order every time. What one leaves behind, the next
 * one pays for: a driver of which one scheduler is awake or two, a Java heap to be collected. So over a few times each
 * target comes after each other one, and in each place, about as often (a Williams design).
 */
function inTurn(jobs, times) {
  const groups = []
  for (const job of jobs) {
    if (groups.at(-1)?.[0].what === job.what) groups.at(-1).push(job)
    else groups.push([job])
  }
  return groups.flatMap((group) => {
    const [{ what }] = group
    const time = times.get(what) ?? 0
    times.set(what, time + 1)
    return order(group.length, time).map((place) => group[place])
  })
}

/** Of 4: 0 1 3 2, then 1 2 0 3, 2 3 1 0, 3 0 2 1. An odd number needs each of them backwards, too. */
function order(count, time) {
  const places = Array.from({ length: count }, (_, i) => {
    const zigzag = i % 2 === 0 ? count - i / 2 : (i + 1) / 2
    return (zigzag + time) % count
  })
  return time % (2 * count) < count ? places : places.reverse()
}

/** Every measurement of a round, target by target within each. */
function list(targets, driver, brief, caller) {
  const jobs = []
  const each = (able, what, make) => {
    for (const [who, { child, can }] of Object.entries(targets)) {
      if (can.includes(able)) jobs.push({ what, who, go: make(child, `'${child.facts[1]}'`, child.pid) })
    }
  }
  const ask = (command) => () => driver.ask(`${command}.`)
  // Twice a round: the state of the driver seldom changes within a second.
  for (const kind of ['rpc', 'erpc', 'rpc', 'erpc']) {
    for (const n of [1, 16, 64, 256])
      each('rpc', `${kind} ${n}`, (child, target, pid) =>
        ask(`{calls, ${kind}, ${target}, ${n}, ${ms}, ${pid}}`),
      )
  }
  for (const n of [1, 64]) {
    for (const kind of ['rex', 'bare_rex'])
      each('rex', `${kind} ${n}`, (child, target, pid) =>
        ask(`{calls, ${kind}, ${target}, ${n}, ${ms}, ${pid}}`),
      )
    each('http', `http ${n}`, (child, target, pid) => async () => {
      await driver.ask(`{http_client, ${n}}.`)
      return driver.ask(`{calls, http, "${child.facts[1]}", ${n}, ${ms}, ${pid}}.`)
    })
  }
  if ('HTTP and JSON' in targets) {
    for (const n of [1, 64])
      jobs.push({ what: `port ${n}`, who: 'port program', go: () => portCalls(driver, n) })
  }
  for (const n of [1, 100])
    each('echo', `echo ${n}`, (child, target, pid) => ask(`{echo, ${target}, ${n}, ${ms}, ${pid}}`))
  for (const [size, count, label] of [
    [KiB64, 16_000, '64 KiB'],
    [MiB8, 128, '8 MiB'],
  ]) {
    // Each takes half a second, and what else a virtual machine's host does falls on one and not on the next.
    for (let turn = 0; turn < 3; turn++) {
      for (const way of ['push', 'pull'])
        each('bulk', `${way} ${label}`, (child, target, pid) =>
          ask(`{${way}, ${target}, ${size}, ${count}, ${pid}}`),
        )
    }
  }
  each('burst', 'burst 64 KiB', (child, target, pid) => async () => {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    return driver.ask(`{push, ${target}, ${KiB64}, 3200, ${pid}}.`)
  })
  // Three times as well: few calls are made meanwhile, and a stall of the machine is in most of those that wait for it.
  for (let turn = 0; turn < 3; turn++) {
    for (const way of ['push', 'pull'])
      each('large', `during ${way}`, (child, target) => ask(`{during, ${way}, ${target}, ${LARGE}}`))
  }
  each(
    'large',
    'during push, short queue',
    (child, target) => () => brief.ask(`{during, push, ${target}, ${LARGE}}.`),
  )
  each(
    'large',
    'during push, another node',
    (child, target, pid) => () => callsOfAnother(driver, brief, target, pid),
  )
  for (const n of [1, 16, 64, 256]) {
    const beam = targets.BEAM.child.facts[1]
    const given = { command: 'calls', kind: 'erpc', target: beam, inFlight: n, ms, pid: caller.pid }
    jobs.push({ what: `caller ${n}`, who: 'beampeer', go: () => caller.ask(JSON.stringify(given)) })
    jobs.push({
      what: `caller ${n}`,
      who: 'BEAM',
      go: ask(`{calls, erpc, '${beam}', ${n}, ${ms}, ${driver.pid}}`),
    })
  }
  return jobs
}

/** Calls of one node while another sends a large message. */
async function callsOfAnother(mover, caller, target, pid) {
  await mover.ask(`{prepare, ${LARGE}}.`)
  const idle = await caller.ask(`{calls, erpc, ${target}, 1, 500, ${pid}}.`)
  const watched = caller.ask(`{watch, ${target}, 1500}.`)
  const { from, to } = await mover.ask(`{move, ${target}}.`)
  await watched
  const facts = await caller.ask(`{watched, ${from}, ${to}}.`)
  return { ...facts, idle_p50: idle.p50, idle_p99: idle.p99, move_us: to - from }
}

async function portCalls(driver, n) {
  const program = path.join(here, 'port-target.js')
  const { pid } = await driver.ask(`{open_port, "${process.execPath}", ["${program}", "${options.lib}"]}.`)
  const facts = await driver.ask(`{calls, port, none, ${n}, ${ms}, ${pid}}.`)
  await driver.ask('{close_port}.')
  return facts
}

/** The active peer's calls, and memory, with a crowd of idle peers connected. */
async function crowd(targets, driver, caller) {
  const rows = []
  const { child } = targets.beampeer
  const calls = () => driver.ask(`{calls, erpc, '${child.facts[1]}', 64, ${ms}, ${child.pid}}.`)
  const [, address, port] = child.facts
  const measured = async (runs) => {
    // Both begin with the same: what is young has been collected.
    await child.ask('gc')
    for (let i = 0; i < 2; i++) runs.push(await calls())
    const { heapUsed: heap } = await child.ask('gc')
    return { rss: residentMiB(child.pid), heap }
  }
  for (const size of options.crowd.split(',').map(Number)) {
    const without = []
    const beside = []
    let none, some
    // In turn: what else the machine does changes within seconds.
    for (let i = 0; i < 4; i++) {
      const alone = await measured(without)
      const given = { command: 'crowd', target: address, host: '127.0.0.1', port: Number(port), size }
      await caller.ask(JSON.stringify(given))
      const { connected } = await child.ask('gc')
      if (connected < size) throw new Error(`${connected} nodes are connected, not ${size} and the driver`)
      const together = await measured(beside)
      // What is kept of earlier crowds is not this one's.
      none ??= alone
      some ??= together
      await caller.ask(JSON.stringify({ command: 'disperse' }))
    }
    rows.push({ size, none: { ...none, ...summary(without) }, ...some, ...summary(beside) })
  }
  return rows
}

/** Memory of a fresh node when a peer is stopped while we send to it, and when a peer sends what nobody reads. */
async function underPressure(release, driver, name) {
  const child = await startNode('pressed', 'beampeer-target.js', [options.lib, name('pressed'), cookie], env)
  const beam = await startBeam(release, 'target', name('stopped'), cookie, env)
  const target = child.facts[1]
  await driver.ask(`{connect, '${target}'}.`)
  await driver.ask(`{calls, erpc, '${target}', 64, ${ms}, ${child.pid}}.`)
  const idle = residentMiB(child.pid)
  await child.ask(`flood ${beam.facts[1]}`)
  while ((await child.ask('flooded')).messages < 10_000);
  process.kill(beam.pid, 'SIGSTOP')
  let { messages } = await child.ask('flooded')
  let before
  do {
    before = messages
    await new Promise((resolve) => setTimeout(resolve, 1000))
    messages = (await child.ask('flooded')).messages
  } while (messages !== before)
  const stopped = residentMiB(child.pid)
  process.kill(beam.pid, 'SIGKILL')
  const unread = []
  for (let seconds = 0; seconds < 5; seconds++) {
    const { count } = await driver.ask(`{flood, '${target}', 1000}.`)
    unread.push({ count, rss: residentMiB(child.pid) })
  }
  await child.stop()
  return { idle, stopped, unread }
}

function summary(runs) {
  const of = (value) => median(runs.map(value))
  const [first] = runs
  const facts = {}
  if ('bytes' in first) facts.mbPerSecond = of(({ bytes, us }) => bytes / us)
  if ('count' in first && 'us' in first) facts.perSecond = of(({ count, us }) => (count / us) * 1e6)
  if ('count' in first && 'cpu_us' in first) facts.cpuUs = of(({ count, cpu_us: cpu }) => cpu / count)
  if ('bytes' in first) facts.cpuUsPerMb = of(({ bytes, cpu_us: cpu }) => cpu / (bytes / 1e6))
  for (const key of ['p50', 'p99', 'idle_p50', 'idle_p99', 'move_us', 'count'])
    if (key in first) facts[key] = of((one) => one[key])
  return facts
}

function writeTables(tables) {
  const file = path.join(here, '../../docs/performance.md')
  const [start, end] = ['<!-- channel: written by bench/channel/run.js -->', '<!-- /channel -->']
  const page = readFileSync(file, 'utf8')
  const [before, rest] = page.split(start)
  const after = rest.split(end)[1]
  writeFileSync(file, `${before}${start}\n\n${tables}\n${end}${after}`)
}
