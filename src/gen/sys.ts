/** `sys`: looking into generic servers of any node, and holding them (OTP's sys.erl, client side). */
import { internAtom } from '../etf/atom.js'
import type { Fun } from '../etf/fun.js'
import type { ExportFun } from '../etf/identifiers.js'
import type { Encodable, Term } from '../etf/terms.js'
import { Tuple, tuple } from '../etf/tuple.js'
import { describe, SYSTEM, type GenCallOptions, type GenClient, type ServerRef } from './client.js'
import { GenCallError } from './errors.js'

/** The release whose `sys` answers a state as `{ok, State}`. */
export const FIRST_WITH_OK = 26

export class Sys {
  readonly #client: GenClient

  constructor(client: GenClient) {
    this.#client = client
  }

  /** `sys:get_state/2`. */
  async getState(to: ServerRef, options: GenCallOptions = {}): Promise<Term> {
    return this.#unwrap(to, await this.#ask(to, internAtom('get_state'), options))
  }

  /** `sys:get_status/2`: `{status, Pid, {module, Module}, [PDict, SysState, Parent, Debug, Misc]}`. */
  getStatus(to: ServerRef, options: GenCallOptions = {}): Promise<Term> {
    return this.#ask(to, internAtom('get_status'), options)
  }

  /** `sys:replace_state/3` with a fun of the server's node, such as `fun lists:reverse/1`. */
  async replaceState(to: ServerRef, fun: ExportFun | Fun, options: GenCallOptions = {}): Promise<Term> {
    return this.#unwrap(to, await this.#ask(to, tuple(internAtom('replace_state'), fun), options))
  }

  /** `sys:suspend/2`: until it is resumed the server answers only `sys`. */
  async suspend(to: ServerRef, options: GenCallOptions = {}): Promise<void> {
    await this.#ask(to, internAtom('suspend'), options)
  }

  /** `sys:resume/2`. */
  async resume(to: ServerRef, options: GenCallOptions = {}): Promise<void> {
    await this.#ask(to, internAtom('resume'), options)
  }

  /** `sys:terminate/3`: the answer comes before the server ends. */
  async terminate(to: ServerRef, reason: Encodable, options: GenCallOptions = {}): Promise<void> {
    await this.#ask(to, tuple(internAtom('terminate'), reason), options)
  }

  #ask(to: ServerRef, request: Encodable, options: GenCallOptions): Promise<Term> {
    return this.#client.callAs(SYSTEM, to, request, options)
  }

  /**
   * A state is answered as `{ok, State}` since OTP 26.1, before as it is; `{error, Reason}` means that it could not be
   * had (before, also a state that looks so: as OTP took it then).
   */
  async #unwrap(to: ServerRef, answer: Term): Promise<Term> {
    if (!(answer instanceof Tuple) || answer.size !== 2) return answer
    const value = answer.elements[1] as Term
    if (answer.tag === 'error') throw new GenCallError(describe(to), value)
    return answer.tag === 'ok' && (await this.#client.otpRelease(to)) >= FIRST_WITH_OK ? value : answer
  }
}
