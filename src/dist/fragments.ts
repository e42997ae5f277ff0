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
 * messages may interleave. The message is put together once, when its last fragment is there.
 */
import type { Atom } from '../etf/atom.js'
import { DistError } from '../errors.js'
import type { Limits } from '../limits.js'
import { type Allocate, concatenate, zeroed } from './bytes.js'

/** What each fragment is counted as, on top of its bytes: bounds the cost of very small ones. */
const FRAGMENT_OVERHEAD_BYTES = 128

interface Sequence {
  next: number
  atoms: readonly (Atom | boolean)[]
  pieces: Uint8Array[]
  length: number
  counted: number
  /** Free bytes after the first piece. */
  spare: number
}

/** A message whose last fragment arrived: control message and payload, without any header. */
export interface Reassembled {
  bytes: Uint8Array
  /** What ATOM_CACHE_REF i means in it. */
  atoms: readonly (Atom | boolean)[]
}

export class FragmentAssembler {
  private readonly sequences = new Map<number | bigint, Sequence>()
  private readonly maxMessages: number
  private readonly maxBytes: number
  private readonly allocate: Allocate
  private countedBytes = 0

  constructor(
    limits: Pick<Limits, 'maxFragmentedMessages' | 'maxFragmentedBytes'>,
    allocate: Allocate = zeroed,
  ) {
    this.allocate = allocate
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
   * The first of several fragments: `fragmentId` is more than 1.
   * @param atoms the references of its header, resolved: they hold for the whole message
   * @param spare bytes after the piece that are free to be written
   * @throws DistError `DIST_BAD_FRAGMENT`, `DIST_TOO_MANY_FRAGMENTS`
   */
  start(
    sequenceId: number | bigint,
    fragmentId: number,
    atoms: readonly (Atom | boolean)[],
    piece: Uint8Array,
    spare = 0,
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
    const sequence: Sequence = { next: fragmentId - 1, atoms, pieces: [], length: 0, counted: 0, spare: 0 }
    this.sequences.set(sequenceId, sequence)
    this.add(sequence, piece)
    if (sequence.pieces[0] === piece) sequence.spare = spare
  }

  /**
   * A later fragment, as one or more pieces.
   * @returns the message when this was its last fragment
   * @throws DistError `DIST_BAD_FRAGMENT`, `DIST_TOO_MANY_FRAGMENTS`
   */
  continue(
    sequenceId: number | bigint,
    fragmentId: number,
    pieces: readonly Uint8Array[],
  ): Reassembled | undefined {
    const sequence = this.sequences.get(sequenceId)
    if (sequence === undefined)
      throw badFragment(sequenceId, `goes on at ${fragmentId} without having started`)
    if (fragmentId !== sequence.next) {
      throw badFragment(sequenceId, `goes on at ${fragmentId} where ${sequence.next} is next`)
    }
    for (const piece of pieces) this.add(sequence, piece)
    if (--sequence.next > 0) return undefined
    this.sequences.delete(sequenceId)
    this.countedBytes -= sequence.counted
    return { bytes: this.join(sequence), atoms: sequence.atoms }
  }

  private join({ pieces, length, spare }: Sequence): Uint8Array {
    const [first] = pieces
    if (spare === 0 || length - first.length > spare) return concatenate(pieces, length, this.allocate)
    const whole = new Uint8Array(first.buffer, first.byteOffset, length)
    let position = first.length
    for (let i = 1; i < pieces.length; i++) {
      whole.set(pieces[i], position)
      position += pieces[i].length
    }
    return whole
  }

  /** Forgets all incomplete messages: the connection is gone. */
  clear(): void {
    this.sequences.clear()
    this.countedBytes = 0
  }

  private add(sequence: Sequence, piece: Uint8Array): void {
    const counted = piece.length + FRAGMENT_OVERHEAD_BYTES
    this.countedBytes += counted
    sequence.counted += counted
    if (this.countedBytes > this.maxBytes) {
      throw new DistError(
        'DIST_TOO_MANY_FRAGMENTS',
        `incomplete messages of the peer hold ${this.countedBytes} bytes; maxFragmentedBytes is ${this.maxBytes}`,
      )
    }
    if (piece.length === 0) return
    // A small view would keep a whole chunk of the transport alive, and be counted as little. (Not `slice`, which copies
    // nothing when the piece is a Buffer.)
    const keep = piece.length * 4 < piece.buffer.byteLength ? new Uint8Array(piece) : piece
    sequence.pieces.push(keep)
    sequence.length += keep.length
  }
}

function badFragment(sequenceId: number | bigint, what: string): DistError {
  return new DistError('DIST_BAD_FRAGMENT', `the peer's fragmented message ${sequenceId} ${what}`)
}
