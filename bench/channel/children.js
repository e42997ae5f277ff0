/** The processes of the benchmark: how each is started, asked and ended. */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const here = path.dirname(fileURLToPath(import.meta.url))

/** Compiles the driver from its source, which it finds in its environment: the same for a BEAM in a chroot. */
const LOAD = `
Split = fun Split([], _, Forms) -> lists:reverse(Forms);
  Split([{dot, _} = Dot | Rest], Form, Forms) ->
    {ok, Parsed} = erl_parse:parse_form(lists:reverse([Dot | Form])), Split(Rest, [], [Parsed | Forms]);
  Split([Token | Rest], Form, Forms) -> Split(Rest, [Token | Form], Forms) end,
{ok, Tokens, _} = erl_scan:string(os:getenv("DRIVER_SOURCE")),
{ok, driver, Code} = compile:forms(Split(Tokens, [], [])),
{module, driver} = code:load_binary(driver, "driver.erl", Code),
`
const running = new Set()

/** A child that says `ready WHAT …` and then answers one line to each it is given. */
export class Child {
  /** What came after `ready`. */
  facts = []
  /** It does not end when its standard input does. */
  deaf = false

  constructor(name, child, prefix) {
    this.name = name
    this.child = child
    this.prefix = prefix
    this.lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    running.add(child)
    child.once('exit', () => running.delete(child))
  }

  /** The process that does the work: what `chroot` or a script has started counts, not they. */
  get pid() {
    return Number(this.facts[0])
  }

  async line(prefix) {
    for (;;) {
      const { value, done } = await this.lines.next()
      if (done) throw new Error(`${this.name} has ended`)
      if (value.startsWith(prefix)) return value.slice(prefix.length)
    }
  }

  async ready() {
    this.facts = (await this.line('ready ')).split(' ')
    return this
  }

  /** Gives it a line; the answer is JSON. */
  async ask(line) {
    this.child.stdin.write(`${line}\n`)
    return JSON.parse(await this.line(this.prefix))
  }

  async stop() {
    const gone = new Promise((resolve) => this.child.once('exit', resolve))
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    this.child.stdin.end()
    if (this.deaf) this.child.kill()
    await gone
  }
}

export function stopAll() {
  for (const child of running) child.kill('SIGKILL')
}

export function startChild(name, command, args, env, prefix = '{') {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } })
  return new Child(name, child, prefix === '{' ? '' : prefix)
}

let hostRelease

/** How to start a program of an OTP release: the host's, one of BEAMPEER_OTP_<release>_BIN, or one in a chroot. */
function otp(program, release) {
  if (hostRelease === undefined) {
    const erl = realpathSync(execFileSync('which', ['erl']).toString().trim())
    hostRelease = readFileSync(path.join(path.dirname(erl), '../releases/start_erl.data'), 'utf8')
      .trim()
      .split(/\s+/)[1]
  }
  if (release === hostRelease) return { command: program, before: [] }
  const bin = process.env[`BEAMPEER_OTP_${release}_BIN`]
  if (bin !== undefined) return { command: path.join(bin, program), before: [] }
  const root = path.join(process.env.BEAMPEER_CHROOTS ?? '/var/cache/beampeer', `otp-${release}`)
  if (!existsSync(path.join(root, 'proc/self')))
    throw new Error(`OTP ${release} is not here: scripts/chroots.sh makes and mounts ${root}`)
  return { command: 'chroot', before: [root, program] }
}

export function startBeam(release, role, name, cookie, env, args = []) {
  const { command, before } = otp('erl', release)
  const all = [...before, '-noshell', '-start_epmd', 'false', '-name', name, '-setcookie', cookie, ...args]
  all.push('-eval', `${LOAD} driver:${role}().`)
  const source = readFileSync(path.join(here, 'driver.erl'), 'utf8')
  const child = startChild(
    `${role} ${release}`,
    command,
    all,
    { ...env, HOME: '/tmp', DRIVER_SOURCE: source },
    '=',
  )
  return child.ready()
}

/** The C node, compiled with the libei of Debian's erlang-dev. */
export function startLibei(directory, alive, cookie, env) {
  const lib = execFileSync('erl', [
    '-noshell',
    '-eval',
    'io:put_chars(code:lib_dir(erl_interface)),halt().',
  ]).toString()
  const program = path.join(directory, 'libei_target')
  const source = path.join(here, 'libei_target.c')
  const flags = [
    '-O2',
    '-o',
    program,
    source,
    `-I${lib}/include`,
    `-L${lib}/lib`,
    '-L/usr/lib',
    '-lei',
    '-lpthread',
  ]
  execFileSync('cc', flags, { stdio: 'inherit' })
  return deaf(startChild('libei', program, [alive, cookie], env)).ready()
}

/** The JInterface node, compiled with the library of Debian's erlang-jinterface. */
export function startJinterface(directory, alive, cookie, env) {
  const jar = '/usr/share/java/OtpErlang.jar'
  execFileSync('javac', ['-cp', jar, '-d', directory, path.join(here, 'JinterfaceTarget.java')], {
    stdio: 'inherit',
  })
  const args = ['-cp', `${jar}:${directory}`, 'JinterfaceTarget', alive, cookie]
  return deaf(startChild('JInterface', 'java', args, env)).ready()
}

export function deaf(child) {
  child.deaf = true
  return child
}

export function startNode(name, file, args, env, flags = []) {
  return startChild(name, process.execPath, [...flags, path.join(here, file), ...args], env).ready()
}

/** An EPMD of the benchmark's own. */
export function startEpmd(lib) {
  const args = [path.join(lib, 'cli/main.cjs'), 'epmd', '--port', '0']
  return deaf(startChild('epmd', process.execPath, args, {})).ready()
}

export function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1]
}

/** Resident memory in MiB. */
export function residentMiB(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))[1]) / 1024
}
