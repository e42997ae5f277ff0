/**
 * Many messages, taken together. When they come in numbers, but so fast that each turn of the event loop has only a few of
 * them, the turn (a read, a write, and waking whoever waits for the answers) costs more than the messages do. Then the
 * thread sleeps for a moment when it has answered, as network cards moderate their interrupts: meanwhile the next ones
 * gather, and a peer on the same machine has the processor for itself. Large messages gather as well: of what comes as fast
 * as it is read, each read has a part of one. Not while small answers leave, though: whoever waits for those between the
 * large messages would be put off for longer.
 *
 * Whether that helps, and how long a sleep is best, depends on the peer and on the machine: one that has a window of
 * messages under way and waits for their answers is only delayed. So nothing is assumed: while many come, all lengths are
 * tried, none among them, by turns; of those with which nearly as much came as with any, the one that took the least
 * processor time is kept for a while.
 */
import type { Clock } from './clock.js'
import type { TurnEnd } from './turn-end.js'
import { WaitTrials } from './wait-trials.js'

/**
 * Lengths that are tried, in parts of the limit: where something is written meanwhile, where nothing is, and of large
 * messages, which take longer to come, and to be read. Who waits for answers is put off by a long sleep more than a trial
 * shows: a BEAM's schedulers fall asleep, and stay so, only when they had little to do for a while.
 */
const ANSWERED_WAITS: readonly number[] = [0, 0.2]
const UNANSWERED_WAITS: readonly number[] = [0, 0.2, 1]
const LARGE_WAITS: readonly number[] = [0, 5]

/**
 * Between answers, one turn in so many does not end with a sleep. With one after each a peer can fall into step, asleep
 * whenever this thread is awake, and stay so for as long as it asks.
 */
const RHYTHM = 4

/** Of large ones: with few exceptions it is. A burst of them is over before that was found out. */
const FIRST_LARGE = 1

/** No limit makes a sleep longer: the thread does nothing else meanwhile. */
const MAX_WAIT_MS = 10

/** So many bytes count as a message more: what a turn costs beside them weighs as little as beside a message. */
const FRAME_BYTES = 6 * 1024

/** What comes is counted for so long: some hundred messages, and more than the longest of them are under way. */
const EPOCH_MS = 3

/** Whether as many come as make a load is known sooner. */
const REST_EPOCH_MS = 1

/** After as long without a message, what comes is another load. */
const MAX_GAP_MS = 3

/** As many in a millisecond are a load. */
const MIN_RATE = 24

/** Where fewer come in a turn after a sleep, in so many turns, it is in vain, and not tried to its end. */
const MIN_GATHERED = 3
const VAIN_TURNS = 16

/** So long after something was written whoever got it may be about to ask again. */
const ANSWERED_MS = 20

/** Where no more was written at a time, it was a small answer: whoever asks so does not wait for large messages to gather. */
const MAX_ANSWER_BYTES = 4 * 1024

/** A turn as long as that has other work to do, and gathers enough without a sleep. */
const MAX_TURN_MS = 0.5

/** What is needed of the system. */
export interface CoalescingSystem extends Pick<Clock, 'now'>, Pick<TurnEnd, 'deferLast'> {
  /** Stops the thread; false where that is not allowed. */
  sleep(ms: number): boolean
  /** Milliseconds of processor time that this process has used. */
  cpuMs(): number
}

export class Coalescing {
  readonly #system: CoalescingSystem
  /** That one length is best for small messages says nothing of large ones, nor of those that wait for no answer. */
  readonly #answered = new WaitTrials(ANSWERED_WAITS)
  readonly #unanswered = new WaitTrials(UNANSWERED_WAITS)
  readonly #large = new WaitTrials(LARGE_WAITS, FIRST_LARGE)
  #trials = this.#unanswered
  /** Of the turn's connections, the last that was read. */
  #limitMs = 0
  /** Too few come for a trial, or for a sleep. */
  #resting = true
  /** The length of the sleeps of this epoch, in parts of the limit. */
  #wait = 0
  #scheduled = false
  #more = false
  #beat = 0
  #allowed = true
  #wokenAt = -Infinity
  #receivedAt = -Infinity
  #writtenAt = -Infinity
  #answeredAt = -Infinity
  /** What came in this epoch, and in how many turns that ended with a sleep, or went without for the rhythm. */
  #frames = 0
  #bytes = 0
  #turns = 0
  #epochAt = -Infinity
  #epochCpuMs = 0

