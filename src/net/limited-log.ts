/**
 * Log lines that others can cause at will: so many of each subject (a node, mostly) in a period, and then one line that
 * says how many were left out.
 */
import type { Limits } from '../limits.js'

interface Logger {
  warn(message: string): void
  error(message: string): void
}

type LogLimits = Pick<Limits, 'maxLogLines' | 'logPeriodMs' | 'maxLogSubjects'>

interface Subject {
  lines: number
  left: number
  readonly timer: ReturnType<typeof setTimeout>
}

/** Those of further subjects are counted together. */
const OTHERS = 'others'

export class LimitedLog {
  readonly #logger: Logger
  readonly #limits: LogLimits
  readonly #subjects = new Map<string, Subject>()

  constructor(logger: Logger, limits: LogLimits) {
    this.#logger = logger
    this.#limits = limits
  }

  /** @param about who or what caused it: lines of one subject are counted together */
  warn(about: string, text: string): void {
    if (this.#counts(about)) this.#logger.warn(text)
  }

  /** As {@link warn}. */
  error(about: string, text: string): void {
    if (this.#counts(about)) this.#logger.error(text)
  }

  /** Says at once what was left out. */
  stop(): void {
    for (const about of [...this.#subjects.keys()]) this.#end(about)
  }

  /** Whether there is a line left for this subject. */
  #counts(about: string): boolean {
    const { maxLogLines, maxLogSubjects, logPeriodMs } = this.#limits
    let subject = this.#subjects.get(about)
    if (subject === undefined) {
      if (about !== OTHERS && this.#subjects.size >= maxLogSubjects) return this.#counts(OTHERS)
      const timer = setTimeout(() => this.#end(about), logPeriodMs)
      timer.unref()
      subject = { lines: 0, left: 0, timer }
      this.#subjects.set(about, subject)
    }
    if (subject.lines < maxLogLines) {
      subject.lines++
      return true
    }
    subject.left++
    return false
  }

  #end(about: string): void {
    const { left, timer } = this.#subjects.get(about)!
    clearTimeout(timer)
    this.#subjects.delete(about)
    if (left === 0) return
    const { maxLogLines, logPeriodMs } = this.#limits
    const limit = `(limit maxLogLines ${maxLogLines} in ${logPeriodMs / 1000} s)`
    this.#logger.warn(`${about}: ${left} more lines were left out ${limit}`)
  }
}
