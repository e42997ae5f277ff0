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
import { type Allocate, readUint64, zeroed } from './bytes.js'
import { attachPayload, decodeControl } from './control-decode.js'
import { expectedBytes, FragmentAssembler } from './fragments.js'
import { FrameReader } from './framing.js'
import { type Gathering, GatheringMemory } from './gathering.js'
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
   * @param elements how many its terms have, those of containers in it included
   */
  onSignal(signal: SignalIn, bytes: number, elements: number): void
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
  private readonly self: Atom | undefined
  private readonly framing: FrameReader
  private readonly cache: AtomCacheReader
  private readonly memory: GatheringMemory
  private readonly assembler: FragmentAssembler
  private readonly context: DecodeContext
  /** Of what is lent: nothing that is decoded may share its memory. */
  private readonly lentContext: DecodeContext
  /** Of `lentContext`, used again from one message to the next, if it is not in use. */
  private spareReader: Reader | undefined
  /** Whose later fragment is coming. */
  private sequenceId: number | bigint = 0

  /**
   * @param peer where OTP demands that a signal is from a process of the peer, others are refused
   * @param self the same for this node, to whose processes they are sent
   */
  constructor(features: FrameFeatures, limits: Limits, handlers: ReceiverHandlers, peer?: Atom, self?: Atom) {
    this.features = features
    this.handlers = handlers
    this.peer = peer
    this.self = self
    const newAtoms = new AtomBudget(limits)
    this.cache = new AtomCacheReader(features.header && features.atomCache, newAtoms)
    this.context = { limits, newAtoms, atoms: this.cache.atoms }
    this.lentContext = { ...this.context, copy: 'together' }
    const allocate = handlers.allocate ?? zeroed
    this.memory = new GatheringMemory(limits.maxClaimedBytes, allocate)
    this.assembler = new FragmentAssembler(limits, this.memory)
    this.framing = new FrameReader(
      {
        onFrame: (bytes, start, end, gathering) => this.frame(bytes, start, end, gathering),
        gather: (bytes, start, length, memory) => this.gather(bytes, start, length, memory),
        continue: (bytes, start, length) => this.continue(bytes, start, length),
        onFragment: () => this.fragment(),
        allocate,
        onTick: () => {
          this.frames++
          handlers.onTick?.()
        },
      },
      limits.maxFrameBytes,
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
   * Bytes from the peer, in chunks of any size. They are lent: no signal refers to them.
   * @throws DistError when the peer broke the protocol or a limit
   */
  receive(chunk: Uint8Array): void {
    this.bytes += chunk.length
    this.framing.receive(chunk)
  }

  /** Where the next bytes would best be put: see {@link FrameReader.room}. */
  room(): Uint8Array | undefined {
    return this.framing.room()
  }

  /** Gives up memory that is only ready for what may come. */
  trim(): void {
    this.framing.trim()
  }

  /** Frees what is held; the rest of a chunk that is being read is ignored. */
  close(): void {
    this.framing.close()
    this.assembler.clear()
  }

  private frame(bytes: Uint8Array, start: number, end: number, gathering: Gathering | undefined): void {
    this.frames++
    const first = this.features.header && bytes[start + 1] === DIST_FRAG_HEADER
    if (gathering !== undefined && !first) this.memory.close(gathering)
    const context = gathering === undefined ? this.lentContext : this.context
    if (!this.features.header) {
      if (bytes[start] !== PASS_THROUGH) throw this.badFrame(bytes, start, end)
      return this.message(bytes, start + 1, end, context)
    }
    if (end - start < 2 || bytes[start] !== VERSION) throw this.badFrame(bytes, start, end)
    switch (bytes[start + 1]) {
      case DIST_HEADER: {
        const body = this.cache.read(bytes, start + 2, end)
        return this.message(bytes, body, end, context)
      }
      case DIST_FRAG_HEADER: {
        const fragmentId = this.fragmentId(bytes, start, end)
        const body = this.cache.read(bytes, start + FRAGMENT_HEADER_BYTES, end)
        if (fragmentId > 1) {
          const sequenceId = readUint64(bytes, start + 2)
          const piece = bytes.subarray(body, end)
          return this.assembler.start(sequenceId, fragmentId, this.cache.snapshot(), piece, gathering)
        }
        if (gathering !== undefined) this.memory.close(gathering)
        return this.message(bytes, body, end, context)
      }
      case DIST_FRAG_CONT: {
        this.later(bytes, start, end).add(bytes.subarray(start + FRAGMENT_HEADER_BYTES, end))
        return this.fragment()
      }
      default:
        throw this.badFrame(bytes, start, end)
    }
  }

  /** Memory for a frame that does not lie in one chunk, and for the fragments that follow it. */
  private gather(bytes: Uint8Array, start: number, length: number, memory?: Uint8Array): Gathering {
    const isFirst =
      this.features.fragments && bytes[start] === VERSION && bytes[start + 1] === DIST_FRAG_HEADER
    if (!isFirst) return this.memory.open(length, memory)
    const fragmentId = this.fragmentId(bytes, start, start + length)
    return this.memory.open(expectedBytes(length, fragmentId), memory)
  }

  private continue(bytes: Uint8Array, start: number, length: number): Gathering | undefined {
    if (!this.features.header) return undefined
    if (bytes[start] !== VERSION || bytes[start + 1] !== DIST_FRAG_CONT) return undefined
    this.frames++
    return this.later(bytes, start, start + length)
  }

  /** Where the rest of a later fragment goes. */
  private later(bytes: Uint8Array, start: number, end: number): Gathering {
    const fragmentId = this.fragmentId(bytes, start, end)
    this.sequenceId = readUint64(bytes, start + 2)
    return this.assembler.continue(this.sequenceId, fragmentId, end - start - FRAGMENT_HEADER_BYTES)
  }

  private fragment(): void {
    const message = this.assembler.arrived(this.sequenceId)
    if (message === undefined) return
    const { bytes, start, end, atoms } = message
    this.message(bytes, start, end, { ...this.context, atoms })
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
    const reader = this.readerOf(bytes, start, end, context)
    let control
    try {
      if (!this.features.header) this.readVersion(reader)
      control = reader.readTerm()
    } catch (cause) {
      throw new DistError('DIST_BAD_CONTROL', `the peer's control message is no term: ${messageOf(cause)}`, {
        cause,
      })
    }
    const { signal, payload } = decodeControl(control, this.peer, this.self)
    if (payload && !this.readPayload(reader, signal)) return
    const elements = reader.claimed
    if (context === this.lentContext) {
      reader.release()
      this.spareReader = reader
    }
    this.handlers.onSignal(signal, end - start, elements)
  }

  private readerOf(bytes: Uint8Array, start: number, end: number, context: DecodeContext): Reader {
    const reader = this.spareReader
    if (context !== this.lentContext || reader === undefined) return new Reader(bytes, start, end, context)
    // Not given back after an error.
    this.spareReader = undefined
    reader.reopen(bytes, start, end)
    return reader
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
