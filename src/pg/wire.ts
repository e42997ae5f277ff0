/**
 * The messages between `pg` scopes of different nodes, read and made (pg.erl; from OTP 29 pg.erl over data_publisher.erl).
 * A scope is a process registered under the scope's name; `Scope` below is its pid.
 *
 *     version 0, OTP 23 to 28                              version 1, OTP 29
 *     {discover, Scope}                                    {discover, Scope, 1}
 *     {'$gen_cast', {sync, Scope, [{Group, [Pid]}]}}       {'$gen_cast', {local_data, Scope, 1, #{Group => [Pid]}}}
 *     {join, Scope, Group, Pid | [Pid]}                    {update, Scope, [{Group, Joined, Left}]}
 *     {leave, Scope, Pid | [Pid], [Group]}
 *
 * A scope of version 0 dies of any message that it does not know, a discover of version 1 among them: a first message
 * is always of version 0, which both understand, and later ones of the version in which the peer spoke.
 */
import { atomName, internAtom } from '../etf/atom.js'
import { Pid } from '../etf/identifiers.js'
import { ErlMap } from '../etf/map.js'
import type { Encodable, Term } from '../etf/terms.js'
import { Tuple, tuple } from '../etf/tuple.js'
import { GEN_CAST } from '../process/gen-reply.js'
import { readList } from '../process/read-list.js'

const DISCOVER = internAtom('discover')
const SYNC = internAtom('sync')
const LOCAL_DATA = internAtom('local_data')
const UPDATE = internAtom('update')
const JOIN = internAtom('join')
const LEAVE = internAtom('leave')

/** The newest version of the messages that this package speaks. */
export const NEWEST_VERSION = 1

/** The processes of one node in one group; each as often as it joined. */
export interface Membership {
  readonly group: Term
  readonly pids: readonly Pid[]
}

/** What changed in one group. */
export interface Change {
  readonly group: Term
  readonly joined: readonly Pid[]
  readonly left: readonly Pid[]
}

export type PgMessage =
  | { type: 'discover'; peer: Pid; version: number }
  /** All groups of the peer's node. */
  | { type: 'localData'; peer: Pid; version: number; groups: readonly Membership[] }
  | { type: 'update'; peer: Pid; changes: readonly Change[] }

/** Reads what another scope sent; undefined for what is none of its messages. */
export function readPgMessage(message: Term): PgMessage | undefined {
  if (!(message instanceof Tuple)) return undefined
  const elements = message.elements as readonly Term[]
  if (elements[0] === GEN_CAST && elements.length === 2) {
    return elements[1] instanceof Tuple ? readLocalData(elements[1]) : undefined
  }
  const [, peer, third, fourth] = elements as readonly [Term, Term, Term, Term]
  if (!(peer instanceof Pid)) return undefined
  switch (`${message.tag ?? ''}/${message.size}`) {
    case 'discover/2':
      return { type: 'discover', peer, version: 0 }
    case 'discover/3':
      return isVersion(third) ? { type: 'discover', peer, version: third } : undefined
    case 'join/4': {
      const joined = pidsOf(fourth)
      return joined && { type: 'update', peer, changes: [{ group: third, joined, left: [] }] }
    }
    case 'leave/4': {
      const left = pidsOf(third)
      if (left === undefined || !Array.isArray(fourth)) return undefined
      const groups = fourth as readonly Term[]
      return { type: 'update', peer, changes: groups.map((group) => ({ group, joined: [], left })) }
    }
    case 'update/3': {
      const changes = readList(third, readChange)
      return changes && { type: 'update', peer, changes }
    }
    default:
      return undefined
  }
}

function readLocalData(data: Tuple): PgMessage | undefined {
  const [, peer, third, fourth] = data.elements as readonly [Term, Term, Term, Term]
  if (!(peer instanceof Pid)) return undefined
  if (atomName(data.elements[0]) === 'sync' && data.size === 3) {
    const groups = readList(third, readMembership)
    return groups && { type: 'localData', peer, version: 0, groups }
  }
  if (atomName(data.elements[0]) === 'local_data' && data.size === 4) {
    if (!isVersion(third) || !(fourth instanceof ErlMap)) return undefined
    const groups = readList(
      [...fourth].map(([group, pids]) => tuple(group, pids) as Term) as Term,
      readMembership,
    )
    return groups && { type: 'localData', peer, version: third, groups }
  }
  return undefined
}

function readMembership(term: Term): Membership | undefined {
  if (!(term instanceof Tuple) || term.size !== 2) return undefined
  const [group, members] = term.elements as readonly [Term, Term]
  const pids = pidsOf(members)
  return pids && { group, pids }
}

function readChange(term: Term): Change | undefined {
  if (!(term instanceof Tuple) || term.size !== 3) return undefined
  const [group, third, fourth] = term.elements as readonly [Term, Term, Term]
  const joined = pidsOf(third)
  const left = pidsOf(fourth)
  return joined && left && { group, joined, left }
}

function isVersion(term: Term): term is number {
  return typeof term === 'number' && Number.isInteger(term) && term >= 0
}

function pidsOf(term: Term): readonly Pid[] | undefined {
  if (term instanceof Pid) return [term]
  return readList(term, (each) => (each instanceof Pid ? each : undefined))
}

export function discoverMessage(scope: Pid, version: number): Encodable {
  return version === 0 ? tuple(DISCOVER, scope) : tuple(DISCOVER, scope, version)
}

export function localDataMessage(scope: Pid, version: number, groups: readonly Membership[]): Encodable {
  if (version === 0) {
    return tuple(
      GEN_CAST,
      tuple(
        SYNC,
        scope,
        groups.map(({ group, pids }) => tuple(group, pids)),
      ),
    )
  }
  const map = ErlMap.from<Encodable, Encodable>(groups.map(({ group, pids }) => [group, pids] as const))
  return tuple(GEN_CAST, tuple(LOCAL_DATA, scope, version, map as Encodable))
}

/** The messages that tell of a change, in the words of `version`. */
export function changeMessages(scope: Pid, version: number, changes: readonly Change[]): Encodable[] {
  if (version > 0) {
    return [
      tuple(
        UPDATE,
        scope,
        changes.map(({ group, joined, left }) => tuple(group, joined, left)),
      ),
    ]
  }
  return changes.flatMap(({ group, joined, left }) => [
    ...(joined.length === 0 ? [] : [tuple(JOIN, scope, group, one(joined))]),
    ...(left.length === 0 ? [] : [tuple(LEAVE, scope, one(left), [group])]),
  ])
}

/** As pg.erl: a process alone is not in a list. */
function one(pids: readonly Pid[]): Encodable {
  return pids.length === 1 ? pids[0] : pids
}
