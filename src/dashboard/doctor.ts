/**
 * Why can I not reach this node? Walks from the name to the tick and stops at the first layer that fails, with one line on
 * what it is and one on how to mend it:
 *
 *     name → cookie → host → epmd → registration → port → handshake → tick
 *
 * It looks as a hidden node with a name that the other side gives, so that nothing is disturbed: also a name that is in use
 * is looked up, not tried.
 */
import { lookup } from 'node:dns/promises'
import { ArgumentError, BeampeerError, HandshakeError } from '../errors.js'
import {
  atom,
  CookieError,
  DEFAULT_LIMITS,
  epmdLookup,
  epmdNames,
  ErlangNode,
  parseNodeName,
  readCookieFile,
  usualCookie,
  checkCookie,
  type EpmdNode,
  type Limits,
  type NodeName,
} from '../index.js'
import { cookieAdvice, HANDSHAKE_ADVICE, type Finding } from './doctor-advice.js'
import { reach, speaksTls } from './doctor-port.js'
import { list, name as nameOf, number } from './read-terms.js'

export type DoctorLayer = 'name' | 'cookie' | 'host' | 'epmd' | 'registration' | 'port' | 'handshake' | 'tick'

/** What one layer showed. A warning does not end the walk. */
export interface DoctorStep {
  readonly layer: DoctorLayer
  readonly status: 'ok' | 'warning' | 'failed'
  readonly text: string
  readonly finding?: Finding
  /** What to do about it. */
  readonly mend?: string
}

export interface DoctorOptions {
  cookie?: string
  cookieFile?: string
  /** The name that is to be used with that node: is it of its kind, and free? Default: none. */
  name?: string
  /** Port of the EPMD on the node's host; default ERL_EPMD_PORT, else 4369. */
  epmdPort?: number
  /** Seconds of `net_ticktime` to compare the node's with; default 60. */
  netTicktime?: number
  /** Milliseconds that each step may take; default the limit setupTimeMs. */
  timeoutMs?: number
  limits?: Partial<Limits>
}

class Failed extends Error {
  constructor(
    readonly finding: Finding,
    message: string,
    readonly mend: string,
  ) {
    super(message)
  }
}

/** Distribution protocol version of OTP 23, the oldest that can be talked to. */
const OLDEST_DIST_VERSION = 6

/** Gives each layer's result as it is known; ends after the first that failed. */
export async function* examine(
  node: string,
  options: DoctorOptions = {},
): AsyncGenerator<DoctorStep, void, undefined> {
  const walk = new Walk(node, options)
  try {
    for (const [layer, step] of walk.steps()) {
      try {
        const { text, finding, mend } = await step()
        if (finding === undefined || mend === undefined) yield { layer, status: 'ok', text }
        else yield { layer, status: 'warning', text, finding, mend }
      } catch (error) {
        const failed = known(error)
        yield { layer, status: 'failed', text: failed.message, finding: failed.finding, mend: failed.mend }
        return
      }
    }
  } finally {
    await walk.end()
  }
}

/** Whatever goes wrong while a layer is looked at is a finding, too: the connection may end at any moment. */
function known(error: unknown): Failed {
  if (error instanceof Failed) return error
  if (!(error instanceof BeampeerError)) throw error
  if (error.code === 'EPMD_BAD_REPLY' || error.code === 'EPMD_REPLY_TOO_LARGE')
    return new Failed('epmd-strange', error.message, 'Something else than EPMD listens on that port.')
  return new Failed('other', error.message, `docs/errors.md explains ${error.code}.`)
}

interface Healthy {
  text: string
  finding?: Finding
  mend?: string
}

class Walk {
  readonly #node: string
  readonly #options: DoctorOptions
  readonly #limits: Limits
  readonly #timeoutMs: number
  #name!: NodeName
  #cookie!: string
  #address!: string
  #registered!: EpmdNode
  #identity: ErlangNode | undefined

  constructor(node: string, options: DoctorOptions) {
    this.#node = node
    this.#options = options
    const limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.#timeoutMs = options.timeoutMs ?? limits.setupTimeMs
    this.#limits = { ...limits, epmdReplyTimeoutMs: this.#timeoutMs, setupTimeMs: this.#timeoutMs }
  }

