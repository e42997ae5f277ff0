/** The channel against naive twins that follow the documents line by line, and against bytes that mean nothing. */
import fc from 'fast-check'
import * as op from '../../src/dist/control-codes.js'
import type { SignalOut } from '../../src/dist/signals.js'
import { Ticker } from '../../src/dist/ticker.js'
import { atom, type Atom } from '../../src/etf/atom.js'
import { isEqual } from '../../src/etf/equal.js'
import { Pid, Reference } from '../../src/etf/identifiers.js'
import { Reader } from '../../src/etf/reader.js'
import type { Term } from '../../src/etf/terms.js'
import { Tuple, tuple } from '../../src/etf/tuple.js'
import { DistError } from '../../src/errors.js'
import { FRAME_FORMS, drain, framesOf, testChannel } from '../support/channels.js'
import { atoms, pids, references, terms } from '../support/term-arbitrary.js'

const parameters = { seed: 20_250_102 }

const pid = pids as fc.Arbitrary<Pid>
const ref = references as fc.Arbitrary<Reference>
const name = atoms as fc.Arbitrary<Atom | boolean>
const payload = fc.oneof(
  { weight: 8, arbitrary: terms() },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 60_000, max: 200_000 }).map((size) => new Uint8Array(size).fill(size & 255)),
  },
)
const token = fc.option(terms(), { nil: undefined })
const of = <T extends SignalOut['type']>(type: T) => fc.constant(type)

/** Any signal, as its fields; an absent token is left out. */
const signals: fc.Arbitrary<SignalOut> = fc
  .oneof(
    fc.record({ type: of('send'), from: pid, to: pid, message: payload, traceToken: token }),
    fc.record({ type: of('regSend'), from: pid, to: name, message: payload, traceToken: token }),
    fc.record({ type: of('aliasSend'), from: pid, to: ref, message: payload, traceToken: token }),
    fc.record({
      type: of('altactSend'),
      from: pid,
      to: fc.oneof(pid, ref, name),
      message: payload,
      priority: fc.boolean(),
      exit: fc.boolean(),
      traceToken: token,
    }),
    fc.record({ type: of('link'), from: pid, to: pid }),
    fc.record({ type: of('unlinkId'), id: fc.integer({ min: 1, max: 2 ** 50 }), from: pid, to: pid }),
    fc.record({ type: of('unlinkIdAck'), id: fc.integer({ min: 1, max: 2 ** 50 }), from: pid, to: pid }),
    fc.record({ type: of('exit'), from: pid, to: pid, reason: payload, traceToken: token }),
    fc.record({ type: of('exit2'), from: pid, to: pid, reason: payload, traceToken: token }),
    fc.record({ type: of('monitor'), from: pid, to: fc.oneof(pid, name), ref }),
    fc.record({ type: of('demonitor'), from: pid, to: fc.oneof(pid, name), ref }),
    fc.record({ type: of('monitorExit'), from: fc.oneof(pid, name), to: pid, ref, reason: payload }),
    fc.record({ type: of('groupLeader'), from: pid, to: pid }),
    fc.record({
      type: of('spawnRequest'),
      ref,
      from: pid,
      groupLeader: pid,
      module: name,
      function: name,
      arity: fc.nat(255),
      options: fc.array(terms(), { maxLength: 3 }),
      args: fc.array(payload, { maxLength: 3 }),
      traceToken: token,
    }),
    fc.record({
      type: of('spawnReply'),
      ref,
      to: pid,
      flags: fc.nat(3),
      result: fc.oneof(pid, name),
      traceToken: token,
    }),
  )
  .map((signal) => {
    if (!('traceToken' in signal) || signal.traceToken !== undefined) return signal as SignalOut
    const { traceToken: _, ...plain } = signal
    return plain as SignalOut
  })

