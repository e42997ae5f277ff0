/** The dashboard's HTTP and WebSocket, with a recording that stands still for nodes. */
import { mkdir, writeFile } from 'node:fs/promises'
import { request, type IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { CLOSE, DASHBOARD_PROTOCOL, encodeMessage } from '../../../src/dashboard/protocol.js'
import { Replay } from '../../../src/dashboard/replay.js'
import { serveDashboard, type Dashboard, type DashboardOptions } from '../../../src/dashboard/server.js'
import type { Limits } from '../../../src/limits.js'
import {
  headAt,
  Page,
  pageFolder,
  recordingOf,
  removeFolders,
  signIn,
  stateOf,
} from '../../support/dashboard.js'

const open: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
  await removeFolders()
})

async function dashboard(options: DashboardOptions = {}): Promise<Dashboard> {
  const file = await recordingOf([
    headAt(1_000),
    { type: 'states', at: 1_000, nodes: [stateOf('a@host', 1_000)] },
    { type: 'event', at: 1_500, event: { at: 1_500, type: 'nodeup', node: 'a@host' } },
    { type: 'states', at: 9_000, nodes: [stateOf('a@host', 9_000)] },
  ])
  const replay = await Replay.open(file, { paused: true })
  open.push(() => replay.close())
  const served = await serveDashboard(replay, { pageDirectory: await pageFolder(), ...options })
  open.push(() => served.close())
  return served
}

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

function get(
  { port }: Dashboard,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => void chunks.push(chunk))
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      )
    })
      .on('error', reject)
      .end()
  })
}

/** The HTTP status with which a WebSocket is refused; 101 when it is not. */
async function upgrade(
  { port }: Dashboard,
  headers: Record<string, string>,
  path = '/live',
): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers })
  socket.on('error', () => undefined)
  return new Promise((resolve) => {
    socket.once('open', () => {
      socket.terminate()
      resolve(101)
    })
    socket.once('unexpected-response', (_request, response) => {
      resolve(response.statusCode ?? 0)
      socket.terminate()
    })
  })
}

describe('signing in', () => {
  test('a link signs in once, leaves no token in the address, and is void afterwards', async () => {
    let used = 0
    const served = await dashboard({ onSignIn: () => used++ })
    const link = new URL(served.newLink('/nodes/a@host?tab=ets'))
    const first = await get(served, link.pathname + link.search)
    expect(first.status).toBe(303)
    expect(first.headers.location).toBe('/nodes/a@host?tab=ets')
    const [cookie = ''] = first.headers['set-cookie'] ?? []
    expect(cookie).toMatch(
      new RegExp(`^beampeer_${served.port}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Strict$`),
    )
    expect(used).toBe(1)
    const again = await get(served, link.pathname + link.search)
    expect(again.status).toBe(401)
    expect(again.headers['set-cookie']).toBeUndefined()
    const value = cookie.split(';')[0] ?? ''
    expect((await get(served, '/', { cookie: `other=1; ${value}` })).body).toContain('<title>page')
    // A used link is no matter to who is signed in.
    expect(await get(served, link.pathname + link.search, { cookie: value })).toMatchObject({
      status: 303,
      headers: { location: '/nodes/a@host?tab=ets' },
    })
    expect(used).toBe(1)
  })

  test('without a cookie there is nothing to see', async () => {
    const served = await dashboard()
    for (const path of ['/', '/index.html', '/assets/x.js', '/session', '/?token=wrong', '/?token='])
      expect((await get(served, path)).status).toBe(401)
    expect((await get(served, '/', { cookie: `beampeer_${served.port}=${'A'.repeat(43)}` })).status).toBe(401)
    expect((await get(served, '/session', { cookie: await signIn(served) })).status).toBe(204)
  })

  test('looking ahead does not use a link up', async () => {
    const served = await dashboard()
    const { pathname, search } = new URL(served.newLink())
    expect((await get(served, pathname + search, { 'sec-purpose': 'prefetch;prerender' })).status).toBe(401)
    expect((await get(served, pathname + search, {}, 'HEAD')).status).toBe(401)
    expect((await get(served, pathname + search)).status).toBe(303)
  })

  test('links that wait and browsers that are signed in are bounded: the oldest goes', async () => {
    const limits: Partial<Limits> = { maxDashboardTokens: 2, maxDashboardSessions: 2 }
    const served = await dashboard({ limits })
    const [a, b, c] = [1, 2, 3].map(() => new URL(served.newLink()).search) as [string, string, string]
    expect((await get(served, `/${a}`)).status).toBe(401)
    expect((await get(served, `/${b}`)).status).toBe(303)
    expect((await get(served, `/${c}`)).status).toBe(303)
    const [first, second] = [await signIn(served), await signIn(served)]
    expect((await get(served, '/session', { cookie: first })).status).toBe(204)
    // `second` was seen last longest ago now.
    const third = await signIn(served)
    const states = []
    for (const cookie of [first, second, third])
      states.push((await get(served, '/session', { cookie })).status)
    expect(states).toEqual([204, 401, 204])
  })

  test('a link on another site leads to the page, by way of one that asks once more', async () => {
    const served = await dashboard()
    const elsewhere = {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    }
    const first = await get(served, '/nodes', elsewhere)
    expect(first).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } })
    expect(first.body).toContain('http-equiv="refresh"')
    expect((await get(served, '/nodes', { ...elsewhere, 'sec-fetch-site': 'same-origin' })).status).toBe(401)
  })
})

