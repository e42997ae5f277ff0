/** Node names: `alive@host`, short or long, after `net_kernel:create_name` and the `-name`/`-sname` rules of erl. */
import { ArgumentError } from '../errors.js'

export interface NodeName {
  readonly full: string
  /** The part that EPMD registers. */
  readonly alive: string
  readonly host: string
  /** A host with a dot (or an IPv6 address) makes a long name. */
  readonly domain: 'shortnames' | 'longnames'
}

/** EPMD's and the handshake's length field, and what Debian's epmd can look up again. */
const MAX_NAME_BYTES = 255

/** `net_kernel:valid_name_head/1`, but never empty. */
const ALIVE = /^[0-9A-Za-z_-]+$/
/** `net_kernel:validate_hostname/1`, without a second @. */
const HOST = /^[!-?A-\u00ff]+$/

/** @throws ArgumentError `BAD_NODE_NAME` */
export function parseNodeName(name: string): NodeName {
  if (typeof name !== 'string')
    throw new ArgumentError('BAD_NODE_NAME', `a node name is a string, not ${typeof name}`)
  const at = name.indexOf('@')
  const bad = (why: string) =>
    new ArgumentError('BAD_NODE_NAME', `${JSON.stringify(name.slice(0, 300))} is no node name: ${why}`)
  if (at < 0) throw bad('it needs the form name@host')
  const alive = name.slice(0, at)
  const host = name.slice(at + 1)
  if (!ALIVE.test(alive)) throw bad('before the @ it may have letters, digits, _ and - only')
  if (!HOST.test(host))
    throw bad(host === '' ? 'the host is empty' : 'the host has characters that no host has')
  if (byteLength(name) > MAX_NAME_BYTES) throw bad(`it is longer than ${MAX_NAME_BYTES} bytes`)
  return {
    full: name,
    alive,
    host,
    domain: domainOf(host),
  }
}

/** The kind of name that a host makes. */
export function domainOf(host: string): NodeName['domain'] {
  return host.includes('.') || host.includes(':') ? 'longnames' : 'shortnames'
}

function byteLength(text: string): number {
  let bytes = 0
  for (const character of text) {
    const code = character.codePointAt(0) as number
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
  }
  return bytes
}
