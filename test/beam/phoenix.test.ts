/**
 * Phoenix.PubSub: a stand-in that follows the messages of its default adapter (captured from Phoenix.PubSub 2.2), in
 * Elixir, over the real pg.
 */
import { atom } from '../../src/etf/atom.js'
import { ErlMap } from '../../src/etf/map.js'
import type { Term } from '../../src/etf/terms.js'
import { tuple } from '../../src/etf/tuple.js'
import type { ErlangNode } from '../../src/node/erlang-node.js'
import type { PhoenixPubSub } from '../../src/phoenix/pub-sub.js'
import { hostRelease, startBeam, until, type Beam } from '../support/beam.js'
import { startNode } from '../support/nodes.js'

const STAND_IN = `
defmodule PubSub do
  def start(name, pool_size \\\\ 1) do
    case :pg.start(Phoenix.PubSub) do
      {:ok, _} -> :ok
      {:error, {:already_started, _}} -> :ok
    end
    {:ok, _} = PubSub.Keeper.start(name, fn -> Registry.start_link(keys: :duplicate, name: name) end)
    adapter = Module.concat(name, "Adapter")
    [_ | rest] = for n <- 1..pool_size, do: :"#{adapter}_#{n}"
    for group <- [adapter | rest], do: {:ok, _} = PubSub.Keeper.start(name, fn -> PubSub.Worker.start(name, group) end)
    :ok
  end

  def subscribe(name, topic), do: {:ok, _} = Registry.register(name, topic, nil)

  def broadcast(name, topic, message, group \\\\ nil) do
    group = group || Module.concat(name, "Adapter")
    for pid <- :pg.get_members(Phoenix.PubSub, group), node(pid) != node() do
      send(pid, {:forward_to_local, topic, message, __MODULE__.dispatcher()})
    end
    local(name, topic, message)
  end

  def direct(name, node, topic, message) do
    send({Module.concat(name, "Adapter"), node}, {:forward_to_local, topic, message, dispatcher()})
    :ok
  end

  def dispatcher, do: Phoenix.PubSub
  def local(name, topic, message), do: Registry.dispatch(name, topic, fn entries -> for {pid, _} <- entries, do: send(pid, message) end)
end

defmodule PubSub.Keeper do
  # Starts something that outlives the caller.
  def start(_name, fun) do
    me = self()
    spawn(fn -> send(me, {:started, fun.()}); Process.sleep(:infinity) end)
    receive do {:started, result} -> result end
  end
end

defmodule PubSub.Worker do
  use GenServer
  def start(name, group), do: GenServer.start(__MODULE__, {name, group}, name: group)
  def init({name, group}) do
    :ok = :pg.join(Phoenix.PubSub, group, self())
    {:ok, name}
  end
  def handle_info({:forward_to_local, topic, message, dispatcher}, name) when is_atom(dispatcher) do
    PubSub.local(name, topic, message)
    {:noreply, name}
  end
end

defmodule Subscriber do
  # Keeps what it gets; {:get, from} asks for it.
  def start(name, topic) do
    me = self()
    pid = spawn(fn -> PubSub.subscribe(name, topic); send(me, :subscribed); loop([]) end)
    Process.register(pid, :subscriber)
    receive do :subscribed -> :ok end
  end
  defp loop(got) do
    receive do
      {:get, from} -> send(from, {:got, Enum.reverse(got)}); loop(got)
      message -> loop([message | got])
    end
  end
  def got do
    send(:subscriber, {:get, self()})
    receive do {:got, messages} -> messages end
  end
end
:ok`

