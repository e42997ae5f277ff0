/**
 * What waits to be written to a peer: frames in the order of the wire, and fragmented messages under way.
 *
 *     encode ─▶ slab ─▶ ready ─┐
 *                              ├─▶ take() ─▶ transport ─▶ written()
 *     lanes ─▶ next fragment ──┘
 *
 * Messages are encoded straight into a slab of output, which is used again once all of it has left. A message beyond a
 * fragment puts its first fragment among the ready frames and opens a lane for its sender: further fragments take turns
 * with ready frames and with the fragments of other lanes, and later messages of that sender wait in its lane until the
 * last fragment is on its way. So signals of one sender keep their order, and a long message delays nobody else's.
 *
 * Headers with their atom cache references are made when a frame becomes ready, and ready frames leave in that order:
 * the peer's cache sees the entries in the order in which they were chosen. Later fragments have no references.
 */
import type { Pid } from '../etf/identifiers.js'
import type { Writer } from '../etf/writer.js'
import type { AtomCacheWriter, MessageAtoms } from './atom-cache.js'
import { Body, type BodyPiece, part } from './body.js'
import { writeUint32 } from './bytes.js'
import { Fifo } from './fifo.js'
import { FRAGMENT_HEADER_BYTES, PASS_THROUGH } from './header.js'
import { type Lane, type WaitingMessage, addFragments, LaneRing } from './lanes.js'
import { type Slab, SlabWriter } from './slabs.js'

/** A BEAM's fragments (`ERTS_DIST_FRAGMENT_SIZE`). */
export const FRAGMENT_BYTES = 64 * 1024

/** A larger message is not moved to make room for its header; the header becomes a piece of its own. */
const MAX_MOVED_BYTES = 16 * 1024

/**
 * Binaries of this size and more stay where they are until the transport takes them. (Smaller ones are copied sooner than
 * the system is told of another piece of memory.)
 */
export const BORROWED_BYTES = 32 * 1024

/** A frame's head and what follows it, up to this size, are one piece. */
const MAX_JOINED_BYTES = 1024

interface Piece extends BodyPiece {
  slab: Slab | undefined
  /** A frame ends where the piece ends: another one may come between. */
  whole: boolean
}

export interface OutputOptions {
  /** Frames have a distribution header; otherwise they are pass-through. */
  header: boolean
  /** Messages longer than this, and a little, are fragmented. `Infinity`: none. */
  fragmentBytes: number
}

export class OutputQueue {
  /** Where the message being sent is encoded, between {@link begin} and {@link commit} or {@link abort}. */
  readonly writer: Writer
  /** Bytes that have not left: ready, in lanes, and taken but not {@link written}. */
  queuedBytes = 0
  /** All bytes that ever were queued. */
  totalBytes = 0
  frames = 0
  /** Messages that were queued while another sender's long one was under way. */
  overtaking = 0

  private readonly cache: AtomCacheWriter
  private readonly header: boolean
  private readonly fragmentBytes: number
  /** No fragment is made for the last few bytes of a message, such as those that a binary of 64 KiB has beside it. */
  private readonly slackBytes: number
  private readonly lanes = new LaneRing()
  private readonly slabs = new SlabWriter()
  /** Ready pieces; the ready part of the slab comes after them. */
  private readonly ready = new Fifo<Piece>()
  /** Ready bytes ever made and ever taken. */
  private readyBytes = 0
  private takenBytes = 0
  /** The rest of a piece, and of a fragment, whose beginning was taken. */
  private rest: Piece | undefined
  private readonly fragment = new Fifo<Piece>()
  private midFrame = false
  private lanesTurn = false
  private readonly taken = new Fifo<{ slab: Slab | undefined; bytes: number }>()
  /** The message being encoded: its frame, its first byte after a header of the length guessed. */
  private frameStart = 0
  private bodyStart = 0
  /** The header was as long for the message before last: of a spawn, a reply and an exit take turns. */
  private headerGuess: number
  private lastHeaderBytes: number
  private nextSequenceId = 1

  constructor(cache: AtomCacheWriter, options: OutputOptions) {
    this.cache = cache
    this.header = options.header
    this.fragmentBytes = options.header ? options.fragmentBytes : Infinity
    this.headerGuess = this.lastHeaderBytes = options.header ? 3 : 1
    this.slackBytes = this.header ? options.fragmentBytes >> 6 : 0
    this.writer = this.slabs.writer
    this.writer.borrowFrom = BORROWED_BYTES
  }

