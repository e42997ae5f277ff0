/** `beampeer inspect` where no Erlang node is needed: an EPMD of our own says where to connect to. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync, existsSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EpmdServer } from '../../../src/net/epmd-server.js'
import { ErlangNode } from '../../../src/node/erlang-node.js'
import { readRecording } from '../../../src/inspect/recording.js'
import { until } from '../../support/children.js'
import { build, cli, startCli } from '../../support/cli.js'
import { start } from '../../support/process.js'

let folder: string
let epmd: EpmdServer
let node: ErlangNode
let env: Record<string, string>

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'beampeer-inspect-'))
  epmd = await EpmdServer.listen({ port: 0 })
  env = { ERL_EPMD_PORT: String(epmd.port) }
  node = await ErlangNode.start('app@127.0.0.1', {
    cookie: 'c',
    epmd: { host: '127.0.0.1', port: epmd.port },
  })
})

afterAll(async () => {
  await node.stop()
  await epmd.close()
  rmSync(folder, { recursive: true })
})

/** Connects through the relay, and says a name, as a node does first. */
function sayName(port: number, name: string): Socket {
  const said = Buffer.from(name, 'latin1')
  const message = Buffer.alloc(15)
  message.write('N', 0, 'latin1')
  message.writeBigUInt64BE(0x4_0000_0000n, 1)
  message.writeUInt16BE(said.length, 13)
  const peer = connect(port, '127.0.0.1', () =>
    peer.write(Buffer.concat([Buffer.from([0, 15 + said.length]), message, said])),
  )
  return peer.on('error', () => undefined)
}

/** Connects through the relay, and pings. */
async function callThrough(port: number): Promise<void> {
  const caller = await ErlangNode.start('caller@127.0.0.1', {
    cookie: 'c',
    epmd: 'none',
    listen: false,
    resolve: () => ({ host: '127.0.0.1', port }),
  })
  expect(await caller.ping('app@127.0.0.1')).toBe('pong')
  await caller.stop()
}

/** Runs the command; `call` connects through it anew. */
async function inspect(...args: string[]) {
  const live = await startCli(['inspect', 'app@127.0.0.1', ...args], { env })
  const [, port] = await live.waitForLine(/^ready \S+ (\d+)$/m)
  const call = () => callThrough(Number(port))
  const end = async () => {
    live.kill('SIGTERM')
    return live.exit
  }
  return { live, port: Number(port), call, end }
}

describe('nobody reads standard output any more', () => {
  /** `beampeer inspect … | head -1`: its first line is read, then the pipe is closed. */
  const piped = async (...args: string[]) => {
    build()
    const command = `node lib/cli/main.cjs inspect app@127.0.0.1 ${args.join(' ')}`
    const shell = await start(
      'bash',
      [
        '-c',
        `{ ${command} & echo "pid $!" >&2; wait $!; echo "status $?" >&2; } | { read line; echo "$line"; }`,
      ],
      { env },
    )
    const [, port] = await shell.waitForLine(/^ready \S+ (\d+)$/m)
    const [, pid] = await shell.waitForError(/^pid (\d+)$/m)
    return { shell, port: Number(port), pid: Number(pid) }
  }

  test('it ends at the next event', async () => {
    const { shell, port } = await piped()
    sayName(port, 'x@h')
    await shell.waitForError(/^status 0$/m)
  })

  test('but goes on where it records', async () => {
    const file = join(folder, 'unread.wire')
    const { shell, port, pid } = await piped('--record', file)
    await callThrough(port)
    await callThrough(port)
    await until(() => existsSync(`${file}.2`) && lines(`${file}.2`) > 5)
    process.kill(pid)
    await shell.waitForError(/^status 0$/m)
  })
})

