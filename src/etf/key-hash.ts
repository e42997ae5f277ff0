/**
 * Hashes of terms that are map keys: the same number for terms that are `=:=`, and for others another one, unless by a
 * chance that a peer cannot raise since it does not know this process's secret. Who must be sure compares those that
 * have the same hash.
 *
 * A term is a sequence of small numbers, one for each thing that it says of itself. Two polynomials of them, modulo a
 * prime and at secret points, are its hash; that of a part goes through a mixing that is not linear, since sums of
 * polynomials of parts could be made equal whatever the points are.
 */
import { Atom } from './atom.js'
import { Pid, Port, Reference } from './identifiers.js'
import { type Parts, partsOf, textBytes } from './key-parts.js'
import { BitString, ErlFloat, LocalTerm } from './values.js'

/** 2^31 - 1. */
const PRIME = 2147483647
const TWO_31 = 2147483648
const TWO_30 = 1073741824
const TWO_21 = 2097152

/** A secret of this process: from the place's cryptography if it has any, as all do that we know. */
function secrets(count: number): Uint32Array {
  const words = new Uint32Array(count)
  const { crypto } = globalThis as { crypto?: { getRandomValues?(words: Uint32Array): unknown } }
  if (crypto?.getRandomValues !== undefined) crypto.getRandomValues(words)
  else for (let i = 0; i < count; i++) words[i] = Math.random() * 4294967296
  return words
}

const secret = secrets(6)
// Below 2^21 and a little: a product with what is below the prime is exact.
const FIRST = ((secret[0] as number) & 0x1fffff) + 3
const SECOND = ((secret[1] as number) & 0x1fffff) + 3

/**
 * Another integer of 32 bits for each: V8 hashes integers without a seed, so who chose them as they are would choose
 * which of them collide in a Map.
 */
export function mixed(integer: number): number {
  let x = integer ^ (secret[2] as number)
  x = Math.imul(x ^ (x >>> 16), (secret[3] as number) | 1)
  x = Math.imul(x ^ (x >>> 15), (secret[4] as number) | 1)
  return x ^ (x >>> 16)
}

