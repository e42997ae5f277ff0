/**
 * A group leader: the process that serves the Erlang I/O protocol ("The Erlang I/O Protocol" of stdlib's user's guide)
 * for functions that print and read, here or on other nodes. Output goes to a function; input comes from one, by lines.
 *
 *     {io_request, From, ReplyAs, Request}   ─▶  {io_reply, ReplyAs, Reply}
 *
 * Not supported: `get_until` with code of the caller's (`io:read`, `io:fread`) and `get_password`: `{error, enotsup}`.
 */
import { atomName, internAtom } from '../etf/atom.js'
import { asText } from '../etf/as-text.js'
import { formatIo } from '../etf/format.js'
import { Pid } from '../etf/identifiers.js'
import type { Encodable, Term } from '../etf/terms.js'
import { isTuple, Tuple, tuple } from '../etf/tuple.js'
import { charlist } from '../etf/values.js'
import type { Limits } from '../limits.js'
import type { Host, SpawnOptions } from '../process/host.js'
import type { Process } from '../process/process.js'
import { answerSystemMessage } from '../process/system-messages.js'

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
const TERMINATED = internAtom('terminated')
const BINARY = internAtom('binary')
const UNICODE = internAtom('unicode')
const LATIN1 = internAtom('latin1')
const UTF8 = internAtom('utf8')

type Reply = Encodable | Promise<Encodable>

interface IoRequest {
  from: Pid
  replyAs: Term
  request: Term
}

/** Starts a group leader process. */
export function startGroupLeader(
  host: Host & { readonly limits: Pick<Limits, 'maxQueuedIoRequests' | 'maxFormatCharacters'> },
  options: GroupLeaderOptions,
  spawn: SpawnOptions = {},
): Process {
  const device = new Device(options, host.limits.maxFormatCharacters)
  // Requests are answered one after another, as they came: output after a read waits for the read.
  let waiting: IoRequest[] = []
  let reading = false

  const answer = ({ from, replyAs }: IoRequest, reply: Encodable): void => {
    try {
      host.send(process.pid, from, tuple(IO_REPLY, replyAs, reply))
    } catch (error) {
      // Its node cannot read what it gave us to reply with, or does not read at all: that ends nobody else's output.
      host.reportError(error, `answer of group leader ${process.pid.toString()}`, from.node)
    }
  }
  const run = (asked: IoRequest): void => {
    const reply = serve(device, asked.request)
    if (!(reply instanceof Promise)) {
      answer(asked, reply)
      return
    }
    reading = true
    const done = (result: Encodable): void => {
      answer(asked, result)
      reading = false
      while (!reading && waiting.length > 0) run(waiting.shift()!)
    }
    reply.then(done, () => done(tuple(ERROR, TERMINATED)))
  }

  // What a node that is gone wanted to read is left for others. What it printed last is printed, as by a BEAM.
  const unlisten = host.onNodeStatus(({ type, node }) => {
    if (type !== 'nodedown') return
    waiting = waiting.filter(
      ({ from, request }) => from.node !== node || (request instanceof Tuple && request.tag === 'put_chars'),
    )
  })
  const process: Process = host.spawnHandler(
    {
      ignoresExits: true,
      message(message) {
        if (!(message instanceof Tuple) || message.elements[0] !== IO_REQUEST || message.size !== 4) {
          answerSystemMessage(host, process, 'group', message)
          return
        }
        const [, from, replyAs, request] = message.elements as readonly [Term, Term, Term, Term]
        if (!(from instanceof Pid)) return
        const asked = { from, replyAs, request }
        if (!reading) run(asked)
        else if (waiting.length < host.limits.maxQueuedIoRequests) waiting.push(asked)
        else answer(asked, tuple(ERROR, TERMINATED))
      },
      exited() {
        unlisten()
        waiting = []
      },
    },
    spawn,
  )
  return process
}

/** What prints or reads for us may fail: that is the request's error, and the group leader goes on. */
function serve(device: Device, request: Term): Reply {
  try {
    return device.serve(request)
  } catch {
    return tuple(ERROR, TERMINATED)
  }
}

