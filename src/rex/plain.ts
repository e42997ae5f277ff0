/** `args: 'plain'`: terms as the JavaScript values that most functions expect. */
import { Atom } from '../etf/atom.js'
import { asText } from '../etf/as-text.js'
import { ErlMap } from '../etf/map.js'
import type { Term } from '../etf/terms.js'
import { Tuple } from '../etf/tuple.js'
import { ErlFloat } from '../etf/values.js'

/**
 * Text for binaries that are valid UTF-8, numbers for floats, objects for maps whose keys are all atoms or text and do
 * not collide; lists and tuples with their elements treated so; every other term as it is.
 */
export function toPlain(term: Term): unknown {
  if (typeof term !== 'object') return term
  if (term instanceof Uint8Array) return asText(term) ?? term
  if (term instanceof ErlFloat) return term.value
  if (Array.isArray(term)) return (term as readonly Term[]).map(toPlain)
  if (term instanceof Tuple) return new Tuple((term.elements as readonly Term[]).map(toPlain) as Term[])
  if (term instanceof ErlMap) return mapToPlain(term)
  return term
}

function mapToPlain(map: ErlMap): unknown {
  const entries: [string, unknown][] = []
  const names = new Set<string>()
  const flat = map.flat
  for (let i = 0; i < flat.length; i += 2) {
    const key = flat[i] as Term
    const name =
      key instanceof Atom
        ? key.name
        : typeof key === 'boolean'
          ? String(key)
          : key instanceof Uint8Array
            ? asText(key)
            : undefined
    if (name === undefined || names.has(name)) return map
    names.add(name)
    entries.push([name, toPlain(flat[i + 1] as Term)])
  }
  // fromEntries defines own properties: `__proto__` is a key like any other.
  return Object.fromEntries(entries)
}
