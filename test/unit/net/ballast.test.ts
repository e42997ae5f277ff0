import { Ballast, BALLAST_HOLD_MS } from '../../../src/net/ballast.js'

const MiB = 1024 * 1024

describe('ballast', () => {
  let now = 0
  let ballast: Ballast

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['performance'] })
    now = 0
    ballast = new Ballast(() => now)
  })
  afterEach(() => jest.useRealTimers())

  const receive = (bytes: number, tookMs: number): void => {
    for (let at = 0; at < bytes; at += MiB) {
      now += (tookMs * MiB) / bytes
      ballast.received(MiB)
    }
  }

  test('is there while much is received, and for a while after', () => {
    receive(16 * MiB, 100)
    expect(ballast.held).toBe(false)
    receive(16 * MiB, 100)
    expect(ballast.held).toBe(true)
    jest.advanceTimersByTime(BALLAST_HOLD_MS - 1)
    receive(16 * MiB, 100)
    jest.advanceTimersByTime(BALLAST_HOLD_MS - 1)
    expect(ballast.held).toBe(true)
    jest.advanceTimersByTime(1)
    expect(ballast.held).toBe(false)
  })

  test('is not, when as much takes longer', () => {
    receive(160 * MiB, 10_100)
    expect(ballast.held).toBe(false)
  })
})