class Device {
  readonly #options: GroupLeaderOptions
  /** Input that was read and not taken: what `get_chars` left of a line. */
  #input = ''
  #ended = false
  /** Option `binary`: input is given as binaries; lists of characters are what OTP gives without it. */
  #binary = false

  /** Characters that the formats of the request may still make, all together. */
  #room = 0
  readonly #maxFormatCharacters: number

  constructor(options: GroupLeaderOptions, maxFormatCharacters: number) {
    this.#options = options
    this.#maxFormatCharacters = maxFormatCharacters
  }

  /** Answers a request, which may be a list of them. */
  serve(request: Term): Reply {
    this.#room = this.#maxFormatCharacters
    return this.#serve(request)
  }

  #serve(request: Term): Reply {
    if (atomName(request) === 'getopts') {
      const encoding = tuple(internAtom('encoding'), UNICODE)
      return [tuple(BINARY, this.#binary), tuple(internAtom('echo'), true), encoding]
    }
    if (!(request instanceof Tuple)) return tuple(ERROR, REQUEST)
    const [kind, ...args] = request.elements as readonly Term[]
    switch (atomName(kind)) {
      case 'put_chars':
        return this.#putChars(args)
      case 'requests':
        return Array.isArray(args[0]) ? this.#serveAll(args[0] as readonly Term[]) : tuple(ERROR, REQUEST)
      case 'setopts':
        return this.#setOptions(args[0])
      case 'get_geometry':
        return tuple(ERROR, ENOTSUP)
      case 'get_line':
        return this.#read(args, (text) => {
          const end = text.indexOf('\n')
          return end < 0 ? undefined : end + 1
        })
      case 'get_chars': {
        // `{get_chars, Prompt, N}`, or with an encoding in front.
        const count = args[args.length - 1]
        if (typeof count !== 'number' || count < 0) return tuple(ERROR, REQUEST)
        return this.#read(args.slice(0, -1), (text) => offsetOf(text, count))
      }
      case 'get_until':
      case 'get_password':
        return this.#options.readLine === undefined ? EOF : tuple(ERROR, ENOTSUP)
      default:
        return tuple(ERROR, REQUEST)
    }
  }

  /** Requests of `{requests, List}` are done in turn until one fails; the last answer is the answer. */
  #serveAll(requests: readonly Term[]): Reply {
    let reply: Reply = OK
    for (let i = 0; i < requests.length; i++) {
      reply = this.#serve(requests[i] as Term)
      if (reply instanceof Promise) {
        const rest = requests.slice(i + 1)
        return reply.then((first) => (rest.length === 0 || isError(first) ? first : this.#serveAll(rest)))
      }
      if (isError(reply)) return reply
    }
    return reply
  }

  /** `{put_chars, Chars}`, `{put_chars, M, F, A}` (Latin-1), and both with an encoding in front. */
  #putChars(args: readonly Term[]): Encodable {
    const withEncoding = args.length === 2 || args.length === 4
    const encoding =
      withEncoding && atomName(args[0]) === 'latin1' ? 'latin1' : withEncoding ? 'unicode' : 'latin1'
    const rest = withEncoding ? args.slice(1) : args
    let text: string | undefined
    if (rest.length === 1) text = asText(rest[0] as Term, encoding)
    else {
      try {
        text = callFormatter(rest as readonly [Term, Term, Term], this.#room)
        this.#room -= text?.length ?? 0
      } catch {
        text = undefined
      }
    }
    if (text === undefined || (encoding === 'latin1' && !isLatin1(text)))
      return tuple(ERROR, tuple(internAtom('put_chars'), internAtom(encoding), rest[0] as Term))
    this.#options.write(text)
    return OK
  }

  #setOptions(options: Term | undefined): Encodable {
    if (!Array.isArray(options)) return tuple(ERROR, REQUEST)
    for (const option of options as readonly Term[]) {
      const [name, value] = option instanceof Tuple ? option.elements : [option, true]
      if (name === BINARY && typeof value === 'boolean') this.#binary = value
      else if (atomName(name) === 'list') this.#binary = false
      else if (!(atomName(name) === 'encoding' && (value === UNICODE || value === UTF8)))
        return tuple(ERROR, ENOTSUP)
    }
    return OK
  }

  /**
   * Takes input up to where `wanted` says, reading lines until it says so or input ends.
   * @param args the prompt, with an encoding in front or not
   */
  async #read(args: readonly Term[], wanted: (text: string) => number | undefined): Promise<Encodable> {
    const { readLine } = this.#options
    if (readLine === undefined) return EOF
    const prompt = args[args.length - 1] as Term
    const latin1 = args.length === 1 || atomName(args[0]) === 'latin1'
    let end = wanted(this.#input)
    for (let first = true; end === undefined && !this.#ended; first = false) {
      const line = await readLine.call(this.#options, first ? promptText(prompt, this.#room) : '')
      if (line === undefined) this.#ended = true
      else this.#input += line
      end = wanted(this.#input)
    }
    // The end of input is said once; a terminal may go on after it.
    this.#ended = false
    const text = this.#input.slice(0, end)
    this.#input = this.#input.slice(text.length)
    if (text === '' && end !== 0) return EOF
    if (latin1 && !isLatin1(text)) return tuple(ERROR, tuple(internAtom('no_translation'), UNICODE, LATIN1))
    return this.#binary
      ? latin1
        ? Uint8Array.from(text, (char) => char.charCodeAt(0))
        : text
      : charlist(text)
  }
}

/** Where the first `count` code points of `text` end; undefined when there are fewer. */
function offsetOf(text: string, count: number): number | undefined {
  let offset = 0
  for (let i = 0; i < count; i++) {
    const code = text.codePointAt(offset)
    if (code === undefined) return undefined
    offset += code > 0xffff ? 2 : 1
  }
  return offset
}

function isLatin1(text: string): boolean {
  return !/[^\0-\xff]/.test(text)
}

/** A prompt as `io_lib:format_prompt/2` shows it: text, `{format, Format, Args}`, or any term; `???` for a bad format. */
function promptText(prompt: Term, maxFormatCharacters: number): string {
  const plain = atomName(prompt) ?? asText(prompt)
  if (plain !== undefined) return plain
  const limits = { maxFormatCharacters }
  try {
    if (!isTuple(prompt, 'format', 3)) return formatIo('~tp', [prompt], { limits })
    const [, format, args] = prompt.elements as readonly [Term, Term, Term]
    return formatIo(atomName(format) ?? asText(format) ?? '', args as readonly Term[], { limits })
  } catch {
    return '???'
  }
}

function isError(reply: Encodable): boolean {
  return reply instanceof Tuple && reply.elements[0] === ERROR
}

/**
 * The functions of io_lib that OTP's `io` module names in its requests.
 * @throws EtfError `ETF_FORMAT_LIMIT` for what makes more than `maxFormatCharacters`
 */
function callFormatter(
  [module, name, args]: readonly [Term, Term, Term],
  maxFormatCharacters: number,
): string | undefined {
  if (atomName(module) !== 'io_lib' || !Array.isArray(args)) return undefined
  const list = args as readonly Term[]
  const limits = { maxFormatCharacters }
  switch (atomName(name)) {
    case 'format':
    case 'fwrite': {
      const format = atomName(list[0]) ?? asText(list[0] as Term)
      return format === undefined || !Array.isArray(list[1])
        ? undefined
        : formatIo(format, list[1] as readonly Term[], { limits })
    }
    case 'write':
      return list.length === 1 ? formatIo('~tw', [list[0] as Term], { limits }) : undefined
    case 'print':
      return list.length === 1 ? formatIo('~0tp', [list[0] as Term], { limits }) : undefined
    case 'nl':
      return '\n'
    default:
      return undefined
  }
}