  /** Makes room for a message: what is written to `writer` from now on is its control message and payload. */
  begin(): void {
    const { writer } = this
    if (!this.slabs.makeRoom()) this.nextSlab()
    this.frameStart = writer.position
    this.bodyStart = this.frameStart + 4 + this.headerGuess
    writer.ensure(4 + this.headerGuess)
    writer.position = this.bodyStart
  }

  /** Bytes of the message encoded so far. */
  get messageBytes(): number {
    return this.writer.position - this.bodyStart + this.writer.borrowedBytes
  }

  /** Gives up the message. */
  abort(): void {
    this.writer.giveBack()
    this.writer.position = this.frameStart
    this.slabs.grown()
  }

  /**
   * Queues the message.
   * @param controlBytes what of it is the control message
   * @param sender whose signals keep their order
   * @param atoms its references
   */
  commit(controlBytes: number, sender: Pid | undefined, atoms: MessageAtoms): void {
    const { writer } = this
    this.slabs.grown()
    const bodyBytes = this.messageBytes
    const fragmented = this.isFragmented(bodyBytes)
    const lane = this.lanes.of(sender)
    if (lane === undefined && this.lanes.size > 0) this.overtaking++
    if (lane === undefined && !fragmented && writer.borrowedBytes === 0)
      return this.emitInPlace(writer.position, controlBytes, atoms)
    const message = this.detach(controlBytes, atoms)
    if (lane === undefined) this.emitDetached(message, sender)
    else {
      lane.waiting.push(message)
      this.count(bodyBytes)
    }
  }

  /** Queues a tick. */
  tick(): void {
    this.begin()
    const { writer } = this
    writer.position = this.frameStart
    writer.ensure(4)
    this.slabs.grown()
    writeUint32(writer.bytes, writer.position, 0)
    writer.position += 4
    this.madeReady(4)
  }

  /**
   * The next bytes to write; undefined when there are none. They must not be changed, and are not to be used after the
   * {@link written} that covers them. A frame may be spread over several calls.
   * @param fragments whether a long message may go on
   */
  take(maxBytes: number, fragments = true): Uint8Array | undefined {
    if (!this.midFrame) {
      const ready = this.readyBytes > this.takenBytes
      if (fragments && this.lanes.size > 0 && (this.lanesTurn || !ready)) {
        this.lanesTurn = false
        const lane = this.lanes.next(this.takenBytes)
        if (lane !== undefined) return this.takeFragment(lane)
      }
      if (!ready) return undefined
      this.lanesTurn = true
    }
    return this.takeReady(maxBytes)
  }

  /** The transport has taken the next `bytes` of what {@link take} gave. */
  written(bytes: number): void {
    this.queuedBytes -= bytes
    let left = bytes
    for (let piece = this.taken.peek(); piece !== undefined; piece = this.taken.peek()) {
      if (piece.bytes > left) {
        piece.bytes -= left
        return
      }
      left -= piece.bytes
      this.taken.shift()
      if (piece.slab !== undefined) this.slabs.release(piece.slab)
    }
  }

  /** An idle connection gives back what it does not need. */
  trim(): void {
    if (this.queuedBytes === 0) this.slabs.trim()
  }

  /** Forgets everything. */
  clear(): void {
    this.lanes.clear()
    this.ready.clear()
    this.fragment.clear()
    this.taken.clear()
    this.rest = undefined
    this.midFrame = false
    this.readyBytes = this.takenBytes = 0
    this.queuedBytes = 0
    this.slabs.clear()
  }

  private isFragmented(bytes: number): boolean {
    return bytes > this.fragmentBytes + this.slackBytes
  }

  private count(bytes: number): void {
    this.queuedBytes += bytes
    this.totalBytes += bytes
  }

  private madeReady(bytes: number): void {
    this.frames++
    this.readyBytes += bytes
    this.count(bytes)
  }

