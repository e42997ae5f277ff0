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

const startedAt = performance.timeOrigin
const sinceStart = () => `${((performance.timeOrigin + performance.now() - startedAt) / 1_000).toFixed(1)} s`
const once = process.argv.includes('--once')
const NAME = 'js@127.0.0.1'
const cookie = process.env.BEAMPEER_COOKIE ?? `demo_${randomBytes(6).toString('hex')}`

const say = (text = '') => console.log(text)
const indent = (text) => text.replace(/^/gm, '    ')

if (buildIfNeeded()) say(`built (${sinceStart()})`)
const { ErlangNode, print } = await import('../lib/index.js')
const intl = await import('../examples/intl.js')
const { default: startCounter } = await import('../examples/counter.js')

const wanted = Number(process.env.ERL_EPMD_PORT ?? 4369)
const epmdPort = (await isFree(wanted)) ? wanted : await freePort()
if (epmdPort !== wanted) say(`port ${wanted} is in use: this node's EPMD takes port ${epmdPort} instead`)
process.env.ERL_EPMD_PORT = String(epmdPort)

const node = await ErlangNode.start(NAME, { cookie, epmd: 'embedded' })
node.expose('intl', intl)
keepCounter()
say(
  `${NAME} is up: an Erlang node in Node.js ${process.versions.node}, with an EPMD of its own on port ${epmdPort}`,
)
say('  functions   intl:money/3, sort/2, day/2, list/2, graphemes/1')
say('  process     counter')

let failures = 0
try {
  await demonstrate()
} catch (error) {
  failures++
  say(`\n${error.stack}`)
}
say(failures === 0 ? '\nEverything above worked.' : `\n${failures} of the above did not work.`)
printLines()
if (once) {
  await node.stop()
  process.exit(failures === 0 ? 0 : 1)
}
say('\nStays up until Ctrl-C. Nodes that come and go:')
void reportNodes()
process.once('SIGINT', stop)
process.once('SIGTERM', stop)

async function stop() {
  await node.stop()
  process.exit(failures === 0 ? 0 : 1)
}

/** The registered process, started again whenever it was told to stop. */
function keepCounter() {
  const counter = startCounter(node)
  counter.signal.addEventListener('abort', () => setImmediate(() => node.isAlive() && keepCounter()))
}

