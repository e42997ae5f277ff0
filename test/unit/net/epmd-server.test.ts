/** An EPMD on real sockets: what machines cannot show, above all that bad clients hurt nobody. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { encodeRequest, NO_EXTRA, type EpmdRequest } from '../../../src/epmd/messages.js'
import { DEFAULT_LIMITS } from '../../../src/limits.js'
import { systemClock, type Clock } from '../../../src/net/clock.js'
import { epmdLookup, epmdNames } from '../../../src/net/epmd-client.js'
import { embeddedAddresses, epmdPort, listenAddresses } from '../../../src/net/epmd-options.js'
import { EpmdServer, maxOpenFiles, type EpmdListenOptions } from '../../../src/net/epmd-server.js'

const servers: EpmdServer[] = []
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

async function start(options: EpmdListenOptions = {}): Promise<EpmdServer> {
  const server = await EpmdServer.listen({ port: 0, env: {}, ...options })
  servers.push(server)
  return server
}

async function dial(port: number, host = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host, noDelay: true })
  sockets.push(socket)
  await once(socket, 'connect')
  return socket
}

/** Everything that comes until the other side ends; a reset is an end, too. */
async function readAll(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  socket.on('data', (bytes) => chunks.push(bytes))
  socket.on('error', () => undefined)
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
  return Buffer.concat(chunks).toString('latin1')
}

const alive = (name: string): EpmdRequest => ({
  type: 'alive',
  node: { name, port: 4000, nodeType: 77, protocol: 0, highestVersion: 6, lowestVersion: 5, extra: NO_EXTRA },
})

/** Registers a name and gives the connection that holds it, once the answer is there. */
async function register(port: number, name: string): Promise<Socket> {
  const socket = await dial(port)
  socket.write(encodeRequest(alive(name)))
  const [reply] = (await once(socket, 'data')) as [Buffer]
  expect(reply.toString('latin1')).toMatch(/^v\0/)
  return socket
}

const names = async (server: EpmdServer) =>
  (await epmdNames('127.0.0.1', { port: server.port })).map(({ name }) => name)

test('registers, answers, and forgets a name with its connection', async () => {
  const server = await start()
  const socket = await register(server.port, 'a')
  expect(await epmdLookup('a', '127.0.0.1', { port: server.port })).toMatchObject({ name: 'a', port: 4000 })
  expect(await epmdLookup('b', '127.0.0.1', { port: server.port })).toBeUndefined()
  expect(server.names).toEqual([{ name: 'a', port: 4000 }])
  socket.end() // the end of the stream is enough
  await once(socket, 'close')
  expect(await names(server)).toEqual([])
})

test('a reset frees a name, too', async () => {
  const server = await start()
  const socket = await register(server.port, 'a')
  socket.resetAndDestroy()
  while (server.names.length > 0) await new Promise(setImmediate)
  await register(server.port, 'a')
})

test('a client that ends its side behind the request reads the whole answer', async () => {
  const server = await start()
  await register(server.port, 'a')
  const socket = await dial(server.port)
  socket.end(encodeRequest({ type: 'names' }))
  expect(await readAll(socket)).toContain('name a at port 4000\n')
})

test('listens on both loopback addresses, and serves on each', async () => {
  const server = await start()
  expect(server.addresses[0]).toBe('127.0.0.1')
  await register(server.port, 'a')
  for (const host of server.addresses)
    expect(await epmdNames(host, { port: server.port })).toEqual([{ name: 'a', port: 4000 }])
})

test('a connection that comes while the other addresses are still being bound is served', async () => {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  const starting = EpmdServer.listen({ port, env: {} })
  const answers: Promise<unknown>[] = []
  const server = await new Promise<EpmdServer>((resolve) => {
    void starting.then(resolve)
    const knock = () => {
      answers.push(epmdNames('127.0.0.1', { port }).catch((error: { code: string }) => error.code))
      if (answers.length < 20) setImmediate(knock)
    }
    knock()
  })
  servers.push(server)
  for (const answer of await Promise.all(answers)) expect([[], 'EPMD_UNREACHABLE']).toContainEqual(answer)
})

