/** Two sides of a handshake without a network, and shorthands. */
import { createHash } from 'node:crypto'
import { Acceptor, type AcceptorOptions } from '../../../src/handshake/acceptor.js'
import { ADVERTISED } from '../../../src/handshake/flags.js'
import { Initiator, type InitiatorOptions } from '../../../src/handshake/initiator.js'
import type { AcceptDecision, HandshakeEvent, HandshakeResult, Md5 } from '../../../src/handshake/types.js'
import { DEFAULT_LIMITS } from '../../../src/limits.js'
import type { HandshakeError } from '../../../src/errors.js'

export const md5: Md5 = (bytes) => createHash('md5').update(bytes).digest()

export const COOKIES = { inCookie: 'secret', outCookie: 'secret' }

export function initiator(options: Partial<InitiatorOptions> = {}, now = 0): Initiator {
  const all: InitiatorOptions = {
    thisNode: { name: 'a@one', creation: 11 },
    peerName: 'b@two',
    flags: ADVERTISED,
    md5,
    challenge: 0xfedcba98,
    limits: DEFAULT_LIMITS,
    ...COOKIES,
    ...options,
  }
  return new Initiator(all, now)
}

/** Like {@link initiator}, asking for a name. */
export function nameless(options: Partial<InitiatorOptions> = {}): Initiator {
  return initiator({ thisNode: undefined, thisHost: 'one', ...options })
}

export function acceptor(options: Partial<AcceptorOptions> = {}, now = 0): Acceptor {
  const all: AcceptorOptions = {
    thisNode: { name: 'b@two', creation: 22 },
    flags: ADVERTISED,
    md5,
    challenge: 0x01234567,
    limits: DEFAULT_LIMITS,
    ...options,
  }
  return new Acceptor(all, now)
}

/** How a chunk of bytes is cut on its way. */
export type Cut = (bytes: Uint8Array) => Uint8Array[]

export const whole: Cut = (bytes) => [bytes]
export const bytewise: Cut = (bytes) => Array.from(bytes, (byte) => Uint8Array.of(byte))
/** The same bytes as a view into a larger buffer. */
export const fromOffset: Cut = (bytes) => {
  const larger = new Uint8Array(bytes.length + 14).fill(0xaa)
  larger.set(bytes, 7)
  return [larger.subarray(7, 7 + bytes.length)]
}

export interface Outcome {
  out: { statuses: string[]; result?: HandshakeResult; error?: HandshakeError }
  in: { result?: HandshakeResult; error?: HandshakeError; offers: number }
}

/** Runs both sides against each other until nothing moves. */
export function shake(
  left: Initiator,
  right: Acceptor,
  decision: AcceptDecision = { status: 'ok', ...COOKIES },
  { cut = whole, wanted = true }: { cut?: Cut; wanted?: boolean } = {},
): Outcome {
  const outcome: Outcome = { out: { statuses: [] }, in: { offers: 0 } }
  const toRight: Uint8Array[] = []
  const toLeft: Uint8Array[] = []
  const leftDid = (events: HandshakeEvent[]): void => {
    for (const event of events) {
      if (event.type === 'write') toRight.push(...cut(event.bytes))
      else if (event.type === 'status') outcome.out.statuses.push(event.status)
      else if (event.type === 'alive') leftDid(left.answerAlive(wanted, 0))
      else if (event.type === 'established') outcome.out.result = event.result
      else if (event.type === 'failed') outcome.out.error = event.error
      else throw new Error(`an initiator has no event ${event.type}`)
    }
  }
  const rightDid = (events: HandshakeEvent[]): void => {
    for (const event of events) {
      if (event.type === 'write') toLeft.push(...cut(event.bytes))
      else if (event.type === 'name') {
        outcome.in.offers++
        rightDid(right.decide(decision, 0))
      } else if (event.type === 'replace') rightDid(right.replaced())
      else if (event.type === 'established') outcome.in.result = event.result
      else if (event.type === 'failed') outcome.in.error = event.error
      else throw new Error(`an acceptor has no event ${event.type}`)
    }
  }
  leftDid(left.start())
  while (toRight.length > 0 || toLeft.length > 0) {
    while (toRight.length > 0) rightDid(right.receive(toRight.shift()!, 0))
    while (toLeft.length > 0) leftDid(left.receive(toLeft.shift()!, 0))
  }
  return outcome
}

/** A message with its 2-byte length. */
export function framed(message: Uint8Array): Uint8Array {
  return Uint8Array.of(message.length >> 8, message.length & 0xff, ...message)
}

export function latin1(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'))
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

export function unhex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replace(/\s/g, ''), 'hex'))
}

/** All bytes that the events write. */
export function written(events: HandshakeEvent[]): Uint8Array {
  return Uint8Array.from(events.flatMap((event) => (event.type === 'write' ? [...event.bytes] : [])))
}

/** The error with which the events end the handshake. */
export function failure(events: HandshakeEvent[]): HandshakeError {
  const last = events.at(-1)
  if (last?.type !== 'failed')
    throw new Error(`not failed: ${events.map((event) => event.type).join(', ') || 'no event'}`)
  return last.error
}

export function types(events: HandshakeEvent[]): string[] {
  return events.map((event) => event.type)
}
