/** Links on virtual time: nothing happens until a test lets it. */
import { internAtom } from '../../../src/etf/atom.js'
import { Pid } from '../../../src/etf/identifiers.js'
import type { SignalIn, SignalOut } from '../../../src/dist/signals.js'
import type { Acceptor } from '../../../src/handshake/acceptor.js'
import { ADVERTISED } from '../../../src/handshake/flags.js'
import type { HandshakeEvent } from '../../../src/handshake/types.js'
import { DEFAULT_LIMITS } from '../../../src/limits.js'
import type { Clock, Timer } from '../../../src/net/clock.js'
import {
  acceptLink,
  openLink,
  type AcceptLinkOptions,
  type Link,
  type LinkDown,
  type LinkHandlers,
  type OpenLinkOptions,
} from '../../../src/net/link.js'
import { memoryPair, type MemoryPairOptions, type MemoryTransport } from '../../../src/net/memory.js'
import { acceptor, COOKIES, md5 } from '../handshake/support.js'

interface VirtualTimer extends Timer {
  at: number
  callback: () => void
}

/** An event loop: deliveries of a network, then what was deferred to the end of the turn; timers when time passes. */
export class VirtualLoop implements Clock {
  #now = 1_000_000
  #timers: VirtualTimer[] = []
  #deliveries: (() => void)[] = []
  #deferred: (() => void)[] = []

  now(): number {
    return this.#now
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const timer: VirtualTimer = {
      at: this.#now + delayMs,
      callback,
      clear: () => {
        this.#timers = this.#timers.filter((other) => other !== timer)
      },
    }
    this.#timers.push(timer)
    return timer
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback)
  }

  schedule = (delivery: () => void): void => {
    this.#deliveries.push(delivery)
  }

  get timers(): number {
    return this.#timers.length
  }

  /** Runs until nothing waits but timers; microtasks (promises of handlers) too. */
  async settle(): Promise<void> {
    for (;;) {
      await Promise.resolve()
      await Promise.resolve()
      const next = this.#deliveries.shift() ?? this.#deferred.shift()
      if (next !== undefined) next()
      else if (!(await this.#somethingNew())) return
    }
  }

  /** Lets time pass, timers firing at their times. */
  async advance(byMs: number): Promise<void> {
    const end = this.#now + byMs
    await this.settle()
    for (;;) {
      const next = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#now = Math.max(this.#now, next.at)
      next.clear()
      next.callback()
      await this.settle()
    }
    this.#now = end
  }

  /** The process stands still: time passes, then timers that are due fire before anything is read. */
  async stall(byMs: number): Promise<void> {
    this.#now += byMs
    for (const timer of this.#timers.filter((due) => due.at <= this.#now)) {
      timer.clear()
      timer.callback()
    }
    await this.settle()
  }

  async #somethingNew(): Promise<boolean> {
    for (let i = 0; i < 8; i++) await Promise.resolve()
    return this.#deliveries.length > 0 || this.#deferred.length > 0
  }
}

/** A link with what it told. */
export interface Watched {
  link: Link
  transport: MemoryTransport
  /** `up`, names of signal types, `writable`, `bad`, in order. */
  events: string[]
  signals: SignalIn[]
  downs: LinkDown[]
}

const CONFIG = {
  flags: ADVERTISED,
  limits: DEFAULT_LIMITS,
  netTicktimeMs: 60_000,
  netTickintensity: 4,
  md5,
}

export const A = { name: 'a@one', creation: 11 }
export const B = { name: 'b@two', creation: 22 }

export function pid(node: { name: string; creation: number }, id = 1): Pid {
  return new Pid(internAtom(node.name), id, 0, node.creation)
}

export function message(text: string | Uint8Array, id = 1): SignalOut {
  return { type: 'send', from: pid(A, id), to: pid(B), message: text }
}

/** The texts of the messages that were received. */
export function texts({ signals }: Watched): string[] {
  return signals.map((signal) => {
    if (signal.type !== 'send') throw new Error(`not a message: ${signal.type}`)
    return signal.message instanceof Uint8Array
      ? Buffer.from(signal.message).toString()
      : String(signal.message)
  })
}

