/**
 * Large binaries that come and go are memory outside of V8's heap, with a small object for each in it. V8 frees those that are
 * used and forgotten with the young objects, for each 32 MB of them, which costs little; unless before that, heap and
 * binaries together pass the size at which it collects the whole heap, which costs more than moving them does. That
 * size is a multiple of what is alive in the heap. A small program's is too small: here it is made larger, while much is
 * on its way, by an array that holds nothing and that no collection has to look into.
 */

/** What comes in smaller pieces is small messages, which make young objects enough. */
const MIN_PIECE_BYTES = 16 * 1024

/** After each of so many bytes it is looked at how long they took. */
const LOOK_BYTES = 16 * 1024 * 1024

/** Slower than that, collections of the whole heap do not matter. */
const MAX_LOOK_MS = 1_000

/** Four times as much is what may then come before the heap is collected. */
export const BALLAST_BYTES = 8 * 1024 * 1024

/** The array goes when so long there was no more. */
export const BALLAST_HOLD_MS = 1_000

/**
 * Then the last large messages, used and forgotten, would stay until something else fills the heap. V8 collects it when
 * it is asked for so much memory; the system gives none for what is never written to.
 */
const FELT_BYTES = 128 * 1024 * 1024

export class Ballast {
  readonly #now: () => number
  #bytes = 0
  #lookedAt = -Infinity
  #array: number[] | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(now: () => number) {
    this.#now = now
  }

  /** Whether it is there. */
  get held(): boolean {
    return this.#array !== undefined
  }

  /** To be told of each piece that is received or sent. */
  moved(bytes: number): void {
    if (bytes < MIN_PIECE_BYTES) return
    this.#bytes += bytes
    if (this.#bytes < LOOK_BYTES) return
    this.#bytes = 0
    const now = this.#now()
    const tookMs = now - this.#lookedAt
    this.#lookedAt = now
    if (tookMs > MAX_LOOK_MS) return
    if (this.#array !== undefined) this.#timer?.refresh()
    else {
      // Numbers with a fraction are kept as such, not as references that a collection follows.
      this.#array = new Array<number>(BALLAST_BYTES / 8).fill(0.5)
      this.#timer = setTimeout(() => this.#drop(), BALLAST_HOLD_MS).unref()
    }
  }

  #drop(): void {
    this.#array = undefined
    try {
      new ArrayBuffer(FELT_BYTES)
    } catch {
      // Where that much cannot be had, the heap is small too.
    }
  }
}
