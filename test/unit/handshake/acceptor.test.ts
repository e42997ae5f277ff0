import type { Acceptor } from '../../../src/handshake/acceptor.js'
import { challengeDigest } from '../../../src/handshake/digest.js'
import { ADVERTISED, DistFlag, MANDATORY_25, MANDATORY_26 } from '../../../src/handshake/flags.js'
import {
  encodeComplement,
  encodeName,
  encodeNamedStatus,
  encodeOldName,
  encodeReply,
  encodeStatus,
} from '../../../src/handshake/messages.js'
import type { AcceptDecision } from '../../../src/handshake/types.js'
import { DEFAULT_LIMITS } from '../../../src/limits.js'
import {
  acceptor,
  bytewise,
  COOKIES,
  failure,
  framed,
  fromOffset,
  hex,
  latin1,
  md5,
  types,
  unhex,
  whole,
  written,
} from './support.js'

const OURS = 0x01234567
const THEIRS = 0xfedcba98
const PEER_FLAGS = MANDATORY_26 | DistFlag.SPAWN | DistFlag.PUBLISHED
const OK: AcceptDecision = { status: 'ok', ...COOKIES }

const name = (flags = PEER_FLAGS, text = 'a@one'): Uint8Array => framed(encodeName(flags, 11, latin1(text)))
const reply = (cookie = 'secret'): Uint8Array =>
  framed(encodeReply(THEIRS, challengeDigest(md5, OURS, cookie)))
const status = (text: string): Uint8Array => framed(encodeStatus(text))
const CHALLENGE = `0018 4e ${ADVERTISED.toString(16).padStart(16, '0')} 01234567 00000016 0005 624074776f`

/** An acceptor that has received the name and is decided. */
function decided(decision = OK, options: Parameters<typeof acceptor>[0] = {}): Acceptor {
  const machine = acceptor(options)
  machine.receive(name(), 0)
  machine.decide(decision, 0)
  return machine
}

describe.each([whole, bytewise, fromOffset])('a handshake that ends well, $name', (cut) => {
  test.each(['ok', 'ok_simultaneous'] as const)('decision %s, both cookies used', (word) => {
    const machine = acceptor()
    const feed = (bytes: Uint8Array) => cut(bytes).flatMap((chunk) => machine.receive(chunk, 0))
    expect(feed(name())).toEqual([
      {
        type: 'name',
        offer: { name: 'a@one', dynamic: false, creation: 11, flags: PEER_FLAGS, hidden: false },
      },
    ])
    const answered = machine.decide({ status: word, outCookie: 'shown', inCookie: 'expected' }, 0)
    expect(hex(written(answered))).toBe(hex(status(word)) + hex(unhex(CHALLENGE)))
    const events = feed(reply('expected'))
    expect(hex(written(events))).toBe(hex(unhex(`0011 61 ${hex(challengeDigest(md5, THEIRS, 'shown'))}`)))
    expect(events.at(-1)).toEqual({
      type: 'established',
      result: {
        peerName: 'a@one',
        peerCreation: 11,
        peerFlags: PEER_FLAGS,
        negotiatedFlags: ADVERTISED & PEER_FLAGS,
        thisNode: { name: 'b@two', creation: 22 },
        namedByPeer: false,
        namedPeer: false,
        rest: new Uint8Array(0),
      },
    })
    expect(feed(name())).toEqual([])
  })
})

test('bytes of the channel may come with the reply', () => {
  const events = decided().receive(Uint8Array.of(...reply(), 0, 0, 0, 0), 0)
  expect(events.at(-1)).toMatchObject({ type: 'established', result: { rest: new Uint8Array(4) } })
})

test('bytes after the name are ignored', () => {
  const message = Uint8Array.of(...encodeName(PEER_FLAGS, 11, latin1('a@one')), 1, 2, 3)
  expect(acceptor().receive(framed(message), 0)).toMatchObject([{ type: 'name', offer: { name: 'a@one' } }])
})

test('a decision can give a peer flags of its own', () => {
  const flags = ADVERTISED | DistFlag.PUBLISHED
  const machine = decided({ ...OK, flags })
  expect(machine.receive(reply(), 0).at(-1)).toMatchObject({
    result: { negotiatedFlags: flags & PEER_FLAGS },
  })
})

describe('nok and not_allowed', () => {
  test.each([
    ['nok', 'HANDSHAKE_NOK'],
    ['not_allowed', 'HANDSHAKE_NOT_ALLOWED'],
  ] as const)('%s is said, and ends it', (word, code) => {
    const machine = acceptor()
    machine.receive(name(), 0)
    const events = machine.decide({ status: word }, 0)
    expect(hex(written(events))).toBe(hex(status(word)))
    expect(failure(events)).toMatchObject({ code, peerName: 'a@one' })
    expect(machine.decide(OK, 0)).toEqual([])
  })
})

