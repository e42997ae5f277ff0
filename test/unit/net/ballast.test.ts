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

  const move = (bytes: number, tookMs: number, piece = 16 * 1024): void => {
    for (let at = 0; at < bytes; at += piece) {
      now += (tookMs * piece) / bytes
      ballast.moved(piece)
    }
  }

  test('is there while much is moved, and for a while after', () => {
    move(16 * MiB, 100)
    expect(ballast.held).toBe(false)
    move(16 * MiB, 100)
    expect(ballast.held).toBe(true)
    jest.advanceTimersByTime(BALLAST_HOLD_MS - 1)
    move(16 * MiB, 100)
    jest.advanceTimersByTime(BALLAST_HOLD_MS - 1)
    expect(ballast.held).toBe(true)
    jest.advanceTimersByTime(1)
    expect(ballast.held).toBe(false)
  })

  test('is not for small pieces', () => {
    move(160 * MiB, 100, 16 * 1024 - 1)
    expect(ballast.held).toBe(false)
  })

  test('is not, when as much takes longer', () => {
    move(160 * MiB, 10_100)
    expect(ballast.held).toBe(false)
  })
})
