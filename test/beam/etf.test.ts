/** The codec against real BEAMs: what they make we read and write back byte for byte, and they find ours `=:=`. */
import fc from 'fast-check'
import {
  atom,
  compare,
  decode,
  encode,
  ErlMap,
  type Atom,
  isEqual,
  keyOf,
  Reference,
  tuple,
  type Term,
} from '../../src/etf/node.js'
import { hostRelease, startBeam, type Beam } from '../support/beam.js'
import { mutate, randomFrom } from '../support/etf-mutate.js'
import { fromHex, hostileInputs, RELEASES, vectors } from '../support/etf-vectors.js'
import { deepTerms, terms } from '../support/term-arbitrary.js'
import { TERM_GENERATOR } from '../support/term-generator.js'

const SEED = 20_250_101

/** A list of binaries that the BEAM gave. */
async function binaries(beam: Beam, expression: string, bindings = {}): Promise<Uint8Array[]> {
  return (await beam.eval(expression, bindings)) as Uint8Array[]
}

/**
 * The release that gets the terms made here: OTP 23 cannot hold all of them (big pids, long references), and OTP 27
 * replaces the pids of funs that it has no code for.
 */
const MADE_FOR = 25
const like = MADE_FOR

/** The first few that differ: whole lists of binaries make no readable failure. */
function differences(ours: readonly Uint8Array[], theirs: readonly Uint8Array[]): string[] {
  const found = ours.length === theirs.length ? [] : [`${ours.length} and ${theirs.length}`]
  for (let i = 0; i < ours.length && found.length < 3; i++) {
    const [a, b] = [ours[i], theirs[i]].map((bytes) => Buffer.from(bytes ?? []).toString('hex')) as [
      string,
      string,
    ]
    let at = 0
    while (at < a.length && a.slice(at, at + 2) === b.slice(at, at + 2)) at += 2
    if (a !== b)
      found.push(`${i}, byte ${at >> 1}: ours ${a.slice(at, at + 80)} theirs ${b.slice(at, at + 80)}`)
  }
  return found
}

describe('terms made here', () => {
  const sample = fc.sample(deepTerms({ funs: true, negativeZero: false }), { seed: SEED, numRuns: 10_000 })

  test('10,000 terms of every type go to the BEAM and come back =:=', async () => {
    const beam = await startBeam({ distributed: false, otp: MADE_FOR })
    // The BEAM is given our bytes, and gives its own; it also finds that ours of its own are =:= to what it decoded.
    const back = await binaries(
      beam,
      '[term_to_binary(binary_to_term(B), [{minor_version, 2}]) || B <- Bins]',
      { Bins: sample.map((term) => encode(term)) },
    )
    expect(back).toHaveLength(sample.length)
    const different = sample.filter((term, i) => !isEqual(decode(back[i] as Uint8Array), term))
    expect(different.slice(0, 3)).toEqual([])
    const again = back.map((bytes) => encode(decode(bytes)))
    const equal = await beam.evalText(
      'length([1 || {A, B} <- lists:zip(Back, Again), binary_to_term(A) =:= binary_to_term(B)])',
      { Back: back, Again: again },
    )
    expect(Number(equal)).toBe(sample.length)
  })

  test('deterministic encoding equals term_to_binary(…, [deterministic])', async () => {
    const beam = await startBeam({ distributed: false, otp: MADE_FOR })
    const ours = sample
      .slice(0, 3000)
      .map((term) => encode(term, { deterministic: true, like, minorVersion: 2 }))
    const theirs = await binaries(
      beam,
      '[term_to_binary(binary_to_term(B), [{minor_version, 2}, deterministic]) || B <- Bins]',
      { Bins: ours },
    )
    expect(differences(ours, theirs)).toEqual([])
  })

  test.each([0, 1, 2] as const)('minor version %i writes what the BEAM writes', async (minorVersion) => {
    const beam = await startBeam({ distributed: false, otp: MADE_FOR })
    const options = { deterministic: true, minorVersion, like } as const
    const ours = sample.slice(0, 2000).map((term) => encode(term, options))
    const theirs = await binaries(
      beam,
      '[term_to_binary(binary_to_term(B), [{minor_version, Minor}, deterministic]) || B <- Bins]',
      { Bins: ours, Minor: minorVersion },
    )
    expect(differences(ours, theirs)).toEqual([])
  })

  test('compressed terms are read on both sides', async () => {
    const beam = await startBeam({ distributed: false, otp: MADE_FOR })
    const large = sample.slice(0, 200)
    const packed = encode(large, { compressed: 9 })
    expect(packed[1]).toBe(80)
    const theirs = (await beam.eval('term_to_binary(binary_to_term(B), [{compressed, 9}])', {
      B: packed,
    })) as Uint8Array
    expect(theirs[1]).toBe(80)
    expect(isEqual(decode(theirs), large)).toBe(true)
  })
})

