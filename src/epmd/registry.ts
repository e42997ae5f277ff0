/**
 * The names that EPMD holds, and the creation that each registration is given.
 * Follows OTP's `epmd_srv.c` (node_reg2): a name never seen starts at the time in seconds, a name seen before counts on
 * from its last registration, so that two incarnations of a node that follow each other differ. A node of version 6 is
 * given all 32 bits, an older one 1 to 3.
 */
import type { Limits } from '../limits.js'
import { LARGE_CREATION_VERSION, isAliveName, type EpmdNode } from './messages.js'

/** 0 stands for no creation, and 1 to 3 are those of nodes before version 6. */
const FIRST_LARGE_CREATION = 4
const CREATION_COUNT = 2 ** 32

/** A name that is, or was, registered. */
export interface Registration {
  node: EpmdNode
  /** The connection that holds it, as the server numbers them. */
  connection: number
  /** Counts the registrations of this name. */
  counter: number
}

/** Why a registration was refused; the words go to the log, the wire only says no. */
export type Refusal = 'invalid name' | 'extra too long' | 'name taken' | 'too many names'

/** Whether a registration succeeded, and with which creation. */
export type RegisterResult = { creation: number } | { refused: Refusal }

export class EpmdRegistry {
  readonly #active = new Map<string, Registration>()
  readonly #old = new Map<string, Registration>()

  constructor(private readonly limits: Limits) {}

  /** Registrations by age, oldest first. */
  get active(): Iterable<Registration> {
    return this.#active.values()
  }

  /** Names that are gone, the longest gone first. */
  get old(): Iterable<Registration> {
    return this.#old.values()
  }

  /** How many names are registered. */
  get size(): number {
    return this.#active.size
  }

  /**
   * Registers a node for a connection.
   * @param seed the counter of a name never seen: seconds since the epoch
   */
  register(node: EpmdNode, connection: number, seed: number): RegisterResult {
    if (!isAliveName(node.name)) return { refused: 'invalid name' }
    if (node.extra.length > this.limits.maxEpmdExtraBytes) return { refused: 'extra too long' }
    if (this.#active.has(node.name)) return { refused: 'name taken' }
    if (this.#active.size >= this.limits.maxEpmdNames) return { refused: 'too many names' }
    const before = this.#old.get(node.name)
    this.#old.delete(node.name)
    const counter = before ? before.counter + 1 : Math.trunc(seed)
    this.#active.set(node.name, { node, connection, counter })
    return { creation: creationOf(counter, node.highestVersion) }
  }

  /** Looks a registered name up. */
  find(name: string): Registration | undefined {
    return this.#active.get(name)
  }

  /** Ends the registration of a name; its counter is remembered for a while. */
  unregister(name: string): Registration | undefined {
    const registration = this.#active.get(name)
    if (!registration) return undefined
    this.#active.delete(name)
    this.#old.set(name, registration)
    if (this.#old.size > this.limits.maxEpmdOldNames) {
      const [oldest] = this.#old.keys()
      this.#old.delete(oldest!)
    }
    return registration
  }
}

/** The creation that a registration with this counter gives a node of this version. */
export function creationOf(counter: number, highestVersion: number): number {
  if (highestVersion < LARGE_CREATION_VERSION) return (counter % 3) + 1
  const usable = CREATION_COUNT - FIRST_LARGE_CREATION
  return counter < CREATION_COUNT && counter >= FIRST_LARGE_CREATION
    ? counter
    : FIRST_LARGE_CREATION + (((counter % usable) + usable) % usable)
}
