/** Numbers as text, each kind with a form whose width changes little from one second to the next. */

export const NONE = '–'

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** `1.5 MiB`. */
export function bytes(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return NONE
  let at = 0
  let rest = value
  while (rest >= 1_023.95 && at < UNITS.length - 1) {
    rest /= 1_024
    at++
  }
  return `${at === 0 ? Math.round(rest) : rest.toFixed(1)} ${UNITS[at]}`
}

/** `1.5 MiB/s`. */
export function bytesRate(value: number | undefined): string {
  const text = bytes(value)
  return text === NONE ? text : `${text}/s`
}

/** `12,345`. */
export function whole(value: number | undefined): string {
  return value === undefined || !Number.isFinite(value) ? NONE : Math.round(value).toLocaleString('en')
}

const SHORT = ['', 'k', 'M', 'G', 'T']

/** Three digits and a letter: `1.23M`. */
export function short(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return NONE
  let at = 0
  let rest = value
  while (rest >= 999.5 && at < SHORT.length - 1) {
    rest /= 1_000
    at++
  }
  return `${at === 0 ? Math.round(rest) : rest.toPrecision(3)}${SHORT[at]}`
}

/** Of 1: `34 %`, of cores above one `134 %`. */
export function percent(share: number | undefined): string {
  if (share === undefined || !Number.isFinite(share)) return NONE
  const value = share * 100
  return `${value >= 9.95 || value === 0 ? Math.round(value) : value.toFixed(1)} %`
}

/** `3d 4h`, `2h 5m`, `1m 3s`, `7s`. */
export function duration(ms: number | undefined): string {
  if (ms === undefined) return NONE
  const seconds = Math.max(0, Math.floor(ms / 1_000))
  const units: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ]
  const first = units.findIndex(([count]) => count > 0)
  if (first < 0) return '0s'
  return units
    .slice(first, first + 2)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ')
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
