/** Terms as text, as the shells of Erlang (write.ts) and Elixir (print-elixir.ts) show them, on one line. */
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
}

/**
 * The term as a shell would print it, on one line: what `io_lib:format("~0tp", [T])` of OTP 27 gives, or Elixir's
 * `inspect(t, limit: :infinity, width: :infinity, printable_limit: :infinity)`. Pids, ports and references appear as
 * on their own node (`<0.85.0>`). Takes all that `encode` takes: strings print as the binaries they encode to.
 * @throws EtfError `ETF_NOT_A_TERM` for a value that no term stands for, or one that contains itself
 */
export function print(term: Encodable, options: PrintOptions = {}): string {
  if (options.flavour === 'elixir') return printElixir(term, options.charlists ?? 'quotes')
  return write(term, { strings: true, unicode: true, printable: options.printable ?? 'latin1', depth: -1 })
}
