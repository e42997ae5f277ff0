import { encode } from '../../../src/etf/node.js'
import { NodeError } from '../../../src/errors.js'
import { ADVERTISED, DistFlag } from '../../../src/handshake/flags.js'
import { DEFAULT_LIMITS } from '../../../src/limits.js'
import { memoryPair } from '../../../src/net/memory.js'
import { COOKIES } from '../handshake/support.js'
import { A, accept, B, message, pair, pid, texts, VirtualLoop, withRawPeer } from './support.js'

const bytewise = (bytes: Uint8Array): Uint8Array[] => Array.from(bytes, (byte) => Uint8Array.of(byte))

// <0.7.0> of a node named a@b.
const PID = [88, 119, 3, 97, 64, 98, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 1]

describe('coming up', () => {
  test.each([
    ['as written', undefined],
    ['byte by byte', { chunk: bytewise }],
  ])('both sides agree, %s, and signals follow in order', async (_, memory) => {
    const { loop, a, b } = pair(memory === undefined ? {} : { memory })
    expect([a.link.state, b.link.state]).toEqual(['handshake', 'handshake'])
    expect(a.link.send(message('too early'))).toBe(false)
    await loop.settle()
    expect([a.link.state, b.link.state]).toEqual(['up', 'up'])
    expect(a.link).toMatchObject({
      direction: 'out',
      peerName: B.name,
      peerCreation: 22,
      thisNode: A,
      hidden: true,
    })
    expect(b.link).toMatchObject({
      direction: 'in',
      peerName: A.name,
      peerCreation: 11,
      thisNode: B,
      hidden: true,
    })
    expect(a.link.negotiatedFlags).toBe(ADVERTISED)

    for (let i = 0; i < 100; i++) expect(a.link.send(message(`m${i}`))).toBe(true)
    expect(b.signals).toEqual([])
    await loop.settle()
    expect(texts(b)).toEqual(Array.from({ length: 100 }, (_x, i) => `m${i}`))
    expect(b.events[0]).toBe('up')
    expect(a.link.queuedBytes).toBe(0)
    expect(a.link.stats()).toMatchObject({ sentFrames: 100, receivedFrames: 0 })
    expect(b.link.stats()).toMatchObject({ receivedFrames: 100, receivedBytes: a.link.stats().sentBytes })
  })

  test('signals sent from within onUp arrive after the peer is up', async () => {
    const { loop, a, b } = pair({
      out: { handlers: { onUp: (link) => void link.send(message('first of a')) } },
      in: {
        handlers: {
          onUp: (link) => void link.send({ type: 'send', from: pid(B), to: pid(A), message: 'first of b' }),
        },
      },
    })
    await loop.settle()
    expect(a.events).toEqual(['up', 'send'])
    expect(b.events).toEqual(['up', 'send'])
    expect(texts(a)).toEqual(['first of b'])
  })

  test('visible only when both say so', async () => {
    const visible = { flags: ADVERTISED | DistFlag.PUBLISHED }
    const both = pair({ out: { options: visible }, in: { options: visible } })
    await both.loop.settle()
    expect([both.a.link.hidden, both.b.link.hidden]).toEqual([false, false])
    const one = pair({ out: { options: visible } })
    await one.loop.settle()
    expect([one.a.link.hidden, one.b.link.hidden]).toEqual([true, true])
  })

  test('a node without a name gets one', async () => {
    const { loop, a, b } = pair({
      out: { options: { thisNode: undefined, thisHost: 'one' } },
      in: {
        handlers: {
          onName: (offer) =>
            Promise.resolve({
              status: 'named',
              name: `given@${offer.name}`,
              creation: 7,
              ...COOKIES,
            } as const),
        },
      },
    })
    await loop.settle()
    expect(a.link).toMatchObject({
      state: 'up',
      thisNode: { name: 'given@one', creation: 7 },
      namedByPeer: true,
    })
    expect(b.link).toMatchObject({ state: 'up', peerName: 'given@one', peerCreation: 7 })
  })

  test('alive: the new connection is up only after the old one is gone', async () => {
    let gone = (): void => undefined
    const { loop, a, b } = pair({
      in: {
        handlers: {
          onName: () => ({ status: 'alive', ...COOKIES }),
          onReplace: () => new Promise<void>((resolve) => (gone = resolve)),
        },
      },
    })
    await loop.settle()
    expect([a.link.state, b.link.state]).toEqual(['handshake', 'handshake'])
    gone()
    await loop.settle()
    expect([a.link.state, b.link.state]).toEqual(['up', 'up'])
  })

  test('alive, and this attempt is not wanted any more', async () => {
    const { loop, a, b } = pair({
      out: { handlers: { onAlive: () => false } },
      in: { handlers: { onName: () => ({ status: 'alive', ...COOKIES }) } },
    })
    await loop.settle()
    for (const { downs } of [a, b]) {
      expect(downs).toMatchObject([
        { reason: 'connection_setup_failed', wasUp: false, error: { code: 'HANDSHAKE_ALREADY_CONNECTED' } },
      ])
    }
  })
})

