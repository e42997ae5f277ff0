/** An ejabberd server of Debian's package, in a directory of its own, run as the package's user. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { closeAtEnd, cookie, privateEpmd, uniqueName } from './beam.js'
import { installPeer } from './peers.js'
import { run, start, type RunningProcess } from './process.js'

const PROGRAM = '/usr/sbin/ejabberdctl'

export interface Ejabberd {
  readonly name: string
  readonly process: RunningProcess
  /** Runs `ejabberdctl`, for this server or for another node. */
  ctl(args: readonly string[], node?: string): ReturnType<typeof run>
}

/** Starts a server that serves nobody (no listeners) and waits until it has started. */
export async function startEjabberd(): Promise<Ejabberd> {
  await installPeer('ejabberd')
  const name = uniqueName('ejabberd')
  const directory = await mkdtemp(join(tmpdir(), 'beampeer-ejabberd-'))
  await chmod(directory, 0o777)
  const files = {
    config: join(directory, 'ejabberd.yml'),
    'ctl-config': join(directory, 'ejabberdctl.cfg'),
    'config-dir': directory,
    logs: directory,
    spool: directory,
  }
  await writeFile(
    files.config,
    'hosts: [localhost]\nloglevel: info\nacme: {auto: false}\nlisten: []\nmodules: {}\n',
  )
  await writeFile(
    files['ctl-config'],
    `ERL_OPTIONS="-setcookie ${cookie} -start_epmd false -env ERL_CRASH_DUMP_BYTES 0"\n`,
  )
  await writeFile(join(directory, 'inetrc'), '{lookup, ["file", "native"]}.\n')
  const where = (node: string): string[] => [
    ...Object.entries(files).flatMap(([option, file]) => [`--${option}`, file]),
    '--node',
    node,
  ]
  const env = { ERL_EPMD_PORT: String(await privateEpmd()) }
  const ctl: Ejabberd['ctl'] = (args, node = name) => run(PROGRAM, [...where(node), ...args], { env })
  const process = await start(PROGRAM, [...where(name), 'foreground'], { env })
  closeAtEnd(() => rm(directory, { recursive: true, force: true }))
  await process.waitForLine(/ejabberd \S+ is started in the node/)
  return { name, process, ctl }
}