  /** Gives the message in the slab its header, and its frame the length. */
  private emitInPlace(end: number, controlBytes: number, atoms: MessageAtoms): void {
    const { writer, frameStart, bodyStart } = this
    const headerBytes = this.header ? this.cache.resolve(atoms, false) : 1
    const shift = headerBytes - this.headerGuess
    this.headerGuess = this.lastHeaderBytes
    this.lastHeaderBytes = headerBytes
    if (shift !== 0) {
      if (end - bodyStart > MAX_MOVED_BYTES)
        return this.emitWhole(this.detach(controlBytes, atoms), headerBytes)
      if (shift > 0) {
        writer.ensure(shift)
        this.slabs.grown()
      }
      writer.bytes.copyWithin(bodyStart + shift, bodyStart, end)
      writer.position = end + shift
    }
    const { bytes } = writer
    writeUint32(bytes, frameStart, writer.position - frameStart - 4)
    if (this.header) this.cache.writeHeader(bytes, frameStart + 4, atoms, 0, 0)
    else bytes[frameStart + 4] = PASS_THROUGH
    this.madeReady(writer.position - frameStart)
  }

  /** Takes the message out of the slab. */
  private detach(controlBytes: number, current: MessageAtoms): WaitingMessage {
    const { writer, bodyStart } = this
    const end = writer.position
    const atoms: MessageAtoms = { list: current.list.slice(0, current.count), count: current.count }
    if (end - bodyStart <= MAX_MOVED_BYTES) {
      const body = this.bodyOf(writer.bytes.slice(bodyStart, end), false)
      writer.position = this.frameStart
      return { body, controlBytes, atoms, slab: undefined }
    }
    // It keeps the slab; what is ready in it stays before the message.
    const body = this.bodyOf(writer.bytes.subarray(bodyStart, end), true)
    const slab = this.slabs.current
    slab.pieces++
    writer.position = this.frameStart
    this.nextSlab()
    return { body, controlBytes, atoms, slab }
  }

  /** What was encoded, with what was borrowed meanwhile at its places. */
  private bodyOf(encoded: Uint8Array, inSlab: boolean): Body {
    const { writer, bodyStart } = this
    const pieces: BodyPiece[] = []
    let start = 0
    const upTo = (end: number): void => {
      if (end > start) pieces.push({ bytes: encoded.subarray(start, end), length: end - start, inSlab })
      start = end
    }
    for (const { position, bytes } of writer.borrowed) {
      upTo(position - bodyStart)
      // A view of our own: the sender's cannot become another's.
      const view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
      pieces.push({ bytes: view, length: view.length, inSlab: false })
    }
    upTo(encoded.length)
    writer.giveBack()
    return new Body(pieces)
  }

  /** Makes a message ready that is not in the slab: whole, or its first fragment. */
  private emitDetached(message: WaitingMessage, sender: Pid | undefined, lane?: Lane): void {
    const { body, atoms, slab } = message
    const fragmented = this.isFragmented(body.length)
    const headerBytes = this.header ? this.cache.resolve(atoms, fragmented) : 1
    if (!fragmented) return this.emitWhole(message, headerBytes)
    this.endPiece()
    // The peer reads the control message when the first fragment arrives.
    let first = Math.max(this.fragmentBytes, message.controlBytes)
    if (body.length - first <= this.slackBytes) first = body.length
    const bytes = body.length - first
    const later = bytes === 0 ? 0 : Math.ceil((bytes - this.slackBytes) / this.fragmentBytes)
    const sequenceId = this.nextSequenceId++
    this.pushFrame(body, first, headerBytes, atoms, slab, sequenceId, later + 1)
    if (later === 0) return this.release(slab)
    const fragments = { body, bytes, sequenceId, count: later, size: this.fragmentBytes, slab }
    if (lane === undefined) this.lanes.open(sender, fragments, this.readyBytes)
    else addFragments(lane, fragments, this.readyBytes)
    this.count(bytes + later * (4 + FRAGMENT_HEADER_BYTES))
  }

  private emitWhole({ body, atoms, slab }: WaitingMessage, headerBytes: number): void {
    this.endPiece()
    this.pushFrame(body, body.length, headerBytes, atoms, slab, 0, 0)
    this.release(slab)
  }

  /** A message no longer keeps its slab: its pieces do. */
  private release(slab: Slab | undefined): void {
    if (slab !== undefined) this.slabs.release(slab)
  }

