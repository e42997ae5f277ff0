/** Links of watched nodes as edges, and where to draw the nodes. */
import { forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY } from 'd3-force'
import { useRef } from 'preact/hooks'
import type { NodeState } from '../../protocol.js'

/** Room for the names at the edges. */
const MARGIN_X = 76
const MARGIN_TOP = 24
const MARGIN_BOTTOM = 60

export interface Size {
  readonly width: number
  readonly height: number
}

export interface Edge {
  /** The first by name. */
  readonly a: string
  readonly b: string
  readonly type: string
  /** Both ends' together, as far as they are watched. */
  readonly queueBytes: number
  /** Bytes per second, both ways. */
  readonly rate: number
}

export interface Place {
  readonly x: number
  readonly y: number
}

/** Each link once: both ends tell of it when both are watched, and what one sends the other receives. */
export function edgesOf(nodes: ReadonlyMap<string, NodeState>): Edge[] {
  const edges = new Map<string, Edge>()
  for (const { node, sample, status } of nodes.values()) {
    if (status !== 'up') continue
    for (const link of sample?.links ?? []) {
      if (link.own) continue
      const [a, b] = [node, link.peer].sort() as [string, string]
      const before = edges.get(`${a} ${b}`)
      const rate = (link.receivedRate ?? 0) + (link.sentRate ?? 0)
      edges.set(`${a} ${b}`, {
        a,
        b,
        type: link.type ?? before?.type ?? 'unknown',
        queueBytes: (before?.queueBytes ?? 0) + (link.queueBytes ?? 0),
        rate: Math.max(before?.rate ?? 0, rate),
      })
    }
  }
  return [...edges.values()]
}

interface Body {
  readonly name: string
  x: number
  y: number
}

/** Places stay as long as nodes and links are the same; then they move on from where they were. */
export function usePlaces(
  names: readonly string[],
  edges: readonly Edge[],
  size: Size,
): ReadonlyMap<string, Place> {
  const kept = useRef<{ shape: string; places: ReadonlyMap<string, Place> }>({ shape: '', places: new Map() })
  const pairs = edges.map(({ a, b }) => `${a} ${b}`).sort()
  const shape = `${names.join(' ')}|${pairs.join()}`
  if (kept.current.shape !== shape)
    kept.current = { shape, places: layOut(names, edges, kept.current.places) }
  return fit(kept.current.places, size)
}

const STEPS = 240
const RADIUS = 200

/** In units of its own, around 0. */
function layOut(
  names: readonly string[],
  edges: readonly Edge[],
  before: ReadonlyMap<string, Place>,
): ReadonlyMap<string, Place> {
  // New ones begin on a circle in the order of their names: the same cluster has the same drawing.
  const bodies = names.map((name, at): Body => {
    const angle = (2 * Math.PI * at) / names.length - Math.PI / 2
    const place = before.get(name)
    return {
      name,
      x: place?.x ?? Math.cos(angle) * RADIUS,
      y: place?.y ?? Math.sin(angle) * RADIUS,
    }
  })
  const links = edges.map(({ a, b }) => ({ source: a, target: b }))
  const linked = new Set(edges.flatMap(({ a, b }) => [a, b]))
  // What nothing holds is not driven to the edge, where it would make all else small.
  const pull = ({ name }: Body) => (linked.has(name) ? 0.06 : 0.16)
  forceSimulation(bodies)
    .force('charge', forceManyBody().strength(-900))
    .force(
      'link',
      forceLink<Body, { source: string; target: string }>(links)
        .id(({ name }) => name)
        .distance(RADIUS)
        .strength(0.1),
    )
    .force('x', forceX<Body>(0).strength(pull))
    .force('y', forceY<Body>(0).strength(pull))
    .force('collide', forceCollide(60))
    .stop()
    .tick(STEPS)
  return new Map(bodies.map(({ name, x, y }) => [name, { x, y }]))
}

/** Pixels at most for a unit of the layout: two nodes do not stand at opposite walls. */
const WIDEST = 2

/** Fills the drawing, which is wider than high or the other way round. */
function fit(places: ReadonlyMap<string, Place>, { width, height }: Size): ReadonlyMap<string, Place> {
  const all = [...places.values()]
  const axis = (values: readonly number[], from: number, to: number) => {
    const low = Math.min(...values)
    const high = Math.max(...values)
    const scale = Math.min(WIDEST, (to - from) / Math.max(1, high - low))
    return (value: number) => Math.round((from + to) / 2 + (value - (low + high) / 2) * scale)
  }
  const xs = all.map(({ x }) => x)
  const ys = all.map(({ y }) => y)
  const x = axis(xs, MARGIN_X, width - MARGIN_X)
  const y = axis(ys, MARGIN_TOP, height - MARGIN_BOTTOM)
  return new Map([...places].map(([name, place]) => [name, { x: x(place.x), y: y(place.y) }]))
}
