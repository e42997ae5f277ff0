import { atom, ErlMap, float, parse, Pid, tuple, type Encodable, type Term } from '../../../src/etf/node.js'
import { match, matcher } from '../../../src/etf/match.js'
import { toPlain } from '../../../src/etf/plain.js'
import { EtfSchemaError, formatPath, type Schema } from '../../../src/etf/schema.js'
import { s } from '../../../src/etf/schemas.js'
import type { StandardSchemaV1 } from '../../../src/etf/standard-schema.js'

const pid = new Pid(atom('a@b'), 1, 2, 3)
const term = (text: string): Term => parse(text, { node: 'a@b' })

/** A schema as another library would make it. */
function foreign<T>(check: (value: unknown) => T | undefined, message: string): StandardSchemaV1<string, T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'another',
      validate: (value) => {
        const result = check(value)
        return result === undefined
          ? { issues: [{ message, path: ['inside', { key: 0 }] }] }
          : { value: result }
      },
    },
  }
}

const shout = foreign(
  (value) => (typeof value === 'string' ? value.toUpperCase() : undefined),
  'not a string',
)

describe('decoding', () => {
  test.each<[string, Schema<unknown>, string, unknown]>([
    ['any', s.any(), '1', 1],
    ['atom', s.atom(), 'ok', 'ok'],
    ['atom of some', s.atom('up', 'down'), 'down', 'down'],
    ['boolean', s.boolean(), 'false', false],
    ['integer', s.integer(), '-3', -3],
    ['bigint', s.bigint(), '123456789012345678901', 123456789012345678901n],
    ['bigint of a small one', s.bigint(), '7', 7n],
    ['float', s.float(), '2.0', 2],
    ['number', s.number(), '2', 2],
    ['text of a binary', s.text(), '<<"é"/utf8>>', 'é'],
    ['text of a charlist', s.text(), '"añ"', 'añ'],
    ['text of chardata', s.text(), '["a",<<"b">>,[99]]', 'abc'],
    ['text of an empty list', s.text('charlist'), '[]', ''],
    ['literal', s.literal(atom('x')), 'x', atom('x')],
    ['nil', s.nil(), 'nil', null],
    ['list', s.list(s.integer()), '[1,2]', [1, 2]],
    ['list that looks like a string', s.list(s.integer()), '"ab"', [97, 98]],
    ['tuple', s.tuple(s.atom('ok'), s.text()), '{ok,<<"x">>}', ['ok', 'x']],
    [
      'record',
      s.record('user', { name: s.text(), age: s.integer() }),
      '{user,"Ann",33}',
      { name: 'Ann', age: 33 },
    ],
    [
      'struct',
      s.struct('My.User', { age: s.integer() }),
      "#{'__struct__'=>'Elixir.My.User',age=>3,x=>1}",
      { age: 3 },
    ],
    ['object', s.object({ a: s.integer(), b: s.text() }), '#{a=>1,<<"b">> =>"x",c=>2}', { a: 1, b: 'x' }],
    ['object by binaries', s.object({ a: s.integer() }, { keys: 'binary' }), '#{a=>1,<<"a">> =>2}', { a: 2 }],
    ['map', s.map(s.text(), s.integer()), '#{<<"k">> =>1}', new Map([['k', 1]])],
    [
      'keyword',
      s.keyword({ a: s.integer(), b: s.boolean(), c: s.optional(s.text()) }),
      '[{a,1},b,{a,2},{z,3}]',
      { a: 1, b: true },
    ],
    ['ok', s.ok(), 'ok', { ok: true, value: undefined }],
    ['ok with a value', s.ok(s.integer()), '{ok,1}', { ok: true, value: 1 }],
    ['error', s.ok(s.integer(), s.atom()), '{error,enoent}', { ok: false, error: 'enoent' }],
    ['optional', s.optional(s.integer()), 'undefined', undefined],
    ['nullable', s.nullable(s.integer()), 'nil', null],
    ['union', s.union(s.integer(), s.text()), '"x"', 'x'],
    ['pid', s.pid(), '<0.1.2>', new Pid(atom('a@b'), 1, 2, 0)],
    ['transform', s.text().transform((text) => text.length), '"abc"', 3],
    [
      'default',
      s.object({ a: s.integer().default(5), b: s.integer().default(6) }),
      '#{a=>nil}',
      { a: 5, b: 6 },
    ],
    ['of another library', s.list(shout), '[<<"a">>,b]', ['A', 'B']],
    ['piped into another library', s.text('charlist').pipe(shout), '"abc"', 'ABC'],
  ])('%s', (_, schema, text, expected) => {
    expect(schema.decode(term(text))).toEqual(expected)
  })

  test('schemas that contain themselves', () => {
    interface Tree {
      value: number
      children: Tree[]
    }
    const tree: Schema<Tree> = s.object({ value: s.integer(), children: s.list(s.lazy(() => tree)) })
    expect(tree.decode(term('#{value=>1,children=>[#{value=>2,children=>[]}]}'))).toEqual({
      value: 1,
      children: [{ value: 2, children: [] }],
    })
  })
})

