/** Exit signals of other nodes, and links of theirs that break, end none of the processes that a whole program shares. */
import { atom } from '../../src/etf/atom.js'
import type { Pid } from '../../src/etf/identifiers.js'
import type { Tuple } from '../../src/etf/tuple.js'
import type { ErlangNode } from '../../src/node/erlang-node.js'
import { startBeam, until, type Beam } from '../support/beam.js'
import { startNode } from '../support/nodes.js'

let beam: Beam
let node: ErlangNode
const printed: string[] = []

beforeAll(async () => {
  ;[beam, node] = await Promise.all([
    startBeam(),
    startNode({ hidden: false, output: (text) => void printed.push(text) }),
  ])
  node.pg.start()
  await node.connect(beam.name)
  // A server that does to who calls it what it is asked to do, and has done it before it answers.
  await beam.compile(String.raw`-module(rude).
    -export([start/0, link_leader/0, end_leader/1]).
    start() -> Pid = spawn(fun loop/0), register(rude, Pid), Pid.
    loop() ->
      receive
        {'$gen_call', {Caller, _} = From, link} -> link(Caller), gen:reply(From, linked), loop();
        {'$gen_call', {Caller, _} = From, {exit, Reason}} -> exit(Caller, Reason), gen:reply(From, Caller), loop();
        {'$gen_call', From, die} -> gen:reply(From, dying), exit(died);
        {'$gen_call', From, Other} -> gen:reply(From, Other), loop()
      end.
    link_leader() -> spawn(fun() -> link(group_leader()), exit(died) end).
    end_leader(Reason) -> exit(group_leader(), Reason), printing.`)
  await beam.evalText('rude:start()')
})

afterEach(() => beam.forget())

test('a server that links to who calls it and ends, or ends its caller, ends no further calls', async () => {
  const rude = { name: 'rude', node: beam.name }
  expect(await node.gen.call(rude, atom('link'))).toEqual(atom('linked'))
  expect(await node.gen.call(rude, atom('die'))).toEqual(atom('dying'))
  await expect(node.gen.call(rude, atom('die'))).rejects.toMatchObject({ code: 'GEN_NOPROC' })
  await beam.evalText('rude:start()')
  for (const reason of ['died', 'kill']) {
    const asked = (await beam.eval(`{exit, ${reason}}`)) as Tuple
    const caller = (await node.gen.call(rude, asked)) as Pid
    expect(await beam.eval(`rpc:call(node(P), erlang, is_process_alive, [P])`, { P: caller })).toBe(true)
    expect(await node.gen.call(rude, atom('again'))).toEqual(atom('again'))
  }
})

test('the group leader prints on', async () => {
  expect(await node.rpc.call(beam.name, 'rude', 'end_leader', [atom('died')])).toEqual(atom('printing'))
  expect(await node.rpc.call(beam.name, 'rude', 'end_leader', [atom('kill')])).toEqual(atom('printing'))
  await node.rpc.call(beam.name, 'rude', 'link_leader')
  await node.rpc.call(beam.name, 'io', 'put_chars', [Buffer.from('still here')])
  await until(() => printed.includes('still here'))
  expect(node.whereis('user')).toBeDefined()
})

test.each(['rex', 'net_kernel', 'global_name_server', 'user', 'pg', 'logger_proxy'])(
  '%s goes on, and says that it traps',
  async (name) => {
    const at = `'${node.name}'`
    const before = await beam.evalText(
      `P = rpc:call(${at}, erlang, whereis, [${name}]), exit(P, died), exit(P, kill), P`,
    )
    expect(await beam.evalText(`rpc:call(${at}, erlang, whereis, [${name}])`)).toBe(before)
    expect(await beam.evalText(`rpc:call(${at}, erlang, process_info, [P, trap_exit])`)).toBe(
      '{trap_exit,true}',
    )
    expect(await beam.evalText(`rpc:block_call(${at}, erlang, is_alive, [])`)).toBe('true')
    expect(await beam.evalText(`net_adm:ping(${at})`)).toBe('pong')
  },
)
