/** Our EPMD under OTP's nodes, our client under OTP's EPMD, and both daemons compared byte by byte. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { encodeRequest, NO_EXTRA, type EpmdNode } from '../../src/epmd/messages.js'
import { DEFAULT_LIMITS } from '../../src/limits.js'
import { epmdLookup, epmdNames } from '../../src/net/epmd-client.js'
import { EpmdServer } from '../../src/net/epmd-server.js'
import { EpmdService, type EpmdMode } from '../../src/net/epmd-service.js'
import {
  closeAtEnd,
  defaultRelease,
  freePort,
  hostRelease,
  startBeam,
  startEpmd,
  uniqueName,
  until,
  type Beam,
} from '../support/beam.js'
import { startCli } from '../support/cli.js'
import { otpCommand } from '../support/otp.js'
import { run } from '../support/process.js'

const HOST = '127.0.0.1'
const aliveOf = (beam: Beam) => beam.name.split('@')[0] ?? ''
const names = async (port: number) => (await epmdNames(HOST, { port })).map(({ name }) => name).sort()

async function ourEpmd(options: { relaxedCommandCheck?: boolean; addresses?: string[]; port?: number } = {}) {
  const server = await EpmdServer.listen({ port: await freePort(), env: {}, ...options })
  closeAtEnd(() => server.close())
  return server
}

async function service(mode: EpmdMode, port: number): Promise<EpmdService> {
  const started = await EpmdService.start({
    mode,
    env: { ERL_EPMD_PORT: String(port) },
    limits: DEFAULT_LIMITS,
  })
  closeAtEnd(() => started.stop())
  return started
}

const epmdCommand = (...args: string[]) => {
  const { command, args: before } = otpCommand('epmd')
  return run(command, [...before, ...args])
}

describe('our EPMD', () => {
  test('BEAMs register, find each other, connect, and vanish when they are killed', async () => {
    const { port } = await ourEpmd()
    const [a, b] = await Promise.all([startBeam({ epmdPort: port }), startBeam({ epmdPort: port })])
    expect(await names(port)).toEqual([aliveOf(a), aliveOf(b)].sort())
    expect(await epmdLookup(aliveOf(a), HOST, { port })).toMatchObject({
      port: await a.distributionPort(),
      nodeType: 77,
      highestVersion: 6,
      lowestVersion: defaultRelease() < 25 ? 5 : expect.any(Number),
    })
    expect(await a.evalText(`net_adm:ping('${b.name}')`)).toBe('pong')
    expect(
      await a.evalText(`lists:sort([list_to_atom(N) || {N, _} <- element(2, net_adm:names('${HOST}'))])`),
    ).toBe(`[${[aliveOf(a), aliveOf(b)].sort().join(',')}]`)
    b.kill('SIGKILL')
    await b.exit
    await until(async () => (await names(port)).length === 1)
    expect(await a.evalText(`net_adm:ping('${b.name}')`)).toBe('pang')
    expect(await a.evalText(`erl_epmd:port_please("${aliveOf(b)}", "${HOST}")`)).toBe('noport')
    await a.stop()
    await until(async () => (await names(port)).length === 0)
  })

  test('short names, and a hidden node', async () => {
    const { port } = await ourEpmd()
    // The host's release: a chroot has no hosts file to resolve a short name's host with.
    const short = { epmdPort: port, longNames: false, otp: hostRelease() }
    const a = await startBeam(short)
    const b = await startBeam({ ...short, hidden: true })
    expect(await a.evalText(`net_adm:ping('${b.name}')`)).toBe('pong')
    await a.until('length(nodes(hidden)) =:= 1')
  })

  test('a BEAM whose name is taken is told so', async () => {
    const { port } = await ourEpmd()
    const { name } = await startBeam({ epmdPort: port })
    await expect(startBeam({ epmdPort: port, name })).rejects.toThrow(
      /in use by another Erlang node|duplicate_name/,
    )
    expect(await names(port)).toHaveLength(1)
  })

  test('a BEAM that is started again has another creation', async () => {
    const { port } = await ourEpmd()
    const name = uniqueName()
    const creations: string[] = []
    for (let i = 0; i < 3; i++) {
      const beam = await startBeam({ epmdPort: port, name })
      creations.push(await beam.evalText('erlang:system_info(creation)'))
      beam.kill('SIGKILL')
      await beam.exit
    }
    expect(new Set(creations).size).toBe(3)
  })

  test('a node over IPv6 registers at ::1', async () => {
    const { port, addresses } = await ourEpmd()
    if (!addresses.includes('::1')) {
      // A host without IPv6: then the daemon must have gone on without it, which is what this test can show there.
      expect(addresses).toEqual(['127.0.0.1'])
      return
    }
    const args = ['-proto_dist', 'inet6_tcp']
    const a = await startBeam({ epmdPort: port, name: uniqueName('six', '::1'), args })
    const b = await startBeam({ epmdPort: port, name: uniqueName('six', '::1'), args })
    expect(await a.evalText(`net_adm:ping('${b.name}')`)).toBe('pong')
  })

  test('OTP’s epmd command: -names, -stop, -kill', async () => {
    const server = await ourEpmd({ relaxedCommandCheck: true })
    const port = String(server.port)
    const holder = await service('external', server.port)
    await holder.register({ name: 'held', port: 4000, hidden: false })
    const listed = await epmdCommand('-port', port, '-names')
    expect(listed).toMatchObject({ code: 0 })
    expect(listed.stdout).toContain(`running on port ${port} with data:\nname held at port 4000`)
    expect((await epmdCommand('-port', port, '-stop', 'nobody')).stdout + '').toMatch(/NOEXIST/)
    expect((await epmdCommand('-port', port, '-stop', 'held')).stdout + '').toMatch(/STOPPED/)
    expect((await epmdCommand('-port', port, '-kill')).stdout).toMatch(/Killed/)
    await server.closed
  })

  test('-kill is refused while a node is registered, without relaxed command check', async () => {
    const { port } = await ourEpmd()
    await (await service('external', port)).register({ name: 'held', port: 4000, hidden: false })
    expect((await epmdCommand('-port', String(port), '-kill')).stdout).toMatch(/Killing not allowed/)
    expect(await names(port)).toEqual(['held'])
  })
})

describe('our client under OTP’s EPMD', () => {
  test('registers, in both versions, is found by BEAMs, and is gone when released', async () => {
    const { port } = await startEpmd({ otp: defaultRelease() })
    const at = await service({ host: HOST, port }, port)
    const six = await at.register({ name: 'six', port: 4006, hidden: true })
    expect(six.creation).toBeGreaterThan(3)
    const five = await at.register({ name: 'five', port: 4005, hidden: false, highestVersion: 5 })
    expect([1, 2, 3]).toContain(five.creation)
    expect(await at.lookup('six', HOST)).toEqual({ port: 4006, highestVersion: 6, lowestVersion: 5 })
    expect(await at.lookup('nobody', HOST)).toBeUndefined()
    const beam = await startBeam({ epmdPort: port })
    expect(await at.lookup(aliveOf(beam), HOST)).toMatchObject({ port: await beam.distributionPort() })
    expect(await beam.evalText(`element(2, erl_epmd:port_please("six", "${HOST}"))`)).toBe('4006')
    expect(await names(port)).toEqual([aliveOf(beam), 'five', 'six'].sort())
    await five.release()
    await until(async () => !(await names(port)).includes('five'))
    await at.stop()
    await until(async () => (await names(port)).length === 1)
  })

  test('a name that a BEAM holds is taken; once the BEAM dies it is not', async () => {
    const { port } = await startEpmd({ otp: defaultRelease() })
    const beam = await startBeam({ epmdPort: port })
    const at = await service({ port }, port)
    const ask = () => at.register({ name: aliveOf(beam), port: 4000, hidden: true })
    await expect(ask()).rejects.toMatchObject({ code: 'EPMD_NAME_TAKEN' })
    const waiting = ask()
    beam.kill('SIGKILL')
    expect((await waiting).creation).toBeGreaterThan(3)
  })

  test('names of 254 characters and of several bytes each', async () => {
    const { port } = await startEpmd({ otp: defaultRelease() })
    const at = await service({ port }, port)
    for (const name of ['x'.repeat(254), 'größe', '𝕏'.repeat(100)]) {
      await at.register({ name, port: 4000, hidden: true, extra: Uint8Array.of(1, 0, 255) })
      expect(await at.lookup(name, HOST)).toMatchObject({ port: 4000 })
      expect(await names(port)).toContain(name)
    }
  })

  test('the daemon is killed and started again: registered again, beside the BEAMs, with the old creation', async () => {
    const epmd = await startEpmd({ otp: defaultRelease() })
    const at = await service('external', epmd.port)
    const registration = await at.register({ name: 'js', port: 4000, hidden: true })
    const { creation } = registration
    await epmd.stop()
    await until(() => !registration.registered)
    await startEpmd({ otp: defaultRelease(), port: epmd.port })
    await until(async () => (await names(epmd.port)).length === 1)
    await until(() => registration.registered)
    expect(registration.creation).toBe(creation)
  })

  test('auto uses it, and takes its place when it is killed', async () => {
    const epmd = await startEpmd({ otp: defaultRelease() })
    const beam = await startBeam({ epmdPort: epmd.port })
    const at = await service('auto', epmd.port)
    await at.register({ name: 'js', port: 4000, hidden: true })
    expect(at.serving).toBe(false)
    await epmd.stop()
    await until(() => at.serving)
    // OTP 23 never registers again; later releases do within about two seconds.
    const expected = defaultRelease() >= 25 ? [aliveOf(beam), 'js'].sort() : ['js']
    await until(async () => (await names(epmd.port)).length === expected.length)
    expect(await names(epmd.port)).toEqual(expected)
  })
})

describe('hand-over between processes', () => {
  test('the node that serves EPMD is killed: another takes the port, BEAMs come back, and all find each other', async () => {
    const port = await freePort()
    const env = { ERL_EPMD_PORT: String(port), BEAMPEER_COOKIE: 'handover' }
    const [first, second, third] = [uniqueName('js'), uniqueName('js'), uniqueName('js')]
    const launch = async (name: string) => {
      const process = await startCli(['start', '--name', name, '--epmd', 'auto'], { env })
      await process.waitForLine(/^ready /m)
      return process
    }
    const serving = await launch(first)
    const others = [await launch(second), await launch(third)]
    const beam = await startBeam({ epmdPort: port, cookie: 'handover' })
    expect(await names(port)).toHaveLength(4)
    serving.kill('SIGKILL')
    const living = [second, third, beam.name].map((name) => name.split('@')[0]).sort()
    const expected = defaultRelease() >= 25 ? living : living.filter((name) => name !== aliveOf(beam))
    await until(async () => (await names(port)).length === expected.length)
    expect(await names(port)).toEqual(expected)
    for (const name of [second, third]) expect(await beam.evalText(`net_adm:ping('${name}')`)).toBe('pong')
    expect(await beam.evalText(`net_adm:ping('${first}')`)).toBe('pang')
    // The orderly way: the last survivor serves, and the one that left is not listed.
    others[0]?.kill('SIGTERM')
    expect(await others[0]?.exit).toEqual({ code: 0, signal: null })
    const rest = expected.filter((name) => name !== second.split('@')[0])
    await until(async () => (await names(port)).length === rest.length)
    expect(await names(port)).toEqual(rest)
  })
})

/** What a daemon answers to these bytes: until it closes, or until `enough` bytes are there. */
async function talk(
  port: number,
  bytes: Uint8Array,
  enough = Infinity,
): Promise<{ answer: string; socket: Socket }> {
  const socket = connect(port, HOST)
  closeAtEnd(() => socket.destroy())
  await once(socket, 'connect')
  let answer = ''
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1')
      if (answer.length >= enough) resolve()
    })
    socket.on('error', () => resolve())
    socket.on('close', () => resolve())
    socket.write(bytes)
  })
  return { answer, socket }
}

