/** Terms as text, as the shells of Erlang (write.ts) and Elixir (print-elixir.ts) show them, on one line. */
import { EtfError } from '../errors.js'
import { printElixir } from './print-elixir.js'
import type { Encodable } from './terms.js'
import type { PrintableRange } from './text-chars.js'
import { write } from './write.js'

export interface PrintOptions {
  /** Whose notation: Erlang's (`~0tp`, the default) or Elixir's (`inspect` without limits). */
  flavour?: 'erlang' | 'elixir'
  /** Characters that appear as text rather than as numbers, as `erl +pc` sets them; Erlang's default is `latin1`. */
  printable?: PrintableRange
  /** Elixir only: how a list of characters appears; `'abc'` (the default, Elixir up to 1.14) or `~c"abc"` (since 1.15). */
  charlists?: 'quotes' | 'sigil'
  /** What is longer is cut there, and ends with `…`. No more is made than that, however large the term. */
  maxCharacters?: number
}

/**
 * The term as a shell would print it, on one line: what `io_lib:format("~0tp", [T])` of OTP 27 gives, or Elixir's
 * `inspect(t, limit: :infinity, width: :infinity, printable_limit: :infinity)`. Pids, ports and references appear as
 * on their own node (`<0.85.0>`). Takes all that `encode` takes: strings print as the binaries they encode to.
 * @throws EtfError `ETF_NOT_A_TERM` for a value that no term stands for, or one that contains itself;
 *   `ETF_FORMAT_LIMIT` for a text that is longer than a string can be
 */
export function print(term: Encodable, options: PrintOptions = {}): string {
  const { flavour, charlists = 'quotes', printable = 'latin1', maxCharacters = Infinity } = options
  try {
    const text =
      flavour === 'elixir'
        ? printElixir(term, charlists, maxCharacters)
        : write(term, { strings: true, unicode: true, printable, depth: -1, maxCharacters })
    return text.length > maxCharacters ? `${upTo(text, maxCharacters)}…` : text
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new EtfError('ETF_FORMAT_LIMIT', `the term is too large for a text: ${error.message}`)
  }
}

/** Its first code units, without half a character. */
function upTo(text: string, units: number): string {
  const cut = text.slice(0, units)
  return /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut
}
