/** Calls that are awaited later: `erpc:send_request/4` and collections of such requests. */
import { throwIfAborted, wrong } from '../arguments.js'
import { ArgumentError } from '../errors.js'
import type { Term } from '../etf/terms.js'
import type { Calls, PendingCall } from './calls.js'
import { checkTimeout } from './calls.js'
import { ErpcError } from './errors.js'

export interface ReceiveOptions {
  /** Milliseconds to wait; default: no limit, or 0 for those that only look. */
  timeoutMs?: number
  signal?: AbortSignal
}

/** The answer of one request: what the function returned, or the error that a call would have thrown. */
export type Response =
  { readonly ok: true; readonly value: Term } | { readonly ok: false; readonly error: unknown }

/** The answer of one request of a collection. */
export type LabelledResponse<L> = Response & { readonly id: RequestId; readonly label: L }

/** A request that was sent. Its answer is received once. */
export class RequestId {
  /** The node that was asked. */
  readonly node: string
  /** @internal */ readonly call: PendingCall
  /** @internal Resolves with the answer, whatever it is. */ readonly answered: Promise<Response>
  #response: Response | undefined
  #received = false

  /** @internal */
  constructor(call: PendingCall) {
    this.call = call
    this.node = call.node.name
    this.answered = call.result.then(
      (value) => (this.#response = { ok: true, value }),
      (error: unknown) => (this.#response = { ok: false, error }),
    )
  }

  /** @internal The answer if it has come. */
  get response(): Response | undefined {
    return this.#response
  }

  /** @internal @throws ArgumentError when the answer has been received already, as OTP's `badarg` */
  take(): void {
    if (this.#received)
      throw new ArgumentError('BAD_ARGUMENT', 'the response of this request was received already')
    this.#received = true
  }

  /** @internal */
  get received(): boolean {
    return this.#received
  }
}

/** Requests with labels, of which responses are taken as they come (`erpc:reqids_new/0`). */
export class RequestIds<L = unknown> implements Iterable<readonly [RequestId, L]> {
  readonly #labels = new Map<RequestId, L>()

  /** `reqids_size/1`. */
  get size(): number {
    return this.#labels.size
  }

  /** `reqids_add/3`. @throws ArgumentError when the request is in the collection already */
  add(id: RequestId, label: L): this {
    checkRequest(id)
    if (this.#labels.has(id))
      throw new ArgumentError('BAD_ARGUMENT', 'this request is in the collection already')
    this.#labels.set(id, label)
    return this
  }

  /** `reqids_to_list/1`: requests with their labels. */
  [Symbol.iterator](): Iterator<readonly [RequestId, L]> {
    return this.#labels.entries()
  }

  /** @internal */
  remove(id: RequestId): L | undefined {
    const label = this.#labels.get(id)
    this.#labels.delete(id)
    return label
  }
}

/** @throws ArgumentError `BAD_ARGUMENT` */
export function checkRequest(id: RequestId): void {
  if (!(id instanceof RequestId)) wrong('a request is what sendRequest or asyncCall gave', id)
}

/** Waits for the answer of a request; after the time it is abandoned. Throws what a call would have thrown. */
export async function receiveResponse(
  calls: Calls,
  id: RequestId,
  options: ReceiveOptions = {},
): Promise<Term> {
  checkRequest(id)
  id.take()
  const response = await within([id], options)
  if (response !== undefined) return valueOf(response.answer)
  calls.abandon(id.call)
  throw new ErpcError(id.node, 'timeout')
}

/** Looks whether an answer has come, waiting for it a while; undefined when not, and the request stays. */
export async function waitResponse(
  id: RequestId,
  options: ReceiveOptions = {},
): Promise<{ value: Term } | undefined> {
  checkRequest(id)
  if (id.received) id.take()
  const response = await within([id], { timeoutMs: 0, ...options })
  if (response === undefined) return undefined
  id.take()
  return { value: valueOf(response.answer) }
}

/** The next answer to a request of the collection, which it leaves; undefined when none is left. */
export async function receiveNext<L>(
  calls: Calls,
  ids: RequestIds<L>,
  options: ReceiveOptions & { abandon: boolean },
): Promise<LabelledResponse<L> | undefined> {
  const all = [...ids].map(([id]) => id)
  if (all.length === 0) return undefined
  const response = await within(all, options)
  if (response !== undefined) {
    const { id, answer } = response
    id.take()
    return { ...answer, id, label: ids.remove(id) as L }
  }
  if (options.abandon) {
    for (const id of all) {
      calls.abandon(id.call)
      ids.remove(id)
    }
  }
  throw new ErpcError(all.map(({ node }) => node).join(', '), 'timeout')
}

/** The first answer within the time; undefined when none came. */
async function within(
  ids: readonly RequestId[],
  { timeoutMs, signal }: ReceiveOptions,
): Promise<{ id: RequestId; answer: Response } | undefined> {
  checkTimeout(timeoutMs)
  throwIfAborted(signal)
  const ready = ids.find(({ response }) => response !== undefined)
  if (ready !== undefined) return { id: ready, answer: ready.response as Response }
  if (timeoutMs === 0) return undefined
  return new Promise((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const aborted = () => {
      clearTimeout(timer)
      reject(signal?.reason as Error)
    }
    const end = (result: { id: RequestId; answer: Response } | undefined) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', aborted)
      resolve(result)
    }
    if (timeoutMs !== undefined && timeoutMs !== Infinity) timer = setTimeout(() => end(undefined), timeoutMs)
    signal?.addEventListener('abort', aborted, { once: true })
    for (const id of ids) void id.answered.then((answer) => end({ id, answer }))
  })
}

function valueOf(response: Response): Term {
  if (response.ok) return response.value
  throw response.error
}
