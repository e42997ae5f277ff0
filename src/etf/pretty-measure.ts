/**
 * A term taken apart for layout: what each part looks like on one line, and how long it is.
 *
 * Follows `print_length` of `io_lib_pretty` in OTP 27 (without its `chars_limit`): the same texts, the same lengths,
 * the same places for `...` where a depth is given. Parts are measured on an explicit stack.
 */
import { EtfError } from '../errors.js'
import { Atom } from './atom.js'
import { charsLength, codePointLength } from './graphemes.js'
import { ErlMap } from './map.js'
import { printableBinaryPrefix, write, writeIdentity, type WriteOptions } from './write.js'
import { printableList, writeAtom, writeQuoted } from './text-chars.js'
import { Ancestors, inOrder, plainTerm } from './text-terms.js'
import { Tuple } from './tuple.js'
import { BitString, ImproperList, NativeRecord } from './values.js'

/** A part of a term, with the length of its text on one line. */
export type Part = { length: number } & (
  | { readonly kind: 'text'; readonly text: string }
  /** Bytes as numbers: the only text that may break inside. */
  | { readonly kind: 'bytes'; readonly chunks: readonly string[] }
  /** `tail` is what stands behind `|`, or the dots of a cut. `tagged`: a tuple of two or more that an atom leads. */
  | { readonly kind: 'list' | 'tuple' | 'tagged' | 'map'; readonly parts: Part[]; tail: Part | undefined }
  | { readonly kind: 'pair'; readonly key: Part; readonly value: Part }
  | { readonly kind: 'dots' }
)

export type Container = Extract<Part, { kind: 'list' | 'tuple' | 'tagged' | 'map' }>

const DOTS: Part = { kind: 'dots', length: 3 }

interface Frame {
  readonly part: Container
  /** Elements, or keys and values in turn. */
  readonly items: readonly unknown[]
  next: number
  readonly depth: number
  tail: unknown
  hasTail: boolean
  /** A map's key that awaits its value. */
  key: Part | undefined
}

/** The parts of a term, to be laid out. @throws EtfError `ETF_NOT_A_TERM` */
export function measure(term: unknown, options: WriteOptions): Part {
  const stack: Frame[] = []
  const ancestors = new Ancestors()
  let given: unknown = term
  let depth = options.depth
  for (;;) {
    const value = plainTerm(given)
    let done = leafPart(value, options, depth)
    if (done === undefined) {
      ancestors.enter(given, stack.length)
      stack.push(openFrame(value, depth, options))
    }
    // What is complete goes into its container; a container that is complete by that is a part itself.
    for (;;) {
      const frame = stack[stack.length - 1]
      if (frame === undefined) return done as Part
      if (done !== undefined) add(frame, done)
      if (!isComplete(frame)) {
        if (frame.next < frame.items.length) {
          given = frame.items[frame.next++]
          depth = frame.part.kind === 'map' ? frame.depth - 1 : frame.depth - frame.next
        } else {
          given = frame.tail
          depth = frame.depth - 1 - frame.next
          frame.hasTail = false
          frame.next = Infinity
        }
        break
      }
      stack.pop()
      ancestors.leave(stack.length)
      done = frame.part
    }
  }
}

function openFrame(value: unknown, depth: number, options: WriteOptions): Frame {
  const frame = (kind: Container['kind'], items: readonly unknown[], length: number): Frame => ({
    part: { kind, parts: [], tail: undefined, length },
    items,
    next: 0,
    depth,
    tail: undefined,
    hasTail: false,
    key: undefined,
  })
  if (Array.isArray(value)) return frame('list', value, 2)
  if (value instanceof Tuple) {
    const first: unknown = value.elements[0]
    const tagged =
      value.elements.length > 1 &&
      (first instanceof Atom || typeof first === 'boolean' || first === null || first === undefined)
    return frame(tagged ? 'tagged' : 'tuple', value.elements, 2)
  }
  if (value instanceof ImproperList)
    return { ...frame('list', value.items, 2), tail: value.tail, hasTail: true }
  return frame('map', inOrder((value as ErlMap<unknown, unknown>).flat, options.order), 3)
}

