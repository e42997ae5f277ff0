/**
 * A program in a real terminal (tmux): what is on the screen, keys, sizes.
 *
 *     const terminal = await Terminal.start('beampeer top app@host', { width: 80, height: 24 })
 *     await terminal.until(/1 of 1 nodes up/)
 *     await terminal.press('Enter')
 *     expect(await terminal.exitStatus()).toBe(0)
 */
import { randomBytes } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { closeAtEnd, until } from './children.js'
import { installPeer } from './peers.js'
import { run } from './process.js'

export interface TerminalOptions {
  width: number
  height: number
  env?: Readonly<Record<string, string>>
}

export class Terminal {
  readonly #socket: string
  readonly #statusFile: string
  #last = ''

  /** @param command for a shell */
  static async start(command: string, options: TerminalOptions): Promise<Terminal> {
    await installPeer('tmux')
    const terminal = new Terminal(`beampeer-${randomBytes(6).toString('hex')}`)
    closeAtEnd(() => run('tmux', ['-L', terminal.#socket, 'kill-server']))
    closeAtEnd(() => rm(terminal.#statusFile, { force: true }))
    const size = ['-x', String(options.width), '-y', String(options.height)]
    const variables = Object.entries(options.env ?? {}).flatMap(([name, value]) => ['-e', `${name}=${value}`])
    // Its last screen stays to be read.
    const keep = [';', 'set-option', '-g', 'remain-on-exit', 'on']
    await terminal.#tmux(
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      ...size,
      ...variables,
      // tmux does not always learn the status of what ended. Interrupts are for the program, not for the shell.
      `trap : INT; ${command}; echo $? > ${terminal.#statusFile}`,
      ...keep,
    )
    return terminal
  }

  private constructor(socket: string) {
    this.#socket = socket
    this.#statusFile = join(tmpdir(), `${socket}.status`)
  }

  /** The lines of the screen, without spaces at their ends. */
  async lines(): Promise<string[]> {
    this.#last = await this.#tmux('capture-pane', '-p')
    return this.#last.replace(/\n$/, '').split('\n')
  }

  /** The screen with escape sequences for colours. */
  coloured(): Promise<string> {
    return this.#tmux('capture-pane', '-p', '-e')
  }

  /** Waits until the screen is as wanted, and gives its lines. */
  async until(wanted: RegExp | ((lines: string[]) => boolean)): Promise<string[]> {
    let lines: string[] = []
    const is = typeof wanted === 'function' ? wanted : () => wanted.test(this.#last)
    try {
      await until(async () => is((lines = await this.lines())), { what: String(wanted), timeoutMs: 60_000 })
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.#last}`)
    }
    return lines
  }

  /** Presses keys, each in tmux's words: `Enter`, `Escape`, `Up`, `C-c`, `q`. */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux('send-keys', ...keys)
  }

  async resize(width: number, height: number): Promise<void> {
    await this.#tmux('resize-window', '-x', String(width), '-y', String(height))
  }

  /** Waits until the program has ended. */
  exitStatus(): Promise<number> {
    const written = async (): Promise<number | false> => {
      const text = await readFile(this.#statusFile, 'utf8')
      return text.endsWith('\n') && Number(text)
    }
    return until(written, { what: 'the end of the program in the terminal' })
  }

  async #tmux(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await run('tmux', ['-L', this.#socket, ...args], {
      env: { TMUX: undefined, TERM: 'xterm-256color', LC_ALL: 'C.UTF-8' },
    })
    if (code !== 0) throw new Error(`tmux ${args.join(' ')}: ${stderr}`)
    return stdout
  }
}
