/** Lists that other nodes send, read element by element. */
import type { Term } from '../etf/terms.js'

/** Every element of a list read; undefined if it is no list, or one of them cannot be read. */
export function readList<T>(list: Term, read: (term: Term) => T | undefined): T[] | undefined {
  if (!Array.isArray(list)) return undefined
  const result: T[] = []
  for (const term of list as readonly Term[]) {
    const value = read(term)
    if (value === undefined) return undefined
    result.push(value)
  }
  return result
}
