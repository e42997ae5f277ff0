/** A text for each term, the same for terms that are `=:=` and different for others: the naive twin of `keyOf`. */
import { Atom } from '../../src/etf/atom.js'
import { ErlMap } from '../../src/etf/map.js'
import { ErlFloat } from '../../src/etf/values.js'

export function naiveKey(term: unknown): string {
  if (typeof term === 'number') return Number.isInteger(term) ? `integer ${term}` : `float ${term}`
  if (typeof term === 'bigint') return `integer ${term}`
  if (term instanceof ErlFloat) return `float ${Object.is(term.value, -0) ? '-0' : term.value}`
  if (typeof term === 'boolean') return `atom "${term}"`
  if (term instanceof Atom) return `atom ${JSON.stringify(term.name)}`
  if (term instanceof Uint8Array) return `binary ${Buffer.from(term).toString('hex')}`
  if (Array.isArray(term)) return `[${term.map(naiveKey).join()}]`
  if (term instanceof ErlMap) {
    const pairs = []
    for (let i = 0; i < term.flat.length; i += 2)
      pairs.push(`${naiveKey(term.flat[i])}=>${naiveKey(term.flat[i + 1])}`)
    return `#{${pairs.sort().join()}}`
  }
  if (typeof term === 'object' && term !== null) {
    const fields = ['node', 'id', 'serial', 'creation', 'words', 'bytes', 'bits', 'items', 'tail', 'elements', 'module', 'function',
      'name', 'exported', 'fields', 'values', 'arity', 'uniq', 'index', 'oldIndex', 'oldUniq', 'pid', 'freeVars'] // prettier-ignore
    const parts = fields
      .filter((field) => field in term)
      .map((field) => {
        // Not Array.prototype's: a list was met above.
        const value = (term as Record<string, unknown>)[field]
        return typeof value === 'function' ? '' : `${field}:${naiveKey(value)}`
      })
    return `${term.constructor.name}(${parts.join()})`
  }
  throw new Error(`no term: ${typeof term}`)
}
