/**
 * The messages between a node and the Erlang Port Mapper Daemon.
 * Spec: ERTS User's Guide, "Distribution Protocol", section "EPMD Protocol".
 *
 * Every request is one length and one body; replies have no length, the daemon's close ends the long ones:
 *
 *     request       | length:2 | body:length |
 *     ALIVE2_REQ    | 120 | port:2 | type:1 | protocol:1 | highest:2 | lowest:2 | nlen:2 | name | elen:2 | extra |
 *     ALIVE2_X_RESP | 118 | result:1 | creation:4 |         to a node whose highest version is 6 or more
 *     ALIVE2_RESP   | 121 | result:1 | creation:2 |         to an older one
 *     PORT_PLEASE2  | 122 | name |
 *     PORT2_RESP    | 119 | result:1 |                      followed, when the result is 0, by
 *                   | port:2 | type:1 | protocol:1 | highest:2 | lowest:2 | nlen:2 | name | elen:2 | extra |
 *     NAMES_REQ     | 110 |        reply | epmd's port:4 | "name N at port P\n"… | and close
 *     DUMP_REQ      | 100 |        reply | epmd's port:4 | lines with a final NUL each | and close
 *     KILL_REQ      | 107 |        reply "OK" or "NO"
 *     STOP_REQ      | 115 | name | reply "STOPPED" or "NOEXIST"
 *
 * Not supported: the requests of Erlang before R4 (ALIVE 97, PORT_PLEASE 112), which OTP's daemon dropped too.
 */
import { EpmdError } from '../errors.js'
import { countCharacters, decodeUtf8, encodeUtf8 } from './utf8.js'

export const ALIVE2_REQ = 120
export const ALIVE2_X_RESP = 118
export const ALIVE2_RESP = 121
export const PORT_PLEASE2_REQ = 122
export const PORT2_RESP = 119
export const NAMES_REQ = 110
export const DUMP_REQ = 100
export const KILL_REQ = 107
export const STOP_REQ = 115

/** NodeType of an ordinary node. */
export const NODE_TYPE_NORMAL = 77
/** NodeType of a hidden node. */
export const NODE_TYPE_HIDDEN = 72
/** The port that EPMD listens on unless ERL_EPMD_PORT says otherwise. */
export const EPMD_DEFAULT_PORT = 4369
/** Longest node name, in characters: that of an atom. */
export const MAX_NAME_CHARACTERS = 255
/** From this version on a node has a 32-bit creation. */
export const LARGE_CREATION_VERSION = 6

/** What a node tells EPMD about itself, and EPMD tells the nodes that look for it. */
export interface EpmdNode {
  /** The part of the node's name before the `@`. */
  name: string
  /** The port on which the node accepts distribution connections. */
  port: number
  /** NODE_TYPE_NORMAL, NODE_TYPE_HIDDEN, or what else the node said. */
  nodeType: number
  /** 0 is TCP. */
  protocol: number
  highestVersion: number
  lowestVersion: number
  extra: Uint8Array
}

export type EpmdRequest =
  | { type: 'alive'; node: EpmdNode }
  | { type: 'port'; name: string }
  | { type: 'names' }
  | { type: 'dump' }
  | { type: 'kill' }
  | { type: 'stop'; name: string }

/** Why a request was not understood. A daemon closes such a connection without a word. */
export interface BadRequest {
  type: 'bad'
  reason: string
}

const NOTHING = new Uint8Array(0)

/** Concatenates byte strings, and numbers as single bytes. */
function bytesOf(...parts: (number | Uint8Array)[]): Uint8Array {
  let length = 0
  for (const part of parts) length += typeof part === 'number' ? 1 : part.length
  const bytes = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    if (typeof part === 'number') bytes[at++] = part
    else {
      bytes.set(part, at)
      at += part.length
    }
  }
  return bytes
}

const int16 = (value: number) => Uint8Array.of(value >>> 8, value)
const int32 = (value: number) => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)
const read16 = (bytes: Uint8Array, at: number) => (bytes[at]! << 8) | bytes[at + 1]!
const read32 = (bytes: Uint8Array, at: number) => ((read16(bytes, at) << 16) | read16(bytes, at + 2)) >>> 0

/** The fields that ALIVE2_REQ and PORT2_RESP share, from the port on. */
function encodeNode(node: EpmdNode): Uint8Array {
  const name = encodeUtf8(node.name)
  return bytesOf(
    int16(node.port),
    node.nodeType,
    node.protocol,
    int16(node.highestVersion),
    int16(node.lowestVersion),
    int16(name.length),
    name,
    int16(node.extra.length),
    node.extra,
  )
}

/**
 * Whether `name` can be a node's alive part: 1 to 255 characters, no NUL, no `@`, no blank or line break
 * (the reply to NAMES_REQ is a text of words and lines, so such a name would stand for another one there).
 */
