/** The smaller parts of the kernel: names, allowed nodes, the pool of names, signals as a peer can take them. */
import '../../../src/etf/node.js'
import { atom, internAtom } from '../../../src/etf/atom.js'
import { Pid, Reference } from '../../../src/etf/identifiers.js'
import type { SignalIn, SignalOut } from '../../../src/dist/signals.js'
import { DistFlag } from '../../../src/handshake/flags.js'
import { adapt } from '../../../src/kernel/adapt.js'
import { AllowedNodes } from '../../../src/kernel/allowed-nodes.js'
import { CookieJar } from '../../../src/kernel/cookies.js'
import { NamePool } from '../../../src/kernel/name-pool.js'
import { NodeSubscription, type NodeChange } from '../../../src/kernel/node-monitor.js'
import { parseNodeName } from '../../../src/kernel/node-name.js'

describe('node names', () => {
  test.each([
    ['a@b', 'shortnames'],
    ['A_1-z@host.example', 'longnames'],
    ['a@127.0.0.1', 'longnames'],
    ['a@::1', 'longnames'],
  ])('%s has a host of %s', (name, domain) => {
    expect(parseNodeName(name)).toMatchObject({ full: name, alive: name.split('@')[0], domain })
  })

  test.each(['', 'a', '@b', 'a@', 'a b@c', 'a@b@c', 'ž@b', 'a@b c', 'a@\u0000'])('%j is none', (name) => {
    expect(() => parseNodeName(name)).toThrow(expect.objectContaining({ code: 'BAD_NODE_NAME' }))
  })

  test('255 bytes are the most', () => {
    expect(parseNodeName(`${'a'.repeat(253)}@b`).alive).toHaveLength(253)
    expect(() => parseNodeName(`${'a'.repeat(254)}@b`)).toThrow(/longer than 255/)
    expect(() => parseNodeName(`${'a'.repeat(252)}@bé`)).toThrow(/longer than 255/)
  })
})

describe('allow', () => {
  test('every node until something is given; then names, hosts and first parts, only ever more', () => {
    const allowed = new AllowedNodes()
    allowed.allow([])
    expect([allowed.has('any@where'), allowed.list()]).toEqual([true, undefined])
    allowed.allow(['a@one'])
    allowed.allow(['two', 'tool'])
    const asked = ['a@one', 'b@one', 'x@two', 'tool@three', 'two@three', 'one', 'nohost']
    expect(asked.filter((name) => allowed.has(name))).toEqual(['a@one', 'x@two', 'tool@three', 'two@three'])
    expect(new AllowedNodes([]).has('a@one')).toBe(false)
  })
})

describe('cookies', () => {
  test('one for all, others for single peers, in and out', () => {
    const jar = new CookieJar('all')
    jar.setFor('p@h', 'shown', 'expected')
    jar.setFor('q@h', 'both')
    jar.set('new')
    expect([jar.for('p@h'), jar.for('q@h'), jar.for('r@h')]).toEqual([
      { outCookie: 'shown', inCookie: 'expected' },
      { outCookie: 'both', inCookie: 'both' },
      { outCookie: 'new', inCookie: 'new' },
    ])
  })
})

describe('the pool of names', () => {
  test('gives a name again with the next creation, by host, and never one that is taken', () => {
    let random = 0
    const pool = new NamePool(() => random++, 10)
    const free = () => false
    const first = pool.take('h', free)
    const second = pool.take('h', free)
    expect(second.name).not.toBe(first.name)
    pool.release(first.name)
    expect(pool.take('other', free).name).toMatch(/@other$/)
    expect(pool.take('h', free)).toEqual({ name: first.name, creation: first.creation + 1 })
    pool.release(second.name)
    pool.release('not@ours')
    expect(pool.take('h', (name) => name === second.name).name).not.toBe(second.name)
  })

  test('keeps so many names, of the hosts that came last, and none that nobody came to know', () => {
    let random = 0
    const pool = new NamePool(() => random++, 3)
    const free = () => false
    const names = ['a', 'b', 'c', 'd', 'a'].map((host) => pool.take(host, free).name)
    for (const name of names) pool.release(name)
    expect(pool.freeCount).toBe(3)
    expect(pool.take('b', free).name).not.toBe(names[1])
    expect(pool.take('d', free).name).toBe(names[3])
    expect(pool.take('a', free).name).toBe(names[4])
    const { name } = pool.take('x', free)
    pool.forget(name)
    pool.release(name)
    expect(pool.freeCount).toBe(1)
  })

  test('creations wrap to 4: 0 to 3 are reserved', () => {
    const pool = new NamePool(() => 2 ** 32 - 5, 10)
    const { name, creation } = pool.take('h', () => false)
    expect(creation).toBe(2 ** 32 - 1)
    pool.release(name)
    expect(pool.take('h', () => false)).toEqual({ name, creation: 4 })
  })
})

