/** What an exposed function may know of the call it answers. */
import type { Atom } from '../etf/atom.js'
import type { Pid } from '../etf/identifiers.js'
import type { Encodable, Term } from '../etf/terms.js'
import type { Destination, Host } from '../process/host.js'
import type { Io, IoClient } from '../process/io.js'
import type { Process } from '../process/process.js'

/** The process that a call runs in, and who called. */
export interface CallContext {
  /** The process that runs the function: it can receive, link and monitor. */
  readonly self: Process
  readonly pid: Pid
  /** The process that called. */
  readonly caller: Pid
  /** The node that called. */
  readonly node: Atom
  /** The caller's group leader: what is written there shows on the caller's shell. */
  readonly io: Io
  /** The sequential trace token of the call, if it carried one. */
  readonly traceToken: Term | undefined
  /** Aborted when the process is ended from outside: an exit signal, or the caller's node gone. */
  readonly signal: AbortSignal
  send(to: Destination, message: Encodable): boolean
}

export function makeContext(
  host: Host,
  io: IoClient,
  self: Process,
  caller: Pid,
  traceToken?: Term,
): CallContext {
  return {
    self,
    get pid() {
      return self.pid
    },
    caller,
    node: caller.node,
    get io() {
      return io.for(self.groupLeader)
    },
    traceToken,
    get signal() {
      return self.signal
    },
    send: (to, message) => self.send(to, message),
  }
}
