/**
 * Calls to other nodes, as `erpc` and `rpc` make them: a spawn request for `erpc:execute_call/4` with a monitor, whose
 * exit reason is the answer. Peers that cannot spawn are asked through their `rex`.
 */
import { ArgumentError, EtfError, type BeampeerError } from '../errors.js'
import { atom, atomName, internAtom, type Atom } from '../etf/atom.js'
import { Reference, type Pid } from '../etf/identifiers.js'
import { isEqual } from '../etf/equal.js'
import type { Encodable, Term } from '../etf/terms.js'
import { Tuple, tuple } from '../etf/tuple.js'
import { GEN_CALL } from '../process/gen-reply.js'
import type { Host } from '../process/host.js'
import type { Process } from '../process/process.js'
import { BadRpcError, ErpcError, RemoteError } from './errors.js'

export interface CallOptions {
  /** Milliseconds until `RPC_TIMEOUT`; no limit by default, as in OTP. */
  timeoutMs?: number
  /** Ends the wait with the signal's reason; the answer is dropped when it comes. */
  signal?: AbortSignal
  /** Takes what the called function prints; by default it goes to this node's own group leader. */
  output?: (text: string) => void
}

export interface RpcClientOptions {
  makeGroupLeader(write: (text: string) => void): Process
  /** Why there is no connection to a node, if that is known. */
  connectionError(node: Atom): BeampeerError | undefined
}

/** One node's part of a multicall. */
export type CallResult = { node: string; ok: true; value: Term } | { node: string; ok: false; error: BeampeerError }

type NodeNameLike = string | Atom

interface PendingCall {
  node: string
  ref: Reference
  result: Reference
  resolve(value: Term): void
  reject(error: unknown): void
  /** Asks again through rex when the peer cannot spawn. */
  viaRex(): void
}

const ERPC = internAtom('erpc')
const EXECUTE_CALL = internAtom('execute_call')
const EXECUTE_CAST = internAtom('execute_cast')
const MONITOR = internAtom('monitor')
const REX = internAtom('rex')
const CALL = internAtom('call')
const CAST_OPTIONS: readonly Encodable[] = []
const CALL_OPTIONS: readonly Encodable[] = [MONITOR]

export class RpcClient {
  readonly #host: Host
  readonly #options: RpcClientOptions
  readonly #process: Process
  readonly #pending = new Map<string, PendingCall>()
  readonly #rexCalls = new Map<string, PendingCall>()

