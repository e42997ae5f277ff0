/** Generic servers within one node, and what a client makes of odd answers. */
import { atom } from '../../../src/etf/atom.js'
import type { Pid } from '../../../src/etf/identifiers.js'
import type { Term } from '../../../src/etf/terms.js'
import type { Tuple } from '../../../src/etf/tuple.js'
import { tuple } from '../../../src/etf/tuple.js'
import { DistError } from '../../../src/errors.js'
import { ErlangError } from '../../../src/process/erlang-error.js'
import type { GenFrom } from '../../../src/process/gen-reply.js'
import { Gen } from '../../../src/gen/gen.js'
import { GenServer, NO_REPLY, stopWith } from '../../../src/gen/server.js'
import type { Process } from '../../../src/process/process.js'
import { answerSystemMessage } from '../../../src/process/system-messages.js'
import { Cluster, inbox } from '../kernel/support.js'

function make(release = Infinity) {
  const kernel = new Cluster().member('a@virtual')
  const gen = new Gen(kernel.table, {
    connectionError: () => undefined,
    otpRelease: () => Promise.resolve(release),
  })
  return { kernel, gen, table: kernel.table }
}

class Echo extends GenServer<number> {
  ends: unknown[] = []
  override init(): void {
    this.state = 5
  }
  override handleCall(request: Term) {
    if (request === atom('never')) return NO_REPLY
    if (request === atom('bye')) return stopWith(atom('done'), 'farewell')
    return request
  }
  override terminate(reason: unknown): void {
    this.ends.push(reason)
  }
}

test('call, cast, state, suspend and stop within the node', async () => {
  const { gen } = make()
  const echo = new Echo()
  const process = await gen.start(echo, { name: 'echo' })
  expect(await gen.call('echo', 1)).toBe(1)
  expect(await gen.call(process, 2)).toBe(2)
  expect(await gen.sys.getState('echo')).toBe(5)
  gen.cast('echo', atom('nobody cares'))
  await gen.sys.suspend('echo')
  const waiting = gen.call('echo', 3)
  expect(await gen.sys.getState(process)).toBe(5)
  await gen.sys.resume('echo')
  expect(await waiting).toBe(3)
  expect(String(await gen.call('echo', atom('bye')))).toBe('farewell')
  await expect(gen.call('echo', 1)).rejects.toMatchObject({ code: 'GEN_NOPROC' })
  expect(echo.ends).toEqual([atom('done')])
  expect(gen.pending).toBe(0)
})

test('a state that looks like an answer is one all the same', async () => {
  const { gen } = make()
  const server = await gen.start(new Echo())
  const state = tuple(atom('ok'), 1)
  class Odd extends GenServer {
    override init(): void {
      this.state = state
    }
  }
  expect(await gen.sys.getState(await gen.start(new Odd()))).toEqual(state)
  expect(server.alive).toBe(true)
})

test('stop waits for the end, and says so when the server ends otherwise', async () => {
  const { gen } = make()
  await gen.stop(await gen.start(new Echo()))
  await gen.stop(await gen.start(new Echo()), atom('shutdown'))
  await gen.stop(await gen.start(new Echo()), tuple(atom('shutdown'), ['moved', 1n, new Map([['to', 2]])]))
  await gen.stop(await gen.start(new Echo()), 'text')
  class Stubborn extends GenServer {
    override terminate(): void {
      throw new Error('not yet')
    }
  }
  await expect(gen.stop(await gen.start(new Stubborn()))).rejects.toMatchObject({ code: 'GEN_EXIT' })
})

test.each([
  ['error', tuple(atom('oops'), [])],
  ['exit', atom('oops')],
  ['throw', tuple(atom('bad_return_value'), atom('oops'))],
] as const)(
  'a callback that raises with class %s ends the server as it ends a gen_server',
  async (raised, reason) => {
    const { gen } = make()
    const ends: unknown[] = []
    class Raising extends GenServer {
      override handleCall(): never {
        const error = new ErlangError(raised, atom('oops'))
        error.stack = ''
        throw error
      }
      override terminate(why: unknown): void {
        ends.push(why)
      }
    }
    const server = await gen.start(new Raising())
    await expect(gen.call(server, 1)).rejects.toMatchObject({ code: 'GEN_EXIT', reason })
    expect(ends).toEqual([reason])
  },
)

