/**
 * Fragmented messages, received (OTP "External Term Format", "Distribution Header for fragmented messages";
 * `erts_net_message` of erts).
 *
 *     131,69 SequenceId n header  control message, start of the payload
 *     131,70 SequenceId n-1       more of it
 *       …                         (frames of other messages between them)
 *     131,70 SequenceId 1         the end of it
 *
 * Fragment ids count down to 1; another id than the next is the end of the connection, as in a BEAM. Fragments of many
 * messages may interleave. Each is put together as it comes.
 */
import type { Atom } from '../etf/atom.js'
import { DistError } from '../errors.js'
import type { Limits } from '../limits.js'
import { FewMap } from './few-map.js'
import type { Gathering, GatheringMemory } from './gathering.js'
import { SPARE_BYTES } from './gathering.js'

/** What each fragment is counted as, on top of its bytes: bounds the cost of very small ones. */
const FRAGMENT_OVERHEAD_BYTES = 128

/** Of a BEAM (`ERTS_DIST_FRAGMENT_SIZE`), whose fragments but the first and the last have this size. */
const USUAL_FRAGMENT_BYTES = 64 * 1024

interface Sequence {
  next: number
  atoms: readonly (Atom | boolean)[]
  /** From `start` on it is the message. */
  gathering: Gathering
  start: number
  counted: number
}

/** A message whose last fragment arrived: control message and payload, without any header: `bytes[start, end)`. */
export interface Reassembled {
  /** Memory that nobody else uses. */
  bytes: Uint8Array
  start: number
  end: number
  /** What ATOM_CACHE_REF i means in it. */
  atoms: readonly (Atom | boolean)[]
}

export class FragmentAssembler {
  private readonly sequences = new FewMap<number | bigint, Sequence>()
  private readonly maxMessages: number
  private readonly maxBytes: number
  private countedBytes = 0

  constructor(
    limits: Pick<Limits, 'maxFragmentedMessages' | 'maxFragmentedBytes'>,
    private readonly memory: GatheringMemory,
  ) {
    this.maxMessages = limits.maxFragmentedMessages
    this.maxBytes = limits.maxFragmentedBytes
  }

  /** Incomplete messages. */
  get messages(): number {
    return this.sequences.size
  }

  /** What the incomplete messages are counted as, in bytes. */
  get bytes(): number {
    return this.countedBytes
  }

  /**
   * The first fragment of a message of several fragments: `fragmentId` is more than 1.
   * @param atoms the references of its header, resolved: they hold for the whole message
   * @param piece its bytes after the header
   * @param gathering the memory that ends with the piece, if the rest of the message may be put there; otherwise the
   *   piece is copied
   * @throws DistError `DIST_BAD_FRAGMENT`, `DIST_TOO_MANY_FRAGMENTS`
   */
  start(
    sequenceId: number | bigint,
    fragmentId: number,
    atoms: readonly (Atom | boolean)[],
    piece: Uint8Array,
    gathering?: Gathering,
  ): void {
    if (this.sequences.has(sequenceId)) {
      throw badFragment(sequenceId, 'starts again before its last fragment')
    }
    if (this.sequences.size >= this.maxMessages) {
      throw new DistError(
        'DIST_TOO_MANY_FRAGMENTS',
        `the peer has ${this.sequences.size} fragmented messages under way; maxFragmentedMessages is ${this.maxMessages}`,
      )
    }
    const into = gathering ?? this.memory.open(expectedBytes(piece.length, fragmentId))
    if (gathering === undefined) into.add(piece)
    const start = into.length - piece.length
    const sequence: Sequence = { next: fragmentId - 1, atoms, gathering: into, start, counted: 0 }
    this.sequences.set(sequenceId, sequence)
    this.count(sequence, piece.length)
  }

  /**
   * A later fragment begins: what follows its header is to be added to the gathering. Then {@link arrived}.
   * @throws DistError `DIST_BAD_FRAGMENT`, `DIST_TOO_MANY_FRAGMENTS`
   */
  continue(sequenceId: number | bigint, fragmentId: number, bytes: number): Gathering {
    const sequence = this.sequences.get(sequenceId)
    if (sequence === undefined)
      throw badFragment(sequenceId, `goes on at ${fragmentId} without having started`)
    if (fragmentId !== sequence.next) {
      throw badFragment(sequenceId, `goes on at ${fragmentId} where ${sequence.next} is next`)
    }
    this.count(sequence, bytes)
    return sequence.gathering
  }

  /**
   * All of the fragment that began was added.
   * @returns the message when this was its last fragment
   */
  arrived(sequenceId: number | bigint): Reassembled | undefined {
    const sequence = this.sequences.get(sequenceId)
    if (sequence === undefined || --sequence.next > 0) return undefined
    const { atoms, gathering, start } = sequence
    this.sequences.delete(sequenceId)
    this.countedBytes -= sequence.counted
    this.memory.close(gathering)
    return { bytes: gathering.bytes, start, end: gathering.length, atoms }
  }

  /** Forgets all incomplete messages: the connection is gone. */
  clear(): void {
    for (const { gathering } of this.sequences.values()) this.memory.close(gathering)
    this.sequences.clear()
    this.countedBytes = 0
  }

  private count(sequence: Sequence, bytes: number): void {
    const counted = bytes + FRAGMENT_OVERHEAD_BYTES
    this.countedBytes += counted
    sequence.counted += counted
    if (this.countedBytes > this.maxBytes) {
      throw new DistError(
        'DIST_TOO_MANY_FRAGMENTS',
        `incomplete messages of the peer hold ${this.countedBytes} bytes; maxFragmentedBytes is ${this.maxBytes}`,
      )
    }
  }
}

/**
 * How long a message will be, by its first fragment: two are mostly a binary of a fragment's size, of which the second
 * has only the end.
 */
export function expectedBytes(firstBytes: number, fragmentId: number): number {
  if (fragmentId <= 1) return firstBytes
  if (fragmentId === 2) return firstBytes + SPARE_BYTES
  return firstBytes + (fragmentId - 1) * Math.min(firstBytes, USUAL_FRAGMENT_BYTES)
}

function badFragment(sequenceId: number | bigint, what: string): DistError {
  return new DistError('DIST_BAD_FRAGMENT', `the peer's fragmented message ${sequenceId} ${what}`)
}
