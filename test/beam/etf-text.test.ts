/** Text of terms against real shells: what they print we print, and what they read we read. */
import fc from 'fast-check'
import {
  decode,
  encode,
  ExportFun,
  isEqual,
  parse,
  print,
  tuple,
  type Encodable,
  type Term,
} from '../../src/etf/node.js'
import { formatIo } from '../../src/etf/format.js'
import { startBeam, type Beam } from '../support/beam.js'
import { formats, wideTerms } from '../support/format-arbitrary.js'
import { deepTerms } from '../support/term-arbitrary.js'
import { TERM_GENERATOR } from '../support/term-generator.js'

const SEED = 20_250_102

/** Identities of other nodes have their node's number in the BEAM's table first: ours print as on their own node. */
const ownNode = (text: string): string => text.replace(/(<|#Ref<|#Port<)\d+\.(?=\d)/g, '$10.')

/** The first few pairs that differ, short enough to be read. */
function differences(
  ours: readonly string[],
  theirs: readonly string[],
  of: readonly string[] = [],
): string[] {
  const found = ours.length === theirs.length ? [] : [`${ours.length} and ${theirs.length} results`]
  for (let i = 0; i < ours.length && found.length < 3; i++) {
    const a = ours[i] as string
    const b = theirs[i] as string
    if (a === b) continue
    let at = 0
    while (a[at] === b[at]) at++
    const from = Math.max(0, at - 60)
    found.push(`${i} ${of[i] ?? ''}\nours   …${a.slice(from, at + 80)}\ntheirs …${b.slice(from, at + 80)}`)
  }
  return found
}

async function texts(beam: Beam, expression: string, bindings: Record<string, Encodable>): Promise<string[]> {
  const replies = (await beam.eval(expression, bindings)) as Uint8Array[]
  return replies.map((bytes) => Buffer.from(bytes).toString())
}

const made = fc.sample(deepTerms({ funs: true }), { seed: SEED, numRuns: 4000 })

describe('print', () => {
  test('equals ~0tp of OTP 27 for terms made here and there', async () => {
    const beam = await startBeam({ otp: 27, distributed: false })
    await beam.compile(TERM_GENERATOR)
    const theirs = (await beam.eval('term_generator:terms(77, 1500)')) as Uint8Array[]
    // Bytes and text come from the same term: entries of one map stand in one order then.
    const both = `[begin T = binary_to_term(B),
      [term_to_binary(T), unicode:characters_to_binary(io_lib:format("~0tp", [T]))] end || B <- Bins]`
    const pairs = (await beam.eval(both, {
      Bins: [...made.map((term) => encode(term)), ...theirs],
    })) as Uint8Array[][]
    const ours = pairs.map(([bytes]) => print(decode(bytes as Uint8Array)))
    const expected = pairs.map(([, text]) => Buffer.from(text as Uint8Array).toString())
    expect(differences(ours.map(ownNode), expected.map(ownNode))).toEqual([])
  })

  test('with all of Unicode printable equals a BEAM started with +pc unicode', async () => {
    const beam = await startBeam({ otp: 27, distributed: false, args: ['+pc', 'unicode'] })
    const sample = fc.sample(wideTerms, { seed: SEED, numRuns: 1500 })
    const format = '[unicode:characters_to_binary(io_lib:format("~0tp", [binary_to_term(B)])) || B <- Bins]'
    const expected = await texts(beam, format, { Bins: sample.map((term) => encode(term)) })
    expect(
      differences(
        sample.map((term) => print(term, { printable: 'unicode' })),
        expected,
      ),
    ).toEqual([])
  })

  test("equals Elixir's inspect without limits", async () => {
    const beam = await startBeam({ distributed: false, elixir: true })
    const names =
      'foo foo? foo! foo@ Foo Elixir Elixir. Elixir.Foo Elixir.Foo.Bar Elixir.foo nil true + ++ .. ..// ... . {} %{} % ' +
      '<<>> [] () fn do end and not in when é Été привет _ @ & && &&& | || ||| |> <| <|> <~ ~> <~> <<~ ~>> <<< >>> -> <- ' +
      ':: = == != === !== =~ < > <= >= ! ^ ^^^ ~~~ // \\\\ <> => , ; : __MODULE__ a!? a?b 0a a-b aβ Å 日本語 ªb x²'
    const atoms = names.split(' ').map((name) => parse(`'${name.replaceAll('\\', '\\\\')}'`))
    const named = atoms.flatMap((atom) => [
      atom,
      [tuple(atom, 1)] as Term,
      new ExportFun(parse('m') as never, atom as never, 1),
      new ExportFun(atom as never, parse('f') as never, 2),
    ])
    // Atoms of characters that Elixir's own tables of scripts decide about, and structs, are left to unit tests.
    const sample = fc.sample(deepTerms({ funs: true, negativeZero: false }), { seed: SEED, numRuns: 4000 })
    const readable = sample.filter((term) => !/[^\0-\u00ff]|__/.test(print(term)))
    const both = `[begin T = binary_to_term(B), [term_to_binary(T), 'Elixir.Kernel':inspect(T,
      [{limit, infinity}, {width, infinity}, {printable_limit, infinity}])] end || B <- Bins]`
    const pairs = (await beam.eval(both, {
      Bins: [...readable, ...(named as Term[])].map((term) => encode(term)),
    })) as Uint8Array[][]
    const ours = pairs.map(([bytes]) => print(decode(bytes as Uint8Array), { flavour: 'elixir' }))
    const expected = pairs.map(([, text]) => Buffer.from(text as Uint8Array).toString())
    const other = (text: string): string => text.replace(/(#PID<|#Reference<|#Port<)\d+\.(?=\d)/g, '$10.')
    expect(pairs.length).toBeGreaterThan(2000)
    expect(differences(ours.map(other), expected.map(other))).toEqual([])
  })
})

describe('parse', () => {
  /** Texts of constant terms and near misses. */
  const LITERALS =
    String.raw`1 ¦ -1 ¦ +1 ¦ - 1 ¦ -(1) ¦ --1 ¦ 1_000 ¦ 1__0 ¦ 16#fF ¦ 36#zZ ¦ 2#102 ¦ 37#1 ¦ 1#0 ¦ 16#f_f ¦ 16# ¦ 1.5 ¦ 1.5e3
¦ 1.5e-3 ¦ 1.5E+3 ¦ 1e3 ¦ 1.5e ¦ 1.0e400 ¦ 1_0.0_1e1_0 ¦ -0.0 ¦ 0.0 ¦ 1. ¦ $a ¦ $\n ¦ $\x41 ¦ $\x{1F600} ¦ $\^a ¦ $\^? ¦ $\^1 ¦ $\101 ¦ $\ ¦ $é ¦ -$a
¦ abc ¦ 'a b' ¦ 'it''s' ¦ 'it\'s' ¦ '' ¦ end ¦ 'end' ¦ maybe ¦ é ¦ Éa ¦ _ ¦ a@b ¦ a.b ¦ "a" ¦ "" ¦ "a" "b" ¦ "a""b" ¦ "a\"b" ¦ "\x{D800}" ¦ "\xg"
¦ "é日" ¦ [] ¦ [1] ¦ [1,2|3] ¦ [1|[2]] ¦ [1|[2|[3]]] ¦ [1|"ab"] ¦ [|1] ¦ [1|] ¦ [1,] ¦ [1|2,3] ¦ [1|2|3] ¦ {} ¦ {1} ¦ {1,{2,[3]}} ¦ {1,} ¦ {,1}
¦ #{} ¦ #{a=>1} ¦ #{a=>1,a=>2} ¦ #{1=>a,1.0=>b} ¦ #{a:=1} ¦ #{a} ¦ #{a=>} ¦ #{#{b=>1,a=>2}=>x,#{a=>2,b=>1}=>y} ¦ #r{} ¦ #r{a=1} ¦ <<>> ¦ <<1>>
¦ <<1,2,3>> ¦ <<256>> ¦ <<-1>> ¦ <<1:4>> ¦ <<1:4,2:4>> ¦ <<300:16>> ¦ <<300:16/little>> ¦ <<300:16/native>> ¦ <<1:3,300:17/little>> ¦ <<-5:70>> ¦ <<-5:70/little>>
¦ <<1.5/float>> ¦ <<1.5:32/float>> ¦ <<1.5:16/float>> ¦ <<0.1:16/float>> ¦ <<65519.0:16/float>> ¦ <<65520.0:16/float>> ¦ <<1.0e-7:16/float>> ¦ <<5.0e-8:16/float>>
¦ <<6.1e-5:16/float-little>> ¦ <<1/float>> ¦ <<1.5:8/float>> ¦ <<1.5>> ¦ <<1.0e300:32/float>> ¦ <<"abc">> ¦ <<"é日">> ¦ <<"é日"/utf8>> ¦ <<"é日"/utf16>>
¦ <<"é😀"/utf16-little>> ¦ <<"😀"/utf32>> ¦ <<"ab":16>> ¦ <<"ab":16/little>> ¦ <<""/utf8>> ¦ <<"a":4>> ¦ <<$a/utf8>> ¦ <<16#D800/utf8>> ¦ <<1:8/utf8>> ¦ <<1/utf8-unit:8>>
¦ <<(<<1,2>>)/binary>> ¦ <<<<1,2,3>>:2/binary>> ¦ <<<<1,2,3>>:4/binary>> ¦ <<<<1:3>>/bits>> ¦ <<<<1:3>>/binary>> ¦ <<<<1,2>>/binary-unit:16>> ¦ <<<<1,2,3>>/binary-unit:16>>
¦ <<1:2/unit:4>> ¦ <<1/unit:4>> ¦ <<1:2/integer-unit:300>> ¦ <<1/integer-float>> ¦ <<1/foo>> ¦ <<1/signed-big>> ¦ <<1/big-little>> ¦ <<a>> ¦ <<[1]>> ¦ <<1:(8)>> ¦ <<1:-8>>
¦ <<1:a>> ¦ <<1,>> ¦ <<1:0>> ¦ << 1 >> ¦ fun lists:map/2 ¦ fun 'a b':'c'/0 ¦ fun f/1 ¦ fun m:f/256 ¦ fun m:f ¦ (1) ¦ ((a)) ¦ () ¦ (1,2) ¦ {(1),[(2)|(3)]} ¦ [1|(2)] ¦ [1|([2])]
¦ ~"abc" ¦ ~"é" ¦ ~b"a\n" ¦ ~B"a\n" ¦ ~s"a\n" ¦ ~S"a\n" ¦ ~S(a\n) ¦ ~[a] ¦ ~{a} ¦ ~<a> ¦ ~/a/ ¦ ~|a| ¦ ~#a# ¦ ~x"a" ¦ ~ "a" ¦ ~"a"x ¦ ~s"a" "b" ¦ """ ¦ 1 + 2 ¦ a b ¦ 1 2 ¦ a:b
¦ X ¦ [X] ¦ <0.1.2> ¦ ? ¦ € ¦ "unterminated ¦ 'unterminated ¦ $ ¦ [ ¦ {1 ¦ <<1 ¦ % comment ¦ -a ¦ -"a" ¦ +1.5 ¦ -1.5 ¦ [-1] ¦ {a,-1.0} ¦ <<(-1):8>> ¦ a. ¦ a.b ¦ "a" ++ "b"`
      .split('¦')
      .map((text) => text.trim())
  const TRIPLE = [
    '"""\nabc\n"""',
    '"""\n  abc\n   d\n  """',
    '"""\n  abc\n d\n  """',
    '"""\n\n  abc\n\n  """',
    '""" x\nabc\n"""',
    '"""  \nabc\n"""',
    '"""\n"""',
    '"""\n  a\\n"b\n  """',
    '~b"""\n  a\\n"b\n  """',
    '~"""\n  é\\n\n  """',
    '""""\n"""\n""""',
    '"""\n  abc\r\n  """',
    '"""\nabc"""',
    '"""\n  abc\n  """ "d"',
    '"a\nb"',
    '"a\\\nb"',
    "'a\nb'",
    '[1, % one\n 2]',
  ]
  const READ = `Read = fun(T) ->
      {ok, Ts, _} = erl_scan:string(unicode:characters_to_list(T) ++ "\\n."),
      {ok, V} = erl_parse:parse_term(Ts),
      term_to_binary(V) end,
    [try Read(T) catch _:_ -> error end || T <- Texts]`

  async function compareReading(beam: Beam, sources: readonly string[]): Promise<string[]> {
    const found = await beam.eval(READ, { Texts: sources })
    return sources.flatMap((source, i) => {
      const theirs = (found as Term[])[i]
      const expected = theirs instanceof Uint8Array ? decode(theirs) : undefined
      let ours: Term | undefined
      try {
        ours = parse(`${source}\n.`)
      } catch {
        ours = undefined
      }
      const same = expected === undefined ? ours === undefined : ours !== undefined && isEqual(ours, expected)
      const show = (term: Term | undefined): string => (term === undefined ? 'an error' : print(term))
      return same ? [] : [`${JSON.stringify(source)}: ours ${show(ours)}, theirs ${show(expected)}`]
    })
  }

  test('reads what erl_parse of OTP 27 reads, and refuses what it refuses', async () => {
    const beam = await startBeam({ otp: 27, distributed: false })
    expect(await compareReading(beam, [...LITERALS.filter((text) => text !== '<0.1.2>'), ...TRIPLE])).toEqual(
      [],
    )
  })

  test('agrees with erl_parse on damaged text', async () => {
    const beam = await startBeam({ otp: 27, distributed: false })
    const pieces = [
      ...'[]{}()<>|,.:/#=$"\'~%- \n_aB09eé',
      '=>',
      '<<',
      '>>',
      'fun ',
      '1.5',
      '16#',
      '"a"',
      '/utf8',
      ':4',
      '"""',
    ]
    const damaged = fc
      .tuple(
        fc.constantFrom(...LITERALS, ...TRIPLE),
        fc.array(fc.tuple(fc.nat(), fc.nat(2), fc.constantFrom(...pieces)), { minLength: 1, maxLength: 3 }),
      )
      .map(([text, edits]) => {
        const now = Array.from(text)
        for (const [where, removed, piece] of edits) now.splice(where % (now.length + 1), removed, piece)
        return now.join('')
      })
      // Identities are text that only we read; the emulator has no room for some sizes.
      .filter((text) => !/<\d+\.\d+\.\d+>|:\d{7,}/.test(text))
    expect(await compareReading(beam, fc.sample(damaged, { seed: SEED, numRuns: 6000 }))).toEqual([])
  })

  test('reads back what ~p and ~0tp print', async () => {
    const beam = await startBeam({ otp: 27, distributed: false })
    const sample = fc.sample(wideTerms, { seed: SEED + 1, numRuns: 1500 })
    const expression =
      '[unicode:characters_to_binary(io_lib:format(F, [binary_to_term(B)])) || B <- Bins, F <- ["~0tp", "~tp", "~p", "~w"]]'
    const printed = await texts(beam, expression, { Bins: sample.map((term) => encode(term)) })
    const wrong = printed.filter((text, i) => !isEqual(parse(text), sample[i >> 2] as Term))
    expect(wrong.slice(0, 3)).toEqual([])
  })
})

describe('formatIo', () => {
  test('equals io_lib:format of OTP 27 over generated formats, and fails where it fails', async () => {
    const beam = await startBeam({ otp: 27, distributed: false })
    const sample = [
      ...fc.sample(formats, { seed: SEED, numRuns: 6000 }),
      ...fc.sample(wideTerms, { seed: SEED, numRuns: 3000 }).map((term) => ({ format: '~tp', args: [term] })),
    ]
    const expression = `[begin {F, A} = binary_to_term(B), try unicode:characters_to_binary(io_lib:format(unicode:characters_to_list(F), A))
        catch error:badarg -> <<"badarg">> end end || B <- Bins]`
    const expected = await texts(beam, expression, {
      Bins: sample.map(({ format, args }) => encode(tuple(format, args))),
    })
    const ours = sample.map(({ format, args }) => {
      try {
        return formatIo(format, args)
      } catch (error) {
        expect(error).toMatchObject({ code: 'ETF_FORMAT' })
        return 'badarg'
      }
    })
    expect(ours.filter((text) => text.includes('\n')).length).toBeGreaterThan(1000)
    expect(
      differences(
        ours,
        expected,
        sample.map(({ format }) => JSON.stringify(format)),
      ),
    ).toEqual([])
  })
})
