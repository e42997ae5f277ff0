/** We connect to a real node. */
import { HandshakeError } from '../../src/errors.js'
import { decode } from '../../src/etf/node.js'
import { internAtom } from '../../src/etf/atom.js'
import { Pid } from '../../src/etf/identifiers.js'
import type { Tuple } from '../../src/etf/tuple.js'
import { tuple } from '../../src/etf/tuple.js'
import { ADVERTISED, DistFlag, MANDATORY_25, MANDATORY_26 } from '../../src/handshake/flags.js'
import { otpLogLine } from '../../src/handshake/log.js'
import { startBeam, until, type Beam } from '../support/beam.js'
import { closeLinks, dripping, jsName, open } from './handshake-support.js'

let beam: Beam
beforeAll(async () => {
  beam = await startBeam()
})
afterEach(closeLinks)

const CREATION = 0x01020304

/** The line as the node's logger breaks it up. */
function inLog(line: string): RegExp {
  const words = line.split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(words.join('\\s*'))
}

test('a hidden link: both know each other, and what the other can do', async () => {
  const { up, statuses } = await open(beam)
  const link = await up
  expect(statuses).toEqual(['ok'])
  expect(link).toMatchObject({ state: 'up', peerName: beam.name, hidden: true, namedByPeer: false })
  expect(`${link.peerCreation}`).toBe(await beam.evalText('erts_internal:get_creation()'))
  await beam.until(`lists:member('${link.thisNode!.name}', nodes(hidden))`)
  expect(await beam.evalText('nodes()')).toBe('[]')
  const required = beam.release >= 26 ? MANDATORY_26 : MANDATORY_25
  expect(link.peerFlags & required).toBe(required)
  expect(link.negotiatedFlags & ~ADVERTISED).toBe(0n)
})

test('what this release requires is what we advertise', async () => {
  const flags = decode(await beam.evalBytes('erts_internal:get_dflags()')) as Tuple<[unknown, bigint, bigint]>
  const [, , mandatory] = [...flags.elements].map((flag) => (typeof flag === 'number' ? BigInt(flag) : flag))
  expect(BigInt(mandatory as bigint) & ~ADVERTISED).toBe(0n)
})

test('a visible link is among nodes()', async () => {
  const { up } = await open(beam, { flags: ADVERTISED | DistFlag.PUBLISHED })
  const link = await up
  expect(link.hidden).toBe(false)
  await beam.until(`nodes() == ['${link.thisNode!.name}']`)
})

test('every message may come one byte at a time', async () => {
  const { up } = await open(beam, {}, {}, dripping)
  expect((await up).state).toBe('up')
})

test('signals flow both ways as soon as it is up', async () => {
  await beam.evalText(
    `register(mirror, spawn(fun() -> (fun L() -> receive {From, M} -> From ! {mirrored, M}, L() end end)() end))`,
  )
  const name = jsName()
  const self = new Pid(internAtom(name), 7, 0, CREATION)
  const { signals } = await open(
    beam,
    { thisNode: { name, creation: CREATION } },
    {
      onUp(link) {
        for (let i = 0; i < 100; i++) {
          link.send({ type: 'regSend', from: self, to: internAtom('mirror'), message: tuple(self, i) })
        }
      },
    },
  )
  await until(() => signals.length === 100)
  const answers = signals.map((signal) => (signal.type === 'send' ? (signal.message as Tuple).elements : []))
  expect(answers).toEqual(Array.from({ length: 100 }, (_, i) => [internAtom('mirrored'), i]))
})

describe('a dynamic name', () => {
  test('is given by the node, with a creation; a later connection can have it again', async () => {
    const { link, up, statuses } = await open(beam, { thisNode: undefined, thisHost: '127.0.0.1' })
    await up
    expect(statuses).toEqual(['named:'])
    expect(link.namedByPeer).toBe(true)
    const { name, creation } = link.thisNode!
    expect(name).toMatch(/^[0-9A-Z]+@127\.0\.0\.1$/)
    expect(creation).toBeGreaterThan(0)
    await beam.until(`lists:member('${name}', nodes(hidden))`)
    link.close('disconnect')
    await beam.until(`not lists:member('${name}', nodes(hidden))`)
    const again = await open(beam, { thisNode: undefined, thisHost: '127.0.0.1' })
    await again.up
    expect(again.link.thisNode?.name).toBe(name)
    expect(again.link.thisNode?.creation).not.toBe(creation)
  })
})

