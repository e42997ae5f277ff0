import { encodeRequest, type EpmdNode, type EpmdRequest, NO_EXTRA } from '../../../src/epmd/messages.js'
import { creationOf, EpmdRegistry } from '../../../src/epmd/registry.js'
import { EpmdServerMachine, type EpmdServerAction } from '../../../src/epmd/server.js'
import { DEFAULT_LIMITS, type Limits } from '../../../src/limits.js'

const SEED = 0x6b020915
const LOCAL = true

const node = (name: string, over: Partial<EpmdNode> = {}): EpmdNode => ({
  name,
  port: 4000,
  nodeType: 77,
  protocol: 0,
  highestVersion: 6,
  lowestVersion: 5,
  extra: NO_EXTRA,
  ...over,
})
const alive = (name: string, over: Partial<EpmdNode> = {}): EpmdRequest => ({
  type: 'alive',
  node: node(name, over),
})

/** A machine with connections that are named by numbers, and the time in hand. */
class Daemon {
  readonly machine: EpmdServerMachine
  nowMs = 0
  #next = 1

  constructor(limits: Partial<Limits> = {}, relaxedCommandCheck = false) {
    this.machine = new EpmdServerMachine({
      port: 4369,
      relaxedCommandCheck,
      limits: { ...DEFAULT_LIMITS, ...limits },
    })
  }

  open(local = LOCAL): number {
    const id = this.#next++
    expect(this.machine.opened(id, local, this.nowMs)).toEqual([])
    return id
  }

  bytes(id: number, bytes: Uint8Array): EpmdServerAction[] {
    return this.machine.received(id, bytes, SEED, this.nowMs)
  }

  /** A whole request on a connection of its own. */
  ask(request: EpmdRequest, local = LOCAL): EpmdServerAction[] {
    return this.bytes(this.open(local), encodeRequest(request))
  }

  names(): string[] {
    return Array.from(this.machine.registry.active, (registration) => registration.node.name)
  }
}

const sent = (actions: EpmdServerAction[]) =>
  actions.flatMap((action) => (action.type === 'send' ? [Buffer.from(action.bytes).toString('latin1')] : []))
const types = (actions: EpmdServerAction[]) => actions.map(({ type }) => type)
const drops = (actions: EpmdServerAction[]) =>
  actions.flatMap((action) => (action.type === 'drop' ? [[action.connection, action.reason]] : []))

describe('registration', () => {
  test('lives as long as its connection, then the name is free', () => {
    const daemon = new Daemon()
    const id = daemon.open()
    const actions = daemon.bytes(id, encodeRequest(alive('a')))
    expect(sent(actions)).toEqual(['v\0\x6b\x02\x09\x15'])
    expect(types(actions)).toEqual(['send', 'registered'])
    expect(sent(daemon.ask({ type: 'port', name: 'a' }))).toEqual(['w\0\x0f\xa0M\0\0\x06\0\x05\0\x01a\0\0'])
    expect(types(daemon.machine.closed(id))).toEqual(['unregistered'])
    expect(sent(daemon.ask({ type: 'port', name: 'a' }))).toEqual(['w\x01'])
    expect(daemon.machine.closed(id)).toEqual([])
  })

  test('a name is registered once: the second gets a refusal in its own form and the end of its connection', () => {
    const daemon = new Daemon()
    daemon.ask(alive('a'))
    const six = daemon.ask(alive('a'))
    expect(sent(six)).toEqual(['v\x01\0\0\0c'])
    expect(types(six)).toEqual(['refused', 'send', 'close'])
    expect(sent(daemon.ask(alive('a', { highestVersion: 5 })))).toEqual(['y\x01\0c'])
    expect(daemon.names()).toEqual(['a'])
  })

  test('creations: seconds for a new name, counted on for one that comes back; 1 to 3 before version 6', () => {
    const daemon = new Daemon()
    const creations: number[] = []
    for (const highestVersion of [6, 6, 5, 5, 5, 6]) {
      const id = daemon.open()
      for (const action of daemon.bytes(id, encodeRequest(alive('a', { highestVersion }))))
        if (action.type === 'registered') creations.push(action.creation)
      daemon.machine.closed(id)
    }
    const third = ((SEED + 2) % 3) + 1
    expect(creations).toEqual([SEED, SEED + 1, third, (third % 3) + 1, ((third + 1) % 3) + 1, SEED + 5])
  })

  test('anything more on the connection ends the registration, as in OTP', () => {
    const daemon = new Daemon()
    const id = daemon.open()
    daemon.bytes(id, encodeRequest(alive('a')))
    expect(types(daemon.bytes(id, Uint8Array.of(0)))).toEqual(['drop', 'unregistered'])
    expect(daemon.names()).toEqual([])
  })

  test.each([
    ['blank', 'a b'],
    ['line break', 'a\nname b at port 1'],
    ['@', 'a@b'],
    ['256 characters', 'x'.repeat(256)],
  ])('a name with %s is refused', (_what, name) => {
    const daemon = new Daemon()
    expect(sent(daemon.ask(alive(name)))).toEqual(['v\x01\0\0\0c'])
    expect(daemon.names()).toEqual([])
  })

  test('a name of 255 characters of four bytes is registered and found', () => {
    const daemon = new Daemon()
    const name = '𝕏'.repeat(255)
    daemon.ask(alive(name))
    expect(daemon.names()).toEqual([name])
    expect(sent(daemon.ask({ type: 'port', name }))[0]).toMatch(/^w\0/)
  })

  test('only processes of this host register', () => {
    const daemon = new Daemon()
    const actions = daemon.ask(alive('a'), !LOCAL)
    expect(drops(actions)).toEqual([[1, 'alive request from another host']])
    expect(daemon.names()).toEqual([])
  })
})

