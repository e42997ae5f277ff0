/** What moves: load, nodes that die and come back, lost connections, signing in, other sites, replays. */
import { createServer } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import type { Page } from 'playwright-core'
import { Replay } from '../../src/dashboard/replay.js'
import { closeAtEnd, startBeam, uniqueName, until } from '../support/beam.js'
import {
  accessibilityFaults,
  live,
  open,
  openLive,
  startDashboard,
  startProbe,
  startRelay,
  visit,
} from './support.js'

const card = (page: Page, node: string) => page.locator(`.card[data-node="${node}"]`)

/** Waits until a number on the page is as it should be. */
async function figure(page: Page, selector: string, test: (value: number) => boolean): Promise<void> {
  const read = async () => {
    const [, digits = '', letter] = /^([\d.,]+)(k?)/.exec(await page.locator(selector).innerText()) ?? []
    return parseFloat(digits.replace(/,/g, '')) * (letter === 'k' ? 1_000 : 1)
  }
  await until(async () => test(await read()), { what: `the figure of ${selector}`, timeoutMs: 60_000 })
}

const PROCESSES = '.card .card-figures div:first-child dd'
const CPU = '.card .card-sparks div:first-child .value'

test('load on a node is seen; when it is killed it stays, down, with its reason; and it comes back', async () => {
  const name = uniqueName('app')
  const beam = await startBeam({ name })
  const dashboard = await startDashboard(await startProbe([name]))
  const { page, context, complaints } = await openLive(dashboard)
  await figure(page, PROCESSES, (count) => count > 20 && count < 900)
  await beam.evalText('[spawn(fun() -> receive stop -> ok end end) || _ <- lists:seq(1, 900)], ok')
  await figure(page, PROCESSES, (count) => count > 900)
  await beam.evalText('register(burner, spawn(fun Burn() -> lists:sum(lists:seq(1, 10000)), Burn() end)), ok')
  await figure(page, CPU, (percent) => percent > 5)
  expect(await card(page, name).locator('.spark path').count()).toBeGreaterThan(0)

  beam.kill()
  await card(page, name).and(page.locator('[data-status=down]')).waitFor()
  await card(page, name).getByText('connection_closed').waitFor()
  // Its last figures stay.
  await figure(page, PROCESSES, (count) => count > 900)
  expect(await accessibilityFaults(page)).toEqual([])
  await visit(page, `#/nodes/${name}`)
  await page.getByText(/Down for .*connection_closed.*last/).waitFor()
  expect(await accessibilityFaults(page)).toEqual([])
  await visit(page, '#/timeline')
  await page.locator('[data-event=nodedown]', { hasText: 'connection_closed' }).waitFor()

  await startBeam({ name })
  await page.locator('[data-event=nodeup]').nth(1).waitFor()
  await visit(page, '#/')
  await card(page, name).and(page.locator('[data-status=up]')).waitFor()
  await figure(page, PROCESSES, (count) => count < 900)
  expect(complaints).toEqual([])
  await context.close()
})

test('a connection that is cut is made again, and the page goes on where it was', async () => {
  const beam = await startBeam()
  const dashboard = await startDashboard(await startProbe([beam.name]))
  const relay = await startRelay(dashboard.port)
  const link = new URL(dashboard.newLink())
  link.port = String(relay.port)
  const { page, context, complaints } = await open(`${link.href}#/nodes/${beam.name}/processes`, {
    mayComplain: /net::ERR_|WebSocket connection/,
  })
  await live(page)
  await page.locator('tbody tr').first().waitFor()
  relay.cut()
  await page.locator('[data-banner=lost]').waitFor()
  // What was there stays, marked as old.
  await page.locator('main.is-stale tbody tr').first().waitFor()
  expect(await accessibilityFaults(page)).toEqual([])
  relay.mend()
  // It may be made again before there is time to ask for it; then the button is gone.
  const asked = page.getByRole('button', { name: 'Try now' }).click()
  asked.catch(() => undefined)
  await live(page)
  await page.locator('[data-banner=lost]').waitFor({ state: 'detached' })
  await beam.evalText(
    'register(newcomer, spawn(fun() -> lists:seq(1, 100000), receive stop -> ok end end)), ok',
  )
  await page.getByPlaceholder('Filter by pid').fill('newcomer')
  await page.locator('tbody tr', { hasText: 'newcomer' }).waitFor()
  expect(complaints).toEqual([])
  await context.close()
})

