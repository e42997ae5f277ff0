import { Ticker, type Traffic } from '../../../src/dist/ticker.js'

const traffic = (received: number, sent: number, pending = 0): Traffic => ({ received, sent, pending })

/** A ticker asked each 15 s, as net_ticktime 60 and net_tickintensity 4 have it. */
function asker(hiddenPeer = false) {
  const ticker = new Ticker(60_000, 4, hiddenPeer, 0)
  let now = 0
  return {
    ticker,
    ask(seen: Traffic, { afterMs = 15_000, heldBack = false } = {}) {
      now += afterMs
      const answer = ticker.ask(seen, now, heldBack)
      if (answer === 'tick') {
        seen.sent += 4
        ticker.ticked(seen.sent)
      }
      return answer
    },
  }
}

it('ticks when nothing was written, and not otherwise', () => {
  const { ask } = asker()
  const seen = traffic(0, 0)
  expect(ask(seen)).toBe('tick')
  seen.received++
  expect(ask(seen)).toBe('tick')
  seen.received++
  seen.sent += 100
  expect(ask(seen)).toBe('idle')
  seen.received++
  expect(ask(seen)).toBe('tick')
})

it('does not tick while output waits, for that is not a matter of having nothing to say', () => {
  const { ask } = asker()
  expect(ask(traffic(1, 0, 500))).toBe('idle')
})

it('ticks a hidden peer that was silent, whatever else was written', () => {
  const { ask } = asker(true)
  const seen = traffic(10, 10)
  expect(ask(seen)).toBe('idle')
  seen.sent += 10
  expect(ask(seen)).toBe('tick')
  seen.sent += 10
  seen.received += 4
  expect(ask(seen)).toBe('idle')
})

it('takes a peer for silent after as many askings as the intensity', () => {
  const { ask } = asker()
  const seen = traffic(20, 0)
  expect([ask(seen), ask(seen), ask(seen), ask(seen), ask(seen)]).toEqual([
    'tick',
    'tick',
    'tick',
    'tick',
    'silent',
  ])
})

it('starts over with each byte', () => {
  const { ask } = asker()
  const seen = traffic(20, 0)
  for (let i = 0; i < 20; i++) {
    expect(ask(seen)).toBe('tick')
    if (i % 3 === 2) seen.received++
  }
})

it('does not count an asking that comes late: our own loop had stalled', () => {
  const { ask } = asker()
  const seen = traffic(20, 0)
  expect([ask(seen), ask(seen), ask(seen), ask(seen)]).toEqual(['tick', 'tick', 'tick', 'tick'])
  expect(ask(seen, { afterMs: 90_000 })).toBe('tick')
  expect(ask(seen)).toBe('silent')
})

it('does not count an asking while we hold the peer back', () => {
  const { ask } = asker()
  const seen = traffic(20, 0)
  for (let i = 0; i < 10; i++) expect(ask(seen, { heldBack: true })).toBe('tick')
  expect([ask(seen), ask(seen), ask(seen), ask(seen)]).toEqual(['tick', 'tick', 'tick', 'silent'])
})

it('takes another tick time', () => {
  const { ticker } = asker()
  expect(ticker.intervalMs).toBe(15_000)
  ticker.setTicktime(8_000)
  expect(ticker.intervalMs).toBe(2_000)
})
