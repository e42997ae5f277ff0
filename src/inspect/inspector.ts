/**
 * What two nodes say to each other, made readable: fed with the bytes of both directions, it tells each handshake message,
 * signal and tick, with atom caches and fragments undone. It takes no part: what it cannot read it tells as an error, and
 * looks on at the other direction.
 *
 * Challenges and digests are never told: with both, a cookie can be guessed offline.
 */
import { ChannelReceiver } from '../dist/receiver.js'
import type { SignalIn } from '../dist/signals.js'
import { print } from '../etf/print.js'
import type { Term } from '../etf/terms.js'
import { MessageAssembler } from '../handshake/assembler.js'
import { DistFlag, expandFlags, flagNames, hasFlag } from '../handshake/flags.js'
import { decodeChallenge, decodeComplement, decodeName, decodeStatus } from '../handshake/messages.js'
import type { Limits } from '../limits.js'

/** Who said it: the node that connected, or the one that was connected to. */
export type WireSide = 'initiator' | 'acceptor'

export interface WireEvent {
  from: WireSide
  /** `message`: of the handshake. `closed`: this side ended the connection; the last event of it. */
  type: 'message' | 'signal' | 'tick' | 'error' | 'closed'
  /** For people to read. The names of nodes and the reasons of errors are in it as they came, line ends included. */
  text: string
}

export interface InspectorOptions {
  limits: Limits
  /** Longest term shown, in characters; default 400. */
  maxTermCharacters?: number
  onEvent(event: WireEvent): void
  /** The bytes as they may be kept: those of the handshake without challenges and digests. */
  onBytes?(from: WireSide, bytes: Uint8Array): void
}

const HIDDEN = 'hidden'
const HANDSHAKE_LENGTH_BYTES = 2

export class WireInspector {
  readonly #options: InspectorOptions
  readonly #assemblers: Record<WireSide, MessageAssembler>
  readonly #receivers: Partial<Record<WireSide, ChannelReceiver>> = {}
  readonly #failed = new Set<WireSide>()
  #flags: Record<WireSide, bigint> = { initiator: 0n, acceptor: 0n }
  #established = false

  constructor(options: InspectorOptions) {
    this.#options = options
    const { maxHandshakeMessageBytes } = options.limits
    const assembler = () => new MessageAssembler(HANDSHAKE_LENGTH_BYTES, maxHandshakeMessageBytes)
    this.#assemblers = { initiator: assembler(), acceptor: assembler() }
  }

  /** Bytes of one direction, in chunks of any size, which must not change afterwards. */
  feed(from: WireSide, chunk: Uint8Array): void {
    if (this.#failed.has(from)) return
    try {
      if (this.#established) {
        this.#options.onBytes?.(from, chunk)
        this.#receivers[from]?.receive(chunk)
      } else this.#handshake(from, chunk)
    } catch (error) {
      this.#failed.add(from)
      this.#tell(
        from,
        'error',
        `cannot be read any further: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }

  /** A side ended the connection. What the other did then is an answer to that, and not to be told. */
  closed(from: WireSide): void {
    const which = from === 'initiator' ? 'that connected' : 'it connected to'
    this.#tell(from, 'closed', `connection closed by the node ${which}`)
  }

  #handshake(from: WireSide, chunk: Uint8Array): void {
    const assembler = this.#assemblers[from]
    assembler.push(chunk)
    for (let bytes = assembler.next(); bytes !== undefined; bytes = assembler.next()) {
      this.#options.onBytes?.(from, framed(redacted(from, bytes)))
      this.#tell(from, 'message', this.#message(from, bytes))
      if (from === 'acceptor' && bytes[0] === 97) return this.#establish()
    }
  }

  #message(from: WireSide, bytes: Uint8Array): string {
    switch (String.fromCharCode(bytes[0] ?? 0)) {
      case 'N': {
        if (from === 'acceptor') {
          const { name, flags, creation } = decodeChallenge(bytes)
          this.#flags.acceptor = flags
          return `challenge of ${name}, creation ${creation}, challenge ${HIDDEN}, flags ${flagNames(flags).join(' ')}`
        }
        const { name, flags, creation } = decodeName(bytes)
        this.#flags.initiator = flags
        return `name ${name}, creation ${creation}, flags ${flagNames(flags).join(' ')}`
      }
      case 'n': {
        const { name, flags } = decodeName(bytes)
        this.#flags.initiator = flags
        return `name (old form) ${name}, flags ${flagNames(flags).join(' ')}`
      }
      case 'c': {
        const { flagsHigh, creation } = decodeComplement(bytes)
        this.#flags.initiator |= flagsHigh
        return `complement, creation ${creation}, flags ${flagNames(flagsHigh).join(' ')}`
      }
      case 's': {
        const { status, name } = decodeStatus(bytes)
        return `status ${name === undefined ? status : `${status}${name}`}`
      }
      case 'r':
        return `challenge reply, challenge and digest ${HIDDEN}`
      case 'a':
        return `challenge ack, digest ${HIDDEN}`
      default:
        return `${bytes.length} bytes that are no handshake message`
    }
  }

  /** The acceptor's ack was the last message of the handshake: what was sent ahead of it belongs to the channel. */
  #establish(): void {
    this.#established = true
    const negotiated = expandFlags(this.#flags.initiator) & expandFlags(this.#flags.acceptor)
    const atomCache = hasFlag(negotiated, DistFlag.DIST_HDR_ATOM_CACHE)
    const fragments = hasFlag(negotiated, DistFlag.FRAGMENTS)
    for (const side of ['initiator', 'acceptor'] as const) {
      this.#receivers[side] = new ChannelReceiver(
        { header: atomCache || fragments, atomCache, fragments },
        this.#options.limits,
        {
          onSignal: (signal, bytes) =>
            this.#tell(side, 'signal', `${this.#describe(signal)} (${bytes} bytes)`),
          onBadMessage: (error) => this.#tell(side, 'error', error.message),
          onTick: () => this.#tell(side, 'tick', 'tick'),
        },
      )
      const rest = this.#assemblers[side].takeRest()
      if (rest.length > 0) this.feed(side, rest)
    }
  }

  /** The signal's name and its parts, in the order in which they are on the wire. */
  #describe(signal: SignalIn): string {
    const { type, ...parts } = signal
    const said = Object.entries(parts as Record<string, unknown>)
      .filter(([, part]) => part !== undefined)
      .map(([key, part]) => `${key} ${this.#show(part)}`)
    return [type, ...said].join(', ').replace(', ', ' ')
  }

  #show(part: unknown): string {
    const { maxTermCharacters: maxCharacters = 400 } = this.#options
    return print(part as Term, { maxCharacters })
  }

  #tell(from: WireSide, type: WireEvent['type'], text: string): void {
    this.#options.onEvent({ from, type, text })
  }
}

/** A handshake message with zeros for its challenge and digest; its length and the rest stay. */
function redacted(from: WireSide, bytes: Uint8Array): Uint8Array {
  // Not `slice`, which is a view of what passes on when the bytes are a Buffer.
  const copy = new Uint8Array(bytes)
  const tag = String.fromCharCode(copy[0] ?? 0)
  if (tag === 'r' || tag === 'a') copy.fill(0, 1)
  // An initiator's `N` has its creation where an acceptor's has the challenge.
  else if (tag === 'N' && from === 'acceptor') copy.fill(0, 9, 13)
  return copy
}

function framed(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HANDSHAKE_LENGTH_BYTES + message.length)
  bytes[0] = message.length >> 8
  bytes[1] = message.length & 255
  bytes.set(message, HANDSHAKE_LENGTH_BYTES)
  return bytes
}
