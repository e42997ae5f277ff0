// Pictures of `beampeer top` for the documents: it runs in a real terminal (tmux), watching Erlang nodes with something to
// do, and what the terminal shows becomes SVG. `npm run build && node scripts/screenshots.mjs`. Needs erl and tmux.
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { EpmdServer } from '../lib/index.js'
import { svg } from './terminal-svg.mjs'

const root = fileURLToPath(new URL('..', import.meta.url)).slice(0, -1)
const images = `${root}/docs/images`
const cookie = randomBytes(9).toString('hex')
const epmd = await EpmdServer.listen({ port: 0 })
const env = { ...process.env, ERL_EPMD_PORT: String(epmd.port), BEAMPEER_COOKIE: cookie, LC_ALL: 'C.UTF-8' }
delete env.NO_COLOR

/** Nodes and what they do. */
const NODES = {
  'shop1@127.0.0.1': `
    [register(list_to_atom("cart_" ++ integer_to_list(N)), spawn(fun Loop() ->
       lists:sum(lists:seq(1, N * 400)), receive stop -> ok after 20 -> Loop() end end)) || N <- lists:seq(1, 12)],
    [spawn(fun() -> receive stop -> ok end end) || _ <- lists:seq(1, 20000)],
    ets:new(prices, [named_table, public]), ets:insert(prices, [{N, N} || N <- lists:seq(1, 200000)])`,
  'shop2@127.0.0.1': `
    [register(list_to_atom("cart_" ++ integer_to_list(N)), spawn(fun Loop() ->
       lists:sum(lists:seq(1, N * 100)), receive stop -> ok after 20 -> Loop() end end)) || N <- lists:seq(1, 6)],
    net_kernel:connect_node('shop1@127.0.0.1')`,
  'mail@127.0.0.1': `
    register(outbox, spawn(fun() -> receive stop -> ok end end)), [outbox ! {mail, N} || N <- lists:seq(1, 4711)],
    register(archive, spawn(fun() -> L = lists:seq(1, 900000), receive stop -> L end end)),
    net_kernel:connect_node('shop1@127.0.0.1')`,
}
const GONE = 'search@127.0.0.1'
const running = Object.entries(NODES).map(([name, work]) => start(name, work))
const socket = `beampeer-${randomBytes(6).toString('hex')}`
const tmux = (...args) =>
  execFileSync('tmux', ['-L', socket, ...args], {
    env: { ...env, TMUX: '', TERM: 'xterm-256color' },
    encoding: 'utf8',
  })

try {
  mkdirSync(images, { recursive: true })
  for (const [width, height] of [
    [80, 24],
    [200, 60],
  ]) {
    const top = [process.execPath, `${root}/lib/cli/main.cjs`, 'top', ...Object.keys(NODES), GONE]
    const command = top.map((word) => `'${word}'`).join(' ')
    tmux(
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      '-s',
      'top',
      '-x',
      String(width),
      '-y',
      String(height),
      command,
    )
    await shown((text) => new RegExp(`3 of 4 nodes up[^]*${'\\d%[^]*'.repeat(3)}down`).test(text))
    save(`top-fleet-${width}`, width, height)
    tmux('send-keys', '-t', 'top', 'Enter')
    await shown((text) => text.includes('sampled'))
    tmux('send-keys', '-t', 'top', 'r')
    // Rates come with the second reading.
    await shown((text) => /RED\/S▼\s+QUEUE.*\n.*cart_.* [\d.]+[kM] /.test(text))
    save(`top-processes-${width}`, width, height)
    // A supervisor has links, and a state to ask for.
    tmux('send-keys', '-t', 'top', '/', 'k', 'e', 'r', 'n', 'e', 'l', '_', 's', 'u', 'p', 'Enter', 'Enter')
    await shown((text) => /kernel_sup\n[^]*REDUCTIONS .*\/s/.test(text))
    tmux('send-keys', '-t', 'top', 'd', 's')
    await shown((text) => /\nSTATE +at .*\n/.test(text))
    save(`top-process-${width}`, width, height)
    tmux('kill-session', '-t', 'top')
  }
} finally {
  try {
    tmux('kill-server')
  } catch {
    // It has ended with its last session.
  }
  for (const child of running) child.kill('SIGKILL')
  await Promise.all(running.map((child) => child.exitCode ?? once(child, 'exit')))
  await epmd.close()
}

function start(name, work) {
  const args = ['-noinput', '-start_epmd', 'false', '+sbwt', 'none', '-name', name, '-setcookie', cookie]
  return spawn('erl', [...args, '-eval', `${work}.`], { env, stdio: ['ignore', 'ignore', 'inherit'] })
}

async function shown(wanted) {
  for (let looks = 0; looks < 600; looks++) {
    if (wanted(tmux('capture-pane', '-p', '-t', 'top'))) return
    await pause(100)
  }
  throw new Error(`not shown within a minute:\n${tmux('capture-pane', '-p', '-t', 'top')}`)
}

function save(name, width, height) {
  const file = `${images}/${name}.svg`
  writeFileSync(file, svg(tmux('capture-pane', '-p', '-e', '-N', '-t', 'top'), width, height))
  console.log(file)
}
