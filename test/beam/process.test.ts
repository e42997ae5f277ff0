/** Links, monitors, exit signals, aliases and spawning between processes here and on a BEAM. */
import { atom } from '../../src/etf/atom.js'
import type { Pid, Reference } from '../../src/etf/identifiers.js'
import type { Term } from '../../src/etf/terms.js'
import { Tuple, tuple } from '../../src/etf/tuple.js'
import { withContext } from '../../src/rex/exposed.js'
import type { ErlangNode } from '../../src/node/erlang-node.js'
import type { Process } from '../../src/process/process.js'
import { defaultRelease, hostRelease, startBeam, until, type Beam } from '../support/beam.js'
import { nodeEvents, startNode } from '../support/nodes.js'

/** @param since the first release that can: an older one that is tested gives way to the host's */
const both = (since = 0): Promise<[Beam, ErlangNode]> => {
  const otp = defaultRelease() >= since ? defaultRelease() : hostRelease()
  return Promise.all([startBeam({ otp }), startNode()])
}

/** A process that keeps what reaches it. */
function collector(node: ErlangNode, options: { trapExit?: boolean; name?: string } = {}) {
  const messages: Term[] = []
  const process = node.spawn(async (self) => {
    for await (const message of self) messages.push(message)
  }, options)
  return { process, messages, pid: process.pid }
}

/** A process on the BEAM that does what it is told: funs of one argument, its own state. */
async function spawnIdle(beam: Beam): Promise<Pid> {
  return (await beam.eval('spawn(fun() -> receive {stop, R} -> exit(R) end end)')) as Pid
}

