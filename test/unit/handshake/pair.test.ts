/** Both sides against each other. */
import { ADVERTISED, DistFlag } from '../../../src/handshake/flags.js'
import type { AcceptDecision } from '../../../src/handshake/types.js'
import { acceptor, bytewise, COOKIES, fromOffset, initiator, nameless, shake, whole } from './support.js'

describe.each([whole, bytewise, fromOffset])('%p', (cut) => {
  test.each(['ok', 'ok_simultaneous', 'alive'] as const)('%s ends in one agreement', (status) => {
    const visible = ADVERTISED | DistFlag.PUBLISHED
    const { out, in: incoming } = shake(
      initiator({ flags: visible }),
      acceptor({ flags: visible | DistFlag.FRAGMENTS }),
      { status, ...COOKIES },
      { cut },
    )
    expect(out.statuses).toEqual([status])
    expect(out.result).toMatchObject({ peerName: 'b@two', peerCreation: 22, negotiatedFlags: visible })
    expect(incoming.result).toMatchObject({ peerName: 'a@one', peerCreation: 11, negotiatedFlags: visible })
    expect(incoming.offers).toBe(1)
  })

  test('a name is given and known on both sides', () => {
    const decision: AcceptDecision = { status: 'named', name: 'q@one', creation: 5, ...COOKIES }
    const { out, in: incoming } = shake(nameless(), acceptor(), decision, { cut })
    expect(out.result).toMatchObject({ thisNode: { name: 'q@one', creation: 5 }, namedByPeer: true })
    expect(incoming.result).toMatchObject({ peerName: 'q@one', peerCreation: 5, namedPeer: true })
  })
})

test('cookies per direction', () => {
  const good = shake(initiator({ outCookie: 'one', inCookie: 'two' }), acceptor(), {
    status: 'ok',
    inCookie: 'one',
    outCookie: 'two',
  })
  expect(good.out.result).toBeDefined()
  expect(good.in.result).toBeDefined()

  const bad = shake(initiator({ outCookie: 'one', inCookie: 'two' }), acceptor(), {
    status: 'ok',
    inCookie: 'one',
    outCookie: 'three',
  })
  expect(bad.out.error?.code).toBe('HANDSHAKE_BAD_COOKIE')

  const worse = shake(initiator({ outCookie: 'x' }), acceptor())
  expect(worse.in.error?.code).toBe('HANDSHAKE_BAD_COOKIE')
  expect(worse.out.result).toBeUndefined()
})

test('alive, not wanted: both sides know', () => {
  const { out, in: incoming } = shake(
    initiator(),
    acceptor(),
    { status: 'alive', ...COOKIES },
    { wanted: false },
  )
  expect(out.error?.code).toBe('HANDSHAKE_ALREADY_CONNECTED')
  expect(incoming.error?.code).toBe('HANDSHAKE_ALREADY_CONNECTED')
})
