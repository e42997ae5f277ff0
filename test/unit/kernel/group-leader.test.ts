/** The I/O protocol's server: every request, in order, with encodings, options and failures. */
import { EtfError } from '../../../src/errors.js'
import { atom, internAtom } from '../../../src/etf/atom.js'
import { Pid } from '../../../src/etf/identifiers.js'
import { print } from '../../../src/etf/print.js'
import type { Encodable, Term } from '../../../src/etf/terms.js'
import type { Tuple } from '../../../src/etf/tuple.js'
import { tuple } from '../../../src/etf/tuple.js'
import { charlist } from '../../../src/etf/values.js'
import type { Limits } from '../../../src/limits.js'
import { startGroupLeader, type GroupLeaderOptions } from '../../../src/kernel/group-leader.js'
import { Cluster, inbox } from './support.js'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

function device(options: Partial<GroupLeaderOptions> = {}, limits: Partial<Limits> = {}) {
  const { table } = new Cluster().member('a@virtual', { limits })
  let printed = ''
  const leader = startGroupLeader(table, { write: (text) => void (printed += text), ...options })
  const { process, messages } = inbox({ table } as never)
  return {
    printed: () => printed,
    /** Sends requests in one go; gives the replies, printed as terms, in the order in which they came. */
    async ask(...requests: Encodable[]): Promise<string[]> {
      messages.length = 0
      requests.forEach((request, i) =>
        process.send(leader, tuple(atom('io_request'), process.pid, i, request)),
      )
      for (let i = 0; i < 10; i++) await turn()
      const replies = messages.map((message) => (message as Tuple<readonly Term[]>).elements)
      expect(replies.map(([kind, as]) => [kind, as])).toEqual(requests.map((_, i) => [atom('io_reply'), i]))
      return replies.map(([, , reply]) => print(reply as Term))
    },
  }
}

const put = (...rest: Encodable[]) => tuple(atom('put_chars'), ...rest)
const unicode = atom('unicode')
const latin1 = atom('latin1')

test('output: both encodings, with and without io_lib, several at once', async () => {
  const { ask, printed } = device()
  const format = put(unicode, atom('io_lib'), atom('format'), [charlist('~s ~p~n'), [charlist('a'), [1]]])
  const replies = await ask(
    put(unicode, ['ž', 0x17e, ['x']]),
    put(latin1, Uint8Array.of(0xe9)),
    put(Uint8Array.of(0xe9)),
    format,
    tuple(atom('requests'), [put(unicode, '1'), put(unicode, '2')]),
    put(unicode, atom('io_lib'), atom('nl'), []),
  )
  expect(replies).toEqual(['ok', 'ok', 'ok', 'ok', 'ok', 'ok'])
  expect(printed()).toBe('žžxééa [1]\n12\n')
})

test('formats of a request make no more than a format may, all together', async () => {
  const maxFormatCharacters = 100
  const { ask, printed } = device({}, { maxFormatCharacters })
  const format = (...args: Encodable[]) => put(unicode, atom('io_lib'), ...args)
  const many = (length: number) => format(atom('format'), [charlist('~*c'), [length, 120]])
  const requests = (...list: Encodable[]) => tuple(atom('requests'), list)
  const bytes = (count: number) => new Uint8Array(count)
  const replies = await ask(
    many(100),
    many(101),
    requests(many(60), many(40)),
    requests(many(60), many(41)),
    requests(many(60), requests(many(40), many(1))),
    // `<<0,0,…>>`
    format(atom('write'), [bytes(48)]),
    format(atom('write'), [bytes(49)]),
    format(atom('print'), [bytes(48)]),
    format(atom('print'), [bytes(49)]),
  )
  const refused = replies.map((reply) => reply.startsWith('{error,{put_chars,unicode,'))
  expect(refused).toEqual([false, true, false, true, true, false, true, false, true])
  expect(printed()).toHaveLength(100 + 100 + 60 + 100 + 99 + 99)
})

