/** The Elixir example project, tested by its own tests against a beampeer node. */
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { closeAtEnd, cookie, privateEpmd, uniqueName } from '../support/beam.js'
import { startCli } from '../support/cli.js'
import { start } from '../support/process.js'

test('mix test of examples/elixir passes with the price service of the example', async () => {
  const project = await mkdtemp(join(tmpdir(), 'beampeer-elixir-'))
  closeAtEnd(() => rm(project, { recursive: true }))
  await cp('examples/elixir', project, { recursive: true })
  const prices = uniqueName('prices')
  const env = { ERL_EPMD_PORT: String(await privateEpmd()), BEAMPEER_COOKIE: cookie }
  const service = await startCli(
    [
      'start',
      '--visible',
      '--name',
      prices,
      '--epmd',
      'external',
      '--module',
      'money=examples/elixir/prices.mjs',
    ],
    { env },
  )
  await service.waitForLine(/^ready/m)
  const args = ['--name', uniqueName('shop'), '--cookie', cookie, '-S', 'mix', 'test', '--no-color']
  const mix = await start('elixir', args, {
    cwd: project,
    env: {
      ...env,
      PRICES: prices,
      ERL_ZFLAGS: '-start_epmd false',
      MIX_ENV: 'test',
      HOME: project,
      LANG: 'C.UTF-8',
    },
  })
  const { code } = await mix.exit
  const output = mix.stdout.text() + mix.stderr.text()
  expect(output).toMatch(/\b8 tests, 0 failures/)
  expect(code).toBe(0)
  expect(service.stderr.text()).toBe('')
}, 120_000)
