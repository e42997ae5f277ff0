/** `for await` over a process: its messages, until it ends. */
import '../../../src/etf/node.js'
import { internAtom } from '../../../src/etf/atom.js'
import type { Term } from '../../../src/etf/terms.js'
import { DEFAULT_LIMITS } from '../../../src/limits.js'
import { ProcessTable } from '../../../src/process/table.js'

const make = () =>
  new ProcessTable({
    name: internAtom('here@h'),
    creation: 1,
    limits: DEFAULT_LIMITS,
    outlet: { send: () => true, connect: () => undefined, checkConnection: () => undefined },
    onError: (error) => {
      throw error
    },
  })

test('they come in order, those that are there and those that are waited for; the end of the process ends them', async () => {
  const table = make()
  const taken: unknown[] = []
  const process = table.spawn(async (self) => {
    for await (const message of self) taken.push(message)
    taken.push('after')
  })
  table.send(process.pid, process.pid, 1)
  table.send(process.pid, process.pid, 2)
  await new Promise(setImmediate)
  table.send(process.pid, process.pid, 3)
  await new Promise(setImmediate)
  expect(taken).toEqual([1, 2, 3])
  process.exit(internAtom('kill'))
  await new Promise(setImmediate)
  expect(taken).toEqual([1, 2, 3, 'after'])
})

test('what a loop leaves, the next one takes; an iterator that was left has no more', async () => {
  const table = make()
  const process = table.spawn(() => new Promise(() => undefined))
  for (const message of [1, 2, 3]) table.send(process.pid, process.pid, message)
  const messages = process[Symbol.asyncIterator]()
  for await (const message of messages) {
    expect(message).toBe(1)
    break
  }
  expect(await messages.next()).toEqual({ value: undefined, done: true })
  const rest: Term[] = []
  for await (const message of process) {
    rest.push(message)
    if (rest.length === 2) break
  }
  expect(rest).toEqual([2, 3])
})

test('a process without a mailbox says so, once', async () => {
  const messages = make()
    .spawnHandler({ message: () => undefined })
    [Symbol.asyncIterator]()
  await expect(messages.next()).rejects.toMatchObject({ code: 'PROCESS_NO_MAILBOX' })
  expect(await messages.next()).toEqual({ value: undefined, done: true })
})

test('a process that has ended has none', async () => {
  const process = make().spawn(() => new Promise(() => undefined))
  process.exit(internAtom('kill'))
  const taken: unknown[] = []
  for await (const message of process) taken.push(message)
  expect(taken).toEqual([])
})