describe('monitors', () => {
  test('of a BEAM process: DOWN with its reason, by pid and by name; noproc for what is not there', async () => {
    const [beam, node] = await both()
    const { process, messages } = collector(node)
    const pid = await spawnIdle(beam)
    await beam.evalText(`true = register(victim, P)`, { P: pid })
    const byPid = process.monitor(pid)
    const byName = process.monitor({ name: 'victim', node: beam.name })
    const noName = process.monitor({ name: 'nobody', node: beam.name })
    await until(() => messages.length === 1)
    const down = (ref: Reference, object: Term, reason: Term) =>
      tuple(atom('DOWN'), ref, atom('process'), object, reason)
    const named = (name: string) => tuple(atom(name), atom(beam.name))
    expect(messages).toEqual([down(noName, named('nobody'), atom('noproc'))])
    process.send(pid, tuple(atom('stop'), tuple(atom('why'), 1)))
    await until(() => messages.length === 3)
    expect(messages).toContainEqual(down(byPid, pid, tuple(atom('why'), 1)))
    expect(messages).toContainEqual(down(byName, named('victim'), tuple(atom('why'), 1)))
    const late = process.monitor(pid)
    await until(() => messages.length === 4)
    expect(messages[3]).toEqual(down(late, pid, atom('noproc')))
  })

  test('by a BEAM, of ours: by pid and name, the reasons of return, error, exit and kill', async () => {
    const [beam, node] = await both()
    const bodies: Record<string, (self: Process) => unknown> = {
      returns: (self) => self.receive(),
      exits: async (self) => {
        await self.receive()
        self.exit(tuple(atom('bye'), 1))
      },
      throws: async (self) => {
        await self.receive()
        throw new RangeError('out of range')
      },
      killed: (self) => new Promise(() => self),
    }
    for (const [name, body] of Object.entries(bodies)) node.spawn(body, { name })
    const watch = (name: string, act: string) =>
      beam.evalText(`(fun() -> N = '${name}', At = {N, '${node.name}'}, P = rpc:call('${node.name}', tests, pid_of, [N]),
        R1 = monitor(process, At), R2 = monitor(process, P), ${act},
        receive {'DOWN', R1, _, At, A} -> ok end, receive {'DOWN', R2, _, P, A} -> A end end)()`)
    node.expose('tests', { pid_of: (name: { name: string }) => node.whereis(name.name) })
    expect(await watch('returns', 'At ! go')).toBe('normal')
    expect(await watch('exits', 'At ! go')).toBe('{bye,1}')
    expect(await watch('throws', 'At ! go')).toMatch(/^\{\{js_error,<<"RangeError">>,<<"out of range">>\},\[/)
    expect(await watch('killed', 'exit(P, kill)')).toBe('killed')
    expect(
      await beam.evalText(
        `R = monitor(process, {gone, '${node.name}'}), receive {'DOWN', R, _, O, W} -> {O, W} end`,
      ),
    ).toBe(`{{gone,'${node.name}'},noproc}`)
  })

  test('demonitor: no message afterwards; flush removes one that is there; info tells', async () => {
    const [beam, node] = await both()
    const pid = await spawnIdle(beam)
    const held: boolean[] = []
    const process = node.spawn(async (self) => {
      const first = self.monitor(pid)
      held.push(self.demonitor(first), self.demonitor(first))
      const second = self.monitor(pid)
      self.send(pid, tuple(atom('stop'), atom('normal')))
      const third = self.monitor(pid)
      // Of several monitors by one process, the order in which they tell of its end is not defined.
      await until(() => self.queueLength === 2)
      await self.receive({
        match: (message) => message instanceof Tuple && third.equals(message.elements[1]),
      })
      held.push(self.demonitor(second, { flush: true }))
      return self.queueLength === 0 ? 'empty' : Promise.reject(new Error('a DOWN is left'))
    })
    await until(() => !process.alive)
    expect(process.exitReason).toBe(atom('normal'))
    expect(held).toEqual([true, false, false])
  })

  test('of our own processes, and with another tag', async () => {
    const node = await startNode()
    const { process, messages } = collector(node)
    const victim = node.spawn((self) => self.receive(), { name: 'own' })
    process.monitor(victim, { tag: tuple(atom('gone'), 'own') })
    process.monitor('own')
    process.monitor('not_own')
    node.send('own', 1)
    await until(() => messages.length === 3)
    expect(messages.map((message) => (message as Tuple).elements[4])).toEqual([
      atom('noproc'),
      atom('normal'),
      atom('normal'),
    ])
    expect((messages[1] as Tuple).elements[0]).toEqual(tuple(atom('gone'), expect.anything()))
  })

  test('monitor_node: counted, nodedown last, and at once for a node that cannot be reached', async () => {
    const [beam, node] = await both()
    const { process, messages } = collector(node)
    const pid = await spawnIdle(beam)
    process.monitorNode(beam.name)
    process.monitorNode(beam.name)
    process.monitorNode(beam.name)
    process.monitorNode(beam.name, false)
    process.monitor(pid)
    await until(async () => (await node.erpc.call(beam.name, 'erlang', 'node', [])) !== undefined)
    node.disconnect(beam.name)
    await until(() => messages.length === 3)
    const nodedown = tuple(atom('nodedown'), atom(beam.name))
    expect(messages.slice(1)).toEqual([nodedown, nodedown])
    expect((messages[0] as Tuple).elements[4]).toBe(atom('noconnection'))
    process.monitorNode('nobody@127.0.0.1')
    await until(() => messages.length === 4)
    process.monitorNode('nobody@127.0.0.1', true, { allowPassiveConnect: false })
    await until(() => messages.length === 5)
    expect(messages[4]).toEqual(tuple(atom('nodedown'), atom('nobody@127.0.0.1')))
  })
})

describe('links and exit signals', () => {
  test('an exit goes over the link in both directions, with its reason; normal ends nobody', async () => {
    const [beam, node] = await both()
    const pid = await spawnIdle(beam)
    const linked = node.spawn((self) => {
      self.link(pid)
      return new Promise(() => {})
    })
    await beam.until('{links, L} = process_info(P, links), L =/= []', { P: pid })
    await beam.evalText('P ! {stop, shot}')
    await until(() => !linked.alive)
    expect(linked.exitReason).toBe(atom('shot'))

    const target = node.spawn((self) => self.receive(), { name: 'target' })
    const told = await beam
      .evalText(
        `(fun() -> process_flag(trap_exit, true),
      P1 = rpc:call('${node.name}', tests, pid, []), link(P1), P1 ! go,
      receive {'EXIT', P1, R1} -> R1 end end)()`,
      )
      .catch((error: unknown) => String(error))
    expect(told).toContain('badrpc')
    node.expose('tests', { pid: () => target.pid })
    expect(
      await beam.evalText(`(fun() -> process_flag(trap_exit, true),
        P2 = rpc:call('${node.name}', tests, pid, []), link(P2), P2 ! go,
        receive {'EXIT', P2, R2} -> R2 end end)()`),
    ).toBe('normal')
    const survivor = node.spawn((self) => self.receive())
    const other = await spawnIdle(beam)
    survivor.link(other)
    node.send(other, tuple(atom('stop'), atom('normal')))
    const watcher = collector(node)
    watcher.process.monitor(other)
    await until(() => watcher.messages.length === 1)
    expect(survivor.alive).toBe(true)
  })

  test('linking to a dead process, or one of an earlier node, is noproc', async () => {
    const [beam, node] = await both()
    const pid = await spawnIdle(beam)
    await beam.evalText('exit(P, kill)', { P: pid })
    const { process, messages } = collector(node, { trapExit: true })
    process.link(pid)
    await until(() => messages.length === 1)
    expect(messages[0]).toEqual(tuple(atom('EXIT'), pid, atom('noproc')))
    const target = node.spawn(() => {})
    await until(() => !target.alive)
    node.expose('tests', { pid: () => target.pid })
    expect(
      await beam.evalText(`(fun() -> process_flag(trap_exit, true), D = rpc:call('${node.name}', tests, pid, []),
        link(D), receive {'EXIT', D, R} -> R end end)()`),
    ).toBe('noproc')
  })

  test('unlink, and crossing links and unlinks hundreds of times, end in what was said last', async () => {
    const [beam, node] = await both()
    const ours = collector(node, { trapExit: true })
    node.expose('tests', { pid: () => ours.pid })
    const pid = (await beam.eval(`spawn(fun() -> process_flag(trap_exit, true),
      O = rpc:call('${node.name}', tests, pid, []),
      (fun L() -> receive {flip, N} -> [begin link(O), unlink(O) end || _ <- lists:seq(1, N)], O ! flipped, L();
        {stop, R} -> exit(R) end end)() end)`)) as Pid
    node.send(pid, tuple(atom('flip'), 300))
    for (let i = 0; i < 300; i++) {
      ours.process.link(pid)
      ours.process.unlink(pid)
    }
    await until(() => ours.messages.length === 1)
    await beam.until('{links, L} = process_info(P, links), L =:= []', { P: pid })
    ours.process.link(pid)
    await beam.until('{links, L2} = process_info(P, links), length(L2) =:= 1', { P: pid })
    node.send(pid, tuple(atom('stop'), atom('end')))
    await until(() => ours.messages.length === 2)
    expect(ours.messages[1]).toEqual(tuple(atom('EXIT'), pid, atom('end')))
  })

  test("exit/2 from a BEAM follows every reason's rule", async () => {
    const [beam, node] = await both()
    const trapping = collector(node, { trapExit: true, name: 'trapping' })
    const plain = collector(node, { name: 'plain' })
    node.expose('tests', { pid: (name: { name: string }) => node.whereis(name.name) })
    const pidOf = (name: string) => `rpc:call('${node.name}', tests, pid, [${name}])`
    await beam.evalText(
      `exit(${pidOf('plain')}, normal), exit(${pidOf('trapping')}, normal), exit(${pidOf('trapping')}, other)`,
    )
    await until(() => trapping.messages.length === 2)
    expect(trapping.messages.map((message) => (message as Tuple).elements[2])).toEqual([
      atom('normal'),
      atom('other'),
    ])
    expect(plain.process.alive).toBe(true)
    await beam.evalText(`exit(${pidOf('plain')}, other), exit(${pidOf('trapping')}, kill)`)
    await until(() => !plain.process.alive && !trapping.process.alive)
    expect(plain.process.exitReason).toBe(atom('other'))
    expect(trapping.process.exitReason).toBe(atom('killed'))
  })

  test('sendExit to a BEAM process follows them there', async () => {
    const [beam, node] = await both()
    const { process, messages } = collector(node)
    const a = await spawnIdle(beam)
    const b = await spawnIdle(beam)
    const refs = [process.monitor(a), process.monitor(b)]
    process.sendExit(a, atom('normal'))
    process.sendExit(a, atom('kill'))
    process.sendExit(b, tuple(atom('because'), 1))
    await until(() => messages.length === 2)
    // Which of them tells first is the BEAM's schedulers' affair.
    const downs = messages.map((message) => (message as Tuple).elements)
    const reasons = refs.map((ref) => downs.find((down) => ref.equals(down[1]))?.[4])
    expect(reasons).toEqual([atom('killed'), tuple(atom('because'), 1)])
  })

  test('an exit signal ends a process for everyone at once: signal aborted, name free, sends dropped', async () => {
    const [beam, node] = await both()
    const sent: unknown[] = []
    let goOn = (): void => {}
    const gate = new Promise<void>((resolve) => (goOn = resolve))
    const running = node.spawn(
      async (self) => {
        self.signal.addEventListener('abort', () => sent.push('aborted'))
        await gate
        sent.push(self.send({ name: 'sink', node: beam.name }, 1))
        await expect(self.receive()).rejects.toMatchObject({ code: 'PROCESS_EXITED' })
        sent.push('done')
      },
      { name: 'running' },
    )
    const pid = await spawnIdle(beam)
    running.link(pid)
    node.send(pid, tuple(atom('stop'), atom('stop')))
    await until(() => !running.alive)
    expect(sent).toEqual(['aborted'])
    expect(node.whereis('running')).toBeUndefined()
    goOn()
    await until(() => sent.includes('done'))
    expect(sent).toEqual(['aborted', true, 'done'])
  })
})

describe('aliases', () => {
  test('messages to an alias arrive until it is deactivated; reply aliases take one', async () => {
    const [beam, node] = await both(24)
    const { process, messages } = collector(node)
    const alias = process.alias()
    const once = process.alias('reply')
    await beam.evalText('A ! one, A ! two, O ! three, O ! four, ok', { A: alias, O: once })
    await until(() => messages.length === 3)
    expect(messages).toEqual([atom('one'), atom('two'), atom('three')])
    expect(process.unalias(alias)).toBe(true)
    expect(process.unalias(alias)).toBe(false)
    const last = collector(node, { name: 'sentinel' })
    await beam.evalText(`A ! five, {sentinel, '${node.name}'} ! seven, ok`, { A: alias })
    await until(() => last.messages.includes(atom('seven')))
    expect(messages).toHaveLength(3)
  })

  test('a monitor with reply_demonitor ends with the reply; one with demonitor with the monitor', async () => {
    const [beam, node] = await both(24)
    const { process, messages } = collector(node)
    const pid = await spawnIdle(beam)
    const reply = process.monitor(pid, { alias: 'reply_demonitor' })
    await beam.evalText('R ! {answer, 1}, R ! {answer, 2}, ok', { R: reply })
    const other = process.monitor(pid, { alias: 'demonitor' })
    await beam.evalText('R ! {answer, 3}, ok', { R: other })
    await until(() => messages.length === 2)
    process.demonitor(other)
    await beam.evalText('R ! {answer, 4}, P ! {stop, now}, ok', { R: other, P: pid })
    const watcher = collector(node)
    watcher.process.monitor(pid)
    await until(() => watcher.messages.length === 1)
    expect(messages.map((message) => (message as Tuple).elements[1])).toEqual([1, 3])
  })

  test('we send to an alias of a BEAM process', async () => {
    const [beam, node] = await both(24)
    const alias = (await beam.eval(`S = self(), spawn(fun() -> A = alias(), register(aliased, self()), S ! A,
      receive {m, X} -> receive {get, F} -> F ! X end end end), receive R when is_reference(R) -> R end`)) as Reference
    node.send(alias, tuple(atom('m'), 42))
    expect(await beam.eval('aliased ! {get, self()}, receive N when is_integer(N) -> N end')).toBe(42)
  })
})

describe('spawning on our node', () => {
  const functions = (node: ErlangNode) => ({
    echo: withContext(async (ctx) => {
      const [from, body] = ((await ctx.self.receive()) as Tuple).elements as [Pid, Term]
      ctx.send(from, tuple(atom('echo'), body))
    }),
    fail: () => {
      throw new Error('failed')
    },
    leader: withContext((ctx, to: Pid) => void ctx.send(to, tuple(atom('leader'), ctx.self.groupLeader))),
    wait: withContext((ctx) => ctx.self.receive()),
    name: () => node.name,
  })

  test('spawn, spawn_link, spawn_monitor, spawn_opt, spawn_request of exposed functions', async () => {
    const [beam, node] = await both()
    node.expose('jobs', functions(node))
    const at = `'${node.name}'`
    expect(
      await beam.evalText(
        `P = spawn(${at}, jobs, echo, []), P ! {self(), hello}, receive {echo, X} -> X end`,
      ),
    ).toBe('hello')
    expect(
      await beam.evalText(`(fun() -> process_flag(trap_exit, true), P1 = spawn_link(${at}, jobs, fail, []),
        receive {'EXIT', P1, {{js_error, _, M}, _}} -> M end end)()`),
    ).toBe('<<"failed">>')
    expect(
      await beam.evalText(`{P2, R2} = spawn_monitor(${at}, jobs, echo, []), P2 ! {self(), 1}, receive {echo, 1} -> ok end,
        receive {'DOWN', R2, process, P2, W} -> W end`),
    ).toBe('normal')
    expect(
      await beam.evalText(`(fun() -> process_flag(trap_exit, true), {P3, R3} = spawn_opt(${at}, jobs, wait, [], [link, monitor, {priority, high}]),
        exit(P3, kill), receive {'EXIT', P3, killed} -> ok end, receive {'DOWN', R3, _, _, W3} -> W3 end end)()`),
    ).toBe('killed')
    expect(
      await beam.evalText(`(fun() -> seq_trace:set_token(label, 17), {P7, _} = spawn_monitor(${at}, jobs, echo, []),
        Token = seq_trace:get_token(label), seq_trace:set_token([]), exit(P7, kill), Token end)()`),
    ).toBe('{label,17}')
    expect(
      await beam.evalText(`Q = spawn_request(${at}, jobs, nothing, [], [monitor]),
        receive {spawn_reply, Q, ok, P4} -> receive {'DOWN', Q, process, P4, {undef, [{jobs, nothing, [], []} | _]}} -> undef end end`),
    ).toBe('undef')
    expect(
      await beam.evalText(`Q5 = spawn_request(${at}, jobs, echo, [], [{no_such, option}]),
        receive {spawn_reply, Q5, error, W5} -> W5 end`),
    ).toBe('badopt')
  })

  test('the same by proc_lib', async () => {
    const [beam, node] = await both()
    node.expose('jobs', functions(node))
    const at = `'${node.name}'`
    // A link is in place before the function runs, so that no end is missed.
    const spawned = (call: string) =>
      beam.evalText(`(fun() -> process_flag(trap_exit, true), P = proc_lib:${call}, P ! {self(), hello},
        receive {echo, hello} -> receive {'EXIT', P, Why} -> Why end; {'EXIT', P, {Why, _}} -> Why end end)()`)
    expect(await spawned(`spawn_link(${at}, jobs, echo, [])`)).toBe('normal')
    expect(await spawned(`spawn_opt(${at}, jobs, echo, [], [link])`)).toBe('normal')
    expect(await spawned(`spawn_link(${at}, fun jobs:echo/0)`)).toBe('normal')
    expect(await spawned(`spawn_link(${at}, jobs, no_such, [])`)).toBe('undef')
    expect(await spawned(`spawn_link(${at}, fun() -> ok end)`)).toMatch(/^\{badfun,/)
    expect(await spawned(`spawn_link(${at}, jobs, fail, [])`)).toBe('{js_error,<<"Error">>,<<"failed">>}')
  })

  test('with the group leader that the caller names', async () => {
    const [beam, node] = await both()
    node.expose('jobs', functions(node))
    expect(
      await beam.evalText(`G = group_leader(), spawn('${node.name}', jobs, leader, [self()]),
        receive {leader, G} -> same; {leader, O} -> {O, G} end`),
    ).toBe('same')
  })

  test('closures end with an error exit, never silence', async () => {
    const [beam, node] = await both()
    expect(
      await beam.evalText(`{P, R} = spawn_monitor('${node.name}', fun() -> ok end),
        receive {'DOWN', R, process, P, {W, _}} -> element(1, W) end`),
    ).toBe('badfun')
  })

  test("the older calls of net_kernel's are answered", async () => {
    const [beam, node] = await both()
    node.expose('jobs', functions(node))
    const at = `{net_kernel, '${node.name}'}`
    expect(
      await beam.evalText(`P = gen_server:call(${at}, {spawn, jobs, echo, [], group_leader()}),
        P ! {self(), old}, receive {echo, X} -> X end`),
    ).toBe('old')
    expect(
      await beam.evalText(`(fun() -> process_flag(trap_exit, true),
        P1 = gen_server:call(${at}, {spawn_link, jobs, fail, [], group_leader()}),
        receive {'EXIT', P1, {{js_error, _, M}, _}} -> M end end)()`),
    ).toBe('<<"failed">>')
    expect(
      await beam.evalText(`gen_server:call(${at}, {spawn, jobs, echo, not_a_list, group_leader()})`),
    ).toBe("{'EXIT',{badarg,[]}}")
    expect(
      await beam.evalText(`(fun() -> process_flag(trap_exit, true),
        P2 = gen_server:call(${at}, {spawn_opt, jobs, wait, [], [{priority, low}], link, group_leader()}),
        exit(P2, kill), receive {'EXIT', P2, R2} -> R2 end end)()`),
    ).toBe('killed')
  })
})

describe('incarnations', () => {
  test('messages and signals for the pids of a restarted peer never reach the new one', async () => {
    const [first, node] = await Promise.all([startBeam(), startNode()])
    const events = nodeEvents(node)
    const old = await spawnIdle(first)
    await node.connect(first.name)
    await events.next()
    const oldCreation = node.nodesInfo('connected')[0]?.creation
    first.kill()
    expect(await events.next()).toMatchObject({ type: 'nodedown' })
    await first.exit
    const second = await startBeam({ name: first.name })
    expect(await node.connect(second.name)).toBe(true)
    expect(await events.next()).toMatchObject({ type: 'nodeup' })
    expect(node.nodesInfo('connected')[0]?.creation).not.toBe(oldCreation)
    const { process, messages } = collector(node, { trapExit: true })
    process.send(old, atom('stray'))
    const ref = process.monitor(old)
    process.link(old)
    process.sendExit(old, atom('kill'))
    process.unlink(old)
    await until(() => messages.length === 1)
    expect(messages[0]).toEqual(tuple(atom('DOWN'), ref, atom('process'), old, atom('noproc')))
    process.link(old)
    await until(() => messages.length === 2)
    expect(messages[1]).toEqual(tuple(atom('EXIT'), old, atom('noproc')))
    process.link(old)
    process.exit(atom('over'))
    // The connection took no harm: a BEAM drops it when an EXIT for an old incarnation comes.
    expect(await node.erpc.call(second.name, 'erlang', 'node', [])).toBe(atom(second.name))
    await second.until(`nodes(hidden) =:= ['${node.name}']`)
    expect(events.subscription.dropped).toBe(0)
  })
})

describe('what a BEAM asks about our processes by rpc', () => {
  test('processes, registered, whereis, is_process_alive, process_info', async () => {
    const [beam, node] = await both()
    const { process } = collector(node, { trapExit: true, name: 'asked' })
    const idle = node.spawn(() => new Promise(() => {}))
    const ended = node.spawn(() => {})
    process.link(idle)
    node.send(idle.pid, 1)
    const ask = (call: string) =>
      beam.evalText(
        `(fun() -> A = rpc:call('${node.name}', erlang, whereis, [asked]),
        R = fun(F, Args) -> rpc:call('${node.name}', erlang, F, Args) end, ${call} end)()`,
        { Idle: idle.pid, Ended: ended.pid },
      )
    expect(await ask('{R(is_process_alive, [A]), R(is_process_alive, [Ended]), R(whereis, [nobody])}')).toBe(
      '{true,false,undefined}',
    )
    expect(
      await ask('lists:member(A, R(processes, [])) andalso lists:member(asked, R(registered, []))'),
    ).toBe('true')
    expect(
      await ask(
        'R(process_info, [A, [registered_name, trap_exit, links]]) =:= [{registered_name, asked}, {trap_exit, true}, {links, [Idle]}]',
      ),
    ).toBe('true')
    expect(
      await ask(
        '{R(process_info, [Idle, message_queue_len]), R(process_info, [Idle, registered_name]), R(process_info, [Ended])}',
      ),
    ).toBe('{{message_queue_len,1},[],undefined}')
    expect(await ask('proplists:get_value(status, R(process_info, [A]))')).toBe('waiting')
    expect(await ask('{badrpc, {_, {W, _}}} = R(process_info, [A, no_such_item]), W')).toBe('badarg')
    expect(await ask('{badrpc, {_, {W, _}}} = R(is_process_alive, [self()]), W')).toBe('badarg')
    // As this BEAM answers for a process of its own: items are looked at first, and booleans are atoms.
    const same = (call: string) =>
      ask(
        `begin {Q, M} = spawn_monitor(fun() -> ok end), receive {'DOWN', M, _, _, _} -> ok end,
        Info = fun(I) -> {try process_info(Q, I) catch error:Why -> Why end,
          case R(process_info, [Ended, I]) of {badrpc, {_, {Why, _}}} -> Why; Got -> Got end} end, ${call} end`,
      )
    expect(await same('[Info(I) || I <- [links, memory, [], [links, memory]]]')).toBe(
      '[{undefined,undefined},{undefined,undefined},{undefined,undefined},{undefined,undefined}]',
    )
    expect(await same('[Info(I) || I <- [bad, 1, [links, bad]]]')).toBe(
      '[{badarg,badarg},{badarg,badarg},{badarg,badarg}]',
    )
    expect(await ask('{whereis(true), R(whereis, [true])}')).toBe('{undefined,undefined}')
  })
})