/** A pass-through frame: SEND of a text to a process of A. */
function frame(text: string): Uint8Array {
  const to = encode(pid(A)).subarray(1)
  const payload = encode(text)
  const body = [112, 131, 104, 3, 97, 2, 119, 0, ...to, ...payload]
  return Uint8Array.of(0, 0, body.length >> 8, body.length & 0xff, ...body)
}

describe('the seam between handshake and channel', () => {
  test('frames that come in one chunk with the acknowledgement are received, after onUp', async () => {
    const after = Uint8Array.of(0, 0, 0, 0, ...frame('one'), ...frame('two').subarray(0, 9))
    const { loop, a, peer } = withRawPeer({ after })
    await loop.settle()
    expect(a.events).toEqual(['up', 'send'])
    peer.transport.write(frame('two').subarray(9))
    await loop.settle()
    expect(texts(a)).toEqual(['one', 'two'])
  })

  test('a link that is closed in onUp receives nothing of them', async () => {
    const { loop, a } = withRawPeer({
      after: frame('one'),
      out: { handlers: { onUp: (link) => link.close('disconnect') } },
    })
    await loop.settle()
    expect(a.events).toEqual(['up', 'down disconnect'])
  })

  test.each([
    ['neither', 0n, [112, 131]],
    ['DIST_HDR_ATOM_CACHE', DistFlag.DIST_HDR_ATOM_CACHE, [131, 68]],
    ['FRAGMENTS', DistFlag.FRAGMENTS, [131, 68]],
    ['both', DistFlag.DIST_HDR_ATOM_CACHE | DistFlag.FRAGMENTS, [131, 68]],
  ])('the form of messages goes with the flags: %s', async (_, extra, begins) => {
    const flags = ADVERTISED | extra
    const { loop, a, peer } = withRawPeer({ flags, out: { options: { flags } } })
    await loop.settle()
    a.link.send(message('x'))
    await loop.settle()
    const bytes = Buffer.concat(peer.received)
    expect([...bytes.subarray(4, 6)]).toEqual(begins)

    // The peer alone having them changes nothing.
    const alone = withRawPeer({ flags })
    await alone.loop.settle()
    alone.a.link.send(message('x'))
    await alone.loop.settle()
    expect([...Buffer.concat(alone.peer.received).subarray(4, 6)]).toEqual([112, 131])
  })

  test('what a peer without V4_NC cannot carry is an error here, and nothing leaves', async () => {
    const { loop, a, peer } = withRawPeer({ flags: ADVERTISED & ~DistFlag.V4_NC })
    await loop.settle()
    expect(() => a.link.send({ type: 'send', from: pid(A), to: pid(B, 40_000), message: 1 })).toThrow(
      expect.objectContaining({ code: 'ETF_PEER_CANNOT_CARRY' }),
    )
    await loop.settle()
    expect(peer.received).toEqual([])
    expect(a.link.state).toBe('up')
  })
})

