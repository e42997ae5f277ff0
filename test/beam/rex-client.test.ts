/** `node.rpc`, `node.erpc` and `node.at` against a BEAM. */
import {
  ArgumentError,
  asText,
  atom,
  BadRpcError,
  ErpcError,
  NodeError,
  exportFun,
  print,
  RemoteError,
  tuple,
  Tuple,
  type ErlangNode,
  type Term,
} from '../../src/index.js'
import { startBeam, type Beam } from '../support/beam.js'
import { nodeEvents, startNode } from '../support/nodes.js'

const MODULE = String.raw`
-module(there).
-export([boom/1, toss/1, leave/1, hold/0, wait/0, wait/1, say/1, emit/3, emit_badly/2, emit_error/2, overlap/0, killed/0, slow/2]).
boom(X) -> error({boom, X}).
toss(X) -> throw(X).
leave(X) -> exit(X).
wait() -> receive never -> ok end.
hold() -> receive go_on -> ok end.
wait(Name) -> register(Name, self()), receive go -> went end.
say(Text) -> io:put_chars(Text), io:format("~p~n", [{said, 1}]), said.
killed() -> exit(self(), kill), wait().
emit(Items, Ref, Pid) -> [Pid ! {Ref, I, continue} || I <- Items], Pid ! {Ref, finished},
  persistent_term:put(emitted, Ref), ok.
emit_badly(Ref, Pid) -> Pid ! {Ref, 1, continue}, error(half_way).
emit_error(Ref, Pid) -> Pid ! {Ref, {error, {no_vhost, x}}}, ok.
slow(Ref, Pid) -> spawn(fun() -> receive after 5 -> Pid ! {Ref, late, continue}, Pid ! {Ref, finished} end end), ok.
overlap() ->
  N = 1 + case whereis(there_busy) of undefined -> 0; _ -> 1 end,
  catch register(there_busy, self()), receive after 10 -> ok end, catch unregister(there_busy), N.
`

let beam: Beam
let node: ErlangNode

beforeAll(async () => {
  beam = await startBeam({ args: ['-kernel', 'logger_level', 'none'] })
  node = await startNode()
  await beam.compile(MODULE)
})

