import { challengeDigest } from '../../../src/handshake/digest.js'
import { ADVERTISED, DistFlag, MANDATORY_25, MANDATORY_26 } from '../../../src/handshake/flags.js'
import type { Initiator } from '../../../src/handshake/initiator.js'
import {
  encodeAck,
  encodeChallenge,
  encodeNamedStatus,
  encodeStatus,
} from '../../../src/handshake/messages.js'
import { DEFAULT_LIMITS } from '../../../src/limits.js'
import {
  bytewise,
  failure,
  framed,
  fromOffset,
  hex,
  initiator,
  latin1,
  md5,
  nameless,
  types,
  unhex,
  whole,
  written,
} from './support.js'

const OURS = 0xfedcba98
const THEIRS = 0x01234567
const PEER_FLAGS = MANDATORY_26 | DistFlag.SPAWN | DistFlag.PUBLISHED

const status = (text: string): Uint8Array => framed(encodeStatus(text))
const challenge = (flags = PEER_FLAGS, name = 'b@two'): Uint8Array =>
  framed(encodeChallenge(flags, THEIRS, 22, latin1(name)))
const ack = (cookie = 'secret'): Uint8Array => framed(encodeAck(challengeDigest(md5, OURS, cookie)))

/** An initiator that has been given these messages. */
function after(machine: Initiator, ...messages: Uint8Array[]): Initiator {
  machine.start()
  for (const message of messages) machine.receive(message, 0)
  return machine
}

test('opens with its name, creation and flags', () => {
  const flags = hex(Uint8Array.from(Buffer.from(ADVERTISED.toString(16).padStart(16, '0'), 'hex')))
  expect(hex(written(initiator().start()))).toBe(hex(unhex(`0014 4e ${flags} 0000000b 0005 61406f6e65`)))
})

describe.each([whole, bytewise, fromOffset])('a handshake that ends well, $name', (cut) => {
  test.each(['ok', 'ok_simultaneous'])('status %s, both cookies used, extra bytes left over', (word) => {
    const machine = initiator({ outCookie: 'shown', inCookie: 'expected' })
    machine.start()
    const feed = (bytes: Uint8Array) => cut(bytes).flatMap((chunk) => machine.receive(chunk, 0))
    expect(feed(status(word))).toEqual([{ type: 'status', status: word }])
    const reply = `0015 72 fedcba98 ${hex(challengeDigest(md5, THEIRS, 'shown'))}`
    expect(hex(written(feed(challenge())))).toBe(hex(unhex(reply)))
    expect(feed(ack('expected'))).toEqual([
      {
        type: 'established',
        result: {
          peerName: 'b@two',
          peerCreation: 22,
          peerFlags: PEER_FLAGS,
          negotiatedFlags: ADVERTISED & PEER_FLAGS,
          thisNode: { name: 'a@one', creation: 11 },
          namedByPeer: false,
          namedPeer: false,
          rest: new Uint8Array(0),
        },
      },
    ])
    expect(machine.ended).toBe(true)
    expect(feed(status('ok'))).toEqual([])
  })
})

test('the first bytes of the channel may come with the acknowledgement', () => {
  const machine = after(initiator(), status('ok'), challenge())
  const [event] = machine.receive(Uint8Array.of(...ack(), 0, 0, 0, 0, 9), 0)
  expect(event).toMatchObject({ type: 'established', result: { rest: Uint8Array.of(0, 0, 0, 0, 9) } })
})

test('everything in one chunk', () => {
  const machine = initiator()
  machine.start()
  const events = machine.receive(Uint8Array.of(...status('ok'), ...challenge(), ...ack(), 0, 0, 0, 0), 0)
  expect(types(events)).toEqual(['status', 'write', 'established'])
})

test('messages have a 4-byte length over TLS', () => {
  const machine = initiator({ lengthBytes: 4 })
  expect(hex(written(machine.start())).slice(0, 10)).toBe('000000144e')
  expect(types(machine.receive(unhex('00000003 736f6b'), 0))).toEqual(['status'])
})

