/** The first processes of a node by memory, reductions or waiting messages; which, the server reads and sorts. */
import { useState } from 'preact/hooks'
import type { NodeState } from '../../protocol.js'
import type { ProcessOrder, ProcessRow, ProcessTable } from '../../samples.js'
import { ErrorNote, FilterField, Loading, PidLink } from '../parts/basics.js'
import { Pause, Play } from '../parts/icons.js'
import { Table, type Column } from '../parts/table.js'
import { bytes, duration, NONE, short, whole } from '../state/format.js'
import { query, setQuery } from '../state/router.js'
import { useView } from '../state/use.js'

const LIMITS = [50, 100, 500]

const ORDERS: readonly ProcessOrder[] = ['memory', 'reductions', 'messageQueueLen']

export function ProcessesView({ node }: { node: NodeState }) {
  const by = ORDERS.find((name) => name === query.value.get('by')) ?? 'memory'
  const filter = query.value.get('filter') ?? ''
  const limit = LIMITS.find((count) => String(count) === query.value.get('limit')) ?? 50
  const [paused, setPaused] = useState(false)
  const { value, error } = useView({ kind: 'processes', node: node.node, by, filter, limit }, paused)
  return (
    <>
      <div class="toolbar">
        <FilterField
          label="Filter by pid, name or function"
          value={filter}
          onInput={(text) => setQuery({ filter: text })}
        />
        <label class="field">
          Rows
          <select value={limit} onChange={(event) => setQuery({ limit: event.currentTarget.value })}>
            {LIMITS.map((count) => (
              <option key={count}>{count}</option>
            ))}
          </select>
        </label>
        <button
          type="button"
          class="button"
          data-pause
          aria-pressed={paused}
          onClick={() => setPaused(!paused)}
        >
          {paused ? <Play /> : <Pause />}
          {paused ? 'Go on' : 'Pause'}
        </button>
      </div>
      <ErrorNote error={error} />
      {value === undefined ? (
        error === undefined ? (
          <Loading what="processes" />
        ) : null
      ) : (
        <section class="panel flush" aria-label="Processes">
          <div class="panel-head">
            <p class="muted" data-sampled>
              {known(value)}
            </p>
            <span class="muted">{filter === '' ? '' : `${whole(value.matched)} match`}</span>
          </div>
          <Table
            caption={`Processes of ${node.node}`}
            columns={columns(node.node)}
            rows={value.rows}
            rowKey={({ pid }) => pid}
            sorted
            sortBy={by}
            descending
            onSort={(key) => setQuery({ by: key })}
            empty={
              filter === ''
                ? 'No process could be read.'
                : 'No process has this in its pid, name or functions.'
            }
          />
        </section>
      )}
    </>
  )
}

/** How much of the truth this is. */
function known({ sampled, total, pidsAgeMs }: ProcessTable): string {
  if (sampled >= total) return `All ${whole(total)} processes looked at`
  const age = pidsAgeMs >= 1_000 ? `; list of pids ${duration(pidsAgeMs)} old` : ''
  return `Sampled ${whole(sampled)} of ${whole(total)} processes${age}`
}

const columns = (node: string): readonly Column<ProcessRow>[] => [
  { key: 'pid', title: 'Pid', width: 'w-m', cell: ({ pid }) => <PidLink node={node} pid={pid} /> },
  {
    key: 'name',
    title: 'Name or initial call',
    cell: ({ registeredName, initialCall }) =>
      registeredName === undefined ? (
        <span class="muted">{initialCall ?? NONE}</span>
      ) : (
        <strong>{registeredName}</strong>
      ),
    hint: ({ registeredName, initialCall }) => registeredName ?? initialCall,
  },
  {
    key: 'currentFunction',
    title: 'Current function',
    wideOnly: true,
    cell: ({ currentFunction }) => <code>{currentFunction ?? NONE}</code>,
    hint: ({ currentFunction }) => currentFunction,
  },
  {
    key: 'memory',
    title: 'Memory',
    width: 'w-m',
    numeric: true,
    sort: ({ memory }) => memory,
    cell: ({ memory }) => bytes(memory),
  },
  {
    key: 'reductions',
    title: 'Red./s',
    width: 'w-s',
    numeric: true,
    sort: ({ reductions }) => reductions,
    cell: ({ reductionsRate }) => short(reductionsRate),
  },
  {
    key: 'messageQueueLen',
    title: 'Queue',
    width: 'w-s',
    numeric: true,
    sort: ({ messageQueueLen }) => messageQueueLen,
    cell: ({ messageQueueLen }) =>
      messageQueueLen > 1_000 ? (
        <strong class="is-warn">{whole(messageQueueLen)}</strong>
      ) : (
        whole(messageQueueLen)
      ),
  },
]
