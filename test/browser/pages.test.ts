/** Every page of the dashboard over real nodes: what it shows, that it is accessible, and that nothing complains. */
import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import type { Page } from 'playwright-core'
import type { Probe } from '../../src/dashboard/probe.js'
import type { Dashboard } from '../../src/dashboard/server.js'
import { startBeam, type Beam } from '../support/beam.js'
import {
  accessibilityFaults,
  openLive,
  PAGE_DIRECTORY,
  startDashboard,
  startProbe,
  visit,
} from './support.js'

let one: Beam
let two: Beam
let probe: Probe
let dashboard: Dashboard

beforeAll(async () => {
  ;[one, two] = (await Promise.all([startBeam(), startBeam()])) as [Beam, Beam]
  await one.eval(`net_kernel:connect_node('${two.name}')`)
  await one.evalText(
    `Keep = spawn(fun() -> ets:new(shelf, [named_table]), [ets:insert(shelf, {N, N}) || N <- lists:seq(1, 100)],
       put(colour, green), receive stop -> ok end end), register(keeper, Keep)`,
  )
  probe = await startProbe([one.name, two.name])
  dashboard = await startDashboard(probe, { allowActions: true })
})

/** Each view, and the text by which it is known to be there with its figures. */
const views = (): [name: string, hash: string, sign: RegExp][] => {
  const node = `#/nodes/${one.name}`
  return [
    ['fleet', '#/', /2 of 2[\s\S]*nearest limit/],
    ['cluster', '#/cluster', /2 nodes, 1 link/],
    ['timeline', '#/timeline', /node up/],
    ['node', node, /Garbage collections[\s\S]*of 262,144/],
    ['processes', `${node}/processes`, /All \d+ processes looked at/],
    ['process', `${node}/processes/%3C0.0.0%3E`, /init[\s\S]*Monitored by/],
    ['supervision', `${node}/supervision?open=kernel`, /kernel[\s\S]*logger_sup/],
    ['ets', `${node}/ets?filter=shelf`, /shelf\s+100/],
    ['ports', `${node}/ports`, /Sockets[\s\S]*tcp/],
    ['applications', `${node}/applications`, /stdlib[\s\S]*library/],
    ['no such node', '#/nodes/nobody@nowhere', /not watched/],
    ['no such view', '#/nothing/at/all', /no such view/],
  ]
}

const text = (page: Page, sign: RegExp) =>
  page.waitForFunction(
    ([source]) => new RegExp(source as string).test(document.querySelector('main')?.innerText ?? ''),
    [sign.source],
  )

test.each([
  ['light', 1_280],
  ['dark', 1_280],
  ['light', 390],
  ['dark', 390],
] as const)('every view in %s at %d pixels: there, accessible, without complaint', async (theme, width) => {
  const { page, context, complaints } = await openLive(dashboard, '', { theme, width })
  for (const [name, hash, sign] of views()) {
    await visit(page, hash)
    await text(page, sign).catch(async (error: unknown) => {
      throw new Error(`${name}: ${sign} is not in\n${await page.locator('main').innerText()}`, {
        cause: error,
      })
    })
    expect([name, await accessibilityFaults(page)]).toEqual([name, []])
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
    expect([name, sideways]).toEqual([name, 0])
    expect(await page.locator('h1').count()).toBe(1)
  }
  expect(complaints).toEqual([])
  await context.close()
})

test('no view is wider than a page of 2,560 pixels needs, and none is narrower than it', async () => {
  const { page, context } = await openLive(dashboard, '', { width: 2_560, height: 1_300 })
  await page.locator('.card').first().waitFor()
  const { left, right } = await page.evaluate(() => {
    const { left, right } = (document.querySelector('.figures') as Element).getBoundingClientRect()
    return { left, right: window.innerWidth - right }
  })
  expect(Math.abs(left - right)).toBeLessThan(20)
  await context.close()
})

test('a deep link shows the same after it was loaded again', async () => {
  const { page, context, complaints } = await openLive(
    dashboard,
    `#/nodes/${one.name}/processes?by=reductions&filter=keeper`,
  )
  const look = async () => {
    await page.getByRole('link', { name: /^<0\.\d+\.0>$/ }).waitFor()
    return {
      rows: await page.locator('tbody tr').count(),
      name: await page.locator('tbody td').first().innerText(),
      sorted: await page.locator('th[aria-sort=descending]').innerText(),
      filter: await page.getByPlaceholder('Filter by pid').inputValue(),
    }
  }
  const before = await look()
  expect(before).toEqual({ rows: 1, name: 'keeper', sorted: 'Red./s', filter: 'keeper' })
  await page.reload()
  expect(await look()).toEqual(before)
  expect(complaints).toEqual([])
  await context.close()
})

