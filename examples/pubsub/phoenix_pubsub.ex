defmodule Phoenix.PubSub do
  @moduledoc """
  Stands in for the library of this name, so that the example runs where there is no Hex. It has the functions that
  the example uses and sends the messages of the library's default adapter: a process on each node, in a group of the
  `:pg` scope `Phoenix.PubSub` and registered under the group's name, gets
  `{:forward_to_local, topic, message, dispatcher}`.
  """
  use Supervisor

  def start_link(options), do: Supervisor.start_link(__MODULE__, Keyword.fetch!(options, :name))

  @impl true
  def init(name) do
    children = [
      %{id: :pg, start: {:pg, :start_link, [__MODULE__]}},
      {Registry, keys: :duplicate, name: name},
      {__MODULE__.Forwarder, name}
    ]

    Supervisor.init(children, strategy: :one_for_all)
  end

  def subscribe(name, topic) do
    {:ok, _} = Registry.register(name, topic, nil)
    :ok
  end

  def broadcast(name, topic, message) do
    for pid <- :pg.get_members(__MODULE__, group(name)), node(pid) != node() do
      send(pid, {:forward_to_local, topic, message, __MODULE__})
    end

    local_broadcast(name, topic, message)
  end

  def local_broadcast(name, topic, message) do
    Registry.dispatch(name, topic, fn subscribers ->
      for {pid, _} <- subscribers, do: send(pid, message)
    end)
  end

  def group(name), do: Module.concat(name, Adapter)

  defmodule Forwarder do
    @moduledoc false
    use GenServer

    def start_link(name), do: GenServer.start_link(__MODULE__, name, name: Phoenix.PubSub.group(name))

    @impl true
    def init(name) do
      :ok = :pg.join(Phoenix.PubSub, Phoenix.PubSub.group(name), self())
      {:ok, name}
    end

    @impl true
    def handle_info({:forward_to_local, topic, message, _dispatcher}, name) do
      Phoenix.PubSub.local_broadcast(name, topic, message)
      {:noreply, name}
    end
  end
end
