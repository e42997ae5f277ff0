/** `node.erpc`: OTP's module `erpc` in camelCase. Failures are RemoteErrors (the function's) and ErpcErrors (the call's). */
import { checkArray } from '../arguments.js'
import type { BeampeerError } from '../errors.js'
import type { Encodable, Term } from '../etf/terms.js'
import type { Calls, CallOptions, NodeNameLike } from './calls.js'
import { ErpcError, RemoteError } from './errors.js'
import * as requests from './request-ids.js'
import { RequestId, RequestIds, type LabelledResponse, type ReceiveOptions } from './request-ids.js'

/** One node's part of a multicall. */
export type CallResult =
  { node: string; ok: true; value: Term } | { node: string; ok: false; error: BeampeerError }

type Args = readonly Encodable[]

export class Erpc {
  readonly #calls: Calls

  /** @internal */
  constructor(calls: Calls) {
    this.#calls = calls
  }

  /**
   * `erpc:call/5`.
   * @throws RemoteError what the function raised; ErpcError `RPC_*` when the call itself failed; EtfError for arguments
   * that cannot be sent; the reason of an abort signal
   */
  async call(
    node: NodeNameLike,
    module: string,
    name: string,
    args: Args = [],
    options?: CallOptions,
  ): Promise<Term> {
    return this.#calls.start(node, { module, function: name, args }, options).result
  }

  /** `erpc:cast/4`: no answer, and silence when it fails. @throws EtfError for arguments that cannot be sent */
  cast(node: NodeNameLike, module: string, name: string, args: Args = []): void {
    this.#calls.cast(node, { module, function: name, args })
  }

  /** `erpc:multicall/5`: one result for each node, in the order of `nodes`; the time is for all together. */
  async multicall(
    nodes: readonly NodeNameLike[],
    module: string,
    name: string,
    args: Args = [],
    options?: CallOptions,
  ): Promise<CallResult[]> {
    checkArray('the nodes are', nodes)
    const mfa = { module, function: name, args }
    return Promise.all(
      nodes.map(async (node): Promise<CallResult> => {
        try {
          return { node: String(node), ok: true, value: await this.#calls.start(node, mfa, options).result }
        } catch (error) {
          if (error instanceof ErpcError || error instanceof RemoteError)
            return { node: String(node), ok: false, error }
          throw error
        }
      }),
    )
  }

  /** `erpc:multicast/4`. */
  multicast(nodes: readonly NodeNameLike[], module: string, name: string, args: Args = []): void {
    checkArray('the nodes are', nodes)
    for (const node of nodes) this.cast(node, module, name, args)
  }

  /** `erpc:send_request/4`, and with a collection `/6`: a call whose answer is received later. */
  sendRequest(node: NodeNameLike, module: string, name: string, args: Args = []): RequestId {
    return new RequestId(this.#calls.start(node, { module, function: name, args }))
  }

  /** `erpc:reqids_new/0`: a collection of requests, to `add` requests with labels to. */
  reqidsNew<L = unknown>(): RequestIds<L> {
    return new RequestIds<L>()
  }

  /**
   * `erpc:receive_response/2,3`: waits for the answer of a request, or the next one of a collection (which it then
   * leaves; undefined when the collection is empty). Requests whose answer does not come in time are abandoned.
   * @throws of a request: what {@link call} throws; of a collection: ErpcError `RPC_TIMEOUT` alone
   */
  receiveResponse(id: RequestId, options?: ReceiveOptions): Promise<Term>
  receiveResponse<L>(ids: RequestIds<L>, options?: ReceiveOptions): Promise<LabelledResponse<L> | undefined>
  receiveResponse<L>(
    from: RequestId | RequestIds<L>,
    options: ReceiveOptions = {},
  ): Promise<Term | LabelledResponse<L> | undefined> {
    if (!(from instanceof RequestIds)) return requests.receiveResponse(this.#calls, from, options)
    return requests.receiveNext(this.#calls, from, { ...options, abandon: true })
  }

  /**
   * `erpc:wait_response/2`: as {@link receiveResponse}, but a request whose answer has not come in time (at once by
   * default) stays, and undefined says so.
   */
  waitResponse(id: RequestId, options?: ReceiveOptions): Promise<{ value: Term } | undefined> {
    return requests.waitResponse(id, options)
  }
}
