/**
 * What the dashboard's page and server say to each other: MessagePack over a WebSocket at `/live`, one message in each
 * binary frame. Runs in browsers: imports nothing of Node's and nothing of the library's but types.
 *
 *     page                                server
 *      │ hello {version, …}         ─────▶  │
 *      │  ◀───── welcome {nodes, history, …}│    everything there is: what was before is void
 *      │  ◀──────── status {what changed}   │    at each poll of a node
 *      │  ◀──────── events                  │    of the timeline
 *      │ watch {id, view}           ─────▶  │
 *      │  ◀───── view {id, what changed}    │    until unwatch; nothing is read of what nobody watches
 *      │ ask, action, control {id}  ─────▶  │
 *      │  ◀──────────────────── reply {id}  │
 *
 * A page that reads slowly gets newer states, not more messages: what changed is told from what it was told last.
 * Changes are deltas (delta.ts); mirror.ts puts them together again.
 *
 * Extension types: 1 atom, 2 pid, 3 tuple, 4 map, 5 charlist, 6 another term as printed, 7 something left out.
 */
import { decode, encode, ExtensionCodec } from '@msgpack/msgpack'
import type { Patch, RowsDelta } from './delta.js'
import type {
  ApplicationSample,
  Children,
  EtsRow,
  LinkSample,
  NodeStatus,
  PortRow,
  ProcessDetail,
  ProcessOrder,
  ProcessTable,
  Sampled,
  SchedulerUse,
  SocketRow,
  TimelineEvent,
} from './samples.js'
import {
  AtomValue,
  CharlistValue,
  CutValue,
  MapValue,
  PidValue,
  PrintedValue,
  TupleValue,
  type TermValue,
} from './term-values.js'

/** Both sides must have the same: a page that was loaded before the server was replaced says so, and is loaded anew. */
export const DASHBOARD_PROTOCOL = 1

/** Path of the WebSocket. */
export const LIVE_PATH = '/live'

/** Close codes of the WebSocket, besides the usual ones (1001 going away, 1009 message too big, …). */
export const CLOSE = {
  /** The cookie is no longer known (the server was started anew): open the printed URL again. */
  unauthorised: 4401,
  /** Another protocol version: load the page again. */
  version: 4426,
  /** A message that is not understood, or no hello in time. */
  badMessage: 4400,
  /** More messages than the limit, or more clients. */
  tooMany: 4429,
} as const

// --- nodes ---

/** A node and where the probe stands with it. */
export interface NodeState extends NodeStatus {
  /**
   * `beam`: a node of OTP's. `beampeer`: the beampeer node that serves this dashboard, of which `sample` has what there
   * is: memory is that of Node.js (`total` resident, `processes` its heap, `binary` outside of the heap), `otpRelease` is
   * empty, `ertsVersion` has the versions of beampeer and Node.js.
   */
  readonly kind: 'beam' | 'beampeer'
}

/** What changed of a node. `patch` leaves out the links, which have a delta of their own by `peer`. */
export interface NodeDelta {
  readonly node: string
  readonly patch?: Patch
  readonly links?: RowsDelta<LinkSample>
  /** It is watched no longer. */
  readonly removed?: true
}

// --- history ---

/** What is kept of each sample: names of columns, in the order in which {@link HistorySlice.columns} may have them. */
export const HISTORY_COLUMNS = [
  'memoryTotal',
  'memoryProcesses',
  'memorySystem',
  'memoryAtom',
  'memoryBinary',
  'memoryCode',
  'memoryEts',
  'reductions',
  'inputBytes',
  'outputBytes',
  'garbageCollections',
  'reclaimedBytes',
  'contextSwitches',
  'cpu',
  'runQueue',
  'processes',
  'ports',
  'atoms',
  'ets',
  'linkQueueBytes',
  'linkReceived',
  'linkSent',
  'roundTripMs',
] as const

/**
 * memory… in bytes; reductions to cpu per second ({@link RateSample}); runQueue to ets counts; linkQueueBytes bytes that
 * wait in all links; linkReceived and linkSent bytes per second of all links; roundTripMs of the poll.
 */
export type HistoryColumn = (typeof HISTORY_COLUMNS)[number]

/** The columns that a welcome has, for sparklines. */
export const SPARK_COLUMNS: readonly HistoryColumn[] = ['cpu', 'memoryTotal', 'runQueue', 'reductions']

/**
 * A node's past, oldest first. All arrays have the same length. A point covers the time up to the next one: finer ones
 * are the latest, a second apart, older ones 10 seconds and a minute, which hold the mean of rates and the maximum of
 * all else. A point of NaN is a gap: the node was down from then on.
 */
export interface HistorySlice {
  readonly node: string
  /** Milliseconds since 1970, float64, little-endian: {@link floats64}. */
  readonly at: Uint8Array
  /** float32, little-endian, for each column that was asked for: {@link floats32}. */
  readonly columns: Partial<Record<HistoryColumn, Uint8Array>>
}

// --- views ---

