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
  /**
   * Where to listen for distribution; default loopback and a free port, or the first free one of a range
   * (`inet_dist_listen_min`, `inet_dist_listen_max`). `false`: do not listen nor register (`dist_listen`); such a node
   * is hidden.
   */
  listen?: false | { host?: string; port?: number; minPort?: number; maxPort?: number }
  /** Distribution over IPv6 (OTP's `-proto_dist inet6_tcp`); default false. */
  inet6?: boolean
  /**
   * Whether a signal to a node sets up a connection (`dist_auto_connect`); `once`: only the first to each node, later
   * ones are made with `connect`. Default `always`; a node without a name never does.
   */
  distAutoConnect?: 'always' | 'once' | 'never'
  /** `name_domain`: the kind of name; for a name without host it says which of this machine's is taken. */
  nameDomain?: 'shortnames' | 'longnames'
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
  /** A visible node connects to all nodes that those it meets know (`connect_all`); default true. */
  connectAll?: boolean
  /**
   * Let go of nodes that others have lost, so that the cluster does not fall into parts that overlap
   * (`prevent_overlapping_partitions`); default true. As `connectAll`, the same on all nodes of a cluster.
   */
  preventOverlappingPartitions?: boolean
  limits?: Partial<Limits>
  /** Default: warnings and errors go to the console's stderr. */
  logger?: Partial<Logger>
  /** Takes what functions print on this node's own group leader; default: standard output. */
  output?: (text: string) => void
  /** Gives lines to those who read from it; default: no input. */
  input?: (prompt: string) => Promise<string | undefined>
}

export interface ListenOptions {
  host: string
  /** Tried from the first to the last; both 0: any. */
  minPort: number
  maxPort: number
}

export interface CheckedOptions {
  name: NodeName | undefined
  /** The host that a peer is asked to name this node at, when it has no name. */
  host: string
  hidden: boolean
  epmd: EpmdMode | 'none'
  resolve: Resolve | undefined
  /** Undefined: not at all. */
  listen: ListenOptions | undefined
  inet6: boolean
  distAutoConnect: 'always' | 'once' | 'never'
  atomCache: boolean
  fragments: boolean
  netTicktimeMs: number
  netTickintensity: number
  limits: Limits
  logger: Logger
}

/** net_ticktime is at most what a 32-bit timer holds. */
const MAX_TICKTIME_SECONDS = 2_000_000

type Check = [isValid: (value: unknown) => boolean, what: string]

const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): boolean => typeof value === 'string'
const YES_OR_NO: Check = [(value) => typeof value === 'boolean', 'true or false']
const FUNCTION: Check = [(value) => typeof value === 'function', 'a function']
/** Checked with what they are, or what they depend on. */
const ELSEWHERE: Check = [() => true, '']

/** What each option is, but for what depends on others. */
const CHECKS: { readonly [key in keyof NodeOptions]-?: Check } = {
  cookie: [isText, 'a string'],
  createCookie: YES_OR_NO,
  cookies: [
    (value) => isObject(value) && Object.values(value as object).every(isCookies),
    'an object of strings, or of { out, in }, by node name',
  ],
  hidden: YES_OR_NO,
  epmd: ELSEWHERE,
  resolve: FUNCTION,
  listen: [(value) => value === false || isObject(value), 'false or an object'],
  inet6: YES_OR_NO,
  distAutoConnect: ELSEWHERE,
  nameDomain: ELSEWHERE,
  atomCache: YES_OR_NO,
  fragments: YES_OR_NO,
  netTicktime: ELSEWHERE,
  netTickintensity: ELSEWHERE,
  allow: [(value) => Array.isArray(value) && value.every(isText), 'an array of strings'],
  standardFunctions: YES_OR_NO,
  connectAll: YES_OR_NO,
  preventOverlappingPartitions: YES_OR_NO,
  limits: [isObject, 'an object'],
  logger: [isObject, 'an object'],
  output: FUNCTION,
  input: FUNCTION,
}

function isCookies(value: unknown): boolean {
  if (isText(value)) return true
  const both = value as { out?: unknown; in?: unknown } | null
  return isObject(both) && isText(both?.out) && isText(both?.in)
}

function checkEach(options: NodeOptions): void {
  if (!isObject(options)) throw new ArgumentError('BAD_OPTION', 'the options of a node are an object')
  for (const [key, value] of Object.entries(options)) {
    if (!Object.hasOwn(CHECKS, key)) throw new ArgumentError('BAD_OPTION', `there is no option ${key}`)
    const [isValid, what] = CHECKS[key as keyof NodeOptions]
    if (value === undefined || isValid(value)) continue
    const isSecret = key === 'cookie' || key === 'cookies'
    const given = isSecret || isObject(value) ? `a value of type ${typeof value}` : JSON.stringify(value)
    throw new ArgumentError('BAD_OPTION', `${key} is ${what}, not ${given}`)
  }
}

