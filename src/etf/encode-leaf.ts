/** Writing the terms that hold no others. Each function makes its own room. */
import { Atom, atomWire, existingAtom, internAtom, whyNoAtom } from './atom.js'
import type { ExportFun, Pid, Port, Reference } from './identifiers.js'
import { platform } from './platform.js'
import type { Settings } from './settings.js'
import { isLatin1, writeUtf8 } from './utf8.js'
import type { BitString, Charlist } from './values.js'
import type { Writer } from './writer.js'

/** Text up to this many code units is written here; the platform is quicker with more, and slower to call. */
const SHORT_TEXT = 40

/** Bytes up to which a loop is quicker than a call of `set`. */
const SHORT_BYTES = 24

/** Bytes of an integer up to which a loop over its words is quicker than the platform, though it takes quadratic time. */
const LOOP_BYTES = 256

export const TRUE = new Atom('true', atomWire('true') as Uint8Array)
export const FALSE = new Atom('false', atomWire('false') as Uint8Array)
export const NIL = internAtom('nil')
export const UNDEFINED = internAtom('undefined')

export function writeUint32(bytes: Uint8Array, position: number, value: number): void {
  bytes[position] = value >>> 24
  bytes[position + 1] = value >>> 16
  bytes[position + 2] = value >>> 8
  bytes[position + 3] = value
}

/** A tag and a 32-bit number. */
export function writeHead(writer: Writer, tag: number, value: number): void {
  writer.ensure(5)
  const { bytes, view, position } = writer
  bytes[position] = tag
  view.setInt32(position + 1, value)
  writer.position = position + 5
}

export function writeBytes(writer: Writer, from: Uint8Array): void {
  const length = from.length
  writer.ensure(length)
  const { bytes, position } = writer
  if (length <= SHORT_BYTES) for (let i = 0; i < length; i++) bytes[position + i] = from[i] as number
  else bytes.set(from, position)
  writer.position = position + length
}

// --- atoms ------------------------------------------------------------------------------------------------------------

export function writeAtom(writer: Writer, term: Atom | boolean, settings: Settings): void {
  if (settings.atoms !== undefined) {
    const index = settings.atoms.index(term)
    if (index >= 0) {
      writer.ensure(2)
      writer.bytes[writer.position] = 82
      writer.bytes[writer.position + 1] = index
      writer.position += 2
      return
    }
  }
  const name = term === true ? 'true' : term === false ? 'false' : term.name
  if (settings.latin1Atoms && isLatin1(name)) return writeLatin1Atom(writer, name)
  writePlainAtom(writer, term === true ? TRUE : term === false ? FALSE : term)
}

/** SMALL_ATOM_UTF8_EXT or ATOM_UTF8_EXT, word by word: the last may write zeros beyond, over which the next term goes. */
export function writePlainAtom(writer: Writer, term: Atom): void {
  const words = term.wireWords
  writer.ensure(term.wireBytes + 3)
  const { view, position } = writer
  for (let i = 0; i < words.length; i++) view.setInt32(position + 4 * i, words[i] as number)
  writer.position = position + term.wireBytes
}

/** ATOM_EXT: │ 100 │ Length: 16 │ AtomName in Latin-1 │ */
function writeLatin1Atom(writer: Writer, name: string): void {
  writer.ensure(3 + name.length)
  const { bytes, position } = writer
  bytes[position] = 100
  bytes[position + 1] = name.length >> 8
  bytes[position + 2] = name.length
  for (let i = 0; i < name.length; i++) bytes[position + 3 + i] = name.charCodeAt(i)
  writer.position = position + 3 + name.length
}

/**
 * The key of a plain object: an atom, which is not interned here since user input may have made it.
 * @throws EtfError `ETF_BAD_ATOM`, `ETF_TOO_MANY_KEYS`
 */
export function writeObjectKey(writer: Writer, name: string, settings: Settings, depth: number): void {
  if (settings.binaryKeys) return writeText(writer, name, settings, depth)
  if (settings.objectKeys !== undefined) {
    settings.failedAt = depth
    settings.objectKeys.spend(name)
    settings.failedAt = -1
  }
  if (settings.plainAtoms && name.length < 86) {
    // At most 255 bytes: SMALL_ATOM_UTF8_EXT.
    writer.ensure(2 + 3 * name.length)
    const { bytes, position } = writer
    const end = writeUtf8(bytes, position + 2, name)
    if (end >= 0) {
      bytes[position] = 119
      bytes[position + 1] = end - position - 2
      writer.position = end
      return
    }
  }
  const known = existingAtom(name)
  if (known !== undefined) return writeAtom(writer, known, settings)
  if (settings.latin1Atoms && name.length < 256 && isLatin1(name)) return writeLatin1Atom(writer, name)
  const wire = atomWire(name)
  if (wire === undefined) {
    throw settings.error(
      depth,
      'ETF_BAD_ATOM',
      `${JSON.stringify(name.slice(0, 40))} is no atom: ${whyNoAtom(name)}`,
    )
  }
  writeBytes(writer, wire)
}

