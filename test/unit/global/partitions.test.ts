/** Preventing overlapping partitions: what is told of lost connections, to whom and when. */
import { atom, internAtom, type Atom } from '../../../src/etf/atom.js'
import type { Encodable } from '../../../src/etf/terms.js'
import { tuple } from '../../../src/etf/tuple.js'
import { KnownNodes } from '../../../src/global/known-nodes.js'
import { Messenger } from '../../../src/global/messenger.js'
import type { GlobalOptions } from '../../../src/global/options.js'
import { Partitions } from '../../../src/global/partitions.js'
import { readInfo, type Info } from '../../../src/global/wire.js'
import { DEFAULT_LIMITS } from '../../../src/limits.js'

const DELAY_MS = DEFAULT_LIMITS.globalLossDelayMs
const [me, a, b, old] = ['me@h', 'a@h', 'b@h', 'old@h'].map((name) => internAtom(name)) as [
  Atom,
  Atom,
  Atom,
  Atom,
]

/** The part of this node's name server, which knows `a` and `b` (version 8) and `old` (6); what it does is noted. */
function partitionsOf(more: Partial<GlobalOptions> = {}) {
  const done: string[] = []
  const connected = new Set([a, b, old])
  const options = {
    host: { name: me, creation: 5 },
    cluster: {
      isConnected: (node: Atom) => connected.has(node),
      disconnect: (node: Atom) => void done.push(`disconnect ${node.name}`),
    },
    connectAll: true,
    preventOverlappingPartitions: true,
    maxLostConnections: 10,
    random: () => 0,
    now: () => 0,
    lossDelayMs: DELAY_MS,
    log: { info: () => {}, warn: (line: string) => void done.push(`warn ${line.split(' ')[4]}`) },
    ...more,
  } as unknown as GlobalOptions
  class Notes extends Messenger {
    override tell(node: Atom, message: Encodable): void {
      done.push(`${node.name} ${(message as { tag: string }).tag}`)
    }
  }
  const nodes = new KnownNodes(() => me)
  nodes.add([a, b].map((node) => ({ node, version: 8 })).concat({ node: old, version: 6 }))
  const notes = new Notes(options, () => {
    throw new Error('nothing is sent')
  })
  const partitions = new Partitions(options, nodes, notes, (node) => done.push(`forget ${node.name}`))
  return { partitions, done, connected }
}

const lost = (from: Atom, id: number, to: Atom) =>
  readInfo(tuple(atom('lost_connection'), from, 1, id, to)) as Extract<Info, { type: 'lostConnection' }>

beforeEach(() => jest.useFakeTimers())
afterEach(() => jest.useRealTimers())

test('a loss is told after globalLossDelayMs and not before, to those who take part, but not to who is lost', () => {
  const { partitions, done, connected } = partitionsOf()
  connected.delete(a)
  partitions.down(a)
  jest.advanceTimersByTime(DELAY_MS - 1)
  expect(done).toEqual([])
  jest.advanceTimersByTime(1)
  expect(done).toEqual(['b@h lost_connection'])
})

test('a connection that is back within globalLossDelayMs was no loss', () => {
  const { partitions, done, connected } = partitionsOf()
  connected.delete(a)
  partitions.down(a)
  jest.advanceTimersByTime(DELAY_MS - 1)
  connected.add(a)
  jest.advanceTimersByTime(1)
  expect(done).toEqual([])
})

test('a loss of others is passed on, and the one that was lost is asked to let go, once globalLossDelayMs is over', () => {
  const { partitions, done } = partitionsOf()
  partitions.lostConnection(lost(a, 1, b))
  partitions.lostConnection(lost(a, 1, b))
  jest.advanceTimersByTime(DELAY_MS - 1)
  expect(done).toEqual([])
  jest.advanceTimersByTime(1)
  expect(done).toEqual(['b@h lost_connection', 'warn requested', 'b@h remove_connection', 'forget b@h'])
})

test('one of before version 7, which would not understand, is disconnected', () => {
  const { partitions, done } = partitionsOf()
  partitions.lostConnection(lost(b, 1, old))
  jest.advanceTimersByTime(DELAY_MS)
  expect(done).toEqual(['a@h lost_connection', 'warn disconnected', 'forget old@h', 'disconnect old@h'])
})

test('who asks to be let go is; its going is then no loss', () => {
  const { partitions, done, connected } = partitionsOf()
  partitions.removeConnection(a)
  expect(done).toEqual(['warn disconnected', 'forget a@h', 'disconnect a@h'])
  connected.delete(a)
  partitions.down(a)
  partitions.removeConnection(internAtom('nobody@h'))
  jest.advanceTimersByTime(DELAY_MS)
  expect(done).toHaveLength(3)
})

test.each([{ connectAll: false }, { preventOverlappingPartitions: false }])(
  'nothing is told with %p',
  (more) => {
    const { partitions, done, connected } = partitionsOf(more)
    connected.delete(a)
    partitions.down(a)
    partitions.lostConnection(lost(a, 1, b))
    expect(jest.getTimerCount()).toBe(0)
    expect(done).toEqual([])
  },
)

test('a node that stops tells nothing, and leaves no timer behind', () => {
  const { partitions, done } = partitionsOf()
  partitions.down(a)
  partitions.lostConnection(lost(a, 1, b))
  partitions.shuttingDown = true
  jest.advanceTimersByTime(DELAY_MS)
  expect(done).toEqual([])
  const other = partitionsOf()
  other.partitions.down(a)
  other.partitions.end()
  expect(jest.getTimerCount()).toBe(0)
})
