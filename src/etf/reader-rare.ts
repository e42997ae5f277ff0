/** The tags that are rarely met: superseded ones, funs, records, bitstrings. */
import { EtfError } from '../errors.js'
import type { Atom } from './atom.js'
import { Fun } from './fun.js'
import { Pid, Reference } from './identifiers.js'
import type { Input } from './input.js'
import { platform } from './platform.js'
import { readSmallInteger } from './reader-numbers.js'
import { describeTag } from './tags.js'
import type { Term } from './terms.js'
import { BitString, NativeRecord } from './values.js'

/** What a fun, and a bitstring, take beyond what one element does: as so many more. */
const FUN_ELEMENTS = 6
const BIT_STRING_ELEMENTS = 3

/** An opened fun or record: how many terms follow, and what to make of them. */
export interface OpenCompound {
  count: number
  finish(terms: Term[]): Term
}

/**
 * Reads the head of a fun or record: how many terms follow, and what to make of them.
 * @internal
 */
export function openCompound(reader: Input, tag: number): OpenCompound {
  return tag === 112 ? openFun(reader) : tag === 117 ? openOldFun(reader) : openRecord(reader)
}

/** │ 112 │ Size: 32 │ Arity │ Uniq: 16 bytes │ Index: 32 │ NumFree: 32 │ Module │ OldIndex │ OldUniq │ Pid │ Free vars │ */
function openFun(reader: Input): OpenCompound {
  const start = reader.position
  const end = start + reader.uint32()
  const arity = reader.uint8()
  if (reader.position + 16 > reader.end) throw reader.truncated(16)
  const uniq = platform.copyBinary(reader.bytes, reader.position, 16)
  reader.position += 16
  const index = reader.uint32()
  const count = reader.uint32()
  const module = reader.atom()
  const oldIndex = readSmallInteger(reader)
  const oldUniq = readSmallInteger(reader)
  const pid = readPid(reader)
  reader.count(FUN_ELEMENTS)
  reader.claim(count, 1)
  return {
    count,
    finish: (terms) => {
      if (reader.position !== end) {
        throw new EtfError('ETF_BAD_TERM', `the fun at byte ${start - 1} is not as long as it says`, {
          offset: start - 1,
          tag: 112,
        })
      }
      return new Fun(module, arity, uniq, index, oldIndex, oldUniq, pid, terms)
    },
  }
}

/** │ 117 │ NumFree: 32 │ Pid │ Module │ Index │ Uniq │ Free vars │: from before R8, without arity and MD5. */
function openOldFun(reader: Input): OpenCompound {
  const count = reader.uint32()
  const pid = readPid(reader)
  const module = reader.atom()
  const index = readSmallInteger(reader)
  const uniq = readSmallInteger(reader)
  reader.count(FUN_ELEMENTS)
  reader.claim(count, 1)
  return {
    count,
    finish: (terms) => new Fun(module, 0, new Uint8Array(16), index, index, uniq, pid, terms),
  }
}

/** │ 67 │ Fields: 32 │ Exported │ Module │ Name │ names of the fields │ their values │ */
function openRecord(reader: Input): OpenCompound {
  const count = reader.uint32()
  const flags = reader.uint8()
  if (flags > 1) throw reader.malformed('ETF_BAD_TERM', `has unknown flags ${flags}`)
  const module = reader.atom()
  const name = reader.atom()
  reader.claim(count, 3)
  const fields: (Atom | boolean)[] = []
  for (let i = 0; i < count; i++) fields.push(reader.atom())
  return { count, finish: (terms) => new NativeRecord(module, name, flags === 1, fields, terms) }
}

/** A pid where the format has one inside a fun. */
function readPid(reader: Input): Pid {
  const p = reader.position
  const tag = reader.uint8()
  if (tag === 88) return new Pid(reader.node(), reader.uint32(), reader.uint32(), reader.uint32())
  if (tag === 103) return new Pid(reader.node(), reader.uint32(), reader.uint32(), reader.uint8())
  throw reader.malformed('ETF_BAD_TERM', `has ${describeTag(tag)} at byte ${p} where a pid belongs`)
}

export function readOldReference(reader: Input): Reference {
  const node = reader.node()
  const id = reader.uint32()
  return new Reference(node, reader.uint8(), [id])
}

export function readBitString(reader: Input): Term {
  const length = reader.uint32()
  const bits = reader.uint8()
  const p = reader.position
  if (p + length > reader.end) throw reader.truncated(length)
  if (bits > 8 || (length === 0) !== (bits === 0)) {
    throw reader.malformed('ETF_BAD_TERM', `has ${bits} bits in the last of its ${length} bytes`)
  }
  reader.position = p + length
  const bytes = platform.copyBinary(reader.bytes, p, length)
  reader.count(BIT_STRING_ELEMENTS)
  if (bits === 0 || bits === 8) return bytes
  // Bits that do not count are zero in the term, whatever the wire says: equal bitstrings have equal bytes.
  bytes[length - 1] = (bytes[length - 1] as number) & (0xff << (8 - bits))
  return new BitString(bytes, bits)
}
