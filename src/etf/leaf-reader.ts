/**
 * The terms that hold no others but atoms: pids and references, and binaries, which are copied or share the memory of the
 * input.
 */
import { Pid, Reference } from './identifiers.js'
import { Input } from './input.js'
import { platform } from './platform.js'
import { readSmallInteger } from './reader-numbers.js'
import { room } from './room.js'
import type { Term } from './terms.js'

/** Binaries up to this size are copied: a view would keep the whole message in memory. */
const COPY_BYTES = 64

/** @internal */
export class LeafReader extends Input {
  /** A copy of the input from `restStart` on, where binaries are copied together. */
  private rest: Uint8Array | undefined
  private restStart = 0

  /** @internal */
  override release(): void {
    super.release()
    this.rest = undefined
  }

  // --- identifiers ------------------------------------------------------------------------------------------------------

  protected pid(): Pid {
    const node = this.node()
    const p = this.position
    const view = this.view
    if (view === undefined || p + 12 > this.end) {
      return new Pid(node, this.uint32(), this.uint32(), this.uint32())
    }
    this.position = p + 12
    return new Pid(node, view.getUint32(p), view.getUint32(p + 4), view.getUint32(p + 8))
  }

  protected reference(wideCreation: boolean): Reference {
    const length = this.uint16()
    if (length < 1 || length > 5) throw this.malformed('ETF_BAD_TERM', `has ${length} words, not 1 to 5`)
    const node = this.node()
    const words = room(length) as number[]
    const p = this.position
    const view = this.view
    if (view === undefined || !wideCreation || p + 4 + 4 * length > this.end) {
      const creation = wideCreation ? this.uint32() : this.uint8()
      for (let i = 0; i < length; i++) words[i] = this.uint32()
      return new Reference(node, creation, words)
    }
    this.position = p + 4 + 4 * length
    for (let i = 0; i < length; i++) words[i] = view.getUint32(p + 4 + 4 * i)
    return new Reference(node, view.getUint32(p), words)
  }

  protected arity(): number {
    const arity = readSmallInteger(this)
    if (arity < 0 || arity > 255) throw this.malformed('ETF_BAD_TERM', `has arity ${arity}`)
    return arity
  }

  // --- binaries -------------------------------------------------------------------------------------------------------------

  protected binary(length: number): Term {
    const p = this.position
    if (p + length > this.end) throw this.truncated(length)
    this.position = p + length
    return this.binaryAt(p, length)
  }

  protected binaryAt(p: number, length: number): Term {
    if (this.text !== undefined) {
      const text = this.text.read(this.view, p, p + length)
      // A string is no Term: whoever asks for text has it in the type of the result (see `decode`).
      if (text !== undefined) return text as unknown as Term
    }
    const view = this.view ?? this.dataView()
    if (length > COPY_BYTES) {
      if (this.copy === 'together') return this.binaryTogether(p, length)
      return this.copy
        ? platform.copyBinary(this.bytes, p, length)
        : platform.viewBinary(view.buffer, view.byteOffset + p, length)
    }
    return platform.smallBinary(view, p, length)
  }

  /** The rest of the input is copied at its first binary, and this and later ones are views of that. */
  private binaryTogether(p: number, length: number): Term {
    if (this.rest === undefined) {
      this.rest = platform.copyBinary(this.bytes, p, this.end - p)
      this.restStart = p
    }
    const { buffer, byteOffset } = this.rest
    return platform.viewBinary(buffer, byteOffset + p - this.restStart, length)
  }

  /** The binary `bytes[p, end)` as the key of a map. */
  protected binaryKey(p: number, end: number): Term {
    if (this.text !== undefined) {
      const text = this.text.key(this.view, p, end)
      if (text !== undefined) return text as unknown as Term
    }
    return this.binaryAt(p, end - p)
  }
}
