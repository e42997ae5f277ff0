/**
 * A process of its own, bundled by the test that runs it: what glibc keeps and gives back shows in a process that does
 * nothing else. Prints the resident memory, in MiB, at the start, when much was moved and forgotten, and when all was given
 * back.
 */
import { BulkMemory, SYSTEM_HOST } from '../../src/net/bulk-memory.js'

const MiB = 1024 * 1024
const [keptBytes] = process.argv.slice(2).map(Number) as [number]
const timers: (() => void)[] = []
globalThis.setTimeout = ((f: () => void) => {
  timers.push(f)
  return { unref: () => timers, refresh: () => timers }
}) as unknown as typeof setTimeout

const resident: number[] = []
const turns = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve))
}
const note = (): void => void resident.push(Math.round(process.memoryUsage().rss / MiB))

const memory = new BulkMemory({ ...SYSTEM_HOST, heap: () => ({ old: 6 * MiB, external: 0 }) })
for (let i = 0; i < 2; i++) memory.moved(16 * MiB, keptBytes)
await turns()
note()
// Freed at once, not when V8 finds them to be garbage: by glibc's rules alone these stay.
for (let round = 0; round < 3; round++) {
  const { port1, port2 } = new MessageChannel()
  const pieces = Array.from({ length: 40 }, () => Buffer.alloc(MiB, 1).buffer)
  port1.postMessage(null, pieces)
  port2.close()
  await turns()
}
note()
for (let f = timers.shift(); f !== undefined; f = timers.shift()) {
  f()
  await turns()
}
note()
console.log(JSON.stringify(resident))
