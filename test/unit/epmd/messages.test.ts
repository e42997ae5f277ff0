import {
  decodeAliveReply,
  decodeNamesReply,
  decodePortReply,
  decodeRequest,
  encodeAliveReply,
  encodeNamesReply,
  encodePortReply,
  encodeRequest,
  encodeText,
  isAliveName,
  NO_EXTRA,
  type EpmdNode,
  type EpmdRequest,
} from '../../../src/epmd/messages.js'
import { countCharacters, decodeUtf8, encodeUtf8 } from '../../../src/epmd/utf8.js'

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replace(/\s/g, ''), 'hex'))
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')

const node = (over: Partial<EpmdNode> = {}): EpmdNode => ({
  name: 'a',
  port: 0x9e89,
  nodeType: 77,
  protocol: 0,
  highestVersion: 6,
  lowestVersion: 5,
  extra: NO_EXTRA,
  ...over,
})

/** The bytes as a view that begins in the middle of a larger buffer. */
function shifted(bytes: Uint8Array): Uint8Array {
  const larger = new Uint8Array(bytes.length + 12).fill(0xee)
  larger.set(bytes, 7)
  return larger.subarray(7, 7 + bytes.length)
}

/** What a node of OTP 25 sends: `ERL_EPMD_PORT=P erl -name a@127.0.0.1`, `net_adm:names()`, a ping; read at port P. */
const OTP_REQUESTS: [string, string, EpmdRequest][] = [
  ['ALIVE2_REQ', '000e 78 9e89 4d 00 0006 0005 0001 61 0000', { type: 'alive', node: node() }],
  ['NAMES_REQ', '0001 6e', { type: 'names' }],
  ['PORT_PLEASE2_REQ', '0002 7a 62', { type: 'port', name: 'b' }],
]

describe('requests', () => {
  test.each(OTP_REQUESTS)('%s as OTP 25 sends it', (_name, bytes, request) => {
    expect(toHex(encodeRequest(request))).toBe(bytes.replace(/\s/g, ''))
    expect(decodeRequest(hex(bytes).subarray(2))).toEqual(request)
    expect(decodeRequest(shifted(hex(bytes).subarray(2)))).toEqual(request)
  })

  test.each<[EpmdRequest]>([
    [{ type: 'alive', node: node({ name: 'zürich', extra: hex('00ff7f'), nodeType: 72, port: 65535 }) }],
    [{ type: 'port', name: '日本' }],
    [{ type: 'names' }],
    [{ type: 'dump' }],
    [{ type: 'kill' }],
    [{ type: 'stop', name: 'gone' }],
  ])('round trip of %j', (request) => {
    const bytes = encodeRequest(request)
    expect((bytes[0]! << 8) | bytes[1]!).toBe(bytes.length - 2)
    expect(decodeRequest(bytes.subarray(2))).toEqual(request)
  })

  test('every shorter ALIVE2_REQ is bad, and longer ones are read', () => {
    const body = encodeRequest({ type: 'alive', node: node({ name: 'abc', extra: hex('0102') }) }).subarray(2)
    for (let length = 1; length < body.length; length++)
      expect(decodeRequest(body.subarray(0, length))).toMatchObject({ type: 'bad' })
    const longer = Uint8Array.of(...body, 0, 1, 2)
    expect(decodeRequest(longer)).toEqual(decodeRequest(body))
  })

  test('the extra field is a copy: the read buffer is reused', () => {
    const body = encodeRequest({ type: 'alive', node: node({ extra: hex('0102') }) }).subarray(2)
    const request = decodeRequest(body)
    body.fill(0)
    expect(request).toMatchObject({ node: { extra: hex('0102') } })
  })

  test.each([
    ['no name', '78 9e89 4d 00 0006 0005 0000 0000'],
    ['a NUL in the name', '78 9e89 4d 00 0006 0005 0003 610062 0000'],
    ['an empty body', ''],
    ['an unknown tag', '61'],
    ['PORT_PLEASE2_REQ without a name', '7a'],
    ['PORT_PLEASE2_REQ with a NUL only', '7a 00'],
    ['PORT_PLEASE2_REQ with a NUL inside', '7a 61 00 62'],
    ['PORT_PLEASE2_REQ in Latin-1', '7a e9'],
    ['STOP_REQ without a name', '73'],
  ])('%s is bad', (_name, body) => {
    expect(decodeRequest(hex(body))).toMatchObject({ type: 'bad', reason: expect.any(String) })
  })

  test('a name of 255 characters is looked up, one of 256 is not', () => {
    for (const letter of ['x', 'ü', '𝕏']) {
      const body = (count: number) => encodeRequest({ type: 'port', name: letter.repeat(count) }).subarray(2)
      expect(decodeRequest(body(255))).toEqual({ type: 'port', name: letter.repeat(255) })
      expect(decodeRequest(body(256))).toMatchObject({ type: 'bad' })
    }
  })

  test('a NUL behind the name is stripped', () => {
    expect(decodeRequest(hex('7a 6578 00'))).toEqual({ type: 'port', name: 'ex' })
  })

  test('a registration in invalid UTF-8 keeps its version, so that it can be refused in its form', () => {
    expect(decodeRequest(hex('78 9e89 4d 00 0006 0005 0001 e9 0000'))).toMatchObject({
      type: 'alive',
      node: { name: '', highestVersion: 6 },
    })
  })
})

