# Run where the price service is up:
#
#   PRICES=prices@127.0.0.1 elixir --name shop@127.0.0.1 --cookie … -S mix test
defmodule ShopTest do
  use ExUnit.Case

  defmodule Till do
    use GenServer
    def init(_), do: {:ok, nil}
    def handle_call(:open, _from, state), do: {:reply, :opened, state}
  end

  setup_all do
    prices = String.to_atom(System.fetch_env!("PRICES"))
    assert Node.connect(prices)
    :ok = :global.sync()
    {:ok, prices: prices}
  end

  test "GenServer.call by name and node", %{prices: prices} do
    assert Shop.Prices.quote_at(prices, "tea", "EUR") == {:ok, %Shop.Item{name: "tea", cents: 250, currency: "EUR"}}
    assert Shop.Prices.quote_at(prices, "gold", "EUR") == {:error, :unknown}
  end

  test ":global and :via names" do
    assert {:ok, %Shop.Item{cents: 400}} = Shop.Prices.quote_anywhere("cake", "EUR")
    assert {:ok, %Shop.Item{cents: 400}} = Shop.Prices.quote_via("cake", "EUR")
    assert node(GenServer.whereis({:global, :prices})) != node()
  end

  test "functions, and a name that nobody has", %{prices: prices} do
    assert Shop.Prices.format(prices, 995, "de") == "9,95\u00a0€"
    assert {:noproc, _} = catch_exit(GenServer.call({:nobody, prices}, :hello))
    assert_raise ErlangError, fn -> :erpc.call(prices, :money, :no_such_function, []) end
    assert catch_exit(Task.Supervisor.start_child({Shop.Tasks, prices}, fn -> :ok end))
  end

  test "an Elixir exception reads well in JavaScript", %{prices: prices} do
    assert :erpc.call(prices, :money, :order, [node(), "tea"]) == {:ok, "tea for €9.95"}
    assert :erpc.call(prices, :money, :order, [node(), "cake"]) == {:error, Shop.OutOfStock, "cake"}
  end

  test "a JavaScript error reads well in Elixir", %{prices: prices} do
    reason = catch_error(:erpc.call(prices, :money, :format, [1, "no such language"]))
    assert {:exception, {:js_error, "RangeError", message}, [{:js, :format, 0, _} | _]} = reason
    # "Incorrect locale information provided" or "Invalid language tag: …": V8's own words.
    assert message =~ ~r/locale|language/
  end

  test "Node asks a GenServer, a Registry, an Agent and a task supervisor", %{prices: prices} do
    {:ok, _} = GenServer.start_link(Till, nil, name: {:via, Registry, {Shop.Registry, "till"}})
    %{counted: counted, opened: opened, task: task} = :erpc.call(prices, :money, :audit, [node(), "tea"])
    assert {counted, opened} == {3, :opened}
    assert GenServer.call(Shop.Stock, {:count, "tea"}) == 13
    assert Agent.get(Shop.Visits, & &1) == 1
    assert Task.Supervisor.children(Shop.Tasks) == [task]
  end

  test "Node.spawn of an exposed function runs it; of a closure it ends with a reason, at once", %{prices: prices} do
    pid = Node.spawn(prices, :money, :format, [1, "en"])
    assert node(pid) == prices
    {pid, ref} = Node.spawn_monitor(prices, fn -> :ok end)
    assert_receive {:DOWN, ^ref, :process, ^pid, reason}
    assert reason != :normal
  end

  test "the service is a node like others", %{prices: prices} do
    assert prices in Node.list()
    assert Node.ping(prices) == :pong
  end
end
