// What a pool of 1, 2, 4 and 8 Node processes does for a BEAM that calls examples/pool.js through its process group:
//
//   node scripts/pool-figures.mjs [--calls 1000] [--sizes 1,2,4,8] [--write]
//
// The BEAM keeps eight calls under way for each member. Printed, and with --write put into docs/scaling.md, are the calls
// answered per second, how much of the machine they had for it, and, what other programs on it hardly change, the processor
// time that one call costs the Node processes and the BEAM. Needs Erlang/OTP and Linux.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { buildIfNeeded } from './build-if-needed.mjs'

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '1000' },
    sizes: { type: 'string', default: '1,2,4,8' },
    write: { type: 'boolean', default: false },
  },
})
const calls = Number(values.calls)
const root = new URL('..', import.meta.url).pathname
const cookie = 'pool_figures'
const running = []

buildIfNeeded()
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')))

function start(command, args, env = {}) {
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, BEAMPEER_COOKIE: cookie, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  running.push(child)
  return child
}

async function line(child, pattern) {
  for await (const text of createInterface({ input: child.stdout })) {
    const match = pattern.exec(text)
    if (match !== null) return match
  }
  throw new Error(`a program ended before it printed ${pattern}`)
}

const epmd = start(process.execPath, ['lib/cli/main.cjs', 'epmd', '--port', '0'])
const [, epmdPort] = await line(epmd, /^ready (\d+)/)

/** Milliseconds of processor time that a process has used. */
function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

async function measure(size, rounds, calls) {
  const names = Array.from({ length: size }, (_, i) => `pool${size}_${i + 1}@127.0.0.1`)
  const env = { ERL_EPMD_PORT: epmdPort }
  const workers = names.map((name) =>
    start(
      process.execPath,
      [
        'lib/cli/main.cjs',
        'start',
        '--name',
        name,
        '--epmd',
        'external',
        '--module',
        'pool=examples/pool.js',
      ],
      env,
    ),
  )
  await Promise.all(workers.map((worker) => line(worker, /^ready/)))
  const program = `
    {ok, _} = pg:start(pool),
    [true = net_kernel:connect_node(N) || N <- [${names.map((name) => `'${name}'`)}]],
    Wait = fun W() -> case length(pg:get_members(pool, workers)) of ${size} -> ok; _ -> erlang:yield(), W() end end,
    Wait(),
    Nodes = list_to_tuple([node(P) || P <- pg:get_members(pool, workers)]),
    Count = counters:new(1, []),
    Caller = fun C(I) ->
      case counters:get(Count, 1) >= ${calls} of
        true -> ok;
        false ->
          counters:add(Count, 1, 1),
          <<_:64/binary>> = erpc:call(element(I rem ${size} + 1, Nodes), pool, digest, [<<"text">>, ${rounds}]),
          C(I)
      end
    end,
    Run = fun() ->
      {Us, _} = timer:tc(fun() ->
        Ps = [spawn_monitor(fun() -> Caller(I) end) || I <- lists:seq(1, ${size * 8})],
        [receive {'DOWN', R, process, P, normal} -> ok end || {P, R} <- Ps] end),
      Us end,
    %% Until each worker's just-in-time compiler is done.
    counters:put(Count, 1, ${Math.min(calls - size * 200, Math.floor(calls / 2))}), Run(),
    io:format("begin~n"), timer:sleep(100),
    counters:put(Count, 1, 0),
    {Before, _} = statistics(runtime),
    Us = Run(),
    {After, _} = statistics(runtime),
    io:format("~b ~b~n", [${calls} * 1000000 div Us, After - Before]), timer:sleep(infinity).`
  const erl = start(
    'erl',
    [
      '-noinput',
      '-start_epmd',
      'false',
      '-name',
      `caller${size}@127.0.0.1`,
      '-setcookie',
      cookie,
      '-eval',
      program,
    ],
    env,
  )
  const lines = createInterface({ input: erl.stdout })[Symbol.asyncIterator]()
  await lines.next()
  const before = workers.map(({ pid }) => cpuMs(pid))
  const [perSecond, beamMs] = (await lines.next()).value.split(' ').map(Number)
  const seconds = calls / perSecond
  const nodeMs = workers.reduce((sum, { pid }, i) => sum + cpuMs(pid) - before[i], 0)
  erl.kill('SIGKILL')
  for (const worker of workers) worker.kill('SIGKILL')
  await Promise.all(
    workers.map((worker) => (worker.exitCode ?? worker.signalCode) === null && once(worker, 'exit')),
  )
  const cores = (nodeMs + beamMs) / 1000 / seconds
  return { perSecond, cores, nodeUs: (nodeMs * 1000) / calls, beamUs: (beamMs * 1000) / calls }
}

const otp = spawnSync('erl', [
  '-noinput',
  '-eval',
  'io:put_chars(erlang:system_info(otp_release)), halt().',
]).stdout
const table = []
const print = (line) => {
  console.log(line)
  table.push(line)
}
const [load] = loadavg()
print(
  `${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.versions.node}, OTP ${otp}, ` +
    `load before ${load.toFixed(1)}`,
)
print('processes   hashes a call     calls/s   cores had   Node, CPU µs a call   BEAM, CPU µs a call')
for (const size of values.sizes.split(',').map(Number)) {
  for (const [rounds, count] of [
    [2000, calls],
    [1, calls * 5 * size],
  ]) {
    const { perSecond, cores, nodeUs, beamUs } = await measure(size, rounds, count)
    const cells = [
      [size, 9],
      [rounds, 14],
      [perSecond, 10],
      [cores.toFixed(2), 10],
      [Math.round(nodeUs), 20],
      [Math.round(beamUs), 20],
    ]
    print(cells.map(([value, width]) => String(value).padStart(width)).join('  '))
  }
}
if (values.write) {
  const file = new URL('../docs/scaling.md', import.meta.url)
  const document = readFileSync(file, 'utf8')
  const block = /(<!-- figures: pool -->\n+```\n)[^]*?(\n```\n)/
  if (!block.test(document)) throw new Error('docs/scaling.md has no place for the figures')
  writeFileSync(
    file,
    document.replace(block, (_, before, after) => before + table.join('\n') + after),
  )
}
process.exit(0)