describe('alive', () => {
  test('true: challenge, proof, and only when the old connection is gone the acknowledgement', () => {
    const machine = acceptor()
    machine.receive(name(), 0)
    expect(hex(written(machine.decide({ status: 'alive', ...COOKIES }, 0)))).toBe(hex(status('alive')))
    expect(hex(written(machine.receive(status('true'), 0)))).toBe(hex(unhex(CHALLENGE)))
    expect(machine.receive(reply(), 0)).toEqual([{ type: 'replace', peerName: 'a@one' }])
    expect(machine.receive(Uint8Array.of(0, 0, 0, 0), 0)).toEqual([])
    const events = machine.replaced()
    expect(types(events)).toEqual(['write', 'established'])
    expect(events.at(-1)).toMatchObject({ result: { rest: new Uint8Array(4) } })
    expect(machine.replaced()).toEqual([])
  })

  test('a wrong cookie replaces nothing', () => {
    const machine = decided({ status: 'alive', ...COOKIES })
    machine.receive(status('true'), 0)
    expect(types(machine.receive(reply('other'), 0))).toEqual(['failed'])
  })

  test('false: the peer did not mean it', () => {
    const events = decided({ status: 'alive', ...COOKIES }).receive(status('false'), 0)
    expect(failure(events).code).toBe('HANDSHAKE_ALREADY_CONNECTED')
  })

  test('anything else is an error', () => {
    const events = decided({ status: 'alive', ...COOKIES }).receive(status('ok'), 0)
    expect(failure(events).code).toBe('HANDSHAKE_BAD_MESSAGE')
  })
})

describe('a peer that asks for a name', () => {
  const asks = name(MANDATORY_26 | DistFlag.NAME_ME, 'one')

  test('gets name and creation', () => {
    const machine = acceptor()
    expect(machine.receive(asks, 0)).toMatchObject([{ offer: { name: 'one', dynamic: true, hidden: true } }])
    const events = machine.decide({ status: 'named', name: 'x1@one', creation: 99, ...COOKIES }, 0)
    const flags = (ADVERTISED | DistFlag.NAME_ME).toString(16).padStart(16, '0')
    const challenge = CHALLENGE.replace(/4e \w+/, `4e ${flags}`)
    expect(hex(written(events))).toBe(hex(framed(encodeNamedStatus('x1@one', 99))) + hex(unhex(challenge)))
    expect(machine.receive(reply(), 0).at(-1)).toMatchObject({
      result: { peerName: 'x1@one', peerCreation: 99, namedPeer: true },
    })
  })

  test('must be given one of its host, or be refused', () => {
    const bad = expect.objectContaining({ code: 'BAD_ARGUMENT' })
    const machine = acceptor()
    machine.receive(asks, 0)
    expect(() => machine.decide(OK, 0)).toThrow(bad)
    expect(() => machine.decide({ status: 'named', name: 'x1@two', creation: 9, ...COOKIES }, 0)).toThrow(bad)
    expect(failure(machine.decide({ status: 'not_allowed' }, 0)).code).toBe('HANDSHAKE_NOT_ALLOWED')
    const other = acceptor()
    other.receive(name(), 0)
    expect(() => other.decide({ status: 'named', name: 'x1@one', creation: 9, ...COOKIES }, 0)).toThrow(bad)
    expect(() => other.decide({ ...OK, inCookie: 'ā' }, 0)).toThrow(bad)
  })
})

describe('the old name message', () => {
  const flags = MANDATORY_25 | DistFlag.SPAWN | DistFlag.ALIAS

  test.each([whole, bytewise, fromOffset])('with its complement: flags and creation of both, %p', (cut) => {
    const machine = acceptor()
    const feed = (bytes: Uint8Array) => cut(bytes).flatMap((chunk) => machine.receive(chunk, 0))
    const low = MANDATORY_25 & 0xffffffffn
    expect(feed(framed(encodeOldName(flags, latin1('a@one'))))).toMatchObject([
      { offer: { name: 'a@one', creation: 0, flags: low } },
    ])
    machine.decide(OK, 0)
    expect(feed(framed(encodeComplement(flags, 33)))).toEqual([])
    expect(feed(reply()).at(-1)).toMatchObject({ result: { peerFlags: flags, peerCreation: 33 } })
  })

  test('without a complement is an error', () => {
    const machine = acceptor()
    machine.receive(framed(encodeOldName(flags, latin1('a@one'))), 0)
    machine.decide(OK, 0)
    expect(failure(machine.receive(reply(), 0)).code).toBe('HANDSHAKE_BAD_MESSAGE')
  })

  test('of a node before OTP 23: the missing flag is named, and the node is told', () => {
    const events = acceptor().receive(
      framed(encodeOldName(flags & ~DistFlag.HANDSHAKE_23, latin1('a@one'))),
      0,
    )
    expect(hex(written(events))).toBe(hex(status('not_allowed')))
    expect(failure(events).missingFlags).toEqual(['HANDSHAKE_23'])
  })
})

