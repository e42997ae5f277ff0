/** What BEAMs get of exposed functions beyond what a BEAM itself would do: rex-oracle.test.ts has that. */
import type { Pid } from '../../src/index.js'
import {
  atom,
  charlist,
  ErlangError,
  float,
  tuple,
  withArity,
  withContext,
  withOptions,
  type CallContext,
  type ErlangNode,
  type Term,
} from '../../src/index.js'
import { startBeam, until, type Beam } from '../support/beam.js'
import { logLines, startNode } from '../support/nodes.js'

let beam: Beam
let node: ErlangNode

beforeAll(async () => {
  beam = await startBeam({ args: ['-kernel', 'logger_level', 'none'] })
  node = await startNode()
})
afterEach(() => beam.forget())

/** Evaluates on the BEAM with `N` bound to our node. */
const ask = (expression: string, at: ErlangNode = node) =>
  beam.evalText(`(fun(N) -> ${expression} end)('${at.name}')`)

describe('nothing but what is exposed', () => {
  test.each([
    'rpc:call(N, os, cmd, ["id"])',
    'rpc:call(N, erlang, halt, [])',
    'rpc:call(N, init, stop, [])',
    'rpc:call(N, erlang, get_cookie, [])',
    'rpc:call(N, safe, constructor, [])',
    'rpc:call(N, safe, toString, [])',
    'rpc:call(N, safe, hasOwnProperty, [x])',
    'rpc:call(N, safe, getter, [])',
    "rpc:call(N, '__proto__', toString, [])",
    "rpc:call(N, safe, '__proto__', [])",
    'rpc:call(N, safe, call, [])',
    "rpc:call(N, '', '', [])",
  ])('%s is undef', async (expression) => {
    let read = 0
    node.expose('safe', {
      fine: () => true,
      get getter() {
        read++
        return () => 'reached'
      },
    })
    expect(await ask(expression)).toMatch(/^\{badrpc,\{'EXIT',\{undef,\[\{[^]*,\[\]\}\]\}\}\}$/)
    expect(read).toBe(0)
  })

  test('a closure of the caller is refused by name', async () => {
    expect(
      await ask(
        'element(1, element(1, element(2, element(2, rpc:call(N, erlang, apply, [fun() -> os:cmd("id") end, []])))))',
      ),
    ).toBe('badfun')
    expect(
      await ask(
        "begin {_, R} = spawn_monitor(N, fun() -> halt() end), receive {'DOWN', R, _, _, {{badfun, F}, _}} -> is_function(F) end end",
      ),
    ).toBe('true')
  })

  test('an apply of an apply, a hundred thousand deep, is answered', async () => {
    node.expose('deep', { here: () => atom('arrived') })
    const nest = 'lists:foldl(fun(_, A) -> [erlang, apply, A] end, [deep, here, []], lists:seq(1, 100000))'
    expect(await ask(`rpc:call(N, erlang, apply, ${nest})`)).toBe('arrived')
  })

  test('inherited methods of a class are exposed, with their object as `this`', async () => {
    class Base {
      protected readonly start = 40
      total(n: number) {
        return this.start + n
      }
    }
    class Derived extends Base {}
    node.expose('derived', new Derived())
    expect(await ask('rpc:call(N, derived, total, [2])')).toBe('42')
  })
})

