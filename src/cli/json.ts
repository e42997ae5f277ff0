/** Terms as JSON, for programs that know nothing of Erlang. */
import { print, toPlain, type Term } from '../index.js'
import { jsonText } from './visible.js'

/**
 * What `toPlain` makes of a term, as JSON: atoms as text, with `nil`, `null` and `undefined` as null; maps with other keys
 * than atoms and text as lists of pairs; integers beyond 2^53 as text; what JSON has nothing for as Erlang prints it.
 */
export function toJson(term: Term): string {
  return jsonText(jsonValue(toPlain(term, { atoms: 'text' })))
}

function jsonValue(value: unknown): unknown {
  if (value === undefined || value === null) return null
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(jsonValue)
  if (value instanceof Map) return [...value].map(([key, item]) => [jsonValue(key), jsonValue(item)])
  if (Object.getPrototypeOf(value) === null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, jsonValue(item)]))
  return print(value as Term)
}
