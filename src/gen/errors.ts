/** How a call of a generic server can fail, in the words of OTP's `gen`. */
import { BeampeerError } from '../errors.js'
import { atomName } from '../etf/atom.js'
import { print } from '../etf/print.js'
import type { Term } from '../etf/terms.js'
import { Tuple } from '../etf/tuple.js'

const CODES: Readonly<Record<string, string>> = {
  noproc: 'GEN_NOPROC',
  timeout: 'GEN_TIMEOUT',
  calling_self: 'GEN_CALLING_SELF',
}

/**
 * A call ended without a reply: `GEN_NOPROC` (no such process), `GEN_TIMEOUT`, `GEN_NODEDOWN`, `GEN_CALLING_SELF`, or
 * `GEN_EXIT`: the server ended with another reason before it replied.
 */
export class GenCallError extends BeampeerError {
  /** What `exit/1` would be given in Erlang: `noproc`, `timeout`, `{nodedown, Node}`, or the server's exit reason. */
  readonly reason: Term

  constructor(server: string, reason: Term, options: { cause?: unknown } = {}) {
    super(codeOf(reason), `the call to ${server} failed: ${print(reason, { maxCharacters: 300 })}`, options)
    this.reason = reason
  }
}

function codeOf(reason: Term): string {
  if (reason instanceof Tuple && reason.tag === 'nodedown' && reason.size === 2) return 'GEN_NODEDOWN'
  const word = atomName(reason)
  return (word === undefined ? undefined : CODES[word]) ?? 'GEN_EXIT'
}
