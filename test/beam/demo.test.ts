/** `npm run demo`: that it works with and without Erlang, and that the lines it prints do what it says. */
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { closeAtEnd, freePort } from '../support/beam.js'
import { run, start, type RunningProcess } from '../support/process.js'

const demo = [resolve('scripts/demo.mjs')]

async function environment(more: Record<string, string> = {}): Promise<{ env: Record<string, string> }> {
  return { env: { ERL_EPMD_PORT: String(await freePort()), LC_ALL: 'C.UTF-8', ...more } }
}

test('--once: a BEAM calls, is called and monitored; status 0', async () => {
  const result = await run(process.execPath, [...demo, '--once'], await environment())
  expect(result.stdout).toMatch(
    /Erlang\/OTP \d+ is installed[^]*1\.234\.567,50\s€[^]*The first rpc:call was answered [\d.]+ s/,
  )
  expect(result.stdout).toMatch(/nodedown beam@127\.0\.0\.1[^]*Everything above worked\./)
  expect(result).toMatchObject({ code: 0, stderr: '' })
})

test('without Erlang a second beampeer plays the BEAM’s part, and the output says so', async () => {
  const path = await mkdtemp(join(tmpdir(), 'beampeer-demo-'))
  closeAtEnd(() => rm(path, { recursive: true }))
  await symlink(process.execPath, join(path, 'node'))
  const result = await run(process.execPath, [...demo, '--once'], await environment({ PATH: path }))
  expect(result.stdout).toMatch(
    /There is no `erl` on this machine: a second beampeer process[^]*Everything above worked\./,
  )
  expect(result).toMatchObject({ code: 0, stderr: '' })
})

test('where EPMD’s port is in use it takes another one, says so, and works there', async () => {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  closeAtEnd(() => server.close())
  const { port } = server.address() as AddressInfo
  const result = await run(process.execPath, [...demo, '--once'], { env: { ERL_EPMD_PORT: String(port) } })
  expect(result.stdout).toMatch(`Port ${port} is in use`)
  const [, other] = /ERL_EPMD_PORT=(\d+) erl/.exec(result.stdout) ?? []
  expect(Number(other)).not.toBe(port)
  expect(result).toMatchObject({ code: 0, stderr: '' })
})

describe('stays up', () => {
  let running: RunningProcess
  let lines: string[]
  beforeAll(async () => {
    running = await start(process.execPath, demo, await environment())
    await running.waitForLine(/Stays up until Ctrl-C/)
    lines = running.stdout.all()
  })

  /** The command and the lines printed below a heading, run as they stand. */
  async function paste(heading: RegExp, end: string): Promise<string> {
    const from = lines.findIndex((line) => heading.test(line))
    expect(from).toBeGreaterThan(0)
    const block = lines.slice(from + 1)
    const [command = '', ...input] = block.slice(0, block.indexOf('')).map((line) => line.trim())
    expect(input.length).toBeGreaterThan(1)
    // `script` gives it a terminal, which is what makes shells read and print UTF-8.
    const shell = await start('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
      env: { LC_ALL: 'C.UTF-8', TERM: 'xterm', HOME: '/tmp' },
      interactive: true,
    })
    // A shell that takes over the terminal forgets what was typed before, so each line waits for its prompt.
    for (const [index, line] of [...input, end].entries()) {
      await shell.waitForLine(new RegExp(`\\)${index + 1}>`))
      shell.write(`${line}\n`)
    }
    await shell.exit
    // eslint-disable-next-line no-control-regex -- colours
    return shell.stdout.text().replace(/\x1b\[[\d;]*m/g, '')
  }

  test('the lines for an Erlang shell work', async () => {
    const output = await paste(/from an Erlang shell/, 'q().')
    expect(output).toMatch(/<<"1\.234\.567,50\s€"\/utf8>>/)
    expect(output).toMatch(/\{total,5\}/)
    await running.waitForLine(/nodeup me@127\.0\.0\.1/)
    await running.waitForLine(/nodedown me@127\.0\.0\.1/)
  })

  test('the lines for an Elixir shell work', async () => {
    const output = await paste(/From an Elixir shell/, 'System.halt()')
    expect(output).toMatch(/\["Apfel", "Äpfel", "Zebra"\]/)
    expect(output).toMatch(/"red, green, and blue"/)
    await running.waitForLine(/nodedown me2@127\.0\.0\.1/)
  })

  test('Ctrl-C ends it, with status 0', async () => {
    running.kill('SIGINT')
    expect(await running.exit).toEqual({ code: 0, signal: null })
  })
})
