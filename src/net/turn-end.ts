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

let deferred: (() => void)[] = []
let last: (() => void)[] = []
let scheduled = false

/** Of the process's event loop. */
export const turnEnd: TurnEnd = {
  defer(callback) {
    deferred.push(callback)
    if (!scheduled) schedule()
  },
  deferLast(callback) {
    last.push(callback)
    if (!scheduled) schedule()
  },
}

function schedule(): void {
  scheduled = true
  setImmediate(run)
}

function run(): void {
  const callbacks = last.length === 0 ? deferred : deferred.concat(last)
  deferred = []
  last = []
  scheduled = false
  let done = 0
  try {
    while (done < callbacks.length) callbacks[done++]()
  } finally {
    // One that throws, which may be caught as an uncaught exception, takes none with it.
    if (done < callbacks.length) {
      deferred = callbacks.slice(done).concat(deferred)
      if (!scheduled) schedule()
    }
  }
}