test('what is no text, no function of io_lib or no request is an error, and stops a list of requests', async () => {
  const { ask, printed } = device()
  const bad = put(unicode, Uint8Array.of(0xff))
  const replies = await ask(
    bad,
    put(unicode, atom('os'), atom('cmd'), [charlist('true')]),
    put(unicode, atom('io_lib'), atom('format'), [charlist('~q'), []]),
    tuple(atom('requests'), [put(unicode, 'a'), bad, put(unicode, 'b')]),
    tuple(atom('requests'), 1),
    atom('nonsense'),
    tuple(atom('nonsense'), 1),
    tuple(atom('get_geometry'), atom('columns')),
  )
  expect(replies.every((reply) => reply.startsWith('{error,'))).toBe(true)
  expect(replies.slice(4, 7)).toEqual(['{error,request}', '{error,request}', '{error,request}'])
  expect(replies[7]).toBe('{error,enotsup}')
  expect(printed()).toBe('a')
})

test('Latin-1 is what its 256 characters can say', async () => {
  const { ask, printed } = device()
  const format = (text: number) => put(latin1, atom('io_lib'), atom('format'), [charlist('~ts'), [[[text]]]])
  expect(await ask(put(latin1, [0xff]), put([0xff]), format(0xff))).toEqual(['ok', 'ok', 'ok'])
  const replies = await ask(put(latin1, [0x100]), put([0x100]), format(0x100))
  expect(replies.map((reply) => reply.startsWith('{error,{put_chars,latin1,'))).toEqual([true, true, true])
  expect(printed()).toBe('ÿÿÿ')
})

test('prompts: text, atoms, formats with arguments, any other term', async () => {
  const prompts: string[] = []
  const { ask } = device({
    readLine: (prompt) => {
      prompts.push(prompt)
      return Promise.resolve('line\n')
    },
  })
  const format = (text: string, args: Encodable) => tuple(atom('format'), charlist(text), args)
  const given = [
    'text> ',
    charlist('list> '),
    atom('atom> '),
    17,
    tuple(1, 'b'),
    format('~p of ~s> ', [1, 'x']),
  ]
  const bad = [format('~p', []), format('~q', [1]), format('~p', 1)]
  await ask(...[...given, ...bad].map((prompt) => tuple(atom('get_line'), unicode, prompt)))
  expect(prompts).toEqual([
    'text> ',
    'list> ',
    'atom> ',
    '17',
    '{1,<<"b">>}',
    '1 of x> ',
    '???',
    '???',
    '???',
  ])
})

test('input: lines and characters, lists or binaries, the end said once', async () => {
  const lines: (string | undefined)[] = ['one\n', 'ž🙂z\n', 'tail', undefined, 'after\n']
  const prompts: string[] = []
  const { ask } = device({
    readLine: (prompt) => {
      prompts.push(prompt)
      return Promise.resolve(lines.shift())
    },
  })
  const line = (prompt: Encodable) => tuple(atom('get_line'), unicode, prompt)
  const chars = (count: number) => tuple(atom('get_chars'), unicode, '', count)
  expect(await ask(line('1> '), chars(2), chars(0))).toEqual(['"one\\n"', '[382,128578]', '[]'])
  expect(await ask(tuple(atom('setopts'), [atom('binary')]), atom('getopts'))).toEqual([
    'ok',
    '[{binary,true},{echo,true},{encoding,unicode}]',
  ])
  expect(await ask(line(charlist('2> ')), line(atom('prompt')), line('4> '), line('5> '))).toEqual([
    '<<"z\\n">>',
    '<<"tail">>',
    '<<"after\\n">>',
    'eof',
  ])
  expect(prompts).toEqual(['1> ', '', 'prompt', '', '4> ', '5> '])
  expect(
    await ask(
      tuple(atom('setopts'), [atom('list')]),
      tuple(atom('setopts'), [tuple(atom('encoding'), latin1)]),
      tuple(atom('setopts'), [tuple(atom('encoding'), atom('utf8'))]),
    ),
  ).toEqual(['ok', '{error,enotsup}', 'ok'])
})

