/** Samples as the probe makes them, of nodes that there are not. */
import type { LinkSample, NodeSample } from '../../src/dashboard/samples.js'

/** A node with so many links, and one more of the probe's own. */
export function sampleOf(node: string, links: number, more: Partial<NodeSample> = {}): NodeSample {
  const share = { used: 1, limit: 2, percent: 50 }
  const link = (at: number): LinkSample => ({
    peer: `peer${at}@host`,
    type: 'visible',
    queueBytes: 0,
    receivedBytes: 1,
    sentBytes: 2,
    receivedRate: undefined,
    sentRate: undefined,
    own: at === 0,
  })
  return {
    node,
    at: 0,
    roundTripMs: 1,
    otpRelease: '25',
    ertsVersion: '13',
    architecture: '',
    uptimeMs: 1,
    schedulers: { total: 1, online: 1, dirtyCpu: 1, dirtyIo: 1 },
    runQueue: 0,
    runQueues: [],
    memory: {
      total: 9,
      processes: 4,
      processesUsed: 4,
      system: 5,
      atom: 1,
      atomUsed: 1,
      binary: 1,
      code: 1,
      ets: 1,
    },
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
    links: Array.from({ length: links + 1 }, (_, at) => link(at)),
    ...more,
  }
}
