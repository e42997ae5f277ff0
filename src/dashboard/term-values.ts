/**
 * Erlang terms as the dashboard's page gets them: those parts of a process that are shown as a tree (state, dictionary,
 * messages) and what an action returned. Plain JavaScript where there is one, else the classes below, which have
 * MessagePack extension types of their own (protocol.ts). Runs in browsers.
 */

/** An atom other than `true` and `false`, which are booleans. */
export class AtomValue {
  constructor(readonly name: string) {}
}

/** A process: `text` as its own node prints it, `<0.42.0>`; `node` is where it lives. */
export class PidValue {
  constructor(
    readonly text: string,
    readonly node: string,
  ) {}
}

export class TupleValue {
  constructor(readonly elements: readonly TermValue[]) {}
}

/** Entries in the order of the wire: keys of Erlang's maps are any terms. */
export class MapValue {
  constructor(readonly entries: readonly (readonly [TermValue, TermValue])[]) {}
}

/** A list whose elements are all printable characters. */
export class CharlistValue {
  constructor(readonly text: string) {}
}

/** A term without a form of its own here (reference, port, fun, bitstring, large integer, improper list), as printed. */
export class PrintedValue {
  constructor(readonly text: string) {}
}

/** In place of what is left out: a long list's rest, or what lies too deep. `count` of elements or characters. */
export class CutValue {
  constructor(readonly count: number) {}
}

/** A string is a binary that is UTF-8; an array is a proper list. */
export type TermValue =
  | number
  | string
  | boolean
  | readonly TermValue[]
  | AtomValue
  | PidValue
  | TupleValue
  | MapValue
  | CharlistValue
  | PrintedValue
  | CutValue

const PLAIN_ATOM = /^[a-z][a-zA-Z0-9_@]*$/

/** A value in Erlang's notation, for a line of text. */
export function showTerm(value: TermValue): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return `<<${JSON.stringify(value)}>>`
  if (value instanceof AtomValue) return atomText(value.name)
  if (value instanceof PidValue || value instanceof PrintedValue) return value.text
  if (value instanceof CharlistValue) return JSON.stringify(value.text)
  if (value instanceof CutValue) return `… ${value.count} more`
  if (value instanceof TupleValue) return `{${value.elements.map(showTerm).join(',')}}`
  if (value instanceof MapValue)
    return `#{${value.entries.map(([key, of]) => `${showTerm(key)} => ${showTerm(of)}`).join(',')}}`
  return `[${value.map(showTerm).join(',')}]`
}

function atomText(name: string): string {
  return PLAIN_ATOM.test(name) ? name : `'${name.replace(/[\\']/g, '\\$&')}'`
}