// --- numbers ----------------------------------------------------------------------------------------------------------

export function writeNumber(writer: Writer, value: number, settings: Settings, depth: number): void {
  const small = value | 0
  if (small === value) return writeInt32(writer, small)
  if (Math.floor(value) !== value || value - value !== 0) {
    if (value - value !== 0) {
      throw settings.error(depth, 'ETF_NOT_FINITE', `${value} is no Erlang term: its floats are finite`)
    }
    return writeFloat(writer, value, settings)
  }
  if (value > 9007199254740991 || value < -9007199254740991) {
    throw settings.error(
      depth,
      'ETF_UNSAFE_INTEGER',
      `${value} is beyond 2^53, where a number does not tell integers apart: use BigInt for the integer, float() for the float`,
    )
  }
  writeSafe(writer, value)
}

export function writeInt32(writer: Writer, value: number): void {
  writer.ensure(5)
  const { bytes, position } = writer
  if ((value & 255) === value) {
    bytes[position] = 97
    bytes[position + 1] = value
    writer.position = position + 2
  } else {
    bytes[position] = 98
    writeUint32(bytes, position + 1, value)
    writer.position = position + 5
  }
}

/** An integer of 32 to 53 bits: SMALL_BIG_EXT of 4 to 7 bytes. */
function writeSafe(writer: Writer, value: number): void {
  writer.ensure(11)
  const { view, position } = writer
  const magnitude = value < 0 ? -value : value
  const low = magnitude >>> 0
  view.setUint32(position + 3, low, true)
  view.setUint32(position + 7, (magnitude - low) / 4294967296, true)
  finishWord(writer, value < 0 ? 1 : 0)
}

/** SMALL_BIG_EXT: │ 110 │ n │ Sign │, before eight bytes of an integer that are there already, of which it takes some. */
function finishWord(writer: Writer, sign: number): void {
  const { bytes, view, position } = writer
  const high = view.getUint32(position + 7, true)
  const size = high === 0 ? 4 : high > 0xffffff ? 8 : high > 0xffff ? 7 : high > 0xff ? 6 : 5
  bytes[position] = 110
  bytes[position + 1] = size
  bytes[position + 2] = sign
  writer.position = position + 3 + size
}

export function writeFloat(writer: Writer, value: number, settings: Settings): void {
  if (settings.textFloats) return writeTextFloat(writer, value)
  writer.ensure(9)
  const position = writer.position
  writer.bytes[position] = 70
  writer.view.setFloat64(position + 1, value)
  writer.position = position + 9
}

/** FLOAT_EXT: what C's `sprintf("%.20e")` gives, which has two digits of exponent or more. */
function writeTextFloat(writer: Writer, value: number): void {
  const text = exponential(value).replace(/e([+-])(\d)$/, 'e$10$2')
  writer.ensure(32)
  const { bytes, position } = writer
  bytes.fill(0, position, position + 32)
  bytes[position] = 99
  for (let i = 0; i < text.length; i++) bytes[position + 1 + i] = text.charCodeAt(i)
  writer.position = position + 32
}

/** 20 decimals: as `toExponential(20)`, but C rounds what is exactly half to the even digit, JavaScript up. */
function exponential(value: number): string {
  const text = (Object.is(value, -0) ? '-' : '') + value.toExponential(20)
  const parts = /^(-?)(\d)\.(\d{20})e([+-]\d+)$/.exec(text)
  if (parts === null) return text
  const digits = BigInt(`${parts[2]}${parts[3]}`)
  if ((digits & 1n) === 0n || !isHalf(Math.abs(value), digits, 20 - Number(parts[4]))) return text
  const even = String(digits - 1n)
  return `${parts[1]}${even[0]}.${even.slice(1)}e${parts[4]}`
}

/** Whether `value * 10^scale` is exactly `digits - 0.5`. */
function isHalf(value: number, digits: bigint, scale: number): boolean {
  // A double is a whole number of 2^-1074.
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  const bits = view.getBigUint64(0)
  const exponent = (bits >> 52n) & 2047n
  const fraction = bits & 0xfffffffffffffn
  const units = exponent === 0n ? fraction : (fraction | (1n << 52n)) << (exponent - 1n)
  const up = scale > 0 ? 10n ** BigInt(scale) : 1n
  const down = scale < 0 ? 10n ** BigInt(-scale) : 1n
  return 2n * units * up === ((2n * digits - 1n) * down) << 1074n
}

