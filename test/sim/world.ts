/**
 * Two channels on virtual time, joined by pipes that hold what was written and not yet read. What happens, and when, is
 * the caller's choice; the world knows what must be true of it.
 */
import { Channel, type ChannelFeatures } from '../../src/dist/channel.js'
import type { SignalIn, SignalOut } from '../../src/dist/signals.js'
import { atom } from '../../src/etf/atom.js'
import type { Term } from '../../src/etf/terms.js'
import type { Tuple } from '../../src/etf/tuple.js'
import { tuple } from '../../src/etf/tuple.js'
import { DistError } from '../../src/errors.js'
import { DEFAULT_LIMITS } from '../../src/limits.js'
import { ALL_FEATURES, HERE, THERE, pidHere, pidThere, refHere } from '../support/channels.js'

export const LIMITS = { ...DEFAULT_LIMITS, busyLimitBytes: 300_000, maxQueuedBytes: 900_000 }
export const TICKTIME_MS = 60_000
const INTENSITY = 4

const SIZES = [0, 1, 60, 300, 5_000, 30_000, 65_400, 65_600, 140_000, 300_000]

/** One side: its channel, what it sent to whom, what it received. */
export class Side {
  readonly channel: Channel
  /** What left the channel: `written` is still due for the first `unwritten` pieces. */
  readonly wire: Uint8Array[] = []
  private readonly unwritten: number[] = []
  /** Numbers sent and received, by sender. */
  readonly sent = new Map<number, number[]>()
  readonly received = new Map<number, number[]>()
  readonly problems: string[] = []
  lastDelivery = 0
  writableCalls = 0
  private next = 1

  constructor(
    private readonly here: boolean,
    features: Partial<ChannelFeatures>,
  ) {
    this.channel = new Channel({
      features: { ...ALL_FEATURES, ...features },
      limits: LIMITS,
      now: 0,
      netTicktimeMs: TICKTIME_MS,
      netTickintensity: INTENSITY,
      hiddenPeer: here,
      peer: here ? THERE : HERE,
      encode: {},
      onSignal: (signal) => this.note(signal),
      onWritable: () => void this.writableCalls++,
    })
  }

  /** Sends a numbered signal of some kind and size. Past the cap, it must not arrive. */
  send(sender: number, kind: number, size: number): void {
    const number = this.next++
    const signal = numbered(this.here, sender, number, kind, SIZES[size % SIZES.length])
    const { channel } = this
    const before = channel.queuedBytes
    try {
      const room = channel.send(signal)
      if (room !== !channel.busy) this.problems.push('send answers what busy does not')
      entry(this.sent, sender).push(number)
    } catch (error) {
      if (!(error instanceof DistError && error.code === 'DIST_QUEUE_FULL')) throw error
      if (channel.queuedBytes !== before) this.problems.push('a refused signal was counted')
    }
    if (channel.queuedBytes >= LIMITS.busyLimitBytes && !channel.busy)
      this.problems.push('not busy over the limit')
    // A frame's header and those of its fragments come on top of the bytes that the cap counts.
    if (channel.queuedBytes > LIMITS.maxQueuedBytes + 5_000) this.problems.push('more is queued than the cap')
  }

  /** A signal whose encoding fails half-way, after atoms and bytes were written. */
  sendBroken(sender: number): void {
    const message = tuple(atom(`broken_${this.next}`), new Uint8Array(1_000), Symbol('x') as unknown as Term)
    const { queuedBytes } = this.channel
    try {
      this.channel.send({ type: 'send', from: this.pid(sender), to: this.peerPid(1), message })
      this.problems.push('a term that is none was sent')
    } catch {
      if (this.channel.queuedBytes !== queuedBytes) this.problems.push('a broken signal was queued')
    }
  }

  /** Gives the transport a piece of output. */
  take(maxBytes: number): boolean {
    const piece = this.channel.takeOutput(maxBytes)
    if (piece === undefined) return false
    if (piece.length === 0) this.problems.push('an empty piece')
    this.wire.push(piece)
    this.unwritten.push(piece.length)
    return true
  }

  /**
   * The transport takes the oldest piece: from now on its memory may be used again.
   * @returns its bytes
   */
  write(): Uint8Array | undefined {
    const length = this.unwritten.shift()
    if (length === undefined) return undefined
    const bytes = (this.wire.shift() as Uint8Array).slice()
    this.channel.written(length)
    return bytes
  }

  private pid(id: number) {
    return this.here ? pidHere(id) : pidThere(id)
  }

  private peerPid(id: number) {
    return this.here ? pidThere(id) : pidHere(id)
  }

  private note(signal: SignalIn): void {
    const { sender, number, size, intact } = readNumber(signal)
    if (!intact) this.problems.push(`signal ${number} of ${sender} is damaged (${size})`)
    entry(this.received, sender).push(number)
  }
}

/** Two sides and the pipes between them. */
export class World {
  readonly a: Side
  readonly b: Side
  now = 0
  private readonly pipes: [Uint8Array[], Uint8Array[]] = [[], []]
  readonly silent = new Set<Side>()

  constructor(features: Partial<ChannelFeatures>) {
    this.a = new Side(true, features)
    this.b = new Side(false, features)
  }

  side(which: number): Side {
    return which % 2 === 0 ? this.a : this.b
  }

  /** Moves what a side wrote into the pipe to the other. */
  write(which: number): boolean {
    const bytes = this.side(which).write()
    if (bytes === undefined) return false
    this.pipes[which % 2].push(bytes)
    return true
  }

