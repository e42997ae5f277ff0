/**
 * Calls to generic servers, as OTP's gen.erl makes them: a monitor whose reference is also an alias, and a request
 * that names it.
 *
 *     {'$gen_call', {Pid, [alias | Ref]}, Request}   ─▶  {[alias | Ref], Reply}, to the alias
 *     {'$gen_cast', Request}
 *     {system, {Pid, [alias | Ref]}, Request}            (sys)
 *
 * The alias ends with the call, so late replies go nowhere. Peers without aliases reply to the pid; late ones find no
 * call. One process of the node receives for all calls.
 */
import { checkArray, throwIfAborted } from '../arguments.js'
import { ArgumentError, type BeampeerError } from '../errors.js'
import { Atom, atomName, internAtom } from '../etf/atom.js'
import { isEqual } from '../etf/equal.js'
import { Pid, Reference } from '../etf/identifiers.js'
import type { Encodable, Term } from '../etf/terms.js'
import { isTuple, Tuple, tuple } from '../etf/tuple.js'
import { ImproperList } from '../etf/values.js'
import { namedAt, nameOf, textOf, type NameOnNode } from '../process/address.js'
import { GEN_CALL, GEN_CAST } from '../process/gen-reply.js'
import { localTerm } from '../process/copy.js'
import type { Host } from '../process/host.js'
import { Process } from '../process/process.js'
import { ReferenceMap } from '../process/reference-map.js'
import { GenCallError } from './errors.js'

/** A server: a pid, a process of this node, a name here, or a name on a node. */
export type ServerRef = Pid | Process | Atom | string | NameOnNode

type NamedServer = ReturnType<typeof namedAt>

/** For errors. */
const SERVER = 'a call to a server'

export interface GenCallOptions {
  /** Milliseconds; 5,000 by default as in OTP, Infinity for ever. */
  timeoutMs?: number
  /** Ends the wait with the signal's reason; a late reply is dropped. */
  signal?: AbortSignal
  /** The process that asks and waits: when it is the server itself, the call fails with `calling_self`. */
  from?: Process
}

export interface GenClientOptions {
  /** Why there is no connection to a node, if that is known. */
  connectionError(node: Atom): BeampeerError | undefined
  /** The OTP release that a node runs; Infinity for this one, and where that is not known. */
  otpRelease(node: Atom): Promise<number>
}

interface PendingCall {
  ref: Reference
  server: string
  node: Atom
  /** Only the server's end settles it, a reply does not. */
  untilDown: boolean
  resolve(reply: Term): void
  reject(error: unknown): void
}

const DEFAULT_TIMEOUT_MS = 5_000
/** The label of requests of `sys`. */
export const SYSTEM = internAtom('system')
const TERMINATE = internAtom('terminate')
const ALIAS = internAtom('alias')
const NODEDOWN = internAtom('nodedown')
const TIMEOUT = internAtom('timeout')
const CALLING_SELF = internAtom('calling_self')

/** The longest that a timer of Node's waits. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** A request that was sent (`gen_server:send_request/2`): its reply is waited for later, or never. */
export class GenRequest {
  /** Fulfilled with the reply. A rejection that nobody waits for is no error of the program. */
  readonly response: Promise<Term>
  readonly #abandon: (error: Error) => void
  #settled = false

  /** @internal made by {@link GenClient} */
  constructor(response: Promise<Term>, abandon: (error: Error) => void) {
    this.response = response
    this.#abandon = abandon
    const settled = (): void => void (this.#settled = true)
    response.then(settled, settled)
  }

  /** Whether the reply, or a failure, is there. */
  get settled(): boolean {
    return this.#settled
  }

  /**
   * `wait_response/2`: undefined when the reply is not there after `timeoutMs`; it may be waited for again.
   * @throws GenCallError
   */
  async wait(timeoutMs: number): Promise<{ reply: Term } | undefined> {
    let timer: ReturnType<typeof setTimeout> | undefined
    checkTimeout(timeoutMs)
    const timeUp = new Promise<undefined>((resolve) => {
      if (timeoutMs !== Infinity) timer = setTimeout(() => resolve(undefined), timeoutMs)
    })
    try {
      return await Promise.race([this.response.then((reply) => ({ reply })), timeUp])
    } finally {
      clearTimeout(timer)
    }
  }

  /** Gives the request up: `response` fails with `error`, and a reply that still comes is dropped. */
  abandon(error: Error): void {
    this.#abandon(error)
  }
}

export class GenClient {
  readonly #host: Host
  readonly #options: GenClientOptions
  readonly #process: Process
  readonly #pending = new ReferenceMap<PendingCall>()

