import type { SignalIn, SignalOut } from '../../../src/dist/signals.js'
import { BORROWED_BYTES, FRAGMENT_BYTES } from '../../../src/dist/output.js'
import { atom } from '../../../src/etf/atom.js'
import { decode, encode } from '../../../src/etf/node.js'
import { isEqual } from '../../../src/etf/equal.js'
import type { Encodable, Term } from '../../../src/etf/terms.js'
import { tuple } from '../../../src/etf/tuple.js'
import { Fun } from '../../../src/etf/fun.js'
import { ImproperList } from '../../../src/etf/values.js'
import { FRAME_FORMS, drain, framesOf, join, pidHere, pidThere, testChannel } from '../../support/channels.js'

const send = (sender: number, message: Encodable): SignalOut => ({
  type: 'send',
  from: pidHere(sender),
  to: pidThere(1),
  message,
})
const messageOf = (signal: SignalIn): Term => (signal as SignalIn & { type: 'send' }).message
const bytes = (length: number, seed = 1): Uint8Array =>
  new Uint8Array(length).map((_, at) => (at * seed) % 251)

/** What leaves a channel, piece by piece, as the transport gets it. */
function pieces(channel: ReturnType<typeof testChannel>['channel'], maxBytes?: number): Uint8Array[] {
  const all: Uint8Array[] = []
  for (let one = channel.takeOutput(maxBytes); one !== undefined; one = channel.takeOutput(maxBytes))
    all.push(one)
  return all
}

