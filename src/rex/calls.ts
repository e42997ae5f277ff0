/**
 * Calls to other nodes, as `erpc` makes them: a spawn request for `erpc:execute_call/4` with a monitor, whose exit
 * reason is the answer. Peers that cannot spawn (OTP 22 and older, C and Java nodes) are asked through their `rex`, and
 * so are block calls. rpc.ts and erpc.ts put OTP's words on it.
 */
import { checkArray, describe, throwIfAborted, wrong } from '../arguments.js'
import { ArgumentError, NodeError, type BeampeerError } from '../errors.js'
import { Atom, atom, atomName, internAtom } from '../etf/atom.js'
import { Pid, Reference } from '../etf/identifiers.js'
import type { Encodable, Term } from '../etf/terms.js'
import { Tuple, tuple } from '../etf/tuple.js'
import { callChannel, type CallEvent } from '../process/diagnostics.js'
import { GEN_CALL } from '../process/gen-reply.js'
import type { Host } from '../process/host.js'
import type { Process } from '../process/process.js'
import { ReferenceMap } from '../process/reference-map.js'
import { ErpcError, RemoteError } from './errors.js'

/** Takes what a called function prints: a function, or a stream such as `process.stderr`. */
export type Output = ((text: string) => void) | { write(text: string): unknown }

export interface CallOptions {
  /** Milliseconds until `RPC_TIMEOUT`; no limit by default, as in OTP. */
  timeoutMs?: number
  /** Ends the wait with the signal's reason; the answer is dropped when it comes. */
  signal?: AbortSignal
  /** Where what the called function prints goes; by default to this node's own group leader. */
  output?: Output
}

export interface CallsOptions {
  /** Items of one `emit` that wait to be read. */
  maxItems: number
  makeGroupLeader(write: (text: string) => void): Process
  /** Why there is no connection to a node, if that is known. */
  connectionError(node: Atom): BeampeerError | undefined
}

export type NodeNameLike = string | Atom

/** `{Module, Function, Args}` of a call. */
export interface CallMfa {
  readonly module: string
  readonly function: string
  readonly args: readonly Encodable[]
}

const ERPC = internAtom('erpc')
const EXECUTE_CALL = internAtom('execute_call')
const EXECUTE_CAST = internAtom('execute_cast')
const MONITOR = internAtom('monitor')
const REX = internAtom('rex')
const CALL = internAtom('call')
const BLOCK_CALL = internAtom('block_call')
const CAST_OPTIONS: readonly Encodable[] = []
const CALL_OPTIONS: readonly Encodable[] = [MONITOR]
/** The longest time that a timer of Node can wait. */
const MAX_TIMER_MS = 0x7fff_ffff

/** A call on its way. */
export class PendingCall {
  readonly node: Atom
  readonly mfa: CallMfa
  readonly result: Promise<Term>
  /** @internal names the request and its monitor */ ref!: Reference
  /** @internal what the answer is marked with */ readonly mark: Reference
  /** @internal */ leader: Process | undefined
  #resolve!: (value: Term) => void
  #reject!: (error: unknown) => void
  readonly #local: Atom
  /** Zero while nobody watches calls. */
  readonly #startedAt = callChannel.hasSubscribers ? performance.now() : 0
  #pending = true
  #timer: ReturnType<typeof setTimeout> | undefined
  #signal: AbortSignal | undefined
  #onAbort: (() => void) | undefined

