/**
 * The channel against a real node (BEAMPEER_OTP says which), in every legal combination of atom cache and fragments:
 * order and integrity of mixed sizes both ways, and every control message.
 */
import { ADVERTISED, DistFlag } from '../../src/handshake/flags.js'
import type { SignalIn, SignalOut } from '../../src/dist/signals.js'
import { atom, internAtom } from '../../src/etf/atom.js'
import { Pid, Reference } from '../../src/etf/identifiers.js'
import { print } from '../../src/etf/print.js'
import type { Encodable, Term } from '../../src/etf/terms.js'
import { Tuple, tuple } from '../../src/etf/tuple.js'
import { type Beam, startBeam } from '../support/beam.js'
import { closeLinks, open } from './handshake-support.js'

const COMBINATIONS: readonly (readonly [string, bigint])[] = [
  ['neither', 0n],
  ['the atom cache', DistFlag.DIST_HDR_ATOM_CACHE],
  ['fragments', DistFlag.FRAGMENTS],
  ['both', DistFlag.DIST_HDR_ATOM_CACHE | DistFlag.FRAGMENTS],
]

const MODULE = `
-module(channel_test).
-export([start/0, collector/0, seen/1]).

%% Four processes that answer {Pid, N, Data} with {N, Data}.
start() ->
  [begin
     Name = list_to_atom("echo" ++ integer_to_list(I)),
     case whereis(Name) of undefined -> register(Name, spawn(fun echo/0)); _ -> ok end
   end || I <- [1, 2, 3, 4]],
  ok.

echo() ->
  receive {From, N, Data} -> From ! {N, Data}, echo() end.

%% Keeps what it receives, with the trace token it came with.
collector() ->
  Parent = self(),
  Pid = spawn(fun() -> process_flag(trap_exit, true), Parent ! {ready, self()}, collect([]) end),
  receive {ready, Pid} -> Pid end.

collect(Seen) ->
  receive
    {get, Pid, Ref} -> Pid ! {Ref, lists:reverse(Seen)}, collect(Seen);
    {alias, Pid, Ref} -> Pid ! {Ref, ALIAS}, collect(Seen);
    Message -> collect([{Message, label()} | Seen])
  end.

%% What a collector keeps, binaries as their size.
seen(Pid) ->
  Ref = make_ref(),
  Pid ! {get, self(), Ref},
  receive {Ref, Seen} -> [if is_binary(M) -> byte_size(M); true -> M end || {M, _} <- Seen] end.

label() ->
  case seq_trace:get_token(label) of {label, Label} -> Label; [] -> none end.
`

let beam: Beam
beforeAll(async () => {
  beam = await startBeam()
  const alias = beam.release >= 28 ? 'alias([priority])' : beam.release >= 24 ? 'alias()' : 'none'
  await beam.compile(MODULE.replace('ALIAS', alias))
  await beam.eval('channel_test:start()')
})
afterEach(closeLinks)

/** A link with these flags, and its signals as they come. */
async function connect(extra: bigint) {
  const waiting: { wanted: (signal: SignalIn) => boolean; resolve: (signal: SignalIn) => void }[] = []
  const seen: SignalIn[] = []
  let each: ((signal: SignalIn) => void) | undefined
  const watched = await open(
    beam,
    { flags: ADVERTISED | extra },
    {
      onSignal(signal) {
        if (each !== undefined) return each(signal)
        const at = waiting.findIndex((one) => one.wanted(signal))
        if (at < 0) seen.push(signal)
        else waiting.splice(at, 1)[0].resolve(signal)
      },
    },
  )
  // A link that goes down fails the test at once, with its reason and what the node says.
  const broken = watched.down.then(({ reason, error }): never => {
    throw new Error(`the link is down: ${reason} ${String(error)}\n${beam.log().slice(-20).join('\n')}`)
  })
  broken.catch(() => undefined)
  const link = await Promise.race([watched.up, broken])
  expect(link.negotiatedFlags & (DistFlag.DIST_HDR_ATOM_CACHE | DistFlag.FRAGMENTS)).toBe(extra)
  const identity = link.thisNode as { name: string; creation: number }
  return {
    link,
    broken,
    pid: (id: number) => new Pid(internAtom(identity.name), id, 0, identity.creation),
    ref: (id: number) => new Reference(internAtom(identity.name), identity.creation, [id, 0, 0]),
    /** From now on every signal goes here. */
    forEach(handler: (signal: SignalIn) => void) {
      each = handler
    },
    /** The first signal, come or to come, that this is true of. */
    signal<S extends SignalIn>(wanted: (signal: SignalIn) => signal is S): Promise<S> {
      const at = seen.findIndex(wanted)
      if (at >= 0) return Promise.resolve(seen.splice(at, 1)[0] as S)
      const coming = new Promise<S>((resolve) =>
        waiting.push({ wanted, resolve: resolve as (signal: SignalIn) => void }),
      )
      return Promise.race([coming, broken])
    },
  }
}