describe('ending', () => {
  test('close: what was sent still arrives; each side has its reason, once', async () => {
    const { loop, a, b } = pair()
    await loop.settle()
    a.link.send(message('last words'))
    a.link.close('disconnect')
    expect(a.downs).toEqual([{ reason: 'disconnect', error: undefined, wasUp: true }])
    expect(a.link.send(message('too late'))).toBe(false)
    a.link.close('shutdown')
    await loop.settle()
    expect(texts(b)).toEqual(['last words'])
    expect(b.downs).toEqual([{ reason: 'connection_closed', error: undefined, wasUp: true }])
    expect(a.downs).toHaveLength(1)
    expect(loop.timers).toBe(0)
  })

  test('closing with an error gives it to onDown', async () => {
    const { loop, a } = pair()
    await loop.settle()
    const error = new NodeError('NODE_STOPPED', 'stopping')
    a.link.close('shutdown', error)
    expect(a.downs).toEqual([{ reason: 'shutdown', error, wasUp: true }])
  })

  test('a connection that breaks is connection_closed, with what the system said', async () => {
    const { loop, a, b } = pair()
    await loop.settle()
    const reset = new Error('ECONNRESET')
    a.transport.breakWith(reset)
    await loop.settle()
    for (const { downs } of [a, b]) {
      expect(downs).toMatchObject([
        { reason: 'connection_closed', wasUp: true, error: { code: 'DIST_CONNECTION_LOST', cause: reset } },
      ])
    }
    expect(loop.timers).toBe(0)
  })

  test('a link that is closed by a signal receives no further one of the same chunk', async () => {
    const { loop, a, b } = pair({
      in: { handlers: { onSignal: (_s, _bytes, link) => link.close('disconnect') } },
    })
    await loop.settle()
    a.link.send(message('one'))
    a.link.send(message('two'))
    await loop.settle()
    expect(b.events).toEqual(['up', 'send', 'down disconnect'])
  })

  test('a peer that breaks the protocol: connection_closed, with the error that says how', async () => {
    const { loop, a, peer } = withRawPeer()
    await loop.settle()
    peer.transport.write(Uint8Array.of(0, 0, 0, 2, 131, 68))
    await loop.settle()
    expect(a.downs).toMatchObject([{ reason: 'connection_closed', error: { code: 'DIST_BAD_FRAME' } }])
    expect(peer.closed).toBe(true)
  })

  // As in OTP: a message that is lost must be seen as a connection that is lost.
  test('a message that is no term, after one that is: the first is delivered, the link ends', async () => {
    const { loop, a, peer } = withRawPeer()
    await loop.settle()
    const message = (payload: number[]) => {
      const control = [131, 104, 3, 97, 2, 119, 0, ...PID]
      return Uint8Array.of(0, 0, 0, 1 + control.length + 1 + payload.length, 112, ...control, 131, ...payload)
    }
    peer.transport.write(message([106]))
    peer.transport.write(message([255]))
    peer.transport.write(message([106]))
    await loop.settle()
    expect(a.events).toEqual(['up', 'send', 'down connection_closed'])
    expect(a.downs).toMatchObject([
      {
        reason: 'connection_closed',
        error: { code: 'DIST_BAD_PAYLOAD', cause: { code: 'ETF_UNKNOWN_TAG' } },
      },
    ])
  })

  test('a signal is weighed by its bytes, and 64 for each element of its containers', async () => {
    const weights: number[] = []
    const { loop, a, b } = pair({
      in: { handlers: { onSignal: (_signal, weight) => void weights.push(weight) } },
    })
    await loop.settle()
    const received = () => b.link.stats().receivedBytes
    const wire: number[] = []
    // Once more, when its atoms are known there: frames of one size, but for the term.
    for (const term of ['', '', [], [[], [], []], [[[], []], 1], new Uint8Array(1_000)]) {
      const before = received()
      a.link.send({ type: 'send', from: pid(A), to: pid(B), message: term })
      await loop.settle()
      wire.push(received() - before)
    }
    const beyond = weights.map((weight, i) => weight - (wire[i] as number))
    const none = beyond[1] as number
    expect(beyond.slice(1).map((weight) => weight - none)).toEqual([0, 0, 3 * 64, 4 * 64, 0])
    // Those of the control message: its tuple has three.
    expect(none).toBeGreaterThan(2 * 64)
    expect(none).toBeLessThanOrEqual(3 * 64)
  })

  test('a fault in a handler ends the link, not the process', async () => {
    const fault = new Error('fault')
    const { loop, a, b } = pair({
      in: {
        handlers: {
          onSignal: () => {
            throw fault
          },
        },
      },
    })
    await loop.settle()
    a.link.send(message('x'))
    await loop.settle()
    expect(b.downs).toMatchObject([
      { reason: 'connection_closed', error: { code: 'DIST_FAILED', cause: fault } },
    ])
  })
})

