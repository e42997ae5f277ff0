/**
 * Exceptions between JavaScript and Erlang: `ErlangError` is an Erlang exception thrown in JavaScript, and
 * {@link toException} the Erlang exception that any thrown JavaScript value is.
 */
import { BeampeerError } from '../errors.js'
import { internAtom, type Atom } from '../etf/atom.js'
import type { Encodable } from '../etf/terms.js'
import { tuple, type Tuple } from '../etf/tuple.js'
import { charlist } from '../etf/values.js'

export type ErrorClass = 'error' | 'exit' | 'throw'

/** Throw this in an exposed function or process to raise exactly `class:reason` for the caller. */
export class ErlangError extends BeampeerError {
  readonly class: ErrorClass
  readonly reason: Encodable

  constructor(errorClass: ErrorClass, reason: Encodable, options: { cause?: unknown } = {}) {
    super('ERLANG_ERROR', `Erlang exception of class ${errorClass}`, options)
    this.class = errorClass
    this.reason = reason
  }
}

/** A stack trace entry as Erlang has them: `{Module, Function, Arity, [{file, File}, {line, Line}]}`. */
export type StackEntry = Tuple<readonly Encodable[]>

export interface Exception {
  class: ErrorClass
  reason: Encodable
  stack: StackEntry[]
}

const JS_ERROR = internAtom('js_error')
const JS = internAtom('js')
const FILE = internAtom('file')
const LINE = internAtom('line')
const MAX_FRAMES = 8

/**
 * The Erlang exception of a thrown JavaScript value: an {@link ErlangError} as it says, any other value
 * `error:{js_error, Name, Message}` with name and message as UTF-8 binaries and the user's frames as the stack.
 */
export function toException(thrown: unknown): Exception {
  if (thrown instanceof ErlangError) {
    return { class: thrown.class, reason: thrown.reason, stack: stackOf(thrown) }
  }
  if (thrown instanceof Error) {
    const name = safeText(() => (thrown instanceof BeampeerError ? thrown.code : thrown.name))
    return {
      class: 'error',
      reason: tuple(
        JS_ERROR,
        name,
        safeText(() => thrown.message),
      ),
      stack: stackOf(thrown),
    }
  }
  return {
    class: 'error',
    reason: tuple(
      JS_ERROR,
      typeof thrown,
      safeText(() => thrown),
    ),
    stack: [],
  }
}

/** The exit reason of a process whose code threw, as for an Erlang process that raised the same. */
export function toExitReason(thrown: unknown): Encodable {
  const exception = toException(thrown)
  if (exception.class === 'exit') return exception.reason
  const reason =
    exception.class === 'throw' ? tuple(internAtom('nocatch'), exception.reason) : exception.reason
  return tuple(reason, exception.stack)
}

const FRAME = /^\s*at (?:async )?(?:(.+?) \()?(?:file:\/\/)?(.+?):(\d+):\d+\)?$/

/** The folder that this package's files are in, one by one or in chunks, as stack traces name it; null: they do not tell. */
let ownRootFound: string | null | undefined

/** Found at first use: a stack trace takes a millisecond to write where the source is one long line. */
function ownRoot(): string | null {
  if (ownRootFound === undefined) ownRootFound = rootOf(new Error().stack ?? '') ?? null
  return ownRootFound
}

function rootOf(stack: string): string | undefined {
  const file = stack
    .split('\n')
    .map((line) => FRAME.exec(line)?.[2])
    .find((name) => name !== undefined)
  return file === undefined
    ? undefined
    : /^(.*[\\/](?:src|lib)[\\/])(?:process|chunks)[\\/][^\\/]+$/.exec(file)?.[1]
}

function stackOf(error: Error): StackEntry[] {
  const entries: StackEntry[] = []
  const root = ownRoot()
  for (const line of safeText(() => error.stack ?? '').split('\n')) {
    const match = FRAME.exec(line)
    if (match === null) continue
    const [, name, file, lineNumber] = match as unknown as [string, string | undefined, string, string]
    // What called the user's code is this package: its frames, and what is below them, tell the caller nothing.
    if (root !== null && file.startsWith(root)) {
      if (entries.length > 0) break
      continue
    }
    if (file.startsWith('node:')) continue
    entries.push(
      tuple(JS, functionAtom(name), 0, [
        tuple(FILE, charlist(wellFormed(file))),
        tuple(LINE, Number(lineNumber)),
      ]),
    )
    if (entries.length === MAX_FRAMES) break
  }
  return entries
}

/** Function names come from the program's own code, so they cannot fill an atom table. */
function functionAtom(name: string | undefined): Atom {
  const text = wellFormed(name ?? 'anonymous').replace(/^Object\./, '')
  return internAtom(text.slice(0, 100) || 'anonymous')
}

/** The text of what `read` gives; getters of errors, and those who print their stacks, may throw. */
function safeText(read: () => unknown): string {
  try {
    return wellFormed(String(read()))
  } catch {
    return 'a value that cannot be shown'
  }
}

/** Lone surrogates have no UTF-8; a message must not fail on them. */
function wellFormed(text: string): string {
  return text.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, '\uFFFD')
}