  /** @internal made by {@link Calls} */
  constructor(local: Atom, node: Atom, mfa: CallMfa, mark: Reference) {
    this.#local = local
    this.node = node
    this.mfa = mfa
    this.mark = mark
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  get pending(): boolean {
    return this.#pending
  }

  /** @internal Ends the wait when the time is up or the signal fires; `abandon` makes the call forget its answer. */
  limit(timeoutMs: number | undefined, signal: AbortSignal | undefined, abandon: () => void): void {
    const giveUp = (error: unknown) => {
      abandon()
      this.reject(error)
    }
    if (timeoutMs !== undefined && timeoutMs !== Infinity) {
      this.#timer = setTimeout(() => giveUp(new ErpcError(this.node.name, 'timeout')), timeoutMs)
    }
    if (signal === undefined) return
    this.#signal = signal
    this.#onAbort = () => giveUp(signal.reason)
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** @internal */
  resolve(value: Term): void {
    this.release()
    if (this.#startedAt > 0) this.#ended({})
    this.#resolve(value)
  }

  /** @internal */
  reject(error: unknown): void {
    this.release()
    if (this.#startedAt > 0) this.#ended({ error })
    this.#reject(error)
  }

  #ended(outcome: Pick<CallEvent, 'error'>): void {
    callChannel.publish({
      local: this.#local.name,
      node: this.node.name,
      module: this.mfa.module,
      function: this.mfa.function,
      durationMs: performance.now() - this.#startedAt,
      ...outcome,
    } satisfies CallEvent)
  }

  /** @internal Nobody waits any more: the time, the signal and the group leader are let go. */
  release(): void {
    if (!this.#pending) return
    this.#pending = false
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener('abort', this.#onAbort)
    this.leader?.exit()
  }
}

export class Calls {
  readonly host: Host
  readonly #options: CallsOptions
  readonly #process: Process
  readonly #pending = new ReferenceMap<PendingCall>()
  readonly #rexCalls = new ReferenceMap<PendingCall>()

  constructor(host: Host, options: CallsOptions) {
    this.host = host
    this.#options = options
    this.#process = host.spawnHandler({
      ignoresExits: true,
      message: (message) => this.#rexReply(message),
      down: (ref, _object, reason) => this.#down(ref, reason),
      spawnReply: (ref, _flags, result) => {
        const error = result instanceof Pid ? undefined : atomName(result)
        if (error !== undefined) this.#spawnFailed(ref, error)
      },
      exited: () => this.#stopped(),
    })
  }

  get maxItems(): number {
    return this.#options.maxItems
  }

  /** Calls that wait for an answer. */
  get pending(): number {
    return this.#pending.size + this.#rexCalls.size
  }

  /**
   * Asks for a call. Its result rejects with a RemoteError (what the function raised), an ErpcError (the call itself
   * failed), or the signal's reason.
   * @throws ArgumentError for options that are none; EtfError for arguments that cannot be sent; NodeError `NODE_STOPPED`
   */
  start(node: NodeNameLike, mfa: CallMfa, options: CallOptions = {}): PendingCall {
    const call = this.#begin(node, mfa, options)
    const { module, function: name, args } = mfa
    try {
      call.ref = this.host.spawnRequest(
        this.#process,
        call.node,
        { module: ERPC, function: EXECUTE_CALL, args: [call.mark, atom(module), atom(name), args] },
        CALL_OPTIONS,
        call.leader?.pid,
      )
    } catch (error) {
      call.leader?.exit()
      throw error
    }
    this.#pending.set(call.ref, call)
    call.limit(options.timeoutMs, options.signal, () => this.abandon(call))
    return call
  }

  /** Asks the node's `rex` for a call that runs alone there: `rpc:block_call/5`. Throws and rejects as {@link start}. */
  startBlocking(node: NodeNameLike, mfa: CallMfa, options: CallOptions = {}): PendingCall {
    const call = this.#begin(node, mfa, options)
    try {
      this.#callRex(call, BLOCK_CALL)
    } catch (error) {
      call.leader?.exit()
      throw error
    }
    call.limit(options.timeoutMs, options.signal, () => this.abandon(call))
    return call
  }

  /**
   * `erpc:cast/4`: no answer, and silence when it fails.
   * @throws EtfError for arguments that cannot be sent; NodeError `NODE_STOPPED`
   */
  cast(node: NodeNameLike, called: CallMfa): void {
    checkMfa(called)
    const { module, function: name, args } = called
    this.#assertRunning()
    const mfa = { module: ERPC, function: EXECUTE_CAST, args: [atom(module), atom(name), args] }
    this.host.spawnRequest(this.#process, toAtom(node), mfa, CAST_OPTIONS)
  }

  /** Forgets a call: its answer is dropped when it comes. */
  abandon(call: PendingCall): void {
    call.release()
    if (this.#rexCalls.delete(call.ref)) this.#process.demonitor(call.ref)
    else if (this.#pending.delete(call.ref)) this.host.abandonSpawn(this.#process, call.ref)
  }

  /** Why a call to `node` failed for want of a connection. */
  noConnection(node: Atom): ErpcError {
    return new ErpcError(node.name, 'noconnection', { cause: this.#options.connectionError(node) })
  }

  #begin(node: NodeNameLike, mfa: CallMfa, { timeoutMs, signal, output }: CallOptions): PendingCall {
    checkTimeout(timeoutMs)
    checkMfa(mfa)
    this.#assertRunning()
    throwIfAborted(signal)
    const call = new PendingCall(this.host.name, toAtom(node), mfa, this.host.makeReference())
    if (output !== undefined) call.leader = this.#options.makeGroupLeader(writer(output))
    return call
  }

  #assertRunning(): void {
    if (!this.#process.alive) throw new NodeError('NODE_STOPPED', `${this.host.name.name} is stopped`)
  }

  // --- answers ---

  #down(ref: Reference, reason: Term): void {
    const call = this.#pending.take(ref)
    if (call !== undefined) {
      if (isNoConnection(reason)) call.reject(this.noConnection(call.node))
      else answer(call, reason)
      return
    }
    const rexCall = this.#rexCalls.take(ref)
    if (rexCall === undefined) return
    if (isNoConnection(reason)) rexCall.reject(this.noConnection(rexCall.node))
    else rexCall.reject(new ErpcError(rexCall.node.name, atomName(reason) ?? 'noproc'))
  }

  #spawnFailed(ref: Reference, error: string): void {
    const call = this.#pending.take(ref)
    if (call === undefined) return
    if (error === 'noconnection') call.reject(this.noConnection(call.node))
    else if (error !== 'notsup') call.reject(new ErpcError(call.node.name, error))
    else {
      try {
        this.#callRex(call, CALL)
      } catch (cause) {
        call.reject(cause)
      }
    }
  }

  #stopped(): void {
    const calls = [...this.#pending.values(), ...this.#rexCalls.values()]
    this.#pending.clear()
    this.#rexCalls.clear()
    const cause = new NodeError('NODE_STOPPED', 'this node was stopped')
    for (const call of calls) call.reject(new ErpcError(call.node.name, 'noconnection', { cause }))
  }

  // --- rex ---

  #callRex(call: PendingCall, kind: Atom): void {
    const { node, mfa, leader } = call
    const to = { name: REX, node }
    const groupLeader = leader?.pid ?? this.#process.groupLeader
    const request = tuple(kind, atom(mfa.module), atom(mfa.function), mfa.args, groupLeader)
    const ref = this.#process.monitor(to)
    call.ref = ref
    try {
      this.host.send(this.#process.pid, to, tuple(GEN_CALL, tuple(this.#process.pid, ref), request))
    } catch (error) {
      this.#process.demonitor(ref)
      throw error
    }
    this.#rexCalls.set(ref, call)
  }

  #rexReply(message: Term): void {
    if (!(message instanceof Tuple) || message.size !== 2) return
    const [ref, result] = message.elements as readonly [Term, Term]
    if (!(ref instanceof Reference)) return
    const call = this.#rexCalls.take(ref)
    if (call === undefined) return
    this.#process.demonitor(ref)
    const reason = badRpc(result)
    if (reason === undefined) call.resolve(result)
    else {
      const exit = reason instanceof Tuple && reason.size === 2 && atomName(reason.elements[0]) === 'EXIT'
      call.reject(new RemoteError(call.node.name, 'exit', exit ? (reason.elements[1] as Term) : reason))
    }
  }
}

/** Reads the exit reason of the process that ran the call (`result/4` of erpc.erl). */
function answer(call: PendingCall, reason: Term): void {
  const node = call.node.name
  if (reason instanceof Tuple && call.mark.equals(reason.elements[0])) {
    const [, kind, value, stack] = reason.elements as readonly [Term, Term, Term, Term?]
    const kindName = atomName(kind)
    if (reason.size === 3) {
      if (kindName === 'return') return call.resolve(value)
      if (kindName === 'throw' || kindName === 'exit')
        return call.reject(new RemoteError(node, kindName, value))
      if (kindName === 'error' && value instanceof Tuple && value.elements[0] === ERPC) {
        return call.reject(new ErpcError(node, atomName(value.elements[1]) ?? 'failed'))
      }
    } else if (kindName === 'error' && reason.size === 4)
      return call.reject(new RemoteError(node, 'error', value, stack))
  }
  call.reject(new RemoteError(node, 'signal', reason))
}

/** The reason of a `{badrpc, Reason}`; undefined for any other term. */
export function badRpc(term: Term): Term | undefined {
  return term instanceof Tuple && term.size === 2 && atomName(term.elements[0]) === 'badrpc'
    ? (term.elements[1] as Term)
    : undefined
}

/** @throws ArgumentError `BAD_ARGUMENT` */
export function toAtom(node: NodeNameLike): Atom {
  if (typeof node === 'string') return internAtom(node)
  if (node instanceof Atom) return node
  wrong('the name of a node is a string or an atom', node)
}

/** @throws ArgumentError `BAD_ARGUMENT` */
function checkMfa({ module, function: name, args }: CallMfa): void {
  checkArray('the arguments of a call are', args)
  if (typeof module === 'string' && typeof name === 'string') return
  const given = `${describe(module)} and ${describe(name)}`
  throw new ArgumentError('BAD_ARGUMENT', `a call names its module and function by strings, not ${given}`)
}

/** @throws ArgumentError `BAD_ARGUMENT` */
export function checkTimeout(timeoutMs: number | undefined): void {
  if (timeoutMs === undefined || timeoutMs === Infinity || (timeoutMs >= 0 && timeoutMs <= MAX_TIMER_MS))
    return
  throw new ArgumentError(
    'BAD_ARGUMENT',
    `timeoutMs is milliseconds from 0 to ${MAX_TIMER_MS}, or Infinity, not ${timeoutMs}`,
  )
}

function isNoConnection(reason: Term): boolean {
  return atomName(reason) === 'noconnection'
}

function writer(output: Output): (text: string) => void {
  return typeof output === 'function' ? output : (text) => void output.write(text)
}
