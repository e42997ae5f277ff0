/**
 * Starts real Erlang nodes for tests: any release, its own EPMD and cookie, and nothing left behind.
 *
 *     const beam = await startBeam()                             // the host's OTP, or the one that BEAMPEER_OTP names
 *     await beam.eval('lists:seq(1, N)', { N: 3 })               // a decoded term
 *     await beam.evalText('self()')                              // as the Erlang shell prints it
 *     await beam.waitForLog(/attempted connection/)
 *     beam.kill('SIGKILL')
 */
import { randomBytes } from 'node:crypto'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Duplex, Readable } from 'node:stream'
import type { Encodable, Term } from '../../src/etf/terms.js'
import { tuple } from '../../src/etf/tuple.js'
import { internAtom } from '../../src/etf/atom.js'
import { accepts, freePort, killEverything, spawnTracked, until } from './children.js'
import { HARNESS } from './harness.js'
import { Lines } from './lines.js'
import { defaultRelease, elixirPaths, hostRelease, otpCommand } from './otp.js'

export { closeAtEnd, expectNothingLeft, freePort, until } from './children.js'
export { killEverything as stopEverything }
export { defaultRelease, hostRelease }

export interface BeamOptions {
  /** OTP release; without it `BEAMPEER_OTP`, else the host's. Others than the host's come from chroots. */
  otp?: number
  /** `alive` or `alive@host`; a fresh name at 127.0.0.1 (localhost for short names) without it. */
  name?: string
  /** false: `-sname`. */
  longNames?: boolean
  /** The test file's own (see {@link cookie}) without it. */
  cookie?: string
  /** Port of the EPMD to use; the test file's own real one ({@link privateEpmd}) without it. */
  epmdPort?: number
  hidden?: boolean
  /** Further switches, after those of the kit: `['-kernel', 'net_ticktime', '4']`. */
  args?: readonly string[]
  env?: Readonly<Record<string, string>>
  /** Makes Elixir's modules available and starts its application, for `evalElixir`. Takes the host's release. */
  elixir?: boolean
  /** false: the node does not distribute, `name` is ignored. */
  distributed?: boolean
  /** Goes before the command: `['ip', 'netns', 'exec', 'island']`. */
  prefix?: readonly string[]
}

type Reply = { kind: string; body: Buffer }

interface Waiting {
  resolve(reply: Reply): void
  reject(error: Error): void
}

/** An expression failed on the node: the message has its class, reason and stack. */
export class BeamEvalError extends Error {}

/** A running Erlang node. */
export class Beam {
  readonly name: string
  readonly release: number
  readonly cookie: string
  readonly epmdPort: number
  /** Settles when the operating system's process has ended. */
  readonly exit: Promise<void>
  readonly output: Lines
  readonly #child: ChildProcess
  readonly #channel: Channel

