/**
 * What name servers of different nodes send each other (global.erl, protocol version 8: OTP 25 to 29). All goes to the
 * process registered as `global_name_server`; tags tell one attempt to synchronise from another, each side has its own.
 *
 *     '$gen_cast'  {init_connect, {8, MyTag}, Node, {locker, no_longer_a_pid, Known, Locker}}
 *                  {lock_set, Locker, Bool, Known, HisTag}             the lockers' agreement, through the servers
 *                  {exchange, Node, [{Name, Pid, Method}], [], HisTag}
 *                  {resolved, Node, Ops, Known, unused, NamesExt, HisTag}
 *                  {new_nodes, Node, Ops, NamesExt, [{Node, Vsn}], ExtraInfo}
 *                  {in_sync, Node, true}
 *     plain        {init_connect_ack, Node, HisTag, MyTag}   {cancel_connect, Node, HisTag}
 *                  {lost_connection, A, CreationOfA, Id, B}  {remove_connection, Node}
 *     '$gen_call'  {set_lock, Id} {del_lock, Id} {register, Name, Pid, Method} {unregister, Name} {sync, Nodes}
 *                  {register_ext, Name, Pid, Method, Node} get_known get_synced get_protocol_version get_names_ext
 *
 * `Ops` are `{insert, {Name, Pid, Method}}` and `{delete, Name}`, `Known` is `[{Node, Vsn}]`, from versions before 7
 * `[Node]`. Tags are any integers: compared by value, sent back as they came.
 */
import { Atom, atomName, internAtom } from '../etf/atom.js'
import { Pid } from '../etf/identifiers.js'
import type { Encodable, Term } from '../etf/terms.js'
import { Tuple, tuple } from '../etf/tuple.js'
import { readList } from '../process/read-list.js'

export const GLOBAL_NAME_SERVER = internAtom('global_name_server')
/** The protocol version of OTP 25 and later. */
export const VERSION = 8
/** From here on connection attempts are verified: acknowledged and cancelled. */
export const VERIFY_CONNECT_VERSION = 8
/** From here on overlapping partitions are prevented together, and lists of nodes have their versions. */
export const PREVENT_PARTITIONS_VERSION = 7

const INSERT = internAtom('insert')
const DELETE = internAtom('delete')

/** A registered name, as nodes tell each other. */
export interface NameEntry {
  readonly name: Term
  readonly pid: Pid
  /** The function that decides between two processes of one name: `fun global:random_exit_name/3` and others. */
  readonly method: Term
}

export type Op = { type: 'insert'; entry: NameEntry } | { type: 'delete'; name: Term }

/** A name of a process that speaks for one outside of Erlang (`register_name_external`), and the node that registered it. */
export interface ExternalName {
  readonly name: Term
  readonly pid: Pid
  readonly node: Term
}

export interface KnownNode {
  readonly node: Atom
  /** 0: not told. */
  readonly version: number
}

export type Cast =
  | { type: 'initConnect'; version: number; tag: Term; node: Atom; locker: Pid }
  | { type: 'lockSet'; locker: Pid; set: boolean; tag: Term | undefined }
  | { type: 'exchange'; node: Atom; names: readonly NameEntry[]; tag: Term }
  | {
      type: 'resolved'
      node: Atom
      ops: readonly Op[]
      known: readonly KnownNode[]
      external: readonly ExternalName[]
      tag: Term
    }
  | {
      type: 'newNodes'
      node: Atom
      ops: readonly Op[]
      external: readonly ExternalName[]
      nodes: readonly KnownNode[]
      lockId: Term | undefined
    }
  | { type: 'inSync'; node: Atom }

export type Info =
  | { type: 'initConnectAck'; node: Atom; myTag: Term; hisTag: Term }
  | { type: 'cancelConnect'; node: Atom; tag: Term }
  | {
      type: 'lostConnection'
      a: Atom
      creation: number | bigint
      id: number | bigint
      b: Atom
      message: Term
    }
  | { type: 'removeConnection'; node: Atom }
  | { type: 'whereis'; name: Term; from: Term }

/** Reads the request of a cast; undefined for what is none. */
export function readCast(request: Term): Cast | undefined {
  if (!(request instanceof Tuple)) return undefined
  const [, a, b, c, d, e] = request.elements as readonly [Term, Term, Term, Term, Term, Term]
  const tag = request.elements.at(-1) as Term
  switch (`${request.tag ?? ''}/${request.size}`) {
    case 'init_connect/4':
      return readInitConnect(a, b, c)
    case 'lock_set/5':
    case 'lock_set/4':
      if (!(a instanceof Pid) || typeof b !== 'boolean') return undefined
      return { type: 'lockSet', locker: a, set: b, tag: request.elements[4] as Term | undefined }
    case 'exchange/5': {
      const names = readList(b, readEntry)
      return a instanceof Atom && names ? { type: 'exchange', node: a, names, tag } : undefined
    }
    case 'resolved/7': {
      const ops = readList(b, readOp)
      const known = readList(c, readKnown)
      const external = readList(e, readExternal)
      if (!(a instanceof Atom) || !ops || !known || !external) return undefined
      return { type: 'resolved', node: a, ops, known, external, tag }
    }
    case 'new_nodes/6': {
      const ops = readList(b, readOp)
      const external = readList(c, readExternal)
      const nodes = readList(d, readKnown)
      if (!(a instanceof Atom) || !ops || !nodes || !external) return undefined
      return { type: 'newNodes', node: a, ops, external, nodes, lockId: lockOf(e) }
    }
    case 'in_sync/3':
      return a instanceof Atom ? { type: 'inSync', node: a } : undefined
    default:
      return undefined
  }
}

