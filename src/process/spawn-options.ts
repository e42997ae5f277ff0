/** The option list of a spawn request as it is on the wire (`erlang:spawn_request/5` after the caller's own part). */
import { atomName } from '../etf/atom.js'
import { ErlMap } from '../etf/map.js'
import type { Term } from '../etf/terms.js'
import { Tuple } from '../etf/tuple.js'

export interface WireSpawnOptions {
  link: boolean
  monitor: boolean
}

const PRIORITIES = new Set(['low', 'normal', 'high', 'max'])
const QUEUE_DATA = new Set(['on_heap', 'off_heap'])
const HEAP_FLAGS = ['kill', 'error_logger', 'include_shared_binaries']

/** A small integer of the BEAM that is not negative. */
const MAX_SMALL = 2n ** 59n - 1n
const isSize = (value: Term | undefined) =>
  (typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))) &&
  value >= 0 &&
  value <= MAX_SMALL

/** The BEAM's default `min_heap_size`, in words: a smaller maximum, but for 0 (none), is refused. */
const MIN_HEAP_WORDS = 233
const isMaxSize = (value: Term | undefined) =>
  isSize(value) && (value === 0 || Number(value) >= MIN_HEAP_WORDS)

/** `{max_heap_size, Size | #{size => Size, kill => Bool, …}}`. */
function isMaxHeapSize(value: Term | undefined): boolean {
  if (!(value instanceof ErlMap)) return isMaxSize(value)
  return (
    isMaxSize(value.get('size')) &&
    HEAP_FLAGS.every((flag) => [undefined, true, false].includes(value.get(flag) as boolean | undefined))
  )
}

/**
 * Options of the BEAM's memory and scheduler: they change nothing here, but a value that a BEAM refuses is refused
 * (`erts_parse_spawn_opts` of erl_process.c).
 */
const WITHOUT_MEANING = new Map<string, (value: Term | undefined) => boolean>([
  ['priority', (value) => PRIORITIES.has(atomName(value) ?? '')],
  ['fullsweep_after', isSize],
  ['min_heap_size', isSize],
  ['min_bin_vheap_size', isSize],
  ['max_heap_size', isMaxHeapSize],
  ['message_queue_data', (value) => QUEUE_DATA.has(atomName(value) ?? '')],
  // There is one scheduler; 0 is any.
  ['scheduler', (value) => value === 0 || value === 1],
  ['async_dist', (value) => typeof value === 'boolean'],
])

/** @returns undefined for an option that OTP answers with `badopt` */
export function readSpawnOptions(options: readonly Term[]): WireSpawnOptions | undefined {
  const result: WireSpawnOptions = { link: false, monitor: false }
  for (const option of options) {
    const name = atomName(option)
    if (name === 'link') result.link = true
    else if (name === 'monitor') result.monitor = true
    else if (option instanceof Tuple && option.elements.length === 2) {
      const [key, value] = option.elements
      const keyName = atomName(key)
      if (keyName === 'monitor') result.monitor = true
      else if (WITHOUT_MEANING.get(keyName ?? '')?.(value) !== true) return undefined
    } else return undefined
  }
  return result
}
