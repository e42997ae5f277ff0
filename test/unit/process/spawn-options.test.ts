import '../../../src/etf/node.js'
import { parse } from '../../../src/etf/door.js'
import type { Term } from '../../../src/etf/terms.js'
import { readSpawnOptions } from '../../../src/process/spawn-options.js'

const read = (text: string) => readSpawnOptions(parse(text) as Term[])

describe('options of a spawn request', () => {
  test.each([
    ['[]', { link: false, monitor: false }],
    ['[link]', { link: true, monitor: false }],
    ['[monitor, {priority, high}]', { link: false, monitor: true }],
    ['[link, {monitor, [{tag, x}]}]', { link: true, monitor: true }],
  ])('%s', (text, expected) => {
    expect(read(text)).toEqual(expected)
  })

  test.each([
    '{priority, low}',
    '{priority, max}',
    '{fullsweep_after, 0}',
    '{min_heap_size, 576460752303423487}',
    '{min_bin_vheap_size, 5}',
    '{max_heap_size, 0}',
    '{max_heap_size, 233}',
    '{max_heap_size, #{size => 0, kill => true, unknown => 1}}',
    '{message_queue_data, on_heap}',
    '{message_queue_data, off_heap}',
    '{async_dist, true}',
    '{scheduler, 1}',
  ])('%s changes nothing', (option) => {
    expect(read(`[${option}]`)).toEqual({ link: false, monitor: false })
  })

  test.each([
    'unknown',
    '{unknown, 1}',
    '{link}',
    '{priority, whatever}',
    '{priority, 1}',
    '{fullsweep_after, -1}',
    '{fullsweep_after, 576460752303423488}',
    '{min_heap_size, bad}',
    '{min_heap_size, 1.0}',
    '{min_bin_vheap_size, a}',
    '{max_heap_size, 232}',
    '{max_heap_size, #{}}',
    '{max_heap_size, #{size => 0, kill => 1}}',
    '{message_queue_data, mixed}',
    '{async_dist, 1}',
    '{scheduler, 99}',
  ])('%s is badopt', (option) => {
    expect(read(`[link, ${option}]`)).toBeUndefined()
  })
})
