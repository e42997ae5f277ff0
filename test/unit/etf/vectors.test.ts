/** What real OTP releases write: read, written back byte for byte, and refused at every earlier end. */
import {
  atom,
  BitString,
  decode,
  encode,
  type EncodeOptions,
  ErlMap,
  ExportFun,
  float,
  Fun,
  ImproperList,
  isEqual,
  LocalTerm,
  type NativeRecord,
  Pid,
  Port,
  Reference,
  tuple,
  type Term,
} from '../../../src/etf/node.js'
import { internAtom } from '../../../src/etf/atom.js'
import { RELEASES, vectors } from '../../support/etf-vectors.js'
import { naiveDecode } from '../../support/naive-etf.js'
import { naiveKey } from '../../support/naive-key.js'

const here = internAtom('nonode@nohost')

/** What the expressions are, where that does not differ from run to run. */
const VALUES: Record<string, Term> = {
  '0': 0,
  '255': 255,
  '256': 256,
  '-1': -1,
  '2147483647': 2147483647,
  '-2147483648': -2147483648,
  '2147483648': 2147483648,
  '-2147483649': -2147483649,
  '9007199254740991': 9007199254740991,
  '9007199254740992': 9007199254740992n,
  '-9007199254740992': -9007199254740992n,
  '1 bsl 64': 1n << 64n,
  '-(1 bsl 64)': -(1n << 64n),
  '1 bsl 2039': 1n << 2039n,
  '1 bsl 2040': 1n << 2040n,
  '-(1 bsl 4000)': -(1n << 4000n),
  '0.0': float(0),
  '-0.0': float(-0),
  '1.0': float(1),
  '1.5': 1.5,
  '5.0e-324': 5e-324,
  '1.7976931348623157e308': float(Number.MAX_VALUE),
  ok: atom('ok'),
  true: true,
  false: false,
  "''": atom(''),
  'list_to_atom([233])': atom('é'),
  'list_to_atom([26085,26412])': atom('日本'),
  'list_to_atom([128512])': atom('😀'),
  'list_to_atom(lists:duplicate(255, $a))': atom('a'.repeat(255)),
  'list_to_atom(lists:duplicate(255, 233))': atom('é'.repeat(255)),
  'list_to_atom(lists:duplicate(255, 26085))': atom('日'.repeat(255)),
  '<<>>': new Uint8Array(0),
  '<<"text">>': new Uint8Array(Buffer.from('text')),
  '<<0,255>>': new Uint8Array([0, 255]),
  '<<5:3>>': new BitString(new Uint8Array([0b10100000]), 3),
  '<<1,2,3:2>>': new BitString(new Uint8Array([1, 2, 0b11000000]), 2),
  '[]': [],
  '[1,2,3]': [1, 2, 3],
  '"string"': [...Buffer.from('string')],
  '[1|2]': new ImproperList([1], 2),
  '[a,b|c]': new ImproperList([atom('a'), atom('b')], atom('c')),
  '[256]': [256],
  '{}': tuple(),
  '{1}': tuple(1),
  '{ok,{error,[]}}': tuple(atom('ok'), tuple(atom('error'), [])),
  'list_to_tuple(lists:duplicate(255, a))': tuple(...new Array<Term>(255).fill(atom('a'))),
  'list_to_tuple(lists:duplicate(256, a))': tuple(...new Array<Term>(256).fill(atom('a'))),
  '#{}': ErlMap.from([]),
  '#{a => 1}': ErlMap.from([[atom('a'), 1]]),
  '#{1 => one, 1.0 => float}': ErlMap.from<Term, Term>([
    [1, atom('one')],
    [float(1), atom('float')],
  ]),
  '#{{k} => #{<<"b">> => []}}': ErlMap.from<Term, Term>([
    [tuple(atom('k')), ErlMap.from<Term, Term>([[new Uint8Array([98]), []]])],
  ]),
  'maps:from_list([{I, I} || I <- lists:seq(1, 40)])': ErlMap.from(
    Array.from({ length: 40 }, (_, i) => [i + 1, i + 1] as const),
  ),
  'list_to_pid("<0.90.0>")': new Pid(here, 90, 0, 0),
  'list_to_pid("<0.32767.7>")': new Pid(here, 32767, 7, 0),
  'fun lists:map/2': new ExportFun(atom('lists'), atom('map'), 2),
  'fun erlang:self/0': new ExportFun(atom('erlang'), atom('self'), 0),
}

const CLASSES: Record<string, new (...args: never[]) => unknown> = {
  'hd(erlang:ports())': Port,
  'make_ref()': Reference,
  'alias()': Reference,
  'fun(X) -> X end': Fun,
}