test('text that Latin-1 does not hold is an error to who asks in Latin-1', async () => {
  const lines = ['é\n', 'ž\n']
  const { ask } = device({ readLine: () => Promise.resolve(lines.shift()) })
  expect(await ask(tuple(atom('get_line'), 'old> '), tuple(atom('get_line'), latin1, '> '))).toEqual([
    '"é\\n"',
    '{error,{no_translation,unicode,latin1}}',
  ])
})

test('output that follows a read waits for it; what fails is the error of its request alone', async () => {
  let give = (_line: string): void => undefined
  let printed = ''
  const { ask } = device({
    readLine: () => new Promise((resolve) => (give = resolve)),
    write: (text) => {
      if (text === 'bad') throw new Error('full')
      printed += text
    },
  })
  const asking = ask(tuple(atom('get_line'), unicode, '> '), put(unicode, 'bad'), put(unicode, 'good'))
  await turn()
  await turn()
  expect(printed).toBe('')
  give('typed\n')
  expect(await asking).toEqual(['"typed\\n"', '{error,terminated}', 'ok'])
  expect(printed).toBe('good')
})

test('without input there is none; code of the caller is not run', async () => {
  const silent = device()
  const until = tuple(atom('get_until'), unicode, '', atom('erl_scan'), atom('tokens'), [1])
  expect(await silent.ask(tuple(atom('get_line'), unicode, ''), until)).toEqual(['eof', 'eof'])
  const reading = device({ readLine: () => Promise.resolve('x') })
  expect(await reading.ask(until)).toEqual(['{error,enotsup}'])
})

test.each(['put_chars', 'get_line'])('whoever cannot be answered (%s) ends nothing', async (kind) => {
  const cluster = new Cluster()
  const { table } = cluster.member('a@virtual')
  const { process, messages } = inbox({ table } as never)
  let lines = 0
  const leader = startGroupLeader(table, {
    write: () => undefined,
    readLine: () => Promise.resolve(`${++lines}\n`),
  })
  const send = table.send.bind(table)
  jest.spyOn(table, 'send').mockImplementation((from, to, message, options) => {
    if (from === leader.pid && (message as Tuple<readonly Term[]>).elements[1] === 1)
      throw new EtfError('ETF_PEER_CANNOT_CARRY', 'too wide')
    return send(from, to, message, options)
  })
  for (const replyAs of [1, 2])
    process.send(leader, tuple(atom('io_request'), process.pid, replyAs, tuple(atom(kind), unicode, 'x')))
  for (let i = 0; i < 10; i++) await turn()
  expect(messages.map((message) => (message as Tuple<readonly Term[]>).elements[1])).toEqual([2])
  expect(leader.alive).toBe(true)
  expect(cluster.log).toContainEqual(expect.stringMatching(/^answer of group leader <.*too wide/))
})

test('so many requests wait for a read; reads of a node that is gone no more', async () => {
  const { table } = new Cluster().member('a@virtual', { limits: { maxQueuedIoRequests: 3 } })
  let type: (line: string) => void = () => undefined
  let printed = ''
  const readLine = () => new Promise<string>((resolve) => (type = resolve))
  const leader = startGroupLeader(table, { write: (text) => void (printed += text), readLine })
  const { process, messages } = inbox({ table } as never)
  const far = new Pid(internAtom('far@virtual'), 5, 0, 9)
  const ask = (from: Pid, request: Encodable) =>
    process.send(leader, tuple(atom('io_request'), from, 1, request))
  const replies = () =>
    messages.splice(0).map((message) => print((message as Tuple<readonly Term[]>).elements[2]!))
  ask(process.pid, tuple(atom('get_line'), unicode, '> '))
  ask(far, tuple(atom('get_line'), unicode, '> '))
  ask(process.pid, put(unicode, 'one'))
  ask(far, put(unicode, 'far'))
  ask(process.pid, put(unicode, 'refused'))
  await turn()
  expect(replies()).toEqual(['{error,terminated}'])
  table.announce({ type: 'nodedown', node: far.node })
  ask(process.pid, put(unicode, 'two'))
  await turn()
  type('line\n')
  await turn()
  await turn()
  expect(replies()).toEqual(['"line\\n"', 'ok', 'ok'])
  expect(printed).toBe('onefartwo')
})
