import type { SignalIn, SignalOut } from '../../../src/dist/signals.js'
import { atom } from '../../../src/etf/atom.js'
import type { Encodable } from '../../../src/etf/terms.js'
import { Reference } from '../../../src/etf/identifiers.js'
import { tuple } from '../../../src/etf/tuple.js'
import {
  THERE,
  drain,
  framesOf,
  fromHex,
  hex,
  join,
  pidHere,
  pidThere,
  testChannel,
} from '../../support/channels.js'

const send = (sender: number, message: Encodable): SignalOut => ({
  type: 'send',
  from: pidHere(sender),
  to: pidThere(1),
  message,
})
const large = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(7)

/** `sender:message`, binaries as their size. */
const lines = (received: readonly SignalIn[]): string[] =>
  received.map((signal) => {
    const { from, message } = signal as SignalIn & { type: 'send' }
    return `${from?.id}:${message instanceof Uint8Array ? message.length : String(message)}`
  })

describe('a long message', () => {
  it('is overtaken by others, and not by its own sender', () => {
    const { channel } = testChannel()
    const receiver = testChannel()
    channel.send(send(1, large(1_000_000)))
    channel.send(send(1, 'after'.length))
    channel.send(send(2, 20))
    channel.send(send(3, large(200_000)))
    channel.send(send(3, 30))
    channel.send(send(2, 21))
    receiver.channel.receive(drain(channel), 1)
    expect(lines(receiver.received)).toEqual(['2:20', '2:21', '3:200000', '3:30', '1:1000000', '1:5'])
  })

  it('lets a message pass that is sent while it is on its way', () => {
    const { channel } = testChannel()
    const receiver = testChannel()
    channel.send(send(1, large(1_000_000)))
    const pieces: Uint8Array[] = []
    for (let sent = 0; sent < 300_000;) {
      const piece = (channel.takeOutput() as Uint8Array).slice()
      sent += piece.length
      channel.written(piece.length)
      pieces.push(piece)
    }
    channel.send(send(2, 1))
    channel.tick(100_000)
    // What is on its way: at most the rest of one fragment, then the small message.
    pieces.push(drain(channel))
    const frames = framesOf(join(pieces))
    const small = frames.findIndex((frame) => frame[1] === 68)
    expect(small).toBeLessThan(8)
    receiver.channel.receive(join(pieces), 1)
    expect(lines(receiver.received)).toEqual(['2:1', '1:1000000'])
  })

  it("stands still when only others' signals are wanted, and is counted when others are sent beside it", () => {
    const { channel } = testChannel()
    const receiver = testChannel()
    channel.send(send(1, large(200_000)))
    channel.send(send(1, 10))
    expect(channel.overtaking).toBe(0)
    channel.send(send(2, 20))
    expect(channel.overtaking).toBe(1)
    const pieces: Uint8Array[] = []
    for (;;) {
      const piece = channel.takeOutput(Infinity, false)
      if (piece === undefined) break
      pieces.push(piece.slice())
      channel.written(piece.length)
    }
    receiver.channel.receive(join(pieces), 1)
    expect(lines(receiver.received)).toEqual(['2:20'])
    expect(channel.queuedBytes).toBeGreaterThan(100_000)
    receiver.channel.receive(drain(channel), 1)
    expect(lines(receiver.received)).toEqual(['2:20', '1:200000', '1:10'])
  })

  it('has fragments of 64 KiB that count down to 1', () => {
    const { channel } = testChannel()
    channel.send(send(1, large(200_000)))
    const frames = framesOf(drain(channel))
    expect(frames.map((frame) => [frame[1], hex(frame.subarray(2, 18))])).toEqual(
      [4, 3, 2, 1].map((id, at) => [
        at === 0 ? 69 : 70,
        `${'1'.padStart(16, '0')}${String(id).padStart(16, '0')}`,
      ]),
    )
    expect(frames.slice(1, 3).map((frame) => frame.length)).toEqual([65_536 + 18, 65_536 + 18])
  })

  it('has its whole control message in the first fragment, whatever its size', () => {
    const { channel } = testChannel()
    const receiver = testChannel()
    const traceToken = tuple(0, large(300_000), 1, pidHere(1), 0)
    channel.send({ type: 'send', from: pidHere(1), to: pidThere(1), message: large(1_000), traceToken })
    const bytes = drain(channel)
    expect(framesOf(bytes)[0].length).toBeGreaterThan(300_000)
    receiver.channel.receive(bytes, 1)
    expect(lines(receiver.received)).toEqual(['1:1000'])
  })

  it('waits for its sender, who is named, when a process is monitored by name', () => {
    const { channel } = testChannel()
    const receiver = testChannel()
    channel.send(send(1, large(300_000)))
    const down = {
      type: 'monitorExit',
      to: pidThere(1),
      ref: new Reference(THERE, 9, [1, 2, 3]),
      reason: atom('normal'),
    } as const
    channel.send({ ...down, from: atom('by_name') }, pidHere(1))
    receiver.channel.receive(drain(channel), 1)
    expect(receiver.received.map((signal) => signal.type)).toEqual(['send', 'monitorExit'])
  })

  it('of many senders takes turns with theirs', () => {
    const { channel } = testChannel()
    for (let sender = 1; sender <= 5; sender++) channel.send(send(sender, large(400_000)))
    const ids = framesOf(drain(channel))
      .filter((frame) => frame[1] === 70)
      .map((frame) => frame[9])
    expect(ids.slice(0, 10)).toEqual([1, 2, 3, 4, 5, 1, 2, 3, 4, 5])
  })

  it('goes out as one frame where fragments were not negotiated', () => {
    for (const atomCache of [true, false]) {
      const features = { fragments: false, atomCache }
      const { channel } = testChannel({ features })
      channel.send(send(1, 1))
      channel.send(send(1, large(1_000_000)))
      channel.send(send(1, 2))
      const bytes = drain(channel)
      expect(framesOf(bytes).map((frame) => frame.length > 1_000_000)).toEqual([false, true, false])
      const receiver = testChannel({ features })
      receiver.channel.receive(bytes, 1)
      expect(lines(receiver.received)).toEqual(['1:1', '1:1000000', '1:2'])
    }
  })
})

