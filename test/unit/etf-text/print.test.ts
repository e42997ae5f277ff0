/** Expected texts are those of `io_lib:format("~0tp", [T])` (OTP 27) and `inspect/2` (Elixir 1.14). */
import {
  atom,
  BitString,
  charlist,
  ErlMap,
  ExportFun,
  float,
  Fun,
  ImproperList,
  LocalTerm,
  NativeRecord,
  parse,
  Pid,
  Port,
  print,
  Reference,
  tuple,
  type Encodable,
  type Term,
} from '../../../src/etf/node.js'

const node = atom('a@b')
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
const fun = new Fun(atom('m'), 2, new Uint8Array(16), 3, 4, 77, new Pid(node, 1, 2, 3), [])

describe('Erlang', () => {
  test.each<[Encodable, string]>([
    [1, '1'],
    [-0, '0'],
    [2n ** 70n, '1180591620717411303424'],
    [1.5, '1.5'],
    [float(1), '1.0'],
    [float(-0), '-0.0'],
    [float(100), '100.0'],
    [float(1000), '1.0e3'],
    [0.001, '0.001'],
    [0.0001, '0.0001'],
    [0.00001, '1.0e-5'],
    [float(2 ** 53), '9.007199254740992e15'],
    [float(2 ** 53 - 1), '9007199254740991.0'],
    [5e-324, '5.0e-324'],
    [atom('ok'), 'ok'],
    [atom('maybe'), "'maybe'"],
    [atom("it's"), "'it\\'s'"],
    [atom('é'), 'é'],
    [atom('日本'), "'日本'"],
    [atom('a\u0001\u009f\u007f'), "'a\\001\\237\\d'"],
    [true, 'true'],
    [[], '[]'],
    [[97, 98], '"ab"'],
    [[97, 256], '[97,256]'],
    [[97, 9, 27, 34], '"a\\t\\e\\""'],
    [new ImproperList([1, 2], atom('x')), '[1,2|x]'],
    [tuple(), '{}'],
    [tuple(atom('ok'), [tuple()]), '{ok,[{}]}'],
    [bytes(), '<<>>'],
    [bytes(97, 98), '<<"ab">>'],
    [bytes(0xc3, 0xa9), '<<"é"/utf8>>'],
    [bytes(0xe9), '<<"é">>'],
    [bytes(0xd0, 0xb6), '<<208,182>>'],
    [bytes(0, 1), '<<0,1>>'],
    [new BitString(bytes(1, 0xa0), 3), '<<1,5:3>>'],
    [new ErlMap([]), '#{}'],
    [new ErlMap([1, atom('a'), float(1), atom('b')]), '#{1 => a,1.0 => b}'],
    [new Pid(node, 85, 1, 7), '<0.85.1>'],
    [new Port(node, 2n ** 63n, 7), '#Port<0.9223372036854775808>'],
    [new Reference(node, 7, [1, 2, 3]), '#Ref<0.3.2.1>'],
    [new ExportFun(atom('a b'), atom('end'), 1), "fun 'a b':end/1"],
    [fun, '#Fun<m.4.77>'],
    [new NativeRecord(atom('m'), atom('r'), true, [atom('x'), atom('Y')], [1, [2]]), "#m:r{x = 1,'Y' = [2]}"],
    [new LocalTerm(bytes(1, 2)), '#Local<2>'],
    // What encode takes besides terms prints as the term that it becomes.
    ['text', '<<"text">>'],
    [charlist('text'), '"text"'],
    [null, 'nil'],
    [undefined, 'undefined'],
    [{ a: 1, true: 'x' }, '#{a => 1,true => <<"x">>}'],
    [new Map([['k', 1]]), '#{<<"k">> => 1}'],
  ])('%p', (term, expected) => {
    expect(print(term)).toBe(expected)
  })

  test('all of Unicode as text where asked for', () => {
    expect(print(['ж', [1078]], { printable: 'unicode' })).toBe('[<<"ж"/utf8>>,"ж"]')
  })

  test('up to 32 entries stand in wire order, more the other way round, as a BEAM visits them', () => {
    const map = (size: number): string =>
      print(new ErlMap(Array.from({ length: 2 * size }, (_, i) => (i % 2 === 0 ? i / 2 : 0))))
    expect(map(32)).toMatch(/^#\{0 => 0,1 => 0,.*,31 => 0\}$/)
    expect(map(33)).toMatch(/^#\{32 => 0,31 => 0,.*,0 => 0\}$/)
  })

  test('binaries from an offset of their buffer', () => {
    const buffer = bytes(1, 97, 98, 2)
    expect(print(buffer.subarray(1, 3))).toBe('<<"ab">>')
  })
})

describe('Elixir', () => {
  test.each<[Encodable, string]>([
    [atom('ok'), ':ok'],
    [atom('nil'), 'nil'],
    [atom('Elixir.Foo.Bar'), 'Foo.Bar'],
    [atom('two words'), ':"two words"'],
    [atom('a\u0001\u0000\ufffe'), ':"a\\x01\\0\\x{FFFE}"'],
    [atom('été'), ':été'],
    [atom('aβ'), ':"aβ"'],
    [bytes(97, 34, 35, 123, 10), '"a\\"\\#{\\n"'],
    [bytes(0xef, 0xbb, 0xbf), '"\\uFEFF"'],
    [bytes(233), '<<233>>'],
    [new BitString(bytes(1, 0xa0), 3), '<<1, 5::size(3)>>'],
    [[97, 39], "'a\\''"],
    [[1, 2], '[1, 2]'],
    [new ImproperList([1, 2], 3), '[1, 2 | 3]'],
    [[tuple(atom('a'), 1), tuple(atom('b c'), [])], '[a: 1, "b c": []]'],
    [[tuple(atom('Elixir.X'), 1)], '[{X, 1}]'],
    [new ErlMap([atom('a'), 1]), '%{a: 1}'],
    [new ErlMap([1, 2, tuple(3), atom('x')]), '%{1 => 2, {3} => :x}'],
    [new ErlMap([new ErlMap([1, 2]), 3]), '%{%{1 => 2} => 3}'],
    [new ErlMap([atom('__struct__'), atom('Elixir.Foo'), atom('a'), 1]), '%Foo{a: 1}'],
    [new ErlMap([atom('__struct__'), atom('foo'), atom('a'), 1]), '%{__struct__: :foo, a: 1}'],
    [float(1e15), '1000000000000000.0'],
    [float(1e16), '1.0e16'],
    [new Pid(node, 85, 1, 7), '#PID<0.85.1>'],
    [new Reference(node, 7, [1, 2]), '#Reference<0.2.1>'],
    [new ExportFun(atom('Elixir.Enum'), atom('map'), 2), '&Enum.map/2'],
    [new ExportFun(atom('m'), atom('Up'), 2), '&:m."Up"/2'],
    [fun, '#Function<3.77/2 in :m>'],
  ])('%p', (term, expected) => {
    expect(print(term, { flavour: 'elixir' })).toBe(expected)
  })

  test('charlists as later releases show them', () => {
    expect(print([[97, 39], []], { flavour: 'elixir', charlists: 'sigil' })).toBe('[~c"a\'", []]')
  })
})

describe('what is no term', () => {
  test.each([[Symbol('x')], [() => 1], [NaN], [Infinity], [new Date()]])('%p', (value) => {
    for (const flavour of ['erlang', 'elixir'] as const) {
      expect(() => print([value] as never, { flavour })).toThrow(
        expect.objectContaining({ code: 'ETF_NOT_A_TERM' }),
      )
    }
  })

  test('a value that contains itself', () => {
    const cycle: unknown[] = [1]
    cycle.push({ again: [cycle] })
    for (const flavour of ['erlang', 'elixir'] as const) {
      expect(() => print(cycle as never, { flavour })).toThrow(
        expect.objectContaining({ code: 'ETF_NOT_A_TERM' }),
      )
    }
    const shared: Term = [1, 2000]
    expect(print([shared, shared])).toBe('[[1,2000],[1,2000]]')
  })
})

test('a million levels', () => {
  const text = '['.repeat(1e6) + ']'.repeat(1e6)
  const term = parse(text)
  expect(print(term) === text).toBe(true)
  expect(print(term, { flavour: 'elixir' }) === text).toBe(true)
})
