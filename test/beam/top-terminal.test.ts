/** `beampeer top` in a real terminal: views, keys, filter, pause, sizes, colours, and the terminal it leaves behind. */
import { cookie, startBeam, type Beam } from '../support/beam.js'
import { build } from '../support/cli.js'
import { Terminal } from '../support/terminal.js'

let beam: Beam
beforeAll(async () => {
  build()
  beam = await startBeam()
  await beam.eval(`
    register(hog, spawn(fun() -> L = lists:seq(1, 300000), receive stop -> L end end)),
    register(box, spawn(fun() -> receive stop -> ok end end)), [box ! N || N <- lists:seq(1, 99)],
    register(busy, spawn(fun Loop() -> lists:seq(1, 20000), receive stop -> ok after 1 -> Loop() end end)), ok`)
})

/** `top` of the BEAM and of a node that is not there. */
function top(
  options: { width: number; height: number; env?: Record<string, string> },
  more = '',
): Promise<Terminal> {
  const command = `'${process.execPath}' lib/cli/main.cjs top ${beam.name} gone@127.0.0.1 --interval 0.1 ${more}`
  const env = { ERL_EPMD_PORT: String(beam.epmdPort), BEAMPEER_COOKIE: cookie, ...options.env }
  return Terminal.start(command, { ...options, env })
}

/** The first row of the table of processes. */
const first = (lines: string[]) => lines[lines.findIndex((line) => line.startsWith('PID')) + 1] ?? ''
const fits = (lines: string[], width: number, height: number) =>
  lines.length === height && lines.every((line) => [...line].length <= width)

test('fleet, processes, sorting, filter and back, at 80×24', async () => {
  const terminal = await top({ width: 80, height: 24 })
  const fleet = await terminal.until(/\d%.* MiB/)
  expect(fleet[0]).toMatch(/^beampeer top {3}1 of 2 nodes up/)
  expect(fleet[1]).toMatch(/^NODE .*CPU .*MEMORY .*LINKS$/)
  expect(fleet.some((line) => /^gone@127.0.0.1 +down: /.test(line))).toBe(true)
  expect(fleet.some((line) => /nodeup /.test(line))).toBe(true)
  expect(fleet.at(-1)).toMatch(/^q quit/)
  expect(fits(fleet, 80, 24)).toBe(true)

  await terminal.press('Enter')
  const byMemory = await terminal.until((lines) => first(lines).includes(' hog '))
  expect(byMemory[0]).toContain(beam.name)
  expect(byMemory[1]).toMatch(/^OTP \d+ .*memory .* MiB/)
  expect(byMemory[2]).toMatch(/^sampled (\d+) of \1 processes/)
  expect(fits(byMemory, 80, 24)).toBe(true)
  await terminal.press('l')
  await terminal.until(
    (lines) => / box .* 99 /.test(first(lines)) && lines.some((line) => /QUEUE▼/.test(line)),
  )
  await terminal.press('r')
  await terminal.until(
    (lines) => first(lines).includes(' busy ') && lines.some((line) => /RED\/S▼/.test(line)),
  )
  await terminal.press('m')
  await terminal.until((lines) => first(lines).includes(' hog '))

  await terminal.press('/')
  await terminal.until(/filter: /)
  // Keys are text now.
  await terminal.press('b', 'o', 'q', 'BSpace', 'x', 'Enter')
  const filtered = await terminal.until(/filter: box /)
  expect(filtered.filter((line) => line.startsWith('<')).map((line) => line.split(/ +/)[1])).toEqual(['box'])
  await terminal.press('Escape')
  await terminal.until(/1 of 2 nodes up/)

  await terminal.press('Down', 'Enter')
  const gone = await terminal.until(/^down: /m)
  expect(gone[0]).toContain('gone@127.0.0.1')
  await terminal.press('q')
  expect(await terminal.exitStatus()).toBe(0)
})

test('a pause holds what is shown, and it can be sorted', async () => {
  const node = await startBeam()
  await node.eval('register(loser, spawn(fun() -> L = lists:seq(1, 400000), receive stop -> L end end)), ok')
  const command = `'${process.execPath}' lib/cli/main.cjs top ${node.name} --interval 0.1`
  const env = { ERL_EPMD_PORT: String(node.epmdPort), BEAMPEER_COOKIE: cookie }
  const terminal = await Terminal.start(command, { width: 100, height: 30, env })
  await terminal.until((lines) => first(lines).includes(' loser '))
  await terminal.press('p')
  await terminal.until((lines) => /paused/.test(lines[0] ?? ''))
  await node.eval('exit(whereis(loser), kill), ok')
  await node.until('whereis(loser) =:= undefined')
  await terminal.press('l')
  const held = await terminal.until(/QUEUE▼/)
  expect(held.some((line) => line.includes(' loser '))).toBe(true)
  await terminal.press('m', 'p')
  await terminal.until((lines) => !lines.some((line) => line.includes(' loser ')) && first(lines) !== '')
  await terminal.press('C-c')
  expect(await terminal.exitStatus()).toBe(0)
})

