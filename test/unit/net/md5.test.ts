import { createHash } from 'node:crypto'
import { loadMd5, randomChallenge } from '../../../src/net/md5.js'

const refuses: typeof createHash = () => {
  throw new Error('error:0308010C:digital envelope routines::unsupported')
}

describe.each([
  ['node:crypto', undefined],
  ['node-forge, where node:crypto refuses', refuses],
])('%s', (_, create) => {
  test.each([
    ['', 'd41d8cd98f00b204e9800998ecf8427e'],
    ['message digest', 'f96b697d7cb7938d525a2f31aaf161d0'],
    [
      '12345678901234567890123456789012345678901234567890123456789012345678901234567890',
      '57edf4a22be3c955ac49da2e2107b67a',
    ],
  ])('RFC 1321: %j', async (text, digest) => {
    const md5 = await loadMd5(create)
    expect(Buffer.from(md5(Buffer.from(text))).toString('hex')).toBe(digest)
  })

  test('takes any bytes, of a part of a buffer too', async () => {
    const md5 = await loadMd5(create)
    const bytes = Uint8Array.from({ length: 256 }, (_x, i) => i).subarray(100)
    expect([...md5(bytes)]).toEqual([...createHash('md5').update(bytes).digest()])
  })
})

test('challenges are numbers of 32 bits that do not repeat', () => {
  const seen = new Set<number>()
  for (let i = 0; i < 100; i++) {
    const challenge = randomChallenge()
    expect(challenge >>> 0).toBe(challenge)
    seen.add(challenge)
  }
  expect(seen.size).toBeGreaterThan(90)
})
