/** What is read on demand stays within the limits of rows and characters. */
import {
  etsTables,
  parsePid,
  ports,
  processDetail,
  children,
  type InspectOptions,
} from '../../../src/dashboard/inspect.js'
import { atom, Pid, Port, tuple, type Term } from '../../../src/index.js'
import { fakeRemote } from '../../support/fake-remote.js'

const NODE = 'app@one'
const pid = (id: number) => new Pid(atom(NODE), id, 0, 1)
const MAX_ROWS = 3
const MAX_CHARACTERS = 20

function options(functions: Parameters<typeof fakeRemote>[1]): InspectOptions & { calls: string[] } {
  const { remote, calls } = fakeRemote(NODE, functions)
  return {
    remote,
    calls,
    wordBytes: 8,
    maxRows: MAX_ROWS,
    maxCharacters: MAX_CHARACTERS,
    timeoutMs: 1_000,
    now: () => 5,
  }
}

test.each([
  [MAX_ROWS, MAX_ROWS],
  [MAX_ROWS + 1, MAX_ROWS],
])('of %i tables, ports and children %i are read, and it says of how many', async (total, read) => {
  const all = Array.from({ length: total }, (_, at) => at + 1)
  const of = options({
    'ets:all': () => all.map((at) => atom(`table${at}`)),
    'ets:info': (table: Term) => [
      tuple(atom('name'), table),
      tuple(atom('size'), 2),
      tuple(atom('memory'), Number(String(table).slice(5)) * 10),
      tuple(atom('owner'), pid(1)),
      tuple(atom('type'), atom('set')),
      tuple(atom('protection'), atom('public')),
    ],
    'erlang:ports': () => all.map((at) => new Port(atom(NODE), BigInt(at), 1)),
    'erlang:port_info': (_port: Port, item?: Term) =>
      item === undefined ? [tuple(atom('name'), [99])] : tuple(item, 7),
    'gen_server:call': () => all.map((at) => tuple(atom(`c${at}`), pid(at), atom('worker'), [atom('m')])),
  })
  const tables = await etsTables(of)
  expect(tables).toMatchObject({ node: NODE, at: 5, sampled: read, total })
  // The largest first; memory in bytes.
  expect(tables.rows.map(({ name, memory }) => [name, memory])).toEqual(
    all
      .slice(0, read)
      .reverse()
      .map((at) => [`table${at}`, at * 80]),
  )
  const found = await ports(of)
  expect(found).toMatchObject({ sampled: read, total })
  expect(found.rows[0]).toMatchObject({ name: 'c', queueBytes: 7, memory: 7 })
  const below = await children(of, pid(1))
  expect([below.children.length, below.total]).toEqual([read, total])
  expect(of.calls.filter((call) => call === 'ets:info').length).toBe(read)
})

function process(queue: number, dictionary: readonly Term[] = []) {
  return options({
    'proc_lib:translate_initial_call': () => tuple(atom('shop'), atom('init'), 1),
    'erlang:process_info': (_of: Pid, items: Term) =>
      Array.isArray(items)
        ? [
            tuple(atom('message_queue_len'), queue),
            tuple(atom('dictionary'), dictionary),
            tuple(atom('heap_size'), 100),
            tuple(
              atom('links'),
              Array.from({ length: 9 }, (_, at) => pid(at)),
            ),
            tuple(atom('current_stacktrace'), [
              tuple(atom('shop'), atom('loop'), 1, [tuple(atom('file'), [120]), tuple(atom('line'), 7)]),
              tuple(atom('lists'), atom('map'), [1, 2], []),
            ]),
          ]
        : tuple(
            items as Term,
            Array.from({ length: queue }, (_, at) => at),
          ),
  })
}

test('values are cut past the limit of characters, lists past that of rows', async () => {
  // With the quotes, 20 and 21 characters.
  const fits = `'${'X'.repeat(18)}'`
  const dictionary = [atom('X'.repeat(18)), atom('X'.repeat(19)), 1, 2].map((value) =>
    tuple(atom('k'), value),
  )
  const detail = await processDetail(process(0, dictionary), pid(1), { dictionary: true })
  expect(detail?.dictionary).toEqual([
    { key: 'k', value: fits },
    { key: 'k', value: `'${'X'.repeat(19)}…` },
    { key: 'k', value: '1' },
  ])
  expect(detail?.links.length).toBe(MAX_ROWS)
  expect(detail).toMatchObject({ heapBytes: 800, state: undefined, messages: undefined })
  expect(detail?.stackTrace).toEqual(['shop:loop/1 (x:7)', 'lists:map/2'])
})

test('messages of a queue at the limit are read, of a longer one none', async () => {
  const at = process(MAX_ROWS)
  expect((await processDetail(at, pid(1), { messages: true }))?.messages).toEqual(['0', '1', '2'])
  const past = process(MAX_ROWS + 1)
  expect((await processDetail(past, pid(1), { messages: true }))?.messages).toEqual([
    '4 messages: more than 3 are not read',
  ])
  expect(past.calls.filter((call) => call === 'erlang:process_info').length).toBe(1)
})

test('a process that is gone has no detail', async () => {
  const gone = options({
    'erlang:process_info': () => atom('undefined'),
    'proc_lib:translate_initial_call': () => tuple(atom('proc_lib'), atom('init_p'), 5),
  })
  expect(await processDetail(gone, pid(1), {})).toBeUndefined()
})

test('a process that ends while it is asked has no detail, rather than what proc_lib says of one that is gone', async () => {
  let alive = true
  const ending = (answer: Term, gone: Term) => () => {
    const now = alive ? answer : gone
    alive = false
    return now
  }
  const of = options({
    'erlang:process_info': ending([tuple(atom('message_queue_len'), 0)], atom('undefined')),
    'proc_lib:translate_initial_call': ending(
      tuple(atom('shop'), atom('init'), 1),
      tuple(atom('proc_lib'), atom('init_p'), 5),
    ),
  })
  expect(await processDetail(of, pid(1), {})).toBeUndefined()
})

test('pids are read as samples print them, nothing else', () => {
  expect(parsePid(NODE, 7, '<0.12.3>')).toMatchObject({ id: 12, serial: 3, creation: 7 })
  for (const text of ['<1.12.3>', '<0.12>', '0.12.3', '<0.12345678901.0>', '<0.1.2> '])
    expect(parsePid(NODE, 7, text)).toBeUndefined()
})
