/**
 * Who may see a dashboard. The printed link has a token that can be used once: whoever opens it first gets a cookie, and
 * the address without the token. Tokens and cookies are 256 random bits; only their SHA-256 is kept, and compared.
 *
 * Requests must name this server by an IP address, `localhost` or a name that it was told: a page elsewhere whose name
 * was made to point here (DNS rebinding) has another. A browser's WebSocket must come from this server's own page.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import type { Limits } from '../limits.js'

const SECRET_BYTES = 32

export interface AuthOptions {
  readonly limits: Pick<Limits, 'maxDashboardSessions' | 'maxDashboardTokens'>
  /** Names besides `localhost` and IP addresses under which browsers may reach the server, in lower case. */
  readonly hosts: readonly string[]
}

export class Auth {
  readonly #options: AuthOptions
  readonly #hosts: ReadonlySet<string>
  /** Digests of tokens that were not used yet, oldest first. */
  #tokens: Buffer[] = []
  /** Digests of cookies, in hexadecimal; the one that was seen last longest ago is first. */
  readonly #sessions = new Map<string, true>()

  constructor(options: AuthOptions) {
    this.#options = options
    this.#hosts = new Set(['localhost', ...options.hosts])
  }

  /** A token for one sign-in. */
  newToken(): string {
    const token = randomBytes(SECRET_BYTES).toString('base64url')
    this.#tokens.push(digest(token))
    this.#tokens = this.#tokens.slice(-this.#options.limits.maxDashboardTokens)
    return token
  }

  /** A cookie for a token, which is void from then on; undefined for a token that is none. */
  redeem(token: string): string | undefined {
    const given = digest(token)
    // All are compared, whichever it is.
    const found = this.#tokens.filter((known) => timingSafeEqual(known, given))
    if (found.length === 0) return undefined
    this.#tokens = this.#tokens.filter((known) => !found.includes(known))
    const cookie = randomBytes(SECRET_BYTES).toString('base64url')
    this.#sessions.set(digest(cookie).toString('hex'), true)
    if (this.#sessions.size > this.#options.limits.maxDashboardSessions)
      this.#sessions.delete(this.#sessions.keys().next().value as string)
    return cookie
  }

  /** Whether a cookie is one that was given. */
  isSignedIn(cookie: string | undefined): boolean {
    if (cookie === undefined) return false
    const key = digest(cookie).toString('hex')
    if (!this.#sessions.delete(key)) return false
    this.#sessions.set(key, true)
    return true
  }

  /** Whether the request is for this server by its own name. */
  isHostKnown({ host }: IncomingHttpHeaders): boolean {
    const name = hostName(host)
    return name !== undefined && (isIP(name) !== 0 || this.#hosts.has(name))
  }

  /**
   * Whether it comes from this server's own page, by the header `Origin`, which browsers always send with a WebSocket.
   * TLS in front of this server (a proxy) makes it `https`.
   */
  isOwnOrigin({ host, origin }: IncomingHttpHeaders): boolean {
    if (host === undefined || origin === undefined) return false
    const own = host.toLowerCase()
    return origin === `http://${own}` || origin === `https://${own}`
  }
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

/** The name in a header `Host`, without port and brackets, in lower case; undefined for one that is malformed. */
function hostName(host: string | undefined): string | undefined {
  if (host === undefined) return undefined
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::\d{1,5})?$/.exec(host.toLowerCase())
  return match?.[1] ?? match?.[2]
}

/** A cookie by its name. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  for (const part of header?.split(';') ?? []) {
    const equals = part.indexOf('=')
    if (equals > 0 && part.slice(0, equals).trim() === name) return part.slice(equals + 1).trim()
  }
  return undefined
}
