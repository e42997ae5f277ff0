/**
 * What is looked at on demand: one process, supervisors and their children, applications, tables, ports, sockets. All
 * of it asks for parts of long lists only, and says of how many.
 */
import {
  atom,
  exportFun,
  Pid,
  Port,
  print,
  RemoteError,
  type BatchCall,
  type Encodable,
  type RemoteNode,
  type Term,
} from '../index.js'
import { initialCall } from './process-sampler.js'
import {
  characters,
  count,
  elements,
  list,
  mapValue,
  mfa,
  name,
  number,
  pidText,
  printed,
  properties,
} from './read-terms.js'
import type {
  ApplicationSample,
  Children,
  EtsRow,
  PortRow,
  ProcessDetail,
  Sampled,
  SchedulerUse,
  SocketRow,
  TreeNode,
} from './samples.js'

/** What of a process is read only when asked for: it may be large, or the process may have to answer itself. */
export interface DetailOptions {
  /** The process dictionary. */
  dictionary?: boolean
  /** The state, by `sys:get_state/2`: a process of OTP's kind that is busy does not answer, which is then said. */
  state?: boolean
  /** The messages that wait. Nothing is read of a queue that is longer than `maxProbeRows`. */
  messages?: boolean
}

export interface InspectOptions {
  readonly remote: RemoteNode
  readonly wordBytes: number
  readonly maxRows: number
  readonly maxCharacters: number
  readonly timeoutMs: number
  now(): number
}

const DETAIL = [
  'registered_name',
  'current_function',
  'initial_call',
  'status',
  'priority',
  'trap_exit',
  'memory',
  'heap_size',
  'total_heap_size',
  'stack_size',
  'reductions',
  'message_queue_len',
  'group_leader',
  'links',
  'monitors',
  'monitored_by',
  'current_stacktrace',
].map((item) => atom(item))

/** @returns undefined when there is no such process */
export async function processDetail(
  options: InspectOptions,
  pid: Pid,
  wanted: DetailOptions,
): Promise<ProcessDetail | undefined> {
  const { remote, wordBytes, maxRows, maxCharacters } = options
  const show = (term: Term) => printed(term, maxCharacters)
  // In this order: proc_lib does not know what a process was that has ended, and it may end between the two.
  const [translated, answer] = await remote.batch([
    ['proc_lib', 'translate_initial_call', [pid]],
    ['erlang', 'process_info', [pid, wanted.dictionary === true ? [...DETAIL, atom('dictionary')] : DETAIL]],
  ])
  const found = properties(answer)
  if (found.size === 0) return undefined
  const queue = count(found.get('message_queue_len'))
  const pids = (item: string) => list(found.get(item)).slice(0, maxRows)
  return {
    pid: pid.toString(),
    registeredName: name(found.get('registered_name')),
    initialCall: initialCall(found.get('initial_call'), mfa(translated)),
    currentFunction: mfa(found.get('current_function')),
    status: name(found.get('status')) ?? '',
    priority: name(found.get('priority')) ?? '',
    trapExit: found.get('trap_exit') === true,
    memory: count(found.get('memory')),
    heapBytes: count(found.get('heap_size')) * wordBytes,
    totalHeapBytes: count(found.get('total_heap_size')) * wordBytes,
    stackBytes: count(found.get('stack_size')) * wordBytes,
    reductions: count(found.get('reductions')),
    messageQueueLen: queue,
    groupLeader: pidText(found.get('group_leader')) ?? '',
    links: pids('links').map(show),
    monitors: pids('monitors').map((item) => show(elements(item)[1] ?? item)),
    monitoredBy: pids('monitored_by').map(show),
    stackTrace: list(found.get('current_stacktrace')).map(frame),
    dictionary:
      wanted.dictionary === true
        ? pids('dictionary').map((pair) => {
            const [key, value] = elements(pair)
            return { key: show(key as Term), value: show(value as Term) }
          })
        : undefined,
    state: wanted.state === true ? await readState(options, pid) : undefined,
    messages: wanted.messages === true ? await readMessages(options, pid, queue) : undefined,
  }
}

async function readState(options: InspectOptions, pid: Pid): Promise<string> {
  const state = await stateTerm(options, pid)
  return 'value' in state ? printed(state.value, options.maxCharacters) : `no state: ${state.error}`
}

