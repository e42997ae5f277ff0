/** The option list of a spawn request as it is on the wire (`erlang:spawn_request/5` after the caller's own part). */
import { atomName } from '../etf/atom.js'
import type { Term } from '../etf/terms.js'
import { Tuple } from '../etf/tuple.js'

export interface WireSpawnOptions {
  link: boolean
  monitor: boolean
}

/** Options of the BEAM's memory and scheduler: they have no meaning here and change nothing. */
const WITHOUT_MEANING = new Set([
  'priority',
  'fullsweep_after',
  'min_heap_size',
  'min_bin_vheap_size',
  'max_heap_size',
  'message_queue_data',
  'async_dist',
])

/** @returns undefined for an option that OTP answers with `badopt` */
export function readSpawnOptions(options: readonly Term[]): WireSpawnOptions | undefined {
  const result: WireSpawnOptions = { link: false, monitor: false }
  for (const option of options) {
    const name = atomName(option)
    if (name === 'link') result.link = true
    else if (name === 'monitor') result.monitor = true
    else if (option instanceof Tuple && option.elements.length === 2) {
      const [key] = option.elements
      const keyName = atomName(key)
      if (keyName === 'monitor') result.monitor = true
      else if (keyName === undefined || !WITHOUT_MEANING.has(keyName)) return undefined
    } else return undefined
  }
  return result
}
