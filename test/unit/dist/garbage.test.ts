/**
 * Objects that live long and make new tables as entries come and go (a `Map` does) leave garbage where it is collected
 * with all the rest: that takes a third of the rate at which binaries come.
 */
import { internAtom } from '../../../src/etf/atom.js'
import { ProcessTable } from '../../../src/process/table.js'
import { DEFAULT_LIMITS } from '../../../src/limits.js'
import { HERE, pidHere, pidThere, refHere, testChannel } from '../../support/channels.js'
import { oldBytesOfEach } from '../../support/old-space.js'

const TIMES = 20_000
/** A `Map` leaves some 58 for each entry. */
const MOST = 16

describe('the old generation', () => {
  test('a map that lives long leaves garbage in it: this can be measured', () => {
    const map = new Map<number, number>()
    const each = oldBytesOfEach(TIMES, (i) => {
      map.set(i, i)
      map.delete(i)
    })
    expect(each).toBeGreaterThan(MOST)
  })

  test('messages of two fragments leave none, neither where they are sent nor where they come', () => {
    const ours = testChannel()
    let came = 0
    const theirs = testChannel({ onSignal: () => came++ })
    const message = new Uint8Array(70_000)
    const each = oldBytesOfEach(TIMES, () => {
      ours.channel.send({ type: 'send', from: pidHere(1), to: pidThere(1), message })
      for (;;) {
        const bytes = ours.channel.takeOutput()
        if (bytes === undefined) break
        theirs.channel.receive(bytes, 0)
        ours.channel.written(bytes.length)
      }
    })
    expect(came).toBe(3 * TIMES)
    expect(each).toBeLessThan(MOST)
  })

  test('processes that run a call of another node leave none', () => {
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
    const each = oldBytesOfEach(TIMES, (i) => {
      const from = pidThere(i % 4096)
      const request = {
        ref: refHere(i, 1, 1),
        from,
        groupLeader: from,
        module: name,
        function: name,
        arity: 0,
      }
      table.deliver({ type: 'spawnRequest', ...request, options, args: [] })
    })
    expect(ran).toBe(3 * TIMES)
    expect(table.processCount).toBe(1)
    expect(each).toBeLessThan(MOST)
  })
})
