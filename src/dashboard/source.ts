/** Where a dashboard's nodes come from: a probe, or a recording. */
import { termTrees } from './term-tree.js'
import { atom, type Limits, type Term } from '../index.js'
import type { Fleet } from './fleet.js'
import type { Probe } from './probe.js'
import type {
  Action,
  Control,
  ProcessView,
  ReplayState,
  ViewKind,
  ViewRequest,
  ViewValues,
} from './protocol.js'
import { elements } from './read-terms.js'

/** A view's value, as plain data. */
export type ViewValue = ViewValues[ViewKind]

export interface DashboardSource {
  readonly fleet: Fleet
  readonly intervalMs: number
  /** The clock of what is shown, milliseconds since 1970. */
  now(): number
  /** Reads a view once. @throws ErpcError, RemoteError, BeampeerError */
  view(request: ViewRequest): Promise<ViewValue>
  /** Does what a page asks for; undefined where nothing can be done. */
  act?(action: Action): Promise<Term>
  /** Of a replay. */
  readonly replay?: {
    state(): ReplayState
    control(control: Control): Promise<void>
    /** Is called when the state is another. */
    listen(listener: () => void): () => void
  }
  close(): Promise<void>
}

/** Rows that a filter is looked for in. */
const FILTER_ROWS = 500

/** Reads a view through a probe. */
export async function readView(probe: Probe, limits: Limits, request: ViewRequest): Promise<ViewValue> {
  const { node } = request
  switch (request.kind) {
    case 'processes':
      return processes(probe, request)
    case 'process':
      return process(probe, limits, request)
    case 'children':
      return probe.children(node, request.supervisor)
    case 'applications':
      return { rows: await probe.applications(node) }
    case 'ets':
      return probe.ets(node)
    case 'ports':
      return probe.ports(node)
    case 'sockets':
      return probe.sockets(node)
    case 'schedulers':
      return { schedulers: await probe.schedulerUse(node) }
  }
}

async function processes(
  probe: Probe,
  { node, by, filter, limit }: ViewRequest & { kind: 'processes' },
): Promise<ViewValues['processes']> {
  const wanted = filter.toLowerCase()
  const table = await probe.processes(node, { by, limit: wanted === '' ? limit : FILTER_ROWS })
  if (wanted === '') return { ...table, matched: table.total }
  const rows = table.rows.filter(({ pid, registeredName, initialCall, currentFunction }) =>
    [pid, registeredName, initialCall, currentFunction].some((text) => text?.toLowerCase().includes(wanted)),
  )
  return { ...table, rows: rows.slice(0, limit), matched: rows.length }
}

async function process(
  probe: Probe,
  limits: Limits,
  { node, pid, ...wanted }: ViewRequest & { kind: 'process' },
): Promise<ProcessView> {
  const detail = await probe.process(node, pid)
  if (detail === undefined) return { alive: false, pid }
  // Terms take the place of what is printed.
  const { dictionary: _dictionary, state: _state, messages: _messages, ...rest } = detail
  const terms = await probe.processTerms(node, pid, wanted)
  const tree = termTrees(limits)
  return {
    ...rest,
    alive: true,
    groupLeader: tree(terms.groupLeader ?? []),
    links: terms.links.map(tree),
    monitors: terms.monitors.map(tree),
    monitoredBy: terms.monitoredBy.map(tree),
    ...(terms.dictionary && {
      dictionary: terms.dictionary.map((pair) => {
        const [key, value] = elements(pair)
        return { key: tree(key ?? []), value: tree(value ?? []) }
      }),
    }),
    ...(terms.state && {
      state: 'value' in terms.state ? { value: tree(terms.state.value) } : terms.state,
    }),
    ...(terms.messages && { messages: terms.messages.map(tree) }),
  }
}

/** Does an action on a watched node and gives what it returned there. */
export function act(probe: Probe, action: Action): Promise<Term> {
  switch (action.kind) {
    case 'exit':
      return probe.exitProcess(action.node, action.pid, atom(action.reason))
    case 'disconnect':
      return probe.call(action.node, 'erlang', 'disconnect_node', [atom(action.peer)])
  }
}
