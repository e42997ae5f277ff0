/** Channels for tests: one end, two ends joined, and samples of every signal. */
import { Channel, type ChannelFeatures, type ChannelOptions } from '../../src/dist/channel.js'
import type { SignalIn, SignalOut } from '../../src/dist/signals.js'
import { atom, internAtom } from '../../src/etf/atom.js'
import { Pid, Reference } from '../../src/etf/identifiers.js'
import { tuple } from '../../src/etf/tuple.js'
import { DEFAULT_LIMITS, type Limits } from '../../src/limits.js'

export const HERE = internAtom('js@127.0.0.1')
export const THERE = internAtom('beam@127.0.0.1')

export const pidHere = (id: number): Pid => new Pid(HERE, id, 0, 7)
export const pidThere = (id: number): Pid => new Pid(THERE, id, 0, 9)
export const refHere = (...words: number[]): Reference => new Reference(HERE, 7, words)

/** Everything that OTP 29 negotiates. */
export const ALL_FEATURES: ChannelFeatures = {
  header: true,
  atomCache: true,
  fragments: true,
  sendSender: true,
  unlinkId: true,
  exitPayload: true,
  spawn: true,
  alias: true,
  altactSig: true,
}

/** The forms of frames: what DIST_HDR_ATOM_CACHE and FRAGMENTS make of them. */
export const FRAME_FORMS: readonly (readonly [string, Partial<ChannelFeatures>])[] = [
  ['pass-through', { header: false, atomCache: false, fragments: false }],
  ['header with atom cache', { header: true, atomCache: true, fragments: false }],
  ['header with fragments', { header: true, atomCache: false, fragments: true }],
  ['header with both', { header: true, atomCache: true, fragments: true }],
]

export interface TestChannelOptions extends Partial<Omit<ChannelOptions, 'features' | 'limits'>> {
  features?: Partial<ChannelFeatures>
  limits?: Partial<Limits>
}

export interface TestChannel {
  channel: Channel
  received: SignalIn[]
  sizes: number[]
}

/** A channel that collects the signals it receives. */
export function testChannel(options: TestChannelOptions = {}): TestChannel {
  const received: SignalIn[] = []
  const sizes: number[] = []
  const channel = new Channel({
    now: 0,
    netTicktimeMs: 60_000,
    netTickintensity: 4,
    hiddenPeer: false,
    encode: {},
    onSignal(signal, bytes) {
      received.push(signal)
      sizes.push(bytes)
    },
    ...options,
    features: { ...ALL_FEATURES, ...options.features },
    limits: { ...DEFAULT_LIMITS, ...options.limits },
  })
  return { channel, received, sizes }
}

/** Takes all output of a channel, as written at once. The bytes are copied: the channel uses its slabs again. */
export function drain(channel: Channel, maxBytes?: number): Uint8Array {
  const pieces: Uint8Array[] = []
  for (let piece = channel.takeOutput(maxBytes); piece !== undefined; piece = channel.takeOutput(maxBytes)) {
    pieces.push(piece.slice())
    channel.written(piece.length)
  }
  return join(pieces)
}

export function join(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let position = 0
  for (const piece of pieces) {
    whole.set(piece, position)
    position += piece.length
  }
  return whole
}

/** The frames of a stream, without their lengths. */
export function framesOf(bytes: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let position = 0; position < bytes.length;) {
    const length = view.getUint32(position)
    frames.push(bytes.subarray(position + 4, position + 4 + length))
    position += 4 + length
  }
  return frames
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const fromHex = (text: string): Uint8Array =>
  new Uint8Array(Buffer.from(text.replace(/\s+/g, ''), 'hex'))

const token = tuple(1, 2, 3, pidHere(1), 4)

/** One of every signal and form, from this node to a peer; those with a trace token too. */
export function sampleSignals(): SignalOut[] {
  const from = pidHere(1)
  const to = pidThere(2)
  const alias = new Reference(THERE, 9, [1, 2, 3])
  const ref = refHere(4, 5, 6)
  const message = tuple(atom('hello'), 'world', [1, 2, 3])
  const reason = tuple(atom('shutdown'), atom('why'))
  const plain: SignalOut[] = [
    { type: 'send', from, to, message },
    { type: 'regSend', from, to: atom('echo'), message },
    { type: 'regSend', from, to: true, message },
    { type: 'aliasSend', from, to: alias, message },
    { type: 'altactSend', from, to, message, priority: true, exit: false },
    { type: 'altactSend', from, to: alias, message, priority: true, exit: false },
    { type: 'altactSend', from, to: atom('echo'), message, priority: true, exit: false },
    { type: 'altactSend', from, to, message: reason, priority: true, exit: true },
    { type: 'altactSend', from, to: alias, message: reason, priority: false, exit: true },
    { type: 'exit', from, to, reason },
    { type: 'exit2', from, to, reason },
    {
      type: 'spawnRequest',
      ref,
      from,
      groupLeader: pidHere(3),
      module: atom('erpc'),
      function: atom('execute_call'),
      arity: 4,
      options: [atom('monitor')],
      args: [ref, atom('math'), atom('pi'), []],
    },
    { type: 'spawnReply', ref: alias, to, flags: 3, result: from },
    { type: 'spawnReply', ref: alias, to, flags: 0, result: atom('badopt') },
  ]
  return [
    ...plain,
    ...plain.map((signal) => ({ ...signal, traceToken: token }) as SignalOut),
    { type: 'link', from, to },
    { type: 'unlinkId', id: 17, from, to },
    { type: 'unlinkId', id: 2n ** 64n - 1n, from, to },
    { type: 'unlinkIdAck', id: 17, from, to },
    { type: 'monitor', from, to, ref },
    { type: 'monitor', from, to: atom('rex'), ref },
    { type: 'demonitor', from, to, ref },
    { type: 'demonitor', from, to: atom('rex'), ref },
    { type: 'monitorExit', from, to, ref: alias, reason },
    { type: 'monitorExit', from: atom('rex'), to, ref: alias, reason: atom('noproc') },
    { type: 'groupLeader', from, to },
  ]
}