/** The control message of the document, and its payload if there is one. */
function expectedTerms(signal: SignalOut): Term[] {
  const has = 'traceToken' in signal
  const tail = has ? [signal.traceToken as Term] : []
  const control = (plain: number, traced: number, ...elements: unknown[]): Term =>
    new Tuple([has ? traced : plain, ...(elements as Term[]), ...tail])
  switch (signal.type) {
    case 'send':
      return [control(op.SEND_SENDER, op.SEND_SENDER_TT, signal.from, signal.to), signal.message as Term]
    case 'regSend':
      return [control(op.REG_SEND, op.REG_SEND_TT, signal.from, atom(''), signal.to), signal.message as Term]
    case 'aliasSend':
      return [control(37, 37, has ? 6 : 4, signal.from, signal.to), signal.message as Term]
    case 'altactSend': {
      const target = signal.to instanceof Reference ? 4 : signal.to instanceof Pid ? 0 : 8
      const flags = target + (signal.priority ? 1 : 0) + (signal.exit ? 16 : 0) + (has ? 2 : 0)
      return [control(37, 37, flags, signal.from, signal.to), signal.message as Term]
    }
    case 'link':
      return [tuple(1, signal.from, signal.to)]
    case 'unlink':
      return [tuple(4, signal.from, signal.to)]
    case 'unlinkId':
      return [tuple(35, signal.id, signal.from, signal.to)]
    case 'unlinkIdAck':
      return [tuple(36, signal.id, signal.from, signal.to)]
    case 'exit':
      return [control(op.PAYLOAD_EXIT, op.PAYLOAD_EXIT_TT, signal.from, signal.to), signal.reason as Term]
    case 'exit2':
      return [control(op.PAYLOAD_EXIT2, op.PAYLOAD_EXIT2_TT, signal.from, signal.to), signal.reason as Term]
    case 'monitor':
      return [tuple(19, signal.from, signal.to, signal.ref)]
    case 'demonitor':
      return [tuple(20, signal.from, signal.to, signal.ref)]
    case 'monitorExit':
      return [tuple(28, signal.from, signal.to, signal.ref), signal.reason as Term]
    case 'groupLeader':
      return [tuple(7, signal.from, signal.to)]
    case 'spawnRequest': {
      const mfa = tuple(signal.module, signal.function, signal.arity)
      return [
        control(29, 30, signal.ref, signal.from, signal.groupLeader, mfa, signal.options),
        signal.args as Term,
      ]
    }
    case 'spawnReply':
      return [control(31, 32, signal.ref, signal.to, signal.flags, signal.result)]
  }
}

/** A reader of frames as the documents describe them: everything at once, nothing kept but what must be. */
function naiveRead(frames: readonly Uint8Array[]): Term[][] {
  const cache = new Map<string, Term>()
  const open = new Map<bigint, { next: bigint; atoms: Term[]; bytes: number[] }>()
  const messages: Term[][] = []
  const termsOf = (bytes: Uint8Array, atomsOf: Term[], version: boolean): Term[] => {
    const found: Term[] = []
    const reader = new Reader(bytes, 0, bytes.length, { atoms: atomsOf as (Atom | boolean)[] })
    while (reader.position < bytes.length) {
      if (version && reader.bytes[reader.position++] !== 131) throw new Error('no version byte')
      found.push(reader.readTerm())
    }
    return found
  }
  for (const frame of frames) {
    const data = Buffer.from(frame)
    if (data[0] === 112) {
      messages.push(termsOf(data.subarray(1), [], true))
      continue
    }
    const tag = data[1]
    let at = tag === 68 ? 2 : 18
    const sequence = tag === 68 ? 0n : data.readBigUInt64BE(2)
    const fragment = tag === 68 ? 1n : data.readBigUInt64BE(10)
    if (tag === 70) {
      const message = open.get(sequence)
      if (message?.next !== fragment) throw new Error(`fragment ${fragment} of ${sequence} is not the next`)
      message.bytes.push(...data.subarray(18))
      message.next--
      if (fragment === 1n) {
        open.delete(sequence)
        messages.push(termsOf(Buffer.from(message.bytes), message.atoms, false))
      }
      continue
    }
    const count = data[at++]
    const found: Term[] = []
    if (count > 0) {
      const nibbles = [...data.subarray(at, at + Math.floor(count / 2) + 1)].flatMap((byte) => [
        byte & 15,
        byte >> 4,
      ])
      at += Math.floor(count / 2) + 1
      const long = (nibbles[count] & 1) === 1
      for (let i = 0; i < count; i++) {
        const entry = `${nibbles[i] & 7}.${data[at++]}`
        if (nibbles[i] & 8) {
          const length = long ? data.readUInt16BE(at) : data[at]
          at += long ? 2 : 1
          cache.set(entry, atom(data.toString('utf8', at, at + length)))
          at += length
        }
        const cached = cache.get(entry)
        if (cached === undefined) throw new Error(`entry ${entry} is empty`)
        found.push(cached)
      }
    }
    const body = data.subarray(at)
    if (fragment === 1n) messages.push(termsOf(body, found, false))
    else {
      if (open.has(sequence)) throw new Error(`sequence ${sequence} is open`)
      // The control message is whole in the first fragment.
      new Reader(body, 0, body.length, { atoms: found as (Atom | boolean)[] }).readTerm()
      open.set(sequence, { next: fragment - 1n, atoms: found, bytes: [...body] })
    }
  }
  if (open.size > 0) throw new Error('fragments are missing')
  return messages
}

