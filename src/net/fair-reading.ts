/**
 * Reading by turns. The event loop reads from a socket that always has more up to 32 times before it looks at another:
 * with 64 KiB each of a long message, into memory that the system has yet to find, that takes milliseconds, for which
 * small messages of other peers wait. So while others send too, a connection that has brought much is read no more in this
 * turn of the event loop: sooner where others send little, which is what waits, than where they send as much, when shorter
 * turns would only cost more. Alone it is read as fast as it comes.
 */

/** So long after its last message, another still counts. */
const ACTIVE_MS = 20

/** A read of less is of small messages, unless the connection brought more at a time a moment ago. */
const MUCH_BYTES = 4 * 1024

/** What may be brought in a turn where others send little, of what may be where they send much. */
const BESIDE_LITTLE = 0.25

/** When something was last done, by others than oneself. */
class Latest {
  #who = 0
  #at = -Infinity
  #beforeAt = -Infinity

  note(who: number, now: number): void {
    if (who !== this.#who) {
      this.#who = who
      this.#beforeAt = this.#at
    }
    this.#at = now
  }

  byOthers(who: number): number {
    return who === this.#who ? this.#beforeAt : this.#at
  }
}

/** Of all connections of a process. */
export class FairReading {
  #connections = 0
  readonly #any = new Latest()
  readonly #little = new Latest()

  connection(): FairConnection {
    return new FairConnection(++this.#connections, this.#any, this.#little)
  }
}

export class FairConnection {
  readonly #id: number
  readonly #any: Latest
  readonly #little: Latest
  #turnBytes = 0
  #muchAt = -Infinity

  /** @internal use {@link FairReading.connection} */
  constructor(id: number, any: Latest, little: Latest) {
    this.#id = id
    this.#any = any
    this.#little = little
  }

  /** Something that counts was received in this turn of the event loop: {@link turnEnded} is to be called. */
  get inTurn(): boolean {
    return this.#turnBytes > 0
  }

  /**
   * To be told of all that is received.
   * @param maxBytes what may be, in a turn, while others send much too
   * @returns whether the connection is to be read no more in this turn
   */
  received(bytes: number, maxBytes: number, now: number): boolean {
    if (bytes >= MUCH_BYTES) {
      this.#turnBytes += bytes
      this.#muchAt = now
    } else if (now - this.#muchAt >= ACTIVE_MS) this.#little.note(this.#id, now)
    this.#any.note(this.#id, now)
    // What is less than was asked for ends the turn's reading of this connection anyway.
    if (!this.inTurn || now - this.#any.byOthers(this.#id) >= ACTIVE_MS) return false
    const besideLittle = now - this.#little.byOthers(this.#id) < ACTIVE_MS
    return this.#turnBytes >= (besideLittle ? maxBytes * BESIDE_LITTLE : maxBytes)
  }

  turnEnded(): void {
    this.#turnBytes = 0
  }
}