/** What is typed into the other node's shell, and what the answer has to be. */
const ERLANG_STEPS = [
  [`rpc:call('${NAME}', intl, money, [1234567.5, <<"EUR">>, <<"de">>]).`, /1\.234\.567,50\s€/],
  [`rpc:call('${NAME}', intl, list, [["red", "green", "blue"], "en"]).`, /<<"red, green, and blue">>/],
  [
    `erpc:call('${NAME}', intl, graphemes, [[16#65, 16#301, 16#1F469, 16#200D, 16#1F680]]).`,
    /^\[<<.*>>,\s*<<.*>>\]$/s,
  ],
  [`rpc:call('${NAME}', os, cmd, ["rm -rf /"]).`, /badrpc.*undef/s],
  [`{counter, '${NAME}'} ! {self(), 5}, receive {total, Sum} -> Sum after 5000 -> nothing end.`, /^5$/],
  [`Monitor = erlang:monitor(process, {counter, '${NAME}'}).`, /^#Ref</],
  [
    `{counter, '${NAME}'} ! stop, receive {'DOWN', Monitor, _, _, Why} -> Why after 5000 -> nothing end.`,
    /^normal$/,
  ],
]
const PEER_STEPS = [
  [`await node.rpc.call('${NAME}', 'intl', 'money', [1234567.5, 'EUR', 'de'])`, /1\.234\.567,50\s€/],
  [
    `await node.rpc.call('${NAME}', 'intl', 'list', [['red', 'green', 'blue'], 'en'])`,
    /<<"red, green, and blue">>/,
  ],
  [`await node.rpc.call('${NAME}', 'os', 'cmd', ['rm -rf /'])`, /undef/],
  [`await ask({ name: 'counter', node: '${NAME}' }, 5)`, /\{total,5\}/],
  [`await stopAndMonitor({ name: 'counter', node: '${NAME}' })`, /'DOWN'.*normal/],
]

async function demonstrate() {
  const otp = erlang()
  const peer = otp ? 'beam@127.0.0.1' : 'peer@127.0.0.1'
  say(
    otp
      ? `\nErlang/OTP ${otp} is installed: here is its shell, as node ${peer}`
      : `\nThere is no \`erl\` on this machine: a second beampeer process, ${peer}, plays its part`,
  )
  const shell = otp
    ? erlangShell(peer)
    : new Shell(process.execPath, [script('demo-peer.mjs'), peer, cookie], {})
  // What is started here ends with us, whatever happens.
  process.once('exit', () => shell.kill())
  const lines = otp ? ERLANG_STEPS : PEER_STEPS
  let { prompt } = await shell.prompt()
  let first = true
  for (const [line, expected] of lines) {
    shell.type(line)
    const answer = await shell.prompt()
    say(indent(`${prompt}${line}\n${answer.before}`))
    if (first) say(`  the first rpc:call was answered ${sinceStart()} after this command was started`)
    first = false
    expect(answer.before, expected)
    prompt = answer.prompt
  }

  say(`\nThe other way round, ${NAME} calls and monitors ${peer}:`)
  await show(`node.rpc.call('${peer}', 'lists', 'seq', [1, 5])`, /^\[1,2,3,4,5\]$/, () =>
    node.rpc.call(peer, 'lists', 'seq', [1, 5]),
  )
  await show(`node.ping('${peer}')`, /^pong$/, () => node.ping(peer))

  const ended = new AbortController()
  const events = node.monitorNodes({ nodeType: 'all', nodedownReason: true, signal: ended.signal })
  const name = otp ? 'init' : 'rex'
  const down = new Promise((resolve) =>
    node.spawn(async (self) => {
      self.monitor({ name, node: peer })
      resolve(await self.receive())
    }),
  )
  // The monitor has arrived when a call made after it is answered.
  await node.rpc.call(peer, 'lists', 'seq', [1, 1])
  say(indent(`${prompt}${otp ? 'halt().' : 'process.exit()'}`))
  shell.type(otp ? 'halt().' : 'process.exit()')
  await show(`self.monitor({ name: '${name}', node: '${peer}' }) brings`, /'DOWN'.*noconnection/, () => down)
  const { value: event } = await events.next()
  await show(`node.monitorNodes({ nodedownReason: true }) brings`, /^nodedown .*connection_closed/, () =>
    Promise.resolve(`${event.type} ${event.node} ${event.reason}`),
  )
  ended.abort()
  await shell.exit
}

/** The release of the `erl` on this machine, if there is one. */
function erlang() {
  const code = 'io:put_chars(erlang:system_info(otp_release)), halt().'
  const { status, stdout } = spawnSync('erl', ['-noinput', '-boot', 'start_clean', '-eval', code], {
    encoding: 'utf8',
  })
  return status === 0 ? stdout : undefined
}

function erlangShell(name) {
  const unicode = ['+pc', 'unicode', '-eval', 'io:setopts(user, [{encoding, unicode}])']
  return new Shell('erl', [...unicode, '-start_epmd', 'false', '-name', name, '-setcookie', cookie], {
    ERL_CRASH_DUMP_BYTES: '0',
  })
}

const script = (name) => fileURLToPath(new URL(name, import.meta.url))

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** Prints a JavaScript expression and its value, and compares that with what it should be. */
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
Paste into a terminal to try it from an Erlang shell:
  ${port}erl +pc unicode -name me@127.0.0.1 -setcookie ${cookie}
  rpc:call('${NAME}', intl, money, [1234567.5, <<"EUR">>, <<"de">>]).
  rpc:call('${NAME}', intl, day, [erlang:system_time(second), <<"ja">>]).
  {counter, '${NAME}'} ! {self(), 5}, receive Total -> Total end.

From an Elixir shell:
  ${port}iex --name me2@127.0.0.1 --cookie ${cookie}
  :rpc.call(:"${NAME}", :intl, :sort, [["Zebra", "Äpfel", "Apfel"], "de"])
  :erpc.call(:"${NAME}", :intl, :list, [["red", "green", "blue"], "en"])`)
}

async function reportNodes() {
  for await (const event of node.monitorNodes({ nodeType: 'all', nodedownReason: true })) {
    say(`  ${event.type} ${event.node}${event.reason ? ` (${event.reason})` : ''}`)
  }
}
