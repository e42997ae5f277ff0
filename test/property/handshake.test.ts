/** Every state against every input: nothing throws, what has ended stays silent, what is held stays bounded. */
import fc from 'fast-check'
import { Acceptor } from '../../src/handshake/acceptor.js'
import { challengeDigest } from '../../src/handshake/digest.js'
import { ADVERTISED, DistFlag, MANDATORY_25 } from '../../src/handshake/flags.js'
import {
  encodeAck,
  encodeChallenge,
  encodeComplement,
  encodeName,
  encodeNamedStatus,
  encodeOldName,
  encodeReply,
  encodeStatus,
} from '../../src/handshake/messages.js'
import type { HandshakeEvent } from '../../src/handshake/types.js'
import { acceptor, COOKIES, framed, initiator, latin1, md5, nameless } from '../unit/handshake/support.js'

const SEED = 20_230_917
const OURS = { out: 0xfedcba98, in: 0x01234567 }

const flags = fc.constantFrom(
  ADVERTISED,
  MANDATORY_25,
  DistFlag.MANDATORY_25_DIGEST,
  ADVERTISED | DistFlag.NAME_ME,
  0n,
)
const names = fc.constantFrom('a@one', 'b@two', 'one', '', '@', 'a@b@c').map(latin1)
const cookie = fc.constantFrom('secret', 'other')
const word = fc.constantFrom('ok', 'ok_simultaneous', 'nok', 'not_allowed', 'alive', 'true', 'false', 'x')

/** Right messages, wrong ones, and rubbish. */
const message: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.tuple(flags, names).map(([f, n]) => encodeName(f, 7, n)),
  fc.tuple(flags, names).map(([f, n]) => encodeOldName(f, n)),
  fc.tuple(flags, names).map(([f, n]) => encodeChallenge(f, 3, 7, n)),
  flags.map((f) => encodeComplement(f, 7)),
  word.map(encodeStatus),
  fc.constantFrom('x@one', 'x@two', 'x').map((n) => encodeNamedStatus(n, 7)),
  { weight: 4, arbitrary: cookie.map((c) => encodeReply(9, challengeDigest(md5, OURS.in, c))) },
  { weight: 4, arbitrary: cookie.map((c) => encodeAck(challengeDigest(md5, OURS.out, c))) },
  fc.uint8Array({ maxLength: 40 }),
)

type Step =
  | { do: 'receive'; bytes: Uint8Array }
  | { do: 'answer'; yes: boolean }
  | { do: 'decide'; status: 'ok' | 'alive' | 'nok' | 'not_allowed' | 'ok_simultaneous' }
  | { do: 'replaced' | 'closed' | 'expire' }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: message.map((m): Step => ({ do: 'receive', bytes: framed(m) })) },
  {
    weight: 2,
    arbitrary: fc.uint8Array({ maxLength: 3000 }).map((bytes): Step => ({ do: 'receive', bytes })),
  },
  { weight: 2, arbitrary: fc.boolean().map((yes): Step => ({ do: 'answer', yes })) },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom('ok', 'ok_simultaneous', 'alive', 'nok', 'not_allowed')
      .map((status): Step => ({ do: 'decide', status: status as 'ok' })),
  },
  { weight: 2, arbitrary: fc.constant<Step>({ do: 'replaced' }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('closed', 'expire').map((what): Step => ({ do: what as 'closed' })),
  },
)

const machines = { initiator: () => initiator(), nameless: () => nameless(), acceptor: () => acceptor() }

const given = (bytes: Uint8Array): Step => ({ do: 'receive', bytes: framed(bytes) })
const proof = encodeReply(9, challengeDigest(md5, OURS.in, 'secret'))
const acknowledged = encodeAck(challengeDigest(md5, OURS.out, 'secret'))
const challenged = encodeChallenge(ADVERTISED, 3, 7, latin1('b@two'))
const yes: Step = { do: 'answer', yes: true }
const decided = (status: 'ok' | 'alive'): Step => ({ do: 'decide', status })