describe('order and equality', () => {
  const mixed = fc.sample(terms({ negativeZero: false }), { seed: SEED + 1, numRuns: 10_000 })

  test.each([hostRelease(), 27])('10,000 mixed terms are sorted as OTP %i sorts them', async (otp) => {
    const beam = await startBeam({ distributed: false, otp })
    const theirs = await beam.eval(
      `Numbered = lists:zip([binary_to_term(B) || B <- Bins], lists:seq(0, length(Bins) - 1)),
       [I || {_, I} <- lists:sort(fun({A, _}, {B, _}) -> A =< B end, Numbered)]`,
      { Bins: mixed.map((term) => encode(term)) },
    )
    const ours = mixed.map((term, i) => ({ term, i })).sort((a, b) => compare(a.term, b.term))
    const wrong = ours.findIndex(({ i }, at) => i !== (theirs as number[])[at])
    expect(
      wrong < 0 ? [] : [wrong, ours.slice(wrong, wrong + 2), mixed[(theirs as number[])[wrong] as number]],
    ).toEqual([])
  })

  test('a map made on the BEAM gives the value of every key', async () => {
    const beam = await startBeam({ distributed: false, otp: 27 })
    const map = (await beam.eval(
      'maps:from_list(lists:zip([binary_to_term(B) || B <- Bins], lists:seq(0, length(Bins) - 1)))',
      { Bins: mixed.map((term) => encode(term)) },
    )) as ErlMap
    expect(map.size).toBe(new Set(mixed.map(keyOf)).size)
    const last = new Map(mixed.map((term, i) => [keyOf(term), i]))
    const wrong = mixed.filter((term) => map.get(term) !== last.get(keyOf(term)))
    expect(wrong).toEqual([])
  })

  test('isEqual is =:= of OTP 27', async () => {
    const beam = await startBeam({ distributed: false, otp: 27 })
    const small = fc.sample(fc.tuple(terms(), terms(), fc.boolean()), { seed: SEED + 2, numRuns: 4000 })
    const pairs = small.map(([a, b, same]) => (same ? [a, decode(encode(a))] : [a, b]) as [Term, Term])
    const theirs = await beam.eval('[binary_to_term(A) =:= binary_to_term(B) || {A, B} <- Pairs]', {
      Pairs: pairs.map(([a, b]) => tuple(encode(a), encode(b))),
    })
    expect(pairs.map(([a, b]) => isEqual(a, b))).toEqual(theirs)
  })

  test.each([hostRelease(), 29])(
    'OTP %i and we take zeros at the end of a reference for none',
    async (otp) => {
      const beam = await startBeam({ distributed: false, otp })
      const words = [
        [5],
        [5, 0, 0],
        [5, 0, 0, 0, 0],
        [5, 1],
        [5, 1, 0],
        [0, 0, 1],
        [5, 0, 1],
        [4],
        [0],
        [0, 0],
      ]
      const refs = words.map((each) => new Reference(atom('a@h') as Atom, 7, each))
      const theirs = await beam.eval(
        `Refs = [binary_to_term(B) || B <- Bins],
       [{A =:= B, A < B, maps:is_key(A, #{B => []})} || A <- Refs, B <- Refs]`,
        { Bins: refs.map((ref) => encode(ref)) },
      )
      const ours = refs.flatMap((a) =>
        refs.map((b) => tuple(isEqual(a, b), compare(a, b) < 0, ErlMap.from([[b, []]]).has(a))),
      )
      expect(ours).toEqual(theirs)
      expect(new Set(refs.map(keyOf)).size).toBe(6)
      expect(refs.map((ref) => (decode(encode(ref)) as Reference).words)).toEqual(words)
    },
  )
})

