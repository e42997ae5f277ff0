/**
 * UTF-8 for node names, without the platform's text classes: strict as OTP's epmd is (no overlong forms, no
 * surrogates, nothing above U+10FFFF), because a name that is read loosely could stand for two different nodes.
 */

/** The UTF-8 bytes of `text`. A lone surrogate becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes: number[] = []
  for (const character of text) {
    let code = character.codePointAt(0) ?? 0xfffd
    if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd
    if (code < 0x80) bytes.push(code)
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 0x3f))
    else if (code < 0x10000)
      bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f))
    else
      bytes.push(
        0xf0 | (code >> 18),
        0x80 | ((code >> 12) & 0x3f),
        0x80 | ((code >> 6) & 0x3f),
        0x80 | (code & 0x3f),
      )
  }
  return Uint8Array.from(bytes)
}

/** The text of `bytes`, or undefined when they are not valid UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  const parts: string[] = []
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at++]!
    if (first < 0x80) {
      parts.push(String.fromCharCode(first))
      continue
    }
    // 0x80–0xC1 cannot start a character: continuation bytes and the overlong two-byte forms.
    const more =
      first >= 0xc2 && first <= 0xdf
        ? 1
        : (first & 0xf0) === 0xe0
          ? 2
          : first >= 0xf0 && first <= 0xf4
            ? 3
            : 0
    if (more === 0 || at + more > bytes.length) return undefined
    let code = first & (0x3f >> more)
    for (let i = 0; i < more; i++) {
      const next = bytes[at++]!
      if ((next & 0xc0) !== 0x80) return undefined
      code = (code << 6) | (next & 0x3f)
    }
    if (more === 2 && (code < 0x800 || (code >= 0xd800 && code <= 0xdfff))) return undefined
    if (more === 3 && (code < 0x10000 || code > 0x10ffff)) return undefined
    parts.push(String.fromCodePoint(code))
  }
  return parts.join('')
}

/** How many characters (code points) `text` has: node names are bounded in characters, not in bytes. */
export function countCharacters(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}
