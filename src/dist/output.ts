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
import { writeUint32 } from './bytes.js'
import { Fifo } from './fifo.js'
import { FRAGMENT_HEADER_BYTES, PASS_THROUGH } from './header.js'
import { type Lane, type WaitingMessage, addFragments, LaneRing } from './lanes.js'
import { type Slab, SlabWriter } from './slabs.js'

/** A BEAM's fragments (`ERTS_DIST_FRAGMENT_SIZE`). */
export const FRAGMENT_BYTES = 64 * 1024

/** A larger message is not moved to make room for its header; the header becomes a piece of its own. */
const MAX_MOVED_BYTES = 16 * 1024

interface Piece {
  bytes: Uint8Array
  slab: Slab | undefined
  /** A frame ends where the piece ends: another one may come between. */
  whole: boolean
}

export interface OutputOptions {
  /** Frames have a distribution header; otherwise they are pass-through. */
  header: boolean
  /** Messages longer than this many bytes are fragmented. `Infinity`: none. */
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

  private readonly cache: AtomCacheWriter
  private readonly header: boolean
  private readonly fragmentBytes: number
  private readonly lanes = new LaneRing()
  private readonly slabs = new SlabWriter()
  /** Ready pieces; the ready part of the slab comes after them. */
  private readonly ready = new Fifo<Piece>()
  /** Ready bytes ever made and ever taken. */
  private readyBytes = 0
  private takenBytes = 0
  /** The rest of a frame whose beginning was taken. */
  private rest: Piece | undefined
  private midFrame = false
  private lanesTurn = false
  private readonly taken = new Fifo<{ slab: Slab | undefined; bytes: number }>()
  /** The message being encoded: its frame, its first byte after a header of the length guessed. */
  private frameStart = 0
  private bodyStart = 0
  private headerGuess: number
  private nextSequenceId = 1

  constructor(cache: AtomCacheWriter, options: OutputOptions) {
    this.cache = cache
    this.header = options.header
    this.fragmentBytes = options.header ? options.fragmentBytes : Infinity
    this.headerGuess = options.header ? 3 : 1
    this.writer = this.slabs.writer
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
    return this.writer.position - this.bodyStart
  }

  /** Gives up the message. */
  abort(): void {
    this.writer.position = this.frameStart
    this.slabs.grown()
  }

