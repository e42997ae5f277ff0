/** `beampeer start`: a node that runs until it is interrupted. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ArgumentError } from '../errors.js'
import type { Dashboard } from '../dashboard/index.js'
import { ErlangNode, Pid, Reference, Tuple, type Process } from '../index.js'
import { cookieOption, type CookieOptions } from './cookie.js'
import { log } from './log.js'
import { serveMetrics } from './metrics.js'
import type { ModuleSpec } from './options.js'
import { fail } from './report.js'
import { untilInterrupted } from './signals.js'

/** How long what is queued for other nodes at the first signal may take to leave. */
const DRAIN_MS = 5_000

export interface StartCommandOptions extends CookieOptions {
  name: string
  hidden?: true
  visible?: true
  epmd: 'auto' | 'embedded' | 'external' | 'none'
  port?: number
  /** Milliseconds. */
  netTicktime?: number
  module: ModuleSpec[]
  metrics?: { host: string; port: number }
  dashboard?: { host: string; port: number }
}

/** A JavaScript file's exports, as the node uses them. */
interface LoadedModule {
  name: string
  functions: Record<string, unknown>
  setUp: ((node: ErlangNode) => unknown) | undefined
}

export async function startCommand(options: StartCommandOptions): Promise<never> {
  try {
    await run(options)
  } catch (error) {
    fail(error)
  }
  // Timers and sockets of the modules would keep the process alive after its node has stopped.
  process.exit()
}

async function run(options: StartCommandOptions): Promise<void> {
  // A module that cannot be loaded should not be noticed only after the name is registered.
  const modules = await Promise.all(options.module.map(load))
  const interrupted = untilInterrupted()
  // What Node.js does about an error that nobody handles stays: it prints it with its stack and ends the process.
  process.on('uncaughtExceptionMonitor', (_error, origin) =>
    log.error(
      origin === 'unhandledRejection'
        ? `a promise was rejected and nobody handles it: this ends ${options.name}`
        : `an error was thrown and nobody handles it: this ends ${options.name}`,
    ),
  )
  const node = await ErlangNode.start(options.name, {
    hidden: options.visible !== true,
    epmd: options.epmd,
    logger: log,
    ...(options.port !== undefined && { listen: { port: options.port } }),
    ...(options.netTicktime !== undefined && { netTicktime: options.netTicktime / 1_000 }),
    ...(await cookieOption(options)),
  })
  let metrics: AsyncDisposable | undefined
  let dashboard: Dashboard | undefined
  try {
    if (options.metrics !== undefined) metrics = await serveMetrics({ node }, options.metrics)
    if (options.dashboard !== undefined) dashboard = await startDashboard(node, options.dashboard)
    for (const { name, functions } of modules)
      if (Object.keys(functions).length > 0) node.expose(name, functions)
    for (const { setUp } of modules) await setUp?.(node)
    if (node.whereis('echo') === undefined) await startEcho(node)
    console.log(`ready ${node.name} ${node.port}`)
    // A secret, which logs should not have.
    if (dashboard !== undefined) console.log(`dashboard ${dashboard.newLink()}`)
    await interrupted
    log.info(`stopping ${node.name}`)
  } finally {
    await dashboard?.close()
    await metrics?.[Symbol.asyncDispose]()
    await node.stop({ drainMs: DRAIN_MS })
  }
}

/** A dashboard of this node and its peers. Each link that was used is followed by another. */
async function startDashboard(node: ErlangNode, where: { host: string; port: number }): Promise<Dashboard> {
  const { serveDashboard } = await import('../dashboard/index.js')
  const quiet = { ...log, info: () => undefined, warn: () => undefined }
  const dashboard: Dashboard = await serveDashboard(node, {
    ...where,
    onSignIn: () => console.log(`dashboard ${dashboard.newLink()}`),
    logger: log,
    probe: { logger: quiet },
  })
  return dashboard
}

async function load({ name, file }: ModuleSpec): Promise<LoadedModule> {
  const path = resolve(file)
  let exports: Record<string, unknown>
  try {
    exports = (await import(pathToFileURL(path).href)) as Record<string, unknown>
  } catch (error) {
    throw new ArgumentError('BAD_OPTION', `--module ${name}=${file}: the file cannot be loaded`, {
      cause: error,
    })
  }
  const { default: setUp, ...named } = exports
  const functions = Object.fromEntries(
    Object.entries(named).filter(([, value]) => typeof value === 'function'),
  )
  if (Object.keys(functions).length === 0 && typeof setUp !== 'function') {
    throw new ArgumentError('BAD_OPTION', `--module ${name}=${file}: the file exports no functions`)
  }
  return {
    name,
    functions,
    setUp: typeof setUp === 'function' ? (setUp as LoadedModule['setUp']) : undefined,
  }
}

/** The process `echo`: `{From, Message}` is answered with `Message`; whatever else it gets, it drops. */
async function startEcho(node: ErlangNode): Promise<void> {
  const echo = node.spawn(async (self: Process) => {
    for await (const message of self) {
      if (!(message instanceof Tuple) || message.size !== 2) continue
      const [from, body] = message.elements
      // A reference may be an alias of the sender's.
      if ((from instanceof Pid || from instanceof Reference) && body !== undefined) self.send(from, body)
    }
  })
  node.register('echo', echo)
}