/** What may differ between two daemons: their port, the creations they give, the numbers of connections. */
function comparable(answer: string, port: number): string {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(port)
  return answer
    .replace(/^v\0[^]{4}$/, 'v\0CREATION')
    .replace(/^y\0\0[\x01-\x03]$/, 'y\0CREATION') // eslint-disable-line no-control-regex
    .replace(head.toString('latin1'), 'PORT')
    .replace(/fd = \d+/g, 'fd = N')
}

test('both daemons give the same answers to the same bytes', async () => {
  const [theirs, ours] = [await startEpmd(), await ourEpmd({ relaxedCommandCheck: true })]
  const ports = [theirs.port, ours.port] as const
  const held: Socket[][] = []
  const node = (name: string, over: Partial<EpmdNode> = {}) =>
    encodeRequest({
      type: 'alive',
      node: {
        name,
        port: 4000,
        nodeType: 77,
        protocol: 0,
        highestVersion: 6,
        lowestVersion: 5,
        extra: NO_EXTRA,
        ...over,
      },
    })
  const framed = (...body: number[]) => Uint8Array.of(body.length >> 8, body.length, ...body)
  const text = (value: string) => Array.from(Buffer.from(value, 'latin1'))
  const compare = async (what: string, bytes: Uint8Array, enough?: number) => {
    const [their, our] = await Promise.all(ports.map((port) => talk(port, bytes, enough)))
    if (!their || !our) throw new Error('two daemons, two answers')
    expect([what, comparable(our.answer, ours.port)]).toEqual([what, comparable(their.answer, theirs.port)])
    held.push([their.socket, our.socket])
  }

  await compare('version 6', node('a'), 6)
  await compare('version 5', node('b', { highestVersion: 5, port: 1 }), 4)
  await compare('hidden, with extra', node('hid', { nodeType: 72, extra: Uint8Array.of(0, 255, 10) }), 6)
  await compare('version 7 alone', node('new', { highestVersion: 7, lowestVersion: 7 }), 6)
  await compare('before version 1', node('old', { highestVersion: 0, lowestVersion: 0 }), 4)
  await compare('two bytes a character', node('größe'), 6)
  await compare('bytes behind extra', framed(120, 15, 160, 77, 0, 0, 6, 0, 5, 0, 2, 116, 114, 0, 0, 0, 0), 6)
  await compare('taken', node('a'), 6)
  await compare('taken, version 5', node('a', { highestVersion: 5 }), 4)
  await compare('256 characters', node('x'.repeat(256)), 6)
  await compare('Latin-1', framed(120, 15, 160, 77, 0, 0, 6, 0, 5, 0, 1, 0xe9, 0, 0), 6)
  await compare('no name', framed(120, 15, 160, 77, 0, 0, 6, 0, 5, 0, 0, 0, 0))
  await compare('NUL in the name', node('a\0b'))
  await compare('name cut short', framed(120, 15, 160, 77, 0, 0, 6, 0, 5, 0, 9, 97, 0, 0))
  await compare('extra cut short', framed(120, 15, 160, 77, 0, 0, 6, 0, 5, 0, 1, 97, 0, 9))
  for (const name of [
    'a',
    'b',
    'hid',
    'new',
    'old',
    'größe',
    'tr',
    'nobody',
    'x'.repeat(254),
    'x'.repeat(256),
  ])
    await compare(`where is ${name}`, encodeRequest({ type: 'port', name }))
  await compare('where is, with a NUL behind', framed(122, 97, 0))
  await compare('where is, with a NUL inside', framed(122, 97, 0, 98))
  await compare('where is nobody', framed(122))
  await compare('where is, in Latin-1', framed(122, 0xe9))
  await compare('names', framed(110))
  await compare('names and more', framed(110, 1, 2, 3))
  await compare('dump', framed(100))
  await compare('unknown', framed(97, 1, 2))
  await compare('length 0', Uint8Array.of(0, 0))
  await compare('too long', Uint8Array.of(0xff, 0xff, ...text('xxxx')))
  await compare('bytes behind', Uint8Array.of(0, 1, 110, 110))
  for (const socket of held[1] ?? []) socket.destroy()
  for (const port of ports) await until(async () => !(await names(port)).includes('b'))
  await compare('dump with an old name', framed(100))
  await compare('stop', encodeRequest({ type: 'stop', name: 'a' }))
  await compare('names without the stopped', framed(110))
  await compare('bytes on a registration', Uint8Array.of(...node('more'), 0))
  await compare('kill', framed(107))
  await ours.closed
})
