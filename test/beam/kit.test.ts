/** The test kit itself: what every other test against a real node relies on. */
import { spawn } from 'node:child_process'
import {
  BeamEvalError,
  closeAtEnd,
  freePort,
  hostRelease,
  startBeam,
  startEpmd,
  until,
} from '../support/beam.js'
import { leftovers, MARK, spawnTracked } from '../support/children.js'
import { HARNESS } from '../support/harness.js'
import { run, start } from '../support/process.js'

describe('startBeam', () => {
  test('starts a named node of the release that was asked for', async () => {
    const beam = await startBeam()
    expect(await beam.evalText('node()')).toBe(`'${beam.name}'`)
    expect(await beam.evalText('erlang:system_info(otp_release)')).toBe(`"${beam.release}"`)
    expect(await beam.evalText('erlang:get_cookie()')).toBe(beam.cookie)
  })

  test('keeps variables between expressions and takes some from the test', async () => {
    const beam = await startBeam({ distributed: false })
    await beam.evalText('X = 20, Y = 3')
    expect(await beam.evalText('X + Y')).toBe('23')
    expect(await beam.eval('{X, Given}', { Given: [1, 2, 'three'] })).toMatchObject({
      elements: [20, [1, 2, {}]],
    })
    await beam.forget()
    await expect(beam.evalText('X')).rejects.toThrow(/unbound/)
  })

  test('an expression that hangs holds up no other, and fails when the node dies', async () => {
    const beam = await startBeam({ distributed: false })
    const hanging = beam.evalText('register(waiter, self()), receive never -> ok end')
    hanging.catch(() => {})
    await beam.until('is_pid(whereis(waiter))')
    expect(await beam.evalText('1 + 1')).toBe('2')
    beam.kill('SIGKILL')
    await expect(hanging).rejects.toThrow(/has ended/)
    await expect(beam.evalText('1')).rejects.toThrow(/has ended/)
    await beam.exit
  })

  test('gives text as UTF-8, errors with class and reason, and syntax errors', async () => {
    const beam = await startBeam({ distributed: false, args: ['+pc', 'unicode'] })
    expect(await beam.evalText('"žluť 日本"')).toBe('"žluť 日本"')
    await expect(beam.evalText('error(boom)')).rejects.toThrow(BeamEvalError)
    await expect(beam.evalText('throw({gone, 1})')).rejects.toThrow(/^throw:\{gone,1\}/)
    await expect(beam.evalText('1 +')).rejects.toThrow(/syntax/)
  })

  test('keeps what the node prints and logs, and waits for it', async () => {
    const beam = await startBeam({ distributed: false })
    const mark = beam.output.count
    await beam.evalText('io:put_chars("first\nsecond\n")')
    await beam.waitForLog(/^first\nsecond$/m, mark)
    await beam.evalText('logger:error("bad: ~tp", [thing])')
    await beam.waitForLog(/bad: thing/)
    expect(beam.log()).toContain('second')
  })

  test('a node that cannot start says why', async () => {
    const name = 'twice@127.0.0.1'
    const first = await startBeam({ name })
    await expect(startBeam({ name, epmdPort: first.epmdPort })).rejects.toThrow(
      /has ended; it printed:[^]*twice/,
    )
  })

  test('suspends and resumes', async () => {
    const beam = await startBeam({ distributed: false })
    beam.suspend()
    let answered = false
    const answer = beam.evalText('awake').then((text) => ((answered = true), text))
    await until(async () => (await stateOf(beam.pid)) === 'T')
    expect(answered).toBe(false)
    beam.resume()
    expect(await answer).toBe('awake')
  })

  test('halts by itself when the process that started it is killed', async () => {
    const code = `const { spawn } = require('node:child_process')
      const stdio = ['ignore', 'ignore', 'ignore', 'pipe']
      const beam = spawn('erl', JSON.parse(process.env.ARGUMENTS), { stdio })
      beam.stdio[3].once('data', () => console.log(beam.pid))`
    const args = ['-noinput', '-eval', `${HARNESS}.`]
    const parent = await start(process.execPath, ['-e', code], { env: { ARGUMENTS: JSON.stringify(args) } })
    const pid = Number((await parent.waitForLine(/^\d+$/m))[0])
    expect(leftovers().map((line) => parseInt(line, 10))).toContain(pid)
    parent.kill('SIGKILL')
    await until(() => !leftovers().some((line) => parseInt(line, 10) === pid))
  })

  test('compiles a module', async () => {
    const beam = await startBeam({ distributed: false })
    await beam.compile('-module(kit_sample).\n-export([twice/1]).\ntwice(X) -> 2 * X.\n')
    expect(await beam.evalText('kit_sample:twice(21)')).toBe('42')
  })

  test('short names, hidden nodes, and the port of the distribution', async () => {
    const beam = await startBeam({ longNames: false, name: 'shorty', hidden: true })
    expect(beam.name).toBe('shorty@localhost')
    expect(await beam.evalText('init:get_argument(hidden)')).toBe('{ok,[[]]}')
    const port = await beam.distributionPort()
    expect(await beam.evalText('erl_epmd:port_please("shorty", {127,0,0,1})')).toMatch(
      new RegExp(`^\\{port,${port},`),
    )
  })

  test('two nodes of one file see each other through its EPMD', async () => {
    const [a, b] = await Promise.all([startBeam(), startBeam()])
    expect(await a.evalText(`net_adm:ping('${b.name}')`)).toBe('pong')
    await b.stop()
    await a.until('nodes() =:= []')
  })

  test('evaluates Elixir, with the release that it was installed for', async () => {
    const beam = await startBeam({ otp: hostRelease(), distributed: false, elixir: true })
    expect(await beam.evalElixir('%{a: ~s(x), b: [1.0, :ok]}')).toMatch(/^%\{a: "x", b: \[1\.0, :ok\]\}$/)
  })
})

