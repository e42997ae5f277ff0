/** Running an exposed function for a call, and what comes of it in Erlang's words. */
import { atomName, internAtom } from '../etf/atom.js'
import { ExportFun } from '../etf/identifiers.js'
import type { Encodable, Term } from '../etf/terms.js'
import { tuple } from '../etf/tuple.js'
import { ErlangError, toException, type Exception, type StackEntry } from '../process/erlang-error.js'
import { servedChannel, type ServedEvent } from '../process/diagnostics.js'
import type { Process } from '../process/process.js'
import type { CallContext } from './context.js'
import type { ExposedFunction, ExposedTable } from './exposed.js'
import type { Refusal } from './gate.js'
import { toPlain } from './plain.js'

/** How a call ended. `argError` is erpc's word for a call that was itself impossible. */
export type Outcome =
  | { readonly type: 'return'; readonly value: Encodable }
  | { readonly type: 'exception'; readonly exception: Exception }
  | { readonly type: 'argError'; readonly reason: 'system_limit' }

export interface Mfa {
  readonly module: Term
  readonly function: Term
  readonly args: Term
}

/** A call as it runs: the process it runs in, which carries who called. */
export interface RunningCall {
  readonly process: Process
  /** Made when the function asks for it: most do not. */
  context(): CallContext
}

const UNDEF = internAtom('undef')
const BADARG = internAtom('badarg')
const BADFUN = internAtom('badfun')
const BADARITY = internAtom('badarity')
const FUNCTION_CLAUSE = internAtom('function_clause')
const APPLY_MFA: Pick<Mfa, 'module' | 'function'> = {
  module: internAtom('erlang'),
  function: internAtom('apply'),
}

/** Arguments that the BEAM's `apply/3` takes at most; more are erpc's `system_limit`. */
const MAX_ARGS = 1023

/**
 * Runs a call; never throws, and the promise never rejects. A synchronous function has ended when this returns: the
 * result is then no promise, so that a call costs no turn of the microtask queue.
 */
export function runCall(table: ExposedTable, asked: Mfa, call: RunningCall): Outcome | Promise<Outcome> {
  return servedChannel.hasSubscribers ? observed(table, asked, call) : run(table, asked, call)
}

/** Runs it, and tells those who watch when it has ended. */
function observed(table: ExposedTable, asked: Mfa, call: RunningCall): Outcome | Promise<Outcome> {
  const startedAt = performance.now()
  const ended = (outcome: Outcome): Outcome => {
    servedChannel.publish({
      local: call.process.node.name,
      node: call.context().node.name,
      module: atomName(asked.module) ?? '',
      function: atomName(asked.function) ?? '',
      durationMs: performance.now() - startedAt,
      ...(outcome.type !== 'return' && {
        error: outcome.type === 'exception' ? outcome.exception.reason : internAtom(outcome.reason),
      }),
    } satisfies ServedEvent)
    return outcome
  }
  const outcome = run(table, asked, call)
  return outcome instanceof Promise ? outcome.then(ended) : ended(outcome)
}

function run(table: ExposedTable, asked: Mfa, call: RunningCall): Outcome | Promise<Outcome> {
  let mfa = asked
  // The arguments of the `apply/3` that `mfa` was unwrapped from, if one was.
  let applied: readonly Term[] | undefined
  // A loop, since a call may be an apply of an apply, as deep as its sender likes.
  for (;;) {
    const { module, function: name, args } = mfa
    const moduleName = atomName(module)
    const functionName = atomName(name)
    if (moduleName === undefined || functionName === undefined || !Array.isArray(args)) {
      return raise(BADARG, frame(APPLY_MFA, applied ?? [module, name, args]), asked)
    }
    const list = args as readonly Term[]
    if (list.length > MAX_ARGS) return { type: 'argError', reason: 'system_limit' }
    const found = table.find(moduleName, functionName, list.length)
    if (found !== undefined) return enter(found, mfa, asked, call)
    if (moduleName !== 'erlang' || functionName !== 'apply' || list.length < 2 || list.length > 3) {
      const answered = callFallback(table, moduleName, functionName, mfa, asked, call)
      return answered ?? raise(UNDEF, frame(mfa, list), asked)
    }
    if (list.length === 3) {
      applied = list
      mfa = { module: list[0] as Term, function: list[1] as Term, args: list[2] as Term }
      continue
    }
    // Only funs that name an exposed function can be called here.
    const [fun, funArgs] = list as readonly [Term, Term]
    if (!Array.isArray(funArgs)) return raise(BADARG, frame(APPLY_MFA, [...list]), asked)
    if (!(fun instanceof ExportFun)) return raise(tuple(BADFUN, fun), frame(APPLY_MFA, 2), asked)
    if (fun.arity !== funArgs.length)
      return raise(tuple(BADARITY, tuple(fun, funArgs)), frame(APPLY_MFA, 2), asked)
    applied = undefined
    mfa = { module: fun.module, function: fun.function, args: funArgs }
  }
}

