/**
 * Slow receivers hold back those who send to them: while a mailbox is too full, the connection that fills it is not read,
 * and the peer's senders suspend when its own buffers are full (its `dist_buf_busy_limit`).
 *
 *     mailbox over the limit ─▶ pauseReading ─▶ half of it taken, or a receive that waits ─▶ resumeReading
 *
 * A process that takes nothing may be waiting for an answer of that same peer, behind what fills its mailbox. So no pause
 * is for good: from time to time the connection is read until the next message for a full mailbox. The more that holds, the
 * more rarely, by the square: a process that is slow with large messages has taken some by then, and nothing is lost.
 */
import type { Atom } from '../etf/atom.js'
import type { Limits } from '../limits.js'
import type { Link } from '../net/link.js'
import type { Mailbox } from '../process/mailbox.js'

type PressureLimits = Pick<
  Limits,
  'mailboxBusyMessages' | 'mailboxBusyBytes' | 'mailboxTrickleMs' | 'maxMailboxBytes'
>

type HeldLink = Pick<Link, 'pauseReading' | 'resumeReading'>
type LinkTo = (node: Atom) => HeldLink | undefined

/** Longest time that a timer of Node can wait. */
const MAX_TIMER_MS = 0x7fff_ffff

interface Pressure {
  readonly links: Set<HeldLink>
  timer: ReturnType<typeof setTimeout>
}

export class Backpressure {
  readonly #limits: PressureLimits
  readonly #linkTo: LinkTo
  readonly #pressed = new Map<Mailbox, Pressure>()

  /** @param linkTo the connection to a node, if it is up */
  constructor(limits: PressureLimits, linkTo: LinkTo) {
    this.#limits = limits
    this.#linkTo = linkTo
  }

  /** Mailboxes for which connections are held back. */
  get pressedMailboxes(): number {
    return this.#pressed.size
  }

  /** A message of `node` was put into `mailbox`. */
  arrived(mailbox: Mailbox, node: Atom): void {
    if (mailbox.wanting || !this.#isOver(mailbox, 1)) return
    const link = this.#linkTo(node)
    if (link === undefined) return
    let pressure = this.#pressed.get(mailbox)
    if (pressure === undefined) {
      const timer = setTimeout(() => this.#release(mailbox), this.#pauseMs(mailbox))
      // A connection keeps the process running, not the wait for its turn.
      timer.unref()
      pressure = { links: new Set(), timer }
      this.#pressed.set(mailbox, pressure)
      mailbox.relief = () => {
        if (mailbox.wanting || !this.#isOver(mailbox, 2)) this.#release(mailbox)
      }
    }
    if (pressure.links.has(link)) return
    pressure.links.add(link)
    link.pauseReading()
  }

  /** Holds nobody back any more. */
  stop(): void {
    for (const mailbox of [...this.#pressed.keys()]) this.#release(mailbox)
  }

  #isOver(mailbox: Mailbox, part: 1 | 2): boolean {
    const { mailboxBusyMessages, mailboxBusyBytes } = this.#limits
    return mailbox.length * part > mailboxBusyMessages || mailbox.weight * part > mailboxBusyBytes
  }

  #pauseMs(mailbox: Mailbox): number {
    const { mailboxTrickleMs, mailboxBusyBytes, maxMailboxBytes } = this.#limits
    const times = Math.min(mailbox.weight, maxMailboxBytes) / mailboxBusyBytes
    return Math.min(mailboxTrickleMs * Math.max(1, times ** 2 || 1), MAX_TIMER_MS)
  }

  #release(mailbox: Mailbox): void {
    const pressure = this.#pressed.get(mailbox)
    if (pressure === undefined) return
    this.#pressed.delete(mailbox)
    mailbox.relief = undefined
    clearTimeout(pressure.timer)
    for (const link of pressure.links) link.resumeReading()
  }
}
