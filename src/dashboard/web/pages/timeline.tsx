/** What came up and went down, with reasons. */
import { useSignal } from '@preact/signals'
import { useMemo, useState } from 'preact/hooks'
import type { TimelineEvent } from '../../samples.js'
import { Empty, FilterField, NodeLink, Segments, Status, type Health } from '../parts/basics.js'
import { day, duration, timeOfDay } from '../state/format.js'
import { askEvents, clock, events, firstEvent, nodes, welcome } from '../state/live.js'
import { query, setQuery } from '../state/router.js'

const KINDS = [
  { value: 'all', label: 'All' },
  { value: 'node', label: 'Nodes' },
  { value: 'link', label: 'Links' },
] as const

/** Most rows in the document. */
const SHOWN = 300

export function TimelinePage() {
  const filter = useSignal(query.value.get('filter') ?? '')
  const kind = KINDS.find(({ value }) => value === query.value.get('kind'))?.value ?? 'all'
  const { all, rest, more, loading } = useAllEvents()
  const [shown, setShown] = useState(SHOWN)
  const sought = filter.value.toLowerCase()
  const found = all.filter(
    ({ type, node, peer = '', reason = '' }) =>
      (kind === 'all' || type.startsWith(kind)) && `${node} ${peer} ${reason}`.toLowerCase().includes(sought),
  )
  const rows = found.slice(-shown).reverse()
  return (
    <>
      <div class="page-head">
        <div>
          <h1 tabindex={-1}>Timeline</h1>
          <p>Nodes and links that came up and went down, newest first.</p>
        </div>
        <div class="toolbar">
          <FilterField
            label="Filter by node or reason"
            value={filter.value}
            onInput={(text) => {
              filter.value = text
              setQuery({ filter: text })
            }}
          />
          <Segments
            label="Events"
            value={kind}
            options={KINDS}
            onChange={(value) => setQuery({ kind: value === 'all' ? undefined : value })}
          />
        </div>
      </div>
      <Lanes all={all} />
      <section class="panel flush" aria-label="Events">
        {rows.length === 0 ? (
          <Empty title={all.length === 0 ? 'Nothing has happened yet' : 'Nothing matches the filter'} />
        ) : (
          <ol class="events">
            {rows.map((event, at) => {
              const before = rows[at - 1]
              const date = day(event.at)
              return (
                <>
                  {before === undefined || day(before.at) !== date ? (
                    <li key={`day ${date}`} class="day">
                      {date}
                    </li>
                  ) : null}
                  <Row key={`${event.at} ${event.type} ${event.node} ${event.peer ?? ''}`} event={event} />
                </>
              )
            })}
          </ol>
        )}
      </section>
      {found.length > shown ? (
        <button type="button" class="button" onClick={() => setShown(shown + SHOWN)}>
          Show older
        </button>
      ) : rest > 0 ? (
        <button type="button" class="button" disabled={loading} onClick={more}>
          Read older events ({rest})
        </button>
      ) : null}
    </>
  )
}

/** The events of the connection, and older ones that were asked for. */
function useAllEvents() {
  const session = welcome.value?.session
  const [older, setOlder] = useState<{
    session: string | undefined
    first: number
    events: readonly TimelineEvent[]
  }>()
  const [loading, setLoading] = useState(false)
  const known = older !== undefined && older.session === session ? older : undefined
  const rest = known?.first ?? firstEvent.value
  const all = known === undefined ? events.value : [...known.events, ...events.value]
  const more = () => {
    setLoading(true)
    askEvents(rest)
      .then(({ events: found, firstEvent: first }) =>
        setOlder({ session, first, events: [...found, ...(known?.events ?? [])] }),
      )
      .catch(() => undefined)
      .finally(() => setLoading(false))
  }
  return { all, rest, more, loading }
}

const WORDS: Readonly<Record<TimelineEvent['type'], { readonly word: string; readonly health: Health }>> = {
  nodeup: { word: 'node up', health: 'ok' },
  nodedown: { word: 'node down', health: 'bad' },
  linkup: { word: 'link up', health: 'ok' },
  linkdown: { word: 'link down', health: 'warn' },
}

function Row({ event }: { event: TimelineEvent }) {
  const { word, health } = WORDS[event.type]
  return (
    <li class="event" data-event={event.type}>
      <time dateTime={new Date(event.at).toISOString()}>{timeOfDay(event.at)}</time>
      <Status health={health}>{word}</Status>
      <p>
        <NodeLink name={event.node} />
        {event.peer === undefined ? null : (
          <>
            {event.type === 'linkup' ? ' to ' : ' from '}
            <NodeLink name={event.peer} />
          </>
        )}
        {event.reason === undefined ? null : <span class="muted"> · {event.reason}</span>}
      </p>
    </li>
  )
}

interface Stretch {
  readonly from: number
  readonly to: number
  readonly up: boolean
}

const WIDTH = 1_000

/** When each node was up. */
function Lanes({ all }: { all: readonly TimelineEvent[] }) {
  const now = clock.value
  const first = all[0]?.at
  const lanes = useMemo(() => stretches(all), [all])
  if (first === undefined || nodes.value.size === 0) return null
  const from = Math.min(first, now - 60_000)
  const x = (at: number) => ((at - from) / Math.max(1, now - from)) * WIDTH
  return (
    <section class="panel" aria-labelledby="availability">
      <div class="panel-head">
        <h2 id="availability">Availability</h2>
        <span class="muted">last {duration(now - from)}</span>
      </div>
      <div class="lanes">
        {[...nodes.value.keys()].map((name) => {
          const lane = lanes.get(name) ?? []
          const downMs = lane
            .filter(({ up }) => !up)
            .reduce((sum, { from: start, to }) => sum + Math.min(to, now) - start, 0)
          return (
            <>
              <span class="cut" key={`n${name}`}>
                <NodeLink name={name} />
              </span>
              <svg
                key={`l${name}`}
                class="lane"
                viewBox={`0 0 ${WIDTH} 10`}
                preserveAspectRatio="none"
                role="img"
                aria-label={`${name}: down for ${duration(downMs)}`}
              >
                <rect class="unknown" width={WIDTH} y={4} height={2} />
                {lane.map(({ from: start, to, up }) => (
                  <rect
                    key={start}
                    class={up ? 'up' : 'down'}
                    x={x(start)}
                    y={up ? 0 : 3}
                    width={Math.max(2, x(Math.min(to, now)) - x(start))}
                    height={up ? 10 : 4}
                  />
                ))}
              </svg>
            </>
          )
        })}
        <p class="lane-ends">
          <span>{timeOfDay(from)}</span>
          <span>{timeOfDay(now)}</span>
        </p>
      </div>
    </section>
  )
}

/** Between a node's events it is what the last one said. */
function stretches(all: readonly TimelineEvent[]): ReadonlyMap<string, readonly Stretch[]> {
  const lanes = new Map<string, Stretch[]>()
  for (const { type, node, at } of all) {
    if (type !== 'nodeup' && type !== 'nodedown') continue
    const lane = lanes.get(node) ?? []
    const last = lane.at(-1)
    if (last !== undefined) lane[lane.length - 1] = { ...last, to: at }
    lane.push({ from: at, to: Infinity, up: type === 'nodeup' })
    lanes.set(node, lane)
  }
  return lanes
}