/** What a page may watch. All numbers and texts have limits; a view that cannot be had comes with an error. */
export type ViewRequest =
  | {
      readonly kind: 'processes'
      readonly node: string
      readonly by: ProcessOrder
      /** Text that pid, name, initial call or current function must contain, in any case; '' for all. */
      readonly filter: string
      /** Rows, 1 to 500. */
      readonly limit: number
    }
  | {
      readonly kind: 'process'
      readonly node: string
      readonly pid: string
      /** The process dictionary, the state by `sys:get_state/2`, the waiting messages: read only when asked for. */
      readonly dictionary: boolean
      readonly state: boolean
      readonly messages: boolean
    }
  /** The children of one supervisor: the tree opens a level at a time. */
  | { readonly kind: 'children'; readonly node: string; readonly supervisor: string }
  | { readonly kind: 'applications'; readonly node: string }
  | { readonly kind: 'ets'; readonly node: string }
  | { readonly kind: 'ports'; readonly node: string }
  | { readonly kind: 'sockets'; readonly node: string }
  /** Scheduler wall time: while this is watched, a system flag is on there for a second of each two. */
  | { readonly kind: 'schedulers'; readonly node: string }

export type ViewKind = ViewRequest['kind']

/** A process, or that there is none (any more). */
export type ProcessView =
  | { readonly alive: false; readonly pid: string }
  | (Omit<
      ProcessDetail,
      'groupLeader' | 'links' | 'monitors' | 'monitoredBy' | 'dictionary' | 'state' | 'messages'
    > & {
      readonly alive: true
      /** Here pids have their nodes. `links` may have ports, `monitors` ports and `{Name, Node}`. */
      readonly groupLeader?: TermValue
      readonly links: readonly TermValue[]
      readonly monitors: readonly TermValue[]
      readonly monitoredBy: readonly TermValue[]
      readonly dictionary?: readonly { readonly key: TermValue; readonly value: TermValue }[]
      /** Or why it cannot be had. */
      readonly state?: { readonly value: TermValue } | { readonly error: string }
      /** None are read of a queue of more than 500: then `messageQueueLen` is all there is to know. */
      readonly messages?: readonly TermValue[]
    })

/** What a view holds, by its kind. */
export interface ViewValues {
  /** `matched`: rows that the filter found among those that were looked at, before `limit`. */
  processes: ProcessTable & { readonly matched: number }
  process: ProcessView
  children: Children
  applications: { readonly rows: readonly ApplicationSample[] }
  ets: Sampled<EtsRow>
  ports: Sampled<PortRow>
  sockets: Sampled<SocketRow>
  schedulers: { readonly schedulers: readonly SchedulerUse[] }
}

/** Views whose rows come as a delta, and the key of a row. */
export const ROW_KEYS = { processes: 'pid', ets: 'id', ports: 'port', sockets: 'id' } as const

/** Time between two readings of a view; of processes no less than the probe's own. A paused one is not read. */
export const VIEW_INTERVAL_MS: Readonly<Record<ViewKind, number>> = {
  processes: 1_000,
  process: 2_000,
  children: 5_000,
  applications: 5_000,
  ets: 5_000,
  ports: 5_000,
  sockets: 5_000,
  schedulers: 2_000,
}

// --- page to server ---

/** Questions that are answered once. */
export type Question =
  | {
      readonly kind: 'history'
      readonly node: string
      readonly columns: readonly HistoryColumn[]
      /** Milliseconds since 1970. */
      readonly from: number
      /** At most so many points, evenly thinned; 1 to 5,000. */
      readonly points: number
    }
  /** Events before the number `before` ({@link Welcome.firstEvent}), oldest first, at most 500. */
  | { readonly kind: 'events'; readonly before: number }

/** What the server does for the page when it allows actions; the page has asked the user first. */
export type Action =
  | {
      readonly kind: 'exit'
      readonly node: string
      readonly pid: string
      readonly reason: 'normal' | 'shutdown' | 'kill'
    }
  /** `erlang:disconnect_node(peer)` on `node`. */
  | { readonly kind: 'disconnect'; readonly node: string; readonly peer: string }

/** For replays. */
export interface Control {
  readonly paused?: boolean
  /** 1 is real time; {@link ReplayState.speeds}. */
  readonly speed?: number
  /** Milliseconds since 1970: goes there. */
  readonly position?: number
}

export type ClientMessage =
  | { readonly type: 'hello'; readonly version: number }
  /** `id` is the page's choice, a whole number; one that is in use is replaced. */
  | { readonly type: 'watch'; readonly id: number; readonly view: ViewRequest }
  | { readonly type: 'unwatch'; readonly id: number }
  | { readonly type: 'pause'; readonly id: number; readonly paused: boolean }
  | { readonly type: 'ask'; readonly id: number; readonly question: Question }
  | { readonly type: 'action'; readonly id: number; readonly action: Action }
  | { readonly type: 'control'; readonly id: number; readonly control: Control }

// --- server to page ---

export interface ErrorInfo {
  /** Of docs/errors.md, such as `PROBE_NODE_DOWN`. */
  readonly code: string
  readonly message: string
}

