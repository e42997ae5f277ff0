// The terminal sessions in the documentation, made by running them:
//
//   node scripts/transcripts.mjs            writes them into docs/phoenix.md and docs/scaling.md
//   node scripts/transcripts.mjs --check    says whether what the documents have is what happens; exit status 1 if not
//
// Each is a block below a line `<!-- transcript: NAME -->`. Pids and ports differ from run to run and are not compared.
import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { buildIfNeeded } from './build-if-needed.mjs'
import { Shell } from './demo-shell.mjs'

const COOKIE = 'secret'
const root = new URL('..', import.meta.url).pathname
process.chdir(root)
buildIfNeeded()
const { ErlangNode, atom } = await import('../lib/index.js')

const children = []
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
// EPMD, which was first, is last: a node might have the time to say that it lost it.
process.once('exit', () => children.toReversed().forEach((child) => child.kill('SIGKILL')))

const epmd = spawn(process.execPath, ['lib/cli/main.cjs', 'epmd', '--port', '0'], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
children.push(epmd)
const [, epmdPort] = /^ready (\d+)/.exec(await firstLine(epmd))
const env = { ERL_EPMD_PORT: epmdPort, BEAMPEER_COOKIE: COOKIE, LC_ALL: 'C.UTF-8' }
/** Looks on, so that a line is typed when what the line before it began has come about. */
const observer = await ErlangNode.start('transcripts@127.0.0.1', {
  cookie: COOKIE,
  epmd: { host: '127.0.0.1', port: Number(epmdPort) },
})

async function firstLine(child) {
  for await (const line of createInterface({ input: child.stdout })) return line
  throw new Error('a program ended before it printed a line')
}

/** What a terminal shows: commands as typed, and what they print. */
class Terminal {
  lines = []
  #shell
  #running

  /** A command that runs on, such as a beampeer node: its first line is waited for. */
  async run(shown, args, more = {}) {
    this.#running = spawn(process.execPath, ['lib/cli/main.cjs', ...args], {
      env: { ...process.env, ...env, ...more },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(this.#running)
    this.lines.push(`$ ${shown}`, await firstLine(this.#running))
  }

  async kill() {
    this.#running.kill('SIGKILL')
    await once(this.#running, 'exit')
  }

  /** A shell of a BEAM. */
  async open(shown, command, args, prompt) {
    this.#shell = new Shell(command, args, { ...env, ERL_ZFLAGS: '-start_epmd false' }, prompt)
    children.push(this.#shell)
    this.lines.push(`$ ${shown}`)
    this.lines.push((await this.#shell.prompt()).prompt)
  }

  async type(line) {
    this.lines.push(`${this.lines.pop()}${line}`)
    this.#shell.type(line)
    const { before, prompt } = await this.#shell.prompt()
    this.lines.push(...before.split('\n'), prompt)
  }

  end() {
    this.#shell.kill()
    this.lines.pop()
  }
}

async function until(what, check) {
  for (let attempt = 0; attempt < 2_000; attempt++) {
    if (await check()) return
    await pause(10)
  }
  throw new Error(`it did not come about: ${what}`)
}

/** Waits until a BEAM has so many members in a group. */
const members = (node, scope, group, count) =>
  until(`${count} members of ${group}`, async () => {
    const pids = await observer.rpc.call(node, 'pg', 'get_members', [atom(scope), atom(group)])
    return pids.length === count
  })

const TRANSCRIPTS = {
  async pubsub() {
    const [shop, stock] = [new Terminal(), new Terminal()]
    const iex = ['--name', 'shop@127.0.0.1', '--cookie', COOKIE, '-r', 'examples/pubsub/phoenix_pubsub.ex']
    await shop.open(`iex ${iex.join(' ')}`, 'iex', iex, /iex\([^()\s]+\)\d+> $/)
    await shop.type(
      '{:ok, _} = Supervisor.start_link([{Phoenix.PubSub, name: Shop.PubSub}], strategy: :one_for_one)',
    )
    const start = ['start', '--name', 'stock@127.0.0.1', '--module', 'stock=examples/pubsub.js']
    await stock.run(`BEAMPEER_COOKIE=${COOKIE} npx beampeer ${start.join(' ')}`, [
      ...start,
      '--epmd',
      'external',
    ])
    await members('shop@127.0.0.1', 'Elixir.Phoenix.PubSub', 'Elixir.Shop.PubSub.Adapter', 2)
    await shop.type('Phoenix.PubSub.subscribe(Shop.PubSub, "stock:tea")')
    await shop.type('Phoenix.PubSub.broadcast(Shop.PubSub, "orders", {:ordered, "tea", 3})')
    await shop.type('receive do message -> message end')
    await shop.type(':rpc.call(:"stock@127.0.0.1", :stock, :left, ["tea"])')
    shop.end()
    return [stock, shop]
  },

  async pool() {
    const [one, two, shell] = [new Terminal(), new Terminal(), new Terminal()]
    for (const [i, worker] of [one, two].entries()) {
      const start = ['start', '--name', `pool${i + 1}@127.0.0.1`, '--module', 'pool=examples/pool.js']
      await worker.run(`BEAMPEER_COOKIE=${COOKIE} npx beampeer ${start.join(' ')}`, [
        ...start,
        '--epmd',
        'external',
      ])
    }
    const erl = ['-name', 'app@127.0.0.1', '-setcookie', COOKIE]
    await shell.open(`erl ${erl.join(' ')}`, 'erl', erl, /\([^()\s]+\)\d+> $/)
    await shell.type('{ok, _} = pg:start(pool).')
    await shell.type("[net_kernel:connect_node(N) || N <- ['pool1@127.0.0.1', 'pool2@127.0.0.1']].")
    await members('app@127.0.0.1', 'pool', 'workers', 2)
    await shell.type('Nodes = lists:sort([node(P) || P <- pg:get_members(pool, workers)]).')
    await shell.type('erpc:call(hd(Nodes), pool, digest, [<<"text">>, 2000]).')
    await shell.type('erpc:multicall(Nodes, pool, digest, [<<"text">>, 1]).')
    await two.kill()
    two.lines.push('^C')
    await members('app@127.0.0.1', 'pool', 'workers', 1)
    await shell.type('[node(P) || P <- pg:get_members(pool, workers)].')
    await shell.type(
      '[element(1, Result) || Result <- erpc:multicall(Nodes, pool, digest, [<<"text">>, 1])].',
    )
    await one.kill()
    shell.end()
    return [one, two, shell]
  },
}

const DOCUMENTS = { pubsub: 'docs/phoenix.md', pool: 'docs/scaling.md' }
const masked = (text) => text.replace(/<\d+\.\d+\.\d+>/g, '<PID>').replace(/^(ready \S+) \d+$/gm, '$1 PORT')

let differences = 0
for (const [name, file] of Object.entries(DOCUMENTS)) {
  const terminals = await TRANSCRIPTS[name]()
  const made = terminals.map(({ lines }) => lines.join('\n')).join('\n\n')
  const document = readFileSync(file, 'utf8')
  const block = new RegExp(`(<!-- transcript: ${name} -->\n+\`\`\`\n)([^]*?)(\n\`\`\`\n)`)
  const found = block.exec(document)
  if (found === null) throw new Error(`${file} has no place for the transcript ${name}`)
  if (masked(found[2]) === masked(made)) continue
  differences++
  if (process.argv.includes('--check'))
    console.error(`${file} shows\n${found[2]}\n\nbut what happens is\n${made}\n`)
  else {
    writeFileSync(
      file,
      document.replace(block, (_, before, __, after) => before + made + after),
    )
    console.log(`${file}: ${name} written`)
  }
}
await observer.stop()
process.exit(process.argv.includes('--check') && differences > 0 ? 1 : 0)
