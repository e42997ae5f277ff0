#!/usr/bin/env escript
%% Prints, as JSON, what term_to_binary of this OTP gives for a list of expressions. With each release's own escript:
%%     escript test/vectors/etf/capture.escript > test/vectors/etf/otp-RELEASE.json
main(_) ->
    Release = erlang:system_info(otp_release),
    Command = "escript test/vectors/etf/capture.escript",
    Lines = [line(E) || E <- expressions() ++ late(list_to_integer(Release))],
    io:format("{\n  \"otp\": ~s,\n  \"command\": \"~s\",\n  \"vectors\": [\n~s\n  ]\n}\n",
              [Release, Command, lists:join(",\n", Lines)]).

line(Expression) ->
    {ok, Tokens, _} = erl_scan:string(Expression ++ "."),
    {ok, Parsed} = erl_parse:parse_exprs(Tokens),
    {value, Bytes, _} = erl_eval:exprs(Parsed, []),
    Escaped = [case C of $" -> "\\\""; $\\ -> "\\\\"; _ -> C end || C <- Expression],
    io_lib:format("    { \"expression\": \"~ts\", \"hex\": \"~s\" }",
                  [Escaped, [io_lib:format("~2.16.0b", [B]) || <<B>> <= Bytes]]).

expressions() ->
    [wrap(Term) || Term <- terms()] ++
    ["term_to_binary(" ++ Term ++ ", [{minor_version, " ++ Minor ++ "}])" ||
        Term <- ["1.5", "0.1", "-1.0e300", "5.0e-324", "ok", "list_to_atom([233])", "list_to_atom([960])"], Minor <- ["0", "1", "2"]] ++
    ["term_to_binary(lists:duplicate(100, hello), [compressed])",
     "term_to_binary(lists:seq(1, 300), [{compressed, 9}, {minor_version, 2}])"].

wrap(Term) -> "term_to_binary(" ++ Term ++ ")".

terms() ->
    ["0", "255", "256", "-1", "2147483647", "-2147483648", "2147483648", "-2147483649", "9007199254740991",
     "9007199254740992", "-9007199254740992", "1 bsl 64", "-(1 bsl 64)", "1 bsl 2039", "1 bsl 2040", "-(1 bsl 4000)",
     "0.0", "-0.0", "1.0", "1.5", "1.7976931348623157e308", "5.0e-324",
     "ok", "true", "false", "''", "list_to_atom([233])", "list_to_atom([26085,26412])", "list_to_atom([128512])",
     "list_to_atom(lists:duplicate(255, $a))", "list_to_atom(lists:duplicate(255, 233))", "list_to_atom(lists:duplicate(255, 26085))",
     "<<>>", "<<\"text\">>", "<<0,255>>", "<<5:3>>", "<<1,2,3:2>>",
     "[]", "[1,2,3]", "\"string\"", "[1|2]", "[a,b|c]", "[256]",
     "{}", "{1}", "{ok,{error,[]}}", "list_to_tuple(lists:duplicate(255, a))", "list_to_tuple(lists:duplicate(256, a))",
     "#{}", "#{a => 1}", "#{1 => one, 1.0 => float}", "#{{k} => #{<<\"b\">> => []}}",
     "maps:from_list([{I, I} || I <- lists:seq(1, 40)])",
     "list_to_pid(\"<0.90.0>\")", "list_to_pid(\"<0.32767.7>\")", "hd(erlang:ports())", "make_ref()",
     "fun lists:map/2", "fun erlang:self/0", "fun(X) -> X end"].

late(Release) when Release >= 29 ->
    ["begin {ok, Tokens, _} = erl_scan:string(\"-module(native). -export([all/0]). -export_record([point]). "
     "-record #point{x, y = 0}. -record #empty{}. all() -> {#point{x = 1}, #point{x = [], y = {#empty{}}}, #empty{}}.\"), "
     "Split = fun S([], [], Forms) -> lists:reverse(Forms); "
     "S([{dot, _} = D | R], F, Forms) -> S(R, [], [lists:reverse([D | F]) | Forms]); S([T | R], F, Forms) -> S(R, [T | F], Forms) end, "
     "{ok, native, Code} = compile:forms([begin {ok, P} = erl_parse:parse_form(F), P end || F <- Split(Tokens, [], [])]), "
     "{module, native} = code:load_binary(native, \"native.erl\", Code), term_to_binary(native:all()) end",
     "term_to_binary({local, [1, a]}, [local])"] ++ aliases();
late(Release) when Release >= 26 -> ["term_to_binary({local, [1, a]}, [local])" | aliases()];
late(Release) when Release >= 24 -> aliases();
late(_) -> [].

aliases() -> ["term_to_binary(alias())"].
