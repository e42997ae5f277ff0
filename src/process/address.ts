/** What signals are sent to: pids, and names on nodes. Checked here, since JavaScript and messages may give anything. */
import { ArgumentError } from '../errors.js'
import { atom, Atom, internAtom } from '../etf/atom.js'
import { Pid, Reference } from '../etf/identifiers.js'
import { print } from '../etf/print.js'
import type { Encodable } from '../etf/terms.js'
import { Tuple } from '../etf/tuple.js'
import type { Name } from '../dist/signals.js'

/** A registered name on a node. BEAMs write it `{Name, Node}`: a tuple that came in a message will do. */
export type NameOnNode = { name: Name | string; node: Atom | string } | Tuple

/** Of what cannot be sent to, so much is shown. */
const MAX_SHOWN_CHARACTERS = 100

/**
 * The name and the node of what is neither a process nor a local name.
 * @param what takes it, for the error
 * @throws ArgumentError `BAD_ARGUMENT`
 */
export function namedAt(to: NameOnNode, what: string): { name: Name; node: Atom } {
  const { name, node } = partsOf(to)
  const checkedName = typeof name === 'string' ? atom(name) : name
  const checkedNode = typeof node === 'string' ? internAtom(node) : node
  if (!(checkedName instanceof Atom || typeof checkedName === 'boolean') || !(checkedNode instanceof Atom))
    throw noAddress(to, `${what} takes a pid, a name or a name on a node`)
  return { name: checkedName, node: checkedNode }
}

/** @throws ArgumentError `BAD_ARGUMENT` for what is no pid */
export function checkPid(to: unknown, what: string): Pid {
  if (to instanceof Pid) return to
  throw noAddress(to, `${what} takes a pid`)
}

/** @throws ArgumentError `BAD_ARGUMENT` for what is no reference */
export function checkReference(ref: unknown, what: string): Reference {
  if (ref instanceof Reference) return ref
  throw noAddress(ref, `${what} takes a reference`)
}

/** @throws ArgumentError `BAD_ARGUMENT` for what is no name of a node */
export function checkNode(node: unknown, what: string): Atom {
  if (node instanceof Atom) return node
  if (typeof node === 'string') return internAtom(node)
  throw noAddress(node, `${what} takes the name of a node`)
}

export function nameOf(name: Atom | string): Name {
  return typeof name === 'string' ? atom(name) : name
}

export function textOf(name: Atom | string): string {
  return typeof name === 'string' ? name : name.name
}

function partsOf(to: unknown): { name?: unknown; node?: unknown } {
  if (to instanceof Tuple) return to.size === 2 ? { name: to.elements[0], node: to.elements[1] } : {}
  return typeof to === 'object' && to !== null ? to : {}
}

function noAddress(to: unknown, takes: string): ArgumentError {
  return new ArgumentError('BAD_ARGUMENT', `${takes}, not ${describe(to)}`)
}

function describe(value: unknown): string {
  try {
    return print(value as Encodable, { maxCharacters: MAX_SHOWN_CHARACTERS })
  } catch {
    return `a value of type ${typeof value}`
  }
}
