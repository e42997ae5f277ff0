/**
 * Whole nodes over one connection (BEAMPEER_OTP says which release): order, long messages with others between them, ticks,
 * and what holds whom back when one side is slow.
 */
import type { ErlangNode } from '../../src/node/erlang-node.js'
import { atom } from '../../src/etf/atom.js'
import type { Pid, Reference } from '../../src/etf/identifiers.js'
import type { Encodable, Term } from '../../src/etf/terms.js'
import { Tuple, tuple } from '../../src/etf/tuple.js'
import type { Process } from '../../src/process/process.js'
import { type Beam, startBeam, until } from '../support/beam.js'
import { nodeEvents, startNode } from '../support/nodes.js'

const MODULE = `
-module(flow).
-export([numbered/3, checker/1, flood/3, sum/1, filler/1, when_down/1]).

%% What message N holds: mostly little, now and then more than a fragment.
filler(N) when N rem 997 =:= 0 -> binary:copy(<<(N band 255)>>, 65500 + (N rem 5) * 70000);
filler(N) when N rem 3 =:= 0 -> {mixed, [N, N + 0.5]};
filler(N) -> binary:copy(<<"x">>, N rem 200).

%% Messages and exit signals to a process that traps exits.
numbered(To, From, Last) ->
  [case N rem 1000 of
     999 -> exit(To, {N, filler(N)});
     _ -> To ! {N, filler(N)}
   end || N <- lists:seq(From, Last)],
  ok.

%% Takes numbered messages and exits up to Last; its answer is the first that was out of order or damaged, else ok.
checker(Last) ->
  spawn(fun() -> process_flag(trap_exit, true), check(1, Last) end).

check(N, Last) when N > Last -> receive {result, To} -> To ! {result, ok} end;
check(N, Last) ->
  receive
    {'EXIT', _, {N, Data}} when N rem 1000 =:= 999 -> check(N, Last, Data);
    {N, Data} when N rem 1000 =/= 999 -> check(N, Last, Data);
    {result, To} -> To ! {result, {missing, N}};
    Other -> receive {result, To} -> To ! {result, {expected, N, got, element(1, Other)}} end
  end.

check(N, Last, Data) ->
  case filler(N) of
    Data -> check(N + 1, Last);
    _ -> receive {result, To} -> To ! {result, {damaged, N}} end
  end.

flood(To, Count, Size) ->
  spawn(fun() -> [To ! {N, binary:copy(<<N>>, Size)} || N <- lists:seq(1, Count)], To ! done end).

%% The sum of what arrives until done.
sum(To) -> spawn(fun() -> sum(To, 0) end).
sum(To, Sum) ->
  receive {N, _} -> sum(To, Sum + N); done -> To ! {sum, Sum} end.

%% What comes from a process that is monitored by name, up to its end.
when_down(NameAndNode) ->
  spawn(fun() ->
    register(when_down, self()),
    Ref = monitor(process, NameAndNode),
    NameAndNode ! {ready, self()},
    down(Ref, [])
  end).
down(Ref, Seen) ->
  receive
    {get, To} -> To ! {seen, lists:reverse(Seen)}, down(Ref, Seen);
    {'DOWN', Ref, _, _, Reason} -> down(Ref, [{down, Reason} | Seen]);
    Message -> down(Ref, [byte_size(Message) | Seen])
  end.
`

function filler(number: number): Encodable {
  if (number % 997 === 0) return new Uint8Array(65_500 + (number % 5) * 70_000).fill(number & 255)
  return number % 3 === 0 ? tuple(atom('mixed'), [number, number + 0.5]) : 'x'.repeat(number % 200)
}

let beam: Beam
beforeAll(async () => {
  beam = await startBeam()
  await beam.compile(MODULE)
})

const COUNT = 100_000

describe('100,000 numbered messages and exit signals of mixed sizes', () => {
  it('arrive in order from a BEAM', async () => {
    const node = await startNode()
    let problem: string | undefined
    let next = 1
    const done = new Promise<void>((resolve) => {
      const process = node.spawn(
        async (self) => {
          for await (const message of self) {
            const { elements, tag } = message as Tuple
            const [number, data] = (tag === 'EXIT' ? (elements[2] as Tuple).elements : elements) as [
              number,
              Term,
            ]
            if (number !== next) problem ??= `expected ${next}, got ${number}`
            if ((number % 1000 === 999) !== (tag === 'EXIT')) problem ??= `${number} came as the wrong signal`
            if (number % 997 === 0 && !Buffer.from(filler(number) as Uint8Array).equals(data as Uint8Array))
              problem ??= `${number} is damaged`
            next = number + 1
            if (number === COUNT) resolve()
          }
        },
        { trapExit: true },
      )
      void beam.eval('spawn(flow, numbered, [To, 1, Last])', { To: process.pid, Last: COUNT })
    })
    await done
    expect(problem).toBeUndefined()
  })

  it('arrive in order at a BEAM', async () => {
    const node = await startNode()
    const to = (await node.erpc.call(beam.name, 'flow', 'checker', [COUNT])) as Pid
    const result = await new Promise<Term>((resolve) => {
      node.spawn(async (self) => {
        for (let number = 1; number <= COUNT; number++) {
          const content = tuple(number, filler(number))
          if (number % 1000 === 999) self.sendExit(to, content)
          else if (!self.send(to, content)) await node.writable(beam.name)
        }
        self.send(to, tuple(atom('result'), self.pid))
        resolve(await self.receive())
      })
    })
    expect(result).toEqual(tuple(atom('result'), atom('ok')))
  })
})