  /** A frame of the next `bytes` of a body. */
  private pushFrame(
    body: Body,
    bytes: number,
    headerBytes: number,
    atoms: MessageAtoms,
    slab: Slab | undefined,
    sequenceId: number,
    fragments: number,
  ): void {
    const pieces = body.cut(bytes)
    const joined = pieces[0].length <= MAX_JOINED_BYTES ? pieces.shift() : undefined
    const head = new Uint8Array(4 + headerBytes + (joined?.length ?? 0))
    writeUint32(head, 0, headerBytes + bytes)
    if (this.header) this.cache.writeHeader(head, 4, atoms, sequenceId, fragments)
    else head[4] = PASS_THROUGH
    if (joined !== undefined) head.set(joined.bytes, 4 + headerBytes)
    this.frames++
    pieces.unshift({ bytes: head, length: head.length, inSlab: false })
    pieces.forEach((piece, at) => this.pushReady(piece, at === pieces.length - 1, slab))
  }

  private pushReady(piece: BodyPiece, whole: boolean, slab: Slab | undefined): void {
    this.ready.push(this.piece(piece, whole, slab))
    this.readyBytes += piece.length
    this.count(piece.length)
  }

  /** @param slab of the message; kept by this piece, if it is in it */
  private piece({ bytes, length, inSlab }: BodyPiece, whole: boolean, slab: Slab | undefined): Piece {
    if (!inSlab || slab === undefined) return { bytes, length, inSlab, slab: undefined, whole }
    slab.pieces++
    return { bytes, length, inSlab, slab, whole }
  }

  /** The ready part of the slab comes before what follows. */
  private endPiece(): void {
    const piece = this.slabs.piece()
    if (piece === undefined) return
    const { bytes, slab } = piece
    this.ready.push({ bytes, length: bytes.length, inSlab: true, slab, whole: true })
  }

  private nextSlab(): void {
    this.endPiece()
    this.slabs.next()
  }

  private takeReady(maxBytes: number): Uint8Array {
    if (this.rest === undefined && this.fragment.length === 0 && this.ready.length === 0) this.endPiece()
    const piece = this.rest ?? this.fragment.shift() ?? (this.ready.shift() as Piece)
    this.rest = undefined
    this.midFrame = !piece.whole
    const { slab, whole } = piece
    const taken = part(piece, 0, Math.min(piece.length, maxBytes))
    if (piece.length > maxBytes) {
      const { bytes, length, inSlab } = part(piece, maxBytes, piece.length - maxBytes)
      this.rest = { bytes, length, inSlab, slab, whole }
      if (slab !== undefined) slab.pieces++
      this.midFrame = true
    }
    this.takenBytes += taken.length
    this.taken.push({ slab, bytes: taken.length })
    return taken.bytes
  }

  /** The head of the next fragment of a lane; its body is given next. */
  private takeFragment(lane: Lane): Uint8Array {
    const { slab } = lane.fragments
    const { head, pieces, length, last } = this.lanes.fragment(lane)
    this.frames++
    pieces.forEach((piece, at) => this.fragment.push(this.piece(piece, at === pieces.length - 1, slab)))
    this.midFrame = true
    // The body is taken as a ready piece is, but was not counted as one.
    this.takenBytes -= length
    this.taken.push({ slab: undefined, bytes: head.length })
    if (last) {
      this.release(slab)
      this.finishLane(lane)
    }
    return head
  }

  /** The lane's message is on its way: those that waited behind it, up to the next long one. */
  private finishLane(lane: Lane): void {
    for (let message = lane.waiting.shift(); message !== undefined; message = lane.waiting.shift()) {
      const { body } = message
      this.queuedBytes -= body.length
      this.totalBytes -= body.length
      const bytes = body.single
      if (bytes === undefined || bytes.length > MAX_MOVED_BYTES) {
        this.emitDetached(message, lane.sender, lane)
        if (lane.fragmentsLeft > 0) return
        continue
      }
      this.begin()
      const { writer } = this
      writer.ensure(bytes.length)
      this.slabs.grown()
      writer.bytes.set(bytes, writer.position)
      writer.position += bytes.length
      this.emitInPlace(writer.position, message.controlBytes, message.atoms)
    }
    this.lanes.close(lane)
  }
}
