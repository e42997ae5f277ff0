/** Lines of a stream as they come, kept, and awaited by pattern. */
import type { Readable } from 'node:stream'

export class Lines {
  readonly #lines: string[] = []
  readonly #waiting = new Set<() => void>()
  #partial = ''
  #ended = false

  constructor(...streams: Readable[]) {
    let open = streams.length
    for (const stream of streams) {
      stream.setEncoding('utf8')
      stream.on('data', (chunk: string) => this.#add(chunk))
      stream.once('close', () => {
        if (--open > 0) return
        if (this.#partial !== '') this.#add('\n')
        this.#ended = true
        this.#wake()
      })
    }
  }

  /** The whole lines so far, without their line ends. */
  all(): string[] {
    return [...this.#lines]
  }

  /** Everything so far, with a last line that is still incomplete. */
  text(): string {
    return [...this.#lines, this.#partial].join('\n')
  }

  /** How many lines there are: a mark to give to {@link waitFor} as `from`. */
  get count(): number {
    return this.#lines.length
  }

  /**
   * Waits until the text from line `from` on matches, over several lines if the pattern says so, and gives the match.
   * @throws Error with the text when the stream ends first.
   */
  async waitFor(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    for (;;) {
      const match = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')).exec(
        [...this.#lines.slice(from), this.#partial].join('\n'),
      )
      if (match !== null) return match
      if (this.#ended) throw new Error(`the output ended without ${pattern}:\n${this.text()}`)
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
  }

  #add(chunk: string): void {
    const parts = (this.#partial + chunk).split('\n')
    this.#partial = parts.pop() ?? ''
    for (const part of parts) this.#lines.push(part.replace(/\r$/, ''))
    this.#wake()
  }

  #wake(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const resolve of waiting) resolve()
  }
}
