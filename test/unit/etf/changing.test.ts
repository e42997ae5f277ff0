/** Values that change while they are encoded: what goes out has as many elements as its head says. */
import { decode, encode, Tuple, type Encodable } from '../../../src/etf/node.js'

function withGetter(items: unknown[], at: number, get: () => unknown): unknown[] {
  return Object.defineProperty(items, at, { get, enumerable: true, configurable: true })
}

/** Nested so deep that it is written without recursion. */
function deep(term: unknown): unknown {
  let outer = term
  for (let i = 0; i < 5000; i++) outer = [outer]
  return outer
}

const growing = (): unknown[] => {
  const items: unknown[] = [0, 'b', 'c']
  return withGetter(items, 0, () => (items.push('more'), 'a'))
}
const shrinking = (): unknown[] => {
  const items: unknown[] = [0, { x: 1 }, { y: 1 }]
  return withGetter(items, 0, () => ((items.length = 2), 'a'))
}
const texts = (get: () => unknown): unknown[] => withGetter(Array<unknown>(20).fill('text'), 5, get)
let asked = 0

test.each<[string, unknown]>([
  ['a list that grows', growing()],
  ['a list that shrinks', shrinking()],
  ['a tuple that grows', new Tuple(growing())],
  ['a tuple in a list that grows', [new Tuple(growing())]],
  ['a deep list that grows', deep(growing())],
  ['a deep tuple that shrinks', deep(new Tuple(shrinking()))],
  ['a text that grows', texts(() => (asked++ % 2 === 1 ? 'x'.repeat(10_000) : 'a'))],
])('%s', (_, term) => {
  expect(() => decode(encode(term as Encodable))).not.toThrow()
}) // prettier-ignore
