/** The options of a node, checked, with their defaults. */
import { hostname } from 'node:os'
import { ArgumentError } from '../errors.js'
import type { Logger } from '../kernel/kernel.js'
import { parseNodeName, type NodeName } from '../kernel/node-name.js'
import { DEFAULT_LIMITS, type Limits } from '../limits.js'
import type { EpmdMode } from '../net/epmd-service.js'

/** Finds a node without EPMD: the host and distribution port of a node name, or undefined when it knows none. */
export type Resolve = (nodeName: string) => Address | undefined | Promise<Address | undefined>

export interface Address {
  host: string
  port: number
}

export interface NodeOptions {
  /** Default: the environment's BEAMPEER_COOKIE, else the cookie file where erl looks for it (made if there is none). */
  cookie?: string
  /** Make the usual cookie file when there is none, as a BEAM does; default: only for a node with a name. */
  createCookie?: boolean
  /** Cookies of single peers, by node name: one text, or what is shown to and expected of the peer. */
  cookies?: Record<string, string | { out: string; in: string }>
  /** Not shown in the `nodes()` of BEAMs; default true. */
  hidden?: boolean
  /** How the node is found: see docs/epmd.md. `none` needs `resolve` for outgoing connections. Default `auto`. */
  epmd?: EpmdMode | 'none'
  resolve?: Resolve
  /** Where to listen for distribution; default loopback and a free port. */
  listen?: { host?: string; port?: number }
  /** Send and take atoms by their place in a cache of each connection (smaller messages, less work); default true. */
  atomCache?: boolean
  /** Send messages over 64 KiB in fragments, so that others need not wait for them, and take such; default true. */
  fragments?: boolean
  /** Seconds after which a silent peer is down; default 60. */
  netTicktime?: number
  /** Ticks in that time, 4 to 1000; default 4. */
  netTickintensity?: number
  /** Nodes that may connect and be connected (`net_kernel:allow/1`); default all. */
  allow?: readonly string[]
  /** Answer the few functions that tools expect of any node (docs/calling-node.md lists them); default true. */
  standardFunctions?: boolean
  limits?: Partial<Limits>
  /** Default: warnings and errors go to the console's stderr. */
  logger?: Partial<Logger>
  /** Takes what functions print on this node's own group leader; default: standard output. */
  output?: (text: string) => void
  /** Gives lines to those who read from it; default: no input. */
  input?: (prompt: string) => Promise<string | undefined>
}

export interface CheckedOptions {
  name: NodeName | undefined
  /** The host that a peer is asked to name this node at, when it has no name. */
  host: string
  hidden: boolean
  epmd: EpmdMode | 'none'
  resolve: Resolve | undefined
  listen: { host: string; port: number }
  atomCache: boolean
  fragments: boolean
  netTicktimeMs: number
  netTickintensity: number
  limits: Limits
  logger: Logger
}

/** net_ticktime is at most what a 32-bit timer holds. */
const MAX_TICKTIME_SECONDS = 2_000_000

/** @throws ArgumentError `BAD_OPTION`, `BAD_NODE_NAME` */
export function checkOptions(name: string | undefined, options: NodeOptions): CheckedOptions {
  const { hidden = true, epmd = 'auto', netTicktime = 60, netTickintensity = 4, listen = {} } = options
  const bad = (what: string) => new ArgumentError('BAD_OPTION', what)
  if (typeof netTicktime !== 'number' || !(netTicktime > 0) || netTicktime > MAX_TICKTIME_SECONDS) {
    throw bad(`netTicktime is seconds above 0, not ${String(netTicktime)}`)
  }
  if (!Number.isInteger(netTickintensity) || netTickintensity < 4 || netTickintensity > 1000) {
    throw bad(`netTickintensity is an integer from 4 to 1000, not ${String(netTickintensity)}`)
  }
  const port = listen.port ?? 0
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw bad(`listen.port is a port number, not ${String(port)}`)
  const known = typeof epmd === 'object' || ['auto', 'external', 'embedded', 'none'].includes(epmd)
  if (!known) throw bad(`epmd is 'auto', 'external', 'embedded', 'none' or { host, port }, not ${String(epmd)}`)
  if (name === undefined && options.hidden === false) throw bad('a node without a name is hidden')
  if (name === undefined && options.listen !== undefined) throw bad('a node without a name does not listen')
  const shortHost = hostname().split('.')[0] as string
  return {
    name: name === undefined ? undefined : parseNodeName(name.includes('@') ? name : `${name}@${shortHost}`),
    host: shortHost,
    hidden,
    epmd,
    resolve: options.resolve,
    listen: { host: listen.host ?? '127.0.0.1', port },
    atomCache: options.atomCache ?? true,
    fragments: options.fragments ?? true,
    netTicktimeMs: netTicktime * 1000,
    netTickintensity,
    limits: checkLimits(options.limits ?? {}),
    logger: completeLogger(options.logger),
  }
}

function checkLimits(limits: Partial<Limits>): Limits {
  for (const [key, value] of Object.entries(limits)) {
    if (!(key in DEFAULT_LIMITS)) throw new ArgumentError('BAD_OPTION', `there is no limit named ${key}`)
    if (typeof value !== 'number' || !(value >= 0)) {
      throw new ArgumentError('BAD_OPTION', `limits.${key} is a number that is not negative, not ${String(value)}`)
    }
  }
  return { ...DEFAULT_LIMITS, ...limits }
}

function completeLogger(logger: Partial<Logger> | undefined): Logger {
  const nothing = () => {}
  if (logger === undefined) {
    const toStderr = (level: string) => (message: string) => process.stderr.write(`beampeer ${level}: ${message}\n`)
    return { debug: nothing, info: nothing, warn: toStderr('warning'), error: toStderr('error') }
  }
  // The methods are called on their object: loggers such as pino need their `this`.
  return {
    debug: (message) => logger.debug?.(message),
    info: (message) => logger.info?.(message),
    warn: (message) => logger.warn?.(message),
    error: (message) => logger.error?.(message),
  }
}
