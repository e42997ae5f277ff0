/**
 * Binaries of 64 KiB that come to processes whose heaps differ in size, which decides how often V8 collects them. One BEAM
 * sends a gigabyte to each in turn, after some calls; medians over the rounds, of which the first does not count.
 *
 *     npm run build && node bench/channel/heaps.js [--otp 25] [--rounds 4] [--held 0,0.25,0.5] [--flags=--a,--b]
 *
 * `--held`: MiB of objects that live on, as an application's would, beside what beampeer and Node have. `--flags`: Node's,
 * for the processes that receive. The heap that is printed includes the ballast of net/bulk-memory.ts, where it has one.
 */
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { median, residentMiB, startBeam, startEpmd, startNode, stopAll } from './children.js'

const { values: options } = parseArgs({
  options: {
    otp: { type: 'string', default: '25' },
    rounds: { type: 'string', default: '4' },
    flags: { type: 'string', default: '' },
    held: { type: 'string', default: '0,0.25,0.5,0.75,1,1.25,1.5,2,4,6,8,10,12,16,32' },
  },
})
const lib = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../lib')
const cookie = randomBytes(8).toString('hex')
const run = randomBytes(3).toString('hex')
const name = (who) => `${who}_${run}@127.0.0.1`
process.on('exit', stopAll)

const epmd = await startEpmd(lib)
const env = { ERL_EPMD_PORT: epmd.facts[0] }
const driver = await startBeam(options.otp, 'main', name('driver'), cookie, env)
const targets = []
for (const [index, held] of options.held.split(',').entries()) {
  // An object of three places and an empty array take 96 bytes with the place that holds them.
  const objects = Math.round((Number(held) * 1024 * 1024) / 96)
  const hold = `globalThis.held = Array.from({ length: ${objects} }, (_, a) => ({ a, b: -a, c: [] }))`
  const given = options.flags.split(',').filter((flag) => flag !== '')
  const flags = [...given, '--expose-gc', '--import', `data:text/javascript,${encodeURIComponent(hold)}`]
  const args = [lib, name(`js${index}`), cookie]
  const child = await startNode(`js${index}`, 'beampeer-target.js', args, env, flags)
  await driver.ask(`{connect, '${child.facts[1]}'}.`)
  await driver.ask(`{calls, erpc, '${child.facts[1]}', 64, 700, ${child.pid}}.`)
  targets.push({ held, child, runs: [] })
}
for (let round = 0; round < Number(options.rounds); round++) {
  for (const { child, runs } of targets) {
    const facts = await driver.ask(`{push, '${child.facts[1]}', 65536, 16000, ${child.pid}}.`)
    if (round > 0) runs.push({ ...facts, resident: residentMiB(child.pid) })
  }
  process.stderr.write(`round ${round + 1} of ${options.rounds}\n`)
}
console.log(`Node ${process.version} ${options.flags}, driven by OTP ${options.otp}`)
console.log('held MiB   heap MiB    MB/s   CPU µs a MB   resident MiB')
for (const { held, child, runs } of targets) {
  const { heapUsed } = await child.ask('gc')
  const columns = [
    held.padStart(8),
    (heapUsed / 1024 / 1024).toFixed(1).padStart(10),
    median(runs.map(({ bytes, us }) => bytes / us))
      .toFixed(0)
      .padStart(7),
    median(runs.map(({ bytes, cpu_us: cpu }) => cpu / (bytes / 1e6)))
      .toFixed(0)
      .padStart(13),
    median(runs.map(({ resident }) => resident))
      .toFixed(0)
      .padStart(14),
  ]
  console.log(columns.join(' '))
}
process.exit()
