/** examples/rabbitmq.js against a broker of Debian's package. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { atom, tuple } from '../../src/index.js'
import { closeAtEnd, cookie, freePort, privateEpmd, uniqueName } from '../support/beam.js'
import { build } from '../support/cli.js'
import { startNode } from '../support/nodes.js'
import { installPeer } from '../support/peers.js'
import { run, start } from '../support/process.js'

const INSTALLED = '/usr/lib/rabbitmq/lib'

test('reads status, queues and connections of a broker', async () => {
  await installPeer('rabbitmq')
  const name = uniqueName('rabbit')
  const epmdPort = String(await privateEpmd())
  const [release = ''] = await readdir(INSTALLED)
  const directory = await mkdtemp(join(tmpdir(), 'beampeer-rabbitmq-'))
  await writeFile(join(directory, 'plugins'), '[].')
  const broker = await start(join(INSTALLED, release, 'sbin', 'rabbitmq-server'), [], {
    env: {
      HOME: directory,
      ERL_EPMD_PORT: epmdPort,
      RABBITMQ_USE_LONGNAME: 'true',
      RABBITMQ_NODENAME: name,
      RABBITMQ_NODE_PORT: String(await freePort()),
      RABBITMQ_DIST_PORT: String(await freePort()),
      RABBITMQ_MNESIA_BASE: join(directory, 'db'),
      RABBITMQ_LOG_BASE: join(directory, 'log'),
      RABBITMQ_LOGS: '-',
      RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, 'plugins'),
      RABBITMQ_FEATURE_FLAGS_FILE: join(directory, 'flags'),
      RABBITMQ_CONF_ENV_FILE: '/dev/null',
      RABBITMQ_PID_FILE: join(directory, 'pid'),
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `-setcookie ${cookie} -start_epmd false`,
    },
  })
  closeAtEnd(() => rm(directory, { recursive: true, force: true }))
  await broker.waitForLine(/Server startup complete/)

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
