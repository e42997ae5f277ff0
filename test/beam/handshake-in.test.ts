/** A real node connects to us. */
import { HandshakeError } from '../../src/errors.js'
import { ADVERTISED, DistFlag, REQUIRED } from '../../src/handshake/flags.js'
import type { NameOffer } from '../../src/handshake/types.js'
import { otpLogLine } from '../../src/handshake/log.js'
import { startBeam, until, type Beam } from '../support/beam.js'
import { closeLinks, COOKIES, listen, type Watched } from './handshake-support.js'

let beam: Beam
beforeAll(async () => {
  // A node that is told `nok` waits for its set-up time.
  beam = await startBeam({ hidden: true, args: ['-kernel', 'net_setuptime', '2'] })
})
afterEach(closeLinks)

function connectNode(from: Beam, name: string): Promise<string> {
  return from.evalText(`net_kernel:connect_node('${name}')`)
}

function inLog(line: string): RegExp {
  const words = line.split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(words.join('\\s*'))
}

test.each(['ok', 'ok_simultaneous'] as const)('status %s: up on both sides', async (status) => {
  const { name, next } = await listen({ onName: () => ({ status, ...COOKIES }) })
  expect(await connectNode(beam, name)).toBe('true')
  const { link, up } = await next()
  await up
  expect(link).toMatchObject({ state: 'up', peerName: beam.name, hidden: true })
  expect(`${link.peerCreation}`).toBe(await beam.evalText('erts_internal:get_creation()'))
  expect(link.peerFlags & REQUIRED).toBe(REQUIRED)
  await beam.until(`lists:member('${name}', nodes(hidden))`)
})

test('a visible node, and us visible: nodes() has us', async () => {
  const visible = await startBeam()
  const { name, next } = await listen({}, { flags: ADVERTISED | DistFlag.PUBLISHED })
  expect(await connectNode(visible, name)).toBe('true')
  const { link, up } = await next()
  await up
  expect(link.hidden).toBe(false)
  await visible.until(`nodes() =:= ['${name}']`)
  link.close('disconnect')
  await visible.stop()
})

test('the first signals may come with the last message of the handshake', async () => {
  const { name, next } = await listen()
  await beam.evalText(`[erlang:send({nobody, '${name}'}, N) || N <- lists:seq(1, 200)], ok`)
  const { signals } = await next()
  await until(() => signals.length === 200)
  expect(signals.map((signal) => (signal.type === 'regSend' ? signal.message : undefined))).toEqual(
    Array.from({ length: 200 }, (_, i) => i + 1),
  )
})

test('the kernel may take its time to decide', async () => {
  let decide: () => void = () => undefined
  const { name, next } = await listen({
    onName: () => new Promise((resolve) => (decide = () => resolve({ status: 'ok', ...COOKIES }))),
  })
  const connected = connectNode(beam, name)
  const { link } = await next()
  await until(() => link.peerName !== undefined)
  decide()
  expect(await connected).toBe('true')
})