export interface ReplayState {
  /** Where the replay is, and its first and last moment: milliseconds since 1970. */
  readonly position: number
  readonly from: number
  readonly to: number
  readonly speed: number
  readonly speeds: readonly number[]
  readonly paused: boolean
  /** It stands at its end. */
  readonly ended: boolean
}

export interface RecordingState {
  readonly file: string
  readonly bytes: number
  /** Why it has stopped: the disk is full, the file is at its limit. */
  readonly error?: string
}

export interface Welcome {
  readonly type: 'welcome'
  readonly version: number
  /** Of this server's run: another one means another server. */
  readonly session: string
  readonly beampeerVersion: string
  /** The server's clock, milliseconds since 1970; of a replay, its position. */
  readonly at: number
  /** Between two polls of a node. */
  readonly intervalMs: number
  readonly allowActions: boolean
  readonly nodes: readonly NodeState[]
  /** Each node's last minutes, with {@link SPARK_COLUMNS}. */
  readonly history: readonly HistorySlice[]
  /** The last events, oldest first. */
  readonly events: readonly TimelineEvent[]
  /** Number of the first of them: so many came before. */
  readonly firstEvent: number
  readonly replay?: ReplayState
  readonly recording?: RecordingState
}

export interface HistoryReply {
  readonly history: HistorySlice
}

export interface EventsReply {
  readonly events: readonly TimelineEvent[]
  readonly firstEvent: number
}

/** `result`: of an ask {@link HistoryReply} or {@link EventsReply}, of an action what the node returned, else true. */
export type Reply =
  | {
      readonly type: 'reply'
      readonly id: number
      readonly ok: true
      readonly result: HistoryReply | EventsReply | { readonly returned: TermValue } | true
    }
  | { readonly type: 'reply'; readonly id: number; readonly ok: false; readonly error: ErrorInfo }

/** A delta to the watched view `id`, from nothing at first; with `error`, why the last reading failed: what was stays. */
export interface ViewMessage {
  readonly type: 'view'
  readonly id: number
  readonly patch?: Patch
  readonly rows?: RowsDelta<object>
  readonly error?: ErrorInfo
}

export type ServerMessage =
  | Welcome
  | { readonly type: 'status'; readonly nodes: readonly NodeDelta[] }
  | { readonly type: 'events'; readonly events: readonly TimelineEvent[] }
  | ViewMessage
  | Reply
  | { readonly type: 'replay'; readonly replay: ReplayState }
  | { readonly type: 'recording'; readonly recording: RecordingState }
  /** Sent every {@link ALIVE_MS}, whatever else is: a page that hears nothing for three times that is cut off. */
  | { readonly type: 'alive'; readonly at: number }
  /** The server ends. */
  | { readonly type: 'closing' }

export const ALIVE_MS = 5_000

// --- codec ---

const codec = new ExtensionCodec<undefined>()
const options = { extensionCodec: codec, ignoreUndefined: true }

/** Registers a class whose parts are encoded as an array. */
function extension<T>(
  type: number,
  of: new (...parts: never[]) => T,
  parts: (value: T) => readonly unknown[],
  make: (parts: readonly never[]) => T,
): void {
  codec.register({
    type,
    encode: (value) => (value instanceof of ? encode(parts(value), options) : null),
    decode: (bytes) => make(decode(bytes, options) as readonly never[]),
  })
}

extension(
  1,
  AtomValue,
  ({ name }) => [name],
  ([name]) => new AtomValue(name as string),
)
extension(
  2,
  PidValue,
  ({ text, node }) => [text, node],
  ([text, node]) => new PidValue(text as string, node as string),
)
extension(
  3,
  TupleValue,
  ({ elements }) => elements,
  (elements) => new TupleValue(elements),
)
extension(
  4,
  MapValue,
  ({ entries }) => entries,
  (entries) => new MapValue(entries),
)
extension(
  5,
  CharlistValue,
  ({ text }) => [text],
  ([text]) => new CharlistValue(text as string),
)
extension(
  6,
  PrintedValue,
  ({ text }) => [text],
  ([text]) => new PrintedValue(text as string),
)
extension(
  7,
  CutValue,
  ({ count }) => [count],
  ([count]) => new CutValue(count as number),
)

/** A message's bytes. What is undefined is left out. */
export function encodeMessage(message: ClientMessage | ServerMessage): Uint8Array<ArrayBuffer> {
  return encodeValue(message)
}

/** As {@link encodeMessage}, of any plain data, for recordings. */
export function encodeValue(value: object): Uint8Array<ArrayBuffer> {
  return encode(value, options)
}

/** What bytes say; whether it is a message is for the reader to check. @throws RangeError, Error when they are no MessagePack */
export function decodeMessage(bytes: Uint8Array): unknown {
  return decode(bytes, options)
}

/** Numbers of a {@link HistorySlice} column. */
export function floats32(bytes: Uint8Array): Float32Array {
  // Not `slice`, which is a view where the bytes are a Buffer.
  return new Float32Array(new Uint8Array(bytes).buffer)
}

/** Times of a {@link HistorySlice}. */
export function floats64(bytes: Uint8Array): Float64Array {
  return new Float64Array(new Uint8Array(bytes).buffer)
}
