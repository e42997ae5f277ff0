/**
 * Results that come as messages: a function gets a reference and a pid, sends the pid `{Ref, Item, continue}` for each
 * item and `{Ref, finished}` when it has no more, and returns. RabbitMQ's listings work so
 * (`rabbit_control_misc:emitting_map/4`), one `finished` for each node that emits.
 */
import { NodeError } from '../errors.js'
import { atomName, internAtom, type Atom } from '../etf/atom.js'
import type { Reference } from '../etf/identifiers.js'
import { type Pid } from '../etf/identifiers.js'
import type { Encodable, Term } from '../etf/terms.js'
import { Tuple } from '../etf/tuple.js'
import type { CallOptions, Calls, PendingCall } from './calls.js'
import { ErpcError, RemoteError } from './errors.js'

const REX = internAtom('rex')

/** Where the function is to send its items. */
export interface EmitTarget {
  readonly ref: Reference
  readonly pid: Pid
}

export interface EmitOptions extends CallOptions {
  /** How often `finished` comes, such as the number of nodes that emit; default 1. */
  emitters?: number
}

/** @internal The items; see `RemoteNode.emit`. */
export async function* emitted(
  calls: Calls,
  node: Atom,
  mfa: { module: string; function: string },
  args: (target: EmitTarget) => readonly Encodable[],
  { emitters = 1, ...options }: EmitOptions,
): AsyncGenerator<Term, void, undefined> {
  const { host } = calls
  const { timeoutMs, signal } = options
  const items: Term[] = []
  let read = 0
  let finished = 0
  let failed: { error: unknown } | undefined
  let returned = false
  let wake = () => {}
  const ref = host.makeReference()
  const fail = (error: unknown) => {
    failed ??= { error }
    wake()
  }
  const collector = host.spawnHandler({
    ignoresExits: true,
    message: (message) => {
      if (!(message instanceof Tuple) || !ref.equals(message.elements[0])) return
      const [, second, third] = message.elements as readonly [Term, Term?, Term?]
      if (message.size === 2 && atomName(second) === 'finished') finished++
      else if (message.size === 3 && atomName(third) === 'continue') {
        // Nothing tells the other side to wait: what is not read in time must not fill the memory.
        if (items.length - read < calls.maxItems) items.push(second as Term)
        else
          fail(
            new NodeError(
              'RPC_TOO_MANY_ITEMS',
              `${items.length - read} items of ${node.name} wait to be read (limit maxMailboxMessages)`,
            ),
          )
      } else if (message.size === 2 && second instanceof Tuple && second.tag === 'error') {
        fail(new RemoteError(node.name, 'error', second.elements[1] as Term))
      }
      wake()
    },
    down: (_ref, _rex, reason) => {
      if (atomName(reason) === 'noconnection') fail(calls.noConnection(node))
    },
    exited: () => fail(new NodeError('PROCESS_EXITED', 'the process that collects the items has ended')),
  })
  let call: PendingCall | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  const aborted = () => fail(signal?.reason)
  try {
    call = calls.start(node, { ...mfa, args: args({ ref, pid: collector.pid }) }, options)
    call.result.then(
      () => {
        returned = true
        wake()
      },
      (error: unknown) => fail(error),
    )
    // Breaks with the connection: items cannot come any more then.
    if (node !== host.name) collector.monitor({ name: REX, node })
    if (timeoutMs !== undefined && timeoutMs !== Infinity) {
      timer = setTimeout(() => fail(new ErpcError(node.name, 'timeout')), timeoutMs)
    }
    signal?.addEventListener('abort', aborted)
    for (;;) {
      while (read < items.length) yield items[read++] as Term
      items.length = read = 0
      if (failed !== undefined) throw failed.error
      if (returned && finished >= emitters) return
      await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', aborted)
    if (call !== undefined) calls.abandon(call)
    collector.exit()
  }
}