function watch(
  transport: MemoryTransport,
  start: (handlers: LinkHandlers) => Link,
  given: Partial<LinkHandlers>,
): Watched {
  const watched = { transport, events: [] as string[], signals: [] as SignalIn[], downs: [] as LinkDown[] }
  const { events, signals, downs } = watched
  const link = start({
    onName: () => ({ status: 'ok', ...COOKIES }),
    ...given,
    onUp: (up) => {
      events.push('up')
      given.onUp?.(up)
    },
    onSignal: (signal, bytes, from) => {
      events.push(signal.type)
      signals.push(signal)
      given.onSignal?.(signal, bytes, from)
    },
    onWritable: (writable) => {
      events.push('writable')
      given.onWritable?.(writable)
    },
    onDown: (down, downed) => {
      events.push(`down ${down.reason}`)
      downs.push(down)
      given.onDown?.(down, downed)
    },
  })
  return { ...watched, link }
}

export interface OpenSettings {
  options?: Partial<OpenLinkOptions>
  handlers?: Partial<LinkHandlers>
}

export interface AcceptSettings {
  options?: Partial<AcceptLinkOptions>
  handlers?: Partial<LinkHandlers>
}

export function open(
  loop: VirtualLoop,
  transport: MemoryTransport,
  { options, handlers = {} }: OpenSettings = {},
): Watched {
  const all: OpenLinkOptions = {
    ...CONFIG,
    ...COOKIES,
    clock: loop,
    randomChallenge: () => 0xfedcba98,
    thisNode: A,
    peerName: B.name,
    ...options,
  }
  return watch(transport, (watching) => openLink(transport, all, watching), handlers)
}

export function accept(
  loop: VirtualLoop,
  transport: MemoryTransport,
  { options, handlers = {} }: AcceptSettings = {},
): Watched {
  const all: AcceptLinkOptions = {
    ...CONFIG,
    clock: loop,
    randomChallenge: () => 0x01234567,
    thisNode: B,
    ...options,
  }
  return watch(transport, (watching) => acceptLink(transport, all, watching), handlers)
}

/** Two links of one connection, before anything was delivered. */
export function pair(
  { out, in: incoming, memory }: { out?: OpenSettings; in?: AcceptSettings; memory?: MemoryPairOptions } = {},
  loop = new VirtualLoop(),
): { loop: VirtualLoop; a: Watched; b: Watched } {
  const [left, right] = memoryPair({ schedule: loop.schedule, ...memory })
  const b = accept(loop, right, incoming)
  const a = open(loop, left, out)
  return { loop, a, b }
}

/** A peer of our own making on the other end: a handshake by hand, then bytes by hand. */
export class RawPeer {
  readonly transport: MemoryTransport
  readonly received: Uint8Array[] = []
  closed = false
  up = false
  #machine: Acceptor

  /** @param after bytes that come in one chunk with the acknowledgement */
  constructor(
    loop: VirtualLoop,
    transport: MemoryTransport,
    flags = ADVERTISED,
    after: Uint8Array = new Uint8Array(0),
  ) {
    this.transport = transport
    this.#machine = acceptor({ flags })
    const did = (events: HandshakeEvent[]): void => {
      for (const event of events) {
        if (event.type === 'name') did(this.#machine.decide({ status: 'ok', ...COOKIES }, loop.now()))
        else if (event.type === 'write') {
          const last = this.#machine.ended
          transport.write(last ? Uint8Array.of(...event.bytes, ...after) : event.bytes)
        } else if (event.type === 'established') this.up = true
        else throw new Error(event.type)
      }
    }
    transport.attach({
      onData: (chunk) => {
        if (this.up) this.received.push(new Uint8Array(chunk))
        else did(this.#machine.receive(new Uint8Array(chunk), loop.now()))
      },
      onClose: () => (this.closed = true),
    })
  }
}

export function withRawPeer(
  { flags, after, out = {} }: { flags?: bigint; after?: Uint8Array; out?: Parameters<typeof open>[2] } = {},
  loop = new VirtualLoop(),
): { loop: VirtualLoop; a: Watched; peer: RawPeer } {
  const [left, right] = memoryPair({ schedule: loop.schedule })
  const peer = new RawPeer(loop, right, flags, after)
  return { loop, a: open(loop, left, out), peer }
}
