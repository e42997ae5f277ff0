/** Printing and reading across nodes: the I/O protocol, both ways, and with a group leader on a third node. */
import { atom } from '../../src/etf/atom.js'
import type { Pid } from '../../src/etf/identifiers.js'
import type { Term } from '../../src/etf/terms.js'
import { withContext } from '../../src/rex/exposed.js'
import { hostRelease, startBeam, until, type Beam } from '../support/beam.js'
import { startNode } from '../support/nodes.js'

/** A group leader on a BEAM that answers reads with `lines` and keeps what is printed. */
async function shell(beam: Beam, lines: string[]): Promise<{ pid: Pid; printed(): Promise<string> }> {
  const pid = (await beam.eval(
    `Loop = fun L(In, Out) -> receive
      {get, F} -> F ! {out, unicode:characters_to_binary(lists:reverse(Out))}, L(In, Out);
      {io_request, F, As, {put_chars, unicode, Chars}} -> F ! {io_reply, As, ok}, L(In, [Chars | Out]);
      {io_request, F, As, {get_line, unicode, Prompt}} when In =:= [] -> F ! {io_reply, As, eof}, L(In, [Prompt | Out]);
      {io_request, F, As, {get_line, unicode, Prompt}} -> F ! {io_reply, As, hd(In)}, L(tl(In), [Prompt | Out])
      end end,
      spawn(fun() -> Loop(Lines, []) end)`,
    { Lines: lines },
  )) as Pid
  return {
    pid,
    printed: async () =>
      String(
        await beam.eval('(fun() -> G ! {get, self()}, receive {out, Printed} -> Printed end end)()', {
          G: pid,
        }),
      ),
  }
}

