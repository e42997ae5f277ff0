/** `beampeer dashboard`: watched nodes, or a recording, in a browser. */
import type { Dashboard } from '../dashboard/index.js'
import { cookieOption, type CookieOptions } from './cookie.js'
import { log } from './log.js'
import { untilInterrupted } from './signals.js'

export interface DashboardCommandOptions extends CookieOptions {
  host?: string
  port?: number
  allowHost: string[]
  allowActions?: true
  /** Milliseconds. */
  interval: number
  record?: string
  replay?: string
}

/** A long recording takes a while; on a terminal that is seen. */
function showProgress(share: number): void {
  if (process.stderr.isTTY)
    process.stderr.write(`\rreading the recording: ${Math.floor(share * 100)} %${share < 1 ? '' : '\n'}`)
}

/** Exit status 0 when it was interrupted. @param nodes none with `replay`, which the command line sees to */
export async function dashboardCommand(
  nodes: readonly string[],
  options: DashboardCommandOptions,
): Promise<void> {
  const { Probe, Replay, serveDashboard } = await import('../dashboard/index.js')
  const interrupted = untilInterrupted()
  const source =
    options.replay === undefined
      ? await Probe.start(nodes, {
          intervalMs: options.interval,
          logger: { ...log, info: () => undefined, warn: () => undefined },
          ...(await cookieOption(options)),
        })
      : await Replay.open(options.replay, { onProgress: showProgress })
  try {
    await using dashboard: Dashboard = await serveDashboard(source, {
      ...(options.host !== undefined && { host: options.host }),
      ...(options.port !== undefined && { port: options.port }),
      ...(options.record !== undefined && { record: options.record }),
      allowedHosts: options.allowHost,
      allowActions: options.allowActions === true,
      onSignIn: () => console.log(`link ${dashboard.newLink()}`),
      logger: log,
    })
    console.log(`ready ${dashboard.newLink()}`)
    await interrupted
  } finally {
    await (source instanceof Probe ? source.stop() : source.close())
  }
}
