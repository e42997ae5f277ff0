import { ADVERTISED, DistFlag } from '../../../src/handshake/flags.js'
import { message, pair, texts } from './support.js'

const LONG = 4 * 1024 * 1024
const long = new Uint8Array(LONG)
const options = { flags: ADVERTISED | DistFlag.FRAGMENTS }

/** What came: the texts, a long message as its length. */
const came = (side: Parameters<typeof texts>[0]): string[] =>
  texts(side).map((text) => (text.length === LONG ? 'long' : text))

describe('a long message', () => {
  test('alone leaves without any time passing', async () => {
    const { loop, a, b } = pair({ out: { options }, in: { options } })
    await loop.settle()
    a.link.send(message(long))
    await loop.settle()
    expect(came(b)).toEqual(['long'])
  })

  test('keeps a pace while others send: what it has written ahead of theirs is little', async () => {
    const { loop, a, b } = pair({ out: { options }, in: { options } })
    await loop.settle()
    a.link.send(message(long))
    a.link.send(message('0', 2))
    await loop.settle()
    expect(came(b)).toEqual(['0'])
    for (let ms = 1; ms < 10; ms++) {
      const before = b.link.stats().receivedBytes
      await loop.advance(1)
      const bytes = b.link.stats().receivedBytes - before
      expect(bytes).toBeGreaterThanOrEqual(256 * 1024)
      expect(bytes).toBeLessThan(400 * 1024)
    }
    a.link.send(message('1', 2))
    await loop.settle()
    expect(came(b)).toEqual(['0', '1'])
    await loop.advance(10)
    expect(came(b)).toEqual(['0', '1', 'long'])
    expect(a.link.queuedBytes).toBe(0)
  })

  test('goes on at full speed when no other came for ten milliseconds', async () => {
    const { loop, a, b } = pair({ out: { options }, in: { options } })
    await loop.settle()
    for (let i = 0; i < 3; i++) a.link.send(message(long))
    a.link.send(message('0', 2))
    await loop.advance(9)
    expect(came(b)).toEqual(['0'])
    await loop.advance(1)
    expect(came(b)).toEqual(['0', 'long', 'long', 'long'])
  })

  test('leaves no timer when its link closes', async () => {
    const { loop, a } = pair({ out: { options }, in: { options } })
    await loop.settle()
    a.link.send(message(long))
    a.link.send(message('0', 2))
    await loop.settle()
    expect(loop.timers).toBe(3)
    a.link.close('disconnect')
    await loop.settle()
    expect(a.events.at(-1)).toBe('down disconnect')
    expect(loop.timers).toBe(0)
  })
})
