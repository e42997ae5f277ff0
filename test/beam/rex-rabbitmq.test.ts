/** examples/rabbitmq.js against a broker of Debian's package. */
import { atom, tuple } from '../../src/index.js'
import { cookie, privateEpmd } from '../support/beam.js'
import { build } from '../support/cli.js'
import { startNode } from '../support/nodes.js'
import { run } from '../support/process.js'
import { startBroker } from '../support/rabbitmq.js'

test('reads status, queues and connections of a broker', async () => {
  const { name, process: broker } = await startBroker()
  const epmdPort = String(await privateEpmd())

  const node = await startNode()
  const queue = (text: string) => tuple(atom('resource'), '/', atom('queue'), text)
  for (const text of ['orders', 'mails']) {
    const args = [queue(text), true, false, [], atom('none'), 'test']
    await node.at(name).call('rabbit_amqqueue', 'declare', args)
  }

  build()
  const example = await run(process.execPath, ['examples/rabbitmq.js', name, '--json'], {
    env: { ERL_EPMD_PORT: epmdPort, BEAMPEER_COOKIE: cookie },
  })
  expect(example).toMatchObject({ code: 0, stderr: '' })
  const facts = JSON.parse(example.stdout) as { queues: { name: string }[] }
  facts.queues.sort((a, b) => (a.name < b.name ? -1 : 1))
  const declared = { vhost: '/', messages: 0, consumers: 0, state: 'running', durable: true }
  expect(facts).toEqual({
    version: expect.stringMatching(/^\d+\.\d+\.\d+/) as unknown,
    erlang: expect.stringMatching(/^Erlang\/OTP/) as unknown,
    members: [name],
    queues: [
      { ...declared, name: 'mails' },
      { ...declared, name: 'orders' },
    ],
    connections: [],
  })
  // It leaves no trace but its connection, which is gone with it.
  expect(await node.erpc.call(name, 'erlang', 'nodes', [atom('connected')])).toEqual([atom(node.name)])

  await node
    .at(name)
    .rpcCall('rabbit', 'stop_and_halt')
    .catch(() => {})
  await broker.exit
}, 300_000)
