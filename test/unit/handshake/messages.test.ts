import {
  decodeAck,
  decodeChallenge,
  decodeComplement,
  decodeName,
  decodeReply,
  decodeStatus,
  encodeAck,
  encodeChallenge,
  encodeComplement,
  encodeName,
  encodeNamedStatus,
  encodeOldName,
  encodeReply,
  encodeStatus,
} from '../../../src/handshake/messages.js'
import { fromOffset, hex, latin1, unhex } from './support.js'

const DIGEST = Uint8Array.from({ length: 16 }, (_, i) => i * 15)

/** Each message: its bytes as the document lays them out, and what they mean. */
const MESSAGES = [
  {
    what: 'name',
    encoded: encodeName(0x0102030405060708n, 0x090a0b0c, latin1('a@one')),
    bytes: '4e 0102030405060708 090a0b0c 0005 61406f6e65',
    decode: decodeName,
    meaning: { old: false, flags: 0x0102030405060708n, creation: 0x090a0b0c, name: 'a@one' },
  },
  {
    what: 'old name',
    encoded: encodeOldName(0xff_f1020304n, latin1('a@one')),
    bytes: '6e 0005 f1020304 61406f6e65',
    decode: decodeName,
    meaning: { old: true, flags: 0xf1020304n, creation: 0, name: 'a@one' },
  },
  {
    what: 'complement',
    encoded: encodeComplement(0xf1020304_05060708n, 0xfffefdfc),
    bytes: '63 f1020304 fffefdfc',
    decode: decodeComplement,
    meaning: { flagsHigh: 0xf1020304_00000000n, creation: 0xfffefdfc },
  },
  {
    what: 'status',
    encoded: encodeStatus('ok_simultaneous'),
    bytes: '73 6f6b5f73696d756c74616e656f7573',
    decode: decodeStatus,
    meaning: { status: 'ok_simultaneous', name: undefined, creation: 0 },
  },
  {
    what: 'named status',
    encoded: encodeNamedStatus('é@one', 0x80000001),
    bytes: '73 6e616d65643a 0006 c3a9406f6e65 80000001',
    decode: decodeStatus,
    meaning: { status: 'named:', name: 'é@one', creation: 0x80000001 },
  },
  {
    what: 'challenge',
    encoded: encodeChallenge(0xf102030405060708n, 0xfedcba98, 0x80000002, latin1('\xe9@two')),
    bytes: '4e f102030405060708 fedcba98 80000002 0005 e94074776f',
    decode: decodeChallenge,
    meaning: { flags: 0xf102030405060708n, challenge: 0xfedcba98, creation: 0x80000002, name: 'é@two' },
  },
  {
    what: 'reply',
    encoded: encodeReply(0xfedcba98, DIGEST),
    bytes: `72 fedcba98 ${hex(DIGEST)}`,
    decode: decodeReply,
    meaning: { challenge: 0xfedcba98, digest: DIGEST },
  },
  { what: 'ack', encoded: encodeAck(DIGEST), bytes: `61 ${hex(DIGEST)}`, decode: decodeAck, meaning: DIGEST },
] as const

/** Messages after which the document demands that more bytes are ignored. */
const EXTENSIBLE = new Set(['name', 'named status', 'challenge', 'complement'])

describe.each(MESSAGES)('the $what message', ({ what, encoded, bytes, decode, meaning }) => {
  const message = unhex(bytes)

  test('is laid out as the document says', () => {
    expect(hex(encoded)).toBe(hex(message))
  })

  test('means what was encoded, from its own buffer and from within a larger one', () => {
    expect(decode(message)).toEqual(meaning)
    expect(decode(fromOffset(message)[0]!)).toEqual(meaning)
  })

  test('is refused with any other tag', () => {
    const wrong = message.slice()
    wrong[0] = 0x7a
    expect(() => decode(wrong)).toThrow(expect.objectContaining({ code: 'HANDSHAKE_BAD_MESSAGE' }))
    expect(() => decode(new Uint8Array(0))).toThrow(
      expect.objectContaining({ code: 'HANDSHAKE_BAD_MESSAGE' }),
    )
  })

  if (what !== 'status' && what !== 'old name') {
    test('is refused when any byte at its end is missing', () => {
      for (let length = 1; length < message.length; length++) {
        // `named:` cut within its name of a status is another status; the state machine refuses that.
        if (what === 'named status' && length < 1 + 'named:'.length) continue
        expect(() => decode(message.subarray(0, length))).toThrow(
          expect.objectContaining({ code: 'HANDSHAKE_BAD_MESSAGE' }),
        )
      }
    })
  }

  if (EXTENSIBLE.has(what)) {
    test('may be followed by bytes of the future', () => {
      expect(decode(Uint8Array.of(...message, 1, 2, 3))).toEqual(meaning)
    })
  }

  if (what === 'reply' || what === 'ack') {
    test('may not be longer, as for a BEAM', () => {
      expect(() => decode(Uint8Array.of(...message, 1))).toThrow(
        expect.objectContaining({ code: 'HANDSHAKE_BAD_MESSAGE' }),
      )
    })
  }
})

test('a status needs at least one character, an old name too', () => {
  expect(() => decodeStatus(unhex('73'))).toThrow('status')
  expect(() => decodeName(unhex('6e 0005 00000001'))).toThrow('name')
})

test('a challenge of OTP 22 and older is named as such', () => {
  expect(() => decodeChallenge(unhex('6e 0005 0007ffff 01020304 62'))).toThrow('OTP 22')
})

test('a name that is no UTF-8 in a named status is refused', () => {
  expect(() => decodeStatus(unhex('73 6e616d65643a 0002 c328 00000001'))).toThrow('status')
})
