/**
 * Numbers for `~e ~f ~g` and `~b ~B ~x ~X ~+ ~#`, as `io_lib_format` of OTP 27 writes them: floats from the 21 digits
 * of `float_to_list/1`, rounded half up in decimal, so that `~.1f` of 0.25 is 0.3.
 */
import { writeBigint } from './text-chars.js'

/** Digits of `float_to_list/1` (C's `%.20e`). */
const DIGITS = 21

/** A float's decimal digits and where its point stands: `0.d1d2… × 10^place`. */
interface Decimal {
  digits: string
  place: number
}

function decimal(value: number): Decimal {
  // More digits than needed: JavaScript rounds an exact tie up, C to the even digit.
  const [mantissa, exponent] = Math.abs(value).toExponential(100).split('e') as [string, string]
  const all = mantissa.replace('.', '')
  const rest = all.slice(DIGITS)
  let digits = all.slice(0, DIGITS)
  const half = `5${'0'.repeat(rest.length - 1)}`
  let place = Number(exponent) + 1
  if (rest > half || (rest === half && Number(digits[DIGITS - 1]) % 2 === 1)) {
    digits = (BigInt(digits) + 1n).toString()
    if (digits.length > DIGITS) {
      digits = digits.slice(0, DIGITS)
      place++
    }
  }
  return { digits, place }
}

function sign(value: number): string {
  return value < 0 || Object.is(value, -0) ? '-' : ''
}

/** The digits with `whole` before the point and `fraction` behind it, and whether rounding carried out at the front. */
function mantissa(digits: string, whole: number, fraction: number): { text: string; carry: boolean } {
  const kept = whole + fraction
  let number = digits.slice(0, kept).padEnd(kept, '0')
  let carry = false
  if (digits.length > kept && (digits[kept] as string) >= '5') {
    const rounded = (BigInt(number) + 1n).toString().padStart(kept, '0')
    carry = rounded.length > kept
    number = rounded.slice(carry ? 1 : 0)
  }
  return { text: `${number.slice(0, whole)}.${number.slice(whole)}`, carry }
}

/** `~e`. @param precision number of digits, from 2 */
export function formatE(value: number, precision: number): string {
  const { digits, place } = decimal(value)
  const { text, carry } = mantissa(digits, 1, precision - 1)
  const exponent = value === 0 ? 0 : carry ? place : place - 1
  return `${sign(value)}${carry ? `1${text.slice(1)}` : text}e${exponent < 0 ? '' : '+'}${exponent}`
}

/** `~f`. @param precision digits behind the point, from 1 */
export function formatF(value: number, precision: number): string {
  const { digits, place } = decimal(value)
  const padded = place <= 0 ? '0'.repeat(1 - place) + digits : digits
  const { text, carry } = mantissa(padded, Math.max(place, 1), precision)
  return `${sign(value)}${carry ? '1' : ''}${text}`
}

/** `~g`: `~f` for what lies between 0.1 and 10000 and has digits to show there, else `~e`. @param precision from 1 */
export function formatG(value: number, precision: number): { notation: 'e' | 'f'; precision: number } {
  const magnitude = Math.abs(value)
  const exponent = [0.1, 1, 10, 100, 1000, 10000].findIndex((bound) => magnitude < bound) - 2
  // -2: below 0.1; -3: not found, 10000 or more.
  if (exponent >= -1 && (precision - 1 > exponent || (precision <= 1 && exponent === -1))) {
    return { notation: 'f', precision: precision - 1 - exponent }
  }
  return { notation: 'e', precision: Math.max(precision, 2) }
}

/** An integer in a base from 2 to 36, its digits upper case unless `lower`. */
export function formatInteger(value: number | bigint, base: number, lower: boolean, prefix = ''): string {
  const digits = typeof value === 'bigint' ? writeBigint(value, Infinity, base) : value.toString(base)
  const negative = digits.startsWith('-')
  const magnitude = negative ? digits.slice(1) : digits
  return `${negative ? '-' : ''}${prefix}${lower ? magnitude : magnitude.toUpperCase()}`
}
