import { atom, type Atom } from '../../../src/etf/atom.js'
import { Backpressure } from '../../../src/kernel/backpressure.js'
import { Mailbox } from '../../../src/process/mailbox.js'

const LIMITS = {
  mailboxBusyMessages: 4,
  mailboxBusyBytes: 1_000,
  mailboxTrickleMs: 2 ** 31 - 1,
  maxMailboxBytes: 5_000,
}
const NODE = atom('peer@host')

function setUp(limits: Partial<typeof LIMITS> = {}) {
  const link = {
    pauses: 0,
    resumed: () => undefined as unknown,
    pauseReading: () => void link.pauses++,
    resumeReading() {
      link.pauses--
      link.resumed()
    },
  }
  const backpressure = new Backpressure({ ...LIMITS, ...limits }, (node) =>
    node === NODE ? link : undefined,
  )
  const mailbox = new Mailbox()
  let count = 0
  return {
    backpressure,
    mailbox,
    link,
    arrive(bytes: number, node: Atom = NODE) {
      mailbox.push(++count, false, bytes)
      backpressure.arrived(mailbox, node)
    },
  }
}

it('a connection is read until a mailbox holds more messages than the limit, and again when half was taken', () => {
  const { arrive, link, mailbox, backpressure } = setUp()
  for (let i = 0; i < 4; i++) arrive(1)
  expect(link.pauses).toBe(0)
  arrive(1)
  expect(link.pauses).toBe(1)
  // What was under way still comes, and counts once.
  arrive(1)
  expect([link.pauses, backpressure.pressedMailboxes]).toEqual([1, 1])
  for (let left = 5; left >= 3; left--) {
    mailbox.shift()
    expect([mailbox.length, link.pauses]).toEqual([left, 1])
  }
  mailbox.shift()
  expect([mailbox.length, link.pauses, backpressure.pressedMailboxes]).toEqual([2, 0, 0])
})

it('bytes count as messages do, and are forgotten with their messages, however these leave', async () => {
  const { arrive, link, mailbox } = setUp()
  arrive(1_000)
  expect(link.pauses).toBe(0)
  arrive(1)
  expect([link.pauses, mailbox.weight]).toEqual([1, 1_001])
  expect(await mailbox.receive({ match: (message) => message === 2 })).toBe(2)
  expect([link.pauses, mailbox.weight]).toEqual([1, 1_000])
  expect(mailbox.flush((message) => message === 1)).toBe(1)
  expect([link.pauses, mailbox.weight]).toEqual([0, 0])
})

it('a process that waits for a message that is not there holds nobody back', async () => {
  const { arrive, link, mailbox } = setUp()
  for (let i = 0; i < 5; i++) arrive(1)
  expect(link.pauses).toBe(1)
  const waiting = mailbox.receive({ match: (message) => message === 8 })
  expect(link.pauses).toBe(0)
  arrive(1)
  arrive(1)
  expect(link.pauses).toBe(0)
  arrive(1)
  expect(await waiting).toBe(8)
  arrive(1)
  expect(link.pauses).toBe(1)
})

it('the end of a process, or of the node, lets go', () => {
  const first = setUp()
  for (let i = 0; i < 5; i++) first.arrive(1)
  first.mailbox.close(new Error('the process exited'))
  expect([first.link.pauses, first.backpressure.pressedMailboxes]).toEqual([0, 0])
  const second = setUp()
  for (let i = 0; i < 5; i++) second.arrive(1)
  second.backpressure.stop()
  expect([second.link.pauses, second.backpressure.pressedMailboxes]).toEqual([0, 0])
})

it('no pause is for good: the connection is read again, until the next message for the full mailbox', async () => {
  const { arrive, link } = setUp({ mailboxTrickleMs: 1 })
  for (let i = 0; i < 5; i++) arrive(1)
  for (let round = 0; round < 3; round++) {
    expect(link.pauses).toBe(1)
    await new Promise((resolve) => (link.resumed = () => resolve(undefined)))
    expect(link.pauses).toBe(0)
    arrive(1)
  }
  expect(link.pauses).toBe(1)
})

it('the more a mailbox holds, the longer a pause is, up to what it may hold', () => {
  const times = jest.spyOn(globalThis, 'setTimeout')
  const pauseFor = (weight: number): unknown => {
    const { arrive, backpressure } = setUp({ mailboxTrickleMs: 100 })
    arrive(weight)
    backpressure.stop()
    return times.mock.calls.at(-1)?.[1]
  }
  expect([1_001, 2_500, 5_000, 50_000].map(pauseFor)).toEqual([expect.closeTo(100.2), 625, 2_500, 2_500])
  const { arrive, backpressure } = setUp({ mailboxTrickleMs: 100 })
  for (let i = 0; i < 5; i++) arrive(1)
  backpressure.stop()
  expect(times.mock.calls.at(-1)?.[1]).toBe(100)
  times.mockRestore()
})

it('messages of nodes without a connection, and what was sent here, hold nobody back', () => {
  const { arrive, link, backpressure } = setUp()
  for (let i = 0; i < 9; i++) arrive(1, atom('gone@host'))
  expect([link.pauses, backpressure.pressedMailboxes]).toEqual([0, 0])
})

it('priority messages keep their sizes in place', () => {
  const { mailbox } = setUp()
  mailbox.push(1, false, 10)
  mailbox.push(2, true, 20)
  mailbox.push(3, true, 30)
  expect([mailbox.messages(), mailbox.weight]).toEqual([[2, 3, 1], 60])
  mailbox.shift()
  expect(mailbox.weight).toBe(40)
  mailbox.shift()
  expect(mailbox.weight).toBe(10)
})
