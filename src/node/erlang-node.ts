/** A Node.js process as an Erlang node: the public class, composed of the layers below. */
import '../etf/node.js'
import { NodeError } from '../errors.js'
import type { Atom } from '../etf/atom.js'
import type { Pid, Reference } from '../etf/identifiers.js'
import type { Encodable } from '../etf/terms.js'
import { Gen } from '../gen/gen.js'
import { GlobalNames } from '../global/global-names.js'
import { AllowedNodes } from '../kernel/allowed-nodes.js'
import { CookieJar } from '../kernel/cookies.js'
import type { KeepConnectedOptions, KeptConnection } from '../kernel/keep-connected.js'
import { Kernel, type Logger, type NodeInfo, type NodesType } from '../kernel/kernel.js'
import { domainOf } from '../kernel/node-name.js'
import type { MonitorNodesOptions, NodeSubscription } from '../kernel/node-monitor.js'
import { systemClock } from '../net/clock.js'
import { randomChallenge } from '../net/md5.js'
import type { Transport } from '../net/transport.js'
import { ProcessGroups } from '../pg/process-groups.js'
import { PhoenixPubSub, type PubSubOptions } from '../phoenix/pub-sub.js'
import type { Destination, SpawnOptions } from '../process/host.js'
import type { Process } from '../process/process.js'
import { Calls, toAtom, type CallOptions } from '../rex/calls.js'
import { Erpc } from '../rex/erpc.js'
import { ExposedTable, type ExposedEntry, type ExposeOptions, type Fallback } from '../rex/exposed.js'
import { RemoteNode } from '../rex/remote-node.js'
import { RunningCalls } from '../rex/running-calls.js'
import { startRex } from '../rex/rex-server.js'
import { Rpc } from '../rex/rpc.js'
import { startSpawnServer } from '../rex/spawn-server.js'
import { exposeStandardFunctions } from '../rex/standard.js'
import { guardBridging } from './bridge-guard.js'
import { checkCookie, usualCookie } from './cookie-file.js'
import { ClusterView } from './cluster-view.js'
import { exposeGlobal } from './global-functions.js'
import { Distribution } from './distribution.js'
import { exposeFile, type ExposedModule } from './expose-file.js'
import { nodeFacts } from './facts.js'
import { NetKernel } from './net-kernel.js'
import { PeerReleases } from './peer-releases.js'
import { checkOptions, type CheckedOptions, type NodeOptions } from './options.js'

type NodeNameLike = string | Atom

export class ErlangNode implements AsyncDisposable {
  /** Calls in the words of OTP's `rpc`: failures are `BadRpcError`s. */
  readonly rpc: Rpc
  /** Calls in the words of `erpc`: failures are `RemoteError`s (the function's) and `ErpcError`s (the call's). */
  readonly erpc: Erpc
  /** The functions of OTP's `net_kernel` that are not methods here. */
  readonly netKernel: NetKernel
  /** OTP's `pg`: process groups that span the cluster. */
  readonly pg: ProcessGroups
  /** Generic servers: calls to those of any node, and starting own ones. */
  readonly gen: Gen
  readonly #options: CheckedOptions
  readonly #cookies: CookieJar
  readonly #kernel: Kernel
  readonly #distribution: Distribution
  readonly #exposed: ExposedTable
  readonly #calls: Calls
  readonly #running = new RunningCalls()
  /** The process that sends what the program itself sends. */
  readonly #main: Process
  readonly #makeGlobal: () => GlobalNames
  #global: GlobalNames | undefined
  #stopped: Promise<void> | undefined

  /**
   * Starts a node: listens, registers with EPMD, and answers.
   * @param name `alive@host`; without a host the machine's short name; undefined for a dynamic name, which the first
   *   peer gives (such a node is hidden, does not listen, and loses its name with that connection)
   * @throws ArgumentError `BAD_NODE_NAME`, `BAD_OPTION`; CookieError; EpmdError; NodeError `NODE_LISTEN_FAILED`
   */
  static async start(name: string | undefined, options: NodeOptions = {}): Promise<ErlangNode> {
    const checked = checkOptions(name, options)
    const cookie = await findCookie(options, checked)
    const cookies = new CookieJar(cookie)
    for (const [peer, given] of Object.entries(options.cookies ?? {})) {
      if (typeof given === 'string') cookies.setFor(peer, given)
      else cookies.setFor(peer, given.out, given.in)
    }
    // Connections that come in while the node is being put together wait: BEAMs may know its port already.
    const early: Transport[] = []
    let take = (transport: Transport): void => void early.push(transport)
    const distribution = await Distribution.start(checked, (transport) => take(transport))
    const node = new ErlangNode(checked, options, cookies, distribution)
    take = (transport) => node.#kernel.peers.incoming(transport)
    for (const transport of early.splice(0)) take(transport)
    return node
  }

