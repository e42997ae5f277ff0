// A shell that the demonstration types into, and whose answers it reads: Erlang's own, or demo-peer.mjs.
import { spawn } from 'node:child_process'

const PROMPT = /\([^()\s]+@[^()\s]+\)\d+> $/

export class Shell {
  #child
  #output = ''
  #wake = () => {}
  #ended = false
  #prompt

  constructor(command, args, env, prompt = PROMPT) {
    this.#prompt = prompt
    this.#child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding('utf8')
      stream.on('data', (text) => {
        this.#output += text
        this.#wake()
      })
    }
    this.#child.stdin.on('error', () => {}) // it ended: `exit` follows
    this.exit = new Promise((resolve) => {
      const end = (error) => {
        if (error instanceof Error) this.#output += `${error.message}\n`
        this.#ended = true
        this.#wake()
        resolve()
      }
      this.#child.once('error', end)
      this.#child.once('close', end)
    })
  }

  /** Waits for a prompt; gives what was printed before it, and the prompt. */
  async prompt() {
    for (;;) {
      const found = this.#prompt.exec(this.#output)
      if (found !== null) {
        const before = this.#output.slice(0, found.index)
        this.#output = ''
        return { before: before.trim(), prompt: found[0] }
      }
      if (this.#ended) throw new Error(`the shell ended:\n${this.#output}`)
      await new Promise((resolve) => (this.#wake = resolve))
    }
  }

  /** Types a line; {@link prompt} waits for its answer. */
  type(line) {
    this.#child.stdin.write(`${line}\n`)
  }

  kill() {
    this.#child.kill('SIGKILL')
  }
}