describe('errors', () => {
  test.each<[string, Schema<unknown>, string, string]>([
    ['atom', s.atom('up', 'down'), '1', 'expected one of the atoms up, down, got 1'],
    ['integer', s.integer(), '1.0', 'expected an integer up to 2^53, got 1.0'],
    ['float', s.float(), '1', 'expected a float, got 1'],
    ['text', s.text(), '<<255>>', 'expected text, got <<"ÿ">>'],
    ['charlist', s.text('charlist'), '["a"]', 'expected a list of characters, got ["a"]'],
    ['size of a tuple', s.tuple(s.any()), '{1,2}', 'expected a tuple of 1, got one of 2'],
    [
      'path',
      s.object({ users: s.list(s.record('user', { age: s.integer() })) }),
      '#{users=>[{user,1},{user,x}]}',
      'at .users[1].age: expected an integer up to 2^53, got x',
    ],
    ['missing', s.object({ a: s.integer(), b: s.integer() }), '#{}', 'missing a (and 1 more)'],
    [
      'unknown keys',
      s.object({}, { unknown: 'error' }),
      '#{a=>1,2=>3}',
      'unknown keys: a, one that is no name',
    ],
    [
      'struct',
      s.struct('Foo', {}),
      "#{'__struct__'=>'Elixir.Bar'}",
      "expected a struct Foo, got #{'__struct__' => 'Elixir.Bar'}",
    ],
    ['keyword', s.keyword({}), '[{1,2}]', 'expected a keyword list of {atom, value}, got {1,2}'],
    ['ok', s.ok(), '{ok,1}', 'expected ok or {error, Reason}, got {ok,1}'],
    [
      'union',
      s.union(s.integer(), s.atom()),
      '"x"',
      'none of 2 alternatives fits: expected an integer up to 2^53, got "x"; expected an atom, got "x"',
    ],
    ['refine', s.integer().refine((n) => n > 0, 'must be positive'), '0', 'must be positive'],
    [
      'transform',
      s.text().transform((text) => {
        throw new Error(`no ${text}`)
      }),
      '"x"',
      'no x',
    ],
    ['of another library', s.tuple(shout), '{1}', 'at [0].inside[0]: not a string'],
    [
      'a long value',
      s.integer(),
      `"${'x'.repeat(200)}"`,
      `expected an integer up to 2^53, got "${'x'.repeat(59)}…`,
    ],
  ])('%s', (_, schema, text, message) => {
    let error: unknown
    try {
      schema.decode(term(text))
    } catch (caught) {
      error = caught
    }
    expect(error).toBeInstanceOf(EtfSchemaError)
    expect(error).toMatchObject({ code: 'ETF_SCHEMA', message })
  })

  test('all issues, each with its path', () => {
    const result = s.tuple(s.integer(), s.list(s.atom())).safeDecode(term('{x,[a,1,2]}'))
    expect(result.issues?.map(({ path }) => formatPath(path))).toEqual(['[0]', '[1][1]', '[1][2]'])
    expect(formatPath(['a b', 0, 'c'])).toBe('["a b"][0].c')
  })

  test('a schema that answers later cannot be waited for', () => {
    const later = {
      '~standard': { version: 1, vendor: 'slow', validate: () => Promise.reject(new Error('late')) },
    } as const
    expect(s.text().pipe(later).safeDecode(term('"a"')).issues?.[0]?.message).toMatch(
      /slow answers asynchronously/,
    )
  })

  test('nesting up to the limit, and not a level more', () => {
    const nested: Schema<unknown> = s.list(s.lazy(() => nested))
    const deep = (levels: number): Term => term('['.repeat(levels) + ']'.repeat(levels))
    expect(nested.safeDecode(deep(1001)).issues).toBeUndefined()
    expect(nested.safeDecode(deep(1002)).issues?.[0]?.message).toBe('nested too deeply')
    expect(nested.safeDecode(deep(200_000)).issues).toHaveLength(1)
    expect(toPlain(deep(1000))).toHaveLength(1)
    expect(() => toPlain(deep(1001))).toThrow(expect.objectContaining({ code: 'ETF_SCHEMA_DEPTH' }))
    expect(s.list(shout).safeDecode(deep(200_000)).issues?.[0]?.message).toMatch(/too deeply/)
  })
})