test('a peer that says MANDATORY_25_DIGEST has all that it stands for', () => {
  const machine = after(initiator(), status('ok'))
  expect(types(machine.receive(challenge(DistFlag.MANDATORY_25_DIGEST), 0))).toEqual(['write'])
  const [event] = machine.receive(ack(), 0)
  expect(event).toMatchObject({
    result: { negotiatedFlags: MANDATORY_25 | DistFlag.MANDATORY_25_DIGEST },
  })
})

describe('alive', () => {
  test('wanted: says true and goes on', () => {
    const machine = initiator()
    machine.start()
    expect(types(machine.receive(status('alive'), 0))).toEqual(['status', 'alive'])
    expect(hex(written(machine.answerAlive(true, 0)))).toBe(hex(status('true')))
    expect(types(machine.receive(Uint8Array.of(...challenge(), ...ack()), 0))).toEqual([
      'write',
      'established',
    ])
  })

  test('not wanted: says false and ends', () => {
    const machine = after(initiator(), status('alive'))
    const events = machine.answerAlive(false, 0)
    expect(hex(written(events))).toBe(hex(status('false')))
    expect(failure(events)).toMatchObject({ code: 'HANDSHAKE_ALREADY_CONNECTED', peerName: 'b@two' })
    expect(machine.answerAlive(true, 0)).toEqual([])
  })

  test('what the peer sends meanwhile waits, up to one message', () => {
    const machine = after(initiator(), status('alive'))
    expect(machine.receive(challenge(), 0)).toEqual([])
    expect(types(machine.answerAlive(true, 0))).toEqual(['write', 'write'])

    const flooded = after(initiator(), status('alive'))
    expect(
      failure(flooded.receive(new Uint8Array(DEFAULT_LIMITS.maxHandshakeMessageBytes + 3), 0)).code,
    ).toBe('HANDSHAKE_BAD_MESSAGE')
  })
})

describe('nok', () => {
  test('the attempt stands, whatever the peer does with it, until the set-up time ends', () => {
    const machine = after(initiator())
    expect(machine.receive(status('nok'), 1_000)).toEqual([{ type: 'status', status: 'nok' }])
    expect(machine.receive(challenge(), 1_001)).toEqual([])
    expect(machine.transportClosed()).toEqual([])
    expect(machine.deadline).toBe(1_000 + DEFAULT_LIMITS.setupTimeMs)
    expect(machine.expire(machine.deadline - 1)).toEqual([])
    expect(failure(machine.expire(machine.deadline)).code).toBe('HANDSHAKE_NOK')
  })

  test('ends at once a node that asked for a name: nobody connects to it', () => {
    const machine = after(nameless())
    expect(failure(machine.receive(status('nok'), 0)).code).toBe('HANDSHAKE_NOK')
  })
})

test('not_allowed is its own error', () => {
  const events = after(initiator()).receive(status('not_allowed'), 0)
  expect(types(events)).toEqual(['status', 'failed'])
  expect(failure(events)).toMatchObject({ code: 'HANDSHAKE_NOT_ALLOWED', peerName: 'b@two' })
})

describe('a node without a name', () => {
  test('asks with its host, is never visible, and gets name and creation', () => {
    const machine = nameless({ flags: ADVERTISED | DistFlag.PUBLISHED })
    const bytes = written(machine.start())
    const flags = Buffer.from(bytes).readBigUInt64BE(3)
    expect(flags).toBe(ADVERTISED | DistFlag.NAME_ME)
    expect(hex(bytes.subarray(11))).toBe(hex(unhex('00000000 0003 6f6e65')))
    expect(machine.receive(framed(encodeNamedStatus('3XYZ@one', 77)), 0)).toEqual([
      { type: 'status', status: 'named:' },
    ])
    const [, event] = machine.receive(Uint8Array.of(...challenge(), ...ack()), 0)
    expect(event).toMatchObject({
      result: { thisNode: { name: '3XYZ@one', creation: 77 }, namedByPeer: true },
    })
  })

  test.each(['3XYZ@elsewhere', 'one', '@one'])('does not take the name %s', (name) => {
    const machine = after(nameless())
    expect(failure(machine.receive(framed(encodeNamedStatus(name, 77)), 0)).code).toBe(
      'HANDSHAKE_BAD_MESSAGE',
    )
  })

  test.each(['ok', 'ok_simultaneous', 'alive'])('does not go on without a name after %s', (word) => {
    expect(failure(after(nameless()).receive(status(word), 0)).code).toBe('HANDSHAKE_BAD_MESSAGE')
  })
})

