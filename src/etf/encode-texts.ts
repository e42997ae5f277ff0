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

// UTF-8 may take three bytes a code unit.
const scratch = new Uint8Array(3 * CHUNK)
const scratchView = new DataView(scratch.buffer)

/**
 * Writes the first of `items` as BINARY_EXT, as long as they are texts, short, and ASCII.
 * @returns how many were written
 */
export function writeAsciiTexts(writer: Writer, items: readonly unknown[]): number {
  const { length } = items
  for (let done = 0; ;) {
    let all = ''
    let next = done
    for (; next < length; next++) {
      const item = items[next]
      if (typeof item !== 'string' || item.length > LONG || all.length + item.length > CHUNK) break
      all += item
    }
    if (next - done < FEW || platform.writeUtf8(scratch, 0, all) !== all.length) return done
    // The last word of a text may write up to three bytes beyond it, over which the next goes.
    writer.ensure(5 * (next - done) + all.length + 3)
    const { bytes, view } = writer
    let p = writer.position
    let from = 0
    for (; done < next; done++) {
      const size = (items[done] as string).length
      bytes[p] = 109
      view.setInt32(p + 1, size)
      p += 5
      for (let i = 0; i < size; i += 4) view.setInt32(p + i, scratchView.getInt32(from + i))
      p += size
      from += size
    }
    writer.position = p
  }
}
