/** EPMD's state machines under every input in every state, and its messages there and back. */
import fc from 'fast-check'
import {
  decodeRequest,
  encodeAliveReply,
  encodeRequest,
  isAliveName,
  type EpmdNode,
} from '../../src/epmd/messages.js'
import { RegistrationMachine, type RegistrationAction } from '../../src/epmd/registration.js'
import { EpmdServerMachine, type EpmdServerAction } from '../../src/epmd/server.js'
import { decodeUtf8, encodeUtf8 } from '../../src/epmd/utf8.js'
import { EpmdError } from '../../src/errors.js'
import { DEFAULT_LIMITS } from '../../src/limits.js'

const SEED = { seed: 4369, numRuns: 300 }

const names = fc.oneof(
  fc.constantFrom('a', 'b', 'c'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).filter(isAliveName),
)
const word = fc.nat(65_535)
const nodes: fc.Arbitrary<EpmdNode> = fc.record({
  name: names,
  port: word,
  nodeType: fc.constantFrom(72, 77),
  protocol: fc.constant(0),
  highestVersion: fc.constantFrom(5, 6, 7),
  lowestVersion: fc.constant(5),
  extra: fc.uint8Array({ maxLength: 20 }),
})

test('UTF-8 agrees with the platform on any bytes', () => {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  fc.assert(
    fc.property(
      fc.oneof(fc.uint8Array({ maxLength: 12 }), fc.string({ unit: 'binary' }).map(encodeUtf8)),
      (bytes) => {
        let expected: string | undefined
        try {
          expected = strict.decode(bytes)
        } catch {
          expected = undefined
        }
        expect(decodeUtf8(bytes)).toBe(expected)
      },
    ),
    { ...SEED, numRuns: 1000 },
  )
})

test('requests come back as they were sent, and any bytes are read or called bad', () => {
  fc.assert(
    fc.property(nodes, (node) => {
      const bytes = encodeRequest({ type: 'alive', node })
      expect(decodeRequest(bytes.subarray(2))).toEqual({ type: 'alive', node })
    }),
    SEED,
  )
  const tags = fc.constantFrom(120, 122, 110, 100, 107, 115, 97)
  fc.assert(
    fc.property(tags, fc.uint8Array({ maxLength: 40 }), (tag, rest) => {
      expect(typeof decodeRequest(Uint8Array.of(tag, ...rest)).type).toBe('string')
    }),
    { ...SEED, numRuns: 1000 },
  )
})

/** One thing that happens to a daemon. */
type Event =
  | { do: 'open'; local: boolean }
  | { do: 'bytes'; at: number; bytes: Uint8Array }
  | { do: 'close'; at: number }
  | { do: 'wait'; ms: number }

const requests = fc.oneof(
  nodes.map((node) => encodeRequest({ type: 'alive', node })),
  names.map((name) => encodeRequest({ type: 'port', name })),
  names.map((name) => encodeRequest({ type: 'stop', name })),
  fc.constantFrom(...(['names', 'dump', 'kill'] as const)).map((type) => encodeRequest({ type })),
)
const pieces = fc.oneof(
  requests,
  requests.chain((bytes) => fc.nat(bytes.length).map((end) => bytes.subarray(0, end))),
  fc.uint8Array({ maxLength: 30 }),
)
const events: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ do: fc.constant('open' as const), local: fc.boolean() }),
  fc.record({ do: fc.constant('bytes' as const), at: fc.nat(12), bytes: pieces }),
  fc.record({ do: fc.constant('close' as const), at: fc.nat(12) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.nat(400) }),
)

