import { pair, withRawPeer } from './support.js'

describe('ticks', () => {
  test('two idle links stay up, and nothing but ticks passes', async () => {
    const { loop, a, b } = pair()
    await loop.advance(3_600_000)
    expect([a.link.state, b.link.state]).toEqual(['up', 'up'])
    const { sentBytes, sentFrames } = a.link.stats()
    expect(sentBytes).toBe(4 * sentFrames)
    expect(sentFrames).toBeGreaterThanOrEqual(100)
  })

  test('a peer that goes silent is down between 0.75 and 1.25 of the tick time after its last byte', async () => {
    const { loop, a, peer } = withRawPeer()
    await loop.settle()
    await loop.advance(20_000)
    peer.transport.write(new Uint8Array(4))
    await loop.settle()
    await loop.advance(45_000 - 1)
    expect(a.link.state).toBe('up')
    await loop.advance(30_001)
    expect(a.downs).toMatchObject([
      { reason: 'net_tick_timeout', wasUp: true, error: { code: 'DIST_NET_TICK_TIMEOUT' } },
    ])
    expect(peer.closed).toBe(true)
    expect(peer.received.length).toBeGreaterThan(0)
    expect(loop.timers).toBe(0)
  })

  test('bytes of an incomplete frame are signs of life', async () => {
    const { loop, a, peer } = withRawPeer()
    await loop.settle()
    peer.transport.write(Uint8Array.of(0, 0, 1, 0))
    for (let i = 0; i < 20; i++) {
      await loop.advance(14_000)
      peer.transport.write(Uint8Array.of(i))
    }
    await loop.settle()
    expect(a.link.state).toBe('up')
  })

  test('a peer that we hold back is not taken for silent, and gets ticks', async () => {
    const { loop, a, b } = pair({ memory: { windowBytes: 64 } })
    await loop.settle()
    a.link.pauseReading()
    a.link.pauseReading()
    a.link.resumeReading()
    await loop.advance(600_000)
    expect([a.link.state, b.link.state]).toEqual(['up', 'up'])
    a.link.resumeReading()
    await loop.advance(600_000)
    expect([a.link.state, b.link.state]).toEqual(['up', 'up'])
    b.transport.pause()
    await loop.advance(600_000)
    expect(b.downs).toMatchObject([{ reason: 'net_tick_timeout' }])
  })

  test('after a stall of our own event loop, what the socket holds is read before a peer is declared silent', async () => {
    const { loop, a, peer } = withRawPeer()
    await loop.advance(60_000 - 1)
    peer.transport.write(new Uint8Array(4))
    await loop.stall(600_000)
    expect(a.link.state).toBe('up')
  })

  test('auxTick writes a tick at once; on a link that is not up it does nothing', async () => {
    const { loop, a, peer } = withRawPeer()
    a.link.auxTick()
    await loop.settle()
    expect(peer.received).toEqual([])
    a.link.auxTick()
    await loop.settle()
    expect(peer.received.map((bytes) => [...bytes])).toEqual([[0, 0, 0, 0]])
    a.link.close('disconnect')
    a.link.auxTick()
  })

  test('setTicktime changes the pace', async () => {
    const { loop, a } = withRawPeer()
    await loop.settle()
    a.link.setTicktime(8_000)
    await loop.advance(12_000)
    expect(a.downs).toMatchObject([{ reason: 'net_tick_timeout' }])
    expect(a.downs[0]?.error?.message).toContain('8000 ms')
  })
})
