/** A process's mailbox: messages in order of arrival, and the receives that wait for one. */
import { throwIfAborted } from '../arguments.js'
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
  /** What each message took on the wire, in the order of the queue, and the sum. */
  #sizes: number[] = []
  #bytes = 0
  /** While set: called after each message taken, when a receive begins to wait, and at the end. */
  relief: (() => void) | undefined

  get length(): number {
    return this.#queue.length - this.#head
  }

  /** What the waiting messages of other nodes took on the wire. */
  get bytes(): number {
    return this.#bytes
  }

  /** A receive waits: for a message that is not here. */
  get wanting(): boolean {
    return this.#waiters.length > 0
  }

  /** A copy of what is waiting, oldest first. */
  messages(): Term[] {
    return this.#queue.slice(this.#head)
  }

  /**
   * @param priority the message goes before all ordinary ones, after earlier ones of its kind
   * @param bytes what it took on the wire
   */
  push(message: Term, priority = false, bytes = 0): void {
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
    this.#bytes += bytes
    if (priority) {
      const at = this.#head + this.#priority++
      this.#queue.splice(at, 0, message)
      this.#sizes.splice(at, 0, bytes)
    } else {
      this.#queue.push(message)
      this.#sizes.push(bytes)
    }
  }

  /** Drops and returns the oldest message. */
  shift(): Term | undefined {
    if (this.length === 0) return undefined
    const message = this.#queue[this.#head]
    this.#bytes -= this.#sizes[this.#head] as number
    this.#queue[this.#head++] = undefined as never
    if (this.#priority > 0) this.#priority--
    this.#compact()
    this.relief?.()
    return message
  }

  /** Removes every message for which `match` holds; returns how many. */
  flush(match: (message: Term) => boolean): number {
    const before = this.length
    const queue: Term[] = []
    const sizes: number[] = []
    let priority = 0
    let bytes = 0
    for (let i = this.#head; i < this.#queue.length; i++) {
      const message = this.#queue[i] as Term
      if (match(message)) continue
      if (i < this.#head + this.#priority) priority++
      queue.push(message)
      sizes.push(this.#sizes[i] as number)
      bytes += this.#sizes[i] as number
    }
    this.#queue = queue
    this.#sizes = sizes
    this.#priority = priority
    this.#bytes = bytes
    this.#head = 0
    this.relief?.()
    return before - queue.length
  }

  receive(options: ReceiveOptions = {}): Promise<Term | undefined> {
    const { match, timeoutMs, signal } = options
    if (this.#closed !== undefined) return Promise.reject(this.#closed)
    try {
      throwIfAborted(signal)
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
      this.relief?.()
    })
  }

  /** The process is gone: what waits is lost, waiting receives throw. */
  close(error: Error): void {
    this.#closed = error
    this.#queue = []
    this.#sizes = []
    this.#head = 0
    this.#priority = 0
    this.#bytes = 0
    for (const waiter of this.#waiters.splice(0)) {
      waiter.cleanUp()
      waiter.reject(error)
    }
    this.relief?.()
  }

  #take(match: ((message: Term) => boolean) | undefined): Term | undefined {
    if (match === undefined) return this.shift()
    for (let i = this.#head; i < this.#queue.length; i++) {
      const message = this.#queue[i] as Term
      if (!match(message)) continue
      if (i === this.#head) return this.shift()
      this.#queue.splice(i, 1)
      this.#bytes -= this.#sizes.splice(i, 1)[0] as number
      if (i < this.#head + this.#priority) this.#priority--
      this.relief?.()
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
      this.#sizes.length = 0
      this.#head = 0
    } else if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head)
      this.#sizes = this.#sizes.slice(this.#head)
      this.#head = 0
    }
  }
}
