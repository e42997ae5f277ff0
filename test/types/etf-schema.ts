/** Types that schemas infer, checked by the compiler alone (`npm run typecheck`): a wrong one does not compile. */
import { match, matcher } from '../../src/etf/match.js'
import type { Pid } from '../../src/etf/identifiers.js'
import { s } from '../../src/etf/schemas.js'
import type { Infer, StandardSchemaV1 } from '../../src/etf/standard-schema.js'
import type { Term } from '../../src/etf/terms.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
/** Compiles only with a schema that decodes to exactly `Expected`. */
const decodesTo =
  <Expected>() =>
  <S extends StandardSchemaV1>(
    _schema: S,
    ..._proof: Equal<Infer<S>, Expected> extends true ? [] : [never]
  ): void =>
    undefined
/** Compiles only with a value of exactly the type `Expected`. */
const isExactly =
  <Expected>() =>
  <T>(_value: T, ..._proof: Equal<T, Expected> extends true ? [] : [never]): void =>
    undefined

const reply = s.ok(s.object({ name: s.text(), tags: s.list(s.atom()), age: s.optional(s.integer()) }))
decodesTo<
  | { readonly ok: true; readonly value: { name: string; tags: string[]; age?: number | undefined } }
  | { readonly ok: false; readonly error: Term }
>()(reply)

const status = s.atom('up', 'down')
decodesTo<'up' | 'down'>()(status)

const message = s.tuple(s.atom('reply'), s.pid(), s.union(s.integer(), s.nullable(s.text())))
decodesTo<['reply', Pid, string | number | null]>()(message)

const user = s.record('user', { name: s.text(), born: s.integer().transform((year) => new Date(year)) })
decodesTo<{ name: string; born: Date }>()(user)

const struct = s.struct('My.User', { id: s.bigint(), tags: s.map(s.text(), s.boolean()) })
decodesTo<{ id: bigint; tags: Map<string, boolean> }>()(struct)

const options = s.keyword({ timeout: s.integer().default(5000), name: s.optional(s.text()) })
decodesTo<{ timeout: number; name?: string | undefined }>()(options)

declare const foreign: StandardSchemaV1<string, URL>
const piped = s.text().pipe(foreign)
const plugged = s.list(foreign)
decodesTo<URL>()(piped)
decodesTo<URL[]>()(plugged)

export function checkMatch(term: Term): void {
  const result = match(term)
    .with(message, ([tag, pid]) => ({ tag, pid }))
    .with(status, (value) => value)
    .otherwise(() => null)
  isExactly<'up' | 'down' | { tag: 'reply'; pid: Pid } | null>()(result)

  const choose = matcher()
    .with(s.integer(), (n) => n)
    .orThrow()
  isExactly<(term: Term) => number>()(choose)

  // @ts-expect-error -- a list is not a tuple
  decodesTo<string[]>()(message)
  // @ts-expect-error -- an atom has a name
  s.atom(1)
  // @ts-expect-error -- the handler is given what the schema decodes to
  match(term).with(s.integer(), (n: string) => n)
}
