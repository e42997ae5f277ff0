/**
 * Terms nested deeper than recursion should go: the same reading, with a stack of frames on the heap. A frame is a
 * container whose elements are still coming.
 */
import type { EtfError } from '../errors.js'
import { openCompound } from './reader-rare.js'
import type { Reader } from './reader.js'
import { room } from './room.js'
import type { Term } from './terms.js'
import { Tuple } from './tuple.js'
import { ImproperList } from './values.js'

/** What a container needs until its last element has come. */
interface Frame {
  items: Term[]
  /** Elements that were read. */
  next: number
  /** Elements to be read. */
  count: number
  /** What the elements make when all have come; undefined: `items` are a list whose tail comes next. */
  finish: ((items: Term[]) => Term) | undefined
}

/** Elements that room is made for at once: each of many containers in one another may claim what is left of the input. */
const MOST_AT_ONCE = 64

function frameFor(count: number, finish?: (items: Term[]) => Term): Frame {
  return { items: count > 0 && count <= MOST_AT_ONCE ? room(count) : [], next: 0, count, finish }
}

function makeTuple(items: Term[]): Term {
  return new Tuple(items)
}

/** The frame of the container that begins at the reader's position; undefined if a leaf begins there. */
function open(reader: Reader): Frame | undefined {
  const offset = reader.position
  const tag = reader.bytes[offset]
  if (offset >= reader.end) return undefined
  reader.start = offset
  switch (tag) {
    case 104:
      reader.position++
      return frameFor(reader.claim(reader.uint8(), 1), makeTuple)
    case 105:
      reader.position++
      return frameFor(reader.claim(reader.uint32(), 1), makeTuple)
    case 108:
      reader.position++
      return frameFor(reader.claim(reader.uint32(), 1))
    case 116:
      reader.position++
      return frameFor(reader.claim(reader.uint32(), 2) * 2, (items) => reader.finishMap(items, offset))
    case 112:
    case 117:
    case 67: {
      reader.position++
      const { count, finish } = openCompound(reader, tag)
      return frameFor(count, finish)
    }
    default:
      return undefined
  }
}

function improper(items: Term[]): Term {
  const tail = items.pop() as Term
  return items.length === 0 ? tail : new ImproperList(items, tail)
}

/** Of the container that the reader has just begun. */
function tooDeep(reader: Reader): EtfError {
  return reader.malformed('ETF_TOO_DEEP', `is deeper in others than maxNesting ${reader.maxNesting}`)
}

/**
 * Reads the container at the reader's position, which is in as many others as recursion goes deep.
 * @throws EtfError `ETF_TOO_DEEP` where one would be the `maxNesting + 1`st within one another
 * @internal
 */
export function readDeep(reader: Reader): Term {
  const most = reader.maxNesting - reader.recursion
  if (most === 0) throw tooDeep(reader)
  const outer: Frame[] = []
  let frame = open(reader) as Frame
  for (;;) {
    let value: Term
    if (frame.next < frame.count) {
      const inner = open(reader)
      if (inner !== undefined) {
        if (outer.push(frame) === most) throw tooDeep(reader)
        frame = inner
        continue
      }
      value = reader.term(0)
    } else if (frame.finish === undefined) {
      const tail = reader.tail(frame.items)
      if (tail > 0) {
        frame.count += tail
        continue
      }
      if (tail < 0) {
        frame.count++
        frame.finish = improper
        continue
      }
      value = frame.items
      const parent = outer.pop()
      if (parent === undefined) return value
      frame = parent
    } else {
      value = frame.finish(frame.items)
      const parent = outer.pop()
      if (parent === undefined) return value
      frame = parent
    }
    if (frame.next < frame.items.length) frame.items[frame.next] = value
    else frame.items.push(value)
    frame.next++
  }
}
