/** A RabbitMQ broker of Debian's package, in a directory of its own. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { closeAtEnd, cookie, freePort, privateEpmd, uniqueName } from './beam.js'
import { installPeer } from './peers.js'
import { run, start, type RunningProcess } from './process.js'

const INSTALLED = '/usr/lib/rabbitmq/lib'

export interface Broker {
  readonly name: string
  readonly process: RunningProcess
  /** Runs one of its command line tools, such as `rabbitmqctl`. */
  tool(program: string, ...args: string[]): ReturnType<typeof run>
}

/** Starts a broker without plugins and waits until it serves. It is a node of the test file's EPMD and cookie. */
export async function startBroker(): Promise<Broker> {
  await installPeer('rabbitmq')
  const name = uniqueName('rabbit')
  const [release = ''] = await readdir(INSTALLED)
  const program = (file: string): string => join(INSTALLED, release, 'sbin', file)
  const directory = await mkdtemp(join(tmpdir(), 'beampeer-rabbitmq-'))
  await writeFile(join(directory, 'plugins'), '[].')
  const env = {
    HOME: directory,
    ERL_EPMD_PORT: String(await privateEpmd()),
    RABBITMQ_USE_LONGNAME: 'true',
    RABBITMQ_NODENAME: name,
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_MNESIA_BASE: join(directory, 'db'),
    RABBITMQ_LOG_BASE: join(directory, 'log'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, 'plugins'),
  }
  const broker = await start(program('rabbitmq-server'), [], {
    env: {
      ...env,
      RABBITMQ_NODE_PORT: String(await freePort()),
      RABBITMQ_DIST_PORT: String(await freePort()),
      RABBITMQ_LOGS: '-',
      RABBITMQ_FEATURE_FLAGS_FILE: join(directory, 'flags'),
      RABBITMQ_PID_FILE: join(directory, 'pid'),
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `-setcookie ${cookie} -start_epmd false`,
    },
  })
  closeAtEnd(() => rm(directory, { recursive: true, force: true }))
  await broker.waitForLine(/Server startup complete/)
  return {
    name,
    process: broker,
    tool: (file, ...args) => run(program(file), ['--erlang-cookie', cookie, '--longnames', ...args], { env }),
  }
}
