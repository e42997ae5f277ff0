/** docs/grafana.json: its panels ask for series and labels that there are, and show what there is. */
import { channel } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import { Metrics } from '../../../src/dashboard/metrics.js'
import type { Probe } from '../../../src/dashboard/probe.js'
import type { ErlangNode } from '../../../src/index.js'
import { sampleOf } from '../../support/samples.js'

interface Panel {
  id: number
  title: string
  datasource: { type: string; uid: string }
  gridPos: { x: number; y: number; w: number; h: number }
  targets: { refId: string; expr: string; legendFormat: string }[]
}

const dashboard = JSON.parse(readFileSync('docs/grafana.json', 'utf8')) as {
  panels: Panel[]
  templating: { list: { name: string; type: string; query: string }[] }
}
const targets = dashboard.panels.flatMap((panel) =>
  panel.targets.map((target) => ({ ...target, title: panel.title })),
)

/** What the dashboard leaves to those who look closer. */
const NOT_SHOWN = [
  'beampeer_nodeups_total',
  'erlang_vm_context_switches_total',
  'erlang_vm_garbage_collection_reclaimed_bytes_total',
  'erlang_vm_info',
  'erlang_vm_schedulers',
  'erlang_vm_uptime_seconds',
]

/** Each series that is exported, with its labels; the text is what Prometheus would scrape. */
async function exported(): Promise<{ series: Map<string, Set<string>>; families: string[] }> {
  const status = { node: 'app@one', status: 'up', since: 0, sample: sampleOf('app@one', 1) }
  const node = { name: 'js@one', nodes: () => ['app@one'] } as unknown as ErlangNode
  using metrics = new Metrics({ probe: { statuses: () => [status] } as unknown as Probe, node })
  const local = 'js@one'
  channel('beampeer:connection').publish({ type: 'nodeup', local, node: 'app@one' })
  channel('beampeer:connection').publish({ type: 'nodedown', local, node: 'app@one', reason: 'disconnect' })
  for (const name of ['beampeer:call', 'beampeer:served']) channel(name).publish({ local, durationMs: 1 })
  channel('beampeer:drop').publish({ local })
  const text = await metrics.text()
  const series = new Map<string, Set<string>>()
  for (const [, name = '', labels = ''] of text.matchAll(/^([a-z]\w*)(?:\{(.*)\})? \S+$/gm))
    series.set(name, new Set([...labels.matchAll(/(\w+)="/g)].map(([, label]) => label as string)))
  const families = [...text.matchAll(/^# TYPE ((?:erlang_vm|beampeer)_\w+)/gm)].map(
    ([, name]) => name as string,
  )
  return { series, families }
}

const namesIn = (expr: string) => expr.match(/\b(?:erlang_vm|beampeer|nodejs|process)_\w+/g) ?? []

test('each series and label that a panel asks for is exported', async () => {
  const { series } = await exported()
  // Prometheus adds these to what it scrapes.
  const added = ['instance', 'job']
  for (const { title, expr, legendFormat } of targets) {
    const names = namesIn(expr)
    expect([title, names.length > 0]).toEqual([title, true])
    expect([title, names.filter((name) => !series.has(name))]).toEqual([title, []])
    const wanted = [
      ...[...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/, */)),
      ...[...expr.matchAll(/(\w+)=~?"/g)].map(([, label]) => label),
      ...[...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label),
    ]
    const there = [...added, ...names.flatMap((name) => [...(series.get(name) ?? [])])]
    expect([title, wanted.filter((label) => !there.includes(label as string))]).toEqual([title, []])
  }
})

test('counters are shown as rates, and only they', () => {
  for (const { expr } of targets)
    for (const name of namesIn(expr))
      expect([name, new RegExp(`(rate|increase)\\(${name}\\b`).test(expr)]).toEqual([
        name,
        /_(total|count|bucket)$/.test(name) && !/^erlang_vm_(process|port|atom|ets)_count$/.test(name),
      ])
})

test('what is exported is shown, but for what is listed here', async () => {
  const { families } = await exported()
  const shown = new Set(
    targets.flatMap(({ expr }) => namesIn(expr).map((name) => name.replace(/_(bucket|count)$/, ''))),
  )
  // The counts of system_info end as those of histograms do.
  for (const { expr } of targets) for (const name of namesIn(expr)) shown.add(name)
  expect(families.filter((name) => !shown.has(name)).sort()).toEqual(NOT_SHOWN)
})

test('panels have their own places and ids, and the data source that is chosen', () => {
  const { panels, templating } = dashboard
  expect(templating.list).toContainEqual({ name: 'datasource', type: 'datasource', query: 'prometheus' })
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  const taken = new Set<string>()
  for (const { datasource, gridPos, targets } of panels) {
    expect(datasource).toEqual({ type: 'prometheus', uid: '${datasource}' })
    expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
    expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length)
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(taken.has(`${x} ${y}`)).toBe(false)
        taken.add(`${x} ${y}`)
      }
  }
})
