/** Doctor: each thing that can be wrong with the way to a node is provoked, and recognised. */
import { spawn, type ChildProcess } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import forge from 'node-forge'
import { examine, type DoctorOptions, type DoctorStep } from '../../src/dashboard/index.js'
import { NODE_TYPE_NORMAL } from '../../src/epmd/messages.js'
import { REQUIRED } from '../../src/handshake/flags.js'
import { decodeName, encodeChallenge, encodeNamedStatus, encodeStatus } from '../../src/handshake/messages.js'
import { DEFAULT_LIMITS } from '../../src/limits.js'
import { EpmdRegistration } from '../../src/net/epmd-registration.js'
import {
  closeAtEnd,
  cookie,
  freePort,
  privateEpmd,
  startBeam,
  uniqueName,
  type Beam,
} from '../support/beam.js'
import { cli } from '../support/cli.js'

let beam: Beam
let folder: string
beforeAll(async () => {
  beam = await startBeam()
  folder = await mkdtemp(join(tmpdir(), 'doctor-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function walk(node: string, options: DoctorOptions = {}): Promise<DoctorStep[]> {
  const steps: DoctorStep[] = []
  const given = { cookie, epmdPort: await privateEpmd(), ...options }
  for await (const step of examine(node, given)) steps.push(step)
  return steps
}

/** The last step, where the walk ended. */
async function ends(node: string, options: DoctorOptions = {}): Promise<DoctorStep | undefined> {
  return (await walk(node, options)).at(-1)
}

/** Registers something that is no node. */
async function pretend(port: number, highestVersion = 6): Promise<string> {
  const full = uniqueName('fake')
  const registration = await EpmdRegistration.register(
    {
      name: full.slice(0, full.indexOf('@')),
      port,
      nodeType: NODE_TYPE_NORMAL,
      protocol: 0,
      highestVersion,
      lowestVersion: 5,
      extra: new Uint8Array(),
    },
    {
      host: '127.0.0.1',
      port: await privateEpmd(),
      limits: DEFAULT_LIMITS,
      logger: { debug: () => undefined, info: () => undefined, warn: () => undefined },
      serve: undefined,
    },
  )
  closeAtEnd(() => registration.release())
  return full
}

async function listen(onSocket: (socket: Socket) => void): Promise<number> {
  const open = new Set<Socket>()
  const server: Server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => undefined)
    onSocket(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closeAtEnd(() => {
    server.close()
    for (const socket of open) socket.destroy()
  })
  return (server.address() as AddressInfo).port
}

function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(2)
  head.writeUInt16BE(message.length)
  return Buffer.concat([head, message])
}

test('a node that is well passes every layer', async () => {
  const steps = await walk(beam.name, { name: 'me@127.0.0.1' })
  expect(steps.map(({ layer, status }) => `${layer} ${status}`)).toEqual([
    'name ok',
    'cookie ok',
    'host ok',
    'epmd ok',
    'registration ok',
    'port ok',
    'handshake ok',
    'tick ok',
  ])
  expect(JSON.stringify(steps)).not.toContain(cookie)
})

test('names: what is none, and short against long', async () => {
  expect(await ends('nonsense')).toMatchObject({ layer: 'name', finding: 'bad-name' })
  expect(await ends(beam.name, { name: 'me@here' })).toMatchObject({ layer: 'name', finding: 'name-domain' })
  const short = await startBeam({ longNames: false })
  const long = short.name.replace('@localhost', '@127.0.0.1')
  expect(await ends(long)).toMatchObject({
    layer: 'handshake',
    finding: 'wrong-name',
    text: expect.stringContaining(short.name),
  })
})

test('cookies: none, loose, unreadable, not one, and the wrong one', async () => {
  const file = (name: string) => join(folder, name)
  const options = (cookieFile: string): DoctorOptions => ({ cookieFile })
  const at = async (cookieFile: string) => {
    const steps: DoctorStep[] = []
    for await (const step of examine(beam.name, options(cookieFile))) steps.push(step)
    return steps.at(-1)
  }
  expect(await at(file('none'))).toMatchObject({ layer: 'cookie', finding: 'cookie-missing' })
  await writeFile(file('loose'), 'secret', { mode: 0o644 })
  await chmod(file('loose'), 0o644)
  expect(await at(file('loose'))).toMatchObject({
    finding: 'cookie-loose',
    mend: `chmod 400 ${file('loose')}`,
  })
  await mkdir(file('folder'), { mode: 0o700 })
  expect(await at(file('folder'))).toMatchObject({ layer: 'cookie', finding: 'cookie-unreadable' })
  await writeFile(file('two'), 'one\ntwo\n', { mode: 0o400 })
  expect(await at(file('two'))).toMatchObject({ layer: 'cookie', finding: 'cookie-bad' })
  expect(await ends(beam.name, { cookie: 'other' })).toMatchObject({
    layer: 'handshake',
    finding: 'wrong-cookie',
  })
})

test('hosts that nobody knows', async () => {
  expect(await ends('app@nowhere.invalid')).toMatchObject({ layer: 'host', finding: 'host-unknown' })
})

test('EPMD: none, silent, something else, or one that does not know the node', async () => {
  const none = await ends(beam.name, { epmdPort: await freePort() })
  expect(none).toMatchObject({ layer: 'epmd', finding: 'epmd-unreachable' })
  const sockets: Socket[] = []
  const silent = await listen((socket) => void sockets.push(socket))
  expect(await ends(beam.name, { epmdPort: silent, timeoutMs: 100 })).toMatchObject({
    layer: 'epmd',
    finding: 'epmd-silent',
  })
  for (const socket of sockets) socket.destroy()
  const other = await listen((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  expect(await ends(beam.name, { epmdPort: other })).toMatchObject({ finding: 'epmd-strange' })
  const unknown = await ends('nobody@127.0.0.1')
  expect(unknown).toMatchObject({ layer: 'registration', finding: 'not-registered' })
  expect(unknown?.text).toContain(beam.name.slice(0, beam.name.indexOf('@')))
})

test('ports: closed, and behind a firewall that drops', async () => {
  expect(await ends(await pretend(await freePort()))).toMatchObject({
    layer: 'port',
    finding: 'port-refused',
  })
  // A listener whose queue is full drops what else comes, as a firewall does.
  const child: ChildProcess = spawn(process.execPath, ['-e', FULL_QUEUE], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  closeAtEnd(() => void child.kill('SIGKILL'))
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
  const port = Number(line.toString())
  const fillers = [1, 2].map(() => connect(port, '127.0.0.1').on('error', () => undefined))
  await Promise.all(fillers.map((filler) => once(filler, 'connect')))
  const step = await ends(await pretend(port), { timeoutMs: 300 })
  for (const filler of fillers) filler.destroy()
  child.kill('SIGKILL')
  expect(step).toMatchObject({ layer: 'port', finding: 'port-silent' })
})

const FULL_QUEUE = `const s = require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  require('fs').writeSync(1, String(s.address().port)); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0) })`

test('a node that allows only some', async () => {
  const choosy = await startBeam()
  await choosy.eval("net_kernel:allow(['friend@127.0.0.9'])")
  expect(await ends(choosy.name)).toMatchObject({ layer: 'handshake', finding: 'not-allowed' })
})

test('a name that is connected already, without disturbing who has it', async () => {
  const other = await startBeam()
  await beam.eval('true = net_kernel:connect_node(Other)', { Other: await other.eval('node()') })
  expect(await ends(beam.name, { name: other.name })).toMatchObject({
    layer: 'handshake',
    finding: 'already-connected',
  })
  expect(await beam.eval('lists:member(Other, nodes())', { Other: await other.eval('node()') })).toBe(true)
})

test('a node that wants TLS', async () => {
  // It writes the file itself, where it sees it: a release in a chroot sees no other, and the name comes after that.
  const alive = uniqueName('secure')
  const file = `/tmp/${alive}.pem`
  const secure = await startBeam({
    distributed: false,
    epmdPort: await privateEpmd(),
    args: [
      '-proto_dist',
      'inet_tls',
      '-ssl_dist_opt',
      'server_certfile',
      file,
      'server_secure_renegotiate',
      'true',
    ],
  })
  await secure.eval('ok = file:write_file(F, C)', { F: Buffer.from(file), C: Buffer.from(certificate()) })
  try {
    await secure.evalText(
      `{ok, _} = net_kernel:start(['${alive}', longnames]), erlang:set_cookie(node(), '${cookie}')`,
    )
    expect(await ends(alive)).toMatchObject({ layer: 'handshake', finding: 'tls-required' })
  } finally {
    await secure.eval('ok = file:delete(F)', { F: Buffer.from(file) })
  }
})

test('flags that are missing, and releases that are too old', async () => {
  const name = { full: '' }
  const port = await listen((socket) => {
    socket.once('data', (bytes: Buffer) => {
      // It asks for a name at its host.
      const host = decodeName(bytes.subarray(2)).name
      socket.write(framed(encodeNamedStatus(`guest@${host}`, 1)))
      socket.write(framed(encodeChallenge(REQUIRED & ~4n, 1, 1, Buffer.from(name.full))))
    })
  })
  name.full = await pretend(port)
  expect(await ends(name.full)).toMatchObject({
    layer: 'handshake',
    finding: 'missing-flags',
    text: expect.stringMatching(/[A-Z_]{5,}/),
  })
  expect(await ends(await pretend(port, 5))).toMatchObject({ layer: 'registration', finding: 'too-old' })
})

test.each([
  // None of them fits who asks for a name.
  ['says it has a connection of that name', 'alive'],
  ['says it is connecting to that name itself', 'nok'],
  ['sends what no node sends', 'what?'],
])('a node that %s', async (_, status) => {
  const port = await listen((socket) => {
    // OTP closes after `nok`.
    socket.once('data', () =>
      status === 'nok'
        ? socket.end(framed(encodeStatus(status)))
        : socket.write(framed(encodeStatus(status))),
    )
  })
  const step = await ends(await pretend(port), { timeoutMs: 500 })
  expect(step).toMatchObject({ layer: 'handshake', finding: 'handshake-failed' })
})

test('one that hangs up without a word', async () => {
  const port = await listen((socket) => void socket.once('data', () => socket.destroy()))
  const step = await ends(await pretend(port), { timeoutMs: 2_000 })
  expect(step).toMatchObject({ layer: 'handshake', finding: 'handshake-failed' })
  expect(step?.mend).toMatch(/cookie/)
})

test('something that accepts and says nothing', async () => {
  const sockets: Socket[] = []
  const port = await listen((socket) => void sockets.push(socket))
  const step = await ends(await pretend(port), { timeoutMs: 200 })
  for (const socket of sockets) socket.destroy()
  expect(step).toMatchObject({ layer: 'handshake', finding: 'no-answer' })
})

test('tick times that differ are a warning', async () => {
  const steps = await walk(beam.name, { netTicktime: 8 })
  expect(steps.at(-1)).toMatchObject({ layer: 'tick', status: 'warning', finding: 'ticktime-differs' })
})

test('the command says it line by line or as JSON, and its exit status tells', async () => {
  const env = { env: { ERL_EPMD_PORT: String(beam.epmdPort), BEAMPEER_COOKIE: cookie } }
  const well = await cli(['doctor', beam.name], env)
  expect(well).toMatchObject({ code: 0, stderr: '' })
  expect(well.stdout.split('\n').filter((line) => line.startsWith('ok')).length).toBe(8)
  const ill = await cli(['doctor', beam.name, '--cookie', 'wrong', '--json'], env)
  expect(ill.code).toBe(1)
  expect(JSON.parse(ill.stdout)).toMatchObject({ ok: false, finding: 'wrong-cookie' })
})

/** A key and a certificate that it signed itself, in one file. */
function certificate(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const key = privateKey.export({ type: 'pkcs1', format: 'pem' }) as string
  const forgeKey = forge.pki.privateKeyFromPem(key)
  const cert = forge.pki.createCertificate()
  cert.publicKey = forge.pki.setRsaPublicKey(forgeKey.n, forgeKey.e)
  cert.serialNumber = '01'
  cert.validity.notBefore = new Date(Date.now() - 86_400_000)
  cert.validity.notAfter = new Date(Date.now() + 86_400_000)
  const subject = [{ name: 'commonName', value: '127.0.0.1' }]
  cert.setSubject(subject)
  cert.setIssuer(subject)
  cert.sign(forgeKey, forge.md.sha256.create())
  return key + forge.pki.certificateToPem(cert)
}
