/**
 * How long `beampeer ping` takes from the shell, against `node -e 0`, which is the least that a program for Node.js can
 * take, and `erl`, which pings and halts. Started in turn; the network's part is what the same ping (EPMD, connection,
 * handshake, request) takes a node that runs already.
 *
 *     npm run build && node bench/startup/run.js [runs] [--check]     --check: exit status 1 unless below 1.5 times
 *
 * Needs `erl`.
 */
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { EpmdServer, epmdNames, ErlangNode } from '../../lib/index.js'

const BOUND = 1.5
const runs = Number(process.argv.find((text) => /^\d+$/.test(text)) ?? 31)
const main = fileURLToPath(new URL('../../lib/cli/main.cjs', import.meta.url))
const cookie = randomBytes(9).toString('hex')
const target = 'pinged@127.0.0.1'
const epmd = await startEpmd()
const env = { ...process.env, ERL_EPMD_PORT: String(epmd.port), BEAMPEER_COOKIE: cookie }
const base = ['-noinput', '-start_epmd', 'false', '-setcookie', cookie, '-name']
const erl = spawn('erl', [...base, target], { env, stdio: ['ignore', 'ignore', 'inherit'] })

try {
  const network = await warmPings()
  const erlPing = `io:put_chars(atom_to_list(net_adm:ping('${target}'))), erlang:halt(0).`
  const contestants = {
    'node -e 0': [process.execPath, ['-e', '0'], ''],
    'beampeer ping': [process.execPath, [main, 'ping', target], 'pong\n'],
    'erl ping': ['erl', [...base, 'pinging@127.0.0.1', '-eval', erlPing], 'pong'],
  }
  const times = Object.fromEntries(Object.keys(contestants).map((name) => [name, []]))
  // The first one of beampeer keeps its compiled code.
  for (let run = -1; run < runs; run++) {
    for (const [name, [command, args, output]] of Object.entries(contestants)) {
      const started = performance.now()
      const { status, stdout } = spawnSync(command, args, { env, encoding: 'utf8' })
      const tookMs = performance.now() - started
      if (status !== 0 || stdout !== output) throw new Error(`${name} ended with ${status}: ${stdout}`)
      if (run >= 0) times[name].push(tookMs)
    }
  }
  console.log(`Node.js ${process.version}, ${runs} runs of each in turn, milliseconds: median (least)`)
  for (const [name, all] of Object.entries(times)) console.log(`  ${name.padEnd(14)} ${figures(all)}`)
  console.log(`  ${'network'.padEnd(14)} ${figures(network)}`)
  const ratio = (median(times['beampeer ping']) - median(network)) / median(times['node -e 0'])
  console.log(`(beampeer ping − network) / node -e 0: ${ratio.toFixed(2)}; the bound is ${BOUND}`)
  if (process.argv.includes('--check') && ratio >= BOUND) process.exitCode = 1
} finally {
  erl.kill('SIGKILL')
  await epmd.stop()
}

/** OTP's, in a process of its own: this one stands still while it waits for the contestants. */
async function startEpmd() {
  const free = await EpmdServer.listen({ port: 0 })
  await free.close()
  const child = spawn('epmd', ['-port', String(free.port)], { stdio: 'ignore' })
  while ((await epmdNames('127.0.0.1', { port: free.port }).catch(() => undefined)) === undefined);
  return {
    port: free.port,
    async stop() {
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

async function warmPings() {
  const node = await ErlangNode.start(undefined, {
    cookie,
    epmd: { host: '127.0.0.1', port: epmd.port },
    logger: { info: () => undefined, warn: () => undefined },
  })
  const times = []
  try {
    while (
      !(await node.dial(target).then(
        () => true,
        () => false,
      ))
    )
      if (erl.exitCode !== null) throw new Error(`erl ended with ${erl.exitCode}`)
    for (let i = 0; i < 50; i++) {
      node.disconnect(target)
      const started = performance.now()
      await node.dial(target)
      if ((await node.ping(target)) !== 'pong') throw new Error('no pong')
      times.push(performance.now() - started)
    }
  } finally {
    await node.stop()
  }
  return times
}

function median(times) {
  return [...times].sort((a, b) => a - b)[times.length >> 1]
}

function figures(times) {
  return `${median(times).toFixed(1)} (${Math.min(...times).toFixed(1)})`
}
