/**
 * The process registered as `rex` (OTP's rpc.erl): block calls, casts and feature requests of BEAMs, and the call forms
 * of C nodes, Java nodes and old releases, for which rex is all they know.
 */
import { Atom, atomName, internAtom } from '../etf/atom.js'
import { Pid, Reference } from '../etf/identifiers.js'
import type { Encodable, Term } from '../etf/terms.js'
import { Tuple, tuple } from '../etf/tuple.js'
import { DistError, NodeError } from '../errors.js'
import { toException } from '../process/erlang-error.js'
import { genReply, readGenMessage } from '../process/gen-reply.js'
import type { Destination, Host } from '../process/host.js'
import type { Process } from '../process/process.js'
import { ReferenceMap } from '../process/reference-map.js'
import { answerSystemMessage } from '../process/system-messages.js'
import { runCall, type Outcome, type RunningCall } from './call.js'
import { makeContext, type CallContext } from './context.js'
import type { CallServer } from './spawn-server.js'

const REX = internAtom('rex')
const BADRPC = internAtom('badrpc')
const EXIT = internAtom('EXIT')
const ERPC = internAtom('erpc')
const SYSTEM_LIMIT = internAtom('system_limit')
const FEATURES_REPLY = internAtom('features_reply')
const NONEXISTING_NAME = internAtom('nonexisting_name')
const REX_STDOUT = internAtom('rex_stdout')
const USER = internAtom('user')

export interface RexOptions extends CallServer {
  /** A group leader that gives what is printed to `write`. */
  makeGroupLeader(write: (text: string) => void): Process
  /** Block calls that may wait for the one that runs. */
  maxQueuedCalls: number
}

interface Request {
  module: Term
  function: Term
  args: Term
  groupLeader: Term
  caller: Pid
  /** A block call: OTP runs it in rex itself, which traps exits. */
  block: boolean
  reply(result: Encodable): void
}

/** The group leader of a call; `own` when it was made for this call alone. */
interface Leader {
  pid: Pid
  own?: Process
}

/** Starts `rex`. */
export function startRex(options: RexOptions): Process {
  return new RexServer(options).process
}

/** What a call needs of the server. */
interface RexCallParts {
  leader(): Leader
  start(groupLeader: Pid): Process
  context(process: Process): CallContext
  reply(result: Encodable): void
}

/**
 * A call on its way. Its process is made when somebody can come to know of it: functions that end at once and ask for
 * no context need none.
 */
class RexCall implements RunningCall {
  readonly #parts: RexCallParts
  #leader: Leader | undefined
  #process: Process | undefined
  #context: CallContext | undefined
  #waiting = true
  #answered = () => {}

  constructor(parts: RexCallParts) {
    this.#parts = parts
  }

  get process(): Process {
    if (this.#process === undefined) {
      this.#leader = this.#parts.leader()
      this.#process = this.#parts.start(this.#leader.pid)
    }
    return this.#process
  }

  context(): CallContext {
    return (this.#context ??= this.#parts.context(this.process))
  }

  /** Resolves when the call was answered. */
  get answered(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting) this.#answered = resolve
      else resolve()
    })
  }

  /** Answers, once, and ends the process. */
  answer(result: Encodable): void {
    if (!this.#waiting) return
    this.#waiting = false
    this.#parts.reply(result)
    this.#process?.exit()
    this.#leader?.own?.exit()
    this.#answered()
  }
}

class RexServer {
  readonly process: Process
  readonly #host: Host
  readonly #options: RexOptions
  /** Running calls by the monitor on their process. */
  readonly #running = new ReferenceMap<() => void>()
  #blocked: Promise<void> | undefined
  /** Block calls that wait for it. */
  #queued = 0

  constructor(options: RexOptions) {
    const { host } = options
    this.#host = host
    this.#options = options
    this.process = host.spawnHandler(
      {
        ignoresExits: true,
        message: (message, from) => {
          try {
            this.#message(message, from)
          } catch (error) {
            // rex serves everyone: what one request brings about ends nobody else's.
            options.onError(error, 'rex', from?.node)
          }
        },
        down: (ref) => this.#running.take(ref)?.(),
      },
      { name: REX },
    )
  }

