/** What a remote call can end with other than its value, in the words of OTP's `erpc` and `rpc`. */
import { BeampeerError } from '../errors.js'
import { print } from '../etf/print.js'
import type { Term } from '../etf/terms.js'
import { Tuple } from '../etf/tuple.js'

/** The called function raised an exception: `class:reason`, with its stack for class `error`. `RPC_REMOTE_ERROR`. */
export class RemoteError extends BeampeerError {
  readonly node: string
  readonly class: 'error' | 'exit' | 'throw' | 'signal'
  readonly reason: Term
  /** Erlang stack trace: a list of `{Module, Function, Arity, Location}`. */
  readonly erlangStack: Term | undefined

  constructor(node: string, errorClass: RemoteError['class'], reason: Term, stack?: Term) {
    const how = errorClass === 'signal' ? 'an exit signal' : errorClass
    super('RPC_REMOTE_ERROR', `${node} answered with ${how}: ${short(reason)}${where(stack)}`)
    this.node = node
    this.class = errorClass
    this.reason = reason
    this.erlangStack = stack
  }
}

/**
 * The call itself failed: `RPC_TIMEOUT`, `RPC_NOCONNECTION`, `RPC_NOTSUP`, `RPC_BADARG`, `RPC_SYSTEM_LIMIT`, or
 * `RPC_FAILED` with another reason of erpc's. `cause` says why there is no connection.
 */
export class ErpcError extends BeampeerError {
  readonly node: string
  /** erpc's own word: `timeout`, `noconnection`, `notsup`, … */
  readonly reason: string

  constructor(node: string, reason: string, options: { cause?: unknown } = {}) {
    super(CODES[reason] ?? 'RPC_FAILED', `the call to ${node} failed: ${reason}`, options)
    this.node = node
    this.reason = reason
  }
}

/** What `rpc:call` returns as `{badrpc, Reason}`. `RPC_BADRPC`. */
export class BadRpcError extends BeampeerError {
  readonly node: string
  readonly reason: Term

  constructor(node: string, reason: Term, options: { cause?: unknown } = {}) {
    super('RPC_BADRPC', `${node}: {badrpc, ${short(reason)}}`, options)
    this.node = node
    this.reason = reason
  }
}

const CODES: Readonly<Record<string, string>> = {
  timeout: 'RPC_TIMEOUT',
  noconnection: 'RPC_NOCONNECTION',
  notsup: 'RPC_NOTSUP',
  badarg: 'RPC_BADARG',
  system_limit: 'RPC_SYSTEM_LIMIT',
}

/** ` in module:function/arity`: where the error was raised, from the first frame of its stack. */
function where(stack: Term | undefined): string {
  const [top] = Array.isArray(stack) ? (stack as readonly Term[]) : []
  if (!(top instanceof Tuple) || top.size !== 4) return ''
  const [module, name, args] = top.elements as readonly [Term, Term, Term]
  const arity: Term = Array.isArray(args) ? args.length : args
  return ` in ${short(module)}:${short(name)}/${short(arity)}`
}

function short(reason: Term): string {
  return print(reason, { maxCharacters: 500 })
}
