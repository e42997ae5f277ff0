/**
 * The digest that proves knowledge of a cookie without telling it (dist_util `gen_digest/2`):
 *
 *     MD5(cookie as Latin-1 ++ challenge as decimal text)        16 bytes
 *
 * MD5 comes as an argument: some platforms refuse it, and this layer knows no platform.
 */
import { ArgumentError } from '../errors.js'
import { encodeLatin1 } from './names.js'
import type { Md5 } from './types.js'

/** Length of a digest in bytes. */
export const DIGEST_BYTES = 16

/**
 * The 16-byte digest of a challenge (an unsigned 32-bit number) and a cookie.
 * @throws ArgumentError `BAD_ARGUMENT` when the cookie has characters beyond Latin-1 (a BEAM cannot use such a one).
 */
export function challengeDigest(md5: Md5, challenge: number, cookie: string): Uint8Array {
  const secret = cookieBytes(cookie)
  const number = `${challenge >>> 0}`
  const bytes = new Uint8Array(secret.length + number.length)
  bytes.set(secret)
  for (let i = 0; i < number.length; i++) bytes[secret.length + i] = number.charCodeAt(i)
  return md5(bytes)
}

/**
 * The bytes of a cookie.
 * @throws ArgumentError `BAD_ARGUMENT` when it has characters beyond Latin-1, or none.
 */
export function cookieBytes(cookie: string): Uint8Array {
  const bytes = cookie === '' ? undefined : encodeLatin1(cookie)
  if (bytes === undefined) throw new ArgumentError('BAD_ARGUMENT', 'a cookie is some characters of Latin-1')
  return bytes
}

/** Whether two digests are equal, in a time that does not depend on where they differ. */
export function digestsEqual(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== DIGEST_BYTES || right.length !== DIGEST_BYTES) return false
  let difference = 0
  for (let i = 0; i < DIGEST_BYTES; i++) difference |= left[i]! ^ right[i]!
  return difference === 0
}
