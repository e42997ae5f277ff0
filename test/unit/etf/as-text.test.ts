/** What is text and what is not, as `unicode:characters_to_list/1` has it. */
import { asText, atom, ImproperList, type Term } from '../../../src/etf/node.js'

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

test.each<[string, Term, string | undefined]>([
  ['a binary', bytes('žluť'), 'žluť'],
  ['a character list', [97, 0x65e5, 0x1f600], 'a日😀'],
  ['the empty list', [], ''],
  ['a nesting of both', [97, [bytes('b'), [99]], []], 'abc'],
  ['a binary as tail', new ImproperList([97], bytes('b')), 'ab'],
  ['a character split between two binaries', [new Uint8Array([0xc3]), new Uint8Array([0xa9])], 'é'],
  ['bytes that are no UTF-8', new Uint8Array([0xc3]), undefined],
  ['a surrogate', [0xd800], undefined],
  ['a code point alone', 65, undefined],
  ['a code point as tail', new ImproperList([97], 98), undefined],
  ['an atom', atom('a'), undefined],
  ['a fraction in a list', [1.5], undefined],
])('%s', (_name, term, text) => expect(asText(term)).toBe(text))

test('Latin-1', () => {
  expect(asText([new Uint8Array([0xe9]), 0xe9], 'latin1')).toBe('éé')
})