  constructor(host: Host, options: RpcClientOptions) {
    this.#host = host
    this.#options = options
    this.#process = host.spawnHandler({
      message: (message) => this.#rexReply(message),
      down: (ref, _object, reason) => this.#down(ref, reason),
      spawnReply: (ref, _flags, result) => {
        const error = atomName(result)
        if (error !== undefined) this.#spawnFailed(ref, error)
      },
    })
  }

  /** Calls that wait for an answer. */
  get pending(): number {
    return this.#pending.size + this.#rexCalls.size
  }

  /**
   * `erpc:call/5`.
   * @throws RemoteError what the function raised; ErpcError when the call itself failed; EtfError for arguments that
   * cannot be encoded
   */
  call(node: NodeNameLike, module: string, name: string, args: readonly Encodable[], options: CallOptions = {}): Promise<Term> {
    return new Promise((resolve, reject) => {
      const { timeoutMs, signal, output } = options
      checkTimeout(timeoutMs)
      if (signal?.aborted) throw signal.reason as Error
      const nodeAtom = typeof node === 'string' ? internAtom(node) : node
      const leader = output === undefined ? undefined : this.#options.makeGroupLeader(output)
      let timer: ReturnType<typeof setTimeout> | undefined
      const settled = () => {
        if (timer !== undefined) clearTimeout(timer)
        signal?.removeEventListener('abort', aborted)
        leader?.exit()
      }
      const abandon = (error: unknown) => {
        this.#abandon(call)
        call.reject(error)
      }
      const aborted = () => abandon(signal?.reason)
      const call: PendingCall = {
        node: nodeAtom.name,
        ref: undefined as never,
        result: this.#host.makeReference(),
        resolve: (value) => {
          settled()
          resolve(value)
        },
        reject: (error) => {
          settled()
          reject(error as Error)
        },
        viaRex: () => this.#callRex(call, nodeAtom, module, name, args, leader?.pid),
      }
      try {
        call.ref = this.#host.spawnRequest(
          this.#process,
          nodeAtom,
          { module: ERPC, function: EXECUTE_CALL, args: [call.result, atom(module), atom(name), args] },
          CALL_OPTIONS,
          leader?.pid,
        )
      } catch (error) {
        leader?.exit()
        throw error
      }
      this.#pending.set(call.ref.key, call)
      if (timeoutMs !== undefined && timeoutMs !== Infinity) {
        timer = setTimeout(() => abandon(new ErpcError(call.node, 'timeout')), timeoutMs)
      }
      signal?.addEventListener('abort', aborted, { once: true })
    })
  }

  /**
   * `rpc:call/5`: as {@link call}, but a thrown term is the value, and every failure is a {@link BadRpcError} with
   * the reason that `{badrpc, Reason}` has in Erlang.
   */
  async rpcCall(node: NodeNameLike, module: string, name: string, args: readonly Encodable[], options?: CallOptions): Promise<Term> {
    const nodeName = String(node)
    try {
      return await this.call(node, module, name, args, options)
    } catch (error) {
      if (error instanceof ErpcError) throw new BadRpcError(nodeName, badRpcReason(error), { cause: error.cause ?? error })
      if (!(error instanceof RemoteError)) throw error
      if (error.class === 'throw') return error.reason
      const exit = error.class === 'error' ? tuple(error.reason, error.erlangStack ?? []) : error.reason
      throw new BadRpcError(nodeName, tuple(internAtom('EXIT'), exit) as Term, { cause: error })
    }
  }

  /** `erpc:cast/4`: no answer, and silence when it fails. */
  cast(node: NodeNameLike, module: string, name: string, args: readonly Encodable[]): void {
    const nodeAtom = typeof node === 'string' ? internAtom(node) : node
    const mfa = { module: ERPC, function: EXECUTE_CAST, args: [atom(module), atom(name), args] }
    this.#host.spawnRequest(this.#process, nodeAtom, mfa, CAST_OPTIONS)
  }

  /** `erpc:multicall/5`: one result for each node, in the order of `nodes`. */
  multicall(
    nodes: readonly NodeNameLike[],
    module: string,
    name: string,
    args: readonly Encodable[],
    options?: CallOptions,
  ): Promise<CallResult[]> {
    return Promise.all(
      nodes.map(async (node): Promise<CallResult> => {
        try {
          return { node: String(node), ok: true, value: await this.call(node, module, name, args, options) }
        } catch (error) {
          if (error instanceof ErpcError || error instanceof RemoteError) return { node: String(node), ok: false, error }
          throw error
        }
      }),
    )
  }

  /** `rpc:multicall/5`: the results of the nodes that could be called, and the nodes that could not. */
  async rpcMulticall(
    nodes: readonly NodeNameLike[],
    module: string,
    name: string,
    args: readonly Encodable[],
    options?: CallOptions,
  ): Promise<{ results: Term[]; badNodes: string[] }> {
    const results: Term[] = []
    const badNodes: string[] = []
    for (const result of await this.multicall(nodes, module, name, args, options)) {
      if (result.ok) results.push(result.value)
      else if (result.error instanceof RemoteError) results.push(multicallResult(result.error))
      else badNodes.push(result.node)
    }
    return { results, badNodes }
  }

  // --- answers ---

  #down(ref: Reference, reason: Term): void {
    const call = this.#pending.get(ref.key) ?? this.#rexCalls.get(ref.key)
    if (call === undefined) return
    this.#pending.delete(ref.key)
    const wasRex = this.#rexCalls.delete(ref.key)
    if (atomName(reason) === 'noconnection') call.reject(this.#noConnection(call.node))
    else if (wasRex) call.reject(new ErpcError(call.node, atomName(reason) ?? 'notsup'))
    else answer(call, reason)
  }

  #spawnFailed(ref: Reference, error: string): void {
    const call = this.#pending.get(ref.key)
    if (call === undefined) return
    this.#pending.delete(ref.key)
    if (error === 'notsup') call.viaRex()
    else call.reject(error === 'noconnection' ? this.#noConnection(call.node) : new ErpcError(call.node, error))
  }

  #noConnection(node: string): ErpcError {
    return new ErpcError(node, 'noconnection', { cause: this.#options.connectionError(internAtom(node)) })
  }

  #abandon(call: PendingCall): void {
    this.#pending.delete(call.ref.key)
    if (this.#rexCalls.delete(call.ref.key)) this.#process.demonitor(call.ref)
    else this.#host.abandonSpawn(this.#process, call.ref)
  }

  // --- peers without spawn requests (OTP 22 and older, C and Java nodes) ---

  #callRex(call: PendingCall, node: Atom, module: string, name: string, args: readonly Encodable[], leader: Pid | undefined): void {
    const ref = this.#process.monitor({ name: REX, node })
    call.ref = ref
    this.#rexCalls.set(ref.key, call)
    const request = tuple(CALL, atom(module), atom(name), args, leader ?? this.#process.groupLeader)
    try {
      this.#host.send(this.#process.pid, { name: REX, node }, tuple(GEN_CALL, tuple(this.#process.pid, ref), request))
    } catch (error) {
      if (!(error instanceof EtfError)) throw error
      this.#abandon(call)
      call.reject(error)
    }
  }

  #rexReply(message: Term): void {
    if (!(message instanceof Tuple) || message.size !== 2) return
    const [ref, result] = message.elements as readonly [Term, Term]
    if (!(ref instanceof Reference)) return
    const call = this.#rexCalls.get(ref.key)
    if (call === undefined) return
    this.#rexCalls.delete(ref.key)
    this.#process.demonitor(ref)
    if (result instanceof Tuple && atomName(result.elements[0]) === 'badrpc' && result.size === 2) {
      const reason = result.elements[1] as Term
      const exit = reason instanceof Tuple && reason.size === 2 && atomName(reason.elements[0]) === 'EXIT'
      call.reject(new RemoteError(call.node, 'exit', exit ? (reason.elements[1] as Term) : reason))
    } else call.resolve(result)
  }
}