it('a hundred thousand small messages behind a long one take no longer for their number', () => {
  const { channel } = testChannel()
  const receiver = testChannel()
  channel.send(send(1, large(70_000)))
  for (let i = 0; i < 100_000; i++) channel.send(send(1, i))
  receiver.channel.receive(drain(channel), 1)
  expect(lines(receiver.received)).toEqual([
    '1:70000',
    ...Array.from({ length: 100_000 }, (_, i) => `1:${i}`),
  ])
})

describe('the busy limit', () => {
  const limits = { busyLimitBytes: 10_000, maxQueuedBytes: 100_000 }

  it('is answered by send, and its end is told once', () => {
    let writable = 0
    const { channel } = testChannel({ limits, onWritable: () => void writable++ })
    let accepted = 0
    while (channel.send(send(1, large(1_000)))) accepted++
    expect(accepted).toBe(9)
    expect(channel.busy).toBe(true)
    expect(channel.send(send(1, 1))).toBe(false)
    const queued = channel.queuedBytes
    const first = channel.takeOutput(queued - 5_000) as Uint8Array
    // Taken is not written: it still is in this process.
    expect(channel.queuedBytes).toBe(queued)
    channel.written(first.length)
    expect([channel.queuedBytes, channel.busy, writable]).toEqual([5_000, true, 0])
    channel.written((channel.takeOutput(1) as Uint8Array).length)
    expect([channel.busy, writable]).toEqual([false, 1])
    drain(channel)
    expect([channel.queuedBytes, writable]).toEqual([0, 1])
  })

  it('has a hard cap behind it, which leaves no trace of what it refuses', () => {
    const { channel } = testChannel({ limits })
    const receiver = testChannel()
    channel.send(send(1, large(90_000)))
    channel.send(send(2, 1))
    const queued = channel.queuedBytes
    expect(() => channel.send(send(2, tuple(atom('never_sent'), large(10_000))))).toThrow(
      expect.objectContaining({ code: 'DIST_QUEUE_FULL' }),
    )
    expect(channel.queuedBytes).toBe(queued)
    channel.send(send(2, 2))
    const bytes = drain(channel)
    expect(Buffer.from(bytes).includes('never_sent')).toBe(false)
    receiver.channel.receive(bytes, 1)
    expect(lines(receiver.received)).toEqual(['1:90000', '2:1', '2:2'])
    channel.send(send(2, large(90_000)))
  })
})

