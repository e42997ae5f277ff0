/**
 * Spawn requests of other nodes: `erpc:execute_call/4` (every `rpc:call` and `erpc:call` since OTP 23),
 * `erpc:execute_cast/3`, and `erlang:spawn/4` and its kin of exposed functions.
 */
import { internAtom, type Atom } from '../etf/atom.js'
import type { Encodable, Term } from '../etf/terms.js'
import { tuple } from '../etf/tuple.js'
import { toException } from '../process/erlang-error.js'
import type { Host, ReasonFallback, SpawnRequest } from '../process/host.js'
import type { IoClient } from '../process/io.js'
import type { Process } from '../process/process.js'
import { runCall, type Mfa, type Outcome, type RunningCall } from './call.js'
import { makeContext, type CallContext } from './context.js'
import type { ExposedTable } from './exposed.js'
import type { RunningCalls } from './running-calls.js'

const NORMAL = internAtom('normal')
const ERLANG = internAtom('erlang')
const APPLY = internAtom('apply')
const PROC_LIB = internAtom('proc_lib')
const INIT_P = internAtom('init_p')
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
  /** Told of answers that could not be sent, and to which node. */
  onError(error: unknown, where: string, peer?: Atom): void
}

/** Makes the spawn requests that reach this node run exposed functions. */
export function startSpawnServer(server: CallServer): void {
  server.host.setSpawnStarter((process, request) => start(server, process, request))
}

function start(server: CallServer, process: Process, request: SpawnRequest): void {
  const { module, function: name, args } = request
  let call: SpawnedCall
  let mfa: Mfa
  if (module === ERPC && name === EXECUTE_CALL && args.length === 4) {
    call = new SpawnedCall(server, process, request, 'call')
    mfa = { module: args[1] as Term, function: args[2] as Term, args: args[3] as Term }
  } else if (module === ERPC && name === EXECUTE_CAST && args.length === 3) {
    call = new SpawnedCall(server, process, request, 'cast')
    mfa = { module: args[0] as Term, function: args[1] as Term, args: args[2] as Term }
  } else {
    call = new SpawnedCall(server, process, request, 'plain')
    mfa = spawnedMfa(request)
  }
  const outcome = runCall(server.table, mfa, call)
  if (outcome instanceof Promise) {
    const ended = outcome.then((end) => call.finish(end))
    server.running.note(process, ended)
  } else call.finish(outcome)
}

/** What a plain spawn runs: what it names, or what `proc_lib`'s spawn functions have `proc_lib:init_p/3,5` run there. */
function spawnedMfa({ module, function: name, args }: SpawnRequest): Mfa {
  if (module === PROC_LIB && name === INIT_P) {
    if (args.length === 5)
      return { module: args[2] as Term, function: args[3] as Term, args: args[4] as Term }
    if (args.length === 3) return { module: ERLANG, function: APPLY, args: [args[2] as Term, []] }
  }
  return { module, function: name, args }
}

/** A request that runs. One object, where closures would be several: there is one for each call of another node. */
class SpawnedCall implements RunningCall, ReasonFallback {
  readonly process: Process
  readonly #server: CallServer
  readonly #request: SpawnRequest
  readonly #form: 'call' | 'cast' | 'plain'
  #context: CallContext | undefined

  constructor(server: CallServer, process: Process, request: SpawnRequest, form: 'call' | 'cast' | 'plain') {
    this.#server = server
    this.process = process
    this.#request = request
    this.#form = form
  }

  context(): CallContext {
    if (this.#context === undefined) {
      const { host, io } = this.#server
      this.#context = makeContext(host, io, this.process, this.#request.from, this.#request.traceToken)
    }
    return this.#context
  }

  /** Ends the process with what came of the call. */
  finish(outcome: Outcome): void {
    const { host, onError } = this.#server
    try {
      host.terminate(this.process, this.#reason(outcome), this)
    } catch (error) {
      onError(error, `answer of ${this.process.pid.toString()}`, this.#request.from.node)
    }
  }

  /** A value that is no term is the function's error, told to the caller as such. */
  reasonInstead(error: unknown): Encodable {
    return this.#reason({ type: 'exception', exception: toException(error) })
  }

  #reason(outcome: Outcome): Encodable {
    switch (this.#form) {
      case 'call':
        return callReason(this.#request.args[0] as Term, outcome)
      case 'cast':
        return castReason(outcome)
      case 'plain':
        return plainReason(outcome)
    }
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
