/** A process's mailbox: messages in order of arrival, and the receives that wait for one. */
import type { Term } from '../etf/terms.js'

export interface ReceiveOptions {
  /** Take the first message for which this holds, leaving those before it where they are (selective receive). */
  match?: (message: Term) => boolean
  /** Milliseconds to wait (the `after` of a `receive`); past them the result is `undefined`. */
  timeoutMs?: number
  /** Ends the wait with the signal's reason. */
  signal?: AbortSignal
}

interface Waiter {
  match: ((message: Term) => boolean) | undefined
  resolve(message: Term | undefined): void
  reject(error: unknown): void
  cleanUp(): void
}

export class Mailbox {
  #queue: Term[] = []
  /** Messages before this index were taken; the array is compacted when half of it is. */
  #head = 0
  /** How many of the messages, from the first on, are priority messages. */
  #priority = 0
  #waiters: Waiter[] = []
  #closed: Error | undefined

  get length(): number {
    return this.#queue.length - this.#head
  }

  /** A copy of what is waiting, oldest first. */
  messages(): Term[] {
    return this.#queue.slice(this.#head)
  }

  /** `priority`: the message goes before all ordinary ones, after earlier ones of its kind. */
  push(message: Term, priority = false): void {
    const waiters = this.#waiters
    for (let i = 0; i < waiters.length; i++) {
      const waiter = waiters[i] as Waiter
      let matches: boolean
      try {
        matches = waiter.match === undefined || waiter.match(message)
      } catch (error) {
        // The match function is the receiver's own: its failure is the receiver's, and the message stays.
        this.#drop(waiter)
        waiter.reject(error)
        i--
        continue
      }
      if (matches) {
        this.#drop(waiter)
        waiter.resolve(message)
        return
      }
    }
    if (priority) this.#queue.splice(this.#head + this.#priority++, 0, message)
    else this.#queue.push(message)
  }

  /** Drops and returns the oldest message. */
  shift(): Term | undefined {
    if (this.length === 0) return undefined
    const message = this.#queue[this.#head]
    this.#queue[this.#head++] = undefined as never
    if (this.#priority > 0) this.#priority--
    this.#compact()
    return message
  }

  /** Removes every message for which `match` holds; returns how many. */
  flush(match: (message: Term) => boolean): number {
    const before = this.length
    const first = this.#head + this.#priority
    const urgent = this.#queue.slice(this.#head, first).filter((message) => !match(message))
    const others = this.#queue.slice(first).filter((message) => !match(message))
    this.#queue = [...urgent, ...others]
    this.#priority = urgent.length
    this.#head = 0
    return before - this.#queue.length
  }

  receive(options: ReceiveOptions = {}): Promise<Term | undefined> {
    const { match, timeoutMs, signal } = options
    if (this.#closed !== undefined) return Promise.reject(this.#closed)
    if (signal?.aborted) return Promise.reject(signal.reason as Error)
    try {
      const taken = this.#take(match)
      if (taken !== undefined) return Promise.resolve(taken)
    } catch (error) {
      return Promise.reject(error as Error)
    }
    if (timeoutMs === 0) return Promise.resolve(undefined)
    return new Promise((resolve, reject) => {
      let timer: ReturnType<typeof setTimeout> | undefined
      const aborted = () => {
        this.#drop(waiter)
        reject(signal?.reason as Error)
      }
      const waiter: Waiter = {
        match,
        resolve,
        reject,
        cleanUp() {
          if (timer !== undefined) clearTimeout(timer)
          signal?.removeEventListener('abort', aborted)
        },
      }
      if (timeoutMs !== undefined && timeoutMs !== Infinity) {
        timer = setTimeout(() => {
          this.#drop(waiter)
          resolve(undefined)
        }, timeoutMs)
      }
      signal?.addEventListener('abort', aborted, { once: true })
      this.#waiters.push(waiter)
    })
  }

  /** The process is gone: what waits is lost, waiting receives throw. */
  close(error: Error): void {
    this.#closed = error
    this.#queue = []
    this.#head = 0
    this.#priority = 0
    for (const waiter of this.#waiters.splice(0)) {
      waiter.cleanUp()
      waiter.reject(error)
    }
  }

  #take(match: ((message: Term) => boolean) | undefined): Term | undefined {
    if (match === undefined) return this.shift()
    for (let i = this.#head; i < this.#queue.length; i++) {
      const message = this.#queue[i] as Term
      if (!match(message)) continue
      if (i === this.#head) return this.shift()
      this.#queue.splice(i, 1)
      if (i < this.#head + this.#priority) this.#priority--
      return message
    }
    return undefined
  }

  #drop(waiter: Waiter): void {
    const index = this.#waiters.indexOf(waiter)
    if (index >= 0) this.#waiters.splice(index, 1)
    waiter.cleanUp()
  }

  #compact(): void {
    if (this.#head === this.#queue.length) {
      this.#queue.length = 0
      this.#head = 0
    } else if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
  }
}
