/** Big-endian numbers and byte arrays, as the distribution layer needs them. */

/** Gives memory of this size; what is in it does not matter. */
export type Allocate = (bytes: number) => Uint8Array

export const zeroed: Allocate = (bytes) => new Uint8Array(bytes)

export function readUint32(bytes: Uint8Array, position: number): number {
  return (
    ((bytes[position] << 24) |
      (bytes[position + 1] << 16) |
      (bytes[position + 2] << 8) |
      bytes[position + 3]) >>>
    0
  )
}

export function writeUint32(bytes: Uint8Array, position: number, value: number): void {
  bytes[position] = value >>> 24
  bytes[position + 1] = value >>> 16
  bytes[position + 2] = value >>> 8
  bytes[position + 3] = value
}

/** An unsigned number of 64 bits: a bigint only when it is above `Number.MAX_SAFE_INTEGER`. */
export function readUint64(bytes: Uint8Array, position: number): number | bigint {
  const high = readUint32(bytes, position)
  const low = readUint32(bytes, position + 4)
  return high < 0x20_0000 ? high * 0x1_0000_0000 + low : (BigInt(high) << 32n) | BigInt(low)
}

/** @param value a safe non-negative integer */
export function writeUint64(bytes: Uint8Array, position: number, value: number): void {
  writeUint32(bytes, position, Math.floor(value / 0x1_0000_0000))
  writeUint32(bytes, position + 4, value >>> 0)
}