describe('a signal that cannot be sent', () => {
  it('leaves no trace in the output or the atom cache', () => {
    const sender = testChannel()
    const receiver = testChannel()
    const cannot = tuple(atom('only_in_the_failed_one'), Symbol('x') as unknown as Encodable)
    for (let i = 0; i < 3; i++) {
      expect(() => sender.channel.send(send(1, cannot))).toThrow(
        expect.objectContaining({ code: 'ETF_UNSUPPORTED' }),
      )
      expect(sender.channel.queuedBytes === 0 || i > 0).toBe(true)
      sender.channel.send(send(1, tuple(atom('fine'), i)))
    }
    const bytes = drain(sender.channel)
    expect(Buffer.from(bytes).includes('only_in')).toBe(false)
    receiver.channel.receive(bytes, 1)
    expect(receiver.received).toHaveLength(3)
  })

  it('is an error when a getter of it sends itself', () => {
    const { channel } = testChannel()
    const receiver = testChannel()
    const sneaky = {
      get field() {
        channel.send(send(2, 2))
        return 1
      },
    }
    expect(() => channel.send(send(1, sneaky))).toThrow(
      expect.objectContaining({ code: 'DIST_SEND_WITHIN_SEND' }),
    )
    channel.send(send(1, 1))
    receiver.channel.receive(drain(channel), 1)
    expect(lines(receiver.received)).toEqual(['1:1'])
  })
})

describe('a getter of a signal', () => {
  it('that closes the channel ends the send, and nothing breaks', () => {
    const { channel } = testChannel()
    channel.send(send(1, 1))
    const closing = {
      get field() {
        channel.close()
        return large(100_000)
      },
    }
    expect(channel.send(send(1, closing))).toBe(false)
    expect([channel.queuedBytes, channel.takeOutput()]).toEqual([0, undefined])
  })

  it('that takes output gets none of the half-written signal', () => {
    const { channel } = testChannel()
    const receiver = testChannel()
    let taken: Uint8Array | undefined = new Uint8Array()
    const taking = {
      get field() {
        taken = channel.takeOutput()
        return 1
      },
    }
    channel.send(send(1, 1))
    channel.send(send(1, taking))
    expect(taken).toBeUndefined()
    receiver.channel.receive(drain(channel), 1)
    expect(receiver.received).toHaveLength(2)
  })
})

