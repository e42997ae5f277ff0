/**
 * Spawn requests of other nodes: `erpc:execute_call/4` (every `rpc:call` and `erpc:call` since OTP 23),
 * `erpc:execute_cast/3`, and `erlang:spawn/4` and its kin of exposed functions.
 */
import { atomName, internAtom } from '../etf/atom.js'
import type { Encodable, Term } from '../etf/terms.js'
import { tuple } from '../etf/tuple.js'
import { toException } from '../process/erlang-error.js'
import type { Host, SpawnedRequest } from '../process/host.js'
import type { IoClient } from '../process/io.js'
import { runCall, type Mfa, type Outcome } from './call.js'
import { makeContext } from './context.js'
import type { ExposedTable } from './exposed.js'

const NORMAL = internAtom('normal')
const ERPC = internAtom('erpc')
const RETURN = internAtom('return')
const ERROR = internAtom('error')
const EXCEPTION = internAtom('exception')
const BADARG = internAtom('badarg')
const NOCATCH = internAtom('nocatch')

/** Makes the spawn requests that reach this node run exposed functions. */
export function startSpawnServer(host: Host, table: ExposedTable, io: IoClient): void {
  host.setSpawnStarter((spawned) => start(host, table, io, spawned))
}

function start(host: Host, table: ExposedTable, io: IoClient, { process, request }: SpawnedRequest): void {
  const args = request.args
  const erpc = atomName(request.module) === 'erpc' ? atomName(request.function) : undefined
  let mfa: Mfa
  let reason: (outcome: Outcome) => Encodable
  if (erpc === 'execute_call' && args.length === 4) {
    const ref = args[0] as Term
    mfa = { module: args[1] as Term, function: args[2] as Term, args: args[3] as Term }
    reason = (outcome) => callReason(ref, outcome)
  } else if (erpc === 'execute_cast' && args.length === 3) {
    mfa = { module: args[0] as Term, function: args[1] as Term, args: args[2] as Term }
    reason = castReason
  } else {
    mfa = { module: request.module, function: request.function, args }
    reason = plainReason
  }
  const context = () => makeContext(host, io, process, request.from, request.traceToken)
  // A value that is no term is the function's error, told to the caller as such.
  const notATerm = (error: unknown) => reason({ type: 'exception', exception: toException(error) })
  const finish = (outcome: Outcome) => host.terminate(process, reason(outcome), notATerm)
  const outcome = runCall(table, mfa, context)
  if (outcome instanceof Promise) void outcome.then(finish)
  else finish(outcome)
}

/** The exit reason that `erpc:execute_call/4` ends its process with. */
function callReason(ref: Term, outcome: Outcome): Encodable {
  if (outcome.type === 'return') return tuple(ref, RETURN, outcome.value)
  if (outcome.type === 'badarg') return tuple(ref, ERROR, tuple(ERPC, BADARG))
  const { class: errorClass, reason, stack } = outcome.exception
  return errorClass === 'error' ? tuple(ref, ERROR, reason, stack) : tuple(ref, internAtom(errorClass), reason)
}

/** That of `erpc:execute_cast/3`. */
function castReason(outcome: Outcome): Encodable {
  if (outcome.type === 'badarg') return tuple(tuple(ERPC, BADARG), [])
  if (outcome.type === 'exception' && outcome.exception.class === 'error') {
    return tuple(tuple(EXCEPTION, tuple(outcome.exception.reason, outcome.exception.stack)), [])
  }
  return plainReason(outcome)
}

/** That of a process that a spawn made. */
function plainReason(outcome: Outcome): Encodable {
  if (outcome.type === 'return') return NORMAL
  if (outcome.type === 'badarg') return tuple(BADARG, [])
  const { class: errorClass, reason, stack } = outcome.exception
  if (errorClass === 'exit') return reason
  return tuple(errorClass === 'throw' ? tuple(NOCATCH, reason) : reason, stack)
}
