%% The BEAM's side of the benchmark of connections: drives a target and measures, or is one.
%%
%% As a driver it reads one Erlang term a line from standard input, does what it says, and prints one line: `=` and a JSON
%% object. CPU times are those of an operating system process, from /proc, in microseconds.
-module(driver).
-export([main/0, target/0, add/2, echo/0, sink/0, source/0]).

%% --- the target ---

target() ->
    register(echo, spawn(fun echo/0)),
    register(sink, spawn(fun sink/0)),
    register(source, spawn(fun source/0)),
    ready(),
    main().

add(A, B) -> A + B.

echo() ->
    receive {From, Message} -> From ! Message end,
    echo().

sink() ->
    receive
        {From, sync} -> From ! sync;
        _Binary -> ok
    end,
    sink().

source() -> source(<<>>).

%% A message that is made before it is asked for is sent once.
source(Prepared) ->
    receive
        {From, prepare, Size} ->
            Binary = binary:copy(<<7>>, Size),
            From ! prepared,
            source(Binary);
        {From, Size, Count} ->
            Binary = if byte_size(Prepared) =:= Size -> Prepared; true -> binary:copy(<<7>>, Size) end,
            [From ! Binary || _ <- lists:seq(1, Count)],
            source(<<>>)
    end.

%% --- the driver ---

main() ->
    case whereis(echo) of undefined -> ready(); _ -> ok end,
    commands().

ready() -> io:format("ready ~s ~s~n", [os:getpid(), node()]).

commands() ->
    case io:get_line("") of
        Line when is_list(Line) ->
            {ok, Tokens, _} = erl_scan:string(Line),
            {ok, Command} = erl_parse:parse_term(Tokens),
            Facts = try run(Command)
                    catch Class:Reason:Stack ->
                        io:format(standard_error, "~0p: ~0p ~0p ~0p~n", [Command, Class, Reason, Stack]),
                        [{failed, 1}]
                    end,
            io:format("={~s}~n", [lists:join(",", [io_lib:format("\"~s\":~w", [K, V]) || {K, V} <- Facts])]),
            commands();
        _ -> halt()
    end.

run({connect, Target}) ->
    [{connected, case net_kernel:connect_node(Target) of true -> 1; _ -> 0 end}];
run({disconnect, Target}) ->
    erlang:disconnect_node(Target),
    [{done, 1}];
run({http_client, InFlight}) ->
    {ok, _} = application:ensure_all_started(inets),
    ok = httpc:set_options([{max_sessions, InFlight}, {max_keep_alive_length, 1000000}, {keep_alive_timeout, 600000}]),
    [{done, 1}];