const reasonOf = async (call: Promise<unknown>): Promise<unknown> => {
  const error: unknown = await call.then(
    (value) => new Error(`no error but ${String(value)}`),
    (thrown: unknown) => thrown,
  )
  if (error instanceof RemoteError) return `${error.class}:${print(error.reason)}`
  if (error instanceof BadRpcError) return `badrpc:${print(error.reason)}`
  if (error instanceof ErpcError || error instanceof NodeError) return error.code
  return error
}
const noBrackets = (text: unknown) => String(text).replace(/,\[\{there.*$/, ',…')

describe('erpc', () => {
  test('call gives the value; what the function raises is a RemoteError', async () => {
    const { erpc } = node
    expect(await erpc.call(beam.name, 'erlang', 'node')).toBe(atom(beam.name))
    expect(await erpc.call(beam.name, 'lists', 'sum', [[1, 2, 3]])).toBe(6)
    expect(await reasonOf(erpc.call(beam.name, 'there', 'boom', [1]))).toBe('error:{boom,1}')
    expect(await reasonOf(erpc.call(beam.name, 'there', 'toss', [atom('ball')]))).toBe('throw:ball')
    expect(await reasonOf(erpc.call(beam.name, 'there', 'leave', [atom('bye')]))).toBe('exit:bye')
    expect(await reasonOf(erpc.call(beam.name, 'there', 'killed'))).toBe('signal:killed')
    expect(await reasonOf(erpc.call(beam.name, 'no_module', 'f', []))).toBe('error:undef')
    await expect(erpc.call(beam.name, 'there', 'boom', [1])).rejects.toMatchObject({
      code: 'RPC_REMOTE_ERROR',
      node: beam.name,
      erlangStack: [expect.any(Tuple)] as unknown,
    })
  })

  test('time-out and abort end the wait, and the process there is not waited for', async () => {
    expect(await reasonOf(node.erpc.call(beam.name, 'there', 'wait', [], { timeoutMs: 10 }))).toBe(
      'RPC_TIMEOUT',
    )
    const why = new Error('changed my mind')
    const controller = new AbortController()
    const call = node.erpc.call(beam.name, 'there', 'wait', [atom('aborted_call')], {
      signal: controller.signal,
    })
    await beam.until('is_pid(whereis(aborted_call))')
    controller.abort(why)
    expect(await reasonOf(call)).toBe(why)
    expect(
      await reasonOf(node.erpc.call(beam.name, 'erlang', 'node', [], { signal: AbortSignal.abort(why) })),
    ).toBe(why)
    // Its late answer reaches nobody.
    await beam.evalText('aborted_call ! go')
    expect(await node.erpc.call(beam.name, 'erlang', 'node')).toBe(atom(beam.name))
  })

  test('options that are none are refused', async () => {
    for (const timeoutMs of [-1, NaN, 2 ** 31]) {
      await expect(node.erpc.call(beam.name, 'erlang', 'node', [], { timeoutMs })).rejects.toBeInstanceOf(
        ArgumentError,
      )
    }
    await expect(node.erpc.call(beam.name, 'erlang', 'node', 'args' as unknown as [])).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
    })
    await expect(node.erpc.call(beam.name, 'erlang', 'abs', [NaN])).rejects.toMatchObject({
      code: expect.stringMatching(/^ETF_/) as unknown,
    })
  })

  test('a node that is not there: RPC_NOCONNECTION, with the reason as its cause', async () => {
    const error: unknown = await node.erpc
      .call('nobody@127.0.0.1', 'erlang', 'node')
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'RPC_NOCONNECTION',
      node: 'nobody@127.0.0.1',
      cause: { code: expect.any(String) as unknown },
    })
  })

  test('kill -9 of the other node ends its calls', async () => {
    const other = await startBeam()
    const events = nodeEvents(node)
    await node.connect(other.name)
    await events.next()
    const calls = [
      node.erpc.call(other.name, 'timer', 'sleep', [60_000]),
      node.rpc.blockCall(other.name, 'timer', 'sleep', [60_000]),
    ]
    const ends = calls.map(reasonOf)
    other.kill('SIGKILL')
    expect(await Promise.all(ends)).toEqual(['RPC_NOCONNECTION', 'badrpc:nodedown'])
  })

  test('stopping our own node ends them too', async () => {
    const own = await startNode()
    const call = reasonOf(own.erpc.call(beam.name, 'there', 'wait', [atom('stopped_call')]))
    await beam.until('is_pid(whereis(stopped_call))')
    await own.stop()
    expect(await call).toBe('RPC_NOCONNECTION')
    await expect(own.erpc.call(beam.name, 'erlang', 'node')).rejects.toMatchObject({ code: 'NODE_STOPPED' })
  })

  test('cast, multicast', async () => {
    await beam.evalText(
      'register(box, spawn(fun L() -> receive {get, From, N} -> (fun Take(0) -> ok; Take(K) -> receive {got, V} -> From ! V, Take(K - 1) end end)(N), L() end end))',
    )
    node.erpc.cast(beam.name, 'erlang', 'send', [atom('box'), tuple(atom('got'), 1)])
    node.erpc.multicast([beam.name, beam.name], 'erlang', 'send', [atom('box'), tuple(atom('got'), 1)])
    expect(
      await beam.evalText('begin box ! {get, self(), 3}, [receive 1 -> ok end || _ <- [1, 2, 3]] end'),
    ).toBe('[ok,ok,ok]')
  })

  test('multicall: one result for each node, in order', async () => {
    const results = await node.erpc.multicall([beam.name, 'nobody@127.0.0.1', node.name], 'erlang', 'node')
    expect(results).toMatchObject([
      { node: beam.name, ok: true, value: atom(beam.name) },
      { node: 'nobody@127.0.0.1', ok: false, error: { code: 'RPC_NOCONNECTION' } },
      { node: node.name, ok: true, value: atom(node.name) },
    ])
  })

  test('requests and collections', async () => {
    const { erpc } = node
    const send = (name: string, args: Term[] = []) => erpc.sendRequest(beam.name, 'there', name, args)
    expect(await erpc.receiveResponse(erpc.sendRequest(beam.name, 'erlang', 'abs', [-1]))).toBe(1)
    const waiting = send('wait')
    expect(await erpc.waitResponse(waiting)).toBeUndefined()
    expect(await erpc.waitResponse(waiting, { timeoutMs: 5 })).toBeUndefined()
    expect(await reasonOf(erpc.receiveResponse(waiting, { timeoutMs: 5 }))).toBe('RPC_TIMEOUT')
    await expect(erpc.receiveResponse(waiting)).rejects.toMatchObject({ code: 'BAD_ARGUMENT' })
    expect(
      await erpc.waitResponse(erpc.sendRequest(beam.name, 'erlang', 'abs', [-2]), { timeoutMs: 60_000 }),
    ).toEqual({ value: 2 })

    const ids = erpc.reqidsNew<string>()
    const boom = send('boom', [1])
    ids.add(boom, 'boom').add(erpc.sendRequest(beam.name, 'erlang', 'abs', [-3]), 'three')
    expect(() => ids.add(boom, 'twice')).toThrow(ArgumentError)
    expect(ids.size).toBe(2)
    const answers = [await erpc.receiveResponse(ids), await erpc.receiveResponse(ids)]
    expect(answers.find((one) => one?.label === 'three')).toMatchObject({ ok: true, value: 3 })
    expect(answers.find((one) => one?.label === 'boom')).toMatchObject({
      ok: false,
      error: { code: 'RPC_REMOTE_ERROR' },
    })
    expect(await erpc.receiveResponse(ids)).toBeUndefined()
    ids.add(send('wait'), 'never')
    expect(await reasonOf(erpc.receiveResponse(ids, { timeoutMs: 5 }))).toBe('RPC_TIMEOUT')
    expect(ids.size).toBe(0)
  })

  test('ten thousand calls in flight, each with its own answer', async () => {
    const all = Array.from({ length: 10_000 }, (_, i) => node.erpc.call(beam.name, 'erlang', 'abs', [-i]))
    expect(await Promise.all(all)).toEqual(all.map((_, i) => i))
  })
})

