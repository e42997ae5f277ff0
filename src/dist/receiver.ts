/**
 * The receiving half of a channel: bytes in, signals out.
 *
 *     chunk ─▶ framing ─▶ header, atom cache ─▶ fragments ─▶ control message, payload ─▶ signal
 *
 * What breaks the protocol is a DistError, after which the connection is to be closed, as a BEAM closes it.
 */
import type { Atom } from '../etf/atom.js'
import { AtomBudget } from '../etf/budget.js'
import { type DecodeContext, Reader } from '../etf/reader.js'
import { DistError, EtfError } from '../errors.js'
import type { Limits } from '../limits.js'
import { type Allocate, readUint64 } from './bytes.js'
import { attachPayload, decodeControl } from './control-decode.js'
import { FragmentAssembler } from './fragments.js'
import { FrameReader } from './framing.js'
import {
  AtomCacheReader,
  DIST_FRAG_CONT,
  DIST_FRAG_HEADER,
  DIST_HEADER,
  FRAGMENT_HEADER_BYTES,
  PASS_THROUGH,
  VERSION,
} from './header.js'
import type { SignalIn } from './signals.js'

/** The form of a channel's frames. */
export interface FrameFeatures {
  /** DIST_HDR_ATOM_CACHE or FRAGMENTS: frames have a distribution header. */
  header: boolean
  /** DIST_HDR_ATOM_CACHE. */
  atomCache: boolean
  /** FRAGMENTS. */
  fragments: boolean
}

/** Whom a receiver tells. */
export interface ReceiverHandlers {
  /**
   * A signal from the peer, synchronously and in the order of the wire.
   * @param bytes what it took on the wire, without headers
   */
  onSignal(signal: SignalIn, bytes: number): void
  /**
   * A message whose payload is no term: it is lost, and the channel goes on. For those who look on; without this handler
   * the channel ends, as in a BEAM.
   */
  onBadMessage?(error: EtfError | DistError): void
  /** Where messages that come in pieces are put together; without it, into new memory that is all zeros first. */
  allocate?: Allocate
  /** A tick; for those who look on. */
  onTick?(): void
}

export class ChannelReceiver {
  /** Bytes and frames received; ticks count as frames. */
  bytes = 0
  frames = 0

  private readonly features: FrameFeatures
  private readonly handlers: ReceiverHandlers
  private readonly peer: Atom | undefined
  private readonly framing: FrameReader
  private readonly cache: AtomCacheReader
  private readonly assembler: FragmentAssembler
  private readonly context: DecodeContext
  private ended = false

  /** @param peer where OTP demands that a signal is from a process of the peer, others are refused */
  constructor(features: FrameFeatures, limits: Limits, handlers: ReceiverHandlers, peer?: Atom) {
    this.features = features
    this.handlers = handlers
    this.peer = peer
    const newAtoms = new AtomBudget(limits)
    this.cache = new AtomCacheReader(features.header && features.atomCache, newAtoms)
    this.context = { limits, newAtoms, atoms: this.cache.atoms }
    this.assembler = new FragmentAssembler(limits, handlers.allocate)
    this.framing = new FrameReader(
      {
        onFrame: (bytes, start, end, spare) => this.frame(bytes, start, end, spare),
        onPieces: (pieces) => this.pieces(pieces),
        onTick: () => {
          this.frames++
          handlers.onTick?.()
        },
      },
      limits.maxFrameBytes,
      handlers.allocate,
    )
  }

  /** Fragmented messages that are not complete. */
  get incompleteMessages(): number {
    return this.assembler.messages
  }

  /** Bytes held for frames and messages that are not complete. */
  get incompleteBytes(): number {
    return this.assembler.bytes + this.framing.heldBytes
  }

  /**
   * Bytes from the peer, in chunks of any size, which must not change afterwards (signals may refer to them).
   * @throws DistError when the peer broke the protocol or a limit
   */
  receive(chunk: Uint8Array): void {
    this.bytes += chunk.length
    this.framing.receive(chunk)
  }

  /** Frees what is held; the rest of a chunk that is being read is ignored. */
  close(): void {
    this.ended = true
    this.framing.reset()
    this.assembler.clear()
  }

