import { bytes, duration, short } from '../../../src/dashboard/units.js'

test.each([
  [0, '0'],
  [999, '999'],
  [999.5, '1.00k'],
  [1_500, '1.50k'],
  [2_345_678, '2.35M'],
  [999_500_000, '1.00G'],
])('short(%p) is %s', (value, text) => {
  expect(short(value)).toBe(text)
})

test.each([
  [1_023, '1023 B'],
  [1_024, '1.0 KiB'],
  [1_536, '1.5 KiB'],
  [1_024 * 1_024 - 1, '1.0 MiB'],
  [3 * 2 ** 30, '3.0 GiB'],
])('bytes(%p) is %s', (value, text) => {
  expect(bytes(value)).toBe(text)
})

test.each([
  [-1, '0s'],
  [0, '0s'],
  [59_999, '59s'],
  [3_600_000, '1h 0m'],
  [90_061_000, '1d 1h'],
])('duration(%p) is %s', (ms, text) => {
  expect(duration(ms)).toBe(text)
})