test('a process: from the table to its links, its dictionary and its end', async () => {
  await one.evalText(
    `Victim = spawn(fun() -> put(shape, round), receive stop -> ok end end), register(victim, Victim)`,
  )
  const { page, context, complaints } = await openLive(dashboard, `#/nodes/${one.name}/processes`)
  await page.getByPlaceholder('Filter by pid').fill('victim')
  await page.locator('tbody tr', { hasText: 'victim' }).getByRole('link').click()
  await page.getByRole('heading', { name: /victim <0/ }).waitFor()
  await page.getByRole('button', { name: 'Show Dictionary' }).click()
  await page.locator('[data-extra=dictionary] .term', { hasText: 'shape => round' }).waitFor()
  await page.getByRole('button', { name: 'Show State' }).click()
  await page.locator('[data-extra=state]', { hasText: /no state|time/ }).waitFor()

  // A dialog asks first; Escape and Cancel do nothing.
  const end = page.getByRole('button', { name: /End process/ }).first()
  await end.click()
  await page.getByRole('dialog').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await end.click()
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  expect(await one.evalText('is_process_alive(whereis(victim))')).toBe('true')
  await end.click()
  expect(await accessibilityFaults(page)).toEqual([])
  await page.getByRole('dialog').getByRole('button', { name: 'End process' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await one.until('whereis(victim) =:= undefined')
  await page.getByText('has ended').waitFor()
  expect(complaints).toEqual([])
  await context.close()
})

test('the tree of supervisors opens by keyboard, level by level', async () => {
  const { page, context } = await openLive(dashboard, `#/nodes/${one.name}/supervision`)
  const kernel = page.getByRole('button', { name: 'Children of kernel', exact: true })
  await kernel.focus()
  await page.keyboard.press('ArrowRight')
  const nested = page.getByRole('button', { name: 'Children of net_sup', exact: true })
  await nested.focus()
  await page.keyboard.press('Enter')
  await page.getByText('net_kernel', { exact: true }).waitFor()
  await kernel.focus()
  await page.keyboard.press('ArrowLeft')
  await nested.waitFor({ state: 'detached' })
  await context.close()
})

test('schedulers are measured only when that is asked for', async () => {
  const { page, context } = await openLive(dashboard, `#/nodes/${two.name}`)
  await page.getByRole('button', { name: 'Measure' }).click()
  await page.locator('.schedulers li').first().waitFor()
  const count = Number(await two.evalText('erlang:system_info(schedulers)'))
  expect(await page.locator('.schedulers li', { hasText: /^scheduler/ }).count()).toBe(count)
  await context.close()
})

test('a link is cut from the page, and the cluster shows that', async () => {
  const { page, context, complaints } = await openLive(dashboard, '#/cluster')
  await page.getByText('2 nodes, 1 link').waitFor()
  await visit(page, `#/nodes/${one.name}`)
  await page.getByRole('button', { name: `Disconnect ${two.name}` }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click()
  await one.until(`not lists:member('${two.name}', nodes())`)
  await visit(page, '#/cluster')
  await page.getByText('2 nodes, 0 links').waitFor()
  await visit(page, '#/timeline?kind=link')
  await page.locator('[data-event=linkdown]').first().waitFor()
  await one.eval(`net_kernel:connect_node('${two.name}')`)
  await page.locator('[data-event=linkup]').first().waitFor()
  expect(complaints).toEqual([])
  await context.close()
})

test('nothing can be done from a dashboard that does not allow it', async () => {
  const reading = await startDashboard(probe)
  const { page, context } = await openLive(reading, `#/nodes/${one.name}`)
  await page.locator('tbody tr').first().waitFor()
  expect(await page.getByRole('button', { name: /Disconnect/ }).count()).toBe(0)
  await visit(page, `#/nodes/${one.name}/processes/%3C0.0.0%3E`)
  await page.getByText('Monitored by').waitFor()
  expect(await page.getByRole('button', { name: /End process/ }).count()).toBe(0)
  await context.close()
  await reading.close()
})

test('by keyboard alone: skip link, cards, shortcuts, help', async () => {
  const { page, context, complaints } = await openLive(dashboard)
  await page.locator('.card').first().waitFor()
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
  const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim() ?? '')
  await page.keyboard.press('Tab')
  expect(await focused()).toBe('Skip to the content')
  await page.keyboard.press('Enter')
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('main')
  await page.keyboard.press('Tab')
  expect(await focused()).toBe(one.name)
  const outline = await page.evaluate(() => {
    const card = document.activeElement?.closest('.card')
    return card === null || card === undefined ? '' : window.getComputedStyle(card).outlineStyle
  })
  expect(outline).toBe('solid')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: one.name }).waitFor()
  await page.keyboard.press('2')
  await page.getByPlaceholder('Filter by pid').waitFor()
  await page.keyboard.press('/')
  await page.keyboard.type('fcl')
  expect(await page.getByPlaceholder('Filter by pid').inputValue()).toBe('fcl')
  await page.keyboard.press('Escape')
  await page.keyboard.press('p')
  await page.getByRole('button', { name: 'Go on' }).waitFor()
  await page.keyboard.press('c')
  await page.getByRole('heading', { level: 1, name: 'Cluster' }).waitFor()
  await page.keyboard.press('l')
  await page.getByRole('heading', { level: 1, name: 'Timeline' }).waitFor()
  await page.keyboard.press('f')
  await page.getByRole('heading', { level: 1, name: 'Fleet' }).waitFor()
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
  expect(await accessibilityFaults(page)).toEqual([])
  await page.getByRole('checkbox').uncheck()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.keyboard.press('c')
  expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('Fleet')
  expect(complaints).toEqual([])
  await context.close()
})

