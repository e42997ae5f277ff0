/** What is printed of a term that is larger than its text may be: a peer chooses how large it is. */
import {
  BitString,
  ErlMap,
  ImproperList,
  atom,
  charlist,
  formatIo,
  parse,
  print,
  tuple,
  type Encodable,
} from '../../../src/index.js'

const TERMS: readonly Encodable[] = [
  [],
  [1, 2, [3, tuple(), tuple(4, [5])], new ImproperList([6, 7], 8)],
  tuple(atom('ok'), { a: 1, b: [charlist('abc'), 'text', 'ü€𝄞'] }),
  new ErlMap<Encodable, Encodable>([tuple(1), 2, [3], 4]),
  new Uint8Array(40).fill(200),
  new BitString(new Uint8Array(40).fill(129), 3),
  charlist('a "list" of characters'),
  'a "text" with\nlines and quotes',
  12345678901234567890n,
  -(10n ** 1200n),
  1.5,
  tuple(parse('#{[] => <<1,2,3>>, "k" => \'Atom name\'}'), true, null),
]

describe.each(['erlang', 'elixir'] as const)('maxCharacters, %s', (flavour) => {
  test.each(TERMS.map((term) => [print(term, { flavour }), term] as const))('%s', (whole, term) => {
    for (let maxCharacters = 0; maxCharacters <= Math.min(whole.length + 2, 100); maxCharacters++) {
      const cut = whole.slice(0, maxCharacters).replace(/[\ud800-\udbff]$/, '')
      const expected = whole.length > maxCharacters ? `${cut}…` : whole
      expect(print(term, { flavour, maxCharacters })).toBe(expected)
    }
  })

  test('no more is made than that', () => {
    const bytes = new Uint8Array(200_000_000)
    expect(print(bytes, { flavour, maxCharacters: 10 })).toMatch(/^<<0, ?0, ?0,/)
    expect(print(tuple(1, bytes, bytes), { flavour, maxCharacters: 10 })).toHaveLength(11)
    bytes.fill(120)
    expect(print(bytes, { flavour, maxCharacters: 10 })).toMatch(/^(<<)?"x{7,9}…$/)
    expect(print(new BitString(bytes, 3), { flavour, maxCharacters: 10 })).toMatch(/^<<120, ?120/)
    const list = new Array<number>(20_000_000).fill(120)
    expect(print(list, { flavour, maxCharacters: 10 })).toMatch(/^["']x{9}…$/)
  })
})

test('an integer for which there is no room is not made decimal', () => {
  const huge = 1n << 40_000_000n
  expect(print(huge, { maxCharacters: 8 })).toBe('16#10000…')
  expect(print(-huge, { maxCharacters: 8 })).toBe('-16#1000…')
  expect(print([huge], { maxCharacters: 8, flavour: 'elixir' })).toBe('[16#1000…')
})

test('an integer that no BEAM has is not made decimal at all', () => {
  const most = 1n << (4n * 1024n * 1024n - 1n)
  expect(formatIo('~w', [most])).toHaveLength(1_262_612)
  expect(formatIo('~.16B', [most << 4n])).toHaveLength(1024 * 1024 + 1)
  for (const format of ['~w', '~p', '~B', '~.36B']) {
    expect(() => formatIo(format, [most << 4n])).toThrow(
      expect.objectContaining({ code: 'ETF_FORMAT_LIMIT' }),
    )
  }
  expect(() => print(most << 4n)).toThrow(expect.objectContaining({ code: 'ETF_FORMAT_LIMIT' }))
})

test.each(['~w', '~p', '~tw', '~tp'])('%s of a binary makes no more than a format may', (format) => {
  const limits = { maxFormatCharacters: 1000 }
  const code = 'ETF_FORMAT_LIMIT'
  // `<<0,0,…>>` of 498 bytes is 999 characters.
  expect(
    formatIo(format.replace('~', '~0').replace('~0w', '~w').replace('~0tw', '~tw'), [new Uint8Array(498)], {
      limits,
    }),
  ).toHaveLength(999)
  for (const bytes of [499, 200_000_000]) {
    expect(() => formatIo(format, [new Uint8Array(bytes)], { limits })).toThrow(
      expect.objectContaining({ code }),
    )
    expect(() => formatIo(format, [[1, new Uint8Array(bytes)]], { limits })).toThrow(
      expect.objectContaining({ code }),
    )
  }
})
