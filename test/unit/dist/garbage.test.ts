/**
 * A `Map` or `Set` that lives long makes new tables as entries come and go, and leaves the old ones where they are
 * collected with all the rest, at the cost of the rate at which binaries come. So what each message passes through
 * puts nothing into one.
 */
import { internAtom } from '../../../src/etf/atom.js'
import { ProcessTable } from '../../../src/process/table.js'
import { DEFAULT_LIMITS } from '../../../src/limits.js'
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
    table.setSpawnStarter(({ process }) => {
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
})
