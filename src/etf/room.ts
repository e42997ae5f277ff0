/** Arrays for the elements of a term that is being read. */
import type { Term } from './terms.js'

/** Elements above which an array grows by `push`: V8 makes a hash table of an array that is made larger than this. */
export const MAX_PREALLOCATED = 1 << 25

/** Up to so many elements V8 makes an array in place, if it sees how many; else by a call. */
const IN_PLACE = 8

/** An array for `count` terms. */
export function room(count: number): Term[] {
  switch (count) {
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

/**
 * V8 learns for each place that makes arrays what they come to hold. Here it learns at once that they hold anything: a
 * place that is reached first with integers alone was seen to stay three times slower.
 */
for (let count = 1; count <= IN_PLACE + 1; count++) room(count)[0] = true