describe('Standard Schema', () => {
  test('of every schema', () => {
    const schema: StandardSchemaV1<unknown, number> = s.integer()
    expect(schema['~standard']).toMatchObject({ version: 1, vendor: 'beampeer' })
    expect(schema['~standard'].validate(3)).toEqual({ value: 3 })
    expect(schema['~standard'].validate(atom('x'))).toEqual({
      issues: [{ message: 'expected an integer up to 2^53, got x', path: [] }],
    })
  })
})

test('names of fields are data, whatever they are', () => {
  const value = s
    .object({ ['__proto__']: s.integer(), constructor: s.integer() })
    .decode(new ErlMap([atom('__proto__'), 1, atom('constructor'), 2]))
  expect(Object.getOwnPropertyNames(value).sort()).toEqual(['__proto__', 'constructor'])
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
})

describe('toPlain', () => {
  const plain = (text: string, atoms: 'atom' | 'text' = 'text'): unknown => toPlain(term(text), { atoms })

  test('text, numbers, arrays, objects', () => {
    expect(plain('{ok,[1.0,<<"é"/utf8>>,nil,undefined,[a|b]]}')).toEqual([
      'ok',
      [1, 'é', null, undefined, ['a', 'b']],
    ])
    expect(plain('ok', 'atom')).toBe(atom('ok'))
    expect(plain('<<255>>')).toEqual(Uint8Array.of(255))
    expect(JSON.stringify(plain('#{a=>1,<<"b">> =>#{c=>[]}}'))).toBe('{"a":1,"b":{"c":[]}}')
    expect(Object.getPrototypeOf(plain("#{'__proto__'=>1}"))).toBeNull()
  })

  test('maps whose keys are no names, or name one property twice, become Maps', () => {
    expect(plain('#{1=>2}')).toEqual(new Map([[1, 2]]))
    expect(plain('#{a=>1,<<"a">> =>2}')).toEqual(new Map([['a', 2]]))
    expect(plain('#{a=>1,<<"a">> =>2}', 'atom')).toEqual(
      new Map<unknown, number>([
        [atom('a'), 1],
        ['a', 2],
      ]),
    )
  })
})

describe('match', () => {
  const describeReply = matcher()
    .with(s.tuple(s.atom('ok'), s.integer()), ([, n]) => `integer ${n}`)
    .with(s.tuple(s.atom('ok'), s.text()), ([, text]) => `text ${text}`)
    .with(s.pid(), (pid, whole) => `pid ${pid === whole}`)

  test('the first choice that fits', () => {
    const choose = describeReply.otherwise(() => 'neither')
    expect([term('{ok,1}'), term('{ok,"a"}'), pid as Term, term('x')].map(choose)).toEqual([
      'integer 1',
      'text a',
      'pid true',
      'neither',
    ])
  })

  test('no choice fits', () => {
    const choose = describeReply.orThrow()
    expect(choose(term('{ok,1}'))).toBe('integer 1')
    expect(() => choose(term('{no,1}'))).toThrow(
      expect.objectContaining({ code: 'ETF_NO_MATCH', message: 'no choice fits {no,1}' }),
    )
  })

  test('at once', () => {
    const reply: Encodable = tuple(atom('ok'), float(1))
    const result = match(reply as Term)
      .with(s.tuple(s.atom('ok'), s.float()), ([, n]) => n + 1)
      .otherwise(() => 'none')
    expect(result).toBe(2)
    expect(() =>
      match(1)
        .with(s.text(), () => 1)
        .orThrow(),
    ).toThrow(expect.objectContaining({ code: 'ETF_NO_MATCH' }))
    expect(
      match(1)
        .with(shout, (text) => text)
        .otherwise((rest) => rest),
    ).toBe(1)
  })
})