describe('requests from elsewhere', () => {
  test('only names that are this server’s are answered', async () => {
    const served = await dashboard({ allowedHosts: ['Dash.example.com'] })
    const cookie = await signIn(served)
    const status = async (host: string) => (await get(served, '/', { cookie, host })).status
    expect(await status('evil.example.com')).toBe(421)
    expect(await status(`evil.example.com:${served.port}`)).toBe(421)
    expect(await status('localhost.evil.com')).toBe(421)
    expect(await status('bad host')).toBe(421)
    expect(await status('127.0.0.1:9999')).toBe(200)
    expect(await status('LOCALHOST')).toBe(200)
    expect(await status('[::1]:80')).toBe(200)
    expect(await status('dash.example.com')).toBe(200)
  })

  test('a WebSocket is for the own page only', async () => {
    const served = await dashboard()
    const cookie = await signIn(served)
    const own = `http://127.0.0.1:${served.port}`
    expect(await upgrade(served, { cookie, origin: own })).toBe(101)
    expect(await upgrade(served, { cookie, origin: own.replace('http', 'https') })).toBe(101)
    expect(await upgrade(served, { cookie })).toBe(403)
    expect(await upgrade(served, { cookie, origin: 'null' })).toBe(403)
    expect(await upgrade(served, { cookie, origin: 'http://evil.example.com' })).toBe(403)
    expect(await upgrade(served, { cookie, origin: `http://localhost:${served.port}` })).toBe(403)
    expect(
      await upgrade(served, { cookie, origin: 'http://evil.example.com', host: 'evil.example.com' }),
    ).toBe(421)
    expect(await upgrade(served, { origin: own })).toBe(401)
    expect(await upgrade(served, { cookie, origin: own }, '/other')).toBe(404)
  })

  test('what another site embeds or fetches is refused, cookie or not', async () => {
    const served = await dashboard()
    const cookie = await signIn(served)
    const site = { cookie, 'sec-fetch-site': 'cross-site' }
    expect((await get(served, '/', { ...site, 'sec-fetch-mode': 'no-cors' })).status).toBe(403)
    expect(
      (await get(served, '/', { ...site, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' })).status,
    ).toBe(403)
    expect(
      (await get(served, '/', { ...site, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }))
        .status,
    ).toBe(200)
  })

  test('only GET and HEAD, and only paths', async () => {
    const served = await dashboard()
    const cookie = await signIn(served)
    expect((await get(served, '/', { cookie }, 'POST')).status).toBe(405)
    expect(await get(served, '/', { cookie }, 'HEAD')).toMatchObject({ status: 200, body: '' })
    expect((await get(served, '//evil.example.com/?token=x', { cookie })).status).toBe(400)
    expect((await get(served, 'http://evil.example.com/', { cookie })).status).toBe(400)
  })

  test('every answer says what browsers must not do with it', async () => {
    const served = await dashboard()
    const cookie = await signIn(served)
    for (const answer of [
      await get(served, '/'),
      await get(served, '/', { cookie }),
      await get(served, '/x.y', { cookie }),
    ]) {
      const { headers } = answer
      expect(headers['content-security-policy']).toContain("default-src 'none'")
      expect(headers['content-security-policy']).toContain("frame-ancestors 'none'")
      expect(headers['content-security-policy']).not.toContain('unsafe')
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin',
      })
    }
  })
})

test('files: types, compression, caching, deep links, and no way out of the folder', async () => {
  const pageDirectory = await pageFolder()
  await mkdir(join(pageDirectory, 'assets'))
  await writeFile(join(pageDirectory, 'assets', 'main-abc.js'), 'plain')
  await writeFile(join(pageDirectory, 'assets', 'main-abc.js.br'), 'brotli')
  await writeFile(join(pageDirectory, 'assets', 'main-abc.js.gz'), 'gzip')
  await writeFile(join(pageDirectory, 'secret.key'), 'not served')
  const served = await dashboard({ pageDirectory })
  const cookie = await signIn(served)
  const script = await get(served, '/assets/main-abc.js', { cookie, 'accept-encoding': 'gzip, br;q=0.9' })
  expect(script).toMatchObject({
    status: 200,
    body: 'brotli',
    headers: {
      'content-type': 'text/javascript; charset=utf-8',
      'content-encoding': 'br',
      'cache-control': 'private, max-age=31536000, immutable',
      vary: 'Accept-Encoding',
    },
  })
  const encoded = async (accepted: string) =>
    (await get(served, '/assets/main-abc.js', { cookie, 'accept-encoding': accepted })).body
  expect(await encoded('br;q=0, gzip')).toBe('gzip')
  expect(await encoded('identity')).toBe('plain')
  const page = await get(served, '/nodes/a/deep', { cookie })
  expect(page).toMatchObject({
    status: 200,
    headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' },
  })
  const { etag = '' } = page.headers
  expect(await get(served, '/', { cookie, 'if-none-match': `W/${etag}` })).toMatchObject({
    status: 304,
    body: '',
  })
  for (const path of [
    '/secret.key',
    '/missing.js',
    '/../server.ts',
    '/%2e%2e/package.json',
    '/assets/..%2f..%2fetc.html',
  ])
    expect((await get(served, path, { cookie })).status).toBe(404)
})

test('a page that is not there is an error with a code', async () => {
  await expect(dashboard({ pageDirectory: '/nonexistent' })).rejects.toMatchObject({
    code: 'DASHBOARD_NO_PAGE',
  })
  const served = await dashboard()
  await expect(dashboard({ port: served.port })).rejects.toMatchObject({ code: 'DASHBOARD_LISTEN_FAILED' })
})

describe('limits', () => {
  test('requests in a second', async () => {
    const served = await dashboard({ limits: { maxDashboardRequestsPerSecond: 1 } })
    const answers = await Promise.all(Array.from({ length: 20 }, () => get(served, '/')))
    expect(answers.map(({ status }) => status)).toContain(401)
    expect(answers.map(({ status }) => status)).toContain(429)
  })

  test('pages at once', async () => {
    const served = await dashboard({ limits: { maxDashboardClients: 2 } })
    const first = await Page.open(served)
    await Page.open(served)
    const headers = { cookie: await signIn(served), origin: `http://127.0.0.1:${served.port}` }
    expect(await upgrade(served, headers)).toBe(503)
    await first.close()
    while (served.clients > 1) await new Promise((resolve) => setImmediate(resolve))
    expect(await upgrade(served, headers)).toBe(101)
  })

  test('connections at once', async () => {
    const served = await dashboard({ limits: { maxDashboardConnections: 1 } })
    const first = connect(served.port, '127.0.0.1')
    await once(first, 'connect')
    const second = connect(served.port, '127.0.0.1')
    await once(second, 'close')
    first.destroy()
  })

  test('a message’s size', async () => {
    const served = await dashboard({ limits: { maxDashboardMessageBytes: 200 } })
    const page = await Page.open(served)
    const message = (filter: string) =>
      encodeMessage({
        type: 'watch',
        id: 1,
        view: { kind: 'processes', node: 'a@host', by: 'memory', filter, limit: 1 },
      })
    const room = 200 - message('').length - 1
    expect(message('x'.repeat(room)).length).toBe(200)
    page.socket.send(message('x'.repeat(room)))
    await page.until(() => page.messages.some(({ type }) => type === 'view'))
    page.socket.send(message('x'.repeat(room + 1)))
    expect(await page.closed).toBe(1009)
  })

  test('messages in a second', async () => {
    const served = await dashboard({ limits: { maxDashboardMessagesPerSecond: 3 } })
    const page = await Page.open(served)
    // Hello was one. Those of one turn of the event loop come at once, as far as anybody can tell.
    for (let id = 0; id < 10; id++) page.send({ type: 'unwatch', id })
    expect(await page.closed).toBe(CLOSE.tooMany)
  })

  test('views at once', async () => {
    const served = await dashboard({ limits: { maxDashboardViews: 2 } })
    const page = await Page.open(served)
    const watch = (id: number) => page.watch(id, { kind: 'ets', node: 'a@host' })
    watch(1)
    watch(2)
    // One that is replaced is none more.
    watch(2)
    await page.until(
      () => page.mirror.view(1)?.error !== undefined && page.mirror.view(2)?.error !== undefined,
    )
    expect(page.mirror.view(1)?.error?.code).toBe('DASHBOARD_NOT_RECORDED')
    watch(3)
    expect(await page.closed).toBe(CLOSE.tooMany)
  })

  test('questions that wait', async () => {
    const served = await dashboard({ limits: { maxDashboardQuestions: 2 } })
    const page = await Page.open(served)
    for (let id = 0; id < 3; id++) page.send({ type: 'ask', id, question: { kind: 'events', before: 5 } })
    // All three come in one frame or in several: then they were answered in time.
    await Promise.race([
      page.closed,
      page.until(() => page.messages.filter(({ type }) => type === 'reply').length === 3),
    ])
    for (let id = 10; id < 40; id++) page.send({ type: 'control', id, control: { position: 1_000 + id } })
    expect(await page.closed).toBe(CLOSE.tooMany)
  })

  test('the time for a hello', async () => {
    const served = await dashboard({ limits: { dashboardRequestTimeoutMs: 50 } })
    const page = await Page.connect(served)
    expect(await page.closed).toBe(CLOSE.badMessage)
  })
})

describe('a page', () => {
  test('is told everything at hello', async () => {
    const served = await dashboard({ allowActions: true })
    const page = await Page.open(served)
    expect(page.mirror.welcome).toMatchObject({
      version: DASHBOARD_PROTOCOL,
      allowActions: false,
      intervalMs: 1_000,
      at: 1_000,
      firstEvent: 0,
      events: [],
      replay: { position: 1_000, from: 1_000, to: 9_000, paused: true, ended: false },
    })
    expect([...page.mirror.nodes.values()]).toMatchObject([{ node: 'a@host', status: 'up', kind: 'beam' }])
    expect(page.mirror.nodes.get('a@host')).toEqual(JSON.parse(JSON.stringify(stateOf('a@host', 1_000))))
  })

  test.each([
    ['another version', encodeMessage({ type: 'hello', version: DASHBOARD_PROTOCOL + 1 }), CLOSE.version],
    ['no hello', encodeMessage({ type: 'unwatch', id: 1 }), CLOSE.badMessage],
    ['no message', new Uint8Array([0xc1]), CLOSE.badMessage],
    ['nothing', new Uint8Array(), CLOSE.badMessage],
    ['text', 'hello', CLOSE.badMessage],
  ])('that says %s is closed', async (_what, message, code) => {
    const page = await Page.connect(await dashboard())
    page.socket.send(message)
    expect(await page.closed).toBe(code)
  })

  test('gets errors for what there is not, and stays', async () => {
    const page = await Page.open(await dashboard({ allowActions: true }))
    const history = (node: string) =>
      page.ask({ kind: 'history', node, columns: ['cpu'], from: 0, points: 10 })
    expect(await history('no@host')).toMatchObject({ ok: false, error: { code: 'DASHBOARD_UNKNOWN_NODE' } })
    expect(await history('a@host')).toMatchObject({ ok: true, result: { history: { node: 'a@host' } } })
    expect(await page.act({ kind: 'exit', node: 'a@host', pid: '<0.1.0>', reason: 'kill' })).toMatchObject({
      ok: false,
      error: { code: 'DASHBOARD_ACTIONS_OFF' },
    })
    expect(await page.control({ speed: 3 })).toMatchObject({
      ok: false,
      error: { code: 'DASHBOARD_BAD_MESSAGE' },
    })
  })

  test('a signal ends the server, also one that came before', async () => {
    const abort = new AbortController()
    const served = await dashboard({ signal: abort.signal })
    const page = await Page.open(served)
    abort.abort()
    expect(await page.closed).toBe(1001)
    const late = await dashboard({ signal: abort.signal })
    expect(late.port).toBe(0)
  })

  test('is told that the server ends', async () => {
    const served = await dashboard()
    const page = await Page.open(served)
    await served.close()
    expect(await page.closed).toBe(1001)
    expect(page.mirror.closing).toBe(true)
    expect(served.clients).toBe(0)
    await expect(fetch(`http://127.0.0.1:${page.socket.url.split(':')[2]}`)).rejects.toThrow()
  })
})
