/** What compound terms are made of, where their keys are made: the same for terms that are `=:=`. */
import { ArgumentError } from '../errors.js'
import { ExportFun, FunParts } from './identifiers.js'
import { Tuple } from './tuple.js'
import { utf8Bytes } from './utf8.js'
import { ImproperList, NativeRecord } from './values.js'

export interface Parts {
  /** What kind of term it is. */
  head: string
  children: readonly unknown[]
  /** Whether the children are keys and values in turn, whose order does not count. */
  isMap: boolean
}

function parts(head: string, children: readonly unknown[], isMap = false): Parts {
  return { head, children, isMap }
}

/**
 * The parts of a compound term.
 * @throws ArgumentError `BAD_ARGUMENT` for a value that is no term
 */
export function partsOf(term: unknown): Parts {
  if (Array.isArray(term)) return parts('l', term)
  if (term instanceof Tuple) return parts('t', term.elements)
  if (term instanceof ImproperList) return parts('m', [...term.items, term.tail])
  if (term instanceof ExportFun) return parts('e', [term.module, term.function, term.arity])
  if (term instanceof FunParts) {
    return parts('F', [
      term.module,
      term.arity,
      term.uniq,
      term.index,
      term.oldIndex,
      term.oldUniq,
      term.pid,
      ...term.freeVars,
    ])
  }
  if (term instanceof NativeRecord) {
    return parts('R', [term.module, term.name, term.exported, term.fields, ...term.values])
  }
  const flat = (term as { flat?: unknown } | null | undefined)?.flat
  if (Array.isArray(flat)) return parts('d', flat, true)
  throw new ArgumentError('BAD_ARGUMENT', `a value that is no Erlang term: ${typeof term}`)
}

/** @throws ArgumentError `BAD_ARGUMENT` for text that is no binary */
export function textBytes(text: string): Uint8Array {
  const bytes = utf8Bytes(text)
  if (bytes === undefined) throw new ArgumentError('BAD_ARGUMENT', 'text with a lone surrogate is no binary')
  return bytes
}