test('stop of a service that refuses to end says so', async () => {
  const { gen, table } = make()
  const service: Process = table.spawnHandler({
    message: (message) => void answerSystemMessage(table, service, 'service', message),
  })
  await expect(gen.stop(service)).rejects.toMatchObject({
    code: 'GEN_EXIT',
    reason: tuple(atom('unknown_system_msg'), tuple(atom('terminate'), atom('normal'))),
  })
  expect(service.alive).toBe(true)
})

test('time-outs, aborts and bad arguments', async () => {
  const { gen } = make()
  const echo = await gen.start(new Echo())
  await expect(gen.call(echo, atom('never'), { timeoutMs: 1 })).rejects.toMatchObject({ code: 'GEN_TIMEOUT' })
  await expect(gen.call(echo, 1, { timeoutMs: -1 })).rejects.toMatchObject({ code: 'BAD_ARGUMENT' })
  await expect(gen.call(echo, 1, { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no')
  await expect(gen.call(echo, Number.NaN)).rejects.toMatchObject({
    code: expect.stringMatching(/^ETF_/) as string,
  })
  expect(gen.pending).toBe(0)
})

test('replies are known by their reference only: others, late ones and forms of old releases', async () => {
  const { gen, table } = make()
  const { process, messages } = inbox({ table } as never, { name: 'manual' })
  const first = gen.sendRequest('manual', atom('a'))
  const second = gen.sendRequest('manual', atom('b'))
  await new Promise((resolve) => setImmediate(resolve))
  const froms = messages.map((message) => (message as Tuple).elements[1] as Tuple)
  const [pid, tag] = (froms[0] as Tuple).elements as [Pid, Term]
  process.send(pid, tuple(atom('noise'), 1))
  process.send(pid, tuple(table.makeReference(), 1))
  // A release without aliases sends the tag to the pid.
  process.send(pid, tuple(tag, atom('answer')))
  expect(await first.response).toBe(atom('answer'))
  process.send(pid, tuple(tag, atom('again')))
  second.abandon(new Error('given up'))
  await expect(second.response).rejects.toThrow('given up')
  expect([first.settled, gen.pending]).toEqual([true, 0])
})

test('a caller that cannot be answered ends no server; a reply that is no term does', async () => {
  const cluster = new Cluster()
  const { table } = cluster.member('a@virtual')
  const gen = new Gen(table, { connectionError: () => undefined, otpRelease: () => Promise.resolve(29) })
  class Later extends Echo {
    override handleCall(request: Term, from?: GenFrom) {
      if (request === atom('later')) {
        this.reply(from!, 'late')
        return NO_REPLY
      }
      return request === atom('bad') ? (Symbol('no term') as never) : super.handleCall(request)
    }
  }
  const server = await gen.start(new Later())
  const { process } = inbox({ table } as never)
  const send = table.send.bind(table)
  jest.spyOn(table, 'send').mockImplementation((from, to, message, options) => {
    if (from === server.pid && (message as Tuple).elements[0] === 1)
      throw new DistError('DIST_QUEUE_FULL', 'full')
    return send(from, to, message, options)
  })
  const from = tuple(process.pid, 1)
  for (const request of [5, atom('later')]) process.send(server, tuple(atom('$gen_call'), from, request))
  for (const request of ['get_state', 'get_status', 'nonsense'])
    process.send(server, tuple(atom('system'), from, atom(request)))
  expect(await gen.call(server, 2)).toBe(2)
  expect(server.alive).toBe(true)
  const where = `answer of ${server.pid.toString()} to ${process.pid.toString()}: `
  expect(cluster.log.filter((line) => line.startsWith(where))).toHaveLength(5)
  await expect(gen.call(server, atom('bad'))).rejects.toMatchObject({ code: 'GEN_EXIT' })
})
