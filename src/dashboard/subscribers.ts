/** Values for whoever iterates: each subscriber has a bounded queue of its own, from which the oldest drop. */

interface Subscriber<T> {
  push(value: T): void
  end(): void
}

export class Subscribers<T> {
  readonly #all = new Set<Subscriber<T>>()
  readonly #maxWaiting: number
  #ended = false

  /** @param maxWaiting values that wait for one subscriber */
  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting
  }

  publish(value: T): void {
    for (const subscriber of [...this.#all]) subscriber.push(value)
  }

  end(): void {
    this.#ended = true
    for (const subscriber of [...this.#all]) subscriber.end()
  }

  subscribe(signal?: AbortSignal): AsyncIterableIterator<T> {
    const waiting: T[] = []
    const readers: ((result: IteratorResult<T, undefined>) => void)[] = []
    let done = this.#ended
    const subscriber: Subscriber<T> = {
      push: (value) => {
        const reader = readers.shift()
        if (reader !== undefined) return reader({ done: false, value })
        waiting.push(value)
        if (waiting.length > this.#maxWaiting) waiting.shift()
      },
      end: () => {
        done = true
        this.#all.delete(subscriber)
        signal?.removeEventListener('abort', subscriber.end)
        for (const reader of readers.splice(0)) reader({ done: true, value: undefined })
      },
    }
    if (signal?.aborted === true) done = true
    if (!done) {
      this.#all.add(subscriber)
      signal?.addEventListener('abort', subscriber.end, { once: true })
    }
    return {
      next: () => {
        const value = waiting.shift()
        if (value !== undefined) return Promise.resolve({ done: false, value })
        if (done) return Promise.resolve({ done: true, value: undefined })
        return new Promise((resolve) => readers.push(resolve))
      },
      return: () => {
        subscriber.end()
        waiting.length = 0
        return Promise.resolve({ done: true, value: undefined })
      },
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }
}
