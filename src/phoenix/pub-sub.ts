/**
 * Phoenix.PubSub for this node, in the messages of its default adapter (Phoenix.PubSub.PG2, version 2.x):
 *
 *     each node   a process per pool slot, registered as 'Elixir.App.PubSub.Adapter' (then …Adapter_2, _3, …), which
 *                 joins the group of the same name in the pg scope 'Elixir.Phoenix.PubSub'
 *     broadcast   {forward_to_local, Topic, Message, Dispatcher} to one member on each other node
 *     direct      the same to the registered name on one node
 *
 * Which process of its pool a BEAM broadcasts to depends on the sender, so a node needs as many as the other nodes' pools
 * have for broadcasting (`broadcast_pool_size`); what it sends itself goes to the first, which all have.
 */
import { wrong } from '../arguments.js'
import { ArgumentError } from '../errors.js'
import { internAtom, type Atom } from '../etf/atom.js'
import type { Pid } from '../etf/identifiers.js'
import { keyOf, type TermKey } from '../etf/keys.js'
import type { Encodable, Term } from '../etf/terms.js'
import { Tuple, tuple } from '../etf/tuple.js'
import type { ProcessGroups } from '../pg/process-groups.js'
import { localTerm } from '../process/copy.js'
import type { Host } from '../process/host.js'
import { Process } from '../process/process.js'
import { answerSystemMessage } from '../process/system-messages.js'

const SCOPE = 'Elixir.Phoenix.PubSub'
const DISPATCHER = internAtom(SCOPE)
const FORWARD_TO_LOCAL = internAtom('forward_to_local')

export interface PubSubOptions {
  /** The largest `broadcast_pool_size` (or else `pool_size`) of the other nodes' PubSub; default 1, as theirs. */
  poolSize?: number
}

export interface PubSubMessage {
  readonly topic: string
  /** The module that would dispatch it on a BEAM: `Elixir.Phoenix.PubSub`, or what the broadcaster named. */
  readonly dispatcher: string
}

export interface BroadcastOptions {
  /** The module that dispatches the message on BEAMs, such as `Elixir.Phoenix.Channel.Server`. */
  dispatcher?: string
}

/** Called with each message of a topic. */
export type PubSubListener = (message: Term, info: PubSubMessage) => void

interface Subscription {
  readonly target: PubSubListener | Process
}

export interface PubSubParts {
  host: Host
  pg: ProcessGroups
  onError(error: unknown, where: string): void
}

/** One PubSub of the cluster, on this node. */
export class PhoenixPubSub {
  /** Its name as Elixir writes it, such as `MyApp.PubSub`. */
  readonly name: string
  readonly #parts: PubSubParts
  readonly #workers: readonly Process[]
  readonly #adapter: Atom
  readonly #topics = new Map<TermKey, Set<Subscription>>()

