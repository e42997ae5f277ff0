/** How often something may happen: so many at once, and as many again each second. */
export class Rate {
  readonly #perSecond: number
  readonly #clock: () => number
  #left: number
  #at: number

  /** @param clock milliseconds, monotonic */
  constructor(perSecond: number, clock: () => number = () => performance.now()) {
    this.#perSecond = perSecond
    this.#clock = clock
    this.#left = perSecond
    this.#at = clock()
  }

  /** Takes one; false when there is none left. */
  take(): boolean {
    const now = this.#clock()
    this.#left = Math.min(this.#perSecond, this.#left + ((now - this.#at) * this.#perSecond) / 1_000)
    this.#at = now
    if (this.#left < 1) return false
    this.#left--
    return true
  }
}
