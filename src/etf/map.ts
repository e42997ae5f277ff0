/** Maps: keys compared as Erlang compares them, entries in wire order. */
import type { Term } from './terms.js'

/** An Erlang map. `get` compares keys with Erlang's `=:=`: `1` is not `1.0`; tuples and binaries compare by value. */
export class ErlMap<K = Term, V = Term> {
  /** Alternating keys and values, in wire order. */
  readonly flat: readonly (K | V)[]

  constructor(flat: readonly (K | V)[]) {
    this.flat = flat
  }

  get size(): number {
    return this.flat.length >> 1
  }
}
