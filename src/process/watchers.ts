/**
 * The monitors that others set on one process, by their references. A process that runs one call has one of them, for
 * which no table is made.
 */
import type { Reference } from '../etf/identifiers.js'
import { giveBack } from './held.js'
import type { IdAllocator } from './ids.js'
import type { IncomingMonitor } from './process.js'

export class Watchers {
  readonly #ids: Pick<IdAllocator, 'referenceKey'>
  #first: IncomingMonitor | undefined
  /** Those that came later, while there was another. */
  #more: Map<number | string, IncomingMonitor> | undefined

  constructor(ids: Pick<IdAllocator, 'referenceKey'>) {
    this.#ids = ids
  }

  /** Takes the place of one with an equal reference. */
  add(monitor: IncomingMonitor): void {
    if (monitor.held !== undefined) monitor.held.count++
    if (this.#more !== undefined) {
      const key = this.#ids.referenceKey(monitor.ref)
      giveBack(this.#more.get(key))
      this.#more.set(key, monitor)
    } else if (this.#first === undefined || this.#isFirst(monitor.ref)) {
      giveBack(this.#first)
      this.#first = monitor
    } else
      this.#more = new Map([
        [this.#ids.referenceKey(this.#first.ref), this.#first],
        [this.#ids.referenceKey(monitor.ref), monitor],
      ])
    if (this.#more !== undefined) this.#first = undefined
  }

  delete(ref: Reference): void {
    if (this.#more !== undefined) {
      const key = this.#ids.referenceKey(ref)
      giveBack(this.#more.get(key))
      this.#more.delete(key)
    } else if (this.#isFirst(ref)) {
      giveBack(this.#first)
      this.#first = undefined
    }
  }

  /** In the order in which they were set. Later changes do not change it. */
  values(): readonly IncomingMonitor[] {
    if (this.#more !== undefined) return [...this.#more.values()]
    return this.#first === undefined ? [] : [this.#first]
  }

  #isFirst(ref: Reference): boolean {
    return (
      this.#first !== undefined && this.#ids.referenceKey(this.#first.ref) === this.#ids.referenceKey(ref)
    )
  }
}
