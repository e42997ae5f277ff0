/** The calls of asynchronous functions that are under way: what a node that stops may wait for. */
import type { Process } from '../process/process.js'

export class RunningCalls {
  readonly #processes = new Set<Process>()
  #waiting: (() => void)[] = []

  /** Calls that run in processes that are alive: of one that was ended, nobody gets the answer. */
  get count(): number {
    let alive = 0
    for (const process of this.#processes) if (process.alive) alive++
    return alive
  }

  /** Notes a call until `ended` is fulfilled; it never rejects. */
  note(process: Process, ended: Promise<unknown>): void {
    this.#processes.add(process)
    void ended.then(() => {
      this.#processes.delete(process)
      if (this.#waiting.length > 0 && this.count === 0) {
        for (const resolve of this.#waiting.splice(0)) resolve()
      }
    })
  }

  /** Resolves when no call is under way. */
  idle(): Promise<void> {
    return this.count === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve))
  }
}
