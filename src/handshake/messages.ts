/**
 * Messages of the distribution handshake ("The Handshake in Detail" of the distribution protocol). All numbers are big
 * endian. Each message is preceded by its length in 2 bytes, in 4 over TLS (assembler.ts).
 *
 *     send_name        'N'  flags:8  creation:4  nlen:2  name:nlen
 *     old send_name    'n'  version:2 (5)  flags:4  name            OTP 23 and 24 that do not know our version
 *     complement       'c'  flagsHigh:4  creation:4                 follows the challenge after an old send_name
 *     send_status      's'  status                                  also answers `alive`, with true or false
 *     named status     's'  'named:'  nlen:2  name:nlen  creation:4
 *     challenge        'N'  flags:8  challenge:4  creation:4  nlen:2  name:nlen
 *     challenge_reply  'r'  challenge:4  digest:16
 *     challenge_ack    'a'  digest:16
 *
 * Extra bytes after the name of `N`, and after the creation of `named:`, are ignored, as the document demands.
 * Names are Latin-1, but UTF-8 in `named:` (dist_util). Not supported: the challenge of nodes before OTP 23.
 */
import { HandshakeError } from '../errors.js'
import { DIGEST_BYTES } from './digest.js'
import { decodeLatin1, decodeUtf8, encodeUtf8 } from './names.js'

const TAG_NAME = 0x4e // N
const TAG_OLD_NAME = 0x6e // n
const TAG_COMPLEMENT = 0x63 // c
const TAG_STATUS = 0x73 // s
const TAG_REPLY = 0x72 // r
const TAG_ACK = 0x61 // a

const NAMED = 'named:'

export interface NameMessage {
  /** True for `n`: flags are the low 32 bits, creation is 0, a complement will follow. */
  old: boolean
  flags: bigint
  creation: number
  name: string
}

export interface ChallengeMessage {
  flags: bigint
  challenge: number
  creation: number
  name: string
}

export interface StatusMessage {
  /** The status as text; `named:` for the form with a name. */
  status: string
  name: string | undefined
  creation: number
}

export interface ComplementMessage {
  /** In their places: bits 32 to 63. */
  flagsHigh: bigint
  creation: number
}

// --- encoding: without the length; names that do not fit are checked by the state machines ---

export function encodeName(flags: bigint, creation: number, name: Uint8Array): Uint8Array {
  const [bytes, view] = message(15 + name.length, TAG_NAME)
  view.setBigUint64(1, flags)
  view.setUint32(9, creation)
  view.setUint16(13, name.length)
  bytes.set(name, 15)
  return bytes
}

export function encodeOldName(flags: bigint, name: Uint8Array): Uint8Array {
  const [bytes, view] = message(7 + name.length, TAG_OLD_NAME)
  view.setUint16(1, 5)
  view.setUint32(3, Number(flags & 0xffffffffn))
  bytes.set(name, 7)
  return bytes
}

export function encodeComplement(flags: bigint, creation: number): Uint8Array {
  const [bytes, view] = message(9, TAG_COMPLEMENT)
  view.setUint32(1, Number((flags >> 32n) & 0xffffffffn))
  view.setUint32(5, creation)
  return bytes
}

export function encodeStatus(status: string): Uint8Array {
  const [bytes] = message(1 + status.length, TAG_STATUS)
  for (let i = 0; i < status.length; i++) bytes[1 + i] = status.charCodeAt(i)
  return bytes
}

export function encodeNamedStatus(name: string, creation: number): Uint8Array {
  const text = encodeUtf8(name)
  const head = encodeStatus(NAMED)
  const bytes = new Uint8Array(head.length + 2 + text.length + 4)
  const view = new DataView(bytes.buffer)
  bytes.set(head)
  view.setUint16(head.length, text.length)
  bytes.set(text, head.length + 2)
  view.setUint32(head.length + 2 + text.length, creation)
  return bytes
}

export function encodeChallenge(
  flags: bigint,
  challenge: number,
  creation: number,
  name: Uint8Array,
): Uint8Array {
  const [bytes, view] = message(19 + name.length, TAG_NAME)
  view.setBigUint64(1, flags)
  view.setUint32(9, challenge)
  view.setUint32(13, creation)
  view.setUint16(17, name.length)
  bytes.set(name, 19)
  return bytes
}

