import type { OpenProcess } from '../../../src/cli/top-process.js'
import { lastScroll, render, type View } from '../../../src/cli/top-view.js'
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

const open: OpenProcess = {
  pid: '<0.7.0>',
  detail: {
    pid: '<0.7.0>',
    registeredName: 'shop',
    initialCall: 'shop:init/1',
    currentFunction: 'gen_server:loop/7',
    status: 'waiting',
    priority: 'normal',
    trapExit: true,
    memory: 2_048,
    heapBytes: 512,
    totalHeapBytes: 1_024,
    stackBytes: 88,
    reductions: 12_345,
    messageQueueLen: 1,
    groupLeader: '<0.5.0>',
    links: Array.from({ length: 40 }, (_, at) => `<0.${at + 100}.0>`),
    monitors: [],
    monitoredBy: [],
    stackTrace: ['gen_server:loop/7 (gen_server.erl:437)', 'proc_lib:init_p_do_apply/3 (proc_lib.erl:240)'],
    dictionary: undefined,
    state: undefined,
    messages: undefined,
  },
  at: 0,
  reductionsRate: 99,
  gone: false,
  dictionary: { at: 0, value: [{ key: 'currency', value: 'euro' }] },
  state: { at: 0, value: `#{stock => [${'1234567890,'.repeat(200)}0]}` },
  scroll: 0,
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
])('fits %i columns and %i rows exactly, in all views', (width, height) => {
  const up: NodeStatus = { ...down, status: 'up' }
  const node = { ...view, statuses: [up], node: 'app@one', table, row: 1 }
  const process = { ...node, width, height, process: open }
  const end = { ...process, process: { ...open, scroll: lastScroll(process) } }
  for (const shown of [view, node, process, end]) {
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

test('one process: its sections in a column, and beside each other where there is room', () => {
  const shown: View = { ...view, statuses: [{ ...down, status: 'up' }], node: 'app@one', process: open }
  const text = (width: number) => render({ ...shown, width, height: 60 }).map((line) => line.text.trimEnd())
  const narrow = text(80)
  expect(narrow[0]).toBe('beampeer top   app@one   <0.7.0> shop')
  expect(narrow[2]).toBe('MEMORY        2.0 KiB   heap 512 B of 1.0 KiB, stack 88 B')
  expect(narrow[3]).toBe('REDUCTIONS    12.3k   99/s')
  expect(narrow[4]).toBe('QUEUE         1 message')
  expect(narrow).toContain('MONITORS      none')
  const links = narrow.findIndex((line) => line.startsWith('LINKS'))
  expect(narrow[links]).toBe('LINKS         <0.100.0>  <0.101.0>  <0.102.0>  <0.103.0>  <0.104.0>  <0.105.0>')
  expect(narrow[links + 1]).toMatch(/^ {14}<0\.106\.0> /)
  // Broken after a comma.
  expect(narrow.find((line) => line.includes('#{stock'))).toMatch(/^ {14}#\{stock => \[1234567890,.*0,$/)
  expect(text(200)[2]).toMatch(/^MEMORY {8}2\.0 KiB .* STACK {9}gen_server:loop\/7 \(gen_server\.erl:437\)$/)
})

test('a selected row is among those that are shown, and the last line of a process is where scrolling ends', () => {
  const many = {
    ...table,
    rows: Array.from({ length: 99 }, (_, at) => ({ ...table.rows[0], pid: `<0.${at}.0>` })),
  }
  const shown = { ...view, statuses: [{ ...down, status: 'up' as const }], node: 'app@one' }
  for (const row of [0, 50, 98]) {
    const lines = render({ ...shown, table: many as ProcessTable, row })
    expect(lines.filter(({ style }) => style === 'selected').map(({ text }) => text.split(' ')[0])).toEqual([
      `<0.${row}.0>`,
    ])
  }
  const scroll = lastScroll({ ...shown, process: open })
  expect(scroll).toBeGreaterThan(0)
  for (const beyond of [0, 10]) {
    const lines = render({ ...shown, process: { ...open, scroll: scroll + beyond } }).map(({ text }) => text)
    expect(lines[0]).toContain('<0.7.0> shop')
    expect(lines.at(-2)).toMatch(/,0\]\}$/)
  }
})

test('a process that has ended, was never there, or whose node is down is told as such', () => {
  const up = { ...view, statuses: [{ ...down, status: 'up' as const }], node: 'app@one' }
  const second = (process: OpenProcess, of: View = up) => render({ ...of, process })[1]
  expect(second({ ...open, gone: true })).toEqual({ text: 'it has ended; its last figures:', style: 'bad' })
  expect(second({ ...open, detail: undefined, gone: true })?.text).toBe('there is no such process')
  expect(second({ ...open, detail: undefined })?.text).toBe('reading…')
  expect(second(open, { ...up, statuses: [down] })?.text).toBe('down: connection_closed')
})
