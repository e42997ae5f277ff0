/** Who is connected to whom, what waits and what flows: a drawing, and the same as a table. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { NodeState } from '../../protocol.js'
import { Empty, healthOf, NodeLink } from '../parts/basics.js'
import { Table, useOrder, type Column } from '../parts/table.js'
import { bytes, bytesRate } from '../state/format.js'
import { nodes } from '../state/live.js'
import { nodeHref } from '../state/router.js'
import { edgesOf, usePlaces, type Edge, type Place, type Size } from './graph.js'

export function ClusterPage() {
  const watched = nodes.value
  const edges = edgesOf(watched)
  const names = [...new Set([...watched.keys(), ...edges.flatMap(({ a, b }) => [a, b])])].sort()
  const order = useOrder('rate', true)
  return (
    <>
      <div class="page-head">
        <div>
          <h1 tabindex={-1}>Cluster</h1>
          <p>
            {names.length === 1 ? '1 node' : `${names.length} nodes`},{' '}
            {edges.length === 1 ? '1 link' : `${edges.length} links`}
          </p>
        </div>
      </div>
      {names.length === 0 ? (
        <Empty title="No node is watched" />
      ) : (
        <section class="panel" aria-label="Graph of links">
          <Graph names={names} edges={edges} watched={watched} />
        </section>
      )}
      <section class="panel flush" aria-label="Links">
        <div class="panel-head">
          <h2>Links</h2>
          <span class="muted">as the watched ends see them</span>
        </div>
        <Table
          caption="Links of the cluster"
          columns={COLUMNS}
          rows={edges}
          rowKey={({ a, b }) => `${a} ${b}`}
          empty="No watched node is connected to another."
          {...order}
        />
      </section>
    </>
  )
}

/** Pixels from which there is room for figures; the table has them anyway. */
const ROOMY = 560

function Graph(props: {
  names: readonly string[]
  edges: readonly Edge[]
  watched: ReadonlyMap<string, NodeState>
}) {
  const { names, edges, watched } = props
  const box = useRef<HTMLDivElement>(null)
  const [size, setSize] = useState<Size>({ width: 320, height: 420 })
  const places = usePlaces(names, edges, size)
  // Where all are of one host, its name tells nothing.
  const hosts = new Set(names.map((name) => name.slice(name.indexOf('@'))))
  const label = (name: string) => (hosts.size === 1 ? name.slice(0, name.indexOf('@')) : name)
  // Drawn in the page's own pixels: its text is as large as all text.
  useLayoutEffect(() => {
    const element = box.current
    if (element === null) return
    const sizes = new ResizeObserver(() => {
      const width = Math.max(300, element.clientWidth)
      setSize({ width, height: Math.min(580, Math.max(440, width * 0.5)) })
    })
    sizes.observe(element)
    return () => sizes.disconnect()
  }, [])
  return (
    <div ref={box}>
      <svg class="graph" viewBox={`0 0 ${size.width} ${size.height}`}>
        {edges.map((edge) => (
          <Line key={`${edge.a} ${edge.b}`} edge={edge} places={places} />
        ))}
        {size.width < ROOMY
          ? null
          : edges.map((edge) => <Label key={`${edge.a} ${edge.b}`} edge={edge} places={places} />)}
        {names.map((name) => (
          <Disc
            key={name}
            name={name}
            label={label(name)}
            node={watched.get(name)}
            place={places.get(name)}
            roomy={size.width >= ROOMY}
          />
        ))}
      </svg>
    </div>
  )
}

const COLUMNS: readonly Column<Edge>[] = [
  { key: 'a', title: 'Node', sort: ({ a }) => a, cell: ({ a }) => <NodeLink name={a} />, hint: ({ a }) => a },
  { key: 'b', title: 'Peer', sort: ({ b }) => b, cell: ({ b }) => <NodeLink name={b} />, hint: ({ b }) => b },
  { key: 'type', title: 'Type', width: 'w-s', wideOnly: true, cell: ({ type }) => type },
  {
    key: 'queue',
    title: 'Queue',
    width: 'w-m',
    numeric: true,
    sort: ({ queueBytes }) => queueBytes,
    cell: ({ queueBytes }) => bytes(queueBytes),
  },
  {
    key: 'rate',
    title: 'Traffic',
    width: 'w-m',
    numeric: true,
    sort: ({ rate }) => rate,
    cell: ({ rate }) => bytesRate(rate),
  },
]

type Places = ReadonlyMap<string, Place>

/** From here on a link is worth a colour. */
const BUSY_BYTES = 10_240

function Line({ edge, places }: { edge: Edge; places: Places }) {
  const a = places.get(edge.a)
  const b = places.get(edge.b)
  if (a === undefined || b === undefined) return null
  const state = edge.queueBytes > 0 ? 'is-queued' : edge.rate > BUSY_BYTES ? 'is-busy' : ''
  // Twice the traffic is not twice the width: both a heartbeat and a flood are to be seen.
  const width = 1 + Math.min(7, Math.log2(1 + edge.rate / 1_024) * 0.7)
  return <line class={`edge ${state}`} x1={a.x} y1={a.y} x2={b.x} y2={b.y} stroke-width={width} />
}

/** Pixels of a character, near enough. */
const CHARACTER = 6.4

function Label({ edge, places }: { edge: Edge; places: Places }) {
  const a = places.get(edge.a)
  const b = places.get(edge.b)
  if (a === undefined || b === undefined || (edge.rate <= BUSY_BYTES && edge.queueBytes === 0)) return null
  const text = edge.queueBytes > 0 ? `${bytes(edge.queueBytes)} waiting` : bytesRate(edge.rate)
  const width = text.length * CHARACTER + 8
  return (
    <g transform={`translate(${(a.x + b.x) / 2} ${(a.y + b.y) / 2})`}>
      <rect class="label" x={-width / 2} y={-9} width={width} height={18} rx={9} />
      <text class="figure" y={4}>
        {text}
      </text>
    </g>
  )
}

const GLYPHS = {
  ok: '',
  idle: '',
  warn: 'M0 -6 6.5 5.5H-6.5z',
  bad: 'M-5 -5H5V5H-5z',
}

function Disc(props: {
  name: string
  label: string
  node: NodeState | undefined
  place: Place | undefined
  roomy: boolean
}) {
  const { name, label, node, place, roomy } = props
  if (place === undefined) return null
  const { health, word } =
    node === undefined ? ({ health: 'idle', word: 'not watched' } as const) : healthOf(node)
  const memory = node?.sample?.memory?.total
  const body = (
    <g
      class={`is-${health} ${node === undefined ? 'outside' : ''}`}
      transform={`translate(${place.x} ${place.y})`}
    >
      <circle class="disc" r={node === undefined ? 9 : 15} />
      {health === 'ok' ? <circle class="glyph" r={6} /> : <path class="glyph" d={GLYPHS[health]} />}
      <text y={32}>{label}</text>
      {node === undefined || (health === 'ok' && !roomy) ? null : (
        <text class="figure" y={47}>
          {health === 'ok' ? ` ${bytes(memory)}` : ` ${word}`}
        </text>
      )}
    </g>
  )
  return node === undefined ? (
    <g role="img" aria-label={`${name}: ${word}`}>
      {body}
    </g>
  ) : (
    <a href={nodeHref(name)}>{body}</a>
  )
}
