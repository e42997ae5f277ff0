/**
 * What the probe costs a BEAM with many processes: CPU time there and bytes on the wire, for each poll.
 * `npm run build && node bench/probe/run.js [processes]`. Needs `erl`.
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { atom, EpmdServer } from '../../lib/index.js'
import { Probe } from '../../lib/dashboard/index.js'

const POLLS = 50
const processes = Number(process.argv[2] ?? 100_000)
const cookie = randomBytes(9).toString('hex')
const epmd = await EpmdServer.listen({ port: 0 })
const name = 'probed@127.0.0.1'
const started = `[spawn(fun() -> receive stop -> ok end end) || _ <- lists:seq(1, ${processes})].`
const erl = spawn(
  'erl',
  [
    '-noinput',
    '+P',
    String(2 * processes + 10_000),
    '-start_epmd',
    'false',
    '-name',
    name,
    '-setcookie',
    cookie,
    '-eval',
    started,
  ],
  { env: { ...process.env, ERL_EPMD_PORT: String(epmd.port) }, stdio: ['ignore', 'ignore', 'inherit'] },
)
const probe = await Probe.start([name], {
  cookie,
  epmd: { host: '127.0.0.1', port: epmd.port },
  intervalMs: 86_400_000,
})
try {
  const updates = probe.updates()
  while (probe.status(name).sample === undefined) await updates.next()
  while ((await probe.sample(name)).limits.processes.used < processes);
  await measure('first process poll, with the list of pids', 1, () => probe.processes(name))
  await measure('process poll', POLLS, () => probe.processes(name))
  await measure('node poll', POLLS, () => probe.sample(name))
} finally {
  await probe.stop()
  erl.kill('SIGKILL')
  await epmd.close()
}

async function readings() {
  const runtime = await probe.call(name, 'erlang', 'statistics', [atom('runtime')])
  const { links } = await probe.sample(name)
  return { cpuMs: runtime.elements[0], bytes: links.find(({ own }) => own).sentBytes }
}

async function measure(what, times, poll) {
  const before = await readings()
  const start = performance.now()
  for (let i = 0; i < times; i++) await poll()
  const tookMs = (performance.now() - start) / times
  const after = await readings()
  const cpuMs = (after.cpuMs - before.cpuMs) / times
  const bytes = Math.round((after.bytes - before.bytes) / times)
  console.log(
    `${what}: ${cpuMs.toFixed(2)} ms of CPU there, ${bytes} bytes, ${tookMs.toFixed(1)} ms there and back`,
  )
}
