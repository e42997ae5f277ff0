/** Running an exposed function for a call, and what comes of it in Erlang's words. */
import { atomName, internAtom } from '../etf/atom.js'
import { ExportFun } from '../etf/identifiers.js'
import type { Encodable, Term } from '../etf/terms.js'
import { tuple } from '../etf/tuple.js'
import { toException, type Exception } from '../process/erlang-error.js'
import type { CallContext } from './context.js'
import type { ExposedFunction, ExposedTable } from './exposed.js'
import { toPlain } from './plain.js'

/** How a call ended. `badarg`: the call itself was malformed (erpc's argument error), nothing ran. */
export type Outcome = { type: 'return'; value: Encodable } | { type: 'exception'; exception: Exception } | { type: 'badarg' }

export interface Mfa {
  module: Term
  function: Term
  args: Term
}

const UNDEF = internAtom('undef')
const BADFUN = internAtom('badfun')
const BADARITY = internAtom('badarity')

/**
 * Runs a call. Synchronous functions end before this returns: the result is then no promise, so that a call costs no
 * turn of the microtask queue.
 */
export function runCall(table: ExposedTable, mfa: Mfa, context: () => CallContext): Outcome | Promise<Outcome> {
  const { module, function: name, args } = mfa
  const moduleName = atomName(module)
  const functionName = atomName(name)
  if (moduleName === undefined || functionName === undefined || !Array.isArray(args)) return { type: 'badarg' }
  const list = args as readonly Term[]
  const found = table.find(moduleName, functionName, list.length)
  if (found !== undefined) return invoke(found, mfa, list, context)
  if (moduleName === 'erlang' && functionName === 'apply') return runApply(table, mfa, list, context)
  return raise('error', UNDEF, mfa, list)
}

/** `erlang:apply/2,3`: what `erpc:call(Node, fun m:f/0)` and `spawn(Node, Fun)` become. */
function runApply(
  table: ExposedTable,
  mfa: Mfa,
  args: readonly Term[],
  context: () => CallContext,
): Outcome | Promise<Outcome> {
  if (args.length === 3) return runCall(table, { module: args[0] as Term, function: args[1] as Term, args: args[2] as Term }, context)
  const [fun, funArgs] = args as readonly [Term, Term]
  if (args.length !== 2 || !Array.isArray(funArgs)) return raise('error', UNDEF, mfa, args)
  if (!(fun instanceof ExportFun)) return raise('error', tuple(BADFUN, fun), mfa, args)
  const list = funArgs as readonly Term[]
  if (fun.arity !== list.length) return raise('error', tuple(BADARITY, tuple(fun, list)), mfa, args)
  return runCall(table, { module: fun.module, function: fun.function, args: list }, context)
}

function invoke(found: ExposedFunction, mfa: Mfa, args: readonly Term[], context: () => CallContext): Outcome | Promise<Outcome> {
  try {
    const values: unknown[] = found.plain ? args.map(toPlain) : (args as unknown[])
    const result: unknown = found.context ? found.fn.call(found.self, context(), ...values) : found.fn.apply(found.self, values)
    if (isPromiseLike(result)) {
      return Promise.resolve(result).then(
        (value) => ({ type: 'return', value: value as Encodable }),
        (error: unknown) => thrown(error, mfa, args),
      )
    }
    return { type: 'return', value: result as Encodable }
  } catch (error) {
    return thrown(error, mfa, args)
  }
}

/** The exception of a thrown value; its stack ends in the function that was called, as erpc trims Erlang's. */
export function thrown(error: unknown, mfa: Mfa, args: readonly Term[]): Outcome {
  const exception = toException(error)
  const frame = tuple(mfa.module, mfa.function, args.length, [])
  return { type: 'exception', exception: { ...exception, stack: [...exception.stack, frame] } }
}

function raise(errorClass: 'error', reason: Encodable, mfa: Mfa, args: readonly Term[]): Outcome {
  return {
    type: 'exception',
    exception: { class: errorClass, reason, stack: [tuple(mfa.module, mfa.function, args, [])] },
  }
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function'
}