  constructor(
    child: ChildProcess,
    channel: Channel,
    output: Lines,
    facts: { name: string; release: number; cookie: string; epmdPort: number },
  ) {
    this.#child = child
    this.#channel = channel
    this.output = output
    this.name = facts.name
    this.release = facts.release
    this.cookie = facts.cookie
    this.epmdPort = facts.epmdPort
    this.exit =
      child.exitCode !== null || child.signalCode !== null
        ? Promise.resolve()
        : once(child, 'exit').then(() => {})
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /**
   * Evaluates Erlang expressions, each call in a process of its own, and gives the value of the last. Variables that
   * they bind are there for later calls, as in a shell; `bindings` binds some first (they replace older ones).
   * @throws BeamEvalError when they fail; Error when the node dies meanwhile.
   */
  async eval(expression: string, bindings: Readonly<Record<string, Encodable>> = {}): Promise<Term> {
    const body = await this.evalBytes(expression, bindings)
    const { decode } = await import('../../src/etf/node.js')
    return decode(body)
  }

  /** Like {@link eval}, giving the bytes of `term_to_binary` of the value: for tests of the decoder itself. */
  async evalBytes(expression: string, bindings: Readonly<Record<string, Encodable>> = {}): Promise<Buffer> {
    return (await this.#channel.request('T', expression, await encodeBindings(bindings))).body
  }

  /** Like {@link eval}, giving the value as `~0tp` prints it. */
  async evalText(expression: string, bindings: Readonly<Record<string, Encodable>> = {}): Promise<string> {
    return (await this.#channel.request('X', expression, await encodeBindings(bindings))).body.toString()
  }

  /** Evaluates Elixir code and gives the value as `inspect` prints it, unabridged. Needs the option `elixir`. */
  async evalElixir(code: string): Promise<string> {
    return (await this.#channel.request('E', code, NO_BINDINGS)).body.toString()
  }

  /** Forgets all variables. */
  async forget(): Promise<void> {
    await this.#channel.request('F', '', NO_BINDINGS)
  }

  /** Waits on the node until the expression is true, trying every 10 ms; for what no event announces. */
  async until(expression: string, bindings: Readonly<Record<string, Encodable>> = {}): Promise<void> {
    const source = `(fun Until__() -> case begin ${expression} end of
      true -> ok; false -> receive after 10 -> Until__() end end end)()`
    await this.evalText(source, bindings)
  }

  /** Compiles and loads a module from its source text. */
  async compile(source: string): Promise<void> {
    await this.evalText(
      `(fun(Source__) ->
        {ok, Tokens__, _} = erl_scan:string(unicode:characters_to_list(Source__)),
        Split__ = fun Split([], [], Forms) -> lists:reverse(Forms);
          Split([{dot, _} = Dot | Rest], Form, Forms) -> Split(Rest, [], [lists:reverse([Dot | Form]) | Forms]);
          Split([Token | Rest], Form, Forms) -> Split(Rest, [Token | Form], Forms) end,
        Parsed__ = [begin {ok, P} = erl_parse:parse_form(F), P end || F <- Split__(Tokens__, [], [])],
        {ok, Module__, Code__} = compile:forms(Parsed__, [return_errors]),
        {module, Module__} = code:load_binary(Module__, atom_to_list(Module__) ++ ".erl", Code__)
      end)(<<${Buffer.from(source).join(',')}>>)`,
    )
  }

  /** The port on which the node accepts distribution connections. */
  async distributionPort(): Promise<number> {
    const text = await this.evalText(
      `hd([Port__ || {listen, _, _, {net_address, {_, Port__}, _, _, _}, _} <-
        lists:flatten([L || L <- tuple_to_list(sys:get_state(net_kernel)), is_list(L)])])`,
    )
    return Number(text)
  }

  /** What the node printed and logged so far, line by line. */
  log(): string[] {
    return this.output.all()
  }

  /** Waits until what the node printed matches; `from` is a mark taken from `output.count`. */
  waitForLog(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    return this.output.waitFor(pattern, from)
  }

  /** Sends a signal to the node's process; does not wait (see {@link exit}). */
  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#child.kill(signal)
  }

  /** Stops the process from running, sockets open: a peer that has gone silent. */
  suspend(): void {
    this.kill('SIGSTOP')
  }

  resume(): void {
    this.kill('SIGCONT')
  }

  /** Halts the node and waits until it has ended. */
  async stop(): Promise<void> {
    this.resume()
    this.#channel.end()
    await this.exit
  }
}

const NO_BINDINGS = Buffer.from([131, 106])

async function encodeBindings(bindings: Readonly<Record<string, Encodable>>): Promise<Uint8Array> {
  const entries = Object.entries(bindings)
  if (entries.length === 0) return NO_BINDINGS
  const { encode } = await import('../../src/etf/node.js')
  return encode(entries.map(([name, value]) => tuple(internAtom(name), value)))
}

/** Frames to and from the harness on the node. */
class Channel {
  readonly ready: Promise<Reply>
  readonly #socket: Duplex
  readonly #describe: () => string
  readonly #waiting = new Map<number, Waiting>()
  #received: Buffer = Buffer.alloc(0)
  #nextId = 1
  #closed = false

  constructor(socket: Duplex, describe: () => string) {
    this.#socket = socket
    this.#describe = describe
    this.ready = new Promise((resolve, reject) => this.#waiting.set(0, { resolve, reject }))
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('error', () => {}) // EPIPE and ECONNRESET of a killed node: 'close' follows.
  }

  /** The node has ended: nothing that waits will be answered. */
  closed(): void {
    this.#closed = true
    for (const { reject } of this.#waiting.values()) reject(new Error(this.#describe()))
    this.#waiting.clear()
  }

  request(mode: string, source: string, bindings: Uint8Array): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new Error(this.#describe()))
      const id = this.#nextId++
      this.#waiting.set(id, { resolve, reject })
      const text = Buffer.from(source)
      const head = Buffer.alloc(13)
      head.writeUInt32BE(9 + text.length + bindings.length, 0)
      head.writeUInt32BE(id, 4)
      head.write(mode, 8, 'latin1')
      head.writeUInt32BE(text.length, 9)
      this.#socket.write(Buffer.concat([head, text, bindings]))
    })
  }

  end(): void {
    this.#socket.end()
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk])
    while (this.#received.length >= 4) {
      const size = this.#received.readUInt32BE(0)
      if (this.#received.length < 4 + size) return
      const frame = this.#received.subarray(4, 4 + size)
      this.#received = this.#received.subarray(4 + size)
      const id = frame.readUInt32BE(0)
      const kind = String.fromCharCode(frame[4] ?? 0)
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      const body = frame.subarray(5)
      if (kind === '!') waiting?.reject(new BeamEvalError(body.toString()))
      else waiting?.resolve({ kind, body })
    }
  }
}

let count = 0
let epmd: Promise<{ port: number }> | undefined

/** The cookie of this test file: nodes of different files never talk to each other. */
export const cookie = `kit_${randomBytes(9).toString('hex')}`

/** A node name that no other test file uses: `prefix1_xyz@127.0.0.1`. */
export function uniqueName(prefix = 'beam', host = '127.0.0.1'): string {
  return `${prefix}${++count}_${randomBytes(3).toString('hex')}@${host}`
}

/** The real EPMD of this test file, started at the first use. */
export async function privateEpmd(): Promise<number> {
  epmd ??= startEpmd()
  return (await epmd).port
}

export interface EpmdOptions {
  otp?: number
  port?: number
  args?: readonly string[]
  env?: Readonly<Record<string, string>>
}

/** A running `epmd` of OTP. */
export interface Epmd {
  port: number
  output: Lines
  kill(signal?: NodeJS.Signals): void
  /** Kills it and waits until it is gone. */
  stop(): Promise<void>
}

/** Starts OTP's `epmd` in the foreground, on a free port unless told, and waits until it serves. */
export async function startEpmd(options: EpmdOptions = {}): Promise<Epmd> {
  const { otp = hostRelease(), port = await freePort(), args = [], env = {} } = options
  const { command, args: before } = otpCommand('epmd', otp)
  const child = await spawnTracked(
    command,
    [...before, '-port', String(port), '-relaxed_command_check', ...args],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...cleanEnvironment(), ...env } },
  )
  const output = new Lines(child.stdout as Readable, child.stderr as Readable)
  const gone = once(child, 'exit')
  // It prints nothing when it is ready: ready is when it accepts a connection.
  await until(async () => child.exitCode !== null || (await accepts(port)), { what: `epmd on port ${port}` })
  if (child.exitCode !== null) throw new Error(`epmd ended at once (${child.exitCode}): ${output.text()}`)
  return {
    port,
    output,
    kill: (signal = 'SIGKILL') => void child.kill(signal),
    stop: async () => {
      child.kill('SIGKILL')
      await gone
    },
  }
}