  private frame(bytes: Uint8Array, start: number, end: number, spare: number): void {
    if (this.ended) return
    this.frames++
    if (!this.features.header) {
      if (bytes[start] !== PASS_THROUGH) throw this.badFrame(bytes, start, end)
      return this.message(bytes, start + 1, end, this.context)
    }
    if (end - start < 2 || bytes[start] !== VERSION) throw this.badFrame(bytes, start, end)
    switch (bytes[start + 1]) {
      case DIST_HEADER: {
        const body = this.cache.read(bytes, start + 2, end)
        return this.message(bytes, body, end, this.context)
      }
      case DIST_FRAG_HEADER: {
        const fragmentId = this.fragmentId(bytes, start, end)
        const body = this.cache.read(bytes, start + FRAGMENT_HEADER_BYTES, end)
        if (fragmentId === 1) return this.message(bytes, body, end, this.context)
        const atoms = this.cache.snapshot()
        return this.assembler.start(
          readUint64(bytes, start + 2),
          fragmentId,
          atoms,
          bytes.subarray(body, end),
          spare,
        )
      }
      case DIST_FRAG_CONT: {
        const fragmentId = this.fragmentId(bytes, start, end)
        const piece = bytes.subarray(start + FRAGMENT_HEADER_BYTES, end)
        return this.fragment(readUint64(bytes, start + 2), fragmentId, [piece])
      }
      default:
        throw this.badFrame(bytes, start, end)
    }
  }

  /** A later fragment need not be in one piece to be kept until its message is complete. */
  private pieces(pieces: readonly Uint8Array[]): boolean {
    if (this.ended) return true
    const [first, ...others] = pieces
    if (first.length < FRAGMENT_HEADER_BYTES || first[0] !== VERSION || first[1] !== DIST_FRAG_CONT)
      return false
    if (!this.features.header) return false
    this.frames++
    const fragmentId = this.fragmentId(first, 0, first.length)
    this.fragment(readUint64(first, 2), fragmentId, [first.subarray(FRAGMENT_HEADER_BYTES), ...others])
    return true
  }

  private fragment(sequenceId: number | bigint, fragmentId: number, pieces: readonly Uint8Array[]): void {
    const message = this.assembler.continue(sequenceId, fragmentId, pieces)
    if (message === undefined) return
    const { bytes, atoms } = message
    this.message(bytes, 0, bytes.length, { ...this.context, atoms })
  }

  private fragmentId(bytes: Uint8Array, start: number, end: number): number {
    if (!this.features.fragments) {
      throw new DistError('DIST_BAD_FRAGMENT', 'the peer sends a fragment; FRAGMENTS was not negotiated')
    }
    if (end - start < FRAGMENT_HEADER_BYTES) throw this.badFrame(bytes, start, end)
    const id = readUint64(bytes, start + 10)
    if (typeof id === 'bigint' || id === 0) {
      throw new DistError('DIST_BAD_FRAGMENT', `the peer sends a fragment with the impossible id ${id}`)
    }
    return id
  }

  private message(bytes: Uint8Array, start: number, end: number, context: DecodeContext): void {
    const reader = new Reader(bytes, start, end, context)
    let control
    try {
      if (!this.features.header) this.readVersion(reader)
      control = reader.readTerm()
    } catch (cause) {
      throw new DistError('DIST_BAD_CONTROL', `the peer's control message is no term: ${messageOf(cause)}`, {
        cause,
      })
    }
    const { signal, payload } = decodeControl(control, this.peer)
    if (payload && !this.readPayload(reader, signal)) return
    this.handlers.onSignal(signal, end - start)
  }

  /** False when the payload is none and the channel goes on without the message. */
  private readPayload(reader: Reader, signal: SignalIn): boolean {
    try {
      if (!this.features.header) this.readVersion(reader)
      attachPayload(signal, reader.readTerm())
      return true
    } catch (error) {
      if (!(error instanceof EtfError || error instanceof DistError)) throw error
      const { onBadMessage } = this.handlers
      if (onBadMessage === undefined || !isMessage(signal) || error.code === 'ETF_TOO_MANY_ATOMS') {
        throw new DistError(
          'DIST_BAD_PAYLOAD',
          `the payload of ${signal.type} is no term: ${error.message}`,
          {
            cause: error,
          },
        )
      }
      onBadMessage.call(this.handlers, error)
      return false
    }
  }

  private readVersion(reader: Reader): void {
    const { position } = reader
    if (position >= reader.end || reader.bytes[position] !== VERSION) {
      throw new DistError('DIST_BAD_FRAME', `a term in a pass-through frame starts with ${VERSION}`)
    }
    reader.position++
  }

  private badFrame(bytes: Uint8Array, start: number, end: number): DistError {
    const begins = Array.from(bytes.subarray(start, Math.min(start + 4, end))).join(',')
    const expected = this.features.header ? 'a distribution header (131,68..70)' : 'pass-through (112)'
    return new DistError(
      'DIST_BAD_FRAME',
      `the peer sends a frame of ${end - start} bytes that begins with <<${begins}>> where ${expected} was negotiated`,
    )
  }
}

function isMessage(signal: SignalIn): boolean {
  switch (signal.type) {
    case 'send':
    case 'regSend':
    case 'aliasSend':
      return true
    case 'altactSend':
      return !signal.exit
    default:
      return false
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
