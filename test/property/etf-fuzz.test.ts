/**
 * Hostile input: mutated terms, with the naive decoder as the judge. 30,000 inputs; `BEAMPEER_FUZZ_SECONDS=3600` goes on
 * that long, from another seed each time (printed, and `BEAMPEER_FUZZ_SEED` repeats it).
 */
import fc from 'fast-check'
import { decode, encode, EtfError, isEqual, type Term } from '../../src/etf/node.js'
import { mutate, randomFrom } from '../support/etf-mutate.js'
import { hostileInputs, RELEASES, vectors } from '../support/etf-vectors.js'
import { naiveDecode } from '../support/naive-etf.js'
import { naiveKey } from '../support/naive-key.js'
import { deepTerms } from '../support/term-arbitrary.js'

const seconds = Number(process.env['BEAMPEER_FUZZ_SECONDS'] ?? 0)
const seed = Number(process.env['BEAMPEER_FUZZ_SEED'] ?? (seconds > 0 ? Date.now() % 2 ** 31 : 7))

const GOOD = new Uint8Array([131, 104, 2, 119, 2, 111, 107, 97, 1])
const GOOD_TERM = decode(GOOD)

/** What is wrong with how `bytes` are decoded; undefined if nothing is. */
function verdict(bytes: Uint8Array): string | undefined {
  // Compressed and node-local terms are not the naive decoder's.
  const expected = bytes[1] === 80 || bytes[1] === 121 ? null : naiveDecode(bytes)
  let term: Term
  try {
    term = decode(bytes)
  } catch (error) {
    if (!(error instanceof EtfError) || !error.code.startsWith('ETF_')) return `threw ${String(error)}`
    if (error.offset === undefined || error.offset < 0 || error.offset > bytes.length)
      return `offset ${error.offset}`
    if (expected !== undefined && expected !== null)
      return `refused (${error.message}) what is ${naiveKey(expected)}`
    return isEqual(decode(GOOD), GOOD_TERM) ? undefined : 'the decoder is not as good after this'
  }
  if (expected === undefined) return `gave ${naiveKey(term)} for what is no term`
  if (expected !== null && naiveKey(term) !== naiveKey(expected))
    return `gave ${naiveKey(term)}, not ${naiveKey(expected)}`
  if (!isEqual(decode(bytes, { binaries: 'text' }), term)) return 'is another term with binaries as text'
  if (bytes[1] === 121) return undefined
  // What was decoded can be encoded, and is the same again: nothing that a BEAM would refuse gets through.
  return isEqual(decode(encode(term)), term) ? undefined : 'is not the same after encoding'
}

const seeds = [
  ...hostileInputs().map(({ bytes }) => bytes),
  ...RELEASES.flatMap(vectors).map(({ bytes }) => bytes),
  ...fc.sample(deepTerms({ funs: true, records: true }), { seed, numRuns: 1000 }).map((term) => encode(term)),
]

test(
  `mutated terms of seed ${seed} give the same term as the naive decoder, or one EtfError`,
  () => {
    const random = randomFrom(seed)
    const end = seconds > 0 ? Date.now() + seconds * 1000 : 0
    const findings: string[] = []
    for (let i = 0; (i < 30_000 || Date.now() < end) && findings.length < 5; i++) {
      const bytes = mutate(pick(random), pick(random), random)
      const wrong = verdict(bytes)
      if (wrong !== undefined) findings.push(`${Buffer.from(bytes).toString('hex')} ${wrong}`)
    }
    expect(findings).toEqual([])
  },
  seconds * 1000 + 120_000,
)

function pick(random: (below: number) => number): Uint8Array {
  return seeds[random(seeds.length)] as Uint8Array
}

test.each(hostileInputs())('$name stays right', ({ bytes }) => {
  expect(verdict(bytes)).toBeUndefined()
})
