/**
 * Reading by turns. The event loop reads from a socket that always has more up to 32 times before it looks at another:
 * with 64 KiB each of a long message, into memory that the system has yet to find, that takes milliseconds, for which
 * small messages of other peers wait. So while others send too, a connection that has brought much is read no more in this
 * turn of the event loop. Alone it is read as fast as it comes.
 */

/** So long after its last message, another still counts. */
const ACTIVE_MS = 20

/** Of all connections of a process. */
export class FairReading {
  #ids = 0
  /** Which connection was read last, when, and when one other than that. */
  #latest = 0
  #latestAt = -Infinity
  #beforeAt = -Infinity

  /** @returns what tells a connection from the others */
  nextId(): number {
    return ++this.#ids
  }

  /**
   * To be told of all that is received.
   * @param connection its id
   * @param bytes what it has brought in this turn
   * @param maxBytes what it may, while others send too
   * @returns whether it is to be read no more in this turn
   */
  received(connection: number, bytes: number, maxBytes: number, now: number): boolean {
    if (connection !== this.#latest) {
      this.#latest = connection
      this.#beforeAt = this.#latestAt
    }
    this.#latestAt = now
    return bytes >= maxBytes && now - this.#beforeAt < ACTIVE_MS
  }
}