test('a port that is taken is a typed error', async () => {
  const { port } = await start()
  await expect(EpmdServer.listen({ port, env: {} })).rejects.toMatchObject({ code: 'EPMD_PORT_TAKEN' })
})

test('an address that this host does not have is a typed error, and nothing stays bound', async () => {
  const { port } = await start()
  await servers.pop()?.close()
  const failing = EpmdServer.listen({ port, addresses: ['203.0.113.7'], env: {} })
  await expect(failing).rejects.toMatchObject({ code: 'EPMD_LISTEN_FAILED' })
  await start({ port })
})

test('where the host’s name means a loopback address of its own, it is found there', async () => {
  const server = await start({ hosts: ['127.0.0.2', 'no-such-host.invalid', '127.0.0.1'] })
  expect(server.addresses.filter((address) => address.includes('.'))).toEqual(['127.0.0.1', '127.0.0.2'])
  await register(server.port, 'a')
  expect(await epmdNames('127.0.0.2', { port: server.port })).toHaveLength(1)
})

const outside = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address

test('listens wider when told, and takes registrations from this host only by its address', async () => {
  const server = await start({ addresses: ['0.0.0.0'] })
  const host = outside ?? '127.0.0.1'
  const socket = await dial(server.port, host)
  socket.write(encodeRequest(alive('a')))
  await once(socket, 'data') // called from the address it called: a process of this host
  expect(await epmdNames(host, { port: server.port })).toHaveLength(1)
})

