/**
 * What decoding allocates, and what of it the decoded term keeps, for each term of the corpus (run.js makes it) and each
 * term within. `--write` puts the table into docs/performance.md.
 *
 *     npm run build && node --expose-gc --min-semi-space-size=256 --max-semi-space-size=256 bench/etf/allocation.js [--etf FILE] [--write]
 */
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { setting, writeBetween } from './marks.js'

const here = path.dirname(fileURLToPath(import.meta.url))
const { values: options } = parseArgs({
  options: {
    etf: { type: 'string', default: path.join(here, '../../lib/etf/node.js') },
    write: { type: 'boolean', default: false },
  },
})
const { decode } = await import(pathToFileURL(options.etf).href)

/** Bytes in V8's heap and in buffers. */
function used() {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Terms within a term, itself among them: keys and values, elements, tails. */
function count(term) {
  let terms = 0
  const stack = [term]
  while (stack.length > 0) {
    const part = stack.pop()
    terms++
    const parts = Array.isArray(part) ? part : (part.elements ?? part.flat)
    if (Array.isArray(parts)) for (const one of parts) stack.push(one)
  }
  return terms
}

/** Bytes that one run of `decoding` allocates: no collection may happen meanwhile, so few enough of them are made. */
function allocated(decoding, bytes) {
  const runs = Math.max(1, Math.min(2000, Math.floor(2e6 / bytes)))
  for (let i = 0; i < 2 * runs; i++) decoding()
  let least = Infinity
  for (let round = 0; round < 5; round++) {
    globalThis.gc()
    const before = used()
    for (let i = 0; i < runs; i++) decoding()
    least = Math.min(least, (used() - before) / runs)
  }
  return least
}

/** Bytes that the result of `decoding` keeps. */
function kept(decoding, bytes) {
  const copies = []
  for (let i = 0; i < 3; i++) decoding()
  globalThis.gc()
  const before = used()
  for (let i = 0; i < Math.max(3, 4e6 / bytes); i++) copies.push(decoding())
  globalThis.gc()
  return (used() - before) / copies.length
}

const corpus = path.join(here, 'corpus')
const rows = []
for (const file of readdirSync(corpus)) {
  if (!file.endsWith('.etf') || file.endsWith('.old.etf')) continue
  const bytes = readFileSync(path.join(corpus, file))
  const terms = count(decode(bytes))
  const each = (value) => (value / terms).toFixed(0)
  const cells = [undefined, { binaries: 'text' }].map((how) => {
    const decoding = () => decode(bytes, how)
    return `${each(allocated(decoding, bytes.length))} | ${each(kept(decoding, bytes.length))}`
  })
  rows.push(`| ${file.slice(0, -4)} | ${terms} | ${each(bytes.length)} | ${cells.join(' | ')} |`)
}
const text = [
  '| bytes a term | terms | encoded | allocated | of that kept | as text: allocated | of that kept |',
  '| --- | --- | --- | --- | --- | --- | --- |',
  ...rows,
].join('\n')
console.log(text)
if (options.write) {
  writeBetween(path.join(here, '../../docs/performance.md'), 'allocation', `${setting()}\n\n${text}`)
}
