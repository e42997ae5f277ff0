/** The standard functions of module `erlang` that tell of this node's processes. */
import { Atom, internAtom } from '../etf/atom.js'
import { Pid } from '../etf/identifiers.js'
import type { Encodable, Term } from '../etf/terms.js'
import { ErlangError } from '../process/erlang-error.js'
import { isItem, processInfo } from '../process/process-info.js'
import type { Process } from '../process/process.js'
import { withContext } from './exposed.js'

/** What these functions read: a process table. */
export interface ProcessFacts {
  readonly name: Atom
  process(pid: Pid): Process | undefined
  processes(): Pid[]
  whereis(name: Atom): Pid | undefined
  registered(): Atom[]
}

const UNDEFINED = internAtom('undefined')

export function processFunctions(facts: ProcessFacts): Record<string, (...args: never[]) => Encodable> {
  const own = (pid: Term): Pid => {
    // As a BEAM, this node tells of its own processes only.
    if (!(pid instanceof Pid) || pid.node !== facts.name) throw new ErlangError('error', internAtom('badarg'))
    return pid
  }
  return {
    processes: () => facts.processes(),
    registered: () => facts.registered(),
    whereis: (name: Term) => {
      if (typeof name === 'boolean') return UNDEFINED
      if (!(name instanceof Atom)) throw new ErlangError('error', internAtom('badarg'))
      return facts.whereis(name) ?? UNDEFINED
    },
    is_process_alive: (pid: Term) => facts.process(own(pid)) !== undefined,
    process_info: withContext(
      (_context, pid: Term, ...items: readonly Term[]) => info(facts.process(own(pid)), items[0]),
      { arity: [1, 2] },
    ),
  }
}

function info(process: Process | undefined, items: Term | undefined): Encodable {
  const single = items !== undefined && !Array.isArray(items)
  const asked = items === undefined ? undefined : ((single ? [items] : items) as readonly Term[])
  if (process === undefined) {
    if (asked?.every(isItem) === false) throw new ErlangError('error', internAtom('badarg'))
    return UNDEFINED
  }
  const found = processInfo(process, asked)
  if (found === undefined) throw new ErlangError('error', internAtom('badarg'))
  if (!single) return found
  // A process without a name is the one item whose answer is not a pair.
  return String(items) === 'registered_name' && process.registeredName === undefined ? [] : found[0]
}
