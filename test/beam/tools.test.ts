/**
 * The tools of a cluster meet a beampeer node, visible and hidden: those that look at BEAMs go on as before, and what is
 * asked of the node itself is answered, if only by an error, at once: no test here could pass by waiting for a time-out.
 */
import type { ErlangNode } from '../../src/node/erlang-node.js'
import { cookie, defaultRelease, privateEpmd, startBeam, uniqueName, type Beam } from '../support/beam.js'
import { startNode } from '../support/nodes.js'
import { otpCommand } from '../support/otp.js'
import { start, type RunningProcess } from '../support/process.js'

describe.each([{ hidden: false }, { hidden: true }])('hidden: $hidden', ({ hidden }) => {
  let one: Beam
  let two: Beam
  let node: ErlangNode
  /** Evaluates on the first BEAM; `N` is this node, `Two` the other BEAM. */
  const ask = (expression: string): Promise<string> =>
    one.evalText(`(fun(N, Two) -> ${expression} end)('${node.name}', '${two.name}')`)

  beforeAll(async () => {
    ;[one, two, node] = await Promise.all([startBeam(), startBeam(), startNode({ hidden })])
    node.pg.start('pg')
    for (const beam of [one, two]) await node.connect(beam.name)
    await one.evalText(`pong = net_adm:ping('${two.name}')`)
    await Promise.all([one.evalText('global:sync()'), two.evalText('global:sync()'), node.global.sync()])
  })

  test.each([
    'application_controller',
    'code_server',
    'error_logger',
    'init',
    'kernel_sup',
    'logger',
    'inet_db',
    'user_drv',
  ])('a call of %s, which we have not, exits with noproc', async (name) => {
    expect(
      await ask(
        `{'EXIT', {Reason, _}} = (catch gen_server:call({${name}, N}, which_children, infinity)), Reason`,
      ),
    ).toBe('noproc')
  })

  const services = ['rex', 'net_kernel', 'global_name_server', 'pg', 'user', 'logger_proxy']
  test.each(hidden ? services.filter((name) => name !== 'global_name_server') : services)(
    'sys meets %s: it shows its status, and will not be held or ended',
    async (name) => {
      const at = `{${name}, N}`
      expect(
        await ask(`{status, P, {module, gen_server}, [_, running, P, [], [{header, H} | _]]} =
          sys:get_status(${at}, infinity), {node(P) =:= N, lists:suffix("${name}", H)}`),
      ).toBe('{true,true}')
      expect(await ask(`sys:suspend(${at}, infinity)`)).toBe('{error,{unknown_system_msg,suspend}}')
      expect(await ask(`{'EXIT', {R, _}} = (catch sys:get_state(${at}, infinity)), R`)).toBe(
        '{unknown_system_msg,get_state}',
      )
      expect(await ask(`sys:terminate(${at}, kill, infinity)`)).toBe(
        '{error,{unknown_system_msg,{terminate,kill}}}',
      )
      expect(node.whereis(name)).toBeDefined()
    },
  )

  test.each([
    ['observer_backend', 'sys_info', '[]'],
    ['observer_backend', 'etop_collect', '[self()]'],
    ['observer_backend', 'procs_info', '[self()]'],
    ['code', 'which', '[observer_backend]'],
    ['application', 'which_applications', '[]'],
    ['supervisor', 'which_children', '[kernel_sup]'],
    ['logger', 'get_primary_config', '[]'],
    ['dbg', 'tracer', '[]'],
    ['init', 'stop', '[]'],
  ])('%s:%s is undefined here, to rpc and erpc', async (module, name, args) => {
    const call = `(N, ${module}, ${name}, ${args})`
    expect(await ask(`{badrpc, {'EXIT', {R, _}}} = rpc:call${call}, R`)).toBe('undef')
    expect(await ask(`catch erpc:call${call}`)).toMatch(/^\{'EXIT',\{\{exception,undef,/)
  })

  test('observer looks at the other BEAM, and gets of this node what there is', async () => {
    expect(
      await ask(`true = is_list(rpc:call(Two, observer_backend, sys_info, [])),
        rpc:call(Two, observer_backend, etop_collect, [self()]),
        receive {_, Info} when element(1, Info) =:= etop_info -> collected end`),
    ).toBe('collected')
    // It asks for what it shows of a process: ours tells what a process of ours has.
    expect(
      await ask(`Rex = rpc:call(N, erlang, whereis, [rex]),
        [{registered_name, rex}, {status, waiting}] =
          rpc:call(N, erlang, process_info, [Rex, [registered_name, status]]), shown`),
    ).toBe('shown')
  })

  test('a process spawned here of what we have not ends with the reason', async () => {
    expect(
      await ask(`[begin {P, R} = spawn_monitor(N, M, F, A),
        receive {'DOWN', R, process, P, {Why, _}} -> Why end end || {M, F, A} <- [{no, no, []}, {lists, sort, [[]]}]]`),
    ).toBe('[undef,undef]')
    expect(
      await ask(`{P2, R2} = spawn_monitor(N, fun() -> ok end),
        receive {'DOWN', R2, process, P2, {Why2, _}} -> element(1, Why2) end`),
    ).toBe('badfun')
  })

  test('broadcasts: net_adm:world, c:nl, multi_call, sbcast, eval_everywhere', async () => {
    const [, host = ''] = node.name.split('@')
    const world = await ask(`lists:sort(net_adm:world_list(['${host}']))`)
    expect(world).toContain(`'${two.name}'`)
    expect(world).toContain(`'${node.name}'`)
    expect(
      await ask(`Dir = "/tmp/beampeer_nl_" ++ os:getpid(), ok = file:make_dir(Dir),
        {ok, loaded, Code} = compile:forms([{attribute, 1, module, loaded},
          {attribute, 1, export, [{version, 0}]},
          {function, 1, version, 0, [{clause, 1, [], [], [{integer, 1, 3}]}]}]),
        File = filename:join(Dir, "loaded.beam"), ok = file:write_file(File, Code),
        true = code:add_patha(Dir), abcast = c:nl(loaded),
        ok = file:delete(File), file:del_dir(Dir)`),
    ).toBe('ok')
    await two.until('(catch loaded:version()) =:= 3')
    expect(await ask(`gen_server:multi_call([N, Two], nobody, hello)`)).toBe(
      `{[],['${node.name}','${two.name}']}`,
    )
    expect(await ask(`{[], Bad} = rpc:sbcast([N, Two], nobody, hello), length(Bad)`)).toBe('2')
    expect(await ask(`element(2, rpc:multicall([N, Two], erlang, node, []))`)).toBe('[]')
  })

  test('pool takes the node for one that is fully loaded', async () => {
    expect(
      await ask(`{ok, Master} = gen_server:start({global, pool_master}, pool, [], []),
        attached = pool:attach(N),
        (fun Until() -> case lists:keyfind(N, 2, pool:get_nodes_and_load()) of
          {999999, N} -> ok; _ -> erlang:yield(), Until() end end)(),
        Chosen = pool:get_node() =:= node(),
        gen_server:stop(Master), Chosen`),
    ).toBe('true')
  })

  test('a shell on a BEAM works while we are there, and one on us is declined', async () => {
    const shell = async (to: string) => {
      const { command, args } = otpCommand('erl', defaultRelease())
      const erl = ['-start_epmd', 'false', '-hidden', '-name', uniqueName('shell'), '-setcookie', cookie]
      const line = [command, ...args, ...erl, '-remsh', to].join(' ')
      const env = { ERL_EPMD_PORT: String(await privateEpmd()), TERM: 'xterm', HOME: '/tmp' }
      return start('script', ['-qefc', line, '/dev/null'], { interactive: true, env })
    }
    /** Ctrl-G and q: out of the shell, which leaves the other node alone. */
    const quit = async (open: RunningProcess) => {
      open.write('\x07')
      await open.stdout.waitFor(/-->/)
      open.write('q\r')
      await open.exit
    }
    const onBeam = await shell(one.name)
    await onBeam.stdout.waitFor(new RegExp(`\\(${one.name}\\)1>`))
    onBeam.write(`{node(), lists:member('${node.name}', nodes(connected))}.\r`)
    await onBeam.stdout.waitFor(new RegExp(`^\\{'${one.name}',true\\}$`, 'm'))
    await quit(onBeam)
    const onUs = await shell(node.name)
    const [line] = await onUs.stdout.waitFor(/Shell process terminated|Could not load .* on shell \(nofile\)/)
    if (line.startsWith('Shell')) await quit(onUs)
    else await onUs.exit
  })

  afterAll(async () => {
    expect(
      await Promise.all([one, two].map((beam) => beam.evalText(`net_adm:ping('${node.name}')`))),
    ).toEqual(['pong', 'pong'])
    for (const beam of [one, two])
      expect(beam.log().filter((line) => /overlapping|unexpected|crash/i.test(line))).toEqual([])
  })
})
