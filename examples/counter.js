// A process that others send messages to, under a name.
//
//   npx beampeer start --name js@127.0.0.1 --module counter=examples/counter.js
//
//   {counter, 'js@127.0.0.1'} ! {self(), 5}, receive Total -> Total end.
import { atom, Tuple, tuple } from 'beampeer'

/** Registers `counter`: `{From, N}` adds N and is answered `{total, Sum}`; `stop` ends it. */
export default function start(node) {
  const counter = node.spawn(async (self) => {
    let sum = 0
    for await (const message of self) {
      if (message === atom('stop')) return
      if (!(message instanceof Tuple) || message.size !== 2) continue
      const [from, n] = message.elements
      sum += Number(n)
      self.send(from, tuple(atom('total'), sum))
    }
  })
  node.register('counter', counter)
  return counter
}
