/**
 * The end of a turn of the event loop, when every socket that has input was read: the check phase follows the poll phase.
 * What is put off until then makes one write of a whole turn's output, and lets a tick after a stall see what had arrived
 * meanwhile.
 */
export interface TurnEnd {
  /** Runs `callback` once, at the end of this turn; of the next, when it has begun to end. */
  defer(callback: () => void): void
  /** As `defer`, after all of these. */
  deferLast(callback: () => void): void
}

/** Callbacks in places that are used again: between calls that are waited for busily a turn is short, and has one or two. */
class Callbacks {
  #places: ((() => void) | undefined)[] = []
  #count = 0
  #done = 0

  add(callback: () => void): void {
    this.#places[this.#count++] = callback
  }

  /** Runs those that have not run, in order. */
  run(): void {
    while (this.#done < this.#count) {
      const callback = this.#places[this.#done]!
      this.#places[this.#done++] = undefined
      callback()
    }
    this.#count = this.#done = 0
  }

  /** Those that have not run; there are none any more. */
  take(): (() => void)[] {
    const left = this.#places.slice(this.#done, this.#count) as (() => void)[]
    this.#places = []
    this.#count = this.#done = 0
    return left
  }
}

class Turn {
  readonly deferred = new Callbacks()
  readonly last = new Callbacks()
}

/** What is put off to the end of this turn, and what is run or will be used next. */
let turn = new Turn()
let other = new Turn()
let scheduled = false

/** Of the process's event loop. */
export const turnEnd: TurnEnd = {
  defer(callback) {
    turn.deferred.add(callback)
    if (!scheduled) schedule()
  },
  deferLast(callback) {
    turn.last.add(callback)
    if (!scheduled) schedule()
  },
}

function schedule(): void {
  scheduled = true
  setImmediate(run)
}

function run(): void {
  const ended = turn
  turn = other
  other = ended
  scheduled = false
  let completed = false
  try {
    ended.deferred.run()
    ended.last.run()
    completed = true
  } finally {
    // One that throws, which may be caught as an uncaught exception, takes none with it.
    if (!completed) {
      const left = [...ended.deferred.take(), ...ended.last.take(), ...turn.deferred.take()]
      for (const callback of left) turn.deferred.add(callback)
      if (left.length > 0 && !scheduled) schedule()
    }
  }
}