describe.each(FRAME_FORMS)('a channel whose frames are %s', (_name, features) => {
  it('writes what a naive reader of the documents understands', () => {
    fc.assert(
      fc.property(fc.array(signals, { maxLength: 30, size: 'max' }), (sent) => {
        const { channel } = testChannel({ features })
        for (const signal of sent) channel.send(signal)
        const messages = naiveRead(framesOf(drain(channel)))
        // Senders overtake each other: find each message where it is the next of its sender.
        const expected = sent.map(expectedTerms)
        expect(messages).toHaveLength(expected.length)
        for (const message of messages) {
          const at = expected.findIndex((one) => isEqual(one, message))
          if (at < 0) throw new Error('a message that was not sent')
          expected.splice(at, 1)
        }
        expect(expected).toEqual([])
      }),
      { ...parameters, numRuns: 40 },
    )
  })

  it('reads what it wrote, in chunks of any size', () => {
    fc.assert(
      fc.property(
        fc.array(signals, { maxLength: 20, size: 'max' }),
        fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 20 }),
        (sent, sizes) => {
          const sender = testChannel({ features })
          const whole = testChannel({ features })
          const cut = testChannel({ features })
          for (const signal of sent) sender.channel.send(signal)
          const bytes = drain(sender.channel)
          whole.channel.receive(bytes, 1)
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const size = sizes[i % sizes.length]
            cut.channel.receive(bytes.slice(at, at + size), 1)
            at += size
          }
          expect(whole.received).toHaveLength(sent.length)
          expect(isEqual(cut.received.map(Object.values), whole.received.map(Object.values))).toBe(true)
        },
      ),
      { ...parameters, numRuns: 40 },
    )
  })

  it('answers broken bytes with signals or one DistError, nothing else', () => {
    fc.assert(
      fc.property(
        fc.array(signals, { minLength: 1, maxLength: 8 }),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 5_000 }),
        (sent, flips, size) => {
          const sender = testChannel({ features })
          const told: unknown[] = []
          const { channel } = testChannel({ features, onBadMessage: (error) => void told.push(error) })
          for (const signal of sent) sender.channel.send(signal)
          const bytes = drain(sender.channel)
          // Mostly in the headers, where there is more to break than in a payload.
          for (const [at, byte] of flips) bytes[at % Math.min(bytes.length, 400)] = byte
          try {
            for (let at = 0; at < bytes.length; at += size) channel.receive(bytes.slice(at, at + size), 1)
          } catch (error) {
            expect(error).toBeInstanceOf(DistError)
          }
        },
      ),
      { ...parameters, numRuns: 200 },
    )
  })
})

it('takes any bytes at all without another error than a DistError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...FRAME_FORMS), (body, [, features]) => {
      const { channel } = testChannel({ features })
      const starts = features.header === true ? [131, 68 + (body.length % 3)] : [112, 131]
      const frame = Uint8Array.from([0, 0, 0, body.length + 2, ...starts, ...body])
      try {
        channel.receive(frame, 1)
        channel.receive(body, 1)
      } catch (error) {
        expect(error).toBeInstanceOf(DistError)
      }
    }),
    { ...parameters, numRuns: 3_000 },
  )
})

it('ticks as send_tick/2 of dist_util does', () => {
  const asking = fc.record({ read: fc.boolean(), wrote: fc.boolean(), pending: fc.boolean() })
  fc.assert(
    fc.property(
      fc.array(asking, { maxLength: 40, size: 'max' }),
      fc.integer({ min: 4, max: 8 }),
      fc.boolean(),
      (askings, intensity, hidden) => {
        const ticker = new Ticker(60_000, intensity, hidden, 0)
        let [received, sent] = [100, 50]
        // dist_util's #tick{}: its counters start at 0, below what the handshake moved.
        let state = { tick: 0, read: 0, write: 0, ticked: 0 }
        let now = 0
        for (const { read, wrote, pending } of askings) {
          if (read) received++
          if (wrote) sent++
          now += ticker.intervalMs
          const answer = ticker.ask({ received, sent, pending: pending ? 1 : 0 }, now)
          const t = state.tick + 1
          const readNothing = received === state.read
          if (readNothing && state.ticked === t) {
            expect(answer).toBe('silent')
            return
          }
          const needed = (sent === state.write && !pending) || (hidden && readNothing)
          if (needed) ticker.ticked(++sent)
          expect(answer).toBe(needed ? 'tick' : 'idle')
          state = { tick: t % intensity, read: received, write: sent, ticked: readNothing ? state.ticked : t }
        }
      },
    ),
    { ...parameters, numRuns: 2_000 },
  )
})
