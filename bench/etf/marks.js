/** Tables that a script keeps in a page, between two comments that name the script. */
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'

/** Puts `text` between `<!-- NAME: written by … -->` and `<!-- /NAME -->`. */
export function writeBetween(file, name, text) {
  const page = readFileSync(file, 'utf8')
  const start = page.indexOf(`<!-- ${name}: `)
  const from = page.indexOf('-->', start) + 3
  const to = page.indexOf(`<!-- /${name} -->`, from)
  if (start < 0 || to < 0) throw new Error(`${file} has no place for ${name}`)
  writeFileSync(file, `${page.slice(0, from)}\n\n${text.trim()}\n\n${page.slice(to)}`)
}

/** When and where: what a reader of figures asks first. Load above the number of CPUs: others took part. */
export function setting() {
  const all = cpus()
  const load = loadavg()
    .map((value) => value.toFixed(1))
    .join(', ')
  return `Measured on ${new Date().toISOString().slice(0, 10)}: Node ${process.version}, ${all.length} × ${all[0]?.model.trim() ?? 'CPU'}; load averages ${load} at its end.`
}
