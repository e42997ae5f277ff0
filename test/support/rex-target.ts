/**
 * The same functions on two targets: an Erlang module for a BEAM and its JavaScript twin for beampeer. Scripts that run
 * against both must not be able to tell them apart.
 */
import { atom, ErlangError, ErlFloat, float, Tuple, tuple, withContext } from '../../src/index.js'
import type { Encodable, ErlangNode, Pid, Process, Term } from '../../src/index.js'

/** The module on the BEAM; its process `target_server` is started by `target:start_server/0`. */
export const ERLANG_TARGET = String.raw`
-module(target).
-export([add/2, echo/1, nullary/0, boom/1, toss/1, leave/1, clause/1, undefined/0, badarg/0, killed/0, wait/0,
         send/2, caller_leader/0, print/1, overlap/0, later/1, later_boom/1, pid/0, start_server/0]).
add(A, B) -> A + B.
echo(X) -> X.
nullary() -> nothing.
boom(X) -> error({boom, X}).
toss(X) -> throw(X).
leave(X) -> exit(X).
clause(a) -> ok.
undefined() -> error(undef).
badarg() -> error(badarg).
killed() -> exit(self(), kill), receive never -> ok end.
wait() -> receive never -> ok end.
send(To, Message) -> To ! Message, sent.
caller_leader() -> node(group_leader()).
print(Text) -> io:put_chars(Text), printed.
overlap() ->
  N = 1 + case whereis(target_busy) of undefined -> 0; _ -> 1 end,
  catch register(target_busy, self()),
  receive after 20 -> ok end,
  catch unregister(target_busy),
  N.
later(X) -> receive after 1 -> X end.
later_boom(X) -> receive after 1 -> error({boom, X}) end.
pid() -> self().
start_server() ->
  Self = self(),
  spawn(fun() -> register(target_server, self()), Self ! started, server([]) end),
  receive started -> ok end.
server(Notes) ->
  receive
    {note, Note} -> server([Note | Notes]);
    {From, notes} -> From ! {target_server, node(), Notes}, server(Notes);
    {From, clear} -> From ! {target_server, node(), cleared}, server([]);
    {From, Message} -> From ! {target_server, node(), {got, Message}}, server(Notes)
  end.
`

type Num = number | bigint | ErlFloat

/** Erlang's `+`: floats stay floats, integers have no end. */
function sum(a: Num, b: Num): Encodable {
  const isFloat = (x: Num) => x instanceof ErlFloat || (typeof x === 'number' && !Number.isInteger(x))
  if (isFloat(a) || isFloat(b)) return float(Number(a) + Number(b))
  const integer = (x: Num) => (x instanceof ErlFloat ? 0n : BigInt(x))
  return integer(a) + integer(b)
}

let running = 0

/** Its twin. */
const functions = {
  add: (a: Num, b: Num) => sum(a, b),
  echo: (x: Encodable) => x,
  nullary: () => atom('nothing'),
  boom: (x: Encodable) => {
    throw new ErlangError('error', tuple(atom('boom'), x))
  },
  toss: (x: Encodable) => {
    throw new ErlangError('throw', x)
  },
  leave: (x: Encodable) => {
    throw new ErlangError('exit', x)
  },
  clause: (x: Term) => {
    if (x !== atom('a')) throw new ErlangError('error', atom('function_clause'))
    return atom('ok')
  },
  undefined: () => {
    throw new ErlangError('error', atom('undef'))
  },
  badarg: () => {
    throw new ErlangError('error', atom('badarg'))
  },
  killed: withContext(({ self }) => {
    self.sendExit(self, atom('kill'))
    return new Promise(() => {})
  }),
  wait: () => new Promise(() => {}),
  send: withContext((context, to: Pid, message: Term) => {
    context.send(to, message)
    return atom('sent')
  }),
  caller_leader: withContext(({ io }) => io.pid.node),
  print: withContext(async ({ io }, text: Encodable) => {
    await io.write(Buffer.from(text as Uint8Array).toString())
    return atom('printed')
  }),
  overlap: async () => {
    const now = ++running
    await new Promise((resolve) => setTimeout(resolve, 20))
    running--
    return now
  },
  later: async (x: Encodable) => {
    await new Promise((resolve) => setTimeout(resolve, 1))
    return x
  },
  later_boom: async (x: Encodable) => {
    await new Promise((resolve) => setTimeout(resolve, 1))
    throw new ErlangError('error', tuple(atom('boom'), x))
  },
  pid: withContext(({ pid }) => pid),
}

/** Makes a node the target: module `target` and process `target_server`. */
export function makeTarget(node: ErlangNode): void {
  node.expose('target', functions)
  let notes: Term[] = []
  node.spawn(
    async (self: Process) => {
      for await (const message of self) {
        if (!(message instanceof Tuple) || message.size !== 2) continue
        const [first, second] = message.elements as readonly [Term, Term]
        const reply = (body: Encodable) =>
          self.send(first as Pid, tuple(atom('target_server'), atom(node.name), body))
        if (first === atom('note')) notes = [second, ...notes]
        else if (second === atom('notes')) reply(notes)
        else if (second === atom('clear')) {
          notes = []
          reply(atom('cleared'))
        } else reply(tuple(atom('got'), second))
      }
    },
    { name: 'target_server' },
  )
}