/** Ways through each machine, mostly to a good end; a random part of one comes before random steps. */
const WAYS: Record<keyof typeof machines, Step[][]> = {
  initiator: [
    [given(encodeStatus('ok')), given(challenged), given(acknowledged)],
    [given(encodeStatus('alive')), yes, given(challenged), given(acknowledged)],
    [given(encodeStatus('nok')), { do: 'closed' }, { do: 'expire' }],
  ],
  nameless: [[given(encodeNamedStatus('x@one', 7)), given(challenged), given(acknowledged)]],
  acceptor: [
    [given(encodeName(ADVERTISED, 7, latin1('a@one'))), decided('ok'), given(proof)],
    [given(encodeName(DistFlag.SPAWN, 7, latin1('a@one')))],
    [
      given(encodeName(ADVERTISED, 7, latin1('a@one'))),
      decided('alive'),
      given(encodeStatus('true')),
      given(proof),
      { do: 'replaced' },
    ],
    [
      given(encodeOldName(ADVERTISED, latin1('a@one'))),
      decided('ok'),
      given(encodeComplement(ADVERTISED, 7)),
      given(proof),
    ],
    [given(encodeName(ADVERTISED | DistFlag.NAME_ME, 7, latin1('one'))), decided('ok'), given(proof)],
  ],
}

function run(ways: Step[][]): fc.Arbitrary<Step[]> {
  return fc
    .tuple(fc.constantFrom(...ways), fc.nat({ max: 5 }), fc.array(step, { maxLength: 8 }))
    .map(([way, taken, random]) => [...way.slice(0, taken), ...random])
}

test.each(['initiator', 'nameless', 'acceptor'] as const)('%s: no order of inputs does harm', (which) => {
  const reached = new Set<string>()
  fc.assert(
    fc.property(run(WAYS[which]), fc.integer({ min: 1, max: 400 }), (steps, chunkBytes) => {
      const machine = machines[which]()
      let ends = 0
      let now = 0
      let lastEvents: HandshakeEvent[] = []
      const did = (events: HandshakeEvent[]): void => {
        lastEvents = events
        if (ends > 0) expect(events).toEqual([])
        for (const event of events) {
          reached.add(event.type === 'failed' ? event.error.code : event.type)
          if (event.type === 'established' || event.type === 'failed') ends++
        }
        const index = events.findIndex((event) => event.type === 'established' || event.type === 'failed')
        if (index >= 0) expect(index).toBe(events.length - 1)
      }
      if (!(machine instanceof Acceptor)) did(machine.start())
      for (const next of steps) {
        now += 1
        if (next.do === 'receive') {
          for (let at = 0; at < next.bytes.length; at += chunkBytes) {
            did(machine.receive(next.bytes.subarray(at, at + chunkBytes), now))
          }
        } else if (next.do === 'closed') did(machine.transportClosed())
        else if (next.do === 'expire') {
          const due = machine.deadline
          did(machine.expire(due - 1))
          did(machine.expire(due))
          expect(machine.ended).toBe(true)
        } else if (machine instanceof Acceptor) {
          if (next.do === 'decide') {
            const offer = lastEvents.find((event) => event.type === 'name')
            const dynamic = offer?.type === 'name' && offer.offer.dynamic
            if (dynamic)
              did(
                machine.decide(
                  { status: 'named', name: `n@${offer.offer.name}`, creation: 1, ...COOKIES },
                  now,
                ),
              )
            else {
              try {
                did(machine.decide({ status: next.status, ...COOKIES }, now))
              } catch (error) {
                // A late decision for a peer that asked for a name: refused, and the handshake goes on.
                expect(error).toMatchObject({ code: 'BAD_ARGUMENT' })
              }
            }
          } else if (next.do === 'replaced') did(machine.replaced())
        } else if (next.do === 'answer') did(machine.answerAlive(next.yes, now))
      }
      expect(ends).toBeLessThanOrEqual(1)
      expect(machine.ended).toBe(ends === 1)
    }),
    { seed: SEED, numRuns: 2_000 },
  )
  // The generator is good enough to reach what matters; otherwise the property says little.
  const expected =
    which === 'acceptor'
      ? [
          'name',
          'replace',
          'established',
          'HANDSHAKE_BAD_COOKIE',
          'HANDSHAKE_NOT_ALLOWED',
          'HANDSHAKE_MISSING_FLAGS',
        ]
      : ['established', 'HANDSHAKE_BAD_COOKIE', 'HANDSHAKE_NOK', 'HANDSHAKE_NOT_ALLOWED', 'HANDSHAKE_TIMEOUT']
  expect(expected.filter((outcome) => !reached.has(outcome))).toEqual([])
})
