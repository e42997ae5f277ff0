/**
 * The order in which signals are served. Those between processes of this node are served after the code that sent
 * them, as from another scheduler, one after another: a cascade of exits is a loop and never a recursion. Those of
 * other nodes are served as they come, unless the queue is being served: then they wait their turn.
 */

/** Entries served before the queue is cut, so that a long cascade does not keep what it has done. */
const SERVED_SLICE = 4096

export class SignalQueue<T> {
  readonly #serve: (entry: T) => void
  readonly #entries: (T | (() => void))[] = []
  #serving = false
  #scheduled = false

  /** @param serve must not throw */
  constructor(serve: (entry: T) => void) {
    this.#serve = serve
  }

  /** Serves `entry` after the code that runs now. */
  later(entry: T): void {
    this.#entries.push(entry)
    this.#schedule()
  }

  /** Serves `entry` now, or after what is being served and what was queued before. */
  now(entry: T): void {
    if (this.#serving) this.#entries.push(entry)
    else this.#serve(entry)
  }

  /** As {@link now} for any work whose place among the signals matters, such as the end of a connection. */
  inOrder(work: () => void): void {
    if (this.#serving) this.#entries.push(work)
    else work()
  }

  #schedule(): void {
    if (this.#scheduled || this.#serving) return
    this.#scheduled = true
    queueMicrotask(() => this.#serveAll())
  }

  #serveAll(): void {
    this.#scheduled = false
    this.#serving = true
    const entries = this.#entries
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i] as T | (() => void)
      if (typeof entry === 'function') (entry as () => void)()
      else this.#serve(entry)
      if (i === SERVED_SLICE - 1) {
        entries.splice(0, SERVED_SLICE)
        i = -1
      }
    }
    entries.length = 0
    this.#serving = false
  }
}
