/**
 * The memory of large binaries that keep coming or going. Each is new memory, from V8 and the C library below it, and
 * garbage soon after. V8 frees those that were used and forgotten for each 32 MB of them, and the C library then gives
 * them back to the system, from where the next ones are had again, page by page, each filled with zeros first: with
 * that, reading takes half as long again. So while they keep coming, what they leave is kept for the next ones; when no
 * more come, V8 is made to collect the last of them, and the C library to give all of it back.
 *
 * Both by what they do of themselves. glibc (`mallopt(3)`, `M_MMAP_THRESHOLD` and `M_TRIM_THRESHOLD`) keeps twice as much
 * as the largest piece that was ever given back to it, until more than that is free. V8 collects its heap when it is
 * asked for much memory. The system gives none for pieces that are never written to, so asking costs nothing.
 */
import { systemClock } from './clock.js'

/** What comes in smaller pieces is small messages, which make young objects enough. */
const MIN_PIECE_BYTES = 16 * 1024

/** After each of so many bytes it is looked at how long they took. */
const LOOK_BYTES = 16 * 1024 * 1024

/** Slower than that, what memory costs does not matter. */
const MAX_LOOK_MS = 1_000

/** What was kept is given back when so long there was no more. */
export const BULK_IDLE_MS = 5_000

/** V8 has freed what it found to be garbage by then. */
export const SETTLE_MS = 1_000

/** Beyond what either keeps: V8 collects its heap, and glibc takes it from the system and gives it back there. */
const FELT_BYTES = 128 * 1024 * 1024

/** More than glibc ever lets such a piece have an effect on what it keeps; V8 frees its young garbage first. */
const UNNOTICED_BYTES = 33 * 1024 * 1024

/** The largest piece that has one (`DEFAULT_MMAP_THRESHOLD_MAX`). */
const MAX_NOTICED_BYTES = 32 * 1024 * 1024

/** What it works on. */
export interface BulkMemoryHost {
  /** Milliseconds. */
  now(): number
  /** V8's objects, and the memory beside them that they hold. */
  heap(): { used_heap_size: number; external_memory: number }
  /** Asks for memory, and forgets it. Throws when there is not as much. */
  allocate(bytes: number): void
  /** The C library is glibc, or may be. */
  keeps: boolean
}

const systemHost: BulkMemoryHost = {
  now: () => systemClock.now(),
  heap: () => process.getBuiltinModule('node:v8').getHeapStatistics(),
  // Not filled with zeros: that would write to it.
  allocate: (bytes) => void Buffer.allocUnsafeSlow(bytes),
  keeps: process.platform === 'linux',
}

export class BulkMemory {
  readonly #host: BulkMemoryHost
  #bytes = 0
  #lookedAt = -Infinity
  /** Of what is kept now. */
  #pieceBytes = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(host: BulkMemoryHost = systemHost) {
    this.#host = host
  }

  /**
   * To be told of each piece that is received or sent.
   * @param keptBytes how much may be kept; 0: nothing is done
   */
  moved(bytes: number, keptBytes: number): void {
    if (bytes < MIN_PIECE_BYTES) return
    this.#bytes += bytes
    if (this.#bytes < LOOK_BYTES) return
    this.#bytes = 0
    const now = this.#host.now()
    const tookMs = now - this.#lookedAt
    this.#lookedAt = now
    if (tookMs > MAX_LOOK_MS || keptBytes <= 0) return
    if (this.#timer !== undefined) {
      this.#timer.refresh()
      return
    }
    this.#keep(Math.min(keptBytes / 2, MAX_NOTICED_BYTES))
    this.#timer = setTimeout(() => this.#giveBack(), BULK_IDLE_MS).unref()
  }

  /** For good, as far as glibc is concerned: it never keeps less again. */
  #keep(bytes: number): void {
    if (!this.#host.keeps || bytes <= this.#pieceBytes) return
    this.#pieceBytes = bytes
    this.#ask(bytes)
  }

  #giveBack(): void {
    this.#timer = undefined
    const { used_heap_size: used, external_memory: external } = this.#host.heap()
    // Collecting a large heap would cost its program more than the memory of some binaries is worth.
    if (external < used) return
    this.#ask(FELT_BYTES)
    if (this.#pieceBytes > 0) setTimeout(() => this.#trim(), SETTLE_MS).unref()
  }

  /** Together more than glibc keeps: when they are freed, it gives back these and all that is free before them. */
  #trim(): void {
    // More of them are coming.
    if (this.#timer !== undefined) return
    const bytes = Math.floor((this.#pieceBytes * 5) / 6)
    for (let i = 0; i < 3; i++) this.#ask(bytes)
    this.#ask(UNNOTICED_BYTES)
  }

  #ask(bytes: number): void {
    try {
      this.#host.allocate(bytes)
    } catch {
      // Where that much cannot be had, little is kept too.
    }
  }
}