describe('signals as a peer can take them', () => {
  const ours = new Pid(internAtom('a@h'), 1, 0, 1)
  const theirs = new Pid(internAtom('b@h'), 2, 0, 22)
  const old = new Pid(internAtom('b@h'), 2, 0, 21)
  const ref = new Reference(internAtom('a@h'), 1, [1, 2, 3])
  const alias = new Reference(internAtom('b@h'), 22, [1, 2, 3])
  const ALL = DistFlag.UNLINK_ID | DistFlag.SPAWN | DistFlag.ALTACT_SIG

  function sent(signal: SignalOut, negotiatedFlags = ALL, peerCreation = 22) {
    const answers: SignalIn[] = []
    return {
      sent: adapt(signal, { negotiatedFlags, peerCreation }, (answer) => answers.push(answer)),
      answers,
    }
  }

  test('nothing reaches an earlier incarnation; what asks for an answer gets that of a dead process', () => {
    const noproc = atom('noproc')
    expect(sent({ type: 'send', from: ours, to: old, message: 1 })).toEqual({ sent: undefined, answers: [] })
    expect(sent({ type: 'exit2', from: ours, to: old, reason: 1 })).toEqual({ sent: undefined, answers: [] })
    expect(sent({ type: 'exit', from: ours, to: old, reason: 1 })).toEqual({ sent: undefined, answers: [] })
    expect(sent({ type: 'demonitor', from: ours, to: old, ref })).toEqual({ sent: undefined, answers: [] })
    expect(sent({ type: 'unlinkIdAck', id: 4, from: ours, to: old })).toEqual({
      sent: undefined,
      answers: [],
    })
    expect(sent({ type: 'link', from: ours, to: old }).answers).toEqual([
      { type: 'exit', from: old, to: ours, reason: noproc },
    ])
    expect(sent({ type: 'monitor', from: ours, to: old, ref }).answers).toEqual([
      { type: 'monitorExit', from: old, to: ours, ref, reason: noproc },
    ])
    expect(sent({ type: 'unlinkId', id: 4, from: ours, to: old }).answers).toEqual([
      { type: 'unlinkIdAck', id: 4, from: old, to: ours },
    ])
  })

  test('to the present one, and to a peer whose creation is not known, everything goes', () => {
    const signal: SignalOut = { type: 'link', from: ours, to: theirs }
    expect(sent(signal)).toEqual({ sent: signal, answers: [] })
    const early: SignalOut = { type: 'link', from: ours, to: old }
    expect(sent(early, ALL, 0)).toEqual({ sent: early, answers: [] })
    const named: SignalOut = { type: 'monitor', from: ours, to: internAtom('x'), ref }
    expect(sent(named)).toEqual({ sent: named, answers: [] })
  })

  test('peers of the old link protocol, without spawn requests, without priority', () => {
    expect(sent({ type: 'unlinkId', id: 7, from: ours, to: theirs }, 0n)).toEqual({
      sent: { type: 'unlink', from: ours, to: theirs },
      answers: [{ type: 'unlinkIdAck', id: 7, from: theirs, to: ours }],
    })
    expect(sent({ type: 'unlinkIdAck', id: 7, from: ours, to: theirs }, 0n).sent).toBeUndefined()
    const request: SignalOut = {
      type: 'spawnRequest',
      ref,
      from: ours,
      groupLeader: ours,
      module: internAtom('m'),
      function: internAtom('f'),
      arity: 0,
      options: [],
      args: [],
    }
    expect(sent(request, 0n)).toEqual({
      sent: undefined,
      answers: [{ type: 'spawnReply', ref, to: ours, flags: 0, result: atom('notsup') }],
    })
    const urgent: SignalOut = {
      type: 'altactSend',
      from: ours,
      to: alias,
      message: 1,
      priority: true,
      exit: false,
    }
    expect(sent(urgent).sent).toBe(urgent)
    expect(sent(urgent, 0n).sent).toEqual({ type: 'aliasSend', from: ours, to: alias, message: 1 })
  })
})

describe('monitorNodes as an iterable', () => {
  const change = (type: NodeChange['type'], hidden: boolean): NodeChange => ({
    type,
    node: 'n@h',
    hidden,
    connectionId: 3,
    ...(type === 'nodedown' && { reason: 'disconnect' }),
  })

  test('gives what was asked for, bounded, and counts what it dropped', async () => {
    const ended: unknown[] = []
    const all = new NodeSubscription({ nodeType: 'all', nodedownReason: true, connectionId: true }, 2, (it) =>
      ended.push(it),
    )
    const visible = new NodeSubscription({}, 2, () => undefined)
    for (const subscription of [all, visible]) {
      for (const hidden of [true, false]) {
        subscription.push(change('nodeup', hidden))
        subscription.push(change('nodedown', hidden))
      }
    }
    expect([all.dropped, visible.dropped]).toEqual([2, 0])
    expect((await all.next()).value).toEqual({
      type: 'nodeup',
      node: 'n@h',
      nodeType: 'hidden',
      connectionId: 3,
    })
    expect((await all.next()).value).toMatchObject({ type: 'nodedown', reason: 'disconnect' })
    expect((await visible.next()).value).toEqual({ type: 'nodeup', node: 'n@h', nodeType: 'visible' })
    const waiting = all.next()
    all.push(change('nodeup', true))
    expect((await waiting).value).toMatchObject({ type: 'nodeup' })
    all.end()
    all.push(change('nodeup', true))
    expect(await all.next()).toEqual({ done: true, value: undefined })
    expect(ended).toEqual([all])
  })

  test('an abort ends it; what waits can still be taken', async () => {
    const abort = new AbortController()
    const subscription = new NodeSubscription({ nodeType: 'all', signal: abort.signal }, 10, () => undefined)
    subscription.push(change('nodeup', true))
    abort.abort()
    const events = []
    for await (const event of subscription) events.push(event.type)
    expect(events).toEqual(['nodeup'])
  })
})