  /**
   * @internal made by `node.pubSub`
   * @throws NodeError `PROCESS_NAME_TAKEN`; ArgumentError `BAD_OPTION`
   */
  constructor(name: string, parts: PubSubParts, { poolSize = 1 }: PubSubOptions = {}) {
    if (!Number.isInteger(poolSize) || poolSize < 1) {
      throw new ArgumentError('BAD_OPTION', `poolSize is 1 or more, not ${String(poolSize)}`)
    }
    if (typeof name !== 'string') wrong('the name of a PubSub is text', name)
    this.name = name.replace(/^Elixir\./, '')
    this.#parts = parts
    this.#adapter = internAtom(`Elixir.${this.name}.Adapter`)
    const workers: Process[] = []
    for (let slot = 1; slot <= poolSize; slot++) {
      const group = slot === 1 ? this.#adapter : internAtom(`${this.#adapter.name}_${slot}`)
      try {
        const worker: Process = parts.host.spawnHandler(
          { ignoresExits: true, message: (message) => this.#forwarded(message, worker) },
          { name: group },
        )
        workers.push(worker)
        parts.pg.join(SCOPE, group, worker)
      } catch (error) {
        for (const worker of workers) worker.exit()
        throw error
      }
    }
    this.#workers = workers
  }

  /**
   * Gets the messages of a topic until the function that this returns is called: a listener with each, a process in its
   * mailbox, as a BEAM process does, until it ends. Subscribing twice brings each message twice.
   */
  subscribe(topic: string | Uint8Array, target: PubSubListener | Process): () => void {
    const key = keyOf(topic)
    const subscription = { target }
    const subscriptions = this.#topics.get(key)
    if (subscriptions === undefined) this.#topics.set(key, new Set([subscription]))
    else subscriptions.add(subscription)
    const unsubscribe = () => {
      const found = this.#topics.get(key)
      if (found?.delete(subscription) === true && found.size === 0) this.#topics.delete(key)
    }
    if (target instanceof Process) target.signal.addEventListener('abort', unsubscribe, { once: true })
    return unsubscribe
  }

  /** Ends all subscriptions of a listener or process to a topic, as `Phoenix.PubSub.unsubscribe/2`. */
  unsubscribe(topic: string | Uint8Array, target: PubSubListener | Process): void {
    const key = keyOf(topic)
    const subscriptions = this.#topics.get(key)
    for (const subscription of subscriptions ?? []) {
      if (subscription.target === target) subscriptions?.delete(subscription)
    }
    if (subscriptions?.size === 0) this.#topics.delete(key)
  }

  /**
   * To the subscribers of all nodes.
   * @throws EtfError for a message that is no term
   */
  broadcast(topic: string | Uint8Array, message: Encodable, options: BroadcastOptions = {}): void {
    this.#remote(topic, message, options)
    this.#dispatch(topic, message, options)
  }

  /** As {@link broadcast}, but to `from`: a subscriber that is told by itself already. */
  broadcastFrom(
    from: PubSubListener | Process,
    topic: string | Uint8Array,
    message: Encodable,
    options: BroadcastOptions = {},
  ): void {
    this.#remote(topic, message, options)
    this.#dispatch(topic, message, options, from)
  }

  /** To the subscribers of this node. */
  localBroadcast(topic: string | Uint8Array, message: Encodable, options: BroadcastOptions = {}): void {
    this.#dispatch(topic, message, options)
  }

  /** To the subscribers of one other node. */
  directBroadcast(
    node: string | Atom,
    topic: string | Uint8Array,
    message: Encodable,
    options: BroadcastOptions = {},
  ): void {
    const { host } = this.#parts
    const to = { name: this.#adapter, node }
    host.send(this.#sender, to, tuple(FORWARD_TO_LOCAL, topic, message, dispatcherOf(options)))
  }

  /** Nodes that broadcasts of this one reach. */
  nodes(): string[] {
    return this.#others().map((pid) => pid.node.name)
  }

  /** Leaves the cluster's PubSub; subscriptions are gone. */
  stop(): void {
    this.#topics.clear()
    for (const worker of this.#workers) worker.exit(internAtom('shutdown'))
  }

  get #sender(): Pid {
    return (this.#workers[0] as Process).pid
  }

  #others(): Pid[] {
    const { host, pg } = this.#parts
    return pg.getMembers(SCOPE, this.#adapter).filter((pid) => pid.node !== host.name)
  }

  #remote(topic: string | Uint8Array, message: Encodable, options: BroadcastOptions): void {
    const { host, onError } = this.#parts
    const forward = tuple(FORWARD_TO_LOCAL, topic, message, dispatcherOf(options))
    for (const pid of this.#others()) {
      try {
        host.send(this.#sender, pid, forward)
      } catch (error) {
        // One node that cannot be told must not keep the others from it.
        onError(error, `broadcast of ${this.name} to ${pid.node.name}`)
      }
    }
  }

  #forwarded(message: Term, worker: Process): void {
    if (answerSystemMessage(this.#parts.host, worker, 'Elixir.Phoenix.PubSub.PG2Worker', message)) return
    if (!(message instanceof Tuple) || message.size !== 4 || message.elements[0] !== FORWARD_TO_LOCAL) return
    const [, topic, content, dispatcher] = message.elements as readonly [Term, Term, Term, Term]
    if (topic instanceof Uint8Array) this.#dispatch(topic, content, { dispatcher: String(dispatcher) })
  }

  #dispatch(
    topic: string | Uint8Array,
    message: Encodable,
    { dispatcher = SCOPE }: BroadcastOptions,
    except?: PubSubListener | Process,
  ): void {
    const subscriptions = this.#topics.get(keyOf(topic))
    if (subscriptions === undefined) return
    const { host, onError } = this.#parts
    const text = typeof topic === 'string' ? topic : new TextDecoder().decode(topic)
    const term = localTerm(message)
    for (const { target } of [...subscriptions]) {
      if (target === except) continue
      try {
        if (target instanceof Process) host.send(this.#sender, target, term)
        else target(term, { topic: text, dispatcher })
      } catch (error) {
        onError(error, `subscriber of ${this.name} to ${text}`)
      }
    }
  }
}

function dispatcherOf({ dispatcher }: BroadcastOptions): Atom {
  return dispatcher === undefined ? DISPATCHER : internAtom(dispatcher)
}
