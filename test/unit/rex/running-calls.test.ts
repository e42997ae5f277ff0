import type { Process } from '../../../src/process/process.js'
import { RunningCalls } from '../../../src/rex/running-calls.js'

const fakeProcess = () => ({ alive: true }) as { alive: boolean } & Process

test('idle when every call has ended, or its process was ended', async () => {
  const running = new RunningCalls()
  await running.idle()
  const ends: (() => void)[] = []
  const call = () => new Promise<void>((resolve) => ends.push(resolve))
  const first = fakeProcess()
  const second = fakeProcess()
  const killed = fakeProcess()
  running.note(first, call())
  running.note(second, call())
  running.note(killed, call())
  killed.alive = false
  expect(running.count).toBe(2)
  let idle = false
  const wait = running.idle().then(() => (idle = true))
  ends[0]?.()
  await Promise.resolve()
  await Promise.resolve()
  expect(idle).toBe(false)
  ends[1]?.()
  await wait
  expect(running.count).toBe(0)
})