describe('replies as OTP 25.2.3 gives them', () => {
  test('ALIVE2_X_RESP with a 32-bit creation', () => {
    const bytes = hex('76 00 6b020915')
    expect(decodeAliveReply(bytes)).toEqual({ type: 'registered', creation: 0x6b020915 })
    expect(encodeAliveReply(6, 0x6b020915)).toEqual(bytes)
  })

  test('a creation above 2^31 is not negative', () => {
    expect(decodeAliveReply(hex('76 00 ffffffff'))).toEqual({ type: 'registered', creation: 0xffffffff })
    expect(toHex(encodeAliveReply(6, 0xffffffff))).toBe('7600ffffffff')
  })

  test('ALIVE2_RESP with a 16-bit creation', () => {
    const bytes = hex('79 00 0003')
    expect(decodeAliveReply(bytes)).toEqual({ type: 'registered', creation: 3 })
    expect(encodeAliveReply(5, 3)).toEqual(bytes)
  })

  test('refusals in both forms', () => {
    expect(toHex(encodeAliveReply(6, undefined))).toBe('760100000063')
    expect(toHex(encodeAliveReply(5, undefined))).toBe('79010063')
    expect(decodeAliveReply(hex('760100000063'))).toEqual({ type: 'refused', result: 1 })
    expect(decodeAliveReply(hex('79010063'))).toEqual({ type: 'refused', result: 1 })
  })

  test('PORT2_RESP', () => {
    const bytes = hex('77 00 0fa0 4d 00 0006 0005 0002 6578 0005 68656c6c6f')
    const known = node({ name: 'ex', port: 4000, extra: hex('68656c6c6f') })
    expect(decodePortReply(bytes)).toEqual(known)
    expect(encodePortReply(known)).toEqual(bytes)
    expect(decodePortReply(hex('77 01'))).toBeNull()
    expect(encodePortReply(undefined)).toEqual(hex('77 01'))
  })

  test('NAMES_RESP', () => {
    const bytes = Uint8Array.from(
      Buffer.from('\0\0\x38\x3fname tr at port 4000\nname ex at port 4001\n', 'latin1'),
    )
    const names = [
      { name: 'tr', port: 4000 },
      { name: 'ex', port: 4001 },
    ]
    expect(decodeNamesReply(bytes)).toEqual({ epmdPort: 14399, names })
    expect(encodeNamesReply(14399, names.map(node))).toEqual(bytes)
    expect(decodeNamesReply(bytes.subarray(0, 4))).toEqual({ epmdPort: 14399, names: [] })
  })

  test('the commands', () => {
    expect((['OK', 'NO', 'STOPPED', 'NOEXIST'] as const).map((text) => latin1(encodeText(text)))).toEqual([
      'OK',
      'NO',
      'STOPPED',
      'NOEXIST',
    ])
  })
})