const SHOP = `
-module(shop).
-behaviour(gen_server).
-export([start/0, init/1, handle_call/3, handle_cast/2]).
start() -> gen_server:start({local, shop}, ?MODULE, [], []).
init([]) ->
  put(currency, euro),
  register(till, spawn_link(fun() -> receive stop -> ok end end)),
  monitor(process, whereis(keeper)),
  {ok, #{stock => lists:seq(1, 60000), open => true}}.
handle_call(_, _, State) -> {reply, ok, State}.
handle_cast(close, State) -> {noreply, State#{stock := [1, 2, 3], open := false}}.
`.replace('?MODULE', 'shop')

test.each([
  [80, 24],
  [200, 60],
])(
  'one process at %i×%i: its figures; its dictionary and state when asked; its end',
  async (width, height) => {
    const node = await startBeam()
    await node.compile(SHOP)
    await node.eval(
      'register(keeper, spawn(fun() -> receive stop -> ok end end)), {ok, _} = shop:start(), ok',
    )
    const [shop, till, keeper] = (await node.evalText('[whereis(N) || N <- [shop, till, keeper]]')).match(
      /<[\d.]+>/g,
    ) as string[]
    const command = `'${process.execPath}' lib/cli/main.cjs top ${node.name} --interval 0.1`
    const env = { ERL_EPMD_PORT: String(node.epmdPort), BEAMPEER_COOKIE: cookie }
    const terminal = await Terminal.start(command, { width, height, env })
    await terminal.until((lines) => first(lines).includes(' shop '))
    await terminal.press('Enter')
    const opened = await terminal.until(/REDUCTIONS .*\/s/)
    const all = opened.join('\n')
    expect(opened[0]).toBe(`beampeer top   ${node.name}   ${shop} shop`)
    expect(opened[1]).toMatch(/^waiting {3}priority normal {3}trap_exit false {3}at \d\d:\d\d:\d\d$/)
    expect(all).toMatch(/^MEMORY +[\d.]+ MiB {3}heap .* of .*, stack \d+ B/m)
    expect(all).toMatch(/^INITIAL CALL +shop:init\/1/m)
    expect(all).toMatch(/^CURRENT +gen_server:loop\/\d/m)
    expect(all).toMatch(/STACK +gen_server:loop\/\d \(gen_server.erl:\d+\)\n(.* )?proc_lib:init_p_do_apply/)
    expect(all).toMatch(new RegExp(`^LINKS +${till}$`, 'm'))
    expect(all).toMatch(new RegExp(`^MONITORS +${keeper}$`, 'm'))
    expect(all).toMatch(/^DICTIONARY +d reads it$/m)
    expect(all).toMatch(/^STATE +s asks the process for it/m)
    expect(opened.at(-1)).toBe(
      'q quit  esc back  ↑↓ scroll  d read dictionary  s ask it for its state  p pause',
    )
    expect(fits(opened, width, height)).toBe(true)

    await terminal.press('d')
    await terminal.until(/^DICTIONARY +at [\d:]+\n[^]* currency = euro\n/m)
    await terminal.press('s')
    await terminal.until(/^STATE +at [\d:]+\n +#\{(open => true,)?stock => \[1,2,3,4,/m)
    // The state is long: its end is some screens further down, and that is where scrolling ends.
    await terminal.press('NPage', 'End', 'Down')
    const end = await terminal.until(
      (lines) => !/DICTIONARY/.test(lines.join()) && (lines.at(-2) ?? '') !== '',
    )
    expect(end[0]).toMatch(/^beampeer /)
    // It may be looked at while it still answers.
    expect(end[1]).toMatch(/^(waiting|running|runnable) /)
    await terminal.press('Home')
    await terminal.until(/^MEMORY/m)
    await node.eval('gen_server:cast(shop, close)')
    await terminal.press('s')
    await terminal.until(/#\{(open => false,)?stock => \[1,2,3\](,open => false)?\}/)

    await node.eval('exit(whereis(shop), kill), ok')
    const gone = await terminal.until(/^it has ended; its last figures:$/m)
    expect(gone.join('\n')).toMatch(/^INITIAL CALL +shop:init\/1/m)
    await terminal.press('Escape')
    await terminal.until((lines) => first(lines) !== '' && !lines.some((line) => line.includes(' shop ')))
    await terminal.press('q')
    expect(await terminal.exitStatus()).toBe(0)
  },
)

test('the selected process stays selected wherever its row goes', async () => {
  const node = await startBeam()
  const work = (name: string, size: number) =>
    `register(${name}, spawn(fun() -> L = lists:seq(1, ${size}), (fun Loop(M) -> receive grow -> Loop(lists:seq(1, 900000)) end, M end)(L) end))`
  await node.eval(`${work('large', 400_000)}, ${work('small', 200_000)}, ok`)
  const command = `'${process.execPath}' lib/cli/main.cjs top ${node.name} --interval 0.1`
  const env = { ERL_EPMD_PORT: String(node.epmdPort), BEAMPEER_COOKIE: cookie }
  const terminal = await Terminal.start(command, { width: 80, height: 24, env })
  const order = (...names: string[]) =>
    terminal.until((lines) => {
      const rows = lines.slice(lines.findIndex((line) => line.startsWith('PID')) + 1)
      return names.every((name, at) => rows[at]?.includes(` ${name} `))
    })
  await order('large', 'small')
  await terminal.press('Down', '/')
  // The keys before this one have been heeded.
  await terminal.until(/filter: /)
  await terminal.press('Enter')
  await node.eval('small ! grow, ok')
  await order('small', 'large')
  await terminal.press('Enter')
  await terminal.until((lines) => / small$/.test(lines[0] ?? ''))
  await terminal.press('Escape')
  await order('small', 'large')
  await terminal.press('Down', 'Enter')
  await terminal.until((lines) => / large$/.test(lines[0] ?? ''))
  await terminal.press('Escape')
  await order('small', 'large')
  await terminal.press('End', 'Down')
  await terminal.until((lines) => /^<0\./.test(lines.at(-2) ?? '') && !lines.join().includes(' large '))
  await terminal.press('q')
  expect(await terminal.exitStatus()).toBe(0)
})

test('a terminal that changes its size is filled anew', async () => {
  const terminal = await top({ width: 80, height: 24 })
  await terminal.until(/\d%.* MiB/)
  await terminal.resize(200, 60)
  const large = await terminal.until((lines) => lines.length === 60 && /^q quit/.test(lines[59] ?? ''))
  expect(large[1]).toMatch(/BINARY .*RED\/S .*ATOM%/)
  expect(fits(large, 200, 60)).toBe(true)
  await terminal.press('Enter')
  const wide = await terminal.until((lines) => first(lines).includes(' hog '))
  expect(wide.some((line) => /^PID .*NAME .*INITIAL CALL .*CURRENT FUNCTION/.test(line))).toBe(true)
  await terminal.resize(50, 10)
  const small = await terminal.until((lines) => lines.length === 10 && /^q quit/.test(lines[9] ?? ''))
  expect(fits(small, 50, 10)).toBe(true)
  await terminal.press('q')
  expect(await terminal.exitStatus()).toBe(0)
})

test('colours, unless NO_COLOR', async () => {
  // eslint-disable-next-line no-control-regex
  const COLOUR = /\u001b\[[\d;]*\b(3[0-7]|4[0-7]|9[0-7]|10[0-7]|38;|48;)/
  // eslint-disable-next-line no-control-regex
  const INVERSE = /\u001b\[(0;)?7m(\u001b\[[34]9m)*NODE /
  const [coloured, plain] = await Promise.all([
    top({ width: 80, height: 24 }),
    top({ width: 80, height: 24, env: { NO_COLOR: '1' } }),
  ])
  for (const terminal of [coloured, plain]) await terminal.until(/\d%.* MiB[^]*down/)
  expect(await coloured.coloured()).toMatch(COLOUR)
  expect(await plain.coloured()).not.toMatch(COLOUR)
  // The table's head is told from its rows all the same.
  expect(await plain.coloured()).toMatch(INVERSE)
})

test('what a command waits for is shown on a terminal, and gone when it ends', async () => {
  const command = `'${process.execPath}' lib/cli/main.cjs call ${beam.name} timer sleep '[infinity]' --timeout 4`
  const env = { ERL_EPMD_PORT: String(beam.epmdPort), BEAMPEER_COOKIE: cookie }
  const terminal = await Terminal.start(command, { width: 80, height: 24, env })
  await terminal.until(/^waiting for .*…/)
  expect(await terminal.exitStatus()).toBe(1)
  expect(await terminal.until(/timeout/)).not.toContainEqual(expect.stringMatching(/waiting for/))
})
