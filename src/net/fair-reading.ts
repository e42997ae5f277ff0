/**
 * Reading by turns. The event loop reads from a socket that always has more up to 32 times before it looks at another:
 * with 64 KiB each of a long message, into memory that the system has yet to find, that takes milliseconds, for which
 * small messages of other peers wait. So while others send too, a connection that has brought much is read no more in this
 * turn of the event loop. Alone it is read as fast as it comes.
 */

/** What one connection may bring in a turn, while others send too: some tenths of a millisecond. */
export const FAIR_BYTES = 256 * 1024

/** So long after its last message, another still counts. */
const ACTIVE_MS = 20

/** Of all connections of a process. */
export class FairReading {
  /** The connections that were read last, and the last other than that, with their times. */
  #latest: object | undefined
  #latestAt = -Infinity
  #beforeAt = -Infinity

  /**
   * To be told of all that is received.
   * @param bytes what the connection has brought in this turn
   * @returns whether it is to be read no more in this turn
   */
  received(connection: object, bytes: number, now: number): boolean {
    if (connection !== this.#latest) {
      this.#latest = connection
      this.#beforeAt = this.#latestAt
    }
    this.#latestAt = now
    return bytes >= FAIR_BYTES && now - this.#beforeAt < ACTIVE_MS
  }
}
