/** Questions to an EPMD, registrations that last, and the hand-over of the port, between services of one process. */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { DEFAULT_LIMITS, type Limits } from '../../../src/limits.js'
import { epmdLookup, epmdNames } from '../../../src/net/epmd-client.js'
import { EpmdServer } from '../../../src/net/epmd-server.js'
import { EpmdService, type EpmdMode } from '../../../src/net/epmd-service.js'
import { freePort, until } from '../../support/children.js'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

interface Recorded {
  lines: string[]
  debug(line: string): void
  info(line: string): void
  warn(line: string): void
}
function recorder(): Recorded {
  const lines: string[] = []
  const push = (line: string) => void lines.push(line)
  return { lines, debug: push, info: push, warn: push }
}

async function service(
  mode: EpmdMode,
  port: number,
  limits: Partial<Limits> = {},
  logger = recorder(),
): Promise<EpmdService> {
  const env = { ERL_EPMD_PORT: String(port) }
  const started = await EpmdService.start({ mode, env, limits: { ...DEFAULT_LIMITS, ...limits }, logger })
  closers.push(() => started.stop())
  return started
}

async function daemon(port = 0): Promise<EpmdServer> {
  const server = await EpmdServer.listen({ port, env: {} })
  closers.push(() => server.close())
  return server
}

/** Something that listens and is no EPMD. */
async function impostor(behave: (socket: Socket) => void): Promise<{ port: number; server: Server }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    behave(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, server }
}

const node = (name: string, port = 4000) => ({ name, port, hidden: true })
const host = '127.0.0.1'

