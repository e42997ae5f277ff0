/**
 * Short texts out of one message: the engine turns a window of the bytes into a string at once, and each text that is
 * ASCII is a substring of it. That takes a third of the time of turning each into a string on its own.
 */
import { MAX_NAME_BYTES, findName, rememberName, slotTexts } from './names.js'
import { platform } from './platform.js'

const WINDOW_BYTES = 4096
/** Texts up to this size may be put together from character codes. */
const SHORT = 12
/** How many of them are, before it is worth while to make a window for more. */
const FEW = 3
/** Texts above this size are worth a call of their own. */
const LONG = 1024
/** Bytes of a window that are worth a call to learn whether all of it is ASCII, as each of its texts then is. */
const WORTH_A_CHECK = 256

export class TextWindow {
  private readonly bytes: Uint8Array
  private from = 0
  private to = 0
  private text = ''
  private ascii = false
  private few = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /**
   * The text of `bytes[start, end)`; undefined if that is not UTF-8.
   * @param view of all of `bytes`, if there is one
   */
  read(view: DataView | undefined, start: number, end: number): string | undefined {
    if (start >= this.from && end <= this.to) {
      return this.ascii || isAscii(this.bytes, view, start, end)
        ? this.text.substring(start - this.from, end - this.from)
        : platform.readUtf8(this.bytes, start, end)
    }
    return this.outside(view, start, end)
  }

  /** As {@link read}, for the key of a map, which will probably come again. */
  key(view: DataView | undefined, start: number, end: number): string | undefined {
    const length = end - start
    if (length === 0 || length > MAX_NAME_BYTES) return this.read(view, start, end)
    const slot = findName(this.bytes, view, start, length)
    const known = slot < 0 ? undefined : slotTexts[slot]
    return known === undefined ? this.newKey(slot, start, end) : known
  }

  /** Text that is kept has memory of its own, not a substring's. */
  private newKey(slot: number, start: number, end: number): string | undefined {
    const text = platform.readUtf8(this.bytes, start, end)
    if (text === undefined) return undefined
    if (slot < 0) rememberName(~slot, this.bytes, start, end - start)
    slotTexts[slot < 0 ? ~slot : slot] = text
    return text
  }

  private outside(view: DataView | undefined, start: number, end: number): string | undefined {
    const bytes = this.bytes
    const length = end - start
    if (length === 0) return ''
    if (length > LONG || !isAscii(bytes, view, start, end)) return platform.readUtf8(bytes, start, end)
    if (length <= SHORT && this.few < FEW) {
      this.few++
      return shortAscii(bytes, start, length)
    }
    const to = Math.min(bytes.length, start + WINDOW_BYTES)
    this.from = start
    this.to = to
    this.text = platform.readLatin1(bytes, start, to)
    this.ascii = to - start >= WORTH_A_CHECK && platform.isAscii(bytes, start, to)
    return this.text.substring(0, length)
  }
}

function isAscii(bytes: Uint8Array, view: DataView | undefined, start: number, end: number): boolean {
  let bits = 0
  if (view === undefined || end - start < 4) {
    for (let i = start; i < end; i++) bits |= bytes[i] as number
    return bits < 128
  }
  const last = end - 4
  for (let i = start; i < last; i += 4) bits |= view.getInt32(i, true)
  return ((bits | view.getInt32(last, true)) & 0x80808080) === 0
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