it('a process that is monitored by name goes down after what it sent, however long that is', async () => {
  const node = await startNode()
  const size = 3_000_000
  node.register(
    'known',
    node.spawn(async (self) => {
      const [, to] = ((await self.receive()) as Tuple<[Term, Pid]>).elements
      self.send(to, new Uint8Array(size))
    }),
  )
  await node.erpc.call(beam.name, 'flow', 'when_down', [tuple(atom('known'), atom(node.name))])
  await beam.until('is_pid(whereis(when_down))')
  const seen = await ask(
    node,
    { name: 'when_down', node: beam.name },
    'get',
    (answer) => (answer.elements[1] as Term[]).length === 2,
  )
  expect(seen.elements[1]).toEqual([size, tuple(atom('down'), atom('normal'))])
})

describe('a message of 100 MB', () => {
  const SIZE = 100_000_000
  /** Both tick every second or so; a side that hears nothing for 4 s gives the other up. */
  let ticking: Beam
  let node: ErlangNode
  beforeAll(async () => {
    ticking = await startBeam({ args: ['-kernel', 'net_ticktime', '4'] })
    await ticking.compile(MODULE)
    node = await startNode({ netTicktime: 4 })
  })

  it('goes to a BEAM with calls of others answered meanwhile', async () => {
    const to = (await node.erpc.call(ticking.name, 'flow', 'sum', [
      node.spawn((self) => self.receive()).pid,
    ])) as Pid
    expect(node.send(to, tuple(1, new Uint8Array(SIZE)))).toBe(false)
    let arrived = false
    const writable = node.writable(ticking.name).then(() => (arrived = true))
    // At least one call is answered before the message has left.
    await node.erpc.call(ticking.name, 'erlang', 'node', [])
    expect(arrived).toBe(false)
    await writable
    expect(node.nodes('connected')).toEqual([ticking.name])
  })

  it('comes from a BEAM with other messages between', async () => {
    const order: number[] = []
    let small = 0
    await new Promise<void>((resolve) => {
      const large = node.spawn(async (self) => {
        for (let i = 0; i < 2; i++) {
          const message = await self.receive()
          if (message instanceof Tuple)
            order.push(((message as Tuple).elements[1] as Uint8Array).length, small)
        }
        resolve()
      })
      const others = node.spawn(async (self) => {
        for await (const _ of self) small++
      })
      void node.erpc.call(ticking.name, 'flow', 'flood', [large.pid, 1, SIZE])
      void node.erpc.call(ticking.name, 'flow', 'flood', [others.pid, 2_000, 10])
    })
    const [size, before] = order
    expect(size).toBe(SIZE)
    expect(before).toBeGreaterThan(0)
    expect(node.nodes('connected')).toEqual([ticking.name])
  })
})

