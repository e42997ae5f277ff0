/** Hooks that join components with the connection. */
import { computed, type ReadonlySignal } from '@preact/signals'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { WatchedView } from '../../mirror.js'
import type {
  ErrorInfo,
  HistoryColumn,
  NodeState,
  ViewKind,
  ViewRequest,
  ViewValues,
} from '../../protocol.js'
import { askHistory, clock, connection, nodes, replay, watchView, welcome } from './live.js'
import { Series } from './series.js'

export interface View<Kind extends ViewKind> {
  /** Undefined until the first answer. */
  readonly value: ViewValues[Kind] | undefined
  readonly error: ErrorInfo | undefined
}

/**
 * Watches a view as long as the component is there. A request that differs by content is another watch; the rows of the
 * one before stay until the new one has some, if they are of the same node.
 */
export function useView<Kind extends ViewKind>(
  request: ViewRequest & { readonly kind: Kind },
  paused = false,
): View<Kind> {
  const key = JSON.stringify(request)
  const watch = useMemo(() => watchView(request), [key])
  const before = useRef<{ of: string; value: ViewValues[Kind] } | undefined>(undefined)
  useEffect(() => watch.stop, [watch])
  useEffect(() => watch.pause(paused), [watch, paused])
  const { value, error } = (watch.view as ReadonlySignal<WatchedView<Kind>>).value
  const of = `${request.node} ${request.kind} ${'pid' in request ? request.pid : ''}`
  if (value !== undefined) before.current = { of, value }
  return { value: value ?? (before.current?.of === of ? before.current.value : undefined), error }
}

/** Most points of a chart. */
const POINTS = 1_200

/**
 * A node's figures of the last `spanMs`, from the server's history and continued. `revision` changes with each point.
 */
export function useHistory(
  node: NodeState,
  columns: readonly HistoryColumn[],
  spanMs: number,
): { readonly series: Series; readonly loading: boolean } {
  const [loaded, setLoaded] = useState<{ key: string; series: Series }>()
  const position = replay.value?.position
  // A jump of a replay to another time is another past.
  const jump = useJumps(position, spanMs)
  const session = welcome.value?.session
  const live = connection.value.state === 'live'
  const key = `${node.node} ${spanMs} ${session} ${jump} ${node.kind}`
  useEffect(() => {
    if (!live) return
    let current = true
    const from = clock.peek() - spanMs
    askHistory({ kind: 'history', node: node.node, columns, from, points: POINTS })
      .then((slice) => {
        if (current) setLoaded({ key, series: new Series(columns, slice) })
      })
      .catch(() => {
        // Without a past it begins now.
        if (current) setLoaded({ key, series: new Series(columns) })
      })
    return () => {
      current = false
    }
  }, [key, live])
  const empty = useMemo(() => new Series(columns), [])
  const series = loaded?.series ?? empty
  if (loaded !== undefined) {
    if (node.sample !== undefined) series.push(node.sample)
    if (node.status === 'down') series.gap(node.since)
    series.trim(clock.value - spanMs, 2 * POINTS)
  }
  return { series, loading: loaded === undefined }
}

/** Counts when the position goes back, or on by more than a replay does in its own time. */
function useJumps(position: number | undefined, spanMs: number): number {
  const last = useRef({ position, count: 0 })
  if (position !== undefined && last.current.position !== undefined) {
    const step = position - last.current.position
    if (step < 0 || step > Math.max(60_000, spanMs / 4)) last.current.count++
  }
  last.current.position = position
  return last.current.count
}

/** How fresh what is shown of a node is. A sample that has not come for three intervals is old. */
export function isStale(node: NodeState): boolean {
  if (connection.value.state !== 'live') return true
  if (node.status !== 'up' || node.sample === undefined) return false
  const intervalMs = welcome.value?.intervalMs ?? 1_000
  return clock.value - node.sample.at > 3 * intervalMs + 2_000
}

/** Draws anew when this node changes, not with each of the others. */
export function useNode(name: string): NodeState | undefined {
  const node = useMemo(() => computed(() => nodes.value.get(name)), [name])
  return node.value
}