export function writeBigInt(writer: Writer, value: bigint): void {
  if (BigInt.asUintN(64, value) === value) return writeWord(writer, value, 0)
  const negated = -value
  if (BigInt.asUintN(64, negated) === negated) return writeWord(writer, negated, 1)
  const negative = value < 0n
  const whole = negative ? negated : value
  writer.ensure(11 + LOOP_BYTES)
  // Where the digits begin if there are at most 255, as SMALL_BIG_EXT counts them.
  const start = writer.position + 3
  const { bytes, view } = writer
  let p = start
  for (let magnitude = whole; magnitude > 0n; p += 8) {
    if (p - start >= LOOP_BYTES) return writeDigits(writer, negative, platform.integerBytes(whole))
    view.setBigUint64(p, BigInt.asUintN(64, magnitude), true)
    magnitude >>= 64n
  }
  while (bytes[p - 1] === 0) p--
  if (p - start > 255) return writeDigits(writer, negative, bytes.slice(start, p))
  bytes[start - 3] = 110
  bytes[start - 2] = p - start
  bytes[start - 1] = negative ? 1 : 0
  writer.position = p
}

/** An integer whose magnitude takes 64 bits at most. */
function writeWord(writer: Writer, magnitude: bigint, sign: number): void {
  writer.ensure(11)
  const { view, position } = writer
  view.setBigUint64(position + 3, magnitude, true)
  const low = view.getUint32(position + 3, true)
  // From -2^31 to 2^31 - 1 it is an INTEGER_EXT.
  if (low < 0x80000000 + sign && view.getUint32(position + 7, true) === 0) {
    return writeInt32(writer, sign === 0 ? low : -low)
  }
  finishWord(writer, sign)
}

/** SMALL_BIG_EXT, or LARGE_BIG_EXT: │ 111 │ n: 32 │ Sign │ n bytes, least significant first │ */
function writeDigits(writer: Writer, negative: boolean, digits: Uint8Array): void {
  let length = digits.length
  while (length > 0 && digits[length - 1] === 0) length--
  if (length > 255) writeHead(writer, 111, length)
  else {
    writer.ensure(2)
    writer.bytes[writer.position] = 110
    writer.bytes[writer.position + 1] = length
    writer.position += 2
  }
  writer.ensure(1 + length)
  writer.bytes[writer.position++] = negative ? 1 : 0
  writeBytes(writer, length === digits.length ? digits : digits.subarray(0, length))
}

// --- binaries and text --------------------------------------------------------------------------------------------------

/** BINARY_EXT: │ 109 │ Len: 32 │ Data │ */
export function writeBinary(writer: Writer, from: Uint8Array): void {
  const length = from.length
  if (length >= writer.borrowFrom && isOrdinary(from)) {
    writeHead(writer, 109, length)
    return writer.borrow(from)
  }
  writer.ensure(5 + length)
  const { bytes, view, position } = writer
  bytes[position] = 109
  view.setInt32(position + 1, length)
  const start = position + 5
  if (length <= SHORT_BYTES) for (let i = 0; i < length; i++) bytes[start + i] = from[i] as number
  else bytes.set(from, start)
  writer.position = start + length
}

/** Its memory is nobody else's at the same time, as that of a SharedArrayBuffer is. */
function isOrdinary(bytes: Uint8Array): boolean {
  return bytes.buffer[Symbol.toStringTag] === 'ArrayBuffer'
}

/**
 * Text as a UTF-8 binary.
 * @param ascii so many code units from the first on are known to be ASCII, and are written already
 */
export function writeText(writer: Writer, text: string, settings: Settings, depth: number, ascii = 0): void {
  const length = text.length
  writer.ensure(5 + 3 * length)
  const { bytes, position } = writer
  const start = position + 5
  let end: number
  if (length <= SHORT_TEXT) {
    let i = ascii
    for (; i < length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 127) break
      bytes[start + i] = unit
    }
    end = i === length ? start + length : writeUtf8(bytes, start + i, text, i)
  } else end = platform.writeUtf8(bytes, start, text)
  if (end < 0) {
    throw settings.error(depth, 'ETF_BAD_TEXT', 'the text has a lone surrogate, which UTF-8 cannot carry')
  }
  bytes[position] = 109
  writeUint32(bytes, position + 1, end - start)
  writer.position = end
}

/** BIT_BINARY_EXT: │ 77 │ Len: 32 │ Bits │ Data │ */
export function writeBitString(writer: Writer, term: BitString): void {
  writeHead(writer, 77, term.bytes.length)
  writer.ensure(1)
  writer.bytes[writer.position++] = term.bits
  writeBytes(writer, term.bytes)
  const last = writer.position - 1
  writer.bytes[last] = (writer.bytes[last] as number) & (0xff << (8 - term.bits))
}