describe('frames that are no messages', () => {
  const frame = (text: string): Uint8Array => {
    const body = fromHex(text)
    return join([fromHex((body.length >>> 0).toString(16).padStart(8, '0')), body])
  }
  const ids = (sequence: number, fragment: number): string =>
    sequence.toString(16).padStart(16, '0') + fragment.toString(16).padStart(16, '0')

  it.each<[string, string, string]>([
    ['a pass-through frame', '70 83680361016a6a 83', 'DIST_BAD_FRAME'],
    ['one byte', '83', 'DIST_BAD_FRAME'],
    ['another version', '82 44 00', 'DIST_BAD_FRAME'],
    ['another tag', '83 47 00', 'DIST_BAD_FRAME'],
    ['a header and nothing', '83 44 00', 'DIST_BAD_CONTROL'],
    ['a header that ends', '83 44', 'DIST_BAD_HEADER'],
    ['a version byte after the header', '83 44 00 83 6a', 'DIST_BAD_CONTROL'],
    ['a term that is no control message', '83 44 00 6a', 'DIST_BAD_CONTROL'],
    ['NODE_LINK', '83 44 00 6801 6105', 'DIST_UNKNOWN_CONTROL'],
    ['a start without its ids', '83 45 00000000', 'DIST_BAD_FRAME'],
    ['a fragment 0', `83 45 ${ids(1, 0)} 00 6a`, 'DIST_BAD_FRAGMENT'],
    ['a fragment above 2^53', `83 45 ${ids(1, 1).slice(0, 16)}ffffffffffffffff 00 6a`, 'DIST_BAD_FRAGMENT'],
    ['a later fragment without a start', `83 46 ${ids(1, 1)} 6a`, 'DIST_BAD_FRAGMENT'],
  ])('%s ends the channel', (_what, text, code) => {
    for (const chunks of [1, 2]) {
      const { channel, received } = testChannel()
      const bytes = frame(text)
      const feed = (): void => {
        const cut = chunks === 1 ? bytes.length : Math.min(bytes.length - 1, 24)
        channel.receive(bytes.slice(0, cut), 1)
        channel.receive(bytes.slice(cut), 1)
      }
      expect(feed).toThrow(expect.objectContaining({ name: 'DistError', code }))
      expect(received).toEqual([])
    }
  })

  it('a start that is the end is a message; one that repeats is an error', () => {
    const { channel, received } = testChannel()
    const message = '00 6803 6102 7700 58 7703 614062 00000001 00000000 00000007 6a'
    channel.receive(frame(`83 45 ${ids(5, 1)} ${message}`), 1)
    channel.receive(frame(`83 45 ${ids(5, 1)} ${message}`), 1)
    expect(received).toHaveLength(2)
    channel.receive(frame(`83 45 ${ids(5, 2)} ${message}`), 1)
    expect(() => channel.receive(frame(`83 45 ${ids(5, 2)} ${message}`), 1)).toThrow(
      expect.objectContaining({ code: 'DIST_BAD_FRAGMENT' }),
    )
  })

  it('fragments end the channel where they were not negotiated', () => {
    for (const text of [`83 45 ${ids(1, 1)} 00 6a`, `83 46 ${ids(1, 1)} 6a`]) {
      const { channel } = testChannel({ features: { fragments: false } })
      expect(() => channel.receive(frame(text), 1)).toThrow(
        expect.objectContaining({ code: 'DIST_BAD_FRAGMENT' }),
      )
    }
  })

  it('a frame with a header ends a channel without headers', () => {
    const features = { header: false, atomCache: false, fragments: false }
    for (const [text, code] of [
      ['83 44 00 6a', 'DIST_BAD_FRAME'],
      ['70', 'DIST_BAD_CONTROL'],
      ['70 6803', 'DIST_BAD_CONTROL'],
    ]) {
      const { channel } = testChannel({ features })
      expect(() => channel.receive(frame(text), 1)).toThrow(expect.objectContaining({ code }))
    }
  })

  describe('a payload that is no term', () => {
    const pid = '58 7703 614062 00000001 00000000 00000007'
    const message = `83 44 00 6803 6102 7700 ${pid} ff`
    const exit = `83 44 00 6803 6118 ${pid} ${pid} ff`
    const badPayload = expect.objectContaining({ code: 'DIST_BAD_PAYLOAD' })

    it('costs one message when someone is told, and the channel goes on', () => {
      const told: string[] = []
      const { channel, received } = testChannel({ onBadMessage: (error) => void told.push(error.code) })
      channel.receive(frame(message), 1)
      channel.receive(frame(message.replace(/ff$/, '6a')), 1)
      expect(told).toEqual(['ETF_UNKNOWN_TAG'])
      expect(received).toHaveLength(1)
    })

    it('ends the channel when nobody is told', () => {
      expect(() => testChannel().channel.receive(frame(message), 1)).toThrow(badPayload)
    })

    it('ends the channel when it is a reason, which someone waits for', () => {
      const { channel } = testChannel({ onBadMessage: () => undefined })
      expect(() => channel.receive(frame(exit), 1)).toThrow(badPayload)
    })

    it('ends the channel when the peer has made too many atoms', () => {
      const { channel } = testChannel({ limits: { maxAtomsPerConnection: 0 }, onBadMessage: () => undefined })
      const atoms = message.replace(/ff$/, '770e' + hex(Buffer.from('output_test_at')))
      // The node of the pid is new too, unless another test made it.
      expect(() => channel.receive(frame(atoms), 1)).toThrow(expect.objectContaining({ name: 'DistError' }))
    })
  })
})

