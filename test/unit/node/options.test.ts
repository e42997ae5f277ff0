import { ArgumentError, ErlangNode, type NodeOptions } from '../../../src/index.js'
import { checkOptions } from '../../../src/node/options.js'

const NAME = 'a@127.0.0.1'

test.each<[string, unknown]>([
  ['cookie', 5],
  ['cookies', 5],
  ['cookies', ['a']],
  ['cookies', { 'b@h': 5 }],
  ['cookies', { 'b@h': { out: 'x' } }],
  ['createCookie', 'yes'],
  ['hidden', 'yes'],
  ['epmd', 5],
  ['epmd', 'other'],
  ['resolve', 5],
  ['listen', '0.0.0.0'],
  ['listen', true],
  ['listen', { port: 70_000 }],
  ['inet6', 1],
  ['distAutoConnect', 'sometimes'],
  ['nameDomain', 'names'],
  ['atomCache', 0],
  ['fragments', null],
  ['netTicktime', 'long'],
  ['netTickintensity', 3],
  ['allow', 'app@127.0.0.1'],
  ['allow', [5]],
  ['standardFunctions', 'no'],
  ['connectAll', 1],
  ['preventOverlappingPartitions', 'x'],
  ['limits', []],
  ['limits', { maxAtoms: 'many' }],
  ['limits', { maxAtomz: 1 }],
  ['logger', 5],
  ['output', 5],
  ['input', 'x'],
  ['visible', true],
  ['toString', 5],
])('%s: %p is refused', (key, value) => {
  const bad = expect.objectContaining({ code: 'BAD_OPTION', message: expect.stringContaining(key) as string })
  expect(() => checkOptions(NAME, { [key]: value } as NodeOptions)).toThrow(bad)
})

test('the value of a cookie is not in the message', () => {
  for (const options of [
    { cookie: ['secret'] },
    { cookies: { 'b@h': ['secret'] } },
  ] as unknown as NodeOptions[])
    expect(() => checkOptions(NAME, options)).toThrow(/^(?!.*secret)/)
})

test('what is undefined counts as not given', () => {
  const none = Object.fromEntries(
    ['cookie', 'allow', 'hidden', 'listen', 'logger', 'output', 'resolve', 'limits'].map((key) => [
      key,
      undefined,
    ]),
  )
  expect(checkOptions(NAME, none)).toMatchObject({ hidden: true, listen: { host: '127.0.0.1' } })
})

test.each([5, null, {}, Symbol('x')])('%p is no name', (name) => {
  expect(() => checkOptions(name as never, {})).toThrow(expect.objectContaining({ code: 'BAD_NODE_NAME' }))
})

test('options are an object', () => {
  expect(() => checkOptions(NAME, 'secret' as never)).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }))
})

describe('a node', () => {
  const start = () => ErlangNode.start(undefined, { cookie: 'secret', epmd: 'none' })

  test('takes strings and atoms for the names of others', async () => {
    const node = await start()
    for (const name of [5, {}, undefined, null] as unknown as string[]) {
      const bad = expect.objectContaining({ code: 'BAD_ARGUMENT' })
      await expect(node.connect(name)).rejects.toEqual(bad)
      await expect(node.dial(name)).rejects.toEqual(bad)
      await expect(node.ping(name)).rejects.toEqual(bad)
      expect(() => node.disconnect(name)).toThrow(ArgumentError)
      expect(() => node.keepConnected(name)).toThrow(ArgumentError)
      expect(() => node.at(name)).toThrow(ArgumentError)
      await expect(node.rpc.call(name, 'm', 'f')).rejects.toEqual(bad)
      await expect(node.erpc.call(name, 'm', 'f')).rejects.toEqual(bad)
    }
    await expect(node.rpc.call('a@h', 5 as never, 'f')).rejects.toThrow(
      /module and function by strings, not 5/,
    )
    await node.stop()
  })

  test('that is stopped reaches nobody, and has no more to tell', async () => {
    const node = await start()
    const before = node.monitorNodes()
    await node.stop()
    expect(await node.ping('a@127.0.0.1')).toBe('pang')
    expect(await before.next()).toEqual({ done: true, value: undefined })
    expect(await node.monitorNodes().next()).toEqual({ done: true, value: undefined })
  })
})
