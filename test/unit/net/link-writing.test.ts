import { DEFAULT_LIMITS } from '../../../src/limits.js'
import type { Link } from '../../../src/net/link.js'
import { A, B, message, pair, pid, texts } from './support.js'

describe('writing', () => {
  test('everything of one turn leaves in one write', async () => {
    const { loop, a, b } = pair()
    await loop.settle()
    const write = jest.spyOn(a.transport, 'write')
    for (let i = 0; i < 50; i++) a.link.send(message(`${i}`))
    expect(write).not.toHaveBeenCalled()
    await loop.settle()
    expect(write).toHaveBeenCalledTimes(1)
    expect(b.signals).toHaveLength(50)
  })

  test.each([
    ['less than 16 KiB: at the end of the turn', 16_000, ['answered', 'end of turn', 'written']],
    ['more, of which a turn may have many: at once', 17_000, ['answered', 'written', 'end of turn']],
  ])('what answers a read of %s', async (_, bytes, order) => {
    const happened: string[] = []
    const { loop, a, b } = pair({
      in: {
        handlers: {
          onSignal: (_signal, _bytes, link) => {
            loop.defer(() => happened.push('end of turn'))
            link.send({ type: 'send', from: pid(B), to: pid(A), message: 'answer' })
            happened.push('answered')
          },
        },
      },
    })
    await loop.settle()
    const write = b.transport.write.bind(b.transport)
    jest.spyOn(b.transport, 'write').mockImplementation((...given) => {
      happened.push('written')
      write(...given)
    })
    a.link.send(message(new Uint8Array(bytes)))
    await loop.settle()
    expect(happened).toEqual(order)
    expect(texts(a)).toEqual(['answer'])
  })

  /** What happens while one read brings so many messages: A for an answer, W for a write. */
  async function answering(messages: number, onSignal: (link: Link, count: number) => void): Promise<string> {
    let happened = ''
    let count = 0
    const { loop, a, b } = pair({
      in: {
        handlers: {
          onSignal: (_signal, _bytes, link) => {
            onSignal(link, ++count)
            happened += 'A'
          },
        },
      },
    })
    await loop.settle()
    const write = b.transport.write.bind(b.transport)
    jest.spyOn(b.transport, 'write').mockImplementation((...given) => {
      happened += 'W'
      write(...given)
    })
    for (let i = 0; i < messages; i++) a.link.send(message('question'))
    await loop.settle()
    expect(count).toBe(messages)
    return happened
  }

  const answer = (link: Link): void =>
    void link.send({ type: 'send', from: pid(B), to: pid(A), message: 'answer' })

  test.each([
    [15, `${'A'.repeat(15)}W`],
    [16, `${'A'.repeat(16)}W`],
    [17, `${'A'.repeat(16)}WAW`],
    [36, `${'A'.repeat(16)}W${'A'.repeat(16)}WAAAAW`],
  ])(
    'of %d messages in one read, answers leave after every sixteenth and at the end',
    async (messages, order) => {
      expect(await answering(messages, answer)).toBe(order)
    },
  )

  test('messages count from the first that is answered on; without an answer nothing is written', async () => {
    expect(await answering(30, () => undefined)).toBe('A'.repeat(30))
    const late = await answering(30, (link, count) => {
      if (count === 5) answer(link)
    })
    expect(late).toBe(`${'A'.repeat(20)}W${'A'.repeat(10)}`)
  })

  test('a peer that does not read: busy, a bounded part in the transport, then writable and drained', async () => {
    const limits = {
      ...DEFAULT_LIMITS,
      busyLimitBytes: 100_000,
      maxWriteAheadBytes: 10_000,
      maxQueuedBytes: 300_000,
    }
    const { loop, a, b } = pair({ out: { options: { limits } }, memory: { windowBytes: 1 } })
    await loop.settle()
    b.link.pauseReading()
    const kilobyte = 'k'.repeat(1_000)
    let sent = 0
    while (a.link.send(message(kilobyte))) {
      sent++
      await loop.settle()
    }
    sent++
    expect(a.link.busy).toBe(true)
    expect(a.link.queuedBytes).toBeGreaterThanOrEqual(100_000)
    expect(a.transport.bufferedBytes).toBeGreaterThan(0)
    expect(a.transport.bufferedBytes).toBeLessThan(20_000)
    expect(() => {
      for (;;) {
        a.link.send(message(kilobyte))
        sent++
      }
    }).toThrow(expect.objectContaining({ code: 'DIST_QUEUE_FULL' }))
    expect(a.link.queuedBytes).toBeLessThanOrEqual(300_000)

    const drained = a.link.drained()
    b.link.resumeReading()
    await loop.settle()
    await drained
    expect(a.events).toEqual(['up', 'writable'])
    expect(a.link.busy).toBe(false)
    expect(b.signals).toHaveLength(sent)
  })

  test('drained is at once when nothing waits, and when the link goes down', async () => {
    const { loop, a, b } = pair({ memory: { windowBytes: 1 } })
    await a.link.drained()
    await loop.settle()
    b.link.pauseReading()
    for (let i = 0; i < 3; i++) {
      a.link.send(message('x'))
      await loop.settle()
    }
    const drained = a.link.drained()
    a.transport.breakWith(new Error('gone'))
    await loop.settle()
    await drained
    expect(a.link.state).toBe('down')
  })
})
