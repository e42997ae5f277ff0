/**
 * A generic server in JavaScript (OTP's `gen_server`, Elixir's `GenServer`): one process, its state, and one request at
 * a time in the order of arrival, also when the code that answers is asynchronous. `sys` requests of any node are
 * answered (server-system.ts).
 */
import { NodeError } from '../errors.js'
import { internAtom } from '../etf/atom.js'
import type { Encodable, Term } from '../etf/terms.js'
import { tuple } from '../etf/tuple.js'
import { genAnswer, readGenMessage, type GenFrom } from '../process/gen-reply.js'
import type { Host, SpawnOptions } from '../process/host.js'
import type { Process } from '../process/process.js'
import { readSystemMessage } from '../process/system-messages.js'
import { describeReason, reasonOf } from '../process/copy.js'
import { ErlangError } from '../process/erlang-error.js'
import type { GenCallOptions, GenClient, ServerRef } from './client.js'
import { SystemState } from './server-system.js'

const NORMAL = internAtom('normal')
const BAD_RETURN_VALUE = internAtom('bad_return_value')

/** What `handleCall` gives when the reply comes later, by `reply`. */
export const NO_REPLY = Symbol('beampeer.noReply')

/** What a callback gives to end the server; made by {@link stopWith}. */
export class Stop {
  readonly reason: Encodable
  /** The reply of the call that is being answered; {@link NO_REPLY}: none. */
  readonly reply: Encodable | typeof NO_REPLY

  constructor(reason: Encodable, reply: Encodable | typeof NO_REPLY) {
    this.reason = reason
    this.reply = reply
  }
}

/** Ends the server with `reason`, after replying to the call that is being answered if a reply is given. */
export function stopWith(reason: Encodable = NORMAL, reply: Encodable | typeof NO_REPLY = NO_REPLY): Stop {
  return new Stop(reason, reply)
}

/** What a handler for a cast or message gives: nothing, or the end. */
export type HandlerResult = void | Stop

/**
 * Extend it and start it with `node.gen.start`. Callbacks may be asynchronous; while one runs, what comes waits. A
 * callback that throws ends the server with the error as exit reason, and callers that wait see it.
 */
export abstract class GenServer<State = unknown> {
  /** What the server holds; `sys:get_state` shows it, if it is a term. */
  state!: State
  #process: Process | undefined
  #host: Pick<Host, 'send' | 'reportError'> | undefined
  #client: GenClient | undefined

