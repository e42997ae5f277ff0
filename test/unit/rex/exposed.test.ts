import '../../../src/etf/node.js'
import { ArgumentError } from '../../../src/errors.js'
import { DEFAULT_LIMITS } from '../../../src/limits.js'
import {
  ExposedTable,
  withArity,
  withContext,
  withOptions,
  type ExposeOptions,
  type FunctionOptions,
} from '../../../src/rex/exposed.js'

const table = () => new ExposedTable(DEFAULT_LIMITS)

describe('arity', () => {
  test.each([
    ['its length', (_a: unknown, _b: unknown) => 0, [2]],
    ['without the context', withContext((_context, _a: unknown) => 0), [1]],
    ['told', withArity((..._all: unknown[]) => 0, 3), [3]],
    ['several', withArity((_a: unknown, _b = 1) => 0, [1, 2]), [1, 2]],
    ['any', withArity((..._all: unknown[]) => 0, 'any'), [0, 1, 2, 3, 255]],
    [
      'of a wrapped function',
      withOptions(
        withArity((_a: unknown) => 0, [0, 1]),
        { doc: 'x' },
      ),
      [0, 1],
    ],
    [
      'of a context function with options',
      withOptions(
        withContext((_context, _a: unknown) => 0),
        { doc: 'x' },
      ),
      [1],
    ],
  ])('%s', (_what, fn, arities: number[]) => {
    const exposed = table()
    exposed.expose('m', { fn })
    for (const arity of [0, 1, 2, 3, 255]) {
      expect(exposed.find('m', 'fn', arity) !== undefined).toBe(arities.includes(arity))
    }
  })

  test('options by name come before those of the function, and those before the module’s', () => {
    const exposed = table()
    const fn = withOptions((_a: unknown) => 0, { doc: 'function', arity: 2 })
    exposed.expose('m', { fn, other: fn }, { functions: { fn: { doc: 'by name', arity: 3 } } })
    expect(exposed.list()).toEqual([
      { module: 'm', function: 'fn', arity: 3, doc: 'by name' },
      { module: 'm', function: 'other', arity: 2, doc: 'function' },
    ])
  })

  test('`this` and the context survive wrapping', () => {
    const exposed = table()
    const object = {
      base: 1,
      plus: withOptions(function (this: { base: number }, n: number) {
        return this.base + n
      }, {}),
    }
    exposed.expose('m', object)
    const found = exposed.find('m', 'plus', 1)
    expect(found?.fn.call(found.self, 2)).toBe(3)
    exposed.expose('c', {
      f: withOptions(
        withContext((context) => context),
        {},
      ),
    })
    expect(exposed.find('c', 'f', 0)?.context).toBe(true)
  })
})

describe('what is refused', () => {
  const refused: [string, ExposeOptions | FunctionOptions][] = [
    ['arity above 255', { functions: { f: { arity: 256 } } }],
    ['negative arity', { functions: { f: { arity: -1 } } }],
    ['no arity at all', { functions: { f: { arity: [] } } }],
    ['options of an unknown function', { functions: { g: {} } }],
    ['options of an inherited name', { functions: { toString: {} } }],
    ['a time limit of 0', { timeLimitMs: 0 }],
    ['a time limit beyond timers', { timeLimitMs: 2 ** 31 }],
    ['a fraction at once', { concurrency: 1.5 }],
    ['an unknown order', { order: 'global' as 'caller' }],
  ]
  test.each(refused)('%s', (_what, options) => {
    expect(() => table().expose('m', { f: () => 0 }, options)).toThrow(ArgumentError)
  })

  test('objects without functions, and names that are no atoms', () => {
    for (const object of [{}, { a: 1 }, new Date(0), []]) {
      if (object instanceof Date) expect(() => table().expose('m', object)).not.toThrow()
      else expect(() => table().expose('m', object)).toThrow(/no functions/)
    }
    expect(() => table().expose('x'.repeat(256), { f: () => 0 })).toThrow(ArgumentError)
    expect(() => table().expose('m', { ['x'.repeat(256)]: () => 0 })).toThrow(ArgumentError)
    table().expose('x'.repeat(255), { ['y'.repeat(255)]: () => 0 })
  })

  test('a module that is refused leaves the old one', () => {
    const exposed = table()
    exposed.expose('m', { f: () => 0 })
    expect(() => exposed.expose('m', { g: () => 0 }, { concurrency: 0 })).toThrow(ArgumentError)
    expect(exposed.find('m', 'f', 0)).toBeDefined()
    expect(exposed.find('m', 'g', 0)).toBeUndefined()
  })
})

test('who may call is asked for lists too', () => {
  const exposed = table()
  exposed.expose(
    'm',
    { a: () => 0, b: withOptions(() => 0, { nodes: ['x@h'] }) },
    { nodes: (node) => node.endsWith('@h') },
  )
  expect(exposed.list().length).toBe(2)
  expect(exposed.list('x@h').map(({ function: name }) => name)).toEqual(['a', 'b'])
  expect(exposed.list('y@h').map(({ function: name }) => name)).toEqual(['a'])
  expect(exposed.list('y@g')).toEqual([])
})