/** @throws ArgumentError `BAD_OPTION`, `BAD_NODE_NAME` */
export function checkOptions(name: string | undefined, options: NodeOptions): CheckedOptions {
  checkEach(options)
  if (name !== undefined && typeof name !== 'string')
    throw new ArgumentError('BAD_NODE_NAME', `the name of a node is a string, not ${typeof name}`)
  const {
    epmd = 'auto',
    netTicktime = 60,
    netTickintensity = 4,
    inet6 = false,
    distAutoConnect = 'always',
  } = options
  const bad = (what: string) => new ArgumentError('BAD_OPTION', what)
  if (typeof netTicktime !== 'number' || !(netTicktime > 0) || netTicktime > MAX_TICKTIME_SECONDS) {
    throw bad(`netTicktime is seconds above 0, not ${String(netTicktime)}`)
  }
  if (!Number.isInteger(netTickintensity) || netTickintensity < 4 || netTickintensity > 1000) {
    throw bad(`netTickintensity is an integer from 4 to 1000, not ${String(netTickintensity)}`)
  }
  if (!['always', 'once', 'never'].includes(distAutoConnect)) {
    throw bad(`distAutoConnect is 'always', 'once' or 'never', not ${String(distAutoConnect)}`)
  }
  const known = typeof epmd === 'object' || ['auto', 'external', 'embedded', 'none'].includes(epmd)
  if (!known)
    throw bad(`epmd is 'auto', 'external', 'embedded', 'none' or { host, port }, not ${String(epmd)}`)
  if (name === undefined && options.hidden === false) throw bad('a node without a name is hidden')
  if (name === undefined && typeof options.listen === 'object')
    throw bad('a node without a name does not listen')
  if (options.listen === false && options.hidden === false) throw bad('a node that does not listen is hidden')
  const host = thisHost(options.nameDomain)
  const fullName =
    name === undefined ? undefined : parseNodeName(name.includes('@') ? name : `${name}@${host}`)
  if (fullName !== undefined && options.nameDomain !== undefined && fullName.domain !== options.nameDomain) {
    throw bad(`${fullName.full} is no name of nameDomain ${options.nameDomain}`)
  }
  return {
    name: fullName,
    host,
    hidden: options.hidden ?? true,
    epmd,
    resolve: options.resolve,
    listen:
      name === undefined || options.listen === false ? undefined : checkListen(options.listen ?? {}, inet6),
    inet6,
    distAutoConnect,
    atomCache: options.atomCache ?? true,
    fragments: options.fragments ?? true,
    netTicktimeMs: netTicktime * 1000,
    netTickintensity,
    limits: checkLimits(options.limits ?? {}),
    logger: completeLogger(options.logger),
  }
}

/** This machine's name as a node's host. `inet:gethostname/0` cut at its first dot, or with the domain. */
function thisHost(domain: NodeOptions['nameDomain']): string {
  if (domain !== undefined && domain !== 'shortnames' && domain !== 'longnames') {
    throw new ArgumentError('BAD_OPTION', `nameDomain is 'shortnames' or 'longnames', not ${String(domain)}`)
  }
  const name = hostname()
  return domain === 'longnames' ? name : (name.split('.')[0] as string)
}

function checkListen(
  { host, port, minPort, maxPort }: Exclude<NodeOptions['listen'], false | undefined>,
  inet6: boolean,
): ListenOptions {
  const check = (value: number | undefined, what: string): number => {
    const given = value ?? 0
    if (Number.isInteger(given) && given >= 0 && given <= 65_535) return given
    throw new ArgumentError('BAD_OPTION', `listen.${what} is a port number, not ${String(value)}`)
  }
  const fixed = check(port, 'port')
  if (port !== undefined && (minPort !== undefined || maxPort !== undefined)) {
    throw new ArgumentError('BAD_OPTION', 'listen has either a port, or minPort and maxPort')
  }
  // As with inet_dist_listen_min and _max: one of them alone is the only port.
  const range = {
    minPort: check(minPort ?? maxPort ?? fixed, 'minPort'),
    maxPort: check(maxPort ?? minPort ?? fixed, 'maxPort'),
  }
  if (range.minPort > range.maxPort || (range.minPort === 0 && range.maxPort > 0)) {
    throw new ArgumentError('BAD_OPTION', `listen: no port from ${range.minPort} to ${range.maxPort}`)
  }
  return { host: host ?? (inet6 ? '::1' : '127.0.0.1'), ...range }
}

function checkLimits(limits: Partial<Limits>): Limits {
  for (const [key, value] of Object.entries(limits)) {
    if (!(key in DEFAULT_LIMITS))
      throw new ArgumentError('BAD_OPTION', `limits: there is no limit named ${key}`)
    if (typeof value !== 'number' || !(value >= 0)) {
      throw new ArgumentError(
        'BAD_OPTION',
        `limits.${key} is a number that is not negative, not ${String(value)}`,
      )
    }
  }
  return { ...DEFAULT_LIMITS, ...limits }
}

function completeLogger(logger: Partial<Logger> | undefined): Logger {
  const nothing = () => {}
  if (logger === undefined) {
    const toStderr = (level: string) => (message: string) =>
      process.stderr.write(`beampeer ${level}: ${message}\n`)
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
