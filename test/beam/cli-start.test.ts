/** `beampeer start`, as a BEAM and a person at a terminal see it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { closeAtEnd, cookie, freePort, startBeam, uniqueName, type Beam } from '../support/beam.js'
import { startCli, cli } from '../support/cli.js'
import { run, type RunningProcess } from '../support/process.js'

/** Starts a node with an EPMD of its own and a BEAM that uses that. */
async function startPair(
  ...args: string[]
): Promise<{ name: string; port: number; node: RunningProcess; beam: Beam }> {
  const epmdPort = await freePort()
  const wanted = uniqueName('js')
  const node = await startCli(['start', '--name', wanted, '--epmd', 'embedded', ...args], {
    env: { ERL_EPMD_PORT: String(epmdPort), BEAMPEER_COOKIE: cookie },
  })
  const [, name = '', port] = await node.waitForLine(/^ready (\S+) (\d+)$/m)
  expect(name).toBe(wanted)
  expect(node.stdout.all()[0]).toBe(`ready ${name} ${port}`)
  const beam = await startBeam({ epmdPort })
  return { name, port: Number(port), node, beam }
}

async function moduleFile(text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'beampeer-cli-'))
  closeAtEnd(() => rm(directory, { recursive: true }))
  const file = join(directory, 'module.mjs')
  await writeFile(file, text)
  return file
}

test('a BEAM pings it, and finds the port that the ready line names', async () => {
  const { name, port, beam } = await startPair()
  expect(await beam.evalText(`net_adm:ping('${name}')`)).toBe('pong')
  await beam.until(`nodes(hidden) =:= ['${name}']`)
  const alive = name.split('@')[0]
  expect(await beam.evalText(`erl_epmd:port_please("${alive}", {127,0,0,1})`)).toMatch(`{port,${port},`)
})

test('the process echo answers {From, Msg} with Msg, and outlives other messages', async () => {
  const { name, beam } = await startPair()
  const ask = `{echo, '${name}'} ! rubbish, {echo, '${name}'} ! {self(), {hello, [1.0, <<"x">>]}}, receive Reply -> Reply end`
  expect(await beam.evalText(ask)).toBe('{hello,[1.0,<<"x">>]}')
  const alias = `Alias = alias(), {echo, '${name}'} ! {Alias, again}, receive Second -> Second end`
  if (beam.release >= 24) expect(await beam.evalText(alias)).toBe('again')
})

test('--module exposes named functions and runs the default export before the ready line', async () => {
  const file = await moduleFile(`
    export const add = (a, b) => a + b
    export async function later(value) { return value }
    export const notAFunction = 1
    export default async function setUp(node) {
      await new Promise((resolve) => setImmediate(resolve))
      node.register('started', node.spawn(async (self) => { for await (const m of self) self.send(m, 'here') }))
      process.stdout.write('')
    }`)
  const { name, beam } = await startPair('--module', `calc=${file}`)
  const call = (f: string, args: string) => beam.evalText(`rpc:call('${name}', calc, ${f}, ${args})`)
  expect(await call('add', '[1, 2]')).toBe('3')
  expect(await call('later', '[{a, b}]')).toBe('{a,b}')
  expect(await call('add', '[1]')).toMatch(/badrpc.*undef/)
  expect(await call('notAFunction', '[]')).toMatch(/badrpc.*undef/)
  expect(await call('default', '[1]')).toMatch(/badrpc.*undef/)
  expect(await beam.evalText(`{started, '${name}'} ! self(), receive Here -> Here end`)).toBe('<<"here">>')
})

test('several modules, one of them with a process named echo', async () => {
  const one = await moduleFile('export const f = () => 1')
  const two = await moduleFile(`export default (node) => node.register('echo', node.spawn(async (self) => {
    for await (const message of self) self.send(message.elements[0], 'mine')
  }))`)
  const { name, beam } = await startPair('--module', `one=${one}`, '--module', `two=${two}`)
  expect(await beam.evalText(`rpc:call('${name}', one, f, [])`)).toBe('1')
  expect(await beam.evalText(`{echo, '${name}'} ! {self(), x}, receive Mine -> Mine end`)).toBe('<<"mine">>')
})

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s stops it with status 0; a monitoring BEAM sees it go',
  async (signal) => {
    const { name, node, beam } = await startPair()
    await beam.evalText(`true = net_kernel:connect_node('${name}'), monitor_node('${name}', true)`)
    const down = beam.evalText(`monitor_node('${name}', true), receive {nodedown, Gone} -> Gone end`)
    await beam.until(`nodes(hidden) =:= ['${name}']`)
    node.kill(signal)
    expect(await node.exit).toEqual({ code: 0, signal: null })
    expect(await down).toBe(`'${name}'`)
  },
)

test('the first signal ends it though a module has a call, a timer and a socket open', async () => {
  const file = await moduleFile(`
    import { createServer } from 'node:net'
    export const never = () => new Promise(() => {})
    export default () => { setInterval(() => {}, 1000); createServer().listen(0, '127.0.0.1') }`)
  const { name, node, beam } = await startPair('--module', `busy=${file}`)
  const call = beam.evalText(`rpc:call('${name}', busy, never, [])`)
  await beam.evalText(`rpc:call('${name}', erlang, node, [])`)
  node.kill('SIGTERM')
  expect(await node.exit).toEqual({ code: 0, signal: null })
  expect(await call).toBe('{badrpc,nodedown}')
})

