/**
 * The Erlang side of the test kit: evaluated by `erl -eval` on the node under test, so that nothing has to be
 * compiled and every release runs it. It talks over file descriptor 3, which leaves the node's standard output to what
 * the node itself prints. Frames have a 4-byte length, then
 *
 *     to the node    id:32  mode:8  size:32  source:size/binary  bindings/binary      ([{Name, Value}] by term_to_binary)
 *     from the node  id:32  kind:8  body/binary
 *
 * Modes: `T` answer the value by term_to_binary, `X` as `~0tp` prints it, `E` evaluate Elixir and inspect the value,
 * `F` forget all variables. Kinds: `R` ready, `T` a term, `X` text, `!` failed (the text says how).
 * Each expression runs in a process of its own, so one that hangs holds up nobody; variables that it binds are there
 * for later ones. End of file, which is also what the death of the test gives, halts the node.
 */
export const HARNESS = String.raw`
spawn(fun() ->
  register(beampeer_kit, self()),
  Kit = self(),
  Port = open_port({fd, 3, 3}, [{packet, 4}, binary, eof]),
  Say = fun(Id, Kind, Body) -> port_command(Port, [<<Id:32>>, Kind, Body]) end,
  Text = fun(Format, Args) -> unicode:characters_to_binary(io_lib:format(Format, Args)) end,
  Evaluate = fun(Source, Bindings) ->
    {ok, Tokens, _} = erl_scan:string(unicode:characters_to_list([string:trim(Source, trailing, ". \n"), $.])),
    case erl_parse:parse_exprs(Tokens) of
      {ok, Expressions} -> erl_eval:exprs(Expressions, Bindings);
      {error, {_, Module, What}} -> error({syntax, lists:flatten(Module:format_error(What))})
    end
  end,
  Work = fun
    ($E, Source, Bindings) ->
      {Value, _} = 'Elixir.Code':eval_string(Source, [], []),
      Options = [{limit, infinity}, {printable_limit, infinity}, {width, infinity}],
      {$X, 'Elixir.Kernel':inspect(Value, Options), Bindings};
    (Mode, Source, Bindings) ->
      {value, Value, Bound} = Evaluate(Source, Bindings),
      case Mode of
        $T -> {$T, term_to_binary(Value), Bound};
        $X -> {$X, Text("~0tp", [Value]), Bound}
      end
  end,
  Add = fun({Name, Value}, Bindings) -> erl_eval:add_binding(Name, Value, Bindings) end,
  Say(0, $R, [atom_to_binary(node(), utf8), 0, erlang:system_info(otp_release)]),
  (fun Loop(Bindings) ->
    receive
      {Port, {data, <<Id:32, $F, _/binary>>}} ->
        Say(Id, $X, <<"ok">>),
        Loop(erl_eval:new_bindings());
      {Port, {data, <<Id:32, Mode, Size:32, Source:Size/binary, Given/binary>>}} ->
        spawn(fun() ->
          Done = try Work(Mode, Source, lists:foldl(Add, Bindings, binary_to_term(Given)))
          catch Class:Reason:Stack -> {$!, Text("~tp:~tp~n~tp", [Class, Reason, Stack]), Bindings}
          end,
          Kit ! {done, Id, Done}
        end),
        Loop(Bindings);
      {done, Id, {Kind, Body, Bound}} ->
        Say(Id, Kind, Body),
        Loop(lists:foldl(Add, Bindings, erl_eval:bindings(Bound)));
      {Port, eof} -> erlang:halt(0, [{flush, false}]);
      _ -> Loop(Bindings)
    end
  end)(erl_eval:new_bindings())
end)`.replace(/\s*\n\s*/g, ' ')
