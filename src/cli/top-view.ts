/** What `beampeer top` shows, as lines of text: nothing here knows a terminal. Columns give way on narrow ones. */
import * as units from '../dashboard/units.js'
import type {
  MemorySample,
  NodeSample,
  NodeStatus,
  ProcessOrder,
  ProcessRow,
  ProcessTable,
  TimelineEvent,
} from '../dashboard/samples.js'
import { openProcessLines, type OpenProcess } from './top-process.js'
import { visible } from './visible.js'

export interface View {
  readonly statuses: readonly NodeStatus[]
  readonly events: readonly TimelineEvent[]
  /** The node whose processes are shown; undefined: the fleet. */
  readonly node: string | undefined
  readonly table: ProcessTable | undefined
  /** The selected one of {@link shownRows}; undefined: none. */
  readonly row?: number
  /** The process that is shown instead of its node's table. */
  readonly process?: OpenProcess | undefined
  readonly by: ProcessOrder
  readonly filter: string
  /** Whether what is typed goes to the filter. */
  readonly typing?: boolean
  readonly selected: number
  readonly paused: boolean
  readonly width: number
  readonly height: number
}

/** A line; `style` says what it is, the terminal how that looks. */
export interface Line {
  readonly text: string
  readonly style: 'title' | 'head' | 'plain' | 'selected' | 'bad' | 'warn' | 'dim'
}

/** Percent of a limit from which a node is shown as in need of a look. */
const WARN_PERCENT = 80

interface Column<Row> {
  readonly title: string
  readonly width: number
  /** Width of the screen from which it is shown. */
  readonly from?: number
  cell(row: Row): string
}

interface ProcessColumn extends Column<ProcessRow> {
  readonly left?: boolean
}

const memoryOf = (kind: keyof MemorySample) => (sample: NodeSample) =>
  sample.memory === undefined ? '-' : units.bytes(sample.memory[kind])

const FLEET: readonly Column<NodeSample>[] = [
  { title: 'OTP', width: 3, cell: (sample) => sample.otpRelease },
  { title: 'UPTIME', width: 7, cell: (sample) => units.duration(sample.uptimeMs) },
  { title: 'RUNQ', width: 4, cell: (sample) => String(sample.runQueue) },
  { title: 'CPU', width: 5, cell: ({ rates }) => (rates === undefined ? '-' : percent(rates.cpu)) },
  { title: 'MEMORY', width: 9, cell: memoryOf('total') },
  { title: 'PROCMEM', width: 9, from: 160, cell: memoryOf('processes') },
  { title: 'BINARY', width: 9, from: 160, cell: memoryOf('binary') },
  { title: 'ETS', width: 9, from: 160, cell: memoryOf('ets') },
  { title: 'PROCS', width: 7, cell: ({ limits }) => String(limits.processes.used) },
  { title: 'LINKS', width: 5, cell: ({ links }) => String(links.filter(({ own }) => !own).length) },
  { title: 'RED/S', width: 7, from: 120, cell: ({ rates }) => short(rates?.reductions) },
  { title: 'IN/S', width: 7, from: 120, cell: ({ rates }) => short(rates?.inputBytes) },
  { title: 'OUT/S', width: 7, from: 120, cell: ({ rates }) => short(rates?.outputBytes) },
  { title: 'PROC%', width: 6, from: 120, cell: ({ limits }) => String(limits.processes.percent) },
  { title: 'PORT%', width: 6, from: 120, cell: ({ limits }) => String(limits.ports.percent) },
  { title: 'ATOM%', width: 6, from: 120, cell: ({ limits }) => String(limits.atoms.percent) },
  { title: 'ETS%', width: 6, from: 120, cell: ({ limits }) => String(limits.ets.percent) },
]

/** A title, the table, and a line of keys: exactly `height` lines of at most `width` characters. */
export function render(view: View): Line[] {
  const body =
    view.process !== undefined
      ? oneProcess(view, view.process)
      : view.node === undefined
        ? fleetLines(view)
        : processLines(view)
  const keys =
    view.process !== undefined
      ? 'q quit  esc back  ↑↓ scroll  d read dictionary  s ask it for its state  p pause'
      : view.node === undefined
        ? 'q quit  ↑↓ select  ↵ processes  / filter  p pause'
        : 'q quit  esc back  ↑↓ ↵ process  m memory  r red/s  l queue  / filter  p pause'
  const filter =
    view.typing === true ? `filter: ${view.filter}▏ ↵ done  esc none` : `filter: ${view.filter}   ${keys}`
  const filtered = view.process === undefined && (view.filter !== '' || view.typing === true)
  const foot: Line = { text: filtered ? filter : keys, style: 'dim' }
  const lines = body.slice(0, view.height - 1)
  while (lines.length < view.height - 1) lines.push({ text: '', style: 'plain' })
  return [...lines, foot].map(({ text, style }) => ({ text: fit(text, view.width), style }))
}

