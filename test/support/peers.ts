/** What some tests talk to besides Erlang nodes, installed where it is missing and that is allowed. */
import { resolve } from 'node:path'
import { run } from './process.js'

/** @throws Error naming the packages, where they cannot be installed */
export async function installPeer(peer: 'rabbitmq' | 'ejabberd' | 'java' | 'c' | 'tmux'): Promise<void> {
  const { code, stderr } = await run('bash', [resolve('scripts/install-peers.sh'), peer])
  if (code !== 0) throw new Error(stderr)
}
