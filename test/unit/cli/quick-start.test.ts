/** `program.cjs`, the short commands in one file, and V8's compiled code of it beside it. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { VERSION } from '../../../src/cli/version.js'
import { EpmdServer } from '../../../src/net/epmd-server.js'
import { build } from '../../support/cli.js'
import { run as runAsync } from '../../support/process.js'

let folder: string
beforeAll(() => {
  build()
  folder = mkdtempSync(join(tmpdir(), 'beampeer-quick-'))
  for (const name of ['main.cjs', 'program.cjs']) cpSync(join('lib/cli', name), join(folder, name))
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}')
})
afterAll(() => rmSync(folder, { recursive: true }))

const run = (...args: string[]) =>
  execFileSync(process.execPath, [join(folder, 'main.cjs'), ...args], { encoding: 'utf8' })
const kept = () => readdirSync(folder).filter((name) => name.startsWith('program.cjs.'))
const engine = `${process.versions.v8}-${process.arch}`

test('it is all that short commands need, and the compiled code of each is kept for the next time', () => {
  expect(kept()).toEqual([])
  expect(run('--version')).toBe(`${VERSION}\n`)
  expect(kept()).toEqual([`program.cjs.help.${engine}`])
  const code = readFileSync(join(folder, kept()[0] ?? ''))
  expect(run('--help')).toContain('beampeer ping app@host')
  expect(readFileSync(join(folder, kept()[0] ?? ''))).toEqual(code)
})

test('that of a run that failed, or asked for help, is kept until one has succeeded', async () => {
  const epmd = await EpmdServer.listen({ port: 0 })
  const start = (port: string, ...more: string[]) =>
    runAsync(process.execPath, [join(folder, 'main.cjs'), 'names', '--port', port, ...more])
  const ofNames = () => kept().filter((name) => name.includes('.names.'))
  expect((await start('1', '--help')).code).toBe(0)
  expect(ofNames()).toEqual([`program.cjs.names.${engine}.part`])
  const [part = ''] = ofNames()
  const code = readFileSync(join(folder, part))
  // Used as it is by another that fails.
  expect((await start('1')).code).toBe(1)
  expect(ofNames()).toEqual([part])
  expect(readFileSync(join(folder, part))).toEqual(code)
  for (let i = 0; i < 2; i++) {
    expect(await start(String(epmd.port))).toMatchObject({ code: 0, stdout: '', stderr: '' })
    expect(ofNames()).toEqual([`program.cjs.names.${engine}`])
  }
  expect(statSync(join(folder, ofNames()[0] ?? '')).size).toBeGreaterThan(code.length)
  // One that V8 refuses is gone when a run has failed, too.
  writeFileSync(join(folder, ofNames()[0] ?? ''), 'no code')
  expect((await start('1')).code).toBe(1)
  expect(ofNames()).toEqual([part])
  await epmd.close()
})

test('compiled code that V8 refuses is made anew', () => {
  run('--version')
  const file = join(folder, `program.cjs.help.${engine}`)
  writeFileSync(file, 'no code')
  expect(run('--version')).toBe(`${VERSION}\n`)
  expect(readFileSync(file).length).toBeGreaterThan(10_000)
  expect(kept().filter((name) => name.includes('help')).length).toBe(1)
})

test('with BEAMPEER_DEBUG stack traces name the source', () => {
  const { BEAMPEER_DEBUG: _, ...env } = process.env
  const complaint = (more: Record<string, string>) => {
    try {
      execFileSync(process.execPath, ['lib/cli/main.cjs', 'call', 'a@b', 'm', 'f', '[1'], {
        encoding: 'utf8',
        stdio: 'pipe',
        env: { ...env, ...more },
      })
    } catch (error) {
      return (error as { stderr: string }).stderr
    }
    return ''
  }
  expect(complaint({})).toMatch(/^beampeer: .*\[ETF_PARSE_SYNTAX\]\n.*\n$/)
  expect(complaint({ BEAMPEER_DEBUG: '1' })).toMatch(/\n {4}at .*callCommand .*src\/cli\/call\.ts:\d+:\d+/)
})
