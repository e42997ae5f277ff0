/**
 * The connection to the server, and what is known from it as signals. It is made again when it is lost, with longer and
 * longer pauses; what was shown stays on the page meanwhile, marked as old.
 */
import { batch, signal, type ReadonlySignal, type Signal } from '@preact/signals'
import { Mirror, type WatchedView } from '../../mirror.js'
import {
  ALIVE_MS,
  CLOSE,
  DASHBOARD_PROTOCOL,
  decodeMessage,
  encodeMessage,
  LIVE_PATH,
  SPARK_COLUMNS,
  type Action,
  type ClientMessage,
  type Control,
  type ErrorInfo,
  type EventsReply,
  type HistoryReply,
  type NodeState,
  type Question,
  type RecordingState,
  type ReplayState,
  type Reply,
  type ServerMessage,
  type ViewKind,
  type ViewRequest,
  type Welcome,
} from '../../protocol.js'
import type { TimelineEvent } from '../../samples.js'
import { Series } from './series.js'

export type Connection =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  /** `retryAt` by the browser's clock. */
  | { readonly state: 'lost'; readonly retryAt: number; readonly closing: boolean }
  | { readonly state: 'unauthorised'; readonly reason: 'missing' | 'expired' }
  /** The server is of another version than this page, which has been loaded anew already. */
  | { readonly state: 'version' }

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 15_000
const LONGEST_FRAME_MS = 250
/** Points of a sparkline. */
const SPARK_POINTS = 120
const RELOADED = 'beampeer.reloaded'

/** An `ask` or `action` that the server refused, or that the connection took along. */
export class RefusedError extends Error {
  constructor(readonly info: ErrorInfo) {
    super(info.message)
  }
}

export const connection = signal<Connection>({ state: 'connecting' })
export const welcome = signal<Welcome | undefined>(undefined)
export const nodes = signal<ReadonlyMap<string, NodeState>>(new Map())
export const events = signal<readonly TimelineEvent[]>([])
export const firstEvent = signal(0)
export const replay = signal<ReplayState | undefined>(undefined)
export const recording = signal<RecordingState | undefined>(undefined)
/** The last minutes of each node. The objects stay; `revision` counts their changes. */
export const sparks = new Map<string, Series>()
export const revision = signal(0)
/** The server's clock at the last second, milliseconds since 1970; in a replay its position. */
export const clock = signal(Date.now())

interface Watch {
  readonly request: ViewRequest
  readonly view: Signal<WatchedView>
  paused: boolean
}

const mirror = new Mirror()
const watches = new Map<number, Watch>()
const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
let socket: WebSocket | undefined
let nextId = 1
let attempt = 0
let retryTimer = 0
let silenceTimer = 0
let flushTimer = 0
/** The server's clock minus the browser's. */
let clockOffset = 0

// --- connecting ---

export function start(): void {
  window.setInterval(tick, 1_000)
  window.addEventListener('online', retryNow)
  void connect()
}

/** Does not wait for the pause to end. */
export function retryNow(): void {
  if (connection.value.state !== 'lost') return
  window.clearTimeout(retryTimer)
  void connect()
}

