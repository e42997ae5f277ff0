/**
 * Keys: a JavaScript value for each term such that two terms are `=:=` exactly when their values are `===`, within one
 * process. A peer cannot choose terms whose keys collide in a Map or a Set: V8 hashes strings with a seed of its own,
 * which is what binaries, compound terms and most numbers become; numbers and bigints it hashes without one, so small
 * integers are mixed with a secret before. Atoms are their own key, which V8 hashes at random.
 */
import { Atom } from './atom.js'
import { Pid, Port, Reference } from './identifiers.js'
import { KeyHashes, mixed } from './key-hash.js'
import { type Parts, partsOf, textBytes } from './key-parts.js'
import { platform } from './platform.js'
import { BitString, ErlFloat, LocalTerm } from './values.js'

export type TermKey = Atom | string | number | boolean

/** A compound term whose parts are being turned into text. */
interface Frame extends Parts {
  next: number
  texts: string[]
}

/**
 * The key of a term; text counts as its UTF-8 binary.
 * @throws ArgumentError `BAD_ARGUMENT` for a value that is no term
 */
export function keyOf(term: unknown): TermKey {
  switch (typeof term) {
    case 'number':
      return (term | 0) === term ? mixed(term) : numberText(term)
    case 'boolean':
      return term
    case 'bigint':
      return isSafe(term) ? keyOf(Number(term)) : integerText(term)
    case 'string':
      return binaryKey(textBytes(term))
    default:
  }
  if (term instanceof Atom) return term
  if (term instanceof Uint8Array) return binaryKey(term)
  if (term instanceof ErlFloat && !Number.isInteger(term.value)) return `f${term.value}`
  return 'c' + serialise(term)
}

function isSafe(integer: bigint): boolean {
  return integer >= -9007199254740991n && integer <= 9007199254740991n
}

function numberText(number: number): string {
  if (!Number.isInteger(number)) return `f${number}`
  return Number.isSafeInteger(number) ? `i${number === 0 ? 0 : number}` : integerText(BigInt(number))
}

/** In linear time, as decimal digits are not made. */
function integerText(integer: bigint): string {
  return `h${integer.toString(16)}`
}

function binaryKey(bytes: Uint8Array): string {
  return 'b' + platform.readLatin1(bytes, 0, bytes.length)
}

function sized(kind: string, text: string): string {
  return `${kind}${text.length}:${text}`
}

/** The text of a term that has no parts; undefined if it has some. */
function leaf(term: unknown): string | undefined {
  switch (typeof term) {
    case 'number':
      return `${numberText(term)};`
    case 'bigint':
      return isSafe(term) ? `i${term};` : `${integerText(term)};`
    case 'boolean':
      return sized('a', String(term))
    case 'string':
      return leaf(textBytes(term))
    default:
  }
  if (term instanceof Atom) return sized('a', term.name)
  if (term instanceof Uint8Array) return sized('b', platform.readLatin1(term, 0, term.length))
  if (term instanceof ErlFloat) return `f${Object.is(term.value, -0) ? '-0' : term.value};`
  if (term instanceof Pid) return sized('p', term.key)
  if (term instanceof Reference) return sized('r', term.key)
  if (term instanceof Port) return sized('o', term.key)
  if (term instanceof BitString)
    return sized(`s${term.bits}.`, platform.readLatin1(term.bytes, 0, term.bytes.length))
  if (term instanceof LocalTerm) return sized('x', platform.readLatin1(term.bytes, 0, term.bytes.length))
  return undefined
}

function open(term: unknown): Frame {
  const { head, children, isMap } = partsOf(term)
  return { head, children, isMap, next: 0, texts: [] }
}

/**
 * The text of a compound of whose parts all is known. The order in which a map's entries were made does not count: they
 * are put in that of their keys' hashes, not of their texts, which would be gone through at every level again. For the
 * same reason texts are added, not joined: V8 copies what it joins.
 */
function close(frame: Frame, hashes: KeyHashes): string {
  const { texts, children } = frame
  if (frame.isMap && texts.length > 2) {
    const entries: [number, string, string][] = []
    for (let i = 0; i < texts.length; i += 2) {
      entries.push([hashes.of(children[i]), texts[i] as string, texts[i + 1] as string])
    }
    entries.sort((a, b) => a[0] - b[0] || (a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0))
    texts.length = 0
    for (const [, key, value] of entries) texts.push(key, value)
  }
  let text = `${frame.head}${texts.length}(`
  for (const part of texts) text += part
  return text + ')'
}

function serialise(term: unknown): string {
  const only = leaf(term)
  if (only !== undefined) return only
  const outer: Frame[] = []
  const hashes = new KeyHashes()
  let frame = open(term)
  for (;;) {
    if (frame.next === frame.children.length) {
      const text = close(frame, hashes)
      const parent = outer.pop()
      if (parent === undefined) return text
      frame = parent
      frame.texts.push(text)
      continue
    }
    const child = frame.children[frame.next++]
    const text = leaf(child)
    if (text !== undefined) frame.texts.push(text)
    else {
      outer.push(frame)
      frame = open(child)
    }
  }
}
