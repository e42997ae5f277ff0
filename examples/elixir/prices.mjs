// The price service of the shop: a generic server that Elixir calls, and a function that calls the shop's own processes.
//
//   npx beampeer start --visible --name prices@127.0.0.1 --module money=examples/elixir/prices.mjs
//   cd examples/elixir && iex --name shop@127.0.0.1 -S mix                    with the same cookie
//
//   iex> Node.connect(:"prices@127.0.0.1")
//   iex> Shop.Prices.quote_anywhere("tea", "EUR")
//   {:ok, %Shop.Item{name: "tea", cents: 250, currency: "EUR"}}
import { asText, atom, ErlMap, GenServer, RemoteError, tuple } from 'beampeer'

const CENTS = { tea: 250, cake: 400 }
let node

/** Called once with the node: starts the server under a name of this node and one of the cluster. */
export default async function start(started) {
  node = started
  const prices = await node.gen.start(new Prices(), { name: 'prices' })
  await node.global.register('prices', prices)
}

class Prices extends GenServer {
  handleCall(request) {
    const [kind, name, currency] = request.elements
    const cents = CENTS[asText(name)]
    if (kind !== atom('quote') || cents === undefined) return tuple(atom('error'), atom('unknown'))
    // What Elixir knows as a struct is a map with the key __struct__.
    return tuple(atom('ok'), { __struct__: atom('Elixir.Shop.Item'), name, cents, currency })
  }
}

/** `Shop.Prices.format/3`: text such as `2,50 €`. */
export function format(cents, language) {
  return new Intl.NumberFormat(asText(language), { style: 'currency', currency: 'EUR' }).format(cents / 100)
}

/** Takes one of an item from the shop's stock: an Elixir function whose exception is read here. */
export async function order(shop, item) {
  const stock = node.at(shop).module('Elixir.Shop.Stock')
  try {
    const taken = await stock['take!'](item)
    return tuple(atom('ok'), `${asText(taken.get('name'))} for ${format(taken.get('cents'), 'en')}`)
  } catch (error) {
    if (!(error instanceof RemoteError) || !(error.reason instanceof ErlMap)) throw error
    return tuple(atom('error'), error.reason.get('__struct__'), error.reason.get('item'))
  }
}

/** The shop's stock of an item, asked of its GenServer; then a cast, a Registry, an Agent and a supervised task. */
export async function audit(shop, item) {
  const counted = await node.gen.call({ name: 'Elixir.Shop.Stock', node: shop }, tuple(atom('count'), item))
  node.gen.cast({ name: 'Elixir.Shop.Stock', node: shop }, tuple(atom('add'), item, 10))
  const [[till]] = await node.rpc.call(shop, 'Elixir.Registry', 'lookup', [
    atom('Elixir.Shop.Registry'),
    'till',
  ])
  const opened = await node.gen.call(till, atom('open'))
  const { rpc } = node
  await rpc.call(shop, 'Elixir.Agent', 'update', [
    atom('Elixir.Shop.Visits'),
    atom('Elixir.Kernel'),
    atom('+'),
    [1],
  ])
  const [, task] = await rpc.call(shop, 'Elixir.Task.Supervisor', 'start_child', [
    atom('Elixir.Shop.Tasks'),
    atom('Elixir.Process'),
    atom('sleep'),
    [60_000],
  ])
  return { counted, opened, task }
}