describe('when one side is slow', () => {
  it('a BEAM that does not read holds our senders back, and gets all when it goes on', async () => {
    const stopped = await startBeam()
    await stopped.compile(MODULE)
    const node = await startNode({ limits: { busyLimitBytes: 500_000, maxQueuedBytes: 4_000_000 } })
    const collector = node.spawn((self) => self.receive())
    const to = (await node.erpc.call(stopped.name, 'flow', 'sum', [collector.pid])) as Pid
    stopped.suspend()
    const chunk = new Uint8Array(50_000)
    let number = 0
    let waiting: Promise<unknown> | undefined
    // The system's own buffers take some before the peer's silence is felt here.
    while (waiting === undefined) {
      while (node.send(to, tuple(++number, chunk)));
      // Over the limit signals are still queued, up to the hard cap; the one past it is refused and nothing of it sent.
      let refused: unknown
      while (refused === undefined) {
        try {
          node.send(to, tuple(number + 1, chunk))
          number++
        } catch (error) {
          refused = error
        }
      }
      expect(refused).toMatchObject({ code: 'DIST_QUEUE_FULL' })
      let writable = false
      const below = node.writable(stopped.name).then(() => (writable = true))
      for (let turn = 0; turn < 100 && !writable; turn++)
        await new Promise((resolve) => setImmediate(resolve))
      if (!writable) waiting = below
    }
    stopped.resume()
    await waiting
    expect(node.send(to, atom('done'))).toBe(true)
    await until(() => !collector.alive, { what: 'the sum' })
    expect(collector.exitReason).toEqual(atom('normal'))
    expect(await stopped.evalText('process_info(P, message_queue_len)', { P: to })).toBe('undefined')
  })

  it('a process of ours that does not receive holds the BEAM back, and gets all when it goes on', async () => {
    const mailboxBusyBytes = 2_000_000
    const node = await startNode({ limits: { mailboxBusyBytes, mailboxTrickleMs: 2 ** 31 - 1 } })
    const count = 1_000
    const size = 100_000
    let begin: () => void = () => undefined
    const begun = new Promise<void>((resolve) => (begin = resolve))
    let problem: string | undefined
    const slow = node.spawn(async (self) => {
      await begun
      for (let number = 1; number <= count; number++) {
        const [got, data] = ((await self.receive()) as Tuple<[number, Uint8Array]>).elements
        if (got !== number || data.length !== size || data[0] !== (number & 255))
          problem ??= `${got} for ${number}`
      }
      if ((await self.receive()) !== atom('done')) problem ??= 'no end'
    })
    // Known by name there: a call of ours could not be answered any more.
    const flood = (await beam.eval('flow:flood(To, N, Size)', { To: slow.pid, N: count, Size: size })) as Pid
    await until(() => slow.queueLength * size >= mailboxBusyBytes, { what: 'a full mailbox' })
    await beam.until('{status, suspended} =:= process_info(P, status)', { P: flood })
    expect(slow.queueLength * size).toBeLessThan(mailboxBusyBytes + 1_000_000)
    expect(node.nodes('connected')).toEqual([beam.name])
    begin()
    await ended(slow)
    expect(problem).toBeUndefined()
  })

  it('a full mailbox keeps nobody from an answer of the same node for good', async () => {
    const node = await startNode({ limits: { mailboxBusyMessages: 100, mailboxTrickleMs: 5 } })
    const deaf = node.spawn((self) => self.receive({ match: () => false }))
    const silent = node.spawn(async () => {
      const answers: Term[] = []
      // It calls the node that floods it, and receives nothing meanwhile.
      for (let i = 0; i < 3; i++) answers.push(await node.erpc.call(beam.name, 'erlang', 'abs', [-i]))
      expect(answers).toEqual([0, 1, 2])
    })
    await node.erpc.call(beam.name, 'flow', 'flood', [silent.pid, 20_000, 100])
    await node.erpc.call(beam.name, 'flow', 'flood', [deaf.pid, 20_000, 100])
    await ended(silent)
    // One that waits for a message that has not come is not slow: all is read.
    await until(() => deaf.queueLength === 20_001, { what: 'all messages' })
  })

  it('messages of many empty tuples to a process that does not read: few are held, and answers come', async () => {
    // On the wire each has 20 kB, and all have half of what one mailbox may hold.
    const limits = { maxMailboxBytes: 1_000_000, mailboxBusyBytes: 100_000, mailboxTrickleMs: 1 }
    const node = await startNode({ limits })
    const count = 25
    let answer: Term | undefined
    const finish: (() => void)[] = []
    const silent = (mailboxPolicy: 'dropNew' | 'dropOldest') =>
      node.spawn(
        async () => {
          await new Promise<void>((resolve) => finish.push(resolve))
          answer = await node.erpc.call(beam.name, 'erlang', 'abs', [-7])
        },
        { mailboxPolicy },
      )
    const [dropNew, dropOldest] = [silent('dropNew'), silent('dropOldest')]
    for (const process of [dropNew, dropOldest]) {
      await beam.eval('[P ! {N, lists:duplicate(10000, {})} || N <- lists:seq(1, Count)], P ! last, ok', {
        P: process.pid,
        Count: count,
      })
    }
    await until(() => dropNew.droppedMessages === count - 1 && dropOldest.droppedMessages === count - 1, {
      what: 'all messages',
    })
    const held = (process: Process) =>
      process.mailbox.messages().map((message) => (message instanceof Tuple ? message.elements[0] : message))
    await until(() => dropOldest.queueLength === 2, { what: 'the last message' })
    expect([held(dropNew), held(dropOldest)]).toEqual([
      [1, atom('last')],
      [count, atom('last')],
    ])
    for (const call of finish) call()
    await ended(dropNew)
    await ended(dropOldest)
    expect(answer).toBe(7)
  })

  it('a stall of our event loop longer than the tick time costs no connection that lives', async () => {
    const node = await startNode({ netTicktime: 1 })
    const events = nodeEvents(node)
    await node.dial(beam.name)
    expect(await events.next()).toMatchObject({ type: 'nodeup' })
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_000)
    // The timers that are overdue run, and then several more.
    for (let i = 0; i < 5; i++) await node.erpc.call(beam.name, 'timer', 'sleep', [200])
    expect(node.nodes('connected')).toEqual([beam.name])
    node.disconnect(beam.name)
    expect(await events.next()).toMatchObject({ type: 'nodedown', reason: 'disconnect' })
  })
})

