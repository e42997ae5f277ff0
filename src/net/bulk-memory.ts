/**
 * The memory of large binaries that keep coming or going. Each is new memory, from V8 and the C library below it, and
 * garbage soon after.
 *
 * V8 frees those that were used and forgotten for each 32 MB of them, which costs little. But in some heaps it collects the
 * whole heap each time, as objects and binaries together pass the size at which it does: that costs as much as moving the
 * binaries, and goes on, for that size depends on how fast the heap grew before the collection, and it did not. So one that
 * is seen to be collected often is made larger, all at once, by an array that holds nothing and that no collection looks
 * into.
 *
 * The C library gives what was freed back to the system, from where it is had again, page by page, each filled with zeros
 * first, which is a good part of what reading costs. So it is made to keep it, while more binaries come. glibc (`mallopt(3)`,
 * `M_MMAP_THRESHOLD`, `M_TRIM_THRESHOLD`) keeps twice as much as the largest piece that was ever given back to it.
 *
 * When no more come, V8 is made to collect the last of them, and the C library to give all back: V8 collects when it is
 * asked for much memory, the C library gives back when more than it keeps is free at the end of its heap. A piece in use
 * there keeps all before it: connections give up first what they have ready for more. Where memory that is asked for is
 * never written to, the system gives none. What is asked of the C library is to be free again soon, and together, without
 * a collection: it is sent to a message port that nobody has.
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

/** V8 has freed what it found to be garbage by then, or most of it. */
export const SETTLE_MS = 750

/**
 * The rest by then. V8 collects for this too, and so long after the collection before it finds whether little was allocated
 * meanwhile: then it makes the space of its young objects small again, which grows to 32 MiB and more.
 */
export const CALM_MS = 5_500

/** Beyond what either keeps: V8 collects its heap, and glibc takes it from the system and gives it back there. */
const FELT_BYTES = 128 * 1024 * 1024

/** The largest piece that has one (`DEFAULT_MMAP_THRESHOLD_MAX`). */
const MAX_NOTICED_BYTES = 32 * 1024 * 1024

/** A heap that is smaller by so much than when it was looked at last has been collected. */
const COLLECTED_BYTES = 8 * 1024

/** A collection so few looks after the last one, or after the first look, is one of many. */
const OFTEN_LOOKS = 8

/** A heap that may be found to be less than 8 MiB when it has been collected: V8 does not begin to collect that for binaries. */
const SMALL_HEAP_BYTES = 8.75 * 1024 * 1024

/** A heap of this size is left alone: it grows by more before it is collected, and may be near its end. */
const LARGE_HEAP_BYTES = 64 * 1024 * 1024

/** What is added to a heap. */
const BALLAST_BYTES = 16 * 1024 * 1024

/**
 * What glibc is asked for, to give back what is free before: smaller than the largest piece, which would not come from its
 * heap, three of them more than it keeps, two for what is free before the end of the heap.
 */
const TRIM_PIECES = 5
const TRIM_SHARE = 11 / 12

/** What large binaries come or go through. */
export interface BulkMover {
  /** Gives up the memory that it has ready for more of them. */
  trim(): void
}

/** What it works on. */
export interface BulkMemoryHost {
  /** Milliseconds. */
  now(): number
  /** V8's objects that are not young, and the memory beside them that they hold; in bytes. */
  heap(): { old: number; external: number }
  /** Asks for memory, and forgets it. Throws when there is not as much. */
  allocate(bytes: number): void
  /** Asks for pieces of memory of these sizes, and gives them back to the C library. Throws when there is not as much. */
  pass(sizes: readonly number[]): void
  /** The C library is glibc, or may be. */
  keeps: boolean
}

export const SYSTEM_HOST: BulkMemoryHost = {
  now: () => systemClock.now(),
  heap() {
    const v8 = process.getBuiltinModule('node:v8')
    let old = 0
    for (const { space_name: name, space_used_size: used } of v8.getHeapSpaceStatistics())
      if (!name.startsWith('new_')) old += used
    return { old, external: v8.getHeapStatistics().external_memory }
  },
  // Not filled with zeros: that would write to it.
  allocate: (bytes) => void Buffer.allocUnsafeSlow(bytes),
  pass(sizes) {
    const { MessageChannel } = process.getBuiltinModule('node:worker_threads')
    const { port1, port2 } = new MessageChannel()
    port2.close()
    try {
      port1.postMessage(
        undefined,
        sizes.map((bytes) => Buffer.allocUnsafeSlow(bytes).buffer),
      )
    } finally {
      port1.close()
    }
  },
  keeps: process.platform === 'linux',
}