describe('bad clients', () => {
  const garbage: [string, Uint8Array][] = [
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
    ['a TLS hello', Buffer.from('16030100a5010000a10303', 'hex')],
    ['a length of 0', Uint8Array.of(0, 0)],
    ['an unknown request', Uint8Array.of(0, 1, 200)],
    [
      'two requests at once',
      Buffer.concat([encodeRequest({ type: 'names' }), encodeRequest({ type: 'names' })]),
    ],
    [
      'an ALIVE2_REQ that claims more than it has',
      Uint8Array.of(0, 14, 120, 1, 1, 77, 0, 0, 6, 0, 5, 0xff, 0xff, 97, 0, 0),
    ],
    ['a megabyte of nothing', new Uint8Array(1 << 20)],
  ]
  test.each(garbage)('%s: closed without an answer, and others are served', async (_what, bytes) => {
    const server = await start()
    await register(server.port, 'a')
    const socket = await dial(server.port)
    socket.write(bytes)
    expect(await readAll(socket)).toBe('')
    expect(await names(server)).toEqual(['a'])
    while (server.pendingConnections > 0) await new Promise(setImmediate) // our own question's end
  })

  test('half a request and the end: closed', async () => {
    const server = await start()
    for (const half of [1, 2, 5]) {
      const socket = await dial(server.port)
      socket.end(encodeRequest(alive('half')).subarray(0, half))
      expect(await readAll(socket)).toBe('')
    }
    expect(await names(server)).toEqual([])
  })

  test('a request byte by byte is answered as any other', async () => {
    const server = await start()
    const socket = await dial(server.port)
    const reply = once(socket, 'data')
    for (const byte of encodeRequest(alive('drip'))) {
      socket.write(Uint8Array.of(byte))
      await new Promise(setImmediate)
    }
    await reply
    expect(await names(server)).toEqual(['drip'])
  })

  test('a slow one is dropped at its deadline, which its bytes do not prolong', async () => {
    const server = await start({
      packetTimeoutMs: 300,
      limits: { ...DEFAULT_LIMITS, epmdRequestTimeoutMs: 300 },
    })
    await register(server.port, 'a')
    const silent = await dial(server.port)
    const slow = await dial(server.port)
    const bytes = encodeRequest(alive('x'.repeat(250)))
    let sent = 0
    const dripping = setInterval(() => slow.write(bytes.subarray(sent, ++sent)), 10)
    const ended = [readAll(silent), readAll(slow)]
    expect(await Promise.all(ended)).toEqual(['', ''])
    clearInterval(dripping)
    expect(sent).toBeLessThan(bytes.length)
    expect(await names(server)).toEqual(['a'])
  })

  test('thousands of idle connections lock nobody out, and none of theirs is kept past the limit', async () => {
    const limits = { ...DEFAULT_LIMITS, maxEpmdPendingConnections: 200 }
    const server = await start({ limits })
    await register(server.port, 'a')
    let dropped = 0
    for (let round = 0; round < 20; round++) {
      const batch = await Promise.all(Array.from({ length: 100 }, () => dial(server.port)))
      for (const socket of batch) socket.on('error', () => undefined).on('close', () => dropped++)
      expect(await names(server)).toEqual(['a'])
      expect(server.pendingConnections).toBeLessThanOrEqual(200)
    }
    while (dropped < 1800) await new Promise(setImmediate)
    const b = await register(server.port, 'b')
    expect(await names(server)).toEqual(['b', 'a'])
    b.destroy()
  })

  test('idle connections take no more than their share of this process’s files', async () => {
    const files = maxOpenFiles()
    if (files === Infinity) {
      expect(process.platform).not.toBe('linux')
      return
    }
    const server = await start({ limits: { ...DEFAULT_LIMITS, maxEpmdFileShare: 10.5 / files } })
    await Promise.all(
      Array.from({ length: 30 }, async () => (await dial(server.port)).on('error', () => undefined)),
    )
    await register(server.port, 'a')
    expect(await names(server)).toEqual(['a'])
    expect(server.pendingConnections).toBeLessThanOrEqual(10)
  })

  test('a thousand who ask at once are all answered', async () => {
    const server = await start()
    await register(server.port, 'a')
    const answers = await Promise.all(
      Array.from({ length: 1000 }, () => epmdLookup('a', '127.0.0.1', { port: server.port })),
    )
    expect(new Set(answers.map((node) => node?.port))).toEqual(new Set([4000]))
    while (server.pendingConnections > 0) await new Promise(setImmediate)
  })

  test('one that never reads its answers holds up nobody and is dropped in time', async () => {
    const server = await start({ packetTimeoutMs: 500 })
    await Promise.all(Array.from({ length: 200 }, (_, i) => register(server.port, `${i}_${'x'.repeat(240)}`)))
    const deaf = await dial(server.port)
    deaf.pause()
    deaf.write(encodeRequest({ type: 'names' }))
    expect(await names(server)).toHaveLength(200)
    while (server.pendingConnections > 0) await new Promise(setImmediate)
    expect(await names(server)).toHaveLength(200)
  })
})

describe('switches', () => {
  test('delayWriteMs holds every answer back, also from one that ended its side', async () => {
    const held: (() => void)[] = []
    const clock: Clock = {
      ...systemClock,
      setTimer(callback, delayMs) {
        if (delayMs === 200) held.push(callback)
        return { clear: () => undefined }
      },
    }
    const server = await start({ delayWriteMs: 200, clock })
    const sockets = [await dial(server.port), await dial(server.port)] as const
    sockets[0].write(encodeRequest({ type: 'names' }))
    sockets[1].end(encodeRequest({ type: 'names' }))
    while (held.length < 2) await new Promise(setImmediate)
    expect(sockets.map(({ bytesRead }) => bytesRead)).toEqual([0, 0])
    for (const release of held) release()
    for (const socket of sockets) expect(await readAll(socket)).toHaveLength(4)
  })

  test('kill ends the server when nothing is registered, and says so', async () => {
    const server = await start()
    const holder = await register(server.port, 'a')
    const refused = await dial(server.port)
    refused.write(encodeRequest({ type: 'kill' }))
    expect(await readAll(refused)).toBe('NO')
    holder.destroy()
    while (server.names.length > 0) await new Promise(setImmediate)
    const killer = await dial(server.port)
    killer.write(encodeRequest({ type: 'kill' }))
    expect(await readAll(killer)).toBe('OK')
    await server.closed
    await expect(names(server)).rejects.toMatchObject({ code: 'EPMD_UNREACHABLE' })
  })

  test('relaxed command check, by option or environment, lets stop and kill work on live nodes', async () => {
    for (const options of [{ relaxedCommandCheck: true }, { env: { ERL_EPMD_RELAXED_COMMAND_CHECK: '' } }]) {
      const server = await start(options)
      const holder = await register(server.port, 'a')
      const other = await register(server.port, 'b')
      const stopper = await dial(server.port)
      stopper.write(encodeRequest({ type: 'stop', name: 'a' }))
      expect(await readAll(stopper)).toBe('STOPPED')
      await readAll(holder)
      expect(await names(server)).toEqual(['b'])
      const killer = await dial(server.port)
      killer.write(encodeRequest({ type: 'kill' }))
      expect(await readAll(killer)).toBe('OK')
      await readAll(other)
      await server.closed
    }
  })
})

