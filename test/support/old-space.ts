/** What a piece of work leaves in V8's old generation. */
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function oldBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space')!.space_used_size
}

/**
 * Bytes of each of `times` runs of `work`, which is run as often before: what it uses is old by then, and compiled.
 * Twice, and the less of both: something else may have become old meanwhile.
 */
export function oldBytesOfEach(times: number, work: (i: number) => void): number {
  const measure = (): number => {
    collect()
    collect()
    const before = oldBytes()
    for (let i = 0; i < times; i++) work(i)
    return (oldBytes() - before) / times
  }
  measure()
  return Math.min(measure(), measure())
}