run({open_port, Command, Arguments}) ->
    Self = self(),
    spawn(fun() ->
        Port = open_port({spawn_executable, Command}, [{args, Arguments}, {packet, 4}, binary, exit_status]),
        register(port_owner, self()),
        {os_pid, Pid} = erlang:port_info(Port, os_pid),
        Self ! {port_pid, Pid},
        port_owner(Port, 1, #{})
    end),
    receive {port_pid, Pid} -> [{pid, Pid}] end;
run({close_port}) ->
    exit(whereis(port_owner), kill),
    [{done, 1}];
run({calls, Kind, Target, InFlight, Ms, OsPid}) ->
    call(Kind, Target),
    Cpu = cpu(OsPid),
    Start = now_us(),
    Deadline = Start + Ms * 1000,
    Workers = [spawn_monitor(fun() -> exit({samples, calls(Kind, Target, Deadline, [])}) end)
               || _ <- lists:seq(1, InFlight)],
    Samples = lists:append([receive {'DOWN', Ref, process, _, {samples, S}} -> S end || {_, Ref} <- Workers]),
    Took = now_us() - Start,
    latencies(Samples) ++ [{count, length(Samples)}, {us, Took}, {cpu_us, cpu(OsPid) - Cpu}];
run({echo, Target, Window, Ms, OsPid}) ->
    To = {echo, Target},
    Message = {self(), {hello, 42, <<"some text of ordinary length">>}},
    [To ! Message || _ <- lists:seq(1, Window)],
    Cpu = cpu(OsPid),
    Start = now_us(),
    Count = echoes(To, Message, Start + Ms * 1000, 0),
    Took = now_us() - Start,
    Used = cpu(OsPid) - Cpu,
    [receive {hello, _, _} -> ok end || _ <- lists:seq(1, Window)],
    [{count, Count}, {us, Took}, {cpu_us, Used}];
run({push, Target, Size, Count, OsPid}) ->
    Binary = binary:copy(<<7>>, Size),
    To = {sink, Target},
    sync(To),
    Cpu = cpu(OsPid),
    Start = now_us(),
    [To ! Binary || _ <- lists:seq(1, Count)],
    sync(To),
    [{bytes, Size * Count}, {us, now_us() - Start}, {cpu_us, cpu(OsPid) - Cpu}];
run({pull, Target, Size, Count, OsPid}) ->
    Cpu = cpu(OsPid),
    Start = now_us(),
    {source, Target} ! {self(), Size, Count},
    [receive Binary when byte_size(Binary) =:= Size -> ok end || _ <- lists:seq(1, Count)],
    garbage_collect(),
    [{bytes, Size * Count}, {us, now_us() - Start}, {cpu_us, cpu(OsPid) - Cpu}];
%% Messages of a kilobyte to a process that reads none of them, as fast as they are taken.
run({flood, Target, Ms}) ->
    Counter = counters:new(1, []),
    Binary = binary:copy(<<7>>, 1000),
    Flood = spawn(fun() -> flood({unread, Target}, Binary, Counter) end),
    receive after Ms -> exit(Flood, kill) end,
    [{count, counters:get(Counter, 1)}];
%% Calls one after another while one large message, which was made before, goes to the target (push) or comes from it
%% (pull): from its sending to its arrival.
run({during, Direction, Target, Bytes}) ->
    Self = self(),
    call(erpc, Target),
    Idle = calls(erpc, Target, now_us() + 500000, []),
    Mover = spawn(fun() ->
        Move = prepare(Direction, Target, Bytes),
        Self ! prepared,
        receive go -> ok end,
        Start = now_us(),
        Move(),
        Self ! {moved, now_us() - Start}
    end),
    receive prepared -> ok end,
    call(erpc, Target),
    Mover ! go,
    {Samples, Us} = until_moved(Target, []),
    [{idle_p50, quantile(Idle, 50)}, {idle_p99, quantile(Idle, 99)}, {move_us, Us} | latencies(Samples)]
        ++ [{count, length(Samples)}];

%% The same for calls of another node: one makes the message and moves it, another calls all the time, and is asked for
%% those between two times (of the system's clock, which both have).
run({prepare, Bytes}) ->
    put(prepared, binary:copy(<<7>>, Bytes)),
    [{done, 1}];
run({move, Target}) ->
    From = os:system_time(microsecond),
    {sink, Target} ! erase(prepared),
    sync({sink, Target}),
    [{from, From}, {to, os:system_time(microsecond)}];
run({watch, Target, Ms}) ->
    put(watched, watch(Target, os:system_time(microsecond) + Ms * 1000, [])),
    [{done, 1}];
run({watched, From, To}) ->
    Samples = [Us || {At, Us} <- get(watched), At + Us >= From, At =< To],
    latencies(Samples) ++ [{count, length(Samples)}].

watch(Target, Deadline, Samples) ->
    At = os:system_time(microsecond),
    Start = now_us(),
    call(erpc, Target),
    Sample = {At, now_us() - Start},
    if At >= Deadline -> [Sample | Samples];
       true -> watch(Target, Deadline, [Sample | Samples])
    end.

prepare(push, Target, Bytes) ->
    Binary = binary:copy(<<7>>, Bytes),
    fun() -> {sink, Target} ! Binary, sync({sink, Target}) end;
prepare(pull, Target, Bytes) ->
    {source, Target} ! {self(), prepare, Bytes},
    receive prepared -> ok end,
    fun() ->
        {source, Target} ! {self(), Bytes, 1},
        receive Binary when byte_size(Binary) =:= Bytes -> ok end
    end.

flood(To, Binary, Counter) ->
    To ! Binary,
    counters:add(Counter, 1, 1),
    flood(To, Binary, Counter).

until_moved(Target, Samples) ->
    receive {moved, Us} -> {Samples, Us}
    after 0 ->
        Start = now_us(),
        call(erpc, Target),
        until_moved(Target, [now_us() - Start | Samples])
    end.

calls(Kind, Target, Deadline, Samples) ->
    Start = now_us(),
    call(Kind, Target),
    End = now_us(),
    if End >= Deadline -> [End - Start | Samples];
       true -> calls(Kind, Target, Deadline, [End - Start | Samples])
    end.

call(erpc, Target) -> 3 = erpc:call(Target, bench_module(Target), add, [1, 2]);
call(rpc, Target) -> 3 = rpc:call(Target, bench_module(Target), add, [1, 2]);
%% The form of callers that predate erpc, and the only one that C and Java nodes can answer.
call(rex, Target) -> 3 = gen_server:call({rex, Target}, {call, driver, add, [1, 2], group_leader()}, infinity);
%% The same without the monitor, which gen_server:call/3 makes only if the other node can: not with a C or Java node.
call(bare_rex, Target) ->
    Ref = make_ref(),
    {rex, Target} ! {'$gen_call', {self(), Ref}, {call, driver, add, [1, 2], group_leader()}},
    receive {Ref, 3} -> ok end;
call(http, Url) ->
    {ok, {{_, 200, _}, _, <<"3">>}} =
        httpc:request(post, {Url, [], "application/json", <<"[1,2]">>}, [], [{body_format, binary}]);
call(port, _) ->
    Ref = make_ref(),
    port_owner ! {call, self(), Ref, {add, [1, 2]}},
    receive {Ref, 3} -> ok end.

bench_module(_) -> driver.

port_owner(Port, Id, Callers) ->
    receive
        {call, From, Ref, What} ->
            port_command(Port, term_to_binary({Id, What})),
            port_owner(Port, Id + 1, Callers#{Id => {From, Ref}});
        {Port, {data, Data}} ->
            {Answered, Value} = binary_to_term(Data),
            {{From, Ref}, Rest} = maps:take(Answered, Callers),
            From ! {Ref, Value},
            port_owner(Port, Id, Rest)
    end.

echoes(To, Message, Deadline, Count) ->
    receive {hello, _, _} -> To ! Message end,
    case Count band 63 =:= 63 andalso now_us() >= Deadline of
        true -> Count + 1;
        false -> echoes(To, Message, Deadline, Count + 1)
    end.

sync(To) ->
    To ! {self(), sync},
    receive sync -> ok end.

now_us() -> erlang:monotonic_time(microsecond).

latencies(Samples) -> [{p50, quantile(Samples, 50)}, {p99, quantile(Samples, 99)}].

quantile(Samples, Percent) ->
    Sorted = lists:sort(Samples),
    lists:nth(max(1, length(Sorted) * Percent div 100), Sorted).

cpu(OsPid) ->
    {ok, Stat} = file:read_file("/proc/" ++ integer_to_list(OsPid) ++ "/stat"),
    [_, Rest] = binary:split(Stat, <<") ">>),
    Fields = binary:split(Rest, <<" ">>, [global]),
    10000 * (binary_to_integer(lists:nth(12, Fields)) + binary_to_integer(lists:nth(13, Fields))).