async function readMessages(options: InspectOptions, pid: Pid, queue: number): Promise<string[]> {
  const { maxRows, maxCharacters } = options
  if (queue > maxRows) return [`${queue} messages: more than ${maxRows} are not read`]
  return (await messageTerms(options, pid)).map((message) => printed(message, maxCharacters))
}

/** Of a process, what are terms: pids have their nodes, and what may be large is as it is. */
export interface ProcessTerms {
  readonly groupLeader: Term | undefined
  readonly links: readonly Term[]
  /** Pids, ports, and `{Name, Node}`. */
  readonly monitors: readonly Term[]
  readonly monitoredBy: readonly Term[]
  readonly dictionary: readonly Term[] | undefined
  readonly state: { readonly value: Term } | { readonly error: string } | undefined
  /** Undefined, too, of a queue that is longer than `maxProbeRows`. */
  readonly messages: readonly Term[] | undefined
}

const RELATIONS = ['message_queue_len', 'group_leader', 'links', 'monitors', 'monitored_by'].map((item) =>
  atom(item),
)

/** As {@link processDetail} has them, not printed. What there is no process for is empty. */
export async function processTerms(
  options: InspectOptions,
  pid: Pid,
  wanted: DetailOptions,
): Promise<ProcessTerms> {
  const { remote, maxRows } = options
  const items = wanted.dictionary === true ? [...RELATIONS, atom('dictionary')] : RELATIONS
  const found = properties(await remote.call('erlang', 'process_info', [pid, items]))
  const some = (item: string) => list(found.get(item)).slice(0, maxRows)
  const short = count(found.get('message_queue_len')) <= maxRows
  return {
    groupLeader: found.get('group_leader'),
    links: some('links'),
    monitors: some('monitors').map((item) => elements(item)[1] ?? item),
    monitoredBy: some('monitored_by'),
    dictionary: wanted.dictionary === true ? some('dictionary') : undefined,
    state: wanted.state === true ? await stateTerm(options, pid) : undefined,
    messages: wanted.messages === true && short ? await messageTerms(options, pid) : undefined,
  }
}

async function stateTerm({ remote, timeoutMs }: InspectOptions, pid: Pid) {
  try {
    return { value: await remote.call('sys', 'get_state', [pid, Math.floor(timeoutMs / 2)]) }
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error
    return { error: printed(error.reason, 200) }
  }
}

async function messageTerms({ remote }: InspectOptions, pid: Pid): Promise<readonly Term[]> {
  const [, messages] = elements(await remote.call('erlang', 'process_info', [pid, atom('messages')]))
  return list(messages)
}

/** `module:function/arity (file:line)`. */
function frame(term: Term): string {
  const [module, fun, arity, location] = elements(term)
  if (module === undefined || fun === undefined || arity === undefined) return print(term)
  const at = properties(location)
  const file = characters(at.get('file'))
  const where = file === '' ? '' : ` (${file}:${count(at.get('line'))})`
  const size = Array.isArray(arity) ? arity.length : count(arity)
  return `${print(module)}:${print(fun)}/${size}${where}`
}

export async function applications({ remote, timeoutMs }: InspectOptions): Promise<ApplicationSample[]> {
  const running = list(await remote.call('application', 'which_applications', [Math.floor(timeoutMs / 2)]))
  const names = running.map((app) => elements(app)[0] as Term)
  const masters = await remote.map('application_controller', 'get_master', names)
  const alive = masters.filter((master): master is Pid => master instanceof Pid)
  const tops = new Map<Term, Term>()
  if (alive.length > 0) {
    try {
      const children = await remote.map('application_master', 'get_child', alive)
      children.forEach((child, at) => tops.set(alive[at] as Pid, elements(child)[0] as Term))
    } catch (error) {
      // An application that stops at this moment takes its master along: the next look shows what is left.
      if (!(error instanceof RemoteError)) throw error
    }
  }
  return running.map((app, at) => {
    const [appName, description, version] = elements(app)
    return {
      name: name(appName) ?? '',
      description: characters(description),
      version: characters(version),
      supervisor: pidText(tops.get(masters[at] as Term)),
    }
  })
}

/**
 * The children of a supervisor. It has to answer itself: one that is busy starting a child answers when it is done, or
 * not within the time.
 * @throws RemoteError when it does not answer, or is no supervisor
 */
