/**
 * Whether time and memory grow with the input and no faster, from 1 KB to 100 MB: a list of small tuples, a list of maps,
 * one binary, one string list, and a deep tower of lists.
 *
 *     node --expose-gc --max-old-space-size=8192 etf/growth.js [--etf FILE] [--most BYTES]
 */
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const here = path.dirname(fileURLToPath(import.meta.url))
const { values: options } = parseArgs({
  options: {
    etf: { type: 'string', default: path.join(here, '../../lib/etf/node.js') },
    most: { type: 'string', default: '100000000' },
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
  nested: (bytes) => {
    let term = 1.5
    for (let i = 0; i < bytes / 6; i++) term = [term]
    return term
  },
}

/** The least of some runs: what else the machine does only adds. */
function least(run, runs) {
  let best = Infinity
  for (let i = 0; i < runs; i++) {
    const start = process.hrtime.bigint()
    run()
    best = Math.min(best, Number(process.hrtime.bigint() - start))
  }
  return best
}

function used() {
  globalThis.gc()
  return process.memoryUsage().heapUsed
}

console.log('| shape | input | decode, ns/byte | encode, ns/byte | heap kept, bytes/byte |')
console.log('|---|---|---|---|---|')
for (const [shape, make] of Object.entries(shapes)) {
  for (let size = 1000; size <= Number(options.most); size *= 10) {
    let term = make(size)
    const bytes = encode(term)
    const runs = Math.min(1000, Math.max(3, 2e7 / size))
    const encoding = least(() => encode(term), runs)
    term = undefined
    const decoding = least(() => decode(bytes), runs)
    const before = used()
    const kept = decode(bytes)
    const memory = used() - before
    const cells = [decoding / bytes.length, encoding / bytes.length, memory / bytes.length].map((value) =>
      value.toFixed(2),
    )
    console.log(`| ${shape} | ${(bytes.length / 1000).toFixed(0)} KB | ${cells.join(' | ')} |`)
    if (kept === undefined) throw new Error('nothing was decoded')
  }
}
