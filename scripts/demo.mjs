// npm run demo            starts a node, shows it at work with a real Erlang node, and stays up until Ctrl-C
// npm run demo -- --once  ends after the demonstration; exit status 0 if everything in it worked
//
// Where there is no `erl`, a second beampeer process plays its part, and the output says so.
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { buildIfNeeded } from './build-if-needed.mjs'
import { Shell } from './demo-shell.mjs'

const NAME = 'js@127.0.0.1'

/** What is typed into the Erlang shell, and what the answer has to be. */
const ERLANG_STEPS = [
  [`rpc:call('${NAME}', intl, money, [1234567.5, <<"EUR">>, <<"de">>]).`, /1\.234\.567,50\s€/],
  [`rpc:call('${NAME}', intl, list, [["red", "green", "blue"], "en"]).`, /^<<"red, green, and blue">>$/],
  [`erpc:call('${NAME}', intl, sort, [["Zebra", "apple", "Apple"], "en"]).`, /apple.*Apple.*Zebra/s],
  [`rpc:call('${NAME}', os, cmd, ["whoami"]).`, /badrpc.*undef/s],
  [`{counter, '${NAME}'} ! {self(), 5}, receive {total, Sum} -> Sum after 5000 -> nothing end.`, /^5$/],
  [`Monitor = erlang:monitor(process, {counter, '${NAME}'}).`, /^#Ref</],
  [
    `{counter, '${NAME}'} ! stop, receive {'DOWN', Monitor, _, _, Why} -> Why after 5000 -> nothing end.`,
    /^normal$/,
  ],
  [`nodes(hidden).`, new RegExp(`^\\['${NAME}'\\]$`)],
]

/** The same for the shell of demo-peer.mjs. */
const PEER_STEPS = [
  [`await node.rpc.call('${NAME}', 'intl', 'money', [1234567.5, 'EUR', 'de'])`, /1\.234\.567,50\s€/],
  [
    `await node.rpc.call('${NAME}', 'intl', 'list', [['red', 'green', 'blue'], 'en'])`,
    /^<<"red, green, and blue">>$/,
  ],
  [`await node.rpc.call('${NAME}', 'os', 'cmd', ['whoami'])`, /undef/],
  [`await ask({ name: 'counter', node: '${NAME}' }, 5)`, /\{total,5\}/],
  [`await monitorAndStop({ name: 'counter', node: '${NAME}' })`, /'DOWN'.*normal/],
  [`node.nodes('hidden')`, new RegExp(NAME)],
]

const once = process.argv.includes('--once')
const cookie = process.env.BEAMPEER_COOKIE ?? `demo_${randomBytes(6).toString('hex')}`
let failures = 0
let stopping = false

const say = (text = '') => console.log(text)
const indent = (text) => text.replace(/^/gm, '    ')
const sinceStart = () => `${(performance.now() / 1_000).toFixed(1)} s`

if (buildIfNeeded()) say(`built in ${sinceStart()}`)
const { ErlangNode, print } = await import('../lib/index.js')
const intl = await import('../examples/intl.js')
const { default: startCounter } = await import('../examples/counter.js')

const epmdPort = await chooseEpmdPort()
process.env.ERL_EPMD_PORT = String(epmdPort)
const node = await ErlangNode.start(NAME, { cookie, epmd: 'embedded' })
node.expose('intl', intl)
keepCounter()
say(
  `${NAME} is up: an Erlang node in Node.js ${process.versions.node}, with an EPMD of its own on port ${epmdPort}`,
)
say('  functions   intl:money/3, sort/2, day/2, list/2, graphemes/1')
say('  process     counter')

process.once('SIGINT', stop)
process.once('SIGTERM', stop)
try {
  await demonstrate()
} catch (error) {
  failures++
  say(`\n${error.stack}`)
}
say(failures === 0 ? '\nEverything above worked.' : `\nSomething above did not work (${failures}).`)
if (!stopping) {
  printLines()
  if (once) await stop()
  say('\nStays up until Ctrl-C. Nodes that come and go:')
  for await (const event of node.monitorNodes({ nodeType: 'all', nodedownReason: true })) {
    say(`  ${event.type} ${event.node}${event.reason ? ` (${event.reason})` : ''}`)
  }
}

async function stop() {
  stopping = true
  await node.stop()
  process.exit(failures === 0 ? 0 : 1)
}

/** The registered process, started again whenever it was told to stop. */
function keepCounter() {
  if (stopping) return
  startCounter(node).signal.addEventListener('abort', () => setImmediate(keepCounter))
}

async function demonstrate() {
  const otp = findErlang()
  const peer = otp ? 'beam@127.0.0.1' : 'peer@127.0.0.1'
  say(
    otp
      ? `\nErlang/OTP ${otp} is installed: here is its shell, as node ${peer}`
      : `\nThere is no \`erl\` on this machine: a second beampeer process, ${peer}, plays its part`,
  )
  const shell = otp ? erlangShell(peer) : new Shell(process.execPath, [script('demo-peer.mjs'), peer, cookie])
  process.once('exit', () => shell.kill())
  let { prompt } = await shell.prompt()
  let answered = 0
  for (const [line, expected] of otp ? ERLANG_STEPS : PEER_STEPS) {
    shell.type(line)
    const answer = await shell.prompt()
    const time =
      answered++ === 0
        ? `\n  The first rpc:call was answered ${sinceStart()} after this command started.`
        : ''
    say(`${indent(`${prompt}${line}\n${answer.before}`)}${time}`)
    expect(answer.before, expected)
    prompt = answer.prompt
  }

  say(`\nThe other way round, ${NAME} calls and monitors ${peer}:`)
  const callSeq = () => node.rpc.call(peer, 'lists', 'seq', [1, 5])
  await show(`await node.rpc.call('${peer}', 'lists', 'seq', [1, 5])`, /^\[1,2,3,4,5\]$/, callSeq)
  await show(`await node.ping('${peer}')`, /^pong$/, () => node.ping(peer))

  const subscription = node.monitorNodes({ nodeType: 'all', nodedownReason: true })
  const name = otp ? 'init' : 'rex'
  const down = new Promise((resolve) =>
    node.spawn(async (self) => {
      self.monitor({ name, node: peer })
      resolve(await self.receive())
    }),
  )
  // The monitor has arrived when a call made after it is answered.
  await callSeq()
  const end = otp ? 'halt().' : 'process.exit()'
  say(indent(`${prompt}${end}`))
  shell.type(end)
  await show(`the monitor of ${name} on ${peer} brings`, /'DOWN'.*noconnection/, () => down)
  await show('node.monitorNodes() brings', /^nodedown .*connection_closed/, async () => {
    const { value: event } = await subscription.next()
    return `${event.type} ${event.node} ${event.reason}`
  })
  await subscription.return()
  await shell.exit
}

/** Prints an expression and its value, and compares that with what it should be. */
async function show(expression, expected, evaluate) {
  let text
  try {
    const value = await evaluate()
    text = typeof value === 'string' ? value : print(value)
  } catch (error) {
    text = `${error.name}: ${error.message}`
  }
  say(indent(`${expression}\n${text}`))
  expect(text, expected)
}

function expect(text, expected) {
  if (expected.test(text)) return
  failures++
  say(`  FAILED: this should match ${expected}`)
}

function printLines() {
  const port = epmdPort === 4369 ? '' : `ERL_EPMD_PORT=${epmdPort} `
  say(`
Try it from an Erlang shell: paste into another terminal
  ${port}erl +pc unicode -name me@127.0.0.1 -setcookie ${cookie}
  rpc:call('${NAME}', intl, money, [1234567.5, <<"EUR">>, <<"de">>]).
  rpc:call('${NAME}', intl, day, [erlang:system_time(second), <<"ja">>]).
  {counter, '${NAME}'} ! {self(), 5}, receive Total -> Total end.

From an Elixir shell
  ${port}iex --name me2@127.0.0.1 --cookie ${cookie}
  :rpc.call(:"${NAME}", :intl, :sort, [["Zebra", "Äpfel", "Apfel"], "de"])
  :erpc.call(:"${NAME}", :intl, :list, [["red", "green", "blue"], "en"])`)
}

/** The release of the `erl` on this machine, if there is one. */
function findErlang() {
  const code = 'io:put_chars(erlang:system_info(otp_release)), halt().'
  const args = ['-noinput', '-boot', 'start_clean', '-eval', code]
  const { status, stdout } = spawnSync('erl', args, { encoding: 'utf8' })
  return status === 0 ? stdout : undefined
}

function erlangShell(name) {
  // Its output is no terminal here, so it has to be told that it may print all characters.
  const unicode = ['+pc', 'unicode', '-eval', 'io:setopts(user, [{encoding, unicode}])']
  return new Shell('erl', [...unicode, '-start_epmd', 'false', '-name', name, '-setcookie', cookie])
}

function script(name) {
  return fileURLToPath(new URL(name, import.meta.url))
}

/** EPMD's port as the environment has it, or, where something listens on it, any free one. */
async function chooseEpmdPort() {
  const usual = Number(process.env.ERL_EPMD_PORT ?? 4369)
  const port = (await tryPort(usual)) ?? (await tryPort(0))
  if (port !== usual)
    say(`Port ${usual} is in use, by an EPMD perhaps: the one of this node takes port ${port}.`)
  return port
}

/** The port if it can be listened on. */
function tryPort(port) {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => {
      const { port: taken } = server.address()
      server.close(() => resolve(taken))
    })
  })
}