describe('questions', () => {
  test('names, youngest first, from anywhere', () => {
    const daemon = new Daemon()
    daemon.ask(alive('a'))
    daemon.ask(alive('b', { port: 4001 }))
    const reply = '\0\0\x11\x11name b at port 4001\nname a at port 4000\n'
    expect(sent(daemon.ask({ type: 'names' }, !LOCAL))).toEqual([reply])
    expect(types(daemon.ask({ type: 'names' }))).toEqual(['send', 'close'])
  })

  test('the names reply follows every change, and is one copy between two', () => {
    const daemon = new Daemon()
    const reply = () => daemon.ask({ type: 'names' }).find((action) => action.type === 'send')
    const empty = reply()
    expect(reply()?.bytes).toBe(empty?.bytes)
    const id = daemon.open()
    daemon.bytes(id, encodeRequest(alive('a')))
    expect(Buffer.from(reply()!.bytes).toString('latin1', 4)).toBe('name a at port 4000\n')
    daemon.machine.closed(id)
    expect(reply()?.bytes).toEqual(empty?.bytes)
  })

  test('dump, in the words of OTP, with the names that are gone; for this host only', () => {
    const daemon = new Daemon()
    const gone = daemon.open()
    daemon.bytes(gone, encodeRequest(alive('old')))
    daemon.machine.closed(gone)
    daemon.ask(alive('a'))
    expect(sent(daemon.ask({ type: 'dump' }))).toEqual([
      '\0\0\x11\x11active name     <a> at port 4000, fd = 2\n\0old/unused name <old>, port = 4000, fd = 1 \n\0',
    ])
    expect(drops(daemon.ask({ type: 'dump' }, !LOCAL))).toHaveLength(1)
  })

  test('an answered connection is not listened to any more', () => {
    const daemon = new Daemon()
    const id = daemon.open()
    daemon.bytes(id, encodeRequest({ type: 'names' }))
    expect(daemon.bytes(id, encodeRequest(alive('a')))).toEqual([])
    expect(daemon.names()).toEqual([])
  })
})

describe('commands', () => {
  test('kill: only from this host, and with names registered only with relaxed command check', () => {
    const strict = new Daemon()
    expect(drops(strict.ask({ type: 'kill' }, !LOCAL))).toHaveLength(1)
    strict.ask(alive('a'))
    expect(types(strict.ask({ type: 'kill' }))).toEqual(['send', 'close'])
    expect(sent(strict.ask({ type: 'kill' }))).toEqual(['NO'])
    const relaxed = new Daemon({}, true)
    relaxed.ask(alive('a'))
    const actions = relaxed.ask({ type: 'kill' })
    expect(sent(actions)).toEqual(['OK'])
    expect(types(actions)).toEqual(['send', 'close', 'terminate'])
    expect(drops(relaxed.ask({ type: 'kill' }, !LOCAL))).toHaveLength(1)
    expect(types(new Daemon().ask({ type: 'kill' }))).toEqual(['send', 'close', 'terminate'])
  })

  test('stop: only with relaxed command check; closes the connection that holds the name', () => {
    const strict = new Daemon()
    strict.ask(alive('a'))
    expect(types(strict.ask({ type: 'stop', name: 'a' }))).toEqual(['drop'])
    expect(strict.names()).toEqual(['a'])
    const relaxed = new Daemon({}, true)
    const holder = relaxed.open()
    relaxed.bytes(holder, encodeRequest(alive('a')))
    expect(drops(relaxed.ask({ type: 'stop', name: 'a' }, !LOCAL))).toHaveLength(1)
    const actions = relaxed.ask({ type: 'stop', name: 'a' })
    expect(drops(actions)).toEqual([[holder, 'stopped by request']])
    expect(sent(actions)).toEqual(['STOPPED'])
    expect(relaxed.names()).toEqual([])
    expect(sent(relaxed.ask({ type: 'stop', name: 'a' }))).toEqual(['NOEXIST'])
  })
})

