/**
 * What the handshake needs of cryptography: MD5, which the protocol demands and some platforms refuse (FIPS), and a
 * number that no one can guess.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { Md5 } from '../handshake/types.js'

/**
 * MD5 of the platform, or where `node:crypto` refuses it (FIPS mode) that of node-forge, which is loaded only then.
 * @param create for tests: stands in for `node:crypto`'s
 */
export async function loadMd5(create: typeof createHash = createHash): Promise<Md5> {
  try {
    create('md5')
  } catch {
    return forgeMd5()
  }
  return (bytes) => create('md5').update(bytes).digest()
}

async function forgeMd5(): Promise<Md5> {
  const { default: forge } = await import('node-forge')
  return (bytes) => {
    const digest = forge.md.md5.create()
    digest.update(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'))
    return Buffer.from(digest.digest().getBytes(), 'latin1')
  }
}

/** 32 bits from the system's cryptographic source. */
export function randomChallenge(): number {
  return randomBytes(4).readUInt32BE(0)
}
