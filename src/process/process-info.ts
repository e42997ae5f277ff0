/** `erlang:process_info/1,2`: what other nodes may learn of a process of this one, in the BEAM's words. */
import { atomName, internAtom } from '../etf/atom.js'
import type { Encodable, Term } from '../etf/terms.js'
import { Pid } from '../etf/identifiers.js'
import { isTuple, tuple } from '../etf/tuple.js'
import type { Process } from './process.js'

const PROCESS = internAtom('process')
const UNDEFINED_CODE = tuple(internAtom('erlang'), internAtom('apply'), 2)

/** Items by name. Those of the BEAM's scheduler and memory have no meaning here and are left out. */
const ITEMS: Readonly<Record<string, (process: Process) => Encodable>> = {
  registered_name: ({ registeredName }) => registeredName ?? [],
  current_function: () => UNDEFINED_CODE,
  initial_call: () => UNDEFINED_CODE,
  status: () => internAtom('waiting'),
  message_queue_len: ({ queueLength }) => queueLength,
  messages: (process) => (process.handler === undefined ? process.mailbox.messages() : []),
  links: ({ links }) => links?.active() ?? [],
  monitors: ({ monitors }) =>
    [...(monitors?.values() ?? [])].map(({ target }) =>
      tuple(PROCESS, target instanceof Pid ? target : tuple(target.name, target.node)),
    ),
  monitored_by: ({ watchers }) => [...(watchers?.values() ?? [])].map(({ watcher }) => watcher),
  dictionary: () => [],
  trap_exit: ({ trapExit, handler }) => trapExit || handler?.ignoresExits === true,
  error_handler: () => internAtom('error_handler'),
  priority: () => internAtom('normal'),
  group_leader: ({ groupLeader }) => groupLeader,
}

/** Items of a BEAM's that have no meaning here: of a process that has ended they are `undefined` all the same. */
const OTHER_ITEMS = [
  'async_dist',
  'backtrace',
  'binary',
  'catchlevel',
  'current_location',
  'current_stacktrace',
  'fullsweep_after',
  'garbage_collection',
  'garbage_collection_info',
  'heap_size',
  'label',
  'last_calls',
  'magic_ref',
  'max_heap_size',
  'memory',
  'message_queue_data',
  'min_bin_vheap_size',
  'min_heap_size',
  'parent',
  'priority_messages',
  'reductions',
  'sequential_trace_token',
  'stack_size',
  'suspending',
  'total_heap_size',
  'trace',
]

/** Whether a BEAM has an item of that name. */
export function isItem(item: Term): boolean {
  const name = atomName(item)
  if (name === undefined) return isTuple(item, 'dictionary', 2)
  return Object.hasOwn(ITEMS, name) || OTHER_ITEMS.includes(name)
}

/** What `process_info/1` gives, in its order. */
const USUAL = [
  'registered_name',
  'current_function',
  'initial_call',
  'status',
  'message_queue_len',
  'links',
  'dictionary',
  'trap_exit',
  'error_handler',
  'priority',
  'group_leader',
]

/**
 * @param items names of items; undefined: the usual ones, without a name that there is not
 * @returns undefined when an item is none that this node knows
 */
export function processInfo(process: Process, items?: readonly unknown[]): Encodable[] | undefined {
  const names = items === undefined ? USUAL : items.map((item) => atomName(item))
  const info: Encodable[] = []
  for (const name of names) {
    const read = name !== undefined && Object.hasOwn(ITEMS, name) ? ITEMS[name] : undefined
    if (name === undefined || read === undefined) return undefined
    if (items === undefined && name === 'registered_name' && process.registeredName === undefined) continue
    info.push(tuple(internAtom(name), read(process)))
  }
  return info
}
