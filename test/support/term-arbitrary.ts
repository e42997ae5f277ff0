/** Generated terms of every type, as fast-check arbitraries. */
import fc from 'fast-check'
import { atom, internAtom } from '../../src/etf/atom.js'
import { Fun } from '../../src/etf/fun.js'
import { ExportFun, Pid, Port, Reference } from '../../src/etf/identifiers.js'
import { ErlMap } from '../../src/etf/map.js'
import { keyOf } from '../../src/etf/keys.js'
import type { Term } from '../../src/etf/terms.js'
import { Tuple } from '../../src/etf/tuple.js'
import { BitString, ErlFloat, ImproperList, NativeRecord } from '../../src/etf/values.js'

/** Atoms are never collected: generated ones come from a set of this many names. */
const NAMES = [
  'ok', 'error', 'undefined', 'nil', 'true', 'false', '', 'a', 'b', 'ab', 'aB', 'Z', '_', 'a@b', 'two words', "it's", 'é', 'ÿ',
  'ÿÿÿ', 'Ā', '日本', '\u{ffff}', '\u{1f600}', '\u{10000}', 'constructor', '__proto__', 'é'.repeat(255), '\u{1f600}'.repeat(255),
  'x'.repeat(255), 'x'.repeat(128), 'hello', 'hellp', 'helloo',
] // prettier-ignore

export const atoms = fc.constantFrom(...NAMES).map((name) => atom(name) as Term)
const nodes = fc.constantFrom('a@b', 'node@127.0.0.1', 'b@b', 'nonode@nohost').map((name) => internAtom(name))
const word = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 0xffffffff }))
const creation = fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 0xffffffff }))

/** The integer as `decode` gives it. */
function integer(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value
}

export const integers: fc.Arbitrary<number | bigint> = fc.oneof(
  fc.integer({ min: -3, max: 300 }),
  fc.integer(),
  fc
    .constantFrom(27, 28, 31, 32, 52, 53, 56, 59, 60, 63, 64, 65, 127, 128, 2039, 2040, 2048, 20_000)
    .chain((bits) =>
      fc
        .tuple(fc.constantFrom(-2n, -1n, 0n, 1n, 2n), fc.boolean())
        .map(([offset, negative]) => integer((negative ? -1n : 1n) * ((1n << BigInt(bits)) + offset))),
    ),
  fc.bigInt().map(integer),
)

/** A float as `decode` gives it. */
function floatTerm(value: number): Term {
  return Number.isInteger(value) ? new ErlFloat(value) : value
}

export const floats = fc
  .oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(0, -0, 1, -1, 0.1, 1e22, 2 ** 53, 5e-324, Number.MAX_VALUE, 2.5),
    fc.integer({ min: -3, max: 3 }),
  )
  .map(floatTerm)

export const binaries = fc
  .oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc.string({ unit: 'grapheme', maxLength: 12 }).map(utf8),
    fc.uint8Array({ minLength: 60, maxLength: 300 }),
  )
  .map((bytes) => bytes as Term)

function utf8(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text))
}

const bitStrings = fc
  .tuple(fc.uint8Array({ minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 7 }))
  .map(([bytes, bits]) => {
    const last = bytes.length - 1
    bytes[last] = (bytes[last] as number) & (0xff << (8 - bits))
    return new BitString(bytes, bits)
  })

export const pids = fc
  .tuple(nodes, word, word, creation)
  .map(([node, id, serial, made]) => new Pid(node, id, serial, made))
export const ports = fc
  .tuple(nodes, fc.oneof(word, fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map(integer)), creation)
  .map(([node, id, made]) => new Port(node, id, made))
export const references = fc
  .tuple(nodes, creation, fc.array(word, { minLength: 1, maxLength: 5 }))
  // The first word of a reference has 18 bits.
  .map(
    ([node, made, words]) => new Reference(node, made, [(words[0] as number) & 0x3ffff, ...words.slice(1)]),
  )
const exportFuns = fc
  .tuple(atoms, atoms, fc.integer({ min: 0, max: 255 }))
  .map(([module, name, arity]) => new ExportFun(module as never, name as never, arity))

