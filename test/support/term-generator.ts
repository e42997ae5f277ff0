/** An Erlang module that makes terms of every type on a BEAM: `terms(Seed, Count)` gives their `term_to_binary/1`. */
export const TERM_GENERATOR = `-module(term_generator).
-export([terms/2, closure/1, here/1]).

terms(Seed, Count) ->
    rand:seed(exsss, {Seed, 17, 42}),
    Port = hd(erlang:ports()),
    put(pids, [self() | lists:sublist(processes(), 20)]),
    put(port, Port),
    [term_to_binary(wrap(term(5), n(3) =:= 1)) || _ <- lists:seq(1, Count)].

n(Max) -> rand:uniform(Max).

pick(List) -> lists:nth(n(length(List)), List).

%% A tower of containers, now and then.
wrap(Term, false) -> Term;
wrap(Term, true) ->
    lists:foldl(fun(_, T) -> case n(4) of 1 -> [T]; 2 -> {T, 1}; 3 -> #{T => 1}; 4 -> #{k => T} end end,
                Term, lists:seq(1, n(50))).

term(0) -> leaf();
term(Depth) ->
    case n(10) of
        1 -> list_to_tuple([term(Depth - 1) || _ <- lists:seq(1, n(6))]);
        2 -> [term(Depth - 1) || _ <- lists:seq(1, n(6))];
        3 -> maps:from_list([{term(Depth - 1), term(Depth - 1)} || _ <- lists:seq(1, n(6))]);
        4 -> [term(Depth - 1) | leaf()];
        5 -> X = term(Depth - 1), Y = leaf(), closure({X, Y});
        6 -> maps:from_list([{leaf(), leaf()} || _ <- lists:seq(1, 40 + n(40))]);
        7 -> [n(256) - 1 || _ <- lists:seq(1, n(30))];
        _ -> leaf()
    end.

closure({X, Y}) -> fun(Z) -> {X, Y, Z} end.

here(X) -> X.

leaf() ->
    case n(15) of
        1 -> n(300) - 20;
        2 -> (n(3) - 2) * ((1 bsl n(2100)) + n(5) - 3);
        3 -> (n(3) - 2) * ((1 bsl n(70)) + n(5) - 3);
        4 -> (rand:uniform() - 0.5) * math:pow(10, n(300) - 150);
        5 -> pick([0.0, 1.0, -1.0, 0.1, 1.0e22, 5.0e-324, 1.7976931348623157e308, float(n(1000))]);
        6 -> pick([ok, error, true, false, undefined, '', 'two words', 'é', list_to_atom([16#e9, 16#ff]),
                   list_to_atom([16#65e5, 16#672c]), list_to_atom([16#1f600]), list_to_atom(lists:duplicate(255, $x)),
                   list_to_atom(lists:duplicate(255, 16#e9)), list_to_atom(lists:duplicate(255, 16#1f600)), a, b, c]);
        7 -> rand:bytes(n(100));
        8 -> unicode:characters_to_binary([pick([$a, 16#e9, 16#65e5, 16#1f600]) || _ <- lists:seq(1, n(20))]);
        9 -> Size = n(40), <<Bits:Size/bitstring, _/bitstring>> = rand:bytes(5), Bits;
        10 -> pick(get(pids));
        11 -> make_ref();
        12 -> get(port);
        13 -> pick([fun lists:map/2, fun term_generator:here/1, fun here/1, fun erlang:self/0]);
        14 -> pick([[], {}, #{}, <<>>, "string", [1, 2, 300]]);
        15 -> alias_or_ref()
    end.

%% An alias of this process, that later references do not refer to.
alias_or_ref() ->
    case erlang:function_exported(erlang, alias, 0) of
        true -> erlang:apply(erlang, alias, []);
        false -> make_ref()
    end.
`