describe('a large binary', () => {
  it.each([
    [BORROWED_BYTES, true],
    [BORROWED_BYTES - 1, false],
  ])('of %i bytes is given to the transport where it is: %s', (length, isBorrowed) => {
    const { channel } = testChannel()
    const binary = bytes(length)
    channel.send(send(1, binary))
    expect(pieces(channel).some(({ buffer }) => buffer === binary.buffer)).toBe(isBorrowed)
  })

  it('in memory that is shared with other threads is copied', () => {
    const { channel } = testChannel()
    const binary = new Uint8Array(new SharedArrayBuffer(BORROWED_BYTES))
    channel.send(send(1, binary))
    expect(pieces(channel).some(({ buffer }) => buffer === binary.buffer)).toBe(false)
  })

  it.each(FRAME_FORMS)('arrives at its place among other terms, %s', (_, features) => {
    const free = [1, bytes(50_000, 3), atom('x')]
    const closure = new Fun(atom('m'), 1, new Uint8Array(16), 1, 2, 3, pidHere(1), free)
    const messages: Encodable[] = [
      bytes(40_000),
      tuple(atom('a'), bytes(40_000), atom('b'), bytes(300_000, 5), bytes(33_000, 7), 'c'),
      [bytes(70_000, 2), [bytes(BORROWED_BYTES, 3)], new ImproperList([1], bytes(65_536))],
      new Map<Encodable, Encodable>([[bytes(40_000, 9), bytes(50_000, 11)]]),
      closure,
      tuple('s'.repeat(20_000), bytes(40_000), 't'.repeat(30_000)),
    ]
    for (const maxBytes of [Infinity, 10_000, 77]) {
      const { channel } = testChannel({ features })
      const receiver = testChannel({ features })
      for (const message of messages) channel.send(send(1, message))
      receiver.channel.receive(drain(channel, maxBytes), 1)
      expect(receiver.received).toHaveLength(messages.length)
      receiver.received.forEach((signal, at) =>
        expect(isEqual(messageOf(signal), decode(encode(messages[at] as Encodable)))).toBe(true),
      )
      expect(channel.queuedBytes).toBe(0)
    }
  })

  it('waits behind a long message of its sender, and is overtaken by others', () => {
    const { channel } = testChannel()
    const receiver = testChannel()
    channel.send(send(1, bytes(500_000)))
    channel.send(send(1, tuple(1, bytes(40_000))))
    channel.send(send(1, bytes(200_000)))
    channel.send(send(1, 2))
    channel.send(send(2, bytes(40_000, 3)))
    receiver.channel.receive(drain(channel), 1)
    const sizes = receiver.received
      .map(messageOf)
      .map((term) => (term instanceof Uint8Array ? term.length : String(term)))
    expect(sizes.filter((size) => size !== 40_000)).toHaveLength(4)
    expect(sizes.slice(0, 2)).toEqual([40_000, 500_000])
    expect(sizes.at(-1)).toBe('2')
  })

  it('is counted in what is queued', () => {
    const limits = { busyLimitBytes: 100_000, maxQueuedBytes: 200_000 }
    const { channel } = testChannel({ limits })
    expect(channel.send(send(1, bytes(90_000)))).toBe(true)
    expect(channel.send(send(2, bytes(90_000)))).toBe(false)
    expect(() => channel.send(send(3, bytes(90_000)))).toThrow(
      expect.objectContaining({ code: 'DIST_QUEUE_FULL' }),
    )
    drain(channel)
    expect([channel.queuedBytes, channel.busy]).toEqual([0, false])
  })

  it('of a signal that cannot be sent is forgotten', () => {
    const { channel } = testChannel()
    const receiver = testChannel()
    const broken = tuple(bytes(40_000), Symbol('no term') as unknown as Encodable)
    expect(() => channel.send(send(1, broken))).toThrow()
    channel.send(send(1, tuple(7, bytes(10))))
    receiver.channel.receive(drain(channel), 1)
    expect(receiver.received.map(messageOf)).toEqual([tuple(7, decode(encode(bytes(10))))])
  })

  it.each([100, 1_000_000])(
    'whose memory is gone is zeros, of %i bytes a piece, and the link lives',
    (maxBytes) => {
      const { channel } = testChannel()
      const receiver = testChannel()
      const binary = bytes(200_000)
      channel.send(send(1, tuple(binary, atom('end'))))
      const first = (channel.takeOutput(maxBytes) as Uint8Array).slice()
      channel.written(first.length)
      structuredClone(binary.buffer, { transfer: [binary.buffer as ArrayBuffer] })
      expect(binary.length).toBe(0)
      channel.send(send(2, 'other'))
      receiver.channel.receive(join([first, drain(channel, maxBytes)]), 1)
      const [other, gone] = receiver.received.map(messageOf)
      expect(Buffer.from(other as Uint8Array).toString()).toBe('other')
      const [content, end] = (gone as ReturnType<typeof tuple>).elements as [Uint8Array, Term]
      expect([content.length, end]).toEqual([200_000, atom('end')])
      expect(content.subarray(FRAGMENT_BYTES).every((byte) => byte === 0)).toBe(true)
    },
  )
})

describe('the last bytes of a message', () => {
  const slack = FRAGMENT_BYTES / 64
  /** Bytes of a message beside its binary. */
  const beside = (() => {
    const { channel } = testChannel()
    channel.send(send(1, bytes(1_000)))
    const { channel: other } = testChannel()
    other.send(send(1, bytes(1_000)))
    const [frame] = framesOf(drain(other))
    const header = frame.indexOf(104)
    return frame.length - header - 1_000
  })()

  it.each([
    [FRAGMENT_BYTES + slack, 1],
    [FRAGMENT_BYTES + slack + 1, 2],
    [2 * FRAGMENT_BYTES + slack, 2],
    [2 * FRAGMENT_BYTES + slack + 1, 3],
  ])('of %i bytes make no fragment of their own: %i frames', (length, frames) => {
    const { channel } = testChannel()
    const receiver = testChannel()
    const binary = bytes(length - beside)
    channel.send(send(1, binary))
    const stream = drain(channel)
    expect(framesOf(stream)).toHaveLength(frames)
    receiver.channel.receive(stream, 1)
    expect(Buffer.compare(messageOf(receiver.received[0] as SignalIn) as Uint8Array, binary)).toBe(0)
  })
})