  constructor(host: Host, options: GenClientOptions) {
    this.#host = host
    this.#options = options
    this.#process = host.spawnHandler({
      ignoresExits: true,
      message: (message) => this.#reply(message),
      down: (ref, _object, reason) => this.#down(ref, reason),
    })
  }

  /** Calls that wait for a reply. */
  get pending(): number {
    return this.#pending.size
  }

  /**
   * `gen_server:call/3`, also for `gen_statem` and Elixir's `GenServer`, `Agent` and their kin.
   * @throws GenCallError; EtfError when the request cannot be encoded for that node
   */
  call(to: ServerRef, request: Encodable, options: GenCallOptions = {}): Promise<Term> {
    return this.callAs(GEN_CALL, to, request, options)
  }

  /** `gen_server:cast/2`: never fails for the far side. */
  cast(to: ServerRef, request: Encodable): void {
    this.#send(this.#target(to), tuple(GEN_CAST, request))
  }

  /** `gen_server:send_request/2`. */
  sendRequest(to: ServerRef, request: Encodable): GenRequest {
    return this.#request(GEN_CALL, to, request)
  }

  /**
   * `gen_server:multi_call/4`: the replies of the nodes that gave one, in the order of `nodes`, and the others.
   * @param name of the server on each node
   */
  async multiCall(
    nodes: readonly (Atom | string)[],
    name: Atom | string,
    request: Encodable,
    options: GenCallOptions = { timeoutMs: Infinity },
  ): Promise<{ replies: { node: string; reply: Term }[]; badNodes: string[] }> {
    checkArray('the nodes are', nodes)
    const replies: { node: string; reply: Term }[] = []
    const badNodes: string[] = []
    const calls = nodes.map((node) => this.call({ name, node }, request, { timeoutMs: Infinity, ...options }))
    const results = await Promise.allSettled(calls)
    results.forEach((result, i) => {
      const node = textOf(nodes[i] as Atom | string)
      if (result.status === 'fulfilled') replies.push({ node, reply: result.value })
      else if (result.reason instanceof GenCallError) badNodes.push(node)
      else throw result.reason
    })
    return { replies, badNodes }
  }

  /** `gen_server:abcast/3`. */
  abcast(nodes: readonly (Atom | string)[], name: Atom | string, request: Encodable): void {
    checkArray('the nodes are', nodes)
    for (const node of nodes) this.cast({ name, node }, request)
  }

  /**
   * `gen:stop/3`: asks a server to end with `reason` and waits until it did.
   * @throws GenCallError when it is not there, refuses, ends otherwise, or not in time
   */
  async stop(
    to: ServerRef,
    reason: Encodable = internAtom('normal'),
    options: GenCallOptions = {},
  ): Promise<void> {
    const wanted = localTerm(reason)
    try {
      await this.callAs(SYSTEM, to, tuple(TERMINATE, reason), { timeoutMs: Infinity, ...options }, true)
    } catch (error) {
      if (error instanceof GenCallError && isEqual(error.reason, wanted)) return
      throw error
    }
  }

  /** @internal A call with another label than `'$gen_call'`; with `untilDown` only the server's end settles it. */
  async callAs(
    label: Atom,
    to: ServerRef,
    request: Encodable,
    { timeoutMs = DEFAULT_TIMEOUT_MS, signal, from }: GenCallOptions,
    untilDown = false,
  ): Promise<Term> {
    checkTimeout(timeoutMs)
    throwIfAborted(signal)
    if (from !== undefined && this.#isSame(from, to)) throw new GenCallError(describe(to), CALLING_SELF)
    const sent = this.#request(label, to, request, untilDown)
    let timer: ReturnType<typeof setTimeout> | undefined
    if (timeoutMs !== Infinity) {
      timer = setTimeout(() => sent.abandon(new GenCallError(describe(to), TIMEOUT)), timeoutMs)
    }
    const aborted = (): void => sent.abandon(signal?.reason as Error)
    signal?.addEventListener('abort', aborted, { once: true })
    try {
      return await sent.response
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', aborted)
    }
  }

  #request(label: Atom, to: ServerRef, request: Encodable, untilDown = false): GenRequest {
    const target = this.#target(to)
    const ref = this.#process.monitor(target, { alias: 'demonitor' })
    const call: PendingCall = {
      ref,
      server: describe(to),
      node: target.node,
      untilDown,
      resolve: undefined as never,
      reject: undefined as never,
    }
    const response = new Promise<Term>((resolve, reject) => {
      call.resolve = resolve
      call.reject = reject
    })
    response.catch(() => undefined)
    this.#pending.set(ref, call)
    const abandon = (error: Error): void => {
      if (!this.#pending.delete(ref)) return
      this.#process.demonitor(ref)
      call.reject(error)
    }
    try {
      const tag = new ImproperList([ALIAS], ref)
      this.#send(target, tuple(label, tuple(this.#process.pid, tag), request))
    } catch (error) {
      abandon(error as Error)
    }
    return new GenRequest(response, abandon)
  }

  #reply(message: Term): void {
    if (!(message instanceof Tuple) || message.size !== 2) return
    const [tag, reply] = message.elements as readonly [Term, Term]
    const ref = tag instanceof ImproperList ? tag.tail : tag
    if (!(ref instanceof Reference)) return
    const call = this.#pending.get(ref)
    if (call === undefined) return
    if (call.untilDown) {
      // A server that ends says ok first; only who refuses to (a service of a node) answers otherwise.
      if (!isTuple(reply, 'error', 2)) return
      call.reject(new GenCallError(call.server, reply.elements[1]))
    } else call.resolve(reply)
    this.#pending.delete(ref)
    this.#process.demonitor(ref)
  }

  #down(ref: Reference, reason: Term): void {
    const call = this.#pending.take(ref)
    if (call === undefined) return
    if (atomName(reason) !== 'noconnection') call.reject(new GenCallError(call.server, reason))
    else {
      const cause = this.#options.connectionError(call.node)
      call.reject(new GenCallError(call.server, tuple(NODEDOWN, call.node) as Term, { cause }))
    }
  }

  #isSame(process: Process, to: ServerRef): boolean {
    const target = this.#target(to)
    if (target instanceof Pid) return process.pid.equals(target)
    return target.node === this.#host.name && process.registeredName === target.name
  }

  /** @internal How the release of `to`'s node answers. */
  otpRelease(to: ServerRef): Promise<number> {
    const { node } = this.#target(to)
    return node === this.#host.name ? Promise.resolve(Infinity) : this.#options.otpRelease(node)
  }

  /** A local name may go between two steps: it is sent to as a name, which is no error then. */
  #target(to: ServerRef): Pid | NamedServer {
    if (to instanceof Process) return to.pid
    if (to instanceof Pid) return to
    if (typeof to === 'string' || to instanceof Atom) return { name: nameOf(to), node: this.#host.name }
    return namedAt(to, SERVER)
  }

  #send(to: Pid | NamedServer, message: Encodable): void {
    this.#host.send(this.#process.pid, to, message)
  }
}

/** @internal A server's name for error messages. */
export function describe(to: ServerRef): string {
  if (to instanceof Process) return `${to.pid.toString()} of this node`
  if (to instanceof Pid) return `${to.toString()} of ${to.node.name}`
  if (typeof to === 'string' || to instanceof Atom) return textOf(to)
  const { name, node } = namedAt(to, SERVER)
  return `${atomName(name)} of ${node.name}`
}

function checkTimeout(timeoutMs: number): void {
  if (timeoutMs === Infinity || (timeoutMs >= 0 && timeoutMs <= MAX_TIMER_MS)) return
  throw new ArgumentError(
    'BAD_ARGUMENT',
    `timeoutMs is milliseconds from 0 to ${MAX_TIMER_MS}, or Infinity: ${timeoutMs}`,
  )
}