test('a second signal ends it at once', async () => {
  const file = await moduleFile(`export default (node) => {
    node.stop = () => { console.log('draining'); return new Promise(() => setInterval(() => {}, 1000)) }
  }`)
  const { node } = await startPair('--module', `slow=${file}`)
  node.kill('SIGTERM')
  await node.waitForLine(/^draining$/m)
  node.kill('SIGINT')
  expect(await node.exit).toEqual({ code: 130, signal: null })
})

test('what it logs goes to standard error', async () => {
  const { name, node, beam } = await startPair()
  await beam.evalText(`erlang:set_cookie('${name}', wrong), net_adm:ping('${name}')`)
  await node.waitForError(/^warning: \*\* Connection attempt from node .* rejected/m)
  expect(node.stdout.all()).toHaveLength(1)
})

test.each([
  ['a promise', 'void Promise.reject(new Error("lost"))', /^error: a promise was rejected .* ends /m],
  [
    'an error',
    'process.nextTick(() => { throw new Error("lost") })',
    /^error: an error was thrown .* ends /m,
  ],
])('%s of a module that nobody handles ends it, with what and where', async (_, code, logged) => {
  const file = await moduleFile(`export const lose = () => {
    ${code}
    return 1
  }`)
  const { name, node, beam } = await startPair('--module', `careless=${file}`)
  await beam.evalText(`rpc:cast('${name}', careless, lose, [])`)
  expect(await node.exit).toEqual({ code: 1, signal: null })
  expect(node.stderr.text()).toMatch(logged)
  expect(node.stderr.text()).toMatch(/Error: lost\n *at .*module\.mjs:2/)
  await beam.until(`not lists:member('${name}', nodes(hidden))`)
})

test('--metrics serves the figures of this node', async () => {
  const { name, node, beam } = await startPair('--metrics', '127.0.0.1:0')
  const [, url = ''] = await node.waitForError(/^info: metrics on (http:\S+)$/m)
  await beam.evalText(`rpc:call('${name}', math, add, [1, 2])`)
  const text = await (await fetch(url)).text()
  expect(text).toMatch(/^beampeer_connections 1$/m)
  expect(text).toMatch(/^beampeer_served_call_duration_seconds_count\{outcome="error"\} 1$/m)
  const taken = await cli(
    ['start', '--name', uniqueName('js'), '--epmd', 'none', '--metrics', new URL(url).host],
    {
      env: { BEAMPEER_COOKIE: cookie },
    },
  )
  expect(taken).toMatchObject({ code: 1, stdout: '' })
  expect(taken.stderr).toMatch(/cannot serve metrics on .*BAD_OPTION[^]*EADDRINUSE/)
})

describe('errors, before the ready line', () => {
  const options = { env: { BEAMPEER_COOKIE: cookie } }

  test('a name that is taken', async () => {
    const { name, beam } = await startPair()
    const env = { ERL_EPMD_PORT: String(beam.epmdPort), BEAMPEER_COOKIE: cookie }
    const second = await cli(['start', '--name', name], { env })
    expect(second).toMatchObject({ code: 1, stdout: '' })
    expect(second.stderr).toMatch(/\[EPMD_NAME_TAKEN\]\n.*choose another/)
  }, 120_000)

  test('a name that is none', async () => {
    const result = await cli(['start', '--name', 'a@b@c', '--epmd', 'none'], options)
    expect(result).toMatchObject({ code: 1, stdout: '' })
    expect(result.stderr).toMatch(/BAD_NODE_NAME.*\n.*name@host/)
  })

  test('a module that cannot be loaded, or exports nothing to use', async () => {
    const broken = await moduleFile('export const = 1')
    const start = ['start', '--name', uniqueName('js'), '--epmd', 'none']
    expect((await cli([...start, '--module', `m=${broken}`], options)).stderr).toMatch(/m=.*BAD_OPTION/)
    expect((await cli([...start, '--module', 'm=/nowhere.js'], options)).stderr).toMatch(
      /nowhere.*BAD_OPTION[^]*because/,
    )
    const empty = await moduleFile('export const one = 1')
    expect((await cli([...start, '--module', `m=${empty}`], options)).stderr).toMatch(/exports no functions/)
  })

  test('a default export that throws: nothing stays behind', async () => {
    const file = await moduleFile('export default () => { throw new Error("not today") }')
    const epmdPort = await freePort()
    const result = await cli(
      ['start', '--name', uniqueName('js'), '--epmd', 'embedded', '--module', `m=${file}`],
      {
        env: { ...options.env, ERL_EPMD_PORT: String(epmdPort) },
      },
    )
    expect(result).toMatchObject({ code: 1, stdout: '' })
    expect(result.stderr).toMatch(/not today/)
    expect((await run('epmd', ['-port', String(epmdPort), '-names'])).code).not.toBe(0)
  })

  test('a cookie file that others can read', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'beampeer-cli-'))
    closeAtEnd(() => rm(directory, { recursive: true }))
    const file = join(directory, 'cookie')
    await writeFile(file, 'secret', { mode: 0o644 })
    const start = ['start', '--name', uniqueName('js'), '--epmd', 'none', '--cookie-file', file]
    expect((await cli(start)).stderr).toMatch(/\[COOKIE_FILE_LOOSE\]/)
  })
})
