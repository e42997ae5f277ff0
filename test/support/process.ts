/** A program run by a test: its output line by line, its exit, its end at the latest with the test file. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { spawnTracked } from './children.js'
import { Lines } from './lines.js'

export interface RunOptions {
  /** Added to this process's environment; `undefined` removes a variable. */
  env?: Record<string, string | undefined>
  cwd?: string
  /** Written to the program's standard input, which then ends. Without it, standard input is empty. */
  input?: string
  /** Keeps standard input open for {@link RunningProcess.write}. */
  interactive?: true
}

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

/** A running program. */
export class RunningProcess {
  readonly stdout: Lines
  readonly stderr: Lines
  /** Settles when the program has ended and its output has been read whole. */
  readonly exit: Promise<Exit>
  readonly #child: ChildProcess

  constructor(child: ChildProcess, input: string | undefined) {
    this.#child = child
    this.stdout = new Lines(child.stdout as Readable)
    this.stderr = new Lines(child.stderr as Readable)
    this.exit = once(child, 'close').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
    }))
    if (input !== undefined) (child.stdin as Writable).end(input)
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Waits for text on standard output; fails with both outputs when the program ends without it. */
  async waitForLine(pattern: RegExp): Promise<RegExpExecArray> {
    try {
      return await this.stdout.waitFor(pattern)
    } catch (error) {
      throw new Error(`${(error as Error).message}\nstandard error:\n${this.stderr.text()}`)
    }
  }

  /** Waits for text on standard error. */
  waitForError(pattern: RegExp): Promise<RegExpExecArray> {
    return this.stderr.waitFor(pattern)
  }

  /** Types into a program that was started with `interactive`. */
  write(text: string): void {
    ;(this.#child.stdin as Writable).write(text)
  }

  /** Sends a signal; does not wait. */
  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.#child.kill(signal)
  }
}

/** Starts a program. */
export async function start(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunningProcess> {
  const env: NodeJS.ProcessEnv = { ...process.env, ...options.env }
  for (const [name, value] of Object.entries(env)) if (value === undefined) delete env[name]
  const child = await spawnTracked(command, args, {
    env,
    cwd: options.cwd,
    stdio: [options.input === undefined && !options.interactive ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  return new RunningProcess(child, options.input)
}

/** Runs a program to its end and gives its exit code and outputs. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Exit & { stdout: string; stderr: string }> {
  const running = await start(command, args, options)
  const exit = await running.exit
  return { ...exit, stdout: running.stdout.text(), stderr: running.stderr.text() }
}
