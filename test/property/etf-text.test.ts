/** Text of terms, whatever the terms and whatever the text. */
import fc from 'fast-check'
import { EtfError } from '../../src/errors.js'
import { formatIo } from '../../src/etf/format.js'
import { isEqual, parse, print, type Encodable, type Term } from '../../src/etf/node.js'
import { EtfParseError } from '../../src/etf/parse-error.js'
import { s } from '../../src/etf/schemas.js'
import { formats, wideTerms } from '../support/format-arbitrary.js'
import { terms } from '../support/term-arbitrary.js'

const settings = { seed: 20_250_103, numRuns: 2000 }

/** Terms whose text says all about them: a pid's does not tell its creation, nor a fun's in Unicode its name. */
const readable = fc.oneof(
  wideTerms,
  terms().filter((term) => !/<\d|#(Ref|Port)|fun .*[^\0-\x7f]|[\ufffe\uffff]/.test(print(term))),
)

test('parse(print(term)) is =:= the term', () => {
  fc.assert(
    fc.property(readable, fc.constantFrom<'latin1' | 'unicode'>('latin1', 'unicode'), (term, printable) =>
      isEqual(parse(print(term, { printable })), term),
    ),
    settings,
  )
})

test('what formatIo lays out over lines is the same term', () => {
  fc.assert(
    fc.property(readable, fc.integer({ min: 1, max: 120 }), fc.nat(100), (term, width, column) =>
      isEqual(parse(formatIo('~*.*tp', [width, column, term])), term),
    ),
    settings,
  )
})

test('any text is a term or an EtfParseError inside the text', () => {
  const pieces = fc.array(
    fc.oneof(
      fc.constantFrom(...'[]{}()<>|,.:/#=$"\'~%-\n_a1', '<<', '>>', '=>', 'fun ', '1.5', '"""', '16#'),
      fc.string(),
    ),
    { maxLength: 12 },
  )
  fc.assert(
    fc.property(
      pieces.map((parts) => parts.join('')),
      (text) => {
        try {
          parse(text)
        } catch (error) {
          expect(error).toBeInstanceOf(EtfParseError)
          const { line, column, offset } = error as EtfParseError
          expect(offset).toBeLessThanOrEqual(text.length)
          expect(line).toBeLessThanOrEqual(text.split('\n').length)
          expect(column).toBeGreaterThan(0)
        }
      },
    ),
    settings,
  )
})

test('formatIo makes text or throws an EtfError, whatever it is given', () => {
  const wild = fc.record({
    format: fc.oneof(
      fc.string(),
      fc.string().map((text) => `~${text}`),
    ),
    args: fc.array(wideTerms, { maxLength: 3 }),
  })
  fc.assert(
    fc.property(fc.oneof(formats, wild), ({ format, args }) => {
      try {
        expect(
          typeof formatIo(format, args as Encodable[], { limits: { maxFormatCharacters: 100_000 } }),
        ).toBe('string')
      } catch (error) {
        expect(error).toBeInstanceOf(EtfError)
      }
    }),
    settings,
  )
})

test('a schema finds a value or issues in any term, and never throws', () => {
  const schema: { safeDecode(term: Term): { issues?: readonly unknown[] | undefined } } = s.union(
    s.ok(s.object({ a: s.list(s.text()) })),
    s.keyword({ a: s.integer() }),
    s.record('r', { x: s.number() }),
    s.map(s.atom(), s.any()),
    s.tuple(s.any(), s.bitstring()),
  )
  fc.assert(
    fc.property(terms({ funs: true, records: true }), (term) => {
      const result = schema.safeDecode(term)
      expect('value' in result || (result.issues?.length ?? 0) > 0).toBe(true)
    }),
    settings,
  )
})