/** `{8, Tag}`; later versions may add to it and still speak 8. */
function readInitConnect(versionAndTag: Term, node: Term, init: Term): Cast | undefined {
  if (!(versionAndTag instanceof Tuple) || !(node instanceof Atom) || !(init instanceof Tuple))
    return undefined
  const [version, tag] = versionAndTag.elements as readonly Term[]
  const locker = init.elements[3] as Term
  if (typeof version !== 'number' || !isInteger(tag)) return undefined
  if (init.tag !== 'locker' || !(locker instanceof Pid)) return undefined
  return { type: 'initConnect', version, tag, node, locker }
}

/** Reads what comes as a plain message; undefined for what is none of global's. */
export function readInfo(message: Term): Info | undefined {
  if (!(message instanceof Tuple)) return undefined
  const [, a, b, c, d] = message.elements as readonly [Term, Term, Term, Term, Term]
  switch (`${message.tag ?? ''}/${message.size}`) {
    case 'init_connect_ack/4':
      return a instanceof Atom ? { type: 'initConnectAck', node: a, myTag: b, hisTag: c } : undefined
    case 'cancel_connect/3':
      return a instanceof Atom ? { type: 'cancelConnect', node: a, tag: b } : undefined
    case 'lost_connection/5':
      if (!(a instanceof Atom) || !(d instanceof Atom) || !isInteger(b) || !isInteger(c)) return undefined
      return { type: 'lostConnection', a, creation: b, id: c, b: d, message }
    case 'remove_connection/2':
      return a instanceof Atom ? { type: 'removeConnection', node: a } : undefined
    case 'whereis/3':
      return { type: 'whereis', name: a, from: b }
    default:
      return undefined
  }
}

export function isInteger(term: Term | undefined): term is number | bigint {
  return typeof term === 'bigint' || (typeof term === 'number' && Number.isInteger(term))
}

function readEntry(term: Term): NameEntry | undefined {
  if (!(term instanceof Tuple) || term.size !== 3) return undefined
  const [name, pid, method] = term.elements as readonly [Term, Term, Term]
  return pid instanceof Pid ? { name, pid, method } : undefined
}

function readOp(term: Term): Op | undefined {
  if (!(term instanceof Tuple) || term.size !== 2) return undefined
  const value = term.elements[1] as Term
  if (term.elements[0] === DELETE) return { type: 'delete', name: value }
  const entry = term.elements[0] === INSERT ? readEntry(value) : undefined
  return entry && { type: 'insert', entry }
}

function readExternal(term: Term): ExternalName | undefined {
  if (!(term instanceof Tuple) || term.size !== 3) return undefined
  const [name, pid, node] = term.elements as readonly [Term, Term, Term]
  return pid instanceof Pid ? { name, pid, node } : undefined
}

function readKnown(term: Term): KnownNode | undefined {
  if (term instanceof Atom) return { node: term, version: 0 }
  if (!(term instanceof Tuple) || term.size !== 2) return undefined
  const [node, version] = term.elements as readonly [Term, Term]
  return node instanceof Atom && typeof version === 'number' ? { node, version } : undefined
}

/** `[{vsn, _}, {lock, LockId}]`. */
function lockOf(extraInfo: Term): Term | undefined {
  if (!Array.isArray(extraInfo)) return undefined
  for (const pair of extraInfo as readonly Term[]) {
    if (pair instanceof Tuple && pair.size === 2 && atomName(pair.elements[0]) === 'lock')
      return pair.elements[1] as Term
  }
  return undefined
}

export function entryTerm({ name, pid, method }: NameEntry): Encodable {
  return tuple(name, pid, method)
}

export function opTerm(op: Op): Encodable {
  return op.type === 'insert' ? tuple(INSERT, entryTerm(op.entry)) : tuple(DELETE, op.name)
}

export function externalTerm({ name, pid, node }: ExternalName): Encodable {
  return tuple(name, pid, node)
}

/** For a peer of `version`. */
export function knownTerm(known: readonly KnownNode[], version: number): Encodable {
  if (version < PREVENT_PARTITIONS_VERSION) return known.map(({ node }) => node)
  return known.map((each) => tuple(each.node, each.version))
}
