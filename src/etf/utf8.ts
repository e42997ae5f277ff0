/**
 * UTF-8 without help from the platform: reading, writing, measuring, checking. What atoms and short text use, and what
 * every platform falls back to. Overlong forms, surrogates and code points above U+10FFFF are refused, as the BEAM
 * refuses them (`unicode:characters_to_list/1`, and the atom table's own check).
 */

/** Code units collected before they are turned into text at once; bounds the arguments of one `fromCharCode`. */
const CHUNK = 4096

/**
 * Bytes that `text` takes in UTF-8; -1 if it has a lone surrogate, which UTF-8 cannot carry.
 */
export function utf8Length(text: string): number {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    if (unit < 0x800) bytes += 1
    else if (unit < 0xd800 || unit > 0xdfff) bytes += 2
    else {
      const next = text.charCodeAt(i + 1)
      if (unit > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return -1
      bytes += 2
      i++
    }
  }
  return bytes
}

/**
 * Writes `text`, from its code unit `from` on, at `position`; the caller has made room (3 bytes a code unit are always enough).
 * @returns the position after it; -1 if the text has a lone surrogate (some bytes may have been written).
 */
export function writeUtf8(target: Uint8Array, position: number, text: string, from = 0): number {
  let p = position
  for (let i = from; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) target[p++] = unit
    else if (unit < 0x800) {
      target[p++] = 0xc0 | (unit >> 6)
      target[p++] = 0x80 | (unit & 63)
    } else if (unit < 0xd800 || unit > 0xdfff) {
      target[p++] = 0xe0 | (unit >> 12)
      target[p++] = 0x80 | ((unit >> 6) & 63)
      target[p++] = 0x80 | (unit & 63)
    } else {
      const next = text.charCodeAt(++i)
      if (unit > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return -1
      const point = 0x10000 + ((unit - 0xd800) << 10) + (next - 0xdc00)
      target[p++] = 0xf0 | (point >> 18)
      target[p++] = 0x80 | ((point >> 12) & 63)
      target[p++] = 0x80 | ((point >> 6) & 63)
      target[p++] = 0x80 | (point & 63)
    }
  }
  return p
}

/** The bytes of `text` in UTF-8; undefined if it has a lone surrogate. */
export function utf8Bytes(text: string): Uint8Array | undefined {
  const length = utf8Length(text)
  if (length < 0) return undefined
  const bytes = new Uint8Array(length)
  writeUtf8(bytes, 0, text)
  return bytes
}

/**
 * Writes the code units of `bytes[start, end)` to `units`, which has room for one a byte.
 * @returns how many they are; -1 if that is not UTF-8.
 */
export function utf8Units(bytes: Uint8Array, start: number, end: number, units: Uint16Array): number {
  let p = start
  let n = 0
  while (p < end) {
    const first = bytes[p++] as number
    if (first < 0x80) {
      units[n++] = first
      continue
    }
    // What is read beyond the end is no continuation byte for the check below, or is caught at the end.
    const second = bytes[p++] as number
    if ((second & 0xc0) !== 0x80 || first < 0xc2 || p > end) return -1
    if (first < 0xe0) {
      units[n++] = ((first & 31) << 6) | (second & 63)
      continue
    }
    const third = bytes[p++] as number
    if ((third & 0xc0) !== 0x80 || p > end) return -1
    if (first < 0xf0) {
      const point = ((first & 15) << 12) | ((second & 63) << 6) | (third & 63)
      if (point < 0x800 || (point >= 0xd800 && point < 0xe000)) return -1
      units[n++] = point
      continue
    }
    const fourth = bytes[p++] as number
    if ((fourth & 0xc0) !== 0x80 || first > 0xf4 || p > end) return -1
    const point = ((first & 7) << 18) | ((second & 63) << 12) | ((third & 63) << 6) | (fourth & 63)
    if (point < 0x10000 || point > 0x10ffff) return -1
    units[n++] = 0xd800 + ((point - 0x10000) >> 10)
    units[n++] = 0xdc00 + (point & 0x3ff)
  }
  return n
}

const scratch = new Uint16Array(CHUNK)

/** The text of `bytes[start, end)`; undefined if that is not UTF-8. */
export function readUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = ''
  for (let p = start; p < end;) {
    let stop = Math.min(end, p + CHUNK)
    // Not within a character: its bytes after the first are 10xxxxxx.
    while (stop < end && stop > p && ((bytes[stop] as number) & 0xc0) === 0x80) stop--
    const count = stop === p ? -1 : utf8Units(bytes, p, stop, scratch)
    if (count < 0) return undefined
    text += String.fromCharCode.apply(null, scratch.subarray(0, count) as unknown as number[])
    p = stop
  }
  return text
}

/** The text of `bytes[start, end)`, each byte a code point of Latin-1. */
export function readLatin1(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  for (let p = start; p < end; p += CHUNK) {
    text += String.fromCharCode.apply(
      null,
      bytes.subarray(p, Math.min(end, p + CHUNK)) as unknown as number[],
    )
  }
  return text
}

/** Whether every code unit of `text` is a code point of Latin-1. */
export function isLatin1(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return false
  return true
}

/** Whether all of `bytes[start, end)` is below 128. */
export function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if ((bytes[i] as number) > 127) return false
  return true
}