  private constructor(
    checked: CheckedOptions,
    options: NodeOptions,
    cookies: CookieJar,
    distribution: Distribution,
  ) {
    this.#options = checked
    this.#cookies = cookies
    this.#distribution = distribution
    const allowed = new AllowedNodes(options.allow)
    const { output, input } = options
    this.#kernel = new Kernel({
      name: checked.name?.full,
      creation: distribution.creation,
      limits: checked.limits,
      cookies,
      logger: checked.logger,
      random32: randomChallenge,
      groupLeader: {
        write: output ?? ((text) => void process.stdout.write(text)),
        ...(input === undefined ? {} : { readLine: input }),
      },
      allowed,
      autoConnect: checked.distAutoConnect,
      longNames: (checked.name?.domain ?? domainOf(checked.host)) === 'longnames',
      netTicktimeMs: checked.netTicktimeMs,
      netTickintensity: checked.netTickintensity,
      setLinkTicktime: (netTicktimeMs) => distribution.setTicktime(netTicktimeMs),
      dial: (peer, signal) => distribution.dial(peer, signal),
      open: (transport, peer, peerCookies, handlers) => {
        const { name, creation } = this.#kernel.table
        const thisName = name.name === 'nonode@nohost' ? undefined : name.name
        return distribution.open(transport, peer, peerCookies, thisName, creation, handlers)
      },
      accept: (transport, handlers) => distribution.accept(transport, this.name, handlers),
    })
    this.netKernel = new NetKernel(this.#kernel, allowed)
    const { table, io } = this.#kernel
    const makeGroupLeader = (write: (text: string) => void) => this.#kernel.makeGroupLeader(write)
    this.#exposed = new ExposedTable(checked.limits)
    if (options.standardFunctions !== false)
      exposeStandardFunctions(this.#exposed, nodeFacts(this.#kernel, checked.limits))
    const { log } = this.#kernel
    const onError = (error: unknown, where: string, peer?: Atom) =>
      log.error(peer?.name ?? where, `${where}: ${error instanceof Error ? error.message : String(error)}`)
    const server = { host: table, table: this.#exposed, io, running: this.#running, onError }
    startSpawnServer(server)
    startRex({ ...server, makeGroupLeader, maxQueuedCalls: checked.limits.maxQueuedCalls })
    this.#calls = new Calls(table, {
      makeGroupLeader,
      connectionError: (peer) => this.#kernel.connectionError(peer),
      maxItems: checked.limits.maxMailboxMessages,
    })
    this.rpc = new Rpc(this.#calls, () => [
      this.name,
      ...this.nodes(checked.hidden ? 'connected' : 'visible'),
    ])
    this.erpc = new Erpc(this.#calls)
    const releases = new PeerReleases(this.#kernel, this.erpc, checked.limits)
    this.gen = new Gen(table, {
      connectionError: (peer) => this.#kernel.connectionError(peer),
      otpRelease: (peer) => releases.of(peer),
    })
    const cluster = new ClusterView(this.#kernel, checked.hidden)
    this.pg = new ProcessGroups({
      host: table,
      cluster,
      maxGroupMembers: checked.limits.maxGroupMembers,
      discoverMinMs: checked.limits.pgDiscoverMinMs,
      discoverMaxMs: checked.limits.pgDiscoverMaxMs,
      onError,
    })
    this.#makeGlobal = () =>
      new GlobalNames({
        host: table,
        cluster,
        connectAll: options.connectAll ?? true,
        preventOverlappingPartitions: options.preventOverlappingPartitions ?? true,
        maxGlobalNames: checked.limits.maxGlobalNames,
        maxGlobalLocks: checked.limits.maxGlobalLocks,
        maxLostConnections: checked.limits.maxLostConnections,
        call: (peer, module, name, args) => this.rpc.call(peer, module, name, args),
        random: Math.random,
        now: systemClock.now,
        lossDelayMs: checked.limits.globalLossDelayMs,
        log: { info: checked.logger.info, warn: (text) => log.warn('global', text) },
        onError,
      })
    exposeGlobal(
      this.#exposed,
      () => this.#global,
      () => this.global,
    )
    // BEAMs meet a visible node's name server as soon as they are connected; a hidden node's has nobody to meet.
    if (!checked.hidden) {
      this.#global = this.#makeGlobal()
      guardBridging({
        cluster,
        flagsOf: (peer) => this.#kernel.peers.get(peer)?.link.peerFlags,
        releaseOf: (peer) => releases.of(peer),
        warn: (text) => log.warn('bridging', text),
      })
    }
    this.#main = table.spawnHandler({ ignoresExits: true, message: () => {} })
  }

  /** `node/0`: `nonode@nohost` while the node has no name. */
  get name(): string {
    return this.#kernel.table.name.name
  }

  /** The incarnation of this name, given by EPMD. */
  get creation(): number {
    return this.#kernel.table.creation
  }

  /** The distribution port; undefined for a node without a name. */
  get port(): number | undefined {
    return this.#distribution.port
  }

  get hidden(): boolean {
    return this.#options.hidden
  }

  get logger(): Logger {
    return this.#options.logger
  }

  /**
   * OTP's `global`: names and locks of the whole cluster. A visible node shares them with all visible nodes; the names of
   * a hidden one are its own.
   */
  get global(): GlobalNames {
    this.#assertRunning()
    return (this.#global ??= this.#makeGlobal())
  }

  // --- functions for others ---

  /**
   * Makes the functions of an object callable from other nodes as module `name`; a module of that name is replaced whole,
   * while calls that run in it end where they began. See docs/calling-node.md.
   * @throws ArgumentError `BAD_ARGUMENT`, `BAD_OPTION`
   */
  expose(name: string, functions: object, options?: ExposeOptions): void {
    this.#exposed.expose(name, functions, options)
  }

  /**
   * Makes the functions that a JavaScript file exports callable as module `name`. `reload` of the handle reads the file
   * anew and replaces them.
   * @throws ArgumentError `BAD_OPTION` for a file that cannot be loaded or exports no function
   */
  exposeModule(name: string, file: string | URL, options?: ExposeOptions): Promise<ExposedModule> {
    return exposeFile(this.#exposed, name, file, options)
  }

  /** Sets, or with undefined removes, what answers calls of functions that are not exposed. */
  exposeFallback(fallback: Fallback | undefined): void {
    this.#exposed.setFallback(fallback)
  }

  /** @returns whether the module was exposed */
  unexpose(name: string): boolean {
    return this.#exposed.unexpose(name)
  }

  /** What other nodes can call, but for the standard functions. */
  exposed(): ExposedEntry[] {
    return this.#exposed.list()
  }

  /** A handle of another node: its functions as methods, batches, streams. `options` are the defaults of its calls. */
  at(node: NodeNameLike, options?: CallOptions): RemoteNode {
    return new RemoteNode(node, { calls: this.#calls, rpc: this.rpc, erpc: this.erpc }, options)
  }

  // --- connections ---

  /**
   * `net_kernel:connect_node/1`.
   * @returns whether there is a connection now; {@link dial} tells why not
   * @throws ArgumentError `BAD_ARGUMENT` for what is neither a string nor an atom
   */
  async connect(node: NodeNameLike): Promise<boolean> {
    const name = toAtom(node)
    try {
      await this.dial(name)
      return true
    } catch {
      return false
    }
  }

  /**
   * Connects, with the reason when it cannot.
   * @throws EpmdError, HandshakeError, NodeError, ArgumentError
   */
  async dial(node: NodeNameLike): Promise<void> {
    const name = toAtom(node)
    if (name.name === this.name) return
    await this.#kernel.peers.connect(name)
  }

  /** `erlang:disconnect_node/1`. @returns whether there was a connection */
  disconnect(node: NodeNameLike): boolean {
    return this.#kernel.peers.disconnect(toAtom(node))
  }

  /** `net_adm:ping/1`; of a node that is stopped `pang`. */
  async ping(node: NodeNameLike, options: { signal?: AbortSignal } = {}): Promise<'pong' | 'pang'> {
    const name = toAtom(node)
    if (this.#stopped !== undefined) return 'pang'
    return (await this.#kernel.ping(name, options)) ? 'pong' : 'pang'
  }

  /** `nodes/1`; by default the visible ones, as `nodes/0`. */
  nodes(types?: NodesType | readonly NodesType[]): string[] {
    return this.#kernel.nodes(types)
  }

  /** `nodes/2`: with type, connection id and creation of each. */
  nodesInfo(types?: NodesType | readonly NodesType[]): NodeInfo[] {
    return this.#kernel.nodesInfo(types)
  }

  /** `is_alive/0`: false while the node has no name, and once it is stopped. */
  isAlive(): boolean {
    return this.#stopped === undefined && this.#kernel.isAlive
  }

  /**
   * Keeps a peer connected: dials it now and whenever it is down, with back-off and jitter, until `stop` of what this
   * returns, or of the node.
   */
  keepConnected(node: NodeNameLike, options?: KeepConnectedOptions): KeptConnection {
    this.#assertRunning()
    return this.#kernel.keepConnected(toAtom(node), options)
  }

  /** Nodeup and nodedown as an async iterable (`net_kernel:monitor_nodes/2`); it ends when the node is stopped. */
  monitorNodes(options?: MonitorNodesOptions): NodeSubscription {
    const subscription = this.#kernel.monitorNodes(options)
    if (this.#stopped !== undefined) subscription.end()
    return subscription
  }

  /** Why the last attempt to connect to `node` failed; undefined when there was none, or a later one succeeded. */
  connectionError(node: NodeNameLike): Error | undefined {
    return this.#kernel.connectionError(toAtom(node))
  }

  /** Names registered in an EPMD: this host's, or `host`'s. */
  async names(host?: string): Promise<{ name: string; port: number }[]> {
    if (this.#distribution.epmd === undefined)
      throw new NodeError('NODE_NO_EPMD', "this node uses no EPMD (epmd: 'none')")
    return this.#distribution.epmd.names(host)
  }

  /** `erlang:set_cookie/1,2`: for connections made from now on, to all nodes or to one. */
  setCookie(cookie: string, node?: NodeNameLike): void {
    checkCookie(cookie, 'setCookie')
    if (node === undefined) this.#cookies.set(cookie)
    else this.#cookies.setFor(String(node), cookie)
  }

  /** `erlang:get_cookie/0,1`: what this node shows `node`, or nodes without a cookie of their own. */
  getCookie(node?: NodeNameLike): string {
    return node === undefined ? this.#cookies.get() : this.#cookies.for(String(node)).outCookie
  }

  // --- processes ---

  /** A process that runs `body`; it ends `normal` when the promise is fulfilled, with an error when it throws. */
  spawn(body: (self: Process) => unknown, options?: SpawnOptions): Process {
    this.#assertRunning()
    return this.#kernel.table.spawn(body, options)
  }

  /** @throws NodeError `PROCESS_NAME_TAKEN`, `PROCESS_NOT_ALIVE` */
  register(name: string | Atom, process: Process | Pid): void {
    this.#kernel.table.register(name, process)
  }

  unregister(name: string | Atom): boolean {
    return this.#kernel.table.unregister(name)
  }

  whereis(name: string | Atom): Pid | undefined {
    return this.#kernel.table.whereis(name)
  }

  registered(): string[] {
    return this.#kernel.table.registered().map((name) => name.name)
  }

  /**
   * Sends a message to a pid, a registered name, a name on another node, or an alias. Never waits. Binaries of 32 KiB and
   * more are not copied on their way to another node: do not write to their memory any more.
   * @returns false when the connection's queue is over the busy limit: see {@link writable}
   * @throws NodeError `PROCESS_NAME_UNKNOWN` for a local name; EtfError for what cannot be sent
   */
  send(to: Destination, message: Encodable): boolean {
    this.#assertRunning()
    return this.#kernel.table.send(this.#main.pid, to, message)
  }

  /** Resolves when the queue to `node` is below the busy limit, or there is no connection to it. */
  writable(node: NodeNameLike): Promise<void> {
    return this.#kernel.peers.writable(toAtom(node))
  }

  /**
   * Joins a Phoenix.PubSub of the cluster, such as `MyApp.PubSub`. See docs/phoenix.md.
   * @throws NodeError `PROCESS_NAME_TAKEN` when this node is in it already; ArgumentError `BAD_OPTION`
   */
  pubSub(name: string, options?: PubSubOptions): PhoenixPubSub {
    this.#assertRunning()
    const onError = (error: unknown, where: string) =>
      this.#kernel.log.error(where, `${where}: ${String(error)}`)
    return new PhoenixPubSub(name, { host: this.#kernel.table, pg: this.pg, onError }, options)
  }

  makeReference(): Reference {
    return this.#kernel.table.makeReference()
  }

  // --- the end ---

  /**
   * Ends the node: to others it goes down. With `drainMs`, calls that run here get that long to end, and
   * what is queued to leave.
   * Calling it again waits for the same end.
   */
  stop(options: { drainMs?: number } = {}): Promise<void> {
    this.#stopped ??= this.#stop(options.drainMs ?? 0)
    return this.#stopped
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop(drainMs: number): Promise<void> {
    if (drainMs > 0) {
      let timer: ReturnType<typeof setTimeout> | undefined
      const timeUp = new Promise<void>((resolve) => (timer = setTimeout(resolve, drainMs)))
      await Promise.race([this.#running.idle().then(() => this.#kernel.peers.drained()), timeUp])
      clearTimeout(timer)
    }
    this.#global?.prepareShutdown()
    this.#kernel.stop()
    await this.#distribution.stop()
  }

  #assertRunning(): void {
    if (this.#stopped !== undefined) throw new NodeError('NODE_STOPPED', `${this.name} is stopped`)
  }
}

function findCookie(options: NodeOptions, checked: CheckedOptions): Promise<string> | string {
  if (options.cookie !== undefined) return checkCookie(options.cookie, 'option cookie')
  const fromEnvironment = process.env['BEAMPEER_COOKIE']
  if (fromEnvironment !== undefined) return checkCookie(fromEnvironment, 'BEAMPEER_COOKIE')
  return usualCookie({ create: options.createCookie ?? checked.name !== undefined })
}