function leaves(options: TermOptions): fc.Arbitrary<Term> {
  const allowed = options.negativeZero === false ? floats.filter((term) => !isNegativeZero(term)) : floats
  return fc.oneof(
    { weight: 4, arbitrary: integers },
    { weight: 3, arbitrary: atoms },
    { weight: 3, arbitrary: binaries },
    { weight: 2, arbitrary: allowed },
    { weight: 1, arbitrary: pids },
    { weight: 1, arbitrary: references },
    { weight: 1, arbitrary: ports },
    { weight: 1, arbitrary: bitStrings },
    { weight: 1, arbitrary: exportFuns },
    { weight: 1, arbitrary: fc.constantFrom<Term>([], new Tuple([]), new ErlMap([])) },
  )
}

function isNegativeZero(term: Term): boolean {
  return term instanceof ErlFloat && Object.is(term.value, -0)
}

/** A map without the entries whose keys came before. */
function mapOf(entries: readonly (readonly [Term, Term])[]): ErlMap {
  const seen = new Set<unknown>()
  return ErlMap.from(
    entries.filter(([key]) => {
      const known = seen.has(keyOf(key))
      seen.add(keyOf(key))
      return !known
    }),
  )
}

/** What {@link terms} may hold besides what every release knows. */
export interface TermOptions {
  /** Closures, which a BEAM takes but orders by code it does not have. */
  funs?: boolean
  /** false: no -0.0, which before OTP 27 is 0.0: a map with both as keys has a key twice there. */
  negativeZero?: boolean
  /** Native records, from OTP 29. */
  records?: boolean
}

/** Terms of every type, nested. */
export function terms(options: TermOptions = {}): fc.Arbitrary<Term> {
  const leaf = leaves(options)
  const { term } = fc.letrec<{ term: Term }>((tie) => {
    const inner = tie('term')
    const items = fc.array(inner, { maxLength: 6 })
    const compound: fc.Arbitrary<Term>[] = [
      items,
      items.map((elements) => new Tuple(elements)),
      fc.array(fc.tuple(inner, inner), { maxLength: 6 }).map(mapOf),
      fc
        .tuple(fc.array(inner, { minLength: 1, maxLength: 4 }), leaf)
        .map(([list, tail]) => (Array.isArray(tail) ? list : new ImproperList(list, tail))),
      fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 20 }),
    ]
    if (options.funs === true) {
      compound.push(
        fc
          .tuple(
            atoms,
            fc.integer({ min: 0, max: 20 }),
            fc.uint8Array({ minLength: 16, maxLength: 16 }),
            word,
            pids,
            items,
          )
          .map(
            ([module, arity, uniq, index, pid, free]) =>
              new Fun(
                module as never,
                arity,
                uniq,
                index & 0xffff,
                index & 0xffff,
                index & 0xfffff,
                pid,
                free,
              ),
          ),
      )
    }
    if (options.records === true) {
      compound.push(
        fc
          .tuple(
            atoms,
            atoms,
            fc.boolean(),
            fc.uniqueArray(atoms, { maxLength: 4 }),
            fc.array(inner, { minLength: 4, maxLength: 4 }),
          )
          .map(
            ([module, name, exported, fields, values]) =>
              new NativeRecord(
                module as never,
                name as never,
                exported,
                fields as never,
                values.slice(0, fields.length),
              ),
          ),
      )
    }
    return { term: fc.oneof({ maxDepth: 6, depthSize: 'small' }, leaf, ...compound) }
  })
  return term
}

/** Terms with a tower of containers of up to 50 levels around them. */
export function deepTerms(options: TermOptions = {}): fc.Arbitrary<Term> {
  const wrap = fc.constantFrom<(term: Term) => Term>(
    (term) => [term],
    (term) => new Tuple([1, term]),
    (term) => new ErlMap([atom('k') as Term, term], true),
    (term) => new ErlMap([term, 1], true),
    (term) => new ImproperList([term], 2),
  )
  return fc
    .tuple(terms(options), fc.array(wrap, { maxLength: 50 }))
    .map(([term, wraps]) => wraps.reduce((inner, around) => around(inner), term))
}