export function isAliveName(name: string): boolean {
  const characters = countCharacters(name)
  // eslint-disable-next-line no-control-regex -- the control characters are what is looked for
  return characters >= 1 && characters <= MAX_NAME_CHARACTERS && !/[\u0000-\u0020\u007f@]/.test(name)
}

/** A request as it goes on the wire, with its length. */
export function encodeRequest(request: EpmdRequest): Uint8Array {
  const body = encodeRequestBody(request)
  return bytesOf(int16(body.length), body)
}

function encodeRequestBody(request: EpmdRequest): Uint8Array {
  switch (request.type) {
    case 'alive':
      return bytesOf(ALIVE2_REQ, encodeNode(request.node))
    case 'port':
      return bytesOf(PORT_PLEASE2_REQ, encodeUtf8(request.name))
    case 'names':
      return Uint8Array.of(NAMES_REQ)
    case 'dump':
      return Uint8Array.of(DUMP_REQ)
    case 'kill':
      return Uint8Array.of(KILL_REQ)
    case 'stop':
      return bytesOf(STOP_REQ, encodeUtf8(request.name))
  }
}

/**
 * Reads the body of a request, without its length. Bytes after the fields of ALIVE2_REQ, and after a bare command,
 * are ignored, and one NUL after a name is stripped, as OTP's daemon does for old clients.
 * A registration whose name is no valid text comes back with the empty name: it gets a negative answer, not silence.
 */
export function decodeRequest(body: Uint8Array): EpmdRequest | BadRequest {
  switch (body[0]) {
    case ALIVE2_REQ:
      return decodeAlive(body)
    case PORT_PLEASE2_REQ:
      return decodeNamed('port', body)
    case STOP_REQ:
      return decodeNamed('stop', body)
    case NAMES_REQ:
      return { type: 'names' }
    case DUMP_REQ:
      return { type: 'dump' }
    case KILL_REQ:
      return { type: 'kill' }
    default:
      return { type: 'bad', reason: `unknown request ${body[0]}` }
  }
}

function decodeAlive(body: Uint8Array): EpmdRequest | BadRequest {
  const nameLength = body.length < 13 ? 0 : read16(body, 9)
  if (nameLength === 0) return { type: 'bad', reason: 'ALIVE2_REQ without a name' }
  if (13 + nameLength > body.length) return { type: 'bad', reason: 'the name in ALIVE2_REQ is cut short' }
  const extraLength = read16(body, 11 + nameLength)
  if (13 + nameLength + extraLength > body.length)
    return { type: 'bad', reason: 'the extra field of ALIVE2_REQ is cut short' }
  const name = body.subarray(11, 11 + nameLength)
  if (name.includes(0)) return { type: 'bad', reason: 'the name in ALIVE2_REQ contains a NUL' }
  return {
    type: 'alive',
    node: {
      name: decodeUtf8(name) ?? '',
      port: read16(body, 1),
      nodeType: body[3]!,
      protocol: body[4]!,
      highestVersion: read16(body, 5),
      lowestVersion: read16(body, 7),
      // A copy: the input belongs to the connection's read buffer, the registration outlives it.
      extra: body.slice(13 + nameLength, 13 + nameLength + extraLength),
    },
  }
}

function decodeNamed(type: 'port' | 'stop', body: Uint8Array): EpmdRequest | BadRequest {
  const end = body[body.length - 1] === 0 ? body.length - 1 : body.length
  const name = decodeUtf8(body.subarray(1, end))
  if (name === undefined || name === '' || name.includes('\0') || countCharacters(name) > MAX_NAME_CHARACTERS)
    return { type: 'bad', reason: `no node name in request ${body[0]}` }
  return { type, name }
}

/**
 * The answer to ALIVE2_REQ. `highestVersion` is the asking node's: it decides the form.
 * A refusal carries result 1 and the creation 99, as OTP's daemon sends it.
 */
export function encodeAliveReply(highestVersion: number, creation: number | undefined): Uint8Array {
  const result = creation === undefined ? 1 : 0
  if (highestVersion >= LARGE_CREATION_VERSION) return bytesOf(ALIVE2_X_RESP, result, int32(creation ?? 99))
  return bytesOf(ALIVE2_RESP, result, int16(creation ?? 99))
}

/** The answer to PORT_PLEASE2_REQ. */
export function encodePortReply(node: EpmdNode | undefined): Uint8Array {
  if (node === undefined) return Uint8Array.of(PORT2_RESP, 1)
  return bytesOf(PORT2_RESP, 0, encodeNode(node))
}

/** The answer to NAMES_REQ. `epmdPort` is the daemon's own port, which `erl_epmd` compares with the one it asked. */
export function encodeNamesReply(epmdPort: number, nodes: Iterable<EpmdNode>): Uint8Array {
  let text = ''
  for (const node of nodes) text += `name ${node.name} at port ${node.port}\n`
  return bytesOf(int32(epmdPort), encodeUtf8(text))
}

