import { NamesExchange, PortExchange, ReplyBuffer } from '../../../src/epmd/client.js'
import {
  encodeAliveReply,
  encodePortReply,
  encodeRequest,
  NO_EXTRA,
  type EpmdNode,
} from '../../../src/epmd/messages.js'
import { RegistrationMachine, type RegistrationAction } from '../../../src/epmd/registration.js'
import { EpmdError } from '../../../src/errors.js'
import { DEFAULT_LIMITS, type Limits } from '../../../src/limits.js'

const NODE: EpmdNode = {
  name: 'a',
  port: 4000,
  nodeType: 77,
  protocol: 0,
  highestVersion: 6,
  lowestVersion: 5,
  extra: NO_EXTRA,
}
const LIMITS: Limits = {
  ...DEFAULT_LIMITS,
  epmdRetryMinMs: 100,
  epmdRetryMaxMs: 350,
  epmdSettleTimeMs: 1000,
  epmdReplyTimeoutMs: 5000,
}
const CLOSED = new EpmdError('EPMD_CLOSED', 'closed')
const REFUSED = new EpmdError('EPMD_UNREACHABLE', 'refused')
const OK = encodeAliveReply(6, 1234)
const TAKEN = encodeAliveReply(6, undefined)

/** A machine whose jitter takes nothing off a pause. */
const machine = (mayServe = false, jitter = () => 1) =>
  new RegistrationMachine({ node: NODE, mayServe, limits: LIMITS, jitter })
const types = (actions: RegistrationAction[]) => actions.map(({ type }) => type)

function registered(mayServe = false): RegistrationMachine {
  const it = machine(mayServe)
  it.start(0)
  it.connected()
  expect(it.received(OK, 0)).toEqual([{ type: 'registered', creation: 1234, again: false }])
  return it
}

describe('a first registration', () => {
  test('connects, asks, and holds what it is given', () => {
    const it = machine()
    expect(it.start(0)).toEqual([{ type: 'connect' }])
    expect(it.connected()).toEqual([{ type: 'send', bytes: encodeRequest({ type: 'alive', node: NODE }) }])
    for (let i = 0; i < OK.length - 1; i++) expect(it.received(OK.subarray(i, i + 1), 0)).toEqual([])
    expect(it.received(OK.subarray(OK.length - 1), 0)).toEqual([
      { type: 'registered', creation: 1234, again: false },
    ])
    expect([it.state, it.dueMs]).toEqual(['registered', undefined])
    expect(it.received(Uint8Array.of(1, 2, 3), 0)).toEqual([])
  })

  test('takes the 16-bit creation of an old daemon', () => {
    const it = machine()
    it.start(0)
    it.connected()
    expect(it.received(encodeAliveReply(5, 3), 0)).toEqual([
      { type: 'registered', creation: 3, again: false },
    ])
  })

  test('fails at once where nobody listens and it may not serve', () => {
    const it = machine()
    it.start(0)
    expect(it.disconnected(REFUSED, true, 0)).toEqual([{ type: 'failed', error: REFUSED }])
    expect([it.state, it.dueMs]).toEqual(['ended', undefined])
  })

  test('fails at once where the host cannot be reached, also when it may serve', () => {
    const it = machine(true)
    it.start(0)
    expect(types(it.disconnected(CLOSED, false, 0))).toEqual(['failed'])
  })

  test.each<[string, Uint8Array, string]>([['garbage', Uint8Array.of(0x48, 0x54), 'EPMD_BAD_REPLY']])(
    'fails at once on %s',
    (_what, bytes, code) => {
      const it = machine()
      it.start(0)
      it.connected()
      const actions = it.received(bytes, 0)
      expect(actions).toMatchObject([{ type: 'disconnect' }, { type: 'failed', error: { code } }])
    },
  )

  test('fails when the daemon does not answer in time', () => {
    for (const connected of [false, true]) {
      const it = machine()
      it.start(0)
      if (connected) it.connected()
      expect(it.tick(4999)).toEqual([])
      expect(it.tick(5000)).toMatchObject([
        { type: 'disconnect' },
        { type: 'failed', error: { code: 'EPMD_TIMEOUT' } },
      ])
    }
  })

  test('tries a taken name again, with longer pauses, until the older registration had time to die', () => {
    const it = machine()
    it.start(0)
    const pauses: number[] = []
    let now = 0
    for (;;) {
      it.connected()
      const [first, second] = it.received(TAKEN, now)
      expect(first).toEqual({ type: 'disconnect' })
      if (second?.type === 'failed') {
        expect(second.error).toMatchObject({
          code: 'EPMD_NAME_TAKEN',
          message: expect.stringContaining("'a'"),
        })
        break
      }
      if (second?.type !== 'retrying') throw new Error(`not ${second?.type}`)
      pauses.push(second.pauseMs)
      now += second.pauseMs
      expect(it.tick(now - 1)).toEqual([])
      expect(it.tick(now)).toEqual([{ type: 'connect' }])
    }
    expect(pauses).toEqual([100, 200, 350, 350]) // in all 1000
  })

  test('succeeds when the older registration died meanwhile', () => {
    const it = machine()
    it.start(0)
    it.connected()
    it.received(TAKEN, 0)
    it.tick(100)
    it.connected()
    expect(it.received(OK, 100)).toEqual([{ type: 'registered', creation: 1234, again: false }])
  })

  test('a daemon that goes away under it is tried again', () => {
    const it = machine()
    it.start(0)
    it.connected()
    expect(types(it.disconnected(CLOSED, false, 0))).toEqual(['retrying'])
    it.tick(100)
    it.connected()
    expect(types(it.disconnected(CLOSED, false, 1000))).toEqual(['failed'])
  })
})

