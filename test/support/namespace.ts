/**
 * A network namespace with one link to this one, to cut and to mend: for partitions between nodes. Linux, and root.
 *
 *     const net = await makeNamespace()      // net.near: an address here; net.far: one in there
 *     await startBeam({ name: `a@${net.far}`, env: net.env })
 *     net.cut(); net.mend()
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { closeAtEnd, privateEpmd, until } from './beam.js'
import { spawnTracked } from './children.js'
import { onPath } from './otp.js'

export interface Namespace {
  /** The address of this side. */
  near: string
  /** The address in the namespace. */
  far: string
  /** For `startBeam`: the node runs in the namespace. */
  env: Record<string, string>
  /** Takes the link down: nothing passes, and nobody is told. */
  cut(): void
  mend(): void
  /** Drops what the namespace sends us; what we send still arrives. */
  mute(): void
  unmute(): void
}

let count = 0

/** Makes one, with an EPMD inside on the port that the test file's EPMD has outside; it goes with the test file. */
export async function makeNamespace(): Promise<Namespace> {
  // Names of links have at most 15 characters.
  const id = `${process.pid.toString(36)}${(count++).toString(36)}`
  const name = `bp${id}`
  const [inside, outside] = [`bi${id}`, `bo${id}`]
  // 10.64.0.0/10, by process: test files that run side by side do not meet.
  const block = (process.pid * 64 + count * 4) % 2 ** 22
  const prefix = `10.${64 + (block >> 16)}.${(block >> 8) & 255}`
  const [near, far] = [`${prefix}.${(block & 255) + 1}`, `${prefix}.${(block & 255) + 2}`]
  closeAtEnd(() => {
    for (const args of [
      ['link', 'del', outside],
      ['netns', 'del', name],
    ]) {
      try {
        execFileSync('ip', args, { stdio: 'ignore' })
      } catch {
        // What was never made, or went with the other, needs no removal.
      }
    }
  })
  ip('netns', 'add', name)
  ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', inside)
  ip('link', 'set', inside, 'netns', name)
  ip('addr', 'add', `${near}/30`, 'dev', outside)
  ip('link', 'set', outside, 'up')
  within('ip', 'addr', 'add', `${far}/30`, 'dev', inside)
  within('ip', 'link', 'set', inside, 'up')
  within('ip', 'link', 'set', 'lo', 'up')
  // A link to nowhere, for what the namespace shall not get out. (A blackhole route would also refuse what comes in.)
  within('ip', 'link', 'add', 'nowhere', 'type', 'veth', 'peer', 'name', 'nobody')
  within('ip', 'link', 'set', 'nowhere', 'arp', 'off', 'up')
  within('ip', 'link', 'set', 'nobody', 'up')

  const port = await privateEpmd()
  await spawnTracked('ip', ['netns', 'exec', name, 'epmd', '-port', String(port)], { stdio: 'ignore' })
  await until(() => accepts(far, port), { what: `epmd at ${far}:${port}` })

  function within(...args: string[]): void {
    ip('netns', 'exec', name, ...args)
  }
  return {
    near,
    far,
    env: wrapper(name),
    cut: () => ip('link', 'set', outside, 'down'),
    mend: () => ip('link', 'set', outside, 'up'),
    mute: () => within('ip', 'route', 'add', `${near}/32`, 'dev', 'nowhere'),
    unmute: () => within('ip', 'route', 'del', `${near}/32`, 'dev', 'nowhere'),
  }
}

/** A directory in front of the PATH in which `erl` is one that runs in the namespace. */
function wrapper(namespace: string): Record<string, string> {
  const erl = onPath('erl')
  if (erl === undefined) throw new Error('no `erl` on the PATH')
  const directory = mkdtempSync(join(tmpdir(), 'beampeer-netns-'))
  closeAtEnd(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'erl')
  writeFileSync(file, `#!/bin/sh\nexec ip netns exec ${namespace} ${erl} "$@"\n`)
  chmodSync(file, 0o755)
  return { PATH: directory + delimiter + (process.env.PATH ?? '') }
}

function ip(...args: string[]): void {
  try {
    execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  } catch (error) {
    throw new Error(
      `ip ${args.join(' ')} failed: tests of partitions need Linux, iproute2 and root (network namespaces)`,
      { cause: error },
    )
  }
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