async function connect(): Promise<void> {
  if (attempt === 0) connection.value = { state: 'connecting' }
  // A browser does not tell why a WebSocket was refused; this does.
  let answer: Response
  try {
    answer = await fetch('./session', { cache: 'no-store' })
  } catch {
    return lost()
  }
  if (answer.status === 401 || answer.status === 403) {
    connection.value = { state: 'unauthorised', reason: mirror.welcome === undefined ? 'missing' : 'expired' }
    return
  }
  if (!answer.ok) return lost()
  const url = new URL(`.${LIVE_PATH}`, window.location.href.split(/[?#]/)[0])
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  const opening = new WebSocket(url)
  opening.binaryType = 'arraybuffer'
  socket = opening
  opening.onopen = () => send({ type: 'hello', version: DASHBOARD_PROTOCOL })
  opening.onmessage = ({ data }) => {
    if (socket === opening) receive(decodeMessage(new Uint8Array(data as ArrayBuffer)) as ServerMessage)
  }
  opening.onclose = ({ code }) => {
    if (socket === opening) closed(code)
  }
  heard()
}

function closed(code: number): void {
  socket = undefined
  window.clearTimeout(silenceTimer)
  for (const { reject } of waiting.values())
    reject(new RefusedError({ code: 'CONNECTION_LOST', message: 'the connection to the server was lost' }))
  waiting.clear()
  if (code === CLOSE.unauthorised) connection.value = { state: 'unauthorised', reason: 'expired' }
  else if (code === CLOSE.version) otherVersion()
  else lost()
}

/** The page is loaded anew, once: a cache that gives the old one again must not make a loop. */
function otherVersion(): void {
  if (window.sessionStorage.getItem(RELOADED) === null) {
    window.sessionStorage.setItem(RELOADED, '1')
    window.location.reload()
  } else connection.value = { state: 'version' }
}

function lost(): void {
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt)
  attempt++
  // Spread, so that many pages do not come back at one moment.
  const delay = pause * (0.75 + Math.random() / 2)
  connection.value = { state: 'lost', retryAt: Date.now() + delay, closing: mirror.closing }
  window.clearTimeout(retryTimer)
  retryTimer = window.setTimeout(() => void connect(), delay)
}

/** The server says something every {@link ALIVE_MS}: a connection on which it does not is dead, whatever TCP thinks. */
function heard(): void {
  window.clearTimeout(silenceTimer)
  const watched = socket
  silenceTimer = window.setTimeout(() => {
    if (watched === undefined || socket !== watched) return
    watched.close()
    closed(1006)
  }, 3 * ALIVE_MS)
}

function send(message: ClientMessage): void {
  if (socket?.readyState === WebSocket.OPEN) socket.send(encodeMessage(message))
}

// --- what comes ---

function receive(message: ServerMessage): void {
  heard()
  mirror.take(message)
  switch (message.type) {
    case 'welcome':
      window.sessionStorage.removeItem(RELOADED)
      attempt = 0
      clockOffset = message.at - Date.now()
      sparks.clear()
      for (const slice of message.history) sparks.set(slice.node, new Series(SPARK_COLUMNS, slice))
      for (const [id, { request, paused }] of watches) sendWatch(id, request, paused)
      connection.value = { state: 'live' }
      break
    case 'alive':
      clockOffset = message.at - Date.now()
      break
    case 'reply':
      settle(message)
      return
    default:
  }
  if (flushTimer === 0) {
    // One drawing for all messages of a moment. Frames are not asked for while the page is hidden or covered: the timer
    // keeps its title, and what a screen reader says, from growing old.
    window.requestAnimationFrame(flush)
    flushTimer = window.setTimeout(flush, LONGEST_FRAME_MS)
  }
}

function settle(reply: Reply): void {
  const asked = waiting.get(reply.id)
  waiting.delete(reply.id)
  if (reply.ok) asked?.resolve(reply.result)
  else asked?.reject(new RefusedError(reply.error))
}

function flush(): void {
  if (flushTimer === 0) return
  window.clearTimeout(flushTimer)
  flushTimer = 0
  batch(() => {
    welcome.value = mirror.welcome
    if (nodes.value !== mirror.nodes) {
      for (const state of mirror.nodes.values()) extendSpark(state)
      nodes.value = mirror.nodes
      revision.value++
    }
    events.value = mirror.events
    firstEvent.value = mirror.firstEvent
    replay.value = mirror.replay
    recording.value = mirror.recording
    for (const [id, watch] of watches) {
      const now = mirror.view(id)
      // After a reconnect the old rows stay until there are new ones.
      if (now !== undefined && (now.value !== undefined || now.error !== undefined))
        watch.view.value = now.value === undefined ? { ...watch.view.value, ...now } : now
    }
    tick()
  })
}

function extendSpark({ node, sample, status, since }: NodeState): void {
  let series = sparks.get(node)
  if (series === undefined) sparks.set(node, (series = new Series(SPARK_COLUMNS)))
  if (sample !== undefined) series.push(sample)
  if (status === 'down') series.gap(since)
  series.trim(-Infinity, SPARK_POINTS)
}

function tick(): void {
  const state = mirror.replay
  clock.value = state === undefined ? Date.now() + clockOffset : state.position
}

// --- asking ---

/** Watches a view until `stop`. Its signal has neither value nor error until the first answer. */
export function watchView(request: ViewRequest): {
  readonly view: ReadonlySignal<WatchedView<ViewKind>>
  pause(paused: boolean): void
  stop(): void
} {
  const id = nextId++
  const watch: Watch = { request, view: signal<WatchedView>({ request } as WatchedView), paused: false }
  watches.set(id, watch)
  if (connection.value.state === 'live') sendWatch(id, request, false)
  return {
    view: watch.view,
    pause: (paused) => {
      if (watch.paused === paused) return
      watch.paused = paused
      send({ type: 'pause', id, paused })
    },
    stop: () => {
      watches.delete(id)
      mirror.unwatch(id)
      send({ type: 'unwatch', id })
    },
  }
}

function sendWatch(id: number, view: ViewRequest, paused: boolean): void {
  mirror.watch(id, view)
  send({ type: 'watch', id, view })
  if (paused) send({ type: 'pause', id, paused })
}

function request(message: (id: number) => ClientMessage): Promise<unknown> {
  return new Promise((resolve, reject) => {
    if (socket?.readyState !== WebSocket.OPEN)
      return reject(
        new RefusedError({ code: 'CONNECTION_LOST', message: 'there is no connection to the server' }),
      )
    const id = nextId++
    waiting.set(id, { resolve, reject })
    send(message(id))
  })
}

/** @throws RefusedError */
export async function askHistory(question: Question & { kind: 'history' }): Promise<HistoryReply['history']> {
  return ((await request((id) => ({ type: 'ask', id, question }))) as HistoryReply).history
}

/** @throws RefusedError */
export async function askEvents(before: number): Promise<EventsReply> {
  return (await request((id) => ({ type: 'ask', id, question: { kind: 'events', before } }))) as EventsReply
}

/** The user has been asked before. @throws RefusedError */
export async function act(action: Action): Promise<void> {
  await request((id) => ({ type: 'action', id, action }))
}

/** @throws RefusedError */
export async function controlReplay(control: Control): Promise<void> {
  await request((id) => ({ type: 'control', id, control }))
}