test('a server that was started anew asks to sign in again, and a pasted link does', async () => {
  const beam = await startBeam()
  const probe = await startProbe([beam.name])
  const first = await startDashboard(probe)
  const { port } = first
  const { page, context, complaints } = await openLive(first, `#/nodes/${beam.name}/ets`, {
    mayComplain: /net::ERR_|WebSocket connection|401/,
  })
  await page.locator('tbody tr').first().waitFor()
  await first.close()
  await page.getByText('The server has ended.').waitFor()
  const second = await startDashboard(probe, { port })
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  expect(await accessibilityFaults(page)).toEqual([])
  await page.getByRole('textbox').fill(second.newLink())
  await page.getByRole('button', { name: 'Sign in' }).click()
  await live(page)
  await page.locator('tbody tr').first().waitFor()
  expect(page.url()).toBe(`http://127.0.0.1:${port}/#/nodes/${beam.name}/ets`)
  expect(complaints).toEqual([])
  await context.close()
})

test('a link signs in once; without one, or with a wrong one, there is nothing to see', async () => {
  const dashboard = await startDashboard(await startProbe([uniqueName('nobody')]))
  const link = dashboard.newLink()
  const first = await open(link)
  await live(first.page)
  expect(first.page.url()).toBe(dashboard.url)
  expect(await first.context.cookies()).toMatchObject([{ httpOnly: true, sameSite: 'Strict' }])
  expect(await first.page.evaluate(() => document.cookie)).toBe('')
  await first.page.reload()
  await live(first.page)
  for (const address of [
    link,
    dashboard.url,
    `${dashboard.url}?token=guess`,
    `${dashboard.url}assets/x.js`,
  ]) {
    const other = await open(address, { mayComplain: /401/ })
    await other.page.getByText('Not signed in').first().waitFor()
    expect(await other.context.cookies()).toEqual([])
    const socket = await other.page.evaluate(
      (url) =>
        new Promise<string>((resolve) => {
          const tried = new WebSocket(url)
          tried.onopen = () => resolve('open')
          tried.onerror = () => resolve('refused')
        }),
      `${dashboard.url.replace('http', 'ws')}live`,
    )
    expect(socket).toBe('refused')
    await other.context.close()
  }
  expect(first.complaints).toEqual([])
  await first.context.close()
})

test('another site gets nothing, with the cookie in the same browser', async () => {
  const dashboard = await startDashboard(await startProbe([uniqueName('nobody')]))
  const { context } = await openLive(dashboard)
  const elsewhere = createServer((_request, response) =>
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>elsewhere</title>'),
  )
  elsewhere.listen(0, '127.0.0.1')
  closeAtEnd(() => elsewhere.close())
  await once(elsewhere, 'listening')
  const { port } = elsewhere.address() as AddressInfo
  // The first is another site. The second is another origin of the same site, which cookies do not tell apart.
  for (const host of ['localhost', '127.0.0.1']) {
    const page = await context.newPage()
    await page.goto(`http://${host}:${port}/`)
    const outcome = await page.evaluate(async (url) => {
      const socket = new Promise<string>((resolve) => {
        const tried = new WebSocket(`${url.replace('http', 'ws')}live`)
        tried.onopen = () => resolve('open')
        tried.onerror = () => resolve('refused')
      })
      const read = await fetch(url, { credentials: 'include' }).then(
        (response) => response.text(),
        () => 'refused',
      )
      const frame = document.createElement('iframe')
      frame.src = url
      const framed = new Promise<string>((resolve) => {
        frame.onload = () => {
          try {
            resolve(frame.contentDocument === null ? 'refused' : (frame.contentDocument.title ?? 'read'))
          } catch {
            resolve('refused')
          }
        }
      })
      document.body.append(frame)
      return { socket: await socket, read, framed: await framed }
    }, dashboard.url)
    expect([host, outcome]).toEqual([host, { socket: 'refused', read: 'refused', framed: 'refused' }])
    await page.close()
  }
  await context.close()
})