describe('requests on the wire', () => {
  test.each<EpmdRequest>([
    alive('a', { extra: Uint8Array.of(1, 2, 3) }),
    { type: 'port', name: 'a' },
    { type: 'names' },
  ])('byte by byte, from one buffer that is overwritten: $type', (request) => {
    const whole = new Daemon().ask(request)
    const daemon = new Daemon()
    const id = daemon.open()
    const bytes = encodeRequest(request)
    const chunk = new Uint8Array(1)
    const actions: EpmdServerAction[] = []
    bytes.forEach((byte, index) => {
      chunk[0] = byte
      actions.push(...daemon.bytes(id, chunk))
      if (index < bytes.length - 1) expect(actions).toEqual([])
    })
    expect(actions).toEqual(whole)
  })

  test('the same request cut at every place gives the same answer', () => {
    const bytes = encodeRequest(alive('abc'))
    const whole = new Daemon().ask(alive('abc'))
    for (let cut = 1; cut < bytes.length; cut++) {
      const daemon = new Daemon()
      const id = daemon.open()
      const first = daemon.bytes(id, bytes.subarray(0, cut))
      expect([...first, ...daemon.bytes(id, bytes.subarray(cut))]).toEqual(whole)
    }
  })

  test('bytes behind a request: no answer', () => {
    const daemon = new Daemon()
    const id = daemon.open()
    expect(drops(daemon.bytes(id, Uint8Array.of(...encodeRequest({ type: 'names' }), 0)))).toEqual([
      [id, 'bytes after the request'],
    ])
  })

  test('a length of 0, and one past the limit, end the connection at their second byte', () => {
    const daemon = new Daemon({ maxEpmdRequestBytes: 300 })
    for (const length of [0, 301, 65_535]) {
      const id = daemon.open()
      expect(daemon.bytes(id, Uint8Array.of(length >> 8))).toEqual([])
      expect(types(daemon.bytes(id, Uint8Array.of(length)))).toEqual(['drop'])
    }
    const id = daemon.open()
    expect(daemon.bytes(id, Uint8Array.of(1, 44))).toEqual([]) // 300
    expect(daemon.machine.pendingConnections).toBe(1)
    const longest = Uint8Array.of(122, ...new Uint8Array(255).fill(0x61), ...new Uint8Array(44))
    expect(types(daemon.bytes(id, longest))).toEqual(['drop']) // read whole: no name has NULs inside
  })

  test('one huge chunk is refused by its length', () => {
    const daemon = new Daemon()
    const id = daemon.open()
    expect(types(daemon.bytes(id, new Uint8Array(1 << 20).fill(0xff)))).toEqual(['drop'])
  })

  test('bytes for a connection that is gone are ignored', () => {
    const daemon = new Daemon()
    const id = daemon.open()
    daemon.machine.closed(id)
    expect(daemon.bytes(id, encodeRequest(alive('a')))).toEqual([])
    expect(daemon.names()).toEqual([])
  })
})

