/** The common calls as Elixir writes them, from a BEAM that runs Elixir. */
import { atom, ErlangError, tuple, type ErlangNode } from '../../src/index.js'
import { hostRelease, startBeam, type Beam } from '../support/beam.js'
import { startNode } from '../support/nodes.js'

let beam: Beam
let node: ErlangNode

beforeAll(async () => {
  // Debian's Elixir is the one of the host's OTP.
  beam = await startBeam({ otp: hostRelease(), elixir: true, args: ['-kernel', 'logger_level', 'none'] })
  node = await startNode()
  node.expose('math', {
    add: (a: number, b: number) => a + b,
    later: async (x: number) => Promise.resolve(x),
    fail: () => {
      throw new TypeError('not today')
    },
    toss: () => {
      throw new ErlangError('throw', atom('ball'))
    },
    user: () => ({ name: 'Ada', langs: ['en', 'cs'], nick: null }),
  })
  node.expose('Elixir.Js.Text', { upcase: (text: Uint8Array) => Buffer.from(text).toString().toUpperCase() })
})

const ask = (code: string) => beam.evalElixir(`n = :"${node.name}"\n${code}`)

test.each([
  [':rpc.call(n, :math, :add, [1, 2])', '3'],
  [':rpc.call(n, :math, :later, [5])', '5'],
  [':rpc.call(n, :math, :user, [])', '%{langs: ["en", "cs"], name: "Ada", nick: nil}'],
  [':rpc.call(n, Js.Text, :upcase, ["žluť"])', '"ŽLUŤ"'],
  [':rpc.block_call(n, :math, :add, [1, 2])', '3'],
  [':rpc.cast(n, :math, :add, [1, 2])', 'true'],
  [':rpc.multicall([n, n], :math, :add, [1, 2])', '{[3, 3], []}'],
  [':erpc.call(n, :math, :add, [1, 2], 60_000)', '3'],
  [':erpc.call(n, &:math.user/0).name', '"Ada"'],
  [':erpc.cast(n, :math, :add, [1, 2])', ':ok'],
  [':erpc.multicall([n, n], :math, :add, [1, 2])', '[ok: 3, ok: 3]'],
  ['try do :erpc.call(n, :math, :toss, []) catch x -> x end', ':ball'],
  ['n |> :erpc.send_request(:math, :add, [1, 2]) |> :erpc.receive_response()', '3'],
  ['Node.ping(n)', ':pong'],
])('%s', async (code, expected) => {
  expect(await ask(code)).toBe(expected)
})

test('a thrown JavaScript error reads well', async () => {
  expect(await ask('{:badrpc, {:EXIT, {reason, _stack}}} = :rpc.call(n, :math, :fail, [])\nreason')).toBe(
    '{:js_error, "TypeError", "not today"}',
  )
  const shown = await ask('try do :erpc.call(n, :math, :fail, []) rescue e -> Exception.message(e) end')
  expect(shown).toMatch(/:js_error, \\"TypeError\\", \\"not today\\"/)
})

test('what is not exposed is undefined', async () => {
  const reason = '{:badrpc, {:EXIT, {:undef, [{m, f, a, _}]}}} = :rpc.call(n, m0, f0, a0)\n{m, f, a}'
  const missing = (m: string, f: string, a: string) => ask(`m0 = ${m}\nf0 = ${f}\na0 = ${a}\n${reason}`)
  expect(await missing('System', ':halt', '[]')).toBe('{System, :halt, []}')
  expect(await missing(':math', ':no_function', '[1]')).toBe('{:math, :no_function, [1]}')
  expect(await missing(':math', ':add', '[1]')).toBe('{:math, :add, [1]}')
})

test('an Elixir closure ends with an error that names it', async () => {
  const code = `Process.flag(:trap_exit, true)
    pid = Node.spawn_link(n, fn -> :os.cmd('id') end)
    receive do {:EXIT, ^pid, {{:badfun, fun}, _}} -> is_function(fun) end`
  expect(await ask(code)).toBe('true')
})

test('a GenServer call of a process of ours', async () => {
  const server = node.spawn(async (self) => {
    for await (const message of self) {
      const { elements } = message as unknown as {
        elements: readonly [unknown, { elements: [never, never] }, never]
      }
      const [pid, tag] = elements[1].elements
      self.send(pid, tuple(tag, tuple(atom('ok'), elements[2])))
    }
  })
  node.register('server', server)
  expect(await ask('GenServer.call({:server, n}, {:get, "key"})')).toBe('{:ok, {:get, "key"}}')
})
