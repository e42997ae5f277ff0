/**
 * Handshakes between two real nodes, captured with `node scripts/capture-handshake-vectors.js` (OTP 23, 25, 27, 29):
 * put in the place of either node, our side writes the same bytes.
 */
import { readFileSync } from 'node:fs'
import {
  ADVERTISED,
  flagNames,
  MANDATORY_25,
  MANDATORY_26,
  missingFlagNames,
} from '../../../src/handshake/flags.js'
import {
  decodeChallenge,
  decodeComplement,
  decodeName,
  decodeReply,
  decodeStatus,
} from '../../../src/handshake/messages.js'
import type { AcceptDecision, HandshakeEvent } from '../../../src/handshake/types.js'
import {
  acceptor,
  bytewise,
  framed,
  fromOffset,
  hex,
  initiator,
  unhex,
  whole,
  written,
  type Cut,
} from './support.js'

interface Vectors {
  otp: string
  cookie: string
  captures: Record<'named' | 'dynamic' | 'version5', { sent: string[]; received: string[] }>
}

const RELEASES = [23, 25, 27, 29] as const
const KINDS = ['named', 'dynamic', 'version5'] as const
const CUTS = { whole, bytewise, fromOffset }

function read(release: number): Vectors {
  return JSON.parse(readFileSync(`test/vectors/handshake-otp${release}.json`, 'utf8')) as Vectors
}

const cases = RELEASES.flatMap((release) =>
  KINDS.flatMap((kind) => Object.entries(CUTS).map(([name, cut]) => [release, kind, name, cut] as const)),
)

/** Feeds a message in pieces and gives the bytes of each event list's writes. */
function feed(
  receive: (chunk: Uint8Array) => HandshakeEvent[],
  message: Uint8Array,
  cut: Cut,
): HandshakeEvent[] {
  return cut(framed(message)).flatMap(receive)
}

const bytesOf = (messages: readonly Uint8Array[]): string =>
  messages.map((message) => hex(framed(message))).join('')

describe.each(cases)('OTP %d, %s, %s', (release, kind, _, cut) => {
  const { cookie, captures } = read(release)
  const cookies = { inCookie: cookie, outCookie: cookie }
  const sent = captures[kind].sent.map(unhex)
  const [status, challenge, ack] = captures[kind].received.map(unhex) as [Uint8Array, Uint8Array, Uint8Array]
  const name = decodeName(sent[0]!)
  const reply = decodeReply(sent.at(-1)!)
  const theirs = decodeChallenge(challenge)

  test('our acceptor writes what the node that accepted wrote', () => {
    const machine = acceptor({
      thisNode: { name: theirs.name, creation: theirs.creation },
      flags: theirs.flags,
      challenge: theirs.challenge,
    })
    const receive = (chunk: Uint8Array): HandshakeEvent[] => machine.receive(chunk, 0)
    const [offer] = feed(receive, sent[0]!, cut)
    expect(offer).toMatchObject({ type: 'name', offer: { name: name.name, dynamic: kind === 'dynamic' } })
    const given = decodeStatus(status)
    const decision: AcceptDecision =
      given.name === undefined
        ? { status: 'ok', ...cookies }
        : { status: 'named', name: given.name, creation: given.creation, ...cookies }
    expect(hex(written(machine.decide(decision, 0)))).toBe(bytesOf([status, challenge]))
    const events = sent.slice(1).flatMap((message) => feed(receive, message, cut))
    expect(hex(written(events))).toBe(bytesOf([ack]))
    expect(events.at(-1)).toMatchObject({
      type: 'established',
      result: { peerName: given.name ?? name.name, namedPeer: kind === 'dynamic' },
    })
    // The old form is that of OTP 23 and 24, and brings creation and high flags by the complement.
    expect(name.old).toBe(kind === 'version5' && release < 25)
    if (name.old) {
      const complement = decodeComplement(sent[1]!)
      expect(events.at(-1)).toMatchObject({
        result: { peerCreation: complement.creation, peerFlags: name.flags | complement.flagsHigh },
      })
    }
  })

  // We have no old form to send: an initiator of ours always opens with the new one.
  if (!name.old) {
    test('our initiator writes what the node that connected wrote', () => {
      const thisNode = kind === 'dynamic' ? undefined : { name: name.name, creation: name.creation }
      const machine = initiator({
        thisNode,
        thisHost: name.name,
        peerName: theirs.name,
        flags: name.flags,
        challenge: reply.challenge,
        ...cookies,
      })
      expect(hex(written(machine.start()))).toBe(bytesOf([sent[0]!]))
      const receive = (chunk: Uint8Array): HandshakeEvent[] => machine.receive(chunk, 0)
      const events = [status, challenge].flatMap((message) => feed(receive, message, cut))
      expect(hex(written(events))).toBe(bytesOf([sent[1]!]))
      expect(feed(receive, ack, cut)).toMatchObject([
        { type: 'established', result: { peerName: theirs.name, namedByPeer: kind === 'dynamic' } },
      ])
    })
  }
})

test.each(RELEASES)('the flags of OTP %d: nothing that we require is missing', (release) => {
  const { flags } = decodeChallenge(unhex(read(release).captures.named.received[1]!))
  expect(missingFlagNames(MANDATORY_25, flags)).toEqual([])
  expect(missingFlagNames(MANDATORY_26, flags)).toEqual(release === 23 ? ['UNLINK_ID', 'V4_NC'] : [])
  expect(flagNames(flags).filter((name) => name.startsWith('UNKNOWN'))).toEqual([])
  // All that we can do and that release cannot.
  const lacking = flagNames(ADVERTISED & ~flags)
  expect(lacking).toEqual([
    ...(release < 25 ? ['UNLINK_ID', 'MANDATORY_25_DIGEST', 'V4_NC', 'ALIAS'] : []),
    ...(release < 28 ? ['ALTACT_SIG'] : []),
    ...(release < 29 ? ['NATIVE_RECORDS'] : []),
  ])
})
