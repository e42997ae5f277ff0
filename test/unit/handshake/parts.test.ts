/** Assembler, digest, flags, names, log lines. */
import { HandshakeError } from '../../../src/errors.js'
import { MessageAssembler, withLength } from '../../../src/handshake/assembler.js'
import { challengeDigest, digestsEqual } from '../../../src/handshake/digest.js'
import {
  ADVERTISED,
  DistFlag,
  expandFlags,
  flagNames,
  MANDATORY_25,
  MANDATORY_26,
  missingFlagNames,
  REQUIRED,
} from '../../../src/handshake/flags.js'
import { otpLogLine } from '../../../src/handshake/log.js'
import { isHostName, isNodeName, nodeNameBytes, quoteAtom } from '../../../src/handshake/names.js'
import { bytewise, fromOffset, hex, latin1, md5, unhex, whole } from './support.js'

describe('assembler', () => {
  for (const lengthBytes of [2, 4] as const) {
    for (const cut of [whole, bytewise, fromOffset]) {
      test(`${lengthBytes}-byte lengths, ${cut.name}: messages, then the rest`, () => {
        const assembler = new MessageAssembler(lengthBytes, 10)
        const stream = [latin1('one'), new Uint8Array(0), latin1('0123456789')].map((m) =>
          withLength(lengthBytes, m),
        )
        const messages: string[] = []
        for (const chunk of cut(Uint8Array.from([...stream.flatMap((m) => [...m]), 7]))) {
          assembler.push(chunk)
          for (let next = assembler.next(); next !== undefined; next = assembler.next()) {
            messages.push(Buffer.from(next).toString())
          }
        }
        expect(messages).toEqual(['one', '', '0123456789'])
        expect([...assembler.takeRest()]).toEqual([7])
        expect(assembler.takeRest()).toHaveLength(0)
      })
    }
  }

  test('a length over the limit is refused from its length alone; one at the limit is waited for', () => {
    const assembler = new MessageAssembler(2, 300)
    assembler.push(unhex('012c'))
    expect(assembler.next()).toBeUndefined()
    const other = new MessageAssembler(2, 300)
    other.push(unhex('012d'))
    expect(() => other.next()).toThrow(expect.objectContaining({ code: 'HANDSHAKE_BAD_MESSAGE' }))
    const wide = new MessageAssembler(4, 300)
    wide.push(unhex('ffffffff'))
    expect(() => wide.next()).toThrow('4294967295')
  })

  test('bytes ahead of turn are held up to one message', () => {
    const assembler = new MessageAssembler(2, 10)
    assembler.push(new Uint8Array(12))
    expect(() => assembler.assertQuiet()).not.toThrow()
    assembler.push(new Uint8Array(1))
    expect(() => assembler.assertQuiet()).toThrow('13 bytes before its turn')
  })
})

describe('digest', () => {
  test('is what erlang:md5(["secret" | integer_to_list(Challenge)]) gives', () => {
    // erl -noshell -eval 'io:format("~s~n",[binary:encode_hex(erlang:md5(["secret"|"4275878552"]))]),halt().'
    expect(hex(challengeDigest(md5, 0xfedcba98, 'secret'))).toBe('66d291078e3df872cacaba62f012af18')
  })

  test('takes the challenge as unsigned and the cookie as Latin-1', () => {
    expect(hex(challengeDigest(md5, -1, 'é'))).toBe(hex(md5(latin1('\xe94294967295'))))
    expect(() => challengeDigest(md5, 1, 'cookie\u0100')).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT' }),
    )
    expect(() => challengeDigest(md5, 1, '')).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
  })

  test('comparison sees a difference in any byte and any length', () => {
    const digest = md5(latin1('x'))
    expect(digestsEqual(digest, Uint8Array.from(digest))).toBe(true)
    for (let i = 0; i < 16; i++) {
      const other = Uint8Array.from(digest)
      other[i]! ^= 0x80
      expect(digestsEqual(digest, other)).toBe(false)
    }
    expect(digestsEqual(digest, digest.subarray(1))).toBe(false)
    expect(digestsEqual(new Uint8Array(0), new Uint8Array(0))).toBe(false)
  })
})

