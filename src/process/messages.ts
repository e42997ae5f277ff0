/** The messages of a process one after another: what `for await` takes them with. */
import type { Term } from '../etf/terms.js'
import type { Process } from './process.js'

/** Not a generator, which makes more promises of each message, and goes on later. */
export class Messages implements AsyncIterableIterator<Term, undefined> {
  #process: Process | undefined

  constructor(process: Process) {
    this.#process = process
  }

  async next(): Promise<IteratorResult<Term, undefined>> {
    const process = this.#process
    try {
      if (process?.alive === true) return { value: await process.receive(), done: false }
    } catch (error) {
      this.#process = undefined
      if (process?.alive === true) throw error
    }
    return { value: undefined, done: true }
  }

  return(): Promise<IteratorResult<Term, undefined>> {
    this.#process = undefined
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
