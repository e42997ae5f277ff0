/** README's program runs as it stands, and its shell sessions answer what README says. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { hostRelease, privateEpmd, startBeam } from '../support/beam.js'
import { build } from '../support/cli.js'
import { start } from '../support/process.js'

const readme = readFileSync('README.md', 'utf8')

function block(language: string): string {
  const found = new RegExp('^```' + language + '\\n([^]*?)^```', 'm').exec(readme)?.[1]
  if (found === undefined) throw new Error(`README.md has no block of ${language}`)
  return found
}

/** Inputs after a prompt, each with the answer below it. */
function session(language: string, prompt: RegExp): [input: string, answer: string][] {
  const lines = block(language).trim().split('\n')
  const found: [string, string][] = []
  for (const line of lines) {
    const input = prompt.exec(line)
    if (input !== null) found.push([line.slice(input[0].length), ''])
    else (found.at(-1) as [string, string])[1] += line
  }
  return found
}

test('the program, called from Erlang and from Elixir', async () => {
  build()
  const program = block('js')
  expect(
    program
      .trim()
      .split('\n')
      .filter((line) => line !== '').length,
  ).toBeLessThanOrEqual(10)
  // Inside the package, so that 'beampeer' is this package.
  mkdirSync('.tmp', { recursive: true })
  const file = resolve('.tmp/readme.mjs')
  writeFileSync(file, `${program}\nconsole.log('release', String(release))\n`)

  const app = await startBeam({ name: 'app@127.0.0.1', cookie: 'secret' })
  const running = await start(process.execPath, [file], {
    env: { ERL_EPMD_PORT: String(await privateEpmd()) },
  })
  const [, release] = await running.waitForLine(/^release (.*)$/m)
  expect(release).toBe(
    String(app.release)
      .split('')
      .map((digit) => digit.charCodeAt(0))
      .join(','),
  )

  const erlang = session('erlang', /^\d+> /)
  expect(erlang.length).toBeGreaterThan(1)
  const me = await startBeam({ name: 'me@127.0.0.1', cookie: 'secret' })
  for (const [input, answer] of erlang) expect([input, await me.evalText(input)]).toEqual([input, answer])
  await me.stop()

  const elixir = session('elixir', /^iex\([^)]*\)\d+> /)
  expect(elixir.length).toBeGreaterThan(0)
  const iex = await startBeam({ name: 'me@127.0.0.1', cookie: 'secret', otp: hostRelease(), elixir: true })
  for (const [input, answer] of elixir) expect([input, await iex.evalElixir(input)]).toEqual([input, answer])
})
