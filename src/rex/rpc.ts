/** `node.rpc`: OTP's module `rpc` in camelCase. What it returns as `{badrpc, Reason}` is thrown as BadRpcError. */
import { checkArray } from '../arguments.js'
import { atom, atomName, internAtom } from '../etf/atom.js'
import type { Encodable, Term } from '../etf/terms.js'
import { Tuple, tuple } from '../etf/tuple.js'
import {
  badRpc,
  toAtom,
  type CallMfa,
  type CallOptions,
  type Calls,
  type NodeNameLike,
  type PendingCall,
} from './calls.js'
import { BadRpcError, ErpcError, RemoteError } from './errors.js'
import * as requests from './request-ids.js'
import { RequestId } from './request-ids.js'
import { askServers, type ServerReplies } from './servers.js'

type Args = readonly Encodable[]

/** Options of calls to servers: what they are not answered within. */
export interface ServerCallOptions {
  /** Milliseconds after which nodes that did not answer count as bad; no limit by default, as in OTP. */
  timeoutMs?: number
}

const REX = internAtom('rex')
const SBCAST = internAtom('sbcast')
const EXIT = internAtom('EXIT')

export class Rpc {
  readonly #calls: Calls
  readonly #allNodes: () => readonly string[]

  /** @internal `allNodes`: `[node() | nodes()]`, where a hidden node, all of whose connections are hidden, means all of them */
  constructor(calls: Calls, allNodes: () => readonly string[]) {
    this.#calls = calls
    this.#allNodes = allNodes
  }

