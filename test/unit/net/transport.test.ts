/** What every transport promises, shown for each of them. */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { DEFAULT_LIMITS } from '../../../src/limits.js'
import { systemClock } from '../../../src/net/clock.js'
import { memoryPair } from '../../../src/net/memory.js'
import {
  connectTcp,
  listenTcp,
  type TcpListener,
  type TcpOptions,
  type TcpTransport,
} from '../../../src/net/tcp.js'
import type { Transport } from '../../../src/net/transport.js'
import { until } from '../../support/children.js'

interface End {
  transport: Transport
  readonly received: Buffer
  /** Resolves when that many bytes are there. */
  bytes(count: number): Promise<Buffer>
  closed: Promise<Error | undefined>
}

function attach(transport: Transport): End {
  const chunks: Uint8Array[] = []
  let count = 0
  let wake: (() => void) | undefined
  const closed = new Promise<Error | undefined>((resolve) => {
    transport.attach({
      onData(chunk) {
        chunks.push(new Uint8Array(chunk))
        count += chunk.length
        wake?.()
      },
      onClose: resolve,
    })
  })
  return {
    transport,
    closed,
    get received() {
      return Buffer.concat(chunks)
    },
    async bytes(wanted) {
      while (count < wanted) await new Promise<void>((resolve) => (wake = resolve))
      return Buffer.concat(chunks)
    },
  }
}

const listeners: TcpListener[] = []
const transports: Transport[] = []

afterEach(() => {
  for (const listener of listeners.splice(0)) listener.close()
  for (const transport of transports.splice(0)) transport.destroy()
  jest.restoreAllMocks()
})

async function tcpPair(): Promise<[Transport, Transport]> {
  let accepted: (transport: TcpTransport) => void = () => undefined
  const other = new Promise<TcpTransport>((resolve) => (accepted = resolve))
  const listener = await listenTcp({ host: '127.0.0.1', port: 0 }, accepted)
  listeners.push(listener)
  const ours = await connectTcp(listener.address)
  const theirs = await other
  transports.push(ours, theirs)
  return [ours, theirs]
}

/** With the buffers that a socket has. */
async function memory(): Promise<[Transport, Transport]> {
  return memoryPair({ schedule: setImmediate, windowBytes: 1_000_000 })
}

