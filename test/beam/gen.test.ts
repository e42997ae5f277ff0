/** Generic servers, both ways: gen_server, gen_statem, Elixir's GenServer, Agent and Task.Supervisor; sys. */
import { atom } from '../../src/etf/atom.js'
import { ExportFun, Pid } from '../../src/etf/identifiers.js'
import type { Term } from '../../src/etf/terms.js'
import { Tuple, tuple } from '../../src/etf/tuple.js'
import { GenServer, NO_REPLY, stopWith } from '../../src/gen/server.js'
import type { GenFrom } from '../../src/process/gen-reply.js'
import { hostRelease, startBeam, uniqueName, until, type Beam } from '../support/beam.js'
import { startNode } from '../support/nodes.js'

const CART = `-module(cart).
-behaviour(gen_server).
-export([start/0, init/1, handle_call/3, handle_cast/2, handle_info/2]).
start() -> {ok, Pid} = gen_server:start({local, cart}, cart, [], []), Pid.
init([]) -> {ok, 0}.
handle_call(total, _From, S) -> {reply, S, S};
handle_call({add, N}, _From, S) -> {reply, ok, S + N};
handle_call(slow, From, S) -> erlang:send_after(200, self(), {late, From}), {noreply, S};
handle_call(never, _From, S) -> {noreply, S};
handle_call(crash, _From, _S) -> error(crashed);
handle_call(leave, _From, S) -> {stop, normal, S}.
handle_cast({add, N}, S) -> {noreply, S + N}.
handle_info({late, From}, S) -> gen_server:reply(From, late), {noreply, S + 1}.
`

class Counter extends GenServer<number> {
  terminated: unknown
  casts: Term[] = []
  infos: Term[] = []
  later: GenFrom[] = []

  override init(): void {
    this.state = 0
  }

  override async handleCall(request: Term, from: GenFrom) {
    if (request === atom('get')) return this.state
    if (request === atom('later')) {
      this.later.push(from)
      return NO_REPLY
    }
    if (request === atom('slowly')) {
      const before = this.state
      await new Promise((resolve) => setImmediate(resolve))
      this.state = before + 1
      return this.state
    }
    if (request === atom('stop')) return stopWith(atom('normal'), atom('stopping'))
    if (request === atom('boom')) throw new TypeError('boom')
    return tuple(atom('unknown'), request)
  }

  override handleCast(request: Term) {
    this.casts.push(request)
    for (const from of this.later.splice(0)) this.reply(from, request)
    return request === atom('stop') ? stopWith(atom('shutdown')) : undefined
  }

  override handleInfo(message: Term): void {
    this.infos.push(message)
  }

  override terminate(reason: unknown): void {
    this.terminated = reason
  }
}

async function startCart(beam: Beam): Promise<void> {
  await beam.compile(CART)
  await beam.evalText('cart:start()')
}

