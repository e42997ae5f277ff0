/** `beampeer top`: watched nodes and their processes, live in a terminal, or once as text or JSON. */
import { Probe } from '../dashboard/probe.js'
import type { ProcessOrder } from '../dashboard/samples.js'
import { cookieOption, type CookieOptions } from './cookie.js'
import { log } from './log.js'
import { serveMetrics } from './metrics.js'
import { untilUnread } from './output.js'
import { untilInterrupted } from './signals.js'
import { render, type Line } from './top-view.js'
import { jsonText } from './visible.js'

export interface TopCommandOptions extends CookieOptions {
  once?: true
  json?: true
  /** Milliseconds. */
  interval: number
  processes?: true
  sort: ProcessOrder
  metrics?: { host: string; port: number }
}

/** Of a table that is written rather than shown. */
const ONCE_WIDTH = 120

/** Exit status 0; with `--once` 1 when a node is not up. */
export async function topCommand(nodes: readonly string[], options: TopCommandOptions): Promise<void> {
  await withProbe(
    await Probe.start(nodes, {
      intervalMs: options.interval,
      logger: { ...log, info: () => undefined, warn: () => undefined },
      ...(await cookieOption(options)),
    }),
    async (probe) => {
      if (options.once === true || options.json === true) return once(probe, options)
      const server = options.metrics && (await serveMetrics({ probe }, options.metrics))
      try {
        if (!process.stdout.isTTY) return await stream(probe, server === undefined)
        const { showTop } = await import('./top-screen.js')
        await showTop(probe, options.sort, nodes.length === 1 ? nodes[0] : undefined)
      } finally {
        await server?.close()
      }
    },
  )
}

async function withProbe(probe: Probe, use: (probe: Probe) => Promise<void>): Promise<void> {
  try {
    await use(probe)
  } finally {
    await probe.stop()
  }
}

/** Waits until each node has rates, or is down, and writes that. */
async function once(probe: Probe, options: TopCommandOptions): Promise<void> {
  const updates = probe.updates()
  const settled = () =>
    probe.statuses().every(({ status, sample }) => status === 'down' || sample?.rates !== undefined)
  while (!settled()) await updates.next()
  const statuses = probe.statuses()
  if (statuses.some(({ status }) => status !== 'up')) process.exitCode = 1
  const tables =
    options.processes === true
      ? await Promise.all(
          statuses
            .filter(({ status }) => status === 'up')
            .map(({ node }) => probe.processes(node, { by: options.sort })),
        )
      : []
  if (options.json === true) {
    console.log(jsonText({ nodes: statuses, ...(options.processes && { processes: tables }) }, 2))
    return
  }
  const view = { statuses, events: [], by: options.sort, filter: '', selected: -1, paused: false }
  const size = { width: ONCE_WIDTH }
  write(render({ ...view, ...size, node: undefined, table: undefined, height: statuses.length + 3 }))
  for (const table of tables)
    write(render({ ...view, ...size, node: table.node, table, height: table.rows.length + 4 }))
}

/** Without the line of keys. */
function write(lines: readonly Line[]): void {
  for (const { text } of lines.slice(0, -1)) console.log(text.trimEnd())
}

/**
 * Not a terminal: a line for each event, until it is interrupted.
 * @param onlyOutput nobody is served once these lines are not read any more (`| head`)
 */
async function stream(probe: Probe, onlyOutput: boolean): Promise<void> {
  const interrupted = onlyOutput ? Promise.race([untilInterrupted(), untilUnread()]) : untilInterrupted()
  const updates = probe.updates()
  void interrupted.then(() => updates.return?.())
  // A node may have been up before anyone listened.
  for (const event of probe.timeline()) console.log(jsonText(event))
  for await (const update of updates) if (update.type === 'event') console.log(jsonText(update.event))
}
