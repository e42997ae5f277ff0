/**
 * The process registered as `net_kernel`: what BEAMs ask it over the wire. `net_adm:ping/1` is a call of
 * `{is_auth, Node}`; whoever gets it through has shown the cookie.
 */
import { internAtom } from '../etf/atom.js'
import type { Term } from '../etf/terms.js'
import { Tuple, tuple } from '../etf/tuple.js'
import { genReply, readGenMessage } from '../process/gen-reply.js'
import type { Host } from '../process/host.js'
import type { Process } from '../process/process.js'

const IS_AUTH = internAtom('is_auth')
const YES = internAtom('yes')

export interface NetKernelState {
  longNames(): boolean
  netTicktimeSeconds(): number
}

/** Starts the `net_kernel` process of a node. */
export function startNetKernel(host: Host, state: NetKernelState): Process {
  const process = host.spawnHandler(
    {
      message(message) {
        const request = readGenMessage(message)
        if (request.type !== 'call') return
        const answer = answerCall(host, state, request.request)
        // As OTP's net_kernel, a request that is not known gets no answer here: its caller's monitor or time-out ends it.
        if (answer !== undefined) genReply(host, process.pid, request.from, answer)
      },
    },
    { name: 'net_kernel', trapExit: true },
  )
  return process
}

function answerCall(host: Host, state: NetKernelState, request: Term): Term | undefined {
  if (request instanceof Tuple) return request.elements[0] === IS_AUTH && request.size === 2 ? YES : undefined
  switch (String(request)) {
    case 'nodename':
      return host.name
    case 'longnames':
      return state.longNames()
    case 'ticktime':
      return state.netTicktimeSeconds()
    default:
      return undefined
  }
}

/** The request of `net_adm:ping/1`. */
export function pingRequest(thisNode: string): Term {
  return tuple(IS_AUTH, internAtom(thisNode)) as Term
}