describe('a BEAM function that we call', () => {
  test('prints here: on the node, or where the call says', async () => {
    let printed = ''
    const [beam, node] = await Promise.all([startBeam(), startNode({ output: (text) => (printed += text) })])
    await node.rpc.call(beam.name, 'io', 'format', ['~ts = ~p~n' as Term | string, ['žluť', [1, 2]]] as never)
    expect(printed).toBe('žluť = [1,2]\n')
    const captured: string[] = []
    const output = (text: string) => captured.push(text)
    await node.erpc.call(beam.name, 'io', 'put_chars', ['日本\n'], { output })
    await node.erpc.call(beam.name, 'io', 'nl', [], { output })
    await node.erpc.call(beam.name, 'io', 'write', [[atom('x'), 1.5]], { output })
    expect(captured.join('')).toBe('日本\n\n[x,1.5]')
    expect(printed).toBe('žluť = [1,2]\n')
  })

  test('logs here, and so does what it spawns', async () => {
    const lines: string[] = []
    const note = (level: string) => (line: string) => void lines.push(`${level} ${line}`)
    const logger = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') }
    const [beam, node] = await Promise.all([startBeam(), startNode({ logger })])
    await beam.compile(`-module(logs).
      -export([some/0]).
      some() ->
        logger:warning("~p of ~ts", [1, [1078]]), logger:notice("text"), logger:error(#{a => 1}),
        error_logger:error_msg("old ~p~n", [2]), Pid = spawn(fun() -> error(bad) end), Pid.`)
    const spawned = (await node.rpc.call(beam.name, 'logs', 'some')) as Pid
    const own = () => lines.filter((line) => / log of /.test(line))
    await until(() => own().length === 5)
    expect(own().map((line) => line.replace(/<[^>]*>/, '<>'))).toEqual([
      `warn log of <> of ${beam.name}: 1 of ж`,
      `info log of <> of ${beam.name}: text`,
      `error log of <> of ${beam.name}: #{a => 1}`,
      `error log of <> of ${beam.name}: old 2`,
      expect.stringMatching(/^error log of <> of .*: Error in process <.* with exit value:\n\{bad,\[/s),
    ])
    expect(own()[4]).toContain(`log of ${spawned.toString()} of`)
  })

  test('reads lines and characters from here, as lists or binaries, and sees the end', async () => {
    const lines = ['first\n', 'žluť\n', 'rest']
    const prompts: string[] = []
    const [beam, node] = await Promise.all([
      startBeam(),
      startNode({
        input: (prompt) => {
          prompts.push(prompt)
          return Promise.resolve(lines.shift())
        },
      }),
    ])
    const read = (name: string, args: unknown[]) => node.erpc.call(beam.name, 'io', name, args as never)
    expect(await read('get_line', [atom('standard_io'), 'one> '])).toEqual([...Buffer.from('first\n')])
    expect(await read('get_chars', [atom('standard_io'), 'two> ', 2])).toEqual([
      'ž'.codePointAt(0),
      'l'.charCodeAt(0),
    ])
    expect(await read('setopts', [[atom('binary')]])).toBe(atom('ok'))
    expect(String(await read('get_line', ['three> ']))).toBe('uť\n')
    expect(String(await read('get_line', ['four> ']))).toBe('rest')
    expect(await read('get_line', ['five> '])).toBe(atom('eof'))
    expect(prompts).toEqual(['one> ', 'two> ', 'four> ', '', 'five> '])
  })

  test('a stream that fails is an error of the request, and harms nothing else', async () => {
    const [beam, node] = await Promise.all([startBeam(), startNode()])
    const output = () => {
      throw new Error('disk full')
    }
    await expect(node.erpc.call(beam.name, 'io', 'put_chars', ['x'], { output })).rejects.toMatchObject({
      code: 'RPC_REMOTE_ERROR',
    })
    expect(await node.erpc.call(beam.name, 'io', 'put_chars', ['x'])).toBe(atom('ok'))
  })

  test("Elixir's IO works on it", async () => {
    let printed = ''
    const lines = ['typed\n']
    const [beam, node] = await Promise.all([
      startBeam({ elixir: true, otp: hostRelease() }),
      startNode({ output: (text) => (printed += text), input: () => Promise.resolve(lines.shift()) }),
    ])
    await node.erpc.call(beam.name, 'Elixir.IO', 'puts', ['ahoj žluť'])
    await node.erpc.call(beam.name, 'Elixir.IO', 'inspect', [[1, atom('ok')]])
    expect(printed).toBe('ahoj žluť\n[1, :ok]\n')
    expect(String(await node.erpc.call(beam.name, 'Elixir.IO', 'gets', ['> ']))).toBeDefined()
  })
})

describe('a JavaScript function that a BEAM calls', () => {
  const greeter = {
    greet: withContext(async (ctx) => {
      const name = await ctx.io.readLine('name? ')
      await ctx.io.write(`ahoj, ${name?.trim() ?? 'nobody'} ž\n`)
      return name === undefined ? atom('eof') : name
    }),
    print: withContext((ctx, text: Uint8Array) => {
      for (const char of String(text)) void ctx.io.write(char)
    }),
  }

  test("prints on the caller's shell and reads lines from it", async () => {
    const [beam, node] = await Promise.all([startBeam(), startNode()])
    node.expose('greeter', greeter)
    const { pid, printed } = await shell(beam, ['žluť\n'])
    const call = `(fun() -> group_leader(G, self()), rpc:call('${node.name}', greeter, greet, []) end)()`
    expect(String(await beam.eval(call, { G: pid }))).toBe('žluť\n')
    expect(await printed()).toBe('name? ahoj, žluť ž\n')
    expect(await beam.eval(call, { G: pid })).toBe(atom('eof'))
    expect(await printed()).toBe('name? ahoj, žluť ž\nname? ahoj, nobody ž\n')
  })

  test('also when that is on a third node', async () => {
    const [beam, third, node] = await Promise.all([startBeam(), startBeam(), startNode()])
    node.expose('greeter', greeter)
    const { pid, printed } = await shell(third, ['you\n'])
    await beam.evalText(
      `(fun() -> group_leader(G, self()), erpc:call('${node.name}', greeter, greet, []) end)()`,
      { G: pid },
    )
    expect(await printed()).toBe('name? ahoj, you ž\n')
    expect(node.nodes('connected').sort()).toEqual([beam.name, third.name].sort())
  })

  test("in order, on the BEAM's real output, without waiting", async () => {
    const [beam, node] = await Promise.all([startBeam({ args: ['+pc', 'unicode'] }), startNode()])
    node.expose('greeter', greeter)
    await beam.evalText(`rpc:call('${node.name}', greeter, print, [<<"one two three">>]), io:put_chars("\n")`)
    await beam.waitForLog(/^one two three$/m)
  })

  test('Elixir reads and writes through it with StringIO', async () => {
    const [beam, node] = await Promise.all([startBeam({ elixir: true, otp: hostRelease() }), startNode()])
    node.expose('greeter', greeter)
    expect(
      await beam.evalElixir(`{:ok, io} = StringIO.open("world\\n", capture_prompt: true)
        task = Task.async(fn -> Process.group_leader(self(), io); :rpc.call(:"${node.name}", :greeter, :greet, []) end)
        Task.await(task)
        StringIO.contents(io)`),
    ).toBe('{"", "name? ahoj, world ž\\n"}')
  })

  test('a group leader that is gone is an error to who waits, and to nobody else', async () => {
    const [beam, node] = await Promise.all([startBeam(), startNode()])
    let failed: unknown
    node.expose('late', {
      write: withContext(async (ctx) => {
        void ctx.io.write('nobody waits')
        await ctx.io.readLine().catch((error: unknown) => (failed = error))
        return atom('done')
      }),
    })
    const call = `(fun() -> G = spawn(fun() -> ok end), monitor(process, G), receive {'DOWN', _, _, G, _} -> ok end,
      group_leader(G, self()), rpc:call('${node.name}', late, write, []) end)()`
    expect(await beam.evalText(call)).toBe('done')
    expect(failed).toMatchObject({ code: 'IO_FAILED' })
    await until(() => failed !== undefined)
  })
})
