/**
 * Which of several lengths of a wait is best, found by trying: rounds of all of them, in each of which what came is counted,
 * then a choice, which holds for a while. Of those with which nearly as much came as with any, the best is the one that
 * took the least processor time.
 */

/** Each length is tried as often before one is chosen. */
const ROUNDS = 2

/** What of the counts of earlier trials goes into the next: single ones are moved by whatever else goes on. */
const REMEMBERED = 0.5

/** How long the choice holds under load: the first time, and at most, if it is made again and again. */
const MIN_HOLD_MS = 48
const MAX_HOLD_MS = 400

/** What comes with a length, of the most that came with any, for it to be chosen: with less, answers are late. */
const MIN_SHARE = 0.9

/** What was chosen before stays so with a little less, unless another saves as much. */
const INCUMBENT = 1.05

/** With less of the most that came in a round, it is not tried in another. */
const HOPELESS = 0.75

/**
 * So often in a row the choice is in vain before it holds no longer: under load, too, less comes for a moment. Then no wait
 * is the choice for so long, until another trial.
 */
const MAX_VAIN = 3
const VAIN_HOLD_MS = 12

/** What was counted with one length. */
interface Count {
  load: number
  ms: number
  cpuMs: number
  inVain: boolean
}

/** The choice, and the trial under way. Lengths are told by their place in the list. */
export class WaitTrials {
  #chosen: number
  #holdMs = MIN_HOLD_MS / 2
  /** What of that is left. */
  #leftMs: number
  /** How often in a row the choice was in vain. */
  #vain = 0
  /** The trial's next step; none is under way. */
  #step = -1
  readonly #counts: Count[]

  /** @param first what is taken for the best before the first trial; without it, that is at once */
  constructor(
    readonly waits: readonly number[],
    first?: number,
  ) {
    this.#chosen = first ?? 0
    this.#leftMs = first === undefined ? 0 : MIN_HOLD_MS
    this.#counts = waits.map(() => ({ load: 0, ms: 0, cpuMs: 0, inVain: false }))
  }

  /** No trial is under way. */
  get holding(): boolean {
    return this.#step < 0
  }

  /** The length that is to be tried or used now. */
  get current(): number {
    return this.holding ? this.#chosen : this.#waitOf(this.#step)
  }

  /**
   * What came under load, with the length that is current: goes on with the trial, or nearer to the next.
   * @param load messages, or what they weigh
   * @param cpuMs processor time that they took
   */
  counted(load: number, ms: number, cpuMs: number): void {
    if (this.holding) {
      this.#vain = 0
      this.#leftMs -= ms
      if (this.#leftMs <= 0) this.#begin()
      return
    }
    const count = this.#counts[this.current]
    count.load += load
    count.ms += ms
    count.cpuMs += cpuMs
    this.#next()
  }

  /** The current length gathers nothing. */
  inVain(): void {
    if (this.holding) {
      if (++this.#vain < MAX_VAIN) return
      this.#choose(0)
      this.#holdMs = this.#leftMs = VAIN_HOLD_MS
      return
    }
    this.#counts[this.current].inVain = true
    this.#next()
  }

  /** There is no such load any more: a trial under way chooses nothing. */
  abandon(): void {
    this.#step = -1
  }

  #begin(): void {
    this.#step = 0
    for (const count of this.#counts) {
      count.load *= REMEMBERED
      count.ms *= REMEMBERED
      count.cpuMs *= REMEMBERED
      count.inVain = false
    }
  }

  /** A trial begins with what is used already. */
  #waitOf(step: number): number {
    return (this.#chosen + step) % this.waits.length
  }

  #next(): void {
    const steps = ROUNDS * this.waits.length
    do this.#step++
    while (this.#step < steps && this.#hopeless(this.#step))
    if (this.#step < steps) return
    this.#step = -1
    this.#choose(this.#best())
  }

  #hopeless(step: number): boolean {
    const count = this.#counts[this.#waitOf(step)]
    return count.inVain || (step >= this.waits.length && rate(count) < HOPELESS * this.#highestRate())
  }

  #highestRate(): number {
    return Math.max(...this.#counts.map(rate))
  }

  #best(): number {
    const leastRate = MIN_SHARE * this.#highestRate()
    let best = 0
    let least = Infinity
    this.#counts.forEach((count, wait) => {
      const bonus = wait === this.#chosen ? INCUMBENT : 1
      const cost = cpuMsEach(count) / bonus
      if (!count.inVain && rate(count) * bonus >= leastRate && cost < least) [best, least] = [wait, cost]
    })
    return best
  }

  #choose(wait: number): void {
    this.#holdMs = wait === this.#chosen ? Math.min(2 * this.#holdMs, MAX_HOLD_MS) : MIN_HOLD_MS
    this.#chosen = wait
    this.#vain = 0
    this.#leftMs = this.#holdMs
  }
}

function rate({ load, ms, inVain }: Count): number {
  return inVain || ms === 0 ? 0 : load / ms
}

function cpuMsEach({ load, ms, cpuMs }: Count): number {
  // A clock of processor time that does not tick says nothing; then what came decides.
  return Math.max(cpuMs, ms / 100) / load
}