describe('a registration that was lost', () => {
  test('is made again at once, and keeps its creation', () => {
    const it = registered()
    expect(it.disconnected(CLOSED, false, 7)).toEqual([{ type: 'lost', error: CLOSED }, { type: 'connect' }])
    it.connected()
    expect(it.received(encodeAliveReply(6, 99), 8)).toEqual([
      { type: 'registered', creation: 1234, again: true },
    ])
  })

  test('is tried for ever, with pauses up to the longest', () => {
    const it = registered()
    it.disconnected(CLOSED, false, 0)
    let now = 0
    const pauses: number[] = []
    for (let i = 0; i < 1000; i++) {
      const [action] = it.disconnected(REFUSED, true, now).slice(-1)
      if (action?.type !== 'retrying') throw new Error(`not ${action?.type}`)
      pauses.push(action.pauseMs)
      now += action.pauseMs
      expect(it.tick(now)).toEqual([{ type: 'connect' }])
    }
    expect(pauses.slice(0, 4)).toEqual([100, 200, 350, 350])
    expect(new Set(pauses.slice(2))).toEqual(new Set([350]))
    it.connected()
    it.received(OK, now)
    now += 350
    it.disconnected(CLOSED, false, now)
    expect(it.disconnected(REFUSED, true, now)).toMatchObject([{ type: 'retrying', pauseMs: 100 }])
  })

  test('a daemon that registers and closes is run after with pauses, until a registration lasts', () => {
    const it = registered()
    let now = 0
    const pauses: number[] = []
    for (let i = 0; i < 6; i++) {
      const [lost, next] = it.disconnected(CLOSED, false, now)
      expect(lost).toEqual({ type: 'lost', error: CLOSED })
      if (next?.type === 'retrying') {
        pauses.push(next.pauseMs)
        now += next.pauseMs
        expect(it.tick(now)).toEqual([{ type: 'connect' }])
      } else {
        expect(next).toEqual({ type: 'connect' })
        pauses.push(0)
      }
      it.connected()
      expect(it.received(OK, now)).toMatchObject([{ type: 'registered', again: true }])
      now += 349
    }
    expect(pauses).toEqual([0, 100, 200, 350, 350, 350])
    expect(types(it.disconnected(CLOSED, false, now + 1))).toEqual(['lost', 'connect'])
  })

  test('jitter takes off up to half of a pause', () => {
    for (const [jitter, pauseMs] of [
      [0, 50],
      [0.5, 75],
    ] as const) {
      const it = machine(false, () => jitter)
      it.start(0)
      it.connected()
      expect(it.received(TAKEN, 0)).toMatchObject([{ type: 'disconnect' }, { type: 'retrying', pauseMs }])
    }
  })

  test.each<[string, (it: RegistrationMachine) => RegistrationAction[], string, string[]?]>([
    ['its name was taken', (it) => (it.connected(), it.received(TAKEN, 0)), 'EPMD_NAME_TAKEN'],
    ['it is answered garbage', (it) => (it.connected(), it.received(Uint8Array.of(1), 0)), 'EPMD_BAD_REPLY'],
    ['it is not answered', (it) => (it.connected(), it.tick(5000)), 'EPMD_TIMEOUT'],
    ['it is cut off', (it) => (it.connected(), it.disconnected(CLOSED, false, 0)), 'EPMD_CLOSED', []],
  ])('is tried again when %s', (_what, step, code, before = ['disconnect']) => {
    const it = registered()
    it.disconnected(CLOSED, false, 0)
    const actions = step(it)
    expect(types(actions)).toEqual([...before, 'retrying'])
    expect(actions.at(-1)).toMatchObject({ error: { code } })
    expect(it.state).toBe('pausing')
  })
})

