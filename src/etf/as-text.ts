/** Text of terms: binaries, character lists and their nestings (`unicode:chardata()`). */
import type { Term } from './terms.js'
import { readUtf8 } from './utf8.js'
import { ImproperList } from './values.js'

/**
 * The text of a UTF-8 binary, a list of code points, or any nesting of them, as `unicode:characters_to_list/2` reads
 * it; with `encoding` `latin1` binaries are bytes of ISO-8859-1.
 * @returns undefined for a term that is no such text
 */
export function asText(term: Term, encoding: 'unicode' | 'latin1' = 'unicode'): string | undefined {
  // A code point alone is an element of such text, not text.
  if (typeof term === 'number') return undefined
  const parts: string[] = []
  // An explicit stack: chardata nests as deep as its sender likes.
  const stack: Term[] = [term]
  let bytes: Uint8Array[] = []
  const flush = (): boolean => {
    if (bytes.length === 0) return true
    const all = bytes.length === 1 ? (bytes[0] as Uint8Array) : concat(bytes)
    bytes = []
    const text = readUtf8(all, 0, all.length)
    if (text === undefined) return false
    parts.push(text)
    return true
  }
  while (stack.length > 0) {
    const item = stack.pop() as Term
    if (typeof item === 'number') {
      if (!Number.isInteger(item) || item < 0 || item > 0x10ffff || (item >= 0xd800 && item <= 0xdfff))
        return undefined
      if (!flush()) return undefined
      parts.push(String.fromCodePoint(item))
    } else if (item instanceof Uint8Array) {
      // A code point may be split between adjacent binaries, so neighbours are read together.
      if (encoding === 'unicode') bytes.push(item)
      else parts.push(latin1Text(item))
    } else if (Array.isArray(item)) {
      for (let i = item.length - 1; i >= 0; i--) stack.push(item[i] as Term)
    } else if (item instanceof ImproperList) {
      if (!(item.tail instanceof Uint8Array)) return undefined
      stack.push(item.tail)
      for (let i = item.items.length - 1; i >= 0; i--) stack.push(item.items[i] as Term)
    } else return undefined
  }
  return flush() ? parts.join('') : undefined
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const chunk of chunks) length += chunk.length
  const all = new Uint8Array(length)
  let position = 0
  for (const chunk of chunks) {
    all.set(chunk, position)
    position += chunk.length
  }
  return all
}

function latin1Text(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192))
  return text
}
