/** What `beampeer top` shows, as lines of text: nothing here knows a terminal. Columns give way on narrow ones. */
import type { NodeStatus, ProcessOrder, ProcessTable, TimelineEvent } from '../dashboard/index.js'

export interface View {
  readonly statuses: readonly NodeStatus[]
  readonly events: readonly TimelineEvent[]
  /** The node whose processes are shown; undefined: the fleet. */
  readonly node: string | undefined
  readonly table: ProcessTable | undefined
  readonly by: ProcessOrder
  readonly filter: string
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

/** A title, the table, and a line of keys: exactly `height` lines of at most `width` characters. */
export function render(view: View): Line[] {
  const body = view.node === undefined ? fleetLines(view) : processLines(view)
  const keys =
    view.node === undefined
      ? 'q quit  ↑↓ select  ↵ processes  / filter  p pause'
      : 'q quit  esc fleet  m memory  r reductions  l queue  / filter  p pause'
  const foot: Line = { text: view.filter === '' ? keys : `filter: ${view.filter}   ${keys}`, style: 'dim' }
  const lines = body.slice(0, view.height - 1)
  while (lines.length < view.height - 1) lines.push({ text: '', style: 'plain' })
  return [...lines, foot].map(({ text, style }) => ({ text: fit(text, view.width), style }))
}

/** Names of the nodes that the fleet view lists, in its order. */
export function fleetNodes({ statuses, filter }: Pick<View, 'statuses' | 'filter'>): string[] {
  return statuses.map(({ node }) => node).filter((node) => node.includes(filter))
}

function fleetLines(view: View): Line[] {
  const up = view.statuses.filter(({ status }) => status === 'up').length
  const wide = view.width >= 120
  const nameWidth = Math.max(20, view.width - (wide ? 96 : 58))
  const head = [
    'NODE'.padEnd(nameWidth),
    'OTP'.padStart(4),
    'UPTIME'.padStart(8),
    'RUNQ'.padStart(5),
    'CPU'.padStart(6),
    'MEMORY'.padStart(9),
    'PROCS'.padStart(8),
    'LINKS'.padStart(6),
    ...(wide ? ['RED/S', 'IN/S', 'OUT/S', 'ATOMS%', 'PORTS%'].map((name) => name.padStart(7)) : []),
  ].join(' ')
  const shown = new Set(fleetNodes(view))
  const rows = view.statuses
    .filter(({ node }) => shown.has(node))
    .map((status, at) => fleetRow(status, nameWidth, wide, at === view.selected))
  const events = view.events.slice(-Math.max(0, view.height - rows.length - 5)).reverse()
  return [
    {
      text: `beampeer top   ${up} of ${view.statuses.length} nodes up${view.paused ? '   paused' : ''}`,
      style: 'title',
    },
    { text: head, style: 'head' },
    ...rows,
    { text: '', style: 'plain' },
    ...events.map((event): Line => ({ text: eventText(event), style: 'dim' })),
  ]
}

function fleetRow(status: NodeStatus, nameWidth: number, wide: boolean, selected: boolean): Line {
  const { node, sample } = status
  if (status.status !== 'up' || sample === undefined) {
    const why = status.error ?? status.reason
    return {
      text: `${fit(node, nameWidth).padEnd(nameWidth)} ${status.status}${why === undefined ? '' : `: ${why}`}`,
      style: selected ? 'selected' : status.status === 'down' ? 'bad' : 'dim',
    }
  }
  const { limits, rates } = sample
  const percents = Object.values(limits).map(({ percent }) => percent)
  const text = [
    fit(node, nameWidth).padEnd(nameWidth),
    sample.otpRelease.padStart(4),
    duration(sample.uptimeMs).padStart(8),
    String(sample.runQueue).padStart(5),
    (rates === undefined ? '-' : `${Math.round(rates.cpu * 100)}%`).padStart(6),
    (sample.memory === undefined ? '-' : bytes(sample.memory.total)).padStart(9),
    String(limits.processes.used).padStart(8),
    String(sample.links.filter(({ own }) => !own).length).padStart(6),
    ...(wide
      ? [
          short(rates?.reductions),
          short(rates?.inputBytes),
          short(rates?.outputBytes),
          String(limits.atoms.percent),
          String(limits.ports.percent),
        ].map((cell) => cell.padStart(7))
      : []),
  ].join(' ')
  const warn = status.error !== undefined || percents.some((percent) => percent >= WARN_PERCENT)
  return { text, style: selected ? 'selected' : warn ? 'warn' : 'plain' }
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
  const nameWidth = Math.max(16, Math.floor((view.width - 46) / 2))
  const head = [
    'PID'.padEnd(14),
    'NAME OR INITIAL CALL'.padEnd(nameWidth),
    marked('MEMORY', view.by === 'memory').padStart(10),
    marked('RED/S', view.by === 'reductions').padStart(8),
    marked('QUEUE', view.by === 'messageQueueLen').padStart(8),
    ' CURRENT FUNCTION',
  ].join(' ')
  const rows = table.rows.filter((row) =>
    [row.pid, row.registeredName, row.initialCall, row.currentFunction].some((text) =>
      text?.includes(view.filter),
    ),
  )
  return [
    title,
    {
      text: `sampled ${table.sampled} of ${table.total} processes, ${table.fresh} now; list of pids ${duration(table.pidsAgeMs)} old`,
      style: 'dim',
    },
    { text: head, style: 'head' },
    ...rows.map((row): Line => ({
      style: 'plain',
      text: [
        row.pid.padEnd(14),
        fit(row.registeredName ?? row.initialCall ?? '', nameWidth).padEnd(nameWidth),
        bytes(row.memory).padStart(10),
        short(row.reductionsRate).padStart(8),
        String(row.messageQueueLen).padStart(8),
        ` ${row.currentFunction ?? ''}`,
      ].join(' '),
    })),
  ]
}

function eventText({ at, type, node, peer, reason }: TimelineEvent): string {
  const time = new Date(at).toTimeString().slice(0, 8)
  return `${time} ${type} ${node}${peer === undefined ? '' : ` – ${peer}`}${reason === undefined ? '' : ` (${reason})`}`
}

function marked(title: string, is: boolean): string {
  return is ? `${title}▼` : title
}

function fit(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}

/** `1.4M`: three figures of a number of no unit. */
export function short(value: number | undefined): string {
  if (value === undefined) return '-'
  const units = ['', 'k', 'M', 'G', 'T']
  let at = 0
  let rest = value
  while (rest >= 999.5 && at < units.length - 1) {
    rest /= 1_000
    at++
  }
  return `${at === 0 ? Math.round(rest) : rest.toPrecision(3)}${units[at]}`
}

/** `1.5 MiB`. */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let at = 0
  let rest = value
  while (rest >= 1_024 && at < units.length - 1) {
    rest /= 1_024
    at++
  }
  return `${at === 0 ? rest : rest.toFixed(1)} ${units[at]}`
}

/** `3d 4h`, `2h 5m`, `1m 3s`, `7s`. */
export function duration(ms: number): string {
  const seconds = Math.floor(ms / 1_000)
  const units: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ]
  const first = units.findIndex(([count]) => count > 0)
  if (first < 0) return '0s'
  return units
    .slice(first, first + 2)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ')
}
