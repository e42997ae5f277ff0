/** Expected texts are those of `io_lib:format/2` of OTP 27; test/beam compares thousands more. */
import {
  atom,
  charlist,
  ErlMap,
  float,
  ImproperList,
  parse,
  tuple,
  type Encodable,
} from '../../../src/etf/node.js'
import { formatIo } from '../../../src/etf/format.js'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

test.each<[string, Encodable[], string]>([
  ['~~ ~n', [], '~ \n'],
  ['~3n', [], '\n\n\n'],
  ['~c~5c~-5.3c|~tc', [65, 66, 67, 0x416], 'ABBBBBCCC  |Ж'],
  ['~s ~10s|~-10s|~5.2s|', ['ab', atom('cd'), charlist('ef'), 'ghi'], 'ab         cd|ef        |   gh|'],
  ['~ts~s', ['é', 'é'], 'éÃ©'],
  ['~w ~p ~tw', [charlist('hi'), charlist('hi'), atom('ж')], '[104,105] "hi" \'ж\''],
  ['~w', [atom('ж')], "'\\x{436}'"],
  ['~lp', [charlist('hi')], '[104,105]'],
  ['~W ~P', [[1, 2, 3, 4], 3, tuple(1, tuple(2, tuple(3))), 3], '[1,2|...] {1,{...}}'],
  ['~b ~B ~.16b ~.16B ~8.2.0b', [10, -10, 255, 255, 5], '10 -10 ff FF 00000101'],
  ['~x ~.16X ~.16+ ~.16#', [10, '0x', 255, '0x', 255, 255], '0x10 0xFF 16#ff 16#FF'],
  ['~e ~f ~g ~.1f ~.3e', [1.5, 1.5, 1.5, 0.25, float(12345)], '1.50000e+0 1.500000 1.50000 0.3 1.23e+4'],
  ['~10.2f|~-10.2f|', [3.14159, 3.14159], '      3.14|3.14      |'],
  ['~3w|~-5w|~5..*w', [12345, 1, 42, 7], '***|1    |****7'],
  ['~i~w', [1, 2], '2'],
  ['~*w|~.*f', [6, 1, 2, 1.005], '     1|1.00'],
  ['~kw', [new ErlMap([2, 1, 1, 2])], '#{1 => 2,2 => 1}'],
  ['~Kw', [atom('reversed'), new ErlMap([1, 2, 2, 1])], '#{2 => 1,1 => 2}'],
])('%j', (format, args, expected) => {
  expect(formatIo(format, args)).toBe(expected)
})

test('a format may be a binary (of Latin-1), a list of characters or an atom', () => {
  expect(formatIo(bytes(0xe9, 126, 119), [1])).toBe('é1')
  expect(formatIo([126, 119, 0x416], [1])).toBe('1Ж')
  expect(formatIo(atom('~w!'), [1])).toBe('1!')
})

test('~p breaks lines as the shell does, from the column it starts at', () => {
  const term = parse(
    '{config,[{port,4369},{names,["first","second","third"]},{nested,#{key=>{some_long_tag,[1,2,3,4,5,6,7,8,9,10]}}}]}',
  )
  expect(formatIo('~p', [term])).toBe(
    [
      '{config,[{port,4369},',
      '         {names,["first","second","third"]},',
      '         {nested,#{key => {some_long_tag,[1,2,3,4,5,6,7,8,9,10]}}}]}',
    ].join('\n'),
  )
  expect(formatIo('x = ~20p.', [term])).toBe(
    [
      'x = {config,',
      '     [{port,4369},',
      '      {names,',
      '       ["first",',
      '        "second",',
      '        "third"]},',
      '      {nested,',
      '       #{key =>',
      '          {some_long_tag,',
      '           [1,2,3,',
      '            4,5,6,',
      '            7,8,9,',
      '            10]}}}]}.',
    ].join('\n'),
  )
})

test.each<[string, Encodable[]]>([
  ['~', []],
  ['~w', []],
  ['', [1]],
  ['~q', [1]],
  ['~b', [1.5]],
  ['~.37b', [1]],
  ['~f', [1]],
  ['~.0f', [1.5]],
  ['~.1e', [1.5]],
  ['~s', [[256]]],
  ['~s', [1]],
  ['~ts', [new ImproperList([97], 98)]],
  ['~-20p', [1]],
  ['~-w', [1]],
  ['~2.5s', ['abc']],
  ['~W', [1, atom('x')]],
  ['~Kp', [1, new ErlMap([])]],
  ['~tc', [0x110000]],
  ['~.*c', [-1, 65]],
])('what is badarg in Erlang throws: %j', (format, args) => {
  expect(() => formatIo(format, args)).toThrow(expect.objectContaining({ code: 'ETF_FORMAT' }))
})

test('text up to the limit, and not a character more', () => {
  const limits = { maxFormatCharacters: 10 }
  expect(formatIo('~10c', [65], { limits })).toBe('A'.repeat(10))
  expect(formatIo('~5c~5w', [65, 1], { limits })).toHaveLength(10)
  const tooLong: [string, Encodable[]][] = [
    ['~11c', [65]],
    ['~5c~6w', [65, 1]],
    ['~99999999999999999999c', [65]],
    ['~.99999999f', [1.5]],
    ['~11.1p', [[1000, 2000, 3000]]],
    ['~1.99999999p', [[1000, 2000, 3000]]],
  ]
  for (const [format, args] of tooLong) {
    expect(() => formatIo(format, args, { limits })).toThrow(
      expect.objectContaining({ code: 'ETF_FORMAT_LIMIT' }),
    )
  }
})

test('~p of a hundred thousand levels', () => {
  const text = '['.repeat(1e5) + ']'.repeat(1e5)
  expect(formatIo('~p', [parse(text)]) === text).toBe(true)
})