test('a name that was not asked for is refused', () => {
  const events = after(initiator()).receive(framed(encodeNamedStatus('x@one', 77)), 0)
  expect(failure(events).code).toBe('HANDSHAKE_BAD_MESSAGE')
})

test.each(['maybe', 'true', 'OK', 'ok ', 'named'])('status %s is none', (word) => {
  expect(failure(after(initiator()).receive(status(word), 0)).message).toContain('unexpected status')
})

test('another node that answers is named in the error', () => {
  const error = failure(after(initiator(), status('ok')).receive(challenge(PEER_FLAGS, 'c@two'), 0))
  expect(error).toMatchObject({ code: 'HANDSHAKE_WRONG_NODE', peerName: 'b@two' })
  expect(error.message).toContain('c@two')
})

test('missing flags are named', () => {
  const flags = PEER_FLAGS & ~(DistFlag.BIG_CREATION | DistFlag.MAP_TAG)
  expect(failure(after(initiator(), status('ok')).receive(challenge(flags), 0))).toMatchObject({
    code: 'HANDSHAKE_MISSING_FLAGS',
    missingFlags: ['MAP_TAG', 'BIG_CREATION'],
    peerName: 'b@two',
  })
})

describe('cookies', () => {
  test('a wrong acknowledgement: the peer has another cookie', () => {
    const machine = after(initiator(), status('ok'), challenge())
    const error = failure(machine.receive(ack('other'), 0))
    expect(error).toMatchObject({ code: 'HANDSHAKE_BAD_COOKIE', peerName: 'b@two' })
    expect(error.message).not.toContain('secret')
  })

  test('a peer that closes on our digest: the cookies differ, though it does not say so', () => {
    expect(failure(after(initiator(), status('ok'), challenge()).transportClosed()).code).toBe(
      'HANDSHAKE_BAD_COOKIE',
    )
  })
})

test('a connection that ends earlier is HANDSHAKE_CLOSED, with what was awaited', () => {
  const cause = new Error('ECONNRESET')
  const error = failure(after(initiator()).transportClosed(cause))
  expect(error).toMatchObject({ code: 'HANDSHAKE_CLOSED', cause })
  expect(error.message).toContain('before its status')
})

describe('set-up time', () => {
  const limits = { ...DEFAULT_LIMITS, setupTimeMs: 100, setupTotalMs: 250 }

  test('restarts after the status and after the challenge, and has a total', () => {
    const machine = initiator({ limits }, 1_000)
    machine.start()
    expect(machine.deadline).toBe(1_100)
    machine.receive(status('ok'), 1_090)
    expect(machine.deadline).toBe(1_190)
    machine.receive(challenge(), 1_180)
    expect(machine.deadline).toBe(1_250)
    expect(machine.expire(1_249)).toEqual([])
    expect(failure(machine.expire(1_250))).toMatchObject({ code: 'HANDSHAKE_TIMEOUT', peerName: 'b@two' })
    expect(machine.receive(ack(), 1_250)).toEqual([])
    expect(machine.expire(9_999)).toEqual([])
  })

  test('does not restart for parts of a message', () => {
    const machine = initiator({ limits }, 0)
    machine.start()
    machine.receive(status('ok').subarray(0, 3), 99)
    expect(machine.deadline).toBe(100)
    expect(failure(machine.expire(100)).message).toContain('no status')
  })
})

test('options that no handshake can carry are refused before anything is sent', () => {
  const bad = expect.objectContaining({ code: 'BAD_ARGUMENT' })
  expect(() => initiator({ peerName: 'b' })).toThrow(bad)
  expect(() => initiator({ thisNode: { name: 'a', creation: 1 } })).toThrow(bad)
  expect(() => initiator({ outCookie: 'ā' })).toThrow(bad)
  expect(() => initiator({ inCookie: '' })).toThrow(bad)
  expect(() => nameless({ thisHost: 'a@b' })).toThrow(bad)
  expect(() => initiator({ thisNode: undefined })).toThrow(bad)
  const machine = initiator()
  machine.start()
  expect(() => machine.start()).toThrow(bad)
})
