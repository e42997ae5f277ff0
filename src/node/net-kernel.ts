/** `node.netKernel`: the functions of OTP's `net_kernel` that are not methods of the node itself. */
import { ArgumentError, NodeError } from '../errors.js'
import { internAtom, type Atom } from '../etf/atom.js'
import type { Pid } from '../etf/identifiers.js'
import type { AllowedNodes } from '../kernel/allowed-nodes.js'
import type { Kernel } from '../kernel/kernel.js'
import type { NetKernelState } from '../kernel/net-kernel.js'
import type { NodeMessageOptions } from '../kernel/node-events.js'
import type { SetTicktimeResult } from '../kernel/ticktime.js'
import type { TransportOptions } from '../net/transport.js'
import { Process } from '../process/process.js'

const SOCKET_OPTIONS = ['nodelay', 'keepalive'] as const

export class NetKernel {
  readonly #kernel: Kernel
  readonly #allowed: AllowedNodes

  /** @internal */
  constructor(kernel: Kernel, allowed: AllowedNodes) {
    this.#kernel = kernel
    this.#allowed = allowed
  }

  /** `allow/1`: from now on only these, and those allowed before, may connect or be connected. Names or hosts. */
  allow(entries: readonly string[]): void {
    this.#allowed.allow(entries)
  }

  /** `allowed/0`; undefined when every node is. */
  allowed(): string[] | undefined {
    return this.#allowed.list()
  }

  /** `get_state/0`. */
  getState(): NetKernelState {
    return this.#kernel.state()
  }

  /**
   * `monitor_nodes/2` for a process: nodeup and nodedown come as messages. Subscriptions add up; `flag` false ends all
   * that were made with the same options.
   * @throws NodeError `PROCESS_NOT_ALIVE`
   */
  monitorNodes(process: Process | Pid, flag: boolean, options?: NodeMessageOptions): void {
    const found = process instanceof Process ? process : this.#kernel.table.process(process)
    if (found === undefined)
      throw new NodeError('PROCESS_NOT_ALIVE', 'monitorNodes: no such process on this node')
    this.#kernel.nodeMessages.monitor(found, flag, options)
  }

  /** `get_net_ticktime/0`, in seconds. */
  getNetTicktime(): number | { ongoing_change_to: number } {
    return this.#kernel.ticktime.get()
  }

  /**
   * `set_net_ticktime/2`: all nodes of the cluster have to change within the transition period.
   * @param transitionPeriod seconds, 60 by default
   * @throws ArgumentError `BAD_ARGUMENT`
   */
  setNetTicktime(netTicktime: number, transitionPeriod?: number): SetTicktimeResult {
    return this.#kernel.ticktime.set(netTicktime, transitionPeriod)
  }

  /**
   * `getopts/2`: socket options of the connection to a node.
   * @throws NodeError `NODE_NOT_CONNECTED`; ArgumentError `BAD_ARGUMENT` for options that Node.js sockets do not have
   */
  getopts(node: string | Atom, names: readonly string[]): TransportOptions {
    const options = this.#link(node).transport.options()
    const result: TransportOptions = {}
    for (const name of names) {
      const key = checkOption(name)
      const value = options[key]
      if (value !== undefined) result[key] = value
    }
    return result
  }

  /**
   * `setopts/2`: of the connection to a node, or with `new` of all connections made from now on.
   * @throws as {@link getopts}
   */
  setopts(node: string | Atom, options: TransportOptions): void {
    for (const [name, value] of Object.entries(options)) {
      checkOption(name)
      if (typeof value !== 'boolean') {
        throw new ArgumentError(
          'BAD_ARGUMENT',
          `socket option ${name} is true or false, not ${String(value)}`,
        )
      }
    }
    if (String(node) === 'new') this.#kernel.peers.setNewOptions(options)
    else this.#link(node).transport.setOptions(options)
  }

  #link(node: string | Atom) {
    const peer = this.#kernel.peers.get(internAtom(String(node)))
    if (peer === undefined) throw new NodeError('NODE_NOT_CONNECTED', `${String(node)} is not connected`)
    return peer.link
  }
}

function checkOption(name: string): (typeof SOCKET_OPTIONS)[number] {
  const known = SOCKET_OPTIONS.find((option) => option === name)
  if (known !== undefined) return known
  throw new ArgumentError(
    'BAD_ARGUMENT',
    `${name} is no socket option that Node.js has: ${SOCKET_OPTIONS.join(', ')} are`,
  )
}
