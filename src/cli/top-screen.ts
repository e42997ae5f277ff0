/** The screen and keys of `beampeer top`, with terminal-kit: only cells that changed are drawn. */
import terminalKit from 'terminal-kit'
import type { Probe, ProcessOrder } from '../dashboard/index.js'
import { untilInterrupted } from './signals.js'
import { TopState } from './top-state.js'
import { render, type Line } from './top-view.js'

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
export async function showTop(probe: Probe, sort: ProcessOrder, node: string | undefined): Promise<void> {
  const terminal = terminalKit.terminal
  const styles = process.env.NO_COLOR ? PLAIN : COLOURED
  const size = () => ({ width: process.stdout.columns, height: process.stdout.rows })
  let end: () => void = () => undefined
  const ended = new Promise<void>((resolve) => (end = resolve))
  let over = false

  const makeBuffer = () => new terminalKit.ScreenBuffer({ dst: terminal, ...size() })
  let buffer = makeBuffer()
  const draw = () => {
    // What was read last may come when the terminal is no longer ours.
    if (over) return
    const { view } = state
    buffer.fill({ char: ' ', attr: {} })
    render(view).forEach(({ text, style }, y) =>
      buffer.put({ x: 0, y, attr: styles[style], wrap: false, dx: 1, dy: 0 }, '%s', text.padEnd(view.width)),
    )
    buffer.draw({ delta: true })
  }
  const state = new TopState({ probe, sort, node, size, changed: draw, end })
  const onKey = (key: string) => state.key(key)
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
    for await (const update of updates)
      state.polled(update.type === 'status' ? update.status.node : undefined)
  })()
  try {
    draw()
    state.refresh()
    await Promise.race([ended, untilInterrupted()])
  } finally {
    over = true
    await updates.return?.()
    await follow
    process.stdout.off('resize', onResize)
    terminal.off('key', onKey)
    terminal.grabInput(false)
    terminal.hideCursor(false)
    terminal.fullscreen(false)
  }
}
