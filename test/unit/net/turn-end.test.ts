import { turnEnd } from '../../../src/net/turn-end.js'

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

describe('the end of a turn', () => {
  test('runs what was put off in order, the last after all others', async () => {
    const ran: string[] = []
    turnEnd.deferLast(() => ran.push('last'))
    turnEnd.defer(() => ran.push('first'))
    void Promise.resolve().then(() => turnEnd.defer(() => ran.push('of a microtask')))
    expect(ran).toEqual([])
    await turn()
    expect(ran).toEqual(['first', 'of a microtask', 'last'])
  })

  test('what is put off while it runs waits for the next', async () => {
    const ran: string[] = []
    turnEnd.defer(() => {
      ran.push('first')
      turnEnd.defer(() => ran.push('next'))
    })
    turnEnd.deferLast(() => {
      ran.push('last')
      turnEnd.deferLast(() => ran.push('last of the next'))
    })
    await turn()
    expect(ran).toEqual(['first', 'last'])
    await turn()
    expect(ran).toEqual(['first', 'last', 'next', 'last of the next'])
  })

  test('one that throws takes none with it', async () => {
    const ran: string[] = []
    const immediate = jest.spyOn(globalThis, 'setImmediate').mockImplementation((() => undefined) as never)
    turnEnd.defer(() => {
      turnEnd.defer(() => ran.push('of the next turn'))
      throw new Error('thrown')
    })
    turnEnd.defer(() => ran.push('second'))
    turnEnd.deferLast(() => ran.push('last'))
    const run = immediate.mock.calls[0][0] as () => void
    expect(run).toThrow('thrown')
    expect(ran).toEqual([])
    // Asked for once, for what was put off by it and after it.
    expect(immediate).toHaveBeenCalledTimes(2)
    ;(immediate.mock.calls[1][0] as () => void)()
    expect(ran).toEqual(['second', 'last', 'of the next turn'])
    immediate.mockRestore()
  })
})
