/** A process's mailbox: messages in order of arrival, and the receives that wait for one. */
import { throwIfAborted } from '../arguments.js'
import type { Term } from '../etf/terms.js'
import type { MailboxRoom } from './mailbox-room.js'

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
  /** What each message takes in memory, about, in the order of the queue, and the sum; 0 for those of this node. */
  #weights: number[] = []
  #weight = 0
  readonly #room: MailboxRoom | undefined
  /** While set: called after each message taken, when a receive begins to wait, and at the end. */
  relief: (() => void) | undefined

  /** @param room told of what this mailbox holds */
  constructor(room?: MailboxRoom) {
    this.#room = room
  }

  get length(): number {
    return this.#queue.length - this.#head
  }

  /** What the waiting messages of other nodes take in memory, about. */
  get weight(): number {
    return this.#weight
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
   * @param weight what it takes in memory, about
   */
  push(message: Term, priority = false, weight = 0): void {
    if (this.#waiters.length === 0 || !this.hand(message)) this.keep(message, priority, weight)
  }

  /** Gives the message to the first receive that waits for it. @returns false when there is none */
  hand(message: Term): boolean {
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
        return true
      }
    }
    return false
  }

  /** Puts the message behind those that wait already, or the priority ones of them. See {@link push}. */
  keep(message: Term, priority = false, weight = 0): void {
    // A match function may have ended the process.
    if (this.#closed !== undefined) return
    this.#weigh(weight)
    if (priority) {
      const at = this.#head + this.#priority++
      this.#queue.splice(at, 0, message)
      this.#weights.splice(at, 0, weight)
    } else {
      this.#queue.push(message)
      this.#weights.push(weight)
    }
  }

  /** Drops and returns the oldest message. */
  shift(): Term | undefined {
    if (this.length === 0) return undefined
    const message = this.#queue[this.#head]
    this.#weigh(-(this.#weights[this.#head] as number))
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
    const weights: number[] = []
    let priority = 0
    let weight = 0
    for (let i = this.#head; i < this.#queue.length; i++) {
      const message = this.#queue[i] as Term
      if (match(message)) continue
      if (i < this.#head + this.#priority) priority++
      queue.push(message)
      weights.push(this.#weights[i] as number)
      weight += this.#weights[i] as number
    }
    this.#queue = queue
    this.#weights = weights
    this.#priority = priority
    this.#weigh(weight - this.#weight)
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
    this.#weights = []
    this.#head = 0
    this.#priority = 0
    this.#weigh(-this.#weight)
    for (const waiter of this.#waiters.splice(0)) {
      waiter.cleanUp()
      waiter.reject(error)
    }
    this.relief?.()
  }

  #weigh(more: number): void {
    this.#weight += more
    if (this.#room !== undefined) this.#room.held += more
  }

  #take(match: ((message: Term) => boolean) | undefined): Term | undefined {
    if (match === undefined) return this.shift()
    for (let i = this.#head; i < this.#queue.length; i++) {
      const message = this.#queue[i] as Term
      if (!match(message)) continue
      if (i === this.#head) return this.shift()
      this.#queue.splice(i, 1)
      this.#weigh(-(this.#weights.splice(i, 1)[0] as number))
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
      this.#weights.length = 0
      this.#head = 0
    } else if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head)
      this.#weights = this.#weights.slice(this.#head)
      this.#head = 0
    }
  }
}
