/**
 * `serveDashboard(probe, options)`: the dashboard of what a probe watches, of a node and its peers, or of a recording, for
 * browsers. Loopback by default; who opens the printed link is signed in; read-only unless told otherwise.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { isIP, type AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import { VERSION } from '../cli/version.js'
import { BeampeerError } from '../errors.js'
import type { ErlangNode } from '../index.js'
import { DEFAULT_LIMITS, type Limits, type Logger, type Term } from '../index.js'
import { checkAction } from './actions.js'
import { Auth } from './auth.js'
import { DashboardHttp, refuseUpgrade } from './http.js'
import { LiveSource } from './live-source.js'
import { Probe, type ProbeOptions } from './probe.js'
import {
  ALIVE_MS,
  DASHBOARD_PROTOCOL,
  SPARK_COLUMNS,
  type Action,
  type HistoryReply,
  type HistorySlice,
  type Question,
} from './protocol.js'
import { Rate } from './rate.js'
import { Recorder } from './record.js'
import { Replay } from './replay.js'
import { Session } from './session.js'
import type { DashboardSource } from './source.js'
import { StaticFiles } from './static-files.js'
import { Views } from './views.js'

/** What a welcome has of the past. */
const SPARK_MS = 5 * 60_000
const SPARK_POINTS = 100
/** A page that did not answer so many pings is gone. */
const MAX_MISSED_PINGS = 3

export interface DashboardOptions {
  /** Where to listen; default loopback. There is no TLS: elsewhere, put a proxy that has it in front. */
  host?: string
  /** Default any free one. */
  port?: number
  /** Names (besides `localhost`, this host's and IP addresses) under which browsers reach it, as through a proxy. */
  allowedHosts?: readonly string[]
  /** Let pages end processes and disconnect nodes; default false. */
  allowActions?: boolean
  /** Keep what is shown in this file, which must not be there yet. */
  record?: string
  /** With a node: nodes to watch besides its peers. */
  nodes?: readonly string[]
  /** With a node: watch all nodes that it is connected to; default true. */
  followPeers?: boolean
  /** With a node: how others are watched. The cookie is the node's unless it is given here. */
  probe?: Omit<ProbeOptions, 'signal'>
  /** The built page; default the one in the package. */
  pageDirectory?: string
  /** A link was opened: it is void now, and whoever wants another one makes it with {@link Dashboard.newLink}. */
  onSignIn?: () => void
  /** Hears of actions and of what goes wrong; default: of nothing. */
  logger?: Partial<Logger>
  limits?: Partial<Limits>
  /** Closes it. */
  signal?: AbortSignal
}

/**
 * Serves a dashboard until it is closed. A probe or a recording is the caller's to stop; what it starts for a node, it stops.
 * @throws BeampeerError `DASHBOARD_LISTEN_FAILED`, `DASHBOARD_NO_PAGE`, `DASHBOARD_RECORDING_FAILED`
 */
export async function serveDashboard(
  of: Probe | ErlangNode | Replay,
  options: DashboardOptions = {},
): Promise<Dashboard> {
  const directory = options.pageDirectory ?? (await import('./page-directory.mjs')).pageDirectory
  const files = await StaticFiles.read(directory)
  const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits }
  const source = await sourceOf(of, options, limits)
  const dashboard = new Dashboard(source, files, options, limits, of instanceof Replay)
  try {
    await dashboard.listen()
  } catch (error) {
    await dashboard.close()
    throw error
  }
  const { signal } = options
  signal?.addEventListener('abort', () => void dashboard.close(), { once: true })
  if (signal?.aborted === true) await dashboard.close()
  return dashboard
}

async function sourceOf(
  of: Probe | ErlangNode | Replay,
  options: DashboardOptions,
  limits: Limits,
): Promise<DashboardSource> {
  if (of instanceof Replay) return of
  const onError = (error: unknown) =>
    options.logger?.warn?.(`dashboard: ${error instanceof Error ? error.message : String(error)}`)
  if (of instanceof Probe) return new LiveSource({ probe: of, limits, stopProbe: false, onError })
  const probe = await Probe.start(options.nodes ?? [], { cookie: of.getCookie(), ...options.probe })
  return new LiveSource({
    probe,
    limits,
    node: of,
    followPeers: options.followPeers ?? true,
    stopProbe: true,
    onError,
  })
}

