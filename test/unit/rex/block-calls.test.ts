/** Block calls of `rex`, one after another: how many may wait. */
import { atom } from '../../../src/etf/atom.js'
import { print } from '../../../src/etf/print.js'
import { tuple } from '../../../src/etf/tuple.js'
import { ExposedTable } from '../../../src/rex/exposed.js'
import { startRex } from '../../../src/rex/rex-server.js'
import { RunningCalls } from '../../../src/rex/running-calls.js'
import { Cluster, inbox } from '../kernel/support.js'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

test('so many wait; further ones are answered, and none of those that wait is lost', async () => {
  const kernel = new Cluster().member('a@virtual')
  const { process, messages } = inbox(kernel)
  const table = new ExposedTable({ maxQueuedCalls: 100 })
  const ends: (() => void)[] = []
  table.expose('m', { wait: (n: number) => new Promise((resolve) => ends.push(() => resolve(n))) })
  const errors: unknown[] = []
  startRex({
    host: kernel.table,
    table,
    io: kernel.io,
    running: new RunningCalls(),
    onError: (error) => errors.push(error),
    makeGroupLeader: (write) => kernel.makeGroupLeader(write),
    maxQueuedCalls: 2,
  })
  const call = (n: number) =>
    process.send(
      'rex',
      tuple(
        atom('$gen_call'),
        tuple(process.pid, n),
        tuple(atom('block_call'), atom('m'), atom('wait'), [n], process.pid),
      ),
    )
  const replies = () => messages.splice(0).map((message) => print(message))
  for (let n = 1; n <= 5; n++) call(n)
  await turn()
  const refused = "{badrpc,{'EXIT',system_limit}}"
  expect(replies()).toEqual([`{4,${refused}}`, `{5,${refused}}`])
  for (let n = 1; n <= 3; n++) {
    expect(ends).toHaveLength(n)
    ends[n - 1]!()
    await turn()
    await turn()
    expect(replies()).toEqual([`{${n},${n}}`])
  }
  call(6)
  await turn()
  expect([ends.length, errors]).toEqual([4, []])
})
