/** Messages between the parts of `global` on this node, taken one at a time, or the first that matches. */
export class Inbox<T> {
  readonly #messages: T[] = []
  #wake: (() => void) | undefined
  #closed = false

  get closed(): boolean {
    return this.#closed
  }

  push(message: T): void {
    this.#messages.push(message)
    this.#wake?.()
  }

  /** Ends the wait of whoever waits; nothing is taken any more. */
  close(): void {
    this.#closed = true
    this.#messages.length = 0
    this.#wake?.()
  }

  /** The first message that matches, if it is there. */
  tryTake(match: (message: T) => boolean = () => true): T | undefined {
    const index = this.#messages.findIndex(match)
    return index < 0 ? undefined : this.#messages.splice(index, 1)[0]
  }

  /** The first message that matches; undefined after `timeoutMs`, or when the inbox is closed. One wait at a time. */
  async take(match?: (message: T) => boolean, timeoutMs = Infinity): Promise<T | undefined> {
    let timedOut = false
    const timer =
      timeoutMs === Infinity
        ? undefined
        : setTimeout(() => {
            timedOut = true
            this.#wake?.()
          }, timeoutMs)
    try {
      for (;;) {
        const taken = this.tryTake(match)
        if (taken !== undefined || this.#closed || timedOut) return taken
        await new Promise<void>((resolve) => (this.#wake = resolve))
      }
    } finally {
      clearTimeout(timer)
      this.#wake = undefined
    }
  }
}