describe.each([
  { otp: 25, like: 25 },
  { otp: 27, like: 27 },
  { otp: 29, like: 27 },
] as const)('terms made by OTP $otp', ({ otp, like }) => {
  test('are written back byte for byte', async () => {
    const beam = await startBeam({ distributed: false, otp })
    await beam.compile(TERM_GENERATOR)
    const made = await binaries(beam, 'term_generator:terms(Seed, 3000)', { Seed: SEED })
    expect(made).toHaveLength(3000)
    expect(
      differences(
        made.map((bytes) => encode(decode(bytes), { like })),
        made,
      ),
    ).toEqual([])
  })
})

/** Superseded tags, which no release writes any more: made by hand, and each BEAM says what they are. */
const SUPERSEDED = {
  FLOAT_EXT: '8363' + Buffer.from('1.50000000000000000000e+00').toString('hex').padEnd(62, '0'),
  PID_EXT: '83 67 7703614062 00000005 00000007 02',
  PORT_EXT: '83 66 7703614062 00000009 01',
  REFERENCE_EXT: '83 65 7703614062 0000000b 03',
  NEW_REFERENCE_EXT: '83 72 0003 7703614062 01 00000001 00000002 00000003',
  SMALL_ATOM_EXT: '83 73 03 e96161',
  ATOM_EXT: '83 64 0003 e96161',
} as const

describe.each([hostRelease(), 27, 29])('what OTP %i reads', (otp) => {
  test('superseded tags are what we take them for', async () => {
    const beam = await startBeam({ distributed: false, otp })
    const old = Object.values(SUPERSEDED).map(fromHex)
    const theirs = await binaries(
      beam,
      '[term_to_binary(binary_to_term(B), [{minor_version, 2}]) || B <- Bins]',
      {
        Bins: old,
      },
    )
    const successors = { minorVersion: 2, like: otp < 26 ? 25 : 27 } as const
    expect(
      differences(
        old.map((bytes) => encode(decode(bytes), successors)),
        theirs,
      ),
    ).toEqual([])
  })

  test('of mutated terms, all that we take it takes too, and finds =:=', async () => {
    const beam = await startBeam({ distributed: false, otp })
    const random = randomFrom(SEED + otp)
    const seeds = [
      ...RELEASES.filter((release) => release <= otp).flatMap((release) =>
        vectors(release).map(({ bytes }) => bytes),
      ),
      ...fc
        .sample(deepTerms({ funs: true, negativeZero: false }), { seed: SEED, numRuns: 500 })
        .map((term) => encode(term)),
    ]
    const pick = (): Uint8Array => seeds[random(seeds.length)] as Uint8Array
    const inputs = hostileInputs().map(({ bytes }) => bytes)
    for (let i = 0; i < 20_000; i++) inputs.push(mutate(pick(), pick(), random))
    const taken = inputs.filter((bytes) => !isLeftOut(bytes, otp) && isTaken(bytes))
    expect(taken.length).toBeGreaterThan(500)
    const theirs = await beam.eval(
      `[try binary_to_term(A) =:= binary_to_term(B) catch error:badarg -> badarg end || {A, B} <- Pairs]`,
      { Pairs: taken.map((bytes) => tuple(bytes, encode(decode(bytes)))) },
    )
    const wrong = taken.filter((_, i) => (theirs as Term[])[i] !== true)
    expect(wrong.map((bytes) => Buffer.from(bytes).toString('hex').slice(0, 200))).toEqual([])
  })
})

/**
 * What we take and a BEAM may not: FUN_EXT, which we read for completeness; LOCAL_EXT, signed by its node; compressed
 * terms; identifiers of its own node, which it knows not to exist; before OTP 29 native records, and from OTP 29 on
 * a bitstring of no bytes.
 */
function isLeftOut(bytes: Uint8Array, otp: number): boolean {
  if (bytes[1] === 80 || bytes[1] === 121 || bytes.includes(117) || (otp < 29 && bytes.includes(67)))
    return true
  return Buffer.from(bytes).includes('nonode@nohost') || Buffer.from(bytes).includes('4d0000000000', 'hex')
}

function isTaken(bytes: Uint8Array): boolean {
  try {
    decode(bytes)
    return true
  } catch {
    return false
  }
}
