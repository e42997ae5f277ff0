/** Writing terms that hold others, by recursion; and which writer is whose. */
import { Atom } from './atom.js'
import { type Container, openContainer } from './containers.js'
import {
  NIL,
  UNDEFINED,
  writeAtom,
  writeBigInt,
  writeBinary,
  writeBitString,
  writeCharlist,
  writeExportFun,
  writeFloat,
  writeHead,
  writeNumber,
  writeObjectKey,
  writePid,
  writePlainAtom,
  writePort,
  writeReference,
  writeTag,
  writeText,
} from './encode-leaf.js'
import { writeTexts } from './encode-texts.js'
import { ExportFun, Pid, Port, Reference } from './identifiers.js'
import { ErlMap } from './map.js'
import { MAX_RECURSION } from './recursion.js'
import type { Settings } from './settings.js'
import { Tuple } from './tuple.js'
import { BitString, Charlist, ErlFloat } from './values.js'
import type { Writer } from './writer.js'

/** Fractions that room is made for at once: what follows the first may be something else. */
const FRACTIONS_AT_ONCE = 1024

/** Texts in a list from which on they are written all together. */
const MANY_TEXTS = 8

/** Text up to this many code units is tried as ASCII in place. */
const SHORT_TEXT = 40

/** STRING_EXT counts in 16 bits. */
const MAX_STRING = 65535

/**
 * Writes a term whose container is at depth `depth - 1`.
 * @throws EtfError without path, with `settings.failedAt` set
 */
export function writeInner(writer: Writer, term: unknown, settings: Settings, depth: number): void {
  switch (typeof term) {
    case 'number':
      return writeNumber(writer, term, settings, depth)
    case 'string':
      return writeText(writer, term, settings, depth)
    case 'boolean':
      return writeAtom(writer, term, settings)
    case 'undefined':
      return writeAtom(writer, UNDEFINED, settings)
    case 'bigint':
      return writeBigInt(writer, term)
    case 'object':
      break
    default:
      throw settings.error(depth, 'ETF_UNSUPPORTED', `a ${typeof term} is no Erlang term`)
  }
  if (term instanceof Atom) {
    if (settings.plainAtoms) return writePlainAtom(writer, term)
    return writeAtom(writer, term, settings)
  }
  if (Array.isArray(term)) return writeList(writer, term, settings, depth)
  if (term instanceof Tuple) return writeTuple(writer, term, settings, depth)
  if (ArrayBuffer.isView(term) && term instanceof Uint8Array) return writeBinary(writer, term)
  if (term instanceof ErlFloat) return writeFloat(writer, term.value, settings)
  if (term === null) return writeAtom(writer, NIL, settings)
  if (term instanceof ErlMap) return writeErlMap(writer, term, settings, depth)
  if (!writeOtherLeaf(writer, term, settings, depth)) writeContainer(writer, term, settings, depth)
}

/** The leaves that are rarer. False: the term is none of them. */
function writeOtherLeaf(writer: Writer, term: object, settings: Settings, depth: number): boolean {
  if (term instanceof Pid) writePid(writer, term, settings, depth)
  else if (term instanceof Reference) writeReference(writer, term, settings, depth)
  else if (term instanceof Charlist) writeCharlist(writer, term, settings, depth)
  else if (term instanceof BitString) writeBitString(writer, term)
  else if (term instanceof Port) writePort(writer, term, settings, depth)
  else if (term instanceof ExportFun) writeExportFun(writer, term, settings)
  else return false
  return true
}

/** LIST_EXT: │ 108 │ Length: 32 │ Elements │ Tail │, or STRING_EXT where the BEAM writes that. */
function writeList(writer: Writer, items: readonly unknown[], settings: Settings, depth: number): void {
  const length = items.length
  if (length === 0) return writeTag(writer, 106)
  if (
    typeof items[length - 1] === 'number' &&
    typeof items[0] === 'number' &&
    length <= MAX_STRING &&
    writeString(writer, items, length)
  ) {
    return
  }
  if (depth >= MAX_RECURSION) return writeContainer(writer, items, settings, depth)
  writeHead(writer, 108, length)
  const first = items[0]
  let written = 0
  if (typeof first === 'number') {
    if (Math.floor(first) !== first && !settings.textFloats) written = writeFractions(writer, items, length)
  } else if (typeof first === 'string' && length >= MANY_TEXTS) written = writeTexts(writer, items, length)
  if (written < length) writeElements(writer, items, length, settings, depth, written)
  writeTag(writer, 106)
}

