import { termTrees } from '../../../src/dashboard/term-tree.js'
import {
  AtomValue,
  CharlistValue,
  CutValue,
  MapValue,
  PidValue,
  PrintedValue,
  showTerm,
  TupleValue,
  type TermValue,
} from '../../../src/dashboard/term-values.js'
import { atom, decode, encode, parse, Pid, tuple, type Encodable, type Term } from '../../../src/index.js'

const LIMITS = { maxDashboardTermElements: 10, maxDashboardTermDepth: 3, maxProbeCharacters: 8 }
const tree = (term: Encodable, limits = LIMITS) => termTrees(limits)(decode(encode(term)) as Term)

test('each kind of term', () => {
  const pid = new Pid(atom('a@b'), 5, 0, 1)
  expect(tree(tuple(atom('ok'), pid, [1, 2.5, true], 'text'))).toEqual(
    new TupleValue([new AtomValue('ok'), new PidValue('<0.5.0>', 'a@b'), [1, 2.5, true], 'text']),
  )
  expect(tree(parse('#{key => "abc", 1 => <<1,2>>}') as Term)).toEqual(
    new MapValue([
      [new AtomValue('key'), new CharlistValue('abc')],
      [1, new PrintedValue('<<1,2>>')],
    ]),
  )
  expect(tree(parse('[1|2]') as Term)).toEqual(new PrintedValue('[1|2]'))
  expect(tree(12345678901234567890n)).toEqual(new PrintedValue('12345678…'))
  expect(tree([])).toEqual([])
  expect(tree(tuple())).toEqual(new TupleValue([]))
})

test('elements up to the limit, and how many there are more', () => {
  const numbers = (count: number) => Array.from({ length: count }, (_, n) => n - 100)
  expect(tree(numbers(10))).toEqual(numbers(10))
  expect(tree(numbers(12))).toEqual([...numbers(10), new CutValue(2)])
  const wide = tree(
    parse(
      `#{${numbers(8)
        .map((n) => `${n} => 0`)
        .join(',')}}`,
    ) as Term,
  ) as MapValue
  expect(wide.entries.at(-1)).toEqual([new CutValue(3), new CutValue(0)])
})

test('the limit is for all trees of one maker together', () => {
  const make = termTrees(LIMITS)
  const list = decode(encode([-1, -2, -3, -4, -5, -6])) as Term
  expect(make(list)).toHaveLength(6)
  expect(make(list)).toEqual([-1, -2, -3, -4, new CutValue(2)])
  expect(make(list)).toEqual([new CutValue(6)])
})

test('depth up to the limit', () => {
  const nested = (depth: number): Encodable => (depth === 0 ? tuple(-1) : tuple(nested(depth - 1)))
  const text = (value: TermValue) => showTerm(value)
  expect(text(tree(nested(2)))).toBe('{{{-1}}}')
  expect(text(tree(nested(3)))).toBe('{{{… 1 more}}}')
})

test('text up to the limit, cut where a character is whole', () => {
  expect(tree('12345678')).toBe('12345678')
  expect(tree('123456789')).toBe('12345678…')
  expect(tree('1234567žlutý')).toBe('1234567…')
  expect(tree(parse('"123456789"') as Term)).toEqual(new CharlistValue('12345678…'))
  // Not UTF-8, and not for people.
  expect(tree(new Uint8Array([200, 1, 2, 3]))).toEqual(new PrintedValue('<<200,1,…'))
  expect(tree(new Uint8Array([0]))).toEqual(new PrintedValue('<<0>>'))
})