/** Reads the exit reason of the process that ran the call (`result/4` of erpc.erl). */
function answer(call: PendingCall, reason: Term): void {
  if (reason instanceof Tuple && isEqual(reason.elements[0] as Term, call.result)) {
    const [, kind, value, stack] = reason.elements as readonly [Term, Term, Term, Term?]
    const kindName = atomName(kind)
    if (kindName === 'return' && reason.size === 3) {
      call.resolve(value)
      return
    }
    if ((kindName === 'throw' || kindName === 'exit') && reason.size === 3) {
      call.reject(new RemoteError(call.node, kindName, value))
      return
    }
    if (kindName === 'error' && reason.size === 4) {
      call.reject(new RemoteError(call.node, 'error', value, stack))
      return
    }
    if (kindName === 'error' && value instanceof Tuple && atomName(value.elements[0]) === 'erpc') {
      call.reject(new ErpcError(call.node, atomName(value.elements[1]) ?? 'failed'))
      return
    }
  }
  call.reject(new RemoteError(call.node, 'signal', reason))
}

/** `rpcify_exception/2` of rpc.erl. */
function badRpcReason(error: ErpcError): Term {
  if (error.reason === 'noconnection') return internAtom('nodedown')
  if (error.reason === 'timeout' || error.reason === 'notsup') return internAtom(error.reason)
  return tuple(internAtom('EXIT'), internAtom(error.reason)) as Term
}

function multicallResult(error: RemoteError): Term {
  if (error.class === 'throw') return error.reason
  const exit = error.class === 'error' ? tuple(error.reason, error.erlangStack ?? []) : error.reason
  return tuple(internAtom('badrpc'), tuple(internAtom('EXIT'), exit)) as Term
}

function checkTimeout(timeoutMs: number | undefined): void {
  if (timeoutMs === undefined || timeoutMs === Infinity || (timeoutMs >= 0 && timeoutMs <= 0x7fff_ffff)) return
  throw new ArgumentError('BAD_ARGUMENT', `timeoutMs is milliseconds from 0 to 2147483647, or Infinity, not ${timeoutMs}`)
}
