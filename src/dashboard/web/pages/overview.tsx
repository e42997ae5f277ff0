/** A node's figures over time, its limits and its links. */
import { useState } from 'preact/hooks'
import type { NodeState } from '../../protocol.js'
import type { LinkSample } from '../../samples.js'
import { ErrorNote, Loading, Meter, NodeLink, Segments } from '../parts/basics.js'
import { Chart } from '../parts/chart.js'
import { askFor } from '../parts/dialogs.js'
import { Table, useOrder, type Column } from '../parts/table.js'
import { bytes, bytesRate, NONE, percent, short, whole } from '../state/format.js'
import { clock, connection, welcome } from '../state/live.js'
import { query, setQuery } from '../state/router.js'
import { ALL_COLUMNS } from '../state/series.js'
import { useHistory, useView } from '../state/use.js'

const SPANS = [
  { value: '2m', label: '2 min', ms: 120_000 },
  { value: '15m', label: '15 min', ms: 900_000 },
  { value: '2h', label: '2 h', ms: 7_200_000 },
  { value: '24h', label: '24 h', ms: 86_400_000 },
] as const

export function Overview({ node }: { node: NodeState }) {
  const { sample } = node
  const span = SPANS.find(({ value }) => value === query.value.get('span')) ?? SPANS[0]
  const { series, loading } = useHistory(node, ALL_COLUMNS, span.ms)
  if (sample === undefined) return <Loading what="the first figures" />
  const column = (name: (typeof ALL_COLUMNS)[number]) => series.column(name)
  const other = column('memoryTotal').map(
    (total, at) =>
      total -
      (['memoryProcesses', 'memoryBinary', 'memoryEts', 'memoryCode', 'memoryAtom'] as const).reduce(
        (sum, name) => sum + (column(name)[at] ?? 0),
        0,
      ),
  )
  const beam = node.kind === 'beam'
  const common = {
    at: series.at,
    now: clock.value,
    spanMs: span.ms,
    note: loading ? 'reading the past …' : series.at.length < 2 ? 'figures are being gathered' : undefined,
  }
  return (
    <>
      <Figures node={node} />
      <div class="toolbar">
        <Segments
          label="Time shown"
          value={span.value}
          options={SPANS}
          onChange={(value) => setQuery({ span: value === SPANS[0].value ? undefined : value })}
        />
      </div>
      <div class="grid charts">
        <Chart
          {...common}
          title="Memory"
          stacked
          binary
          format={bytes}
          lines={
            beam
              ? [
                  { label: 'processes', series: 1, values: column('memoryProcesses') },
                  { label: 'binaries', series: 2, values: column('memoryBinary') },
                  { label: 'ETS', series: 3, values: column('memoryEts') },
                  { label: 'code', series: 4, values: column('memoryCode') },
                  { label: 'atoms', series: 5, values: column('memoryAtom') },
                  { label: 'other', series: 6, values: other.map((value) => Math.max(0, value)) },
                ]
              : [
                  { label: 'heap', series: 1, values: column('memoryProcesses') },
                  { label: 'buffers', series: 2, values: column('memoryBinary') },
                ]
          }
        />
        <Chart
          {...common}
          title="CPU"
          format={percent}
          top={0.1}
          lines={[{ label: 'of one core', series: 1, values: column('cpu') }]}
        />
        {!beam ? null : (
          <>
            <Chart
              {...common}
              title="Reductions"
              format={short}
              top={1_000}
              lines={[{ label: 'per second', series: 4, values: column('reductions') }]}
            />
            <Chart
              {...common}
              title="Run queue"
              format={whole}
              top={4}
              lines={[{ label: 'ready to run', series: 3, values: column('runQueue') }]}
            />
          </>
        )}
        <Chart
          {...common}
          title="Input and output"
          binary
          format={bytesRate}
          top={1_024}
          lines={[
            { label: 'in', series: 2, values: column('inputBytes') },
            { label: 'out', series: 5, values: column('outputBytes') },
          ]}
        />
        <Chart
          {...common}
          title="Distribution"
          binary
          format={bytesRate}
          top={1_024}
          lines={[
            { label: 'received', series: 2, values: column('linkReceived') },
            { label: 'sent', series: 5, values: column('linkSent') },
          ]}
        />
        {!beam ? null : (
          <>
            <Chart
              {...common}
              title="Garbage collections"
              format={short}
              top={10}
              lines={[{ label: 'per second', series: 5, values: column('garbageCollections') }]}
            />
            <Chart
              {...common}
              title="Processes"
              format={short}
              top={10}
              lines={[{ label: 'alive', series: 1, values: column('processes') }]}
            />
          </>
        )}
      </div>
      <div class="grid halves">
        <Limits node={node} />
        {beam ? <Schedulers node={node} /> : null}
      </div>
      <Links node={node} />
    </>
  )
}

