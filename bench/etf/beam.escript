#!/usr/bin/env escript
%%! +sbwt none +sbwtdcpu none +sbwtdio none
%% The BEAM's part of the benchmark: reads `decode FILE N` or `encode FILE N` lines, does that N times in a process of its
%% own, and answers with the nanoseconds it took.
-mode(compile).

main([]) ->
    io:setopts([{binary, true}]),
    loop(#{}).

loop(Cache) ->
    case io:get_line("") of
        eof -> ok;
        Line ->
            [What, File, Count] = string:lexemes(string:trim(Line), " "),
            {Bytes, Term, New} = load(File, Cache),
            io:format("~b~n", [measure(What, Bytes, Term, binary_to_integer(Count))]),
            loop(New)
    end.

load(File, Cache) ->
    case Cache of
        #{File := {Bytes, Term}} -> {Bytes, Term, Cache};
        #{} ->
            {ok, Bytes} = file:read_file(File),
            Term = binary_to_term(Bytes),
            {Bytes, Term, Cache#{File => {Bytes, Term}}}
    end.

measure(What, Bytes, Term, Count) ->
    Self = self(),
    spawn_link(fun() ->
        Start = erlang:monotonic_time(nanosecond),
        case What of
            <<"decode">> -> decode(Bytes, Count);
            <<"encode">> -> encode(Term, Count)
        end,
        Self ! {took, erlang:monotonic_time(nanosecond) - Start}
    end),
    receive {took, Time} -> Time end.

decode(_, 0) -> ok;
decode(Bytes, N) -> binary_to_term(Bytes), decode(Bytes, N - 1).

encode(_, 0) -> ok;
encode(Term, N) -> term_to_binary(Term, [{minor_version, 2}]), encode(Term, N - 1).