test('missing flags: the peer is told not_allowed, the error names them', () => {
  const events = acceptor().receive(name(PEER_FLAGS & ~DistFlag.UTF8_ATOMS), 0)
  expect(hex(written(events))).toBe(hex(status('not_allowed')))
  expect(failure(events)).toMatchObject({
    code: 'HANDSHAKE_MISSING_FLAGS',
    missingFlags: ['UTF8_ATOMS'],
    peerName: 'a@one',
  })
})

test('a node with our own name is refused', () => {
  const events = acceptor().receive(name(PEER_FLAGS, 'b@two'), 0)
  expect(hex(written(events))).toBe(hex(status('not_allowed')))
  expect(failure(events).code).toBe('HANDSHAKE_WRONG_NODE')
})

test.each(['a', '@one', 'a@', 'a@b@c', ''])('%j is no name: not a word to the peer', (text) => {
  const events = acceptor().receive(name(PEER_FLAGS, text), 0)
  expect(types(events)).toEqual(['failed'])
  expect(failure(events).code).toBe('HANDSHAKE_BAD_MESSAGE')
})

test('a wrong cookie: not a word to the peer, and no cookie in the error', () => {
  const events = decided().receive(reply('hunter2'), 0)
  expect(types(events)).toEqual(['failed'])
  expect(failure(events)).toMatchObject({ code: 'HANDSHAKE_BAD_COOKIE', peerName: 'a@one' })
  expect(failure(events).message).not.toMatch(/secret|hunter2/)
})

test('what comes before the decision waits for it, within one message', () => {
  const machine = acceptor()
  machine.receive(name(), 0)
  expect(machine.receive(reply(), 0)).toEqual([])
  expect(types(machine.decide(OK, 0))).toEqual(['write', 'write', 'write', 'established'])

  const flooded = acceptor()
  flooded.receive(name(), 0)
  expect(flooded.receive(new Uint8Array(DEFAULT_LIMITS.maxHandshakeMessageBytes + 2), 0)).toEqual([])
  expect(failure(flooded.receive(new Uint8Array(1), 0)).code).toBe('HANDSHAKE_BAD_MESSAGE')
})

test('a connection that ends is HANDSHAKE_CLOSED; without a name nobody is named', () => {
  expect(failure(acceptor().transportClosed())).toMatchObject({
    code: 'HANDSHAKE_CLOSED',
    peerName: undefined,
  })
  expect(failure(decided().transportClosed())).toMatchObject({ code: 'HANDSHAKE_CLOSED', peerName: 'a@one' })
})

describe('set-up time', () => {
  const limits = { ...DEFAULT_LIMITS, setupTimeMs: 100, setupTotalMs: 250 }

  test('restarts after the status and after the challenge, and has a total', () => {
    const machine = acceptor({ limits }, 1_000)
    machine.receive(name(), 1_090)
    expect(machine.deadline).toBe(1_100)
    machine.decide({ status: 'alive', ...COOKIES }, 1_095)
    expect(machine.deadline).toBe(1_195)
    machine.receive(status('true'), 1_190)
    expect(machine.deadline).toBe(1_250)
    expect(failure(machine.expire(1_250)).code).toBe('HANDSHAKE_TIMEOUT')
  })

  test('runs on while this node decides', () => {
    const machine = acceptor({ limits })
    machine.receive(name(), 99)
    expect(failure(machine.expire(100)).message).toContain('decision')
    expect(machine.decide(OK, 100)).toEqual([])
  })

  test('a peer that drips bytes gets no more of it', () => {
    const machine = acceptor({ limits })
    const bytes = name()
    for (let i = 0; i < bytes.length - 1; i++) machine.receive(bytes.subarray(i, i + 1), i)
    expect(failure(machine.expire(100)).code).toBe('HANDSHAKE_TIMEOUT')
  })
})

test('this node must have a name', () => {
  expect(() => acceptor({ thisNode: { name: 'b', creation: 1 } })).toThrow(
    expect.objectContaining({ code: 'BAD_ARGUMENT' }),
  )
})
