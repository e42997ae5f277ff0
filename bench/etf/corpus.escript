#!/usr/bin/env escript
%% Makes the corpus of the codec's benchmark on a BEAM: one file for each term, as term_to_binary(…, [{minor_version, V}])
%% gives it, in NAME.etf (version 2, UTF-8 atoms) and NAME.old.etf (version 1: Latin-1 atoms, all that erlpack reads).
main([Dir]) ->
    rand:seed(exsss, {1, 2, 3}),
    [begin
         ok = file:write_file(filename:join(Dir, Name ++ ".etf"), term_to_binary(Term, [{minor_version, 2}])),
         ok = file:write_file(filename:join(Dir, Name ++ ".old.etf"), term_to_binary(Term, [{minor_version, 1}]))
     end || {Name, Term} <- corpus()],
    ok.

corpus() ->
    [{"rpc-tuple", {call, erlang, system_info, [process_count], self(), #{timeout => 5000}, 42, 1.5}},
     {"ints", [rand:uniform(1 bsl 31) - (1 bsl 30) || _ <- lists:seq(1, 1000)]},
     {"floats", [rand:uniform() * 1.0e6 || _ <- lists:seq(1, 1000)]},
     {"document-atom-keys", document(fun(K) -> K end)},
     {"document-binary-keys", document(fun(K) -> atom_to_binary(K, utf8) end)},
     {"process-info", [process(I) || I <- lists:seq(1, 900)]},
     {"small-tuples", [{item, I, ok, I * 7} || I <- lists:seq(1, 4000)]},
     {"ascii-strings", [string(23, fun() -> $a + rand:uniform(26) - 1 end) || _ <- lists:seq(1, 2000)]},
     {"utf8-strings", [string(15, fun() -> lists:nth(rand:uniform(4), [$a, 16#e9, 16#65e5, 16#3b1]) end) || _ <- lists:seq(1, 2000)]},
     {"binary-1mb", rand:bytes(1 bsl 20)},
     {"atoms", [lists:nth(rand:uniform(60), atoms()) || _ <- lists:seq(1, 10000)]},
     {"int64s", [rand:uniform(1 bsl 63) + (1 bsl 53) || _ <- lists:seq(1, 1000)]},
     {"bigs", [rand:uniform(1 bsl (64 * (2 + I rem 30))) + (1 bsl 100) || I <- lists:seq(1, 500)]},
     {"deep-list", lists:foldl(fun(I, T) -> [I, T] end, [], lists:seq(1, 400))}].

string(Length, Char) -> unicode:characters_to_binary([Char() || _ <- lists:seq(1, Length)]).

atoms() ->
    [list_to_atom("atom_" ++ integer_to_list(I * 7919)) || I <- lists:seq(1, 50)] ++
        [ok, error, undefined, true, false, nil, running, waiting, normal, shutdown].

%% About 100 KB of nested maps, lists, text and numbers, as an API would answer.
document(Key) ->
    #{Key(users) =>
          [#{Key(id) => I, Key(name) => string(12, fun() -> $a + rand:uniform(26) - 1 end),
             Key(email) => <<"user", (integer_to_binary(I))/binary, "@example.com">>, Key(active) => I rem 3 =/= 0,
             Key(score) => rand:uniform() * 100, Key(visits) => rand:uniform(100000),
             Key(tags) => [<<"alpha">>, <<"beta">>, <<"gamma">>],
             Key(address) => #{Key(street) => <<"Main Street 1">>, Key(city) => <<"Springfield">>,
                               Key(geo) => #{Key(lat) => 52.5 + rand:uniform(), Key(lng) => 13.4 + rand:uniform()}}}
           || I <- lists:seq(1, 330)],
      Key(total) => 330, Key(page) => 1}.

process(I) ->
    {list_to_pid("<0." ++ integer_to_list(I + 10) ++ ".0>"),
     [{registered_name, lists:nth(I rem 10 + 51, atoms())}, {current_function, {gen_server, loop, 7}},
      {initial_call, {proc_lib, init_p, 5}}, {status, waiting}, {message_queue_len, I rem 5}, {links, [self()]},
      {memory, 2000 + I * 13}, {reductions, I * 100003}, {priority, normal}, {trap_exit, true}]}.
