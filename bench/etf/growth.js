/**
 * Whether time and memory grow with the input and no faster, from 1 KB to 100 MB: a list of small tuples, a list of maps,
 * a list of integers, of strings, one binary, and a tower of lists in lists. `--write` puts the tables into
 * docs/performance.md.
 *
 *     npm run build && node --expose-gc --max-old-space-size=8192 bench/etf/growth.js [--etf FILE] [--most BYTES] [--write]
 */
import path from 'node:path'
import { PerformanceObserver } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { setting, writeBetween } from './marks.js'

const here = path.dirname(fileURLToPath(import.meta.url))
const { values: options } = parseArgs({
  options: {
    etf: { type: 'string', default: path.join(here, '../../lib/etf/node.js') },
    most: { type: 'string', default: '100000000' },
    write: { type: 'boolean', default: false },
  },
})
const { atom, decode, encode, ErlMap, tuple } = await import(pathToFileURL(options.etf).href)

const item = atom('item')
const id = atom('id')
const name = atom('name')
const shapes = {
  tuples: (bytes) => Array.from({ length: bytes / 22 }, (_, i) => tuple(item, i + 300, 1.5)),
  maps: (bytes) =>
    Array.from({ length: bytes / 42 }, (_, i) =>
      ErlMap.from([
        [id, i + 300],
        [name, `user ${i}`],
      ]),
    ),
  binary: (bytes) => new Uint8Array(bytes),
  integers: (bytes) => Array.from({ length: bytes / 5 }, (_, i) => i + 300),
  strings: (bytes) =>
    Array.from({ length: bytes / 28 }, (_, i) => `a string of 23 ${i % 10}`.padEnd(23, '.')),
  // To the limit of nesting, a million.
  nested: (bytes) => {
    if (bytes > 6e6) return undefined
    let term = 1.5
    for (let i = 0; i < bytes / 6; i++) term = [term]
    return term
  },
}

/** CPU time in ns, of all threads: so that collections of garbage count in full, and other programs do not. */
function cpuNs() {
  const { user, system } = process.cpuUsage()
  return (user + system) * 1000
}

let collectingMs = 0
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) collectingMs += duration
}).observe({ entryTypes: ['gc'] })

/** CPU time of one run: the least of some, which are of 5 ms at least; and the share of garbage collection in all of them. */
async function least(run, runs) {
  let best = Infinity
  await turn()
  collectingMs = 0
  const begin = performance.now()
  for (let round = 0; round < Math.max(3, Math.min(10, runs / 10)); round++) {
    const start = cpuNs()
    let count = 0
    let took = 0
    do {
      run()
      count++
      took = cpuNs() - start
    } while (took < 5e6)
    best = Math.min(best, took / count)
  }
  const all = performance.now() - begin
  // What was collected is told later.
  await turn()
  await turn()
  return { best, share: (100 * collectingMs) / all }
}

function used() {
  // Twice: buffers go only after the objects that held them.
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const sizes = []
for (let size = 1000; size <= Number(options.most); size *= 10) sizes.push(size)
const measures = {
  'decode, ns a byte': [],
  'encode, ns a byte': [],
  'decode, % of the time in garbage collection': [],
  'heap and buffers that the decoded term keeps, bytes a byte': [],
}
for (const [shape, make] of Object.entries(shapes)) {
  const rows = Object.values(measures).map((table) => {
    const row = []
    table.push([shape, row])
    return row
  })
  for (const size of sizes) {
    let term = make(size)
    if (term === undefined) {
      for (const row of rows) row.push('–')
      continue
    }
    // More elements than what is read from others may have.
    const options = { limits: { maxTermElements: 1e9 }, binaries: shape === 'strings' ? 'text' : 'bytes' }
    const bytes = encode(term)
    const runs = Math.min(1000, Math.max(3, 2e7 / size))
    const encoding = await least(() => encode(term), runs)
    term = undefined
    const decoding = await least(() => decode(bytes, options), runs)
    // Of small ones so many that what else the process does no longer shows.
    const kept = []
    const before = used()
    for (let copies = 0; copies < Math.max(1, 2e6 / size); copies++) kept.push(decode(bytes, options))
    const memory = (used() - before) / kept.length
    const perByte = (value) => (value / bytes.length).toFixed(2)
    const values = [
      perByte(decoding.best),
      perByte(encoding.best),
      decoding.share.toFixed(0),
      perByte(memory),
    ]
    rows.forEach((row, i) => row.push(values[i]))
    kept.length = 0
  }
}
const titles = sizes.map((size) => (size < 1e6 ? `${size / 1e3} KB` : `${size / 1e6} MB`))
const text = Object.entries(measures)
  .map(([title, table]) =>
    [
      `| ${title} | ${titles.join(' | ')} |`,
      `|${' --- |'.repeat(sizes.length + 1)}`,
      ...table.map(([shape, row]) => `| ${shape} | ${row.join(' | ')} |`),
    ].join('\n'),
  )
  .join('\n\n')
console.log(text)
if (options.write) {
  writeBetween(path.join(here, '../../docs/performance.md'), 'growth', `${setting()}\n\n${text}`)
}
