/** `beampeer call` and `beampeer ping`, against a BEAM; and what the command line as a whole promises. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { closeAtEnd, cookie, freePort, startBeam, type Beam } from '../support/beam.js'
import { cli } from '../support/cli.js'
import { run } from '../support/process.js'

let beam: Beam
beforeAll(async () => {
  beam = await startBeam()
})

const env = (more: Record<string, string> = {}) => ({
  env: { ERL_EPMD_PORT: String(beam.epmdPort), BEAMPEER_COOKIE: cookie, ...more },
})
const call = (...args: string[]) => cli(['call', beam.name, ...args], env())

describe('beampeer call', () => {
  test('prints the result as an Erlang term', async () => {
    expect(await call('erlang', 'node')).toEqual({
      code: 0,
      signal: null,
      stdout: `'${beam.name}'\n`,
      stderr: '',
    })
    expect((await call('lists', 'seq', '[1, 10]')).stdout).toBe('[1,2,3,4,5,6,7,8,9,10]\n')
    expect((await call('lists', 'reverse', '["abc"].')).stdout).toBe('"cba"\n')
    expect((await call('maps', 'from_list', '[[{a, 1.0}, {<<"b">>, [x|y]}]]')).stdout).toBe(
      '#{a => 1.0,<<"b">> => [x|y]}\n',
    )
    expect((await call('erlang', 'list_to_binary', '[[206, 187]]')).stdout).toBe('<<"λ"/utf8>>\n')
  })

  test('a result that cannot be written is a failure; a reader that has gone is none', async () => {
    await call('erlang', 'node')
    const into = (redirection: string) => {
      const script = `"$0" lib/cli/main.cjs call '${beam.name}' lists seq '[1, 100000]' ${redirection}`
      return run('bash', ['-o', 'pipefail', '-c', script, process.execPath], env())
    }
    expect(await into('> /dev/full')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching('ENOSPC') as string,
    })
    expect(await into('| head -c 1')).toMatchObject({ code: 0, stdout: '[\n', stderr: '' })
  })

  test('prints in Elixir’s notation when asked', async () => {
    expect((await call('erlang', 'list_to_tuple', '[[ok, <<"text">>, nil]]', '--elixir')).stdout).toBe(
      '{:ok, "text", nil}\n',
    )
  })

  test('what the function prints reaches the terminal, before the result', async () => {
    const result = await call('io', 'format', '["one~ntwo ~ts~n", [[955]]]')
    expect(result).toMatchObject({ code: 0, stdout: 'one\ntwo λ\nok\n', stderr: '' })
  })

  test('a function that fails: status 1, its reason on standard error, nothing on standard output', async () => {
    const undef = await call('no_such_module', 'f', '[1]')
    expect(undef).toMatchObject({ code: 1, stdout: '' })
    expect(undef.stderr).toMatch(/no_such_module.*\[RPC_/)
    const bad = await call('erlang', 'hd', '[[]]')
    expect(bad).toMatchObject({ code: 1, stdout: '' })
    expect(bad.stderr).toMatch(/badarg/)
    const thrown = await call('erlang', 'exit', '[{stop, now}]')
    expect(thrown).toMatchObject({ code: 1, stdout: '' })
    expect(thrown.stderr).toMatch(/\{stop,now\}/)
  })

  test('arguments that are no list of terms: where the mistake is', async () => {
    const open = await call('lists', 'seq', '[1, ')
    expect(open).toMatchObject({ code: 1, stdout: '' })
    expect(open.stderr).toMatch(/1:5: .*ETF_PARSE[^]*single quotes/)
    expect((await call('lists', 'seq', '{1, 2}')).stderr).toMatch(/must be an Erlang list/)
  })

  test('--timeout gives up', async () => {
    const result = await call('timer', 'sleep', '[infinity]', '--timeout', '0.2')
    expect(result).toMatchObject({ code: 1, stdout: '' })
    expect(result.stderr).toMatch(/timeout/)
  })

  test('--timeout covers connecting: a port that accepts and says nothing', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    closeAtEnd(() => silent.close())
    // It stands for the EPMD: the first that is asked.
    const { port } = silent.address() as AddressInfo
    const args = ['erlang', 'node', '--timeout', '0.3']
    const result = await cli(['call', beam.name, ...args], env({ ERL_EPMD_PORT: String(port) }))
    expect(result).toMatchObject({ code: 1, stdout: '' })
    expect(result.stderr).toMatch(/no connection to .* within 300 ms.*\[NODE_CONNECT_TIMEOUT\]/)
    const ping = await cli(
      ['ping', beam.name, '--timeout', '0.3', '--json'],
      env({ ERL_EPMD_PORT: String(port) }),
    )
    expect(ping).toMatchObject({ code: 1, stderr: '' })
    expect(JSON.parse(ping.stdout)).toMatchObject({ answer: 'pang', error: { code: 'NODE_CONNECT_TIMEOUT' } })
  })

  test('--json', async () => {
    const json = async (...args: string[]) => JSON.parse((await call(...args, '--json')).stdout) as unknown
    expect(
      await json('erlang', 'hd', '[[{ok, <<"text">>, 1.5, #{<<"k">> => [nil, true], a => #{1 => x}}}]]'),
    ).toEqual(['ok', 'text', 1.5, { k: [null, true], a: [[1, 'x']] }])
    expect(await json('erlang', 'bsl', '[1, 64]')).toBe('18446744073709551616')
    expect(await json('erlang', 'whereis', '[init]')).toMatch(/^<\d+\.\d+\.\d+>$/)
    expect(await json('erlang', 'list_to_binary', '[[255, 1]]')).toBe('<<255,1>>')
    expect(await json('erlang', 'hd', '[[undefined]]')).toBeNull()
  })

  test('leaves no trail of atoms: names of such nodes are used again', async () => {
    const names = new Set<string>()
    for (let i = 0; i < 4; i++) {
      await beam.until('nodes(hidden) =:= []')
      names.add((await call('erlang', 'hd', '[[x]]')).stdout)
      const result = await call('erlang', 'nodes', '[[hidden]]')
      names.add(/'([^']+)'/.exec(result.stdout)?.[1] ?? result.stdout)
    }
    names.delete('x\n')
    // The BEAM knows such a node, and gives later ones the name it had.
    expect(names.size).toBe(1)
    expect([...names][0]).toMatch(/^[0-9A-Z]+@/)
  })

  test('never creates a cookie file', async () => {
    const home = await mkdtemp(join(tmpdir(), 'beampeer-home-'))
    closeAtEnd(() => rm(home, { recursive: true }))
    const result = await cli(['call', beam.name, 'erlang', 'node'], {
      env: { ERL_EPMD_PORT: String(beam.epmdPort), HOME: home },
    })
    expect(result).toMatchObject({ code: 1, stdout: '' })
    expect(result.stderr).toMatch(/\[COOKIE_NOT_FOUND\]/)
    expect(await readdir(home)).toEqual([])
  })

  test('takes the cookie from its switches, the environment and the usual file', async () => {
    const home = await mkdtemp(join(tmpdir(), 'beampeer-home-'))
    closeAtEnd(() => rm(home, { recursive: true }))
    await writeFile(join(home, '.erlang.cookie'), `${cookie}\n`, { mode: 0o400 })
    const args = ['call', beam.name, 'erlang', 'node']
    const base = { ERL_EPMD_PORT: String(beam.epmdPort) }
    const file = join(home, '.erlang.cookie')
    expect((await cli(args, { env: { ...base, HOME: home } })).code).toBe(0)
    expect((await cli([...args, '--cookie', cookie], { env: base })).code).toBe(0)
    expect((await cli([...args, '--cookie-file', file], { env: base })).code).toBe(0)
    // A switch wins over the environment, which wins over the file.
    expect(
      (await cli([...args, '--cookie-file', file], { env: { ...base, BEAMPEER_COOKIE: 'wrong' } })).code,
    ).toBe(0)
    expect((await cli(args, { env: { ...base, HOME: home, BEAMPEER_COOKIE: 'wrong' } })).code).toBe(1)
  })
})

describe('beampeer ping', () => {
  test('pong, status 0', async () => {
    expect(await cli(['ping', beam.name], env())).toEqual({
      code: 0,
      signal: null,
      stdout: 'pong\n',
      stderr: '',
    })
  })

  test('--json', async () => {
    const well = await cli(['ping', beam.name, '--json'], env())
    expect(JSON.parse(well.stdout)).toEqual({
      node: beam.name,
      answer: 'pong',
      elapsedMs: expect.any(Number) as number,
    })
    const ill = await cli(['ping', 'nobody@127.0.0.1', '--json'], env())
    expect(ill).toMatchObject({ code: 1, stderr: '' })
    expect(JSON.parse(ill.stdout)).toMatchObject({ answer: 'pang', error: { code: 'NODE_NOT_FOUND' } })
    const names = await cli(['names', '--json'], env())
    expect(JSON.parse(names.stdout)).toContainEqual({
      name: beam.name.split('@')[0],
      port: await beam.distributionPort(),
    })
  })

  test.each([
    ['a name that nobody has', 'nobody@127.0.0.1', {}, /nobody/],
    ['the wrong cookie', undefined, { BEAMPEER_COOKIE: 'wrong' }, /\[HANDSHAKE_BAD_COOKIE\]\n.*cookie/],
    ['a name that is none', 'nonsense', {}, /BAD_NODE_NAME/],
  ])('pang, status 1 and why: %s', async (_, name, more, reason) => {
    const result = await cli(['ping', name ?? beam.name], env(more))
    expect(result).toMatchObject({ code: 1, stdout: 'pang\n' })
    expect(result.stderr).toMatch(reason)
  })

  test('pang without an EPMD', async () => {
    const result = await cli(['ping', beam.name], env({ ERL_EPMD_PORT: String(await freePort()) }))
    expect(result).toMatchObject({ code: 1, stdout: 'pang\n' })
    expect(result.stderr).toMatch(/\[EPMD_UNREACHABLE\]\n/)
  })
})

describe('the command line', () => {
  test('--help of each command has examples and tells its exit status', async () => {
    const commands = ['start', 'call', 'ping', 'top', 'dashboard', 'doctor', 'names', 'inspect', 'epmd']
    const help = await cli(['--help'])
    expect(help).toMatchObject({ code: 0, stderr: '' })
    for (const command of commands) {
      expect(help.stdout).toContain(`  ${command} `)
      const own = await cli([command, '--help'])
      expect(own).toMatchObject({ code: 0, stderr: '' })
      expect(own.stdout).toMatch(new RegExp(`Examples:\n  beampeer ${command}`))
      expect(own.stdout).toMatch(/exit status 0/i)
    }
  })

  test.each([
    [['frobnicate'], /unknown command/],
    [['start'], /--name/],
    [['start', '--name', 'a@b', '--epmd', 'sometimes'], /auto, embedded, external, none/],
    [['start', '--name', 'a@b', '--port', '65536'], /0 to 65535/],
    [['start', '--name', 'a@b', '--module', 'noequals'], /name=file/],
    [['start', '--name', 'a@b', '--hidden', '--visible'], /cannot be used with/],
    [['names', '--port', '0'], /1 to 65535/],
    [['epmd', '--packet-timeout', '-1'], /positive number of seconds/],
    [['call', 'a@b', 'm'], /missing required argument/],
    [['ping', 'a@b', '--cookie', 'x', '--cookie-file', 'y'], /cannot be used with/],
  ])('a command line that is wrong, %p: status 2', async (args, message) => {
    const result = await cli(args)
    expect(result).toMatchObject({ code: 2, stdout: '' })
    expect(result.stderr).toMatch(message)
  })
})
