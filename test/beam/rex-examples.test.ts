/** The examples folder from an Erlang and an Elixir shell, and modules from files, replaced while the node runs. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { asText } from '../../src/index.js'
import {
  closeAtEnd,
  cookie,
  hostRelease,
  privateEpmd,
  startBeam,
  uniqueName,
  type Beam,
} from '../support/beam.js'
import { build } from '../support/cli.js'
import { start, type RunningProcess } from '../support/process.js'

let beam: Beam
let env: Record<string, string>

beforeAll(async () => {
  build()
  beam = await startBeam({ otp: hostRelease(), elixir: true })
  env = { ERL_EPMD_PORT: String(await privateEpmd()), BEAMPEER_COOKIE: cookie }
})

async function startCli(...modules: string[]): Promise<string> {
  const name = uniqueName('js')
  const all = modules.flatMap((module) => ['--module', `${module}=examples/${module}.js`])
  const command = ['lib/cli/main.cjs', 'start', '--name', name, '--epmd', 'external', ...all]
  const running = await start(process.execPath, command, { env })
  await running.waitForLine(/^ready /m)
  return name
}

test('intl: text in the world’s languages, from an Erlang shell', async () => {
  const n = `'${await startCli('intl')}'`
  const money = await beam.eval(`rpc:call(${n}, intl, money, [1234567.5, <<"EUR">>, "de"])`)
  expect(asText(money)).toBe('1.234.567,50\u00a0€')
  expect(
    await beam.evalText(`rpc:call(${n}, intl, sort, [["Zebra", <<"Äpfel"/utf8>>, "Apfel"], "de"])`),
  ).toBe('[<<"Apfel">>,<<"Äpfel"/utf8>>,<<"Zebra">>]')
  expect(await beam.evalText(`rpc:call(${n}, intl, day, [0, "en"])`)).toBe('<<"Thursday, January 1, 1970">>')
  expect(await beam.evalText(`rpc:call(${n}, beampeer, help, [])`)).toBe(
    '[{intl,[{day,2},{graphemes,1},{list,2},{money,3},{sort,2}]}]',
  )
})

test('intl from an Elixir shell', async () => {
  const n = `:"${await startCli('intl')}"`
  expect(await beam.evalElixir(`:rpc.call(${n}, :intl, :list, [["red", "green", "blue"], "en"])`)).toBe(
    '"red, green, and blue"',
  )
  expect(await beam.evalElixir(`:erpc.call(${n}, :intl, :graphemes, ["👩‍👩‍👧e\u0301"]) |> length()`)).toBe('2')
})

test('counter: a process under a name', async () => {
  const n = `'${await startCli('counter')}'`
  const ask = (m: number) =>
    beam.evalText(`begin {counter, ${n}} ! {self(), ${m}}, receive Total${m + 9} -> Total${m + 9} end end`)
  expect(await ask(5)).toBe('{total,5}')
  expect(await ask(-2)).toBe('{total,3}')
})

describe('exposeModule', () => {
  let program: RunningProcess
  let file: string
  let name: string

  beforeAll(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'beampeer-module-'))
    closeAtEnd(() => rm(directory, { recursive: true }))
    file = join(directory, 'clock.mjs')
    name = uniqueName('js')
    await writeFile(file, 'export default 1; export const version = () => 1; export const notAFunction = 2')
    const script = join(directory, 'main.mjs')
    await writeFile(
      script,
      `import { atom, ErlangNode, withContext } from ${JSON.stringify(pathToFileURL(resolve('lib/index.js')).href)}
       const node = await ErlangNode.start(${JSON.stringify(name)}, { epmd: 'external' })
       const module = await node.exposeModule('clock', ${JSON.stringify(file)}, { functions: { version: { doc: 'which' } } })
       node.expose('control', {
         reload: () => module.reload(),
         unexpose: () => module.unexpose(),
         missing: () => node.exposeModule('none', '/no/such/file.mjs'),
       })
       console.log('ready')`,
    )
    program = await start(process.execPath, [script], { env })
    await program.waitForLine(/^ready$/m)
  })

  const ask = (module: string, fn: string) => beam.evalText(`rpc:call('${name}', ${module}, ${fn}, [])`)

  test('exposes the functions of a file; reload puts new ones in their place; a bad file changes nothing', async () => {
    expect(await ask('clock', 'version')).toBe('1')
    expect(await ask('clock', 'notAFunction')).toMatch(/undef/)
    expect(await ask('clock', 'default')).toMatch(/undef/)
    expect(await ask('beampeer', 'help')).toMatch(/\{clock,\[\{version,0\}\]\}/)
    await writeFile(file, 'export const version = () => 2')
    expect(await ask('clock', 'version')).toBe('1')
    expect(await ask('control', 'reload')).toBe('undefined')
    expect(await ask('clock', 'version')).toBe('2')
    await writeFile(file, 'export const version = (')
    expect(await ask('control', 'reload')).toMatch(/js_error,<<"BAD_OPTION">>/)
    await writeFile(file, 'export const version = 3')
    expect(await ask('control', 'reload')).toMatch(
      /js_error,<<"BAD_OPTION">>,<<"exposeModule clock: .* exports no function">>/,
    )
    expect(await ask('clock', 'version')).toBe('2')
    expect(await ask('control', 'unexpose')).toBe('true')
    expect(await ask('clock', 'version')).toMatch(/undef/)
    expect(await ask('control', 'missing')).toMatch(
      /js_error,<<"BAD_OPTION">>,<<"exposeModule none: .*cannot be loaded">>/,
    )
  })
})
