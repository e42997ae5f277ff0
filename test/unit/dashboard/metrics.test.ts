import { Metrics } from '../../../src/dashboard/metrics.js'
import type { Probe } from '../../../src/dashboard/probe.js'
import type { LinkSample, NodeSample } from '../../../src/dashboard/samples.js'
import { DEFAULT_LIMITS } from '../../../src/limits.js'

const share = { used: 1, limit: 2, percent: 50 }

function sample(links: number): NodeSample {
  const link = (at: number): LinkSample => ({
    peer: `peer${at}@host`,
    type: 'visible',
    queueBytes: 0,
    receivedBytes: 1,
    sentBytes: 2,
    receivedRate: undefined,
    sentRate: undefined,
    own: false,
  })
  return {
    node: 'app@one',
    at: 0,
    roundTripMs: 1,
    otpRelease: '25',
    ertsVersion: '13',
    architecture: '',
    uptimeMs: 1,
    schedulers: { total: 1, online: 1, dirtyCpu: 1, dirtyIo: 1 },
    runQueue: 0,
    runQueues: [],
    memory: undefined,
    counters: {
      reductions: 1,
      inputBytes: 1,
      outputBytes: 1,
      garbageCollections: 1,
      reclaimedBytes: 1,
      contextSwitches: 1,
      runtimeMs: 1,
      wallClockMs: 1,
    },
    rates: undefined,
    limits: { processes: share, ports: share, atoms: share, ets: share },
    // The probe's own is none of them.
    links: [{ ...link(0), own: true }, ...Array.from({ length: links }, (_, at) => link(at + 1))],
  }
}

/** A probe that has seen this much. */
function probe(links: number): Probe {
  const status = {
    node: 'app@one',
    status: 'up',
    since: 0,
    reason: undefined,
    error: undefined,
    sample: sample(links),
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
