/** Figures over time, drawn by uPlot. The legend is the page's own: text that can be read, with the latest numbers. */
import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { timeOfDay } from '../state/format.js'
import { colour, coloursChanged } from '../state/settings.js'

export interface Line {
  readonly label: string
  readonly series: 1 | 2 | 3 | 4 | 5 | 6
  /** NaN is a gap. */
  readonly values: readonly number[]
}

interface ChartProps {
  readonly title: string
  /** Milliseconds since 1970, of each value. */
  readonly at: readonly number[]
  readonly lines: readonly Line[]
  /** Lines lie upon each other; the first is at the bottom. */
  readonly stacked?: boolean
  readonly format: (value: number | undefined) => string
  /** The least that fills the height. */
  readonly top?: number
  /** The scale is of whole numbers of bytes: steps are powers of two. */
  readonly binary?: boolean
  readonly now: number
  readonly spanMs: number
  readonly note?: string | undefined
}

type Data = [number[], ...(number | null)[][]]

export function Chart(props: ChartProps) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const [hovered, setHovered] = useState<number>()
  const latest = useRef(props)
  latest.current = props
  const colours = coloursChanged.value
  const shape = props.lines.map(({ label, series }) => `${label} ${series}`).join()

  useEffect(() => {
    const element = box.current
    if (element === null) return
    const made = new uPlot(
      options(latest, element, (at) => setHovered(at)),
      data(latest.current),
      element,
    )
    plot.current = made
    const sizes = new ResizeObserver(() => {
      if (element.clientWidth > 0) made.setSize({ width: element.clientWidth, height: element.clientHeight })
    })
    sizes.observe(element)
    return () => {
      sizes.disconnect()
      made.destroy()
      plot.current = undefined
    }
  }, [colours, shape])

  // Drawing is what costs: once for a new point or a new second, whatever else changed.
  useEffect(() => {
    plot.current?.setData(data(props))
  }, [
    props.at,
    props.at.length,
    props.at.at(-1),
    Math.floor(props.now / 1_000),
    props.spanMs,
    colours,
    shape,
  ])

  const place = hovered !== undefined && hovered < props.at.length ? hovered : lastPlace(props)
  const figure = (values: readonly number[]) => props.format(numberAt(values, place))
  const moment = hovered === undefined ? undefined : props.at[place]
  const said = props.lines.map(({ label, values }) => `${label} ${figure(values)}`).join(', ')
  return (
    <figure class="panel">
      <div class="panel-head">
        <figcaption>
          <h2>{props.title}</h2>
        </figcaption>
        <span class="muted">{moment === undefined ? '' : timeOfDay(moment)}</span>
      </div>
      <ul class="legend">
        {props.lines.map(({ label, series, values }) => (
          <li key={label} class={`series-${series}`}>
            <i aria-hidden="true" />
            <span>{label}</span>
            <b>{figure(values)}</b>
          </li>
        ))}
      </ul>
      <div class="chart">
        <div class="chart" ref={box} role="img" aria-label={`${props.title} over time; now ${said}`} />
        {props.note === undefined ? null : <p class="chart-note">{props.note}</p>}
      </div>
    </figure>
  )
}

function numberAt(values: readonly number[], place: number): number | undefined {
  const value = values[place]
  return value === undefined || Number.isNaN(value) ? undefined : value
}

/** The last point that has a figure. */
function lastPlace({ at, lines }: ChartProps): number {
  for (let place = at.length - 1; place >= 0; place--)
    if (lines.some(({ values }) => numberAt(values, place) !== undefined)) return place
  return -1
}

/** For uPlot: seconds, null for gaps, stacked lines summed up; the top one first, so that lower ones lie over it. */
function data({ at, lines, stacked }: ChartProps): Data {
  const seconds = at.map((time) => time / 1_000)
  const rows: (number | null)[][] = []
  lines.forEach(({ values }, place) => {
    const below = stacked === true ? rows[place - 1] : undefined
    rows.push(
      at.map((_, point) => {
        const value = numberAt(values, point)
        return value === undefined ? null : value + (below?.[point] ?? 0)
      }),
    )
  })
  return [seconds, ...(stacked === true ? rows.reverse() : rows)]
}

function options(
  latest: { readonly current: ChartProps },
  element: HTMLElement,
  hover: (point: number | undefined) => void,
): uPlot.Options {
  const { lines, stacked, binary } = latest.current
  const muted = colour('--muted')
  const grid = { stroke: colour('--line'), width: 1 }
  const font = `11px ${window.getComputedStyle(document.body).fontFamily}`
  const drawn = stacked === true ? [...lines].reverse() : lines
  return {
    width: Math.max(10, element.clientWidth),
    height: Math.max(10, element.clientHeight),
    // Half of the last time of day.
    padding: [6, 18, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { size: 6 },
      sync: { key: 'node', setSeries: false },
    },
    hooks: { setCursor: [(plot) => hover(plot.cursor.idx ?? undefined)] },
    scales: {
      x: {
        range: () => {
          const { now, spanMs } = latest.current
          return [(now - spanMs) / 1_000, now / 1_000]
        },
      },
      y: {
        range: (_plot, _low, high) => [0, Math.max(latest.current.top ?? 0, (high ?? 0) * 1.08) || 1],
      },
    },
    axes: [
      {
        stroke: muted,
        font,
        grid: { show: false },
        ticks: { show: false },
        size: 24,
        gap: 4,
        space: 80,
        values: (_plot, splits) => splits.map((second) => clockTime(second, latest.current.spanMs)),
      },
      {
        stroke: muted,
        font,
        grid,
        ticks: { show: false },
        size: 58,
        gap: 6,
        space: 34,
        ...(binary === true ? { incrs: POWERS } : {}),
        values: (_plot, splits) => splits.map((value) => axisText(latest.current.format(value))),
      },
    ],
    // Each area ends where the one below begins.
    ...(stacked === true
      ? { bands: drawn.slice(1).map((_, at) => ({ series: [at + 1, at + 2] as [number, number] })) }
      : {}),
    series: [
      {},
      ...drawn.map(({ label, series }): uPlot.Series => {
        const stroke = colour(`--series-${series}`)
        return {
          label,
          stroke,
          width: stacked === true ? 1 : 1.6,
          points: { show: false },
          ...(stacked === true
            ? { fill: faint(stroke, 60) }
            : lines.length === 1
              ? { fill: faint(stroke, 12) }
              : {}),
        }
      }),
    ],
  }
}

/** The unit of time is in the legend, and steps are round: `512 KiB`, not `512.0 KiB/s`. */
function axisText(text: string): string {
  return text.replace('/s', '').replace(/\.0+(?=\D|$)/, '')
}

/** `rgb(1, 2, 3)` with a share of opacity. */
function faint(rgb: string, percent: number): string {
  return `rgb(${(rgb.match(/[\d.]+/g) ?? []).slice(0, 3).join(' ')} / ${percent}%)`
}

/** Steps of the scale of bytes. */
const POWERS = Array.from({ length: 50 }, (_, power) => 2 ** power)

/** With seconds where the chart shows minutes. */
function clockTime(second: number, spanMs: number): string {
  const text = timeOfDay(second * 1_000)
  return spanMs > 600_000 || second % 60 === 0 ? text.slice(0, 5) : text
}
