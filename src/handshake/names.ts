/** Node names and the text of handshake messages: Latin-1 but for `named:`, which is UTF-8 (dist_util). */
import { ArgumentError } from '../errors.js'

/** Characters that an atom, and so a node's name, may have. */
const MAX_NAME_CHARACTERS = 255

/** Whether this is `name@host` with both parts and one `@` (dist_util `is_name_ok`), short enough for an atom. */
export function isNodeName(name: string): boolean {
  const at = name.indexOf('@')
  return at > 0 && at < name.length - 1 && at === name.lastIndexOf('@') && name.length <= MAX_NAME_CHARACTERS
}

/** Whether this can stand in for the name of a node that asks for one: a host without `@`. */
export function isHostName(host: string): boolean {
  return host.length > 0 && host.length <= MAX_NAME_CHARACTERS && !host.includes('@')
}

/** The part of a node's name after the `@`. */
export function hostOf(nodeName: string): string {
  return nodeName.slice(nodeName.indexOf('@') + 1)
}

/**
 * The bytes of a node's name in a handshake message.
 * @throws ArgumentError `BAD_ARGUMENT` when it is not `name@host`, or has characters beyond Latin-1.
 */
export function nodeNameBytes(name: string): Uint8Array {
  const bytes = isNodeName(name) ? encodeLatin1(name) : undefined
  if (bytes === undefined) {
    throw new ArgumentError('BAD_ARGUMENT', `a node's name is name@host in Latin-1, not ${quoteAtom(name)}`)
  }
  return bytes
}

/** One byte per character, or undefined when a character is beyond Latin-1. */
export function encodeLatin1(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0xff) return undefined
    bytes[i] = code
  }
  return bytes
}

export function decodeLatin1(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]!)
  return text
}

/** By way of the one UTF-8 coder that the language itself has. */
export function encodeUtf8(text: string): Uint8Array {
  const escaped = encodeURIComponent(text)
  return encodeLatin1(escaped.replace(/%([0-9A-F]{2})/g, (_, hex: string) => fromHex(hex)))!
}

/** Undefined when the bytes are no UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decodeURIComponent(Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''))
  } catch {
    return undefined
  }
}

function fromHex(hex: string): string {
  return String.fromCharCode(parseInt(hex, 16))
}

/** A name as `io:format("~w")` prints the atom: quoted unless it is a plain one, control characters escaped. */
export function quoteAtom(name: string): string {
  if (/^[a-z][A-Za-z0-9_@]*$/.test(name)) return name
  return `'${escapeControls(name.replace(/[\\']/g, '\\$&'))}'`
}

/** Text from a peer made harmless for a log: control characters as `\x{…}`. */
export function escapeControls(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => `\\x{${character.charCodeAt(0).toString(16)}}`)
}