export async function children(options: InspectOptions, supervisor: Pid): Promise<Children> {
  const { remote, timeoutMs, maxRows, maxCharacters } = options
  const asked = [supervisor, atom('which_children'), Math.floor(timeoutMs / 2)]
  const all = list(await remote.call('gen_server', 'call', asked))
  return {
    total: all.length,
    children: all.slice(0, maxRows).map((child): TreeNode => {
      const [id, pid, type, modules] = elements(child)
      return {
        id: printed(id as Term, maxCharacters),
        pid: pidText(pid),
        type: name(type) === 'supervisor' ? 'supervisor' : 'worker',
        local: pid instanceof Pid && pid.node.name === remote.name,
        modules: name(modules) === 'dynamic' ? 'dynamic' : list(modules).map((module) => print(module)),
      }
    }),
  }
}

/** The largest of the tables read, which are the first `maxRows` of all. */
export async function etsTables(options: InspectOptions): Promise<Sampled<EtsRow>> {
  const { remote, wordBytes, maxRows, now } = options
  const all = list(await remote.call('ets', 'all'))
  const ids = all.slice(0, maxRows)
  const answers = ids.length === 0 ? [] : await remote.map('ets', 'info', ids as readonly Encodable[])
  const rows: EtsRow[] = []
  answers.forEach((answer, at) => {
    const info = properties(answer)
    if (info.size === 0) return
    rows.push({
      id: print(ids[at] as Term),
      name: print(info.get('name') as Term),
      objects: count(info.get('size')),
      memory: count(info.get('memory')) * wordBytes,
      owner: pidText(info.get('owner')) ?? '',
      type: name(info.get('type')) ?? '',
      protection: name(info.get('protection')) ?? '',
    })
  })
  rows.sort((a, b) => b.memory - a.memory)
  return { node: remote.name, at: now(), rows, sampled: ids.length, total: all.length }
}

export async function ports(options: InspectOptions): Promise<Sampled<PortRow>> {
  const { remote, maxRows, now } = options
  const { ids, infos, total } = await readPorts(remote, maxRows)
  const queues = ids.length === 0 ? [] : await portItems(remote, ids, ['queue_size', 'memory'])
  const rows = ids.flatMap((port, at): PortRow[] => {
    const info = infos[at]
    if (info === undefined || info.size === 0) return []
    return [
      {
        port: port.toString(),
        name: characters(info.get('name')),
        connected: pidText(info.get('connected')) ?? '',
        inputBytes: count(info.get('input')),
        outputBytes: count(info.get('output')),
        queueBytes: count(elements(queues[2 * at])[1]),
        memory: count(elements(queues[2 * at + 1])[1]),
        osPid: number(info.get('os_pid')),
      },
    ]
  })
  return { node: remote.name, at: now(), rows, sampled: ids.length, total }
}

async function readPorts(remote: RemoteNode, maxRows: number) {
  const all = list(await remote.call('erlang', 'ports')).filter((port): port is Port => port instanceof Port)
  const ids = all.slice(0, maxRows)
  const answers = ids.length === 0 ? [] : await remote.map('erlang', 'port_info', ids)
  return { ids, infos: answers.map(properties), total: all.length }
}

function portItems(remote: RemoteNode, ids: readonly Port[], items: readonly string[]): Promise<Term[]> {
  return remote.batch(
    ids.flatMap((port) => items.map((item): BatchCall => ['erlang', 'port_info', [port, atom(item)]])),
  )
}

const INET_DRIVERS = /^(tcp|udp|sctp)_inet$/
const TRAFFIC = [atom('recv_oct'), atom('send_oct')]

/** Sockets of inet and of the module `socket`. */
export async function sockets(options: InspectOptions): Promise<Sampled<SocketRow>> {
  const { remote, maxRows, now } = options
  const { ids, infos, total } = await readPorts(remote, maxRows)
  const inet = ids.filter((_port, at) => INET_DRIVERS.test(characters(infos[at]?.get('name'))))
  const answers =
    inet.length === 0
      ? []
      : await remote.batch(
          inet.flatMap((port): BatchCall[] => [
            ['inet', 'sockname', [port]],
            ['inet', 'peername', [port]],
            ['inet', 'getstat', [port, TRAFFIC]],
          ]),
        )
  const rows = inet.map((port, at): SocketRow => {
    const info = infos[ids.indexOf(port)]
    const traffic = properties(elements(answers[3 * at + 2])[1])
    return {
      id: port.toString(),
      kind: 'inet',
      protocol: characters(info?.get('name')).slice(0, 4).replace('_', ''),
      owner: pidText(info?.get('connected')) ?? '',
      local: inetAddress(answers[3 * at]),
      remote: inetAddress(answers[3 * at + 1]),
      receivedBytes: count(traffic.get('recv_oct')),
      sentBytes: count(traffic.get('send_oct')),
    }
  })
  const nif = await nifSockets(remote, maxRows - rows.length)
  const skipped = total - ids.length
  const found = rows.length + nif.rows.length
  return {
    node: remote.name,
    at: now(),
    rows: [...rows, ...nif.rows],
    sampled: found,
    total: found + skipped + nif.skipped,
  }
}

