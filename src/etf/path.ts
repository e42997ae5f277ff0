/** Where in a value the part is that could not be encoded, as one would write it in JavaScript: `[2].name`. */
import { Atom } from './atom.js'
import { Fun } from './fun.js'
import { ErlMap } from './map.js'
import { Tuple } from './tuple.js'
import { ImproperList, NativeRecord } from './values.js'

/** Steps shown of a longer path. */
const MAX_STEPS = 32

function property(name: string): string {
  return /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`
}

function mapStep(flat: readonly unknown[], index: number): [string, unknown] {
  const key = flat[index & ~1]
  const name = key instanceof Atom ? key.name : typeof key === 'string' ? key : undefined
  const value = flat[index]
  if ((index & 1) === 0) return [`.key(${index >> 1})`, value]
  return [name === undefined ? `.value(${index >> 1})` : property(name), value]
}

/** One step from a container to the child that the encoder counts as `index`. */
function step(term: unknown, index: number): [string, unknown] {
  if (Array.isArray(term)) return [`[${index}]`, term[index]]
  if (term instanceof Tuple) return [`[${index}]`, term.elements[index]]
  if (term instanceof ImproperList) {
    return index < term.items.length ? [`[${index}]`, term.items[index]] : ['.tail', term.tail]
  }
  if (term instanceof ErlMap) return mapStep(term.flat, index)
  if (term instanceof Map) return mapStep([...term].flat(), index)
  if (term instanceof Fun) return [`.freeVars[${index}]`, term.freeVars[index]]
  if (term instanceof NativeRecord) return [`.values[${index}]`, term.values[index]]
  const name = Object.keys(term as object)[index >> 1] ?? ''
  if ((index & 1) === 0) return [`.key(${index >> 1})`, name]
  return [property(name), (term as Record<string, unknown>)[name]]
}

/** The path that follows the child indexes `path[0, depth)` from `term`. Never throws: getters may. */
export function describePath(term: unknown, path: readonly number[], depth: number): string {
  let text = ''
  let at = term
  try {
    for (let i = 0; i < depth; i++) {
      if (i === MAX_STEPS) return text + '…'
      const [shown, next] = step(at, path[i] as number)
      text += shown
      at = next
    }
  } catch {
    return text
  }
  return text
}
