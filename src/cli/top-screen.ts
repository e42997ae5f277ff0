/** The screen and keys of `beampeer top`, with terminal-kit: only cells that changed are drawn. */
import terminalKit from 'terminal-kit'
import type { Probe, ProcessOrder, ProcessTable } from '../dashboard/index.js'
import { untilInterrupted } from './signals.js'
import { fleetNodes, render, sorted, type Line, type View } from './top-view.js'

const PROCESS_ROWS = 200
const ORDERS: Readonly<Record<string, ProcessOrder>> = { m: 'memory', r: 'reductions', l: 'messageQueueLen' }

type Attributes = Record<string, unknown>
const COLOURED: Readonly<Record<Line['style'], Attributes>> = {
  title: { bold: true, color: 'brightWhite' },
  head: { bold: true, color: 'black', bgColor: 'cyan' },
  plain: {},
  selected: { bold: true, color: 'black', bgColor: 'white' },
  bad: { color: 'red' },
  warn: { color: 'yellow' },
  dim: { dim: true },
}
/** NO_COLOR: what is selected or bad is told by weight. */
const PLAIN: Readonly<Record<Line['style'], Attributes>> = {
  ...COLOURED,
  title: { bold: true },
  head: { inverse: true },
  selected: { inverse: true },
  bad: { bold: true },
  warn: { bold: true },
}

/** Shows until `q` or an interrupt. */
export async function showTop(probe: Probe, sort: ProcessOrder, first: string | undefined): Promise<void> {
  const terminal = terminalKit.terminal
  const styles = process.env.NO_COLOR ? PLAIN : COLOURED
  let node = first
  let by = sort
  let filter = ''
  let typing = false
  let selected = 0
  let paused = false
  let table: ProcessTable | undefined
  let seen: Pick<View, 'statuses' | 'events'> = { statuses: [], events: [] }
  let end: () => void = () => undefined
  const ended = new Promise<void>((resolve) => (end = resolve))

  const makeBuffer = () =>
    new terminalKit.ScreenBuffer({
      dst: terminal,
      width: process.stdout.columns,
      height: process.stdout.rows,
    })
  let buffer = makeBuffer()
  const draw = () => {
    const { columns: width, rows: height } = process.stdout
    if (!paused) seen = { statuses: probe.statuses(), events: [...probe.timeline()] }
    const view = {
      ...seen,
      node,
      table,
      by,
      filter,
      typing,
      selected,
      paused,
    }
    buffer.fill({ char: ' ', attr: {} })
    render({ ...view, width, height }).forEach(({ text, style }, y) =>
      buffer.put({ x: 0, y, attr: styles[style], wrap: false, dx: 1, dy: 0 }, '%s', text.padEnd(width)),
    )
    buffer.draw({ delta: true })
  }
  const readTable = async () => {
    const wanted = node
    if (wanted === undefined) return
    // A node that goes down meanwhile is told by its status.
    const read = await probe.processes(wanted, { by, limit: PROCESS_ROWS }).catch(() => undefined)
    if (wanted === node && read !== undefined && !paused) table = read
  }
  const refresh = () => void readTable().then(draw)
  const show = (wanted: string | undefined) => {
    node = wanted
    table = undefined
    filter = ''
    draw()
    refresh()
  }
  const onKey = (key: string) => {
    if (key === 'CTRL_C') return end()
    if (typing) {
      if (key === 'ENTER' || key === 'ESCAPE') typing = false
      if (key === 'ESCAPE') filter = ''
      else if (key === 'BACKSPACE') filter = filter.slice(0, -1)
      else if (key.length === 1) filter += key
      return draw()
    }
    const nodes = fleetNodes({ ...seen, filter })
    if (key === 'q') return end()
    if (key === '/') typing = true
    else if (key === 'p') paused = !paused
    else if (key === 'UP') selected = Math.max(0, selected - 1)
    else if (key === 'DOWN') selected = Math.min(nodes.length - 1, selected + 1)
    else if (key === 'ENTER' && node === undefined) return show(nodes[selected])
    else if (key === 'ESCAPE' && node !== undefined) return show(undefined)
    else if (ORDERS[key] !== undefined) {
      by = ORDERS[key]
      if (paused) table = table && sorted(table, by)
      else refresh()
    }
    draw()
  }
  const onResize = () => {
    terminal.clear()
    buffer = makeBuffer()
    draw()
  }

  terminal.fullscreen(true)
  terminal.hideCursor()
  terminal.grabInput(true)
  terminal.on('key', onKey)
  process.stdout.on('resize', onResize)
  const updates = probe.updates()
  const follow = (async () => {
    for await (const update of updates) {
      if (paused) continue
      if (update.type === 'status' && update.status.node === node) refresh()
      else draw()
    }
  })()
  try {
    draw()
    refresh()
    await Promise.race([ended, untilInterrupted()])
  } finally {
    await updates.return?.()
    await follow
    process.stdout.off('resize', onResize)
    terminal.off('key', onKey)
    terminal.grabInput(false)
    terminal.hideCursor(false)
    terminal.fullscreen(false)
  }
}