function enter(found: ExposedFunction, mfa: Mfa, asked: Mfa, call: RunningCall): Outcome | Promise<Outcome> {
  const { gate } = found
  if (gate === undefined) return invoke(found, mfa, asked, call)
  const { caller } = call.context()
  const passed = gate.pass<Outcome>(call.process, caller, () => invoke(found, mfa, asked, call))
  const refusedOr = (end: Outcome | Refusal): Outcome =>
    'refused' in end ? raise(end.refused, frame(mfa, arityOf(mfa.args)), asked) : end
  return passed instanceof Promise ? passed.then(refusedOr) : refusedOr(passed)
}

function invoke(found: ExposedFunction, mfa: Mfa, asked: Mfa, call: RunningCall): Outcome | Promise<Outcome> {
  const args = mfa.args as readonly Term[]
  try {
    const values: readonly unknown[] = found.plain ? args.map(toPlain) : args
    const result: unknown = found.context
      ? found.fn.call(found.self, call.context(), ...values)
      : found.fn.apply(found.self, values as unknown[])
    if (isPromiseLike(result)) return settle(result, mfa, asked, found.bif ? 'bif' : FUNCTION_CLAUSE)
    return { type: 'return', value: result as Encodable }
  } catch (error) {
    return thrown(error, mfa, asked, found.bif ? 'bif' : FUNCTION_CLAUSE)
  }
}

function callFallback(
  table: ExposedTable,
  module: string,
  name: string,
  mfa: Mfa,
  asked: Mfa,
  call: RunningCall,
): Outcome | Promise<Outcome> | undefined {
  const { fallback } = table
  if (fallback === undefined) return undefined
  try {
    const result = fallback(call.context(), module, name, mfa.args as readonly Term[])
    if (isPromiseLike(result)) return settle(result, mfa, asked, UNDEF)
    return { type: 'return', value: result as Encodable }
  } catch (error) {
    return thrown(error, mfa, asked, UNDEF)
  }
}

async function settle(
  result: PromiseLike<unknown>,
  mfa: Mfa,
  asked: Mfa,
  argsFor: ShowArgs,
): Promise<Outcome> {
  try {
    return { type: 'return', value: (await result) as Encodable }
  } catch (error) {
    return thrown(error, mfa, asked, argsFor)
  }
}

/**
 * Which errors show the arguments instead of their number, as on the BEAM: all of a built-in function, else those about
 * the arguments or the function itself.
 */
type ShowArgs = 'bif' | typeof FUNCTION_CLAUSE | typeof UNDEF

/** The exception of a thrown value: the user's frames, then the function that was called. */
function thrown(error: unknown, mfa: Mfa, asked: Mfa, argsFor: ShowArgs): Outcome {
  const { class: errorClass, reason, stack } = toException(error)
  const bif = argsFor === 'bif'
  const showArgs = bif || (error instanceof ErlangError && reason === argsFor)
  const raised = raise(reason, frame(mfa, showArgs ? mfa.args : arityOf(mfa.args)), asked)
  const users = showArgs ? [] : stack
  return {
    type: 'exception',
    exception: { class: errorClass, reason, stack: [...users, ...raised.exception.stack] },
  }
}

function frame(mfa: Pick<Mfa, 'module' | 'function'>, args: Encodable): StackEntry {
  return tuple<readonly Encodable[]>(mfa.module, mfa.function, args, [])
}

function arityOf(args: Term): Encodable {
  return Array.isArray(args) ? args.length : args
}

/** An error of class `error` in `top`, with what was asked for below it: what `trim_stack/4` of erpc.erl leaves. */
function raise(reason: Encodable, top: StackEntry, asked: Mfa): Extract<Outcome, { type: 'exception' }> {
  const [module, name, args] = top.elements
  const same =
    module === asked.module &&
    name === asked.function &&
    (args === asked.args || args === arityOf(asked.args))
  const stack = same || !Array.isArray(asked.args) ? [top] : [top, frame(asked, asked.args.length)]
  return { type: 'exception', exception: { class: 'error', reason, stack } }
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function'
  )
}
