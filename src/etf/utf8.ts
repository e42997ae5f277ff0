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
 * Writes `text` at `position`; the caller has made room (3 bytes a code unit are always enough).
 * @returns the position after it; -1 if the text has a lone surrogate (some bytes may have been written).
 */
export function writeUtf8(target: Uint8Array, position: number, text: string): number {
  let p = position
  for (let i = 0; i < text.length; i++) {
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

/** The text of `bytes[start, end)`; undefined if that is not UTF-8. */
export function readUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = ''
  const units: number[] = []
  let p = start
  while (p < end) {
    const first = bytes[p++] as number
    if (first < 0x80) units.push(first)
    else {
      const size =
        first >= 0xc2 && first < 0xe0
          ? 1
          : first >= 0xe0 && first < 0xf0
            ? 2
            : first >= 0xf0 && first < 0xf5
              ? 3
              : 0
      if (size === 0 || p + size > end) return undefined
      let point = first & (0x3f >> size)
      for (let i = 0; i < size; i++) {
        const next = bytes[p++] as number
        if ((next & 0xc0) !== 0x80) return undefined
        point = (point << 6) | (next & 63)
      }
      if (size === 2 && (point < 0x800 || (point >= 0xd800 && point <= 0xdfff))) return undefined
      if (size === 3) {
        if (point < 0x10000 || point > 0x10ffff) return undefined
        point -= 0x10000
        units.push(0xd800 | (point >> 10))
        point = 0xdc00 | (point & 0x3ff)
      }
      units.push(point)
    }
    if (units.length >= CHUNK) {
      text += String.fromCharCode.apply(null, units)
      units.length = 0
    }
  }
  return text + String.fromCharCode.apply(null, units)
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