/**
 * Writes the elements of a list up to the first that is no number with a fraction, of a list that begins with one.
 * Apart from other lists, since V8 keeps an array of such numbers alone without boxes, and here sees no other.
 * @returns how many were written
 */
function writeFractions(writer: Writer, items: readonly unknown[], length: number): number {
  const numbers = items as readonly number[]
  let { bytes, view, position: p } = writer
  let i = 0
  for (let room = 0; i < length; i++, p += 9) {
    const item = numbers[i]
    // NaN is not equal to its floor either, but to nothing else.
    if (typeof item !== 'number' || Math.floor(item) === item || item !== item) break
    if (i === room) {
      room = Math.min(length, i + FRACTIONS_AT_ONCE)
      writer.position = p
      writer.ensure(9 * (room - i))
      bytes = writer.bytes
      view = writer.view
    }
    bytes[p] = 70
    view.setFloat64(p + 1, item)
  }
  writer.position = p
  return i
}

/** │ 107 │ Length: 16 │ Characters │. False, and nothing written, if an element is no byte. */
function writeString(writer: Writer, items: readonly unknown[], length: number): boolean {
  writer.ensure(3 + length)
  const { bytes, position } = writer
  const start = position + 3
  for (let i = 0; i < length; i++) {
    const item = items[i]
    if (typeof item !== 'number' || (item & 255) !== item) return false
    bytes[start + i] = item
  }
  bytes[position] = 107
  bytes[position + 1] = length >> 8
  bytes[position + 2] = length
  writer.position = start + length
  return true
}

/** SMALL_TUPLE_EXT: │ 104 │ Arity │ Elements │; LARGE_TUPLE_EXT (105) has 32 bits of arity. */
function writeTuple(
  writer: Writer,
  term: Tuple<readonly unknown[]>,
  settings: Settings,
  depth: number,
): void {
  if (depth >= MAX_RECURSION) return writeContainer(writer, term, settings, depth)
  const { elements } = term
  if (!Array.isArray(elements)) throw settings.error(depth, 'ETF_UNSUPPORTED', 'a tuple without elements')
  const length = elements.length
  if (length > 255) writeHead(writer, 105, length)
  else {
    writer.ensure(2)
    writer.bytes[writer.position] = 104
    writer.bytes[writer.position + 1] = length
    writer.position += 2
  }
  writeElements(writer, elements, length, settings, depth)
}

/** MAP_EXT: │ 116 │ Arity: 32 │ Pairs │ */
function writeErlMap(writer: Writer, map: ErlMap, settings: Settings, depth: number): void {
  if (!map.unique || settings.deterministic || depth >= MAX_RECURSION) {
    return writeContainer(writer, map, settings, depth)
  }
  const { flat } = map
  const { length } = flat
  writeHead(writer, 116, length >> 1)
  writeElements(writer, flat, length, settings, depth)
}

/**
 * One element after another, as many as the head says: a getter may change the length meanwhile, and then what is not there
 * any more is undefined. The most frequent leaves are written here: a call for each costs as much as the writing.
 */
