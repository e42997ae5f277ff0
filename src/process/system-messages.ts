/**
 * System messages (OTP's sys.erl): `{system, From, Request}`, by which `sys` looks into the processes of any node. Generic
 * servers of a program answer them in full (gen/server-system.ts); the node's own services here: they show that they
 * run, and let nobody hold, change or end them.
 *
 *     get_status            {status, Pid, {module, Module}, [PDict, running, Parent, Debug, Misc]}
 *     {debug, Command}      what holds where nothing is traced, logged or counted; turning that on is not served
 *     anything else         {error, {unknown_system_msg, Request}}, which `sys:get_state` raises at once
 */
import { atomName, internAtom } from '../etf/atom.js'
import { Pid } from '../etf/identifiers.js'
import type { Encodable, Term } from '../etf/terms.js'
import { isTuple, Tuple, tuple } from '../etf/tuple.js'
import { charlist } from '../etf/values.js'
import { genReply, type GenFrom } from './gen-reply.js'
import type { Host } from './host.js'
import type { Process } from './process.js'

const SYSTEM = internAtom('system')

export interface SystemMessage {
  from: GenFrom
  request: Term
}

/** @returns undefined for a message that is none of `sys` */
export function readSystemMessage(message: Term): SystemMessage | undefined {
  if (!(message instanceof Tuple) || message.size !== 3) return undefined
  const [kind, from, request] = message.elements as readonly [Term, Term, Term]
  if (kind !== SYSTEM || !(from instanceof Tuple) || from.size !== 2) return undefined
  const [pid, tag] = from.elements as readonly [Term, Term]
  return pid instanceof Pid ? { from: { pid, tag }, request } : undefined
}

/** `{error, {unknown_system_msg, Request}}`. */
export function unknownSystemMessage(request: Term): Encodable {
  return tuple(internAtom('error'), tuple(internAtom('unknown_system_msg'), request))
}

/** Commands of {@link debugReply} that are `ok` where there is nothing to end. */
const DEBUG_OFF = ['trace', 'log', 'log_to_file', 'statistics']

/**
 * The answer to `{debug, Command}` of a process without debug options, as `sys` gives it for a BEAM's.
 * @returns undefined for other requests, and for what would turn tracing, logging or statistics on
 */
export function debugReply(request: Term): Encodable | undefined {
  if (!isTuple(request, 'debug', 2)) return undefined
  const command = request.elements[1]
  const ok = internAtom('ok')
  if (command === internAtom('no_debug') || isTuple(command, 'remove', 2)) return ok
  if (!(command instanceof Tuple) || command.size !== 2) return undefined
  const argument = command.elements[1] as Term
  if (argument === false) return DEBUG_OFF.includes(command.tag ?? '') ? ok : undefined
  switch (`${command.tag ?? ''} ${atomName(argument) ?? ''}`) {
    case 'log get':
      return tuple(ok, [])
    case 'log print':
      return ok
    case 'statistics get':
      return tuple(ok, internAtom('no_statistics'))
    default:
      return undefined
  }
}

/** What `sys:get_status` gives, laid out as gen_server's, so that tools which read that find their way. */
export function systemStatus(
  process: Process,
  { module, state, status = 'running' }: { module: string; state?: Encodable; status?: string },
): Encodable {
  const { pid, registeredName } = process
  const running = internAtom(status)
  const misc: Encodable[] = [
    tuple(
      internAtom('header'),
      charlist(`Status for generic server ${registeredName?.name ?? pid.toString()}`),
    ),
    tuple(internAtom('data'), [
      tuple(charlist('Status'), running),
      tuple(charlist('Parent'), pid),
      tuple(charlist('Logged events'), []),
    ]),
  ]
  if (state !== undefined) misc.push(tuple(internAtom('data'), [tuple(charlist('State'), state)]))
  const dictionary = [tuple(internAtom('$initial_call'), tuple(internAtom(module), internAtom('init'), 1))]
  const behaviour = tuple(internAtom('module'), internAtom('gen_server'))
  return tuple(internAtom('status'), pid, behaviour, [dictionary, running, pid, [], misc])
}

/** Answers `sys` for a service of the node. @returns whether the message was one of `sys` */
export function answerSystemMessage(
  host: Pick<Host, 'send'>,
  process: Process,
  module: string,
  message: Term,
): boolean {
  const read = readSystemMessage(message)
  if (read === undefined) return false
  const { from, request } = read
  const isStatus = request === internAtom('get_status')
  const reply = isStatus
    ? systemStatus(process, { module })
    : (debugReply(request) ?? unknownSystemMessage(request))
  try {
    genReply(host, process.pid, from, reply)
  } catch {
    // Whoever asked in the name of a process that cannot be told (too wide a reference for its node, say) gets no answer,
    // and ends no service by it.
  }
  return true
}