describe('refusals', () => {
  test('a wrong cookie: a typed error here, the same log line as a BEAM would give', async () => {
    const { name, next } = await listen({ onName: () => ({ status: 'ok', inCookie: 'x', outCookie: 'x' }) })
    const mark = beam.output.count
    expect(await connectNode(beam, name)).toBe('false')
    const error = await (await next()).failure
    expect(error).toMatchObject({ code: 'HANDSHAKE_BAD_COOKIE', peerName: beam.name })

    // What a BEAM says when the same node comes to it with a wrong cookie.
    const other = await startBeam({ cookie: 'another' })
    expect(await connectNode(beam, other.name)).toBe('false')
    await other.waitForLog(inLog(otpLogLine(error, 'in', other.name)!))
    await other.stop()
    expect(beam.output.count).toBeGreaterThanOrEqual(mark)
  })

  test('a wrong out-cookie: the node cancels, and logs it', async () => {
    const { name, next } = await listen({ onName: () => ({ status: 'ok', ...COOKIES, outCookie: 'x' }) })
    expect(await connectNode(beam, name)).toBe('false')
    const { down } = await next()
    expect(await down).toMatchObject({ reason: 'connection_closed', wasUp: true })
    const line = otpLogLine(
      new HandshakeError('HANDSHAKE_BAD_COOKIE', '', { peerName: name }),
      'out',
      beam.name,
    )
    await beam.waitForLog(inLog(line!))
  })

  test.each([
    ['nok', 'HANDSHAKE_NOK'],
    ['not_allowed', 'HANDSHAKE_NOT_ALLOWED'],
  ] as const)('%s', async (status, code) => {
    const { name, next } = await listen({ onName: () => ({ status }) })
    expect(await connectNode(beam, name)).toBe('false')
    expect(await (await next()).failure).toMatchObject({ code, peerName: beam.name })
  })

  test('a flag that the node requires and we lack: it aborts, and names it', async () => {
    const flags = ADVERTISED & ~(DistFlag.BIG_CREATION | DistFlag.MANDATORY_25_DIGEST)
    const { name, next } = await listen({}, { flags })
    const mark = beam.output.count
    expect(await connectNode(beam, name)).toBe('false')
    expect((await (await next()).failure).code).toBe('HANDSHAKE_CLOSED')
    const [, missing] = await beam.waitForLog(/cannot handle\s+(\[[^\]]*\])/, mark)
    const missingFlags = JSON.parse(missing!.replace(/\s/g, '')) as string[]
    const error = new HandshakeError('HANDSHAKE_MISSING_FLAGS', '', { peerName: name, missingFlags })
    await beam.waitForLog(inLog(otpLogLine(error, 'out', beam.name)!), mark)
  })
})

test('alive: the node says true, and is up when the old connection is gone', async () => {
  const links: Watched[] = []
  const { name, next } = await listen({
    onName: () => ({ status: links.length === 0 ? 'ok' : 'alive', ...COOKIES }),
    onReplace: async () => {
      links[0]!.link.close('disconnect')
      await links[0]!.down
    },
  })
  expect(await connectNode(beam, name)).toBe('true')
  links.push(await next())
  await links[0]!.up
  // The node loses the connection, and we have not noticed yet.
  await beam.evalText(`erlang:disconnect_node('${name}')`)
  await beam.until(`not lists:member('${name}', nodes(hidden))`)
  expect(await connectNode(beam, name)).toBe('true')
  const second = await next()
  await second.up
  expect(links[0]!.link.state).toBe('down')
  await beam.until(`lists:member('${name}', nodes(hidden))`)
})

test('a node without a name gets ours', async () => {
  const given = 'given_by_us@127.0.0.1'
  const { name, next } = await listen({
    onName: (offer) => {
      if (!offer.dynamic || offer.name !== '127.0.0.1') throw new Error(`offer of ${offer.name}`)
      return { status: 'named', name: given, creation: 4_242, ...COOKIES }
    },
  })
  const nameless = await startBeam({ name: 'undefined@127.0.0.1' })
  expect(await nameless.evalText('node()')).toBe('nonode@nohost')
  expect(await connectNode(nameless, name)).toBe('true')
  const { link, up } = await next()
  await up
  expect(link).toMatchObject({ peerName: given, peerCreation: 4_242, hidden: true })
  expect(await nameless.evalText('{node(), erts_internal:get_creation()}')).toBe(`{'${given}',4242}`)
  await nameless.stop()
})

test('registered as version 5: OTP 23 opens with the old name message and completes it, later ones do not care', async () => {
  const offers: NameOffer[] = []
  const { name, next } = await listen(
    {
      onName: (offer) => {
        offers.push(offer)
        return { status: 'ok', ...COOKIES }
      },
    },
    {},
    5,
  )
  expect(await connectNode(beam, name)).toBe('true')
  const { link, up } = await next()
  await up
  // In the old form the high half of the flags and the creation come with the complement.
  const old = beam.release < 25
  expect(offers).toMatchObject([{ name: beam.name, creation: old ? 0 : link.peerCreation }])
  expect(offers[0]!.flags > 0xffffffffn).toBe(!old)
  expect(link.peerFlags & DistFlag.SPAWN).toBe(DistFlag.SPAWN)
  expect(`${link.peerCreation}`).toBe(await beam.evalText('erts_internal:get_creation()'))
})
