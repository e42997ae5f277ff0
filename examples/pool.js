// Work shared by several Node processes: each is a member of one process group, and BEAMs pick among them.
//
//   npx beampeer start --name pool1@127.0.0.1 --module pool=examples/pool.js
//   npx beampeer start --name pool2@127.0.0.1 --module pool=examples/pool.js          as many as there are cores
//
// On a BEAM that is connected to them and runs the scope (`pg:start(pool)`):
//
//   Nodes = [node(P) || P <- pg:get_members(pool, workers)].
//   erpc:call(lists:nth(rand:uniform(length(Nodes)), Nodes), pool, digest, [<<"text">>, 2000]).
//   erpc:multicall(Nodes, pool, digest, [<<"text">>, 2000]).
//
// A process that ends, or whose host is gone, is out of the group at once; one that starts is in.
import { createHash } from 'node:crypto'

/** A few milliseconds of work: the text hashed so many times over. */
export function digest(text, rounds) {
  let hash = text
  for (let i = 0; i < rounds; i++) hash = createHash('sha256').update(hash).digest()
  return Buffer.from(hash).toString('hex')
}

/** Joins the group with a process that stands for this one. */
export default function start(node) {
  const member = node.spawn((self) => self.receive())
  node.pg.join('pool', 'workers', member)
  return member
}
