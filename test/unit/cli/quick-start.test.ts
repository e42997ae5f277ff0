/** `program.cjs`, the short commands in one file, and V8's compiled code of it beside it. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { VERSION } from '../../../src/cli/version.js'
import { build } from '../../support/cli.js'

let folder: string
beforeAll(() => {
  build()
  folder = mkdtempSync(join(tmpdir(), 'beampeer-quick-'))
  for (const name of ['main.js', 'program.cjs']) cpSync(join('lib/cli', name), join(folder, name))
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}')
})
afterAll(() => rmSync(folder, { recursive: true }))

const run = (...args: string[]) =>
  execFileSync(process.execPath, [join(folder, 'main.js'), ...args], { encoding: 'utf8' })
const kept = () => readdirSync(folder).filter((name) => name.startsWith('program.cjs.'))

test('it is all that short commands need, and its compiled code is kept for the next', () => {
  expect(kept()).toEqual([])
  expect(run('--version')).toBe(`${VERSION}\n`)
  expect(kept()).toEqual([`program.cjs.${process.versions.v8}-${process.arch}`])
  const code = readFileSync(join(folder, kept()[0] ?? ''))
  expect(run('ping', '--help')).toContain('beampeer ping app@host')
  expect(readFileSync(join(folder, kept()[0] ?? ''))).toEqual(code)
})

test('compiled code that V8 refuses is made anew', () => {
  run('--version')
  const file = join(folder, kept()[0] ?? '')
  writeFileSync(file, 'no code')
  expect(run('--version')).toBe(`${VERSION}\n`)
  expect(readFileSync(file).length).toBeGreaterThan(10_000)
  expect(kept().length).toBe(1)
})
