/**
 * A group leader: the process that serves the Erlang I/O protocol ("The Erlang I/O Protocol" of stdlib's user's guide)
 * for functions that print, here or on other nodes. Output goes to a function; input comes from one.
 */
import { atomName, internAtom } from '../etf/atom.js'
import { asText } from '../etf/as-text.js'
import { formatIo } from '../etf/format.js'
import { Pid } from '../etf/identifiers.js'
import { print } from '../etf/print.js'
import type { Encodable, Term } from '../etf/terms.js'
import { Tuple, tuple } from '../etf/tuple.js'
import type { Host, SpawnOptions } from '../process/host.js'
import type { Process } from '../process/process.js'

export interface GroupLeaderOptions {
  /** Takes what is printed, in order. */
  write(text: string): void
  /** Gives the next line with its newline; undefined at the end of input. Without it there is no input. */
  readLine?(prompt: string): Promise<string | undefined>
}

const IO_REQUEST = internAtom('io_request')
const IO_REPLY = internAtom('io_reply')
const OK = internAtom('ok')
const ERROR = internAtom('error')
const EOF = internAtom('eof')
const ENOTSUP = internAtom('enotsup')
const REQUEST = internAtom('request')

type Reply = Encodable | Promise<Encodable>

/** Starts a group leader process. */
export function startGroupLeader(host: Host, options: GroupLeaderOptions, spawn: SpawnOptions = {}): Process {
  // Requests are answered one after another, as they came: output after a read waits for the read.
  let last: Promise<void> | undefined
  const process = host.spawnHandler(
    {
      message(message) {
        if (!(message instanceof Tuple) || message.elements[0] !== IO_REQUEST || message.size !== 4) return
        const [, from, replyAs, request] = message.elements as readonly [Term, Term, Term, Term]
        if (!(from instanceof Pid)) return
        const answer = (reply: Encodable) => host.send(process.pid, from, tuple(IO_REPLY, replyAs, reply))
        const serve = () => serveRequest(options, request)
        if (last === undefined) {
          const reply = serve()
          if (!(reply instanceof Promise)) {
            answer(reply)
            return
          }
          last = settle(reply, answer)
        } else last = last.then(() => settle(Promise.resolve(serve()), answer))
        const current = last
        void current.then(() => {
          if (last === current) last = undefined
        })
      },
    },
    spawn,
  )
  return process
}

async function settle(reply: Promise<Encodable>, answer: (reply: Encodable) => void): Promise<void> {
  let result: Encodable
  try {
    result = await reply
  } catch {
    result = tuple(ERROR, internAtom('terminated'))
  }
  answer(result)
}

function serveRequest(options: GroupLeaderOptions, request: Term): Reply {
  if (atomName(request) === 'getopts')
    return [tuple(internAtom('binary'), true), tuple(internAtom('encoding'), internAtom('unicode'))]
  if (!(request instanceof Tuple)) return tuple(ERROR, REQUEST)
  const [kind, ...args] = request.elements as readonly Term[]
  switch (atomName(kind)) {
    case 'put_chars':
      return putChars(options, args)
    case 'requests':
      return Array.isArray(args[0]) ? serveAll(options, args[0] as readonly Term[]) : tuple(ERROR, REQUEST)
    case 'setopts':
      return OK
    case 'get_geometry':
      return tuple(ERROR, ENOTSUP)
    case 'get_line':
      return getLine(options, args[args.length - 1] as Term)
    case 'get_chars':
    case 'get_until':
    case 'get_password':
      return options.readLine === undefined ? EOF : tuple(ERROR, ENOTSUP)
    default:
      return tuple(ERROR, REQUEST)
  }
}

/** Requests of `{requests, List}` are done in turn until one fails; the last answer is the answer. */
function serveAll(options: GroupLeaderOptions, requests: readonly Term[]): Reply {
  let reply: Reply = OK
  for (let i = 0; i < requests.length; i++) {
    reply = serveRequest(options, requests[i] as Term)
    if (reply instanceof Promise) {
      const rest = requests.slice(i + 1)
      return reply.then((first) => (rest.length === 0 || isError(first) ? first : serveAll(options, rest)))
    }
    if (isError(reply)) return reply
  }
  return reply
}

function isError(reply: Encodable): boolean {
  return reply instanceof Tuple && reply.elements[0] === ERROR
}

/** `{put_chars, Chars}`, `{put_chars, M, F, A}` (Latin-1), and both with an encoding in front. */
function putChars(options: GroupLeaderOptions, args: readonly Term[]): Encodable {
  const withEncoding = args.length === 2 || args.length === 4
  const encoding =
    withEncoding && atomName(args[0]) === 'latin1' ? 'latin1' : withEncoding ? 'unicode' : 'latin1'
  const rest = withEncoding ? args.slice(1) : args
  let text: string | undefined
  if (rest.length === 1) text = asText(rest[0] as Term, encoding)
  else {
    try {
      text = callFormatter(rest as readonly [Term, Term, Term])
    } catch {
      text = undefined
    }
  }
  if (text === undefined)
    return tuple(ERROR, tuple(internAtom('put_chars'), internAtom(encoding), rest[0] as Term))
  options.write(text)
  return OK
}

/** The functions of io_lib that OTP's `io` module names in its requests. */
function callFormatter([module, name, args]: readonly [Term, Term, Term]): string | undefined {
  if (atomName(module) !== 'io_lib' || !Array.isArray(args)) return undefined
  const list = args as readonly Term[]
  switch (atomName(name)) {
    case 'format':
    case 'fwrite': {
      const format = atomName(list[0]) ?? asText(list[0] as Term)
      return format === undefined || !Array.isArray(list[1])
        ? undefined
        : formatIo(format, list[1] as readonly Term[])
    }
    case 'write':
      return list.length === 1 ? formatIo('~tw', [list[0] as Term]) : undefined
    case 'print':
      return list.length === 1 ? print(list[0] as Term) : undefined
    case 'nl':
      return '\n'
    default:
      return undefined
  }
}

function getLine(options: GroupLeaderOptions, prompt: Term): Reply {
  if (options.readLine === undefined) return EOF
  const text = asText(prompt) ?? atomName(prompt) ?? ''
  return options.readLine(text).then((line) => line ?? EOF)
}
