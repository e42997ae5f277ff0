import { Metrics } from '../../../src/dashboard/metrics.js'
import type { Probe } from '../../../src/dashboard/probe.js'
import { DEFAULT_LIMITS } from '../../../src/limits.js'
import { sampleOf } from '../../support/samples.js'

/** A probe that has seen this much. */
function probe(links: number): Probe {
  const status = {
    node: 'app@one',
    status: 'up',
    since: 0,
    reason: undefined,
    error: undefined,
    sample: sampleOf('app@one', links, { memory: undefined }),
  }
  return { statuses: () => [status] } as unknown as Probe
}

test.each([
  [DEFAULT_LIMITS.maxMetricsLinks, DEFAULT_LIMITS.maxMetricsLinks],
  [DEFAULT_LIMITS.maxMetricsLinks + 1, DEFAULT_LIMITS.maxMetricsLinks],
])('of %i links %i have series', async (links, series) => {
  using metrics = new Metrics({ probe: probe(links) })
  const text = await metrics.text()
  expect(text.match(/^erlang_vm_dist_queue_bytes\{/gm)).toHaveLength(series)
  expect(text).toContain('peer="peer1@host"')
  expect(text).not.toContain('peer0@host')
})

test('what a node does not tell has no series', async () => {
  using metrics = new Metrics({ probe: probe(0) })
  const text = await metrics.text()
  expect(text).not.toMatch(/^erlang_vm_memory_bytes\{/m)
  expect(text).toContain('erlang_vm_up{node="app@one"} 1')
})

test('what only grows is a counter, all else is a gauge', async () => {
  using metrics = new Metrics({ probe: probe(1) })
  const types = [...(await metrics.text()).matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = '', type]) => [
    name,
    type,
  ])
  expect(types.length).toBeGreaterThan(20)
  for (const [name, type] of types)
    expect([name, type]).toEqual([name, name?.endsWith('_total') ? 'counter' : 'gauge'])
})
