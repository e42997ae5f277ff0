/**
 * The length of text as `io_lib` counts it for widths: code points where all are Latin-1 (`iolist_size/1`), else
 * grapheme clusters (`string:length/1`). Clusters come from the JavaScript engine's Unicode tables, which may be of
 * another Unicode version than those of a given OTP release.
 */

/** Made at its first use: it takes longer than the loading of this whole package. */
let made: Intl.Segmenter | undefined

/** Undefined where the engine has none. */
function makeSegmenter(): Intl.Segmenter | undefined {
  if (typeof Intl.Segmenter === 'function') made ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  return made
}

/** Each a character with the marks that combine with it: for engines without Intl.Segmenter. */
function clusters(text: string): string[] {
  return text.match(/\r\n|\P{M}\p{M}*|\p{M}+/gsu) ?? []
}

/** `io_lib:chars_length/1`. */
export function charsLength(text: string): number {
  let latin1 = true
  for (let i = 0; i < text.length && latin1; i++) latin1 = text.charCodeAt(i) <= 0xff
  return latin1 ? text.length : graphemeLength(text)
}

/** `string:length/1`: the number of grapheme clusters. */
export function graphemeLength(text: string): number {
  const segmenter = makeSegmenter()
  if (segmenter === undefined) return clusters(text).length
  let count = 0
  const segments = segmenter.segment(text)[Symbol.iterator]()
  while (segments.next().done !== true) count++
  return count
}

/** `string:slice/3` from the start: at most `count` grapheme clusters. */
export function graphemeSlice(text: string, count: number): string {
  let out = ''
  let left = count
  const segmenter = makeSegmenter()
  for (const cluster of segmenter === undefined ? clusters(text) : segmenter.segment(text)) {
    if (left-- <= 0) break
    out += typeof cluster === 'string' ? cluster : cluster.segment
  }
  return out
}

/** The number of code points. */
export function codePointLength(text: string): number {
  let length = text.length
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code >= 0xdc00 && code <= 0xdfff) length--
  }
  return length
}
