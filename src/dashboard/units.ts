/** Numbers as text, the same in a terminal and on the page: forms whose width changes little from one look to the next. */

const BYTES = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
const THOUSANDS = ['', 'k', 'M', 'G', 'T']

/** `1.5 MiB`. */
export function bytes(value: number): string {
  let at = 0
  let rest = value
  while (rest >= 1_023.95 && at < BYTES.length - 1) {
    rest /= 1_024
    at++
  }
  return `${at === 0 ? Math.round(rest) : rest.toFixed(1)} ${BYTES[at]}`
}

/** `1.23M`: three figures of a number of no unit. */
export function short(value: number): string {
  let at = 0
  let rest = value
  while (rest >= 999.5 && at < THOUSANDS.length - 1) {
    rest /= 1_000
    at++
  }
  return `${at === 0 ? Math.round(rest) : rest.toPrecision(3)}${THOUSANDS[at]}`
}

/** `3d 4h`, `2h 5m`, `1m 3s`, `7s`. */
export function duration(ms: number): string {
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
