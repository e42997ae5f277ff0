/**
 * What the mailboxes of a node hold together of other nodes' messages, and whether one may take more. Messages between
 * processes of the node are not weighed: who sends them holds memory as it likes anyway.
 */
import type { Limits } from '../limits.js'

type RoomLimits = Pick<Limits, 'maxMailboxBytes' | 'maxAllMailboxBytes' | 'mailboxBusyBytes'>

export class MailboxRoom {
  /** What all mailboxes hold. */
  held = 0
  readonly #limits: RoomLimits

  constructor(limits: RoomLimits) {
    this.#limits = limits
  }

  /** Whether a message of this weight is too much for a mailbox that holds `own`. */
  refuses(own: number, weight: number): boolean {
    const { maxMailboxBytes, maxAllMailboxBytes, mailboxBusyBytes } = this.#limits
    const sum = own + weight
    // One that is empty takes a message of any weight: its process may read what comes, and nothing else tells.
    if (own > 0 && sum > maxMailboxBytes) return true
    // The second half is left to those that hold little: who does not read must not keep messages from who does.
    return this.held >= (sum > mailboxBusyBytes ? maxAllMailboxBytes / 2 : maxAllMailboxBytes)
  }
}