describe('where this process may serve', () => {
  test('nobody listens: it serves, then registers with itself', () => {
    const it = machine(true)
    it.start(0)
    expect(it.disconnected(REFUSED, true, 0)).toEqual([{ type: 'serve' }])
    expect([it.state, it.dueMs]).toEqual(['serving', undefined])
    expect(it.served(undefined, 1)).toEqual([{ type: 'connect' }])
  })

  test('the daemon ended: the port is taken without a pause', () => {
    const it = registered(true)
    expect(types(it.disconnected(CLOSED, false, 0))).toEqual(['lost', 'connect'])
    expect(types(it.disconnected(REFUSED, true, 0))).toEqual(['serve'])
    expect(types(it.served(undefined, 0))).toEqual(['connect'])
    it.connected()
    expect(types(it.received(OK, 0))).toEqual(['registered'])
  })

  test('it cannot listen: a first registration fails with the reason, a later one waits', () => {
    const error = new EpmdError('EPMD_LISTEN_FAILED', 'no')
    const first = machine(true)
    first.start(0)
    first.disconnected(REFUSED, true, 0)
    expect(first.served(error, 0)).toEqual([{ type: 'failed', error }])
    const later = registered(true)
    later.disconnected(CLOSED, false, 0)
    later.disconnected(REFUSED, true, 0)
    expect(later.served(error, 0)).toMatchObject([{ type: 'retrying', error }])
  })

  test('a port that is taken and let go in turns is not run after without pauses', () => {
    const it = registered(true)
    it.disconnected(CLOSED, false, 0)
    for (let i = 0; i < 2; i++) {
      expect(types(it.disconnected(REFUSED, true, 0))).toEqual(['serve'])
      expect(types(it.served(undefined, 0))).toEqual(['connect'])
    }
    expect(types(it.disconnected(REFUSED, true, 0))).toEqual(['serve'])
    expect(types(it.served(undefined, 0))).toEqual(['retrying'])
  })
})

describe('stop', () => {
  test.each<[string, (it: RegistrationMachine) => unknown, string[]]>([
    ['idle', () => 0, []],
    ['connecting', (it) => it.start(0), ['disconnect']],
    ['registering', (it) => (it.start(0), it.connected()), ['disconnect']],
    ['pausing', (it) => (it.start(0), it.connected(), it.received(TAKEN, 0)), []],
    ['serving', (it) => (it.start(0), it.disconnected(REFUSED, true, 0)), []],
  ])('while %s', (state, reach, expected) => {
    const it = machine(true)
    reach(it)
    expect(it.state).toBe(state)
    expect(types(it.stop())).toEqual(expected)
    expect([it.state, it.dueMs]).toEqual(['ended', undefined])
  })

  test('nothing happens afterwards, whatever comes', () => {
    const it = registered(true)
    it.stop()
    const after = [
      it.start(1),
      it.connected(),
      it.received(OK, 1),
      it.disconnected(CLOSED, true, 1),
      it.served(undefined, 1),
      it.tick(1e9),
      it.stop(),
    ]
    expect(after.flat()).toEqual([])
  })
})

describe('questions', () => {
  const found = encodePortReply(NODE)

  test('a port: the answer is there with its last byte, from a buffer that is overwritten', () => {
    const exchange = new PortExchange('a', LIMITS)
    const chunk = new Uint8Array(1)
    found.forEach((byte, index) => {
      chunk[0] = byte
      const outcome = exchange.received(chunk)
      if (index < found.length - 1) expect(outcome).toBeUndefined()
      else expect(outcome).toEqual({ answer: NODE })
    })
  })

  test('a port that is not known is an answer; the end of the stream before one is an error', () => {
    expect(new PortExchange('a', LIMITS).received(encodePortReply(undefined))).toEqual({ answer: undefined })
    const exchange = new PortExchange('a', LIMITS)
    exchange.received(found.subarray(0, 5))
    expect(() => exchange.ended()).toThrow(expect.objectContaining({ code: 'EPMD_CLOSED' }))
  })

  test('names: the end of the stream ends the reply', () => {
    const exchange = new NamesExchange(LIMITS)
    const chunk = new Uint8Array(1)
    for (const byte of Buffer.from('\0\0\x11\x11name a at port 1\nname b at port 2\n')) {
      chunk[0] = byte
      expect(exchange.received(chunk)).toBeUndefined()
    }
    expect(exchange.ended()).toEqual([
      { name: 'a', port: 1 },
      { name: 'b', port: 2 },
    ])
    expect(() => new NamesExchange(LIMITS).ended()).toThrow(expect.objectContaining({ code: 'EPMD_CLOSED' }))
    const short = new NamesExchange(LIMITS)
    short.received(Uint8Array.of(0, 0, 17))
    expect(() => short.ended()).toThrow(expect.objectContaining({ code: 'EPMD_BAD_REPLY' }))
  })

  test('a reply may have as many bytes as the limit, and not one more', () => {
    const buffer = new ReplyBuffer(100)
    buffer.push(new Uint8Array(60).fill(1))
    buffer.push(new Uint8Array(40).fill(2))
    expect(Array.from(buffer.bytes)).toEqual([...Array(60).fill(1), ...Array(40).fill(2)])
    expect(() => buffer.push(new Uint8Array(1))).toThrow(
      expect.objectContaining({ code: 'EPMD_REPLY_TOO_LARGE' }),
    )
  })
})