describe('errors of JavaScript', () => {
  beforeAll(() => {
    node.expose('wrong', {
      typed: () => (undefined as unknown as { x: { y: number } }).x.y,
      later: async () => Promise.reject(new RangeError('žluť')),
      text: () => {
        throw 'just text' as unknown as Error
      },
      odd: () => {
        throw Object.assign(new Error('odd'), { message: 5, name: Symbol('odd') })
      },
      function_value: () => () => 1,
      not_a_number: async () => Promise.resolve(NaN),
      getter: () => ({
        get x(): number {
          throw new Error('from a getter')
        },
      }),
      thenable: () => ({
        get then(): unknown {
          throw new Error('from then')
        },
      }),
      cyclic: () => {
        const list: unknown[] = []
        list.push(list)
        return list
      },
    })
  })

  test('have class, message and the frames of the user', async () => {
    const text = await ask('rpc:call(N, wrong, typed, [])')
    expect(text).toMatch(
      /^\{badrpc,\{'EXIT',\{\{js_error,<<"TypeError">>,<<"Cannot read properties of undefined \(reading 'x'\)">>\},\[\{js,/,
    )
    expect(text).toMatch(/\{file,"[^"]*rex-server\.test\.ts"\},\{line,\d+\}/)
    expect(text).toMatch(/\{wrong,typed,0,\[\]\}\]\}\}\}$/)
    expect(text).not.toMatch(/src\/rex|src\/process/)
  })

  test.each([
    ['later', '{js_error,<<"RangeError">>,<<"žluť"/utf8>>}'],
    ['text', '{js_error,<<"string">>,<<"just text">>}'],
    ['odd', '{js_error,<<"Symbol(odd)">>,<<"5">>}'],
    ['function_value', '{js_error,<<"ETF_UNENCODABLE">>,_}'],
    ['not_a_number', '{js_error,_,_}'],
    ['getter', '{js_error,<<"Error">>,<<"from a getter">>}'],
    ['thenable', '{js_error,<<"Error">>,<<"from then">>}'],
    ['cyclic', '{js_error,_,_}'],
  ])('%s', async (name, pattern) => {
    const code = pattern.replace('<<"ETF_UNENCODABLE">>', '_')
    expect(
      await ask(
        `case rpc:call(N, wrong, ${name}, []) of {badrpc, {'EXIT', {${code}, _}}} -> same; O -> O end`,
      ),
    ).toBe('same')
    const old = `gen_server:call({rex, N}, {call, wrong, ${name}, [], group_leader()})`
    expect(await ask(`case ${old} of {badrpc, {'EXIT', {${code}, _}}} -> same; O -> O end`)).toBe('same')
    expect(await ask('rpc:call(N, erlang, node, [])')).toBe(`'${node.name}'`)
  })

  test('are mapped by the user', async () => {
    node.expose('mapped', {
      find: (key: Term) => {
        throw new ErlangError('error', tuple(atom('badkey'), key))
      },
    })
    expect(
      await ask(
        "case catch erpc:call(N, mapped, find, [k]) of {'EXIT', {{exception, {badkey, k}, _}, _}} -> mapped end",
      ),
    ).toBe('mapped')
  })
})

describe('what a function is told', () => {
  test('process, caller, node, group leader, trace token', async () => {
    const seen: CallContext[] = []
    node.expose('told', {
      me: withContext((context) => {
        seen.push(context)
        return tuple(context.pid, context.caller, context.node, context.io.pid)
      }),
    })
    expect(
      await ask(
        'begin S = self(), {P, S, C, G} = rpc:call(N, told, me, []), {node(P) =:= N, C =:= node(), G =:= group_leader()} end',
      ),
    ).toBe('{true,true,true}')
    await ask('begin seq_trace:set_token(label, 17), rpc:call(N, told, me, []), seq_trace:set_token([]) end')
    expect(seen.map(({ traceToken }) => traceToken !== undefined)).toEqual([false, true])
  })

  test.each([
    'rpc:call(N, told, wait, [Greeter])',
    'rpc:block_call(N, told, wait, [Greeter])',
    'gen_server:call({rex, N}, {call, told, wait, [Greeter], group_leader()})',
    'begin {rex, N} ! {self(), {call, told, wait, [Greeter], user}}, receive {rex, R} -> R end end',
  ])('the process that it runs in can receive: %s', async (call) => {
    node.expose('told', {
      wait: withContext(({ self, pid, send }, greeter: Pid) => {
        send(greeter, pid)
        return self.receive()
      }),
    })
    expect(await ask(`begin Greeter = spawn(fun() -> receive P -> P ! hello end end), ${call} end`)).toBe(
      'hello',
    )
  })

  test('exit signals end a call, but for a block call, which OTP runs in a process that traps them', async () => {
    node.expose('told', {
      wait: withContext(async ({ self, pid, send }, killer: Pid) => {
        send(killer, pid)
        return self.receive()
      }),
    })
    const killer = 'Killer = spawn(fun() -> receive P -> exit(P, abnormal) end end)'
    expect(await ask(`begin ${killer}, rpc:call(N, told, wait, [Killer]) end`)).toBe(
      "{badrpc,{'EXIT',abnormal}}",
    )
    expect(await ask(`begin ${killer}, element(3, rpc:block_call(N, told, wait, [Killer])) end`)).toBe(
      'abnormal',
    )
  })

  test('what it writes appears where the caller is, in order, before the call returns', async () => {
    node.expose('prints', {
      lines: withContext(async ({ io }) => {
        void io.write('one\n')
        await io.write('two\n')
        return atom('ok')
      }),
    })
    const from = beam.output.count
    expect(await ask('rpc:call(N, prints, lines, [])')).toBe('ok')
    await beam.waitForLog(/^one\ntwo$/m, from)
  })

  test('the abort signal fires when the caller ends the process', async () => {
    let aborted: Promise<unknown> | undefined
    node.expose('long', {
      run: withContext(({ signal }) => {
        aborted = new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)))
        return new Promise(() => {})
      }),
    })
    await ask(
      'begin P = spawn(N, long, run, []), R = monitor(process, P), exit(P, stop), receive {_, R, _, _, stop} -> ok end end',
    )
    expect(String(await aborted)).toMatch(/stop/)
  })

  test('plain arguments', async () => {
    const seen: unknown[] = []
    node.expose(
      'plainly',
      { take: (...args: unknown[]) => void seen.push(...args), exact: withArity((x: Term) => x, 1) },
      {
        args: 'plain',
        functions: { take: { arity: 'any' } },
      },
    )
    await ask('rpc:call(N, plainly, take, [<<"text">>, 2.0, #{a => 1.0, <<"b">> => [x]}, <<255>>, {1.0}])')
    expect(seen.slice(0, 3)).toEqual(['text', 2, { a: 1, b: [atom('x')] }])
    expect(seen[3]).toBeInstanceOf(Uint8Array)
    expect(seen[4]).toEqual(tuple(1))
    expect(await ask('rpc:call(N, plainly, exact, [3.0])')).toBe('3')
  })

  test('terms come back as what they are', async () => {
    node.expose('types', {
      all: () => [
        float(1),
        'text',
        charlist('chars'),
        atom('atom'),
        null,
        undefined,
        true,
        2n ** 70n,
        { key: 1 },
      ],
    })
    expect(await ask('rpc:call(N, types, all, [])')).toBe(
      '[1.0,<<"text">>,"chars",atom,nil,undefined,true,1180591620717411303424,#{key => 1}]',
    )
  })
})

