/** Changes to the bytes of terms that keep most of their structure: what a broken or hostile peer might send. */

/** A small generator of pseudo-random numbers (mulberry32), so that a seed gives the same inputs everywhere. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** Tags, and neighbours of tags. */
const TAGS = [
  67, 70, 77, 80, 82, 88, 89, 90, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112,
  113, 114, 115, 116, 117, 118, 119, 120, 121, 131, 0, 255,
]
const SIZES = [0, 1, 2, 255, 256, 65535, 65536, 0x7fffffff, 0x80000000, 0xffffffff]

/** One input made of `base`, with parts of `other` perhaps. */
export function mutate(base: Uint8Array, other: Uint8Array, random: (below: number) => number): Uint8Array {
  let bytes = Buffer.from(base)
  for (let rounds = 1 + random(3); rounds > 0; rounds--) {
    const at = 1 + random(Math.max(1, bytes.length - 1))
    switch (random(9)) {
      case 0:
        bytes = bytes.subarray(0, at)
        break
      case 1:
        if (at < bytes.length) bytes[at] = random(256)
        break
      case 2:
        if (at < bytes.length) bytes[at] = (bytes[at] as number) ^ (1 << random(8))
        break
      case 3:
        if (at < bytes.length) bytes[at] = TAGS[random(TAGS.length)] as number
        break
      case 4:
        if (at + 4 <= bytes.length) bytes.writeUInt32BE(SIZES[random(SIZES.length)] as number, at)
        break
      case 5:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          bytes.subarray(Math.min(bytes.length, at + 1 + random(8))),
        ])
        break
      case 6: {
        const from = random(other.length)
        const part = other.subarray(from, from + 1 + random(24))
        bytes = Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)])
        break
      }
      case 7: {
        // Again what is there: a key twice, an element too many.
        const part = bytes.subarray(at, at + 1 + random(24))
        bytes = Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)])
        break
      }
      default:
        if (at < bytes.length) bytes[at] = ((bytes[at] as number) + (random(2) === 0 ? 1 : 255)) & 255
    }
  }
  return new Uint8Array(bytes)
}
