/** The process `net_kernel`: who asks it cannot end it. */
import { EtfError } from '../../../src/errors.js'
import { atom } from '../../../src/etf/atom.js'
import { Tuple, tuple } from '../../../src/etf/tuple.js'
import { Cluster, inbox } from './support.js'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

test('a caller that cannot be answered ends nothing, and gets no process', async () => {
  const cluster = new Cluster()
  const { table } = cluster.member('a@virtual')
  table.setSpawnStarter(() => undefined)
  const { process, messages } = inbox({ table } as never)
  const netKernel = table.whereis('net_kernel')
  const send = table.send.bind(table)
  jest.spyOn(table, 'send').mockImplementation((from, to, message, options) => {
    if (message instanceof Tuple && message.elements[0] === 1) throw new EtfError('ETF_X', 'too wide')
    return send(from, to, message, options)
  })
  const ask = (tag: number, request: Tuple) =>
    process.send('net_kernel', tuple(atom('$gen_call'), tuple(process.pid, tag), request))
  const before = table.processCount
  ask(1, tuple(atom('is_auth'), atom('b@virtual')))
  for (const kind of ['spawn', 'spawn_link']) ask(1, tuple(atom(kind), atom('m'), atom('f'), [], process.pid))
  ask(2, tuple(atom('is_auth'), atom('b@virtual')))
  await turn()
  expect(messages).toEqual([tuple(2, atom('yes'))])
  expect(table.whereis('net_kernel')).toEqual(netKernel)
  expect([process.alive, table.processCount]).toEqual([true, before])
  expect(cluster.log.filter((line) => line.startsWith('net_kernel: '))).toHaveLength(3)
})