export class Dashboard implements AsyncDisposable {
  readonly #source: DashboardSource
  readonly #options: DashboardOptions
  readonly #limits: Limits
  readonly #keepSource: boolean
  readonly #auth: Auth
  readonly #server: Server
  readonly #http: DashboardHttp
  readonly #sockets: WebSocketServer
  readonly #views: Views
  readonly #sessions = new Map<WebSocket, Session>()
  readonly #missedPings = new Map<WebSocket, number>()
  /** Of this run: pages tell one server from another. */
  readonly #run = randomBytes(9).toString('base64url')
  #recorder: Recorder | undefined
  #timer: ReturnType<typeof setInterval> | undefined
  readonly #ends: (() => void)[] = []
  #closing: Promise<void> | undefined

  /** @internal: {@link serveDashboard} makes them. */
  constructor(
    source: DashboardSource,
    files: StaticFiles,
    options: DashboardOptions,
    limits: Limits,
    keepSource: boolean,
  ) {
    this.#source = source
    this.#options = options
    this.#limits = limits
    this.#keepSource = keepSource
    const hosts = [hostname(), options.host ?? '', ...(options.allowedHosts ?? [])]
    this.#auth = new Auth({
      limits,
      hosts: hosts.map((host) => host.toLowerCase()).filter((host) => host !== ''),
    })
    this.#http = new DashboardHttp({
      auth: this.#auth,
      files,
      rate: new Rate(limits.maxDashboardRequestsPerSecond),
      onSignIn: () => options.onSignIn?.(),
      cookieName: () => `beampeer_${this.port}`,
    })
    this.#views = new Views({
      read: (request) => source.view(request),
      minIntervalMs: Math.min(source.intervalMs, 1_000),
      onValue: (request, value) => this.#recorder?.view(request, value),
    })
    this.#server = createServer(
      {
        headersTimeout: limits.dashboardRequestTimeoutMs,
        requestTimeout: limits.dashboardRequestTimeoutMs,
        connectionsCheckingInterval: 1_000,
      },
      (request, response) => this.#http.handle(request, response),
    )
    this.#server.maxConnections = limits.maxDashboardConnections
    this.#sockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: limits.maxDashboardMessageBytes,
    })
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
  }

  /** @internal */
  async listen(): Promise<void> {
    const { host = '127.0.0.1', port = 0, record } = this.#options
    try {
      this.#server.listen({ host, port })
      await once(this.#server, 'listening')
    } catch (cause) {
      throw new BeampeerError(
        'DASHBOARD_LISTEN_FAILED',
        `cannot serve the dashboard on ${host}:${port}: ${(cause as Error).message}`,
        { cause },
      )
    }
    if (record !== undefined)
      this.#recorder = await Recorder.create({
        file: record,
        source: this.#source,
        limits: this.#limits,
        onStopped: (recording) => {
          this.#options.logger?.error?.(
            `dashboard: recording to ${recording.file} has stopped: ${recording.error}`,
          )
          for (const session of this.#sessions.values()) session.recordingChanged(recording)
        },
      })
    this.#ends.push(this.#refreshViews())
    const { replay } = this.#source
    if (replay !== undefined)
      this.#ends.push(
        replay.listen(() => {
          for (const session of this.#sessions.values()) session.replayChanged()
        }),
      )
    this.#timer = setInterval(() => this.#beat(), ALIVE_MS)
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0
  }

  /** Without a token: for browsers that are signed in. */
  get url(): string {
    const { address } = this.#server.address() as AddressInfo
    const anywhere = address === '0.0.0.0' || address === '::'
    const host = this.#options.host ?? address
    const name = anywhere ? hostname() : isIP(host) === 6 ? `[${host}]` : host
    return `http://${name}:${this.port}/`
  }

  /** A link that signs a browser in, once. Each call makes another; the limit maxDashboardTokens may wait to be opened. */
  newLink(path = '/'): string {
    const url = new URL(path, this.url)
    url.searchParams.set('token', this.#auth.newToken())
    return url.href
  }

  /** Pages that are connected. */
  get clients(): number {
    return this.#sessions.size
  }

  /** Says so to the pages, ends all connections and the recording. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer)
    for (const end of this.#ends) end()
    for (const [socket, session] of [...this.#sessions]) {
      session.tell({ type: 'closing' })
      session.close(1001, 'the server ends')
      // Who does not answer the closing is not waited for.
      setImmediate(() => socket.terminate())
    }
    this.#views.close()
    await this.#recorder?.close()
    if (!this.#keepSource) await this.#source.close()
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  // --- pages ---

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#closing !== undefined) return refuseUpgrade(socket, 503)
    const refusal = this.#http.refusal(request)
    if (refusal !== undefined) return refuseUpgrade(socket, refusal)
    if (this.#sessions.size >= this.#limits.maxDashboardClients) return refuseUpgrade(socket, 503)
    this.#sockets.handleUpgrade(request, socket, head, (page) => this.#open(page, request))
  }

  #open(page: WebSocket, request: IncomingMessage): void {
    const from = request.socket.remoteAddress ?? 'unknown'
    const session = new Session(page, {
      source: this.#source,
      views: this.#views,
      limits: this.#limits,
      welcome: () => ({
        type: 'welcome',
        version: DASHBOARD_PROTOCOL,
        session: this.#run,
        beampeerVersion: VERSION,
        intervalMs: this.#source.intervalMs,
        allowActions: this.#allowActions,
        ...(this.#source.replay && { replay: this.#source.replay.state() }),
        ...(this.#recorder && { recording: this.#recorder.state }),
      }),
      act: (action) => this.#act(action, from),
      history: (question) => this.#history(question),
      sparks: () => this.#sparks(),
    })
    this.#sessions.set(page, session)
    page.on('pong', () => this.#missedPings.delete(page))
    page.on('close', () => {
      this.#sessions.delete(page)
      this.#missedPings.delete(page)
    })
  }

  /** What could not be read of a node that was down is read as soon as it is up. */
  #refreshViews(): () => void {
    const { fleet } = this.#source
    const up = new Set<string>()
    return fleet.listen({
      changed: (node) => {
        if (fleet.states.get(node)?.status !== 'up') up.delete(node)
        else if (!up.has(node)) {
          up.add(node)
          this.#views.refresh(node)
        }
      },
      event: () => undefined,
      reset: () => this.#views.refresh(),
    })
  }

  #beat(): void {
    for (const [page, session] of [...this.#sessions]) {
      const missed = this.#missedPings.get(page) ?? 0
      if (missed >= MAX_MISSED_PINGS) {
        page.terminate()
        continue
      }
      this.#missedPings.set(page, missed + 1)
      page.ping()
      session.tell({ type: 'alive', at: this.#source.now() })
      if (this.#recorder !== undefined) session.recordingChanged(this.#recorder.state)
    }
  }

  get #allowActions(): boolean {
    return this.#options.allowActions === true && this.#source.act !== undefined
  }

  /** Each is logged, whether it was done or not. */
  async #act(action: Action, from: string): Promise<Term> {
    const what =
      action.kind === 'exit' ? `exit(${action.pid}, ${action.reason})` : `disconnect_node(${action.peer})`
    const log = (outcome: string) =>
      this.#options.logger?.info?.(
        `dashboard: ${JSON.stringify(what)} on ${JSON.stringify(action.node)}, asked for by ${from}: ${outcome}`,
      )
    try {
      if (!this.#allowActions || this.#source.act === undefined)
        throw new BeampeerError('DASHBOARD_ACTIONS_OFF', 'this dashboard does not allow actions')
      checkAction(action, this.#source.fleet)
      const returned = await this.#source.act(action)
      log('done')
      return returned
    } catch (error) {
      log(`failed: ${error instanceof Error ? error.message : String(error)}`)
      throw error
    }
  }

  #history({ node, columns, from, points }: Question & { kind: 'history' }): HistoryReply {
    const history = this.#source.fleet.history(node)
    if (history === undefined) throw new BeampeerError('DASHBOARD_UNKNOWN_NODE', `${node} is not watched`)
    return { history: history.slice(node, { columns, from, to: this.#source.now(), points }) }
  }

  #sparks(): HistorySlice[] {
    const { fleet } = this.#source
    const to = this.#source.now()
    return [...fleet.states.keys()].flatMap(
      (node) =>
        fleet
          .history(node)
          ?.slice(node, { columns: SPARK_COLUMNS, from: to - SPARK_MS, to, points: SPARK_POINTS }) ?? [],
    )
  }
}