  /**
   * The other side reads up to so many bytes of what is in the pipe.
   * @param inPlace to where it wants them
   */
  deliver(which: number, maxBytes: number, inPlace = true): boolean {
    const pipe = this.pipes[which % 2]
    const first = pipe.shift()
    if (first === undefined) return false
    const chunk = first.length > maxBytes ? first.subarray(0, maxBytes) : first
    if (chunk.length < first.length) pipe.unshift(first.subarray(maxBytes))
    const reader = this.side(which + 1)
    reader.lastDelivery = this.now
    const room = inPlace ? reader.channel.room() : undefined
    if (room !== undefined) {
      const part = chunk.subarray(0, room.length)
      if (part.length < chunk.length) pipe.unshift(chunk.subarray(part.length))
      room.set(part)
      reader.channel.receive(room.subarray(0, part.length), this.now)
      return true
    }
    // Some transports give views of a larger buffer, and all use it again.
    const padded = new Uint8Array(chunk.length + 8)
    padded.set(chunk, 3)
    reader.channel.receive(padded.subarray(3, 3 + chunk.length), this.now)
    padded.fill(0xee)
    return true
  }

  /** An interval of the tick time passes on both sides. */
  pass(): void {
    this.now += TICKTIME_MS / INTENSITY
    for (const side of [this.a, this.b]) {
      if (side.channel.tick(this.now) !== 'silent') continue
      this.silent.add(side)
      if (this.now - side.lastDelivery < TICKTIME_MS) side.problems.push('a live peer was taken for silent')
    }
  }

  /** Lets everything that was sent arrive. */
  settle(): void {
    for (let steps = 0; ; steps++) {
      if (steps > 100_000) throw new Error('the channels do not come to rest')
      let moved = false
      for (const which of [0, 1]) {
        moved = this.side(which).take(10_000) || moved
        moved = this.write(which) || moved
        moved = this.deliver(which, 7_777, steps % 3 > 0) || moved
      }
      if (!moved) return
    }
  }

  lose(): void {
    this.a.channel.close()
    this.b.channel.close()
  }

  /** What is wrong now, in words. */
  problems(lossy: boolean): string[] {
    return [...check('a to b', this.a, this.b, lossy), ...check('b to a', this.b, this.a, lossy)]
  }
}

function check(name: string, from: Side, to: Side, lossy: boolean): string[] {
  const problems = from.problems.map((problem) => `${name}: ${problem}`)
  for (const [sender, received] of to.received) {
    const sent = from.sent.get(sender) ?? []
    received.forEach((number, at) => {
      if (number !== sent[at])
        problems.push(`${name}: sender ${sender} sent ${sent[at]} where ${number} arrived`)
    })
  }
  for (const [sender, sent] of from.sent) {
    const arrived = to.received.get(sender)?.length ?? 0
    if (!lossy && arrived !== sent.length)
      problems.push(`${name}: ${arrived} of ${sent.length} arrived of ${sender}`)
  }
  const { queuedBytes, incompleteMessages, incompleteBytes } = from.channel.stats()
  if (queuedBytes !== 0) problems.push(`${name}: ${queuedBytes} bytes are still queued`)
  if (incompleteMessages !== 0 || incompleteBytes !== 0) problems.push(`${name}: fragments are left over`)
  if (from.channel.busy && !lossy) problems.push(`${name}: still busy`)
  return problems
}

function entry(map: Map<number, number[]>, key: number): number[] {
  let list = map.get(key)
  if (list === undefined) map.set(key, (list = []))
  return list
}

/** A signal that carries a number, in one of the ways that signals carry something. */
function numbered(here: boolean, sender: number, number: number, kind: number, size: number): SignalOut {
  const from = here ? pidHere(sender) : pidThere(sender)
  const to = here ? pidThere(1) : pidHere(1)
  const ref = refHere(number, 0, 0)
  const body = tuple(number, atom(`sim_${number % 3_000}`), new Uint8Array(size).fill(number & 255))
  switch (kind % 7) {
    case 0:
      return { type: 'send', from, to, message: body }
    case 1:
      return { type: 'regSend', from, to: atom('echo'), message: body }
    case 2:
      return { type: 'exit', from, to, reason: body }
    case 3:
      return { type: 'monitorExit', from, to, ref, reason: body }
    case 4:
      return { type: 'unlinkId', id: number, from, to }
    case 5:
      return { type: 'altactSend', from, to, message: body, priority: true, exit: false }
    default:
      return {
        type: 'spawnRequest',
        ref,
        from,
        groupLeader: from,
        module: atom('m'),
        function: atom(`sim_f_${number % 40}`),
        arity: 1,
        options: [atom('monitor')],
        args: [body],
      }
  }
}

function readNumber(signal: SignalIn): { sender: number; number: number; size: number; intact: boolean } {
  const { from } = signal as SignalIn & { type: 'link' }
  const sender = from.id
  switch (signal.type) {
    case 'unlinkId':
      return { sender, number: Number(signal.id), size: 0, intact: true }
    case 'exit':
    case 'monitorExit':
      return { sender, ...readBody(signal.reason) }
    case 'spawnRequest':
      return { sender, ...readBody(signal.args[0]) }
    case 'send':
    case 'regSend':
    case 'altactSend':
      return { sender, ...readBody(signal.message) }
    default:
      return { sender, number: -1, size: 0, intact: false }
  }
}

function readBody(body: Term): { number: number; size: number; intact: boolean } {
  const [number, name, filler] = (body as Tuple<[number, Term, Uint8Array]>).elements
  const intact =
    name === atom(`sim_${number % 3_000}`) &&
    SIZES.includes(filler.length) &&
    filler.every((byte) => byte === (number & 255))
  return { number, size: filler.length, intact }
}