export class BulkMemory {
  readonly #host: BulkMemoryHost
  #bytes = 0
  #lookedAt = -Infinity
  /** Half of what the C library keeps. */
  #pieceBytes = 0
  #keptBytes = 0
  #ballast: number[] | undefined
  /** Heaps since something is kept: the smallest, and the last. */
  #smallest = Infinity
  #last = 0
  #looks = 0
  #collectedAt = 0
  /** When the heap was made larger last, and how often. */
  #enlargedAt = -Infinity
  #enlarged = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #trims: ReturnType<typeof setTimeout>[] = []
  readonly #movers = new Set<BulkMover>()

  constructor(host: BulkMemoryHost = SYSTEM_HOST) {
    this.#host = host
  }

  /** How often the heap was made larger; 0 when it is as large as before. */
  get enlarged(): number {
    return this.#enlarged
  }

  /**
   * To be told of each piece that is received or sent.
   * @param keptBytes how much may be kept; 0: nothing is done
   * @param mover to be told when no more come, unless it is {@link gone} by then
   */
  moved(bytes: number, keptBytes: number, mover?: BulkMover): void {
    if (bytes < MIN_PIECE_BYTES) return
    if (mover !== undefined) this.#movers.add(mover)
    this.#bytes += bytes
    if (this.#bytes < LOOK_BYTES) return
    this.#bytes = 0
    const now = this.#host.now()
    const tookMs = now - this.#lookedAt
    this.#lookedAt = now
    if (tookMs > MAX_LOOK_MS || keptBytes <= 0) return
    if (this.#timer !== undefined) {
      this.#timer.refresh()
      this.#weigh()
      return
    }
    // What is free is wanted again.
    for (const trim of this.#trims) clearTimeout(trim)
    this.#keptBytes = keptBytes
    this.#keep(Math.min(Math.floor(keptBytes / 2), MAX_NOTICED_BYTES))
    this.#smallest = Infinity
    this.#last = 0
    this.#looks = 0
    this.#collectedAt = 0
    this.#enlargedAt = -Infinity
    this.#timer = setTimeout(() => this.#giveBack(), BULK_IDLE_MS).unref()
  }

  /** It has nothing to give up any more. */
  gone(mover: BulkMover): void {
    this.#movers.delete(mover)
  }

  #weigh(): void {
    const { old } = this.#host.heap()
    const collected = old < this.#last - COLLECTED_BYTES
    this.#smallest = Math.min(this.#smallest, old)
    this.#last = old
    this.#looks++
    if (!collected || old >= LARGE_HEAP_BYTES) return
    const often = this.#looks - this.#collectedAt < OFTEN_LOOKS
    this.#collectedAt = this.#looks
    // Where it does not help, it is done less and less often.
    const pause = OFTEN_LOOKS * 2 ** (this.#enlarged - 1)
    if (often && this.#looks - this.#enlargedAt >= pause) this.#enlarge()
  }

  /** Anew, if it was before: it is that the heap grows which counts. */
  #enlarge(): void {
    // Numbers with a fraction are kept as such, not as references that a collection follows.
    this.#ballast = new Array<number>(BALLAST_BYTES / 8).fill(0.5)
    this.#last = 0
    this.#collectedAt = this.#enlargedAt = this.#looks
    this.#enlarged++
  }

  /** For good, as far as glibc is concerned: it never keeps less again. */
  #keep(bytes: number): void {
    if (!this.#host.keeps || bytes <= this.#pieceBytes) return
    this.#pieceBytes = bytes
    this.#ask((host) => host.pass([bytes]))
  }

  #giveBack(): void {
    this.#timer = undefined
    for (const mover of this.#movers) mover.trim()
    this.#movers.clear()
    const { old, external } = this.#host.heap()
    const enlarged = this.#ballast !== undefined
    this.#ballast = undefined
    this.#enlarged = 0
    // What is garbage in it now says nothing of what it is when that has been collected.
    const own = Math.min(old, this.#smallest)
    // After a collection that it was made to do, V8 lets a heap grow slowly, and the next binaries cost more: in a small
    // heap alone they do not, and in one that was enlarged that is so already.
    if (own >= SMALL_HEAP_BYTES && !enlarged && external < 2 * this.#keptBytes) return
    this.#ask((host) => host.allocate(FELT_BYTES))
    if (this.#pieceBytes === 0) return
    this.#trims = [SETTLE_MS, CALM_MS].map((afterMs) => setTimeout(() => this.#trim(), afterMs).unref())
  }

  /** Together more than glibc keeps: when they are freed, it gives back these and all that is free before them. */
  #trim(): void {
    const bytes = Math.floor(this.#pieceBytes * TRIM_SHARE)
    this.#ask((host) => host.pass(new Array<number>(TRIM_PIECES).fill(bytes)))
  }

  #ask(what: (host: BulkMemoryHost) => void): void {
    try {
      what(this.#host)
    } catch {
      // Where that much cannot be had, little is kept too.
    }
  }
}
