import {
  characters,
  count,
  elements,
  mapValue,
  mfa,
  name,
  number,
  pidText,
  printed,
  properties,
} from '../../../src/dashboard/read-terms.js'
import { atom, ErlMap, float, Pid, tuple } from '../../../src/index.js'

test('numbers, however they come', () => {
  expect([number(7), number(2n ** 60n), number(float(1)), number('7' as never)]).toEqual([
    7,
    2 ** 60,
    1,
    undefined,
  ])
  expect([count(undefined), count(3)]).toEqual([0, 3])
})

test('names: atoms and booleans only', () => {
  expect([name(atom('ok')), name(true), name(1)]).toEqual(['ok', 'true', undefined])
})

test('characters: lists of code points; others are printed, long ones cut', () => {
  expect(characters([80, 955])).toBe('Pλ')
  expect(characters([80, -1, 0x110000, 81])).toBe('PQ')
  expect(characters(new Array(1_001).fill(65))).toHaveLength(1_000)
  expect(characters(atom('x'))).toBe('x')
  expect(characters(undefined)).toBe('')
})

test('what is not of the expected shape is left out', () => {
  expect([...properties([tuple(atom('a'), 1), tuple(2, 3), atom('b'), tuple(atom('c'))])]).toEqual([['a', 1]])
  expect([...properties(5)]).toEqual([])
  expect(elements([1])).toEqual([])
  expect([mfa(tuple(atom('m'), atom('f'), 2)), mfa(atom('undefined')), mfa(tuple(1))]).toEqual([
    'm:f/2',
    undefined,
    undefined,
  ])
  expect([pidText(new Pid(atom('a@b'), 1, 2, 3)), pidText(1)]).toEqual([
    expect.stringMatching(/^<.*1\.2>$/),
    undefined,
  ])
  expect(mapValue(new ErlMap([atom('k'), 1]), 'k')).toBe(1)
  expect(mapValue([1], 'k')).toBeUndefined()
})

test('printed terms have as many characters as the limit says, one past it is cut', () => {
  const text = (length: number) => printed(Buffer.from('x'.repeat(length)), 10)
  // With the marks of a binary, `<<"` and `">>`.
  expect(text(4)).toBe('<<"xxxx">>')
  expect(text(5)).toBe('<<"xxxxx">…')
})
