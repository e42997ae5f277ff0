/** Exact equality of terms: Erlang's `=:=` as of OTP 27, where 0.0 and -0.0 differ. */
import { Atom } from './atom.js'
import { isCompound } from './duplicates.js'
import { ExportFun, FunParts, Pid, Port, Reference } from './identifiers.js'
import { KeyHashes } from './key-hash.js'
import { keyOf } from './keys.js'
import { Tuple } from './tuple.js'
import { BitString, ErlFloat, ImproperList, LocalTerm, NativeRecord } from './values.js'

/**
 * Whether two terms are `=:=`. `1` is not `1.0`; binaries, tuples, maps and identifiers compare by value; the order of
 * map entries does not count. Nesting of any depth is compared without recursion.
 */
export function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true
  // Pairs still to be compared.
  const stack: unknown[] = [a, b]
  const hashes = new KeyHashes()
  while (stack.length > 0) {
    const right = stack.pop()
    const left = stack.pop()
    if (left === right) continue
    if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) {
      if (!equalPrimitives(left, right)) return false
    } else if (!equalObjects(left, right, stack, hashes)) return false
  }
  return true
}

/** At least one of the two is no object. Fractions have two forms, and so have small integers given as bigint. */
function equalPrimitives(a: unknown, b: unknown): boolean {
  if (typeof a === 'bigint' || typeof b === 'bigint') {
    return isInteger(a) && isInteger(b) && BigInt(a) === BigInt(b)
  }
  if (typeof a === 'number' && b instanceof ErlFloat) return a === b.value && !Number.isInteger(a)
  if (typeof b === 'number' && a instanceof ErlFloat) return b === a.value && !Number.isInteger(b)
  return (
    (typeof a === 'string' || typeof b === 'string') && isBinary(a) && isBinary(b) && keyOf(a) === keyOf(b)
  )
}

function isInteger(term: unknown): term is number | bigint {
  return typeof term === 'bigint' || Number.isInteger(term)
}

function isBinary(term: unknown): boolean {
  return typeof term === 'string' || term instanceof Uint8Array
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

function pushAll(a: readonly unknown[], b: readonly unknown[], stack: unknown[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) {
    const left = a[i]
    const right = b[i]
    if (left !== right) stack.push(left, right)
  }
  return true
}

/** Compares what can be compared at once; parts that need more go on the stack. */
function equalObjects(a: object, b: object, stack: unknown[], hashes: KeyHashes): boolean {
  if (a instanceof Atom) return false
  if (a instanceof Uint8Array) return b instanceof Uint8Array && equalBytes(a, b)
  if (Array.isArray(a)) return Array.isArray(b) && pushAll(a, b, stack)
  if (a instanceof Tuple) return b instanceof Tuple && pushAll(a.elements, b.elements, stack)
  if (a instanceof Pid || a instanceof Reference || a instanceof Port) return a.equals(b)
  if (a instanceof ErlFloat) return b instanceof ErlFloat && Object.is(a.value, b.value)
  if (a instanceof BitString)
    return b instanceof BitString && a.bits === b.bits && equalBytes(a.bytes, b.bytes)
  if (a instanceof ImproperList) {
    if (!(b instanceof ImproperList)) return false
    stack.push(a.tail, b.tail)
    return pushAll(a.items, b.items, stack)
  }
  if (a instanceof ExportFun) {
    return b instanceof ExportFun && a.module === b.module && a.function === b.function && a.arity === b.arity
  }
  if (a instanceof FunParts) {
    if (!(b instanceof FunParts) || a.module !== b.module || a.arity !== b.arity || a.index !== b.index)
      return false
    if (
      a.oldIndex !== b.oldIndex ||
      a.oldUniq !== b.oldUniq ||
      !equalBytes(a.uniq, b.uniq) ||
      !a.pid.equals(b.pid)
    )
      return false
    return pushAll(a.freeVars, b.freeVars, stack)
  }
  if (a instanceof NativeRecord) {
    if (
      !(b instanceof NativeRecord) ||
      a.module !== b.module ||
      a.name !== b.name ||
      a.exported !== b.exported
    )
      return false
    return pushAll(a.fields, b.fields, stack) && pushAll(a.values, b.values, stack)
  }
  if (a instanceof LocalTerm) return b instanceof LocalTerm && equalBytes(a.bytes, b.bytes)
  return equalMaps(a, b, stack, hashes)
}

/** What of a map equality needs; the class itself imports this file. */
interface MapLike {
  readonly flat: readonly unknown[]
  candidate(key: unknown, hashes: KeyHashes): number
}

function isMap(term: object): term is MapLike {
  return (
    Array.isArray((term as { flat?: unknown }).flat) &&
    typeof (term as { candidate?: unknown }).candidate === 'function'
  )
}

function equalMaps(a: object, b: object, stack: unknown[], hashes: KeyHashes): boolean {
  if (!isMap(a) || !isMap(b) || a.flat.length !== b.flat.length) return false
  for (let i = 0; i < a.flat.length; i += 2) {
    const key = a.flat[i]
    const at = b.flat[i] === key ? i : b.candidate(key, hashes)
    if (at < 0) return false
    if (b.flat[at] !== key && isCompound(key)) stack.push(key, b.flat[at])
    stack.push(a.flat[i + 1], b.flat[at + 1])
  }
  return true
}