describe('rpc', () => {
  test('call: a thrown term is the value, failures are badrpc', async () => {
    const call = (name: string, args: Term[]) => node.rpc.call(beam.name, 'there', name, args)
    expect(await call('toss', [1])).toBe(1)
    expect(noBrackets(await reasonOf(call('boom', [1])))).toBe("badrpc:{'EXIT',{{boom,1},…")
    expect(await reasonOf(call('leave', [2]))).toBe("badrpc:{'EXIT',2}")
    expect(await reasonOf(call('killed', []))).toBe("badrpc:{'EXIT',killed}")
    expect(await reasonOf(node.rpc.call(beam.name, 'erlang', 'hd', [[tuple(atom('EXIT'), 1)]]))).toBe(
      "badrpc:{'EXIT',1}",
    )
    expect(await reasonOf(node.rpc.call(beam.name, 'there', 'wait', [], { timeoutMs: 5 }))).toBe(
      'badrpc:timeout',
    )
    expect(await reasonOf(node.rpc.call('nobody@127.0.0.1', 'erlang', 'node', []))).toBe('badrpc:nodedown')
  })

  test('blockCall: one after another', async () => {
    const calls = Array.from({ length: 4 }, () => node.rpc.blockCall(beam.name, 'there', 'overlap'))
    expect(await Promise.all(calls)).toEqual([1, 1, 1, 1])
    expect(await reasonOf(node.rpc.blockCall(beam.name, 'there', 'leave', [2]))).toBe("badrpc:{'EXIT',2}")
    const held = node.rpc.blockCall(beam.name, 'there', 'hold', [], { timeoutMs: 5 })
    expect(await reasonOf(held)).toBe('badrpc:timeout')
    await beam.evalText('rex ! go_on')
  })

  test('multicall: results and bad nodes', async () => {
    const { results, badNodes } = await node.rpc.multicall(
      [beam.name, 'nobody@127.0.0.1', node.name],
      'erlang',
      'node',
    )
    expect(results).toEqual([atom(beam.name), atom(node.name)])
    expect(badNodes).toEqual(['nobody@127.0.0.1'])
    const bad = await node.rpc.multicall([beam.name], 'there', 'leave', [2])
    expect(bad.results.map((result) => print(result))).toEqual(["{badrpc,{'EXIT',2}}"])
  })

  test('abcast, sbcast, serverCall, multiServerCall', async () => {
    await beam.evalText(`register(notes, spawn(fun() -> (fun L(All) -> receive
      {From, all} -> From ! {notes, node(), All}, L(All); X -> L([X | All]) end end)([]) end))`)
    await node.connect(beam.name)
    node.rpc.abcast('notes', 1)
    node.rpc.abcast('notes', 2, [beam.name])
    expect(await node.rpc.sbcast('notes', 3)).toEqual({ goodNodes: [beam.name], badNodes: [node.name] })
    expect(await node.rpc.sbcast('no_such_name', 3, [beam.name, 'nobody@127.0.0.1'])).toMatchObject({
      goodNodes: [],
      badNodes: expect.arrayContaining([beam.name, 'nobody@127.0.0.1']) as unknown,
    })
    expect(await node.rpc.serverCall(beam.name, 'notes', atom('notes'), atom('all'))).toEqual([3, 2, 1])
    expect(
      await node.rpc.multiServerCall('notes', atom('all'), [beam.name, 'nobody@127.0.0.1']),
    ).toMatchObject({
      replies: [{ node: beam.name, reply: [3, 2, 1] }],
      badNodes: ['nobody@127.0.0.1'],
    })
    expect(await reasonOf(node.rpc.serverCall(beam.name, 'no_such_name', atom('x'), 1))).toBe(
      'RPC_NOCONNECTION',
    )
    expect(await reasonOf(node.rpc.serverCall(beam.name, 'kernel_sup', atom('x'), 1, { timeoutMs: 5 }))).toBe(
      'RPC_TIMEOUT',
    )
  })

  test('asyncCall, yield, nbYield, pmap, parallelEval, evalEverywhere', async () => {
    const { rpc } = node
    expect(await rpc.yield(rpc.asyncCall(beam.name, 'erlang', 'abs', [-1]))).toBe(1)
    expect(await reasonOf(rpc.yield(rpc.asyncCall(beam.name, 'there', 'leave', [1])))).toBe(
      "badrpc:{'EXIT',1}",
    )
    expect(await rpc.nbYield(rpc.asyncCall(beam.name, 'there', 'wait'))).toBeUndefined()
    expect(await rpc.nbYield(rpc.asyncCall(beam.name, 'there', 'toss', [5]), 60_000)).toEqual({ value: 5 })
    expect(await rpc.pmap(['erlang', '+'], [1], [1, 2, 3], [beam.name])).toEqual([2, 3, 4])
    expect(
      await rpc.parallelEval(
        [
          ['erlang', 'abs', [-1]],
          ['erlang', 'node', []],
        ],
        [beam.name],
      ),
    ).toEqual([1, atom(beam.name)])
    rpc.evalEverywhere('persistent_term', 'put', [atom('everywhere'), 1], [beam.name])
    await beam.until('persistent_term:get(everywhere, 0) =:= 1')
  })
})

