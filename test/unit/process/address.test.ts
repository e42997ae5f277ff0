/** Addresses as JavaScript without types, and messages, may give them: taken as a BEAM takes them, or refused with a word. */
import '../../../src/etf/node.js'
import { atom, internAtom } from '../../../src/etf/atom.js'
import { Pid, Reference } from '../../../src/etf/identifiers.js'
import { tuple } from '../../../src/etf/tuple.js'
import type { SignalOut } from '../../../src/dist/signals.js'
import { DEFAULT_LIMITS } from '../../../src/limits.js'
import { GenClient } from '../../../src/gen/client.js'
import { ProcessTable } from '../../../src/process/table.js'

const THERE = internAtom('there@h')

function make() {
  const sent: [SignalOut, string][] = []
  const table = new ProcessTable({
    name: internAtom('here@h'),
    creation: 1,
    limits: DEFAULT_LIMITS,
    outlet: {
      send: (signal, node) => (sent.push([signal, node.name]), true),
      connect: () => undefined,
      checkConnection: () => undefined,
    },
    onError: () => undefined,
  })
  return { table, sent, process: table.spawnHandler({ message: () => undefined }) }
}

const badArgument = (message: string) => expect.objectContaining({ code: 'BAD_ARGUMENT', message }) as Error

test('{Name, Node}, as it comes in messages of BEAMs, is sent to and monitored as the object is', () => {
  const { process, sent } = make()
  const name = atom('name')
  process.send(tuple(name, THERE), 1)
  process.send({ name, node: 'there@h' }, 2)
  process.send(tuple(true, THERE), 3)
  const refs = [process.monitor(tuple(name, THERE)), process.monitor({ name: 'name', node: THERE })]
  expect(sent).toEqual([
    [{ type: 'regSend', from: process.pid, to: name, message: 1 }, 'there@h'],
    [{ type: 'regSend', from: process.pid, to: name, message: 2 }, 'there@h'],
    [{ type: 'regSend', from: process.pid, to: true, message: 3 }, 'there@h'],
    ...refs.map((ref) => [{ type: 'monitor', from: process.pid, to: name, ref }, 'there@h']),
  ])
})

test('a call takes a server as {Name, Node}, and refuses what is none', () => {
  const { table, sent } = make()
  const client = new GenClient(table, {
    connectionError: () => undefined,
    otpRelease: () => Promise.resolve(27),
  })
  client.cast(tuple(atom('server'), THERE), 1)
  expect(sent).toMatchObject([[{ type: 'regSend', to: atom('server') }, 'there@h']])
  expect(() => client.cast(5 as never, 1)).toThrow(
    badArgument('a call to a server takes a pid, a name or a name on a node, not 5'),
  )
})

const notAddresses: [string, unknown][] = [
  ['5', 5],
  ['nil', null],
  ['{name}', tuple(atom('name'))],
  ['{name,there@h,1}', tuple(atom('name'), THERE, 1)],
  ['{5,<<"there@h">>}', tuple(5, 'there@h')],
  ['#{name => <<"a">>}', { name: 'a' }],
  ['a value of type function', () => 1],
]

test.each(notAddresses)('%s is refused, and nothing is sent', (shown, value) => {
  const { process, sent } = make()
  for (const what of ['send', 'monitor'] as const) {
    expect(() => process[what](value as never, {})).toThrow(
      badArgument(`${what} takes a pid, a name or a name on a node, not ${shown}`),
    )
  }
  for (const what of ['link', 'unlink', 'sendExit'] as const)
    expect(() => process[what](value as never, 1)).toThrow(badArgument(`${what} takes a pid, not ${shown}`))
  expect(sent).toEqual([])
})

test('a name on a node has no links, and a reference only exit signals', () => {
  const { process, sent } = make()
  const named = tuple(atom('name'), THERE)
  const alias = new Reference(THERE, 9, [1, 2, 3])
  expect(() => process.link(named as never)).toThrow(badArgument('link takes a pid, not {name,there@h}'))
  expect(() => process.link(alias as never)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
  process.sendExit(alias, atom('stop'))
  process.link(new Pid(THERE, 5, 0, 9))
  expect(sent.map(([{ type }]) => type)).toEqual(['altactSend', 'link'])
})

test.each(notAddresses)('%s is no node to monitor, no reference and no mode', (shown, value) => {
  const { process, sent } = make()
  const given = value as never
  expect(() => process.monitorNode(given)).toThrow(
    badArgument(`monitorNode takes the name of a node, not ${shown}`),
  )
  process.monitor({ name: 'a', node: THERE })
  const alias = process.alias()
  for (const what of ['demonitor', 'unalias'] as const)
    expect(() => process[what](given)).toThrow(badArgument(`${what} takes a reference, not ${shown}`))
  expect(process.unalias(alias)).toBe(true)
  expect(() => process.alias({ mode: given })).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
  expect(() => process.monitor(process, { alias: given })).toThrow(
    expect.objectContaining({ code: 'BAD_ARGUMENT' }),
  )
  expect(sent).toHaveLength(1)
})

test('an alias alone ends with its first message or never, one of a monitor in its own ways', () => {
  const { process } = make()
  const mode = expect.objectContaining({ code: 'BAD_ARGUMENT' }) as Error
  expect(() => process.alias('demonitor' as never)).toThrow(mode)
  expect(() => process.monitor('there', { alias: 'reply' as never })).toThrow(mode)
  for (const each of ['explicit_unalias', 'reply'] as const) process.alias(each)
  for (const alias of ['explicit_unalias', 'demonitor', 'reply_demonitor'] as const)
    process.monitor({ name: 'a', node: THERE }, { alias })
})
