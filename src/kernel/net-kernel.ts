/**
 * The process registered as `net_kernel`: what BEAMs ask it over the wire (`handle_call/3` of net_kernel.erl).
 * `net_adm:ping/1` is a call of `{is_auth, Node}`; whoever gets it through has shown the cookie. The spawn calls are
 * those of releases before OTP 23. What changes this node (`allow`, `set_net_ticktime`, …) is not a peer's to ask.
 */
import { Atom, internAtom } from '../etf/atom.js'
import type { Name } from '../dist/signals.js'
import { Pid } from '../etf/identifiers.js'
import { ErlMap } from '../etf/map.js'
import type { Encodable, Term } from '../etf/terms.js'
import { Tuple, tuple } from '../etf/tuple.js'
import { genReply, readGenMessage, type GenFrom } from '../process/gen-reply.js'
import type { SpawnRequest } from '../process/host.js'
import { Process } from '../process/process.js'
import { runSpawned, spawnForRequest } from '../process/receive-signal.js'
import { readSpawnOptions } from '../process/spawn-options.js'
import { answerSystemMessage } from '../process/system-messages.js'
import type { ProcessTable } from '../process/table.js'

const YES = internAtom('yes')
const EXIT = internAtom('EXIT')
const BADARG = internAtom('badarg')
const LINK = internAtom('link')

/** What `net_kernel:get_state/0` gives. */
export interface NetKernelState {
  /** A node of this package is started by its program: `dynamic` in OTP's words. */
  readonly started: 'static' | 'dynamic'
  readonly nameType: 'static' | 'dynamic'
  /** Undefined while the node has no name. */
  readonly name: string | undefined
  readonly nameDomain: 'shortnames' | 'longnames'
}

export interface NetKernelFacts {
  state(): NetKernelState
  /** Milliseconds, and whether it is being changed to that. */
  ticktime(): { ms: number; changing: boolean }
}

/** Starts the `net_kernel` process of a node. */
export function startNetKernel(table: ProcessTable, facts: NetKernelFacts): Process {
  const process: Process = table.spawnHandler(
    {
      ignoresExits: true,
      message(message) {
        if (answerSystemMessage(table, process, 'net_kernel', message)) return
        const read = readGenMessage(message)
        if (read.type !== 'call') return
        const { from, request } = read
        try {
          const answer = answerCall(table, facts, process, from, request)
          // As with OTP's net_kernel, a request that is not known gets no answer: the caller's time-out ends it.
          if (answer !== undefined) genReply(table, process.pid, from, answer)
        } catch (error) {
          // It serves everyone: a caller that cannot be answered must not end it.
          table.reportError(error, 'net_kernel', from.pid.node)
        }
      },
    },
    { name: 'net_kernel' },
  )
  return process
}

function answerCall(
  table: ProcessTable,
  facts: NetKernelFacts,
  self: Process,
  from: GenFrom,
  request: Term,
): Encodable {
  if (request instanceof Tuple) {
    switch (`${request.tag ?? ''}/${request.size}`) {
      case 'is_auth/2':
        return YES
      case 'spawn/5':
      case 'spawn_link/5': {
        const [, module, name, args, leader] = request.elements as readonly Term[]
        return spawn(table, self, from, { module, name, args, leader, link: request.tag === 'spawn_link' })
      }
      case 'spawn_opt/7': {
        const [, module, name, args, options, link, leader] = request.elements as readonly Term[]
        if (!Array.isArray(options) || readSpawnOptions(options as readonly Term[]) === undefined)
          return badarg()
        return spawn(table, self, from, { module, name, args, leader, link: link === LINK })
      }
      default:
        return undefined
    }
  }
  switch (String(request)) {
    case 'nodename':
      return table.name
    case 'longnames':
      return facts.state().nameDomain === 'longnames'
    case 'ticktime': {
      const { ms, changing } = facts.ticktime()
      return changing ? tuple(internAtom('ongoing_change_to'), ms) : ms
    }
    case 'get_state':
      return stateTerm(facts.state())
    default:
      return undefined
  }
}

function stateTerm({ started, nameType, name, nameDomain }: NetKernelState): Encodable {
  return ErlMap.from<Encodable, Encodable>([
    [internAtom('started'), internAtom(started)],
    [internAtom('name_type'), internAtom(nameType)],
    [internAtom('name'), internAtom(name ?? 'undefined')],
    [internAtom('name_domain'), internAtom(nameDomain)],
  ]) as Encodable
}

function badarg(): Encodable {
  return tuple(EXIT, tuple(BADARG, []))
}

/** `do_spawn/3`: the link goes first, then the pid, then the function runs. */
function spawn(
  table: ProcessTable,
  self: Process,
  from: GenFrom,
  asked: {
    module: Term | undefined
    name: Term | undefined
    args: Term | undefined
    leader: Term | undefined
    link: boolean
  },
): Encodable {
  const { module, name, args, leader, link } = asked
  if (!isName(module) || !isName(name) || !Array.isArray(args) || !(leader instanceof Pid)) return badarg()
  const request: SpawnRequest = {
    type: 'spawnRequest',
    ref: table.makeReference(),
    from: from.pid,
    groupLeader: leader,
    module,
    function: name,
    arity: args.length,
    options: [],
    args: args as readonly Term[],
  }
  const process = spawnForRequest(table, request)
  if (!(process instanceof Process)) return tuple(EXIT, tuple(process, []))
  try {
    if (link) process.link(from.pid)
    genReply(table, self.pid, from, process.pid)
  } catch (error) {
    // Nobody would know of it, and it would never run nor end.
    process.exit()
    throw error
  }
  runSpawned(table, process, request)
  return undefined
}

function isName(term: Term | undefined): term is Name {
  return term instanceof Atom || typeof term === 'boolean'
}
