/** What the dashboard's page and recordings are told of changes is enough to have the state; and no bytes of a page do harm. */
import fc from 'fast-check'
import { checkMessage } from '../../src/dashboard/check-message.js'
import { apply, applyRows, diff, diffRows } from '../../src/dashboard/delta.js'
import { changedNodes } from '../../src/dashboard/mirror.js'
import { nodeDelta } from '../../src/dashboard/node-delta.js'
import { decodeMessage, encodeValue, type NodeDelta, type NodeState } from '../../src/dashboard/protocol.js'
import { DEFAULT_LIMITS } from '../../src/limits.js'
import { stateOf } from '../support/dashboard.js'

const SEED = { seed: 7, numRuns: 500 }

const key = fc.constantFrom('a', 'b', 'c', 'node')
const leaf = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true }),
  fc.string(),
  fc.boolean(),
  fc.array(fc.nat(3), { maxLength: 3 }),
  fc.constant(undefined),
)
const plain: fc.Arbitrary<object> = fc.letrec((tie) => ({
  value: fc.dictionary(key, fc.oneof({ depthSize: 'xsmall', maxDepth: 4 }, leaf, tie('value')), {
    noNullPrototype: true,
    maxKeys: 4,
  }),
})).value as fc.Arbitrary<object>

/** As it is on the other side. */
const sent = <T extends object>(value: T): T => decodeMessage(encodeValue(value)) as T
/** -0 is 0 to MessagePack, and undefined is nothing. */
const same = (value: object): object => sent(value)

test('a state and a patch are the next state, through MessagePack', () => {
  fc.assert(
    fc.property(fc.array(plain, { minLength: 1, maxLength: 6 }), (states) => {
      let told: object | undefined
      let mirrored: object | undefined
      for (const state of states) {
        const patch = diff(told, state)
        if (patch !== undefined) mirrored = apply(mirrored, sent(patch))
        told = state
        expect(mirrored).toEqual(same(state))
      }
    }),
    SEED,
  )
})

const row = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd', '#0', '#1'),
  n: fc.nat(3),
  more: fc.option(fc.nat(2), { nil: undefined }),
})

test('rows and a delta are the next rows, whatever their keys and order', () => {
  fc.assert(
    fc.property(fc.array(fc.array(row, { maxLength: 5 }), { minLength: 1, maxLength: 6 }), (tables) => {
      let told: readonly object[] | undefined
      let mirrored: object[] | undefined
      for (const table of tables) {
        const delta = diffRows(told as never, table, 'id')
        if (delta !== undefined) mirrored = applyRows(mirrored as never, sent(delta), 'id')
        told = table
        expect(mirrored).toEqual(sent(table))
      }
    }),
    SEED,
  )
})

const link = fc.record({
  peer: fc.constantFrom('x@h', 'y@h', 'z@h'),
  type: fc.constantFrom('visible' as const, 'hidden' as const, undefined),
  queueBytes: fc.option(fc.nat(), { nil: undefined }),
  receivedBytes: fc.nat(),
  sentBytes: fc.nat(),
  receivedRate: fc.constant(undefined),
  sentRate: fc.nat(),
  own: fc.boolean(),
})
const state: fc.Arbitrary<NodeState> = fc
  .record({
    at: fc.nat(),
    links: fc.uniqueArray(link, { selector: ({ peer }) => peer, maxLength: 3 }),
    status: fc.constantFrom('connecting' as const, 'up' as const, 'down' as const),
    reason: fc.option(fc.string(), { nil: undefined }),
    sampled: fc.boolean(),
    rates: fc.boolean(),
  })
  .map(({ at, links, status, reason, sampled, rates }) => {
    const { sample, ...rest } = stateOf('a@h', at, { links, ...(rates ? {} : { rates: undefined }) })
    return { ...rest, status, reason, sample: sampled ? sample : undefined }
  })

test('a node’s states, as pages and recordings are told them', () => {
  fc.assert(
    fc.property(fc.array(fc.option(state, { nil: undefined }), { maxLength: 8 }), (states) => {
      let told: NodeState | undefined
      let nodes: ReadonlyMap<string, NodeState> = new Map()
      for (const next of states) {
        const delta: NodeDelta | undefined =
          next === undefined ? { node: 'a@h', removed: true } : nodeDelta(told, next)
        told = next
        if (delta !== undefined) nodes = changedNodes(nodes, [sent(delta)])
        expect(nodes.get('a@h')).toEqual(next && sent(next))
      }
    }),
    SEED,
  )
})

test('any bytes are a message, or an error of a known kind', () => {
  const fields = fc.record(
    {
      type: fc.constantFrom('hello', 'watch', 'unwatch', 'pause', 'ask', 'action', 'control'),
      id: fc.oneof(fc.nat(), fc.anything()),
      view: fc.anything(),
      question: fc.record({
        kind: fc.constantFrom('history', 'events'),
        node: fc.string(),
        columns: fc.anything(),
        from: fc.double(),
        points: fc.nat(),
        before: fc.nat(),
      }),
      action: fc.anything(),
      control: fc.record({ paused: fc.anything(), speed: fc.anything() }),
      paused: fc.anything(),
      version: fc.anything(),
    },
    { requiredKeys: ['type'] },
  )
  fc.assert(
    fc.property(fc.oneof(fields, fc.anything()), (value) => {
      try {
        checkMessage(value, DEFAULT_LIMITS)
      } catch (error) {
        expect(error).toMatchObject({ code: 'DASHBOARD_BAD_MESSAGE' })
      }
    }),
    SEED,
  )
})
