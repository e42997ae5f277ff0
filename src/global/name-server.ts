/**
 * The name server: the process `global_name_server` of a node (global.erl). Every node has all names of the nodes that it
 * knows; nodes that meet exchange theirs under the lock of both sides (locker.ts), and what is registered later is put
 * into every node under the same lock.
 *
 *     nodeup ─▶ init_connect both ways, acknowledged ─▶ lockers agree ─▶ exchange both ways ─▶ conflicts resolved
 *            ─▶ resolved both ways ─▶ new_nodes to all who were known before ─▶ locks given back
 *     nodedown ─▶ its names and locks go (their processes are down); the loss is told to all, so that the cluster does
 *            not fall into parts that overlap
 */
import { Atom, atom, atomName } from '../etf/atom.js'
import { Pid, type Reference } from '../etf/identifiers.js'
import type { Encodable, Term } from '../etf/terms.js'
import { Tuple } from '../etf/tuple.js'
import { NodeError } from '../errors.js'
import type { ConnectedNode } from '../process/cluster.js'
import { genReply, readGenMessage, type GenFrom } from '../process/gen-reply.js'
import type { Process } from '../process/process.js'
import { answerSystemMessage } from '../process/system-messages.js'
import { KnownNodes } from './known-nodes.js'
import { Locker } from './locker.js'
import { Locks, readLockId } from './locks.js'
import { Meetings } from './meetings.js'
import { Messenger } from './messenger.js'
import { externalOf, Names } from './names.js'
import type { GlobalOptions } from './options.js'
import { Partitions } from './partitions.js'
import { Resolver } from './resolver.js'
import { Syncers } from './syncers.js'
import {
  externalTerm,
  GLOBAL_NAME_SERVER,
  knownTerm,
  readCast,
  readInfo,
  VERSION,
  type Cast,
  type ExternalName,
  type Info,
  type NameEntry,
  type Op,
} from './wire.js'

export class NameServer {
  readonly process: Process
  readonly names: Names
  readonly locks: Locks
  readonly resolver: Resolver
  readonly syncers: Syncers
  readonly #options: GlobalOptions
  readonly #nodes: KnownNodes
  readonly #locker: Locker
  readonly #meetings: Meetings
  readonly #partitions: Partitions
  readonly #unlisten: () => void

