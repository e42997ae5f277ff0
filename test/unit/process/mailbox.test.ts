/** The mailbox: order, selective receive, time-outs, aborts, priority, the end. */
import { Mailbox } from '../../../src/process/mailbox.js'

const after = (value: number) => (message: unknown) => (message as number) > value

function filled(...messages: number[]): Mailbox {
  const mailbox = new Mailbox()
  for (const message of messages) mailbox.push(message)
  return mailbox
}

test('messages come in order, to receives in order', async () => {
  const mailbox = filled(1, 2)
  const third = [mailbox.receive(), mailbox.receive(), mailbox.receive()]
  mailbox.push(3)
  expect(await Promise.all(third)).toEqual([1, 2, 3])
  expect(mailbox.length).toBe(0)
})

test('a selective receive leaves what it does not match where it is', async () => {
  const mailbox = filled(1, 5, 2)
  expect(await mailbox.receive({ match: after(3) })).toBe(5)
  const later = mailbox.receive({ match: after(8) })
  mailbox.push(3)
  mailbox.push(9)
  expect(await later).toBe(9)
  expect(mailbox.messages()).toEqual([1, 2, 3])
})

test('a match function that throws fails its receive, and the message stays', async () => {
  const mailbox = filled(1)
  const fail = () => {
    throw new Error('no match')
  }
  await expect(mailbox.receive({ match: fail })).rejects.toThrow('no match')
  const waiting = filled()
  const failing = waiting.receive({ match: fail })
  const other = waiting.receive()
  waiting.push(7)
  await expect(failing).rejects.toThrow('no match')
  expect(await other).toBe(7)
  expect(mailbox.messages()).toEqual([1])
})

test('time-outs give undefined; at 0 only what is there is taken', async () => {
  const mailbox = filled(1)
  expect(await mailbox.receive({ timeoutMs: 0 })).toBe(1)
  expect(await mailbox.receive({ timeoutMs: 0 })).toBeUndefined()
  expect(await mailbox.receive({ timeoutMs: 1 })).toBeUndefined()
  const long = mailbox.receive({ timeoutMs: 60_000 })
  mailbox.push(2)
  expect(await long).toBe(2)
})

test('an abort ends the wait with its reason, and takes no message', async () => {
  const mailbox = new Mailbox()
  const abort = new AbortController()
  const waiting = mailbox.receive({ signal: abort.signal })
  abort.abort(new Error('stopped'))
  await expect(waiting).rejects.toThrow('stopped')
  await expect(mailbox.receive({ signal: abort.signal })).rejects.toThrow('stopped')
  mailbox.push(1)
  expect(mailbox.length).toBe(1)
})

test('priority messages go before ordinary ones, in their own order, through every kind of removal', async () => {
  const mailbox = filled(1, 2, 3)
  for (const message of [10, 11, 12]) mailbox.push(message, true)
  expect(mailbox.messages()).toEqual([10, 11, 12, 1, 2, 3])
  expect(await mailbox.receive({ match: after(10) })).toBe(11)
  mailbox.push(13, true)
  expect(mailbox.messages()).toEqual([10, 12, 13, 1, 2, 3])
  expect(mailbox.flush((message) => message === 12)).toBe(1)
  mailbox.push(14, true)
  expect(mailbox.messages()).toEqual([10, 13, 14, 1, 2, 3])
  expect(await mailbox.receive()).toBe(10)
  mailbox.push(15, true)
  expect(mailbox.messages()).toEqual([13, 14, 15, 1, 2, 3])
  expect(await mailbox.receive({ match: (message) => message === 2 })).toBe(2)
  mailbox.push(16, true)
  expect(mailbox.messages()).toEqual([13, 14, 15, 16, 1, 3])
})

test('thousands of messages are taken in order while others come', async () => {
  const mailbox = new Mailbox()
  const taken: unknown[] = []
  for (let i = 0; i < 10_000; i++) {
    mailbox.push(i)
    if (i % 3 > 0) taken.push(mailbox.shift())
  }
  while (mailbox.length > 0) taken.push(mailbox.shift())
  expect(taken).toEqual([...Array(10_000).keys()])
  expect(mailbox.shift()).toBeUndefined()
})

test('once closed, waiting and later receives fail, and nothing is kept', async () => {
  const mailbox = filled()
  const waiting = mailbox.receive()
  mailbox.close(new Error('exited'))
  await expect(waiting).rejects.toThrow('exited')
  await expect(mailbox.receive({ timeoutMs: 0 })).rejects.toThrow('exited')
})
