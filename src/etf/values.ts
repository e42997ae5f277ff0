/** Terms that JavaScript has no type for: floats that are integral, bitstrings, improper lists, character lists. */
import { ArgumentError } from '../errors.js'
import { type Atom, atomName } from './atom.js'
import { platform } from './platform.js'
import type { Term } from './terms.js'

/** A float whose value is integral (`1.0`), which a JavaScript number could not tell from the integer `1`. */
export class ErlFloat {
  readonly value: number

  constructor(value: number) {
    if (!Number.isFinite(value))
      throw new ArgumentError('BAD_ARGUMENT', `an Erlang float is finite, not ${value}`)
    this.value = value
  }

  valueOf(): number {
    return this.value
  }

  toJSON(): number {
    return this.value
  }

  toString(): string {
    return Object.is(this.value, -0)
      ? '-0.0'
      : Number.isInteger(this.value) && Math.abs(this.value) < 1e21
        ? `${this.value}.0`
        : `${this.value}`
  }
}

/** The Erlang float of a JavaScript number, integral or not. */
export function float(value: number): ErlFloat {
  return new ErlFloat(value)
}

/** A binary whose last byte holds only `bits` (1 to 7) bits, in its most significant places. */
export class BitString {
  readonly bytes: Uint8Array
  readonly bits: number

  constructor(bytes: Uint8Array, bits: number) {
    if (!Number.isInteger(bits) || bits < 1 || bits > 7 || bytes.length === 0) {
      throw new ArgumentError(
        'BAD_ARGUMENT',
        `a bitstring has at least one byte and 1 to 7 bits in its last, not ${bits}`,
      )
    }
    this.bytes = withoutRest(bytes, bits)
    this.bits = bits
  }
}

/** Bits that do not count are zero, as `decode` has them: equal bitstrings have equal bytes. What was given stays as it is. */
function withoutRest(bytes: Uint8Array, bits: number): Uint8Array {
  const last = bytes.length - 1
  const kept = (bytes[last] as number) & (0xff << (8 - bits))
  if (kept === bytes[last]) return bytes
  const copy = platform.copyBinary(bytes, 0, bytes.length)
  copy[last] = kept
  return copy
}

/** A list that does not end in `[]`: `[a, b | c]` is `new ImproperList([a, b], c)`. */
export class ImproperList {
  readonly items: readonly Term[]
  readonly tail: Term

  constructor(items: readonly Term[], tail: Term) {
    this.items = items
    this.tail = tail
  }
}

/** Text that encodes as a list of code points, as an Erlang string literal does. */
export class Charlist {
  readonly text: string

  constructor(text: string) {
    if (typeof text !== 'string')
      throw new ArgumentError('BAD_ARGUMENT', `a charlist is made of a string, not of type ${typeof text}`)
    this.text = text
  }
}

/** `charlist('abc')` encodes as the list `"abc"` of Erlang. */
export function charlist(text: string): Charlist {
  return new Charlist(text)
}

/**
 * A record of OTP 29 (`-record #point{x, y}`): a value that knows its module, its name and the names of its fields.
 * Not the older records, which are tuples.
 */
export class NativeRecord {
  readonly module: Atom | boolean
  readonly name: Atom | boolean
  /** Whether its module exports the record's definition. */
  readonly exported: boolean
  /** Names of the fields, in the definition's order. */
  readonly fields: readonly (Atom | boolean)[]
  /** Their values, in the same order. */
  readonly values: readonly Term[]

  constructor(
    module: Atom | boolean,
    name: Atom | boolean,
    exported: boolean,
    fields: readonly (Atom | boolean)[],
    values: readonly Term[],
  ) {
    if (fields.length !== values.length) {
      throw new ArgumentError(
        'BAD_ARGUMENT',
        `a record has a value for each field: ${fields.length}, ${values.length}`,
      )
    }
    this.module = module
    this.name = name
    this.exported = exported
    this.fields = fields
    this.values = values
  }

  /** The value of a field, by its name; undefined if there is none. */
  get(field: string): Term | undefined {
    const index = this.fields.findIndex((known) => atomName(known) === field)
    return index < 0 ? undefined : this.values[index]
  }
}

/**
 * What `term_to_binary(Term, [local])` wrote (LOCAL_EXT): only the node that made it can read it, so it is kept as it
 * is. It stands alone, never inside another term.
 */
export class LocalTerm {
  /** All that follows the tag. */
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}
