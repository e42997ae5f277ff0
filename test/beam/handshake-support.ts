/** Links to and from real nodes, without the layers above them. */
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import type { HandshakeError } from '../../src/errors.js'
import type { SignalIn } from '../../src/dist/signals.js'
import { ADVERTISED } from '../../src/handshake/flags.js'
import { DEFAULT_LIMITS } from '../../src/limits.js'
import {
  acceptLink,
  openLink,
  type AcceptLinkOptions,
  type Link,
  type LinkDown,
  type LinkHandlers,
  type OpenLinkOptions,
} from '../../src/net/link.js'
import { loadMd5, randomChallenge } from '../../src/net/md5.js'
import { connectTcp, listenTcp } from '../../src/net/tcp.js'
import type { Transport } from '../../src/net/transport.js'
import { cookie, privateEpmd, type Beam } from '../support/beam.js'

export const COOKIES = { inCookie: cookie, outCookie: cookie }

let count = 0

/** A name for a node of ours that no other test uses. */
export function jsName(): string {
  return `js${++count}_${randomBytes(3).toString('hex')}@127.0.0.1`
}

/** A link and what came of it. */
export interface Watched {
  link: Link
  up: Promise<Link>
  down: Promise<LinkDown>
  /** The error of a set-up that failed; rejects when the link came up. */
  failure: Promise<HandshakeError>
  statuses: string[]
  signals: SignalIn[]
}

const cleanUp: (() => void)[] = []

/** To be called after each test: closes what was opened. */
export function closeLinks(): void {
  for (const close of cleanUp.splice(0)) close()
}

async function config() {
  return {
    flags: ADVERTISED,
    limits: DEFAULT_LIMITS,
    netTicktimeMs: 60_000,
    netTickintensity: 4,
    md5: await loadMd5(),
    randomChallenge,
  }
}

function watch(start: (handlers: LinkHandlers) => Link, given: Partial<LinkHandlers>): Watched {
  const statuses: string[] = []
  const signals: SignalIn[] = []
  let wentUp: (link: Link) => void = () => undefined
  let wentDown: (down: LinkDown) => void = () => undefined
  const up = new Promise<Link>((resolve) => (wentUp = resolve))
  const down = new Promise<LinkDown>((resolve) => (wentDown = resolve))
  const link = start({
    ...given,
    onStatus: (status) => void statuses.push(status),
    onUp: (ready) => {
      given.onUp?.(ready)
      wentUp(ready)
    },
    onSignal: (signal, bytes, from) => {
      signals.push(signal)
      given.onSignal?.(signal, bytes, from)
    },
    onDown: (reason, gone) => {
      given.onDown?.(reason, gone)
      wentDown(reason)
    },
  })
  cleanUp.push(() => link.close('shutdown'))
  const failure = Promise.race([
    down.then(({ error, wasUp }) => {
      if (wasUp) throw new Error('the link had been up')
      return error as HandshakeError
    }),
    up.then(() => Promise.reject(new Error('the link came up'))),
  ])
  failure.catch(() => undefined)
  return { link, up, down, failure, statuses, signals }
}

/** Connects to a node's distribution port. */
export async function open(
  beam: Beam,
  options: Partial<OpenLinkOptions> = {},
  handlers: Partial<LinkHandlers> = {},
  wrap: (transport: Transport) => Transport = (transport) => transport,
): Promise<Watched> {
  const transport = await connectTcp({ host: '127.0.0.1', port: await beam.distributionPort() })
  const all: OpenLinkOptions = {
    ...(await config()),
    ...COOKIES,
    thisNode: { name: jsName(), creation: 0x01020304 },
    peerName: beam.name,
    ...options,
  }
  return watch((watching) => openLink(wrap(transport), all, watching), handlers)
}

export interface Listening {
  name: string
  /** The next link that comes in. */
  next(): Promise<Watched>
}

/**
 * Listens under a name that nodes of this test file find in their EPMD.
 * @param version highest distribution version to register; with 5, OTP 23 and 24 open with the old name message
 */
export async function listen(
  handlers: Partial<LinkHandlers> = {},
  options: Partial<AcceptLinkOptions> = {},
  version = 6,
): Promise<Listening> {
  const name = jsName()
  const all: AcceptLinkOptions = { ...(await config()), thisNode: { name, creation: 0x0a0b0c0d }, ...options }
  const arrived: Watched[] = []
  const waiting: ((link: Watched) => void)[] = []
  const listener = await listenTcp({ host: '127.0.0.1', port: 0 }, (transport) => {
    const watched = watch((watching) => acceptLink(transport, all, watching), {
      onName: () => ({ status: 'ok', ...COOKIES }),
      ...handlers,
    })
    const next = waiting.shift()
    if (next === undefined) arrived.push(watched)
    else next(watched)
  })
  const registration = await register(name.slice(0, name.indexOf('@')), listener.address.port, version)
  cleanUp.push(() => {
    listener.close()
    registration.destroy()
  })
  return {
    name,
    next: async () => arrived.shift() ?? (await new Promise<Watched>((resolve) => waiting.push(resolve))),
  }
}

/** ALIVE2_REQ to the EPMD of this test file; the name lives as long as the socket. */
async function register(alive: string, port: number, version: number): Promise<Socket> {
  const socket = connect(await privateEpmd(), '127.0.0.1')
  const request = Buffer.alloc(2 + 13 + alive.length)
  request.writeUInt16BE(13 + alive.length, 0)
  request[2] = 120
  request.writeUInt16BE(port, 3)
  request[5] = 77 // a visible node, so that it is found
  request.writeUInt16BE(version, 7)
  request.writeUInt16BE(5, 9)
  request.writeUInt16BE(alive.length, 11)
  request.write(alive, 13, 'latin1')
  socket.write(request)
  await new Promise<void>((resolve, reject) => {
    socket.once('data', (answer) =>
      answer[1] === 0 ? resolve() : reject(new Error(`EPMD says ${answer[1]}`)),
    )
    socket.once('error', reject)
  })
  return socket
}

/** A transport that writes each byte by itself. */
export function dripping(transport: Transport): Transport {
  return new Proxy(transport, {
    get(target, property) {
      if (property === 'write') {
        return (bytes: Uint8Array, done?: () => void) => {
          bytes.forEach((byte, index) => {
            target.write(Uint8Array.of(byte), index === bytes.length - 1 ? done : undefined)
          })
        }
      }
      const value: unknown = Reflect.get(target, property, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}
