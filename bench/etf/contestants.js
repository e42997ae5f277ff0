/** Who is measured: each makes, from a corpus file, a function that decodes once and one that encodes once. */
import { createRequire } from 'node:module'
import v8 from 'node:v8'
import * as messagePack from '@msgpack/msgpack'
import * as msgpackr from 'msgpackr'

const require = createRequire(import.meta.url)

function optional(name) {
  try {
    return require(name)
  } catch (error) {
    console.error(`${name} is not measured: ${error.message.split('\n')[0]}`)
    return undefined
  }
}

/**
 * The equal value for those that know neither atoms nor tuples: atoms and binaries as text, tuples as arrays, maps as
 * objects, identifiers as text.
 */
export function plain(etf, term) {
  if (typeof term !== 'object' || term === null) return term
  if (Array.isArray(term)) return term.map((item) => plain(etf, item))
  if (term instanceof etf.Tuple) return term.elements.map((item) => plain(etf, item))
  if (term instanceof etf.ErlFloat) return term.value
  if (term instanceof Uint8Array) return etf.isText(term) ? Buffer.from(term).toString() : Buffer.from(term)
  if (term instanceof etf.ErlMap) {
    return Object.fromEntries([...term].map(([key, value]) => [String(plain(etf, key)), plain(etf, value)]))
  }
  return String(term)
}

/** PID_EXT for NEW_PID_EXT, since erlpack reads no other. */
function oldPids(bytes) {
  const head = Buffer.concat([Buffer.from([88, 100, 0, 13]), Buffer.from('nonode@nohost')])
  const parts = []
  let from = 0
  for (let at = bytes.indexOf(head); at >= 0; at = bytes.indexOf(head, at + 1)) {
    parts.push(
      bytes.subarray(from, at),
      Buffer.from([103]),
      bytes.subarray(at + 1, at + head.length + 8),
      Buffer.from([0]),
    )
    from = at + head.length + 12
  }
  return Buffer.concat([...parts, bytes.subarray(from)])
}

/** A pair of functions, or nothing where the contestant cannot carry the value. */
function pair(decode, encode) {
  try {
    decode()
    encode()
    return { decode, encode }
  } catch {
    return undefined
  }
}

/** @returns name → { decode, encode } for one corpus entry */
export function contestants(etf, { bytes, oldBytes }) {
  const term = etf.decode(bytes)
  const textTerm = etf.decode(bytes, { binaries: 'text' })
  const value = plain(etf, term)
  const text = { binaries: 'text' }
  const found = {
    beampeer: pair(
      () => etf.decode(bytes),
      () => etf.encode(term),
    ),
  }
  if (holds(textTerm, (part) => typeof part === 'string')) {
    found['beampeer (text)'] = pair(
      () => etf.decode(bytes, text),
      () => etf.encode(textTerm),
    )
  }
  const packed = attempt(() => msgpackr.pack(value))
  if (packed)
    found.msgpackr = pair(
      () => msgpackr.unpack(packed),
      () => msgpackr.pack(value),
    )
  // It writes the lower 64 bits of any integer, without a word.
  const packed2 = holds(value, (part) => typeof part === 'bigint' && part >= 2n ** 64n)
    ? null
    : attempt(() => messagePack.encode(value, { useBigInt64: true }))
  if (packed2) {
    found['@msgpack/msgpack'] = pair(
      () => messagePack.decode(packed2, { useBigInt64: true }),
      () => messagePack.encode(value, { useBigInt64: true }),
    )
  }
  const json = attempt(() => JSON.stringify(value))
  // As bytes on both sides, since bytes are what a socket gives and takes.
  if (json && !Buffer.isBuffer(value)) {
    const jsonBytes = Buffer.from(json)
    found.JSON = pair(
      () => JSON.parse(jsonBytes.toString()),
      () => Buffer.from(JSON.stringify(value)),
    )
  }
  const serial = v8.serialize(value)
  found['v8.serialize'] = pair(
    () => v8.deserialize(serial),
    () => v8.serialize(value),
  )
  const erlpack = optional('erlpack')
  const old = oldPids(oldBytes)
  if (erlpack && canErlpack(value, bytes))
    found.erlpack = pair(
      () => erlpack.unpack(old),
      () => erlpack.pack(value),
    )
  const { Erlang } = optional('erlang_js') ?? {}
  if (Erlang) {
    const buffer = Buffer.from(oldBytes)
    let decoded
    const options = attempt(() =>
      Erlang.binary_to_term(buffer, (error, result) => (decoded = error ? undefined : result)),
    )
    // Integers of more than 32 bits it gives as undefined.
    const whole = options !== null && decoded !== undefined && !holds(decoded, (part) => part === undefined)
    if (whole) {
      found.erlang_js = pair(
        () => Erlang.binary_to_term(buffer, (error, result) => (decoded = result)),
        () => Erlang.term_to_binary(decoded, () => {}),
      )
    }
  }
  return Object.fromEntries(Object.entries(found).filter(([, functions]) => functions !== undefined))
}

/** Whether some part of a value, however deep in arrays, tuples and maps, is as asked. */
function holds(value, asked) {
  const stack = [value]
  while (stack.length > 0) {
    const part = stack.pop()
    if (asked(part)) return true
    if (Array.isArray(part)) stack.push(...part)
    else if (typeof part === 'object' && part !== null) {
      // What tuples and maps of the codec keep their parts in; else the properties of a plain object.
      const parts = part.elements ?? part.flat
      if (Array.isArray(parts)) stack.push(...parts)
      else if (Object.getPrototypeOf(part) === Object.prototype) stack.push(...Object.values(part))
    }
  }
  return false
}

function attempt(make) {
  try {
    return make()
  } catch {
    return null
  }
}

/** erlpack prints to the terminal for what it cannot read: integers of more than 8 bytes. */
function canErlpack(value, bytes) {
  return (
    !(Array.isArray(value) && value.some((item) => typeof item === 'bigint' && item > 2n ** 64n)) &&
    bytes.length > 0
  )
}