describe.each([
  ['tcp', tcpPair],
  ['memory', memory],
])('%s', (_, make) => {
  test('carries bytes both ways, in order, and says when they left', async () => {
    const [left, right] = await make()
    const a = attach(left)
    const b = attach(right)
    const done: number[] = []
    for (let i = 0; i < 100; i++) left.write(Buffer.from(`${i},`), () => done.push(i))
    right.write(Buffer.from('hello'))
    const expected = Array.from({ length: 100 }, (_x, i) => `${i},`).join('')
    expect((await b.bytes(expected.length)).toString()).toBe(expected)
    expect((await a.bytes(5)).toString()).toBe('hello')
    expect(done).toEqual(Array.from({ length: 100 }, (_x, i) => i))
    expect(left.bufferedBytes).toBe(0)
  })

  test('delivers nothing before it is attached', async () => {
    const [left, right] = await make()
    const a = attach(left)
    left.write(Buffer.from('early'))
    right.write(Buffer.from('x'))
    await a.bytes(1)
    expect((await attach(right).bytes(5)).toString()).toBe('early')
  })

  test('close: what was written arrives, then both ends are closed without error', async () => {
    const [left, right] = await make()
    const a = attach(left)
    const b = attach(right)
    const large = Buffer.alloc(3_000_000, 7)
    left.write(large)
    left.close()
    left.write(Buffer.from('not any more'))
    expect(await b.closed).toBeUndefined()
    expect(b.received.equals(large)).toBe(true)
    expect(await a.closed).toBeUndefined()
    expect([left.closed, right.closed]).toEqual([true, true])
  })

  test('close takes nothing from the peer, even when it was sending', async () => {
    const [left, right] = await make()
    const a = attach(left)
    const b = attach(right)
    right.write(Buffer.alloc(2_000_000))
    left.write(Buffer.from('reason'))
    left.close()
    expect(await b.closed).toBeUndefined()
    expect(b.received.toString()).toBe('reason')
    await a.closed
    expect(a.received.length).toBeLessThanOrEqual(2_000_000)
  })

  test('destroy ends both ends; every write is done once', async () => {
    const [left, right] = await make()
    const a = attach(left)
    const b = attach(right)
    right.pause()
    let done = 0
    for (let i = 0; i < 200; i++) left.write(Buffer.alloc(100_000), () => done++)
    left.destroy()
    left.write(Buffer.alloc(1), () => done++)
    await a.closed
    right.resume()
    await b.closed
    await new Promise(setImmediate)
    expect(done).toBe(201)
    left.destroy()
    left.close()
  })

  test('a paused reader holds the writer back', async () => {
    const [left, right] = await make()
    attach(left)
    const b = attach(right)
    right.pause()
    const chunk = Buffer.alloc(1_000_000)
    let written = 0
    const most = 50
    for (let i = 0; i < most; i++) left.write(chunk, () => written++)
    // What the buffers of both ends hold is taken; the rest waits here.
    await new Promise(setImmediate)
    expect(left.bufferedBytes).toBeGreaterThan(0)
    expect(written).toBeLessThan(most)
    right.resume()
    await b.bytes(most * chunk.length)
    expect(left.bufferedBytes).toBe(0)
  })

  test('a handler that comes after the end hears of it', async () => {
    const [left, right] = await make()
    const a = attach(left)
    left.destroy()
    await a.closed
    expect(await attach(right).closed).toBeUndefined()
  })

  test('what comes is read to where it is wanted, on either side', async () => {
    for (const from of [0, 1]) {
      const pair = await make()
      const sender = pair[from] as Transport
      const message = Buffer.from(Array.from({ length: 300_000 }, (_x, i) => i % 251))
      const place = new Uint8Array(message.length)
      let filled = 0
      let inPlace = 0
      await new Promise<void>((resolve) => {
        ;(pair[1 - from] as Transport).attach({
          onData(chunk) {
            if (chunk.buffer === place.buffer) {
              expect(chunk.byteOffset).toBe(filled)
              inPlace += chunk.length
            } else place.set(chunk, filled)
            filled += chunk.length
            if (filled === message.length) resolve()
          },
          room: () => (filled < message.length ? place.subarray(filled) : undefined),
          onClose: () => undefined,
        })
        attach(sender)
        sender.write(message.subarray(0, 1))
        sender.write(message.subarray(1))
      })
      expect(Buffer.compare(place, message)).toBe(0)
      expect(inPlace).toBeGreaterThan(0)
    }
  })

  test('options are kept', async () => {
    const [left] = await make()
    expect(left.options()).toEqual({ nodelay: true, keepalive: true })
    left.setOptions({ keepalive: false })
    left.setOptions({ nodelay: false })
    expect(left.options()).toEqual({ nodelay: false, keepalive: false })
    expect(left.localAddress).toBeDefined()
    expect(left.remoteAddress).toBeDefined()
    expect(left.handshakeLengthBytes).toBe(2)
  })
})

/** Connects twice, ends the first connection, then writes to the second, and then says so. */
const ENDS_ONE_WRITES_OTHER = `
const { connect } = require('node:net')
const { parentPort, workerData } = require('node:worker_threads')
const first = connect(workerData.port, '127.0.0.1', () => {
  const second = connect(workerData.port, '127.0.0.1', () => parentPort.postMessage('connected'))
  parentPort.once('message', () => first.end(() => second.write('news', () => {
    Atomics.store(workerData.done, 0, 1)
    Atomics.notify(workerData.done, 0)
  })))
})`