function writeElements(
  writer: Writer,
  items: readonly unknown[],
  length: number,
  settings: Settings,
  depth: number,
  from = 0,
): void {
  let { bytes, view, position: p } = writer
  for (let i = from; i < length; i++) {
    const item = items[i]
    if (typeof item === 'number') {
      if (p + 9 > bytes.length) {
        writer.position = p
        writer.ensure(9)
        bytes = writer.bytes
        view = writer.view
      }
      if ((item & 255) === item) {
        bytes[p] = 97
        bytes[p + 1] = item
        p += 2
        continue
      }
      if ((item | 0) === item) {
        bytes[p] = 98
        view.setInt32(p + 1, item)
        p += 5
        continue
      }
      // NaN is not equal to its floor either, but to nothing else.
      if (Math.floor(item) !== item && item === item && !settings.textFloats) {
        bytes[p] = 70
        view.setFloat64(p + 1, item)
        p += 9
        continue
      }
    } else if (ArrayBuffer.isView(item) && item instanceof Uint8Array) {
      // Asked early: it is asked quickly, and a Buffer has a long chain of prototypes for the others to look through.
      writer.position = p
      writeBinary(writer, item)
      p = writer.position
      bytes = writer.bytes
      view = writer.view
      continue
    } else if (item instanceof Atom && settings.plainAtoms) {
      const words = item.wireWords
      if (p + item.wireBytes + 3 > bytes.length) {
        writer.position = p
        writer.ensure(item.wireBytes + 3)
        bytes = writer.bytes
        view = writer.view
      }
      for (let word = 0; word < words.length; word++) view.setInt32(p + 4 * word, words[word] as number)
      p += item.wireBytes
      continue
    } else if (typeof item === 'string' && item.length <= SHORT_TEXT) {
      const size = item.length
      // Room for all of it in UTF-8 too: what is written of it before that shows stays.
      if (p + 5 + 3 * size > bytes.length) {
        writer.position = p
        writer.ensure(5 + 3 * size)
        bytes = writer.bytes
        view = writer.view
      }
      let at = 0
      for (; at < size; at++) {
        const unit = item.charCodeAt(at)
        if (unit > 127) break
        bytes[p + 5 + at] = unit
      }
      if (at === size) {
        bytes[p] = 109
        view.setInt32(p + 1, size)
        p += 5 + size
        continue
      }
      writer.position = p
      settings.path[depth] = i
      writeText(writer, item, settings, depth + 1, at)
      p = writer.position
      bytes = writer.bytes
      view = writer.view
      continue
    } else if (typeof item === 'bigint' && BigInt.asUintN(64, item) === item) {
      if (p + 11 > bytes.length) {
        writer.position = p
        writer.ensure(11)
        bytes = writer.bytes
        view = writer.view
      }
      view.setBigUint64(p + 3, item, true)
      const high = view.getUint32(p + 7, true)
      if (high > 0) {
        const size = high > 0xffffff ? 8 : high > 0xffff ? 7 : high > 0xff ? 6 : 5
        bytes[p] = 110
        bytes[p + 1] = size
        bytes[p + 2] = 0
        p += 3 + size
        continue
      }
    }
    if (item instanceof Tuple && depth + 1 < MAX_RECURSION) {
      const { elements } = item
      const size = Array.isArray(elements) ? elements.length : 256
      if (size < 256) {
        if (p + 2 > bytes.length) {
          writer.position = p
          writer.ensure(2)
          bytes = writer.bytes
          view = writer.view
        }
        bytes[p] = 104
        bytes[p + 1] = size
        p += 2
        // What most tuples begin with, or are: atoms and small integers.
        let k = 0
        for (; k < size; k++) {
          const element: unknown = elements[k]
          if (typeof element === 'number') {
            if ((element | 0) !== element || p + 5 > bytes.length) break
            if ((element & 255) === element) {
              bytes[p] = 97
              bytes[p + 1] = element
              p += 2
            } else {
              bytes[p] = 98
              view.setInt32(p + 1, element)
              p += 5
            }
          } else if (element instanceof Atom && settings.plainAtoms) {
            const words = element.wireWords
            if (p + element.wireBytes + 3 > bytes.length) break
            for (let word = 0; word < words.length; word++) view.setInt32(p + 4 * word, words[word] as number)
            p += element.wireBytes
          } else break
        }
        if (k < size) {
          writer.position = p
          settings.path[depth] = i
          writeElements(writer, elements, size, settings, depth + 1, k)
          p = writer.position
          bytes = writer.bytes
          view = writer.view
        }
        continue
      }
    }
    writer.position = p
    settings.path[depth] = i
    // The most frequent of what holds others, without asking for all else first.
    if (item instanceof Tuple) writeTuple(writer, item, settings, depth + 1)
    else if (Array.isArray(item)) writeList(writer, item, settings, depth + 1)
    else if (item instanceof ErlMap) writeErlMap(writer, item, settings, depth + 1)
    else if (item instanceof Pid) writePid(writer, item, settings, depth + 1)
    else writeInner(writer, item, settings, depth + 1)
    p = writer.position
    bytes = writer.bytes
    view = writer.view
  }
  writer.position = p
}