test('the theme is the system’s until one is chosen, which is kept', async () => {
  const { page, context } = await openLive(dashboard, '', { theme: 'dark' })
  const background = () => page.evaluate(() => window.getComputedStyle(document.body).backgroundColor)
  const dark = await background()
  await page.getByRole('button', { name: /^Theme: system/ }).click()
  const light = await background()
  expect(light).not.toBe(dark)
  await page.reload()
  await page.getByRole('button', { name: /^Theme: light/ }).click()
  expect(await background()).toBe(dark)
  await page.getByRole('button', { name: /^Theme: dark/ }).click()
  expect(await background()).toBe(dark)
  await context.close()
})

test('the page is under 200 KB as it is sent, and says whose code is in it', () => {
  const files = readdirSync(PAGE_DIRECTORY, { recursive: true, encoding: 'utf8' })
  const sent = files.filter((file) => file.endsWith('.gz'))
  expect(sent.length).toBeGreaterThanOrEqual(4)
  const bytes = sent.reduce((sum, file) => sum + statSync(path.join(PAGE_DIRECTORY, file)).size, 0)
  expect(bytes).toBeLessThan(200_000)
  expect(files).toContain('LICENSES.md')
})

test('a view that fails says so, the rest of the page works, and it can be tried again', async () => {
  const { page, context, complaints } = await openLive(dashboard, '', { mayComplain: /no more squares/ })
  await page.locator('.card').first().waitFor()
  // Charts and the drawing of the cluster need it.
  await page.evaluate(() => {
    const kept = window.ResizeObserver
    window.ResizeObserver = class {
      constructor() {
        throw new Error('there are no more squares')
      }
    } as unknown as typeof ResizeObserver
    window.addEventListener('mended', () => (window.ResizeObserver = kept))
  })
  const failed = page.locator('[data-failed]')
  const tryAgain = page.getByRole('button', { name: 'Try again' })
  const count = () => page.locator('h1').count()

  await visit(page, '#/cluster')
  await failed.getByText('there are no more squares').waitFor()
  expect([await page.locator('h1').innerText(), await count()]).toEqual(['This view has failed', 1])
  expect(await accessibilityFaults(page)).toEqual([])
  await visit(page, '#/timeline')
  await text(page, /node up/)
  expect(await failed.count()).toBe(0)

  // In a node, its head and tabs stay.
  await visit(page, `#/nodes/${one.name}`)
  await failed.getByText('there are no more squares').waitFor()
  expect([await page.locator('h1').innerText(), await count()]).toEqual([one.name, 1])
  expect(await accessibilityFaults(page)).toEqual([])
  await page.getByRole('link', { name: 'ETS', exact: true }).click()
  await text(page, /shelf/)
  expect(await failed.count()).toBe(0)
  await page.getByRole('link', { name: 'Overview' }).click()
  await failed.waitFor()
  await tryAgain.click()
  await failed.waitFor()
  await page.evaluate(() => window.dispatchEvent(new Event('mended')))
  await tryAgain.click()
  await text(page, /Garbage collections[\s\S]*of 262,144/)
  expect([await failed.count(), await count()]).toEqual([0, 1])
  await page.locator('.chart canvas').first().waitFor()
  expect(complaints).toEqual([])
  await context.close()
})
