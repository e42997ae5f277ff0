/**
 * The codec on Node: binaries that are Buffers too, Buffer's text routines, `node:zlib`, and big integers through V8's
 * own serialisation, which copies their words. Importing this file binds them.
 */
import { isAscii, isUtf8 } from 'node:buffer'
import { inspect } from 'node:util'
import type * as V8 from 'node:v8'
import type * as Zlib from 'node:zlib'
import { toBigIntLE, toBufferLE } from 'bigint-buffer'
import { type Platform, bindPlatform } from './platform.js'
import { utf8Units } from './utf8.js'

export * from './door.js'

// What few programs need is loaded when it is: a short command spends much of its time on loading.
const v8 = (): typeof V8 => process.getBuiltinModule('node:v8')
const zlib = (): typeof Zlib => process.getBuiltinModule('node:zlib')
let markAsUntransferable: ((memory: object) => void) | undefined

/**
 * A binary: a Uint8Array with Buffer's methods that prints as the text it holds. A class of its own, since making one
 * takes a third of the time of `Buffer.subarray`.
 */
class Binary extends Uint8Array {
  [inspect.custom](_depth: number, options: { stylize?: (text: string, style: string) => string }): string {
    const text = isUtf8(this)
      ? JSON.stringify(this.toString())
      : [...this.subarray(0, 50)].join(',') + (this.length > 50 ? ',…' : '')
    return options.stylize === undefined ? `<<${text}>>` : `<<${options.stylize(text, 'string')}>>`
  }
}
Object.setPrototypeOf(Binary.prototype, Buffer.prototype)

/** What small copies are cut from, one after another; Node's own pool of small Buffers is of this size too. */
const SLAB_BYTES = 8192
// The first is made for the first binary.
let slab = new ArrayBuffer(0)
let slabView = new DataView(slab)
let slabUsed = SLAB_BYTES

/** One who transfers a binary's memory to a worker would take that of others along. */
function newSlab(bytes: number): ArrayBuffer {
  const memory = new ArrayBuffer(bytes)
  markAsUntransferable ??= process.getBuiltinModule('node:worker_threads').markAsUntransferable
  markAsUntransferable(memory)
  return memory
}

/**
 * Copies into the slab, word by word: a third of the time of making an array of its own. The last word may take up to 3
 * bytes that follow, on either side; they are written over by the next copy.
 */
function smallBinary(source: DataView, start: number, length: number): Uint8Array {
  if (slabUsed + length + 3 > SLAB_BYTES) {
    slab = newSlab(SLAB_BYTES)
    slabView = new DataView(slab)
    slabUsed = 0
  }
  const from = slabUsed
  slabUsed += length
  let i = 0
  for (const last = Math.min(length, source.byteLength - start - 3); i < last; i += 4) {
    slabView.setInt32(from + i, source.getInt32(start + i))
  }
  for (; i < length; i++) slabView.setUint8(from + i, source.getUint8(start + i))
  return new Binary(slab, from, length)
}

function copyBinary(source: Uint8Array, start: number, length: number): Uint8Array {
  // Memory that is not filled with zeros first, and not from Node's pool.
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(length)
  const copy = new Binary(buffer as ArrayBuffer, byteOffset, length)
  copy.set(start === 0 && length === source.length ? source : source.subarray(start, start + length))
  return copy
}

/** Buffer's methods, which work on any Uint8Array. */
interface Slices {
  utf8Slice(this: Uint8Array, start: number, end: number): string
  latin1Slice(this: Uint8Array, start: number, end: number): string
  ucs2Slice(this: Uint8Array, start: number, end: number): string
  utf8Write(this: Uint8Array, text: string, start: number, length: number): number
}
const { utf8Slice, latin1Slice, ucs2Slice, utf8Write } = Buffer.prototype as unknown as Slices

/** ucs2Slice reads little-endian units; typed arrays have the machine's order. */
const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

/** Text of up to this many bytes is decoded here, into code units; longer text by Buffer. */
const SHORT_TEXT = 128
const units = new Uint16Array(SHORT_TEXT)
const unitBytes = new Uint8Array(units.buffer)

function readUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start <= SHORT_TEXT && LITTLE_ENDIAN) {
    const count = utf8Units(bytes, start, end, units)
    return count < 0 ? undefined : ucs2Slice.call(unitBytes, 0, 2 * count)
  }
  const part = bytes.subarray(start, end)
  return isUtf8(part) ? utf8Slice.call(part, 0, part.length) : undefined
}

/** Whether a text has no lone surrogate: `String.prototype.isWellFormed`, which Node 20 has and TypeScript's ES2022 not. */
const isWellFormed = (String.prototype as unknown as { isWellFormed(this: string): boolean }).isWellFormed

function writeUtf8(target: Uint8Array, position: number, text: string): number {
  if (!isWellFormed.call(text)) return -1
  return position + utf8Write.call(target, text, position, target.length - position)
}

/**
 * A BigInt in V8's serialisation, after │ 255 │ 15: version │: │ 'Z' │ bytes of digits × 2 + sign, as varint │ digits │, the
 * digits little-endian in whole words. Not a documented format: {@link portsAgree} tries it before it is used.
 *
 * A deserialiser reads value after value out of one buffer, and making it costs as much as ten readings. So each integer
 * is put where the one before ended, until the buffer is full.
 */