/** One line of the answer to DUMP_REQ; OTP's daemon sends the string's final NUL with it. */
export function dumpLine(node: EpmdNode, connection: number, active: boolean): string {
  return active
    ? `active name     <${node.name}> at port ${node.port}, fd = ${connection}\n\0`
    : `old/unused name <${node.name}>, port = ${node.port}, fd = ${connection} \n\0`
}

/** The answer to DUMP_REQ from its lines. */
export function encodeDumpReply(epmdPort: number, lines: Iterable<string>): Uint8Array {
  return bytesOf(int32(epmdPort), encodeUtf8([...lines].join('')))
}

/** The answers to KILL_REQ and STOP_REQ: bare ASCII. */
export function encodeText(text: 'OK' | 'NO' | 'STOPPED' | 'NOEXIST'): Uint8Array {
  return encodeUtf8(text)
}

/** What a registration was answered. */
export type AliveReply = { type: 'registered'; creation: number } | { type: 'refused'; result: number }

/**
 * Reads the answer to ALIVE2_REQ from the bytes so far.
 * @returns undefined while it is incomplete
 * @throws EpmdError `EPMD_BAD_REPLY` when it is none
 */
export function decodeAliveReply(bytes: Uint8Array): AliveReply | undefined {
  if (bytes.length === 0) return undefined
  const large = bytes[0] === ALIVE2_X_RESP
  if (!large && bytes[0] !== ALIVE2_RESP) throw badReply('ALIVE2_REQ', bytes)
  if (bytes.length < (large ? 6 : 4)) return undefined
  if (bytes[1] !== 0) return { type: 'refused', result: bytes[1]! }
  return { type: 'registered', creation: large ? read32(bytes, 2) : read16(bytes, 2) }
}

/**
 * Reads the answer to PORT_PLEASE2_REQ from the bytes so far.
 * @returns undefined while it is incomplete, null when no such node is registered
 * @throws EpmdError `EPMD_BAD_REPLY` when it is none
 */
export function decodePortReply(bytes: Uint8Array): EpmdNode | null | undefined {
  if (bytes.length > 0 && bytes[0] !== PORT2_RESP) throw badReply('PORT_PLEASE2_REQ', bytes)
  if (bytes.length < 2) return undefined
  if (bytes[1] !== 0) return null
  if (bytes.length < 12) return undefined
  const nameLength = read16(bytes, 10)
  if (bytes.length < 14 + nameLength) return undefined
  const extraLength = read16(bytes, 12 + nameLength)
  if (bytes.length < 14 + nameLength + extraLength) return undefined
  const name = decodeUtf8(bytes.subarray(12, 12 + nameLength))
  if (name === undefined) throw badReply('PORT_PLEASE2_REQ', bytes)
  return {
    name,
    port: read16(bytes, 2),
    nodeType: bytes[4]!,
    protocol: bytes[5]!,
    highestVersion: read16(bytes, 6),
    lowestVersion: read16(bytes, 8),
    extra: bytes.slice(14 + nameLength, 14 + nameLength + extraLength),
  }
}

/** How each line of the answer to NAMES_REQ begins. */
const NAME_LINE = 'name '

/** A registered name as NAMES_REQ reports it. */
export interface EpmdName {
  name: string
  port: number
}

/**
 * Reads the whole answer to NAMES_REQ, which ends where the daemon closed the connection.
 * Further lines that are none are skipped, as `erl_epmd` does: any program may register a name that breaks its line.
 * @throws EpmdError `EPMD_BAD_REPLY` when it begins with no port and name: what answered is no EPMD
 */
export function decodeNamesReply(bytes: Uint8Array): { epmdPort: number; names: EpmdName[] } {
  const first = String.fromCharCode(...bytes.subarray(4, 4 + NAME_LINE.length))
  if (bytes.length < 4 || read32(bytes, 0) > 65_535 || (first !== '' && first !== NAME_LINE))
    throw badReply('NAMES_REQ', bytes)
  const names: EpmdName[] = []
  for (let start = 4; start < bytes.length;) {
    let end = bytes.indexOf(10, start)
    if (end < 0) end = bytes.length
    const match = /^name (\S+) at port (\d{1,5})$/.exec(decodeUtf8(bytes.subarray(start, end)) ?? '')
    if (match) names.push({ name: match[1]!, port: Number(match[2]) })
    start = end + 1
  }
  return { epmdPort: read32(bytes, 0), names }
}

function badReply(request: string, bytes: Uint8Array): EpmdError {
  const head = Array.from(bytes.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join(' ')
  const found = bytes.length === 0 ? 'nothing' : `${bytes.length} bytes that begin with ${head}`
  return new EpmdError(
    'EPMD_BAD_REPLY',
    `${request} was answered with ${found}: what listens there is no EPMD`,
  )
}

/** An empty `extra` field. */
export const NO_EXTRA: Uint8Array = NOTHING
