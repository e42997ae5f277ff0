import {
  atom,
  DEFAULT_LIMITS,
  ErlMap,
  float,
  ImproperList,
  isEqual,
  parse,
  Pid,
  Port,
  Reference,
  tuple,
  type Term,
} from '../../../src/etf/node.js'
import { EtfParseError } from '../../../src/etf/parse-error.js'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

describe('terms', () => {
  test.each<[string, Term]>([
    ['1_000', 1000],
    ['16#fF', 255],
    ['-36#Zz', -1295],
    ['123456789012345678901234567890', 123456789012345678901234567890n],
    ['16#ffffffffffffffffffff', 2n ** 80n - 1n],
    [
      `3#${'12'.repeat(40)}`,
      BigInt([...'12'.repeat(40)].reduce((sum, digit) => sum * 3n + BigInt(digit), 0n)),
    ],
    ['1.5e-3', 0.0015],
    ['2.0', float(2)],
    ['-0.0', float(-0)],
    ['$a', 97],
    ['$\\x{1F600}', 0x1f600],
    ["'a b'", atom('a b') as Term],
    ['true', true],
    ['"a" "b"', [97, 98]],
    ['~"é"', bytes(0xc3, 0xa9)],
    ['"""\n    a\n      b\n    """', Array.from('a\n  b', (char) => char.charCodeAt(0))],
    ['[1,2|x]', new ImproperList([1, 2], atom('x') as Term)],
    ['[1|[2|([3])]]', [1, 2, 3]],
    [
      '{ok,#{a=>1,1=>2,1.0=>3,a=>4}}',
      tuple(atom('ok'), new ErlMap([atom('a'), 4, 1, 2, float(1), 3])) as Term,
    ],
    ['<<1,2:16/little,"é"/utf8,1.5:32/float>>', bytes(1, 2, 0, 0xc3, 0xa9, 0x3f, 0xc0, 0, 0)],
    [' % a comment\n [a, % and another\n b] . ', [atom('a'), atom('b')] as Term],
  ])('%s', (text, expected) => {
    expect(isEqual(parse(text), expected)).toBe(true)
  })

  test('identities of the node that the options name', () => {
    const options = { node: 'a@b', creation: 9 }
    const node = atom('a@b')
    expect(parse('<0.85.1>', options)).toEqual(new Pid(node, 85, 1, 9))
    expect(parse('#Port<0.18446744073709551615>', options)).toEqual(new Port(node, 2n ** 64n - 1n, 9))
    expect(parse('#Ref<0.1.2.3>', options)).toEqual(new Reference(node, 9, [3, 2, 1]))
    expect(parse('<0.1.0>', { node })).toEqual(new Pid(node, 1, 0, 0))
  })
})

describe('errors tell line and column', () => {
  test.each([
    ['', 1, 1, /expected a term/],
    ['[1,\n 2,,3]', 2, 4, /syntax error before ,.*list that begins at 1:1/],
    ['{a,\n😀}', 2, 1, /illegal character "😀"/],
    ['"😀" x', 1, 5, /'x'/],
    ['"abc', 1, 1, /unterminated string/],
    ['"a\n\\xq"', 2, 1, /illegal escape/],
    ['"a""b"', 1, 4, /adjacent/],
    ['Name', 1, 1, /quotes: 'Name'/],
    ['receive', 1, 1, /reserved word/],
    ['37#1', 1, 1, /illegal base 37/],
    ['[1.0e999]', 1, 2, /illegal float/],
    ['#rec{a=1}', 1, 2, /record/],
    ['<0.1.2>', 1, 1, /option node/],
    ['~x"a"', 1, 1, /unknown sigil/],
    ['a. b', 1, 4, /after the term/],
    ['<<1:4/utf8>>', 1, 4, /neither size nor unit/],
    ['fun m:f/256', 1, 1, /arity/],
    ['"""\n  a\n b\n  """', 3, 2, /indentation/],
    ["'" + 'x'.repeat(256) + "'", 1, 1, /255 characters/],
  ])('%j', (text, line, column, message) => {
    const error = thrown(() => parse(text))
    expect(error).toBeInstanceOf(EtfParseError)
    expect(error).toMatchObject({ code: 'ETF_PARSE_SYNTAX', line, column })
    expect(error.message).toMatch(message)
  })

  test.each(['<5.1.2>', '<0.4294967296.0>', '#Port<0.18446744073709551616>', '#Ref<0.1.2.3.4.5.6>'])(
    'no such identity: %s',
    (text) => {
      expect(thrown(() => parse(text, { node: 'a@b' })).code).toBe('ETF_PARSE_SYNTAX')
    },
  )
})

test('binaries up to the limit, and no bit further', () => {
  const limits = { maxTextBinaryBytes: 4 }
  expect(parse('<<0:32>>', { limits })).toEqual(bytes(0, 0, 0, 0))
  expect(parse('<<"abcd">>', { limits })).toEqual(bytes(97, 98, 99, 100))
  for (const text of [
    '<<0:33>>',
    '<<"abcde">>',
    '<<"abcd"/utf16>>',
    '<<<<0:32>>/binary,0>>',
    '<<1,2,3,4,5>>',
  ]) {
    expect(thrown(() => parse(text, { limits })).code).toBe('ETF_PARSE_LIMIT')
  }
  expect(thrown(() => parse('<<0:99999999999999999999>>')).code).toBe('ETF_PARSE_LIMIT')
  expect(DEFAULT_LIMITS.maxTextBinaryBytes).toBe(64 * 1024 * 1024)
})

test('every beginning of a text is an error or a term, never anything else', () => {
  const text = '{ok,[1.5e3,"a\\x{e9}",#{k=>v},<<1:4,"é"/utf8>>|~"s"],fun m:f/1,$a,\'q\'}.'
  for (let end = 0; end < text.length - 1; end++) {
    expect(thrown(() => parse(text.slice(0, end)))).toBeInstanceOf(EtfParseError)
  }
  expect(() => parse(text)).not.toThrow()
})

function thrown(action: () => unknown): EtfParseError {
  try {
    action()
  } catch (error) {
    return error as EtfParseError
  }
  throw new Error('nothing was thrown')
}

test.each([5, null, undefined, Buffer.from('[1]'), ['a']])('%p is no text', (text) => {
  expect(() => parse(text as never)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
})
