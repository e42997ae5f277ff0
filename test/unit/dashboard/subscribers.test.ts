import { Subscribers } from '../../../src/dashboard/subscribers.js'

/** Takes what waits, without waiting. */
async function waiting(values: AsyncIterableIterator<number>): Promise<number[]> {
  const all: number[] = []
  await values.return?.().then(() => undefined)
  for await (const value of values) all.push(value)
  return all
}

test('as many updates wait as the limit says; of one more the oldest goes', async () => {
  for (const [published, kept] of [
    [3, [1, 2, 3]],
    [4, [2, 3, 4]],
  ] as const) {
    const subscribers = new Subscribers<number>(3)
    const values = subscribers.subscribe()
    for (let value = 1; value <= published; value++) subscribers.publish(value)
    subscribers.end()
    const got: number[] = []
    for await (const value of values) got.push(value)
    expect(got).toEqual(kept)
  }
})

test('each subscriber has its own queue, and one that left gets nothing', async () => {
  const subscribers = new Subscribers<number>(10)
  const [one, two] = [subscribers.subscribe(), subscribers.subscribe()]
  subscribers.publish(1)
  expect(await waiting(one)).toEqual([])
  subscribers.publish(2)
  expect([await two.next(), await two.next()]).toEqual([
    { done: false, value: 1 },
    { done: false, value: 2 },
  ])
})

test('who waits gets the next value, or the end', async () => {
  const subscribers = new Subscribers<number>(10)
  const values = subscribers.subscribe()
  const first = values.next()
  const second = values.next()
  subscribers.publish(7)
  expect(await first).toEqual({ done: false, value: 7 })
  subscribers.end()
  expect(await second).toEqual({ done: true, value: undefined })
  expect(await subscribers.subscribe().next()).toEqual({ done: true, value: undefined })
})

test('a signal ends a subscription, before and while it waits', async () => {
  const subscribers = new Subscribers<number>(10)
  expect(await subscribers.subscribe(AbortSignal.abort()).next()).toMatchObject({ done: true })
  const abort = new AbortController()
  const next = subscribers.subscribe(abort.signal).next()
  abort.abort()
  expect(await next).toMatchObject({ done: true })
})