describe('refusals', () => {
  test('a wrong cookie: our error says so, the node logs what its users know', async () => {
    const mark = beam.output.count
    const { failure, link } = await open(beam, { outCookie: 'wrong', inCookie: 'wrong' })
    expect(await failure).toMatchObject({ code: 'HANDSHAKE_BAD_COOKIE', peerName: beam.name })
    const line = otpLogLine(
      new HandshakeError('HANDSHAKE_BAD_COOKIE', '', { peerName: link.thisNode!.name }),
      'in',
      beam.name,
    )
    await beam.waitForLog(inLog(line!), mark)
  })

  test('a wrong in-cookie: we refuse the node, which thinks that it is up and sees it end', async () => {
    const { failure } = await open(beam, { inCookie: 'other' })
    expect((await failure).code).toBe('HANDSHAKE_BAD_COOKIE')
    await beam.until('nodes(connected) == []')
  })

  test('another node than the one that was called', async () => {
    const { failure } = await open(beam, { peerName: 'somebody@127.0.0.1' })
    const error = await failure
    expect(error).toMatchObject({ code: 'HANDSHAKE_WRONG_NODE', peerName: 'somebody@127.0.0.1' })
    expect(error.message).toContain(beam.name)
  })

  test('a missing flag: not_allowed to us, its name in the log there', async () => {
    const mark = beam.output.count
    const flags = ADVERTISED & ~(DistFlag.BIG_CREATION | DistFlag.MANDATORY_25_DIGEST)
    const { failure, link } = await open(beam, { flags })
    expect((await failure).code).toBe('HANDSHAKE_NOT_ALLOWED')
    const [, missing] = await beam.waitForLog(/since it\s+cannot handle\s+(\[[^\]]*\])/, mark)
    const missingFlags = JSON.parse(missing!.replace(/\s/g, '')) as string[]
    expect(missingFlags).toContain('BIG_CREATION')
    const at = { peerName: link.thisNode!.name, missingFlags }
    const line = otpLogLine(new HandshakeError('HANDSHAKE_MISSING_FLAGS', '', at), 'in', beam.name)
    await beam.waitForLog(inLog(line!), mark)
  })

  test('a node that is not allowed', async () => {
    const choosy = await startBeam()
    await choosy.evalText("net_kernel:allow(['friend@127.0.0.1'])")
    const { failure, link } = await open(choosy)
    expect(await failure).toMatchObject({ code: 'HANDSHAKE_NOT_ALLOWED', peerName: choosy.name })
    const at = { peerName: link.thisNode!.name }
    const line = otpLogLine(new HandshakeError('HANDSHAKE_NOT_ALLOWED', '', at), 'in', choosy.name)
    await choosy.waitForLog(inLog(line!))
    await choosy.stop()
  })
})

describe('a name that is connected already', () => {
  /** Before it has marked the first one as up, the BEAM takes the second for one that was made at the same time. */
  const knownToBeam = (name: string) => beam.until(`lists:member('${name}', nodes(hidden))`)

  test('true replaces the old connection', async () => {
    const thisNode = { name: jsName(), creation: CREATION }
    const first = await open(beam, { thisNode })
    await first.up
    await knownToBeam(thisNode.name)
    const second = await open(beam, { thisNode }, { onAlive: () => true })
    // OTP 23 waits for the old connection to end; later ones end it.
    if (beam.release < 25) {
      await until(() => second.statuses.length > 0)
      first.link.close('disconnect')
    }
    await second.up
    expect(second.statuses).toEqual(['alive'])
    await first.down
    await knownToBeam(thisNode.name)
    expect(second.link.state).toBe('up')
  })

  test('false leaves it alone', async () => {
    const thisNode = { name: jsName(), creation: CREATION }
    const first = await open(beam, { thisNode })
    await first.up
    await knownToBeam(thisNode.name)
    const second = await open(beam, { thisNode }, { onAlive: () => false })
    expect((await second.failure).code).toBe('HANDSHAKE_ALREADY_CONNECTED')
    expect(first.link.state).toBe('up')
    await knownToBeam(thisNode.name)
  })
})

describe('ticks', () => {
  test('an idle link lives, each side hearing the other', async () => {
    const ticking = await startBeam({ args: ['-kernel', 'net_ticktime', '4'] })
    const { up, link } = await open(ticking, { netTicktimeMs: 4_000 })
    await up
    // Five intervals of a second: more than a silent peer would be given.
    await until(() => link.stats().receivedFrames >= 6 && link.stats().sentFrames >= 6)
    expect(link.state).toBe('up')
    await ticking.until(`lists:member('${link.thisNode!.name}', nodes(hidden))`)
    await ticking.stop()
  })

  test('a node that stands still is down with net_tick_timeout', async () => {
    const silent = await startBeam()
    const { up, down } = await open(silent, { netTicktimeMs: 1_000 })
    await up
    silent.suspend()
    expect(await down).toMatchObject({ reason: 'net_tick_timeout', wasUp: true })
    await silent.stop()
  })

  test('a node that is killed is down with connection_closed', async () => {
    const doomed = await startBeam()
    const { up, down } = await open(doomed)
    await up
    doomed.kill('SIGKILL')
    expect(await down).toMatchObject({ reason: 'connection_closed', wasUp: true })
  })
})
