/**
 * The dashboard's HTTP: signing in, the page's files, and who may open a WebSocket. Nothing is answered to a request that
 * names another host, and nothing but the way in to a browser that is not signed in.
 */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { readCookie, type Auth } from './auth.js'
import { LIVE_PATH } from './protocol.js'
import type { Rate } from './rate.js'
import type { StaticFiles } from './static-files.js'

const SECURITY_HEADERS = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
} as const

/** Answers whether a browser is signed in: after a lost connection the page asks what to say. */
const SESSION_PATH = '/session'

export interface HttpOptions {
  readonly auth: Auth
  readonly files: StaticFiles
  readonly rate: Rate
  /** A token was used. */
  onSignIn(): void
  /** Has the port in it: cookies are shared by all ports of a host. */
  cookieName(): string
}

export class DashboardHttp {
  readonly #options: HttpOptions

  constructor(options: HttpOptions) {
    this.#options = options
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const { auth, files, rate } = this.#options
    const answer = (status: number, headers: OutgoingHttpHeaders = {}, body: string | Buffer = '') => {
      response.writeHead(status, {
        ...SECURITY_HEADERS,
        'Content-Length': Buffer.byteLength(body),
        ...headers,
      })
      response.end(request.method === 'HEAD' ? undefined : body)
    }
    if (!rate.take()) return answer(429, { 'Retry-After': '1' })
    if (!auth.isHostKnown(request.headers)) return answer(421, TEXT, UNKNOWN_HOST)
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, { Allow: 'GET, HEAD' })
    const url = urlOf(request)
    if (url === undefined) return answer(400)
    const token = url.searchParams.get('token')
    if (token !== null && request.method === 'GET' && !isPrefetch(request)) {
      const cookie = auth.redeem(token)
      url.searchParams.delete('token')
      const location = { Location: `${url.pathname}${url.search}`, 'Cache-Control': 'no-store' }
      // A link that was opened before is no matter to a browser that has its cookie already.
      if (cookie !== undefined) {
        this.#options.onSignIn()
        return answer(303, { ...location, 'Set-Cookie': this.#cookie(cookie) })
      }
      if (this.#isSignedIn(request)) return answer(303, location)
      return answer(401, HTML, UNAUTHORISED)
    }
    if (!this.#isSignedIn(request)) {
      // A link on another site comes without the cookie, which is SameSite=Strict: from here it has it.
      if (isNavigationFromElsewhere(request)) return answer(200, HTML, ONCE_MORE)
      return answer(401, HTML, UNAUTHORISED)
    }
    if (isFromElsewhere(request)) return answer(403)
    if (url.pathname === SESSION_PATH) return answer(204, { 'Cache-Control': 'no-store' })
    const { headers } = request
    const file = files.find(
      url.pathname,
      headers['accept-encoding'] as string | undefined,
      headers['if-none-match'],
    )
    answer(file.status, file.headers, file.body)
  }

  /** Why a WebSocket is not to be opened: an HTTP status; undefined when it may be. */
  refusal(request: IncomingMessage): number | undefined {
    const { auth, rate } = this.#options
    if (!rate.take()) return 429
    if (!auth.isHostKnown(request.headers)) return 421
    if (!auth.isOwnOrigin(request.headers)) return 403
    if (urlOf(request)?.pathname !== LIVE_PATH) return 404
    return this.#isSignedIn(request) ? undefined : 401
  }

  #isSignedIn(request: IncomingMessage): boolean {
    return this.#options.auth.isSignedIn(readCookie(request.headers.cookie, this.#options.cookieName()))
  }

  #cookie(value: string): string {
    return `${this.#options.cookieName()}=${value}; Path=/; HttpOnly; SameSite=Strict`
  }
}

/** Ends a connection that asked for a WebSocket. */
export function refuseUpgrade(socket: Duplex, status: number): void {
  socket.on('error', () => undefined)
  socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

/** Only its path and query count. */
function urlOf(request: IncomingMessage): URL | undefined {
  const { url = '' } = request
  // `//host/path` would name another host in `Location`.
  return url.startsWith('/') && !url.startsWith('//') && URL.canParse(url, 'http://localhost')
    ? new URL(url, 'http://localhost')
    : undefined
}

/** A browser that only looks ahead must not use the token up. */
function isPrefetch({ headers }: IncomingMessage): boolean {
  return /prefetch|prerender/.test(`${String(headers['sec-purpose'])} ${String(headers.purpose)}`)
}

/** What browsers say of their requests; other programs say nothing. */
function isFromElsewhere({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site']
  return (
    (site === 'cross-site' || site === 'same-site') &&
    (headers['sec-fetch-mode'] !== 'navigate' || headers['sec-fetch-dest'] !== 'document')
  )
}

function isNavigationFromElsewhere({ headers }: IncomingMessage): boolean {
  return headers['sec-fetch-site'] === 'cross-site' && headers['sec-fetch-mode'] === 'navigate'
}

const TEXT = { 'Content-Type': 'text/plain; charset=utf-8' }
const HTML = { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' }
const UNKNOWN_HOST = 'This server is not known by that name. --allow-host NAME makes it known.\n'
const UNAUTHORISED = page(
  'Not signed in',
  `<p>This is a <strong>beampeer</strong> dashboard. Open it with the link that it printed when it was started: the link has a token
that can be used once.</p>
<p>Was the link used already, or the dashboard started anew? Its terminal shows another link.</p>`,
)
const ONCE_MORE = page(
  'One moment',
  '<p>Opening the dashboard …</p>',
  '<meta http-equiv="refresh" content="0">',
)

function page(title: string, body: string, head = ''): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">${head}
<title>${title} · beampeer</title></head><body><main><h1>${title}</h1>
${body}
</main></body></html>
`
}