describe('limits', () => {
  test('a connection without a request ends when nothing more comes, and at its deadline however it drips', () => {
    const daemon = new Daemon({ epmdPacketTimeoutMs: 1000, epmdRequestTimeoutMs: 2500 })
    const [silent, id] = [daemon.open(), daemon.open()]
    expect(daemon.machine.dueMs).toBe(1000)
    daemon.nowMs = 999
    daemon.bytes(id, Uint8Array.of(0))
    expect(daemon.machine.expire(999)).toEqual([])
    expect(drops(daemon.machine.expire(1000))).toEqual([[silent, 'no request in time']])
    expect(daemon.machine.dueMs).toBe(1999)
    daemon.nowMs = 1998
    daemon.bytes(id, Uint8Array.of(3))
    expect(daemon.machine.dueMs).toBe(2500)
    daemon.nowMs = 2400
    daemon.bytes(id, Uint8Array.of(1))
    expect(daemon.machine.expire(2499)).toEqual([])
    expect(drops(daemon.machine.expire(2500))).toEqual([[id, 'no request in time']])
    expect(daemon.machine.dueMs).toBeUndefined()
  })

  test('an answer that is not read has the same time-out; a registration has none', () => {
    const daemon = new Daemon({ epmdPacketTimeoutMs: 1000 })
    daemon.ask(alive('a'))
    daemon.ask({ type: 'names' })
    expect(drops(daemon.machine.expire(1000))).toEqual([[2, 'answer not read in time']])
    expect(daemon.names()).toEqual(['a'])
    expect(daemon.machine.dueMs).toBeUndefined()
  })

  test('pending connections: at the limit none is dropped, past it the oldest, and never a registration', () => {
    const daemon = new Daemon({ maxEpmdPendingConnections: 3 })
    daemon.ask(alive('a'))
    const [oldest] = [daemon.open(), daemon.open(), daemon.open()]
    expect(daemon.machine.pendingConnections).toBe(3)
    const actions = daemon.machine.opened(99, LOCAL, 0)
    expect(drops(actions)).toEqual([
      [oldest, 'too many connections: the oldest without a registration gives way'],
    ])
    expect(sent(daemon.bytes(99, encodeRequest({ type: 'names' })))[0]).toMatch(/name a at port 4000/)
    expect(daemon.machine.pendingConnections).toBe(3)
  })

  test('unread answers: at the limit none is dropped, past it the oldest', () => {
    // An answer to PORT_PLEASE2_REQ for a name that is not there has two bytes.
    const daemon = new Daemon({ maxEpmdQueuedBytes: 6 })
    const missing: EpmdRequest = { type: 'port', name: 'x' }
    for (let i = 0; i < 3; i++) expect(drops(daemon.ask(missing))).toEqual([])
    expect(drops(daemon.ask(missing))).toEqual([[1, 'too many unread answers']])
    daemon.machine.closed(2)
    expect(drops(daemon.ask(missing))).toEqual([])
    expect(drops(daemon.ask(missing))).toEqual([[3, 'too many unread answers']])
  })

  test('names: at the limit registered, past it refused', () => {
    const daemon = new Daemon({ maxEpmdNames: 2 })
    const first = daemon.open()
    daemon.bytes(first, encodeRequest(alive('a')))
    expect(sent(daemon.ask(alive('b')))).toEqual(['v\0\x6b\x02\x09\x15'])
    expect(sent(daemon.ask(alive('c')))).toEqual(['v\x01\0\0\0c'])
    daemon.machine.closed(first)
    expect(sent(daemon.ask(alive('c')))).toEqual(['v\0\x6b\x02\x09\x15'])
  })

  test('extra: at the limit registered, past it refused', () => {
    const daemon = new Daemon({ maxEpmdExtraBytes: 4 })
    expect(sent(daemon.ask(alive('a', { extra: new Uint8Array(4) })))[0]).toMatch(/^v\0/)
    expect(sent(daemon.ask(alive('b', { extra: new Uint8Array(5) })))[0]).toBe('v\x01\0\0\0c')
  })

  test('names that are gone: past the limit the longest gone is forgotten and begins anew', () => {
    const registry = new EpmdRegistry({ ...DEFAULT_LIMITS, maxEpmdOldNames: 2 })
    for (const name of ['a', 'b', 'c']) {
      registry.register(node(name), 1, 100)
      registry.unregister(name)
    }
    expect(Array.from(registry.old, (old) => old.node.name)).toEqual(['b', 'c'])
    expect(registry.register(node('a'), 1, 500)).toEqual({ creation: 500 })
    expect(registry.register(node('b'), 1, 500)).toEqual({ creation: 101 })
  })
})

describe('creations', () => {
  test.each([
    [4, 4],
    [2 ** 32 - 1, 2 ** 32 - 1],
    [2 ** 32, 8],
    [3, 7],
    [0, 4],
  ])('counter %d gives a node of version 6 the creation %d: 32 bits, never 0 to 3', (counter, creation) => {
    expect(creationOf(counter, 6)).toBe(creation)
  })

  test('three incarnations of an old node that follow each other differ', () => {
    const creations = [5, 6, 7].map((counter) => creationOf(counter, 5))
    expect(new Set(creations)).toEqual(new Set([1, 2, 3]))
  })
})