  /** `sender` is who the signal says it is from; a message says what it likes. */
  #message(message: Term, sender: Pid | undefined): void {
    if (answerSystemMessage(this.#host, this.process, 'rpc', message)) return
    const read = readGenMessage(message)
    if (read.type === 'call') {
      const { from, request } = read
      const reply = (result: Encodable) => genReply(this.#host, this.process.pid, from, result)
      this.#call(request, sender ?? from.pid, reply)
    } else if (read.type === 'cast') this.#cast(read.request, sender ?? this.process.pid)
    else if (message instanceof Tuple && message.size === 2) {
      const [from, request] = message.elements as readonly [Term, Term]
      if (from instanceof Pid) this.#foreign(from, request, sender ?? from)
    }
  }

  /** `{call | block_call, M, F, A, GroupLeader}`; what is none of these is ignored, as rex does. */
  #call(request: Term, caller: Pid, reply: (result: Encodable) => void): void {
    if (!(request instanceof Tuple) || request.size !== 5) return
    const [kind, module, name, args, groupLeader] = request.elements as readonly [
      Term,
      Term,
      Term,
      Term,
      Term,
    ]
    const block = atomName(kind) === 'block_call'
    const call: Request = { module, function: name, args, groupLeader, caller, block, reply }
    if (atomName(kind) === 'call') void this.#run(call)
    else if (block) {
      // One after another, whoever calls.
      const run = this.#blocked === undefined ? this.#run(call) : this.#runAfter(this.#blocked, call)
      if (run !== undefined) this.#blocked = run
      void run?.then(() => {
        if (this.#blocked === run) this.#blocked = undefined
      })
    }
  }

  /** @returns undefined for a call that is refused: too many wait */
  #runAfter(previous: Promise<void>, call: Request): Promise<void> | undefined {
    if (this.#queued >= this.#options.maxQueuedCalls) {
      this.#reply(call, tuple(BADRPC, tuple(EXIT, SYSTEM_LIMIT)))
      return undefined
    }
    this.#queued++
    return previous.then(() => {
      this.#queued--
      return this.#run(call)
    })
  }

  #cast(request: Term, caller: Pid): void {
    if (!(request instanceof Tuple) || request.size !== 5) return
    const [kind, module, name, args, groupLeader] = request.elements as readonly [
      Term,
      Term,
      Term,
      Term,
      Term,
    ]
    if (atomName(kind) !== 'cast') return
    void this.#run({ module, function: name, args, groupLeader, caller, block: false, reply: () => {} })
  }

