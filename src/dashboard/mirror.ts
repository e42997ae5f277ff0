/** The page's side of the protocol without a page: what the server knows, put together from its messages. Runs in browsers. */
import { apply, applyRows, type Patch, type RowsDelta } from './delta.js'
import {
  ROW_KEYS,
  type ErrorInfo,
  type NodeDelta,
  type NodeState,
  type RecordingState,
  type ReplayState,
  type ServerMessage,
  type ViewMessage,
  type ViewKind,
  type ViewRequest,
  type ViewValues,
  type Welcome,
} from './protocol.js'
import type { LinkSample, TimelineEvent } from './samples.js'

/** Events that a mirror keeps. */
const MAX_EVENTS = 10_000

/** A watched view: its last value, and why the last reading failed. Both are undefined until the first answer. */
export interface WatchedView<Kind extends ViewKind = ViewKind> {
  readonly request: ViewRequest & { readonly kind: Kind }
  readonly value?: ViewValues[Kind]
  readonly error?: ErrorInfo
}

/** Every change makes new objects of what changed and leaves the rest: views can compare by identity. */
export class Mirror {
  #welcome: Welcome | undefined
  #nodes: ReadonlyMap<string, NodeState> = new Map()
  #events: readonly TimelineEvent[] = []
  #firstEvent = 0
  #replay: ReplayState | undefined
  #recording: RecordingState | undefined
  #closing = false
  readonly #views = new Map<number, WatchedView>()

  /** The last one; undefined before the first. */
  get welcome(): Welcome | undefined {
    return this.#welcome
  }

  /** By name, in the order in which the server has them. */
  get nodes(): ReadonlyMap<string, NodeState> {
    return this.#nodes
  }

  /** The timeline, oldest first; {@link firstEvent} is the number of the first. */
  get events(): readonly TimelineEvent[] {
    return this.#events
  }

  get firstEvent(): number {
    return this.#firstEvent
  }

  get replay(): ReplayState | undefined {
    return this.#replay
  }

  get recording(): RecordingState | undefined {
    return this.#recording
  }

  /** The server has said that it ends. */
  get closing(): boolean {
    return this.#closing
  }

  view(id: number): WatchedView | undefined {
    return this.#views.get(id)
  }

  /** To be told of each `watch` that is sent (again, after a reconnect), since deltas then begin from nothing. */
  watch(id: number, request: ViewRequest): void {
    this.#views.set(id, { request } as WatchedView)
  }

  unwatch(id: number): void {
    this.#views.delete(id)
  }

  /** Takes a message in. Replies are for whoever asked: they change nothing here. */
  take(message: ServerMessage): void {
    switch (message.type) {
      case 'welcome':
        this.#welcome = message
        this.#nodes = new Map(message.nodes.map((node) => [node.node, node]))
        this.#events = message.events
        this.#firstEvent = message.firstEvent
        this.#replay = message.replay
        this.#recording = message.recording
        this.#closing = false
        return
      case 'status':
        this.#nodes = changedNodes(this.#nodes, message.nodes)
        return
      case 'events': {
        const all = [...this.#events, ...message.events]
        const dropped = Math.max(0, all.length - MAX_EVENTS)
        this.#events = all.slice(dropped)
        this.#firstEvent += dropped
        return
      }
      case 'view':
        return this.#takeView(message)
      case 'replay':
        this.#replay = message.replay
        return
      case 'recording':
        this.#recording = message.recording
        return
      case 'closing':
        this.#closing = true
        return
      case 'alive':
      case 'reply':
        return
    }
  }

  #takeView({ id, patch, rows, error }: ViewMessage): void {
    const view = this.#views.get(id)
    // One that was watched no longer when the message was on its way.
    if (view === undefined) return
    const { request } = view
    const value = changedView(request.kind, view.value, patch, rows)
    const now = {
      request,
      ...(value === undefined ? {} : { value }),
      ...(error === undefined ? {} : { error }),
    }
    this.#views.set(id, now as WatchedView)
  }
}

/** Nodes after a `status` message. */
export function changedNodes(
  before: ReadonlyMap<string, NodeState>,
  deltas: readonly NodeDelta[],
): ReadonlyMap<string, NodeState> {
  const nodes = new Map(before)
  for (const { node, patch, links, removed } of deltas) {
    if (removed === true) {
      nodes.delete(node)
      continue
    }
    const old = nodes.get(node)
    const state = apply(old, patch ?? {}) as unknown as NodeState
    const { sample } = state
    const linksNow =
      links === undefined
        ? (old?.sample?.links ?? [])
        : applyRows<LinkSample>(old?.sample?.links, links, 'peer')
    nodes.set(node, sample === undefined ? state : { ...state, sample: { ...sample, links: linksNow } })
  }
  return nodes
}

/** A view's value after a message. */
function changedView(
  kind: ViewKind,
  before: ViewValues[ViewKind] | undefined,
  patch: Patch | undefined,
  rows: RowsDelta<object> | undefined,
): ViewValues[ViewKind] | undefined {
  if (patch === undefined && rows === undefined) return before
  const value = apply(before, patch ?? {})
  if (rows === undefined) return value as unknown as ViewValues[ViewKind]
  const key = (ROW_KEYS as Partial<Record<ViewKind, string>>)[kind] ?? 'id'
  const old = (before as { rows?: readonly object[] } | undefined)?.rows
  return { ...value, rows: applyRows(old, rows, key as never) } as unknown as ViewValues[ViewKind]
}