describe('questions', () => {
  test('nobody there, nobody of that name, and what is known', async () => {
    const server = await daemon()
    const at = await service('external', server.port)
    await at.register({ ...node('a'), hidden: false, extra: Uint8Array.of(1, 2) })
    expect(await at.lookup('a', host)).toEqual({ port: 4000, highestVersion: 6, lowestVersion: 5 })
    expect(await at.lookup('b', host)).toBeUndefined()
    expect(await at.names()).toEqual([{ name: 'a', port: 4000 }])
    expect(await epmdLookup('a', host, { port: server.port })).toMatchObject({
      nodeType: 77,
      extra: Uint8Array.of(1, 2),
    })
    await server.close()
    await expect(at.lookup('a', host)).rejects.toMatchObject({
      code: 'EPMD_UNREACHABLE',
      message: expect.stringContaining(`127.0.0.1:${server.port}`),
    })
  })

  test.each<[string, (socket: Socket) => void, string]>([
    ['garbage', (socket) => socket.end('HTTP/1.1 400'), 'EPMD_BAD_REPLY'],
    ['nothing and an end', (socket) => socket.end(), 'EPMD_CLOSED'],
    ['half an answer and an end', (socket) => socket.end(Uint8Array.of(119, 0, 1)), 'EPMD_CLOSED'],
    ['a reset', (socket) => socket.once('data', () => socket.resetAndDestroy()), 'EPMD_CLOSED'],
    ['silence', () => undefined, 'EPMD_TIMEOUT'],
    [
      'an answer without end',
      (socket) => socket.end(Uint8Array.of(119, 0, ...new Array(198).fill(255))),
      'EPMD_REPLY_TOO_LARGE',
    ],
  ])('%s is a typed error', async (_what, behave, code) => {
    const { port } = await impostor(behave)
    const limits = { ...DEFAULT_LIMITS, epmdReplyTimeoutMs: 300, maxEpmdReplyBytes: 100 }
    await expect(epmdLookup('a', host, { port, limits })).rejects.toMatchObject({ name: 'EpmdError', code })
  })

  test('an abort signal ends the wait with its reason', async () => {
    const controller = new AbortController()
    const { port } = await impostor(() => controller.abort(new Error('enough')))
    await expect(epmdNames(host, { port, signal: controller.signal })).rejects.toThrow('enough')
    await expect(epmdNames(host, { port, signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow(
      'before',
    )
  })
})

describe('registration', () => {
  test('a taken name is a typed error; one whose holder dies meanwhile is not', async () => {
    const { port } = await daemon()
    const first = await service('external', port, { epmdSettleTimeMs: 100 })
    const second = await service('external', port, { epmdSettleTimeMs: 10_000 })
    const holder = await first.register(node('a'))
    await expect(first.register(node('a'))).rejects.toMatchObject({ code: 'EPMD_NAME_TAKEN' })
    const log = recorder()
    const third = await service('external', port, { epmdSettleTimeMs: 10_000 }, log)
    const waiting = third.register(node('a'))
    await until(() => log.lines.some((line) => line.includes('not registered')))
    await holder.release()
    expect((await waiting).creation).toBe(holder.creation + 1)
    expect(await second.names()).toHaveLength(1)
  })

  test('release frees the name, and only that', async () => {
    const { port } = await daemon()
    const at = await service('external', port)
    const a = await at.register(node('a'))
    await at.register(node('b'))
    await a.release()
    await until(async () => (await at.names()).length === 1)
    expect(await at.names()).toEqual([{ name: 'b', port: 4000 }])
    await at.stop()
    await until(async () => (await epmdNames(host, { port })).length === 0)
  })

  test('a daemon that went away and came back: registered again, same creation', async () => {
    const server = await daemon()
    const at = await service('external', server.port, { epmdRetryMinMs: 1, epmdRetryMaxMs: 20 })
    const registration = await at.register(node('a'))
    const { creation } = registration
    for (let round = 0; round < 3; round++) {
      await closers.splice(0, 1)[0]?.()
      await until(() => !registration.registered)
      const again = await EpmdServer.listen({ port: server.port, env: {} })
      closers.unshift(() => again.close())
      await until(() => registration.registered)
      expect(again.names).toEqual([{ name: 'a', port: 4000 }])
      expect(registration.creation).toBe(creation)
    }
  })

  test('nobody listens: an error at once; a stop or a signal ends a wait', async () => {
    const port = await freePort()
    const at = await service('external', port)
    await expect(at.register(node('a'))).rejects.toMatchObject({ code: 'EPMD_UNREACHABLE' })
    const mute = await impostor(() => undefined)
    const signalled = await service({ port: mute.port }, port)
    const controller = new AbortController()
    const waiting = signalled.register({ ...node('a'), signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    const stopped = signalled.register(node('a'))
    const outcome = expect(stopped).rejects.toMatchObject({ code: 'EPMD_STOPPED' })
    await signalled.stop()
    await outcome
    await expect(signalled.register(node('a'))).rejects.toMatchObject({ code: 'EPMD_STOPPED' })
  })

  test.each([
    ['a name with an @', { name: 'a@b' }],
    ['an empty name', { name: '' }],
    ['port 0', { port: 0 }],
    ['a port that is none', { port: 70_000 }],
    ['too much extra', { extra: new Uint8Array(DEFAULT_LIMITS.maxEpmdExtraBytes + 1) }],
  ])('%s is an argument error', async (_what, over) => {
    const at = await service('external', await freePort())
    await expect(at.register({ ...node('a'), ...over })).rejects.toMatchObject({ code: 'BAD_ARGUMENT' })
  })
})

describe('who serves', () => {
  test('embedded serves or fails', async () => {
    const port = await freePort()
    const first = await service('embedded', port)
    expect(first.serving).toBe(true)
    await expect(service('embedded', port)).rejects.toMatchObject({ code: 'EPMD_PORT_TAKEN' })
  })

  test('auto uses what runs, else serves; never what is no EPMD', async () => {
    const server = await daemon()
    const user = await service('auto', server.port)
    expect(user.serving).toBe(false)
    const alone = await service('auto', await freePort())
    expect(alone.serving).toBe(true)
    const { port } = await impostor((socket) => socket.end('no'))
    await expect(service('auto', port, { epmdSettleTimeMs: 100 })).rejects.toMatchObject({
      code: 'EPMD_PORT_TAKEN',
    })
  })

  test('external never serves', async () => {
    const server = await daemon()
    const at = await service('external', server.port, { epmdRetryMinMs: 1, epmdRetryMaxMs: 5 })
    const registration = await at.register(node('a'))
    await closers.splice(0, 1)[0]?.()
    await until(() => !registration.registered)
    await expect(at.names()).rejects.toMatchObject({ code: 'EPMD_UNREACHABLE' })
    expect(at.serving).toBe(false)
  })

  test('many that start at once: one serves, all are registered', async () => {
    const port = await freePort()
    const all = await Promise.all(Array.from({ length: 10 }, () => service('auto', port)))
    expect(all.filter(({ serving }) => serving)).toHaveLength(1)
    await Promise.all(all.map((one, index) => one.register(node(`n${index}`))))
    expect(await all[0]?.names()).toHaveLength(10)
  })

  test('when the one that serves ends, a survivor takes the port, again and again, down to the last', async () => {
    const port = await freePort()
    const all = await Promise.all(Array.from({ length: 6 }, () => service('auto', port)))
    const registrations = await Promise.all(all.map((one, index) => one.register(node(`n${index}`))))
    const creations = registrations.map(({ creation }) => creation)
    const living = new Set(all.keys())
    while (living.size > 1) {
      const serving = all.findIndex((one, index) => living.has(index) && one.serving)
      living.delete(serving)
      await all[serving]?.stop()
      const expected = Array.from(living, (index) => `n${index}`).sort()
      // While the port changes hands there may be nobody to ask.
      await until(async () => (await epmdNames(host, { port })).length === living.size)
      expect((await epmdNames(host, { port })).map(({ name }) => name).sort()).toEqual(expected)
      expect([...living].filter((index) => all[index]?.serving)).toHaveLength(1)
      expect([...living].every((index) => registrations[index]?.registered)).toBe(true)
    }
    expect(registrations.map(({ creation }) => creation)).toEqual(creations)
  })

  test('an embedded EPMD that is killed from outside serves again', async () => {
    const port = await freePort()
    const log = recorder()
    const at = await EpmdService.start({
      mode: 'embedded',
      env: { ERL_EPMD_PORT: String(port), ERL_EPMD_RELAXED_COMMAND_CHECK: '1' },
      limits: DEFAULT_LIMITS,
      logger: log,
    })
    closers.push(() => at.stop())
    const registration = await at.register(node('a'))
    const { connect } = await import('node:net')
    const killer = connect(port, host, () => killer.write(Uint8Array.of(0, 1, 107)))
    const [reply] = (await once(killer, 'data')) as [Buffer]
    expect(reply.toString()).toBe('OK')
    killer.destroy()
    await until(() => log.lines.some((line) => line.includes('registered again')))
    expect(registration.registered).toBe(true)
    expect(at.serving).toBe(true)
    expect(await at.names()).toEqual([{ name: 'a', port: 4000 }])
  })
})
