/** Closures of a BEAM. */
import { isEqual } from './equal.js'
import { FunParts } from './identifiers.js'
import { keyOf } from './keys.js'

/** A closure of a BEAM (NEW_FUN_EXT): it can be kept, compared and sent back, not called. */
export class Fun extends FunParts {
  /** Whether `other` is the same fun of the same code, with `=:=` free variables. */
  equals(other: unknown): boolean {
    return isEqual(this, other)
  }

  /** A string that is equal for equal funs and differs for others. */
  get key(): string {
    return String(keyOf(this))
  }

  /** As the shell prints it; funs that differ in their free variables alone print alike. */
  override toString(): string {
    return `#Fun<${String(this.module)}.${this.oldIndex}.${this.oldUniq}>`
  }
}