describe('ticks', () => {
  it('are empty frames between others', () => {
    const { channel } = testChannel()
    const receiver = testChannel()
    expect(channel.tick(15_000)).toBe('tick')
    expect(channel.queuedBytes).toBe(4)
    const bytes = drain(channel)
    expect(hex(bytes)).toBe('00000000')
    receiver.channel.receive(bytes, 1)
    expect(receiver.channel.stats()).toMatchObject({ receivedBytes: 4, receivedFrames: 1, receivedAt: 1 })
    expect(receiver.received).toEqual([])
    expect(channel.tick(30_000)).toBe('tick')
    channel.auxTick()
    // The tick waits: an extra one would say nothing more.
    expect(channel.queuedBytes).toBe(4)
    drain(channel)
    channel.auxTick()
    expect(channel.queuedBytes).toBe(4)
  })

  it('end a channel whose peer says nothing', () => {
    const { channel } = testChannel()
    const answers = [1, 2, 3, 4, 5].map((times) => {
      drain(channel)
      return channel.tick(times * 15_000)
    })
    expect(answers).toEqual(['tick', 'tick', 'tick', 'tick', 'silent'])
  })

  it('count any byte as life, not whole frames', () => {
    const { channel } = testChannel()
    for (let times = 1; times < 20; times++) {
      channel.receive(fromHex(times === 1 ? '00ffffff' : 'aa'), times)
      expect(channel.tick(times * 15_000)).not.toBe('silent')
    }
  })
})

describe('a closed channel', () => {
  it('holds nothing, sends nothing, and receives nothing', () => {
    const { channel, received } = testChannel()
    channel.send(send(1, large(500_000)))
    channel.send(send(1, 1))
    channel.takeOutput()
    channel.close()
    channel.close()
    expect(channel.closed).toBe(true)
    expect([channel.queuedBytes, channel.takeOutput(), channel.send(send(1, 1))]).toEqual([
      0,
      undefined,
      false,
    ])
    channel.written(100)
    channel.receive(fromHex('ff'), 1)
    expect([channel.tick(1e9), received, channel.queuedBytes]).toEqual(['idle', [], 0])
  })

  it('by a handler delivers no more of the same chunk', () => {
    const sender = testChannel()
    for (let i = 0; i < 3; i++) sender.channel.send(send(1, i))
    const seen: SignalIn[] = []
    const { channel } = testChannel({
      onSignal(signal) {
        seen.push(signal)
        channel.close()
      },
    })
    channel.receive(drain(sender.channel), 1)
    expect(seen).toHaveLength(1)
  })
})

it('uses its slab again, and gives it back when idle', () => {
  const { channel } = testChannel()
  const buffers = new Set<ArrayBufferLike>()
  for (let round = 0; round < 1_000; round++) {
    for (let i = 0; i < 20; i++) channel.send(send(i, tuple(atom('round'), round)))
    for (let piece = channel.takeOutput(); piece !== undefined; piece = channel.takeOutput()) {
      buffers.add(piece.buffer)
      channel.written(piece.length)
    }
  }
  expect(buffers.size).toBeLessThan(6)
  expect([channel.tick(1), channel.tick(2)]).toEqual(['idle', 'tick'])
  const idle = channel.takeOutput() as Uint8Array
  expect(idle.buffer.byteLength).toBeLessThanOrEqual(1_024)
})

it('never overwrites what was taken and has not been written', () => {
  const sender = testChannel()
  const receiver = testChannel()
  const taken: Uint8Array[] = []
  for (let i = 0; i < 5_000; i++) {
    sender.channel.send(send(i % 7, i % 50 === 0 ? large(70_000) : tuple(atom('n'), i)))
    if (i % 10 !== 0) continue
    const piece = sender.channel.takeOutput(3_000)
    if (piece !== undefined) taken.push(piece)
    // The oldest leaves only much later.
    while (taken.length > 40) {
      const oldest = taken.shift() as Uint8Array
      receiver.channel.receive(oldest.slice(), 1)
      sender.channel.written(oldest.length)
    }
  }
  for (const piece of taken) {
    receiver.channel.receive(piece.slice(), 1)
    sender.channel.written(piece.length)
  }
  receiver.channel.receive(drain(sender.channel), 1)
  expect(receiver.received).toHaveLength(5_000)
  expect(sender.channel.queuedBytes).toBe(0)
})