function add(frame: Frame, done: Part): void {
  const { part } = frame
  if (frame.next === Infinity) {
    part.tail = done
    part.length += done.length + 1
    return
  }
  if (part.kind === 'map') {
    if (frame.key === undefined) {
      frame.key = done
      return
    }
    const pair: Part = {
      kind: 'pair',
      key: frame.key,
      value: done,
      length: frame.key.length + 4 + done.length,
    }
    frame.key = undefined
    part.length += pair.length + (part.parts.length > 0 ? 1 : 0)
    part.parts.push(pair)
    return
  }
  part.length += done.length + (part.parts.length > 0 ? 1 : 0)
  part.parts.push(done)
}

/** Whether nothing more belongs to the container; puts dots where its depth ends. */
function isComplete(frame: Frame): boolean {
  const { part, items, depth } = frame
  if (frame.next === Infinity) return true
  if (frame.next >= items.length && !frame.hasTail) return true
  if (frame.key !== undefined) return false
  if (depth - part.parts.length !== 1) return false
  part.length += part.parts.length > 0 ? 4 : 3
  part.tail = DOTS
  return true
}

function text(value: string, length = charsLength(value)): Part {
  return { kind: 'text', text: value, length }
}

/** The part of a value that needs no stack; undefined for a container to be opened. */
function leafPart(value: unknown, options: WriteOptions, depth: number): Part | undefined {
  if (value instanceof Atom) return text(writeAtom(value.name, !options.unicode))
  if (Array.isArray(value)) {
    if (value.length === 0) return text('[]')
    if (!options.strings || depth === 1) return undefined
    const string = printableList(value, options.unicode ? options.printable : 'latin1')
    return string === undefined ? undefined : text(writeQuoted(string, '"'))
  }
  if (value instanceof Tuple) {
    return value.elements.length === 0 ? text('{}') : depth === 1 ? text('{...}') : undefined
  }
  if (value instanceof ErlMap)
    return value.size === 0 ? text('#{}') : depth === 1 ? text('#{...}') : undefined
  if (value instanceof ImproperList)
    return value.items.length === 0 ? leafPart(value.tail, options, depth) : undefined
  if (value instanceof Uint8Array)
    return value.length === 0 ? text('<<>>') : binaryPart(value, 0, options, depth)
  if (value instanceof BitString) return binaryPart(value.bytes, value.bits, options, depth)
  if (typeof value === 'boolean') return text(String(value))
  // Records of OTP 29 have no layout in the OTP 27 that this follows: they stay on one line.
  return text(value instanceof NativeRecord ? write(value, { ...options, depth }) : writeIdentity(value))
}

function binaryPart(bytes: Uint8Array, bits: number, options: WriteOptions, depth: number): Part {
  if (depth === 1) return text('<<...>>')
  const printable =
    options.strings && bits === 0 ? printableBinaryPrefix(bytes, options, depth - 1) : undefined
  if (printable !== undefined) {
    const quoted = writeQuoted(printable.text, '"')
    const suffix = `${printable.utf8 ? '/utf8' : ''}${printable.cut ? '...' : ''}`
    // Lengths as OTP counts them: clusters only where the text is marked as UTF-8.
    const length = printable.utf8 ? charsLength(quoted) : codePointLength(quoted)
    return text(`<<${quoted}${suffix}>>`, 4 + suffix.length + length)
  }
  const whole = write(bits === 0 ? bytes : new BitString(bytes, bits), { ...options, strings: false, depth })
  const { maxCharacters = Infinity } = options
  if (whole.length > maxCharacters)
    throw new EtfError('ETF_FORMAT_LIMIT', `a binary that makes more than ${maxCharacters} characters`)
  return { kind: 'bytes', chunks: whole.slice(2, -2).split(','), length: whole.length }
}
