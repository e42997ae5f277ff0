/**
 * Budgets: how many atoms others may make us keep, and how many we may make a peer keep. One of each belongs to each
 * connection; `decode` of bytes that came without a connection counts against the whole process only.
 */
import { EtfError } from '../errors.js'
import { DEFAULT_LIMITS, type Limits } from '../limits.js'
import { atomCount } from './atom.js'

/** Atoms that one peer may still create in the intern table. */
export class AtomBudget {
  /** How many it has created. */
  created = 0
  private readonly most: number
  private readonly mostInAll: number

  constructor(limits: Partial<Pick<Limits, 'maxAtoms' | 'maxAtomsPerConnection'>> = {}) {
    this.most = limits.maxAtomsPerConnection ?? DEFAULT_LIMITS.maxAtomsPerConnection
    this.mostInAll = limits.maxAtoms ?? DEFAULT_LIMITS.maxAtoms
  }

  /**
   * Counts one new atom.
   * @throws EtfError `ETF_TOO_MANY_ATOMS` when the peer, or all together, have created as many as they may.
   */
  spend(): void {
    if (this.created >= this.most) {
      throw new EtfError('ETF_TOO_MANY_ATOMS', `the peer has created ${this.created} atoms, its limit`)
    }
    if (atomCount() >= this.mostInAll) {
      throw new EtfError('ETF_TOO_MANY_ATOMS', `this process holds ${atomCount()} atoms, its limit`)
    }
    this.created++
  }
}

/** Different keys of plain objects that may be sent as atoms on one connection. */
export class ObjectKeyBudget {
  private readonly sent = new Set<string>()
  private readonly most: number

  constructor(limits: Partial<Pick<Limits, 'maxObjectKeysPerConnection'>> = {}) {
    this.most = limits.maxObjectKeysPerConnection ?? DEFAULT_LIMITS.maxObjectKeysPerConnection
  }

  /**
   * Counts a key, once for each different one.
   * @throws EtfError `ETF_TOO_MANY_KEYS` at one more different key than the limit.
   */
  spend(name: string): void {
    if (this.sent.has(name)) return
    if (this.sent.size >= this.most) {
      throw new EtfError(
        'ETF_TOO_MANY_KEYS',
        `${this.sent.size} different object keys were sent as atoms on this connection, its limit: ` +
          `send maps with text keys for data that users make`,
      )
    }
    this.sent.add(name)
  }
}
