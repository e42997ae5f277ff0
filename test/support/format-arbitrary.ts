/** Formats of `io_lib:format/2` with arguments for them, most of them legal. */
import fc from 'fast-check'
import { atom } from '../../src/etf/atom.js'
import { ErlMap } from '../../src/etf/map.js'
import type { Term } from '../../src/etf/terms.js'
import { Tuple } from '../../src/etf/tuple.js'
import { BitString, ErlFloat, ImproperList } from '../../src/etf/values.js'

const float = (value: number): Term => (Number.isInteger(value) ? new ErlFloat(value) : value)
const codes = (text: string): number[] => Array.from(text, (char) => char.codePointAt(0) as number)

/** Text in which characters combine, so that length is not the number of characters. */
const texts = fc.oneof(
  { weight: 4, arbitrary: fc.stringMatching(/^[a-z]{1,12}$/) },
  { weight: 1, arbitrary: fc.string({ maxLength: 8 }) },
  {
    weight: 1,
    arbitrary: fc.string({
      unit: fc.constantFrom('a', 'é', 'ж', '\r', '\n', '\t', 'e\u0301', '👩‍👩‍👧', '日'),
      maxLength: 6,
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom('maybe', 'end', 'true', 'a@b', 'Ab', '', '_', "it's", '÷x') },
)
const atoms = texts.map((text) => atom(text) as Term)
const floats = fc
  .oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer({ min: -1e6, max: 1e6 }).map((n) => n / 1000),
    fc.constantFrom(0.25, 0.15, 9.995, 99.95, 2 ** -31, 999999.5, 9999.9999, 0.99999999, 0, -0, 1e22),
  )
  .map(float)
const integers = fc.oneof(
  fc.nat(99),
  fc.integer(),
  fc
    .bigInt({ min: -(2n ** 70n), max: 2n ** 70n })
    .map((n) => (Number.isSafeInteger(Number(n)) ? Number(n) : n)),
)
const binaries = fc.oneof(
  texts.map((text) => new Uint8Array(Buffer.from(text)) as Term),
  fc.uint8Array({ maxLength: 40 }),
)
const bitStrings = fc
  .tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 7 }))
  .map(([bytes, bits]) => {
    const last = bytes.length - 1
    bytes[last] = (bytes[last] as number) & (0xff << (8 - bits))
    return new BitString(bytes, bits)
  })
const leaves = fc.oneof(
  { weight: 3, arbitrary: atoms },
  { weight: 2, arbitrary: integers },
  { weight: 1, arbitrary: floats },
  { weight: 2, arbitrary: binaries },
  { weight: 1, arbitrary: bitStrings },
  { weight: 1, arbitrary: texts.map((text): Term => codes(text)) },
  { weight: 1, arbitrary: fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 30 }) },
)

/** Terms that fill several lines, with tags of various widths. */
export const wideTerms: fc.Arbitrary<Term> = fc.letrec<{ term: Term }>((tie) => {
  const inner = tie('term')
  const items = (minLength: number, maxLength: number): fc.Arbitrary<Term[]> =>
    fc.array(inner, { minLength, maxLength })
  return {
    term: fc.oneof(
      { depthSize: 'small', maxDepth: 5 },
      leaves,
      items(0, 7),
      items(0, 5).map((elements) => new Tuple(elements)),
      fc.tuple(atoms, items(1, 5)).map(([tag, rest]) => new Tuple([tag, ...rest])),
      fc
        .tuple(
          items(1, 3),
          leaves.filter((leaf) => !Array.isArray(leaf)),
        )
        .map(([list, tail]) => new ImproperList(list, tail)),
      fc.tuple(inner, inner).map((entry) => new ErlMap(entry)),
      // Small integers for keys: the order in which every release shows them is theirs.
      fc.uniqueArray(fc.nat(30), { maxLength: 8 }).chain((keys) => {
        keys.sort((a, b) => a - b)
        return items(keys.length, keys.length).map(
          (values) => new ErlMap(keys.flatMap((key, index) => [key, values[index] as Term])),
        )
      }),
    ),
  }
}).term

type Piece = readonly [format: string, args: readonly Term[]]

function argumentOf(char: string): fc.Arbitrary<Term>[] {
  const depth = fc.integer({ min: -1, max: 12 })
  if (char === '~' || char === 'n') return []
  if (char === 'c') return [fc.nat(300)]
  if (char === 's')
    return [
      fc.oneof(
        atoms,
        binaries,
        texts.map((text): Term => codes(text)),
        wideTerms,
      ),
    ]
  if (char === 'W' || char === 'P') return [wideTerms, depth]
  if ('efg'.includes(char)) return [floats]
  if (char === 'x' || char === 'X') return [integers, fc.constantFrom<Term>(atom('0x'), [35], [])]
  return ['bB+#'.includes(char) ? integers : wideTerms]
}

const maybe = (arbitrary: fc.Arbitrary<Piece>): fc.Arbitrary<Piece> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant<Piece>(['', []]) }, { weight: 2, arbitrary })

// A negative precision from the arguments is left out: on it a BEAM builds a list without end.
const controls: fc.Arbitrary<Piece> = fc
  .tuple(
    fc.constantFrom(...'cswpWPefgbBxX+#n~ippp'),
    maybe(
      fc.oneof(
        fc.tuple(fc.boolean(), fc.nat(60)).map(([left, width]): Piece => [`${left ? '-' : ''}${width}`, []]),
        fc.integer({ min: -30, max: 80 }).map((width): Piece => ['*', [width]]),
      ),
    ),
    maybe(
      fc.oneof(
        fc.nat(30).map((precision): Piece => [`.${precision}`, []]),
        fc.nat(40).map((precision): Piece => ['.*', [precision]]),
      ),
    ),
    fc.constantFrom('', '', '', '.0', '.x', '.é'),
    fc.constantFrom('t', 't', 't', '', 'l', 'tl', 'tk', 'k'),
  )
  .chain(([char, width, precision, pad, modifier]) =>
    fc
      .tuple(...argumentOf(char))
      .map((args): Piece => [
        `~${width[0]}${precision[0] === '' && pad !== '' ? '.' : precision[0]}${pad}${modifier}${char}`,
        [...width[1], ...precision[1], ...args],
      ]),
  )

/** A format and its arguments. */
export const formats: fc.Arbitrary<{ format: string; args: Term[] }> = fc
  .array(
    fc.oneof(
      { weight: 2, arbitrary: controls },
      { weight: 1, arbitrary: fc.stringMatching(/^[a-z \t\n=]{0,12}$/).map((text): Piece => [text, []]) },
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((pieces) => ({
    format: pieces.map(([text]) => text).join(''),
    args: pieces.flatMap(([, args]) => args),
  }))