describe('output', () => {
  test('what the function prints goes to a function or a stream, before the answer', async () => {
    let text = ''
    expect(
      await node.erpc.call(beam.name, 'there', 'say', ['hello\n'], { output: (part) => (text += part) }),
    ).toBe(atom('said'))
    expect(text).toBe('hello\n{said,1}\n')
    const written: string[] = []
    await node.rpc.call(beam.name, 'there', 'say', ['again\n'], {
      output: { write: (part: string) => written.push(part) },
    })
    expect(written.join('')).toBe('again\n{said,1}\n')
  })
})

describe('at', () => {
  interface Lists {
    reverse(list: readonly number[]): number[]
    nth(n: number, list: readonly Term[]): Term
  }

  test('functions as methods, with types', async () => {
    const lists = node.at(beam.name).module<Lists>('lists')
    const reversed: number[] = await lists.reverse([1, 2, 3])
    expect(reversed).toEqual([3, 2, 1])
    expect(await (await Promise.resolve(lists)).nth(2, [1, atom('two')])).toBe(atom('two'))
    await expect(lists.nth(9, [])).rejects.toBeInstanceOf(RemoteError)
    const any = node.at(beam.name).module('erlang')
    expect(await any.node?.()).toBe(atom(beam.name))
  })

  test('its options are the defaults of its calls', async () => {
    const at = node.at(beam.name, { timeoutMs: 5 })
    expect(await reasonOf(at.call('there', 'wait'))).toBe('RPC_TIMEOUT')
    expect(await reasonOf(at.rpcCall('there', 'wait'))).toBe('badrpc:timeout')
    expect(
      await reasonOf((at.module('there') as Record<string, () => Promise<Term>>).wait?.() as Promise<Term>),
    ).toBe('RPC_TIMEOUT')
    expect(await at.with({ timeoutMs: 60_000 }).call('erlang', 'abs', [-1])).toBe(1)
    at.cast('persistent_term', 'put', [atom('from_handle'), 1])
    await beam.until('persistent_term:get(from_handle, 0) =:= 1')
  })

  test('batches with nothing but stdlib on the other side', async () => {
    const at = node.at(beam.name)
    expect(await at.map('erlang', 'abs', [-1, 2, -3])).toEqual([1, 2, 3])
    expect(await at.map('erlang', 'system_info', [atom('otp_release')])).toEqual([
      [...String(beam.release)].map((c) => c.charCodeAt(0)),
    ])
    expect(
      await at.batch([
        ['erlang', 'node'],
        ['lists', 'seq', [1, 3]],
      ]),
    ).toEqual([atom(beam.name), [1, 2, 3]])
    expect(await reasonOf(at.batch([['there', 'leave', [1]]]))).toBe('exit:1')
    expect(await at.call('lists', 'map', [exportFun('erlang', 'length', 1), [[], [1]]])).toEqual([0, 1])
    expect(() => exportFun('m', 'f', 256)).toThrow(ArgumentError)
  })

  test('items that come as messages until finished', async () => {
    const at = node.at(beam.name)
    const items: Term[] = []
    const many = Array.from({ length: 2_000 }, (_, i) => i)
    for await (const item of at.emit('there', 'emit', ({ ref, pid }) => [many, ref, pid])) items.push(item)
    expect(items).toEqual(many)
    const late: Term[] = []
    for await (const item of at.emit('there', 'slow', ({ ref, pid }) => [ref, pid])) late.push(item)
    expect(late).toEqual([atom('late')])
  })

  test.each([
    ['as many items as the limit wait for a slow reader', 20, 'all'],
    ['one more is an error', 22, 'RPC_TOO_MANY_ITEMS'],
  ])('emit: %s', async (_what, count, end) => {
    const small = await startNode({ limits: { maxMailboxMessages: 20 } })
    const numbers = Array.from({ length: count }, (_, i) => i)
    let ref = small.makeReference()
    const emitted = small.at(beam.name).emit('there', 'emit', (target) => {
      ref = target.ref
      return [numbers, ref, target.pid]
    })
    const read = async () => {
      const items: Term[] = []
      const first = emitted.next()
      await beam.until('persistent_term:get(emitted, none) =:= R', { R: ref })
      // What was sent before this answer has come before it.
      await small.erpc.call(beam.name, 'erlang', 'node')
      items.push((await first).value as Term)
      for await (const item of emitted) items.push(item)
      return items.length === count ? 'all' : items
    }
    expect(await reasonOf(read().then((all) => Promise.reject(all as unknown as Error)))).toBe(end)
  })

  test('emit: errors, leaving early, time-outs, a node that dies', async () => {
    const at = node.at(beam.name)
    const collect = async (name: string, options = {}) => {
      const items: Term[] = []
      for await (const item of at.emit('there', name, ({ ref, pid }) => [ref, pid], options)) items.push(item)
      return items
    }
    expect(await reasonOf(collect('emit_badly'))).toBe('error:half_way')
    expect(await reasonOf(collect('emit_error'))).toBe('error:{no_vhost,x}')
    expect(await reasonOf(collect('slow', { emitters: 2, timeoutMs: 50 }))).toBe('RPC_TIMEOUT')
    const why = new Error('enough')
    expect(
      await reasonOf(collect('slow', { emitters: 2, signal: AbortSignal.any([AbortSignal.timeout(50)]) })),
    ).toMatchObject({ name: 'TimeoutError' })
    expect(await reasonOf(collect('slow', { signal: AbortSignal.abort(why) }))).toBe(why)
    for await (const item of at.emit('there', 'emit', ({ ref, pid }) => [[1, 2], ref, pid])) {
      expect(item).toBe(1)
      break
    }
    const other = await startBeam()
    await other.compile(MODULE)
    const iterator = node
      .at(other.name)
      .emit('there', 'emit', ({ ref, pid }) => [[1], ref, pid], { emitters: 2 })
    expect(await iterator.next()).toMatchObject({ value: 1 })
    const end = reasonOf(iterator.next())
    other.kill('SIGKILL')
    expect(await end).toBe('RPC_NOCONNECTION')
  })
})

test('another beampeer node is called like a BEAM', async () => {
  const other = await startNode()
  other.expose('text', { upper: (text: Uint8Array) => asText(text)?.toUpperCase() })
  expect(asText(await node.erpc.call(other.name, 'text', 'upper', ['žluť']))).toBe('ŽLUŤ')
  expect(asText(await node.rpc.blockCall(other.name, 'text', 'upper', ['b']))).toBe('B')
  expect(asText(await other.rpc.call(other.name, 'text', 'upper', ['self']))).toBe('SELF')
  expect(await reasonOf(node.rpc.call(other.name, 'text', 'lower', []))).toMatch(/^badrpc:\{'EXIT',\{undef,/)
})

test('a dynamic name does for calling', async () => {
  const nameless = await startNode({ name: null })
  expect(await nameless.connect(beam.name)).toBe(true)
  expect(await nameless.rpc.call(beam.name, 'erlang', 'node', [])).toBe(atom(beam.name))
  expect(nameless.name).toMatch(/@/)
})
