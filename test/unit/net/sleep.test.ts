import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

describe('sleeping', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'beampeer-sleep-'))

  afterAll(() => rmSync(directory, { recursive: true }))

  test('on Linux makes the timers of its own thread exact, and of no other', () => {
    if (process.platform !== 'linux') return console.warn('not tested: the system is not Linux')
    const esbuild = path.join(path.dirname(require.resolve('esbuild/package.json')), 'bin/esbuild')
    const child = path.join(__dirname, '../../support/sleep-child.ts')
    const bundle = path.join(directory, 'child.mjs')
    execFileSync(esbuild, [child, '--bundle', '--format=esm', '--platform=node', `--outfile=${bundle}`], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const { slept, slackNs } = JSON.parse(execFileSync(process.execPath, [bundle], { encoding: 'utf8' })) as {
      slept: boolean
      slackNs: number[]
    }
    const [before, worker, meanwhile, after] = slackNs
    expect({ slept, worker, after }).toEqual({ slept: true, worker: 1_000, after: 1_000 })
    expect({ before, meanwhile }).toEqual({ before: 50_000, meanwhile: 50_000 })
  })
})
