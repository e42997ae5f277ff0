/**
 * Hosts of a test's own: network namespaces joined by a bridge, each with one address, which can be cut from each other.
 * Needs the right to make them (root on Linux) and `ip` of iproute2.
 *
 *     const net = new Islands()
 *     const a = net.add(), b = net.add()          // { address: '10.201.7.1', prefix: ['ip', 'netns', 'exec', …] }
 *     net.cut([a], [b]); net.heal()
 */
import { execFileSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { closeAtEnd, spawnTracked, until } from './children.js'

export interface Island {
  readonly address: string
  /** Goes before a command that is to run there. */
  readonly prefix: readonly string[]
  readonly namespace: string
}

const ip = (...args: string[]): string =>
  execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' })

export class Islands {
  readonly #id = `bp${process.pid % 100_000}x${randomInt(1000)}`
  readonly #net = `10.${200 + randomInt(50)}.${randomInt(250)}`
  readonly #islands: Island[] = []
  #cut: [Island, Island][] = []
  #removed = false

  constructor() {
    ip('netns', 'add', this.#hub)
    closeAtEnd(() => this.remove())
    // Also when the test's process is stopped before its end.
    process.once('exit', () => this.remove())
    ip('-n', this.#hub, 'link', 'add', 'bridge', 'type', 'bridge')
    ip('-n', this.#hub, 'link', 'set', 'bridge', 'up')
  }

  get #hub(): string {
    return `${this.#id}-hub`
  }

  add(): Island {
    const number = this.#islands.length + 1
    const namespace = `${this.#id}-${number}`
    const address = `${this.#net}.${number}`
    ip('netns', 'add', namespace)
    const island = { address, namespace, prefix: ['ip', 'netns', 'exec', namespace] }
    this.#islands.push(island)
    const port = `port${number}`
    ip('-n', namespace, 'link', 'add', 'eth', 'type', 'veth', 'peer', 'name', port, 'netns', this.#hub)
    ip('-n', this.#hub, 'link', 'set', port, 'master', 'bridge', 'up')
    ip('-n', namespace, 'addr', 'add', `${address}/24`, 'dev', 'eth')
    ip('-n', namespace, 'link', 'set', 'lo', 'up')
    ip('-n', namespace, 'link', 'set', 'eth', 'up')
    return island
  }

  /** Nothing passes between the two sides any more; connections stay open and silent. */
  cut(one: readonly Island[], other: readonly Island[]): void {
    for (const a of one) {
      for (const b of other) {
        ip('-n', a.namespace, 'route', 'add', 'blackhole', `${b.address}/32`)
        ip('-n', b.namespace, 'route', 'add', 'blackhole', `${a.address}/32`)
        this.#cut.push([a, b])
      }
    }
  }

  /** Everything passes again. */
  heal(): void {
    for (const [a, b] of this.#cut) {
      ip('-n', a.namespace, 'route', 'del', 'blackhole', `${b.address}/32`)
      ip('-n', b.namespace, 'route', 'del', 'blackhole', `${a.address}/32`)
    }
    this.#cut = []
  }

  /** Starts OTP's EPMD there. */
  async startEpmd(island: Island, port: number): Promise<void> {
    const [program = 'ip', ...rest] = [
      ...island.prefix,
      'epmd',
      '-port',
      String(port),
      '-relaxed_command_check',
    ]
    await spawnTracked(program, rest, { stdio: 'ignore' })
    await until(() => this.#answers(island, port), { what: `epmd on ${island.address}` })
  }

  #answers(island: Island, port: number): boolean {
    try {
      const [program = 'ip', ...rest] = [...island.prefix, 'epmd', '-port', String(port), '-names']
      execFileSync(program, rest, { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  }

  remove(): void {
    if (this.#removed) return
    this.#removed = true
    for (const { namespace } of this.#islands.splice(0)) ip('netns', 'del', namespace)
    ip('netns', 'del', this.#hub)
  }
}