  /** The messages of nodes that do not speak gen: `{Pid, {call, …}}`, answered `{rex, Result}`, and others. */
  #foreign(from: Pid, request: Term, sender: Pid): void {
    if (atomName(request) === 'features_request') {
      this.#send(from, tuple(FEATURES_REPLY, this.#host.name, [ERPC]))
      return
    }
    if (!(request instanceof Tuple)) return
    const [kind, ...rest] = request.elements as readonly Term[]
    const kindName = atomName(kind)
    if (kindName === 'call' || kindName === 'block_call') {
      const { elements } = request as Tuple<readonly Term[]>
      const toCaller = kindName === 'call' && atomName(elements[4]) === 'send_stdout_to_caller'
      const call = toCaller
        ? tuple(...elements.slice(0, 4), tuple(internAtom('send_stdout_to_caller'), from))
        : request
      this.#call(call as Term, sender, (result) => this.#send(from, tuple(REX, result)))
    } else if ((kindName === 'sbcast' || kindName === 'send') && rest.length === 2) {
      const [name, message] = rest as [Term, Term]
      const delivered = this.#sendToName(name, kindName === 'send' ? tuple(from, message) : message)
      if (!delivered) this.#send(from, tuple(REX, this.#host.name, tuple(NONEXISTING_NAME, name)))
      else if (kindName === 'sbcast') this.#send(from, tuple(REX, this.#host.name, this.#host.name))
    }
  }

  /** Runs a call; the promise, if the call did not end at once, resolves when it was answered, and never rejects. */
  #run(call: Request): Promise<void> | undefined {
    const running = new RexCall({
      // A process with a mailbox that lives until the call is answered: the function may receive.
      start: (groupLeader) =>
        this.#host.spawn(() => new Promise(() => {}), { groupLeader, trapExit: call.block }),
      leader: () => this.#groupLeader(call),
      context: (process) => makeContext(this.#host, this.#options.io, process, call.caller),
      reply: (result) => this.#reply(call, result),
    })
    const outcome = runCall(this.#options.table, call, running)
    if (!(outcome instanceof Promise)) {
      running.answer(rpcResult(outcome))
      return undefined
    }
    try {
      // Whoever ends the process from outside ends the call.
      const { process } = running
      const ref = this.process.monitor(process)
      // It may have ended before the monitor reached it, which then only says noproc.
      this.#running.set(ref, () => running.answer(tuple(BADRPC, tuple(EXIT, process.exitReason))))
    } catch (error) {
      // Only a full process table gets here.
      this.#options.onError(error, 'rex', call.caller.node)
      running.answer(tuple(BADRPC, tuple(EXIT, SYSTEM_LIMIT)))
    }
    this.#options.running.note(
      running.process,
      outcome.then((end) => running.answer(rpcResult(end))),
    )
    return running.answered
  }

  #reply(call: Request, result: Encodable): void {
    try {
      try {
        call.reply(result)
      } catch (error) {
        if (error instanceof DistError || error instanceof NodeError) throw error
        // A value that is no term, one that the caller's node cannot read, or a getter that threw: the function's error.
        call.reply(rpcResult({ type: 'exception', exception: toException(error) }))
      }
    } catch (error) {
      this.#options.onError(error, 'answer of rex', call.caller.node)
    }
  }

  /** `user` is the node's own; `{send_stdout_to_caller, Pid}` (erl_call) sends output to the caller as messages. */
  #groupLeader({ groupLeader }: Request): Leader {
    if (groupLeader instanceof Pid) return { pid: groupLeader }
    if (groupLeader instanceof Tuple && groupLeader.size === 2) {
      const [kind, caller] = groupLeader.elements as readonly [Term, Term]
      if (atomName(kind) === 'send_stdout_to_caller' && caller instanceof Pid) {
        const own = this.#options.makeGroupLeader((text) => this.#send(caller, tuple(REX_STDOUT, text)))
        return { pid: own.pid, own }
      }
    }
    return { pid: this.#host.whereis(USER) ?? this.#host.groupLeader }
  }

  /** `Name ! Message` as rex evaluates it, for all that can stand on its left. */
  #sendToName(name: Term, message: Encodable): boolean {
    const to = destination(name)
    if (to === undefined || (to instanceof Atom && this.#host.whereis(to) === undefined)) return false
    this.#host.send(this.process.pid, to, message)
    return true
  }

  #send(to: Pid, message: Encodable): void {
    this.#host.send(this.process.pid, to, message)
  }
}

function destination(name: Term): Destination | undefined {
  if (name instanceof Atom || name instanceof Pid || name instanceof Reference) return name
  if (!(name instanceof Tuple) || name.size !== 2) return undefined
  const [local, node] = name.elements as readonly [Term, Term]
  return local instanceof Atom && node instanceof Atom ? { name: local, node } : undefined
}

/** What rex answers for an outcome (`execute_call/3` of rpc.erl). */
function rpcResult(outcome: Outcome): Encodable {
  if (outcome.type === 'return') return outcome.value
  if (outcome.type === 'argError') return tuple(BADRPC, tuple(EXIT, internAtom(outcome.reason)))
  const { class: errorClass, reason, stack } = outcome.exception
  if (errorClass === 'throw') return reason
  return tuple(BADRPC, tuple(EXIT, errorClass === 'exit' ? reason : tuple(reason, stack)))
}
