# An Elixir application and a Node.js process (prices.mjs) in one cluster, each calling the other as if it were of its own kind.

defmodule Shop.Item do
  defstruct [:name, :cents, currency: "EUR"]
end

defmodule Shop.OutOfStock do
  defexception [:item]
  def message(%{item: item}), do: "#{item} is out of stock"
end

defmodule Shop.Stock do
  @moduledoc "What is there: a GenServer that Node calls."
  use GenServer

  def start_link(items), do: GenServer.start_link(__MODULE__, items, name: __MODULE__)
  def init(items), do: {:ok, items}

  def handle_call({:count, item}, _from, items), do: {:reply, Map.get(items, item, 0), items}
  def handle_cast({:add, item, count}, items), do: {:noreply, Map.update(items, item, count, &(&1 + count))}

  @doc "Takes one, or raises: what Node sees of an Elixir exception."
  def take!(item) do
    if GenServer.call(__MODULE__, {:count, item}) == 0, do: raise(Shop.OutOfStock, item: item)
    %Shop.Item{name: item, cents: 995}
  end
end

defmodule Shop.Prices do
  @moduledoc "The price service, which is JavaScript."

  @doc "By registered name and node."
  def quote_at(node, item, currency), do: GenServer.call({:prices, node}, {:quote, item, currency})

  @doc "By a name of the whole cluster, wherever the service runs."
  def quote_anywhere(item, currency), do: GenServer.call({:global, :prices}, {:quote, item, currency})

  @doc "The same through a `:via` tuple."
  def quote_via(item, currency), do: GenServer.call({:via, :global, :prices}, {:quote, item, currency})

  @doc "Plain functions, without a server."
  def format(node, cents, language), do: :erpc.call(node, :money, :format, [cents, language])
end

defmodule Shop.Application do
  use Application

  def start(_type, _args) do
    children = [
      {Registry, keys: :unique, name: Shop.Registry},
      {Task.Supervisor, name: Shop.Tasks},
      %{id: Shop.Visits, start: {Agent, :start_link, [fn -> 0 end, [name: Shop.Visits]]}},
      {Shop.Stock, %{"tea" => 3, "cake" => 0}}
    ]

    Supervisor.start_link(children, strategy: :one_for_one, name: Shop.Supervisor)
  end
end
