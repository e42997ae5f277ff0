/** All nodes at a glance. */
import { useSignal } from '@preact/signals'
import type { NodeState } from '../../protocol.js'
import { Empty, FilterField, healthOf, Meter, NodeStatusMark, Status } from '../parts/basics.js'
import { Spark } from '../parts/spark.js'
import { bytes, duration, percent, short, whole } from '../state/format.js'
import { clock, nodes, revision, sparks } from '../state/live.js'
import { nodeHref, query, setQuery } from '../state/router.js'
import { isStale } from '../state/use.js'

type Order = 'given' | 'health' | 'cpu' | 'memory'

const ORDERS: readonly { readonly value: Order; readonly label: string }[] = [
  { value: 'given', label: 'as given' },
  { value: 'health', label: 'health' },
  { value: 'cpu', label: 'CPU' },
  { value: 'memory', label: 'memory' },
]

/** From here on there is something to find. */
const MANY = 5

const WORST = { bad: 0, warn: 1, idle: 2, ok: 3 }

export function FleetPage() {
  const all = [...nodes.value.values()]
  const filter = useSignal(query.value.get('filter') ?? '')
  const order = ORDERS.find(({ value }) => value === query.value.get('by'))?.value ?? 'given'
  void revision.value
  const up = all.filter(({ status }) => status === 'up')
  const shown = sorted(
    all.filter(({ node }) => node.toLowerCase().includes(filter.value.toLowerCase())),
    order,
  )
  return (
    <>
      <div class="page-head">
        <div>
          <h1 tabindex={-1}>Fleet</h1>
          <Summary all={all} />
        </div>
        {all.length < MANY ? null : (
          <div class="toolbar">
            <FilterField
              label="Filter nodes"
              value={filter.value}
              onInput={(text) => {
                filter.value = text
                setQuery({ filter: text })
              }}
            />
            <label class="field">
              Order
              <select value={order} onChange={(event) => setQuery({ by: event.currentTarget.value })}>
                {ORDERS.map(({ value, label }) => (
                  <option key={value} value={value}>
                    {label}
                  </option>
                ))}
              </select>
            </label>
          </div>
        )}
      </div>
      <Totals up={up} all={all.length} />
      {all.length === 0 ? (
        <Empty title="No node is watched">
          Start with <code>beampeer dashboard app@host …</code>
        </Empty>
      ) : shown.length === 0 ? (
        <Empty title="No node has this in its name" />
      ) : (
        <ul class="cards">
          {shown.map((node) => (
            <Card key={node.node} node={node} />
          ))}
        </ul>
      )}
    </>
  )
}

function sorted(list: NodeState[], order: Order): NodeState[] {
  if (order === 'given') return list
  const rank: Record<Exclude<Order, 'given'>, (node: NodeState) => number> = {
    health: (node) => WORST[healthOf(node).health],
    cpu: ({ sample }) => -(sample?.rates?.cpu ?? 0),
    memory: ({ sample }) => -(sample?.memory?.total ?? 0),
  }
  return [...list].sort((a, b) => rank[order](a) - rank[order](b) || a.node.localeCompare(b.node, 'en'))
}

function Summary({ all }: { all: readonly NodeState[] }) {
  const bad = all.filter((node) => healthOf(node).health === 'bad').length
  const warn = all.filter((node) => healthOf(node).health === 'warn').length
  const count = bad + warn
  if (count > 0)
    return (
      <Status health={bad > 0 ? 'bad' : 'warn'}>
        {count === 1 ? '1 node needs' : `${count} nodes need`} a look
      </Status>
    )
  return all.length === 0 ? null : <Status health="ok">all is well</Status>
}

function Totals({ up, all }: { up: readonly NodeState[]; all: number }) {
  const total = (of: (node: NodeState) => number | undefined) =>
    up.reduce((sum, node) => sum + (of(node) ?? 0), 0)
  return (
    <dl class="figures">
      <div>
        <dt>Nodes up</dt>
        <dd>
          {up.length} <small>of {all}</small>
        </dd>
      </div>
      <div>
        <dt>CPU</dt>
        <dd>
          {total(({ sample }) => sample?.rates?.cpu).toFixed(2)} <small>cores</small>
        </dd>
      </div>
      <div>
        <dt>Memory</dt>
        <dd>{bytes(total(({ sample }) => sample?.memory?.total))}</dd>
      </div>
      <div>
        <dt>Processes</dt>
        <dd>{whole(total(({ sample }) => sample?.limits.processes.used))}</dd>
      </div>
      <div>
        <dt>Reductions</dt>
        <dd>
          {short(total(({ sample }) => sample?.rates?.reductions))} <small>/s</small>
        </dd>
      </div>
      <div>
        <dt>Run queues</dt>
        <dd>{whole(total(({ sample }) => sample?.runQueue))}</dd>
      </div>
    </dl>
  )
}

function Card({ node }: { node: NodeState }) {
  const { sample, status } = node
  const series = sparks.get(node.node)
  const down = status === 'down'
  const limits = sample?.limits
  return (
    <li
      class={`card ${down ? 'is-down' : ''} ${isStale(node) ? 'is-old' : ''}`}
      data-node={node.node}
      data-status={status}
    >
      <div class="card-head">
        <h2 class="card-name">
          <a class="cut" href={nodeHref(node.node)}>
            {node.node}
          </a>
        </h2>
        <NodeStatusMark node={node} />
      </div>
      <p class="card-sub">
        {down ? (
          <span class="why">
            {node.reason ?? 'down'} · for {duration(clock.value - node.since)}
          </span>
        ) : sample === undefined ? (
          <span>{node.error ?? 'waiting for the first figures'}</span>
        ) : (
          `${version(node)} · up ${duration(sample.uptimeMs)}`
        )}
      </p>
      <dl class="card-sparks">
        <div>
          <dt>CPU</dt>
          <dd class="value">{percent(sample?.rates?.cpu)}</dd>
          <dd>
            <Spark values={series?.column('cpu') ?? []} top={0.2} series={1} />
          </dd>
        </div>
        <div>
          <dt>Memory</dt>
          <dd class="value">{bytes(sample?.memory?.total)}</dd>
          <dd>
            <Spark values={series?.column('memoryTotal') ?? []} series={2} />
          </dd>
        </div>
      </dl>
      <dl class="card-figures">
        <Figure name="Processes" value={short(limits?.processes.used)} />
        <Figure name="Run queue" value={whole(sample?.runQueue)} />
        <Figure name="Red./s" value={short(sample?.rates?.reductions)} />
        <Figure name="Links" value={whole(sample?.links.filter(({ own }) => !own).length)} />
      </dl>
      {limits === undefined ? null : <Fullest limits={limits} />}
      {node.error === undefined || down ? null : <p class="why is-warn">{node.error}</p>}
    </li>
  )
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}

/** The limit that is nearest. */
function Fullest({ limits }: { limits: NonNullable<NodeState['sample']>['limits'] }) {
  const [name, { percent: full }] = Object.entries(limits).reduce((a, b) =>
    b[1].percent > a[1].percent ? b : a,
  )
  return (
    <div>
      <div class="meter-line card-sub">
        <span>
          nearest limit: {name === 'ets' ? 'ETS tables' : name} {full.toFixed(1)} %
        </span>
      </div>
      <Meter percent={full} />
    </div>
  )
}

export function version({ kind, sample }: NodeState): string {
  if (sample === undefined) return ''
  return kind === 'beampeer' ? sample.ertsVersion : `OTP ${sample.otpRelease} · ERTS ${sample.ertsVersion}`
}
