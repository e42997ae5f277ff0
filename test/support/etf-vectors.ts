/** The captured vectors of each OTP release. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

export interface Vector {
  otp: number
  expression: string
  bytes: Uint8Array
}

const directory = path.join(__dirname, '../vectors/etf')

export const RELEASES = [23, 25, 27, 29]

export function vectors(otp: number): Vector[] {
  const file = JSON.parse(readFileSync(path.join(directory, `otp-${otp}.json`), 'utf8')) as {
    otp: number
    vectors: { expression: string; hex: string }[]
  }
  return file.vectors.map(({ expression, hex }) => ({ otp: file.otp, expression, bytes: fromHex(hex) }))
}

export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replace(/\s/g, ''), 'hex'))
}

/** Inputs that decoders get wrong, and what the fuzzer finds: one file each, hexadecimal after a line that says what. */
export function hostileInputs(): { name: string; bytes: Uint8Array }[] {
  const folder = path.join(directory, 'hostile')
  return readdirSync(folder)
    .filter((name) => name.endsWith('.hex'))
    .map((name) => {
      const lines = readFileSync(path.join(folder, name), 'utf8').split('\n')
      return { name, bytes: fromHex(lines.filter((line) => !line.startsWith('#')).join('')) }
    })
}
