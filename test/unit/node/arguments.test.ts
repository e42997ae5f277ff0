/** What programs give that is of the wrong kind: said at once, by name, whatever it is given to. */
import { ErlangNode, epmdLookup, epmdNames, parse, atom } from '../../../src/index.js'

describe('arguments of the wrong kind', () => {
  let node: ErlangNode
  const here = 'arguments@127.0.0.1'
  /** Anything, as a program without types gives it. */
  const any = (value: unknown): never => value as never

  beforeAll(async () => (node = await ErlangNode.start(here, { cookie: 'c', epmd: 'none', listen: false })))
  afterAll(() => node.stop())

  const spawned = () => node.spawn(() => new Promise(() => undefined))
  const nodes = /^the nodes are an array, not /
  const calls = /^a call names its module and function by strings, not 5 and "f"$/
  const signal = /^signal is an AbortSignal, not 5$/

  test.each<[string, () => unknown, RegExp]>([
    ['atom', () => atom(any(5)), /^the name of an atom is a string, not of type number$/],
    ['parse', () => parse(any(Buffer.from('[]'))), /^parse takes a string, not a value of type object$/],
    ['epmdNames', () => epmdNames(any(5)), /^the host of an EPMD is text, not 5$/],
    ['epmdLookup', () => epmdLookup('a', any(5)), /^the host of an EPMD is text, not 5$/],
    ['rpc.call', () => node.rpc.call(here, any(5), 'f'), calls],
    [
      'rpc.call: args',
      () => node.rpc.call(here, 'm', 'f', any('x')),
      /^the arguments of a call are an array, not "x"$/,
    ],
    ['rpc.call: signal', () => node.rpc.call(here, 'm', 'f', [], { signal: any(5) }), signal],
    ['rpc.cast', () => node.rpc.cast(here, any(5), 'f'), calls],
    ['rpc.multicall', () => node.rpc.multicall(any(here), 'm', 'f'), nodes],
    ['rpc.abcast', () => node.rpc.abcast('x', 1, any(here)), nodes],
    ['rpc.sbcast', () => node.rpc.sbcast('x', 1, any(null)), nodes],
    ['rpc.multiServerCall', () => node.rpc.multiServerCall('x', 1, any({})), nodes],
    ['rpc.yield', () => node.rpc.yield(any(1n)), /^a request is what sendRequest or asyncCall gave, not 1n$/],
    ['rpc.nbYield', () => node.rpc.nbYield(any(undefined)), /^a request is .*, not undefined$/],
    ['rpc.parallelEval', () => node.rpc.parallelEval(any('m')), /^the calls are an array, not "m"$/],
    ['rpc.parallelEval: a call', () => node.rpc.parallelEval(any(['m'])), /^a call is an array, not "m"$/],
    [
      'rpc.pmap',
      () => node.rpc.pmap(['m', 'f'], [], any(new Set())),
      /^the items are an array, not an object$/,
    ],
    ['rpc.evalEverywhere', () => node.rpc.evalEverywhere('m', 'f', [], any(here)), nodes],
    ['erpc.multicall', () => node.erpc.multicall(any(here), 'm', 'f'), nodes],
    ['erpc.multicast', () => node.erpc.multicast(any(here), 'm', 'f'), nodes],
    ['erpc.receiveResponse', () => node.erpc.receiveResponse(any([])), /^a request is .*, not an array$/],
    ['reqids add', () => node.erpc.reqidsNew().add(any(5), 1), /^a request is .*, not 5$/],
    ['batch', () => node.at(here).batch(any([() => 1])), /^a call is an array, not a function$/],
    ['gen.call: signal', () => node.gen.call('x', 1, { signal: any(5) }), signal],
    ['gen.multiCall', () => node.gen.multiCall(any(here), 'x', 1), nodes],
    ['gen.abcast', () => node.gen.abcast(any(here), 'x', 1), nodes],
    ['receive: signal', () => spawned().receive({ signal: any(5) }), signal],
    [
      'register',
      () => node.register('x', any('name')),
      /^a name is given to a process or its pid, not "name"$/,
    ],
    ['whereis', () => node.at(any(5)), /^the name of a node is a string or an atom, not 5$/],
    [
      'expose',
      () => node.expose('m', any(undefined)),
      /^expose m: the functions are an object, not undefined$/,
    ],
    [
      'exposeModule',
      () => node.exposeModule('m', any(5)),
      /^the file of a module is a path or a URL, not 5$/,
    ],
    ['nodes', () => node.nodes(any({})), /^the types of nodes are one, or an array, not an object$/],
    ['ping: signal', () => node.ping('a@b', { signal: any(5) }), signal],
    ['monitorNodes: signal', () => node.monitorNodes({ signal: any(5) }), signal],
    ['keepConnected: signal', () => node.keepConnected('a@b', { signal: any(5) }), signal],
    ['pubSub', () => node.pubSub(any(5)), /^the name of a PubSub is text, not 5$/],
    [
      'pg.join',
      () => node.pg.join('s', 'g', any('name')),
      /^members are one process, or an array, not "name"$/,
    ],
    [
      'pg.leave',
      () => node.pg.leave('s', 'g', any(['name'])),
      /^a member is a process or its pid, not "name"$/,
    ],
    ['pg.getMembers', () => node.pg.getMembers(any(5), 'g'), /^a scope is named by text or an atom, not 5$/],
    ['pg.onChange', () => node.pg.onChange('s', 'g', any({})), /^the listener is a function, not an object$/],
    [
      'global.register',
      () => node.global.register('x', any('name')),
      /^register takes a pid, not <<"name">>$/,
    ],
    [
      'global.trans',
      () => node.global.trans('x', 'y', any(5)),
      /^what is done under a lock is a function, not 5$/,
    ],
    ['global.sync', () => node.global.sync(any(here)), nodes],
  ])('%s', async (_, use, message) => {
    let error: unknown
    try {
      await use()
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ name: 'ArgumentError', code: 'BAD_ARGUMENT' })
    expect((error as Error).message).toMatch(message)
  })

  test('a cookie that is no text is one that cannot be', () => {
    expect(() => node.setCookie(any(5))).toThrow(
      expect.objectContaining({ code: 'COOKIE_BAD', message: 'the cookie of setCookie is no text' }),
    )
  })

  test('long text is cut, no signal is none', async () => {
    expect(() => node.erpc.multicast(any('x'.repeat(100)), 'm', 'f')).toThrow(`not "${'x'.repeat(40)}…"`)
    expect(await spawned().receive({ timeoutMs: 0, signal: any(null) })).toBeUndefined()
  })
})