describe('environment', () => {
  test('ERL_EPMD_PORT is the port unless one is given', () => {
    expect(epmdPort(undefined, {})).toBe(4369)
    expect(epmdPort(undefined, { ERL_EPMD_PORT: '' })).toBe(4369)
    expect(epmdPort(undefined, { ERL_EPMD_PORT: '14369' })).toBe(14369)
    expect(epmdPort(4370, { ERL_EPMD_PORT: '14369' })).toBe(4370)
    for (const text of ['x', '0', '65536', '-1', '1.5', ' 1'])
      expect(() => epmdPort(undefined, { ERL_EPMD_PORT: text })).toThrow(/ERL_EPMD_PORT/)
    for (const port of [-1, 65_536, 1.5, NaN]) expect(() => epmdPort(port, {})).toThrow(/not a port/)
  })

  const hosts = (addresses: string[] | undefined, env = {}) =>
    listenAddresses(addresses, env).map(({ host }) => host)

  test('ERL_EPMD_ADDRESS adds to loopback; addresses that are given take its place', () => {
    expect(hosts(undefined)).toEqual(['127.0.0.1', '::1'])
    expect(hosts(undefined, { ERL_EPMD_ADDRESS: ' ,' })).toEqual(['127.0.0.1', '::1'])
    const env = { ERL_EPMD_ADDRESS: '10.0.0.7, fd00::7 10.0.0.8' }
    expect(hosts(undefined, env)).toEqual(['127.0.0.1', '::1', '10.0.0.7', 'fd00::7', '10.0.0.8'])
    expect(hosts(['10.0.0.9', '127.0.0.1'], env)).toEqual(['127.0.0.1', '::1', '10.0.0.9'])
    expect(() => hosts(['localhost'])).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }))
  })

  test('an address for everything covers its family', () => {
    expect(hosts(['0.0.0.0', '10.0.0.7', '::1'])).toEqual(['0.0.0.0', '::1'])
    expect(hosts(['::', 'fd00::7'])).toEqual(['127.0.0.1', '::'])
    expect(hosts(['::', '0.0.0.0'])).toEqual(['0.0.0.0', '::'])
  })

  test('IPv6 loopback that nobody asked for may be missing, one that was asked for may not', () => {
    const required = (addresses?: string[]) =>
      listenAddresses(addresses, {}).map((address) => address.required)
    expect(required()).toEqual([true, false])
    expect(required(['::1'])).toEqual([true, true])
  })

  test('an embedded EPMD listens as widely as its node', async () => {
    expect(await embeddedAddresses(undefined, {})).toBeUndefined()
    expect(await embeddedAddresses('127.0.0.1', {})).toBeUndefined()
    expect(await embeddedAddresses('localhost', {})).toBeUndefined()
    expect(await embeddedAddresses('10.0.0.7', {})).toEqual(['10.0.0.7'])
    expect(await embeddedAddresses('::', {})).toEqual(['0.0.0.0', '::'])
    await expect(embeddedAddresses('no-such-host.invalid', {})).rejects.toMatchObject({
      code: 'EPMD_LISTEN_FAILED',
    })
    expect(await embeddedAddresses('0.0.0.0', { ERL_EPMD_ADDRESS: '10.0.0.7' })).toBeUndefined()
  })
})