/**
 * Starts an Erlang node and waits until it is up.
 * @throws Error with what the node printed when it does not come up.
 */
export async function startBeam(options: BeamOptions = {}): Promise<Beam> {
  const otp = options.otp ?? (options.elixir === true ? hostRelease() : defaultRelease())
  const { longNames = true, distributed = true } = options
  const alive = options.name ?? uniqueName('beam', longNames ? '127.0.0.1' : 'localhost')
  const name = alive.includes('@') ? alive : `${alive}@${longNames ? '127.0.0.1' : 'localhost'}`
  const epmdPort = options.epmdPort ?? (distributed ? await privateEpmd() : 0)
  const secret = options.cookie ?? cookie
  const { command, args: before } = otpCommand('erl', otp)
  if (options.elixir === true && otp !== hostRelease())
    throw new Error("Elixir comes with the host's OTP only")
  const args = [
    ...['-noinput', '-start_epmd', 'false', '+sbwt', 'none', '+sbwtdcpu', 'none', '+sbwtdio', 'none'],
    ...(distributed ? [longNames ? '-name' : '-sname', name, '-setcookie', secret] : []),
    ...(options.hidden === true ? ['-hidden'] : []),
    ...(options.elixir === true ? ['-pa', ...elixirPaths(), '-eval', START_ELIXIR] : []),
    ...(options.args ?? []),
    ...['-eval', `${HARNESS}.`],
  ]
  const [program = command, ...rest] = [...(options.prefix ?? []), command, ...before, ...args]
  const child = await spawnTracked(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { ...cleanEnvironment(), ERL_EPMD_PORT: String(epmdPort), ...options.env },
  })
  const output = new Lines(child.stdout as Readable, child.stderr as Readable)
  const channel = new Channel(
    child.stdio[3] as Duplex,
    () => `the Erlang node ${name} (OTP ${otp}) has ended; it printed:\n${output.text()}`,
  )
  child.once('close', () => channel.closed())
  const [known = '', release = ''] = (await channel.ready).body.toString().split('\0')
  return new Beam(child, channel, output, {
    name: known,
    release: Number(release),
    cookie: secret,
    epmdPort,
  })
}

const START_ELIXIR = '{ok, _} = application:ensure_all_started(elixir).'

/** This process's environment without what would change how Erlang starts. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const env = { ...process.env }
  for (const name of Object.keys(env)) if (/^(ERL_|BEAMPEER_COOKIE$)/.test(name)) delete env[name]
  // A home that exists in every chroot, so that no ~/.erlang is read and no cookie file written to the user's.
  return { ...env, HOME: '/tmp', ERL_CRASH_DUMP_BYTES: '0', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' }
}