export function encodeReply(challenge: number, digest: Uint8Array): Uint8Array {
  const [bytes, view] = message(5 + DIGEST_BYTES, TAG_REPLY)
  view.setUint32(1, challenge)
  bytes.set(digest, 5)
  return bytes
}

export function encodeAck(digest: Uint8Array): Uint8Array {
  const [bytes] = message(1 + DIGEST_BYTES, TAG_ACK)
  bytes.set(digest, 1)
  return bytes
}

// --- decoding: of one whole message. All throw HandshakeError HANDSHAKE_BAD_MESSAGE. ---

/** The first message of an initiator, new or old form. */
export function decodeName(bytes: Uint8Array): NameMessage {
  const view = viewOf(bytes)
  if (bytes[0] === TAG_OLD_NAME) {
    if (bytes.length < 8) throw malformed('name', bytes)
    return { old: true, flags: BigInt(view.getUint32(3)), creation: 0, name: decodeLatin1(bytes.subarray(7)) }
  }
  if (bytes[0] !== TAG_NAME || bytes.length < 15) throw malformed('name', bytes)
  const end = 15 + view.getUint16(13)
  if (end > bytes.length) throw malformed('name', bytes)
  return {
    old: false,
    flags: view.getBigUint64(1),
    creation: view.getUint32(9),
    name: decodeLatin1(bytes.subarray(15, end)),
  }
}

export function decodeComplement(bytes: Uint8Array): ComplementMessage {
  if (bytes[0] !== TAG_COMPLEMENT || bytes.length < 9) throw malformed('complement', bytes)
  const view = viewOf(bytes)
  return { flagsHigh: BigInt(view.getUint32(1)) << 32n, creation: view.getUint32(5) }
}

export function decodeStatus(bytes: Uint8Array): StatusMessage {
  if (bytes[0] !== TAG_STATUS || bytes.length < 2) throw malformed('status', bytes)
  const text = decodeLatin1(bytes.subarray(1))
  if (!text.startsWith(NAMED)) return { status: text, name: undefined, creation: 0 }
  const start = 1 + NAMED.length
  const view = viewOf(bytes)
  if (bytes.length < start + 2) throw malformed('status', bytes)
  const end = start + 2 + view.getUint16(start)
  if (bytes.length < end + 4) throw malformed('status', bytes)
  const name = decodeUtf8(bytes.subarray(start + 2, end))
  if (name === undefined) throw malformed('status', bytes)
  return { status: NAMED, name, creation: view.getUint32(end) }
}

export function decodeChallenge(bytes: Uint8Array): ChallengeMessage {
  if (bytes[0] === TAG_OLD_NAME) {
    throw new HandshakeError('HANDSHAKE_BAD_MESSAGE', 'the peer speaks the handshake of OTP 22 and older')
  }
  if (bytes[0] !== TAG_NAME || bytes.length < 19) throw malformed('challenge', bytes)
  const view = viewOf(bytes)
  const end = 19 + view.getUint16(17)
  if (end > bytes.length) throw malformed('challenge', bytes)
  return {
    flags: view.getBigUint64(1),
    challenge: view.getUint32(9),
    creation: view.getUint32(13),
    name: decodeLatin1(bytes.subarray(19, end)),
  }
}

/** Exactly 21 bytes: dist_util takes no extra ones here. */
export function decodeReply(bytes: Uint8Array): { challenge: number; digest: Uint8Array } {
  if (bytes[0] !== TAG_REPLY || bytes.length !== 5 + DIGEST_BYTES) throw malformed('challenge reply', bytes)
  return { challenge: viewOf(bytes).getUint32(1), digest: bytes.subarray(5) }
}

/** Exactly 17 bytes. Gives the digest. */
export function decodeAck(bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== TAG_ACK || bytes.length !== 1 + DIGEST_BYTES) throw malformed('challenge ack', bytes)
  return bytes.subarray(1)
}

// --- helpers ---

function message(length: number, tag: number): [Uint8Array, DataView] {
  const bytes = new Uint8Array(length)
  bytes[0] = tag
  return [bytes, new DataView(bytes.buffer)]
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function malformed(what: string, bytes: Uint8Array): HandshakeError {
  const tag = bytes.length === 0 ? 'no tag' : `tag ${bytes[0]}`
  return new HandshakeError(
    'HANDSHAKE_BAD_MESSAGE',
    `expected a ${what} message, got ${bytes.length} bytes with ${tag}`,
  )
}