describe('limits of functions', () => {
  test('nodes: others are told so', async () => {
    node.expose(
      'guarded',
      { open: () => 1, closed: withOptions(() => 2, { nodes: ['other@host'] }) },
      { nodes: (name) => name === beam.name },
    )
    expect(await ask('rpc:call(N, guarded, open, [])')).toBe('1')
    const refused = `{badrpc,{'EXIT',{{not_allowed,'${beam.name}'},[{guarded,closed,0,[]}]}}}`
    expect(await ask('rpc:call(N, guarded, closed, [])')).toBe(refused)
    expect(await ask('gen_server:call({rex, N}, {call, guarded, closed, [], user})')).toBe(refused)
    // Someone else's pid as the caller does not help.
    expect(
      await ask(
        `begin {rex, N} ! {'$gen_cast', {cast, guarded, closed, [], user}}, rpc:call(N, guarded, closed, []) end`,
      ),
    ).toBe(refused)
    expect(await ask('rpc:call(N, beampeer, help, [guarded])')).toBe('[{open,0,<<>>}]')
  })

  test('timeLimitMs: the call ends with timeout and its signal fires', async () => {
    let signal: AbortSignal | undefined
    node.expose('slow', {
      run: withContext(
        (context) => {
          signal = context.signal
          return new Promise(() => {})
        },
        { timeLimitMs: 20 },
      ),
      quick: withOptions(() => atom('done'), { timeLimitMs: 60_000 }),
    })
    expect(await ask('rpc:call(N, slow, run, [])')).toBe("{badrpc,{'EXIT',{timeout,[{slow,run,0,[]}]}}}")
    expect(signal?.aborted).toBe(true)
    expect(await ask('rpc:call(N, slow, quick, [])')).toBe('done')
  })

  test('concurrency: at most so many at once, all answered, in order', async () => {
    let running = 0
    let most = 0
    const started: number[] = []
    const work = async (n: number) => {
      started.push(n)
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
      return n
    }
    node.expose('narrow', { work }, { concurrency: 3 })
    expect(
      await ask(
        '[erpc:receive_response(R) || R <- [erpc:send_request(N, narrow, work, [I]) || I <- lists:seq(1, 50)]] =:= lists:seq(1, 50)',
      ),
    ).toBe('true')
    expect(most).toBe(3)
    expect(started).toEqual([...started].sort((a, b) => a - b))
  })

  test('concurrency: a caller that gives up frees the place, and one that waits is not run', async () => {
    let release = () => {}
    let runs = 0
    node.expose(
      'single',
      {
        hold: () => {
          runs++
          return new Promise<void>((resolve) => (release = resolve))
        },
        count: withOptions(() => runs, { concurrency: 1000 }),
      },
      { concurrency: 1 },
    )
    await ask(
      'begin A = spawn(N, single, hold, []), B = spawn(N, single, hold, []), exit(B, kill), exit(A, kill) end',
    )
    await ask('rpc:call(N, single, count, [])')
    expect(await ask('begin spawn(N, single, hold, []), rpc:call(N, single, count, []) end')).toBe('2')
    release()
  })

  test('order: what one process asks runs one after another, others at the same time', async () => {
    const log: string[] = []
    const waiting: (() => void)[] = []
    node.expose(
      'ordered',
      {
        step: async (who: Term, n: number) => {
          log.push(`start ${String(who)}${n}`)
          if (n === 1) await new Promise<void>((resolve) => waiting.push(resolve))
          log.push(`end ${String(who)}${n}`)
        },
      },
      { order: 'caller' },
    )
    const both = ask(`begin Self = self(),
      [spawn(fun() -> Rs = [erpc:send_request(N, ordered, step, [W, I]) || I <- [1, 2, 3]],
        [erpc:receive_response(R) || R <- Rs], Self ! done end) || W <- [a, b]],
      [receive done -> ok end || _ <- [a, b]] end`)
    await until(() => waiting.length === 2)
    expect([...log].sort()).toEqual(['start a1', 'start b1'])
    for (const go of waiting) go()
    await both
    const ofA = log.filter((line) => line.includes(' a'))
    expect(ofA).toEqual(['start a1', 'end a1', 'start a2', 'end a2', 'start a3', 'end a3'])
  })

  test('maxQueuedCalls: the next one is answered system_limit', async () => {
    const small = await startNode({ limits: { maxQueuedCalls: 2 } })
    const waiting: (() => void)[] = []
    small.expose(
      'full',
      { hold: () => new Promise<number>((resolve) => waiting.push(() => resolve(1))) },
      { concurrency: 1 },
    )
    // None is let go before the one too many was refused.
    const refused = new Promise<void>((resolve) => small.expose('told', { refused: () => resolve() }))
    const answers = ask(
      `begin Rs = [erpc:send_request(N, full, hold, []) || _ <- [1, 2, 3, 4]],
      {error, {exception, system_limit, _}} = (fun() -> try erpc:receive_response(lists:last(Rs)) catch C:E -> {C, E} end end)(),
      rpc:call(N, told, refused, []),
      [erpc:receive_response(R) || R <- lists:droplast(Rs)] end`,
      small,
    )
    await Promise.race([refused, answers])
    for (let i = 0; i < 3; i++) {
      await until(() => waiting.length > i)
      waiting[i]?.()
    }
    expect(await answers).toBe('[1,1,1]')
  })
})

