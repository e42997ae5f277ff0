/** `node.gen`: generic servers of other nodes and of this one. */
import type { Encodable } from '../etf/terms.js'
import { genReply, type GenFrom } from '../process/gen-reply.js'
import type { Host, SpawnOptions } from '../process/host.js'
import type { Process } from '../process/process.js'
import { GenClient, type GenClientOptions } from './client.js'
import { startServer, type GenServer } from './server.js'
import { Sys } from './sys.js'

export class Gen extends GenClient {
  /** Looking into servers, and holding them. */
  readonly sys: Sys
  readonly #host: Host
  readonly #sender: Process

  /** @internal */
  constructor(host: Host, options: GenClientOptions) {
    super(host, options)
    this.#host = host
    this.#sender = host.spawnHandler({ ignoresExits: true, message: () => undefined })
    this.sys = new Sys(this)
  }

  /**
   * Starts a server of this node; resolves when its `init` is done.
   * @throws NodeError `GEN_INIT_FAILED`, `PROCESS_NAME_TAKEN`, `PROCESS_LIMIT`
   */
  start(server: GenServer, options?: SpawnOptions): Promise<Process> {
    return startServer(this.#host, this, server, options)
  }

  /** `gen:reply/2`, for calls that a process takes itself. */
  reply(from: GenFrom, reply: Encodable): void {
    genReply(this.#host, this.#sender.pid, from, reply)
  }
}