describe('startEpmd', () => {
  test('serves until it is stopped', async () => {
    const epmd = await startEpmd()
    const names = await run('epmd', ['-port', String(epmd.port), '-names'])
    expect(names).toMatchObject({ code: 0 })
    expect(names.stdout).toMatch(`up and running on port ${epmd.port}`)
    await epmd.stop()
    expect((await run('epmd', ['-port', String(epmd.port), '-names'])).code).not.toBe(0)
  })
})

describe('processes', () => {
  test('output by line, exit code, input', async () => {
    const script = 'process.stdin.on("data", (d) => console.log("got " + d)); console.error("to err")'
    const result = await run(process.execPath, ['-e', script], { input: 'hello' })
    expect(result).toEqual({ code: 0, signal: null, stdout: 'got hello\n', stderr: 'to err\n' })
  })

  test('waiting for a line fails, with the outputs, when the program ends without it', async () => {
    const running = await start(process.execPath, [
      '-e',
      'console.log("one"); console.error("why"); process.exit(3)',
    ])
    await running.waitForLine(/one/)
    await expect(running.waitForLine(/two/)).rejects.toThrow(/one[^]*why/)
    expect(await running.exit).toEqual({ code: 3, signal: null })
  })

  test('a grandchild in the background is found', async () => {
    const code = `const { spawn } = require('node:child_process')
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' })
      child.unref(); console.log(child.pid)`
    const { stdout } = await run(process.execPath, ['-e', code])
    const pid = Number(stdout)
    expect(leftovers().map((line) => parseInt(line, 10))).toContain(pid)
    process.kill(pid, 'SIGKILL')
    await until(() => !leftovers().some((line) => parseInt(line, 10) === pid))
  })

  test('processes of others are not ours', async () => {
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
      env: { ...process.env, [MARK]: 'x' },
    })
    closeAtEnd(() => other.kill('SIGKILL'))
    expect(leftovers().map((line) => parseInt(line, 10))).not.toContain(other.pid)
  })

  test('free ports are distinct', async () => {
    const ports = await Promise.all(Array.from({ length: 20 }, () => freePort()))
    expect(new Set(ports).size).toBe(20)
  })

  test('a program that is not there is an error', async () => {
    await expect(spawnTracked('/no/such/program', [], {})).rejects.toThrow(/ENOENT/)
  })
})

async function stateOf(pid: number): Promise<string | undefined> {
  const { readFile } = await import('node:fs/promises')
  return /^\d+ \(.*\) (\S)/s.exec(await readFile(`/proc/${pid}/stat`, 'latin1'))?.[1]
}
