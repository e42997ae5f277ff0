/**
 * Lists of short texts: V8 gives no look at the bytes of a string, and writes one out as fast as it can only at the price
 * of a call. So texts are joined, written out by one call, and their bytes put where they belong, a word at a time.
 */
import { platform } from './platform.js'
import type { Writer } from './writer.js'

/** Code units written out by one call. */
const CHUNK = 4096
/** Longer texts are worth a call of their own. */
const LONG = 256
/** Fewer texts are not worth it. */
const FEW = 4

// UTF-8 may take three bytes a code unit; and a zero after all of it.
const scratch = new Uint8Array(3 * CHUNK + 8)
const scratchView = new DataView(scratch.buffer)

/**
 * Writes the first of `items` as BINARY_EXT, as long as they are texts, short, and without lone surrogates.
 * @returns how many were written
 */
export function writeTexts(writer: Writer, items: readonly unknown[], length: number): number {
  // What follows a text: nothing while all is ASCII, since how many bytes each has is known then; else a zero.
  let mark = ''
  for (let done = 0; ;) {
    let all = ''
    let next = done
    for (; next < length; next++) {
      const item = items[next]
      if (typeof item !== 'string' || item.length > LONG || all.length + item.length >= CHUNK) break
      all += item + mark
    }
    const count = next - done
    if (count < FEW) return done
    const bytes = platform.writeUtf8(scratch, 0, all)
    if (bytes !== all.length && mark === '') {
      mark = '\0'
      continue
    }
    if (bytes < 0) return done
    // The last word of a text may write up to three bytes beyond it, over which the next goes.
    writer.ensure(5 * count + bytes + 4)
    if (mark === '') {
      if (!placeAscii(writer, items, done, next, bytes)) return done
    } else if (!placeMarked(writer, count, bytes)) return done
    done = next
  }
}

/**
 * Writes `items[from, to)`, which are the first `total` bytes of `scratch`.
 * @returns false, and nothing is written, if they are not: getters may give another text the second time
 */
function placeAscii(
  writer: Writer,
  items: readonly unknown[],
  from: number,
  to: number,
  total: number,
): boolean {
  const { bytes, view } = writer
  let p = writer.position
  let start = 0
  for (let index = from; index < to; index++) {
    const item = items[index]
    if (typeof item !== 'string' || item.length > total - start) return false
    const size = item.length
    bytes[p] = 109
    view.setInt32(p + 1, size)
    p += 5
    for (let i = 0; i < size; i += 4) view.setInt32(p + i, scratchView.getInt32(start + i))
    p += size
    start += size
  }
  if (start !== total) return false
  writer.position = p
  return true
}

/**
 * Writes `count` texts, each of which ends in a zero in `scratch`, whose first `size` bytes they are.
 * @returns false, and nothing is written, if one of them has a zero in it
 */
function placeMarked(writer: Writer, count: number, size: number): boolean {
  const { bytes, view } = writer
  let p = writer.position
  let start = 0
  for (let left = count; left > 0; left--) {
    if (start >= size) return false
    const at = p + 5
    for (let i = start; ; i += 4) {
      const word = scratchView.getInt32(i)
      view.setInt32(at + i - start, word)
      // Not 0 exactly if a byte of the word is 0.
      const zeros = (word - 0x01010101) & ~word & 0x80808080
      if (zeros !== 0) {
        let end = i
        while (scratch[end] !== 0) end++
        bytes[p] = 109
        view.setInt32(p + 1, end - start)
        p = at + end - start
        start = end + 1
        break
      }
    }
  }
  if (start !== size) return false
  writer.position = p
  return true
}