  /** @throws NodeError `PROCESS_NAME_TAKEN` */
  constructor(options: GlobalOptions) {
    this.#options = options
    const { host, cluster } = options
    this.process = host.spawnHandler(
      {
        ignoresExits: true,
        message: (message) => this.#message(message),
        down: (ref) => this.#down(ref),
        exited: () => this.#exited(),
      },
      { name: GLOBAL_NAME_SERVER },
    )
    const watch = {
      monitor: (pid: Pid): Reference => this.process.monitor(pid),
      demonitor: (ref: Reference): void => void this.process.demonitor(ref),
    }
    const nodes = new KnownNodes(() => host.name)
    const messenger = new Messenger(options, () => this.process.pid)
    this.#nodes = nodes
    this.names = new Names(watch, options.maxGlobalNames)
    this.locks = new Locks(watch, options.maxGlobalLocks)
    this.syncers = new Syncers({ cluster, isSynced: (node) => nodes.synced.has(node) })
    this.resolver = new Resolver(() => ({
      node: host.name,
      names: this.names,
      call: options.call,
      send: (to, message) => messenger.send(to, to.node, message),
      kill: (pid) => this.process.sendExit(pid, atom('kill')),
      info: options.log.info,
    }))
    this.#locker = new Locker({
      host,
      locks: this.locks,
      random: options.random,
      onError: options.onError,
      lockIsSet: (node, tag, lockId) => this.#meetings.lockIsSet(node, tag, lockId),
    })
    this.#partitions = new Partitions(options, nodes, messenger, (node) => this.#forget(node))
    this.#meetings = new Meetings(options, {
      nodes,
      messenger,
      names: this.names,
      locks: this.locks,
      resolver: this.resolver,
      syncers: this.syncers,
      locker: () => this.#locker,
      doOps: (ops, external, lockId) => this.#doOps(ops, external, lockId),
      nodeDown: (node) => this.#nodeDown({ node, hidden: false }),
      isAlive: () => this.process.alive,
      isShuttingDown: () => this.#partitions.shuttingDown,
    })
    this.#unlisten = cluster.listen({
      nodeUp: (node) => this.#nodeUp(node),
      nodeDown: (node) => this.#nodeDown(node),
    })
    for (const node of cluster.connected()) this.#nodeUp(node)
  }

  /** Nodes that share their names with this one. */
  known(): Atom[] {
    return [...this.#nodes.known.keys()]
  }

  /** From now on losing connections is our own doing, and nobody else's concern. */
  prepareShutdown(): void {
    this.#partitions.shuttingDown = true
  }

  #exited(): void {
    this.#unlisten()
    this.#partitions.end()
    this.#locker.process.exit(atom('shutdown'))
    this.syncers.end()
  }

  // --- connections ---

  #nodeUp({ node, hidden }: ConnectedNode): void {
    if (!hidden && this.#options.connectAll && !this.#partitions.shuttingDown) this.#meetings.meet(node)
  }

  #nodeDown({ node, hidden }: Pick<ConnectedNode, 'node' | 'hidden'>): void {
    if (hidden) return
    this.syncers.gone(node)
    this.#forget(node)
    this.#partitions.down(node)
  }

  #forget(node: Atom): void {
    this.#meetings.forget(node)
    this.#nodes.remove(node)
  }

  // --- what comes in ---

  #message(message: Term): void {
    try {
      if (answerSystemMessage(this.#options.host, this.process, 'global', message)) return
      const read = readGenMessage(message)
      if (read.type === 'call') this.#call(read.from, read.request)
      else if (read.type === 'cast') {
        const cast = readCast(read.request)
        if (cast !== undefined) this.#cast(cast)
      } else {
        const info = readInfo(message)
        if (info !== undefined) this.#info(info)
      }
    } catch (error) {
      // It serves the whole cluster: what one message brings about must not end it.
      this.#options.onError(error, 'global_name_server')
    }
  }

  #call(from: GenFrom, request: Term): void {
    const answer = this.#answer(from, request)
    if (answer !== undefined) genReply(this.#options.host, this.process.pid, from, answer)
  }

  /** Undefined for what is answered later, or not at all, as OTP's does with what it does not know. */
  #answer(from: GenFrom, request: Term): Encodable {
    const [, second, third, fourth, fifth] =
      request instanceof Tuple ? (request.elements as readonly Term[]) : []
    const kind = request instanceof Tuple ? `${request.tag ?? ''}/${request.size}` : atomName(request)
    switch (kind) {
      case 'set_lock/2':
      case 'del_lock/2': {
        const id = readLockId(second)
        if (id === undefined) return undefined
        if (kind === 'set_lock/2') return this.locks.set(id, from.pid)
        this.locks.delete(id, from.pid)
        return true
      }
      case 'register/4':
      case 'register_ext/5': {
        if (!(third instanceof Pid)) return undefined
        const entry = { name: second as Term, pid: third, method: fourth as Term }
        const external = fifth === undefined ? undefined : { name: entry.name, pid: third, node: fifth }
        this.#insert(entry, { pid: from.pid }, external)
        return atom('yes')
      }
      case 'unregister/2':
        this.names.delete(second as Term)
        return atom('ok')
      case 'sync/2':
        if (!Array.isArray(second)) return undefined
        void this.syncers
          .wait(
            (second as readonly Term[]).filter((node) => node instanceof Atom && node !== this.#me) as Atom[],
          )
          .then(() => this.#reply(from, atom('ok')))
        return undefined
      case 'get_known':
        return knownTerm(this.#nodes.list(), 0)
      case 'get_synced':
        return [...this.#nodes.synced]
      case 'get_protocol_version':
        return VERSION
      case 'get_names_ext':
        return this.names.external().map(externalTerm)
      default:
        return undefined
    }
  }

  #reply(from: GenFrom, answer: Encodable): void {
    try {
      if (this.process.alive) genReply(this.#options.host, this.process.pid, from, answer)
    } catch (error) {
      this.#options.onError(error, 'answer of global_name_server', from.pid.node)
    }
  }

  #cast(cast: Cast): void {
    switch (cast.type) {
      case 'initConnect':
        this.#meetings.initConnect(cast)
        return
      case 'lockSet':
        if (cast.tag === undefined || this.#meetings.isMeeting(cast.locker.node, cast.tag))
          this.#locker.push(cast)
        return
      case 'exchange':
        this.#meetings.hisNames(cast.node, cast.names, cast.tag)
        return
      case 'resolved':
        this.#meetings.hisResolved(cast)
        return
      case 'newNodes':
        this.#meetings.newNodes(cast)
        return
      case 'inSync':
        this.#meetings.inSync(cast.node)
        return
      default:
        cast satisfies never
    }
  }

  #info(info: Info): void {
    switch (info.type) {
      case 'initConnectAck':
        this.#meetings.initConnectAck(info.node, info.myTag, info.hisTag)
        return
      case 'cancelConnect':
        this.#meetings.cancelConnect(info.node, info.tag)
        return
      case 'lostConnection':
        this.#partitions.lostConnection(info)
        return
      case 'removeConnection':
        this.#partitions.removeConnection(info.node)
        return
      case 'whereis':
        if (info.from instanceof Tuple) {
          const [pid, tag] = info.from.elements as readonly Term[]
          const found = this.names.get(info.name)?.pid ?? atom('undefined')
          if (pid instanceof Pid && tag !== undefined) this.#reply({ pid, tag }, found)
        }
        return
      default:
        info satisfies never
    }
  }

  #down(ref: Reference): void {
    if (!this.locks.down(ref)) this.names.down(ref)
  }

  // --- names ---

  #doOps(ops: readonly Op[], external: readonly ExternalName[], lockId: Term | undefined): void {
    for (const op of ops) {
      if (op.type === 'insert') this.#insert(op.entry, { lockId }, externalOf(op.entry, external))
    }
    for (const op of ops) if (op.type === 'delete') this.names.delete(op.name)
  }

  /** A name that is put in while the lock it was put in under is gone already goes again: its process may have died. */
  #insert(
    entry: NameEntry,
    by: { pid: Pid } | { lockId: Term | undefined },
    external: ExternalName | undefined,
  ): void {
    if (!this.names.insert(entry, external)) {
      const { maxGlobalNames, onError } = this.#options
      const text = `a name is left out: there are ${maxGlobalNames} (limit maxGlobalNames)`
      onError(new NodeError('GLOBAL_LIMIT', text), 'global_name_server')
      return
    }
    if (!this.locks.guards(by)) this.names.delete(entry.name)
  }

  get #me(): Atom {
    return this.#options.host.name
  }
}
