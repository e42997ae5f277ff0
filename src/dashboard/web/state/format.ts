/** Numbers as text, each kind with a form whose width changes little from one second to the next. */
import * as units from '../../units.js'

export const NONE = '–'

/** The same for what is not known. */
const orNone =
  (format: (value: number) => string) =>
  (value: number | undefined): string =>
    value === undefined || !Number.isFinite(value) ? NONE : format(value)

/** `1.5 MiB`. */
export const bytes = orNone(units.bytes)

/** Three digits and a letter: `1.23M`. */
export const short = orNone(units.short)

/** `3d 4h`, `2h 5m`, `1m 3s`, `7s`. */
export const duration = orNone(units.duration)

/** `1.5 MiB/s`. */
export function bytesRate(value: number | undefined): string {
  const text = bytes(value)
  return text === NONE ? text : `${text}/s`
}

/** `12,345`. */
export function whole(value: number | undefined): string {
  return value === undefined || !Number.isFinite(value) ? NONE : Math.round(value).toLocaleString('en')
}

/** Of 1: `34 %`, of cores above one `134 %`. */
export function percent(share: number | undefined): string {
  if (share === undefined || !Number.isFinite(share)) return NONE
  const value = share * 100
  return `${value >= 9.95 || value === 0 ? Math.round(value) : value.toFixed(1)} %`
}

const two = (value: number) => String(value).padStart(2, '0')

/** `14:05:09`, in the browser's time zone. */
export function timeOfDay(at: number): string {
  const date = new Date(at)
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** `22 Nov 2026`. */
export function day(at: number): string {
  return new Date(at).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })
}
