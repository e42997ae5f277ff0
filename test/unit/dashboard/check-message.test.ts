import { checkMessage } from '../../../src/dashboard/check-message.js'
import type { ClientMessage } from '../../../src/dashboard/protocol.js'
import { DEFAULT_LIMITS } from '../../../src/limits.js'

const check = (value: unknown) => checkMessage(value, DEFAULT_LIMITS)
const NODE = { node: 'a@host' }

const GOOD: ClientMessage[] = [
  { type: 'hello', version: 1 },
  { type: 'watch', id: 1, view: { kind: 'processes', ...NODE, by: 'memory', filter: '', limit: 500 } },
  {
    type: 'watch',
    id: 1,
    view: { kind: 'process', ...NODE, pid: '<0.1.0>', dictionary: true, state: false, messages: true },
  },
  { type: 'watch', id: 1, view: { kind: 'children', ...NODE, supervisor: '<0.1.0>' } },
  ...(['applications', 'ets', 'ports', 'sockets', 'schedulers'] as const).map((kind): ClientMessage => ({
    type: 'watch',
    id: 1,
    view: { kind, ...NODE },
  })),
  { type: 'unwatch', id: Number.MAX_SAFE_INTEGER },
  { type: 'pause', id: 0, paused: true },
  { type: 'ask', id: 1, question: { kind: 'history', ...NODE, columns: ['cpu'], from: 0, points: 5_000 } },
  { type: 'ask', id: 1, question: { kind: 'events', before: 10 } },
  { type: 'action', id: 1, action: { kind: 'exit', ...NODE, pid: '<0.1.0>', reason: 'kill' } },
  { type: 'action', id: 1, action: { kind: 'disconnect', ...NODE, peer: 'b@host' } },
  { type: 'control', id: 1, control: { paused: true, speed: 2, position: 5 } },
  { type: 'control', id: 1, control: {} },
]

test.each(GOOD.map((message) => [JSON.stringify(message), message]))('%s', (_text, message) => {
  expect(check(message)).toEqual(message)
  // What is more than a message has does not get in.
  expect(check({ ...(message as object), evil: 1 })).toEqual(message)
})

test('of history columns only those that there are', () => {
  const question = { kind: 'history', ...NODE, columns: ['cpu', 'evil', 1, 'cpu'], from: 0, points: 1 }
  expect(check({ type: 'ask', id: 1, question })).toMatchObject({ question: { columns: ['cpu'] } })
})

const processes = (change: object) => ({
  type: 'watch',
  id: 1,
  view: { kind: 'processes', ...NODE, by: 'memory', filter: '', limit: 1, ...change },
})
const history = (change: object) => ({
  type: 'ask',
  id: 1,
  question: { kind: 'history', ...NODE, columns: [], from: 0, points: 1, ...change },
})

test.each<[string, unknown]>([
  ['null', null],
  ['a number', 5],
  ['an array', []],
  ['no type', {}],
  ['another type', { type: 'evil' }],
  ['a version that is no number', { type: 'hello', version: '1' }],
  ['no id', { type: 'unwatch' }],
  ['an id below 0', { type: 'unwatch', id: -1 }],
  ['an id with a fraction', { type: 'unwatch', id: 0.5 }],
  ['no view', { type: 'watch', id: 1 }],
  ['another view', { type: 'watch', id: 1, view: { kind: 'evil', ...NODE } }],
  ['a node that is no text', processes({ node: 5 })],
  ['text past the limit', processes({ filter: 'x'.repeat(1_001) })],
  ['another order', processes({ by: 'evil' })],
  ['no rows', processes({ limit: 0 })],
  ['rows past the limit', processes({ limit: 501 })],
  ['points past the limit', history({ points: 5_001 })],
  ['columns that are none', history({ columns: 'cpu' })],
  ['a time that is none', history({ from: NaN })],
  ['a flag that is none', { type: 'pause', id: 1, paused: 1 }],
  ['another reason', { type: 'action', id: 1, action: { kind: 'exit', ...NODE, pid: '', reason: 'evil' } }],
  ['another action', { type: 'action', id: 1, action: { kind: 'halt', ...NODE } }],
  ['a speed that is none', { type: 'control', id: 1, control: { speed: Infinity } }],
])('%s is no message', (_what, value) => {
  expect(() => check(value)).toThrow(expect.objectContaining({ code: 'DASHBOARD_BAD_MESSAGE' }))
})

test('text of the limit is taken', () => {
  expect(() => check(processes({ filter: 'x'.repeat(1_000) }))).not.toThrow()
})

test('maxHistoryReplyPoints and maxDashboardTextCharacters, at the limit and one past it', () => {
  const { maxHistoryReplyPoints, maxDashboardTextCharacters } = DEFAULT_LIMITS
  const ask = (points: number, node: string) =>
    check({ type: 'ask', id: 1, question: { kind: 'history', columns: [], from: 0, points, node } })
  const longest = 'n'.repeat(maxDashboardTextCharacters)
  expect(ask(maxHistoryReplyPoints, longest)).toMatchObject({ question: { node: longest } })
  const refused = expect.objectContaining({ code: 'DASHBOARD_BAD_MESSAGE' })
  expect(() => ask(maxHistoryReplyPoints + 1, longest)).toThrow(refused)
  expect(() => ask(maxHistoryReplyPoints, `${longest}n`)).toThrow(refused)
})