  /**
   * `rpc:call/5`: as `erpc.call`, but a thrown term is the value.
   * @throws BadRpcError with the reason of `{badrpc, Reason}`; EtfError for arguments that cannot be sent; the reason
   * of an abort signal
   */
  async call(
    node: NodeNameLike,
    module: string,
    name: string,
    args: Args = [],
    options?: CallOptions,
  ): Promise<Term> {
    return rpcResult(this.#calls.start(node, { module, function: name, args }, options))
  }

  /** `rpc:block_call/5`: the other node runs such calls one after another, whoever asks. */
  async blockCall(
    node: NodeNameLike,
    module: string,
    name: string,
    args: Args = [],
    options?: CallOptions,
  ): Promise<Term> {
    return rpcResult(this.#calls.startBlocking(node, { module, function: name, args }, options))
  }

  /** `rpc:cast/4`. @throws EtfError for arguments that cannot be sent */
  cast(node: NodeNameLike, module: string, name: string, args: Args = []): void {
    this.#calls.cast(node, { module, function: name, args })
  }

  /** `rpc:multicall/5`: the results of the nodes that could be called, and the nodes that could not. */
  async multicall(
    nodes: readonly NodeNameLike[],
    module: string,
    name: string,
    args: Args = [],
    options?: CallOptions,
  ): Promise<{ results: Term[]; badNodes: string[] }> {
    checkArray('the nodes are', nodes)
    const mfa: CallMfa = { module, function: name, args }
    const results: Term[] = []
    const badNodes: string[] = []
    const settled = await Promise.all(
      nodes.map((node) => settle(() => this.#calls.start(node, mfa, options).result)),
    )
    for (const [index, outcome] of settled.entries()) {
      const node = String(nodes[index])
      if ('value' in outcome) results.push(isExit(outcome.value) ? badrpc(outcome.value) : outcome.value)
      else if (
        outcome.error instanceof ErpcError &&
        ['timeout', 'noconnection'].includes(outcome.error.reason)
      )
        badNodes.push(node)
      else {
        const thrown = rpcify(node, outcome.error)
        results.push(thrown instanceof BadRpcError ? badrpc(thrown.reason) : thrown.value)
      }
    }
    return { results, badNodes }
  }

  /** `rpc:abcast/3`: sends a message to the process registered as `name` on each node; to all by default. */
  abcast(name: string, message: Encodable, nodes: readonly NodeNameLike[] = this.#allNodes()): void {
    checkArray('the nodes are', nodes)
    const { host } = this.#calls
    for (const node of nodes) host.send(host.groupLeader, { name, node: toAtom(node) }, message)
  }

  /** `rpc:sbcast/3`: as {@link abcast}, telling where it arrived: bad nodes are gone, or have no such process. */
  async sbcast(
    name: string,
    message: Encodable,
    nodes: readonly NodeNameLike[] = this.#allNodes(),
    options: ServerCallOptions = {},
  ): Promise<{ goodNodes: string[]; badNodes: string[] }> {
    checkArray('the nodes are', nodes)
    const request = tuple(SBCAST, atom(name), message)
    const replies = await askServers(
      this.#calls.host,
      nodes.map(toAtom),
      REX,
      REX,
      request,
      options.timeoutMs,
    )
    const good = replies.replies.filter(({ reply }) => atomName(reply) !== undefined)
    const refused = replies.replies.filter(({ reply }) => atomName(reply) === undefined)
    return {
      goodNodes: good.map(({ node }) => node),
      badNodes: [...replies.badNodes, ...refused.map(({ node }) => node)],
    }
  }

  /**
   * `rpc:server_call/4`: sends `{Self, Message}` to the process registered as `name`, which answers
   * `{ReplyWrapper, Node, Reply}`.
   * @throws ErpcError `RPC_NOCONNECTION` when the node or the process is gone, `RPC_TIMEOUT`
   */
  async serverCall(
    node: NodeNameLike,
    name: string,
    replyWrapper: Encodable,
    message: Encodable,
    options: ServerCallOptions = {},
  ): Promise<Term> {
    const target = toAtom(node)
    const { replies, badNodes, timedOut } = await askServers(
      this.#calls.host,
      [target],
      internAtom(name),
      replyWrapper,
      message,
      options.timeoutMs,
    )
    if (badNodes.length > 0)
      throw timedOut ? new ErpcError(target.name, 'timeout') : this.#calls.noConnection(target)
    return (replies[0] as { reply: Term }).reply
  }

  /** `rpc:multi_server_call/3`: as {@link serverCall} of many nodes, the answers wrapped in the server's name. */
  async multiServerCall(
    name: string,
    message: Encodable,
    nodes: readonly NodeNameLike[] = this.#allNodes(),
    options: ServerCallOptions = {},
  ): Promise<ServerReplies> {
    checkArray('the nodes are', nodes)
    return askServers(
      this.#calls.host,
      nodes.map(toAtom),
      internAtom(name),
      internAtom(name),
      message,
      options.timeoutMs,
    )
  }

  /** `rpc:async_call/4`: a call whose answer is fetched with {@link yield} or {@link nbYield}. */
  asyncCall(node: NodeNameLike, module: string, name: string, args: Args = []): RequestId {
    return new RequestId(this.#calls.start(node, { module, function: name, args }))
  }

  /** `rpc:yield/1`: waits for the answer. @throws BadRpcError */
  async yield(id: RequestId): Promise<Term> {
    requests.checkRequest(id)
    return rpcified(id.node, () => requests.receiveResponse(this.#calls, id))
  }

  /** `rpc:nb_yield/2`: the answer if it comes in time (at once by default), else undefined. @throws BadRpcError */
  async nbYield(id: RequestId, timeoutMs = 0): Promise<{ value: Term } | undefined> {
    requests.checkRequest(id)
    let found: { value: Term } | undefined
    const value = await rpcified(id.node, async () => {
      found = await requests.waitResponse(id, { timeoutMs })
      return found?.value
    })
    return value === undefined ? undefined : { value }
  }

  /**
   * `rpc:parallel_eval/1`: the calls shared out among the nodes, their results in order.
   * @throws BadRpcError of the first that failed
   */
  async parallelEval(
    calls: readonly (readonly [module: string, name: string, args: Args])[],
    nodes: readonly NodeNameLike[] = this.#allNodes(),
    options?: CallOptions,
  ): Promise<Term[]> {
    checkArray('the calls are', calls)
    checkArray('the nodes are', nodes)
    for (const call of calls) checkArray('a call is', call)
    return Promise.all(
      calls.map(([module, name, args], index) =>
        this.call(nodes[index % nodes.length] as NodeNameLike, module, name, args, options),
      ),
    )
  }

  /** `rpc:pmap/3`: `apply(Module, Function, [Item | ExtraArgs])` for each item, shared out among the nodes. */
  async pmap(
    called: readonly [module: string, name: string],
    extraArgs: Args,
    items: Args,
    nodes?: readonly NodeNameLike[],
    options?: CallOptions,
  ): Promise<Term[]> {
    checkArray('what is called is', called)
    checkArray('the arguments behind the item are', extraArgs)
    checkArray('the items are', items)
    const [module, name] = called
    return this.parallelEval(
      items.map((item) => [module, name, [item, ...extraArgs]] as const),
      nodes,
      options,
    )
  }

  /** `rpc:eval_everywhere/4`: a cast to each node; to all by default. */
  evalEverywhere(
    module: string,
    name: string,
    args: Args = [],
    nodes: readonly NodeNameLike[] = this.#allNodes(),
  ): void {
    checkArray('the nodes are', nodes)
    for (const node of nodes) this.cast(node, module, name, args)
  }
}

async function rpcResult(call: PendingCall): Promise<Term> {
  return (await rpcified(call.node.name, () => call.result)) as Term
}

/** `?RPCIFY` of rpc.erl. */
async function rpcified<T extends Term | undefined>(node: string, evaluate: () => Promise<T>): Promise<T> {
  const outcome = await settle(evaluate)
  if ('value' in outcome) {
    if (outcome.value !== undefined) check(node, outcome.value)
    return outcome.value
  }
  const thrown = rpcify(node, outcome.error)
  if (thrown instanceof BadRpcError) throw thrown
  return thrown.value as T
}

async function settle<T>(evaluate: () => Promise<T>): Promise<{ value: T } | { error: unknown }> {
  try {
    return { value: await evaluate() }
  } catch (error) {
    return { error }
  }
}

/** `{'EXIT', …}` and `{badrpc, …}` are failures, wherever they come from: Erlang's callers cannot tell. */
function check(node: string, value: Term): void {
  if (isExit(value)) throw new BadRpcError(node, value)
  const reason = badRpc(value)
  if (reason !== undefined) throw new BadRpcError(node, reason)
}

/** `rpcify_exception/2` of rpc.erl: a thrown term is a value. @throws what is neither erpc's nor the function's */
function rpcify(node: string, error: unknown): BadRpcError | { value: Term } {
  if (error instanceof ErpcError)
    return new BadRpcError(node, badRpcReason(error), { cause: error.cause ?? error })
  if (!(error instanceof RemoteError)) throw error
  if (error.class === 'throw') {
    return isExit(error.reason)
      ? new BadRpcError(node, error.reason, { cause: error })
      : { value: error.reason }
  }
  const exit = error.class === 'error' ? tuple(error.reason, error.erlangStack ?? []) : error.reason
  return new BadRpcError(node, tuple(EXIT, exit) as Term, { cause: error })
}

function badRpcReason(error: ErpcError): Term {
  if (error.reason === 'noconnection') return internAtom('nodedown')
  if (error.reason === 'timeout' || error.reason === 'notsup') return internAtom(error.reason)
  return tuple(EXIT, internAtom(error.reason)) as Term
}

function isExit(term: Term): boolean {
  return term instanceof Tuple && term.size === 2 && term.elements[0] === EXIT
}

function badrpc(reason: Term): Term {
  return tuple(internAtom('badrpc'), reason) as Term
}
