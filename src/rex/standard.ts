/**
 * Functions that tools expect of any node, answered unless the option `standardFunctions` says no: they read a few
 * facts about this process and change nothing. Also `beampeer:help/0,1`. docs/calling-node.md lists them.
 */
import { atom, atomCount, atomName, internAtom, type Atom } from '../etf/atom.js'
import type { Encodable, Term } from '../etf/terms.js'
import { Tuple, tuple } from '../etf/tuple.js'
import { charlist } from '../etf/values.js'
import type { Limits } from '../limits.js'
import { ErlangError } from '../process/erlang-error.js'
import { withContext, type Arity, type ExposedEntry, type ExposedTable } from './exposed.js'
import { processFunctions, type ProcessFacts } from './standard-processes.js'

/** What the standard functions tell: facts of the node and of the process it runs in. */
export interface NodeFacts {
  node(): Atom
  creation(): number
  nodes(type: 'visible' | 'hidden' | 'connected' | 'this' | 'known'): readonly string[]
  processCount(): number
  /** Of this operating system process, in bytes. */
  memory(): { rss: number; heapTotal: number; heapUsed: number; arrayBuffers: number }
  /** As `v20.19.0`. */
  readonly runtime: string
  /** As `x64-linux`. */
  readonly architecture: string
  processors(): number
  readonly limits: Limits
  readonly processes: ProcessFacts
}

const NODE_TYPES = ['visible', 'hidden', 'connected', 'this', 'known'] as const
const WORD_BYTES = 8

/** Exposes the standard functions. */
export function exposeStandardFunctions(table: ExposedTable, facts: NodeFacts): void {
  table.exposeStandard('erlang', {
    ...processFunctions(facts.processes),
    node: () => facts.node(),
    is_alive: () => facts.node().name !== 'nonode@nohost',
    nodes: withContext(
      (_context, ...types: readonly Term[]) => nodes(facts, types[0] ?? internAtom('visible')),
      { arity: [0, 1] },
    ),
    system_info: (key: Term) => systemInfo(facts, key),
    memory: withContext(
      (_context, ...what: readonly Term[]) =>
        what.length === 0 ? memory(facts) : memoryOf(facts, what[0] as Term),
      {
        arity: [0, 1],
      },
    ),
    function_exported: (module: Term, name: Term, arity: Term) => isExported(table, module, name, arity),
  })
  table.exposeStandard('code', {
    ensure_loaded: (module: Term) => ensureLoaded(table, module),
  })
  table.exposeStandard('beampeer', {
    help: withContext(
      (context, ...module: readonly Term[]) => {
        const listed = table.list(context.node.name)
        return module.length === 0 ? help(listed) : helpOf(listed, module[0] as Term)
      },
      { arity: [0, 1] },
    ),
  })
}

function badarg(): ErlangError {
  return new ErlangError('error', internAtom('badarg'))
}

/** `erlang:nodes/1`: one type or a list of them. */
function nodes(facts: NodeFacts, types: Term): Encodable {
  const names = new Set<string>()
  for (const type of Array.isArray(types) ? (types as readonly Term[]) : [types]) {
    const known = NODE_TYPES.find((name) => name === atomName(type))
    if (known === undefined) throw badarg()
    for (const name of facts.nodes(known)) names.add(name)
  }
  return [...names].map((name) => internAtom(name))
}