  constructor(system: CoalescingSystem) {
    this.#system = system
  }

  /**
   * To be told of all that is received.
   * @param frames that it completed
   * @param bytes of these and of parts of others
   * @param limitMs how long to sleep, at most 10, five times as long for large messages; 0: not at all
   */
  received(frames: number, bytes: number, limitMs: number): void {
    if (limitMs === 0 || !this.#allowed) return
    const now = this.#system.now()
    if (now - Math.max(this.#receivedAt, this.#wokenAt) > MAX_GAP_MS) this.#rest(now)
    this.#receivedAt = now
    this.#frames += frames
    this.#bytes += bytes
    if (now - this.#epochAt >= (this.#resting ? REST_EPOCH_MS : EPOCH_MS)) this.#endEpoch(now)
    if (this.#wait === 0 || this.#scheduled) return
    this.#limitMs = limitMs
    this.#scheduled = true
    this.#system.deferLast(this.#turn)
  }

  /** More is there than was read in this turn: nothing needs to gather. */
  more(): void {
    // Without a sleep ahead it would be taken for a later turn's.
    if (this.#scheduled) this.#more = true
  }

  /** To be told of all that is written. */
  written(bytes: number): void {
    this.#writtenAt = this.#system.now()
    if (bytes <= MAX_ANSWER_BYTES) this.#answeredAt = this.#writtenAt
  }

  readonly #turn = (): void => {
    this.#scheduled = false
    const more = this.#more
    this.#more = false
    const now = this.#system.now()
    const turnMs = now - this.#wokenAt
    this.#wokenAt = now
    if (this.#wait === 0 || more || turnMs > MAX_TURN_MS) return
    if (this.#trials === this.#large && now - this.#answeredAt < ANSWERED_MS) return
    this.#turns++
    if (this.#turns >= VAIN_TURNS && this.#load() < MIN_GATHERED * this.#turns) {
      this.#trials.inVain()
      this.#beginEpoch(now)
      return
    }
    if (this.#trials === this.#answered && this.#skips()) return
    if (this.#system.sleep(Math.min(this.#wait * this.#limitMs, MAX_WAIT_MS))) {
      this.#wokenAt = this.#system.now()
      return
    }
    this.#allowed = false
  }

  #trialsNow(now: number): WaitTrials {
    if (this.#bytes / FRAME_BYTES > this.#frames) return this.#large
    return now - this.#writtenAt < ANSWERED_MS ? this.#answered : this.#unanswered
  }

  #skips(): boolean {
    this.#beat = (this.#beat + 1) % RHYTHM
    return this.#beat === 0
  }

  #load(): number {
    return this.#frames + this.#bytes / FRAME_BYTES
  }

  /** Until as many come again. */
  #rest(now: number): void {
    this.#trials.abandon()
    this.#resting = true
    this.#beginEpoch(now)
  }

  #endEpoch(now: number): void {
    const ms = now - this.#epochAt
    const load = this.#load()
    // With a length on trial fewer may come: that counts against it.
    if (load < MIN_RATE * ms && (this.#wait === 0 || this.#trials.holding)) return this.#rest(now)
    const trials = this.#trialsNow(now)
    if (trials !== this.#trials) {
      this.#trials.abandon()
      this.#trials = trials
    }
    trials.counted(load, ms, this.#system.cpuMs() - this.#epochCpuMs)
    this.#resting = false
    this.#beginEpoch(now)
  }

  #beginEpoch(now: number): void {
    const { waits, current } = this.#trials
    const wait = this.#resting ? 0 : waits[current]
    if (wait !== this.#wait) this.#wokenAt = now
    this.#wait = wait
    this.#frames = this.#bytes = this.#turns = 0
    this.#epochAt = now
    if (!this.#resting) this.#epochCpuMs = this.#system.cpuMs()
  }
}
