/**
 * Spawn requests of other nodes: `erpc:execute_call/4` (every `rpc:call` and `erpc:call` since OTP 23),
 * `erpc:execute_cast/3`, and `erlang:spawn/4` and its kin of exposed functions.
 */
import { internAtom } from '../etf/atom.js'
import type { Encodable, Term } from '../etf/terms.js'
import { tuple } from '../etf/tuple.js'
import { toException } from '../process/erlang-error.js'
import type { Host, SpawnedRequest } from '../process/host.js'
import type { IoClient } from '../process/io.js'
import type { Process } from '../process/process.js'
import { runCall, type Mfa, type Outcome } from './call.js'
import { makeContext, type CallContext } from './context.js'
import type { ExposedTable } from './exposed.js'
import type { RunningCalls } from './running-calls.js'

const NORMAL = internAtom('normal')
const ERPC = internAtom('erpc')
const EXECUTE_CALL = internAtom('execute_call')
const EXECUTE_CAST = internAtom('execute_cast')
const RETURN = internAtom('return')
const ERROR = internAtom('error')
const EXCEPTION = internAtom('exception')
const NOCATCH = internAtom('nocatch')

/** What calls need of their node. */
export interface CallServer {
  readonly host: Host
  readonly table: ExposedTable
  readonly io: IoClient
  readonly running: RunningCalls
  /** Told of answers that could not be sent. */
  onError(error: unknown, where: string): void
}

/** Makes the spawn requests that reach this node run exposed functions. */
export function startSpawnServer(server: CallServer): void {
  server.host.setSpawnStarter((spawned) => start(server, spawned))
}

type Reason = (outcome: Outcome) => Encodable

function start(server: CallServer, { process, request }: SpawnedRequest): void {
  const { host, table, io } = server
  const args = request.args
  const erpc = request.module === ERPC ? request.function : undefined
  let mfa: Mfa
  let reason: Reason
  if (erpc === EXECUTE_CALL && args.length === 4) {
    const ref = args[0] as Term
    mfa = { module: args[1] as Term, function: args[2] as Term, args: args[3] as Term }
    reason = (outcome) => callReason(ref, outcome)
  } else if (erpc === EXECUTE_CAST && args.length === 3) {
    mfa = { module: args[0] as Term, function: args[1] as Term, args: args[2] as Term }
    reason = castReason
  } else {
    mfa = { module: request.module, function: request.function, args }
    reason = plainReason
  }
  let context: CallContext | undefined
  const outcome = runCall(table, mfa, {
    process,
    context: () => (context ??= makeContext(host, io, process, request.from, request.traceToken)),
  })
  if (outcome instanceof Promise) {
    server.running.note(
      process,
      outcome.then((end) => finish(server, process, reason, end)),
    )
  } else finish(server, process, reason, outcome)
}

function finish({ host, onError }: CallServer, process: Process, reason: Reason, outcome: Outcome): void {
  // A value that is no term is the function's error, told to the caller as such.
  const notATerm = (error: unknown) => reason({ type: 'exception', exception: toException(error) })
  try {
    host.terminate(process, reason(outcome), notATerm)
  } catch (error) {
    onError(error, `answer of ${process.pid.toString()}`)
  }
}

/** The exit reason that `erpc:execute_call/4` ends its process with. */
function callReason(ref: Term, outcome: Outcome): Encodable {
  if (outcome.type === 'return') return tuple(ref, RETURN, outcome.value)
  if (outcome.type === 'argError') return tuple(ref, ERROR, tuple(ERPC, internAtom(outcome.reason)))
  const { class: errorClass, reason, stack } = outcome.exception
  return errorClass === 'error'
    ? tuple(ref, ERROR, reason, stack)
    : tuple(ref, internAtom(errorClass), reason)
}

/** That of `erpc:execute_cast/3`. */
function castReason(outcome: Outcome): Encodable {
  if (outcome.type === 'return') return NORMAL
  const stack = [tuple(ERPC, EXECUTE_CAST, 3, [])]
  if (outcome.type === 'argError') return tuple(tuple(ERPC, internAtom(outcome.reason)), stack)
  const { class: errorClass, reason, stack: raised } = outcome.exception
  if (errorClass === 'exit') return reason
  return errorClass === 'throw'
    ? tuple(tuple(NOCATCH, reason), [...raised, ...stack])
    : tuple(tuple(EXCEPTION, tuple(reason, raised)), stack)
}

/** That of a process that a spawn made. */
function plainReason(outcome: Outcome): Encodable {
  if (outcome.type === 'return') return NORMAL
  if (outcome.type === 'argError') return tuple(internAtom(outcome.reason), [])
  const { class: errorClass, reason, stack } = outcome.exception
  if (errorClass === 'exit') return reason
  return tuple(errorClass === 'throw' ? tuple(NOCATCH, reason) : reason, stack)
}
