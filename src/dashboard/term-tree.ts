/** Erlang terms as trees for the page, within bounds: what is left out is counted. */
import { Atom, ErlMap, Pid, print, Tuple, type Limits, type Term } from '../index.js'
import {
  AtomValue,
  CharlistValue,
  CutValue,
  MapValue,
  PidValue,
  PrintedValue,
  TupleValue,
  type TermValue,
} from './term-values.js'

type TreeLimits = Pick<Limits, 'maxDashboardTermElements' | 'maxDashboardTermDepth' | 'maxProbeCharacters'>

/** Makes trees of terms: together at most `maxDashboardTermElements` parts, `maxDashboardTermDepth` deep. */
export function termTrees(limits: TreeLimits): (term: Term) => TermValue {
  const builder = new Builder(limits)
  return (term) => builder.value(term, 0)
}

class Builder {
  readonly #limits: TreeLimits
  #left: number

  constructor(limits: TreeLimits) {
    this.#limits = limits
    this.#left = limits.maxDashboardTermElements
  }

  value(term: Term, depth: number): TermValue {
    if (typeof term === 'boolean') return term
    if (typeof term === 'number') return term
    if (term instanceof Atom) return new AtomValue(term.name)
    if (term instanceof Pid) return new PidValue(term.toString(), term.node.name)
    if (term instanceof Uint8Array) return this.#binary(term)
    if (term instanceof Tuple)
      return this.#deep(term.size, depth, () => new TupleValue(this.#values(term.elements, depth)))
    if (term instanceof ErlMap) return this.#map(term as ErlMap, depth)
    if (Array.isArray(term)) return this.#list(term as readonly Term[], depth)
    return new PrintedValue(print(term, { maxCharacters: this.#limits.maxProbeCharacters }))
  }

  #deep(size: number, depth: number, make: () => TermValue): TermValue {
    return depth >= this.#limits.maxDashboardTermDepth && size > 0 ? new CutValue(size) : make()
  }

  #values(terms: readonly Term[], depth: number): TermValue[] {
    const values: TermValue[] = []
    for (const [at, term] of terms.entries()) {
      if (this.#left <= 0) {
        values.push(new CutValue(terms.length - at))
        break
      }
      this.#left--
      values.push(this.value(term, depth + 1))
    }
    return values
  }

  #list(terms: readonly Term[], depth: number): TermValue {
    if (terms.length > 0 && terms.every(isCharacter))
      return new CharlistValue(
        this.#short(
          String.fromCodePoint(...(terms.slice(0, this.#limits.maxProbeCharacters + 1) as number[])),
        ),
      )
    return this.#deep(terms.length, depth, () => this.#values(terms, depth))
  }

  #map(map: ErlMap, depth: number): TermValue {
    return this.#deep(map.size, depth, () => {
      const entries: [TermValue, TermValue][] = []
      for (const [key, value] of map.entries()) {
        if (this.#left <= 0) {
          entries.push([new CutValue(map.size - entries.length), new CutValue(0)])
          break
        }
        this.#left -= 2
        entries.push([this.value(key, depth + 1), this.value(value, depth + 1)])
      }
      return new MapValue(entries)
    })
  }

  #binary(bytes: Uint8Array): TermValue {
    const { maxProbeCharacters } = this.#limits
    try {
      // Where the bytes are cut, a character may be.
      const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, maxProbeCharacters), {
        stream: bytes.length > maxProbeCharacters,
      })
      if (isPrintable(text)) return bytes.length > maxProbeCharacters ? `${text}…` : text
    } catch {
      // No UTF-8: as printed.
    }
    return new PrintedValue(this.#short(print(bytes.subarray(0, maxProbeCharacters))))
  }

  #short(text: string): string {
    const { maxProbeCharacters } = this.#limits
    return text.length > maxProbeCharacters ? `${text.slice(0, maxProbeCharacters)}…` : text
  }
}

function isCharacter(term: Term): boolean {
  return (
    typeof term === 'number' &&
    ((term >= 32 && term < 127) ||
      (term >= 160 && term <= 0xd7ff) ||
      (term >= 8 && term <= 13) ||
      term === 27)
  )
}

function isPrintable(text: string): boolean {
  return [...text].every((character) => {
    const code = character.codePointAt(0) as number
    return code >= 160 || (code >= 32 && code < 127) || (code >= 8 && code <= 13) || code === 27
  })
}
