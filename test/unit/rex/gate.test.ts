/** Gates under random arrivals, ends and deaths: never too many at once, nobody forgotten. */
import '../../../src/etf/node.js'
import fc from 'fast-check'
import { internAtom } from '../../../src/etf/atom.js'
import { Pid } from '../../../src/etf/identifiers.js'
import type { Process } from '../../../src/process/process.js'
import { CallerOrder, Gate, type Refusal } from '../../../src/rex/gate.js'

const node = internAtom('a@h')
const turns = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}

/** As much of a process as a gate sees. */
function fakeProcess(): { process: Process; die(): void } {
  const controller = new AbortController()
  const process = {
    get alive() {
      return !controller.signal.aborted
    },
    signal: controller.signal,
  }
  return { process: process as unknown as Process, die: () => controller.abort() }
}

interface Call {
  running: boolean
  ended: boolean
  order: number
  caller: number
  result: Refusal | string | undefined
  finish(): void
  die(): void
}

async function play(
  steps: readonly (readonly [number, number])[],
  concurrency: number | undefined,
  order: boolean,
  maxQueued: number,
) {
  const limits = {
    ...(concurrency !== undefined && { concurrency }),
    ...(order && { order: 'caller' as const }),
  }
  const gate = Gate.of('test', limits, new CallerOrder(), maxQueued) as Gate
  const calls: Call[] = []
  const started: Call[] = []
  for (const [kind, which] of steps) {
    if (kind < 2) {
      const { process, die } = fakeProcess()
      let finish = () => {}
      const end = new Promise<string>((resolve) => (finish = () => resolve('value')))
      const call: Call = {
        running: false,
        ended: false,
        order: calls.length,
        caller: which % 3,
        result: undefined,
        finish,
        die: () => {
          die()
          // It may run on, but it is nobody's call any more.
          call.running = false
          call.ended = true
        },
      }
      calls.push(call)
      const passed = gate.pass<string>(process, new Pid(node, call.caller, 0, 1), () => {
        call.running = !call.ended
        started.push(call)
        return end
      })
      void Promise.resolve(passed).then((result) => {
        call.result = result
        call.running = false
        call.ended = true
      })
    } else {
      const open = calls.filter(({ ended }) => !ended)
      const call = open[which % Math.max(1, open.length)]
      if (kind === 2) {
        if (call?.running) call.finish()
      } else call?.die()
    }
    await turns()
    expect(calls.filter(({ running }) => running).length).toBeLessThanOrEqual(concurrency ?? Infinity)
    if (order) {
      for (const caller of [0, 1, 2]) {
        expect(calls.filter((one) => one.running && one.caller === caller).length).toBeLessThanOrEqual(1)
      }
    }
    expect(gate.queued).toBeLessThanOrEqual(maxQueued)
  }
  // Everything comes to its end.
  for (let i = 0; i < calls.length + 1; i++) {
    for (const call of calls) if (call.running) call.finish()
    await turns()
  }
  expect(calls.filter(({ ended }) => !ended)).toEqual([])
  expect(gate.queued).toBe(0)
  return { calls, started }
}

const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.nat(20)), { maxLength: 40 })

test('never more at once than allowed, and every call ends', async () => {
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      fc.boolean(),
      async (all, concurrency, order) => {
        if (concurrency === undefined && !order) return
        await play(all, concurrency, order, 1_000)
      },
    ),
    { seed: 20, numRuns: 150 },
  )
})

test('first come, first served', async () => {
  const arrivals = Array.from({ length: 12 }, (_, i) => [0, i] as const)
  const { started } = await play(arrivals, 2, false, 1_000)
  expect(started.map(({ order }) => order)).toEqual(arrivals.map((_, i) => i))
})

test('at the limit of the queue a call waits, one past it is refused', async () => {
  const { calls } = await play(
    [
      [0, 0],
      [0, 0],
      [0, 0],
      [0, 0],
    ],
    1,
    false,
    2,
  )
  expect(calls.map(({ result }) => result)).toEqual([
    'value',
    'value',
    'value',
    { refused: internAtom('system_limit') },
  ])
})

test('limits that let everything through need no gate', () => {
  expect(Gate.of('test', {}, new CallerOrder(), 1)).toBeUndefined()
})
