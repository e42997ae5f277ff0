/** `beampeer epmd` and `beampeer names`, against OTP's nodes and OTP's own epmd. */
import { connect } from 'node:net'
import { once } from 'node:events'
import { freePort, startBeam, startEpmd, until } from '../support/beam.js'
import { cli, startCli } from '../support/cli.js'
import { run, type RunningProcess } from '../support/process.js'

async function startCliEpmd(...args: string[]): Promise<{ port: number; process: RunningProcess }> {
  const process = await startCli(['epmd', ...args])
  const [, port] = await process.waitForLine(/^ready (\d+)$/m)
  return { port: Number(port), process }
}

describe('beampeer epmd', () => {
  test('its first line is ready with its port; BEAMs register in it, and names lists them', async () => {
    const wanted = await freePort()
    const { port, process } = await startCliEpmd('--port', String(wanted))
    expect(port).toBe(wanted)
    expect(process.stdout.all()[0]).toBe(`ready ${wanted}`)
    const [a, b] = await Promise.all([startBeam({ epmdPort: port }), startBeam({ epmdPort: port })])
    expect(await a.evalText(`net_adm:ping('${b.name}')`)).toBe('pong')

    const names = await cli(['names', '--port', String(port)])
    const aliveA = a.name.split('@')[0]
    const aliveB = b.name.split('@')[0]
    const expected = [
      `name ${aliveA} at port ${await a.distributionPort()}`,
      `name ${aliveB} at port ${await b.distributionPort()}`,
    ]
    expect(names.stdout.trim().split('\n').sort()).toEqual(expected.sort())
    expect(names.code).toBe(0)

    b.kill('SIGKILL')
    await b.exit
    await until(
      async () =>
        (await cli(['names'], { env: { ERL_EPMD_PORT: String(port) } })).stdout.split('\n').length === 2,
    )
  })

  test('OTP’s epmd -names reads it', async () => {
    const { port } = await startCliEpmd('--port', '0')
    const names = await run('epmd', ['-port', String(port), '-names'])
    expect(names).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`running on port ${port}`) as string,
    })
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it with status 0', async (signal) => {
    const { process } = await startCliEpmd('--port', '0')
    process.kill(signal)
    expect(await process.exit).toEqual({ code: 0, signal: null })
  })

  test('a port that is taken is an error that says what to do', async () => {
    const { port } = await startEpmd()
    const second = await cli(['epmd', '--port', String(port)])
    expect(second.code).toBe(1)
    expect(second.stdout).toBe('')
    expect(second.stderr).toMatch(
      new RegExp(`^beampeer: .*${port}.* \\[EPMD_PORT_TAKEN\\]\n[^]*ERL_EPMD_PORT`),
    )
  })

  test('epmd -kill works when nothing is registered, with a node only under --relaxed-command-check', async () => {
    const strict = await startCliEpmd('--port', '0')
    const beam = await startBeam({ epmdPort: strict.port })
    await run('epmd', ['-port', String(strict.port), '-kill'])
    expect((await cli(['names', '--port', String(strict.port)])).code).toBe(0)
    await beam.stop()
    await until(async () => (await cli(['names', '--port', String(strict.port)])).stdout === '')
    await run('epmd', ['-port', String(strict.port), '-kill'])
    expect(await strict.process.exit).toEqual({ code: 0, signal: null })

    const relaxed = await startCliEpmd('--port', '0', '--relaxed-command-check')
    await startBeam({ epmdPort: relaxed.port })
    await run('epmd', ['-port', String(relaxed.port), '-kill'])
    expect(await relaxed.process.exit).toEqual({ code: 0, signal: null })
  })

  test('--packet-timeout closes a connection that says nothing, a second later as OTP’s', async () => {
    const { port } = await startCliEpmd('--port', '0', '--packet-timeout', '0.2')
    const connected = performance.now()
    const socket = connect(port, '127.0.0.1')
    socket.resume()
    await once(socket, 'close')
    expect(performance.now() - connected).toBeGreaterThan(1_190)
  })

  test('--address takes IP addresses only', async () => {
    expect(await cli(['epmd', '--port', '0', '--address', 'nowhere'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/nowhere.*BAD_OPTION/s) as string,
    })
    const { port } = await startCliEpmd('--port', '0', '--address', '127.0.0.2')
    expect((await cli(['names', '127.0.0.2', '--port', String(port)])).code).toBe(0)
    expect((await cli(['names', '127.0.0.1', '--port', String(port)])).code).toBe(0)
  })
})

describe('beampeer names', () => {
  test('reads OTP’s epmd', async () => {
    const epmd = await startEpmd()
    const beam = await startBeam({ epmdPort: epmd.port })
    const names = await cli(['names', 'localhost', '--port', String(epmd.port)])
    expect(names.stdout).toBe(`name ${beam.name.split('@')[0]} at port ${await beam.distributionPort()}\n`)
  })

  test('without an EPMD: status 1 and what to do', async () => {
    const names = await cli(['names', '--port', String(await freePort())])
    expect(names).toMatchObject({ code: 1, stdout: '' })
    expect(names.stderr).toMatch(/\[EPMD_UNREACHABLE\]\n.*beampeer epmd/)
  })
})
