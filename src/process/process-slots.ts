/**
 * The processes by their pid numbers, as a BEAM's process table has them: the number's low bits are the place. New numbers
 * are chosen so that their place is free. Unlike a `Map`, it leaves no garbage when processes come and go.
 */
import { pidNumber } from './ids.js'
import type { Process } from './process.js'

const MIN_SLOTS = 64

export class ProcessSlots {
  /** A power of two, at least twice as many as there are processes. */
  #slots: (Process | undefined)[] = emptySlots(MIN_SLOTS)
  #mask = MIN_SLOTS - 1
  #size = 0

  get size(): number {
    return this.#size
  }

  get(number: number): Process | undefined {
    const process = this.#slots[number & this.#mask]
    return process !== undefined && pidNumber(process.pid) === number ? process : undefined
  }

  /** Whether another process is where that of this number would be. */
  readonly isTaken = (number: number): boolean => this.#slots[number & this.#mask] !== undefined

  /** To be called before a number is chosen for {@link add}. */
  makeRoom(): void {
    if (2 * this.#size < this.#slots.length) return
    const slots = emptySlots(2 * this.#slots.length)
    this.#mask = slots.length - 1
    // Numbers that differ in their low bits differ in more of them, too.
    for (const process of this.#slots)
      if (process !== undefined) slots[pidNumber(process.pid) & this.#mask] = process
    this.#slots = slots
  }

  /** @param process with a number that is not taken */
  add(process: Process): void {
    this.#slots[pidNumber(process.pid) & this.#mask] = process
    this.#size++
  }

  delete(process: Process): void {
    this.#slots[pidNumber(process.pid) & this.#mask] = undefined
    this.#size--
  }

  /** In the order of their numbers. */
  all(): Process[] {
    const all = this.#slots.filter((process) => process !== undefined)
    return all.sort((a, b) => pidNumber(a.pid) - pidNumber(b.pid))
  }
}

function emptySlots(count: number): (Process | undefined)[] {
  return Array.from({ length: count }, () => undefined)
}
