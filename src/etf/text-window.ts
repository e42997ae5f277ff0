/**
 * Short texts out of one message: the engine turns a window of the bytes into a string at once, and each text that is
 * ASCII is a substring of it. That takes a third of the time of turning each into a string on its own.
 */
import { platform } from './platform.js'

const WINDOW_BYTES = 4096
/** Texts up to this size are put together from character codes. */
const SHORT = 12
/** Texts above this size are worth a call of their own. */
const LONG = 1024

export class TextWindow {
  private readonly bytes: Uint8Array
  private from = 0
  private to = 0
  private text = ''

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** The text of `bytes[start, end)`; undefined if that is not UTF-8. */
  read(start: number, end: number): string | undefined {
    const bytes = this.bytes
    const length = end - start
    if (length === 0) return ''
    let bits = 0
    if (length <= LONG) for (let i = start; i < end; i++) bits |= bytes[i] as number
    if (bits > 127 || length > LONG) return platform.readUtf8(bytes, start, end)
    if (length <= SHORT) return shortAscii(bytes, start, length)
    if (start < this.from || end > this.to) {
      this.from = start
      this.to = Math.min(bytes.length, start + WINDOW_BYTES)
      this.text = platform.readLatin1(bytes, start, this.to)
    }
    return this.text.substring(start - this.from, end - this.from)
  }
}

const { fromCharCode } = String

/** Up to 12 characters: a call with all of them at once is quicker than any loop. */
function shortAscii(b: Uint8Array, p: number, length: number): string {
  const at = (i: number): number => b[p + i] as number
  switch (length) {
    case 1:
      return fromCharCode(at(0))
    case 2:
      return fromCharCode(at(0), at(1))
    case 3:
      return fromCharCode(at(0), at(1), at(2))
    case 4:
      return fromCharCode(at(0), at(1), at(2), at(3))
    case 5:
      return fromCharCode(at(0), at(1), at(2), at(3), at(4))
    case 6:
      return fromCharCode(at(0), at(1), at(2), at(3), at(4), at(5))
    case 7:
      return fromCharCode(at(0), at(1), at(2), at(3), at(4), at(5), at(6))
    case 8:
      return fromCharCode(at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7))
    case 9:
      return fromCharCode(at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7), at(8))
    case 10:
      return fromCharCode(at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7), at(8), at(9))
    case 11:
      return fromCharCode(at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7), at(8), at(9), at(10))
    default:
      return fromCharCode(
        at(0),
        at(1),
        at(2),
        at(3),
        at(4),
        at(5),
        at(6),
        at(7),
        at(8),
        at(9),
        at(10),
        at(11),
      )
  }
}