function Figures({ node: { sample, kind } }: { node: NodeState }) {
  if (sample === undefined) return null
  const { schedulers, runQueues } = sample
  const figures: [string, string, string?][] = [
    ['CPU', percent(sample.rates?.cpu), 'of one core'],
    ['Memory', bytes(sample.memory?.total)],
    ...(kind === 'beam'
      ? ([
          ['Run queue', whole(sample.runQueue), `in ${runQueues.length}`],
          ['Reductions', short(sample.rates?.reductions), '/s'],
        ] as [string, string, string?][])
      : []),
    ['Processes', whole(sample.limits.processes.used)],
    ...(kind === 'beam'
      ? ([['Schedulers', `${schedulers.online}`, `of ${schedulers.total}`]] as [string, string, string][])
      : []),
    ['Poll', sample.roundTripMs.toFixed(1), 'ms'],
  ]
  return (
    <dl class="figures">
      {figures.map(([name, value, unit]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {value} {unit === undefined ? null : <small>{unit}</small>}
          </dd>
        </div>
      ))}
    </dl>
  )
}

const LIMITS = [
  ['processes', 'Processes'],
  ['ports', 'Ports'],
  ['atoms', 'Atoms'],
  ['ets', 'ETS tables'],
] as const

function Limits({ node: { sample, kind } }: { node: NodeState }) {
  if (sample === undefined || kind === 'beampeer') return null
  return (
    <section class="panel" aria-labelledby="limits">
      <div class="panel-head">
        <h2 id="limits">Limits</h2>
      </div>
      <div class="meters">
        {LIMITS.map(([key, title]) => {
          const { used, limit, percent: full } = sample.limits[key]
          return (
            <div key={key}>
              <div class="meter-line">
                <span>{title}</span>
                <span>
                  {whole(used)} <span class="muted">of {whole(limit)}</span> · {full.toFixed(1)} %
                </span>
              </div>
              <Meter percent={full} />
            </div>
          )
        })}
      </div>
    </section>
  )
}

/** Measuring sets a flag on the node, so it is for the user to begin. */
function Schedulers({ node }: { node: NodeState }) {
  const [measures, setMeasures] = useState(false)
  return (
    <section class="panel" aria-labelledby="schedulers">
      <div class="panel-head">
        <h2 id="schedulers">Schedulers</h2>
        <button type="button" class="button" aria-pressed={measures} onClick={() => setMeasures(!measures)}>
          {measures ? 'Measuring' : 'Measure'}
        </button>
      </div>
      {measures ? (
        <SchedulerBars node={node} />
      ) : (
        <p class="muted">
          How busy each scheduler is. While it is measured, the flag <code>scheduler_wall_time</code> is on in
          the node; then it is put back.
        </p>
      )}
    </section>
  )
}

const KINDS = { normal: 'scheduler', cpu: 'dirty CPU', io: 'dirty I/O' }

function SchedulerBars({ node }: { node: NodeState }) {
  const { value, error } = useView({ kind: 'schedulers', node: node.node })
  if (value === undefined)
    return error === undefined ? <Loading what="the schedulers for a moment" /> : <ErrorNote error={error} />
  return (
    <>
      <ErrorNote error={error} />
      <ul class="schedulers">
        {value.schedulers.map(({ id, type, active }) => (
          <li key={id}>
            <div class="meter-line">
              <span class="muted">
                {KINDS[type]} {id}
              </span>{' '}
              {percent(active)}
            </div>
            <div class="meter series-1" aria-hidden="true">
              <span style={{ width: `${Math.round(active * 100)}%` }} />
            </div>
          </li>
        ))}
      </ul>
    </>
  )
}

function Links({ node }: { node: NodeState }) {
  const order = useOrder('peer', false)
  const rows = (node.sample?.links ?? []).filter(({ own }) => !own)
  const allowed = welcome.value?.allowActions === true && node.kind === 'beam'
  const off = connection.value.state !== 'live' || node.status !== 'up'
  const columns: Column<LinkSample>[] = [
    { key: 'peer', title: 'Peer', sort: ({ peer }) => peer, cell: ({ peer }) => <NodeLink name={peer} /> },
    { key: 'type', title: 'Type', width: 'w-s', wideOnly: true, cell: ({ type }) => type ?? NONE },
    number('queueBytes', 'Queue', bytes),
    number('receivedRate', 'In', bytesRate),
    number('sentRate', 'Out', bytesRate),
    { ...number('receivedBytes', 'In, all', bytes), wideOnly: true },
    { ...number('sentBytes', 'Out, all', bytes), wideOnly: true },
  ]
  if (allowed)
    columns.push({
      key: 'action',
      title: 'Action',
      width: 'w-m',
      cell: ({ peer }) => (
        <button
          type="button"
          class="button quiet danger"
          disabled={off}
          onClick={() => askFor({ kind: 'disconnect', node: node.node, peer })}
        >
          Disconnect<span class="hidden"> {peer}</span>
        </button>
      ),
    })
  return (
    <section class="panel flush" aria-labelledby="links">
      <div class="panel-head">
        <h2 id="links">Links</h2>
        <span class="muted">{rows.length === 1 ? '1 other node' : `${rows.length} other nodes`}</span>
      </div>
      <Table
        caption={`Links of ${node.node}`}
        columns={columns}
        rows={rows}
        rowKey={({ peer }) => peer}
        empty="Connected to no other node."
        {...order}
      />
    </section>
  )
}

function number(
  key: 'queueBytes' | 'receivedRate' | 'sentRate' | 'receivedBytes' | 'sentBytes',
  title: string,
  format: (value: number | undefined) => string,
): Column<LinkSample> {
  return {
    key,
    title,
    width: 'w-m',
    numeric: true,
    sort: (row) => row[key] ?? -1,
    cell: (row) => format(row[key]),
  }
}
