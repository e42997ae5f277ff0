import { createHash } from 'node:crypto'
import type { SignalIn, SignalOut } from '../../../src/dist/signals.js'
import { atom } from '../../../src/etf/atom.js'
import { Pid } from '../../../src/etf/identifiers.js'
import type { Encodable } from '../../../src/etf/terms.js'
import { tuple } from '../../../src/etf/tuple.js'
import type { Limits } from '../../../src/limits.js'
import {
  FRAME_FORMS,
  HERE,
  drain,
  framesOf,
  pidHere,
  pidThere,
  sampleSignals,
  testChannel,
} from '../../support/channels.js'

/** What a signal looks like after it was decoded: text has become bytes. */
function asReceived(signal: SignalOut): unknown {
  return JSON.parse(
    JSON.stringify(signal, (_key, value: unknown) =>
      value instanceof Uint8Array
        ? Buffer.from(value).toString()
        : typeof value === 'bigint'
          ? `${value}n`
          : value,
    ),
  )
}

/** Large binaries are compared by digest: jest compares arrays byte by byte, slowly. */
const hash = (bytes: unknown): string =>
  createHash('md5')
    .update(bytes as Uint8Array)
    .digest('hex')

const send = (message: SignalOut & { type: 'send' }): SignalOut => message

describe.each(FRAME_FORMS)('a channel whose frames are %s', (_name, features) => {
  it('carries every signal in every form', () => {
    const sender = testChannel({ features })
    const receiver = testChannel({ features, peer: HERE })
    const signals = sampleSignals()
    for (const signal of signals) expect(sender.channel.send(signal)).toBe(true)
    receiver.channel.receive(drain(sender.channel), 1)
    expect(receiver.received.map(asReceived)).toEqual(signals.map(asReceived))
    expect(sender.channel.queuedBytes).toBe(0)
  })

  it('carries them in the forms of old peers', () => {
    const old = {
      ...features,
      sendSender: false,
      unlinkId: false,
      exitPayload: false,
      altactSig: false,
    }
    const sender = testChannel({ features: old })
    const receiver = testChannel({ features: old, peer: HERE })
    const signals = sampleSignals().filter((signal) => signal.type !== 'altactSend')
    for (const signal of signals) sender.channel.send(signal)
    receiver.channel.receive(drain(sender.channel), 1)
    const expected = signals.flatMap((signal): unknown[] => {
      // No SEND_SENDER, no UNLINK_ID: what the old forms do not say is lost.
      if (signal.type === 'send') return [asReceived({ ...signal, from: undefined })]
      if (signal.type === 'unlinkId')
        return [{ type: 'unlink', from: signal.from, to: signal.to }].map((s) => asReceived(s as SignalOut))
      if (signal.type === 'unlinkIdAck') return []
      return [asReceived(signal)]
    })
    expect(receiver.received.map(asReceived)).toEqual(expected)
  })

  it('receives byte by byte what it receives at once', () => {
    const sender = testChannel({ features })
    const whole = testChannel({ features })
    const bytewise = testChannel({ features })
    for (const signal of sampleSignals()) sender.channel.send(signal)
    const bytes = drain(sender.channel)
    whole.channel.receive(bytes, 1)
    for (let i = 0; i < bytes.length; i++) bytewise.channel.receive(bytes.slice(i, i + 1), 1)
    expect(bytewise.received).toEqual(whole.received)
    expect(bytewise.sizes).toEqual(whole.sizes)
    expect(bytewise.channel.stats().receivedFrames).toBe(sampleSignals().length)
  })

  it('receives from an offset subarray', () => {
    const sender = testChannel({ features })
    const receiver = testChannel({ features })
    for (const signal of sampleSignals()) sender.channel.send(signal)
    const bytes = drain(sender.channel)
    const padded = new Uint8Array(bytes.length + 10).fill(0xee)
    padded.set(bytes, 5)
    receiver.channel.receive(padded.subarray(5, 5 + bytes.length), 1)
    expect(receiver.received).toHaveLength(sampleSignals().length)
  })

  it('carries messages around the size of a fragment, and a large one', () => {
    const sender = testChannel({ features })
    const receiver = testChannel({ features })
    const sizes = [65_000, 65_400, 65_535, 65_536, 65_537, 66_000, 131_072, 1_000_003]
    const messages = sizes.map((size) => new Uint8Array(size).map((_, i) => (i * 31) & 255))
    for (const message of messages) {
      sender.channel.send(send({ type: 'send', from: pidHere(1), to: pidThere(1), message }))
    }
    receiver.channel.receive(drain(sender.channel), 1)
    expect(receiver.received.map((signal) => hash((signal as SignalIn & { type: 'send' }).message))).toEqual(
      messages.map(hash),
    )
    expect(sender.channel.queuedBytes).toBe(0)
    expect(receiver.channel.stats().incompleteMessages).toBe(0)
    expect(receiver.channel.stats().incompleteBytes).toBe(0)
  })
})