/** Names of the nodes that the fleet view lists, in its order. */
export function fleetNodes({ statuses, filter }: Pick<View, 'statuses' | 'filter'>): string[] {
  return statuses.map(({ node }) => node).filter((node) => node.includes(filter))
}

/** The rows of the table that the filter lets through. */
export function shownRows({ table, filter }: Pick<View, 'table' | 'filter'>): readonly ProcessRow[] {
  return (table?.rows ?? []).filter((row) =>
    [row.pid, row.registeredName, row.initialCall, row.currentFunction].some((text) =>
      text?.includes(filter),
    ),
  )
}

/** How far an open process can be scrolled: its last line is then the last of the screen. */
export function lastScroll(view: View): number {
  if (view.process === undefined) return 0
  const { head, body } = openLines(view, view.process)
  return Math.max(0, head.length + body.length - (view.height - 1))
}

/** The rows of a table that is there, in another order. */
export function sorted(table: ProcessTable, by: ProcessOrder): ProcessTable {
  const value = (row: ProcessRow) => (by === 'reductions' ? (row.reductionsRate ?? -1) : row[by])
  return { ...table, by, rows: [...table.rows].sort((a, b) => value(b) - value(a)) }
}

function fleetLines(view: View): Line[] {
  const up = view.statuses.filter(({ status }) => status === 'up').length
  const columns = FLEET.filter(({ from = 0 }) => view.width >= from)
  const others = columns.reduce((sum, { width }) => sum + 1 + width, 0)
  const longest = Math.max(4, ...view.statuses.map(({ node }) => node.length))
  const nameWidth = Math.max(16, Math.min(longest, view.width - others))
  const head = ['NODE'.padEnd(nameWidth), ...columns.map(({ title, width }) => title.padStart(width))].join(
    ' ',
  )
  const shown = new Set(fleetNodes(view))
  const rows = within(
    view.statuses
      .filter(({ node }) => shown.has(node))
      .map((status, at) => fleetRow(status, nameWidth, columns, at === view.selected)),
    view.selected,
    view.height - 3,
  )
  const events = view.events.slice(-Math.max(0, view.height - rows.length - 5)).reverse()
  return [
    {
      text: `beampeer top   ${up} of ${view.statuses.length} nodes up${view.paused ? '   paused' : ''}`,
      style: 'title',
    },
    { text: head.padEnd(view.width), style: 'head' },
    ...rows,
    { text: '', style: 'plain' },
    ...events.map((event): Line => ({ text: eventText(event), style: 'dim' })),
  ]
}

function fleetRow(
  status: NodeStatus,
  nameWidth: number,
  columns: readonly Column<NodeSample>[],
  selected: boolean,
): Line {
  const { node, sample } = status
  const name = fit(node, nameWidth).padEnd(nameWidth)
  if (status.status !== 'up' || sample === undefined) {
    const why = status.error ?? status.reason
    // Up, but not sampled yet.
    const what = status.status === 'up' ? 'reading…' : status.status
    return {
      text: `${name} ${what}${why === undefined ? '' : `: ${why}`}`,
      style: selected ? 'selected' : status.status === 'down' ? 'bad' : 'dim',
    }
  }
  const percents = Object.values(sample.limits).map(({ percent }) => percent)
  const warn = status.error !== undefined || percents.some((percent) => percent >= WARN_PERCENT)
  const cells = columns.map(({ width, cell }) => fit(cell(sample), width).padStart(width))
  return { text: [name, ...cells].join(' '), style: selected ? 'selected' : warn ? 'warn' : 'plain' }
}