type Connected = Awaited<ReturnType<typeof connect>>
type OfType<T extends SignalIn['type']> = SignalIn & { type: T }
const isType =
  <T extends SignalIn['type']>(type: T) =>
  (signal: SignalIn): signal is OfType<T> =>
    signal.type === type

const SIZES = [65_300, 65_536, 70_000, 131_072, 300_000]

describe.each(COMBINATIONS)('a link that negotiated %s', (_name, extra) => {
  it('carries numbered messages of mixed sizes both ways, in order and intact', async () => {
    const connected = await connect(extra)
    const { link, pid, broken } = connected
    const total = 4_000
    const filler = (number: number): Encodable => {
      if (number % 97 === 0) return new Uint8Array(SIZES[(number / 97) % SIZES.length]).fill(number & 255)
      return number % 3 === 0 ? [atom(`mixed_${number % 500}`), number / 4] : 'x'.repeat(number % 200)
    }
    const problems: string[] = []
    const next = [1, 1, 1, 1]
    let arrived = 0
    const done = new Promise<void>((resolve) => {
      connected.forEach((signal) => {
        const { to, message } = signal as OfType<'send'>
        const [number, data] = (message as Tuple<[number, Term]>).elements
        const lane = to.id - 1
        if (number !== next[lane]) problems.push(`sender ${lane} expected ${next[lane]}, got ${number}`)
        next[lane] = number + 1
        const expected = filler(number)
        const same =
          expected instanceof Uint8Array
            ? Buffer.from(expected).equals(data as Uint8Array)
            : print(data) === print(expected as Term)
        if (!same) problems.push(`message ${number} of sender ${lane} is damaged`)
        if (++arrived === 4 * total) resolve()
      })
    })
    for (let number = 1; number <= total; number++) {
      for (let lane = 0; lane < 4; lane++) {
        const message = tuple(pid(lane + 1), number, filler(number))
        link.send({ type: 'regSend', from: pid(lane + 1), to: atom(`echo${lane + 1}`), message })
      }
      if (number % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.race([done, broken])
    expect(problems.slice(0, 5)).toEqual([])
    expect(link.queuedBytes).toBe(0)
  })

  it('delivers every control message, with and without trace token', async () => {
    const connected = await connect(extra)
    const { link, pid, ref } = connected
    const me = pid(1)
    const to = (await beam.eval('channel_test:collector()')) as Pid
    const send = (signal: SignalOut): void => void link.send(signal)
    const ask = async (what: string): Promise<Term> => {
      const answerTo = ref(Math.floor(link.stats().sentBytes) + 1)
      send({ type: 'send', from: me, to, message: tuple(atom(what), me, answerTo) })
      const answer = await connected.signal(
        (signal): signal is OfType<'send'> =>
          signal.type === 'send' &&
          signal.message instanceof Tuple &&
          answerTo.equals(signal.message.elements[0]),
      )
      return (answer.message as Tuple).elements[1]
    }
    const token = tuple(0, 17, 1, me, 0)
    const aliasRef = beam.release >= 24 ? ((await ask('alias')) as Reference) : undefined

    send({ type: 'link', from: me, to })
    send({ type: 'send', from: me, to, message: 1 })
    send({ type: 'send', from: undefined, to, message: 2 })
    send({ type: 'send', from: me, to, message: 3, traceToken: token })
    send({ type: 'exit', from: me, to, reason: atom('linked_exit') })
    send({ type: 'link', from: pid(2), to })
    send({ type: 'exit', from: pid(2), to, reason: atom('traced_exit'), traceToken: token })
    send({ type: 'exit2', from: me, to, reason: atom('sent_exit') })
    send({ type: 'exit2', from: me, to, reason: atom('traced_sent_exit'), traceToken: token })
    if (aliasRef !== undefined) {
      send({ type: 'aliasSend', from: me, to: aliasRef, message: 4 })
      send({ type: 'aliasSend', from: me, to: aliasRef, message: 5, traceToken: token })
      send({ type: 'altactSend', from: me, to: aliasRef, message: 6, priority: true, exit: false })
    }
    send({ type: 'altactSend', from: me, to, message: atom('urgent_exit'), priority: true, exit: true })
    send({ type: 'groupLeader', from: pid(9), to })
    send({ type: 'send', from: me, to, message: atom('last') })

    const seen = ((await ask('get')) as readonly Tuple[]).map(
      ({ elements: [message, label] }) => `${shown(message)} ${print(label)}`,
    )
    // A priority signal may come before what was sent earlier: that is what it is for.
    const expected = [
      '1 none',
      '2 none',
      '3 17',
      '{EXIT,Pid,linked_exit} none',
      '{EXIT,Pid,traced_exit} 17',
      '{EXIT,Pid,sent_exit} none',
      '{EXIT,Pid,traced_sent_exit} 17',
      ...(aliasRef === undefined ? [] : ['4 none', '5 17', '6 none']),
      '{EXIT,Pid,urgent_exit} none',
      'last none',
    ]
    expect([...seen].sort()).toEqual([...expected].sort())
    expect(await groupLeaderOf(to)).toEqual(pid(9))

    send({ type: 'link', from: pid(3), to })
    send({ type: 'unlinkId', id: 2n ** 63n, from: pid(3), to })
    // OTP 23.2 has only the old UNLINK, which nobody acknowledges.
    if ((link.negotiatedFlags & DistFlag.UNLINK_ID) !== 0n) {
      const ack = await connected.signal(isType('unlinkIdAck'))
      expect(ack).toMatchObject({ id: 2n ** 63n, from: to, to: pid(3) })
    }

    send({ type: 'monitor', from: me, to, ref: ref(100) })
    send({ type: 'monitor', from: me, to: atom('nobody_has_this_name'), ref: ref(101) })
    const noproc = await connected.signal(isType('monitorExit'))
    expect(noproc).toEqual({
      type: 'monitorExit',
      from: atom('nobody_has_this_name'),
      to: me,
      ref: ref(101),
      reason: atom('noproc'),
    })
    send({ type: 'demonitor', from: me, to, ref: ref(100) })
    send({ type: 'monitor', from: me, to, ref: ref(102) })
    send({ type: 'exit2', from: me, to, reason: atom('kill') })
    const down = await connected.signal(isType('monitorExit'))
    expect(down).toMatchObject({ from: to, ref: ref(102), reason: atom('killed') })

    await spawns(connected, me, undefined)
    await spawns(connected, me, token)
    expect(link.state).toBe('up')
  })

  it('lets a small message overtake a long one of another process, where that is fragmented', async () => {
    const { link, pid } = await connect(extra)
    const to = (await beam.eval('channel_test:collector()')) as Pid
    const size = 20_000_000
    link.send({ type: 'send', from: pid(1), to, message: new Uint8Array(size) })
    link.send({ type: 'send', from: pid(2), to, message: atom('small') })
    link.send({ type: 'send', from: pid(1), to, message: atom('after') })
    await link.drained()
    link.send({ type: 'send', from: pid(2), to, message: atom('last') })
    await beam.until("[] =:= [last, 'after'] -- channel_test:seen(P)", { P: to })
    const order = ((await beam.eval('channel_test:seen(P)', { P: to })) as Term[]).filter(
      (one) => one !== atom('last'),
    )
    const overtaken = (extra & DistFlag.FRAGMENTS) !== 0n
    const expected = overtaken ? [atom('small'), size, atom('after')] : [size, atom('small'), atom('after')]
    expect(order).toEqual(expected)
  })
})

async function groupLeaderOf(to: Pid): Promise<Term> {
  const [, leader] = ((await beam.eval('process_info(P, group_leader)', { P: to })) as Tuple).elements
  return leader
}

/** A spawn request whose process exits with its arguments, monitored and linked. */
async function spawns(connected: Connected, me: Pid, traceToken: Term | undefined): Promise<void> {
  const reqId = connected.ref(traceToken === undefined ? 200 : 201)
  const request: SignalOut = {
    type: 'spawnRequest',
    ref: reqId,
    from: me,
    groupLeader: me,
    module: atom('erlang'),
    function: atom('exit'),
    arity: 1,
    options: [atom('monitor')],
    args: [tuple(atom('spawned'), 'with arguments')],
    ...(traceToken === undefined ? {} : { traceToken }),
  }
  connected.link.send(request)
  const reply = await connected.signal(isType('spawnReply'))
  expect(reply).toMatchObject({ ref: reqId, to: me, flags: 2 })
  expect('traceToken' in reply).toBe(traceToken !== undefined)
  const down = await connected.signal(isType('monitorExit'))
  expect(down).toMatchObject({ from: reply.result, ref: reqId })
  expect(print(down.reason)).toBe('{spawned,<<"with arguments">>}')
}

function shown(message: Term): string {
  if (message instanceof Tuple && message.tag === 'EXIT') return `{EXIT,Pid,${print(message.elements[2])}}`
  return print(message)
}
