/** Log events of other nodes: their levels, their forms, and what is none. */
import { atom } from '../../../src/etf/atom.js'
import { ErlMap } from '../../../src/etf/map.js'
import type { Encodable } from '../../../src/etf/terms.js'
import { tuple } from '../../../src/etf/tuple.js'
import { charlist } from '../../../src/etf/values.js'
import { startLogProxy } from '../../../src/kernel/log-proxy.js'
import type { Logger } from '../../../src/kernel/kernel.js'
import { Cluster, inbox } from './support.js'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const map = (entries: Record<string, Encodable>): Encodable =>
  ErlMap.from<Encodable, Encodable>(
    Object.entries(entries).map(([key, value]) => [atom(key), value] as const),
  ) as Encodable

function proxy(maxFormatCharacters = 1000) {
  const kernel = new Cluster().member('a@virtual', { limits: { maxFormatCharacters } })
  kernel.table.unregister('logger_proxy')
  const lines: string[] = []
  const note = (level: keyof Logger) => (message: string) => void lines.push(`${level} ${message}`)
  const logger = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') }
  const process = startLogProxy(kernel.table, logger)
  const { process: sender } = inbox(kernel)
  return {
    process,
    sender,
    /** The lines that messages make, without what they all begin with. */
    async tell(...messages: Encodable[]): Promise<string[]> {
      lines.length = 0
      for (const message of messages) sender.send('logger_proxy', message)
      await turn()
      return lines.map((line) => line.replace(`log of ${sender.pid.toString()} of a@virtual: `, ''))
    },
  }
}

const event = (level: string, ...rest: Encodable[]) => tuple(atom('log'), atom(level), ...rest)
const none = map({})

test('every level has its method', async () => {
  const { tell } = proxy()
  const levels = ['emergency', 'alert', 'critical', 'error', 'warning', 'notice', 'info', 'debug']
  expect(await tell(...levels.map((level) => event(level, 'text', none)))).toEqual([
    'error text',
    'error text',
    'error text',
    'error text',
    'warn text',
    'info text',
    'info text',
    'debug text',
  ])
})

test('formats, text, reports, and reports that error_logger makes of a format', async () => {
  const { tell } = proxy()
  const label = tuple(atom('error_logger'), atom('error_msg'))
  const report = [tuple(atom('key'), 1)]
  expect(
    await tell(
      event('error', charlist('~p is ~ts~n'), [1, [0x436]], none),
      event('error', atom('of atom ~w'), [[]], none),
      event('error', ['text ', charlist('in parts')], none),
      event('error', map({ key: 1 }), none),
      event('error', report, none),
      event('error', map({ label, format: charlist('old ~p~n'), args: [1] }), none),
      event('error', map({ label, report }), none),
      event('error', map({ label }), none),
    ),
  ).toEqual([
    'error 1 is ж',
    'error of atom []',
    'error text in parts',
    'error #{key => 1}',
    'error [{key,1}]',
    'error old 1',
    'error [{key,1}]',
    'error #{label => {error_logger,error_msg}}',
  ])
})

test('a format that does not fit, or makes too much, is shown with its arguments', async () => {
  const { tell } = proxy(40)
  expect(
    await tell(
      event('error', '~p', [], none),
      event('error', 1, [], none),
      event('error', '~p', 1, none),
      event('error', '~*c', [40, 120], none),
      event('error', '~*c', [41, 120], none),
    ),
  ).toEqual([
    'error FORMAT ERROR: {<<"~p">>,[]}',
    'error FORMAT ERROR: {1,[]}',
    'error FORMAT ERROR: {<<"~p">>,1}',
    `error ${'x'.repeat(40)}`,
    'error FORMAT ERROR: {<<"~*c">>,")x"}',
  ])
  const [long] = await tell(event('error', [tuple(atom('key'), 'x'.repeat(100))], none))
  expect(long).toBe(`error [{key,<<"${'x'.repeat(31)}…`)
})

test('the process that the event names is who logged it', async () => {
  const { tell, process } = proxy()
  expect(await tell(event('info', 'text', map({ pid: process.pid })))).toEqual([
    `info log of ${process.pid.toString()} of a@virtual: text`,
  ])
})

test('what is no log event is nothing', async () => {
  const { tell, process } = proxy()
  expect(
    await tell(
      atom('log'),
      tuple(atom('log')),
      event('constructor', 'text', none),
      event('loud', 'text', none),
      event('error', 'text', []),
      event('error', none),
      event('error', 'text', [], 1, none),
      tuple(atom('other'), atom('error'), 'text', none),
    ),
  ).toEqual([])
  expect(process.alive).toBe(true)
})
