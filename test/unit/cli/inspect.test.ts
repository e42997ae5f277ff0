/** `beampeer inspect` where no Erlang node is needed: an EPMD of our own says where to connect to. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync, existsSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EpmdServer } from '../../../src/net/epmd-server.js'
import { ErlangNode } from '../../../src/node/erlang-node.js'
import { readRecording } from '../../../src/inspect/recording.js'
import { cli, startCli } from '../../support/cli.js'

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

/** Runs the command; `call` connects through it anew and calls a function. */
async function inspect(...args: string[]) {
  const live = await startCli(['inspect', 'app@127.0.0.1', ...args], { env })
  const [, port] = await live.waitForLine(/^ready \S+ (\d+)$/m)
  const call = async () => {
    const caller = await ErlangNode.start('caller@127.0.0.1', {
      cookie: 'c',
      epmd: 'none',
      listen: false,
      resolve: () => ({ host: '127.0.0.1', port: Number(port) }),
    })
    expect(await caller.ping('app@127.0.0.1')).toBe('pong')
    await caller.stop()
  }
  const end = async () => {
    live.kill('SIGTERM')
    return live.exit
  }
  return { live, port: Number(port), call, end }
}

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
