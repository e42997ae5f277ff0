/**
 * What loading the package takes, in time and memory: as it is built, its modules one by one (as tsc makes them), and
 * Node.js alone. Started in turn.
 *
 *     npm run build && node bench/startup/load.js [runs]
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const runs = Number(process.argv[2] ?? 15)
const modules = mkdtempSync(path.join(root, 'node_modules', '.modules-'))
const LOAD = `const [file] = process.argv.slice(1), start = performance.now()
if (file) await import(file)
const tookMs = performance.now() - start
const { heapUsed } = process.memoryUsage()
const { readFileSync } = await import('node:fs')
const resident = Number(/VmRSS:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024
console.log(JSON.stringify({ tookMs, heapUsed, resident }))`

try {
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc')
  run(tsc, '-p', path.join(root, 'tsconfig.build.json'), '--noCheck', '--outDir', modules)
  const contestants = {
    'Node.js alone': '',
    beampeer: pathToFileURL(path.join(root, 'lib/index.js')).href,
    'its modules': pathToFileURL(path.join(modules, 'index.js')).href,
  }
  const results = Object.fromEntries(Object.keys(contestants).map((name) => [name, []]))
  for (let i = 0; i < runs; i++) {
    for (const [name, file] of Object.entries(contestants))
      results[name].push(JSON.parse(run('--input-type=module', '-e', LOAD, file)))
  }
  console.log(`Node.js ${process.version}, ${runs} runs of each in turn: medians`)
  for (const [name, all] of Object.entries(results)) {
    const of = (key) => all.map((one) => one[key]).sort((a, b) => a - b)[all.length >> 1]
    const mib = (key) => `${(of(key) / 2 ** 20).toFixed(1)} MiB`
    console.log(
      `  ${name.padEnd(14)} ${of('tookMs').toFixed(0).padStart(4)} ms, ${mib('heapUsed')} heap, ${mib('resident')} resident`,
    )
  }
} finally {
  rmSync(modules, { recursive: true })
}

function run(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${args[0]} ended with ${status}: ${stderr}`)
  return stdout
}