test('a daemon: every name belongs to one open connection, bounds hold, and what is dropped stays dropped', () => {
  const limits = {
    ...DEFAULT_LIMITS,
    maxEpmdNames: 3,
    maxEpmdOldNames: 2,
    maxEpmdPendingConnections: 4,
    maxEpmdQueuedBytes: 200,
    epmdPacketTimeoutMs: 1000,
  }
  fc.assert(
    fc.property(fc.array(events, { maxLength: 80 }), fc.boolean(), (script, relaxedCommandCheck) => {
      const daemon = new EpmdServerMachine({ port: 4369, relaxedCommandCheck, limits })
      const open: number[] = []
      const holders = new Map<number, string>()
      let now = 0
      let next = 1
      const apply = (actions: EpmdServerAction[]) => {
        for (const action of actions) {
          if (action.type === 'terminate') continue
          if (action.type !== 'unregistered') expect(open).toContain(action.connection)
          if (action.type === 'registered') holders.set(action.connection, action.node.name)
          if (action.type === 'unregistered') {
            expect(holders.get(action.connection)).toBe(action.node.name)
            holders.delete(action.connection)
          }
          if (action.type === 'drop') open.splice(open.indexOf(action.connection), 1)
        }
        const registered = Array.from(daemon.registry.active, (one) => one.node.name)
        expect(registered.sort()).toEqual([...holders.values()].sort())
        expect(new Set(registered).size).toBe(registered.length)
        expect(registered.length).toBeLessThanOrEqual(3)
        expect([...daemon.registry.old].length).toBeLessThanOrEqual(2)
        expect(daemon.pendingConnections).toBeLessThanOrEqual(4)
        expect(daemon.pendingConnections + holders.size).toBe(open.length)
      }
      for (const event of script) {
        if (event.do === 'open') {
          const id = next++
          open.push(id)
          apply(daemon.opened(id, event.local, now))
        } else if (event.do === 'bytes') {
          apply(daemon.received(open[event.at % open.length] ?? 0, event.bytes, 1_795_296_313, now))
        } else if (event.do === 'close') {
          const [id = 0] = open.splice(event.at % Math.max(1, open.length), 1)
          apply(daemon.closed(id))
        } else {
          now += event.ms
          apply(daemon.expire(now))
          expect(daemon.dueMs ?? Infinity).toBeGreaterThan(now)
        }
      }
      while (open.length > 0) apply(daemon.closed(open.pop() ?? 0))
      expect(daemon.registry.size).toBe(0)
    }),
    { ...SEED, numRuns: 300 },
  )
})

test('a registration: whatever happens in whatever state, it is tried again or it ended for a reason', () => {
  const error = new EpmdError('EPMD_CLOSED', 'closed')
  const steps = fc.oneof(
    fc.constant('connected' as const),
    fc.constant('closed' as const),
    fc.constant('refused' as const),
    fc.constant('served' as const),
    fc.constant('unserved' as const),
    fc.constant('tick' as const),
    fc.constant('ok' as const),
    fc.constant('taken' as const),
    fc.constant('garbage' as const),
    fc.constant('start' as const),
  )
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 60 }), fc.boolean(), fc.boolean(), (script, mayServe, stop) => {
      const it = new RegistrationMachine({
        node: {
          name: 'a',
          port: 1,
          nodeType: 77,
          protocol: 0,
          highestVersion: 6,
          lowestVersion: 5,
          extra: encodeUtf8(''),
        },
        mayServe,
        limits: DEFAULT_LIMITS,
        jitter: () => 0.5,
      })
      const run = (step: (typeof script)[number], now: number): RegistrationAction[] => {
        if (step === 'connected') return it.connected()
        if (step === 'closed') return it.disconnected(error, false, now)
        if (step === 'refused') return it.disconnected(error, true, now)
        if (step === 'served') return it.served(undefined, now)
        if (step === 'unserved') return it.served(error, now)
        if (step === 'tick') return it.tick(now)
        if (step === 'ok') return it.received(encodeAliveReply(6, now), now)
        if (step === 'taken') return it.received(encodeAliveReply(6, undefined), now)
        if (step === 'garbage') return it.received(Uint8Array.of(0), now)
        return it.start(now)
      }
      let creation: number | undefined
      let failed = false
      script.forEach((step, index) => {
        const before = it.state
        const actions = run(step, (index + 1) * 100)
        if (before === 'ended') expect(actions).toEqual([])
        for (const action of actions) {
          if (action.type === 'registered') {
            expect(action.again).toBe(creation !== undefined)
            creation ??= action.creation
            expect(action.creation).toBe(creation)
          }
          if (action.type === 'serve') expect(mayServe).toBe(true)
          if (action.type === 'failed') {
            expect(creation).toBeUndefined()
            failed = true
          }
          if (action.type === 'retrying')
            expect(action.pauseMs).toBeLessThanOrEqual(DEFAULT_LIMITS.epmdRetryMaxMs)
        }
        expect(it.state === 'ended').toBe(failed)
        // Nothing waits for ever but for the operating system's word: elsewhere a deadline is set.
        const timed = it.state === 'connecting' || it.state === 'registering' || it.state === 'pausing'
        expect(it.dueMs !== undefined).toBe(timed)
      })
      if (stop) {
        it.stop()
        expect(script.flatMap((step) => run(step, 1e6))).toEqual([])
      }
    }),
    { ...SEED, numRuns: 500 },
  )
})