describe('modules', () => {
  test('help lists them, sorted, with documents', async () => {
    const quiet = await startNode()
    quiet.expose('zebra', { run: () => 1 })
    quiet.expose('ant', {
      walk: withOptions((_steps: number) => 1, { doc: 'walk(Steps)' }),
      any: withArity((...all: unknown[]) => all.length, 'any'),
      some: withArity((a: number, b = 1) => a + b, [2, 1]),
    })
    expect(await ask('rpc:call(N, beampeer, help, [])', quiet)).toBe(
      '[{ant,[{any,any},{some,1},{some,2},{walk,1}]},{zebra,[{run,0}]}]',
    )
    expect(await ask('lists:keyfind(walk, 1, rpc:call(N, beampeer, help, [ant]))', quiet)).toBe(
      '{walk,1,<<"walk(Steps)">>}',
    )
    expect(await ask('rpc:call(N, beampeer, help, [cat])', quiet)).toMatch(/badarg/)
  })

  test('standardFunctions: false leaves only what the user exposed', async () => {
    const bare = await startNode({ standardFunctions: false })
    bare.expose('mine', { one: () => 1 })
    for (const call of [
      'erlang, node, []',
      'erlang, nodes, []',
      'erlang, memory, []',
      'code, ensure_loaded, [mine]',
      'beampeer, help, []',
    ]) {
      expect(await ask(`rpc:call(N, ${call})`, bare)).toMatch(/undef/)
    }
    expect(await ask('rpc:call(N, mine, one, [])', bare)).toBe('1')
    expect(await ask('net_adm:ping(N)', bare)).toBe('pong')
  })

  test('the user’s functions come before the standard ones, arity by arity', async () => {
    const own = await startNode()
    own.expose('erlang', { memory: () => atom('mine') })
    expect(await ask('rpc:call(N, erlang, memory, [])', own)).toBe('mine')
    expect(await ask('is_integer(rpc:call(N, erlang, memory, [total]))', own)).toBe('true')
    own.unexpose('erlang')
    expect(await ask('is_list(rpc:call(N, erlang, memory, []))', own)).toBe('true')
  })

  test('a module is replaced while a call runs in it', async () => {
    let finish: (() => void) | undefined
    node.expose('hot', { version: () => new Promise((resolve) => (finish = () => resolve(1))) })
    const old = ask('rpc:call(N, hot, version, [])')
    await until(() => finish !== undefined)
    node.expose('hot', { version: () => 2 })
    expect(await ask('rpc:call(N, hot, version, [])')).toBe('2')
    finish?.()
    expect(await old).toBe('1')
    expect(node.unexpose('hot')).toBe(true)
    expect(await ask('rpc:call(N, hot, version, [])')).toMatch(/undef/)
  })

  test('a fallback answers what nobody exposed, or says undef', async () => {
    const any = await startNode()
    any.expose('known', { f: () => atom('exposed') })
    any.exposeFallback((context, module, name, args) => {
      if (module !== 'dynamic') throw new ErlangError('error', atom('undef'))
      return tuple(context.node, atom(name), args as Term[])
    })
    expect(await ask('rpc:call(N, known, f, [])', any)).toBe('exposed')
    expect(await ask('rpc:call(N, dynamic, anything, [1, 2])', any)).toBe(`{'${beam.name}',anything,[1,2]}`)
    expect(await ask('rpc:call(N, other, f, [1])', any)).toBe("{badrpc,{'EXIT',{undef,[{other,f,[1],[]}]}}}")
    any.exposeFallback(undefined)
    expect(await ask('rpc:call(N, dynamic, anything, [])', any)).toMatch(/undef/)
  })
})

test('a thousand calls given up, and a caller killed in the middle, leave no process behind', async () => {
  const waiting: (() => void)[] = []
  node.expose('never', { come: () => new Promise<void>((resolve) => waiting.push(resolve)) })
  const count = () => ask('rpc:call(N, erlang, system_info, [process_count])').then(Number)
  const before = await count()
  await ask('[rpc:call(N, never, come, [], 0) || _ <- lists:seq(1, 1000)]')
  await ask('begin P = spawn(fun() -> erpc:multicall([N, N], never, come, []) end), exit(P, kill) end')
  await until(() => waiting.length >= 1000)
  for (const resolve of waiting) resolve()
  await until(async () => {
    for (const resolve of waiting) resolve()
    return (await count()) === before
  })
  expect(logLines.filter((line) => /answer of/.test(line))).toEqual([])
})