/** The argument of `term_to_binary(…)`, and the options that give its bytes. */
function parts(otp: number, expression: string): { argument: string; options: EncodeOptions } {
  const like = otp < 26 ? 25 : 27
  const minor = /^term_to_binary\((.*), \[\{minor_version, (\d)\}\]\)$/s.exec(expression)
  if (minor)
    return { argument: minor[1] as string, options: { like, minorVersion: Number(minor[2]) as 0 | 1 | 2 } }
  return { argument: /^term_to_binary\((.*)\)$/s.exec(expression)?.[1] ?? expression, options: { like } }
}

describe.each(RELEASES)('OTP %i', (otp) => {
  const all = vectors(otp)
  const plain = all.filter(({ bytes }) => bytes[1] !== 80)

  test('has vectors of the kinds it writes', () => {
    const tags = new Set(all.map(({ bytes }) => bytes[1]))
    const expected = [
      70, 77, 80, 88, 90, 97, 98, 99, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 116, 118, 119,
    ]
    expect(expected.filter((tag) => !tags.has(tag))).toEqual([])
    expect(tags.has(otp < 26 ? 89 : 120)).toBe(true)
    expect(tags.has(100)).toBe(true)
    expect(tags.has(121)).toBe(otp >= 26)
  })

  test.each(plain)('$expression', ({ expression, bytes }) => {
    const { argument, options } = parts(otp, expression)
    const term = decode(bytes)
    expect(Buffer.from(encode(term, options)).toString('hex')).toBe(Buffer.from(bytes).toString('hex'))
    const value = VALUES[argument]
    // OTP 23's evaluator loses the sign.
    if (value !== undefined && !(otp === 23 && argument === '-0.0')) expect(isEqual(term, value)).toBe(true)
    const type = CLASSES[argument]
    if (type !== undefined) expect(term).toBeInstanceOf(type)
    if (bytes[1] !== 121) expect(naiveKey(naiveDecode(bytes))).toBe(naiveKey(term))
    for (let end = 0; end < bytes.length && bytes[1] !== 121; end++) {
      expect(() => decode(bytes.subarray(0, end))).toThrow(expect.objectContaining({ name: 'EtfError' }))
    }
  })

  test.each(all.filter(({ bytes }) => bytes[1] === 80))('$expression', ({ expression, bytes }) => {
    const expected: Term = expression.includes('hello')
      ? new Array<Term>(100).fill(atom('hello'))
      : Array.from({ length: 300 }, (_, i) => i + 1)
    expect(isEqual(decode(bytes), expected)).toBe(true)
    const packed = encode(expected, { compressed: true })
    expect(packed[1]).toBe(80)
    expect(isEqual(decode(packed), expected)).toBe(true)
    for (let end = 0; end < bytes.length; end++) {
      expect(() => decode(bytes.subarray(0, end))).toThrow(expect.objectContaining({ name: 'EtfError' }))
    }
  })
})

test('every expression has a value or a class to be', () => {
  const unknown = RELEASES.flatMap((otp) =>
    vectors(otp).map(({ expression }) => parts(otp, expression).argument),
  )
    .filter((argument) => !(argument in VALUES) && !(argument in CLASSES))
    .filter(
      (argument) =>
        !/lists:duplicate\(100|lists:seq\(1, 300|\[local\]|^0\.1$|^-1\.0e300$|960|native:all/.test(argument),
    )
  expect(unknown).toEqual([])
})

test('native records of OTP 29 come with module, name, fields and whether they are exported', () => {
  const { bytes } = vectors(29).find(({ expression }) => expression.includes('native:all()')) as {
    bytes: Uint8Array
  }
  const [exported, nested, empty] = (decode(bytes) as ReturnType<typeof tuple>).elements as [
    NativeRecord,
    NativeRecord,
    NativeRecord,
  ]
  expect(exported).toMatchObject({
    module: atom('native'),
    name: atom('point'),
    exported: true,
    values: [1, 0],
  })
  expect(exported.fields).toEqual([atom('x'), atom('y')])
  expect(exported.get('x')).toBe(1)
  expect(exported.get('z')).toBeUndefined()
  expect(isEqual(nested.get('y'), tuple(empty))).toBe(true)
  expect(empty).toMatchObject({ name: atom('empty'), exported: false, fields: [], values: [] })
})

test('what only its own node can read is kept as it is, and stands alone', () => {
  const { bytes } = vectors(27).find(({ bytes }) => bytes[1] === 121) as { bytes: Uint8Array }
  const term = decode(bytes) as LocalTerm
  expect(term).toBeInstanceOf(LocalTerm)
  expect(Buffer.compare(term.bytes, bytes.subarray(2))).toBe(0)
  expect(() => encode([term])).toThrow(expect.objectContaining({ code: 'ETF_UNSUPPORTED', path: '[0]' }))
})