async function nifSockets(remote: RemoteNode, room: number): Promise<{ rows: SocketRow[]; skipped: number }> {
  try {
    const all = list(await remote.call('socket', 'which_sockets'))
    const ids = all.slice(0, Math.max(0, room))
    const answers = ids.length === 0 ? [] : await remote.map('socket', 'info', ids as readonly Encodable[])
    const rows = answers.map((info, at): SocketRow => {
      const counters = mapValue(info, 'counters')
      return {
        id: print(elements(ids[at])[1] ?? (ids[at] as Term)),
        kind: 'socket',
        protocol: name(mapValue(info, 'protocol')) ?? '',
        owner: pidText(mapValue(info, 'owner')) ?? '',
        local: undefined,
        remote: undefined,
        receivedBytes: count(mapValue(counters, 'read_byte')),
        sentBytes: count(mapValue(counters, 'write_byte')),
      }
    })
    return { rows, skipped: all.length - ids.length }
  } catch (error) {
    // The module is not there on every platform, and a socket may close between the two calls.
    if (error instanceof RemoteError) return { rows: [], skipped: 0 }
    throw error
  }
}

/** `{ok, {Address, Port}}` as text; undefined for errors. */
function inetAddress(term: Term | undefined): string | undefined {
  const [outcome, where] = elements(term)
  if (name(outcome) !== 'ok') return undefined
  const [address, port] = elements(where)
  const parts = elements(address).map(count)
  if (parts.length === 4) return `${parts.join('.')}:${count(port)}`
  if (parts.length === 8) return `[${parts.map((part) => part.toString(16)).join(':')}]:${count(port)}`
  return where === undefined ? undefined : print(where)
}

/**
 * How busy the schedulers are over `intervalMs`. The flag `scheduler_wall_time` is on for that time only and belongs to the
 * process of this call: it is put back by the call, and by the emulator should the connection be lost meanwhile.
 */
export async function schedulerUse(
  remote: RemoteNode,
  intervalMs: number,
  timeoutMs: number,
): Promise<SchedulerUse[]> {
  const flag = (value: boolean): BatchCall => ['erlang', 'system_flag', [atom('scheduler_wall_time'), value]]
  const reading: BatchCall = ['erlang', 'statistics', [atom('scheduler_wall_time_all')]]
  const [, counts, before, , after] = await remote.batch(
    [
      flag(true),
      [
        'lists',
        'map',
        [exportFun('erlang', 'system_info', 1), [atom('schedulers'), atom('dirty_cpu_schedulers')]],
      ],
      reading,
      ['timer', 'sleep', [intervalMs]],
      reading,
      flag(false),
    ],
    { timeoutMs: timeoutMs + intervalMs },
  )
  const [normal = 0, cpu = 0] = list(counts).map(count)
  const first = new Map(list(before).map((item) => [count(elements(item)[0]), item]))
  return list(after)
    .map((item): SchedulerUse => {
      const [id, active, total] = elements(item).map(count) as [number, number, number]
      const [, active0 = 0, total0 = 0] = elements(first.get(id)).map(count)
      const type = id <= normal ? 'normal' : id <= normal + cpu ? 'cpu' : 'io'
      return { id, type, active: total > total0 ? (active - active0) / (total - total0) : 0 }
    })
    .sort((a, b) => a.id - b.id)
}

/** A pid of a node from the text that the samples carry. @returns undefined for other text */
export function parsePid(node: string, creation: number, text: string): Pid | undefined {
  const match = /^<0\.(\d{1,10})\.(\d{1,10})>$/.exec(text)
  return match === null ? undefined : new Pid(atom(node), Number(match[1]), Number(match[2]), creation)
}