describe('flags', () => {
  test('what OTP 29 advertises, by name', () => {
    expect(flagNames(0x6d07df7fbdn)).toEqual(
      Object.keys(DistFlag).filter((name) => !['ATOM_CACHE', 'HIDDEN_ATOM_CACHE', 'NAME_ME'].includes(name)),
    )
  })

  test('a bit without a name is printed as OTP does', () => {
    expect(flagNames(1n << 63n)).toEqual(['UNKNOWN<16#8000000000000000>'])
  })

  test('the digest stands for all that OTP 25 requires, and nothing else', () => {
    expect(expandFlags(DistFlag.MANDATORY_25_DIGEST)).toBe(MANDATORY_25 | DistFlag.MANDATORY_25_DIGEST)
    expect(expandFlags(DistFlag.SPAWN)).toBe(DistFlag.SPAWN)
    expect(missingFlagNames(REQUIRED, DistFlag.MANDATORY_25_DIGEST)).toEqual([])
    expect(missingFlagNames(REQUIRED, MANDATORY_25 & ~DistFlag.MAP_TAG)).toEqual(['MAP_TAG'])
  })

  test('what we advertise satisfies OTP 26 and later, and promises neither visibility nor another form of messages', () => {
    expect(ADVERTISED & MANDATORY_26).toBe(MANDATORY_26)
    const withheld = DistFlag.PUBLISHED | DistFlag.NAME_ME | DistFlag.DIST_HDR_ATOM_CACHE | DistFlag.FRAGMENTS
    expect(ADVERTISED & withheld).toBe(0n)
  })
})

describe('names', () => {
  test.each(['a@b', 'a-b_1@host.example.org', 'é@127.0.0.1', `${'n'.repeat(250)}@host`])(
    '%s is a node',
    (name) => {
      expect(isNodeName(name)).toBe(true)
    },
  )

  test.each(['', 'a', '@b', 'a@', 'a@b@c', `${'n'.repeat(251)}@host`])('%s is none', (name) => {
    expect(isNodeName(name)).toBe(false)
    expect(() => nodeNameBytes(name)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
  })

  test('hosts have no @', () => {
    expect(isHostName('localhost')).toBe(true)
    expect(isHostName('')).toBe(false)
    expect(isHostName('a@b')).toBe(false)
  })

  test('a name beyond Latin-1 cannot be sent', () => {
    expect(() => nodeNameBytes('ā@b')).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
  })

  test('are printed as the atoms they are, harmless in a log', () => {
    expect(quoteAtom('a@one')).toBe('a@one')
    expect(quoteAtom('a@127.0.0.1')).toBe("'a@127.0.0.1'")
    expect(quoteAtom("a'b\\@c\n\x1b[31m")).toBe("'a\\'b\\\\@c\\x{a}\\x{1b}[31m'")
  })
})

describe('log lines', () => {
  const at = { peerName: 'a@127.0.0.1' }
  test.each([
    [
      new HandshakeError('HANDSHAKE_BAD_COOKIE', '', at),
      'in',
      "** Connection attempt from node 'a@127.0.0.1' rejected. Invalid challenge reply. **",
    ],
    [
      new HandshakeError('HANDSHAKE_BAD_COOKIE', '', at),
      'out',
      "** Connection attempt to node 'a@127.0.0.1' cancelled. Invalid challenge ack. **",
    ],
    [
      new HandshakeError('HANDSHAKE_NOT_ALLOWED', '', at),
      'in',
      '** Connection attempt from disallowed node a@127.0.0.1 **',
    ],
    [
      new HandshakeError('HANDSHAKE_MISSING_FLAGS', '', { ...at, missingFlags: ['SPAWN', 'ALIAS'] }),
      'in',
      '** b@two: Connection attempt from node \'a@127.0.0.1\' rejected since it cannot handle ["SPAWN","ALIAS"].**',
    ],
    [
      new HandshakeError('HANDSHAKE_MISSING_FLAGS', '', { ...at, missingFlags: ['SPAWN'] }),
      'out',
      '** b@two: Connection attempt to node \'a@127.0.0.1\' aborted since it cannot handle ["SPAWN"].**',
    ],
    [
      new HandshakeError('HANDSHAKE_NOT_ALLOWED', '', { peerName: 'a\n@b' }),
      'in',
      '** Connection attempt from disallowed node a\\x{a}@b **',
    ],
    [new HandshakeError('HANDSHAKE_NOT_ALLOWED', '', at), 'out', undefined],
    [new HandshakeError('HANDSHAKE_TIMEOUT', '', at), 'in', undefined],
    [new HandshakeError('HANDSHAKE_BAD_COOKIE', ''), 'in', undefined],
  ] as const)('%s %s', (error, direction, line) => {
    expect(otpLogLine(error, direction, 'b@two')).toBe(line)
  })
})