/** The keys of `erlang:system_info/1` that mean something here; others are `badarg`, as unknown ones are on a BEAM. */
function systemInfo(facts: NodeFacts, key: Term): Encodable {
  if (key instanceof Tuple && key.size === 2 && atomName(key.elements[0]) === 'wordsize') {
    if (['internal', 'external'].includes(atomName(key.elements[1]) ?? '')) return WORD_BYTES
  }
  switch (atomName(key)) {
    case 'system_version':
      return charlist(`beampeer [node ${facts.runtime}] [${facts.architecture}]\n`)
    case 'system_architecture':
      return charlist(facts.architecture)
    case 'machine':
      return charlist('beampeer')
    case 'creation':
      return facts.creation()
    case 'wordsize':
      return WORD_BYTES
    case 'process_count':
      return facts.processCount()
    case 'process_limit':
      return facts.limits.maxProcesses
    case 'port_count':
      return 0
    case 'atom_count':
      return atomCount()
    case 'atom_limit':
      return facts.limits.maxAtoms
    case 'dist_buf_busy_limit':
      return facts.limits.busyLimitBytes
    case 'logical_processors':
    case 'logical_processors_online':
    case 'logical_processors_available':
      return facts.processors()
    // JavaScript runs in one thread.
    case 'schedulers':
    case 'schedulers_online':
      return 1
    default:
      throw badarg()
  }
}

/** `erlang:memory/0`: what there is a figure for, and 0 for the BEAM's own tables. */
function memory(facts: NodeFacts): Encodable {
  return memoryEntries(facts).map(([name, bytes]) => tuple(internAtom(name), bytes))
}

function memoryOf(facts: NodeFacts, what: Term): Encodable {
  const entries = new Map<string, number>(memoryEntries(facts))
  const one = (type: Term): number => {
    const bytes = entries.get(atomName(type) ?? '')
    if (bytes === undefined) throw badarg()
    return bytes
  }
  if (!Array.isArray(what)) return one(what)
  return (what as readonly Term[]).map((type) => tuple(type, one(type)))
}

function memoryEntries(facts: NodeFacts): [string, number][] {
  const { rss, heapTotal, heapUsed, arrayBuffers } = facts.memory()
  return [
    ['total', rss],
    ['processes', heapTotal],
    ['processes_used', heapUsed],
    ['system', rss - heapTotal],
    ['atom', 0],
    ['atom_used', 0],
    ['binary', arrayBuffers],
    ['code', 0],
    ['ets', 0],
  ]
}

/** `code:ensure_loaded/1`: modules are what is exposed. */
function ensureLoaded(table: ExposedTable, module: Term): Encodable {
  const name = atomName(module)
  if (name === undefined) throw new ErlangError('error', internAtom('function_clause'))
  return table.has(name)
    ? tuple(internAtom('module'), module)
    : tuple(internAtom('error'), internAtom('nofile'))
}

function isExported(table: ExposedTable, module: Term, name: Term, arity: Term): boolean {
  const moduleName = atomName(module)
  const functionName = atomName(name)
  if (moduleName === undefined || functionName === undefined || typeof arity !== 'number' || !(arity >= 0))
    throw badarg()
  return table.find(moduleName, functionName, arity) !== undefined
}

/** `[{Module, [{Function, Arity}]}]`, sorted. */
function help(listed: readonly ExposedEntry[]): Encodable {
  const modules = [...new Set(listed.map(({ module }) => module))].sort()
  return modules.map((module) => {
    const own = sorted(listed.filter((entry) => entry.module === module))
    return tuple(
      atom(module),
      own.flatMap((entry) => arities(entry.arity).map((arity) => tuple(atom(entry.function), arity))),
    )
  })
}

/** `[{Function, Arity, Doc}]` of one module; `badarg` when there is none of that name. */
function helpOf(listed: readonly ExposedEntry[], module: Term): Encodable {
  const own = sorted(listed.filter((entry) => entry.module === atomName(module)))
  if (own.length === 0) throw badarg()
  return own.flatMap(({ function: name, arity, doc }) =>
    arities(arity).map((each) => tuple(atom(name), each, doc)),
  )
}

function sorted(entries: readonly ExposedEntry[]): ExposedEntry[] {
  return [...entries].sort((a, b) => (a.function < b.function ? -1 : 1))
}

function arities(arity: Arity): Encodable[] {
  if (arity === 'any') return [internAtom('any')]
  return typeof arity === 'number' ? [arity] : [...arity].sort((a, b) => a - b)
}
