/** Arrays for the elements of a term that is being read. */
import type { Term } from './terms.js'

/** Elements above which an array grows by `push`: V8 makes a hash table of an array that is made larger than this. */
export const MAX_PREALLOCATED = 1 << 25

/** Up to so many elements V8 makes an array in place, if it sees how many; else by a call. */
const IN_PLACE = 8

/** An array for `count` terms. */
export function room(count: number): Term[] {
  switch (count) {
    case 0:
      return []
    case 1:
      return new Array<Term>(1)
    case 2:
      return new Array<Term>(2)
    case 3:
      return new Array<Term>(3)
    case 4:
      return new Array<Term>(4)
    case 5:
      return new Array<Term>(5)
    case 6:
      return new Array<Term>(6)
    case 7:
      return new Array<Term>(7)
    case IN_PLACE:
      return new Array<Term>(8)
    default:
      return new Array<Term>(count)
  }
}

/** More than the hundred arrays that V8 judges a place by, and much more than it makes before it compiles what makes them. */
const LESSONS = 400

/**
 * V8 learns for each place that makes arrays what they come to hold, and how long they live. Here it learns both at once:
 * they hold anything, and most of them soon are garbage. A place that is reached first with integers alone was seen to
 * stay three times slower. And so was one of whose first arrays all were in use when garbage was collected for the first
 * time, as while a large term is being read: V8 then makes all that follow among its old objects, for good, where they
 * keep alive what they hold until all garbage is collected.
 */
function teach(): void {
  for (let count = 0; count <= IN_PLACE + 1; count++) {
    for (let lesson = 0; lesson < LESSONS; lesson++) room(count)[0] = true
  }
}

// In a function of its own: for so many turns of a loop V8 compiles what the loop is in, which would be all that is
// outside of functions in a bundle.
teach()
