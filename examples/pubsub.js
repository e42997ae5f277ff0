// A service on the Phoenix.PubSub of an Elixir application: it hears of orders, keeps the stock, and tells what is left
// to whoever has subscribed, LiveViews and channels included.
//
//   iex --name shop@127.0.0.1 --cookie secret -r examples/pubsub/phoenix_pubsub.ex
//   BEAMPEER_COOKIE=secret npx beampeer start --name stock@127.0.0.1 --module stock=examples/pubsub.js
//
// docs/phoenix.md shows what then happens. An application has {:phoenix_pubsub, "~> 2.0"} instead of the file after -r.
import { asText, atom, isTuple, tuple } from 'beampeer'

const stock = new Map([
  ['tea', 100],
  ['milk', 20],
])

/** How much there is: `:rpc.call(:"stock@127.0.0.1", :stock, :left, ["tea"])`. */
export function left(item) {
  return stock.get(asText(item)) ?? 0
}

/** Joins the application's PubSub, and connects to the node that SHOP names, again whenever it was down. */
export default function start(node) {
  const pubsub = node.pubSub('Shop.PubSub')
  pubsub.subscribe('orders', (message) => {
    if (!isTuple(message, 'ordered', 3)) return // other messages of the topic
    const [, item, count] = message.elements
    const name = asText(item)
    stock.set(name, left(item) - count)
    pubsub.broadcast(`stock:${name}`, tuple(atom('stock'), item, left(item)))
  })
  node.keepConnected(process.env.SHOP ?? 'shop@127.0.0.1')
}
