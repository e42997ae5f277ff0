import { atom } from '../../../src/etf/atom.js'
import { print } from '../../../src/etf/print.js'
import type { Encodable, Term } from '../../../src/etf/terms.js'
import { tuple, type Tuple } from '../../../src/etf/tuple.js'
import type { Destination } from '../../../src/process/host.js'
import { answerSystemMessage, readSystemMessage } from '../../../src/process/system-messages.js'
import { Tables } from '../../support/tables.js'

const { table } = new Tables().add('a@h')
const service = table.spawnHandler({ message: () => {} }, { name: 'service' })
const asker = table.spawnHandler({ message: () => {} })

/** What the service answers to a message, and to whom. */
function answers(message: Term): { taken: boolean; sent: [Destination, string][] } {
  const sent: [Destination, string][] = []
  const send = (_from: unknown, to: Destination, reply: Encodable) => (
    sent.push([to, print(reply as Term)]),
    true
  )
  return { taken: answerSystemMessage({ send }, service, 'mod', message), sent }
}

const system = (request: Encodable, from: Encodable = tuple(asker.pid, atom('tag'))) =>
  tuple(atom('system'), from, request) as Term

test('get_status shows a generic server that runs, under its name and module', () => {
  const { taken, sent } = answers(system(atom('get_status')))
  expect(taken).toBe(true)
  expect(sent).toHaveLength(1)
  const [to, reply] = sent[0] as [Destination, string]
  expect(to).toBe(asker.pid)
  expect(reply).toMatch(
    /^\{tag,\{status,<[\d.]+>,\{module,gen_server\},\[\[\{'\$initial_call',\{mod,init,1\}\}\],running,/,
  )
  expect(reply).toContain('{header,"Status for generic server service"}')
})

test.each([
  ['get_state', atom('get_state')],
  ['suspend', atom('suspend')],
  ['{terminate,kill}', tuple(atom('terminate'), atom('kill'))],
  ['{replace_state,1}', tuple(atom('replace_state'), 1)],
])('%s is an error, and the service goes on', (text, request) => {
  expect(answers(system(request))).toEqual({
    taken: true,
    sent: [[asker.pid, `{tag,{error,{unknown_system_msg,${text}}}}`]],
  })
  expect(service.alive).toBe(true)
})

test.each([
  ['ok', atom('no_debug')],
  ['ok', tuple(atom('remove'), atom('f'))],
  ['ok', tuple(atom('trace'), false)],
  ['ok', tuple(atom('log_to_file'), false)],
  ['{ok,[]}', tuple(atom('log'), atom('get'))],
  ['ok', tuple(atom('log'), atom('print'))],
  ['{ok,no_statistics}', tuple(atom('statistics'), atom('get'))],
  ['{error,{unknown_system_msg,{debug,{log,true}}}}', tuple(atom('log'), true)],
  ['{error,{unknown_system_msg,{debug,{other,false}}}}', tuple(atom('other'), false)],
  ['{error,{unknown_system_msg,{debug,odd}}}', atom('odd')],
])('debug options: %s for %s', (text, command) => {
  const { sent } = answers(system(tuple(atom('debug'), command)))
  expect(sent).toEqual([[asker.pid, `{tag,${text}}`]])
})

test('what is no system message is left to the service', () => {
  const others: Term[] = [
    atom('system'),
    system(atom('get_state'), atom('nobody')),
    system(atom('get_state'), tuple(1, 2)),
    tuple(atom('system'), tuple(asker.pid, 1)) as Term,
  ]
  for (const message of others) {
    expect(readSystemMessage(message)).toBeUndefined()
    expect(answers(message)).toEqual({ taken: false, sent: [] })
  }
})

test('an answer that cannot be sent ends nothing', () => {
  const send = (): never => {
    throw new Error('too wide for that node')
  }
  const message = system(atom('get_state')) as Tuple
  expect(answerSystemMessage({ send }, service, 'mod', message as Term)).toBe(true)
})
