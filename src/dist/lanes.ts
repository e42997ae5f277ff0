/**
 * Fragmented messages being sent (OTP "External Term Format", "Distribution Header for fragmented messages"): one lane
 * for each sender that has one under way.
 *
 *     ┌────────────┬─────┬────┬────────────────┬────────────────┬──────────┐
 *     │ Length: 32 │ 131 │ 70 │ SequenceId: 64 │ FragmentId: 64 │ the next │   each later fragment
 *     └────────────┴─────┴────┴────────────────┴────────────────┴──────────┘
 *
 * A sender ends one fragmented message before its next signal. A BEAM takes the sending pid as sequence id; only its
 * being unlike that of any other message under way matters, so here each message has its own number.
 */
import type { Pid } from '../etf/identifiers.js'
import type { MessageAtoms } from './atom-cache.js'
import type { Body, BodyPiece } from './body.js'
import { writeUint32, writeUint64 } from './bytes.js'
import { FewMap } from './few-map.js'
import { Fifo } from './fifo.js'
import type { Slab } from './slabs.js'
import { DIST_FRAG_CONT, FRAGMENT_HEADER_BYTES, VERSION } from './header.js'

/** A message that was encoded, and has no header yet. */
export interface WaitingMessage {
  body: Body
  controlBytes: number
  atoms: MessageAtoms
  /** Whose memory it keeps. */
  slab: Slab | undefined
}

/** What follows the first fragment of a message. */
export interface LaterFragments {
  /** Of which the first fragment was cut off. */
  body: Body
  bytes: number
  sequenceId: number
  count: number
  /** Bytes of each but the last. */
  size: number
  slab: Slab | undefined
}

/** A sender with a fragmented message under way. */
export interface Lane {
  readonly key: string
  readonly sender: Pid | undefined
  fragments: LaterFragments
  fragmentsLeft: number
  /** Where the ready bytes end that must leave before the next fragment. */
  after: number
  /** Later messages of the sender. */
  readonly waiting: Fifo<WaitingMessage>
}

const HEAD_BYTES = 4 + FRAGMENT_HEADER_BYTES

export class LaneRing {
  private readonly lanes = new FewMap<string, Lane>()
  private ring: Lane[] = []
  private turn = 0

  get size(): number {
    return this.ring.length
  }

  /** The lane of this sender, if it has a message under way. */
  of(sender: Pid | undefined): Lane | undefined {
    return this.lanes.size === 0 ? undefined : this.lanes.get(keyOf(sender))
  }

  open(sender: Pid | undefined, fragments: LaterFragments, after: number): void {
    const key = keyOf(sender)
    const lane: Lane = { key, sender, fragments, fragmentsLeft: 0, after, waiting: new Fifo() }
    addFragments(lane, fragments, after)
    this.lanes.set(key, lane)
    this.ring.push(lane)
  }

  /** Whose turn it is, of those whose first fragment is among the `taken` ready bytes. */
  next(taken: number): Lane | undefined {
    for (let tried = this.ring.length; tried > 0; tried--) {
      if (this.turn >= this.ring.length) this.turn = 0
      const lane = this.ring[this.turn++]
      if (lane.after <= taken) return lane
    }
    return undefined
  }

  /** The next fragment of a lane. */
  fragment(lane: Lane): { head: Uint8Array; pieces: BodyPiece[]; length: number; last: boolean } {
    const { body, bytes, sequenceId, count, size } = lane.fragments
    const last = lane.fragmentsLeft === 1
    const length = last ? bytes - (count - 1) * size : size
    const head = new Uint8Array(HEAD_BYTES)
    writeUint32(head, 0, FRAGMENT_HEADER_BYTES + length)
    head[4] = VERSION
    head[5] = DIST_FRAG_CONT
    writeUint64(head, 6, sequenceId)
    writeUint64(head, 14, lane.fragmentsLeft--)
    return { head, pieces: body.cut(length), length, last }
  }

  close(lane: Lane): void {
    this.lanes.delete(lane.key)
    const index = this.ring.indexOf(lane)
    this.ring.splice(index, 1)
    if (this.turn > index) this.turn--
  }

  clear(): void {
    this.lanes.clear()
    this.ring = []
  }
}

/** The sender's next fragmented message. */
export function addFragments(lane: Lane, fragments: LaterFragments, after: number): void {
  lane.fragments = fragments
  lane.fragmentsLeft = fragments.count
  lane.after = after
}

function keyOf(sender: Pid | undefined): string {
  return sender === undefined ? '' : sender.key
}
