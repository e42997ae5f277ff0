/**
 * A process of its own, bundled by the test that runs it: how inexactly Linux ends sleeps of its threads, in nanoseconds.
 * Prints that of the main thread, of one that has slept, of the main thread after that, and when it has slept itself.
 */
import { readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { sleep } from '../../src/net/sleep.js'

function slackNs(): number {
  const thread = readlinkSync('/proc/thread-self').split('/').at(-1)
  return Number(readFileSync(`/proc/${thread}/timerslack_ns`, 'latin1'))
}

if (isMainThread) {
  // Not what it has inherited.
  writeFileSync('/proc/self/timerslack_ns', '50000')
  const seen = [slackNs()]
  new Worker(new URL(import.meta.url)).once('message', (inWorker: number) => {
    seen.push(inWorker, slackNs())
    const slept = sleep(0.01)
    console.log(JSON.stringify({ slept, slackNs: [...seen, slackNs()] }))
  })
} else {
  sleep(0.01)
  parentPort!.postMessage(slackNs())
}
