/**
 * The dashboard in a real browser: starts it over real nodes, opens pages, and keeps what a page complains of.
 */
import type axeCore from 'axe-core'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { chromium as driver, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { Probe, type ProbeOptions } from '../../src/dashboard/probe.js'
import { serveDashboard, type Dashboard, type DashboardOptions } from '../../src/dashboard/server.js'
import { closeAtEnd, cookie, privateEpmd } from '../support/beam.js'
import { chromium, CHROMIUM_SWITCHES } from '../support/chromium.js'
import { build } from '../support/cli.js'

export const PAGE_DIRECTORY = resolve('lib/dashboard/web')

let browser: Promise<Browser> | undefined

/** One for the test file; each page has a profile of its own. */
export function startBrowser(): Promise<Browser> {
  browser ??= driver.launch({ executablePath: chromium(), args: CHROMIUM_SWITCHES }).then((started) => {
    closeAtEnd(() => started.close())
    return started
  })
  return browser
}

/** A probe in this process that looks often. */
export async function startProbe(nodes: readonly string[], options: ProbeOptions = {}): Promise<Probe> {
  const probe = await Probe.start(nodes, {
    cookie,
    epmd: { host: '127.0.0.1', port: await privateEpmd() },
    intervalMs: 200,
    ...options,
  })
  closeAtEnd(() => probe.stop())
  return probe
}

/** Serves the page that was built, which is built first when it is older than its source. */
export async function startDashboard(
  of: Parameters<typeof serveDashboard>[0],
  options: DashboardOptions = {},
): Promise<Dashboard> {
  build()
  const dashboard = await serveDashboard(of, { pageDirectory: PAGE_DIRECTORY, ...options })
  closeAtEnd(() => dashboard.close())
  return dashboard
}

export interface OpenOptions {
  readonly width?: number
  readonly height?: number
  readonly theme?: 'light' | 'dark'
  /** What the browser may complain of in this test. */
  readonly mayComplain?: RegExp
}

export interface Opened {
  readonly page: Page
  readonly context: BrowserContext
  /** Errors and warnings of the console, exceptions, and violations of the content security policy. */
  readonly complaints: string[]
}

/** A new browser profile with a page at an address. */
export async function open(url: string, options: OpenOptions = {}): Promise<Opened> {
  const { width = 1_280, height = 900, theme = 'light', mayComplain } = options
  const context = await (
    await startBrowser()
  ).newContext({ viewport: { width, height }, colorScheme: theme, reducedMotion: 'reduce' })
  const page = await context.newPage()
  const complaints: string[] = []
  const complain = (text: string) => {
    if (mayComplain === undefined || !mayComplain.test(text)) complaints.push(text)
  }
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complain(`${message.type()}: ${message.text()}`)
  })
  page.on('pageerror', (error) => complain(`exception: ${error.stack ?? error.message}`))
  await page.goto(url)
  return { page, context, complaints }
}

/** Opens a link that signs in, at a view, and waits until it is live. */
export async function openLive(dashboard: Dashboard, view = '', options: OpenOptions = {}): Promise<Opened> {
  const opened = await open(`${dashboard.newLink()}${view}`, options)
  await live(opened.page)
  return opened
}

export async function live(page: Page): Promise<void> {
  await page.locator('main[data-state=live]').waitFor()
}

/** Goes to a view of the page without loading it again. */
export async function visit(page: Page, view: string): Promise<void> {
  await page.evaluate((hash) => {
    window.location.hash = hash
  }, view)
}

const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')

/** What axe-core finds wrong, as a line each. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(axeSource)
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof axeCore }
    const { violations } = await axe.run(document, { resultTypes: ['violations'] })
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary ?? ''}`),
    )
  })
}

/** A line between browser and server that can be cut. */
export async function startRelay(port: number): Promise<{ port: number; cut(): void; mend(): void }> {
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer((near) => {
    if (isCut) return void near.destroy()
    const far = connect(port, '127.0.0.1')
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.once('close', () => {
        sockets.delete(socket)
        near.destroy()
        far.destroy()
      })
    }
    near.pipe(far).pipe(near)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    isCut = true
    for (const socket of sockets) socket.destroy()
  }
  closeAtEnd(() => {
    cut()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, cut, mend: () => void (isCut = false) }
}
