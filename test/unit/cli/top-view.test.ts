import { render, type View } from '../../../src/cli/top-view.js'
import type { NodeStatus, ProcessTable } from '../../../src/dashboard/samples.js'

const down: NodeStatus = {
  node: 'app@one',
  status: 'down',
  since: 0,
  reason: 'connection_closed',
  error: undefined,
  sample: undefined,
}

const table: ProcessTable = {
  node: 'app@one',
  at: 0,
  by: 'memory',
  rows: [1, 2].map((id) => ({
    pid: `<0.${id}.0>`,
    registeredName: `worker_${id}`,
    initialCall: undefined,
    currentFunction: 'gen_server:loop/7',
    memory: 2_048 * id,
    reductions: 1,
    reductionsRate: undefined,
    messageQueueLen: 0,
  })),
  sampled: 500,
  fresh: 2,
  total: 100_000,
  pidsAgeMs: 61_000,
}

const view: View = {
  statuses: [down],
  events: [{ at: 0, type: 'nodedown', node: 'app@one', reason: 'connection_closed' }],
  node: undefined,
  table: undefined,
  by: 'memory',
  filter: '',
  selected: -1,
  paused: false,
  width: 80,
  height: 24,
}

test.each([
  [80, 24],
  [200, 60],
  [20, 3],
])('fits %i columns and %i rows exactly, in both views', (width, height) => {
  const up: NodeStatus = { ...down, status: 'up' }
  for (const shown of [view, { ...view, statuses: [up], node: 'app@one', table }]) {
    const lines = render({ ...shown, width, height })
    expect(lines.length).toBe(height)
    expect(Math.max(...lines.map(({ text }) => text.length))).toBeLessThanOrEqual(width)
  }
})

test('a node that is down is shown with its reason, and the event below', () => {
  const lines = render(view)
  expect(lines.find(({ style }) => style === 'bad')?.text).toContain('down: connection_closed')
  expect(lines.some(({ text }) => /nodedown app@one \(connection_closed\)/.test(text))).toBe(true)
})

test('a table says how much of all it knows, and heeds the filter', () => {
  const shown: View = {
    ...view,
    statuses: [{ ...down, status: 'up' }],
    node: 'app@one',
    table,
    filter: 'worker_2',
  }
  const text = render(shown).map((line) => line.text)
  expect(text[1]).toBe('sampled 500 of 100000 processes, 2 now; list of pids 1m 1s old')
  expect(text.some((line) => line.startsWith('<0.2.0>'))).toBe(true)
  expect(text.some((line) => line.startsWith('<0.1.0>'))).toBe(false)
})