describe('tcp', () => {
  test('an end that came first is told first, though other sockets brought more meanwhile', async () => {
    const events: string[] = []
    const accepted: Transport[] = []
    const listener = await listenTcp({ host: '127.0.0.1', port: 0 }, (transport) => accepted.push(transport))
    listeners.push(listener)
    const done = new Int32Array(new SharedArrayBuffer(4))
    const worker = new Worker(ENDS_ONE_WRITES_OTHER, {
      eval: true,
      workerData: { port: listener.address.port, done },
    })
    await once(worker, 'message')
    while (accepted.length < 2) await new Promise(setImmediate)
    const [first, second] = accepted as [Transport, Transport]
    transports.push(first, second)
    first.attach({ onData: () => undefined, onClose: () => events.push('end') })
    const news = new Promise<void>((resolve) => {
      second.attach({ onData: () => (events.push('news'), resolve()), onClose: () => undefined })
    })
    worker.postMessage('go')
    // Both are there before this thread looks.
    Atomics.wait(done, 0, 0)
    await news
    expect(events).toEqual(['end', 'news'])
    await worker.terminate()
  })

  test.each([
    [0, false],
    [0.125, true],
  ])(
    'many messages at a time, with coalescingMs %d: the thread sleeps is %p',
    async (coalescingMs, sleeps) => {
      const wait = jest.spyOn(Atomics, 'wait')
      const accepted = new Promise<Transport>((resolve) => {
        void listenTcp({ host: '127.0.0.1', port: 0, coalescingMs }, resolve).then((listener) => {
          listeners.push(listener)
          void connectTcp({ ...listener.address, coalescingMs: 0 }).then((transport) => {
            transports.push(transport)
            transport.attach({ onData: () => transport.write(Buffer.of(1)), onClose: () => undefined })
            transport.write(Buffer.of(1))
          })
        })
      })
      const many = await accepted
      transports.push(many)
      let frames = 0
      await new Promise<void>((resolve) => {
        many.attach({
          onData() {
            frames += 100
            many.write(Buffer.of(1))
            if (frames > 10_000 && wait.mock.calls.length > 0 === sleeps) resolve()
          },
          frames: () => frames,
          onClose: () => undefined,
        })
      })
      expect(wait.mock.calls.length > 0).toBe(sleeps)
      for (const [, , , ms] of wait.mock.calls) expect(ms).toBe(0.2 * coalescingMs)
      wait.mockRestore()
    },
  )

  /** Two connections, both ends of each; the clock stands still. */
  async function bulkAndSmall(options: TcpOptions) {
    // Of how long ago another one sent, a stall of this process would say what it likes.
    jest.spyOn(systemClock, 'now').mockReturnValue(1000)
    const accepted: TcpTransport[] = []
    const listener = await listenTcp(
      { host: '127.0.0.1', port: 0, coalescingMs: 0, ...options },
      (transport) => accepted.push(transport),
    )
    listeners.push(listener)
    const bulk = await connectTcp({ ...listener.address })
    const small = await connectTcp({ ...listener.address })
    transports.push(bulk, small)
    await until(() => accepted.length === 2)
    transports.push(...accepted)
    const [fromBulk, fromSmall] = accepted
    return { bulk, small, fromBulk, fromSmall }
  }

  test.each([
    ['as a rule', DEFAULT_LIMITS.maxReadTurnBytes],
    ['with half of that', DEFAULT_LIMITS.maxReadTurnBytes / 2],
    ['with none', 0],
  ])('a small message does not wait for megabytes of another connection, %s', async (_, maxReadTurnBytes) => {
    const { bulk, small, fromBulk, fromSmall } = await bulkAndSmall({ maxReadTurnBytes })
    let bulkBytes = 0
    const before: number[] = []
    fromBulk.attach({
      onData(chunk) {
        bulkBytes += chunk.length
      },
      frames: () => 1,
      onClose: () => undefined,
    })
    fromSmall.attach({
      onData: () => {
        before.push(bulkBytes)
        // What the reader wants holds beside whose turn it is.
        if (before.length === 2) fromBulk.pause()
      },
      frames: () => 1,
      onClose: () => undefined,
    })
    // The system makes its buffers larger while much comes.
    bulk.write(Buffer.alloc(64 * 1024 * 1024))
    await until(() => bulkBytes === 64 * 1024 * 1024)
    bulkBytes = 0
    small.write(Buffer.of(1))
    await until(() => before.length === 1)
    // Both are there, as far as the system takes them, before the other side looks.
    bulk.write(Buffer.alloc(8 * 1024 * 1024))
    small.write(Buffer.of(2))
    await until(() => before.length === 2)
    expect(before[1]).toBeLessThanOrEqual(maxReadTurnBytes / 4 + 64 * 1024)
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(bulkBytes).toBeLessThanOrEqual(before[1] + maxReadTurnBytes / 4 + 64 * 1024)
    fromBulk.resume()
    await until(() => bulkBytes === 8 * 1024 * 1024)
  })

  test('a connection closed by what it brought is read to its end, though it has had its turn', async () => {
    const { bulk, small, fromBulk, fromSmall } = await bulkAndSmall({ lingerMs: 1_000_000 })
    const seen = new Promise<void>((resolve) =>
      fromSmall.attach({ onData: () => resolve(), frames: () => 1, onClose: () => undefined }),
    )
    small.write(Buffer.of(1))
    await seen
    // What came, and what of it in this turn of the event loop.
    let bytes = 0
    let turnBytes = 0
    let closedAfter = 0
    const gone = new Promise<void>((resolve) =>
      fromBulk.attach({
        onData(chunk) {
          bytes += chunk.length
          if (turnBytes === 0) setImmediate(() => (turnBytes = 0))
          turnBytes += chunk.length
          // The system makes its buffers larger while much comes.
          if (bytes < 64 * 1024 * 1024 || turnBytes < DEFAULT_LIMITS.maxReadTurnBytes / 4) return
          closedAfter = bytes
          fromBulk.close()
        },
        frames: () => 1,
        onClose: () => resolve(),
      }),
    )
    bulk.attach({ onData: () => undefined, onClose: () => undefined })
    bulk.write(Buffer.alloc(128 * 1024 * 1024), () => bulk.close())
    await gone
    expect(closedAfter).toBeGreaterThan(0)
  })

  test('a port where nobody listens is NODE_CONNECT_FAILED, with the cause', async () => {
    const listener = await listenTcp({ host: '127.0.0.1', port: 0 }, () => undefined)
    listener.close()
    await expect(connectTcp(listener.address)).rejects.toMatchObject({
      code: 'NODE_CONNECT_FAILED',
      cause: { code: 'ECONNREFUSED' },
    })
  })

  test('the time to connect includes the resolution of names', async () => {
    const lookup = (): void => undefined
    await expect(connectTcp({ host: 'never.example', port: 1, timeoutMs: 10, lookup })).rejects.toMatchObject(
      {
        code: 'NODE_CONNECT_TIMEOUT',
      },
    )
  })

  test('connecting can be aborted, before and meanwhile', async () => {
    const reason = new Error('not now')
    const lookup = (): void => undefined
    await expect(connectTcp({ host: 'x', port: 1, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const connecting = connectTcp({ host: 'never.example', port: 1, lookup, signal: controller.signal })
    controller.abort(reason)
    await expect(connecting).rejects.toBe(reason)
  })

  test('a port that is taken is NODE_LISTEN_FAILED; a closed one is free at once', async () => {
    const first = await listenTcp({ host: '127.0.0.1', port: 0 }, () => undefined)
    const again = { host: '127.0.0.1', port: first.address.port }
    await expect(listenTcp(again, () => undefined)).rejects.toMatchObject({
      code: 'NODE_LISTEN_FAILED',
      cause: { code: 'EADDRINUSE' },
    })
    first.close()
    listeners.push(await listenTcp(again, () => undefined))
  })

  test('listening can be aborted', async () => {
    const reason = new Error('not now')
    const listening = listenTcp(
      { host: '127.0.0.1', port: 0, signal: AbortSignal.abort(reason) },
      () => undefined,
    )
    await expect(listening).rejects.toBe(reason)
  })

  /** A peer that reads nothing and never ends its side. */
  async function stubborn(): Promise<{ port: number; end(): Promise<void> }> {
    const sockets: Socket[] = []
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined)
      sockets.push(socket)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return {
      port: (server.address() as AddressInfo).port,
      async end() {
        for (const socket of sockets) socket.destroy()
        await new Promise((resolve) => server.close(resolve))
      },
    }
  }

  test('a peer that never reads nor ends is given up after the linger time', async () => {
    const peer = await stubborn()
    const transport = await connectTcp({ host: '127.0.0.1', port: peer.port, lingerMs: 20 })
    const end = attach(transport)
    transport.write(Buffer.alloc(50_000_000))
    transport.close()
    await end.closed
    expect(transport.closed).toBe(true)
    await peer.end()
  })

  test('without waiting for the peer, it is given up as soon as what was written has left', async () => {
    const peer = await stubborn()
    const transport = await connectTcp({ host: '127.0.0.1', port: peer.port, lingerMs: 600_000 })
    const end = attach(transport)
    let left = false
    transport.write(Buffer.from('no'), () => (left = true))
    transport.close(false)
    expect(await end.closed).toBeUndefined()
    expect(left).toBe(true)
    await peer.end()
  })
})