describe('calls to servers of a BEAM', () => {
  test('call, cast, by name and by pid, in order', async () => {
    const [beam, node] = await Promise.all([startBeam(), startNode()])
    await startCart(beam)
    const cart = { name: 'cart', node: beam.name }
    expect(await node.gen.call(cart, atom('total'))).toBe(0)
    for (let i = 1; i <= 10; i++) node.gen.cast(cart, tuple(atom('add'), i))
    expect(await node.gen.call(cart, atom('total'))).toBe(55)
    const pid = (await beam.eval('whereis(cart)')) as Pid
    expect(await node.gen.call(pid, tuple(atom('add'), 1))).toBe(atom('ok'))
    expect(node.gen.pending).toBe(0)
  })

  test("the errors are OTP's: noproc, timeout, nodedown, and the server's own end", async () => {
    const [beam, node] = await Promise.all([startBeam(), startNode()])
    await startCart(beam)
    const cart = { name: 'cart', node: beam.name }
    await expect(node.gen.call({ name: 'nobody', node: beam.name }, 1)).rejects.toMatchObject({
      code: 'GEN_NOPROC',
      reason: atom('noproc'),
    })
    await expect(node.gen.call('nobody_here', 1)).rejects.toMatchObject({ code: 'GEN_NOPROC' })
    await expect(node.gen.call(cart, atom('never'), { timeoutMs: 20 })).rejects.toMatchObject({
      code: 'GEN_TIMEOUT',
    })
    const absent = uniqueName('absent')
    await expect(node.gen.call({ name: 'cart', node: absent }, 1)).rejects.toMatchObject({
      code: 'GEN_NODEDOWN',
      reason: tuple(atom('nodedown'), atom(absent)),
    })
    const leaving = node.gen.call(cart, atom('leave'))
    await expect(leaving).rejects.toMatchObject({ code: 'GEN_EXIT', reason: atom('normal') })
    await beam.evalText('cart:start()')
    const crashing = node.gen.call(cart, atom('crash'))
    await expect(crashing).rejects.toMatchObject({ code: 'GEN_EXIT' })
    await beam.evalText('cart:start()')
    const waiting = node.gen.call(cart, atom('never'), { timeoutMs: Infinity })
    const failed = expect(waiting).rejects.toMatchObject({ code: 'GEN_NODEDOWN' })
    await node.gen.call(cart, atom('total'))
    beam.kill()
    await failed
    expect(node.gen.pending).toBe(0)
  })

  test('an abort signal ends the wait, and a late reply reaches no one', async () => {
    const [beam, node] = await Promise.all([startBeam(), startNode()])
    await startCart(beam)
    const cart = { name: 'cart', node: beam.name }
    const abort = new AbortController()
    const aborted = node.gen.call(cart, atom('slow'), { signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(aborted).rejects.toThrow('enough')
    // The late reply was sent once the state shows it; the next call sees an answer of its own.
    await beam.until('sys:get_state(cart) =:= 1')
    expect(await node.gen.call(cart, atom('total'))).toBe(1)
  })

  test('requests are sent first and waited for later, as often as wanted', async () => {
    const [beam, node] = await Promise.all([startBeam(), startNode()])
    await startCart(beam)
    const cart = { name: 'cart', node: beam.name }
    const request = node.gen.sendRequest(cart, atom('slow'))
    expect(await request.wait(0)).toBeUndefined()
    expect(await request.response).toBe(atom('late'))
    expect(await request.wait(0)).toEqual({ reply: atom('late') })
    const given = node.gen.sendRequest(cart, atom('never'))
    given.abandon(new Error('not needed'))
    await expect(given.response).rejects.toThrow('not needed')
    expect(node.gen.pending).toBe(0)
  })

  test('multi_call and abcast over several nodes', async () => {
    const [a, b, node] = await Promise.all([startBeam(), startBeam(), startNode()])
    await Promise.all([startCart(a), startCart(b)])
    const absent = uniqueName('absent')
    node.gen.abcast([a.name, b.name], 'cart', tuple(atom('add'), 7))
    expect(await node.gen.multiCall([a.name, absent, b.name], 'cart', atom('total'))).toEqual({
      replies: [
        { node: a.name, reply: 7 },
        { node: b.name, reply: 7 },
      ],
      badNodes: [absent],
    })
  })

  test('sys: state, status, suspend and resume, replace with a fun of the BEAM, terminate', async () => {
    const [beam, node] = await Promise.all([startBeam(), startNode()])
    await startCart(beam)
    const cart = { name: 'cart', node: beam.name }
    const { sys } = node.gen
    expect(await sys.getState(cart)).toBe(0)
    await sys.suspend(cart)
    await expect(node.gen.call(cart, atom('total'), { timeoutMs: 20 })).rejects.toMatchObject({
      code: 'GEN_TIMEOUT',
    })
    expect(await sys.getStatus(cart)).toMatchObject({
      elements: [atom('status'), expect.any(Pid), expect.any(Tuple), expect.any(Array)],
    })
    expect(await sys.replaceState(cart, new ExportFun(atom('erlang'), atom('abs'), 1))).toBe(0)
    await sys.resume(cart)
    expect(await node.gen.call(cart, atom('total'))).toBe(0)
    await sys.terminate(cart, atom('shutdown'))
    await beam.until('whereis(cart) =:= undefined')
    await beam.evalText('cart:start()')
    await node.gen.stop(cart)
    expect(await beam.evalText('whereis(cart)')).toBe('undefined')
    await expect(node.gen.stop(cart)).rejects.toMatchObject({ code: 'GEN_NOPROC' })
  })

  test('gen_statem answers the same calls', async () => {
    const [beam, node] = await Promise.all([startBeam(), startNode()])
    await beam.compile(`-module(door).
-export([start/0, init/1, callback_mode/0, handle_event/4]).
start() -> {ok, _} = gen_statem:start({local, door}, door, [], []).
init([]) -> {ok, shut, []}.
callback_mode() -> handle_event_function.
handle_event({call, From}, which, S, D) -> {keep_state, D, [{reply, From, S}]};
handle_event(cast, open, shut, D) -> {next_state, open, D}.
`)
    await beam.evalText('door:start()')
    const door = { name: 'door', node: beam.name }
    expect(await node.gen.call(door, atom('which'))).toBe(atom('shut'))
    node.gen.cast(door, atom('open'))
    expect(await node.gen.call(door, atom('which'))).toBe(atom('open'))
  })

  test("Elixir's GenServer, Agent and Task.Supervisor answer", async () => {
    const [beam, node] = await Promise.all([startBeam({ elixir: true, otp: hostRelease() }), startNode()])
    await beam.evalElixir(`
      defmodule Stack do
        use GenServer
        def init(s), do: {:ok, s}
        def handle_call(:pop, _, [h | t]), do: {:reply, h, t}
        def handle_cast({:push, x}, s), do: {:noreply, [x | s]}
      end
      {:ok, s} = GenServer.start(Stack, [1], name: Stack)
      {:ok, _} = Agent.start(fn -> %{n: 41} end, name: :numbers)
      {:ok, _} = Task.Supervisor.start_link(name: :tasks) |> tap(fn {:ok, p} -> Process.unlink(p) end)
      is_pid(s)`)
    const stack = { name: 'Elixir.Stack', node: beam.name }
    node.gen.cast(stack, tuple(atom('push'), 'top'))
    expect(String(await node.gen.call(stack, atom('pop')))).toBe('top')
    expect(await node.gen.call(stack, atom('pop'))).toBe(1)
    // Agent.get(agent, module, fun, args): Map.fetch!(state, :n)
    const get = tuple(atom('get'), tuple(atom('Elixir.Map'), atom('fetch!'), [atom('n')]))
    expect(await node.gen.call({ name: 'numbers', node: beam.name }, get)).toBe(41)
    const children = await node.gen.call({ name: 'tasks', node: beam.name }, atom('count_children'))
    expect(children).toBeDefined()
  })
})

describe('servers of ours', () => {
  test('answer gen_server:call, cast and messages, one after another', async () => {
    const [beam, node] = await Promise.all([startBeam(), startNode()])
    const counter = new Counter()
    await node.gen.start(counter, { name: 'counter' })
    const at = `{counter, '${node.name}'}`
    expect(await beam.evalText(`gen_server:call(${at}, get)`)).toBe('0')
    // Twenty callers at once; each read-modify-write waits for the one before.
    expect(
      await beam.evalText(`S = self(),
        [spawn(fun() -> S ! {n, gen_server:call(${at}, slowly)} end) || _ <- lists:seq(1, 20)],
        lists:sort([receive {n, N} -> N end || _ <- lists:seq(1, 20)]) =:= lists:seq(1, 20)`),
    ).toBe('true')
    expect(
      await beam.evalText(
        `gen_server:cast(${at}, {note, 1}), ${at} ! plain, gen_server:call(${at}, {other})`,
      ),
    ).toBe('{unknown,{other}}')
    expect(counter.casts).toEqual([tuple(atom('note'), 1)])
    expect(counter.infos).toEqual([atom('plain')])
    // A reply that comes later, by reply/2.
    expect(
      await beam.evalText(`R = gen_server:send_request(${at}, later), timeout = gen_server:wait_response(R, 0),
        gen_server:cast(${at}, now), gen_server:wait_response(R, infinity)`),
    ).toBe('{reply,now}')
    expect(await beam.evalText(`gen_server:multi_call(['${node.name}'], counter, get)`)).toBe(
      `{[{'${node.name}',20}],[]}`,
    )
  })

  test('end as gen_servers do: stop with a reply, an error, sys:terminate, gen_server:stop', async () => {
    const [beam, node] = await Promise.all([startBeam(), startNode()])
    const at = `{counter, '${node.name}'}`
    const first = new Counter()
    await node.gen.start(first, { name: 'counter' })
    expect(await beam.evalText(`gen_server:call(${at}, stop)`)).toBe('stopping')
    await until(() => node.whereis('counter') === undefined)
    expect(first.terminated).toBe(atom('normal'))
    expect(await beam.evalText(`try gen_server:call(${at}, get) catch exit:{R, _} -> R end`)).toBe('noproc')

    const second = new Counter()
    await node.gen.start(second, { name: 'counter' })
    expect(
      await beam.evalText(
        `try gen_server:call(${at}, boom) catch exit:{{{js_error, N, M}, _Stack}, _} -> {N, M} end`,
      ),
    ).toBe('{<<"TypeError">>,<<"boom">>}')
    expect(second.terminated).toBeDefined()

    await node.gen.start(new Counter(), { name: 'counter' })
    expect(await beam.evalText(`gen_server:stop(${at})`)).toBe('ok')
    const third = new Counter()
    await node.gen.start(third, { name: 'counter' })
    expect(await beam.evalText(`sys:terminate(${at}, enough)`)).toBe('ok')
    await until(() => node.whereis('counter') === undefined)
    expect(third.terminated).toBe(atom('enough'))
  })

  test('answer sys: get_state, get_status, suspend, resume, replace_state with an error', async () => {
    const [beam, node] = await Promise.all([startBeam(), startNode()])
    const counter = new Counter()
    const process = await node.gen.start(counter, { name: 'counter' })
    counter.state = 12
    const at = `{counter, '${node.name}'}`
    expect(await beam.evalText(`sys:get_state(${at})`)).toBe('12')
    expect(
      await beam.evalText(`{status, P, {module, gen_server}, [_, running, _, _, Misc]} = sys:get_status(${at}),
      {node(P), proplists:get_value("State", lists:append(proplists:get_all_values(data, Misc)))}`),
    ).toBe(`{'${node.name}',12}`)
    expect(
      await beam.evalText(`ok = sys:suspend(${at}), ok = sys:suspend(${at}),
      R2 = gen_server:send_request(${at}, get), timeout = gen_server:wait_response(R2, 50),
      12 = sys:get_state(${at}), ok = sys:resume(${at}), gen_server:wait_response(R2, infinity)`),
    ).toBe('{reply,12}')
    expect(
      await beam.evalText(
        `try sys:replace_state(${at}, fun(S) -> S + 1 end) catch error:{callback_failed, {M, F}, _} -> {M, F} end`,
      ),
    ).toBe("{'Counter',system_replace_state}")
    expect(
      await beam.evalText(`{sys:statistics(${at}, get), sys:log(${at}, get), sys:no_debug(${at})}`),
    ).toBe('{{ok,no_statistics},{ok,[]},ok}')
    expect(await beam.evalText(`try sys:statistics(${at}, true) catch C:E -> {C, E} end`)).toContain(
      'unknown_system_msg',
    )
    // A state that is no term says so, and harms nothing.
    counter.state = Symbol('no term') as never
    expect(
      await beam.evalText(`try sys:get_state(${at}) catch error:{callback_failed, {_, F3}, _} -> F3 end`),
    ).toBe('system_get_state')
    expect(process.alive).toBe(true)
  })

  test('answer Elixir', async () => {
    const [beam, node] = await Promise.all([startBeam({ elixir: true, otp: hostRelease() }), startNode()])
    await node.gen.start(new Counter(), { name: 'counter' })
    const at = `{:counter, :"${node.name}"}`
    expect(await beam.evalElixir(`GenServer.cast(${at}, :x); GenServer.call(${at}, :slowly)`)).toBe('1')
    expect(
      await beam.evalElixir(
        `catch_exit = try do GenServer.call({:nobody, :"${node.name}"}, :x) catch :exit, {r, _} -> r end; catch_exit`,
      ),
    ).toBe(':noproc')
  })

  test('init that fails is an error for who starts it', async () => {
    const node = await startNode()
    class Failing extends GenServer {
      override init(): void {
        throw new Error('no')
      }
    }
    await expect(node.gen.start(new Failing(), { name: 'failing' })).rejects.toMatchObject({
      code: 'GEN_INIT_FAILED',
      cause: expect.objectContaining({ message: 'no' }) as unknown,
    })
    expect(node.whereis('failing')).toBeUndefined()
    class Selfish extends GenServer {
      override async handleCall(request: Term): Promise<Term> {
        if (request === atom('me')) return this.call('selfish', atom('me'))
        return this.call(this.self.pid, atom('me'))
      }
    }
    await node.gen.start(new Selfish(), { name: 'selfish' })
    for (const request of [atom('me'), atom('pid')]) {
      const failed = node.gen.call('selfish', request)
      await expect(failed).rejects.toMatchObject({
        code: expect.stringMatching(/GEN_(EXIT|NOPROC)/) as unknown,
      })
      await expect(failed).rejects.toThrow(/GEN_CALLING_SELF|noproc/)
    }
    const once = new Counter()
    await node.gen.start(once)
    await expect(node.gen.start(once)).rejects.toMatchObject({ code: 'GEN_INIT_FAILED' })
  })
})