/** Any other container, and any container too deep for recursion. */
function writeContainer(writer: Writer, term: object, settings: Settings, depth: number): void {
  const container = openContainer(writer, term, settings, depth, keyBytes)
  if (depth >= MAX_RECURSION) return writeDeep(writer, container, settings)
  const { children, count, objectKeys } = container
  for (let i = 0; i < count; i++) {
    settings.path[depth] = i
    if (objectKeys && (i & 1) === 0) writeObjectKey(writer, children[i] as string, settings, depth + 1)
    else writeInner(writer, children[i], settings, depth + 1)
  }
  close(writer, container)
}

/** What comes after the last child. */
function close(writer: Writer, container: Container): void {
  if (container.closing === 'nil') writeTag(writer, 106)
  else if (container.closing === 'size') {
    // A fun counts its bytes, from after the tag.
    const borrowed = writer.borrowedBytes - container.borrowedBefore
    writer.view.setUint32(container.start, writer.position - container.start + borrowed)
  }
}

/** Depth of frames at which a value is first suspected to contain itself. */
const FIRST_CHECK = 512

/**
 * Writes a container with a stack of frames on the heap. A value that contains itself comes by here in the end, since
 * its depth has none. Whether the child at hand is one of those being written is looked up each time the depth has
 * doubled: that finds every cycle, and costs no more than the frames themselves.
 */
function writeDeep(writer: Writer, container: Container, settings: Settings): void {
  const depth = MAX_RECURSION
  const outer: Container[] = []
  let nextCheck = FIRST_CHECK
  let frame = container
  for (;;) {
    if (frame.next === frame.count) {
      close(writer, frame)
      const parent = outer.pop()
      if (parent === undefined) return
      frame = parent
      continue
    }
    const index = frame.next++
    const child = frame.children[index]
    if (frame.objectKeys && (index & 1) === 0) {
      writeObjectKey(writer, child as string, settings, depth)
      continue
    }
    if (!isContainer(child)) {
      writeInner(writer, child, settings, depth)
      continue
    }
    outer.push(frame)
    if (outer.length === nextCheck) {
      nextCheck *= 2
      if (outer.some(({ term }) => term === child))
        throw settings.error(depth, 'ETF_CYCLE', 'the value contains itself')
    }
    frame = openContainer(writer, child, settings, depth, keyBytes)
  }
}

/** Whether a value holds others; a list of bytes counts as a leaf unless it is too long for STRING_EXT. */
function isContainer(term: unknown): term is object {
  if (typeof term !== 'object' || term === null) return false
  if (Array.isArray(term)) return term.length > 0 && !(typeof term[0] === 'number' && isString(term))
  return !(
    term instanceof Atom ||
    term instanceof Uint8Array ||
    term instanceof ErlFloat ||
    term instanceof Pid ||
    term instanceof Reference ||
    term instanceof Charlist ||
    term instanceof BitString ||
    term instanceof Port ||
    term instanceof ExportFun
  )
}

function isString(items: readonly unknown[]): boolean {
  return (
    items.length <= MAX_STRING && items.every((item) => typeof item === 'number' && (item & 255) === item)
  )
}

/** The bytes of a map key, the same for keys that are `=:=`: what duplicates are found by, and order. */
function keyBytes(key: unknown, settings: Settings, writer: Writer): Uint8Array {
  writer.position = 0
  writeInner(writer, key, settings, 0)
  return writer.copy()
}