describe.each([{ hidden: true }, { hidden: false }])('hidden: $hidden', ({ hidden }) => {
  let beam: Beam
  let node: ErlangNode
  let pubsub: PhoenixPubSub

  beforeAll(async () => {
    ;[beam, node] = await Promise.all([
      startBeam({ elixir: true, otp: hostRelease() }),
      startNode({ hidden }),
    ])
    await beam.evalElixir(STAND_IN)
    await beam.evalElixir('PubSub.start(Demo.PubSub)')
    await beam.evalElixir('Subscriber.start(Demo.PubSub, "room:1")')
    await node.connect(beam.name)
    pubsub = node.pubSub('Demo.PubSub')
    await until(() => pubsub.nodes().length === 1)
    await beam.until(`length(pg:get_members('Elixir.Phoenix.PubSub', 'Elixir.Demo.PubSub.Adapter')) =:= 2`)
  })

  test('a broadcast of a BEAM reaches listeners and processes of its topic, and no others', async () => {
    const heard: [Term, string][] = []
    const others: Term[] = []
    const stop = pubsub.subscribe('room:1', (message, { topic }) => heard.push([message, topic]))
    const stopOther = pubsub.subscribe('room:2', (message) => others.push(message))
    const received: Term[] = []
    const process = node.spawn(async (self) => {
      for await (const message of self) received.push(message)
    })
    pubsub.subscribe('room:1', process)
    await beam.evalElixir('PubSub.broadcast(Demo.PubSub, "room:1", {:new_msg, %{body: "hé", n: 1}})')
    await until(() => heard.length === 1 && received.length === 1)
    const expected = tuple(
      atom('new_msg'),
      ErlMap.from<Term, Term>([
        [atom('body'), Buffer.from('hé')],
        [atom('n'), 1],
      ]),
    )
    expect(heard[0]?.[0]).toEqual(expected)
    expect(heard[0]?.[1]).toBe('room:1')
    expect(received).toEqual([expected])
    expect(others).toEqual([])
    stop()
    process.exit()
    await beam.evalElixir('PubSub.broadcast(Demo.PubSub, "room:1", :second)')
    await beam.evalElixir('PubSub.broadcast(Demo.PubSub, "room:2", :third)')
    await until(() => others.length === 1)
    expect(heard).toHaveLength(1)
    expect(received).toHaveLength(1)
    stopOther()
  })

  test('a broadcast of ours reaches the subscribers of a BEAM and our own, but the one it is from', async () => {
    const heard: Term[] = []
    const listener = (message: Term) => heard.push(message)
    pubsub.subscribe('room:1', listener)
    const before = Number(await beam.evalElixir('length(Subscriber.got())'))
    pubsub.broadcast('room:1', tuple(atom('from_js'), 'text', 1))
    pubsub.broadcastFrom(listener, 'room:1', atom('not_to_me'))
    pubsub.localBroadcast('room:1', atom('only_here'))
    pubsub.directBroadcast(beam.name, 'room:1', atom('only_there'))
    await until(async () => Number(await beam.evalElixir('length(Subscriber.got())')) === before + 3)
    expect(await beam.evalElixir(`Enum.drop(Subscriber.got(), ${before})`)).toBe(
      '[{:from_js, "text", 1}, :not_to_me, :only_there]',
    )
    expect(heard).toEqual([tuple(atom('from_js'), Buffer.from('text'), 1), atom('only_here')])
    pubsub.unsubscribe('room:1', listener)
    pubsub.localBroadcast('room:1', 1)
    expect(heard).toHaveLength(2)
  })

  test('a direct broadcast of a BEAM reaches this node; what is no broadcast changes nothing', async () => {
    const heard: Term[] = []
    const stop = pubsub.subscribe('room:3', (message) => {
      heard.push(message)
      if (message === 1) throw new Error('a listener that fails')
    })
    await beam.evalElixir(`send({Demo.PubSub.Adapter, :"${node.name}"}, :garbage)`)
    for (const n of [1, 2]) {
      await beam.evalElixir(`PubSub.direct(Demo.PubSub, :"${node.name}", "room:3", ${n})`)
    }
    await until(() => heard.length === 2)
    expect(heard).toEqual([1, 2])
    stop()
  })

  test('a pool of another size: each of its groups reaches this node', async () => {
    await beam.evalElixir('PubSub.start(Pool.PubSub, 3)')
    const pool = node.pubSub('Elixir.Pool.PubSub', { poolSize: 3 })
    const groups = ['Adapter', 'Adapter_2', 'Adapter_3']
    for (const group of groups) {
      await beam.until(`length(pg:get_members('Elixir.Phoenix.PubSub', 'Elixir.Pool.PubSub.${group}')) =:= 2`)
    }
    const heard: Term[] = []
    pool.subscribe('t', (message) => heard.push(message))
    for (const group of groups) {
      await beam.evalElixir(
        `PubSub.broadcast(Pool.PubSub, "t", :${group.toLowerCase()}, Pool.PubSub.${group})`,
      )
    }
    await until(() => heard.length === 3)
    expect(heard.map(String).sort()).toEqual(['adapter', 'adapter_2', 'adapter_3'])
    pool.stop()
    await beam.until(`length(pg:get_members('Elixir.Phoenix.PubSub', 'Elixir.Pool.PubSub.Adapter_3')) =:= 1`)
  })

  test('a PubSub is joined once, and with a pool that makes sense', () => {
    expect(() => node.pubSub('Demo.PubSub')).toThrow(expect.objectContaining({ code: 'PROCESS_NAME_TAKEN' }))
    expect(() => node.pubSub('X', { poolSize: 0 })).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }))
  })
})