function processLines(view: View): Line[] {
  const { table, node = '' } = view
  const status = view.statuses.find((candidate) => candidate.node === node)
  const title: Line = { text: `beampeer top   ${node}${view.paused ? '   paused' : ''}`, style: 'title' }
  if (status?.status !== 'up')
    return [
      title,
      { text: `${status?.status ?? 'down'}: ${status?.error ?? status?.reason ?? ''}`, style: 'bad' },
    ]
  if (table === undefined) return [title, { text: 'reading…', style: 'dim' }]
  const columns = processColumns(view)
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => {
        const { width, left } = columns[at] as ProcessColumn
        return left === true ? fit(cell, width).padEnd(width) : fit(cell, width).padStart(width)
      })
      .join(' ')
  const rows = shownRows(view).map((row, at): Line => ({
    style: at === view.row ? 'selected' : 'plain',
    text: line(columns.map(({ cell }) => cell(row))).padEnd(view.width),
  }))
  const head: Line[] = [
    title,
    ...(status.sample === undefined ? [] : [{ text: summary(status.sample), style: 'plain' as const }]),
    {
      text: `sampled ${table.sampled} of ${table.total} processes, ${table.fresh} now; list of pids ${units.duration(table.pidsAgeMs)} old`,
      style: 'dim',
    },
    { text: line(columns.map(({ title }) => title)).padEnd(view.width), style: 'head' },
  ]
  return [...head, ...within(rows, view.row ?? 0, view.height - 1 - head.length)]
}

function oneProcess(view: View, process: OpenProcess): Line[] {
  const { head, body } = openLines(view, process)
  return [...head, ...body.slice(Math.min(process.scroll, lastScroll(view)))]
}

function openLines({ statuses, node, paused, width }: View, process: OpenProcess) {
  const status = statuses.find((candidate) => candidate.node === node)
  return openProcessLines(process, status, paused, width)
}

/** As many lines as there is room for, the selected one among them. */
function within(lines: readonly Line[], selected: number, room: number): readonly Line[] {
  return lines.slice(Math.max(0, selected - Math.max(1, room) + 1))
}

/** One line on a node, above its processes. */
function summary({ otpRelease, uptimeMs, runQueue, rates, memory, limits, schedulers }: NodeSample): string {
  return [
    `OTP ${otpRelease}`,
    `up ${units.duration(uptimeMs)}`,
    `CPU ${rates === undefined ? '-' : percent(rates.cpu)} of ${schedulers.online}`,
    `run queue ${runQueue}`,
    ...(memory === undefined ? [] : [`memory ${units.bytes(memory.total)}`]),
    `processes ${limits.processes.used} (${limits.processes.percent}%)`,
  ].join('  ')
}

/** The name and the call share a column on narrow screens; what is left goes to text. */
function processColumns({ width, by }: View): ProcessColumn[] {
  const figures: ProcessColumn[] = [
    { title: marked('MEMORY', by === 'memory'), width: 10, cell: (row) => units.bytes(row.memory) },
    { title: marked('RED/S', by === 'reductions'), width: 7, cell: (row) => short(row.reductionsRate) },
    { title: marked('QUEUE', by === 'messageQueueLen'), width: 7, cell: (row) => short(row.messageQueueLen) },
  ]
  const pid: ProcessColumn = { title: 'PID', width: 12, left: true, cell: (row) => row.pid }
  const name = (row: ProcessRow) => row.registeredName ?? ''
  const call = (row: ProcessRow) => row.initialCall ?? ''
  const texts: [title: string, cell: (row: ProcessRow) => string][] =
    width < 120
      ? [['NAME OR INITIAL CALL', (row) => name(row) || call(row)]]
      : [
          ['NAME', name],
          ['INITIAL CALL', call],
        ]
  texts.push(['CURRENT FUNCTION', (row) => row.currentFunction ?? ''])
  const taken = [pid, ...figures].reduce((sum, column) => sum + column.width + 1, 0)
  const each = Math.max(12, Math.floor((width - taken - texts.length + 1) / texts.length))
  const text = texts.map(([title, cell]): ProcessColumn => ({ title, width: each, left: true, cell }))
  return [pid, ...text.slice(0, -1), ...figures, ...text.slice(-1)]
}

function eventText({ at, type, node, peer, reason }: TimelineEvent): string {
  const time = new Date(at).toTimeString().slice(0, 8)
  return `${time} ${type} ${node}${peer === undefined ? '' : ` – ${peer}`}${reason === undefined ? '' : ` (${reason})`}`
}

/** `12%`; 1 is one core. */
function percent(share: number): string {
  return `${Math.round(share * 100)}%`
}

function marked(title: string, is: boolean): string {
  return is ? `${title}▼` : title
}

function fit(text: string, width: number): string {
  const shown = visible(text)
  return shown.length <= width ? shown : `${shown.slice(0, Math.max(0, width - 1))}…`
}

const short = (value: number | undefined): string => (value === undefined ? '-' : units.short(value))
