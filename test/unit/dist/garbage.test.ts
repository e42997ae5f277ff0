/**
 * A `Map` or `Set` that lives long makes new tables as entries come and go, and leaves the old ones where they are
 * collected with all the rest, at the cost of the rate at which binaries come. So what each message passes through
 * puts nothing into one.
 */
import { internAtom } from '../../../src/etf/atom.js'
import type { Reference } from '../../../src/etf/identifiers.js'
import type { Term } from '../../../src/etf/terms.js'
import { tuple } from '../../../src/etf/tuple.js'
import type { SignalOut } from '../../../src/dist/signals.js'
import { ProcessTable } from '../../../src/process/table.js'
import { DEFAULT_LIMITS } from '../../../src/limits.js'
import { Calls } from '../../../src/rex/calls.js'
import { HERE, pidHere, pidThere, refHere, testChannel } from '../../support/channels.js'

/** How often something was put into a table of JavaScript's, or taken out. */
function changesOfTables(work: () => void): number {
  const spies = [
    jest.spyOn(Map.prototype, 'set'),
    jest.spyOn(Map.prototype, 'delete'),
    jest.spyOn(Set.prototype, 'add'),
    jest.spyOn(Set.prototype, 'delete'),
  ]
  try {
    work()
    return spies.reduce((sum, { mock }) => sum + mock.calls.length, 0)
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

describe('tables of JavaScript’s', () => {
  test('are noticed', () => {
    const map = new Map<number, number>()
    const set = new Set<number>()
    const change = (): void => {
      map.set(1, 1)
      map.delete(1)
      set.add(1)
      set.delete(1)
    }
    expect(changesOfTables(change)).toBe(4)
  })

  test('have no part in messages of two fragments, neither where they are sent nor where they come', () => {
    const ours = testChannel()
    let came = 0
    const theirs = testChannel({ onSignal: () => came++ })
    const message = new Uint8Array(70_000)
    const move = (): void => {
      // Eight of as many senders at a time, and their fragments in turn.
      for (let id = 1; id <= 8; id++)
        ours.channel.send({ type: 'send', from: pidHere(id), to: pidThere(1), message })
      for (;;) {
        const bytes = ours.channel.takeOutput()
        if (bytes === undefined) break
        theirs.channel.receive(bytes, 0)
        ours.channel.written(bytes.length)
      }
    }
    // The first have new atoms.
    move()
    expect(changesOfTables(move)).toBe(0)
    expect(came).toBe(16)
  })

  test('have no part in processes that run a call of another node', () => {
    const table = new ProcessTable({
      name: HERE,
      creation: 7,
      limits: DEFAULT_LIMITS,
      outlet: { send: () => true, connect: () => undefined, checkConnection: () => undefined },
      onError: (error) => {
        throw error
      },
    })
    table.setGroupLeader(table.spawnHandler({ message: () => undefined }).pid)
    let ran = 0
    table.setSpawnStarter((process) => {
      ran++
      table.terminate(process, internAtom('normal'))
    })
    const name = internAtom('f')
    const options = [internAtom('monitor')]
    const call = (i: number): void => {
      const from = pidThere(i)
      const request = {
        ref: refHere(i, 1, 1),
        from,
        groupLeader: from,
        module: name,
        function: name,
        arity: 0,
      }
      table.deliver({ type: 'spawnRequest', ...request, options, args: [] })
    }
    // The first of a node makes its list.
    call(0)
    const changes = changesOfTables(() => {
      for (let i = 1; i <= 1000; i++) call(i)
    })
    expect(changes).toBe(0)
    expect(ran).toBe(1001)
    expect(table.processCount).toBe(1)
  })

  test('have no part in calls of another node’s functions, sixty-four under way at a time', async () => {
    const sent: SignalOut[] = []
    const table = new ProcessTable({
      name: HERE,
      creation: 7,
      limits: DEFAULT_LIMITS,
      outlet: {
        send: (signal) => sent.push(signal) > 0,
        connect: () => undefined,
        checkConnection: () => undefined,
      },
      onError: (error) => {
        throw error
      },
    })
    table.setGroupLeader(table.spawnHandler({ message: () => undefined }).pid)
    const calls = new Calls(table, {
      maxItems: 1,
      makeGroupLeader: () => table.spawnHandler({ message: () => undefined }),
      connectionError: () => undefined,
    })
    const node = pidThere(1).node
    const mfa = { module: 'm', function: 'f', args: [] }
    const returned = internAtom('return')
    const results: Promise<unknown>[] = []
    const round = (): void => {
      for (let i = 0; i < 64; i++) results.push(calls.start(node, mfa).result)
      for (const signal of sent.splice(0)) {
        if (signal.type !== 'spawnRequest') throw new Error(`not a spawn request: ${signal.type}`)
        const { ref, from: to, args } = signal
        const result = pidThere(results.length)
        table.deliver({ type: 'spawnReply', ref, to, flags: 2, result })
        const reason = tuple(args[0] as Reference, returned, 3) as Term
        table.deliver({ type: 'monitorExit', from: result, to, ref, reason })
      }
    }
    // The first finds the node's name.
    round()
    expect(changesOfTables(() => void Array.from({ length: 20 }, round))).toBe(0)
    expect(new Set(await Promise.all(results))).toEqual(new Set([3]))
    expect(results).toHaveLength(21 * 64)
    expect(calls.pending + table.pendingSpawnRequests).toBe(0)
  })
})