/** The list of a text's code points: STRING_EXT if all are bytes and few enough, else LIST_EXT. */
export function writeCharlist(writer: Writer, term: Charlist, settings: Settings, depth: number): void {
  const { text } = term
  if (text.length <= 65535 && isLatin1(text)) {
    writer.ensure(3 + text.length)
    const { bytes, position } = writer
    if (text.length === 0) {
      bytes[position] = 106
      writer.position = position + 1
      return
    }
    bytes[position] = 107
    bytes[position + 1] = text.length >> 8
    bytes[position + 2] = text.length
    for (let i = 0; i < text.length; i++) bytes[position + 3 + i] = text.charCodeAt(i)
    writer.position = position + 3 + text.length
    return
  }
  const head = writer.position
  writeHead(writer, 108, 0)
  let count = 0
  for (const character of text) {
    const point = character.codePointAt(0) as number
    if (point >= 0xd800 && point <= 0xdfff) {
      throw settings.error(
        depth,
        'ETF_BAD_TEXT',
        'the character list has a lone surrogate, which is no character',
      )
    }
    writeInt32(writer, point)
    count++
  }
  writeUint32(writer.bytes, head + 1, count)
  writer.ensure(1)
  writer.bytes[writer.position++] = 106
}

// --- identifiers ----------------------------------------------------------------------------------------------------------

function cannotCarry(settings: Settings, depth: number, what: string): Error {
  return settings.error(depth, 'ETF_PEER_CANNOT_CARRY', `the peer cannot carry ${what}`)
}

/** NEW_PID_EXT: │ 88 │ Node │ ID: 32 │ Serial: 32 │ Creation: 32 │ */
export function writePid(writer: Writer, pid: Pid, settings: Settings, depth: number): void {
  if (!settings.bigPids && (pid.id > 0x7fff || pid.serial > 0x1fff)) {
    throw cannotCarry(settings, depth, `the pid ${pid.toString()}: it knows 15 bits of id and 13 of serial`)
  }
  writeTag(writer, 88)
  writeAtom(writer, pid.node, settings)
  writer.ensure(12)
  const { view, position } = writer
  view.setUint32(position, pid.id)
  view.setUint32(position + 4, pid.serial)
  view.setUint32(position + 8, pid.creation)
  writer.position = position + 12
}

export function writeTag(writer: Writer, tag: number): void {
  writer.ensure(1)
  writer.bytes[writer.position++] = tag
}

/** V4_PORT_EXT: │ 120 │ Node │ ID: 64 │ Creation: 32 │; NEW_PORT_EXT (89) has 32 bits of ID, 28 of them in use. */
export function writePort(writer: Writer, port: Port, settings: Settings, depth: number): void {
  const id = BigInt(port.id)
  const small = settings.smallPorts && id < 0x10000000n
  if (!settings.bigPids && !small) {
    throw cannotCarry(settings, depth, `the port ${port.toString()}: it knows 28 bits of id`)
  }
  writeTag(writer, small ? 89 : 120)
  writeAtom(writer, port.node, settings)
  writer.ensure(12)
  const { bytes } = writer
  let p = writer.position
  if (!small) {
    writeUint32(bytes, p, Number(id >> 32n))
    p += 4
  }
  writeUint32(bytes, p, Number(id & 0xffffffffn))
  writeUint32(bytes, p + 4, port.creation)
  writer.position = p + 8
}

/** NEWER_REFERENCE_EXT: │ 90 │ Len: 16 │ Node │ Creation: 32 │ ID … │ */
export function writeReference(
  writer: Writer,
  reference: Reference,
  settings: Settings,
  depth: number,
): void {
  const { words } = reference
  const length = words.length
  if (length < 1 || length > 5) {
    throw settings.error(depth, 'ETF_UNSUPPORTED', `a reference has 1 to 5 words, not ${length}`)
  }
  if (length > settings.maxReferenceWords) {
    throw cannotCarry(settings, depth, `a reference of ${length} words, only ${settings.maxReferenceWords}`)
  }
  writer.ensure(3)
  const at = writer.position
  writer.bytes[at] = 90
  writer.bytes[at + 1] = 0
  writer.bytes[at + 2] = length
  writer.position = at + 3
  writeAtom(writer, reference.node, settings)
  writer.ensure(24)
  const { view, position } = writer
  view.setUint32(position, reference.creation)
  for (let i = 0; i < length; i++) view.setUint32(position + 4 + 4 * i, words[i] as number)
  writer.position = position + 4 + 4 * length
}

/** EXPORT_EXT: │ 113 │ Module │ Function │ Arity │ */
export function writeExportFun(writer: Writer, term: ExportFun, settings: Settings): void {
  writeTag(writer, 113)
  writeAtom(writer, term.module, settings)
  writeAtom(writer, term.function, settings)
  writeInt32(writer, term.arity)
}
