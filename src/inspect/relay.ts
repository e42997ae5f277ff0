/**
 * Looks on at live connections: listens, passes everything on to a node's distribution port, and tells what passes.
 * Whoever connects here instead of there is seen; to both sides it is as if nobody stood between.
 */
import type { Limits } from '../limits.js'
import { connectTcp, listenTcp, type TcpListener } from '../net/tcp.js'
import type { Transport } from '../net/transport.js'
import { WireInspector, type WireEvent, type WireSide } from './inspector.js'
import type { RecordedPiece } from './recording.js'

export interface RelayOptions {
  /** The distribution port of the node that is looked at. */
  to: { host: string; port: number }
  /** Where to listen; default loopback and a free port. */
  listen?: { host?: string; port?: number }
  limits: Limits
  maxTermCharacters?: number
  /** `connection`: 1 for the first. */
  onEvent(event: WireEvent & { ms: number; connection: number }): void
  onPiece?(piece: RecordedPiece & { connection: number }): void
}

export interface Relay {
  readonly port: number
  /** Stops listening and ends the connections that pass through. */
  close(): void
}

/** @throws NodeError `NODE_LISTEN_FAILED` */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const { listen = {} } = options
  const open = new Set<Transport>()
  let connections = 0
  let closing = false
  const listener: TcpListener = await listenTcp(
    { host: listen.host ?? '127.0.0.1', port: listen.port ?? 0, lingerMs: options.limits.closeLingerMs },
    (initiator) => void pass(initiator, ++connections),
  )

  async function pass(initiator: Transport, connection: number): Promise<void> {
    const began = performance.now()
    const ms = (): number => Math.round(performance.now() - began)
    const inspector = new WireInspector({
      ...options,
      onEvent: (event) => options.onEvent({ ...event, ms: ms(), connection }),
      onBytes: (from, bytes) => options.onPiece?.({ from, bytes, ms: ms(), connection }),
    })
    let acceptor: Transport
    try {
      const { setupTimeMs: timeoutMs, closeLingerMs: lingerMs } = options.limits
      acceptor = await connectTcp({ ...options.to, timeoutMs, lingerMs })
    } catch (error) {
      initiator.destroy()
      const text = error instanceof Error ? error.message : String(error)
      options.onEvent({ from: 'acceptor', type: 'error', text, ms: ms(), connection })
      return
    }
    let over = false
    const ended = (from: WireSide): void => {
      // The other side's end follows from the first, and both from that of the relay.
      if (over || closing) return
      over = true
      inspector.closed(from)
      options.onPiece?.({ from, bytes: new Uint8Array(0), closed: true, ms: ms(), connection })
    }
    join(initiator, acceptor, 'initiator', inspector, ended)
    join(acceptor, initiator, 'acceptor', inspector, ended)
  }

  function join(
    from: Transport,
    to: Transport,
    side: WireSide,
    inspector: WireInspector,
    ended: (side: WireSide) => void,
  ): void {
    open.add(from)
    from.attach({
      onData: (chunk) => {
        const bytes = new Uint8Array(chunk)
        inspector.feed(side, bytes)
        to.write(bytes, () => from.resume())
        // A side that does not read holds the other back, as if they were connected without us.
        if (to.bufferedBytes > options.limits.maxWriteAheadBytes) from.pause()
      },
      onClose: () => {
        open.delete(from)
        ended(side)
        to.close(false)
      },
    })
  }

  return {
    port: listener.address.port,
    close() {
      closing = true
      listener.close()
      for (const transport of open) transport.destroy()
    },
  }
}