describe('replies in pieces', () => {
  const whole: [string, Uint8Array, (bytes: Uint8Array) => unknown][] = [
    ['ALIVE2_X_RESP', encodeAliveReply(6, 77), decodeAliveReply],
    ['ALIVE2_RESP', encodeAliveReply(5, 1), decodeAliveReply],
    ['PORT2_RESP', encodePortReply(node({ name: 'größe', extra: hex('0001') })), decodePortReply],
    ['PORT2_RESP, none', encodePortReply(undefined), decodePortReply],
  ]
  test.each(whole)('%s: nothing until the last byte, also from an offset', (_name, bytes, decode) => {
    for (let length = 0; length < bytes.length; length++) {
      expect(decode(bytes.subarray(0, length))).toBeUndefined()
      expect(decode(shifted(bytes.subarray(0, length)))).toBeUndefined()
    }
    expect(decode(bytes)).not.toBeUndefined()
    expect(decode(shifted(bytes))).toEqual(decode(bytes))
  })

  test.each([
    ['an HTTP answer', 'HTTP/1.1 400 Bad Request'],
    ['one wrong byte', 'x'],
  ])('%s is no reply, and the error says so', (_name, text) => {
    const bytes = encodeUtf8(text)
    expect(() => decodeAliveReply(bytes)).toThrow(expect.objectContaining({ code: 'EPMD_BAD_REPLY' }))
    expect(() => decodePortReply(bytes)).toThrow(expect.objectContaining({ code: 'EPMD_BAD_REPLY' }))
  })

  test('a names reply without the port or a name is an error; further lines that are none are skipped', () => {
    for (const wrong of [
      '\0\0\x11',
      'HTTP',
      'HTTP/1.0 400\r\n\r\n',
      '\0\0\x11\x11names',
      '\0\0\x11\x11\n',
      '\0\x01\0\0',
    ])
      expect(() => decodeNamesReply(encodeUtf8(wrong))).toThrow(
        expect.objectContaining({ code: 'EPMD_BAD_REPLY' }),
      )
    const text = 'name ok at port 1\nname broken\nactive name <x>\n\nname \xff at port 2\nname half at port 3'
    const bytes = Uint8Array.from(Buffer.from(`\0\0\x11\x11${text}`, 'latin1'))
    expect(decodeNamesReply(bytes).names).toEqual([
      { name: 'ok', port: 1 },
      { name: 'half', port: 3 },
    ])
  })
})

describe('names', () => {
  test.each(['a', 'rabbit', 'a-b_c.d', 'é', '日本', 'x'.repeat(255), '𝕏'.repeat(255)])(
    '%s can be one',
    (name) => {
      expect(isAliveName(name)).toBe(true)
    },
  )
  test.each(['', 'a b', 'a\nname b at port 1', 'a@b', 'a\0', 'a\x7f', 'x'.repeat(256), '𝕏'.repeat(256)])(
    '%j cannot',
    (name) => {
      expect(isAliveName(name)).toBe(false)
    },
  )
})

describe('UTF-8', () => {
  test.each([
    '',
    'plain',
    'é',
    '€',
    '𝕏',
    '\u{10ffff}',
    '\ud7ff\ue000',
    '\0\x7f\x80\u07ff\u0800\uffff\u{10000}',
  ])('%j is written and read as the platform does', (text) => {
    const bytes = encodeUtf8(text)
    expect(Buffer.from(bytes)).toEqual(Buffer.from(text))
    expect(decodeUtf8(bytes)).toBe(text)
    expect(decodeUtf8(shifted(bytes))).toBe(text)
    expect(countCharacters(text)).toBe([...text].length)
  })
  test('a lone surrogate is written as the replacement character', () => {
    expect(decodeUtf8(encodeUtf8('a\ud800b'))).toBe('a\ufffdb')
  })
  test.each([
    '80',
    'bf',
    'c0 80',
    'c1 bf',
    'c2',
    'c2 20',
    'e0 80 80',
    'e0 9f bf',
    'ed a0 80',
    'ed bf bf',
    'e2 82',
  ])('%s is not valid', (bytes) => {
    expect(decodeUtf8(hex(bytes))).toBeUndefined()
  })
  test.each([
    'f0 80 80 80',
    'f0 8f bf bf',
    'f4 90 80 80',
    'f5 80 80 80',
    'ff',
    'fe',
    'f0 9f 98',
    'f8 88 80 80 80',
  ])('%s is not valid either', (bytes) => {
    expect(decodeUtf8(hex(bytes))).toBeUndefined()
  })
})