test('a peer’s name forges no line, and no escape reaches the terminal; as JSON it is as it came', async () => {
  const name = 'x\n1 0.003 <- status FORGED\u001b[31m\u009b1m@h'
  const [text, json] = [await inspect(), await inspect('--json')]
  for (const { live, port, end } of [text, json]) {
    sayName(port, name)
    await live.waitForLine(/FORGED/)
    await end()
    // eslint-disable-next-line no-control-regex -- the control characters are what is looked for
    expect(live.stdout.text()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
  }
  const lines = text.live.stdout.all().filter((line) => line.includes('FORGED'))
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain('→ name x\\x{a}1 0.003 <- status FORGED\\x{1b}[31m\\x{9b}1m@h,')
  const line = json.live.stdout.all().find((line) => line.includes('FORGED')) ?? ''
  expect((JSON.parse(line) as { text: string }).text).toContain(name)
})

test('the last line of a connection says which side ended it, and so does its recording', async () => {
  const file = join(folder, 'ends.wire')
  const { live, port, call, end } = await inspect('--record', file)
  await call()
  await live.waitForLine(/^1 \S+ → connection closed by the node that connected$/m)
  const stranger = await ErlangNode.start('stranger@127.0.0.1', {
    cookie: 'another',
    epmd: 'none',
    listen: false,
    resolve: () => ({ host: '127.0.0.1', port }),
  })
  expect(await stranger.ping('app@127.0.0.1')).toBe('pang')
  await live.waitForLine(
    /^2 \S+ → challenge reply.*\n2 \S+ ← connection closed by the node it connected to$/m,
  )
  await stranger.stop()
  await end()
  const closed = live.stdout.all().filter((line) => line.includes('connection closed'))
  expect(closed).toHaveLength(2)
  expect((await cli(['inspect', file])).stdout).toMatch(/ → connection closed by the node that connected\n$/)
  expect((await cli(['inspect', `${file}.2`])).stdout).toMatch(
    / ← connection closed by the node it connected to\n$/,
  )
})

test('what is no recording, and no node either, is told as that', async () => {
  const empty = join(folder, 'empty.wire')
  writeFileSync(empty, '')
  const said = async (what: string) => (await cli(['inspect', what], { env })).stderr
  expect(await said('nofile.wire')).toMatch(/there is no file "nofile\.wire", .* name@host \[BAD_NODE_NAME\]/)
  expect(await said(empty)).toContain('empty.wire is empty [DIST_BAD_RECORDING]')
  expect(await said(folder)).toContain('is a folder, not a recording [DIST_BAD_RECORDING]')
})

const lines = (file: string) => readRecording(readFileSync(file, 'utf8')).length

describe('--record', () => {
  test('a place that cannot be written to is told before anyone connects', async () => {
    const nowhere = await cli(['inspect', 'app@127.0.0.1', '--record', '/nodir/x.wire'], { env })
    expect(nowhere).toMatchObject({ code: 1, stdout: '' })
    expect(nowhere.stderr).toMatch(
      /^beampeer: cannot record to \/nodir\/x\.wire: ENOENT.* \[DIST_RECORDING_FAILED\]\n/,
    )
    expect(nowhere.stderr).not.toMatch(/^ +at /m)
  })

  test('a file that is there is left alone', async () => {
    const file = join(folder, 'there.wire')
    writeFileSync(file, 'mine')
    const refused = await cli(['inspect', 'app@127.0.0.1', '--record', file], { env })
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toContain('there is such a file already [DIST_RECORDING_FAILED]')
    expect(readFileSync(file, 'utf8')).toBe('mine')
  })

  test('where the port cannot be listened on, no file is left', async () => {
    const file = join(folder, 'unused.wire')
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const args = ['inspect', 'app@127.0.0.1', '--record', file, '--port', String(port)]
    expect((await cli(args, { env })).stderr).toContain('[NODE_LISTEN_FAILED]')
    expect(existsSync(file)).toBe(false)
    taken.close()
  })

  test('the second connection’s file is there: told once, the recording stops, connections go on', async () => {
    const file = join(folder, 'two.wire')
    writeFileSync(`${file}.2`, 'mine')
    const { live, call, end } = await inspect('--record', file)
    await call()
    for (let i = 0; i < 3; i++) await call()
    await live.waitForLine(/^4 \S+ ← challenge ack/m)
    expect(await end()).toEqual({ code: 1, signal: null })
    expect(
      live.stderr.text().match(/cannot record to .*two\.wire\.2: .* the recording has stopped/g),
    ).toHaveLength(1)
    expect(readFileSync(`${file}.2`, 'utf8')).toBe('mine')
    expect(existsSync(`${file}.3`)).toBe(false)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(lines(file)).toBeGreaterThan(5)
  })

  test('a full disk stops the recording, and no connection', async () => {
    const { live, call, end } = await inspect('--record', '/dev/full')
    await call()
    await live.waitForError(/cannot record to \/dev\/full: ENOSPC/)
    await call()
    await live.waitForLine(/^2 \S+ ← challenge ack/m)
    expect(await end()).toEqual({ code: 1, signal: null })
    expect(live.stderr.text().match(/beampeer:/g)).toHaveLength(1)
  })
})