describe('a set-up that fails', () => {
  const failed = (code: string) => [{ reason: 'connection_setup_failed', wasUp: false, error: { code } }]

  test('wrong cookie: both sides say so', async () => {
    const { loop, a, b } = pair({ out: { options: { outCookie: 'x', inCookie: 'x' } } })
    await loop.settle()
    expect(a.downs).toMatchObject(failed('HANDSHAKE_BAD_COOKIE'))
    expect(b.downs).toMatchObject(failed('HANDSHAKE_BAD_COOKIE'))
    expect(b.link.peerName).toBe(A.name)
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('no table')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no table'))],
    [
      'decides what does not fit',
      () => ({ status: 'named', name: 'x@one', creation: 1, ...COOKIES }) as const,
    ],
  ])('a kernel that %s: the connection ends with its words', async (_, onName) => {
    const { loop, a, b } = pair({ in: { handlers: { onName } } })
    await loop.settle()
    expect(b.downs).toMatchObject(failed('HANDSHAKE_FAILED'))
    expect(a.downs).toMatchObject(failed('HANDSHAKE_CLOSED'))
  })

  test('a peer that says nothing: HANDSHAKE_TIMEOUT after the set-up time, and the connection is closed', async () => {
    const loop = new VirtualLoop()
    const [left, right] = memoryPair({ schedule: loop.schedule })
    const b = accept(loop, right)
    let closed = false
    left.attach({ onData: () => undefined, onClose: () => (closed = true) })
    await loop.advance(DEFAULT_LIMITS.setupTimeMs - 1)
    expect(b.link.state).toBe('handshake')
    await loop.advance(1)
    expect(b.downs).toMatchObject(failed('HANDSHAKE_TIMEOUT'))
    expect(closed).toBe(true)
    expect(loop.timers).toBe(0)
  })

  test('a stall of our own does not count: what the socket holds is read first', async () => {
    const { loop, a, b } = pair()
    await loop.stall(DEFAULT_LIMITS.setupTimeMs)
    expect([a.link.state, b.link.state]).toEqual(['up', 'up'])
  })

  test('a kernel that never decides: the set-up time ends it', async () => {
    const { loop, b } = pair({
      out: { options: { limits: { ...DEFAULT_LIMITS, setupTimeMs: 60_000 } } },
      in: { handlers: { onName: () => new Promise(() => undefined) } },
    })
    await loop.advance(DEFAULT_LIMITS.setupTimeMs)
    expect(b.downs).toMatchObject(failed('HANDSHAKE_TIMEOUT'))
  })

  test('nok: the attempt stands until the kernel replaces it', async () => {
    const statuses: string[] = []
    const { loop, a, b } = pair({
      out: { handlers: { onStatus: (status) => void statuses.push(status) } },
      in: { handlers: { onName: () => ({ status: 'nok' }) } },
    })
    await loop.settle()
    expect(b.downs).toMatchObject(failed('HANDSHAKE_NOK'))
    expect(a.transport.closed).toBe(true)
    expect(statuses).toEqual(['nok'])
    expect(a.link.state).toBe('handshake')
    a.link.close('disconnect')
    expect(a.downs).toEqual([{ reason: 'disconnect', error: undefined, wasUp: false }])
    expect(loop.timers).toBe(0)
  })

  test('nok, and the peer never gets there: HANDSHAKE_NOK when the set-up time ends', async () => {
    const { loop, a } = pair({ in: { handlers: { onName: () => ({ status: 'nok' }) } } })
    await loop.advance(DEFAULT_LIMITS.setupTimeMs)
    expect(a.downs).toMatchObject(failed('HANDSHAKE_NOK'))
  })

  test('closing during the handshake', async () => {
    const { loop, a, b } = pair()
    a.link.close('disconnect')
    await loop.settle()
    expect(a.events).toEqual(['down disconnect'])
    expect(b.downs).toMatchObject(failed('HANDSHAKE_CLOSED'))
  })
})