  /**
   * Queues the message.
   * @param controlEnd position in `writer` after the control message
   * @param sender whose signals keep their order
   * @param atoms its references
   */
  commit(controlEnd: number, sender: Pid | undefined, atoms: MessageAtoms): void {
    const { writer } = this
    this.slabs.grown()
    const bodyBytes = this.messageBytes
    const fragmented = bodyBytes > this.fragmentBytes
    if (fragmented || this.lanes.size > 0) {
      const lane = this.lanes.of(sender)
      if (lane !== undefined || fragmented) {
        const message = this.detach(controlEnd, atoms)
        if (lane === undefined) this.emitDetached(message, sender)
        else {
          lane.waiting.push(message)
          this.count(bodyBytes)
        }
        return
      }
    }
    this.emitInPlace(writer.position, controlEnd, atoms)
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
   */
  take(maxBytes: number): Uint8Array | undefined {
    if (!this.midFrame) {
      const ready = this.readyBytes > this.takenBytes
      if (this.lanes.size > 0 && (this.lanesTurn || !ready)) {
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
    this.taken.clear()
    this.rest = undefined
    this.midFrame = false
    this.readyBytes = this.takenBytes = 0
    this.queuedBytes = 0
    this.slabs.clear()
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
  private emitInPlace(end: number, controlEnd: number, atoms: MessageAtoms): void {
    const { writer, frameStart, bodyStart } = this
    const headerBytes = this.header ? this.cache.resolve(atoms, false) : 1
    const shift = headerBytes - this.headerGuess
    if (shift !== 0) {
      this.headerGuess = headerBytes
      if (end - bodyStart > MAX_MOVED_BYTES) {
        const message = this.detach(controlEnd, atoms)
        this.endPiece()
        this.pushHead(message.bytes.length, headerBytes, atoms, 0, 0)
        this.pushReady(message.bytes, true, message.slab)
        return
      }
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
  private detach(controlEnd: number, current: MessageAtoms): WaitingMessage {
    const { writer, bodyStart } = this
    const end = writer.position
    const controlBytes = controlEnd - bodyStart
    const atoms: MessageAtoms = { list: current.list.slice(0, current.count), count: current.count }
    if (end - bodyStart <= MAX_MOVED_BYTES) {
      writer.position = this.frameStart
      return { bytes: writer.bytes.slice(bodyStart, end), controlBytes, atoms, slab: undefined }
    }
    // It keeps the slab; what is ready in it stays before the message.
    const bytes = writer.bytes.subarray(bodyStart, end)
    const slab = this.slabs.current
    slab.pieces++
    writer.position = this.frameStart
    this.nextSlab()
    return { bytes, controlBytes, atoms, slab }
  }

  /** Makes a message ready that is not in the slab: whole, or its first fragment. */
  private emitDetached(message: WaitingMessage, sender: Pid | undefined, lane?: Lane): void {
    const { bytes, atoms, slab } = message
    const fragmented = bytes.length > this.fragmentBytes
    const headerBytes = this.header ? this.cache.resolve(atoms, fragmented) : 1
    this.endPiece()
    if (!fragmented) {
      this.pushHead(bytes.length, headerBytes, atoms, 0, 0)
      this.pushReady(bytes, true, slab)
      return
    }
    // The peer reads the control message when the first fragment arrives.
    const first = Math.max(this.fragmentBytes, message.controlBytes)
    const later = Math.ceil((bytes.length - first) / this.fragmentBytes)
    const sequenceId = this.nextSequenceId++
    this.pushHead(first, headerBytes, atoms, sequenceId, later + 1)
    this.pushReady(bytes.subarray(0, first), true, slab)
    if (later === 0) return
    if (slab !== undefined) slab.pieces++
    const fragments = {
      bytes: bytes.subarray(first),
      sequenceId,
      count: later,
      size: this.fragmentBytes,
      slab,
    }
    if (lane === undefined) this.lanes.open(sender, fragments, this.readyBytes)
    else addFragments(lane, fragments, this.readyBytes)
    this.count(bytes.length - first + later * (4 + FRAGMENT_HEADER_BYTES))
  }

  private pushHead(
    bodyBytes: number,
    headerBytes: number,
    atoms: MessageAtoms,
    sequenceId: number,
    fragments: number,
  ): void {
    const head = new Uint8Array(4 + headerBytes)
    writeUint32(head, 0, headerBytes + bodyBytes)
    if (this.header) this.cache.writeHeader(head, 4, atoms, sequenceId, fragments)
    else head[4] = PASS_THROUGH
    this.frames++
    this.pushReady(head, false, undefined)
  }

  /** `slab`: whose piece this is, counted already. */
  private pushReady(bytes: Uint8Array, whole: boolean, slab: Slab | undefined): void {
    this.ready.push({ bytes, slab, whole })
    this.readyBytes += bytes.length
    this.count(bytes.length)
  }

  /** The ready part of the slab comes before what follows. */
  private endPiece(): void {
    const piece = this.slabs.piece()
    if (piece !== undefined) this.ready.push({ ...piece, whole: true })
  }

  private nextSlab(): void {
    this.endPiece()
    this.slabs.next()
  }

  private takeReady(maxBytes: number): Uint8Array {
    if (this.rest === undefined && this.ready.length === 0) this.endPiece()
    const piece = this.rest ?? (this.ready.shift() as Piece)
    this.rest = undefined
    let { bytes } = piece
    this.midFrame = !piece.whole
    if (bytes.length > maxBytes) {
      this.rest = { ...piece, bytes: bytes.subarray(maxBytes) }
      if (piece.slab !== undefined) piece.slab.pieces++
      bytes = bytes.subarray(0, maxBytes)
      this.midFrame = true
    }
    this.takenBytes += bytes.length
    this.taken.push({ slab: piece.slab, bytes: bytes.length })
    return bytes
  }

  /** The head of the next fragment of a lane; its body is given next. */
  private takeFragment(lane: Lane): Uint8Array {
    const { head, body, last } = this.lanes.fragment(lane)
    this.frames++
    const { slab } = lane.fragments
    // The last fragment's piece is the one that the message itself was counted as.
    if (slab !== undefined && !last) slab.pieces++
    this.rest = { bytes: body, slab, whole: true }
    this.midFrame = true
    // The body is taken as a ready piece is, but was not counted as one.
    this.takenBytes -= body.length
    this.taken.push({ slab: undefined, bytes: head.length })
    if (last) this.finishLane(lane)
    return head
  }

  /** The lane's message is on its way: those that waited behind it, up to the next long one. */
  private finishLane(lane: Lane): void {
    for (let message = lane.waiting.shift(); message !== undefined; message = lane.waiting.shift()) {
      this.queuedBytes -= message.bytes.length
      this.totalBytes -= message.bytes.length
      if (message.bytes.length > MAX_MOVED_BYTES) {
        this.emitDetached(message, lane.sender, lane)
        if (lane.fragmentsLeft > 0) return
        continue
      }
      this.begin()
      const { writer } = this
      writer.ensure(message.bytes.length)
      this.slabs.grown()
      writer.bytes.set(message.bytes, writer.position)
      writer.position += message.bytes.length
      this.emitInPlace(writer.position, this.bodyStart + message.controlBytes, message.atoms)
    }
    this.lanes.close(lane)
  }
}