const SERIAL_BYTES = 1 << 16
let serialVersion = 0
const SERIAL_BIGINT = 0x5a
const serial = new Uint8Array(SERIAL_BYTES)
let serialUsed = SERIAL_BYTES
let deserializer: V8.Deserializer | undefined

function readSerialised(bytes: Uint8Array, start: number, end: number): bigint {
  if (start === end) return 0n
  const length = (end - start + 7) & ~7
  if (length > SERIAL_BYTES >> 2) return readLargeSerialised(bytes, start, end, length)
  if (deserializer === undefined || serialUsed + length + 4 > SERIAL_BYTES) {
    serial[0] = 0xff
    serial[1] = serialVersion
    deserializer = new (v8().Deserializer)(serial)
    deserializer.readHeader()
    serialUsed = 2
  }
  const reader = deserializer
  // Should the reading fail, another begins anew.
  deserializer = undefined
  let p = serialUsed
  serial[p++] = SERIAL_BIGINT
  let field = length * 2
  for (; field > 127; field >>= 7) serial[p++] = (field & 127) | 128
  serial[p++] = field
  serial.fill(0, p + length - 8, p + length)
  serial.set(bytes.subarray(start, end), p)
  const value = reader.readValue() as bigint
  serialUsed = p + length
  deserializer = reader
  return value
}

function readLargeSerialised(bytes: Uint8Array, start: number, end: number, length: number): bigint {
  const head = [0xff, serialVersion, SERIAL_BIGINT]
  let field = length * 2
  for (; field > 127; field = Math.floor(field / 128)) head.push((field & 127) | 128)
  head.push(field)
  const large = new Uint8Array(head.length + length)
  large.set(head)
  large.set(bytes.subarray(start, end), head.length)
  return v8().deserialize(large) as bigint
}

function serialisedBytes(magnitude: bigint): Uint8Array {
  const written = v8().serialize(magnitude)
  let at = 3
  while ((written[at] as number) > 127) at++
  return written.subarray(at + 1)
}

function readPortable(bytes: Uint8Array, start: number, end: number): bigint {
  return toBigIntLE(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start))
}

function portableBytes(magnitude: bigint): Uint8Array {
  return toBufferLE(magnitude, (magnitude.toString(16).length + 1) >> 1)
}

/** Whether V8's serialisation is what {@link readSerialised} thinks it is, on integers of one word to hundreds of bytes. */
function portsAgree(): boolean {
  try {
    serialVersion = v8().serialize(0n)[1] ?? 0
    for (const bits of [1n, 64n, 65n, 500n, 4000n, 200000n]) {
      const magnitude = (1n << bits) + 0x1234567890abcdefn
      const plain = portableBytes(magnitude)
      const serial = serialisedBytes(magnitude)
      if (serial.length < plain.length) return false
      for (let i = 0; i < serial.length; i++) if (serial[i] !== (plain[i] ?? 0)) return false
      if (readSerialised(plain, 0, plain.length) !== magnitude) return false
    }
    return true
  } catch {
    return false
  }
}

type Integers = Pick<Platform, 'readInteger' | 'integerBytes'>
let chosen: Integers | undefined

/** Chosen with the first integer of more than a few words: most programs have none. */
function integers(): Integers {
  return (chosen ??= portsAgree()
    ? { readInteger: readSerialised, integerBytes: serialisedBytes }
    : { readInteger: readPortable, integerBytes: portableBytes })
}

/** `info` makes inflateSync tell how much input it took; its type does not know. */
type InflateWithInfo = (
  bytes: Uint8Array,
  options: { maxOutputLength: number; info: true },
) => { buffer: Uint8Array; engine: { bytesWritten: number } }

function inflate(
  bytes: Uint8Array,
  start: number,
  end: number,
  size: number,
): { bytes: Uint8Array; used: number } | undefined {
  try {
    // At least one byte of room: zlib takes no limit of 0.
    const result = (zlib().inflateSync as unknown as InflateWithInfo)(bytes.subarray(start, end), {
      maxOutputLength: Math.max(1, size),
      info: true,
    })
    return result.buffer.length === size
      ? { bytes: result.buffer, used: result.engine.bytesWritten }
      : undefined
  } catch {
    return undefined
  }
}

bindPlatform({
  name: 'node',
  readUtf8,
  isAscii: (bytes, start, end) => isAscii(bytes.subarray(start, end)),
  readLatin1: (bytes, start, end) => latin1Slice.call(bytes, start, end),
  writeUtf8,
  readInteger: (bytes, start, end) => integers().readInteger(bytes, start, end),
  readLoopBytes: 24,
  integerBytes: (magnitude) => integers().integerBytes(magnitude),
  inflate,
  deflate: (bytes, level) => zlib().deflateSync(bytes, { level: Math.min(9, Math.max(0, level)) }),
  viewBinary: (buffer, offset, length) => new Binary(buffer as ArrayBuffer, offset, length),
  copyBinary,
  newSlab,
  smallBinary,
})