test('a recording is replayed: it says when that was, and stops, goes and jumps', async () => {
  const beam = await startBeam()
  const directory = mkdtempSync(path.join(os.tmpdir(), 'beampeer-replay-'))
  closeAtEnd(() => rmSync(directory, { recursive: true, force: true }))
  const file = path.join(directory, 'session')
  const probe = await startProbe([beam.name])
  const recorded = await startDashboard(probe, { record: file })
  const watching = await openLive(recorded, `#/nodes/${beam.name}/processes`)
  await watching.page.locator('tbody tr').first().waitFor()
  await visit(watching.page, '#/')
  await figure(watching.page, CPU, (percent) => percent >= 0)
  await beam.evalText('[spawn(fun() -> receive stop -> ok end end) || _ <- lists:seq(1, 900)], ok')
  await figure(watching.page, PROCESSES, (count) => count > 900)
  await watching.context.close()
  await recorded.close()
  await beam.stop()

  const replay = await Replay.open(file, { paused: true })
  closeAtEnd(() => replay.close())
  const { page, context, complaints } = await openLive(await startDashboard(replay))
  const bar = page.getByRole('region', { name: 'Replay' })
  await bar.getByRole('button', { name: 'Play' }).waitFor()
  expect(await accessibilityFaults(page)).toEqual([])
  await bar.getByRole('combobox', { name: 'Speed' }).selectOption('5')
  await bar.getByRole('button', { name: 'Play' }).click()
  await figure(page, PROCESSES, (count) => count > 900)
  await bar.getByRole('button', { name: 'Again' }).waitFor()
  // Back to the beginning, standing there.
  const slider = bar.getByRole('slider')
  await slider.focus()
  await page.keyboard.press('Home')
  await until(async () => {
    const [position, first] = await Promise.all([slider.inputValue(), slider.getAttribute('min')])
    return position === first
  })
  // The first moment may be one before the node was first read.
  await until(async () => {
    const shown = await page.locator(PROCESSES).innerText()
    return shown === '–' || parseFloat(shown) < 900
  })
  await bar.getByRole('button', { name: 'Play' }).waitFor()
  expect(complaints).toEqual([])
  await context.close()
})

test('with nothing to show it says so: no node, none that answers, nothing that matches', async () => {
  const empty = await openLive(await startDashboard(await startProbe([])))
  await empty.page.getByText('No node is watched').waitFor()
  await visit(empty.page, '#/cluster')
  await empty.page.getByText('No node is watched').waitFor()
  await visit(empty.page, '#/timeline')
  await empty.page.getByText('Nothing has happened yet').waitFor()
  expect(await accessibilityFaults(empty.page)).toEqual([])
  await empty.context.close()

  const names = Array.from({ length: 6 }, () => uniqueName('nobody'))
  const silent = await openLive(await startDashboard(await startProbe(names)))
  await silent.page.locator('.card[data-status=down]').nth(5).waitFor()
  expect(await accessibilityFaults(silent.page)).toEqual([])
  await silent.page.getByPlaceholder('Filter nodes').fill('zebra')
  await silent.page.getByText('No node has this in its name').waitFor()
  expect(silent.complaints).toEqual([])
  await silent.context.close()
})