  steps(): (readonly [DoctorLayer, () => Healthy | Promise<Healthy>])[] {
    return [
      ['name', () => this.#checkName()],
      ['cookie', () => this.#checkCookie()],
      ['host', () => this.#checkHost()],
      ['epmd', () => this.#checkEpmd()],
      ['registration', () => this.#checkRegistration()],
      ['port', () => this.#checkPort()],
      ['handshake', () => this.#checkHandshake()],
      ['tick', () => this.#checkTick()],
    ]
  }

  async end(): Promise<void> {
    await this.#identity?.stop()
  }

  #checkName(): Healthy {
    try {
      this.#name = parseNodeName(this.#node)
      if (this.#options.name !== undefined) {
        const own = parseNodeName(this.#options.name)
        if (own.domain !== this.#name.domain) {
          throw new Failed(
            'name-domain',
            `${own.full} has a ${kind(own)} name, ${this.#name.full} a ${kind(this.#name)} one: they can not connect`,
            'Start both with short names (-sname) or both with long names (-name, a host with a dot).',
          )
        }
      }
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error
      throw new Failed(
        'bad-name',
        error.message,
        'A node is named name@host, such as app@127.0.0.1 or app@db1.example.com.',
      )
    }
    return { text: `${this.#node} is a ${kind(this.#name)} name` }
  }

  async #checkCookie(): Promise<Healthy> {
    const { cookie, cookieFile } = this.#options
    try {
      if (cookie !== undefined) this.#cookie = checkCookie(cookie, 'option cookie')
      else if (cookieFile !== undefined) this.#cookie = await readCookieFile(cookieFile)
      else if (process.env.BEAMPEER_COOKIE !== undefined)
        this.#cookie = checkCookie(process.env.BEAMPEER_COOKIE, 'BEAMPEER_COOKIE')
      else this.#cookie = await usualCookie()
    } catch (error) {
      if (!(error instanceof CookieError)) throw error
      const [finding, mend] = cookieAdvice(error)
      throw new Failed(finding, error.message, mend)
    }
    // Never the cookie itself: what doctor prints is sent to others.
    return { text: `a cookie of ${this.#cookie.length} characters` }
  }

  async #checkHost(): Promise<Healthy> {
    const { host } = this.#name
    try {
      const found = await lookup(host)
      this.#address = found.address
      return { text: found.address === host ? host : `${host} is ${found.address}` }
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code ?? String(error)
      throw new Failed(
        'host-unknown',
        `the host ${host} cannot be resolved (${why})`,
        this.#name.domain === 'shortnames'
          ? 'Add it to /etc/hosts or DNS, or use the name with the domain if that node runs with -name.'
          : 'Check its spelling, DNS and /etc/hosts.',
      )
    }
  }

  #epmdQuery() {
    const { epmdPort } = this.#options
    return { limits: this.#limits, ...(epmdPort === undefined ? {} : { port: epmdPort }) }
  }

  async #checkEpmd(): Promise<Healthy> {
    try {
      const names = await epmdNames(this.#address, {
        ...this.#epmdQuery(),
        signal: AbortSignal.timeout(this.#timeoutMs),
      })
      return { text: `EPMD knows ${names.map(({ name }) => name).join(', ') || 'no node'}` }
    } catch (error) {
      const silent = (error as Error).name === 'TimeoutError' || codeOf(error) === 'EPMD_TIMEOUT'
      if (silent)
        throw new Failed(
          'epmd-silent',
          `EPMD on ${this.#name.host} does not answer within ${this.#timeoutMs} ms`,
          'A firewall that drops packets? Open port 4369 (or ERL_EPMD_PORT), or check the address of the host.',
        )
      if (codeOf(error) === 'EPMD_UNREACHABLE')
        throw new Failed(
          'epmd-unreachable',
          (error as Error).message,
          'No EPMD runs there: a node started with a name starts one; `beampeer epmd` runs one; ERL_EPMD_PORT names another port.',
        )
      throw error
    }
  }

  async #checkRegistration(): Promise<Healthy> {
    const { alive, host } = this.#name
    const found = await epmdLookup(alive, this.#address, this.#epmdQuery())
    if (found === undefined) {
      const names = await epmdNames(this.#address, this.#epmdQuery())
      const known = names.map(({ name }) => name).join(', ')
      throw new Failed(
        'not-registered',
        `EPMD on ${host} does not know ${alive}${known === '' ? '' : `; it knows ${known}`}`,
        'Is the node running, with this name, and with the same EPMD? `beampeer names HOST` lists what it knows.',
      )
    }
    if (found.highestVersion < OLDEST_DIST_VERSION) {
      throw new Failed(
        'too-old',
        `${this.#node} speaks version ${found.highestVersion} of the distribution protocol: OTP 22 or older`,
        'Upgrade that node to OTP 23 or later.',
      )
    }
    this.#registered = found
    return { text: `${alive} listens on port ${found.port}` }
  }

  async #checkPort(): Promise<Healthy> {
    const { port } = this.#registered
    const started = performance.now()
    const outcome = await reach(this.#address, port, this.#timeoutMs)
    const where = `${this.#name.host}:${port}`
    if (outcome === 'open')
      return { text: `${where} accepts connections (${Math.round(performance.now() - started)} ms)` }
    if (outcome === 'silent')
      throw new Failed(
        'port-silent',
        `port ${where} does not answer within ${this.#timeoutMs} ms`,
        'A firewall drops packets: open the port, and fix it with inet_dist_listen_min and inet_dist_listen_max.',
      )
    throw new Failed(
      'port-refused',
      `port ${where} cannot be reached (${outcome})`,
      'The node has just ended, listens on another address (inet_dist_use_interface), or a firewall refuses.',
    )
  }

  async #checkHandshake(): Promise<Healthy> {
    this.#identity = await ErlangNode.start(undefined, {
      cookie: this.#cookie,
      epmd: 'none',
      resolve: () => ({ host: this.#address, port: this.#registered.port }),
      standardFunctions: false,
      limits: this.#limits,
      logger: { warn: () => undefined, info: () => undefined },
    })
    try {
      await this.#identity.dial(this.#node)
    } catch (error) {
      throw await this.#handshakeFailure(error)
    }
    const { name } = this.#options
    if (name !== undefined) {
      const nodes = list(
        await this.#identity.erpc.call(this.#node, 'erlang', 'nodes', [atom('connected')], {
          timeoutMs: this.#timeoutMs,
        }),
      )
      if (nodes.some((peer) => nameOf(peer) === name))
        throw new Failed(
          'already-connected',
          `${this.#node} is connected to a node named ${name} already`,
          'Two nodes cannot have one name: stop the other, or choose another name.',
        )
    }
    return { text: `connected: cookie and flags fit (it named us ${this.#identity.name})` }
  }

  async #handshakeFailure(error: unknown): Promise<unknown> {
    if (!(error instanceof BeampeerError)) return error
    const known = HANDSHAKE_ADVICE[error.code]
    if (error.code === 'HANDSHAKE_WRONG_NODE') {
      return new Failed(
        'wrong-name',
        error.message,
        'Use that name: short (-sname) and long (-name) names of one host differ, and only the one it runs with works.',
      )
    }
    if (known !== undefined) {
      const missing = error instanceof HandshakeError ? error.missingFlags : []
      const flags = missing.length === 0 ? '' : ` (${missing.join(', ')})`
      return new Failed(
        known[0],
        error.message.includes(flags.trim()) ? error.message : error.message + flags,
        known[1],
      )
    }
    if (await speaksTls(this.#address, this.#registered.port, this.#timeoutMs))
      return new Failed(
        'tls-required',
        `${this.#node} wants TLS: it runs with -proto_dist inet_tls`,
        'Connect with TLS and a certificate that it trusts: option `tls`.',
      )
    if (error.code === 'HANDSHAKE_TIMEOUT' || error.code === 'NODE_CONNECT_TIMEOUT')
      return new Failed(
        'no-answer',
        error.message,
        'The port is open but nothing answers as a node does: is it suspended, overloaded, or behind a proxy?',
      )
    return new Failed(
      'handshake-failed',
      error.message,
      'Its own log may tell why. A node that hangs up without a word often has another cookie.',
    )
  }

  async #checkTick(): Promise<Healthy> {
    const { netTicktime = 60 } = this.#options
    const started = performance.now()
    const answer = await this.#identity!.erpc.call(this.#node, 'net_kernel', 'get_net_ticktime', [], {
      timeoutMs: this.#timeoutMs,
    })
    const seconds = number(answer)
    const text = `net_ticktime ${seconds ?? String(answer)} s, a call takes ${Math.round(performance.now() - started)} ms`
    if (seconds === undefined || seconds === netTicktime) return { text }
    return {
      text,
      finding: 'ticktime-differs',
      mend: `The other side has ${netTicktime} s: with different values one drops the other. Give all nodes the same.`,
    }
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof BeampeerError ? error.code : undefined
}

function kind({ domain }: NodeName): string {
  return domain === 'longnames' ? 'long' : 'short'
}