it('gives its bytes in pieces of any size', () => {
  const sender = testChannel()
  const receiver = testChannel()
  const signals = [
    ...sampleSignals(),
    { type: 'send', from: pidHere(1), to: pidThere(1), message: new Uint8Array(200_000) } as const,
  ]
  for (const signal of signals) sender.channel.send(signal)
  receiver.channel.receive(drain(sender.channel, 7), 1)
  expect(receiver.received).toHaveLength(signals.length)
})

it('makes a header that repeats no atom that the peer holds', () => {
  const { channel } = testChannel()
  const signal = send({
    type: 'send',
    from: pidHere(1),
    to: pidThere(1),
    message: tuple(atom('ok'), atom('ok')),
  })
  channel.send(signal)
  channel.send(signal)
  const [first, second] = framesOf(drain(channel))
  // 131, 68, N = 3, 2 bytes of flags, then references: two node names and ok.
  expect([...second.subarray(0, 8)]).toEqual([131, 68, 3, 0, 0, 0, 1, 2])
  expect(second.subarray(8)).toEqual(first.subarray(first.length - second.length + 8))
  expect(Buffer.from(first).includes('js@127.0.0.1')).toBe(true)
  expect(Buffer.from(second).includes('js@127.0.0.1')).toBe(false)
})

it('knows the pid of a peer from one of another node', () => {
  const sender = testChannel()
  const receiver = testChannel({ peer: HERE })
  sender.channel.send({ type: 'link', from: new Pid(atom('other@host'), 1, 0, 1), to: pidThere(1) })
  expect(() => receiver.channel.receive(drain(sender.channel), 1)).toThrow(
    expect.objectContaining({ code: 'DIST_BAD_CONTROL', message: expect.stringContaining('other@host') }),
  )
})

describe('messages in one chunk, read by the same reader', () => {
  const receiveAll = (messages: readonly Encodable[], limits: Partial<Limits> = {}): SignalIn[] => {
    const sender = testChannel()
    const receiver = testChannel({ limits })
    for (const message of messages)
      sender.channel.send({ type: 'send', from: pidHere(1), to: pidThere(1), message })
    receiver.channel.receive(drain(sender.channel), 1)
    return receiver.received
  }

  it('have a limit of elements each', () => {
    const list = (length: number): number[] => new Array<number>(length).fill(1000)
    // {22, From, To} and the list.
    const limits = { maxTermElements: 3 + 100 }
    expect(receiveAll([list(100), list(100), list(100)], limits)).toHaveLength(3)
    expect(() => receiveAll([list(100), list(101)], limits)).toThrow(
      expect.objectContaining({
        code: 'DIST_BAD_PAYLOAD',
        message: expect.stringContaining('maxTermElements'),
      }),
    )
  })

  it('share no memory with each other', () => {
    const binary = (byte: number): Uint8Array => new Uint8Array(100).fill(byte)
    const buffers = receiveAll([
      [binary(1), binary(2)],
      [binary(3), binary(4)],
    ]).map((signal) => {
      const [first, second] = (signal as Extract<SignalIn, { type: 'send' }>).message as Uint8Array[]
      expect(first!.buffer).toBe(second!.buffer)
      return first!.buffer
    })
    expect(buffers[0]).not.toBe(buffers[1])
  })
})

test('memory that is ready for the next large message is given up at a tick, and when that is asked for', () => {
  const sender = testChannel()
  const receiver = testChannel({ allocate: (bytes) => new Uint8Array(bytes) })
  const large: SignalOut = {
    type: 'send',
    from: pidHere(1),
    to: pidThere(2),
    message: new Uint8Array(60_000),
  }
  const { channel } = receiver
  for (const giveUp of [() => channel.tick(1), () => channel.trim()]) {
    sender.channel.send(large)
    channel.receive(drain(sender.channel), 1)
    expect(channel.room()).toBeDefined()
    giveUp()
    expect(channel.room()).toBeUndefined()
  }
  expect(receiver.received).toHaveLength(2)
  channel.close()
  channel.trim()
  expect(channel.room()).toBeUndefined()
})