describe('priority', () => {
  const since28 = () => beam.release >= 28

  it('messages and exits of a BEAM go before ordinary ones, to an alias that allows it', async () => {
    const node = await startNode()
    const seen: string[] = []
    let ready: (alias: Reference) => void = () => undefined
    const aliased = new Promise<Reference>((resolve) => (ready = resolve))
    let begin: () => void = () => undefined
    const begun = new Promise<void>((resolve) => (begin = resolve))
    const process = node.spawn(
      async (self) => {
        ready(self.alias({ priority: true }))
        await begun
        while (seen.length < 4) {
          const message = await self.receive()
          seen.push(message instanceof Tuple ? String(message.tag) : (message as { name: string }).name)
        }
      },
      { trapExit: true },
    )
    const alias = await aliased
    const code = since28()
      ? `P ! first, P ! second, erlang:send(A, urgent, [priority]), exit(A, very, [priority]), P ! last, ok`
      : `P ! first, P ! second, P ! urgent, exit(P, very), ok`
    if (beam.release >= 24) await beam.eval(code, { P: process.pid, A: alias })
    else await beam.eval(code.replaceAll('A', 'P'), { P: process.pid })
    await until(() => process.queueLength >= 4, { what: 'four messages' })
    begin()
    await ended(process)
    expect(seen).toEqual(
      since28() ? ['urgent', 'EXIT', 'first', 'second'] : ['first', 'second', 'urgent', 'EXIT'],
    )
  })

  it('messages and exits of ours go before ordinary ones at a BEAM, and are ordinary before OTP 28', async () => {
    const node = await startNode()
    await node.connect(beam.name)
    await beam.forget()
    // OTP 23 has no aliases: what it did not agree to is not sent to it.
    const make = since28() ? 'alias([priority])' : beam.release >= 24 ? 'alias()' : 'make_ref()'
    const at = (await beam.eval(
      `Me = self(), P = spawn(fun() -> process_flag(trap_exit, true), Me ! {alias, ${make}}, receive go -> ok end,
         Take = fun Take(0) -> []; Take(N) -> receive {'EXIT', _, R} -> [{exit, R} | Take(N - 1)]; M -> [M | Take(N - 1)] end end,
         Seen = Take(4), receive {get, To} -> To ! {seen, Seen} end end),
       receive {alias, A} -> {P, A} end`,
    )) as Tuple<[Pid, Reference]>
    const [pid, alias] = at.elements
    let refusal: unknown
    const sender = node.spawn((self: Process) => {
      self.send(pid, atom('one'))
      self.send(pid, atom('two'))
      try {
        self.send(alias, atom('urgent'), { priority: true })
      } catch (error) {
        refusal = error
        self.send(pid, atom('urgent'), { priority: true })
      }
      self.sendExit(since28() ? alias : pid, atom('now'), { priority: true })
      self.send(pid, atom('go'))
    })
    await ended(sender)
    if (beam.release >= 24) expect(refusal).toBeUndefined()
    else expect(refusal).toMatchObject({ code: 'DIST_NOT_NEGOTIATED' })
    const { elements } = await ask(node, pid, 'get')
    const plain = [atom('one'), atom('two'), atom('urgent'), tuple(atom('exit'), atom('now'))]
    const urgent = [atom('urgent'), tuple(atom('exit'), atom('now')), atom('one'), atom('two')]
    expect(elements[1]).toEqual(since28() ? urgent : plain)
  })
})

async function ended(process: Process): Promise<void> {
  await until(() => !process.alive, { what: 'the end of a process', timeoutMs: 50_000 })
}

/** Sends `{What, Self}` until the answer is as wanted. */
async function ask(
  node: ErlangNode,
  to: Pid | { name: string; node: string },
  what: string,
  wanted: (answer: Tuple) => boolean = () => true,
): Promise<Tuple> {
  return new Promise((resolve) => {
    node.spawn(async (self) => {
      for (;;) {
        self.send(to, tuple(atom(what), self.pid))
        const answer = (await self.receive()) as Tuple
        if (wanted(answer)) return resolve(answer)
      }
    })
  })
}