  /** The process of this server. @throws NodeError `GEN_NOT_STARTED` before it is started */
  get self(): Process {
    if (this.#process === undefined) throw new NodeError('GEN_NOT_STARTED', 'the server is not started')
    return this.#process
  }

  /** Makes the first state. The server is registered already, and started once this is done. */
  init?(): unknown

  /** Answers `gen_server:call`. Its result is the reply. */
  handleCall?(
    request: Term,
    from: GenFrom,
  ): Encodable | typeof NO_REPLY | Stop | Promise<Encodable | typeof NO_REPLY | Stop>

  /** Takes `gen_server:cast`. */
  handleCast?(request: Term): HandlerResult | Promise<HandlerResult>

  /** Takes every other message: `{'DOWN', …}`, `{'EXIT', …}`, plain ones. */
  handleInfo?(message: Term): HandlerResult | Promise<HandlerResult>

  /** Called before the server ends by {@link stopWith}, by `sys:terminate` or by an error; not when it is killed. */
  terminate?(reason: Encodable): unknown

  /** The state as `sys:get_state` and `sys:get_status` show it. Default: `state`. */
  formatState(): Encodable {
    return this.state as Encodable
  }

  /**
   * `gen_server:reply/2`: the reply of a call that was answered with {@link NO_REPLY}. A caller that cannot be told is
   * logged; only a reply that is no term throws.
   */
  reply(from: GenFrom, reply: Encodable): void {
    if (this.#host !== undefined) genAnswer(this.#host, this.self.pid, from, reply)
  }

  /**
   * Calls another server.
   * @throws GenCallError, also `GEN_CALLING_SELF`: this server waits for itself
   */
  async call(to: ServerRef, request: Encodable, options: GenCallOptions = {}): Promise<Term> {
    if (this.#client === undefined) throw new NodeError('GEN_NOT_STARTED', 'the server is not started')
    return this.#client.call(to, request, { ...options, from: this.self })
  }

  /** @internal */
  attach(host: Pick<Host, 'send' | 'reportError'>, process: Process, client: GenClient): void {
    if (this.#process !== undefined) throw new NodeError('GEN_STARTED', 'a server object is started once')
    this.#host = host
    this.#process = process
    this.#client = client
  }
}

/**
 * Starts a server.
 * @returns its process, once `init` is done
 * @throws NodeError `GEN_INIT_FAILED` with the error of `init` as cause, `PROCESS_NAME_TAKEN`, `PROCESS_LIMIT`
 */
export function startServer(
  host: Host,
  client: GenClient,
  server: GenServer,
  options: SpawnOptions = {},
): Promise<Process> {
  return new Promise((resolve, reject) => {
    let process: Process
    try {
      process = host.spawn(async (self) => {
        server.attach(host, self, client)
        try {
          await server.init?.()
        } catch (error) {
          reject(
            new NodeError('GEN_INIT_FAILED', `init: ${describeReason(reasonOf(error))}`, { cause: error }),
          )
          throw error
        }
        if (!self.alive) {
          reject(new NodeError('GEN_INIT_FAILED', `init: ${describeReason(self.exitReason)}`))
          return
        }
        resolve(self)
        await new ServerLoop(host, client, server, self).run()
      }, options)
    } catch (error) {
      reject(error as Error)
      return
    }
    // Killed before it ran: nobody else would tell.
    process.signal.addEventListener('abort', () => {
      reject(new NodeError('GEN_INIT_FAILED', `init: ${describeReason(process.exitReason)}`))
    })
  })
}

class ServerLoop {
  readonly #host: Host
  readonly #server: GenServer
  readonly #self: Process
  readonly #system: SystemState

  constructor(host: Host, client: GenClient, server: GenServer, self: Process) {
    this.#host = host
    this.#server = server
    this.#self = self
    this.#system = new SystemState(host, server, self, (node) => client.otpRelease({ name: '', node }))
  }

  async run(): Promise<void> {
    const self = this.#self
    try {
      while (self.alive) {
        const message = await self.receive(this.#system.suspended ? { match: isSystemMessage } : {})
        const end = await this.#handle(message)
        if (end !== undefined) return await this.#end(end)
      }
    } catch (error) {
      // The process ended while it waited or worked: there is nothing left to end.
      if (!self.alive) return
      await this.#crash(error)
    }
  }

  /** @returns the reason when the server is to end */
  async #handle(message: Term): Promise<{ reason: Encodable } | undefined> {
    const system = readSystemMessage(message)
    if (system !== undefined) return this.#system.handle(system)
    const read = readGenMessage(message)
    const server = this.#server
    if (read.type !== 'call') {
      const result = await (read.type === 'cast'
        ? server.handleCast?.(read.request)
        : server.handleInfo?.(read.message))
      return result instanceof Stop ? { reason: result.reason } : undefined
    }
    if (server.handleCall === undefined) throw new ErlangError('exit', internAtom('bad_call'))
    const result = await server.handleCall(read.request, read.from)
    const reply = result instanceof Stop ? result.reply : result
    // The reply goes before the end: `terminate` may take its time.
    if (reply !== NO_REPLY && this.#self.alive) genAnswer(this.#host, this.#self.pid, read.from, reply)
    return result instanceof Stop ? { reason: result.reason } : undefined
  }

  async #end({ reason }: { reason: Encodable }): Promise<void> {
    await this.#server.terminate?.(reason)
    this.#self.exit(reason)
  }

  async #crash(error: unknown): Promise<void> {
    // What an Erlang callback throws is what it returns: here never what a callback may return.
    if (error instanceof ErlangError && error.class === 'throw')
      return this.#end({ reason: tuple(BAD_RETURN_VALUE, error.reason) })
    await this.#server.terminate?.(reasonOf(error))
    throw error
  }
}

function isSystemMessage(message: Term): boolean {
  return readSystemMessage(message) !== undefined
}