function final(x: number): number {
  let h = x ^ (secret[5] as number)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** `hash * point + word` modulo the prime; `word` is below 2^31. */
function step(hash: number, point: number, word: number): number {
  const sum = hash * point + word
  const high = Math.floor(sum / TWO_31)
  const reduced = sum - high * TWO_31 + high
  return reduced >= PRIME ? reduced - PRIME : reduced
}

/** A number for each atom, which is compared by identity, as long as it is one. */
const atomNumbers = new WeakMap<Atom, number>()
let lastAtom = 0

function atomNumber(atom: Atom): number {
  let number = atomNumbers.get(atom)
  if (number === undefined) atomNumbers.set(atom, (number = ++lastAtom))
  return number
}

const floatView = new DataView(new ArrayBuffer(8))

/** A term whose words are being added up. */
class Sum {
  private first = 1
  private second = 1
  /** The next child. */
  next = 0
  /** Of a map: the hash of each child. */
  readonly hashes: number[] | undefined
  readonly term: unknown
  readonly children: readonly unknown[]

  constructor(term: unknown, { head, children, isMap }: Parts) {
    this.term = term
    this.children = children
    this.hashes = isMap ? [] : undefined
    this.add(head.charCodeAt(0))
    this.addSize(children.length)
  }

  private add(word: number): void {
    this.first = step(this.first, FIRST, word)
    this.second = step(this.second, SECOND, word)
  }

  private addSize(size: number): void {
    this.add(Math.floor(size / TWO_30))
    this.add(size % TWO_30)
  }

  private addText(kind: number, text: string): void {
    this.add(kind)
    this.addSize(text.length)
    for (let i = 0; i < text.length; i++) this.add(text.charCodeAt(i))
  }

  private addBytes(kind: number, bytes: Uint8Array): void {
    this.add(kind)
    this.addSize(bytes.length)
    let i = 0
    for (; i + 2 < bytes.length; i += 3) {
      this.add(((bytes[i] as number) << 16) | ((bytes[i + 1] as number) << 8) | (bytes[i + 2] as number))
    }
    for (; i < bytes.length; i++) this.add(bytes[i] as number)
  }

  private addNumber(value: number): void {
    if (!Number.isInteger(value)) return this.addFloat(value)
    const magnitude = Math.abs(value)
    if (magnitude > Number.MAX_SAFE_INTEGER) return this.addText(3, BigInt(value).toString(16))
    this.add(value < 0 ? 2 : 1)
    this.addSize(magnitude)
  }

  private addFloat(value: number): void {
    floatView.setFloat64(0, value)
    const low = floatView.getUint32(4)
    this.add(4)
    this.add(floatView.getUint32(0) >>> 2)
    this.add(((floatView.getUint32(0) & 3) << 16) | (low >>> 16))
    this.add(low & 0xffff)
  }

  addHash(hash: number): void {
    const high = Math.floor(hash / TWO_21)
    this.add(high)
    this.add(hash - high * TWO_21)
  }

  /** False, and nothing added, if the term has parts. */
  addLeaf(term: unknown): boolean {
    switch (typeof term) {
      case 'number':
        this.addNumber(term)
        return true
      case 'bigint':
        if (term >= -9007199254740991n && term <= 9007199254740991n) this.addNumber(Number(term))
        else this.addText(3, term.toString(16))
        return true
      case 'boolean':
        this.add(term ? 6 : 5)
        return true
      case 'string':
        this.addBytes(8, textBytes(term))
        return true
      default:
    }
    if (term instanceof Atom) {
      this.add(7)
      this.add(atomNumber(term))
    } else if (term instanceof Uint8Array) this.addBytes(8, term)
    else if (term instanceof ErlFloat) this.addFloat(term.value)
    else if (term instanceof Pid) this.addText(9, term.key)
    else if (term instanceof Reference) this.addText(10, term.key)
    else if (term instanceof Port) this.addText(11, term.key)
    else if (term instanceof BitString) {
      this.addBytes(12, term.bytes)
      this.add(term.bits)
    } else if (term instanceof LocalTerm) this.addBytes(13, term.bytes)
    else return false
    return true
  }

  /** The hash of all that was added: 52 bits. */
  total(): number {
    if (this.hashes !== undefined) this.addEntries(this.hashes)
    return (final(this.first) >>> 1) * TWO_21 + (final(this.second) >>> 11)
  }

  /** The order in which a map's entries were made does not count: that of their hashes does. */
  private addEntries(hashes: readonly number[]): void {
    const entries: [number, number][] = []
    for (let i = 0; i < hashes.length; i += 2) entries.push([hashes[i] as number, hashes[i + 1] as number])
    entries.sort((a, b) => a[0] - b[0] || a[1] - b[1])
    for (const [key, value] of entries) {
      this.addHash(key)
      this.addHash(value)
    }
  }
}

/** A leaf on its own, as a map's entries are. */
const LEAF: Parts = { head: '.', children: [], isMap: false }

/**
 * Hashes terms, and remembers those of the maps in them as long as it lives: a map that is a key in a map that is a key
 * and so on is asked about at each level, and must not be gone through anew each time. Terms must not change meanwhile.
 */
export class KeyHashes {
  private maps: WeakMap<object, number> | undefined = undefined

  /** @throws ArgumentError `BAD_ARGUMENT` for a value that is no term */
  of(term: unknown): number {
    const only = this.known(term)
    if (only !== undefined) return only
    const outer: Sum[] = []
    let sum = new Sum(term, partsOf(term))
    for (;;) {
      let hash: number
      if (sum.next === sum.children.length) {
        hash = sum.total()
        if (sum.hashes !== undefined) (this.maps ??= new WeakMap()).set(sum.term as object, hash)
        const parent = outer.pop()
        if (parent === undefined) return hash
        sum = parent
      } else {
        const child = sum.children[sum.next++]
        if (sum.hashes === undefined && sum.addLeaf(child)) continue
        const known = sum.hashes === undefined ? this.maps?.get(child as object) : this.known(child)
        if (known === undefined) {
          outer.push(sum)
          sum = new Sum(child, partsOf(child))
          continue
        }
        hash = known
      }
      if (sum.hashes === undefined) sum.addHash(hash)
      else sum.hashes.push(hash)
    }
  }

  /** The hash of a leaf, or of a map that was hashed before. */
  private known(term: unknown): number | undefined {
    if (this.maps !== undefined && typeof term === 'object' && term !== null) {
      const hash = this.maps.get(term)
      if (hash !== undefined) return hash
    }
    const leaf = new Sum(term, LEAF)
    return leaf.addLeaf(term) ? leaf.total() : undefined
  }
}
