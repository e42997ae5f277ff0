import {
  decodeMessage,
  encodeMessage,
  encodeValue,
  floats32,
  floats64,
  HISTORY_COLUMNS,
} from '../../../src/dashboard/protocol.js'
import { NodeHistory } from '../../../src/dashboard/history.js'
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
import { DEFAULT_LIMITS } from '../../../src/limits.js'
import { sampleOf } from '../../support/dashboard.js'

const TERM: TermValue = new TupleValue([
  new AtomValue('ok'),
  new PidValue('<0.42.0>', 'a@b'),
  [1, 2.5, true, 'text'],
  new MapValue([[new AtomValue('Key word'), new CharlistValue('chars')]]),
  new PrintedValue('#Ref<0.1.2.3>'),
  new CutValue(7),
])

test('terms keep their kinds through MessagePack', () => {
  const bytes = encodeMessage({ type: 'reply', id: 1, ok: true, result: { returned: TERM } })
  expect(decodeMessage(bytes)).toEqual({ type: 'reply', id: 1, ok: true, result: { returned: TERM } })
  const { result } = decodeMessage(bytes) as { result: { returned: TupleValue } }
  expect(result.returned).toBeInstanceOf(TupleValue)
  expect(result.returned.elements[1]).toBeInstanceOf(PidValue)
})

test('the extension types are those of the documentation', () => {
  const typeOf = (value: object) => {
    // fixext 1 to 16 are d4 to d8, ext 8 is c7 with its length before the type.
    const bytes = encodeValue(value)
    return bytes[0] === 0xc7 ? bytes[2] : bytes[1]
  }
  expect(
    [
      new AtomValue('a'),
      new PidValue('<0.1.0>', 'a@b'),
      new TupleValue([]),
      new MapValue([]),
      new CharlistValue('a'),
      new PrintedValue('a'),
      new CutValue(1),
    ].map(typeOf),
  ).toEqual([1, 2, 3, 4, 5, 6, 7])
})

test('a term as text', () => {
  expect(showTerm(TERM)).toBe(
    `{ok,<0.42.0>,[1,2.5,true,<<"text">>],#{'Key word' => "chars"},#Ref<0.1.2.3>,… 7 more}`,
  )
})

test('what is undefined is left out, and no key reaches a prototype', () => {
  expect(decodeMessage(encodeValue({ a: undefined, b: 1 }))).toEqual({ b: 1 })
  expect(() => decodeMessage(encodeValue(JSON.parse('{"__proto__":{"evil":1}}') as object))).toThrow()
})

test('columns of numbers are read from any place in a buffer', () => {
  const history = new NodeHistory(DEFAULT_LIMITS)
  history.push(sampleOf('a@b', 5_000))
  history.push(sampleOf('a@b', 6_000, { runQueue: 9 }))
  const slice = history.slice('a@b', { columns: HISTORY_COLUMNS, from: 0, to: 10_000, points: 10 })
  const framed = Buffer.concat([Buffer.alloc(3), encodeValue(slice)]).subarray(3)
  const decoded = decodeMessage(framed) as typeof slice
  expect([...floats64(decoded.at)]).toEqual([5_000, 6_000])
  expect([...floats32(decoded.columns.runQueue as Uint8Array)]).toEqual([1, 9])
  expect(Object.keys(decoded.columns)).toEqual([...HISTORY_COLUMNS])
})
