/**
 * Connections that are set up only because a signal is to be sent, maybe an answer to whoever a peer said it was: of too
 * many at once the oldest makes room.
 */
import { NodeError } from '../errors.js'

export class AutoConnects<T extends { readonly name: string }> {
  readonly #most: number
  readonly #giveUp: (entry: T, error: NodeError) => void
  /** The oldest first. */
  readonly #entries = new Set<T>()

  /** @param giveUp called later: what waits for the connection breaks, and whoever sends now does not expect that */
  constructor(most: number, giveUp: (entry: T, error: NodeError) => void) {
    this.#most = most
    this.#giveUp = giveUp
  }

  add(entry: T): void {
    this.#entries.add(entry)
    const [oldest] = this.#entries
    if (oldest === undefined || this.#entries.size <= this.#most) return
    this.#entries.delete(oldest)
    const what = `${this.#most} connections that signals asked for are being set up (limit maxAutoConnects)`
    const error = new NodeError('NODE_TOO_MANY_CONNECTS', `${what}: that to ${oldest.name} made room`)
    queueMicrotask(() => this.#giveUp(oldest, error))
  }

  /** It is up, or has failed, or somebody waits for it. */
  delete(entry: T): void {
    this.#entries.delete(entry)
  }
}
