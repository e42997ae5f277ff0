/**
 * What a server of ours answers to `sys` (OTP's sys.erl, `handle_system_msg/6`): `{system, From, Request}`.
 *
 *     get_state                 {ok, State}, to callers of releases before 26.1 State
 *     get_status                {status, Pid, {module, Module}, [PDict, SysState, Parent, Debug, Misc]}
 *     suspend, resume           ok; while suspended only system messages are taken
 *     {terminate, Reason}       ok, then the end
 *     {replace_state, Fun}      an error: a fun of the BEAM cannot run here
 *     {debug, Command}          what holds where nothing is traced, logged or counted
 *     anything else             {error, {unknown_system_msg, Request}}
 */
import { internAtom, type Atom } from '../etf/atom.js'
import type { Encodable, Term } from '../etf/terms.js'
import { Tuple, tuple } from '../etf/tuple.js'
import { localTerm, reasonOf } from '../process/copy.js'
import { genAnswer, type GenFrom } from '../process/gen-reply.js'
import type { Host } from '../process/host.js'
import type { Process } from '../process/process.js'
import {
  debugReply,
  systemStatus,
  unknownSystemMessage,
  type SystemMessage,
} from '../process/system-messages.js'
import type { GenServer } from './server.js'
import { FIRST_WITH_OK } from './sys.js'

const OK = internAtom('ok')
const ERROR = internAtom('error')

export class SystemState {
  suspended = false
  readonly #host: Host
  readonly #server: GenServer
  readonly #self: Process

  readonly #otpRelease: (node: Atom) => Promise<number>

  constructor(host: Host, server: GenServer, self: Process, otpRelease: (node: Atom) => Promise<number>) {
    this.#otpRelease = otpRelease
    this.#host = host
    this.#server = server
    this.#self = self
  }

  /** Answers. @returns the reason when the server is to end */
  async handle({ from, request }: SystemMessage): Promise<{ reason: Encodable } | undefined> {
    const word = request instanceof Tuple ? `${request.tag ?? ''}/${request.size}` : String(request)
    switch (word) {
      case 'suspend':
      case 'resume':
        this.suspended = word === 'suspend'
        this.#reply(from, OK)
        return undefined
      case 'get_state':
        this.#reply(from, await this.#stateReply(from.pid.node))
        return undefined
      case 'get_status':
        this.#reply(from, this.#status())
        return undefined
      case 'terminate/2':
        this.#reply(from, OK)
        return { reason: (request as Tuple).elements[1] as Term }
      case 'replace_state/2': {
        const fun = (request as Tuple).elements[1] as Term
        const why = tuple(internAtom('badfun'), fun)
        const where = tuple(this.#module(), internAtom('system_replace_state'))
        this.#reply(from, tuple(ERROR, tuple(internAtom('callback_failed'), where, tuple(ERROR, why))))
        return undefined
      }
      default:
        this.#reply(from, debugReply(request) ?? unknownSystemMessage(request))
        return undefined
    }
  }

  #reply(from: GenFrom, reply: Encodable): void {
    genAnswer(this.#host, this.#self.pid, from, reply)
  }

  async #stateReply(caller: Atom): Promise<Encodable> {
    const state = this.#state()
    if ('error' in state) return state.error
    const isOld = caller !== this.#host.name && (await this.#otpRelease(caller)) < FIRST_WITH_OK
    return isOld ? state.term : tuple(OK, state.term)
  }

  #state(): { term: Term } | { error: Encodable } {
    try {
      return { term: localTerm(this.#server.formatState()) }
    } catch (error) {
      const where = tuple(this.#module(), internAtom('system_get_state'))
      const reason = tuple(internAtom('callback_failed'), where, tuple(ERROR, reasonOf(error)))
      return { error: tuple(ERROR, reason) }
    }
  }

  #status(): Encodable {
    const state = this.#state()
    return systemStatus(this.#self, {
      module: this.#module().name,
      status: this.suspended ? 'suspended' : 'running',
      state: 'error' in state ? state.error : state.term,
    })
  }

  /** The class's name: the nearest thing to a callback module. */
  #module(): Atom {
    return internAtom(this.#server.constructor.name || 'gen_server')
  }
}
