/** Sends to other name servers, and never connects to do so: they speak to those that are there. */
import { atom, type Atom } from '../etf/atom.js'
import type { Pid } from '../etf/identifiers.js'
import type { Encodable, Term } from '../etf/terms.js'
import { tuple } from '../etf/tuple.js'
import { GEN_CAST } from '../process/gen-reply.js'
import type { GlobalOptions } from './options.js'
import { GLOBAL_NAME_SERVER } from './wire.js'

export class Messenger {
  readonly #options: Pick<GlobalOptions, 'host' | 'cluster' | 'onError'>
  readonly #sender: () => Pid

  constructor(options: Pick<GlobalOptions, 'host' | 'cluster' | 'onError'>, sender: () => Pid) {
    this.#options = options
    this.#sender = sender
  }

  cast(node: Atom, request: Encodable, from?: Pid): void {
    this.tell(node, tuple(GEN_CAST, request), from)
  }

  tell(node: Atom, message: Encodable, from?: Pid): void {
    this.send({ name: GLOBAL_NAME_SERVER, node }, node, message, from)
  }

  cancelConnect(node: Atom, hisTag: Term | undefined): void {
    if (hisTag !== undefined) this.tell(node, tuple(atom('cancel_connect'), this.#options.host.name, hisTag))
  }

  send(to: Pid | { name: Atom; node: Atom }, node: Atom, message: Encodable, from = this.#sender()): void {
    const { host, cluster, onError } = this.#options
    if (node !== host.name && !cluster.isConnected(node)) return
    try {
      host.send(from, to, message)
    } catch (error) {
      onError(error, `message of global to ${node.name}`, node)
    }
  }
}
