/**
 * A second decoder of the External Term Format, as plain as can be: one function, a cursor, no care for speed. What the
 * real one is checked against; it shares nothing with it but the classes of terms.
 */
import { atom, internAtom, type Atom } from '../../src/etf/atom.js'
import { Fun } from '../../src/etf/fun.js'
import { ExportFun, Pid, Port, Reference } from '../../src/etf/identifiers.js'
import { ErlMap } from '../../src/etf/map.js'
import type { Term } from '../../src/etf/terms.js'
import { Tuple } from '../../src/etf/tuple.js'
import { BitString, ErlFloat, ImproperList, NativeRecord } from '../../src/etf/values.js'
import { naiveKey } from './naive-key.js'

class Bad extends Error {}

/** The term in `input`, or undefined if a BEAM would say badarg. Uncompressed terms only, nested to a few thousand. */
export function naiveDecode(input: Uint8Array): Term | undefined {
  const bytes = Buffer.from(input)
  let at = 0
  const take = (count: number): Buffer => {
    if (at + count > bytes.length) throw new Bad()
    at += count
    return bytes.subarray(at - count, at)
  }
  const u8 = (): number => take(1).readUInt8()
  const u16 = (): number => take(2).readUInt16BE()
  const u32 = (): number => take(4).readUInt32BE()
  const many = <T>(count: number, one: () => T): T[] => {
    const all: T[] = []
    for (let i = 0; i < count; i++) all.push(one())
    return all
  }

  const name = (text: Buffer, encoding: 'latin1' | 'utf8'): Atom | boolean => {
    const found = text.toString(encoding)
    if (Buffer.compare(Buffer.from(found, encoding), text) !== 0 || [...found].length > 255) throw new Bad()
    return atom(found) as Atom | boolean
  }
  const anAtom = (): Atom | boolean => {
    const tag = u8()
    if (tag === 119) return name(take(u8()), 'utf8')
    if (tag === 118) return name(take(u16()), 'utf8')
    if (tag === 115) return name(take(u8()), 'latin1')
    if (tag === 100) return name(take(u16()), 'latin1')
    throw new Bad()
  }
  const node = (): Atom => {
    const found = anAtom()
    if (typeof found === 'boolean') throw new Bad()
    return internAtom(found.name)
  }
  const big = (size: number): number | bigint => {
    const negative = u8() !== 0
    let value = 0n
    for (const [i, byte] of take(size).entries()) value += BigInt(byte) << BigInt(8 * i)
    return integer(negative ? -value : value)
  }
  const float = (value: number): Term => {
    if (!Number.isFinite(value)) throw new Bad()
    return Number.isInteger(value) ? new ErlFloat(value) : value
  }
  const small = (): number => {
    const tag = u8()
    const value = tag === 97 ? u8() : tag === 98 ? take(4).readInt32BE() : tag === 110 ? big(u8()) : undefined
    if (typeof value !== 'number') throw new Bad()
    return value
  }
  const pid = (): Pid => {
    const tag = u8()
    if (tag === 88) return new Pid(node(), u32(), u32(), u32())
    if (tag === 103) return new Pid(node(), u32(), u32(), u8())
    throw new Bad()
  }
  const words = (count: number): number => {
    if (count < 1 || count > 5) throw new Bad()
    return count
  }
  const list = (items: Term[], tail: Term): Term => {
    if (items.length === 0) return tail
    if (Array.isArray(tail)) return [...items, ...(tail as Term[])]
    if (tail instanceof ImproperList) return new ImproperList([...items, ...tail.items], tail.tail)
    return new ImproperList(items, tail)
  }

  function term(): Term {
    const tag = u8()
    switch (tag) {
      case 67: {
        const count = u32()
        const flags = u8()
        if (flags > 1) throw new Bad()
        const module = anAtom()
        const record = anAtom()
        const fields = many(count, anAtom)
        return new NativeRecord(module, record, flags === 1, fields, many(count, term))
      }
      case 70:
        return float(take(8).readDoubleBE())
      case 77: {
        const length = u32()
        const bits = u8()
        const data = Buffer.from(take(length))
        if (bits > 8 || (length === 0) !== (bits === 0)) throw new Bad()
        if (bits === 0 || bits === 8) return new Uint8Array(data)
        data.writeUInt8((data.readUInt8(length - 1) >> (8 - bits)) << (8 - bits), length - 1)
        return new BitString(new Uint8Array(data), bits)
      }
      case 88:
      case 103:
        at--
        return pid()
      case 89:
        return new Port(node(), u32(), u32())
      case 102:
        return new Port(node(), u32(), u8())
      case 120: {
        const at = node()
        return new Port(at, integer(take(8).readBigUInt64BE()), u32())
      }
      case 90: {
        const count = words(u16())
        return new Reference(node(), u32(), many(count, u32))
      }
      case 114: {
        const count = words(u16())
        return new Reference(node(), u8(), many(count, u32))
      }
      case 101: {
        const at = node()
        const id = u32()
        return new Reference(at, u8(), [id])
      }
      case 97:
        return u8()
      case 98:
        return take(4).readInt32BE()
      case 99: {
        const text = take(31).toString('latin1').split('\0')[0] as string
        if (!/^[+-]?\d+\.\d+(e[+-]?\d+)?$/i.test(text)) throw new Bad()
        return float(Number(text))
      }
      case 100:
      case 115:
      case 118:
      case 119:
        at--
        return anAtom()
      case 104:
        return new Tuple(many(u8(), term))
      case 105:
        return new Tuple(many(u32(), term))
      case 106:
        return []
      case 107:
        return [...take(u16())]
      case 108: {
        const items = many(u32(), term)
        return list(items, term())
      }
      case 109:
        return new Uint8Array(take(u32()))
      case 110:
        return big(u8())
      case 111:
        return big(u32())
      case 112: {
        const start = at
        const size = u32()
        const arity = u8()
        const uniq = new Uint8Array(take(16))
        const index = u32()
        const count = u32()
        const fun = new Fun(anAtom(), arity, uniq, index, small(), small(), pid(), many(count, term))
        if (at !== start + size) throw new Bad()
        return fun
      }
      case 113: {
        const fun = new ExportFun(anAtom(), anAtom(), small())
        if (fun.arity < 0 || fun.arity > 255) throw new Bad()
        return fun
      }
      case 116: {
        const flat: Term[] = []
        const keys = new Set<string>()
        for (let left = u32(); left > 0; left--) {
          const key = term()
          keys.add(naiveKey(key))
          flat.push(key, term())
        }
        if (keys.size !== flat.length / 2) throw new Bad()
        return new ErlMap(flat)
      }
      case 117: {
        const count = u32()
        const owner = pid()
        const module = anAtom()
        const index = small()
        return new Fun(module, 0, new Uint8Array(16), index, index, small(), owner, many(count, term))
      }
      default:
        throw new Bad()
    }
  }

  try {
    if (u8() !== 131) return undefined
    const found = term()
    return at === bytes.length ? found : undefined
  } catch (error) {
    if (error instanceof Bad) return undefined
    throw error
  }
}

function integer(value: bigint): number | bigint {
  return BigInt.asIntN(54, value) === value && value !== -(2n ** 53n) ? Number(value) : value
}
